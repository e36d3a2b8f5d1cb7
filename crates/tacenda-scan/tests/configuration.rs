//! Configuration: what is found in each file of `fixtures/configuration` is a snapshot.
//! `UPDATE_SNAPSHOTS=1` writes them anew.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tacenda_scan::{Confidence, Report, Selection, Source, scan};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/configuration")
}

fn scanned(name: &str, text: &str) -> Report {
    scan(&[Source::text(name, text.to_owned())], 1)
}

fn shown(text: &str, report: &Report) -> String {
    let mut page = String::new();
    for finding in &report.findings {
        let region = finding.region;
        let place = format!("{}:{}", region.line, region.column);
        let said = text[finding.bytes.clone()].replace('\n', "⏎");
        let (rule, confidence) = (finding.rule.code, finding.confidence.name());
        writeln!(page, "{place} {rule} {confidence}: {} | {said}", finding.message).unwrap();
    }
    for unused in &report.unused {
        writeln!(page, "{} unused: {}", unused.line, unused.why).unwrap();
    }
    page
}

#[test]
fn every_fixture_is_found_as_its_snapshot_says() {
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut count = 0;
    for entry in fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.extension().is_some_and(|extension| extension == "txt") {
            continue;
        }
        count += 1;
        let text = fs::read_to_string(&path).unwrap();
        let report = scanned(name, &text);
        assert!(report.problems.is_empty(), "{name}");
        let page = shown(&text, &report);
        let snapshot = fixtures().join(format!("{name}.txt"));
        if update {
            fs::write(&snapshot, &page).unwrap();
        }
        assert_eq!(fs::read_to_string(&snapshot).unwrap_or_default(), page, "{name}");
        let masked =
            Source::text(name, text.clone()).masked(tacenda_scan::Models::builtin()).unwrap();
        assert_eq!(masked.len(), text.len());
        assert!(!masked.contains("violet-heron"), "{name}");
    }
    assert!(count > 9);
}

#[test]
fn in_directories_only_configuration_counts() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let logging = "version: 1\nhandlers: {}\nroot: {level: DEBUG}\n";
    write("logging.yaml", logging);
    write("chart/values.yaml", "services: {{ .Values.services }}\n");
    write("data.json", "{\"services\": [1, 2]}");
    write("large.json", &format!("{{\"services\": \"{}\"}}", "x".repeat(2 << 20)));
    write("binary.cfg", "\0");
    write(".env", "FLASK_DEBUG=1\n");
    write(".hidden/logging.yaml", logging);
    write(".other", "FLASK_DEBUG=1\n");
    write("ignored/.env", "FLASK_DEBUG=1\n");
    write(".gitignore", "ignored/\n");
    write("dev/logging.yaml", logging);
    let selection = Selection { paths: vec![directory.path().into()], ..Selection::default() };
    let (sources, problems) = selection.select().unwrap();
    assert!(problems.is_empty());
    let report = scan(&sources, 1);
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let told: Vec<_> = report
        .findings
        .iter()
        .map(|one| {
            let path = one.path.strip_prefix(directory.path()).unwrap();
            (path.to_str().unwrap(), one.rule.code, one.confidence)
        })
        .collect();
    // What is for development is a hint.
    assert_eq!(
        told,
        [
            (".env", "TAC302", Confidence::Medium),
            ("dev/logging.yaml", "TAC301", Confidence::Low),
            ("logging.yaml", "TAC301", Confidence::Medium),
        ]
    );
    assert_eq!(report.files, 3);
}

#[test]
fn a_named_file_that_is_malformed_is_a_problem() {
    for (name, text, place) in [
        ("a.yaml", "version: 1\nhandlers: [\n", "line 3, column 1"),
        ("a.json", "{\"root\": {\"a\": ]}}\n", "line 1, column 18"),
        ("a.toml", "[root]\nlevel = DEBUG\n", "line 2, column 9"),
    ] {
        let report = scanned(name, text);
        let [problem] = &report.problems[..] else { panic!("{name}: {:?}", report.problems) };
        assert!(problem.reason.to_string().starts_with(place), "{name}: {}", problem.reason);
    }
    let report = scanned("a.yaml", "x: 1\n");
    assert_eq!((report.files, report.problems.len(), report.findings.len()), (1, 0, 0));
}

/// Pieces of the formats, put together at random: closer to files than random characters are.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "version: 1\n",
        "handlers:\n",
        "root: ",
        "level: DEBUG",
        "{",
        "}",
        "[",
        "]",
        ", ",
        ": ",
        "\n",
        "\n  ",
        "\n    - ",
        "\"",
        "'",
        "&a ",
        "*a",
        "<<: ",
        "|\n",
        ">\n",
        "#",
        "\t",
        "é",
        "\u{feff}",
        "\\",
        "services:",
        "image: x",
        "command: ",
        "apiVersion: v1\nkind: Pod\n",
        "containers:",
        "args: ",
        "env:",
        "- name: FLASK_DEBUG",
        "value: 1",
        "[loggers]\nkeys=root\n",
        "[handlers]\nkeys=x\n",
        "[handler_x]\nclass=FileHandler\nargs=(",
        "'/tmp/x'",
        ")",
        "= ",
        "FROM a AS b\n",
        "FROM b\n",
        "ENV ",
        "CMD ",
        "ENTRYPOINT ",
        "mlx_lm.server ",
        "--log-level",
        " DEBUG",
        "sh -c ",
        "tacenda: ignore[TAC301] x",
        "{\"nbformat\": 4, \"cells\": [",
        "{\"cell_type\": \"code\", \"source\": [\"",
        "\\u00e9\\ud83d\\ude00\\n",
        "\"]}",
        "]}",
        "%%bash\\n",
        "import logging\\nlogging.info(password)\\n",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_text_is_looked_at(text in prop_oneof![pieces(), any::<String>()]) {
        for name in ["a.yaml", "a.json", "a.toml", "a.ini", ".env", "Dockerfile", "Procfile", "a.ipynb"] {
            let report = scanned(name, &text);
            let internal = |reason: &tacenda_scan::Reason| matches!(reason, tacenda_scan::Reason::Internal);
            prop_assert!(!report.problems.iter().any(|one| internal(&one.reason)), "{}", name);
            for finding in &report.findings {
                prop_assert!(finding.region.line <= finding.region.end_line);
            }
            if let Some(masked) = Source::text(name, text.clone()).masked(tacenda_scan::Models::builtin()) {
                prop_assert!(name == "a.ipynb" || masked.len() == text.len());
            }
        }
    }
}
