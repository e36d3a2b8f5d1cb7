//! The content of an XML element whose name is a key: `<password>…</password>`.

use std::ops::Range;

/// The name and the content of the element that opens with the `<` at `at`, when the content is
/// text alone.
pub(crate) fn at(
    text: &[u8],
    at: usize,
    wanted: impl Fn(&[u8]) -> bool,
) -> Option<[Range<usize>; 2]> {
    const NAME: usize = 64;
    const ATTRIBUTES: usize = 256;
    const CONTENT: usize = 4096;
    let start = at + 1;
    if !text.get(start)?.is_ascii_alphabetic() {
        return None;
    }
    let is_name =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    let name =
        start..start + text[start..].iter().take(NAME).take_while(|byte| is_name(byte)).count();
    // The prefix of a namespace is no part of the name.
    let local = text[name.clone()].iter().rposition(|byte| *byte == b':').map_or(0, |i| i + 1);
    let name = name.start + local..name.end;
    if !wanted(&text[name.clone()]) {
        return None;
    }
    let attributes = text[name.end..].iter().take(ATTRIBUTES);
    let close = name.end + { attributes }.position(|byte| matches!(byte, b'>' | b'<'))?;
    if text[close] == b'<' || text[close - 1] == b'/' {
        return None;
    }
    let content = &text[close + 1..text.len().min(close + 1 + CONTENT)];
    let length = memchr::memchr(b'<', content)?;
    // `--list <name>  Shows all of <name>`: what stands in for a value is not closed.
    if !matches!(content.get(length + 1), None | Some(b'/' | b'\\' | b'!')) {
        return None;
    }
    // `<\/password>`: JSON as some write it.
    let length = length - usize::from(content[..length].ends_with(b"\\"));
    let blanks = length - content[..length].trim_ascii_start().len();
    let text = close + 1 + blanks..close + 1 + content[..length].trim_ascii_end().len().max(blanks);
    (!text.is_empty()).then_some([name, text])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str) -> Option<&str> {
        at(text.as_bytes(), 0, |name| name == b"pwd").map(|[_, content]| &text[content])
    }

    #[test]
    fn elements_with_text() {
        assert_eq!(content("<pwd>x</pwd>"), Some("x"));
        assert_eq!(content("<a:pwd b='c'>\n x y \n</a:pwd>"), Some("x y"));
        for text in [
            "<pwd/>",
            "<pwd></pwd>",
            "<pwd> </pwd>",
            "<pwd",
            "<pwd>",
            "<pwd>x",
            "<pwds>x</pwds>",
            "</pwd>",
            "<pwd>x <pwd> y",
        ] {
            assert_eq!(content(text), None, "{text}");
        }
    }
}
