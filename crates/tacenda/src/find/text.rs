//! The report for people: worst first, and what to do next.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use jiff::Timestamp;
use tacenda_find::{LogReport, Report, Searcher, advice};
use tacenda_policy::Severity;

use crate::report::{plural, size};

/// Logs that are listed.
const LOGS: usize = 20;

/// Files that are named in the command that is proposed.
const FILES: usize = 3;

const BOLD: Style = Style::new().bold();

pub(crate) fn report(
    out: &mut impl Write,
    report: &Report,
    searcher: &Searcher<'_>,
) -> io::Result<()> {
    if report.findings() > 0 {
        headline(out, report, searcher)?;
        detectors(out, report, searcher)?;
        logs(out, report, searcher)?;
        next(out, report, searcher)?;
    }
    searched(out, report)
}

fn headline(out: &mut impl Write, report: &Report, searcher: &Searcher<'_>) -> io::Result<()> {
    let with_findings = report.logs.iter().filter(|log| !log.groups.is_empty()).count();
    write!(out, "{BOLD}{}{BOLD:#}", plural(report.findings(), "finding"))?;
    match report.logs.len() {
        1 => write!(out, " in {}", shown(&report.logs[0].name))?,
        all => write!(out, " in {with_findings} of {all} logs")?,
    }
    let mut parts = Vec::new();
    for severity in Severity::ALL.iter().rev() {
        let groups = report.detectors.iter().filter(|(id, _)| searcher.severity(**id) == *severity);
        let count: u64 = groups.map(|(_, group)| group.findings).sum();
        if count > 0 {
            let style = style(*severity);
            parts.push(format!("{style}{count} {severity}{style:#}"));
        }
    }
    write!(out, ": {}", parts.join(", "))?;
    let people = report.people.count();
    if people > 0 {
        let noun = if people == 1 { "person" } else { "people" };
        write!(out, "; about {people} {noun}")?;
    }
    writeln!(out, "\n")
}

fn detectors(out: &mut impl Write, report: &Report, searcher: &Searcher<'_>) -> io::Result<()> {
    let rows = report.ranked(searcher).into_iter().map(|(id, group)| {
        let (detector, severity) = (searcher.detector(id), searcher.severity(id));
        let place = group.first.as_ref().map(|(path, line)| format!("{}:{line}", shown(path)));
        let cells = [
            severity.to_string(),
            detector.kind.to_string(),
            detector.id.to_owned(),
            group.findings.to_string(),
            group.values.to_string(),
            place.unwrap_or_default(),
            group.seen.map(span).unwrap_or_default(),
        ];
        (style(severity), cells)
    });
    let head = ["severity", "kind", "detector", "findings", "values", "first", "records of"];
    table(out, head, &rows.collect::<Vec<_>>(), &[3, 4])
}

fn logs(out: &mut impl Write, report: &Report, searcher: &Searcher<'_>) -> io::Result<()> {
    if report.logs.len() < 2 && report.logs.iter().all(|log| log.files.len() < 2) {
        return Ok(());
    }
    let worst = report.worst_logs(searcher);
    let row = |log: &&LogReport| {
        let ranked = log.ranked(searcher);
        let severity = ranked.first().map_or(Severity::Info, |(id, _)| searcher.severity(*id));
        let mut name = shown(&log.name);
        if log.files.len() > 1 {
            let _ = write!(name, " ({} files)", log.files.len());
        }
        let mut what: Vec<String> = ranked
            .iter()
            .take(4)
            .map(|(id, group)| format!("{} {}", searcher.detector(*id).id, group.findings))
            .collect();
        if ranked.len() > what.len() {
            what.push(format!("{} more", ranked.len() - what.len()));
        }
        let seen = log.seen().map(span).unwrap_or_default();
        let cells = [severity.to_string(), name, log.findings().to_string(), what.join(", "), seen];
        (style(severity), cells)
    };
    let rows: Vec<_> = worst.iter().take(LOGS).map(row).collect();
    writeln!(out)?;
    table(out, ["worst", "log", "findings", "of", "records of"], &rows, &[2])?;
    if worst.len() > LOGS {
        writeln!(out, "and {} more", plural((worst.len() - LOGS) as u64, "log"))?;
    }
    Ok(())
}

