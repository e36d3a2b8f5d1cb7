//! The fields of a record as they are kept: one JSON object, on one line.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Whether these bytes are such an object. What prints it puts it on a line as it is.
pub(crate) fn is_object(bytes: &[u8]) -> bool {
    let is_bare = bytes.starts_with(b"{") && bytes.ends_with(b"}");
    is_one_line(bytes) && is_bare && search(bytes, None).is_ok()
}

/// Whether there is no control character: a string of JSON holds none, and nothing else needs one. All
/// bytes are looked at: a processor does that for many at once.
pub(crate) fn is_one_line(bytes: &[u8]) -> bool {
    bytes.iter().fold(u8::MAX, |least, byte| least.min(*byte)) >= b' '
}

/// The members of such objects, each with a name of its own: one that is `taken`, or was there before,
/// has `_` before it.
pub(crate) fn members<'f>(
    objects: impl Iterator<Item = &'f [u8]>,
    taken: &[&str],
) -> Vec<(String, &'f [u8])> {
    let mut names: BTreeSet<String> = taken.iter().map(|name| (*name).to_owned()).collect();
    let mut members = Vec::new();
    for (mut name, value) in objects.flat_map(members_of) {
        while !names.insert(name.clone()) {
            name.insert(0, '_');
        }
        members.push((name, value));
    }
    members
}

/// Whether these bytes are JSON.
pub(crate) fn is_json(bytes: &[u8]) -> bool {
    search(bytes, None).is_ok()
}

/// The members of an object: their names, and their values as they are written.
pub(crate) fn members_of(object: &[u8]) -> impl Iterator<Item = (String, &[u8])> {
    let named = |(name, value)| Some((serde_json::from_slice(name).ok()?, value));
    split(object).into_iter().filter_map(named)
}

/// The members of an object: their names, and where they stand in it.
pub(crate) fn places(object: &[u8]) -> impl Iterator<Item = (String, Range<usize>)> {
    split(object).into_iter().filter_map(move |(name, value)| {
        let name_as_text = serde_json::from_slice(name).ok()?;
        Some((name_as_text, at(object, name).start..at(object, value).end))
    })
}

/// The same, and where their values stand.
pub(crate) fn values(object: &[u8]) -> impl Iterator<Item = (String, Range<usize>)> {
    members_of(object).map(move |(name, value)| (name, at(object, value)))
}

/// Where a piece of it stands.
fn at(object: &[u8], piece: &[u8]) -> Range<usize> {
    let start = piece.as_ptr().addr() - object.as_ptr().addr();
    start..start + piece.len()
}

/// Adds a member to an object, which is made where there is none. The value stays as it is written,
/// on one line.
pub(crate) fn add(object: &mut Option<Vec<u8>>, name: &str, value: &[u8]) {
    let object = match object {
        Some(object) => {
            object.pop();
            object.push(b',');
            object
        }
        none => none.insert(vec![b'{']),
    };
    object.extend_from_slice(Value::from(name).to_string().as_bytes());
    object.push(b':');
    // What is no blank here stands in no JSON.
    object.extend(value.iter().map(|byte| *byte.max(&b' ')));
    object.push(b'}');
}

/// The members of an object, names and values as they are written.
fn split(object: &[u8]) -> Vec<(&[u8], &[u8])> {
    let mut members = Vec::new();
    let (mut start, mut colon) = (1, None);
    let (mut depth, mut in_text, mut escaped) = (0, false, false);
    for (at, byte) in object.iter().enumerate().skip(1) {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => depth += 1,
            b',' | b'}' if depth == 0 => {
                if let Some(colon) = colon.take() {
                    let (name, value) = (&object[start..colon], &object[colon + 1..at]);
                    members.push((name.trim_ascii(), value.trim_ascii()));
                }
                start = at + 1;
            }
            b'}' | b']' => depth -= 1,
            b':' if depth == 0 => colon = Some(at),
            _ => {}
        }
    }
    members
}

/// Whether a value or a name in them holds a text, each of those with one name too. What is no JSON is
/// searched as it is.
pub(crate) fn hold(bytes: &[u8], text: &str) -> bool {
    let found = search(bytes, Some(text)).unwrap_or_else(|_| {
        text.is_empty() || bytes.windows(text.len()).any(|window| window == text.as_bytes())
    });
    found || holds_number(bytes, text)
}

