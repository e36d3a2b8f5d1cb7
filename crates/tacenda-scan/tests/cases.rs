//! Small programs in the ways of public advisories that leak, and twins of them that do not.
//! `cases/*.txt` holds them, each behind a line `== name`. Those of `cases/lines.txt`,
//! `cases/spoken.txt`, `cases/used.txt` and `cases/packages.txt` (whole packages) are longer and say
//! of each of their logging calls what it is: `# leak`, `# safe`; and where the scan is known to be
//! wrong, `# missed`, `# false`.

use std::collections::BTreeMap;

use tacenda_scan::{Confidence, Finding, Source, scan};

/// The names of the cases in which a leak is found, and of those in which none is.
fn told(cases: &str) -> (Vec<&str>, Vec<&str>) {
    cases.split("\n== ").filter_map(|case| case.split_once('\n')).map(leaks).fold(
        (Vec::new(), Vec::new()),
        |(mut found, mut quiet), (name, leaks)| {
            if leaks { &mut found } else { &mut quiet }.push(name);
            (found, quiet)
        },
    )
}

fn leaks<'a>((name, code): (&'a str, &str)) -> (&'a str, bool) {
    let report = scan(&[Source::text(format!("{name}.py"), code.to_owned())], 1);
    (name, report.findings.iter().any(is_leak))
}

fn is_leak(finding: &Finding) -> bool {
    let leaks = ["TAC1", "TAC2", "TAC6"].iter().any(|one| finding.rule.code.starts_with(one));
    leaks && finding.confidence >= Confidence::Medium
}

#[test]
fn every_leak_is_found() {
    let (found, missed) = told(include_str!("cases/leaks.txt"));
    assert!(missed.is_empty() && found.len() > 90, "missed: {missed:?}");
}

#[test]
fn nothing_safe_is_found() {
    let (wrong, quiet) = told(include_str!("cases/safe.txt"));
    assert!(wrong.is_empty() && quiet.len() > 65, "false: {wrong:?}");
}

#[test]
fn every_line_is_told_apart() {
    // Files in one directory are scanned together.
    let mut programs: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
    let texts = [
        include_str!("cases/lines.txt"),
        include_str!("cases/spoken.txt"),
        include_str!("cases/packages.txt"),
        include_str!("cases/used.txt"),
    ];
    let cases = texts.iter().flat_map(|text| text.trim_start_matches("== ").split("\n== "));
    for case in cases {
        let (name, code) = case.split_once('\n').unwrap();
        let program = name.split('/').next().unwrap();
        programs.entry(program).or_default().push((name, code));
    }
    let (mut leaks, mut safe, mut wrong) = (0, 0, Vec::new());
    for files in programs.values() {
        let sources: Vec<Source> =
            files.iter().map(|(name, code)| Source::text(*name, (*code).to_owned())).collect();
        let report = scan(&sources, 1);
        for (name, code) in files {
            for (number, line) in (1..).zip(code.lines()) {
                let expected = match line.rsplit_once("  # ").map(|(_, mark)| mark) {
                    Some("leak") => true,
                    Some("safe") => false,
                    _ => continue,
                };
                let found = report.findings.iter().filter(|one| is_leak(one)).any(|one| {
                    one.path.to_str() == Some(name)
                        && (one.region.line..=one.region.end_line).contains(&number)
                });
                *if expected { &mut leaks } else { &mut safe } += 1;
                if found != expected {
                    wrong.push(format!("{name}:{number}: {line}"));
                }
            }
        }
    }
    assert!(leaks > 180 && safe > 220, "{leaks} leaks, {safe} safe");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
