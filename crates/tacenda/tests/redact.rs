//! `tacenda redact` on files and streams.

mod command;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use command::{tacenda, text};

fn redact(arguments: &[&str], directory: &Path) -> Command {
    let mut command = tacenda(directory);
    command.arg("redact").args(arguments);
    command
}

#[track_caller]
fn assert_failed(output: &Output, message: &str) {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(text(&output.stderr).lines().next(), Some(message));
    assert!(output.stdout.is_empty());
}

#[test]
fn a_line_comes_out_as_soon_as_it_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = redact(&[], directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    for _ in 0..3 {
        stdin.write_all(b"from bob@exam").unwrap();
        stdin.write_all(b"ple.com\nthe next").unwrap();
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains("from [email #"), "{line}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn any_bytes_pass() {
    let directory = tempfile::tempdir().unwrap();
    // No letters: nothing in it is anybody's.
    let bytes: Vec<u8> = (0..=255_u8).filter(|byte| !byte.is_ascii_alphanumeric()).collect();
    let input = bytes.repeat(3000);
    fs::write(directory.path().join("bin"), &input).unwrap();
    let output = redact(&["bin", "--report", "none"], directory.path()).output().unwrap();
    assert!(output.stdout == input);
    assert!(output.stderr.is_empty());
}

#[test]
fn several_files_and_standard_input_in_order() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("a"), "first\n").unwrap();
    fs::write(directory.path().join("b"), "last bob@example.").unwrap();
    let mut child = redact(&["a", "-", "b"], directory.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"middle\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(text(&output.stdout).starts_with("first\nmiddle\nlast "));
    assert!(text(&output.stderr).contains(" in 3 records ("), "{output:?}");
}

#[test]
fn the_output_file_is_private_and_whole_or_not_there() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("in"), "bob@example.com\n").unwrap();
    fs::write(at("old"), "old\n").unwrap();
    fs::set_permissions(at("old"), fs::Permissions::from_mode(0o666)).unwrap();
    std::os::unix::fs::symlink("old", at("link")).unwrap();

    let output = redact(&["in", "-o", "link"], directory.path()).output().unwrap();
    assert!(output.status.success() && output.stdout.is_empty());
    assert!(fs::read_to_string(at("old")).unwrap().starts_with("[email"));
    assert_eq!(fs::metadata(at("old")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::symlink_metadata(at("link")).unwrap().is_symlink());

    let output = redact(&["in", "missing", "-o", "new"], directory.path()).output().unwrap();
    assert_failed(&output, "error: cannot read the input: no such file or directory");
    assert!(!at("new").exists());
    let left = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(left, 3, "in, old, link: no temporary file stays");
}

#[test]
fn a_device_is_written_to_and_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("in"), "x\n").unwrap();
    let output = redact(&["in", "-o", "/dev/null"], directory.path()).output().unwrap();
    assert!(output.status.success());
    assert!(!fs::metadata("/dev/null").unwrap().is_file());
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("in"), "x\n").unwrap();
    let run = |arguments: &[&str]| redact(arguments, directory.path()).output().unwrap();
    assert_failed(&run(&["in", "."]), "error: this is a directory");
    assert_failed(&run(&["in", "-o", "in"]), "error: the output is one of the inputs");
    assert_failed(&run(&["in", "-o", "."]), "error: the output is a directory");
    assert_failed(
        &run(&["in", "-o", "no/where"]),
        "error: cannot write the output: no such file or directory",
    );
    assert_eq!(fs::read_to_string(at("in")).unwrap(), "x\n");
}

#[test]
fn a_reader_that_leaves_ends_it_quietly() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("in"), "a line\n".repeat(1 << 20)).unwrap();
    let mut child = redact(&["in"], directory.path())
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

#[test]
fn the_report_holds_no_value() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("in"), "bob@example.com\nbob@example.com\n").unwrap();
    let output = redact(&["in", "--report", "json"], directory.path()).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(report["redacted"][0]["name"], "email");
    assert_eq!(report["redacted"][0]["kind"], "personal");
    assert_eq!(report["redacted"][0]["values"], 2);
    assert_eq!((&report["records"], &report["bytes_in"]), (&2.into(), &32.into()));
    assert_eq!(report["bytes_out"], output.stdout.len());
    assert!(!text(&output.stderr).contains("bob"));
}

#[test]
fn equal_values_are_equal_under_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("in"), "bob@example.com\n").unwrap();
    let made = tacenda(directory.path()).args(["keys", "init", "keys"]).output();
    assert!(made.unwrap().status.success());
    fs::write(at("tacenda.toml"), "keys.file = 'keys'\n").unwrap();
    let run = || text(&redact(&["in"], directory.path()).output().unwrap().stdout);
    assert!(run().starts_with("[email #"));
    assert_eq!(run(), run());
    fs::write(at("keys"), "no keys").unwrap();
    let output = redact(&["in"], directory.path()).output().unwrap();
    assert_failed(
        &output,
        "error: the key file holds no keys: it is not in the format of a key file",
    );
    fs::set_permissions(at("keys"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = redact(&["in"], directory.path()).output().unwrap();
    assert_failed(&output, "error: others than its owner may read the key file (mode 0644)");
}
