//! Where in a block a rule may begin: bitmaps in, bitmaps out, a few instructions a candidate.
//!
//! Each function may say yes too often, never too seldom: what it leaves out is looked at by nobody.
//! A test holds them against a pass that looks everywhere.

mod endings;
mod turns;
mod window;

pub(crate) use endings::KeyEndings;
pub(crate) use turns::LETTERS;
use turns::{identifiers, turns};
pub(crate) use window::{EDGE, Window};

use crate::lookup::{self, Lookup};
use crate::masks::{Around, Masks};
use crate::{Engine, view};

/// The candidates of a block, one bit a place, by what is to be done there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Candidates {
    /// Signs that are looked at one by one.
    pub(crate) rare: u64,
    /// Where a keyword may begin.
    pub(crate) tokens: u64,
    /// Where letters and digits take turns as in an identifier.
    pub(crate) turns: u64,
    /// Digits behind letters that stand apart.
    pub(crate) apart: u64,
    /// Where a run of digits begins.
    pub(crate) digits: u64,
    /// `:` and `=` behind a key, and `,` behind one in quotes.
    pub(crate) assignments: u64,
    pub(crate) tuples: u64,
    /// The second dash of `--`.
    pub(crate) flags: u64,
    /// Where a word has become long.
    pub(crate) long_words: u64,
    /// Where characters outside ASCII begin that may stand for a sign.
    pub(crate) signs: u64,
    /// Commas between numbers.
    pub(crate) rows: u64,
    /// Whether addresses of machines may end in the block.
    pub(crate) addresses: bool,
}

impl Candidates {
    /// Of the block in `window`. Most blocks lack most signs, so that each bitmap is asked for before
    /// what is made of it.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    pub(crate) fn of(engine: &Engine, window: Window<'_>, around: Around<'_>) -> Self {
        let Around { before, now: masks, after } = around;
        let starts = masks.word & !shift(before.word, masks.word);
        let mut found = Self {
            rare: masks.rare,
            tokens: keywords(window, shaped(around, starts, &engine.keywords), &engine.keywords),
            flags: masks.dash & shift(before.dash, masks.dash),
            long_words: long_words(before.word, masks.word),
            addresses: addresses(masks, before),
            ..Self::default()
        };
        // Letters at the start of a block may have digits before them.
        if masks.digit | before.digit >> 63 != 0 {
            let turns = turns(around, starts);
            found.turns = identifiers(window, around, turns, engine.identifiers.beginnings());
            found.apart = apart(masks, starts);
            found.digits = numbers(window, around, starts & masks.digit);
        }
        if masks.assign | masks.comma != 0 {
            let signs = masks.assign & !shift(before.assign, masks.assign);
            let named = behind_names(masks, signs);
            found.assignments = assignments(window, named, &engine.key_endings);
            let tuples = masks.comma & shift(before.quote, masks.quote);
            found.tuples = assignments(window, tuples, &engine.key_endings);
            found.rows = rows(masks, after);
        }
        if masks.high != 0 {
            found.signs = signs(window, masks.high & !shift(before.high, masks.high));
        }
        #[cfg(test)]
        if engine.exhaustive {
            found.everywhere(around);
        }
        found
    }

    /// Every place that is looked at for something.
    #[inline]
    pub(crate) fn any(&self) -> u64 {
        self.rare
            | self.tokens
            | self.turns
            | self.apart
            | self.digits
            | self.assignments
            | self.tuples
            | self.flags
            | self.long_words
            | self.signs
            | self.rows
    }

    /// Every place where something might begin: what the bitmaps are held against.
    #[cfg(test)]
    fn everywhere(&mut self, around: Around<'_>) {
        let Around { before, now: masks, .. } = around;
        let starts = masks.word & !shift(before.word, masks.word);
        let put = |candidates: &mut u64, all: u64| {
            assert_eq!(*candidates & !all, 0, "candidates are some of all");
            *candidates = all;
        };
        put(&mut self.tokens, starts);
        put(&mut self.turns, turns(around, starts));
        put(&mut self.digits, starts & masks.digit);
        put(&mut self.assignments, masks.assign & !shift(before.assign, masks.assign));
        put(&mut self.tuples, masks.comma & shift(before.quote, masks.quote));
        self.addresses = true;
    }
}

