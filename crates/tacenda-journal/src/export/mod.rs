//! Records in the clear, in formats of programs that know nothing of journals.

mod journald;
mod otlp;
mod parquet;

pub use journald::journald;
pub use otlp::otlp;
pub use parquet::Parquet;

use serde_json::{Map, Value};

use crate::record::Record;

/// The fields of all classes that could be read, the message apart.
fn fields(record: &Record) -> (Option<Value>, Map<String, Value>) {
    let objects = record.fields.iter().flatten();
    let objects = objects.filter_map(|bytes| serde_json::from_slice(bytes).ok());
    let mut all: Map<String, Value> = objects.flat_map(|object: Map<_, _>| object).collect();
    (all.remove("message"), all)
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