fn next(out: &mut impl Write, report: &Report, searcher: &Searcher<'_>) -> io::Result<()> {
    writeln!(out, "\n{BOLD}What to do{BOLD:#}")?;
    let kinds = report.kinds(searcher);
    let width = kinds.iter().map(|kind| kind.name().len()).max().unwrap_or(0);
    for kind in kinds {
        writeln!(out, "  {kind:<width$}  {}", advice(kind))?;
    }
    let worst = report.worst_logs(searcher);
    let files: Vec<String> = worst
        .iter()
        .flat_map(|log| &log.files)
        .filter(|file| file.findings > 0 && file.path != Path::new("-"))
        .map(|file| quoted(&file.path))
        .collect();
    if !files.is_empty() {
        let more = if files.len() > FILES { " …" } else { "" };
        let files = files[..files.len().min(FILES)].join(" ");
        writeln!(out, "\n  To remove the values and keep all else:")?;
        writeln!(out, "    tacenda redact --in-place {files}{more}")?;
    }
    writeln!(out, "  To keep them out of the next log:")?;
    writeln!(out, "    tacenda run -- COMMAND\n")
}

fn searched(out: &mut impl Write, report: &Report) -> io::Result<()> {
    let files = report.searched().count() as u64;
    if files == 0 {
        return Ok(());
    }
    let lines = plural(report.lines(), "line");
    let bytes = size(report.bytes());
    let nothing = if report.findings() == 0 { "nothing found: " } else { "" };
    writeln!(out, "{nothing}searched {}, {lines}, {bytes}", plural(files, "file"))?;
    let binary = report.binary.len() as u64;
    if binary > 0 {
        let verb = if binary == 1 { "is" } else { "are" };
        writeln!(out, "{} {verb} no text and left out (--binary)", plural(binary, "file"))?;
    }
    let problems = report.problems.len() as u64;
    if problems > 0 {
        writeln!(out, "{} could not be read, or not to the end", plural(problems, "file"))?;
    }
    Ok(())
}

/// Times to the second; the day once where both are of it.
fn span((first, last): (Timestamp, Timestamp)) -> String {
    let full = |time: Timestamp| time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let same_day = first.strftime("%F").to_string() == last.strftime("%F").to_string();
    match (first == last, same_day) {
        (true, _) => full(first),
        (_, true) => format!("{} to {}", full(first), last.strftime("%H:%M:%S")),
        _ => format!("{} to {}", full(first), full(last)),
    }
}

/// A path without what a terminal would take for an instruction.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

/// A path as a word of a shell.
fn quoted(path: &Path) -> String {
    let text = shown(path);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./+:@%,=".contains(c);
    if text.chars().all(is_plain) && !text.starts_with('-') {
        return text;
    }
    let text = text.replace('\'', "'\\''");
    if text.starts_with('-') { format!("'./{text}'") } else { format!("'{text}'") }
}

fn style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low | Severity::Info => Style::new(),
    }
}

/// Columns under their heads; those named in `numbers` to the right. The first has the style of
/// its row.
fn table<const N: usize>(
    out: &mut impl Write,
    head: [&str; N],
    rows: &[(Style, [String; N])],
    numbers: &[usize],
) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|(_, row)| row[column].chars().count());
        cells.chain([head[column].len()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut line = |style: Style, is_head: bool, cells: [&str; N]| {
        let mut line = String::new();
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let pad = " ".repeat(width - cell.chars().count());
            let (left, right) = if numbers.contains(&column) { (&*pad, "") } else { ("", &*pad) };
            let style = if is_head || column == 0 { style } else { Style::new() };
            let gap = if column == 0 { "" } else { "  " };
            let _ = write!(line, "{gap}{left}{style}{cell}{style:#}{right}");
        }
        writeln!(out, "{}", line.trim_end())
    };
    line(BOLD, true, head)?;
    rows.iter().try_for_each(|(style, row)| {
        line(*style, false, std::array::from_fn(|column| row[column].as_str()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_word_of_a_shell() {
        assert_eq!(quoted(Path::new("logs/app.log.1")), "logs/app.log.1");
        assert_eq!(quoted(Path::new("my logs/it's.log")), "'my logs/it'\\''s.log'");
        assert_eq!(quoted(Path::new("-rf")), "'./-rf'");
        assert_eq!(shown(Path::new("a\u{1b}[31m.log")), "a\u{fffd}[31m.log");
    }

    #[test]
    fn a_day_is_named_once() {
        let time = |text: &str| text.parse().unwrap();
        let (a, b) = (time("2026-11-21T10:00:00Z"), time("2026-11-21T11:30:00Z"));
        assert_eq!(span((a, a)), "2026-11-21 10:00:00");
        assert_eq!(span((a, b)), "2026-11-21 10:00:00 to 11:30:00");
        let c = time("2026-11-22T00:00:01Z");
        assert_eq!(span((a, c)), "2026-11-21 10:00:00 to 2026-11-22 00:00:01");
    }
}