/// The bitmap of the bytes before those of `bits`, behind a block with the bitmap `before`.
#[inline]
fn shift(before: u64, bits: u64) -> u64 {
    bits << 1 | before >> 63
}

/// Those of `starts` that are shaped as a keyword's. Every third word of a log is a number, and few
/// keywords begin with a digit: [`Lookup::any_number`] says whether others do.
#[inline]
fn shaped(around: Around<'_>, starts: u64, keywords: &Lookup) -> u64 {
    let Around { now, after, .. } = around;
    let ahead = |of: fn(&Masks) -> u64, by: u32| of(now) >> by | of(after) << (u64::BITS - by);
    let digit = |by| ahead(|masks| masks.digit, by);
    let sign = |masks: &Masks| masks.word & !masks.digit | masks.stroke;
    let port = digit(1) & digit(2) & digit(3) & ahead(|masks| masks.colon | masks.dot, 4);
    starts & (!now.digit | ahead(sign, 1) | ahead(sign, 2) | port | keywords.any_number())
}

/// Tokens that are looked at in one go: how many there are is not to be foreseen, and a wrong guess
/// costs more than to look at the first place of the block again.
const AT_ONCE: usize = 2;

/// Those of `starts` where a keyword may begin.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
pub(crate) fn keywords(window: Window<'_>, starts: u64, keywords: &Lookup) -> u64 {
    let (mut rest, mut found) = (starts, 0);
    while rest != 0 {
        for _ in 0..AT_ONCE {
            let bit = rest.trailing_zeros() & 63;
            rest &= rest.wrapping_sub(1);
            found |= keywords.may_begin(lookup::fold(window.four(bit))) << bit;
        }
    }
    found & starts
}

/// Those of `signs` that do not follow a number that is no part of a name, as in `02:37:40`. Left in
/// are signs at the beginning of the block, since what they follow is not to be seen, signs behind
/// long numbers, which may be tokens, and those before a stroke.
#[inline]
pub(crate) fn behind_names(masks: &Masks, signs: u64) -> u64 {
    const UNSEEN: u64 = 0x1f;
    let digit = masks.digit;
    let name = masks.word & !digit | masks.dash | masks.underscore;
    let two = digit << 1 & digit << 2;
    let named = digit << 1 & name << 2
        | two & (name << 3 | digit << 3 & (name << 4 | digit << 4 & digit << 5));
    signs & (!(digit << 1) | named | UNSEEN | masks.stroke >> 1 | 1 << 63)
}

/// Those of `signs`, the first of each row of `:` and `=`, that may follow a key of a rule, begin
/// `://`, or stand inside a token.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
pub(crate) fn assignments(window: Window<'_>, mut signs: u64, keys: &KeyEndings) -> u64 {
    let mut found = 0;
    while signs != 0 {
        let bit = signs.trailing_zeros();
        signs &= signs - 1;
        let after = window.four(bit);
        let [_, next, third, _] = after.to_le_bytes();
        let inside = next == third && matches!(next, b'/' | b'A');
        // In a row of signs the last one tells what follows.
        let row = matches!(next, b':' | b'=');
        found |= (keys.may_end(window.eight_before(bit)) | u64::from(inside || row)) << bit;
    }
    found
}

/// Fewest digits of a run that is read, and most bytes of one that is judged by their count.
pub(crate) const DIGITS: u32 = 7;
pub(crate) const LONGEST: u32 = 40;

