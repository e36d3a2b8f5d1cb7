//! One finding a line.

use std::io::{self, Write};

use serde::Serialize;

use crate::{Found, Searcher};

#[derive(Serialize)]
struct Record<'f> {
    path: &'f str,
    line: u64,
    start: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_line: Option<u64>,
    end: u64,
    detector: &'f str,
    kind: &'f str,
    confidence: &'f str,
    severity: &'f str,
    pseudonym: &'f str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'f str>,
}

/// Writes one finding as one line of JSON.
///
/// # Errors
/// Those of writing.
pub fn jsonl(out: &mut impl Write, found: Found<'_>, searcher: &Searcher<'_>) -> io::Result<()> {
    let Found { file, finding, detector, severity } = found;
    let record = Record {
        path: &file.path.to_string_lossy(),
        line: finding.line,
        start: finding.start,
        end_line: Some(finding.end_line).filter(|end| *end != finding.line),
        end: finding.end,
        detector: detector.id,
        kind: detector.kind.name(),
        confidence: detector.confidence.name(),
        severity: severity.name(),
        pseudonym: &searcher.spelled(finding.pseudonym),
        time: finding.time.map(|time| time.to_string()),
        field: finding.field.as_deref(),
    };
    serde_json::to_writer(&mut *out, &record)?;
    out.write_all(b"\n")
}
