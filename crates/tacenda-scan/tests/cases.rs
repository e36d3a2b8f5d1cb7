//! Small programs in the ways of public advisories that leak, and twins of them that do not.
//! `cases/*.txt` holds them, each behind a line `== name`.

use tacenda_scan::{Confidence, Source, scan};

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
    let leak = report.findings.iter().any(|finding| {
        let leaks = ["TAC1", "TAC2", "TAC6"].iter().any(|one| finding.rule.code.starts_with(one));
        leaks && finding.confidence >= Confidence::Medium
    });
    (name, leak)
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
