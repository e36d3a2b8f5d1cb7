use serde_json::Value;

use super::{fields, severity};
use crate::record::Seen;

/// Names that are not those of fields.
const OWN: [&str; 7] = [
    "MESSAGE",
    "PRIORITY",
    "LEVEL",
    "SYSLOG_IDENTIFIER",
    "TACENDA_SEQUENCE",
    "TACENDA_KIND",
    "TACENDA_ERASED",
];

/// A record in the journal export format of systemd, as `systemd-journal-remote` takes it.
pub fn journald(seen: &Seen, bytes: &mut Vec<u8>) {
    let record = &seen.record;
    let (message, fields) = fields(record, &[]);
    // It knows no time before 1970, nor that it began: systemd-journal-remote ends there.
    let micros = (record.time / 1000).max(1);
    field("__REALTIME_TIMESTAMP", &micros.to_string(), bytes);
    if let Some(message) = message {
        field("MESSAGE", &text(&message), bytes);
    }
    if let Some((priority, _)) = severity(&record.level) {
        field("PRIORITY", &priority.to_string(), bytes);
    }
    for (name, text) in [("LEVEL", &record.level), ("SYSLOG_IDENTIFIER", &record.logger)] {
        if !text.is_empty() {
            field(name, text, bytes);
        }
    }
    field("TACENDA_SEQUENCE", &seen.sequence.to_string(), bytes);
    for kind in record.kinds.split(',').filter(|kind| !kind.is_empty()) {
        field("TACENDA_KIND", kind, bytes);
    }
    if seen.erased.is_some() {
        field("TACENDA_ERASED", "1", bytes);
    }
    for (own, value) in fields {
        field(&name(&own), &text(&value), bytes);
    }
    bytes.push(b'\n');
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `NAME=value`, or with its length where the value has other than printable characters.
fn field(name: &str, value: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(name.as_bytes());
    if value.chars().any(|c| c.is_control() && c != '\t') {
        bytes.push(b'\n');
        bytes.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        bytes.push(b'=');
    }
    bytes.extend_from_slice(value.as_bytes());
    bytes.push(b'\n');
}

/// A name as it takes them: at most 64 of A-Z, 0-9 and `_`, with a letter first.
fn name(own: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    let name: String = own.chars().map(fit).take(62).collect();
    let fits = name.starts_with(|c: char| c.is_ascii_uppercase());
    if OWN.contains(&name.as_str()) {
        format!("F_{name}")
    } else if fits {
        name
    } else {
        format!("F{name}")
    }
}

#[cfg(test)]
mod tests {
    use tacenda_policy::Class;

    use super::*;
    use crate::record::Record;

    #[test]
    fn fields_have_names_and_values_that_it_takes() {
        let line = br#"{"time": "2026-03-01T10:00:00.5Z", "level": "error", "logger": "app",
            "message": "two\nlines", "user-id": 7, "priority": 0, "9": [1], "kinds": ["email", "prompt"]}"#;
        let record = Record::from_line(line, Class::Internal, 0).unwrap();
        let seen = Seen { sequence: 3, record, sealed: Vec::new(), erased: None };
        let mut bytes = Vec::new();
        journald(&seen, &mut bytes);
        let expected = "__REALTIME_TIMESTAMP=1772359200500000\n\
            MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nPRIORITY=3\nLEVEL=error\n\
            SYSLOG_IDENTIFIER=app\nTACENDA_SEQUENCE=3\nTACENDA_KIND=email\nTACENDA_KIND=prompt\n\
            F9=[1]\nF_PRIORITY=0\nUSER_ID=7\n\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn a_time_that_it_does_not_know_ends_nothing() {
        for time in [i64::MIN, -1, 0, 999] {
            let record = Record { time, ..Record::default() };
            let seen = Seen { sequence: 0, record, sealed: Vec::new(), erased: None };
            let mut bytes = Vec::new();
            journald(&seen, &mut bytes);
            assert!(bytes.starts_with(b"__REALTIME_TIMESTAMP=1\n"), "{time}");
        }
    }
}
