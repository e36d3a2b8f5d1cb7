//! Which records are meant.

use crate::fields;
use crate::record::{Record, Seen};

/// Which records are meant: those that pass all of it. An empty one means all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Numbers, from and to, both included.
    pub numbers: Option<(u64, u64)>,
    /// From this time on, in nanoseconds since 1970.
    pub since: Option<i64>,
    /// Up to this time, it included.
    pub until: Option<i64>,
    /// The least level.
    pub level: Option<String>,
    /// The logger, or one above it.
    pub logger: Option<String>,
    /// A kind of values that it is about.
    pub kind: Option<String>,
    /// Values of fields.
    pub fields: Vec<(String, String)>,
    /// A text in any field.
    pub text: Option<String>,
}

/// How levels rank: names of syslog, Python and OpenTelemetry.
fn rank(level: &str) -> u8 {
    match level {
        "trace" => 1,
        "debug" => 2,
        "notice" => 4,
        "warn" | "warning" => 5,
        "error" | "err" => 6,
        "critical" | "crit" => 7,
        "alert" => 8,
        "fatal" | "emerg" | "panic" => 9,
        _ => 3,
    }
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

fn has(record: &Record, name: &str, value: &str) -> bool {
    record.field(name).is_some_and(|field| match field {
        serde_json::Value::String(text) => text == value,
        // A number or a truth value, as JSON spells it.
        other => serde_json::to_string(&other).is_ok_and(|text| text == value),
    })
}

fn contains(record: &Record, text: &str) -> bool {
    record.fields.iter().flatten().any(|fields| fields::hold(fields, text))
}
