//! How the keys end that rules name: nearly every `:` and `=` of a log follows another key, and the
//! last letters before it say so.

use crate::lookup::{self, Bits};

/// The endings of the keys that rules name.
#[derive(Debug, Default)]
pub(crate) struct KeyEndings {
    /// The last six letters of the keys that have as many.
    six: Box<Bits<256>>,
    /// The last four letters of the keys that have as many, and of those that have fewer than six.
    four: Box<Bits<512>>,
    short_four: Box<Bits<64>>,
    /// The last three letters of those that have no more.
    whole_three: Box<Bits<64>>,
    /// The last three letters of all.
    three: Box<Bits<256>>,
    /// The last two letters of all: of each pair one bit.
    two: Box<[u32; 32]>,
}

/// Bytes before a separator that its key is told from.
const KNOWN: usize = 8;

const LETTER: u8 = 1;
const ALPHANUMERIC: u8 = 2;
/// What may stand between a key and its separator: `"key"`, `\"key\"`, `key =`, `x["key"]`.
const BETWEEN: u8 = 4;
/// What a key is made of.
const KEY: u8 = 8;

/// The classes of each byte.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        let (letter, alphanumeric) = (byte.is_ascii_alphabetic(), byte.is_ascii_alphanumeric());
        let between = matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b' ' | b'\t' | b':' | b']');
        let key = alphanumeric || matches!(byte, b'_' | b'-' | b'.' | b'$' | b' ');
        class[byte as usize] = if letter { LETTER } else { 0 }
            | if alphanumeric { ALPHANUMERIC } else { 0 }
            | if between { BETWEEN } else { 0 }
            | if key { KEY } else { 0 };
        byte += 1;
    }
    class
};

/// The stem of six letters: of the last four, folded, and of the two before them, the last one lowest.
#[inline]
fn six(four: u32, before: u32) -> u32 {
    four ^ (lookup::fold(before) & 0xffff).wrapping_mul(0x85EB_CA6B)
}

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
            endings.two[usize::from(b & 31)] |= 1 << (a & 31);
            let Some(four) = letters.last_chunk::<4>() else {
                endings.whole_three.set(three);
                continue;
            };
            let four = lookup::fold(u32::from_be_bytes(*four));
            endings.four.set(four);
            if let [.., f, e, _, _, _, _] = *letters {
                endings.six.set(six(four, u32::from_be_bytes([0, 0, f, e])));
            } else {
                endings.short_four.set(four);
            }
        }
        endings
    }

    /// 1 when the key that ends in `bytes` (the last lowest) may have one of these endings.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    pub(super) fn may_end(&self, mut bytes: u64) -> u64 {
        let mut between = 0;
        while CLASS[(bytes & 0xff) as usize] & BETWEEN != 0 {
            bytes >>= 8;
            between += 1;
        }
        // Too little of the key is left to tell.
        if between > KNOWN - 3 {
            return 1;
        }
        // Four bytes, the last lowest.
        let four = lookup::fold(low(bytes));
        let class = |place: u32| CLASS[(bytes >> (8 * place) & 0xff) as usize];
        if class(0) & LETTER == 0 || class(1) & class(2) & ALPHANUMERIC == 0 {
            // `"id"` has fewer letters than any key.
            let short = class(1) & KEY == 0 || class(2) & KEY == 0;
            let letter = |place: u32| low(bytes >> (8 * place)) & 31;
            let known = || self.two[letter(1) as usize] >> letter(0) & 1 == 1;
            if short && class(0) & LETTER != 0 || class(0) & class(1) & LETTER != 0 && !known() {
                return 0;
            }
            return self.may_end_unusually(bytes, KNOWN - between);
        }
        let three = four & 0x00ff_ffff;
        if class(3) & ALPHANUMERIC == 0 {
            return self.three.has(three);
        }
        let may = self.four.has(four) | self.whole_three.has(three);
        // Many keys end alike in four letters: `message`, `usage`.
        if may == 1 && class(4) & class(5) & ALPHANUMERIC != 0 {
            return self.has_six(four, low(bytes >> 32));
        }
        may
    }

    /// 1 when the key that ends in six letters, `before` and then `four`, may be wanted.
    #[inline]
    fn has_six(&self, four: u32, before: u32) -> u64 {
        let short = self.short_four.has(four) | self.whole_three.has(four & 0x00ff_ffff);
        self.six.has(six(four, before)) | short
    }

    /// Keys with a sign or a number among their last letters: `request_id`, `token2`. So many of the
    /// `bytes` are `known`.
    #[inline(never)]
    fn may_end_unusually(&self, bytes: u64, known: usize) -> u64 {
        const NUMBER: usize = 3;
        let bytes = bytes.to_le_bytes();
        let bytes = &bytes[..known];
        // A number at the end of a name is no part of it; `02:`, `200:` are times and codes.
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let Some(last) = bytes.get(digits) else { return 1 };
        let joint = digits > 0 && matches!(last, b'_' | b'-');
        if digits > NUMBER || !(last.is_ascii_alphabetic() || joint) {
            return 0;
        }
        // The last six letters, the last lowest, and whether the key begins with them.
        let (mut letters, mut count, mut begins) = (0, 0, false);
        for byte in &bytes[digits..] {
            let class = CLASS[usize::from(*byte)];
            if class & ALPHANUMERIC != 0 {
                letters |= u64::from(*byte) << (8 * count);
                count += 1;
            }
            begins = class & KEY == 0;
            if begins || count == 6 {
                break;
            }
        }
        let four = lookup::fold(low(letters));
        let three = four & 0x00ff_ffff;
        match count {
            6 => self.has_six(four, low(letters >> 32)),
            4 | 5 => self.four.has(four) | self.whole_three.has(three),
            3 => self.three.has(three),
            _ => u64::from(!begins),
        }
    }
}
