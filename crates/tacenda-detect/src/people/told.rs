//! Whether a value that a word has announced reads as a postal address. Most streets of the world are
//! in no list: behind `address:` it is enough that a number, some words and a comma are there, and
//! nothing that addresses of machines have.

use super::classes::Class;
use super::{address, lexicon};

/// Whether `value`, which stands behind a word for an address, is one.
pub(crate) fn is_address(value: &[u8]) -> bool {
    const LETTERS: usize = 5;
    const WORDS: usize = 3;
    let value = value.trim_ascii();
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
    let words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let number = value.iter().any(u8::is_ascii_digit) || !value.is_ascii();
    number
        && letters >= LETTERS
        && words.clone().count() >= WORDS
        && !value.iter().any(|byte| matches!(byte, b'@' | b'%' | b'{' | b'<' | b'*' | b'_' | b'$'))
        && !begins_as_a_machine(value)
        && (words.clone().any(|word| ends_a_part(word) || is_street(word)))
        && !words.clone().any(speaks_of_something_else)
}

/// `10.0.0.1`, `0x7ffd`, `fe80::1`, `00:1a:2b`.
fn begins_as_a_machine(value: &[u8]) -> bool {
    let digits = value.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let next = value.get(digits..).unwrap_or_default();
    value.starts_with(b"0x") || digits > 0 && matches!(next, [b'.', b'0'..=b'9', ..] | [b':', ..])
}

/// With a comma, or the one of Arabic.
fn ends_a_part(word: &[u8]) -> bool {
    word.ends_with(b",") || word.ends_with("،".as_bytes())
}

fn is_street(word: &[u8]) -> bool {
    // Way, lane, quarter, district in Thai, where nothing parts the words.
    const THAI: [&str; 4] = ["ถนน", "ซอย", "แขวง", "ตำบล"];
    if THAI.iter().any(|kind| word.starts_with(kind.as_bytes())) {
        return true;
    }
    let word = word.strip_suffix(b",").unwrap_or(word);
    let word = word.strip_suffix(b".").unwrap_or(word);
    let class = lexicon::class(word);
    let capital = word.first().is_some_and(|byte| !byte.is_ascii_lowercase());
    capital && class.any(Class::STREET.with(Class::STREET_LEAD)) && !class.any(Class::NEVER)
        || address::ends_as_street(word, word.len())
        || [&b"Street"[..], b"Road", b"Avenue"].contains(&word)
}

/// A word in small letters of a sentence about something else: `3 retries, port closed`.
fn speaks_of_something_else(word: &[u8]) -> bool {
    let word = word.strip_suffix(b",").unwrap_or(word);
    word.len() > 2
        && word.iter().all(u8::is_ascii_lowercase)
        && lexicon::class(word).any(Class::NEVER)
        && !lexicon::class(word).any(Class::STREET.with(Class::STREET_LEAD).with(Class::PLACE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_people_and_of_machines() {
        for address in [
            "Lot 9, Hope Pastures Drive, Kingston 6",
            "Flat 502, Lotus Heights, MG Road, Pune 411001",
            "15, rue de la Gare, L-4571 Obercorn",
            "Gedimino pr. 27-5, 01104 Vilnius",
            "Kimathi Street 22 Nairobi",
            "شارع التحلية 4512، حي السليمانية",
        ] {
            assert!(is_address(address.as_bytes()), "{address}");
        }
        for other in [
            "10.0.0.1, 10.0.0.2 and 3 more",
            "0x7ffd 12 bytes, stack",
            "fe80::1, link local 2 routes",
            "3 retries, port 8080 closed",
            "jane@example.com, 2 others",
            "not found after 3 tries, giving up",
            "pool 4, error 12 from server",
            "page 12 mapped twice",
        ] {
            assert!(!is_address(other.as_bytes()), "{other}");
        }
    }
}
