//! The pass: bitmaps select candidate positions, rules look only there.
//!
//! The blocks of a text are gone through whatever begins or ends in them; a rule looks at one *record*
//! at a time, as if nothing stood around it. A text of its own is one record.

mod addresses;
mod keyed;
mod numbers;
mod records;
mod signs;
mod stretches;
mod work;

use std::cell::Cell;
use std::ops::Range;

pub(crate) use records::sift;
use records::{Records, Whole};
use stretches::Stretches;

use crate::assignment::Join;
use crate::candidates::{self, Candidates, EDGE, Window};
use crate::masks::{Around, BLOCK, Baseline, Lanes, Masks};
use crate::matchers::stand_in;
use crate::names::Matcher;
use crate::people::{Capitals, Mentioned};
use crate::view::Notes;
use crate::{Confidence, DetectorId, Engine, Span, recognise};

/// A span longer than this hides its inside from the rest of the pass: what looks like a value in
/// the middle of base64 is none.
const OPAQUE: usize = 256;

/// One pass over one text.
pub(crate) struct Pass<'e, 't, 's> {
    engine: &'e Engine,
    /// The record, and where it begins in the text that is gone through.
    text: &'t [u8],
    start: usize,
    spans: &'s mut Vec<Span>,
    notes: Notes,
    /// Whether nothing of the record has been read.
    is_fresh: bool,
    /// What the last block left of a capitalised word.
    capitals: Capitals,
    read: Read,
}

/// What of a record has been read: none of it is read twice.
#[derive(Default)]
struct Read {
    /// Up to where runs of digits, lists and addresses have been read.
    numbers: usize,
    lists: usize,
    colons: usize,
    /// Identifiers, and numbers behind escapes, which are read before the runs of digits.
    numbers_ahead: Stretches,
    /// Where long spans lie.
    opaque: Stretches,
    /// Where the last UUID was seen.
    uuid: Cell<(usize, usize)>,
    /// Up to where long values have been read, and how many were begun inside of them.
    values: usize,
    values_inside: u32,
    /// Up to where a name beside a value has been looked for.
    pairs: usize,
    /// Up to where names have been read, and those that were found.
    names: usize,
    mentioned: Mentioned,
}

impl Read {
    /// Another record begins. There may be many, and most are short: what is not read is not cleared.
    fn clear(&mut self) {
        let Self { numbers, lists, colons, values, pairs, names, .. } = self;
        for read_to in [numbers, lists, colons, values, pairs, names] {
            *read_to = 0;
        }
        let Self { numbers_ahead, opaque, uuid, values_inside, mentioned, .. } = self;
        numbers_ahead.clear();
        opaque.clear();
        mentioned.clear();
        uuid.set((0, 0));
        *values_inside = 0;
    }
}

/// What of a block, and of those before and after it, belongs to the record: one bit a byte.
#[derive(Clone, Copy)]
pub(crate) struct Part {
    pub(crate) before: u64,
    pub(crate) now: u64,
    pub(crate) after: u64,
    /// Where the record begins, if it does in this block.
    pub(crate) first: u64,
}

impl Part {
    /// Of the block at `base`, of the record in `range`, which has bytes there.
    #[inline]
    fn of(range: &Range<usize>, base: usize) -> Self {
        let from = range.start.saturating_sub(base);
        let over = (base + BLOCK).saturating_sub(range.end);
        Self {
            before: highest(base.saturating_sub(range.start)),
            now: u64::MAX << from & u64::MAX >> over,
            after: !highest((base + 2 * BLOCK).saturating_sub(range.end)),
            first: if range.start >= base { 1 << from } else { 0 },
        }
    }
}

/// The last `count` bits of a block, all of them where it has no more.
#[inline]
fn highest(count: usize) -> u64 {
    if count < BLOCK { !(u64::MAX >> count) } else { u64::MAX }
}

/// A pass, the text and its records, and the instructions that it may use.
#[cfg(target_arch = "x86_64")]
struct With<'p, 'e, 't, 's, R, L>(&'p mut Pass<'e, 't, 's>, &'t [u8], &'p mut R, L);

#[cfg(target_arch = "x86_64")]
impl<R: Records, L: Lanes> pulp::NullaryFnOnce for With<'_, '_, '_, '_, R, L> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn call(self) {
        self.0.blocks(self.1, self.2, self.3);
    }
}

impl<'e, 't, 's> Pass<'e, 't, 's> {
    fn new(engine: &'e Engine, spans: &'s mut Vec<Span>) -> Self {
        Self {
            engine,
            text: &[],
            start: 0,
            spans,
            notes: Notes::default(),
            is_fresh: true,
            capitals: Capitals::default(),
            read: Read::default(),
        }
    }

