//! Private keys in textual encoding (RFC 7468), those of `OpenSSH` and `OpenPGP` alike, over several lines
//! or in one with `\n` escapes.

use std::ops::Range;

use memchr::memmem;

/// Most bytes of a block: an RSA key of 16384 bits has 13 kB.
pub(crate) const LONGEST: usize = 64 * 1024;
const DASHES: &[u8] = b"-----";
/// A body this short is an example of the form, not a key.
const BODY: usize = 16;

/// The block whose word `BEGIN` is at `at`.
pub(crate) fn at(text: &[u8], at: usize) -> Option<Range<usize>> {
    const LABEL: usize = 48;
    let start = at.checked_sub(DASHES.len()).filter(|&start| &text[start..at] == DASHES)?;
    let label_at = at + b"BEGIN ".len();
    let label = text.get(label_at..text.len().min(label_at + LABEL))?;
    let label = &label[..memmem::find(label, DASHES)?];
    if !label.ends_with(b"PRIVATE KEY") && !label.ends_with(b"PRIVATE KEY BLOCK") {
        return None;
    }
    let body = label_at + label.len() + DASHES.len();
    let limit = text.len().min(start + LONGEST);
    // The next dashes end the block, or begin another; without any the end is cut off, or comes
    // with the next record.
    let dashes = memmem::find(&text[body..limit], DASHES).map(|i| body + i);
    if let Some(dashes) = dashes.filter(|&dashes| text[dashes..].starts_with(b"-----END ")) {
        if dashes - body < BODY {
            return None;
        }
        let close = dashes + DASHES.len();
        let line = &text[close..limit.min(close + LABEL + DASHES.len())];
        let end = memmem::find(line, DASHES).map_or(close, |i| close + i + DASHES.len());
        return Some(start..end);
    }
    let limit = dashes.unwrap_or(limit);
    let length = text[body..limit].iter().take_while(|b| is_body(**b)).count();
    let end = body + length;
    let open = end == text.len();
    let run = text[body..end]
        .split(|b| b.is_ascii_whitespace() || *b == b'\\')
        .any(|line| line.len() >= BODY);
    (open || run).then_some(start..end)
}

/// Whether a private key begins in this line and does not end in it.
pub(crate) fn opens(line: &[u8]) -> bool {
    // Nearly no line of a log ends like that.
    if !line.strip_suffix(b"\r").unwrap_or(line).ends_with(DASHES) {
        return false;
    }
    let Some(begin) = memmem::rfind(line, b"-----BEGIN ") else { return false };
    let rest = &line[begin..];
    memmem::find(rest, b"PRIVATE KEY").is_some_and(|label| label <= 40)
        && memmem::find(rest, b"-----END ").is_none()
}

/// Whether a line is the next one of a private key, or its last.
pub(crate) fn is_body_line(line: &[u8]) -> bool {
    let ends = memmem::find(line, b"-----END ").unwrap_or(line.len());
    line[..ends].iter().all(|byte| is_body(*byte))
}

/// Base64, line ends and their escapes, and the header fields of encrypted keys (RFC 1421).
fn is_body(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || byte.is_ascii_whitespace()
        || matches!(byte, b'+' | b'/' | b'=' | b'\\' | b':' | b',' | b'-')
}