/// Whether a number in them is spelled so: what it is parsed to has another spelling, and the former one is
/// printed.
fn holds_number(bytes: &[u8], text: &str) -> bool {
    let is_of_number = |byte: u8| byte.is_ascii_digit() || b"+-.eE".contains(&byte);
    if text.is_empty() || !text.bytes().all(is_of_number) {
        return false;
    }
    let (mut in_text, mut escaped) = (false, false);
    let mut runs = bytes.split(|byte| {
        if in_text {
            in_text = escaped || *byte != b'"';
            escaped = !escaped && *byte == b'\\';
            return true;
        }
        in_text = *byte == b'"';
        !is_of_number(*byte)
    });
    // In `true` there is an `e` as well.
    let is_number = |run: &&[u8]| run.iter().any(u8::is_ascii_digit);
    let holds = |run: &[u8]| run.windows(text.len()).any(|window| window == text.as_bytes());
    runs.by_ref().filter(is_number).any(holds)
}

fn search(bytes: &[u8], text: Option<&str>) -> serde_json::Result<bool> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let found = Search(text).deserialize(&mut json)?;
    json.end()?;
    Ok(found)
}

/// Goes through a value and keeps nothing of it.
#[derive(Clone, Copy)]
struct Search<'t>(Option<&'t str>);

impl Search<'_> {
    fn is_in(self, value: impl Into<Value>) -> bool {
        self.0.is_some_and(|text| value.into().to_string().contains(text))
    }
}

impl<'de> DeserializeSeed<'de> for Search<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Search<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(self.is_in(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<bool, E> {
        Ok(self.is_in(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<bool, E> {
        Ok(self.is_in(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<bool, E> {
        Ok(self.is_in(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<bool, E> {
        Ok(self.is_in(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<bool, E> {
        Ok(self.0.is_some_and(|text| value.contains(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(one) = values.next_element_seed(self)? {
            found |= one;
        }
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<bool, A::Error> {
        let mut found = false;
        while let Some(is_in_name) = members.next_key_seed(self)? {
            found |= is_in_name | members.next_value_seed(self)?;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_object_on_one_line_is_kept() {
        for good in ["{}", "{ }", r#"{"a": [1, null, {"b": -1.5e3}], "a": "\n\u0041é"}"#] {
            assert!(is_object(good.as_bytes()), "{good}");
        }
        for bad in [
            "",
            "{",
            "[]",
            "1",
            " {}",
            "{} ",
            "{}{}",
            "{\"a\":1}\n{\"seq\":9}",
            "{\"a\":\n1}",
            "{\"a\":\"\u{1}\"}",
            r#"{"a":"\ud800"}"#,
            r#"{"a":1}},{"b":1}"#,
            r#"{"a":1e999}"#,
        ] {
            assert!(!is_object(bad.as_bytes()), "{bad}");
        }
        assert!(!is_object(b"{\"a\":\"\xff\"}"));
        assert!(!is_object(b"{\"\xff\":1}"));
    }

    #[test]
    fn every_member_has_a_name_of_its_own() {
        let objects = [
            br#"{"seq":1e400, "a" : {"b":[1,{"c":"}],\\\"{"}]} ,"\u0074ime":"x"}"#.as_slice(),
            b"{}",
            br#"{"a":"\\","_seq":2,"seq":[]}"#,
        ];
        let members = members(objects.into_iter(), &["seq", "time"]);
        let members: Vec<_> = members
            .iter()
            .map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap()))
            .collect();
        let expected = [
            ("_seq", "1e400"),
            ("a", r#"{"b":[1,{"c":"}],\\\"{"}]}"#),
            ("_time", r#""x""#),
            ("_a", r#""\\""#),
            ("__seq", "2"),
            ("___seq", "[]"),
        ];
        assert_eq!(members, expected);
    }

    #[test]
    fn a_text_is_found_wherever_it_stands() {
        let fields = br#"{"a":"her\u006fn","a":"x","b":[{"c":12.5}],"d":true,"e":null}"#;
        for text in ["heron", "x", "12.5", "2.", "true", "null", "c", ""] {
            assert!(hold(fields, text), "{text}");
        }
        for text in ["xy", "13", "ac", "\"", "false"] {
            assert!(!hold(fields, text), "{text}");
        }
        let numbers = br#"{"a":12345.60,"b":[1E3,-0.0],"c":1000000000000000000000000000000,"d\\":true,"e\"7":8}"#;
        for text in ["12345.60", "12345.6", "1E3", "-0.0", &"0".repeat(30), "8"] {
            assert!(hold(numbers, text), "{text}");
        }
        for text in ["12345.600", "1E33", "60,", "5.6e", "78"] {
            assert!(!hold(numbers, text), "{text}");
        }
        assert!(hold(b"{\"a\":\"heron\"", "heron") && !hold(b"no JSON", "heron"));
    }
}
