//! The pass: bitmaps select candidate positions, rules look only there.

mod addresses;
mod keyed;
mod numbers;
mod signs;
mod stretches;
mod work;

use std::cell::Cell;
use std::ops::Range;

use stretches::Stretches;

use crate::assignment::Join;
use crate::candidates::{self, EDGE, Window};
use crate::masks::{Around, BLOCK, Baseline, Lanes, Masks};
use crate::matchers::stand_in;
use crate::names::Matcher;
use crate::people::{Capitals, Mentioned};
use crate::view::{self, Notes};
use crate::{Confidence, DetectorId, Engine, Span, identifier, people, recognise};

/// A span longer than this hides its inside from the rest of the pass: what looks like a value in
/// the middle of base64 is none.
const OPAQUE: usize = 256;

/// One pass over one text.
pub(crate) struct Pass<'e, 't, 's> {
    engine: &'e Engine,
    text: &'t [u8],
    /// What the text is a part of, and where it stands there: candidates are told from bytes that
    /// are loaded many at a time, beyond the ends of a short text.
    around: &'t [u8],
    range: Range<usize>,
    spans: &'s mut Vec<Span>,
    /// Up to where runs of digits, lists and addresses have been read.
    numbers_read: usize,
    lists_read: usize,
    colons_read: usize,
    /// Identifiers, and numbers behind escapes, which are read before the runs of digits.
    numbers_ahead: Stretches,
    /// Where long spans lie.
    opaque: Stretches,
    /// Where the last UUID was seen, and the places of the next block that it reaches into.
    uuid: Cell<(usize, usize)>,
    uuid_goes_on: u64,
    /// The places of the next block that a date reaches into.
    date_goes_on: u64,
    /// Up to where long values have been read, and how many were begun inside of them.
    values_read: usize,
    values_inside: u32,
    /// Up to where a name beside a value has been looked for.
    pairs_read: usize,
    pub(crate) notes: Notes,
    /// Up to where names have been read, and what the last block left of one.
    names_read: usize,
    capitals: Capitals,
    mentioned: Mentioned,
}

/// A pass, and the instructions that it may use.
#[cfg(target_arch = "x86_64")]
struct With<'p, 'e, 't, 's, L>(&'p mut Pass<'e, 't, 's>, L);

#[cfg(target_arch = "x86_64")]
impl<L: Lanes> pulp::NullaryFnOnce for With<'_, '_, '_, '_, L> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn call(self) {
        self.0.blocks(self.1);
    }
}

/// The bitmap of the bytes before those of `bits`, behind a block with the bitmap `before`.
fn shift(before: u64, bits: u64) -> u64 {
    bits << 1 | before >> 63
}

impl<'e, 't, 's> Pass<'e, 't, 's> {
    pub(crate) fn new(engine: &'e Engine, text: &'t [u8], spans: &'s mut Vec<Span>) -> Self {
        Self::within(engine, text, 0..text.len(), spans)
    }

    /// A pass over a range of a text, which is looked at as if it stood alone.
    pub(crate) fn within(
        engine: &'e Engine,
        around: &'t [u8],
        range: Range<usize>,
        spans: &'s mut Vec<Span>,
    ) -> Self {
        Self {
            engine,
            text: &around[range.clone()],
            around,
            range,
            spans,
            numbers_read: 0,
            lists_read: 0,
            colons_read: 0,
            numbers_ahead: Stretches::default(),
            opaque: Stretches::default(),
            uuid: Cell::default(),
            uuid_goes_on: 0,
            date_goes_on: 0,
            values_read: 0,
            values_inside: 0,
            pairs_read: 0,
            notes: Notes::default(),
            names_read: 0,
            capitals: Capitals::default(),
            mentioned: Mentioned::default(),
        }
    }

