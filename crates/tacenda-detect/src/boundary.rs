//! Where a token begins and ends in text that may itself be escaped.
//!
//! Log records carry text inside JSON, `repr()`, percent-encoding and terminal colours. There a
//! value follows a letter that is no part of it: the `n` of `\n`, the `D` of `%3D`, the `m` that
//! ends a colour.

/// Whether a token can begin at `at`: no letter or digit before, escapes not counted.
pub(crate) fn opens(text: &[u8], at: usize) -> bool {
    at == 0 || !text[at - 1].is_ascii_alphanumeric() || escape_before(text, at).is_some()
}

/// Whether a token can end before `at`.
pub(crate) fn closes(text: &[u8], at: usize) -> bool {
    text.get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric())
}

/// Whether the text is nothing but the value, blanks and quotes aside.
pub(crate) fn is_whole(text: &[u8], range: &std::ops::Range<usize>) -> bool {
    const MARGIN: usize = 8;
    let margin = |bytes: &[u8]| {
        let blank = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'.' | b',');
        bytes.len() <= MARGIN && bytes.iter().all(blank)
    };
    margin(&text[..range.start]) && margin(&text[range.end..])
}

/// The start of the escape that ends just before `at`, if one does.
pub(crate) fn escape_before(text: &[u8], at: usize) -> Option<usize> {
    let back = |n: usize| at.checked_sub(n).map(|i| text[i]);
    match back(1)? {
        b'n' | b'r' | b't' | b'b' | b'f' if back(2) == Some(b'\\') => Some(at - 2),
        b'm' | b'K' => colour_before(text, at),
        byte if byte.is_ascii_hexdigit() => {
            let hex = |n: usize| back(n).is_some_and(|byte| byte.is_ascii_hexdigit());
            if hex(2) && back(3) == Some(b'%') {
                Some(at - 3)
            } else if hex(2) && back(3) == Some(b'x') && back(4) == Some(b'\\') {
                Some(at - 4)
            } else if hex(2) && hex(3) && hex(4) && back(5) == Some(b'u') && back(6) == Some(b'\\')
            {
                Some(at - 6)
            } else {
                None
            }
        }
        _ => None,
    }
}

/// `ESC [ parameters m`, or the same with ESC as `repr()` writes it.
fn colour_before(text: &[u8], at: usize) -> Option<usize> {
    const LONGEST: usize = 20;
    let floor = at.saturating_sub(LONGEST);
    let parameters =
        text[floor..at - 1].iter().rev().take_while(|b| matches!(b, b'0'..=b'9' | b';')).count();
    let bracket =
        (at - 1).checked_sub(parameters + 1).filter(|&i| i >= floor && text[i] == b'[')?;
    let before = &text[floor..bracket];
    if before.last() == Some(&0x1b) {
        Some(bracket - 1)
    } else if before.ends_with(b"\\x1b") || before.ends_with(b"\\033") {
        Some(bracket - 4)
    } else if before.ends_with(b"\\u001b") {
        Some(bracket - 6)
    } else {
        None
    }
}

/// Moves the start of a backwards search out of an escape: in `\njane@…` the value starts at `j`.
/// `floor` is the first byte that belongs to the search.
pub(crate) fn out_of_escape(text: &[u8], start: usize) -> usize {
    match start.checked_sub(1).map(|i| text[i]) {
        Some(b'\\') => {}
        Some(b'[') => return out_of_colour(text, start),
        _ => return start,
    }
    // Any number of backslashes: text inside JSON inside a `repr()` has an escaped escape.
    match text.get(start) {
        Some(b'u') if text.len() - start > 5 => start + 5,
        Some(b'x') if text.len() - start > 3 => start + 3,
        Some(b'n' | b'r' | b't' | b'b' | b'f') => start + 1,
        _ => start,
    }
}

/// The same for `ESC [ parameters m`, whose parameters look like the start of a word.
fn out_of_colour(text: &[u8], start: usize) -> usize {
    const PARAMETERS: usize = 16;
    let length = text[start..]
        .iter()
        .take(PARAMETERS)
        .take_while(|b| matches!(b, b'0'..=b'9' | b';'))
        .count();
    let end = start + length + 1;
    if end <= text.len() && escape_before(text, end).is_some_and(|escape| escape < start) {
        end
    } else {
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_after_an_escape() {
        for (text, at) in [
            (&br"a\nkey"[..], 3),
            (b"a%3Dkey", 4),
            (br"\u003dkey", 6),
            (br"\x1bkey", 4),
            (b"\x1b[31mkey", 5),
            (br"\x1b[1;31mkey", 10),
            (br"\u001b[0mkey", 9),
            (b"key", 0),
            (b"-key", 1),
        ] {
            assert!(opens(text, at), "{}", text.escape_ascii());
        }
        for (text, at) in [(&b"akey"[..], 1), (b"mkey", 1), (b"[31mkey", 4), (b"nkey", 1)] {
            assert!(!opens(text, at), "{}", text.escape_ascii());
        }
    }

    #[test]
    fn a_backwards_search_leaves_the_escape_alone() {
        assert_eq!(out_of_escape(br"\njane", 1), 2);
        assert_eq!(out_of_escape(br"\\njane", 2), 3);
        assert_eq!(out_of_escape(br"\u000ajane", 1), 6);
        assert_eq!(out_of_escape(b"\x1b[31mjane", 2), 5);
        assert_eq!(out_of_escape(b"[31mjane", 1), 1);
        assert_eq!(out_of_escape(b"jane", 0), 0);
    }
}
