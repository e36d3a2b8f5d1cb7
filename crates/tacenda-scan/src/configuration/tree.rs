//! What JSON, YAML and TOML files hold: texts, lists and maps, each with its place.

use std::borrow::Cow;
use std::ops::Range;

use rustc_hash::FxHashMap as HashMap;
use saphyr_parser::{Event, Parser};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// More things than this are in no configuration; aliases make many of few.
const MAX_NODES: usize = 100_000;
/// Nothing that people write lies deeper.
const MAX_DEPTH: usize = 64;

/// Something with its place, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) kind: NodeKind,
    pub(super) place: Range<usize>,
}

#[derive(Clone, Debug)]
pub(super) enum NodeKind {
    /// A text, a number, a truth value, as it is written.
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<(Node, Node)>),
}

/// Why a file is none of the format that its name says: where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    /// The line, from 1.
    pub(super) line: usize,
    /// The column, from 1.
    pub(super) column: usize,
}

impl Node {
    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match &self.kind {
            NodeKind::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map; of those that it takes over (`<<`), the ones it does not have itself.
    pub(super) fn entries(&self) -> Vec<(&Self, &Self)> {
        let NodeKind::Map(entries) = &self.kind else { return Vec::new() };
        let (merged, own): (Vec<_>, Vec<_>) =
            entries.iter().partition(|(key, _)| key.text() == Some("<<"));
        let mut all: Vec<(&Self, &Self)> = own.iter().map(|(key, value)| (key, value)).collect();
        for (_, value) in merged {
            let maps =
                if value.items().is_empty() { std::slice::from_ref(value) } else { value.items() };
            for map in maps {
                let NodeKind::Map(entries) = &map.kind else { continue };
                for (key, value) in entries {
                    if !all.iter().any(|(own, _)| own.text() == key.text()) {
                        all.push((key, value));
                    }
                }
            }
        }
        all
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        let mut entries = self.entries().into_iter();
        entries.find(|(key, _)| key.text() == Some(name)).map(|(_, value)| value)
    }

    pub(super) fn is_map(&self) -> bool {
        matches!(self.kind, NodeKind::Map(_))
    }
}

/// The documents of a YAML file. JSON is YAML.
pub(super) fn yaml(text: &str) -> Result<Vec<Node>, Malformed> {
    let bare = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mark = text.len() - bare.len();
    let places = Places::new(bare);
    let mut anchors: HashMap<usize, (Node, usize)> = HashMap::default();
    let mut documents = Vec::new();
    // What is open: its anchor and its parts. A map's are its keys and values in turn.
    let mut open: Vec<(usize, bool, usize, Vec<Node>)> = Vec::new();
    let mut count = 0;
    for event in Parser::new_from_str(bare) {
        let (event, span) = event.map_err(|error| {
            let marker = error.marker();
            Malformed { line: marker.line(), column: marker.col() + 1 }
        })?;
        let too_much = Malformed { line: span.start.line(), column: span.start.col() + 1 };
        let place = mark + places.byte(span.start.index())..mark + places.byte(span.end.index());
        let (node, anchor, size) = match event {
            Event::Scalar(text, _, anchor, _) => {
                // A text of several lines ends where the next thing begins.
                let said = bare.get(place.start - mark..place.end - mark).unwrap_or_default();
                let place = place.start..place.start + said.trim_end().len();
                (Node { kind: NodeKind::Scalar(text.into_owned()), place }, anchor, 1)
            }
            Event::Alias(anchor) => match anchors.get(&anchor) {
                Some((node, size)) => (node.clone(), 0, *size),
                None => (Node { kind: NodeKind::Scalar(String::new()), place }, 0, 1),
            },
            Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                if open.len() >= MAX_DEPTH {
                    return Err(too_much);
                }
                let is_map = matches!(event, Event::MappingStart(..));
                open.push((anchor, is_map, place.start, Vec::new()));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some((anchor, is_map, start, parts)) = open.pop() else { continue };
                let kind = if is_map { NodeKind::Map(pairs(parts)) } else { NodeKind::List(parts) };
                let node = Node { kind, place: start..place.end.max(start) };
                let size = if anchor == 0 { 1 } else { size(&node) };
                (node, anchor, size)
            }
            _ => continue,
        };
        count += size;
        if count > MAX_NODES {
            return Err(too_much);
        }
        if anchor != 0 {
            anchors.insert(anchor, (node.clone(), size));
        }
        match open.last_mut() {
            Some((_, _, _, parts)) => parts.push(node),
            None => documents.push(node),
        }
    }
    Ok(documents)
}

fn pairs(parts: Vec<Node>) -> Vec<(Node, Node)> {
    let mut pairs = Vec::new();
    let mut parts = parts.into_iter();
    while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
        pairs.push((key, value));
    }
    pairs
}

