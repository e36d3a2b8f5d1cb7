//! Notebooks: their cells are scanned together, and told apart in findings.

use tacenda_scan::{Report, Source, formats, scan};

const NOTEBOOK: &str = r#"{
 "nbformat": 4,
 "nbformat_minor": 5,
 "metadata": {"kernelspec": {"language": "python", "name": "python3"}},
 "cells": [
  {"cell_type": "markdown", "metadata": {}, "source": ["logging.info(password)"]},
  {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source": [
    "import logging, getpass\n",
    "%matplotlib inline\n",
    "!curl -H 'Authorization: violet-heron-9' https://example.org\n",
    "files = !ls\n",
    "answer = getpass.getpass()"
  ]},
  {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source": [
    "%%bash\n",
    "echo $password; print(password)\n"
  ]},
  {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source": [
    "%%time\n",
    "é = 1; logging.info(\"%s\", answer)\n",
    "logging.info(\"%s\", answer)  # tacenda: ignore[TAC101] a test account\n",
    "x = 1  # tacenda: ignore[TAC601] nothing here"
  ]}
 ]
}"#;

fn scanned(text: &str) -> Report {
    scan(&[Source::text("train.ipynb", text.to_owned())], 1)
}

#[test]
fn a_value_is_followed_from_cell_to_cell() {
    let report = scanned(NOTEBOOK);
    let [finding] = &report.findings[..] else { panic!("{:?}", report.findings) };
    assert_eq!(finding.rule.code, "TAC101");
    let cell = finding.cell.as_ref().unwrap();
    assert_eq!((cell.number, finding.region.line, finding.region.column), (4, 2, 8));
    let stops: Vec<_> = finding
        .way
        .iter()
        .map(|stop| (stop.cell.as_ref().unwrap().number, stop.region.line))
        .collect();
    assert_eq!(stops.first(), Some(&(2, 5)));
    assert_eq!(stops.last(), Some(&(4, 2)));
    // Programs that read the file are told where it is there.
    let line = NOTEBOOK.lines().position(|line| line.contains("é = 1")).unwrap() + 1;
    assert_eq!((cell.file.line as usize, cell.file.column), (line, 13));
    assert!(formats::github(&report).contains(&format!("file=train.ipynb,line={line},col=13")));
    assert!(formats::jsonl(&report).contains(&"\"cell\":4,\"column\":8".to_string()));
}

#[test]
fn comments_suppress_in_cells() {
    let report = scanned(NOTEBOOK);
    let [unused] = &report.unused[..] else { panic!("{:?}", report.unused) };
    assert_eq!((unused.cell, unused.line), (Some(4), 4));
}

#[test]
fn what_is_shown_of_a_notebook_is_its_code_without_secrets() {
    let shown = Source::text("train.ipynb", NOTEBOOK.to_owned())
        .masked(tacenda_scan::Models::builtin())
        .unwrap();
    assert!(shown.contains("logging.info(") && !shown.contains("violet-heron"), "{shown}");
}

#[test]
fn what_is_no_notebook_is_a_problem() {
    for text in ["", "{", "{\"nbformat\": 4, \"cells\": 7}", "{\"nbformat\": 3}"] {
        let report = scanned(text);
        assert_eq!((report.files, report.problems.len()), (0, 1), "{text}");
    }
    let report = scanned("{\n\"nbformat\": 4,\n\"cells\": [oops]}");
    assert!(report.problems[0].reason.to_string().starts_with("line 3, column 11"));
}

#[test]
fn a_stub_does_not_hide_the_code_beside_it() {
    let sources = [
        Source::text("send.py", "import logging\ndef send(x):\n    logging.info(x)\n"),
        Source::text("send.pyi", "def send(x: str) -> None: ...\n"),
        Source::text("go.py", "from send import send\ndef go(password):\n    send(password)\n"),
    ];
    let report = scan(&sources, 1);
    assert_eq!(report.findings.len(), 1, "{:?}", report.problems);
    assert_eq!(report.files, 3);
}
