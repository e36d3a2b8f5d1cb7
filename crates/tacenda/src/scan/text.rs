//! Findings for people: annotated source, from the source of a value to where it is written.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use tacenda_policy::Severity;
use tacenda_scan::{Applicability, Cell, Finding, Models, Report, Source, Stop};

use super::LeftOut;

/// The findings, each with the lines of its way.
pub(super) fn findings(report: &Report, sources: &[Source], models: &Models) -> String {
    let by_path: HashMap<&Path, &Source> =
        sources.iter().map(|source| (source.path.as_path(), source)).collect();
    let mut texts: HashMap<PathBuf, String> = HashMap::new();
    for finding in &report.findings {
        for path in finding.way.iter().map(|stop| &stop.path).chain([&finding.path]) {
            if !texts.contains_key(path) {
                let text = by_path.get(path.as_path()).and_then(|source| source.masked(models));
                texts.insert(path.clone(), text.unwrap_or_default());
            }
        }
    }
    let renderer = Renderer::styled();
    let mut page = String::new();
    for finding in &report.findings {
        page.push_str(&renderer.render(&[group(finding, &texts)]));
        page.push_str("\n\n");
    }
    page
}

fn group<'a>(finding: &'a Finding, texts: &'a HashMap<PathBuf, String>) -> Group<'a> {
    let level = match finding.severity {
        Severity::Critical | Severity::High => Level::ERROR,
        Severity::Medium | Severity::Low => Level::WARNING,
        Severity::Info => Level::NOTE,
    };
    let title = format!("{} ({} confidence)", finding.message, finding.confidence.name());
    let mut group = Group::with_title(level.primary_title(title).id(finding.rule.code));
    let last = finding.way.len().saturating_sub(1);
    let mut stops: Vec<(&Stop, bool)> =
        finding.way.iter().enumerate().map(|(at, stop)| (stop, at == last)).collect();
    // One snippet a file or cell; that of the finding comes first.
    let own: Place<'_> = (&finding.path, finding.cell.as_ref());
    let mut places = vec![own];
    for (stop, _) in &stops {
        let place = (stop.path.as_path(), stop.cell.as_ref());
        if !places.iter().any(|one| is_same(*one, place)) {
            places.push(place);
        }
    }
    for place in places {
        let (path, cell) = place;
        let Some(text) = texts.get(path) else { continue };
        let (text, start) = match cell {
            Some(cell) => (text.get(cell.bytes.clone()).unwrap_or_default(), cell.bytes.start),
            None => (text.as_str(), 0),
        };
        let inside = |bytes: &Range<usize>| {
            let bytes = bytes.start.checked_sub(start)?..bytes.end.checked_sub(start)?;
            (bytes.end <= text.len()).then_some(bytes)
        };
        let here: Vec<(&Stop, bool)> = stops
            .extract_if(.., |(stop, _)| is_same((&stop.path, stop.cell.as_ref()), place))
            .collect();
        let mut snippet = Snippet::source(text).path(shown(path, cell)).fold(true);
        let mut marked = false;
        let is_own = is_same(own, place);
        for (stop, last) in here {
            let Some(bytes) = inside(&stop.bytes) else { continue };
            let primary = last && is_own;
            let kind = if primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            marked |= primary;
            snippet = snippet.annotation(kind.span(bytes).label(&*stop.what));
        }
        if !marked
            && is_own
            && let Some(bytes) = inside(&finding.bytes)
        {
            snippet = snippet.annotation(AnnotationKind::Primary.span(bytes));
        }
        group = group.element(snippet);
    }
    if let Some(fix) = &finding.fix {
        let flag = match fix.applicability {
            Applicability::Safe => "--fix",
            Applicability::Unsafe => "--fix --unsafe-fixes",
        };
        let message = format!("it can be fixed with `{flag}`: {}", fix.message);
        group = group.element(Level::HELP.message(message));
    }
    group.element(
        Level::HELP
            .message(format!("`tacenda rule {}` tells what to do instead", finding.rule.code)),
    )
}

/// A file, or a cell of one.
type Place<'a> = (&'a Path, Option<&'a Cell>);

fn is_same(one: Place<'_>, other: Place<'_>) -> bool {
    let number = |place: Place<'_>| place.1.map(|cell| cell.number);
    one.0 == other.0 && number(one) == number(other)
}

pub(super) fn shown(path: &Path, cell: Option<&Cell>) -> String {
    let path = path.to_string_lossy();
    let path = path.strip_prefix("./").unwrap_or(&path);
    cell.map_or_else(|| path.to_owned(), |cell| format!("{path}:cell {}", cell.number))
}

/// What was looked at, and what came of it.
pub(super) fn summary(out: &mut impl Write, report: &Report, left_out: LeftOut) -> io::Result<()> {
    let findings = count(report.findings.len(), "finding", "findings");
    let mut more = String::new();
    for (number, place) in
        [(left_out.before, "from before"), (left_out.accepted, "in the baseline")]
    {
        if number > 0 {
            let _ = write!(more, ", {number} more {place}");
        }
    }
    let files = count(report.files, "file", "files");
    let lines = count(report.lines, "line", "lines");
    writeln!(out, "{findings}{more} in {files}, {lines}")?;
    let suggested = || report.findings.iter().filter_map(|finding| finding.fix.as_ref());
    let safe = suggested().filter(|fix| fix.applicability == Applicability::Safe).count();
    let others = suggested().count() - safe;
    match (safe, others) {
        (0, 0) => Ok(()),
        (safe, 0) => writeln!(out, "{safe} can be fixed with `--fix`"),
        (0, others) => writeln!(out, "{others} can be fixed with `--fix --unsafe-fixes`"),
        (safe, others) => writeln!(
            out,
            "{safe} can be fixed with `--fix`, {others} more with `--fix --unsafe-fixes`"
        ),
    }
}

/// A number of things.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
