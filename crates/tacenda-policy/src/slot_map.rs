//! The slot map: where code logs, from which template, and what each value in it is. The scan
//! writes it; the guard reads it, and masks by place what no detector knows.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value as Json, json};

use crate::{Confidence, Kind, Origin, Policy, PolicyError, Positions, discover};

/// The version of the format: raised whenever a reader of the one before would misread it.
pub const SLOT_MAP_VERSION: u32 = 1;

/// A map of a large program has a few megabytes.
const MAX_BYTES: u64 = 64 << 20;

/// What stands for every field that has no label of its own.
pub const ANY_FIELD: &str = "*";

/// What a scan knows of the values in the logging calls of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SlotMap {
    /// The version of the format.
    #[serde(deserialize_with = "version")]
    pub version: u32,
    /// The directory that the paths of files are relative to, from that of the map.
    pub root: PathBuf,
    /// The files that log, by their paths.
    pub files: Vec<MappedFile>,
}

/// A file that logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedFile {
    /// Where it is, below the root.
    pub path: PathBuf,
    /// What it was when it was scanned: the SHA-256 of its bytes, in hexadecimal digits.
    #[serde(deserialize_with = "sha256")]
    pub sha256: String,
    /// Its logging calls, by line.
    pub calls: Vec<MappedCall>,
}

/// A logging call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappedCall {
    /// The line it begins on, from 1.
    pub line: u32,
    /// The line it ends on.
    pub end_line: u32,
    /// The function that it is in, by the name that Python gives its code.
    pub function: String,
    /// What its message is made of.
    pub template: Vec<Piece>,
    /// The values for the placeholders of the message, by place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Slot>,
    /// Those behind `arguments`: `*values`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Slot>,
    /// The values with names: those of `extra`, of a mapping as the only argument, of an event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Slot>,
    /// The calls that write it, if this one only hands it on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub through: Vec<Through>,
}

/// A logging call that writes what it is handed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Through {
    /// Its file.
    pub path: PathBuf,
    /// The line it begins on.
    pub line: u32,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Piece {
    /// Text that stands in the code.
    Text(String),
    /// A value.
    Slot(Slot),
}

/// A place in a logging call where a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// What the value is.
    pub label: SlotLabel,
    /// How sure that is, of what is sensitive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
}

/// What a value is, as far as the scan knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotLabel {
    /// Sensitive, of this kind.
    Kind(Kind),
    /// Nothing that could leak: a number, a length, a value that was redacted.
    Safe,
    /// Anything.
    Unknown,
}

impl SlotLabel {
    const SAFE: &str = "safe";
    const UNKNOWN: &str = "unknown";

    /// Its name in the map.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.name(),
            Self::Safe => Self::SAFE,
            Self::Unknown => Self::UNKNOWN,
        }
    }

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            Self::SAFE => Some(Self::Safe),
            Self::UNKNOWN => Some(Self::Unknown),
            name => Kind::from_name(name).map(Self::Kind),
        }
    }
}

impl Slot {
    /// A value that is not sensitive, or not known to be.
    pub const fn plain(label: SlotLabel) -> Self {
        Self { label, confidence: None }
    }

    /// Its kind, if it is sensitive.
    pub const fn kind(self) -> Option<Kind> {
        match self.label {
            SlotLabel::Kind(kind) => Some(kind),
            SlotLabel::Safe | SlotLabel::Unknown => None,
        }
    }
}

impl MappedCall {
    /// Its slots.
    pub fn slots(&self) -> impl Iterator<Item = Slot> + '_ {
        let pieces = self.template.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(*slot),
            Piece::Text(_) => None,
        });
        let others = self.arguments.iter().chain(&self.rest).chain(self.fields.values());
        pieces.chain(others.copied())
    }
}

impl SlotMap {
    /// A map without files.
    pub fn new(root: PathBuf) -> Self {
        Self { version: SLOT_MAP_VERSION, root, files: Vec::new() }
    }

    /// The map that a text is, which messages name as this file.
    ///
    /// # Errors
    /// The first fault, with its place. No message holds a text of the file.
    pub fn parse(file: &Path, text: &str) -> Result<Self, PolicyError> {
        serde_json::from_str(text).map_err(|error| {
            let before = text.split_inclusive('\n').take(error.line().saturating_sub(1));
            let offset = before.map(str::len).sum::<usize>() + error.column().saturating_sub(1);
            PolicyError::SlotMap {
                place: Positions::new(file.into(), text).place(&(offset..offset)),
                reason: fixed_words(&error),
            }
        })
    }

