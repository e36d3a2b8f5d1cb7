//! The summary as one JSON object.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use tacenda_detect::DetectorId;
use tacenda_policy::Severity;

use crate::{Group, LogReport, Report, Searcher};

/// The summary of a report.
pub fn json(report: &Report, searcher: &Searcher<'_>) -> Json {
    let kinds = report.kinds(searcher).into_iter().map(|kind| {
        let of_kind =
            report.detectors.iter().filter(|(id, _)| searcher.detector(**id).kind == kind);
        json!({
            "kind": kind.name(),
            "findings": of_kind.map(|(_, group)| group.findings).sum::<u64>(),
        })
    });
    json!({
        "findings": report.findings(),
        "severities": severities(&report.detectors, searcher),
        "kinds": kinds.collect::<Vec<_>>(),
        "detectors": groups(report.ranked(searcher), searcher),
        "people": { "count": report.people.count(), "exact": report.people.is_exact() },
        "logs": report.logs.iter().map(|log| of_log(log, searcher)).collect::<Vec<_>>(),
        "files": report.searched().count(),
        "lines": report.lines(),
        "bytes": report.bytes(),
        "binary": report.binary.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
        "problems": report.problems.iter().map(|problem| json!({
            "path": problem.path.to_string_lossy(),
            "problem": problem.reason.to_string(),
        })).collect::<Vec<_>>(),
    })
}

/// Findings by severity, worst first.
pub(super) fn severities(
    groups: &BTreeMap<DetectorId, Group>,
    searcher: &Searcher<'_>,
) -> serde_json::Map<String, Json> {
    let count = |severity: Severity| {
        let of_it = groups.iter().filter(|(id, _)| searcher.severity(**id) == severity);
        of_it.map(|(_, group)| group.findings).sum::<u64>()
    };
    Severity::ALL.iter().rev().map(|one| (one.name().to_owned(), count(*one).into())).collect()
}

fn of_log(log: &LogReport, searcher: &Searcher<'_>) -> Json {
    let files = log.files.iter().map(|file| {
        json!({
            "path": file.path.to_string_lossy(),
            "packing": file.packing.name(),
            "lines": file.lines,
            "bytes": file.bytes,
            "findings": file.findings,
            "complete": file.complete,
        })
    });
    json!({
        "name": log.name.to_string_lossy(),
        "files": files.collect::<Vec<_>>(),
        "findings": log.findings(),
        "first_seen": log.seen().map(|(first, _)| first.to_string()),
        "last_seen": log.seen().map(|(_, last)| last.to_string()),
        "detectors": groups(log.ranked(searcher), searcher),
    })
}

fn groups(ranked: Vec<(DetectorId, &Group)>, searcher: &Searcher<'_>) -> Vec<Json> {
    let group = |(id, group): (DetectorId, &Group)| {
        let detector = searcher.detector(id);
        let first = group.first.as_ref();
        json!({
            "detector": detector.id,
            "kind": detector.kind.name(),
            "confidence": detector.confidence.name(),
            "severity": searcher.severity(id).name(),
            "findings": group.findings,
            "values": { "count": group.values.count(), "exact": group.values.is_exact() },
            "first": first.map(|(path, line)| json!({"path": path.to_string_lossy(), "line": line})),
            "first_seen": group.seen.map(|(first, _)| first.to_string()),
            "last_seen": group.seen.map(|(_, last)| last.to_string()),
            "fields": group.fields,
        })
    };
    ranked.into_iter().map(group).collect()
}
