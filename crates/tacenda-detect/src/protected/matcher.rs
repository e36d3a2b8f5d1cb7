//! Where a text repeats a protected value.

use std::sync::Arc;

use super::base64::PlaceOf;
use super::canon::{CHUNK, Canon, Canonical, is_left_out, plain};
use super::member;
use super::phrases::OWN;
use super::roll::{HashKey, MAX_WINDOW, Roller};
use super::store::{GRAM, ProtectedValues, State, Value, ValueId};

/// A place in the input that repeats a protected value, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedSpan {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// Which value; `None` when it shares its text with one that has expired.
    pub value: Option<Arc<Value>>,
}

/// What the records of a stream so far leave open: the last characters, and a match that may go
/// on in the next record.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    open: Option<Box<Open>>,
    /// Nothing comes after it.
    is_alone: bool,
}

impl Trail {
    /// For a text that is no part of a stream.
    #[must_use]
    pub fn alone() -> Self {
        Self { open: None, is_alone: true }
    }
}

#[derive(Clone, Debug, Default)]
struct Open {
    roller: Roller,
    decoded: usize,
    /// What the index of the next canonical character is when nothing is left out before it.
    next_index: usize,
    recent: [Place; MAX_WINDOW],
    /// The end of a clean text, which is not in the roller nor among the recent places yet: few
    /// of them are asked for.
    tail: Vec<u8>,
    /// Its last characters, if there is one.
    lead: Option<Lead>,
    /// So many bytes of what follows need not be looked at: a run that begins where none has been
    /// seen counts only when it goes on behind them.
    unseen: usize,
    run: Option<Run>,
}

/// Characters that begin a window which ends behind a text.
const LEAD: usize = GRAM - 1;

/// Where a chunk of a text begins: places are counted so that those before it have one, too.
const START: u8 = 127;

/// The last characters of a clean text, and where they stand before what follows.
#[derive(Clone, Copy, Debug)]
struct Lead {
    chars: [u8; LEAD],
    places: [u8; LEAD],
}

/// What is left of a clean text.
#[derive(Clone, Copy)]
struct Passed {
    lead: Option<Lead>,
    unseen: usize,
    /// Where its last characters begin, as many as the longest window has and one before them; if
    /// that is known.
    tail: Option<usize>,
}

/// Where a canonical character stands in the current record (0 for those of earlier ones).
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    start: usize,
    end: usize,
    index: usize,
    is_word: bool,
    inside_word: bool,
    after_gap: bool,
}

/// What [`Run::chars`] adds at most to the distance of its first and last character, but for one: what
/// begins behind a window begins one character behind its first.
const GAPS: usize = 2;

/// Consecutive fingerprints of protected text.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: usize,
    end: usize,
    first: usize,
    last: usize,
    after_gap: bool,
    before_gap: bool,
    /// Canonical characters up to and including its last.
    until: usize,
    owner: ValueId,
    /// Whether a part of it lies in a phrase that everybody writes.
    has_phrase: bool,
    /// Up to where such phrases have been seen, or else where it begins; signs next to them are theirs.
    /// And where the next character stands.
    common: usize,
    behind: usize,
    /// How many characters before that are in no phrase, and where they stand in this record.
    own: usize,
    own_at: Option<(usize, usize)>,
}

impl Run {
    /// Its length in characters. A white space or quote next to it, which the canonical spelling
    /// leaves out, may have been part of the fragment; more of them are the log's own layout.
    fn chars(&self) -> usize {
        self.last + 1 - self.first + usize::from(self.after_gap) + usize::from(self.before_gap)
    }

    /// Its last fingerprint lies in a phrase, and `before` is where the character before that ends.
    fn pass_phrase(&mut self, before: usize) {
        let own = self.until.saturating_sub(GRAM + self.common);
        if own > 0 {
            self.own += own;
            self.own_at = Some((self.own_at.map_or(self.behind, |at| at.0), before));
        }
        (self.has_phrase, self.common) = (true, self.until);
    }

    /// What of it is found: all, if it has enough words of its own; else where those stand.
    fn found(&self) -> (usize, usize) {
        let behind = self.until - self.common;
        if !self.has_phrase || self.own + behind >= OWN {
            return (self.start, self.end);
        }
        let (start, end) = self.own_at.unwrap_or((self.behind, self.behind));
        (start, if behind > 0 { self.end } else { end })
    }
}

