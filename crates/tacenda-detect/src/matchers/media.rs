//! Files inside text: `data:` URLs (RFC 2397) and bare base64 of well-known formats.

use std::ops::Range;

/// Most bytes of one file inside text.
pub(crate) const LONGEST: usize = 64 * 1024 * 1024;
/// Shorter ones are examples of the form.
const SHORTEST: usize = 24;

/// The `data:` URL at `at`, when it carries base64.
pub(crate) fn data_url(text: &[u8], at: usize) -> Option<Range<usize>> {
    const HEAD: usize = 160;
    let head = &text[at..text.len().min(at + HEAD)];
    let comma = memchr::memchr(b',', head)?;
    let media_type = &head[b"data:".len()..comma];
    let named = media_type.iter().all(|b| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'/' | b'.' | b'+' | b'-' | b';' | b'=' | b'"' | b'_')
    });
    if !named || !media_type.ends_with(b";base64") {
        return None;
    }
    let end = base64_end(text, at + comma + 1);
    (end > at + comma + 1).then_some(at..end)
}

/// The base64 text at `at`, which begins with the magic number of a format.
pub(crate) fn base64(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start =
        if at > 0 && text[at - 1] == b'/' && text[at..].starts_with(b"9j/") { at - 1 } else { at };
    let end = base64_end(text, at);
    (end - start >= SHORTEST).then_some(start..end)
}

/// The end of a base64 run; it may be wrapped, by line ends or by `\n` escapes.
fn base64_end(text: &[u8], from: usize) -> usize {
    const WRAPPED: usize = 16;
    let run = |from: usize| {
        text[from..]
            .iter()
            .take(LONGEST)
            .take_while(|b| {
                b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_' | b'%')
            })
            .count()
    };
    let mut end = from + run(from);
    loop {
        let rest = &text[end..];
        let skip = if rest.starts_with(b"\r\n") || rest.starts_with(b"\\n") {
            2
        } else {
            usize::from(rest.starts_with(b"\n"))
        };
        // A line of base64 fills its line: a word at the start of the next record does not.
        let next = if skip == 0 { 0 } else { run(end + skip) };
        let alone = |at: usize| {
            text.get(at).is_none_or(|b| matches!(b, b'\n' | b'\r' | b'\\' | b'"' | b'\''))
        };
        if next < WRAPPED || !alone(end + skip + next) {
            return end;
        }
        end += skip + next;
    }
}
