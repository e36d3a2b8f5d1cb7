//! Records in the clear, in formats of programs that know nothing of journals.

mod journald;
mod otlp;
mod parquet;

pub use journald::journald;
pub use otlp::otlp;
pub use parquet::Parquet;

use serde_json::Value;

use crate::fields::members;
use crate::record::Record;

/// The fields of all classes that could be read, the message apart. Those with a name that is `taken`, or
/// that another has, get another one.
fn fields(record: &Record, taken: &[&str]) -> (Option<Value>, Vec<(String, Value)>) {
    let objects = record.fields.iter().flatten().map(Vec::as_slice);
    let fields = members(objects, taken).into_iter();
    let mut fields: Vec<(String, Value)> = fields
        .filter_map(|(name, value)| Some((name, serde_json::from_slice(value).ok()?)))
        .collect();
    fields.sort_by(|(one, _), (other, _)| one.cmp(other));
    let message = fields.iter().position(|(name, _)| name == "message");
    (message.map(|at| fields.remove(at).1), fields)
}

/// The number of a level in syslog (RFC 5424), and in OpenTelemetry; `None` of one that neither knows.
fn severity(level: &str) -> Option<(u8, u8)> {
    Some(match level {
        "trace" => (7, 1),
        "debug" => (7, 5),
        "info" => (6, 9),
        "notice" => (5, 10),
        "warn" | "warning" => (4, 13),
        "error" | "err" => (3, 17),
        "critical" | "crit" => (2, 18),
        "alert" => (1, 19),
        "fatal" | "emerg" | "panic" => (0, 21),
        _ => return None,
    })
}