    /// Appends what stands in the text as it is; gives back where it is worth decoding.
    pub(crate) fn run(engine: &'e Engine, text: &'t [u8], spans: &'s mut Vec<Span>) -> Notes {
        let mut pass = Self::new(engine, spans);
        pass.over(text, &mut Whole::of(text));
        pass.notes
    }

    /// Goes through the records of a text.
    fn over(&mut self, text: &'t [u8], records: &mut impl Records) {
        #[cfg(target_arch = "x86_64")]
        if let Some(v3) = pulp::x86::V3::try_new() {
            v3.vectorize(With(self, text, records, v3));
            return;
        }
        self.blocks(text, records, Baseline);
    }

    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn blocks(&mut self, text: &'t [u8], records: &mut impl Records, lanes: impl Lanes) {
        let Some(mut record) = records.next(self) else { return };
        self.begin(text, &record);
        let mut room = [Masks::default(); 3];
        let [mut before, mut now, mut after] = room.each_mut();
        let mut edge = EDGE;
        for base in (0..text.len()).step_by(BLOCK) {
            let window = Window::of(text, base, &mut edge);
            if base == 0 {
                *now = Masks::of(lanes, window.block(), text.len());
            }
            let behind = text.len().saturating_sub(base + BLOCK);
            *after = Masks::of(lanes, window.next(), behind);
            let around = Around { before, now, after };
            let found = Candidates::of(self.engine, window, around);
            while record.start < base + BLOCK {
                if !records.is_told(self) {
                    self.part(base, around, &found, Part::of(&record, base));
                }
                if record.end > base + BLOCK {
                    break;
                }
                let Some(next) = records.next(self) else { return };
                record = next;
                self.begin(text, &record);
            }
            (before, now, after) = (now, after, before);
        }
    }

    /// A record begins.
    fn begin(&mut self, text: &'t [u8], record: &Range<usize>) {
        self.text = &text[record.clone()];
        self.start = record.start;
        self.capitals = Capitals::default();
    }

    /// What of one block belongs to the record.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn part(&mut self, base: usize, around: Around<'_>, found: &Candidates, part: Part) {
        let Around { before, now: masks, .. } = around;
        if found.any() & part.now != 0 {
            self.visit(base, around, found, part);
        }
        if (masks.upper | masks.high) & part.now != 0 || self.capitals.go_on() {
            self.people(base, masks, before, part);
        }
        if found.addresses {
            self.addresses(base, masks, before, part);
        }
    }

    /// Looks at the candidates of one block that belong to the record, kind by kind. What needs bytes
    /// behind the block reads them from the record.
    fn visit(&mut self, base: usize, around: Around<'_>, found: &Candidates, part: Part) {
        self.is_fresh = false;
        let (now, start) = (part.now, self.start);
        // First, because a number behind an escape is to be read from its first digit on.
        each_bit(found.rare & now, |bit| self.rare(base + bit - start));
        each_bit(found.tokens & now, |bit| self.token(base + bit - start));
        each_bit(found.turns & now, |bit| self.turn(base + bit - start));
        each_bit(found.apart & now, |bit| self.lettered_apart(base + bit - start));
        each_bit(found.digits & now, |bit| self.digits(base + bit - start));
        each_bit(found.assignments & now, |bit| self.assignment(base + bit - start));
        each_bit(found.tuples & now, |bit| self.assigned(base + bit - start, Join::Tuple));
        each_bit(found.flags & now, |bit| self.flag(base + bit - start));
        each_bit(found.long_words & now, |bit| self.long_word(base + bit - start));
        each_bit(found.signs & now, |bit| self.sign(base + bit - start));
        if found.rows & now != 0 && is_full_of_numbers(around, part) {
            each_bit(found.rows & now, |bit| self.row(base + bit - start));
        }
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
        if range.len() >= OPAQUE {
            self.read.opaque.add(&range);
        }
        self.spans.push(Span { start: range.start, end: range.end, detector });
    }
}

/// Whether so many numbers stand near the block that they may be a row.
#[cold]
fn is_full_of_numbers(Around { before, now, after }: Around<'_>, part: Part) -> bool {
    const COMMAS: u32 = 3;
    const DIGITS: u32 = 20;
    let commas = (candidates::rows(before, now) & part.before).count_ones()
        + (candidates::rows(now, after) & part.now).count_ones();
    let digits = (before.digit & part.before).count_ones()
        + (now.digit & part.now).count_ones()
        + (after.digit & part.after).count_ones();
    commas >= COMMAS && digits >= DIGITS
}

/// Calls `visit` with each bit that is set, lowest first.
#[inline]
fn each_bit(mut bits: u64, mut visit: impl FnMut(usize)) {
    while bits != 0 {
        visit(bits.trailing_zeros() as usize);
        bits &= bits - 1;
    }
}

#[cfg(test)]
mod tests;
