//! Scanning never panics, whatever is said to be Python, and places lie within the text.

use tacenda_scan::{Source, formats, scan};

/// The property.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input).into_owned();
    let report = scan(&[Source::text("input.py", text)], 1);
    let lines = report.lines + 1;
    for finding in &report.findings {
        assert!(finding.region.line <= finding.region.end_line);
        assert!(finding.region.end_line as usize <= lines);
    }
    let _ = formats::sarif(&report);
}
