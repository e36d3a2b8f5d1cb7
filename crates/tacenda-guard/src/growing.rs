//! The end of a text that may be the first part of a value.

use std::ops::Range;

/// Digits from which on groups may be a number that must not be shown in part.
const DIGITS: usize = 4;

/// Characters from which on a word may be a value.
const WORD: usize = 6;

/// Where a word without its end starts: it may be the start of a key or an address. The bar of a
/// progress display or a prompt is none.
pub(crate) fn word(text: &[u8]) -> Option<usize> {
    let last = *text.last()?;
    let start = text.iter().rposition(|byte| is_delimiter(*byte)).map_or(0, |at| at + 1);
    let grows = is_word(last) || last == b'$' || last == b':' && is_address(&text[start..]);
    grows.then_some(start)
}

/// The first groups of an IPv6 or MAC address, not the name of what follows.
fn is_address(word: &[u8]) -> bool {
    let word = word.rsplit(|byte| *byte == b'=').next().unwrap_or(word);
    word.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b':')
        && word.iter().any(u8::is_ascii_digit)
}

/// Where a list of numbers starts that has not ended: its first numbers are no list yet.
pub(crate) fn list(text: &[u8]) -> Option<usize> {
    let inside = |byte: &u8| byte.is_ascii_digit() || b" ,.-+eE[]()".contains(byte);
    let before = text.iter().rposition(|byte| !inside(byte)).map_or(0, |at| at + 1);
    let start = before + text[before..].iter().position(|byte| *byte == b'[')?;
    let (mut depth, mut commas) = (0_usize, 0_usize);
    for byte in &text[start..] {
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.checked_sub(1)?,
            b',' => commas += 1,
            _ => {}
        }
    }
    (depth > 0 && commas > 0).then_some(start)
}

/// Whether the end of `word` looks like a value, not like a word of a language, a percentage or
/// an ellipsis. A capital letter is telling behind the first place only.
pub(crate) fn may_be_value(word: &[u8]) -> bool {
    let start = word.iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1);
    let word = &word[start..];
    let is_percentage = word
        .strip_suffix(b"%")
        .is_some_and(|number| number.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.'));
    if word.len() < WORD || is_percentage || word.ends_with(b"..") {
        return false;
    }
    let inner = word.strip_suffix(b".").unwrap_or(word);
    let telling = |byte: &u8| byte.is_ascii_digit() || b"@_".contains(byte);
    // A bar of equal signs or dots holds no letter.
    inner.iter().any(telling)
        || inner.iter().any(u8::is_ascii_alphabetic)
            && inner[1..].iter().any(|byte| byte.is_ascii_uppercase() || b".=+".contains(byte))
}

/// Where a number or an IBAN (ISO 13616) starts that is written in groups and may go on at the end
/// of `text`: a payment card, a telephone number (ITU-T E.123), an identity number.
pub(crate) fn groups(text: &[u8]) -> Option<usize> {
    let mut start = None;
    let mut digits = 0;
    let mut is_number = true;
    let mut is_iban = true;
    let mut end = text.len();
    while let Some(group) = group_before(text, end) {
        let bytes = &text[group.clone()];
        let own = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
        is_number &= own == bytes.len();
        is_iban &= bytes.len() <= 4;
        if !is_number && !is_iban {
            break;
        }
        digits += own;
        let (sign, has_plus) = sign_before(text, group.start);
        if is_number && (digits >= DIGITS || has_plus) || digits >= DIGITS && is_iban_head(bytes) {
            start = Some(sign);
        }
        end = group.start;
    }
    start
}

/// The letters and digits before `end`, with no more than one separator and parentheses between.
fn group_before(text: &[u8], end: usize) -> Option<Range<usize>> {
    let is_separator = |byte: &u8| b" -.()+".contains(byte);
    let last = text[..end].iter().rposition(|byte| !is_separator(byte))?;
    let between = &text[last + 1..end];
    // A telephone number has two at once: `+44 (0) 20`.
    let separators = between.iter().filter(|byte| b" -.".contains(byte)).count();
    let plus = between.contains(&b'+');
    if !text[last].is_ascii_alphanumeric() || separators > 1 || between.len() > 3 || plus {
        return None;
    }
    let before = text[..last].iter().rposition(|byte| !byte.is_ascii_alphanumeric());
    Some(before.map_or(0, |at| at + 1)..last + 1)
}

/// Where the sign and the parenthesis before `start` begin, and whether there is a plus sign.
fn sign_before(text: &[u8], start: usize) -> (usize, bool) {
    let signs = text[..start].iter().rev().take(2).take_while(|byte| b"(+".contains(byte)).count();
    (start - signs, text[start - signs..start].contains(&b'+'))
}

/// Two letters of the country and two check digits.
fn is_iban_head(group: &[u8]) -> bool {
    matches!(group, [a, b, c, d] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic()
        && c.is_ascii_digit() && d.is_ascii_digit())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_+/=.@%".contains(&byte)
}

pub(crate) fn is_delimiter(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\"'`,;()[]{}<>|".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_held_from_their_start() {
        for (before, held) in [
            ("card ", "5555 5555 5555 "),
            ("card=", "5555-5555"),
            ("", "DE89 3704 0044 0532 "),
            ("to ", "GB29 NWBK 60"),
            ("call ", "+44"),
            ("call ", "+44 20 "),
            ("call ", "+44 (0) 20 "),
            ("call ", "(020) 79"),
            ("call ", "(+1) 2"),
            ("ssn:", "078-05-"),
        ] {
            let text = format!("{before}{held}");
            assert_eq!(groups(text.as_bytes()), Some(before.len()), "{text:?}");
        }
    }

    #[test]
    fn what_cannot_go_on_as_a_number_is_none() {
        for text in [
            "",
            "Your name: ",
            "Loading model 3/7 ...",
            "took 1234 seconds",
            "took 1234 ms: ",
            "read 1024...",
            " 45%|####      | 45/100 [00:05<00:06,  9.12it/s]",
            "Port [8080]: ",
            "DE89 3704 accounts",
            "  1024  ",
        ] {
            assert_eq!(groups(text.as_bytes()), None, "{text:?}");
        }
    }

    #[test]
    fn what_may_grow_into_a_list_or_an_address() {
        assert_eq!(list(b"ids=[151644, 872, "), Some(4));
        assert_eq!(list(b"[[1, 2], [3"), Some(0));
        for text in ["", "[3/7", "[1-4", "[1, 2]", "[1, 2] ok [3", "epoch [1, x"] {
            assert_eq!(list(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(word(b"eth0 3c:22:fb:"), Some(5));
        assert_eq!(word(b"[fe80:"), Some(1));
        assert_eq!(word(b"Password:"), None);
    }

    #[test]
    fn a_word_of_a_language_is_no_value() {
        for word in [
            "loading",
            "Loading",
            "Loading.",
            "huggingface.co...",
            "======",
            "......",
            "100.00%",
            "12:34:56",
            "3/7",
            "well-known",
        ] {
            assert!(!may_be_value(word.as_bytes()), "{word:?}");
        }
        for word in [
            "AKIAIO",
            "ines.m",
            "ines.moreau%",
            "078-05",
            "key:hunter2",
            "pass_w",
            "sk-proj-AbC",
            "token=abc",
        ] {
            assert!(may_be_value(word.as_bytes()), "{word:?}");
        }
    }
}