fn size(node: &Node) -> usize {
    1 + match &node.kind {
        NodeKind::Scalar(_) => 0,
        NodeKind::List(items) => items.iter().map(size).sum(),
        NodeKind::Map(entries) => entries.iter().map(|(key, value)| size(key) + size(value)).sum(),
    }
}

/// From characters to bytes.
struct Places(Option<Vec<usize>>, usize);

impl Places {
    fn new(text: &str) -> Self {
        let bytes = || text.char_indices().map(|(at, _)| at).collect();
        Self((!text.is_ascii()).then(bytes), text.len())
    }

    fn byte(&self, character: usize) -> usize {
        match &self.0 {
            Some(bytes) => bytes.get(character).copied().unwrap_or(self.1),
            None => character.min(self.1),
        }
    }
}

/// A TOML file.
pub(super) fn toml(text: &str) -> Result<Node, Malformed> {
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let front = text.get(..at).unwrap_or_default();
        let column = front.rsplit('\n').next().map_or(0, |line| line.chars().count());
        Malformed { line: front.matches('\n').count() + 1, column: column + 1 }
    })?;
    let place = table.span();
    Ok(Node { kind: NodeKind::Map(entries(table.get_ref())), place })
}

fn entries(table: &DeTable<'_>) -> Vec<(Node, Node)> {
    let entry = |(key, value): (&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        let name = NodeKind::Scalar(key.get_ref().to_string());
        (Node { kind: name, place: key.span() }, node(value))
    };
    table.iter().map(entry).collect()
}

fn node(value: &Spanned<DeValue<'_>>) -> Node {
    let kind = match value.get_ref() {
        DeValue::String(text) => NodeKind::Scalar(text.to_string()),
        DeValue::Integer(number) => NodeKind::Scalar(number.as_str().to_owned()),
        DeValue::Float(number) => NodeKind::Scalar(number.as_str().to_owned()),
        DeValue::Boolean(truth) => NodeKind::Scalar(truth.to_string()),
        DeValue::Datetime(time) => NodeKind::Scalar(time.to_string()),
        DeValue::Array(items) => NodeKind::List(items.iter().map(node).collect()),
        DeValue::Table(table) => NodeKind::Map(entries(table)),
    };
    Node { kind, place: value.span() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_text() {
        let text = "é: \"ü\"\nlevel: DEBUG\nlist: [a, 'b']\n";
        let document = &yaml(text).unwrap()[0];
        let level = document.get("level").unwrap();
        assert_eq!((level.text(), &text[level.place.clone()]), (Some("DEBUG"), "DEBUG"));
        let items = document.get("list").unwrap().items();
        assert_eq!((items[1].text(), &text[items[1].place.clone()]), (Some("b"), "'b'"));
        let text = "[tool.logging]\nlevel = \"DEBUG\"\nnumber = 10\n";
        let document = toml(text).unwrap();
        let level = document.get("tool").unwrap().get("logging").unwrap().get("level").unwrap();
        assert_eq!((level.text(), &text[level.place.clone()]), (Some("DEBUG"), "\"DEBUG\""));
    }

    #[test]
    fn json_is_yaml() {
        let text = "\u{feff}{\n\t\"version\": 1,\n\t\"root\": {\"level\": \"DEBUG\"}, \"a/\\u00e9\": null}\n";
        let document = &yaml(text).unwrap()[0];
        let level = document.get("root").unwrap().get("level").unwrap();
        assert_eq!((level.text(), &text[level.place.clone()]), (Some("DEBUG"), "\"DEBUG\""));
    }

    #[test]
    fn aliases_are_followed_and_do_not_explode() {
        let text = "base: &base {level: DEBUG, x: 1}\none: *base\ntwo:\n  <<: *base\n  x: 2\n";
        let document = &yaml(text).unwrap()[0];
        let two = document.get("two").unwrap();
        assert_eq!(two.get("level").and_then(Node::text), Some("DEBUG"));
        assert_eq!(two.get("x").and_then(Node::text), Some("2"));
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for at in 1..12 {
            let before = format!("*a{}, ", at - 1).repeat(9);
            text.push_str(&format!("a{at}: &a{at} [{before}]\n"));
        }
        assert!(yaml(&text).is_err());
        assert!(yaml(&"[".repeat(100_000)).is_err());
        assert!(toml(&format!("x = {}", "[".repeat(100_000))).is_err());
    }

    #[test]
    fn what_is_malformed_is_told_with_its_place() {
        assert_eq!(toml("a = 1\nb = oops\n").unwrap_err().line, 2);
        assert_eq!(yaml("a: 1\nb: [oops\n").map(|_| ()).unwrap_err().line, 3);
    }
}
