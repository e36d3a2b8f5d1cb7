//! The table of words, as `build.rs` wrote it.

use super::classes::Class;
use super::fold;

static BYTES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/lexicon.bin"));
/// Where the bitmap begins, which has a bit for the first eight letters of a word.
const BITMAP: usize = Class::SLOTS * 4;

/// What is known of `word`.
pub(crate) fn class(word: &[u8]) -> Class {
    let (mut at, print) = Class::place(fold::hash(word));
    loop {
        let slot = slot(at);
        if slot == 0 {
            return Class::NONE;
        }
        if let Some(class) = Class::of_slot(slot, print) {
            return class;
        }
        at = (at + 1) % Class::SLOTS;
    }
}

fn slot(at: usize) -> u32 {
    let bytes = BYTES[at * 4..].first_chunk().expect("the table has its slots before the bitmap");
    u32::from_le_bytes(*bytes)
}

/// Whether the word that begins at `at` may be a title, a role, a given name, or a family name that is
/// nothing else. Nearly all other words are told here, by their first eight letters; a word that is not plain
/// ASCII passes.
#[inline]
pub(crate) fn may_name(text: &[u8], at: usize) -> bool {
    head(text, at).is_none_or(|head| BYTES[BITMAP + (head >> 3)] >> (head & 7) & 1 == 1)
}

/// The place in the bitmap of the word at `at`; None when it is not plain ASCII.
#[inline]
fn head(text: &[u8], at: usize) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let mut eight = [0; 8];
    if let Some(whole) = text[at..].first_chunk::<8>() {
        eight = *whole;
    } else {
        let rest = &text[at..];
        eight[..rest.len()].copy_from_slice(rest);
    }
    let folded = u64::from_le_bytes(eight) | (0x20 * ONES);
    // Seven bits a letter leave room for the carries of the comparison.
    let low = folded & !HIGH;
    let letters = (low + (0x80 - 0x61) * ONES) & !(low + (0x80 - 0x7b) * ONES) & !folded & HIGH;
    let bits = (!letters & HIGH).trailing_zeros();
    if bits == u64::BITS {
        return Some(fold::head(folded));
    }
    let plain = text.get(at + (bits / 8) as usize).is_none_or(u8::is_ascii);
    plain.then(|| fold::head(folded & ((1 << (bits & !7)) - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_case_and_with_any_accents() {
        for word in ["Maria", "maria", "MARIA", "María", "Mária"] {
            assert!(class(word.as_bytes()).any(Class::COMMON), "{word}");
        }
        assert!(class("Müller".as_bytes()).any(Class::FAMILY));
        assert!(class(b"muller").any(Class::FAMILY));
        assert!(class(b"Street").any(Class::STREET));
        assert_eq!(class(b"Qqxzvw"), Class::NONE);
    }

    #[test]
    fn the_bitmap_knows_every_name_and_few_other_words() {
        for name in ["Maria", "Bartholomew", "Ed", "Al", "Mr", "Krisztián", "Éva"] {
            for after in ["", " x", ".", "\u{e9}"] {
                let text = format!("{name}{after}");
                assert!(may_name(text.as_bytes(), 0), "{text}");
            }
        }
        let words =
            ["Learning", "Tokens", "Iter", "Prompt", "Peak", "Train", "Caches", "Macintosh"];
        let through = words.iter().filter(|word| may_name(word.as_bytes(), 0)).count();
        assert!(through <= 3, "{through} of {}", words.len());
    }
}
