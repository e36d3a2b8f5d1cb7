//! Every rule has a fixture, and the findings in it are a snapshot: what is found, where, how sure,
//! on which way, and nothing else. `UPDATE_SNAPSHOTS=1` writes them anew.

#![expect(clippy::format_push_string, reason = "small texts, made once a test")]

use std::fs;
use std::path::{Path, PathBuf};

use tacenda_scan::rules::RULES;
use tacenda_scan::{Confidence, Finding, Report, Source, scan};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn scanned(name: &str, text: &str) -> Report {
    scan(&[Source::text(name, text.to_owned())], 1)
}

fn shown(findings: &[Finding]) -> String {
    let mut page = String::new();
    for finding in findings {
        let region = finding.region;
        page.push_str(&format!(
            "{}:{}-{}:{} {} {} {}: {}\n",
            region.line,
            region.column,
            region.end_line,
            region.end_column,
            finding.rule.code,
            finding.severity.name(),
            finding.confidence.name(),
            finding.message
        ));
        for stop in &finding.way {
            page.push_str(&format!(
                "    {}:{} {}\n",
                stop.region.line, stop.region.column, stop.what
            ));
        }
    }
    page
}

#[test]
fn every_rule_finds_what_its_fixture_shows() {
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    for rule in RULES {
        let name = format!("{}.py", rule.code);
        let text = fs::read_to_string(fixtures().join(&name))
            .unwrap_or_else(|_| panic!("{} has no fixture", rule.code));
        let report = scanned(&name, &text);
        let page = shown(&report.findings);
        assert!(page.contains(rule.code), "{} is not found in its fixture:\n{page}", rule.code);
        let snapshot = fixtures().join(format!("{}.txt", rule.code));
        if update {
            fs::write(&snapshot, &page).unwrap();
        }
        assert_eq!(fs::read_to_string(&snapshot).unwrap_or_default(), page, "{}", rule.code);
    }
}

#[test]
fn the_page_of_every_rule_is_whole() {
    for rule in RULES {
        let page = rule.page();
        for part in
            ["## What it does", "## Why is this bad?", "## Example", "## Use instead", "CWE-"]
        {
            assert!(page.contains(part), "{} lacks {part:?}", rule.code);
        }
        assert!(rule.summary().ends_with('.') && !rule.cwe.is_empty() && !rule.owasp.is_empty());
    }
    assert!(RULES.is_sorted_by_key(|rule| rule.code));
}

#[test]
fn the_reference_of_the_rules_is_fresh() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/scan-rules.md");
    let mut page = String::from(
        "# Rules of `tacenda scan`\n\nMade from the rules themselves; `tacenda rule CODE` prints the same.\n",
    );
    for rule in RULES {
        page.push_str(&format!("\n## {}: {}\n\n", rule.code, rule.name));
        page.push_str(&rule.page().replace("\n## ", "\n### ").replace("```python", "```text"));
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), page, "run with UPDATE_SNAPSHOTS=1");
}

#[test]
fn a_comment_with_a_reason_suppresses() {
    let text = |comment: &str| {
        format!("import logging\ndef f(password):\n    logging.info('%s', password)  {comment}\n")
    };
    let codes =
        |report: &Report| report.findings.iter().map(|one| one.rule.code).collect::<Vec<_>>();
    let plain = scanned("a.py", &text(""));
    assert_eq!(codes(&plain), ["TAC101"]);
    let reasoned = scanned("a.py", &text("# tacenda: ignore[TAC101] a test account"));
    assert!(reasoned.findings.is_empty() && reasoned.unused.is_empty());
    for (comment, why) in [
        ("# tacenda: ignore[TAC101]", "no reason"),
        ("# tacenda: ignore a test account", "names no rule"),
        ("# tacenda: ignore[TAC102] a test account", "not found here"),
    ] {
        let report = scanned("a.py", &text(comment));
        assert_eq!(codes(&report), ["TAC101"]);
        assert!(report.unused[0].why.to_string().contains(why), "{comment}");
    }
    let above = "import logging\ndef f(password):\n    # tacenda: ignore[TAC101] a test account\n    logging.info('%s', password)\n";
    assert!(scanned("a.py", above).findings.is_empty());
}

#[test]
fn a_fingerprint_stays_when_lines_move() {
    let text = "import logging\ndef f(password):\n    logging.info('%s', password)\n    logging.info('%s', password)\n";
    let marks = |text: &str| {
        let report = scanned("a.py", text);
        report.findings.iter().map(|one| one.fingerprint.clone()).collect::<Vec<_>>()
    };
    let before = marks(text);
    assert_eq!(before.len(), 2);
    assert_ne!(before[0], before[1]);
    assert_eq!(before, marks(&format!("\n\n# moved\n{text}")));
}

#[test]
fn files_know_each_other() {
    let library = "import logging\ndef send(payload):\n    logging.debug('sending %s', payload)\n    deliver(payload)\ndef fetch():\n    return open('x').read()\n";
    let caller = "from library import send\nimport getpass\ndef go():\n    answer = getpass.getpass()\n    send(answer)\n";
    let report = scan(
        &[
            Source::text("library.py", library.to_owned()),
            Source::text("caller.py", caller.to_owned()),
        ],
        1,
    );
    let found: Vec<_> = report
        .findings
        .iter()
        .map(|one| (one.path.to_str().unwrap(), one.region.line, one.rule.code))
        .collect();
    assert_eq!(found, [("library.py", 3, "TAC101")]);
    let files: Vec<_> =
        report.findings[0].way.iter().map(|stop| stop.path.to_str().unwrap()).collect();
    assert_eq!(files.first(), Some(&"caller.py"));
    assert_eq!(files.last(), Some(&"library.py"));
}

#[test]
fn who_hands_something_to_a_function_that_does_nothing_but_log_is_told() {
    let code = "import getpass, logging\ndef note(level, text, *values):\n    logging.log(level, text, *values)\ndef go():\n    answer = getpass.getpass()\n    note(logging.INFO, 'got %s', answer)\n    note(logging.INFO, 'got %d', len(answer))\n";
    let report = scan(&[Source::text("note.py", code.to_owned())], 1);
    let sure = report.findings.iter().filter(|one| one.confidence >= Confidence::Medium);
    let lines: Vec<_> = sure.map(|one| one.region.line).collect();
    assert_eq!(lines, [6]);
}
