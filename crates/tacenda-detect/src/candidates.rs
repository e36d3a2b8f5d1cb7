//! Where in a block a rule may begin: bitmaps in, bitmaps out, a few instructions a candidate.
//!
//! Each function may say yes too often, never too seldom: what it leaves out is looked at by nobody.
//! A test holds them against a pass that looks everywhere.

use crate::identifier::Beginnings;
use crate::lookup::{self, Bits, Lookup};
use crate::masks::{BLOCK, Joins, Masks};

/// Bytes before and after a block that its candidates are judged by.
const BEFORE: usize = 8;
const AFTER: usize = 8;

/// A block with the bytes around it; zeros where the text has none.
#[derive(Clone, Copy)]
pub(crate) struct Window<'t>(&'t Bytes);

type Bytes = [u8; BEFORE + BLOCK + AFTER];

/// Room for a window at an edge of the text.
pub(crate) const EDGE: Bytes = [0; BEFORE + BLOCK + AFTER];

impl<'t> Window<'t> {
    /// The block at `base` of `text`; `edge` is empty.
    #[inline]
    pub(crate) fn of(text: &'t [u8], base: usize, edge: &'t mut Bytes) -> Self {
        let whole = base.checked_sub(BEFORE).and_then(|from| text[from..].first_chunk());
        Self(whole.unwrap_or_else(|| {
            let before = base.min(BEFORE);
            let part = &text[base - before..text.len().min(base + BLOCK + AFTER)];
            edge[BEFORE - before..][..part.len()].copy_from_slice(part);
            edge
        }))
    }

    /// The block itself.
    #[inline]
    pub(crate) fn block(self) -> &'t [u8; BLOCK] {
        self.0[BEFORE..].first_chunk().expect("a window has more bytes than its block")
    }

    /// The byte at bit `bit` of the block.
    #[inline]
    fn byte(self, bit: u32) -> u8 {
        self.0[BEFORE + (bit & 63) as usize]
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

    /// The eight bytes before bit `bit`, the last of them lowest.
    #[inline]
    fn eight_before(self, bit: u32) -> u64 {
        let at = (bit & 63) as usize;
        let bytes: [u8; 8] = std::array::from_fn(|i| self.0[at + i]);
        u64::from_be_bytes(bytes)
    }
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

/// The endings of the keys that rules name.
#[derive(Debug, Default)]
pub(crate) struct KeyEndings {
    /// The last four letters of the keys that have as many.
    four: Box<Bits<512>>,
    /// The last three letters of those that have no more.
    whole_three: Box<Bits<64>>,
    /// The last three letters of all.
    three: Box<Bits<256>>,
}

const LETTER: u8 = 1;
const ALPHANUMERIC: u8 = 2;

/// The classes of each byte.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        let (letter, alphanumeric) = (byte.is_ascii_alphabetic(), byte.is_ascii_alphanumeric());
        class[byte as usize] =
            if letter { LETTER } else { 0 } | if alphanumeric { ALPHANUMERIC } else { 0 };
        byte += 1;
    }
    class
};

#[inline]
fn low(bytes: u64) -> u32 {
    (bytes & 0xffff_ffff) as u32
}