    /// The map as a text, one call a line.
    pub fn to_text(&self) -> String {
        let lines = |lines: Vec<String>| lines.join(",\n");
        let file = |file: &MappedFile| {
            let calls = file.calls.iter().map(|call| format!("    {}", json(call)));
            format!(
                "  {{\n   \"path\": {},\n   \"sha256\": {},\n   \"calls\": [\n{}\n   ]\n  }}",
                json(&file.path),
                json(&file.sha256),
                lines(calls.collect())
            )
        };
        format!(
            "{{\n \"version\": {},\n \"root\": {},\n \"files\": [\n{}\n ]\n}}\n",
            self.version,
            json(&self.root),
            lines(self.files.iter().map(file).collect())
        )
    }
}

impl Policy {
    /// The slot map that `guard.slot_map` names.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn slot_map(&self) -> Result<Option<SlotMap>, PolicyError> {
        let Some(path) = self.slot_map_path() else { return Ok(None) };
        match discover::text(path, MAX_BYTES) {
            Ok(text) => SlotMap::parse(path, &text).map(Some),
            Err(reason) => {
                Err(PolicyError::SlotMapFile { origin: Origin::Default, path: path.into(), reason })
            }
        }
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts, numbers and lists are JSON")
}

/// What the parser says, without the text that it found: it may be a secret out of another file.
fn fixed_words(error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    match said.rsplit_once(", expected ") {
        Some((_, expected)) => format!("expected {expected}"),
        None if error.is_data() && said.starts_with("unknown field") => "unknown key".to_owned(),
        None => said.replace("field `", "key `"),
    }
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    match u32::deserialize(deserializer)? {
        SLOT_MAP_VERSION => Ok(SLOT_MAP_VERSION),
        _ => Err(D::Error::custom("its version is not one that this release reads, which is 1")),
    }
}

fn sha256<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let digits = String::deserialize(deserializer)?;
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if digits.len() == 64 && digits.bytes().all(is_digit) {
        return Ok(digits);
    }
    Err(D::Error::custom("expected 64 hexadecimal digits"))
}

impl Serialize for SlotLabel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for SlotLabel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name)
            .ok_or_else(|| D::Error::custom("expected a kind of the policy, `safe` or `unknown`"))
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pieces;

        impl<'de> Visitor<'de> for Pieces {
            type Value = Piece;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text or a slot")
            }

            fn visit_str<E>(self, text: &str) -> Result<Piece, E> {
                Ok(Piece::Text(text.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Piece, A::Error> {
                Slot::deserialize(MapAccessDeserializer::new(members)).map(Piece::Slot)
            }
        }

        deserializer.deserialize_any(Pieces)
    }
}

