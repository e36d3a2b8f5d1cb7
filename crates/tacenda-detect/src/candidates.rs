//! Where in a block a rule may begin: bitmaps in, bitmaps out, a few instructions a candidate.
//!
//! Each function may say yes too often, never too seldom: what it leaves out is looked at by nobody.
//! A test holds them against a pass that looks everywhere.

mod endings;
mod turns;

pub(crate) use endings::KeyEndings;
pub(crate) use turns::{LETTERS, identifiers, turns};

use std::ops::Range;

use crate::lookup::{self, Head, Lookup};
use crate::masks::{Around, BLOCK, Masks};

/// Bytes before and after a block that its candidates are judged by.
const BEFORE: usize = 16;
const AFTER: usize = BLOCK;

/// A block with the bytes around it; zeros where the text has none.
#[derive(Clone, Copy)]
pub(crate) struct Window<'t>(&'t Bytes);

type Bytes = [u8; BEFORE + BLOCK + AFTER];

/// Whether candidates in `range` of a text are the same when the bytes around it are seen: no key
/// begins before it, and what follows the last word is nothing that a number goes on with.
pub(crate) fn stand_apart(text: &[u8], range: &Range<usize>) -> bool {
    let is_key = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.$ ".contains(&byte);
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || b" -./+(".contains(&byte);
    let part = &text[range.clone()];
    let (Some(first), Some(last)) = (part.first(), part.last()) else { return true };
    let before = range.start.checked_sub(1).is_some_and(|at| is_key(text[at]));
    let behind = text.get(range.end).is_some_and(|byte| goes_on(*byte));
    !(before && is_key(*first) || behind && last.is_ascii_alphanumeric())
}

/// Room for a window at an edge of the text.
pub(crate) const EDGE: Bytes = [0; BEFORE + BLOCK + AFTER];

impl<'t> Window<'t> {
    /// The block at `at` of `text`; `edge` is room for one at an edge of it.
    #[inline]
    pub(crate) fn of(text: &'t [u8], at: usize, edge: &'t mut Bytes) -> Self {
        let whole = at.checked_sub(BEFORE).and_then(|from| text[from..].first_chunk());
        Self(whole.unwrap_or_else(|| {
            *edge = EDGE;
            let before = at.min(BEFORE);
            let part = &text[at - before..text.len().min(at + BLOCK + AFTER)];
            edge[BEFORE - before..][..part.len()].copy_from_slice(part);
            edge
        }))
    }

    /// The byte at bit `bit` of the block, or as many bytes behind it.
    #[inline]
    fn behind(self, bit: u32) -> u8 {
        self.0.get(BEFORE + bit as usize).copied().unwrap_or(0)
    }

    /// Whether the letter at `bit` is that of `2A` or `2B`.
    #[inline]
    fn is_corsica(self, bit: u32) -> bool {
        let at = BEFORE + (bit & 63) as usize;
        matches!(self.0[at - 1..=at], [b'2', b'A' | b'B'])
    }

    /// The four bytes from bit `bit` of the block on.
    #[inline]
    fn four(self, bit: u32) -> u32 {
        let at = BEFORE + (bit & 63) as usize;
        let [a, b, c, d] = [self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]];
        u32::from_le_bytes([a, b, c, d])
    }

    /// Whether four digits of this century or the last begin at `bit`.
    #[inline]
    fn is_year(self, bit: u32) -> bool {
        matches!(self.four(bit).to_le_bytes(), [b'1', b'9', ..] | [b'2', b'0', ..])
    }

    /// Whether `127.0.0.1` begins at `bit`, up to its last dot.
    #[inline]
    fn is_loopback(self, bit: u32) -> bool {
        let at = BEFORE + (bit & 63) as usize;
        self.0[at..].starts_with(b"127.0.0.1")
    }

    /// The first bytes from bit `bit` of the block on, as [`lookup::head`] has them.
    #[inline]
    fn head(self, bit: u32) -> Head {
        let at = BEFORE + (bit & 63) as usize;
        Head::from_le_bytes(std::array::from_fn(|i| self.0[at + i]))
    }

    /// The sixteen bytes before bit `bit`, the last of them highest.
    #[inline]
    fn sixteen_before(self, bit: u32) -> u128 {
        let at = (bit & 63) as usize;
        let bytes: [u8; BEFORE] = std::array::from_fn(|i| self.0[at + i]);
        u128::from_le_bytes(bytes)
    }

    /// The last eight of them.
    #[inline]
    fn eight_before(self, bit: u32) -> u64 {
        let at = (bit & 63) as usize + BEFORE / 2;
        self.0[at..].first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
    }
}

/// Tokens that are looked at in one go: how many there are is not to be foreseen, and a wrong guess
/// costs more than to look at the first place of the block again.
const AT_ONCE: usize = 2;

