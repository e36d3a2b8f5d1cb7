//! Workflow commands of GitHub Actions: an annotation for each finding.

use tacenda_policy::Severity;

use super::shown;
use crate::scan::Report;

/// The findings as workflow commands, one a line.
pub fn github(report: &Report) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let command = match finding.severity {
            Severity::Critical | Severity::High => "error",
            Severity::Medium => "warning",
            Severity::Low | Severity::Info => "notice",
        };
        let region = finding.in_file();
        let title = format!("{} {}", finding.rule.code, finding.rule.name);
        out.push_str(&format!(
            "::{command} file={},line={},col={},endLine={},endColumn={},title={}::{}\n",
            property(&shown(&finding.path)),
            region.line,
            region.column,
            region.end_line,
            region.end_column,
            property(&title),
            data(&finding.message),
        ));
    }
    out
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
