//! Which records are meant.

use crate::entry::SegmentState;
use crate::fields;
use crate::record::{OWN, Record, Seen};

/// Which records are meant: those that pass all of it. An empty one means all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Numbers, from and to, both included.
    pub numbers: Option<(u64, u64)>,
    /// From this time on, in nanoseconds since 1970.
    pub since: Option<i64>,
    /// Up to this time, it included.
    pub until: Option<i64>,
    /// The least level, one of [`levels`].
    pub level: Option<String>,
    /// The logger, or one above it.
    pub logger: Option<String>,
    /// A kind of values that it is about.
    pub kind: Option<String>,
    /// Values of fields.
    pub fields: Vec<(String, String)>,
    /// A text in any field, its name included, or in the level, logger or kinds.
    pub text: Option<String>,
}

/// How levels rank: names of syslog, Python and OpenTelemetry, in lower case.
const LEVELS: [&[&str]; 9] = [
    &["trace"],
    &["debug"],
    &["info"],
    &["notice"],
    &["warn", "warning"],
    &["error", "err"],
    &["critical", "crit"],
    &["alert"],
    &["fatal", "emerg", "panic"],
];

/// The names of levels that a filter knows, the least first.
pub fn levels() -> impl Iterator<Item = &'static str> {
    LEVELS.iter().copied().flatten().copied()
}

/// How a level ranks; that of a record may be any, and ranks as `info`.
fn rank(level: &str) -> usize {
    let place = |name| LEVELS.iter().position(|names| names.contains(&name));
    place(level).or_else(|| place("info")).expect("it is one of them")
}

impl Filter {
    /// Whether it says nothing: a guard against erasing everything.
    pub fn is_empty(&self) -> bool {
        let Self { numbers, since, until, level, logger, kind, fields, text } = self;
        numbers.is_none()
            && since.is_none()
            && until.is_none()
            && level.is_none()
            && logger.is_none()
            && kind.is_none()
            && fields.is_empty()
            && text.is_none()
    }

    /// Whether it asks what stands in fields, which an identity may not open.
    pub fn asks_content(&self) -> bool {
        !self.fields.is_empty() || self.text.is_some()
    }

    /// Whether a time in the range may pass.
    pub(crate) fn meets(&self, times: Option<(i64, i64)>) -> bool {
        times.is_none_or(|(first, last)| {
            self.since.is_none_or(|since| last >= since)
                && self.until.is_none_or(|until| first <= until)
        })
    }

    /// Whether a record of this time and level may pass.
    pub(crate) fn begins(&self, time: i64, level: &str) -> bool {
        self.meets(Some((time, time))) && self.level.as_ref().is_none_or(|l| rank(level) >= rank(l))
    }

    /// Whether a number in the range may pass.
    pub(crate) fn reaches(&self, first: u64, count: u64) -> bool {
        self.numbers.is_none_or(|(from, to)| first <= to && from < first.saturating_add(count))
    }

    /// Whether a record of a segment may pass.
    pub(crate) fn may_pass(&self, segment: &SegmentState) -> bool {
        let SegmentState { first, records, times, .. } = segment;
        !segment.deleted && *records > 0 && self.reaches(*first, *records) && self.meets(*times)
    }

    /// Whether a record passes.
    pub fn passes(&self, seen: &Seen) -> bool {
        let record = &seen.record;
        self.reaches(seen.sequence, 1)
            && self.begins(record.time, &record.level)
            && self.logger.as_ref().is_none_or(|logger| is_below(&record.logger, logger))
            && self.kind.as_ref().is_none_or(|kind| record.kinds.split(',').any(|one| one == kind))
            && self.fields.iter().all(|(name, value)| has(record, name, value))
            && self.text.as_ref().is_none_or(|text| contains(record, text))
    }
}

fn is_below(logger: &str, above: &str) -> bool {
    logger.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether it has a field of this name and value, among those of one name in several classes too. The name
/// is that which the program wrote, or that which is printed.
fn has(record: &Record, name: &str, value: &str) -> bool {
    let objects = || record.fields.iter().flatten().map(Vec::as_slice);
    let is_it = |(one, written): (String, &[u8])| one == name && is_written(written, value);
    objects().flat_map(fields::members_of).any(is_it)
        || name.starts_with('_') && fields::members(objects(), &OWN).into_iter().any(is_it)
}

/// Whether JSON is this text, or spells a number or a truth value so.
fn is_written(json: &[u8], value: &str) -> bool {
    match serde_json::from_slice(json) {
        Ok(serde_json::Value::String(text)) => text == value,
        Ok(other) => [json, other.to_string().as_bytes()].contains(&value.as_bytes()),
        Err(_) => false,
    }
}

fn contains(record: &Record, text: &str) -> bool {
    let Record { level, logger, kinds, fields, .. } = record;
    [level, logger, kinds].iter().any(|own| own.contains(text))
        || fields.iter().flatten().any(|fields| fields::hold(fields, text))
}

#[cfg(test)]
mod tests {
    use tacenda_policy::Class;

    use super::*;

    #[test]
    fn a_field_is_found_by_each_of_its_values() {
        let line =
            br#"{"a": "x", "a": 2, "n": 1000000000000000000000000000000, "f": 1.50, "t": true, "seq": 7,
            "o": {"b": [1]}, "a\u00e9": "y"}"#;
        let mut record = Record::from_line(line, Class::Internal, 0).unwrap();
        *record.fields_of(Class::Restricted) = Some(br#"{"a":"z"}"#.to_vec());
        let ten = "1000000000000000000000000000000";
        for (name, value) in [
            ("a", "x"),
            ("a", "2"),
            ("a", "z"),
            ("n", ten),
            ("f", "1.50"),
            ("f", "1.5"),
            ("t", "true"),
            ("seq", "7"),
            ("_seq", "7"),
            ("_a", "2"),
            ("o", r#"{"b":[1]}"#),
            ("a\u{e9}", "y"),
        ] {
            assert!(has(&record, name, value), "{name}={value}");
        }
        for (name, value) in [("a", "y"), ("b", "1"), ("t", "True"), ("a", "\"x\"")] {
            assert!(!has(&record, name, value), "{name}={value}");
        }
    }
}
