//! `tacenda find` on files, directories and streams.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;
use tacenda_find::Packing;

use command::{tacenda, text};

const MAIL: &str = "ines.moreau@example.org";
const LOG: &str = "2026-11-21 10:00:00,123 INFO mail to ines.moreau@example.org\n\
                   2026-11-21 10:00:01,000 ERROR card 5555 5555 5555 4444 refused\n";

fn find(arguments: &[&str], directory: &Path) -> Command {
    let mut command = tacenda(directory);
    command.arg("find").args(arguments);
    command
}

fn fed(arguments: &[&str], directory: &Path, input: &[u8]) -> Output {
    let mut child = find(arguments, directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn findings(output: &Output) -> Vec<Json> {
    let lines = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).unwrap()).collect()
}

fn places(output: &Output) -> Vec<(u64, u64, u64)> {
    let number = |one: &Json, name| one[name].as_u64().unwrap();
    let findings = findings(output);
    let place = |one| (number(one, "line"), number(one, "start"), number(one, "end"));
    findings.iter().map(place).collect()
}

fn pack(packing: Packing, text: &str) -> Vec<u8> {
    let mut packer = packing.pack(Vec::new()).unwrap();
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_finding_has_the_names_that_other_programs_read() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("app.log"), LOG).unwrap();
    let output = find(&["--format", "jsonl", "app.log"], directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let found = findings(&output);
    assert_eq!(found.len(), 2);
    let one = &found[0];
    assert_eq!(one["path"], "app.log");
    assert_eq!((&one["line"], &one["start"], &one["end"]), (&1.into(), &37.into(), &60.into()));
    assert_eq!(one["detector"], "email");
    assert_eq!((&one["kind"], &one["confidence"]), (&"personal".into(), &"high".into()));
    assert_eq!(&LOG[37..60], MAIL);
}

#[test]
fn no_format_holds_a_value() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("app.log"), LOG).unwrap();
    for format in ["text", "jsonl", "json", "sarif", "html"] {
        let output = find(&["--format", format, "app.log"], directory.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(i32::from(format != "sarif")), "{format}");
        assert!(output.stdout.len() > 100);
        let all = text(&[output.stdout, output.stderr].concat());
        for part in ["moreau", "example.org", "5555", "4444"] {
            assert!(!all.contains(part), "{format}: {part}");
        }
    }
}

#[test]
fn what_the_policy_allows_is_no_finding() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["app.log", "other.log"] {
        fs::write(directory.path().join(name), LOG).unwrap();
    }
    let policy = "[[allow]]\nregex = '.*@example[.]org'\npath = '**/app.log'\n\
                  reason = 'addresses of examples'\n";
    fs::write(directory.path().join("tacenda.toml"), policy).unwrap();
    let output = find(&["--format", "jsonl", "--include", "*.log"], directory.path());
    let output = { output }.output().unwrap();
    let found = findings(&output);
    let of = |name: &str| found.iter().filter(|one| one["path"] == name).count();
    assert_eq!((of("app.log"), of("other.log")), (1, 2), "{output:?}");
}

#[test]
fn packed_files_and_streams_are_unpacked() {
    let directory = tempfile::tempdir().unwrap();
    let expected = [(1, 37, 60), (2, 35, 54)];
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd, Packing::Xz] {
        let packed = pack(packing, LOG);
        // Told by the content, not by the name.
        fs::write(directory.path().join("app.log"), &packed).unwrap();
        let output = find(&["--format", "jsonl", "app.log"], directory.path()).output().unwrap();
        assert_eq!(places(&output), expected, "{packing}");
        let output = fed(&["--format", "jsonl", "-"], directory.path(), &packed);
        assert_eq!(places(&output), expected, "{packing} on standard input");
    }
}

#[test]
fn what_is_left_of_a_damaged_file_is_read_and_the_status_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    // What packs badly: xz unpacks 64 KiB of what it packed at a time.
    let hash = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let mut log = String::new();
    for n in 0..20_000 {
        let line = if n % 8 == 0 { LOG } else { "" };
        writeln!(log, "{line}{:x}", hash(hash(n))).unwrap();
    }
    for packing in [Packing::Gzip, Packing::Zstd, Packing::Xz] {
        let packed = pack(packing, &log);
        fs::write(at("a.log.packed"), &packed[..packed.len() - packed.len() / 4]).unwrap();
        fs::write(at("b.log"), LOG).unwrap();
        let output = find(&["--format", "jsonl", "."], directory.path()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{packing}");
        let error = text(&output.stderr);
        assert!(error.contains(&format!("the {packing} file is damaged or cut off")), "{error}");
        let found = findings(&output);
        let of = |name: &str| found.iter().filter(|one| one["path"] == name).count();
        assert!(of("a.log.packed") > 100, "{packing}: {}", of("a.log.packed"));
        assert_eq!(of("b.log"), 2, "the others are read");
    }
}

