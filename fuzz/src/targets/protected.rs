//! Any value can be protected and looked for in any bytes: no panic, spans in bounds and in order;
//! and a value of sixteen letters or more is found in itself.

use tacenda_detect::{Limits, ProtectedValues, Trail};
use tacenda_policy::Kind;

/// The property.
pub fn run(input: &[u8]) {
    let (split, rest) = super::first(input);
    let (value, text) = rest.split_at(split.min(rest.len()));
    let value = String::from_utf8_lossy(value);
    let values = ProtectedValues::new(Limits::default(), Box::new(|_| [0; 3]));
    values.protect(&value, Kind::Prompt, None, false);

    let mut trail = Trail::default();
    for record in [text, value.as_bytes(), text] {
        let mut spans = Vec::new();
        values.scan(record, &mut trail, &mut spans);
        assert!(spans.iter().all(|span| span.start < span.end && span.end <= record.len()));
        assert!(spans.is_sorted_by_key(|span| span.start));
    }

    if value.len() >= 16 && value.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        let mut spans = Vec::new();
        values.scan(value.as_bytes(), &mut Trail::default(), &mut spans);
        assert!(spans.iter().any(|span| (span.start, span.end) == (0, value.len())));
    }
}
