//! Canonical JSON (RFC 8785), for what the log's entries hold: texts, whole numbers, true and false,
//! lists and objects.

use serde_json::Value;

/// The one spelling of a value. Names are sorted by their UTF-16 code units, as RFC 8785 has it.
pub(crate) fn canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(value, &mut bytes);
    bytes
}

fn write(value: &Value, bytes: &mut Vec<u8>) {
    match value {
        Value::Object(object) => {
            let mut names: Vec<&String> = object.keys().collect();
            names.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            bytes.push(b'{');
            for (i, name) in names.into_iter().enumerate() {
                if i > 0 {
                    bytes.push(b',');
                }
                write(&Value::from(name.as_str()), bytes);
                bytes.push(b':');
                write(&object[name], bytes);
            }
            bytes.push(b'}');
        }
        Value::Array(list) => {
            bytes.push(b'[');
            for (i, value) in list.iter().enumerate() {
                if i > 0 {
                    bytes.push(b',');
                }
                write(value, bytes);
            }
            bytes.push(b']');
        }
        // Its escapes are those of RFC 8785: short ones, `\u00xx` in lower case, nothing else.
        scalar => bytes.extend_from_slice(scalar.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_sorted_and_nothing_is_spaced() {
        let value = json!({"b": [1, true, null], "a": {"é": "\u{7}\n\"/", "z": "€"}, "\u{1f600}": 1, "\u{fb33}": 2});
        // U+1F600 is D83D DE00 in UTF-16, and stands before U+FB33.
        let text = "{\"a\":{\"z\":\"€\",\"é\":\"\\u0007\\n\\\"/\"},\"b\":[1,true,null],\"\u{1f600}\":1,\"\u{fb33}\":2}";
        assert_eq!(String::from_utf8(canonical(&value)).unwrap(), text);
    }
}
