//! `JUnit` XML: a test case for each finding, which failed.

use super::shown;
use crate::scan::Report;

/// The findings as one test suite.
pub fn junit(report: &Report) -> String {
    let failures = report.findings.len();
    let errors = report.problems.len();
    let tests = (failures + errors).max(1);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.push_str(&format!(
        "<testsuites>\n<testsuite name=\"tacenda scan\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">\n"
    ));
    for finding in &report.findings {
        let path = shown(&finding.path);
        let region = finding.in_file();
        let place = format!("{path}:{}:{}", region.line, region.column);
        out.push_str(&format!(
            "<testcase classname=\"{}\" name=\"{} at {}\" file=\"{}\" line=\"{}\"><failure type=\"{}\" message=\"{}\"/></testcase>\n",
            escape(&path),
            finding.rule.code,
            escape(&place),
            escape(&path),
            region.line,
            finding.rule.code,
            escape(&finding.message),
        ));
    }
    for problem in &report.problems {
        let path = shown(&problem.path);
        out.push_str(&format!(
            "<testcase classname=\"{0}\" name=\"{0}\"><error type=\"unreadable\" message=\"{1}\"/></testcase>\n",
            escape(&path),
            escape(&problem.reason.to_string()),
        ));
    }
    if failures + errors == 0 {
        out.push_str("<testcase classname=\"tacenda\" name=\"scan\"/>\n");
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no other control characters.
            letter if letter.is_control() && !matches!(letter, '\t') => escaped.push('\u{fffd}'),
            letter => escaped.push(letter),
        }
    }
    escaped
}