impl ProtectedValues {
    /// Appends every span of `text` that repeats a protected value, sorted by start. Linear in
    /// the length of `text`; nothing is done while no value is protected.
    pub fn scan(&self, text: &[u8], trail: &mut Trail, spans: &mut Vec<ProtectedSpan>) {
        if self.is_empty() {
            trail.open = None;
            return;
        }
        let state = self.lock_current();
        let scan = Scan { values: self, key: self.key(), state: &state };
        let first = spans.len();
        if trail.is_alone {
            if scan.passes(text, None).is_none() {
                scan.with(&mut Open::default(), spans).text(text);
            }
        } else {
            let open = trail.open.get_or_insert_default();
            let goes_on = open.run.is_some();
            let passed = if goes_on { None } else { scan.passes(text, Some(&*open)) };
            if let Some(passed) = passed {
                open.pass(text, passed, scan.key);
            } else {
                scan.with(open, spans).text(text);
            }
        }
        let mut encoded = |decoded: &[u8], place: PlaceOf<'_>| {
            if scan.passes(decoded, None).is_some() {
                return;
            }
            let mut inner = Vec::new();
            scan.with(&mut Open::default(), &mut inner).text(decoded);
            for span in inner {
                let (start, end) = place(span.start, span.end);
                spans.push(ProtectedSpan { start, end, value: span.value });
            }
        };
        super::digits::scan(text, &mut encoded);
        if super::radix::has_long_word(text) {
            super::base64::scan(text, &mut encoded);
            super::radix::scan(text, &mut encoded);
        }
        super::ellipsis::scan(self, self.key(), &state, text, spans);
        for span in &mut spans[first..] {
            let found = super::blob::extended(text, span.start..span.end);
            (span.start, span.end) = (found.start, found.end);
        }
        spans[first..].sort_by_key(|span| (span.start, span.end));
    }
}

/// What to look for.
#[derive(Clone, Copy)]
struct Scan<'s> {
    values: &'s ProtectedValues,
    key: &'s HashKey,
    state: &'s State,
}

impl<'s> Scan<'s> {
    fn with<'t>(self, trail: &'t mut Open, spans: &'t mut Vec<ProtectedSpan>) -> Search<'t>
    where
        's: 't,
    {
        let Self { values, key, state } = self;
        Search { values, key, state, trail, spans }
    }

    /// What is left of `text`, if it is sure to repeat nothing, as nearly every text is: quicker to
    /// tell than where something is repeated. Sure is only plain ASCII without escapes.
    ///
    /// Not every window is looked up: a run of windows that are all protected counts only when it
    /// is long enough, so it holds the next one that is looked up, or it goes on behind the text.
    fn passes(self, text: &[u8], before: Option<&Open>) -> Option<Passed> {
        if self.state.has_short() {
            return None;
        }
        // No more than a chunk knows of what stands before it.
        let shortest = self.values.limits.min_chars.saturating_sub(GAPS).min(START.into());
        let is_protected = |hash| self.state.grams.owner(hash).is_some();
        // Before the characters of a chunk stand those that lead to it.
        let (mut chars, mut places) = ([0; LEAD + CHUNK], [0; LEAD + CHUNK]);
        let mut roller = before.map(|open| &open.roller);
        // Up to where the chunk has been seen, and what stands before it.
        let mut seen = usize::from(START) + before.map_or(0, |open| open.unseen);
        let mut lead = before.and_then(|open| open.lead);
        let mut tail = None;
        let mut base = 0;
        for chunk in text.chunks(CHUNK) {
            let end = LEAD + plain(chunk, START, &mut chars, &mut places)?;
            if let Some(lead) = lead {
                chars[..LEAD].copy_from_slice(&lead.chars);
                places[..LEAD].copy_from_slice(&lead.places);
            }
            // Without a lead, windows that begin in what stands before are looked up otherwise.
            let first = if lead.is_some() { LEAD } else { end.min(2 * LEAD) };
            for look in LEAD..first {
                let hash = roller.and_then(|it| it.window_with(self.key, &chars[LEAD..=look]));
                if hash.is_some_and(is_protected) {
                    return None;
                }
            }
            // The first one that has not been seen. The last one is always looked up: nothing goes on
            // behind a text that passes.
            let mut look = first;
            while look + 1 < end && usize::from(places[look]) < seen {
                look += 1;
            }
            while look < end {
                let window = chars[..=look].last_chunk().expect("as many stand before it");
                if is_protected(self.key.window(*window)) {
                    return None;
                }
                let begun = look - LEAD;
                seen = usize::from(places[begun]) + shortest;
                if look + 1 == end {
                    break;
                }
                // No farther than where nothing is left out between.
                let mut next = (begun + shortest).clamp(look + 1, end - 1);
                while next > look + 1 && usize::from(places[next - 1]) >= seen {
                    next -= 1;
                }
                look = next;
            }
            let known = if lead.is_some() { 0 } else { LEAD };
            if end - known < LEAD {
                if chunk.len() < text.len() {
                    return None;
                }
            } else {
                lead = Some(Lead {
                    chars: *chars[..end].last_chunk().expect("as many are known"),
                    places: places[..end].last_chunk::<LEAD>().expect("as many are known").map(
                        |place| place.saturating_sub(u8::try_from(chunk.len()).unwrap_or(u8::MAX)),
                    ),
                });
            }
            let last = places[LEAD..end].len().checked_sub(MAX_WINDOW + 1);
            tail = last.map(|last| base + usize::from(places[LEAD + last] - START));
            roller = None;
            seen = seen.saturating_sub(chunk.len());
            base += chunk.len();
        }
        let unseen = seen.saturating_sub(usize::from(START));
        Some(Passed { lead, unseen, tail })
    }
}