/// Those of `starts`, which begin with a digit, from where a run of digits and of what joins them
/// may be a number: it has seven digits, or four and the dots of an address, or goes on for long.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
pub(crate) fn numbers(window: Window<'_>, around: Around<'_>, mut starts: u64) -> u64 {
    let masks = around.now;
    // Behind most starts, as those of a time, there is not enough left for any number.
    let four = |bits: u64| bits & bits >> 1 & bits >> 2 & bits >> 3;
    let number = masks.digit | masks.group;
    const { assert!(DIGITS == 7) };
    let long = four(number) & four(number) >> 3 | u64::MAX << (64 - DIGITS + 1);
    starts &= long;
    let mut found = 0;
    while starts != 0 {
        let bit = starts.trailing_zeros();
        let digits = around.from(bit, |masks| masks.digit);
        // A date, four digits and twice two, as each record has one. What follows is a run of its own.
        // The machine's own address is no value. What ends in the next block is passed by from there.
        let whole = bit + 10 <= u64::BITS;
        if whole && digits & 0x3ff == 0x157 && window.is_loopback(bit) {
            starts &= u64::MAX << bit << 9;
            continue;
        }
        let dashes = around.from(bit, |masks| masks.dash);
        if whole && digits & 0x7ff == 0x36f && dashes & 0x90 == 0x90 && window.is_year(bit) {
            starts &= u64::MAX << bit << 10;
            continue;
        }
        let length = (digits | around.from(bit, |masks| masks.group)).trailing_ones();
        let run = !(u64::MAX.checked_shl(length).unwrap_or(0));
        let count = (digits & run).count_ones();
        let dots = (around.from(bit, |masks| masks.dot) & run).count_ones();
        let rest = u64::MAX.checked_shl(bit + length).unwrap_or(0);
        if count < DIGITS && (dots < 3 || count < 4) && length < LONGEST {
            starts &= rest;
        } else {
            found |= starts & !rest;
            starts &= rest;
        }
    }
    found
}

/// Those of `starts`, which begin with a digit, that a capital letter stands before with one sign
/// between them. What the block before ends with is not known here.
#[inline]
pub(crate) fn apart(masks: &Masks, starts: u64) -> u64 {
    starts & masks.digit & (masks.group << 1 | 1) & (masks.upper << 2 | 3)
}

/// Whether colons or dashes stand as in the addresses of machines, one of them in this block.
#[inline]
pub(crate) fn addresses(masks: &Masks, before: &Masks) -> bool {
    let back = |before: u64, now: u64, by: u32| now << by | before >> (u64::BITS - by);
    // Three signs at the distance of octets are rare enough to ask no more here.
    let three = |before, now| now & back(before, now, 3) & back(before, now, 6);
    let colons = masks.colon;
    let octets = three(before.colon, colons) | three(before.dash, masks.dash);
    if octets | colons & back(before.colon, colons, 1) != 0 {
        return true;
    }
    // The full form of IPv6 has six colons or more, and any JSON: few stand near each other.
    colons != 0
        && colons.count_ones() + before.colon.count_ones() >= 6
        && near_each_other(u128::from(before.colon) | u128::from(colons) << 64)
}

/// Whether so many signs as the full form of IPv6 has stand as near to each other as in it.
#[inline]
pub(crate) fn near_each_other(colons: u128) -> bool {
    let two = colons >> 1 | colons >> 2;
    let near = colons & (two | two >> 2 | colons >> 5);
    near.count_ones() >= 5
}

/// Where a word reaches [`view::LONG`] letters and digits, wherever it began.
#[inline]
fn long_words(before: u64, word: u64) -> u64 {
    let last = |words: u128| (words >> 64) as u64;
    const { assert!(view::LONG == 16 + 6) };
    let word = u128::from(before) | u128::from(word) << 64;
    let two = word & word << 1;
    let four = two & two << 2;
    let eight = four & four << 4;
    let sixteen = eight & eight << 8;
    let long = sixteen & sixteen << 6;
    last(long & !(long << 1))
}

/// Commas between numbers, as far as the block and the one behind it tell.
#[inline]
pub(crate) fn rows(masks: &Masks, after: &Masks) -> u64 {
    let number = |masks: &Masks| masks.digit | masks.group;
    let (now, next) = (number(masks), number(after));
    let digit = masks.digit >> 1 | after.digit << 63;
    let sign = (now >> 1 | next << 63) & (now >> 2 | next << 62);
    masks.comma & (now << 1 | 1) & (digit | sign)
}

/// Where characters outside ASCII stand for a plain sign: `starts`, where a row of such characters
/// begins, and full-width forms (their first byte is 0xEF) anywhere.
#[cold]
fn signs(window: Window<'_>, starts: u64) -> u64 {
    memchr::memchr_iter(0xef, window.block()).fold(starts, |signs, at| signs | 1 << at)
}
