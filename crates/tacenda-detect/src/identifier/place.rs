//! Where a number stands: whether anything is glued to it, and whether it is all there is.

use std::ops::Range;

use crate::boundary;

/// Whether the value is a word of its own, no part of a longer number, name or path.
pub(super) fn stands_apart(text: &[u8], range: &Range<usize>, spaced: bool) -> bool {
    begins(text, range.start)
        && !(spaced && is_in_column(text, range.start))
        && ends(text, range.end, spaced)
}

/// The UUID (RFC 9562) of which the word at `at` is one of the five parts: no number of anybody's.
pub(super) fn uuid_around(text: &[u8], at: usize) -> Option<Range<usize>> {
    const LENGTH: usize = 36;
    const PARTS: [usize; 5] = [0, 9, 14, 19, 24];
    // Most numbers have no dash beside them.
    let behind = text.get(at + PARTS[1] - 1) == Some(&b'-');
    if !behind && at.checked_sub(1).is_none_or(|before| text[before] != b'-') {
        return None;
    }
    PARTS.into_iter().find_map(|part| {
        let start = at.checked_sub(part)?;
        let uuid = text[start..].first_chunk::<LENGTH>()?;
        let shaped = PARTS[1..].iter().all(|part| uuid[part - 1] == b'-');
        (shaped && is_hex_but_dashes(uuid)).then_some(start..start + LENGTH)
    })
}

/// The UUID whose first dash is at `at`, no part of a longer word.
pub(crate) fn uuid_at_dash(text: &[u8], at: usize) -> Option<Range<usize>> {
    const FIRST: usize = 8;
    let found = uuid_around(text, at.checked_sub(FIRST)?)?;
    let whole = found.start + FIRST == at
        && boundary::opens(text, found.start)
        && boundary::closes(text, found.end);
    whole.then_some(found)
}

fn is_hex_but_dashes(uuid: &[u8; 36]) -> bool {
    const DASHES: u64 = 1 << 8 | 1 << 13 | 1 << 18 | 1 << 23;
    let bits =
        uuid.iter().rev().fold(0, |bits, byte| bits << 1 | u64::from(HEX[usize::from(*byte)]));
    bits | DASHES == (1 << 36) - 1
}

/// Whether each byte is a hexadecimal digit.
static HEX: [bool; 256] = {
    let mut hex = [false; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        hex[byte as usize] = byte.is_ascii_hexdigit();
        byte += 1;
    }
    hex
};

/// Whether a value may begin at `at`: nothing is glued to it.
pub(super) fn begins(text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|i| text[i]) else { return true };
    match before {
        b'.' | b'$' => return false,
        // Only as a sign of its own: ` -123…`, `"/123…`.
        b'-' | b'/' | b'_' | b'\\' | b'~' | b'+' => {
            return at == 1
                || matches!(text[at - 2], b' ' | b'"' | b'\'' | b'=' | b':')
                || boundary::escape_before(text, at).is_some();
        }
        _ => {}
    }
    boundary::opens(text, at)
}

/// Whether a column of numbers goes on in front of `at`, where no value with blanks begins then.
pub(super) fn is_in_column(text: &[u8], at: usize) -> bool {
    at > 1 && text[at - 1] == b' ' && text[at - 2].is_ascii_digit()
}

fn ends(text: &[u8], at: usize, spaced: bool) -> bool {
    let after = |n: usize| text.get(at + n);
    match after(0) {
        None => true,
        Some(b'_') => false,
        Some(b'-' | b'.' | b'/' | b':' | b'+' | b'@') => {
            !after(1).is_some_and(u8::is_ascii_alphanumeric)
        }
        Some(b' ') => !(spaced && after(1).is_some_and(u8::is_ascii_digit)),
        Some(byte) => !byte.is_ascii_alphanumeric(),
    }
}

/// Whether the text is nothing but the value, or a list of values like it.
pub(super) fn is_listed(text: &[u8], range: &Range<usize>) -> bool {
    const MARGIN: usize = 40;
    let margin = |bytes: &[u8]| {
        let sign =
            |b: &u8| b.is_ascii_whitespace() || matches!(b, b'"' | b'\'' | b'.' | b',' | b';');
        bytes.len() <= MARGIN
            && bytes.split(sign).all(|word| word.is_empty() || is_number_like(word))
    };
    margin(&text[..range.start]) && margin(&text[range.end..])
}

/// A word that may be a number of the same kind: `201434292D`, `S57TU0392K`, `556703-7485`.
fn is_number_like(word: &[u8]) -> bool {
    const SHORTEST: usize = 8;
    let digits = word.iter().filter(|b| b.is_ascii_digit()).count();
    let known = |b: &u8| b.is_ascii_digit() || b.is_ascii_uppercase() || *b == b'-';
    let plain = digits == word.len();
    matches!(word, b"and" | b"or")
        || word.len() >= SHORTEST && digits * 2 >= word.len() && !plain && word.iter().all(known)
}

/// Whether the value is the whole text, or the whole of a string in quotes.
pub(super) fn is_all(text: &[u8], range: &Range<usize>) -> bool {
    let quote = range.start.checked_sub(1).map(|i| text[i]).filter(|b| matches!(b, b'"' | b'\''));
    let closed = quote.is_some_and(|quote| {
        let after = &text[range.end..];
        let escapes = after.iter().take(4).take_while(|b| **b == b'\\').count();
        after.get(escapes) == Some(&quote)
    });
    closed || is_listed(text, range)
}