    /// Appends what stands in the text as it is, and notes where it is worth decoding.
    pub(crate) fn run(&mut self) {
        #[cfg(target_arch = "x86_64")]
        if let Some(v4) = pulp::x86::V4::try_new() {
            // Only bitmaps are made with AVX-512: see `Lanes::fill`.
            (*v4).vectorize(With(self, v4));
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(v3) = pulp::x86::V3::try_new() {
            v3.vectorize(With(self, v3));
            return;
        }
        self.blocks(Baseline);
    }

    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn blocks(&mut self, lanes: impl Lanes) {
        let text = self.text;
        let mut room = [Masks::default(); 3];
        let [mut before, mut now, mut after] = room.each_mut();
        let mut edge = EDGE;
        let (all, range) = (self.around, self.range.clone());
        for base in (0..text.len()).step_by(BLOCK) {
            let window = Window::of(all, range.start + base, &mut edge);
            if base == 0 {
                now.set_to(lanes, all, &range, 0);
            }
            after.set_to(lanes, all, &range, base + BLOCK);
            self.block(base, window, Around { before, now, after });
            (before, now, after) = (now, after, before);
        }
    }

    /// Candidates of one block. What needs bytes behind it reads them from the text. Most blocks
    /// lack most signs, so that each bitmap is asked for before what is made of it.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn block(&mut self, base: usize, window: Window<'_>, around: Around<'_>) {
        let Around { before, now: masks, .. } = around;
        // First, because a number behind an escape is to be read from its first digit on.
        each_bit(masks.rare, |bit| self.rare(base + bit));
        let starts = masks.word & !shift(before.word, masks.word);
        let uuids = self.uuids(base, around);
        let keywords = candidates::keywords(window, masks, starts & !uuids, &self.engine.keywords);
        each_bit(self.of(starts, keywords), |bit| self.keywords(base + bit));
        // Letters at the start of a block may have digits before them.
        if masks.digit | before.digit >> 63 != 0 {
            self.block_of_digits(base, window, around, starts, uuids);
        }
        if masks.assign | masks.comma | masks.dash != 0 {
            self.block_of_keys(base, window, around);
        }
        each_bit(long_words(before.word, masks.word), |bit| self.long_word(base + bit));
        if masks.newline != 0 {
            self.ends_of_lines(base, masks.newline);
        }
        if masks.high != 0 {
            self.signs(base, masks.high, masks.high & !shift(before.high, masks.high));
        }
        if self.capitals.go_on() || people::may_begin_name(masks, before) {
            self.people(base, masks, before);
        }
    }

    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn block_of_digits(
        &mut self,
        base: usize,
        window: Window<'_>,
        around: Around<'_>,
        starts: u64,
        uuids: u64,
    ) {
        let masks = around.now;
        let turns = candidates::turns(around, starts);
        let forms = self.engine.identifiers.beginnings();
        let likely = candidates::identifiers(window, around, turns & !uuids, forms);
        each_bit(self.of(turns, likely), |bit| self.turn(base + bit));
        each_bit(candidates::apart(masks, starts), |bit| self.lettered_apart(base + bit));
        let begin = starts & masks.digit & !self.date_goes_on;
        let (numbers, over) = candidates::numbers(window, around, begin);
        self.date_goes_on = over;
        each_bit(self.of(starts & masks.digit, numbers), |bit| self.digits(base + bit));
    }

    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn block_of_keys(&mut self, base: usize, window: Window<'_>, around: Around<'_>) {
        let Around { before, now: masks, .. } = around;
        let endings = &self.engine.key_endings;
        let assigns = masks.assign & !shift(before.assign, masks.assign);
        let equals = masks.assign & !masks.colon;
        let letters = equals & around.from(3, |masks| masks.assign & !masks.colon);
        each_bit(letters, |bit| self.notes.quoted(self.text, base + bit));
        let named = candidates::behind_names(masks, assigns);
        let keyed = candidates::assignments(window, around, named, endings);
        each_bit(self.of(assigns, keyed), |bit| self.assignment(base + bit));
        let commas = masks.comma & shift(before.quote, masks.quote);
        let tuples = candidates::tuples(self.text, base, around, commas);
        each_bit(self.of(commas, tuples), |bit| self.assigned(base + bit, Join::Tuple));
        each_bit(masks.dash & shift(before.dash, masks.dash), |bit| self.flag(base + bit));
        if self.is_exhaustive() || candidates::addresses(masks, before) {
            self.addresses(base, masks, before);
        }
        // Numbers in a row: the third comma of a block that is full of digits.
        let third = masks.comma & masks.comma.wrapping_sub(1);
        let third = third & third.wrapping_sub(1);
        if third != 0 && masks.digit.count_ones() >= 20 {
            self.row(base + third.trailing_zeros() as usize);
        }
    }