impl Open {
    /// Takes in a clean text.
    fn pass(&mut self, text: &[u8], passed: Passed, key: &HashKey) {
        let from = passed.tail.unwrap_or_else(|| {
            let (mut from, mut kept) = (text.len(), 0);
            while from > 0 && kept <= MAX_WINDOW {
                from -= 1;
                kept += usize::from(!is_left_out(text[from]));
            }
            from
        });
        if from == 0 {
            self.settle(key);
        } else {
            // Longer than any window: what stands before is asked for no more.
            self.roller = Roller::default();
        }
        self.tail.clear();
        self.tail.extend_from_slice(&text[from..]);
        self.decoded += text.len();
        self.unseen = passed.unseen;
        self.lead = passed.lead;
        if self.lead.is_none() {
            self.settle(key);
        }
    }

    /// Enters the characters and places that were left out.
    fn settle(&mut self, key: &HashKey) {
        let tail = std::mem::take(&mut self.tail);
        self.lead = None;
        let base = self.decoded - tail.len();
        for at in (0..tail.len()).filter(|at| !is_left_out(tail[*at])) {
            let is_word = |at: usize| tail[at].is_ascii_alphanumeric();
            let inside_word = is_word(at) && at > 0 && is_word(at - 1);
            let (index, is_word) = (base + at, is_word(at));
            let place = Place { index, is_word, inside_word, ..Place::default() };
            self.enter(self.roller.count(), place);
            self.roller.push(key, char::from(tail[at].to_ascii_lowercase()));
        }
    }

    /// Notes the place of the character after the first `count`.
    fn enter(&mut self, count: usize, place: Place) {
        let after_gap = place.index > self.next_index;
        self.recent[count % MAX_WINDOW] = Place { after_gap, ..place };
        self.next_index = place.index + 1;
    }

    /// The record ends here: places are those of the next.
    fn close(&mut self) {
        for place in &mut self.recent {
            (place.start, place.end) = (0, 0);
        }
    }
}

/// A search for where a text repeats something.
struct Search<'s> {
    values: &'s ProtectedValues,
    key: &'s HashKey,
    state: &'s State,
    trail: &'s mut Open,
    spans: &'s mut Vec<ProtectedSpan>,
}