/// Those of `starts` that begin a number with which no keyword begins: `02:37`, `127.`.
#[inline]
fn plain_numbers(masks: &Masks, starts: u64, keywords: &Lookup) -> u64 {
    // What follows the last places is not to be seen.
    const SEEN: u64 = u64::MAX >> 4;
    let none = keywords.numbers();
    let next = |bits: u64, by: u32| bits >> by;
    let one = starts & masks.digit & SEEN;
    let two = one & next(masks.digit, 1);
    let three = two & next(masks.digit, 2);
    let five = three & next(masks.digit & next(masks.digit, 1), 3);
    let word = masks.word;
    one & !next(word | masks.stroke, 1) & none.one
        | two & !next(word, 2) & none.two
        | three & !next(word, 3) & none.three
        | five & none.five
}

/// Those of `starts` where a keyword may begin.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
pub(crate) fn keywords(window: Window<'_>, masks: &Masks, starts: u64, keywords: &Lookup) -> u64 {
    let starts = starts & !plain_numbers(masks, starts, keywords);
    let (mut rest, mut found) = (starts, 0);
    while rest != 0 {
        for _ in 0..AT_ONCE {
            let bit = rest.trailing_zeros() & 63;
            rest &= rest.wrapping_sub(1);
            found |= keywords.may_begin(lookup::fold(window.four(bit))) << bit;
        }
    }
    // What follows is asked of the few that are left.
    let (mut rest, mut found) = (found & starts, 0);
    while rest != 0 {
        let bit = rest.trailing_zeros();
        rest &= rest - 1;
        found |= u64::from(keywords.has(window.head(bit))) << bit;
    }
    found
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
pub(crate) fn assignments(
    window: Window<'_>,
    around: Around<'_>,
    signs: u64,
    keys: &KeyEndings,
) -> u64 {
    // In a row of signs the last one tells what follows.
    let Masks { assign, upper, stroke, .. } = around.now;
    let inside = (upper >> 1 & upper >> 2) | (stroke >> 1 & stroke >> 2) | 0b11 << 62;
    let mut found = keyed(window, around, signs, keys) | signs & assign >> 1;
    each(signs & inside & !found, |bit| {
        let [_, next, third, _] = window.four(bit).to_le_bytes();
        let inside = next == third && matches!(next, b'/' | b'A');
        found |= u64::from(inside || matches!(next, b':' | b'=')) << bit;
    });
    found
}

/// Those of `signs` that may follow a key of a rule.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
fn keyed(window: Window<'_>, around: Around<'_>, signs: u64, keys: &KeyEndings) -> u64 {
    let letter = |masks: &Masks| masks.word & !masks.digit;
    // Behind a letter, and behind a quote that stands behind one.
    let letters = letter(around.now) << 1 | letter(around.before) >> 63;
    let quoted = around.now.quote << 1 & letters << 1;
    let (mut rest, mut found) = (signs, 0);
    while rest != 0 {
        let bit = rest.trailing_zeros();
        rest &= rest - 1;
        let end = bit - (quoted >> bit & 1) as u32;
        let may = if letters >> (end & 63) & 1 == 1 {
            let word = around.to(end, |masks| masks.word);
            keys.may_end(window.eight_before(end), word, || {
                let joint = |masks: &Masks| masks.underscore | masks.dash | masks.dot;
                [around.to(end, letter), around.to(end, joint)]
            })
        } else {
            keys.may_end_apart(window.sixteen_before(bit))
        };
        found |= may << bit;
    }
    found
}

/// Those of `commas`, each behind a quote, that may follow a key at the beginning of a tuple:
/// `("key", `. The block begins at `base` of `text`.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
pub(crate) fn tuples(text: &[u8], base: usize, around: Around<'_>, commas: u64) -> u64 {
    let mut found = 0;
    each(commas, |bit| {
        let key = around.to(bit, |masks| masks.word | masks.underscore | masks.dash | masks.dot);
        let length = (key << 1).leading_ones();
        let start = (base + bit as usize).checked_sub(1 + length as usize);
        let opened = start.is_some_and(|start| {
            matches!(
                &text[..start],
                [.., b'(' | b'[' | b'$' | b'\\']
                    | [.., b'(' | b'[', b' ']
                    | [.., b'(' | b'[' | b'b' | b'\\', b'"' | b'\'']
                    | [.., b'(' | b'[', b' ', b'"' | b'\'']
            )
        });
        // A longer key is not to be seen.
        found |= u64::from(opened || length == u64::BITS - 1) << bit;
    });
    found
}

/// Calls `visit` with each bit that is set, lowest first.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
fn each(mut bits: u64, mut visit: impl FnMut(u32)) {
    while bits != 0 {
        visit(bits.trailing_zeros());
        bits &= bits - 1;
    }
}

/// Fewest digits of a run that is read, and most bytes of one that is judged by their count.
pub(crate) const DIGITS: u32 = 7;
pub(crate) const LONGEST: u32 = 40;

/// Those of `starts`, which begin with a digit, from where a run of digits and of what joins them
/// may be a number: it has seven digits, or is four numbers between dots, or goes on for long. And
/// where in the next block nothing begins, because a date reaches into it.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
pub(crate) fn numbers(window: Window<'_>, around: Around<'_>, mut starts: u64) -> (u64, u64) {
    let masks = around.now;
    // Behind most starts, as those of a time, there is not enough left for any number.
    let four = |bits: u64| bits & bits >> 1 & bits >> 2 & bits >> 3;
    let number = masks.digit | masks.group;
    const { assert!(DIGITS == 7) };
    let long = four(number) & four(number) >> 3 | u64::MAX << (64 - DIGITS + 1);
    starts &= long;
    let (mut found, mut over) = (0, 0);
    while starts != 0 {
        let bit = starts.trailing_zeros();
        let digits = around.from(bit, |masks| masks.digit);
        // A date, four digits and twice two, as each record has one. What follows is a run of its own.
        // The machine's own address is no value.
        let dashes = around.from(bit, |masks| masks.dash);
        let date = digits & 0x7ff == 0x36f && dashes & 0x90 == 0x90 && window.is_year(bit);
        if date || digits & 0x3ff == 0x157 && window.is_loopback(bit) {
            let length = if date { 10 } else { 9 };
            let places = u64::MAX >> (u64::BITS - length);
            starts &= !(places << bit);
            over = places >> 1 >> (63 - bit);
            continue;
        }
        let group = around.from(bit, |masks| masks.group);
        let length = (digits | group).trailing_ones();
        let run = !(u64::MAX.checked_shl(length).unwrap_or(0));
        let count = (digits & run).count_ones();
        let rest = u64::MAX.checked_shl(bit + length).unwrap_or(0);
        let short = count < DIGITS && length < LONGEST;
        if !short || four_between_dots(digits & run, around.from(bit, |masks| masks.dot) & run) {
            found |= starts & !rest;
        }
        starts &= rest;
    }
    (found, over)
}

/// Whether four numbers of at most three digits stand between dots, as in an address.
#[inline]
pub(crate) fn four_between_dots(digits: u64, dots: u64) -> bool {
    if dots.count_ones() < 3 {
        return false;
    }
    // Dots that a number and one of `next` follow.
    let before = |next: u64| {
        let (one, two) = (digits >> 1, digits >> 1 & digits >> 2);
        dots & (one & next >> 2 | two & next >> 3 | two & digits >> 3 & next >> 4)
    };
    before(before(dots)) != 0
}

/// Those of `starts`, which begin with a digit, that a capital letter stands before with one sign
/// between them. What the block before ends with is not known here.
#[inline]
pub(crate) fn apart(masks: &Masks, starts: u64) -> u64 {
    starts & masks.digit & (masks.group << 1 | 1) & (masks.upper << 2 | 3)
}

/// Dashes that three others stand behind as in a UUID: its first one is in this block.
#[inline]
pub(crate) fn uuids(around: Around<'_>) -> u64 {
    let behind = |by: u32| around.from(by, |masks| masks.dash);
    let two = around.now.dash & behind(5);
    // Most dashes have none so near.
    if two == 0 { 0 } else { two & behind(10) & behind(15) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::masks::Baseline;

    fn numbers_of(text: &str) -> Vec<usize> {
        let (text, range) = (text.as_bytes(), 0..text.len());
        let mut masks = [Masks::default(); 3];
        let (mut found, mut over) = (Vec::new(), 0);
        for base in (0..text.len()).step_by(BLOCK) {
            let mut at = |place: usize, block: Option<usize>| {
                masks[place] = Masks::default();
                if let Some(base) = block {
                    masks[place].set_to(Baseline, text, &range, base);
                }
            };
            at(0, base.checked_sub(BLOCK));
            at(1, Some(base));
            at(2, Some(base + BLOCK));
            let [before, now, after] = &masks;
            let starts = now.digit & !(now.word << 1 | before.word >> 63) & !over;
            let mut edge = EDGE;
            let window = Window::of(text, base, &mut edge);
            let (here, next) = numbers(window, Around { before, now, after }, starts);
            over = next;
            found.extend((0..BLOCK).filter(|bit| here >> bit & 1 == 1).map(|bit| base + bit));
        }
        found
    }

    #[test]
    fn dates_versions_and_the_machine_itself_are_no_numbers_wherever_they_stand() {
        for start in 0..2 * BLOCK {
            let front = "x".repeat(start.saturating_sub(1)) + " ";
            for text in ["2026-11-21T02:37:40", "127.0.0.1:8000", "0.3.1-0.2.1-x", "512/102 x"] {
                assert_eq!(numbers_of(&format!("{front}{text}")), [0; 0], "{start} {text}");
            }
            for text in ["203.0.113.7 x", "1.2.3.4", "415-555-0132", "4111111111111111"] {
                let found = numbers_of(&format!("{front}{text}"));
                assert!(found.contains(&front.len()), "{start} {text}");
            }
        }
    }
}
