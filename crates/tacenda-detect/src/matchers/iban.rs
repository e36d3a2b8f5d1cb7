//! International bank account numbers (ISO 13616), whole or in groups of four.

use std::ops::Range;

use super::context::{WordList, follows_word};
use crate::boundary;

/// Country and length of the number, from the SWIFT registry.
const LENGTHS: [(&[u8; 2], u8); 78] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
    (b"VA", 22),
    (b"XK", 20),
];

/// What a number in small letters is called.
static WORDS: WordList = WordList::new(&[b"account", b"compte", b"conto", b"iban", b"konto"]);

/// The number that begins at `at`.
pub(crate) fn at(text: &[u8], at: usize) -> Option<Range<usize>> {
    let country = text[at..].first_chunk::<2>()?.map(|letter| letter.to_ascii_uppercase());
    let place = LENGTHS.binary_search_by_key(&country, |(code, _)| **code).ok()?;
    let (_, length) = LENGTHS[place];
    let mut remainder = Mod97::default();
    let mut head = [0; 4];
    let mut taken = 0_u8;
    let mut i = at;
    while taken < length {
        let byte = *text.get(i)?;
        if byte.is_ascii_alphanumeric() {
            if taken < 4 {
                head[usize::from(taken)] = byte;
            } else {
                remainder.take(byte);
            }
            taken += 1;
        } else if !(matches!(byte, b' ' | b'-')
            && text.get(i + 1).is_some_and(u8::is_ascii_alphanumeric))
        {
            return None;
        }
        i += 1;
    }
    for byte in head {
        remainder.take(byte);
    }
    let good = remainder.0 == 1 && boundary::closes(text, i);
    // In small letters hexadecimal digits look the same: only digits will do, or a word for it.
    let told = || {
        let bytes = &text[at..i];
        !bytes.iter().any(u8::is_ascii_lowercase)
            || bytes[2..].iter().all(|b| !b.is_ascii_alphabetic())
            || follows_word(text, at, &WORDS)
    };
    (good && told()).then_some(at..i)
}

/// ISO/IEC 7064, MOD 97-10, digit by digit; letters count as two digits.
#[derive(Default)]
struct Mod97(u32);

impl Mod97 {
    fn take(&mut self, byte: u8) {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            _ => u32::from(byte.to_ascii_uppercase() - b'A') + 10,
        };
        self.0 = (self.0 * if value > 9 { 100 } else { 10 } + value) % 97;
    }
}
