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
    /// The last two letters of all: of each pair one bit.
    two: Box<[u32; 32]>,
}

/// Bytes before a separator that its key is told from, and those of them that are the key's.
const SEEN: u32 = 16;
const KNOWN: u32 = 8;

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

/// The stem of eight letters: the same of the four before.
#[inline]
fn eight(four: u32, before: u32) -> u32 {
    four ^ lookup::fold(before).wrapping_mul(0xC2B2_AE35)
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
                let last = six(four, u32::from_be_bytes([0, 0, f, e]));
                endings.six.set(last);
                if let [.., h, g, _, _, _, _, _, _] = *letters {
                    endings.eight.set(eight(four, u32::from_be_bytes([h, g, f, e])));
                } else {
                    endings.short_six.set(last);
                }
            } else {
                endings.short_four.set(four);
            }
        }
        endings
    }

    /// 1 when the key that ends in `bytes` (the last lowest) may have one of these endings.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    pub(super) fn may_end(&self, mut bytes: u128) -> u64 {
        let mut between = 0;
        while CLASS[(bytes & 0xff) as usize] & BETWEEN != 0 {
            bytes >>= 8;
            between += 1;
        }
        // Too little of the key is left to tell.
        if between > SEEN - KNOWN {
            return 1;
        }
        let bytes = (bytes & 0xffff_ffff_ffff_ffff) as u64;
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
            return self.may_end_unusually(bytes);
        }
        let three = four & 0x00ff_ffff;
        if class(3) & ALPHANUMERIC == 0 {
            return if class(3) & KEY == 0 {
                self.whole_three.has(three)
            } else {
                self.three.has(three)
            };
        }
        let may = self.four.has(four) | self.whole_three.has(three);
        if may == 0 {
            return 0;
        }
        // Many keys end alike in four letters: `message`, `usage`.
        let sign = (4..KNOWN).find(|place| class(*place) & ALPHANUMERIC == 0);
        let begins = sign.is_some_and(|place| class(place) & KEY == 0);
        self.has(four, low(bytes >> 32), sign.unwrap_or(KNOWN), begins)
    }

    /// 1 when the key that ends in these letters, of which so many are known, may be wanted: the last
    /// four, folded, and those before them, the last one lowest. `begins` says that it has no others.
    #[inline]
    fn has(&self, four: u32, before: u32, known: u32, begins: bool) -> u64 {
        let short = self.short_four.has(four) | self.whole_three.has(four & 0x00ff_ffff);
        let last = six(four, before);
        match (known, begins) {
            (8.., _) => self.eight.has(eight(four, before)) | self.short_six.has(last) | short,
            (6.., true) => self.short_six.has(last) | short,
            (6.., false) => self.six.has(last) | short,
            (_, true) => short,
            (_, false) => self.four.has(four) | short,
        }
    }

    /// Keys with a sign or a number among their last letters: `request_id`, `token2`.
    #[inline(never)]
    fn may_end_unusually(&self, bytes: u64) -> u64 {
        const NUMBER: usize = 3;
        let bytes = bytes.to_le_bytes();
        // A number at the end of a name is no part of it; `02:`, `200:` are times and codes.
        let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let Some(last) = bytes.get(digits) else { return 1 };
        let joint = digits > 0 && matches!(last, b'_' | b'-');
        if digits > NUMBER || !(last.is_ascii_alphabetic() || joint) {
            return 0;
        }
        // The last letters, the last lowest, and whether the key begins with them.
        let (mut letters, mut count, mut begins) = (0, 0_u32, false);
        for byte in &bytes[digits..] {
            let class = CLASS[usize::from(*byte)];
            // So far from the end it may be a place in a list, which is no part of the name.
            if count >= 6 && byte.is_ascii_digit() {
                count = 6;
                break;
            }
            if class & ALPHANUMERIC != 0 {
                letters |= u64::from(*byte) << (8 * count);
                count += 1;
            }
            begins = class & KEY == 0;
            if begins {
                break;
            }
        }
        let four = lookup::fold(low(letters));
        let three = four & 0x00ff_ffff;
        match count {
            4.. => self.has(four, low(letters >> 32), count, begins),
            3 if begins => self.whole_three.has(three),
            3 => self.three.has(three),
            _ => u64::from(!begins),
        }
    }
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
            endings.may_end(u128::from_be_bytes(bytes)) == 1
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
            "]\"\\\\\\\\\\ : ",
        ] {
            assert!(may_end(text), "{text}");
        }
        for text in
            ["\"message\"", "\"usage\"", "\"count\"", "status_message_code", "02", "monkey_x"]
        {
            assert!(!may_end(text), "{text}");
        }
    }
}
