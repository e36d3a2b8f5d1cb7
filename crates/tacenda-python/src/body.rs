//! What a request body, or any other structure of texts, holds that deserves protection.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use tacenda_detect::{Member, ProtectedValues, ValueId};
use tacenda_policy::Kind;

/// Members whose values name public things: a log that could not say which model it means, or
/// whose turn it is, would be useless.
const PUBLIC_MEMBERS: &[&str] = &["model", "draft_model", "role", "type", "object"];

/// Words that say how a thing stands. A member that is one of them says nothing of a person, and logs
/// have members of the same name.
const STOCK_VALUES: &[&str] = &[
    "debug",
    "info",
    "warn",
    "warning",
    "error",
    "critical",
    "fatal",
    "notice",
    "trace",
    "get",
    "head",
    "post",
    "put",
    "patch",
    "delete",
    "options",
    "connect",
    "true",
    "false",
    "null",
    "none",
    "undefined",
    "nan",
    "default",
    "unknown",
    "other",
    "auto",
    "yes",
    "no",
    "on",
    "off",
    "ok",
    "okay",
    "success",
    "succeeded",
    "failed",
    "failure",
    "open",
    "opened",
    "closed",
    "active",
    "inactive",
    "enabled",
    "disabled",
    "pending",
    "running",
    "queued",
    "created",
    "updated",
    "deleted",
    "started",
    "stopped",
    "done",
    "new",
    "ready",
    "http",
    "https",
    "json",
    "text",
    "html",
    "string",
    "number",
    "integer",
    "boolean",
    "array",
];

/// Protects each text of a JSON document: a long one by itself, wherever it turns up; a short one
/// together with its name, as documents show it. What is no JSON (a body that was cut short, say)
/// is protected as it is.
pub(crate) fn protect(values: &ProtectedValues, body: &[u8], kind: Kind, held: bool) -> Vec<u64> {
    let document = serde_json::from_slice::<Document>(body);
    let mut members = Vec::new();
    match &document {
        Ok(document) => collect(document, None, values.limits().min_chars, &mut members),
        Err(_) => members.push(match std::str::from_utf8(body) {
            Ok(text) => Member::unnamed(text),
            Err(_) => Member::unnamed(text_in(body)),
        }),
    }
    values.protect_all(members, kind, held).into_iter().map(|ValueId(id)| id).collect()
}

/// What is text in a body that is none: the fields of a form around a picture. A small one is all
/// text, in whatever encoding; of a large one, letters are that stand together.
fn text_in(body: &[u8]) -> String {
    const SMALL: usize = 64 * 1024;
    const FEWEST: usize = 16;
    if body.len() <= SMALL {
        return String::from_utf8_lossy(body).into_owned();
    }
    let mut text = String::new();
    for chunk in body.utf8_chunks() {
        let stretches =
            chunk.valid().split(|char: char| char.is_control() && !char.is_whitespace());
        for stretch in stretches.filter(|stretch| is_long(stretch, FEWEST)) {
            text.push_str(stretch);
            text.push('\n');
        }
    }
    text
}

/// A JSON document, as far as it holds texts. Unlike a map, it keeps members of the same name: a
/// log of the body shows them all.
enum Document {
    Text(String),
    Array(Vec<Document>),
    Object(Vec<(String, Document)>),
    Other,
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Document, E> {
        Ok(Document::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Document, E> {
        Ok(Document::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Document, E> {
        Ok(Document::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Document, E> {
        Ok(Document::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Document, E> {
        Ok(Document::Other)
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Document::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Document, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Document::Object(object))
    }
}

fn collect<'d>(
    value: &'d Document,
    name: Option<&'d str>,
    min_chars: usize,
    members: &mut Vec<Member<'d>>,
) {
    match value {
        Document::Text(text) => {
            if is_long(text, min_chars) {
                members.push(Member::unnamed(text));
            } else if name.is_some() && !text.trim().is_empty() && !is_stock(text) {
                members.push(Member { name, text: text.into() });
            }
        }
        Document::Array(items) => {
            let mut short = Vec::new();
            for item in items {
                match item {
                    Document::Text(text) if !is_long(text, min_chars) => short.push(text.as_str()),
                    item => collect(item, None, min_chars, members),
                }
            }
            if name.is_some() && !short.is_empty() {
                let text = format!("[{}]", short.join(", ")).into();
                members.push(Member { name, text });
            }
        }
        Document::Object(object) => {
            for (name, member) in object {
                if is_long(name, min_chars) && name.contains(' ') {
                    members.push(Member::unnamed(name));
                }
                let is_public = |text: &str| {
                    PUBLIC_MEMBERS.contains(&name.as_str()) && !text.contains(char::is_whitespace)
                };
                match member {
                    Document::Text(text) if is_public(text) => {}
                    member => collect(member, Some(name), min_chars, members),
                }
            }
        }
        Document::Other => {}
    }
}

fn is_stock(text: &str) -> bool {
    STOCK_VALUES.iter().any(|stock| stock.eq_ignore_ascii_case(text.trim()))
}

/// Whether a text is long enough to be protected without being named.
pub(crate) fn is_long(text: &str, min_chars: usize) -> bool {
    text.chars().nth(min_chars.saturating_sub(1)).is_some()
}
