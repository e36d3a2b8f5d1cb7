//! Words in UTF-8 text: where they begin and end, and whether they have a capital.

use std::ops::Range;

/// The width of the letter at `at`: Latin, Greek and Cyrillic; 0 if there is none.
pub(crate) fn letter(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(byte) if byte.is_ascii_alphabetic() => 1,
        Some(0xc3..=0xc9 | 0xcc..=0xd3) if continues(text, at + 1) => 2,
        Some(0xe1) if continues(text, at + 1) && continues(text, at + 2) => 3,
        _ => 0,
    }
}

fn continues(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(0x80..=0xbf))
}

/// Where the word that begins at `start` ends.
pub(crate) fn end(text: &[u8], start: usize) -> usize {
    const LONGEST: usize = 64;
    let plain = text[start..].iter().take(LONGEST).take_while(|byte| byte.is_ascii_alphabetic());
    let mut at = start + plain.count();
    while at < start + LONGEST {
        match letter(text, at) {
            0 => break,
            width => at += width,
        }
    }
    at
}

/// Where the word that ends before `end` begins.
pub(crate) fn start(text: &[u8], end: usize) -> usize {
    const LONGEST: usize = 64;
    let plain = text[..end].iter().rev().take(LONGEST);
    let mut at = end - plain.take_while(|byte| byte.is_ascii_alphabetic()).count();
    // Most words begin behind a sign, which no letter ends with.
    let may_end = |byte: u8| byte.is_ascii_alphabetic() || !byte.is_ascii();
    while at > 0 && at + LONGEST > end && may_end(text[at - 1]) {
        let width = (1..=3).find(|width| {
            at.checked_sub(*width).is_some_and(|start| letter(text, start) == *width)
        });
        match width {
            Some(width) => at -= width,
            None => break,
        }
    }
    at
}

/// Whether the letter at `at` is a capital.
pub(crate) fn capital(text: &[u8], at: usize) -> bool {
    let Some(&first) = text.get(at) else { return false };
    let second = text.get(at + 1).copied().unwrap_or(0);
    match first {
        b'A'..=b'Z' => true,
        0xc3 => (0x80..=0x9e).contains(&second) && second != 0x97,
        // Small and capital letters take turns, three times off beat.
        0xc4 => (second % 2 == 0) != (second >= 0xb9),
        0xc5 => match second {
            0x80..=0x88 | 0xb9..=0xbe => second % 2 == 1,
            _ => second % 2 == 0 || second == 0xb8,
        },
        // The comma below of Romanian.
        0xc8 => second % 2 == 0 && second < 0xb4,
        0xce => (0x86..=0xab).contains(&second),
        0xd0 => (0x80..=0xaf).contains(&second),
        0xe1 => text.get(at + 2).is_some_and(|third| third % 2 == 0),
        _ => false,
    }
}

/// The word before `at`, over one blank or none, and over a full stop.
pub(crate) fn before(text: &[u8], at: usize) -> Range<usize> {
    let mut end = at;
    for sign in [b' ', b'.'] {
        if end > 0 && text[end - 1] == sign {
            end -= 1;
        }
    }
    if end == at { at..at } else { start(text, end)..end }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_several_alphabets() {
        let text = "x Łódź Éva Þór Ολγα Ольга Ấn naïve".as_bytes();
        let mut at = 2;
        let mut found = Vec::new();
        while at < text.len() {
            let close = end(text, at);
            assert_eq!(start(text, close), at);
            found.push((String::from_utf8(text[at..close].to_vec()).unwrap(), capital(text, at)));
            at = close + 1;
        }
        let expected = ["Łódź", "Éva", "Þór", "Ολγα", "Ольга", "Ấn", "naïve"];
        assert_eq!(found.iter().map(|(word, _)| word.as_str()).collect::<Vec<_>>(), expected);
        assert_eq!(found.iter().filter(|(_, capital)| *capital).count(), 6);
    }

    #[test]
    fn capitals_of_latin_extended() {
        for (capitals, small) in [("ÀÖØÞĀĦĹŁŃŊŌŠŸŹŽ", "àöøþāħĺłńŋōšźž")]
        {
            for c in capitals.chars() {
                assert!(capital(c.to_string().as_bytes(), 0), "{c}");
            }
            for c in small.chars() {
                assert!(!capital(c.to_string().as_bytes(), 0), "{c}");
            }
        }
    }
}