impl KeyEndings {
    /// Of keys in their normal form, with or without `^`.
    pub(crate) fn new<'k>(keys: impl Iterator<Item = &'k str>) -> Self {
        let mut endings = Self::default();
        for key in keys {
            let letters = key.strip_prefix('^').unwrap_or(key).as_bytes();
            let Some(&[c, b, a]) = letters.last_chunk::<3>() else { continue };
            let three = lookup::fold(u32::from_be_bytes([0, c, b, a])) & 0x00ff_ffff;
            endings.three.set(three);
            match letters.last_chunk::<4>() {
                Some(four) => endings.four.set(lookup::fold(u32::from_be_bytes(*four))),
                None => endings.whole_three.set(three),
            }
        }
        endings
    }

    /// 1 when the key that ends in `bytes` (the last lowest) may have one of these endings.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn may_end(&self, mut bytes: u64) -> u64 {
        // `"key"`, `\"key\"`, `key =`: out of what stands between the key and its separator.
        let mut between = 0;
        while matches!(bytes & 0xff, 0x22 | 0x27 | 0x60 | 0x5c | 0x20 | 0x09 | 0x3a | 0x5d) {
            bytes >>= 8;
            between += 1;
        }
        // Too little of the key is left to tell.
        if between > 5 {
            return 1;
        }
        // Four bytes, the last lowest.
        let four = lookup::fold(low(bytes));
        let class = |place: u32| CLASS[(bytes >> (8 * place) & 0xff) as usize];
        if class(0) & LETTER == 0 || class(1) & class(2) & ALPHANUMERIC == 0 {
            return self.may_end_unusually(bytes);
        }
        let three = four & 0x00ff_ffff;
        if class(3) & ALPHANUMERIC == 0 {
            return self.three.has(three);
        }
        self.four.has(four) | self.whole_three.has(three)
    }

    /// Keys with a sign or a number among their last letters: `request_id`, `token2`.
    #[inline(never)]
    fn may_end_unusually(&self, bytes: u64) -> u64 {
        let [.., d, c, b, a] = bytes.to_be_bytes();
        if a.is_ascii_digit() {
            // A number at the end of a name; `02:`, `200:` are times and codes.
            let name = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-');
            let numbered =
                name(b) || b.is_ascii_digit() && (name(c) || c.is_ascii_digit() && name(d));
            return u64::from(numbered);
        }
        if !a.is_ascii_alphabetic() {
            return 0;
        }
        // The last four letters, the last lowest, and whether the key begins with them.
        let (mut letters, mut count, mut begins) = (0, 0, false);
        for byte in bytes.to_le_bytes() {
            if byte.is_ascii_alphanumeric() {
                letters |= u32::from(byte) << (8 * count);
                count += 1;
            } else if !matches!(byte, b'_' | b'-' | b'.' | b'$' | b' ') {
                begins = true;
            }
            if begins || count == 4 {
                break;
            }
        }
        let (four, three) = (lookup::fold(letters), lookup::fold(letters) & 0x00ff_ffff);
        match count {
            4 => self.four.has(four) | self.whole_three.has(three),
            3 => self.three.has(three),
            _ => u64::from(!begins),
        }
    }
}