#[test]
fn the_journal_is_read_in_both_its_formats() {
    let directory = tempfile::tempdir().unwrap();
    let message = format!("first line\nfrom {MAIL}\n");
    let mut export =
        b"__CURSOR=s=1;i=1\n__REALTIME_TIMESTAMP=1795255205000000\nPRIORITY=6\nMESSAGE\n".to_vec();
    export.extend((message.len() as u64).to_le_bytes());
    export.extend(message.as_bytes());
    export.extend(format!("\n_CMDLINE=mail {MAIL}\n\n").as_bytes());
    let output = fed(&["--format", "jsonl", "-"], directory.path(), &export);
    assert_eq!(places(&output), [(6, 5, 28), (8, 14, 37)]);
    let found = findings(&output);
    assert_eq!((&found[0]["field"], &found[1]["field"]), (&"MESSAGE".into(), &"_CMDLINE".into()));
    assert_eq!(found[0]["time"], "2026-11-21T10:00:05Z");

    let bytes: Vec<u8> = format!("\u{1b}[31mfrom {MAIL}\u{1b}[0m").into_bytes();
    let json = serde_json::json!({
        "__CURSOR": "s=1", "__REALTIME_TIMESTAMP": "1795255205000000", "MESSAGE": bytes,
    });
    let output = fed(&["--format", "jsonl", "-"], directory.path(), format!("{json}\n").as_bytes());
    let found = findings(&output);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["detector"], &found[0]["field"]), (&"email".into(), &"MESSAGE".into()));
    assert_eq!(found[0]["time"], "2026-11-21T10:00:05Z");
}

#[test]
fn a_report_in_a_file_is_private_and_whole() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("app.log"), LOG).unwrap();
    let arguments = ["app.log", "--format", "html", "-o", "report.html", "--color", "always"];
    let output = find(&arguments, directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    let page = fs::read_to_string(at("report.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
    for word in ["<script", "http:", "https:", "src=", "href=", "onload", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(page.contains("default-src 'none'"));
    assert_eq!(fs::metadata(at("report.html")).unwrap().permissions().mode() & 0o777, 0o600);
    let output = find(&["app.log", "-o", "report.txt", "--color", "always"], directory.path());
    assert_eq!({ output }.output().unwrap().status.code(), Some(1));
    assert!(!fs::read(at("report.txt")).unwrap().contains(&0x1b));
}

#[test]
fn sarif_has_what_the_standard_asks_for() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a b.log"), LOG.repeat(2)).unwrap();
    fs::write(directory.path().join("quiet.log"), "nothing\n").unwrap();
    let run = |name: &str| {
        let output = find(&["--format", "sarif", name], directory.path()).output().unwrap();
        serde_json::from_slice::<Json>(&output.stdout).unwrap()
    };
    let sarif = run("a b.log");
    assert_eq!(sarif["version"], "2.1.0");
    let run_ = &sarif["runs"][0];
    let results = run_["results"].as_array().unwrap();
    let rules = run_["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!((results.len(), rules.len()), (4, 2));
    for result in results {
        let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], rules[rule]["id"]);
        assert!(result["message"]["text"].is_string());
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.log");
        let region = &place["region"];
        assert!(region["endColumn"].as_u64() > region["startColumn"].as_u64());
    }
    let prints: Vec<&Json> =
        results.iter().map(|one| &one["partialFingerprints"]["tacendaPseudonym/v1"]).collect();
    assert_eq!(prints[0], prints[2]);
    assert_ne!(prints[0], prints[1]);
    assert_eq!(run("quiet.log")["runs"][0]["results"], serde_json::json!([]));
    let broken = run("missing.log");
    assert_eq!(broken["runs"][0]["invocations"][0]["executionSuccessful"], false);
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("app.log"), LOG.repeat(20_000)).unwrap();
    let mut child = find(&["--format", "jsonl", "app.log"], directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut block = [0; 100];
    child.stdout.take().unwrap().read_exact(&mut block).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.signal(), Some(13));
    assert!(output.stderr.is_empty(), "{output:?}");
}

/// 24 MiB more of one line take less than 8 MiB more of memory.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_a_line() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = find(&["--format", "jsonl", "-j", "1", "-"], directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let block = "word ".repeat((1 << 20) / 5);
    let mut write = |blocks| (0..blocks).for_each(|_| stdin.write_all(block.as_bytes()).unwrap());
    // All but what fits into the pipe has been read when a write returns.
    write(4);
    let before = peak(child.id());
    write(24);
    let after = peak(child.id());
    stdin.write_all(format!(" {MAIL}").as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(findings(&output).len(), 1);
    assert!(after < before + (8 << 10), "{before} KiB, then {after} KiB");
}

/// The most memory that a process has held so far, in KiB.
#[cfg(target_os = "linux")]
fn peak(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    peak.split_whitespace().nth(1).unwrap().parse().unwrap()
}
