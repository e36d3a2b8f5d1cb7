//! SARIF 2.1.0 (OASIS), with the way of each finding as a code flow, its fix, and what comments
//! suppress.

use std::path::Path;

use serde_json::{Value, json};
use tacenda_policy::sarif::{SCHEMA, level, score, uri};

use crate::Confidence;
use crate::finding::{Finding, Region};
use crate::fix::{Edit, Fix};
use crate::rules::{RULES, Rule};
use crate::scan::Report;

/// The report as a SARIF log.
pub fn sarif(report: &Report) -> Value {
    let problems = report.problems.iter().map(|problem| {
        json!({
            "level": "error",
            "message": { "text": problem.reason.to_string() },
            "locations": [{ "physicalLocation": { "artifactLocation": { "uri": reference(&problem.path) } } }],
        })
    });
    let suppressed = report.suppressed.iter().map(|finding| {
        let mut result = result(finding);
        result["suppressions"] = json!([{ "kind": "inSource" }]);
        result
    });
    let results = report.findings.iter().map(result).chain(suppressed);
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
            "results": results.collect::<Vec<_>>(),
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
        "locations": [location(&finding.path, finding.in_file())],
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
            let mut place = location(&stop.path, stop.in_file());
            place["message"] = json!({ "text": stop.what });
            json!({ "location": place })
        });
        let stops: Vec<Value> = stops.collect();
        result["codeFlows"] = json!([{ "threadFlows": [{ "locations": stops }] }]);
    }
    if let Some(one) = &finding.fix {
        result["fixes"] = json!([fix(finding, one)]);
    }
    result
}

fn fix(finding: &Finding, fix: &Fix) -> Value {
    let replacement = |edit: &Edit| json!({ "deletedRegion": region(edit.region), "insertedContent": { "text": edit.text } });
    json!({
        "description": { "text": fix.message },
        "artifactChanges": [{
            "artifactLocation": { "uri": reference(&finding.path) },
            "replacements": fix.edits.iter().map(replacement).collect::<Vec<_>>(),
        }],
        "properties": { "applicability": fix.applicability.name() },
    })
}

fn location(path: &Path, place: Region) -> Value {
    json!({ "physicalLocation": {
        "artifactLocation": { "uri": reference(path) },
        "region": region(place),
    } })
}

fn region(region: Region) -> Value {
    json!({
        "startLine": region.line,
        "startColumn": region.column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    })
}

/// A path as services join it with the root of the repository.
fn reference(path: &Path) -> String {
    uri(path.strip_prefix(".").unwrap_or(path))
}

const fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "low",
    }
}
