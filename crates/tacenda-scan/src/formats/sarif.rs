//! SARIF 2.1.0 (OASIS), with the way of each finding as a code flow.

use serde_json::{Value, json};
use tacenda_policy::Severity;

use super::shown;
use crate::Confidence;
use crate::finding::{Finding, Region};
use crate::rules::{RULES, Rule};
use crate::scan::Report;

/// The schema that the output is valid against.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// The report as a SARIF log.
pub fn sarif(report: &Report) -> Value {
    let problems = report.problems.iter().map(|problem| {
        json!({
            "level": "error",
            "message": { "text": problem.reason.to_string() },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": uri(&shown(&problem.path)) } } }],
        })
    });
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "tacenda",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": RULES.iter().map(|one| rule(one)).collect::<Vec<_>>(),
            } },
            "invocations": [{
                "executionSuccessful": report.problems.is_empty(),
                "toolExecutionNotifications": problems.collect::<Vec<_>>(),
            }],
            "columnKind": "unicodeCodePoints",
            "results": report.findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(rule: &Rule) -> Value {
    let cwe = rule.cwe.iter().map(|number| format!("external/cwe/cwe-{number}"));
    let tags: Vec<String> = std::iter::once("security".to_owned()).chain(cwe).collect();
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.summary() },
        "help": { "text": rule.page(), "markdown": rule.page() },
        "defaultConfiguration": { "level": level(rule.severity) },
        "properties": { "tags": tags, "security-severity": score(rule.severity) },
    })
}

fn result(finding: &Finding) -> Value {
    let place = RULES.iter().position(|rule| rule.code == finding.rule.code);
    let mut result = json!({
        "ruleId": finding.rule.code,
        "ruleIndex": place,
        "level": level(finding.severity),
        "message": { "text": finding.message },
        "locations": [location(&shown(&finding.path), finding.in_file())],
        "partialFingerprints": { "tacendaFinding/v1": finding.fingerprint },
        "properties": {
            "confidence": finding.confidence.name(),
            "precision": precision(finding.confidence),
            "severity": finding.severity.name(),
            "kind": finding.kind.map(tacenda_policy::Kind::name),
        },
    });
    if !finding.way.is_empty() {
        let stops = finding.way.iter().map(|stop| {
            let mut place = location(&shown(&stop.path), stop.in_file());
            place["message"] = json!({ "text": stop.what });
            json!({ "location": place })
        });
        let stops: Vec<Value> = stops.collect();
        result["codeFlows"] = json!([{ "threadFlows": [{ "locations": stops }] }]);
    }
    result
}

fn location(path: &str, region: Region) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(path) },
        "region": {
            "startLine": region.line,
            "startColumn": region.column,
            "endLine": region.end_line,
            "endColumn": region.end_column,
        },
    } })
}

/// A path as a relative reference (RFC 3986): what is not allowed in one is percent-encoded.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            _ => {
                let digit = |value: u8| char::from(b"0123456789ABCDEF"[usize::from(value)]);
                uri.extend(['%', digit(byte >> 4), digit(byte & 15)]);
            }
        }
    }
    uri
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

/// On the scale of CVSS, as code scanning services read it.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.0",
        Severity::Low => "2.0",
        Severity::Info => "0.1",
    }
}

const fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "low",
    }
}
