//! SARIF 2.1.0 (OASIS), written as it comes: a result for each finding.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;
use tacenda_detect::DetectorId;
use tacenda_policy::sarif::{SCHEMA, level, score, uri};

use crate::{Found, Report, Searcher, advice};

/// Writes a SARIF log.
#[derive(Debug, Default)]
pub struct Sarif {
    /// The detectors of the results so far, and their place among the rules.
    rules: BTreeMap<DetectorId, usize>,
    order: Vec<DetectorId>,
    results: u64,
}

impl Sarif {
    /// Writes one finding.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finding(&mut self, out: &mut impl Write, found: Found<'_>) -> io::Result<()> {
        let Found { file, finding, detector, severity } = found;
        if self.results == 0 {
            self.begin(out)?;
        } else {
            out.write_all(b",\n")?;
        }
        self.results += 1;
        let rule = *self.rules.entry(finding.detector).or_insert_with(|| {
            self.order.push(finding.detector);
            self.order.len() - 1
        });
        let text = format!("A value of kind {} ({}).", detector.kind, detector.id);
        let (before, after) = finding.columns;
        let result = json!({
            "ruleId": detector.id,
            "ruleIndex": rule,
            "level": level(severity),
            "message": { "text": text },
            "locations": [{
                "physicalLocation": {
                    "artifactLocation": { "uri": uri(&file.path) },
                    "region": {
                        "startLine": finding.line,
                        "startColumn": before + 1,
                        "endLine": finding.end_line,
                        "endColumn": after + 1,
                    },
                },
            }],
            "partialFingerprints": { "tacendaPseudonym/v1": finding.pseudonym.hex(32) },
            "properties": {
                "kind": detector.kind.name(),
                "severity": severity.name(),
                "confidence": detector.confidence.name(),
            },
        });
        serde_json::to_writer(&mut *out, &result)?;
        Ok(())
    }

    /// Writes what comes after the findings.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(
        self,
        out: &mut impl Write,
        report: &Report,
        searcher: &Searcher<'_>,
    ) -> io::Result<()> {
        if self.results == 0 {
            self.begin(out)?;
        }
        let rules = self.order.iter().map(|id| {
            let detector = searcher.detector(*id);
            let severity = searcher.severity(*id);
            json!({
                "id": detector.id,
                "shortDescription": { "text": format!("{} in a log: {}", detector.kind, detector.id) },
                "help": { "text": advice(detector.kind) },
                "defaultConfiguration": { "level": level(severity) },
                "properties": {
                    "tags": ["security", detector.kind.name()],
                    "precision": precision(detector.confidence),
                    "security-severity": score(severity),
                },
            })
        });
        let driver = json!({
            "name": "tacenda",
            "semanticVersion": env!("CARGO_PKG_VERSION"),
            "rules": rules.collect::<Vec<_>>(),
        });
        let problems = report.problems.iter().map(|problem| {
            json!({
                "level": "error",
                "message": { "text": problem.reason.to_string() },
                "locations": [{
                    "physicalLocation": { "artifactLocation": { "uri": uri(&problem.path) } },
                }],
            })
        });
        let invocation = json!({
            "executionSuccessful": report.problems.is_empty(),
            "toolExecutionNotifications": problems.collect::<Vec<_>>(),
        });
        writeln!(
            out,
            "\n],\"tool\":{},\n\"invocations\":[{invocation}],\n\"columnKind\":\"unicodeCodePoints\"}}]}}",
            json!({ "driver": driver }),
        )
    }

    #[expect(clippy::unused_self, reason = "it belongs to what is written after it")]
    fn begin(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{{\"$schema\":\"{SCHEMA}\",\"version\":\"2.1.0\",\"runs\":[{{\"results\":[")
    }
}

fn precision(confidence: tacenda_detect::Confidence) -> &'static str {
    match confidence {
        tacenda_detect::Confidence::High => "very-high",
        tacenda_detect::Confidence::Medium => "high",
        tacenda_detect::Confidence::Low => "medium",
    }
}
