//! The name of a value that has its name beside it: `{"name": "DB_PASSWORD", "value": "…"}` as in
//! HTTP archives and in the settings of containers, `<add key="password" value="…"/>`,
//! `{"key": "password", "value": {"stringValue": "…"}}` as OpenTelemetry writes it.

use std::ops::Range;

/// The keys under which such a value stands; the second in an object under the first.
pub(crate) const KEYS: [&str; 2] = ["value", "stringvalue"];

/// Whether the value that begins here is an object, in which another of [`KEYS`] may stand.
pub(crate) fn is_object(text: &[u8]) -> bool {
    const BLANKS: usize = 4;
    let signs = text.iter().take(BLANKS).find(|byte| !byte.is_ascii_whitespace());
    signs == Some(&b'{')
}

/// Where the name stands that belongs to the key at `at`: in the same object, element or item,
/// before it and not before `floor`.
pub(crate) fn name_before(text: &[u8], at: usize, floor: usize) -> Option<Range<usize>> {
    const LOOK_BACK: usize = 192;
    const WORDS: [&[u8]; 3] = [b"name", b"key", b"header"];
    let at = outer(&text[..at]).unwrap_or(at);
    let floor = at.saturating_sub(LOOK_BACK).max(floor.min(at));
    let before = &text[floor..at];
    let encloses =
        |byte: &u8| matches!(byte, b'{' | b'}' | b'[' | b']' | b'(' | b')' | b'<' | b'>');
    let opened = before.iter().rposition(encloses).map_or(0, |i| i + 1);
    // An item of a list in YAML begins with a dash.
    let item = memchr::memmem::rfind_iter(before, b"- ").find(|dash| {
        let indent = before[..*dash].trim_ascii_end();
        before[indent.len()..*dash].contains(&b'\n')
    });
    let from = opened.max(item.unwrap_or(0));
    WORDS.iter().find_map(|word| {
        let found =
            before[from..].windows(word.len()).position(|w| w.eq_ignore_ascii_case(word))?;
        let (start, end) = (from + found, from + found + word.len());
        let whole = start == 0 || !before[start - 1].is_ascii_alphanumeric();
        let name = value_after(before, end).filter(|_| whole)?;
        Some(floor + name.start..floor + name.end)
    })
}

/// Where `value` begins of `"value": {"`, with which `before` ends.
fn outer(before: &[u8]) -> Option<usize> {
    let without = |text: &[u8], signs: &[u8]| {
        text.len() - text.iter().rev().take(8).take_while(|byte| signs.contains(byte)).count()
    };
    let object = before[..without(before, b"\"'\\ \n")].strip_suffix(b"{")?;
    let key = &object[..without(object, b"\"'\\ :")];
    let [rest @ .., _, _, _, _, _] = key else { return None };
    (object.len() > key.len() && key.ends_with(KEYS[0].as_bytes())).then_some(rest.len())
}

/// The name behind `": "` and the like at `from`.
fn value_after(text: &[u8], from: usize) -> Option<Range<usize>> {
    let signs = |from: usize, accept: &[u8]| {
        from + text[from..].iter().take(8).take_while(|byte| accept.contains(byte)).count()
    };
    let join = signs(from, b"\"'\\ ");
    if !matches!(text.get(join), Some(b':' | b'=')) {
        return None;
    }
    let start = signs(join + 1, b"\"'\\ ");
    let name =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    let length = text[start..].iter().take_while(|byte| name(byte)).count();
    let end = start + length;
    // What goes on behind the name is a sentence.
    let closed = matches!(text.get(end), Some(b'"' | b'\'' | b'\\' | b',' | b'\n' | b'\r'));
    (length > 0 && closed).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_same_object() {
        for text in [
            r#"{"name": "db_password", "#,
            r#"{"a": {"name": "x"}, "b": {"type": "s", "name":"db_password","#,
            r#"{\"key\": \"db_password\", \"type\": \"s\", \"#,
            "- name: x\n  value: y\n- name: db_password\n  ",
            "<add key='db_password' ",
            r#"{"key":"db_password","value":{""#,
            "{\"key\": \"db_password\", \"value\": {\n  \"",
        ] {
            let name = name_before(text.as_bytes(), text.len(), 0).map(|name| &text[name]);
            assert_eq!(name, Some("db_password"), "{text}");
        }
        for text in [
            r#"{"name": "db_password"}, {"#,
            r#"{"filename": "db_password", "#,
            "- name: db_password\n- ",
            "the key: words that go on, ",
            "name",
        ] {
            assert_eq!(name_before(text.as_bytes(), text.len(), 0), None, "{text}");
        }
    }
}
