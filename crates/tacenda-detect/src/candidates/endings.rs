//! How the keys end that rules name: nearly every `:` and `=` of a log follows another key, and the
//! last letters before it say so.

use crate::lookup::{self, Bits};

/// The endings of the keys that rules name.
#[derive(Debug, Default)]
pub(crate) struct KeyEndings {
    /// The last eight letters of the keys that have as many.
    eight: Box<Bits<256>>,
    /// The last six letters of the keys that have as many, and of those that have fewer than eight.
    six: Box<Bits<256>>,
    short_six: Box<Bits<256>>,
    /// The last four letters of the keys that have as many, and of those that have fewer than six.
    four: Box<Bits<512>>,
    short_four: Box<Bits<256>>,
    /// The last three letters of those that have no more.
    whole_three: Box<Bits<256>>,
    /// The last three letters of all.
    three: Box<Bits<256>>,
    /// The last two letters of all.
    two: Box<Bits<64>>,
}

/// Bytes before a separator in which its key is looked for, and those of it that it is told from.
const SEEN: usize = 16;
const KNOWN: u32 = 8;

const LETTER: u8 = 1;
/// What may stand between the parts of a key.
const JOINT: u8 = 2;
/// Letters and digits.
const WORD: u8 = 16;
/// What may stand between a key and its separator: `"key"`, `\"key\"`, `key =`, `x["key"]`.
const BETWEEN: u8 = 4;
/// What a key is made of.
const KEY: u8 = 8;

/// The classes of each byte.
static CLASS: [u8; 256] = {
    let mut class = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        let joint = matches!(byte, b'_' | b'-' | b'.');
        let between = matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b' ' | b'\t' | b':' | b']');
        let word = byte.is_ascii_alphanumeric();
        let key = joint || word || matches!(byte, b'$' | b' ');
        class[byte as usize] = if byte.is_ascii_alphabetic() { LETTER } else { 0 }
            | if word { WORD } else { 0 }
            | if joint { JOINT } else { 0 }
            | if between { BETWEEN } else { 0 }
            | if key { KEY } else { 0 };
        byte += 1;
    }
    class
};

/// The stem of six letters: of the last four, folded, and of the four before them, the last one
/// highest.
#[inline]
fn six(four: u32, before: u32) -> u32 {
    four ^ (lookup::fold(before) >> 16).wrapping_mul(0x85EB_CA6B)
}

/// The stem of eight letters.
#[inline]
fn eight(four: u32, before: u32) -> u32 {
    four ^ lookup::fold(before).wrapping_mul(0xC2B2_AE35)
}

/// The first and the last four of eight bytes.
#[inline]
fn halves(bytes: u64) -> (u32, u32) {
    ((bytes & 0xffff_ffff) as u32, (bytes >> 32) as u32)
}

