use serde_json::{Value, json};

use super::{fields, severity};
use crate::record::Seen;

/// A record as a line of an OTLP file (OpenTelemetry Protocol File Exporter, JSON).
pub fn otlp(seen: &Seen, bytes: &mut Vec<u8>) {
    let record = &seen.record;
    let own = ["tacenda.sequence", "tacenda.kinds", "tacenda.erased"];
    let (message, fields) = fields(record, &own);
    let mut attributes = vec![attribute("tacenda.sequence", &json!(seen.sequence))];
    if !record.kinds.is_empty() {
        let kinds: Vec<&str> = record.kinds.split(',').collect();
        attributes.push(attribute("tacenda.kinds", &json!(kinds)));
    }
    if seen.erased.is_some() {
        attributes.push(attribute("tacenda.erased", &json!(true)));
    }
    attributes.extend(fields.iter().map(|(name, value)| attribute(name, value)));
    // Numbers of 64 bits are texts there; it knows no time before 1970.
    let mut log =
        json!({ "timeUnixNano": record.time.max(0).to_string(), "attributes": attributes });
    if let Some((_, number)) = severity(&record.level) {
        log["severityNumber"] = number.into();
    }
    if !record.level.is_empty() {
        log["severityText"] = record.level.as_str().into();
    }
    if let Some(message) = message {
        log["body"] = any(&message);
    }
    let mut scope = json!({ "logRecords": [log] });
    if !record.logger.is_empty() {
        scope["scope"] = json!({ "name": record.logger });
    }
    let line = json!({ "resourceLogs": [{ "resource": {}, "scopeLogs": [scope] }] });
    bytes.extend_from_slice(line.to_string().as_bytes());
    bytes.push(b'\n');
}

fn attribute(name: &str, value: &Value) -> Value {
    json!({ "key": name, "value": any(value) })
}

fn any(value: &Value) -> Value {
    match value {
        Value::Null => json!({}),
        Value::Bool(value) => json!({ "boolValue": value }),
        Value::String(text) => json!({ "stringValue": text }),
        // A whole number that has no room in 64 bits with a sign is a text there.
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => json!({ "intValue": whole.to_string() }),
            (None, Some(whole)) => json!({ "stringValue": whole.to_string() }),
            (None, None) => json!({ "doubleValue": number.as_f64() }),
        },
        Value::Array(values) => {
            let values: Vec<Value> = values.iter().map(any).collect();
            json!({ "arrayValue": { "values": values } })
        }
        Value::Object(members) => {
            let members: Vec<Value> =
                members.iter().map(|(name, value)| attribute(name, value)).collect();
            json!({ "kvlistValue": { "values": members } })
        }
    }
}

#[cfg(test)]
mod tests {
    use tacenda_policy::Class;

    use super::*;
    use crate::record::Record;

    #[test]
    fn values_keep_their_types() {
        let line = br#"{"time": 1, "level": "warning", "logger": "app", "message": "hi",
            "a": [true, null, 1.5], "b": {"c": -9007199254740993}, "d": 18446744073709551615}"#;
        let record = Record::from_line(line, Class::Internal, 0).unwrap();
        let seen = Seen { sequence: 3, record, sealed: Vec::new(), erased: None };
        let mut bytes = Vec::new();
        otlp(&seen, &mut bytes);
        let line: Value = serde_json::from_slice(&bytes).unwrap();
        let logs = &line["resourceLogs"][0]["scopeLogs"][0];
        assert_eq!(logs["scope"]["name"], "app");
        let expected = json!({
            "timeUnixNano": "1000000000", "severityNumber": 13, "severityText": "warning",
            "body": {"stringValue": "hi"},
            "attributes": [
                {"key": "tacenda.sequence", "value": {"intValue": "3"}},
                {"key": "a", "value": {"arrayValue": {"values": [
                    {"boolValue": true}, {}, {"doubleValue": 1.5}]}}},
                {"key": "b", "value": {"kvlistValue": {"values": [
                    {"key": "c", "value": {"intValue": "-9007199254740993"}}]}}},
                {"key": "d", "value": {"stringValue": "18446744073709551615"}},
            ],
        });
        assert_eq!(logs["logRecords"][0], expected);
        assert!(bytes.ends_with(b"}\n"));
    }
}
