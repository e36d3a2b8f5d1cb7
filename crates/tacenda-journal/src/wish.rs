//! What a line wishes for its fields: `class`, and `classes` of single ones.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tacenda_policy::Class;

use crate::fields;

/// Where the object in a line begins, if it holds one and nothing else that is seen: a byte order mark, a
/// blank of any kind and what is no text at all count for nothing.
pub(crate) fn start_of_object(line: &[u8]) -> Option<usize> {
    let mut at = 0;
    for chunk in line.utf8_chunks() {
        for (place, char) in chunk.valid().char_indices() {
            let is_unseen = char.is_whitespace() || char.is_control() || UNSEEN.contains(&char);
            if !is_unseen {
                return (char == '{').then_some(at + place);
            }
        }
        at += chunk.valid().len() + chunk.invalid().len();
    }
    None
}

/// Characters without a width, which are neither blanks nor controls: a byte order mark is one.
const UNSEEN: [char; 5] = ['\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}'];

/// Whether a member names classes and nothing else: the word after `"password":` there is none.
pub(crate) fn is_wish(name: &str, value: &Value) -> bool {
    match (name, value) {
        ("class", value) => class_of(value).is_some(),
        ("classes", Value::Object(single)) => single.values().all(|one| class_of(one).is_some()),
        _ => false,
    }
}

pub(crate) fn class_of(name: &Value) -> Option<Class> {
    name.as_str().and_then(Class::from_name)
}

/// A line as it may be redacted without losing its wish: `{"password": "internal"}` says of a field of
/// which class it is, and reads like a password. Names stay what they are, so that they are redacted as
/// those of the fields themselves.
pub fn hide_wish(line: &[u8]) -> Cow<'_, [u8]> {
    with_classes(line, |value| {
        let is_one = is_wish("classes", value);
        let mut names = BTreeMap::<&str, Vec<[&str; 1]>>::new();
        for (name, class) in value.as_object().filter(|_| is_one)? {
            names.entry(class.as_str()?).or_default().push([name]);
        }
        Some(json!(names))
    })
}

/// The inverse, of a line that was redacted since.
pub fn show_wish(line: &[u8]) -> Cow<'_, [u8]> {
    with_classes(line, |value| {
        let mut single = Map::new();
        for (class, names) in value.as_object()? {
            Class::from_name(class)?;
            for name in names.as_array()? {
                let [Value::String(name)] = name.as_array()?.as_slice() else { return None };
                single.insert(name.clone(), class.as_str().into());
            }
        }
        Some(Value::Object(single))
    })
}

/// A line with another value of its member `classes`, if there is one.
fn with_classes(line: &[u8], other: impl Fn(&Value) -> Option<Value>) -> Cow<'_, [u8]> {
    let is_there = line.windows(NAME.len()).any(|window| window == NAME);
    let Some(start) = start_of_object(line).filter(|_| is_there) else { return line.into() };
    let object = line[start..].trim_ascii_end();
    if !fields::is_json(object) {
        return line.into();
    }
    let mut changed = Vec::new();
    let mut done = 0;
    for (name, value) in fields::values(object) {
        if name != "classes" {
            continue;
        }
        let is = serde_json::from_slice::<Value>(&object[value.clone()]).ok();
        let Some(new) = is.as_ref().and_then(&other) else { continue };
        changed.extend_from_slice(&line[done..start + value.start]);
        changed.extend_from_slice(new.to_string().as_bytes());
        done = start + value.end;
    }
    if done == 0 {
        return line.into();
    }
    changed.extend_from_slice(&line[done..]);
    changed.into()
}

/// Without which there is no such member, but for one with a name that is spelled in escapes.
const NAME: &[u8] = b"classes";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_hidden_and_shown() {
        let line = "\u{feff} {\"password\": \"x\", \"classes\" : {\"password\":\"internal\",\"a\":\"public\",\"b\":\"internal\"}, \"c\": 1}\r\n";
        let hidden = hide_wish(line.as_bytes());
        let text = str::from_utf8(&hidden).unwrap();
        assert!(
            text.contains(r#"{"internal":[["b"],["password"]],"public":[["a"]]}, "c""#),
            "{text}"
        );
        assert!(text.starts_with("\u{feff} {") && text.ends_with("}\r\n"), "{text}");
        let shown = show_wish(&hidden);
        let text = str::from_utf8(&shown).unwrap();
        assert!(
            text.contains(r#"{"a":"public","b":"internal","password":"internal"}, "c""#),
            "{text}"
        );
        // Of two members of that name, both.
        let twice = br#"{"classes":{"a":"public"},"classes":{"b":"public"}}"#;
        assert_eq!(*show_wish(&hide_wish(twice)), *twice);
    }

    #[test]
    fn what_is_no_wish_stays_as_it_is() {
        for line in [
            "",
            "a text of classes",
            r#"{"class": "internal"}"#,
            r#"{"classes": {"password": "hunter2"}}"#,
            r#"{"classes": ["a"]}"#,
            r#"{"a": {"classes": {"password": "internal"}}}"#,
            r#"{"classes": {"password": "internal"}"#,
            r#"{"classes": {"password": "internal"}} and more"#,
        ] {
            assert_eq!(*hide_wish(line.as_bytes()), *line.as_bytes(), "{line}");
        }
        for line in [
            r#"{"classes": {"secret": [["a"]]}}"#,
            r#"{"classes": {"public": ["a"]}}"#,
            r#"{"classes": {"public": [["a", "b"]]}}"#,
            r#"{"classes": {"public": "a"}}"#,
        ] {
            assert_eq!(*show_wish(line.as_bytes()), *line.as_bytes(), "{line}");
        }
    }
}
