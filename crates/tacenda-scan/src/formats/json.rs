//! JSON: the whole report as one object, or a finding a line.

use serde_json::{Value, json};

use super::shown;
use crate::finding::{Cell, Finding, Region};
use crate::fix::Edit;
use crate::scan::Report;

/// The report as one object.
pub fn json(report: &Report) -> Value {
    let unused = report.unused.iter().map(|one| {
        let mut object = json!({
            "path": shown(&one.path), "line": one.line, "message": one.why.to_string(),
        });
        if let Some(cell) = one.cell {
            object["cell"] = cell.into();
        }
        object
    });
    let problems = report
        .problems
        .iter()
        .map(|one| json!({ "path": shown(&one.path), "message": one.reason.to_string() }));
    json!({
        "findings": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "suppressed": report.suppressed.iter().map(finding).collect::<Vec<_>>(),
        "unused_suppressions": unused.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
        "files": report.files,
        "lines": report.lines,
    })
}

/// The findings, one object a line.
pub fn jsonl(report: &Report) -> String {
    report.findings.iter().flat_map(|one| [finding(one).to_string(), "\n".to_owned()]).collect()
}

fn finding(finding: &Finding) -> Value {
    let way = finding.way.iter().map(|stop| {
        let mut place = region(stop.region);
        cell(&mut place, stop.cell.as_ref());
        place["path"] = shown(&stop.path).into();
        place["what"] = (*stop.what).into();
        place
    });
    let way: Vec<Value> = way.collect();
    let mut object = region(finding.region);
    cell(&mut object, finding.cell.as_ref());
    object["path"] = shown(&finding.path).into();
    object["rule"] = finding.rule.code.into();
    object["name"] = finding.rule.name.into();
    object["message"] = finding.message.clone().into();
    object["kind"] = finding.kind.map(tacenda_policy::Kind::name).into();
    object["confidence"] = finding.confidence.name().into();
    object["severity"] = finding.severity.name().into();
    object["fingerprint"] = finding.fingerprint.clone().into();
    object["way"] = way.into();
    if let Some(fix) = &finding.fix {
        let edit = |edit: &Edit| {
            let mut place = region(edit.region);
            place["text"] = edit.text.clone().into();
            place
        };
        object["fix"] = json!({
            "message": fix.message,
            "applicability": fix.applicability.name(),
            "edits": fix.edits.iter().map(edit).collect::<Vec<_>>(),
        });
    }
    object
}

/// Of what is in a notebook, the cell whose lines were told, and the line of the file.
fn cell(place: &mut Value, cell: Option<&Cell>) {
    if let Some(cell) = cell {
        place["cell"] = cell.number.into();
        place["file_line"] = cell.file.line.into();
    }
}

fn region(region: Region) -> Value {
    json!({
        "line": region.line,
        "column": region.column,
        "end_line": region.end_line,
        "end_column": region.end_column,
    })
}
