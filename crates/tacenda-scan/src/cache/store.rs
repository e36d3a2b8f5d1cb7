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
    #[serde(borrow)]
    suppressed: Vec<StoredFinding<'a>>,
    unused: Vec<(usize, u32, Option<u32>, StoredWhy)>,
    problems: Vec<(usize, StoredReason)>,
    files: usize,
    lines: usize,
    uses_tacenda: bool,
}

#[derive(Serialize, Deserialize)]
struct StoredFinding<'a> {
    rule: &'a str,
    path: usize,
    region: [u32; 4],
    cell: Option<StoredCell>,
    bytes: Range<usize>,
    argument: Range<usize>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    kind: Option<&'a str>,
    confidence: &'a str,
    severity: &'a str,
    #[serde(borrow)]
    way: Vec<StoredStep<'a>>,
    fingerprint: &'a str,
}

/// Its file, its place there, its cell, its bytes, and what happens there.
type StoredStep<'a> = (usize, [u32; 4], Option<StoredCell>, Range<usize>, Cow<'a, str>);

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
            | Reason::NoName
            | Reason::Malformed { .. } => return None,
        };
        Some((number(&problem.path)?, reason))
    });
    let stored = Stored {
        findings: all_stored(&report.findings, &number)?,
        suppressed: all_stored(&report.suppressed, &number)?,
        unused: unused.collect::<Option<_>>()?,
        problems: problems.collect::<Option<_>>()?,
        files: report.files,
        lines: report.lines,
        uses_tacenda: report.uses_tacenda,
    };
    serde_json::to_vec(&stored).ok()
}

fn all_stored<'a>(
    findings: &'a [Finding],
    number: &impl Fn(&PathBuf) -> Option<usize>,
) -> Option<Vec<StoredFinding<'a>>> {
    findings.iter().map(|one| stored_finding(one, number)).collect()
}

fn stored_finding<'a>(
    one: &'a Finding,
    number: &impl Fn(&PathBuf) -> Option<usize>,
) -> Option<StoredFinding<'a>> {
    let way = one.way.iter().map(|stop| {
        Some((
            number(&stop.path)?,
            numbers_of(stop.region),
            stop.cell.as_ref().map(stored_cell),
            stop.bytes.clone(),
            Cow::Borrowed(&*stop.what),
        ))
    });
    Some(StoredFinding {
        rule: one.rule.code,
        path: number(&one.path)?,
        region: numbers_of(one.region),
        cell: one.cell.as_ref().map(stored_cell),
        bytes: one.bytes.clone(),
        argument: one.argument.clone(),
        message: Cow::Borrowed(&one.message),
        kind: one.kind.map(Kind::name),
        confidence: one.confidence.name(),
        severity: one.severity.name(),
        way: way.collect::<Option<Vec<_>>>()?,
        fingerprint: &one.fingerprint,
    })
}

/// The report of these files. Nothing if the bytes are not one.
pub(super) fn read(bytes: &[u8], sources: &[Source]) -> Option<Report> {
    let stored: Stored<'_> = serde_json::from_slice(bytes).ok()?;
    let path = |number: usize| sources.get(number).map(|source| source.path.clone());
    let all = |findings: Vec<StoredFinding<'_>>| {
        findings.into_iter().map(|one| finding(one, &path)).collect::<Option<Vec<_>>>()
    };
    let mut report = Report {
        findings: all(stored.findings)?,
        suppressed: all(stored.suppressed)?,
        files: stored.files,
        lines: stored.lines,
        uses_tacenda: stored.uses_tacenda,
        ..Report::default()
    };
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

fn finding(one: StoredFinding<'_>, path: &impl Fn(usize) -> Option<PathBuf>) -> Option<Finding> {
    let mut way = Vec::new();
    for (number, region, cell, bytes, what) in one.way {
        way.push(Stop {
            path: path(number)?,
            region: region_of(region),
            cell: cell.map(cell_of),
            bytes,
            what: Cow::Owned(what.into_owned()),
        });
    }
    let kind = match one.kind {
        Some(name) => Some(Kind::from_name(name)?),
        None => None,
    };
    Some(Finding {
        rule: Rule::of_code(one.rule)?,
        path: path(one.path)?,
        region: region_of(one.region),
        cell: one.cell.map(cell_of),
        bytes: one.bytes,
        argument: one.argument,
        message: one.message.into_owned(),
        kind,
        confidence: Confidence::from_name(one.confidence)?,
        severity: Severity::from_name(one.severity)?,
        way,
        fingerprint: one.fingerprint.to_owned(),
        fix: None,
    })
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