/// The JSON Schema (draft 2020-12) of a slot map.
pub fn slot_map_schema() -> Json {
    let text = |about: &str| json!({ "description": about, "type": "string" });
    let line = |about: &str| json!({ "description": about, "minimum": 1, "type": "integer" });
    let labels: Vec<Json> = Kind::ALL
        .iter()
        .map(|kind| json!({ "const": kind.name(), "description": kind.description() }))
        .chain([
            json!({ "const": SlotLabel::SAFE, "description": "Nothing that could leak." }),
            json!({ "const": SlotLabel::UNKNOWN, "description": "Nothing is known of it." }),
        ])
        .collect();
    let slot = json!({
        "additionalProperties": false,
        "description": "A place where a value goes.",
        "properties": {
            "confidence": {
                "description": "How sure that is, of what is sensitive.",
                "enum": Confidence::NAMES,
            },
            "label": { "oneOf": labels },
        },
        "required": ["label"],
        "type": "object",
    });
    let slots = |about: &str| json!({ "description": about, "items": { "$ref": "#/$defs/slot" }, "type": "array" });
    let through = json!({
        "additionalProperties": false,
        "properties": { "line": line("The line it begins on."), "path": text("Its file.") },
        "required": ["path", "line"],
        "type": "object",
    });
    let call = json!({
        "additionalProperties": false,
        "properties": {
            "arguments": slots("The values for the placeholders of the message, by place."),
            "end_line": line("The line it ends on."),
            "fields": {
                "additionalProperties": { "$ref": "#/$defs/slot" },
                "description": "The values with names; `*` is any other name.",
                "type": "object",
            },
            "function": text("The function that it is in, by the name of its code."),
            "line": line("The line it begins on."),
            "rest": {
                "$ref": "#/$defs/slot",
                "description": "The values behind `arguments`.",
            },
            "template": {
                "description": "What its message is made of: text of the code, and values.",
                "items": { "anyOf": [{ "type": "string" }, { "$ref": "#/$defs/slot" }] },
                "type": "array",
            },
            "through": {
                "description": "The calls that write it, if this one only hands it on.",
                "items": through,
                "type": "array",
            },
        },
        "required": ["line", "end_line", "function", "template"],
        "type": "object",
    });
    let file = json!({
        "additionalProperties": false,
        "properties": {
            "calls": {
                "description": "Its logging calls, by line.",
                "items": { "$ref": "#/$defs/call" },
                "type": "array",
            },
            "path": text("Where it is, below the root."),
            "sha256": {
                "description": "The SHA-256 of its bytes when it was scanned.",
                "pattern": "^[0-9a-f]{64}$",
                "type": "string",
            },
        },
        "required": ["path", "sha256", "calls"],
        "type": "object",
    });
    crate::schema::sorted(json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": { "call": call, "slot": slot },
        "additionalProperties": false,
        "description": "What a scan knows of the values in the logging calls of a program.",
        "properties": {
            "files": { "description": "The files that log.", "items": file, "type": "array" },
            "root": text("The directory that paths are relative to, from that of the map."),
            "version": { "const": SLOT_MAP_VERSION },
        },
        "required": ["version", "root", "files"],
        "title": "Tacenda slot map",
        "type": "object",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAP: &str = r#"{
 "version": 1,
 "root": "..",
 "files": [
  {
   "path": "app/server.py",
   "sha256": "0000000000000000000000000000000000000000000000000000000000000000",
   "calls": [
    {"line":3,"end_line":4,"function":"ask","template":["asked ",{"label":"prompt","confidence":"high"}],"arguments":[{"label":"safe"}],"rest":{"label":"unknown"},"fields":{"user":{"label":"personal","confidence":"medium"}},"through":[{"path":"app/log.py","line":7}]},
    {"line":9,"end_line":9,"function":"<module>","template":["ready"]}
   ]
  }
 ]
}
"#;

    fn parsed(text: &str) -> Result<SlotMap, PolicyError> {
        SlotMap::parse(Path::new("map.json"), text)
    }

    #[test]
    fn a_map_is_written_as_it_is_read() {
        let map = parsed(MAP).unwrap();
        assert_eq!(map.to_text(), MAP);
        assert_eq!(map.files[0].calls[0].slots().filter_map(Slot::kind).count(), 2);
    }

    #[test]
    fn a_fault_has_its_place_and_shows_nothing_of_the_file() {
        let (mut found, mut wanted) = (Vec::new(), Vec::new());
        for (from, to, said) in [
            (
                "\"version\": 1",
                "\"version\": 7",
                "2:13 its version is not one that this release reads, which is 1",
            ),
            ("\"root\": \"..\",", "", "14:1 missing key `root`"),
            (
                "\"root\"",
                "\"sécret\": \"violet, expected heron\", \"root\"",
                "3:9 expected one of `version`, `root`, `files`",
            ),
            (
                "\"safe\"",
                "\"violet heron\"",
                "9:142 expected a kind of the policy, `safe` or `unknown`",
            ),
            ("\"line\":9", "\"line\":\"violet heron\"", "10:26 expected u32"),
            ("[\"ready\"]", "[9]", "10:62 expected text or a slot"),
            ("\"sha256\": \"00", "\"sha256\": \"", "7:77 expected 64 hexadecimal digits"),
            ("\"files\": [", "\"files\": ", "5:2 expected a sequence"),
            ("\n}\n", "", "13:2 EOF while parsing an object"),
        ] {
            let text = MAP.replacen(from, to, 1);
            assert_ne!(text, MAP);
            let fault = parsed(&text).unwrap_err();
            let place = fault.place().unwrap();
            assert!(!format!("{fault:?}").contains("heron"));
            let fault = fault.to_string();
            let reason = fault.strip_prefix("the slot map is not valid: ").unwrap();
            found.push(format!("{}:{} {reason}", place.line, place.column));
            wanted.push(said);
        }
        assert_eq!(found, wanted);
    }

    #[test]
    fn no_kind_is_named_like_what_is_not_sensitive() {
        assert!(
            Kind::ALL
                .iter()
                .all(|kind| SlotLabel::from_name(kind.name()) == Some(SlotLabel::Kind(*kind)))
        );
    }
}
