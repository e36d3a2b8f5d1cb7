//! Findings for people: annotated source, from the source of a value to where it is written.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use tacenda_policy::Severity;
use tacenda_scan::{Applicability, Finding, Report, Source, Stop};

/// The findings, each with the lines of its way.
pub(super) fn findings(report: &Report, sources: &[Source]) -> String {
    let by_path: HashMap<&Path, &Source> =
        sources.iter().map(|source| (source.path.as_path(), source)).collect();
    let mut texts: HashMap<PathBuf, String> = HashMap::new();
    for finding in &report.findings {
        for path in finding.way.iter().map(|stop| &stop.path).chain([&finding.path]) {
            if !texts.contains_key(path) {
                let text = by_path.get(path.as_path()).and_then(|source| source.masked());
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
    // One snippet a file; the file of the finding comes first.
    let mut paths: Vec<&Path> = vec![&finding.path];
    for (stop, _) in &stops {
        if !paths.contains(&stop.path.as_path()) {
            paths.push(&stop.path);
        }
    }
    for path in paths {
        let Some(text) = texts.get(path) else { continue };
        let here: Vec<(&Stop, bool)> =
            stops.extract_if(.., |(stop, _)| stop.path == path).collect();
        let mut snippet = Snippet::source(text.as_str()).path(shown(path)).fold(true);
        let mut marked = false;
        for (stop, last) in here {
            if stop.bytes.end > text.len() {
                continue;
            }
            let kind = if last && path == finding.path {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            marked |= last && path == finding.path;
            snippet = snippet.annotation(kind.span(stop.bytes.clone()).label(stop.what));
        }
        if !marked && path == finding.path && finding.bytes.end <= text.len() {
            snippet = snippet.annotation(AnnotationKind::Primary.span(finding.bytes.clone()));
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

pub(super) fn shown(path: &Path) -> String {
    let path = path.to_string_lossy();
    path.strip_prefix("./").unwrap_or(&path).to_owned()
}

/// What was looked at, and what came of it.
pub(super) fn summary(out: &mut impl Write, report: &Report, known: usize) -> io::Result<()> {
    let findings = count(report.findings.len(), "finding", "findings");
    let known = if known == 0 { String::new() } else { format!(", {known} more in the baseline") };
    let files = count(report.files, "file", "files");
    let lines = count(report.lines, "line", "lines");
    writeln!(out, "{findings}{known} in {files}, {lines}")?;
    let fixes = || report.findings.iter().filter_map(|finding| finding.fix.as_ref());
    let safe = fixes().filter(|fix| fix.applicability == Applicability::Safe).count();
    let more = fixes().count() - safe;
    match (safe, more) {
        (0, 0) => Ok(()),
        (safe, 0) => writeln!(out, "{safe} can be fixed with `--fix`"),
        (0, more) => writeln!(out, "{more} can be fixed with `--fix --unsafe-fixes`"),
        (safe, more) => writeln!(
            out,
            "{safe} can be fixed with `--fix`, {more} more with `--fix --unsafe-fixes`"
        ),
    }
}

/// A number of things.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}
