//! A report as the cache keeps it: files by their numbers, rules by their codes, and nothing of a
//! source text. What cannot be read in full is as good as not there.

use std::borrow::Cow;
use std::ops::Range;
use std::path::PathBuf;

use rustc_hash::FxHashMap as HashMap;
use serde::{Deserialize, Serialize};
use tacenda_policy::{Kind, Severity};

use crate::Confidence;
use crate::files::{Problem, Reason, Source};
use crate::finding::{Cell, Finding, Region, Stop};
use crate::rules::Rule;
use crate::scan::Report;
use crate::suppress::{Unused, Why};

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(borrow)]
    findings: Vec<StoredFinding<'a>>,
    unused: Vec<(usize, u32, Option<u32>, StoredWhy)>,
    problems: Vec<(usize, StoredReason)>,
    files: usize,
    lines: usize,
}

#[derive(Serialize, Deserialize)]
struct StoredFinding<'a> {
    rule: &'a str,
    path: usize,
    region: [u32; 4],
    cell: Option<StoredCell>,
    bytes: Range<usize>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    kind: Option<&'a str>,
    confidence: &'a str,
    severity: &'a str,
    way: Vec<(usize, [u32; 4], Option<StoredCell>, Range<usize>, Cow<'a, str>)>,
    fingerprint: &'a str,
}

/// Its number, its place in the code, and that of the finding in the file.
type StoredCell = (u32, Range<usize>, [u32; 4]);

#[derive(Serialize, Deserialize)]
enum StoredWhy {
    NotFound(String),
    NoRule,
    NoReason,
}

#[derive(Serialize, Deserialize)]
enum StoredReason {
    TooLarge,
    NotText,
}

/// The report as bytes. Nothing if it holds what is not to be kept.
pub(super) fn write(report: &Report, sources: &[Source]) -> Option<Vec<u8>> {
    let numbers: HashMap<_, usize> =
        sources.iter().enumerate().map(|(at, source)| (&source.path, at)).collect();
    let number = |path: &PathBuf| numbers.get(path).copied();
    let finding = |finding: &'_ Finding| {
        let way = finding.way.iter().map(|stop| {
            Some((
                number(&stop.path)?,
                numbers_of(stop.region),
                stop.cell.as_ref().map(stored_cell),
                stop.bytes.clone(),
                stop.what.clone(),
            ))
        });
        Some((number(&finding.path)?, way.collect::<Option<Vec<_>>>()?))
    };
    let mut findings = Vec::new();
    for one in &report.findings {
        let (path, way) = finding(one)?;
        findings.push(StoredFinding {
            rule: one.rule.code,
            path,
            region: numbers_of(one.region),
            cell: one.cell.as_ref().map(stored_cell),
            bytes: one.bytes.clone(),
            message: Cow::Borrowed(&one.message),
            kind: one.kind.map(Kind::name),
            confidence: one.confidence.name(),
            severity: one.severity.name(),
            way,
            fingerprint: &one.fingerprint,
        });
    }
    let unused = report.unused.iter().map(|one| {
        let why = match &one.why {
            // What else stands there is text of the source.
            Why::NotFound(code) => StoredWhy::NotFound(Rule::of_code(code)?.code.to_owned()),
            Why::NoRule => StoredWhy::NoRule,
            Why::NoReason => StoredWhy::NoReason,
        };
        Some((number(&one.path)?, one.line, one.cell, why))
    });
    let problems = report.problems.iter().map(|problem| {
        let reason = match problem.reason {
            Reason::TooLarge => StoredReason::TooLarge,
            Reason::NotText => StoredReason::NotText,
            // The next time it may be another.
            Reason::Unreadable(_)
            | Reason::Internal
            | Reason::NoNotebook(_)
            | Reason::Malformed { .. } => return None,
        };
        Some((number(&problem.path)?, reason))
    });
    let stored = Stored {
        findings,
        unused: unused.collect::<Option<_>>()?,
        problems: problems.collect::<Option<_>>()?,
        files: report.files,
        lines: report.lines,
    };
    serde_json::to_vec(&stored).ok()
}

/// The report of these files. Nothing if the bytes are not one.
pub(super) fn read(bytes: &[u8], sources: &[Source]) -> Option<Report> {
    let stored: Stored<'_> = serde_json::from_slice(bytes).ok()?;
    let path = |number: usize| sources.get(number).map(|source| source.path.clone());
    let mut report = Report { files: stored.files, lines: stored.lines, ..Report::default() };
    for one in stored.findings {
        let mut way = Vec::new();
        for (number, region, cell, bytes, what) in one.way {
            let what = Cow::Owned(what.into_owned());
            way.push(Stop {
                path: path(number)?,
                region: region_of(region),
                cell: cell.map(cell_of),
                bytes,
                what,
            });
        }
        let kind = match one.kind {
            Some(name) => Some(Kind::from_name(name)?),
            None => None,
        };
        report.findings.push(Finding {
            rule: Rule::of_code(one.rule)?,
            path: path(one.path)?,
            region: region_of(one.region),
            cell: one.cell.map(cell_of),
            bytes: one.bytes,
            message: one.message.into_owned(),
            kind,
            confidence: Confidence::from_name(one.confidence)?,
            severity: Severity::from_name(one.severity)?,
            way,
            fingerprint: one.fingerprint.to_owned(),
        });
    }
    for (number, line, cell, why) in stored.unused {
        let why = match why {
            StoredWhy::NotFound(code) => Why::NotFound(code),
            StoredWhy::NoRule => Why::NoRule,
            StoredWhy::NoReason => Why::NoReason,
        };
        report.unused.push(Unused { path: path(number)?, line, cell, why });
    }
    for (number, reason) in stored.problems {
        let reason = match reason {
            StoredReason::TooLarge => Reason::TooLarge,
            StoredReason::NotText => Reason::NotText,
        };
        report.problems.push(Problem { path: path(number)?, reason });
    }
    Some(report)
}

fn stored_cell(cell: &Cell) -> StoredCell {
    (cell.number, cell.bytes.clone(), numbers_of(cell.file))
}

fn cell_of((number, bytes, file): StoredCell) -> Cell {
    Cell { number, bytes, file: region_of(file) }
}

fn numbers_of(region: Region) -> [u32; 4] {
    [region.line, region.column, region.end_line, region.end_column]
}

fn region_of([line, column, end_line, end_column]: [u32; 4]) -> Region {
    Region { line, column, end_line, end_column }
}
