//! What was redacted, in numbers: never a value.

use std::fmt::Display;
use std::io::{self, Write};

use serde_json::json;
use tacenda_detect::Engine;
use tacenda_guard::Tally;

/// Redacted values of one name.
struct Count {
    name: String,
    kind: &'static str,
    values: u64,
}

/// In the order of the most redacted first.
fn counts(tally: &Tally, engine: &Engine) -> Vec<Count> {
    let detected = tally.report.redacted.iter().map(|(id, values)| {
        let detector = engine.detector(*id);
        Count { name: detector.id.to_owned(), kind: detector.kind.name(), values: *values }
    });
    let protected = tally.report.protected.iter().map(|(kind, values)| Count {
        name: format!("protected {kind}"),
        kind: kind.name(),
        values: *values,
    });
    let mut counts: Vec<Count> = detected.chain(protected).collect();
    counts.sort_by(|a, b| b.values.cmp(&a.values).then_with(|| a.name.cmp(&b.name)));
    counts
}

/// For people: `redacted 3 values (email 2, iban 1) in 1204 records (88.1 kB)`.
pub(crate) fn text(out: &mut impl Write, tally: &Tally, engine: &Engine) -> io::Result<()> {
    let counts = counts(tally, engine);
    let values: u64 = counts.iter().map(|count| count.values).sum();
    write!(out, "redacted {}", plural(values, "value"))?;
    if !counts.is_empty() {
        let names: Vec<String> =
            counts.iter().map(|count| format!("{} {}", count.name, count.values)).collect();
        write!(out, " ({})", names.join(", "))?;
    }
    writeln!(out, " in {} ({})", plural(tally.records, "record"), size(tally.bytes_in))?;
    if tally.report.allowed > 0 {
        writeln!(out, "left {} that the policy allows", plural(tally.report.allowed, "value"))?;
    }
    if tally.report.withheld > 0 {
        let withheld = plural(tally.report.withheld, "record");
        writeln!(out, "withheld {withheld} after an internal error")?;
    }
    Ok(())
}

/// The redacted values by name, for programs.
pub(crate) fn redacted(tally: &Tally, engine: &Engine) -> serde_json::Value {
    let counts = counts(tally, engine).into_iter();
    let count =
        |count: Count| json!({ "name": count.name, "kind": count.kind, "values": count.values });
    counts.map(count).collect()
}

/// For programs: one JSON object on one line.
pub(crate) fn json(out: &mut impl Write, tally: &Tally, engine: &Engine) -> io::Result<()> {
    let report = json!({
        "records": tally.records,
        "bytes_in": tally.bytes_in,
        "bytes_out": tally.bytes_out,
        "redacted": redacted(tally, engine),
        "allowed": tally.report.allowed,
        "withheld": tally.report.withheld,
    });
    writeln!(out, "{report}")
}

/// A number of things: `1 file`, `2 entries`.
pub(crate) fn plural(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    match noun.strip_suffix('y') {
        _ if count == "1" => format!("{count} {noun}"),
        Some(stem) => format!("{count} {stem}ies"),
        None if noun.ends_with('s') => format!("{count} {noun}es"),
        None => format!("{count} {noun}s"),
    }
}

/// Bytes in decimal units, with three digits.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut unit = 0;
    let mut tenths = u128::from(bytes) * 10;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    match unit {
        0 => format!("{bytes} B"),
        _ => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_three_digits() {
        assert_eq!(size(0), "0 B");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1000), "1.0 kB");
        assert_eq!(size(88_149), "88.1 kB");
        assert_eq!(size(100_000_000), "100.0 MB");
        assert_eq!(size(u64::MAX), "18446744.0 TB");
    }
}