impl KeyEndings {
    /// Of keys in their normal form, with or without `^`.
    pub(crate) fn new<'k>(keys: impl Iterator<Item = &'k str>) -> Self {
        let mut endings = Self::default();
        for key in keys {
            let letters = key.strip_prefix('^').unwrap_or(key).as_bytes();
            let known = letters.len().min(KNOWN as usize);
            let mut last = [0; KNOWN as usize];
            last[KNOWN as usize - known..].copy_from_slice(&letters[letters.len() - known..]);
            let (before, four) = halves(u64::from_le_bytes(last));
            let four = lookup::fold(four);
            let three = four >> 8;
            endings.three.set(three);
            endings.two.set(three >> 8);
            match known {
                ..4 => endings.whole_three.set(three),
                4..6 => endings.short_four.set(four),
                6..8 => endings.short_six.set(six(four, before)),
                _ => endings.eight.set(eight(four, before)),
            }
            if known >= 4 {
                endings.four.set(four);
            }
            if known >= 6 {
                endings.six.set(six(four, before));
            }
        }
        endings
    }

    /// 1 when a key that ends in a letter may have one of these endings, else 0. `bytes` are its last
    /// eight, the last one highest; so are the bits of those that are letters and digits (`word`), and
    /// of those that are `letters`, and `joints` between the parts of a key: `_`, `-`, `.`.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    pub(super) fn may_end(&self, bytes: u64, word: u64, parts: impl FnOnce() -> [u64; 2]) -> u64 {
        let known = word.leading_ones().min(KNOWN);
        if known < 4 {
            if begins(bytes, known) {
                let three = lookup::fold((bytes >> 32) as u32) >> 8;
                return if known == 3 { self.whole_three.has(three) } else { 0 };
            }
            return self.may_end_in_few(bytes, known, parts());
        }
        let (before, four) = halves(bytes);
        let four = lookup::fold(four);
        if self.four.has(four) | self.whole_three.has(four >> 8) == 0 {
            return 0;
        }
        // Many keys end alike in four letters: `message`, `usage`.
        self.has(four, before, known, begins(bytes, known))
    }

    /// The same of a key that has a sign before its last `known` letters, fewer than four:
    /// `request_id`.
    #[inline(never)]
    fn may_end_in_few(&self, bytes: u64, known: u32, [letters, joints]: [u64; 2]) -> u64 {
        // What stands before a joint goes on behind it, but for a place in a list.
        let (bytes, known) = if joints << known >> 63 == 1 {
            let behind = u64::MAX << (u64::BITS - u8::BITS * known);
            let more = (letters << (known + 1)).leading_ones();
            (bytes & behind | bytes << u8::BITS & !behind, (known + more).min(KNOWN - 1))
        } else {
            (bytes, known)
        };
        let (before, four) = halves(bytes);
        let four = lookup::fold(four);
        match known {
            4.. => self.has(four, before, known, false),
            3 => self.three.has(four >> 8),
            2 => self.two.has(four >> 16),
            _ => 1,
        }
    }

    /// 1 when the key that ends in these letters, of which so many are known, may be wanted: the last
    /// four, folded, and those before them. `begins` says that it has no others.
    #[inline]
    fn has(&self, four: u32, before: u32, known: u32, begins: bool) -> u64 {
        let short = self.short_four.has(four) | self.whole_three.has(four >> 8);
        let last = six(four, before);
        match (known, begins) {
            (8.., _) => self.eight.has(eight(four, before)) | self.short_six.has(last) | short,
            (6.., true) => self.short_six.has(last) | short,
            (6.., false) => self.six.has(last) | short,
            (_, true) => short,
            (_, false) => self.four.has(four) | short,
        }
    }

    /// 1 when the key may have one of these endings that stands in `bytes`, the last one highest, with
    /// other signs behind it, or with a number: `key :`, `\"key\":`, `token2=`.
    #[inline(never)]
    pub(super) fn may_end_apart(&self, bytes: u128) -> u64 {
        const NUMBER: usize = 3;
        let all = bytes.to_be_bytes();
        let class = |place: usize| CLASS[usize::from(all[place])];
        let mut end = 0;
        while end < SEEN && class(end) & BETWEEN != 0 {
            end += 1;
        }
        // A number at the end of a name is no part of it; `02:`, `200:` are times and codes.
        let digits = all[end..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        end += digits;
        let joint = digits > 0 && matches!(all.get(end), Some(b'_' | b'-'));
        if digits > NUMBER || !joint && all.get(end).is_some_and(|byte| !byte.is_ascii_alphabetic())
        {
            return 0;
        }
        end += usize::from(joint);
        // Too little of the key is left to tell.
        let Some(last) = all.get(end..).and_then(<[u8]>::first_chunk::<{ KNOWN as usize }>) else {
            return 1;
        };
        let having = |set: u8| {
            let bit = |byte: &u8| u64::from(CLASS[usize::from(*byte)] & set == set);
            last.iter().rev().fold(0, |bits, byte| bits >> 1 | bit(byte) << 63)
        };
        let [letters, word, joints] = [LETTER, WORD, JOINT].map(having);
        if letters >> 63 == 0 {
            return 1;
        }
        self.may_end(u64::from_be_bytes(*last), word, || [letters, joints])
    }
}

/// Whether the key of whose last `known` bytes all are letters begins with them.
#[inline]
fn begins(bytes: u64, known: u32) -> bool {
    known < KNOWN && CLASS[(bytes >> (u8::BITS * (KNOWN - 1 - known)) & 0xff) as usize] & KEY == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_by_its_last_letters_and_where_it_begins() {
        let keys = ["usermessage", "devicefingerprint", "guestid", "^account", "token", "key"];
        let endings = KeyEndings::new(keys.into_iter());
        let may_end = |text: &str| {
            let mut bytes = [0; 16];
            let from = 16 - text.len().min(16);
            bytes[from..].copy_from_slice(&text.as_bytes()[text.len() - (16 - from)..]);
            endings.may_end_apart(u128::from_le_bytes(bytes)) == 1
        };
        for text in [
            "\"userMessage\"",
            "user_message ",
            "my_user_message",
            "device-fingerprint",
            "guest_id",
            "the_guestid\\\"",
            "account",
            "access_token",
            "tokens.0.token",
            "\"key\"",
            "api_key_2",
            "key]\"\\\\\\\\\\ : ",
        ] {
            assert!(may_end(text), "{text}");
        }
        for text in [
            "\"message\"",
            "\"usage\"",
            "\"count\"",
            "status_message_code",
            "trace_id",
            "02",
            "21T02",
            "monkey_x",
            "]\" : ",
        ] {
            assert!(!may_end(text), "{text}");
        }
    }
}
