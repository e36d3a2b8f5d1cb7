//! The field of a structured record that a finding stands in.

use std::borrow::Cow;

/// Longest key that is shown, in bytes.
const KEY: usize = 64;

/// Longest path of keys that is shown, in bytes.
const PATH: usize = 200;

/// Deepest nesting that is followed.
const DEEPEST: usize = 32;

/// The path of keys (`user.email`) under which the byte at `at` of a JSON object stands; of an entry
/// of the journal's export format, its field.
///
/// A key that is no plain name may itself be a value, so it is shown as `*`.
pub(crate) fn path(line: &[u8], at: usize) -> Option<String> {
    match line.trim_ascii_start().first()? {
        b'{' => json(line, at),
        _ => None,
    }
}

fn json(line: &[u8], at: usize) -> Option<String> {
    let mut keys: Vec<Option<&[u8]>> = Vec::new();
    let mut last: Option<&[u8]> = None;
    let mut place = 0;
    while place < at {
        match line[place] {
            b'"' => {
                let end = string_end(line, place)?;
                if end > at {
                    break;
                }
                let after = line[end..].iter().position(|byte| !byte.is_ascii_whitespace());
                if after.is_some_and(|skip| line[end + skip] == b':') {
                    last = Some(&line[place + 1..end - 1]);
                }
                place = end;
                continue;
            }
            b'{' => {
                if keys.len() == DEEPEST {
                    return None;
                }
                keys.push(last.take());
            }
            b'}' => {
                last = keys.pop()?;
            }
            _ => {}
        }
        place += 1;
    }
    // What holds the outermost object has no key.
    let parents = keys.into_iter().skip(1).flatten();
    let names: Vec<Cow<'_, str>> = parents.chain(last).map(plain).collect();
    let path = names.join(".");
    (!path.is_empty() && path.len() <= PATH).then_some(path)
}

/// The end of the string that begins at `start`, behind its quote.
fn string_end(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', line.get(at..)?)?;
        if line[at] == b'"' {
            return Some(at + 1);
        }
        at += 2;
    }
}

fn plain(key: &[u8]) -> Cow<'_, str> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-@$/".contains(byte);
    let digits = key.iter().filter(|byte| byte.is_ascii_digit()).count();
    let has_at_inside = key.iter().skip(1).any(|byte| *byte == b'@');
    if key.is_empty() || key.len() > KEY || !key.iter().all(is_plain) || digits > 4 || has_at_inside
    {
        return Cow::Borrowed("*");
    }
    String::from_utf8_lossy(key)
}

/// The field of a line in the journal's export format: `MESSAGE` of `MESSAGE=text`, or the name on
/// the line before a value with its length (which is not text, so it is known by its zero bytes).
pub(crate) fn journal(before: &[u8], line: &[u8]) -> Option<String> {
    let name = |text: &[u8]| {
        let is_name =
            |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
        let plain = !text.is_empty() && text.len() <= KEY && text.iter().all(is_name);
        plain.then(|| String::from_utf8_lossy(text).into_owned())
    };
    if let Some(sign) = memchr::memchr(b'=', &line[..line.len().min(KEY + 1)])
        && let Some(field) = name(&line[..sign])
    {
        return Some(field);
    }
    before.rsplit(|byte| *byte == b'\n').skip(1).take(64).find_map(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(line: &str, needle: &str) -> Option<String> {
        path(line.as_bytes(), line.find(needle).unwrap())
    }

    #[test]
    fn a_field_is_named_by_its_keys() {
        let line =
            r#"{"time":"x", "user" : {"mail":"HERE","n":[1,{"deep":"THERE"}]},"msg":"LAST"}"#;
        assert_eq!(at(line, "HERE").as_deref(), Some("user.mail"));
        assert_eq!(at(line, "THERE").as_deref(), Some("user.n.deep"));
        assert_eq!(at(line, "LAST").as_deref(), Some("msg"));
        assert_eq!(at("msg HERE", "HERE"), None);
    }

    #[test]
    fn a_key_that_may_be_a_value_is_not_shown() {
        let line = r#"{"jane@example.com": {"x": "HERE"}, "4111111111111111": "THERE"}"#;
        assert_eq!(at(line, "HERE").as_deref(), Some("*.x"));
        assert_eq!(at(line, "THERE").as_deref(), Some("*"));
        assert_eq!(at(line, "jane"), None);
    }

    #[test]
    fn a_field_of_the_journal_is_named_before_its_value() {
        assert_eq!(journal(b"", b"MESSAGE=from jane").as_deref(), Some("MESSAGE"));
        let before = b"__CURSOR=s=1\nMESSAGE\n\x10\0\0\0\0\0\0\0first\n";
        assert_eq!(journal(before, b"second a=b").as_deref(), Some("MESSAGE"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(line in "[{}\\[\\]\":,\\\\a ]{0,60}", at in 0_usize..60) {
            let _ = path(line.as_bytes(), at.min(line.len()));
        }
    }
}