impl Search<'_> {
    fn text(&mut self, text: &[u8]) {
        self.trail.settle(self.key);
        self.trail.unseen = 0;
        let base = self.trail.decoded;
        let (first, goes_on) = (self.spans.len(), self.trail.run.is_some());
        let mut canon = Canon::new(text);
        let has_short = self.state.has_short();
        let mut pending_short: Vec<ProtectedSpan> = Vec::new();
        for canonical in canon.by_ref() {
            // A short value counts only as a whole word: this character must not go on with it.
            if !pending_short.is_empty() {
                let ended = !canonical.inside_word;
                self.spans.extend(pending_short.drain(..).filter(|_| ended));
            }
            self.push(canonical, base);
            self.mark_gap();
            if let Some((hash, owner)) = self.lookup(GRAM) {
                self.extend_run(canonical, base, hash, owner);
            } else {
                self.end_run();
            }
            if !has_short {
                continue;
            }
            for len in (1..=MAX_WINDOW).filter(|len| self.state.short_lengths[*len] > 0) {
                if let Some((_, owner)) = self.lookup(len)
                    && let Some(place) = self.place(len)
                    && !place.inside_word
                {
                    let value = self.values.value(self.state, owner);
                    let span = ProtectedSpan { start: place.start, end: canonical.end, value };
                    pending_short.push(span);
                }
            }
        }
        self.spans.append(&mut pending_short);
        self.trail.decoded = base + canon.decoded();
        self.pause();
        self.leave_names(text, first, goes_on);
    }

    /// Leaves the names of members in place. Where a match goes on from the text before, its name may
    /// stand there.
    fn leave_names(&mut self, text: &[u8], first: usize, goes_on: bool) {
        let shortest = self.values.limits.min_chars;
        let found = self.spans.split_off(first);
        self.spans.extend(found.into_iter().filter_map(|span| {
            let Some(value) = span.value.as_ref().filter(|value| value.name_chars > 0) else {
                return Some(span);
            };
            if goes_on && span.start == 0 {
                return Some(span);
            }
            let (name, stands_alone) = (value.name_chars.into(), value.chars >= shortest);
            let found = member::text_of(text, span.start..span.end, name, stands_alone)?;
            Some(ProtectedSpan { start: found.start, end: found.end, ..span })
        }));
    }

    fn push(&mut self, canonical: Canonical, base: usize) {
        let Canonical { char, start, end, inside_word, .. } = canonical;
        let (index, is_word) = (base + canonical.index, char.is_alphanumeric());
        let place = Place { start, end, index, is_word, inside_word, after_gap: false };
        self.trail.enter(self.trail.roller.count(), place);
        self.trail.roller.push(self.key, canonical.char);
    }

    /// Tells a run that ended just before the last character whether a gap followed it.
    fn mark_gap(&mut self) {
        let count = self.trail.roller.count();
        let gap = self.trail.recent[(count - 1) % MAX_WINDOW].after_gap;
        if let Some(run) = &mut self.trail.run
            && run.until + 1 == count
        {
            run.before_gap = gap;
        }
    }

    /// Where the window of the last `len` characters starts.
    fn place(&self, len: usize) -> Option<Place> {
        let from = self.trail.roller.count().checked_sub(len)?;
        Some(self.trail.recent[from % MAX_WINDOW])
    }

    fn lookup(&self, len: usize) -> Option<(u64, ValueId)> {
        let hash = self.trail.roller.window(self.key, len)?;
        Some((hash, self.state.grams.owner(hash)?))
    }

    fn extend_run(&mut self, canonical: Canonical, base: usize, hash: u64, owner: ValueId) {
        let Some(place) = self.place(GRAM) else { return };
        let before = self.place(GRAM + 1).map_or(0, |place| place.end);
        let count = self.trail.roller.count();
        let last = base + canonical.index;
        match &mut self.trail.run {
            // Only what is unbroken counts: pieces of several values may touch by chance.
            Some(run) if run.until + 1 == count => {
                run.end = canonical.end;
                run.last = last;
                run.until = count;
                run.before_gap = false;
                // A fragment may lie in several values: the longest names it.
                if run.common + 1 == count {
                    run.behind = canonical.start;
                    run.common += usize::from(!canonical.char.is_alphanumeric());
                }
                if run.owner != owner && self.state.chars(owner) > self.state.chars(run.owner) {
                    run.owner = owner;
                }
            }
            _ => {
                self.end_run();
                let recent = &self.trail.recent;
                let is_sign = |at: &usize| !recent[at % MAX_WINDOW].is_word;
                let common = count - GRAM + (count - GRAM..count).take_while(is_sign).count();
                let behind = recent[common.min(count - 1) % MAX_WINDOW].start;
                self.trail.run = Some(Run {
                    start: place.start,
                    end: canonical.end,
                    first: place.index,
                    last,
                    after_gap: place.after_gap,
                    before_gap: false,
                    until: count,
                    owner,
                    has_phrase: false,
                    common,
                    behind,
                    own: 0,
                    own_at: None,
                });
            }
        }
        if let Some(run) = &mut self.trail.run
            && self.values.is_common(hash)
        {
            run.pass_phrase(before);
        }
    }

    fn end_run(&mut self) {
        if let Some(run) = self.trail.run.take() {
            self.emit(&run);
        }
    }

    fn emit(&mut self, run: &Run) {
        let (start, end) = run.found();
        if start < end && run.chars() >= self.values.limits.min_chars {
            let value = self.values.value(self.state, run.owner);
            self.spans.push(ProtectedSpan { start, end, value });
        }
    }

    /// The record ends here; the stream may go on.
    fn pause(&mut self) {
        if let Some(mut run) = self.trail.run {
            run.before_gap |= run.until == self.trail.roller.count()
                && self.trail.decoded > self.trail.next_index;
            self.emit(&run);
            (run.start, run.end, run.behind, run.own_at) = (0, 0, 0, None);
            self.trail.run = Some(run);
        }
        self.trail.close();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protected::Limits;
    use tacenda_policy::Kind;

    const VALUE: &str = "The heron stands in the shallows, waiting for what the tide brings in.";

    /// Pieces of the value, words of a log, and what is no plain text.
    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            (0..VALUE.len(), 0..40_usize)
                .prop_map(|(at, count)| { VALUE[at..VALUE.len().min(at + count)].to_owned() }),
            "[a-z]{1,9} ?|[0-9.:,]{1,12}|[\"'+ \t]{1,3}",
            Just("%20".to_owned()),
            Just("é".to_owned()),
        ]
    }

    /// Checks that records, one after the other, are found to repeat what a search finds.
    fn check(values: &ProtectedValues, records: &[&str]) {
        let (mut trail, mut spans) = (Trail::default(), Vec::new());
        let (mut open, mut expected) = (Open::default(), Vec::new());
        for record in records {
            values.scan(record.as_bytes(), &mut trail, &mut spans);
            let state = values.lock();
            let scan = Scan { values, key: values.key(), state: &state };
            let first = expected.len();
            scan.with(&mut open, &mut expected).text(record.as_bytes());
            let record = record.as_bytes();
            super::super::ellipsis::scan(values, values.key(), &state, record, &mut expected);
            expected[first..].sort_by_key(|span| (span.start, span.end));
            assert_eq!(spans, expected, "{records:?}");
        }
    }

    fn values() -> ProtectedValues {
        let values = ProtectedValues::new(Limits::default(), Box::new(|_| [1, 2, 3]));
        values.protect(VALUE, Kind::Prompt, None, true).unwrap();
        values
    }

    #[test]
    fn a_fragment_of_any_length_passes_or_does_not_wherever_it_is_cut() {
        let values = values();
        for (at, len) in (0..40).step_by(3).flat_map(|at| (12..21).map(move |len| (at, len))) {
            let fragment = &VALUE[at..at + len];
            for text in [
                fragment.to_owned(),
                format!("status {fragment} 200"),
                format!("{}{fragment}{}", "x".repeat(245), "y".repeat(20)),
                format!("\"{fragment}\""),
            ] {
                check(&values, &[&text]);
                let from = text.len().saturating_sub(50);
                for cut in (from..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                    check(&values, &[&text[..cut], &text[cut..]]);
                }
            }
        }
    }

    #[test]
    fn the_shortest_fragment_may_be_longer_than_a_chunk() {
        let limits = Limits { min_chars: 150, ..Limits::default() };
        let values = ProtectedValues::new(limits, Box::new(|_| [1, 2, 3]));
        let numbers: Vec<String> = (0..90).map(|number: u8| number.to_string()).collect();
        let value = numbers.join(" tides, ");
        values.protect(&value, Kind::Prompt, None, true).unwrap();
        for len in [140, 146, 147, 148, 149, 150, 151, 152, 153, 300] {
            let text = format!("status {} 200", &value[300..300 + len]);
            check(&values, &[&text]);
            for cut in (0..text.len()).step_by(7) {
                check(&values, &[&text[..cut], &text[cut..]]);
                check(&values, &[&text[..cut], " | ", &text[cut..]]);
            }
        }
    }

    proptest! {
        #[test]
        fn a_text_that_passes_leaves_what_a_search_leaves(
            records in prop::collection::vec(prop::collection::vec(piece(), 0..12), 1..6),
        ) {
            let records: Vec<String> = records.iter().map(|pieces| pieces.concat()).collect();
            let records: Vec<&str> = records.iter().map(String::as_str).collect();
            check(&values(), &records);
        }
    }
}