/// Those of `signs` that do not follow a number that is no part of a name, as in `02:37:40`. Left in
/// are signs at the beginning of the block, since what they follow is not to be seen, signs behind
/// long numbers, which may be tokens, and those before a stroke.
#[inline]
pub(crate) fn behind_names(masks: &Masks, joins: &Joins, signs: u64) -> u64 {
    const UNSEEN: u64 = 0x1f;
    let digit = masks.digit;
    let name = masks.word & !digit | masks.dash | joins.underscore;
    let two = digit << 1 & digit << 2;
    let named = digit << 1 & name << 2
        | two & (name << 3 | digit << 3 & (name << 4 | digit << 4 & digit << 5));
    signs & (!(digit << 1) | named | UNSEEN | joins.stroke >> 1 | 1 << 63)
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
pub(crate) fn numbers(window: Window<'_>, masks: &Masks, joins: &Joins, mut starts: u64) -> u64 {
    // Behind most starts, as those of a time, there is not enough left for any number.
    let four = |bits: u64| bits & bits >> 1 & bits >> 2 & bits >> 3;
    let number = masks.digit | joins.group;
    const { assert!(DIGITS == 7) };
    let long = four(number) & four(number) >> 3 | u64::MAX << (64 - DIGITS + 1);
    starts &= long;
    let mut found = 0;
    while starts != 0 {
        let bit = starts.trailing_zeros();
        let digits = masks.digit >> bit;
        // A date, four digits and twice two, as each record has one. What follows is a run of its own.
        // The machine's own address is no value.
        if digits & 0x3ff == 0x157 && window.is_loopback(bit) {
            starts &= u64::MAX << bit << 9;
            continue;
        }
        if digits & 0x7ff == 0x36f && masks.dash >> bit & 0x90 == 0x90 && window.is_year(bit) {
            starts &= u64::MAX << bit << 10;
            continue;
        }
        let length = (digits | joins.group >> bit).trailing_ones();
        let run = !(u64::MAX.checked_shl(length).unwrap_or(0));
        let count = (digits & run).count_ones();
        let dots = (joins.dot >> bit & run).count_ones();
        // What reaches the end of the block may go on.
        let inside = bit + length < 64;
        let rest = u64::MAX.checked_shl(bit + length).unwrap_or(0);
        if inside && count < DIGITS && (dots < 3 || count < 4) && length < LONGEST {
            starts &= rest;
        } else {
            found |= starts & !rest;
            starts &= rest;
        }
    }
    found
}

/// Those of `starts` where a word begins with one to six letters that digits follow.
#[inline]
pub(crate) fn letters_first(masks: &Masks, starts: u64) -> u64 {
    const LETTERS: usize = 6;
    // What the next block begins with is not known here.
    const UNKNOWN: u64 = 1 << 63;
    let letter = masks.word & !masks.digit;
    let mut run = letter & (masks.digit >> 1 | UNKNOWN);
    let mut all = run;
    for _ in 1..LETTERS {
        run = letter & (run >> 1 | UNKNOWN);
        all |= run;
    }
    all & starts
}

/// The letters that follow right behind the digits with which a word begins. A word that begins in
/// one block and has its first letter in the next is found from there.
#[inline]
pub(crate) fn digits_first(masks: &Masks, starts: u64) -> u64 {
    // The sum carries each start through its digits to what follows them.
    let behind = masks.digit.wrapping_add(starts & masks.digit) & !masks.digit;
    // The digits that go on from the block before.
    let over = 1_u64.checked_shl(masks.digit.trailing_ones()).unwrap_or(0);
    (behind | over) & masks.word
}

/// Those of `starts`, which begin with a digit, that a capital letter stands before with one sign
/// between them. What the block before ends with is not known here.
#[inline]
pub(crate) fn apart(masks: &Masks, joins: &Joins, starts: u64) -> u64 {
    starts & masks.digit & (joins.group << 1 | 1) & (masks.upper << 2 | 3)
}

/// Those of `letters`, where words begin with letters, whose word may be the first of an identifier,
/// or of a bank account: two letters, then digits.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
pub(crate) fn letter_words(
    window: Window<'_>,
    masks: &Masks,
    mut letters: u64,
    shapes: &Beginnings,
) -> u64 {
    let mut found = 0;
    while letters != 0 {
        let bit = letters.trailing_zeros();
        letters &= letters - 1;
        let length = (masks.word >> bit).trailing_ones();
        // What reaches the end of the block may go on.
        let open = bit + length >= u64::BITS;
        let account = masks.digit >> bit & 7 == 4;
        let may = open || account || shapes.has_letters(length, window.byte(bit + length));
        found |= u64::from(may) << bit;
    }
    found
}

/// Those of `mixed`, the first letters of words that begin with digits, whose word may be the first
/// of an identifier.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
pub(crate) fn mixed_words(
    window: Window<'_>,
    masks: &Masks,
    mut mixed: u64,
    shapes: &Beginnings,
) -> u64 {
    let mut found = 0;
    while mixed != 0 {
        let bit = mixed.trailing_zeros();
        mixed &= mixed - 1;
        let after = (masks.word >> bit).trailing_ones();
        let digits = (masks.digit & !(u64::MAX << bit)) << (63 - bit) << 1;
        let before = digits.leading_ones();
        // What reaches an end of the block may go on.
        let open = bit + after >= u64::BITS || before >= bit;
        let may = open || shapes.has_digits(before + after, window.byte(bit + after));
        found |= u64::from(may) << bit;
    }
    found
}

/// Whether colons or dashes stand as in the addresses of machines, one of them in this block.
#[inline]
pub(crate) fn addresses(masks: &Masks, before: &Masks) -> bool {
    let back = |before: u64, now: u64, by: u32| now << by | before >> (u64::BITS - by);
    // Three signs at the distance of octets are rare enough to ask no more here.
    let three = |before, now| now & back(before, now, 3) & back(before, now, 6);
    let colons = masks.colon;
    let octets = three(before.colon, colons) | three(before.dash, masks.dash);
    octets | colons & back(before.colon, colons, 1) != 0
        || colons != 0 && colons.count_ones() + before.colon.count_ones() >= 6
}