    /// The places of a block inside of UUIDs, of which logs are full: nothing begins there.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn uuids(&mut self, base: usize, around: Around<'_>) -> u64 {
        let mut found = std::mem::take(&mut self.uuid_goes_on);
        each_bit(candidates::uuids(around), |bit| found |= self.uuid(base, bit));
        found
    }

    /// The places of the UUID whose first dash may be at `bit` of a block.
    #[inline(never)]
    fn uuid(&mut self, base: usize, bit: usize) -> u64 {
        let Some(uuid) = identifier::uuid_at_dash(self.text, base + bit) else { return 0 };
        self.uuid.set((uuid.start, uuid.end));
        // It is shorter than a block.
        let places = !(u64::MAX << uuid.len());
        if uuid.start < base {
            return places >> (base - uuid.start);
        }
        let start = uuid.start - base;
        self.uuid_goes_on |= places >> 1 >> (BLOCK - 1 - start);
        places << start
    }

    /// The candidates among `all` places; a test looks at all of them.
    #[inline]
    fn of(&self, all: u64, candidates: u64) -> u64 {
        debug_assert_eq!(candidates & !all, 0, "candidates are some of all");
        if self.is_exhaustive() { all } else { candidates }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, reason = "the test build reads it")]
    fn is_exhaustive(&self) -> bool {
        false
    }

    #[cfg(test)]
    fn is_exhaustive(&self) -> bool {
        self.engine.exhaustive
    }

    fn push_shape(&mut self, matcher: Matcher, range: Range<usize>) {
        let Some(id) = self.engine.shape(matcher) else { return };
        if recognise::meets(self.text, &range, &self.engine.rules[usize::from(id.0)]) {
            self.push(id, range);
        }
    }

    fn push(&mut self, detector: DetectorId, range: Range<usize>) {
        debug_assert!(range.start < range.end && range.end <= self.text.len());
        // What has a check digit is no fingerprint, whatever stands around it, unless it is as long
        // as one.
        let sure = self.engine.detector(detector).confidence == Confidence::High;
        if stand_in::is_fingerprint(self.text, &range)
            && (!sure || range.len() <= stand_in::FINGERPRINT)
        {
            return;
        }
        let range = stand_in::behind_label(self.text, &range).unwrap_or(range);
        if range.is_empty() {
            return;
        }
        if range.len() >= OPAQUE {
            self.opaque.add(&range);
        }
        self.spans.push(Span { start: range.start, end: range.end, detector });
    }
}

/// Where a word reaches [`view::LONG`] letters and digits, wherever it began.
#[inline]
fn long_words(before: u64, word: u64) -> u64 {
    // Half of such a word stands in one of the blocks, and most words are shorter than that.
    let half = |word: u64| {
        let two = word & word >> 1;
        let four = two & two >> 2;
        let eight = four & four >> 4;
        eight & eight >> 3
    };
    const { assert!(view::LONG == 2 * 11) };
    if half(before) | half(word) == 0 {
        return 0;
    }
    let last = |words: u128| (words >> 64) as u64;
    let word = u128::from(before) | u128::from(word) << 64;
    let two = word & word << 1;
    let four = two & two << 2;
    let eight = four & four << 4;
    let sixteen = eight & eight << 8;
    let long = sixteen & sixteen << 6;
    last(long & !(long << 1))
}

/// Calls `visit` with each bit that is set, lowest first: most often none is.
#[expect(clippy::inline_always, reason = "asks where it is called")]
#[inline(always)]
fn each_bit(bits: u64, visit: impl FnMut(usize)) {
    if bits != 0 {
        each_of_some(bits, visit);
    }
}

#[inline]
fn each_of_some(mut bits: u64, mut visit: impl FnMut(usize)) {
    while bits != 0 {
        visit(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests;
