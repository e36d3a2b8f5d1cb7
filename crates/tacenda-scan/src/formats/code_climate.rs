//! The Code Quality report of GitLab, which is a part of the Code Climate format.

use serde_json::{Value, json};
use tacenda_policy::Severity;

use super::shown;
use crate::scan::Report;

/// The findings as a Code Quality report.
pub fn code_climate(report: &Report) -> Value {
    let finding = report.findings.iter().map(|finding| {
        let severity = match finding.severity {
            Severity::Critical => "blocker",
            Severity::High => "critical",
            Severity::Medium => "major",
            Severity::Low => "minor",
            Severity::Info => "info",
        };
        let region = finding.in_file();
        json!({
            "type": "issue",
            "check_name": finding.rule.code,
            "description": format!("{}: {}", finding.rule.code, finding.message),
            "categories": ["Security"],
            "severity": severity,
            "fingerprint": finding.fingerprint,
            "location": {
                "path": shown(&finding.path),
                "lines": { "begin": region.line, "end": region.end_line },
            },
        })
    });
    finding.collect()
}
