//! What readers are shown, and what they are told.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::{Command, Stdio};

use crate::command::text;
use crate::place::Place;

#[test]
fn who_follows_a_journal_reads_the_identity_once() {
    let place = Place::new();
    place.append(b"one\n", &[]);
    let mut tail = place.command(&["tail", "sealed", "-f", "-i", "/dev/stdin"]);
    let mut tail = tail.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let identity = fs::read(place.path("reader")).unwrap();
    tail.stdin.take().unwrap().write_all(&identity).unwrap();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut next = || lines.next().is_some_and(|line| line.unwrap().contains("\"message\""));
    assert!(next());
    place.append(b"two\n", &[]);
    assert!(next(), "it has ended");
    tail.kill().unwrap();
    tail.wait().unwrap();
}

#[test]
fn what_a_journal_has_lost_is_named() {
    for (lost, says) in [
        ("log", "the journal has lost a part of itself: log is not there"),
        ("log/checkpoint", "the journal has lost a part of itself: log/checkpoint is not there"),
        ("log/tile", "sealed/log/tile"),
    ] {
        let place = Place::new();
        place.append(b"one\n", &[]);
        fs::rename(place.path("sealed").join(lost), place.path("away")).unwrap();
        for command in ["checkpoint", "stat", "append"] {
            let error = place.refused(&[command, "sealed"]);
            assert!(error.contains(says) && error.contains("from a copy"), "{command}: {error}");
            assert!(!error.contains("init"), "{error}");
        }
        let output = place.command(&["verify", "sealed"]).output().unwrap();
        assert_ne!(output.status.code(), Some(0));
        assert!(!text(&output.stdout).contains("os error"), "{output:?}");
    }
    let place = Place::new();
    place.append(b"one\n", &[]);
    fs::rename(place.path("sealed/segments"), place.path("away")).unwrap();
    let output = place.command(&["verify", "sealed"]).output().unwrap();
    assert!(text(&output.stdout).starts_with("missing: segments: it is not there\n"), "{output:?}");
    let error = place.refused(&["consistency", "sealed", "reader"]);
    assert!(error.contains("this is no checkpoint") && error.contains("--> reader"), "{error}");
}

#[test]
fn what_nobody_opens_is_said_where_something_is_looked_for() {
    let place = Place::of_two();
    let stat = place.journal(&["stat", "sealed"]);
    assert!(
        stat.contains(&format!("read by     {} (restricted)\n", place.recipient("officer"))),
        "{stat}"
    );
    place.append(b"{\"message\": \"violet heron\", \"class\": \"restricted\"}\n", &[]);
    let few = ["-i", "reader"];
    let both = ["-i", "reader", "-i", "officer"];
    let grep = |identities: &[&str]| {
        let found = &["grep", "heron", "sealed"];
        place.command(&[found, identities].concat()).output().unwrap()
    };
    let output = grep(&few);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), String::new()));
    assert!(text(&output.stderr).contains("nothing was looked for in what is restricted"));
    let output = grep(&both);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
    let erase = ["erase", "sealed", "--text", "heron", "--reason", "a leak"];
    let error = place.refused(&[&erase[..], &few].concat());
    assert!(error.contains("do not open every column of segment 0"), "{error}");
    assert!(place.journal(&[&erase[..], &both].concat()).contains("1 record"));
}

#[test]
fn a_field_named_seq_is_printed_with_a_mark() {
    let place = Place::new();
    place.append(b"{\"seq\": 7, \"message\": \"x\"}\n", &[]);
    fs::write(place.path("app.log"), "{\"seq\": 8, \"message\": \"x\"}\n").unwrap();
    place.journal(&["import", "sealed", "app.log"]);
    let records = place.records(&[]);
    assert_eq!([&records[0]["_seq"], &records[1]["_seq"]], [7, 8]);
}

#[test]
fn nothing_is_written_in_the_clear_into_a_journal() {
    let place = Place::new();
    place.append(b"one\n", &[]);
    let segment = "sealed/segments/0000000000.parquet";
    let before = fs::read(place.path(segment)).unwrap();
    symlink("sealed/segments", place.path("link")).unwrap();
    symlink(segment, place.path("file")).unwrap();
    let direct = [segment, "sealed/x.json", "./sealed/log/../keys/x", "link/x", "file"];
    for output in direct {
        for command in
            [&["export", "sealed", "-i", "reader", "-o"][..], &["checkpoint", "sealed", "-o"]]
        {
            let error = place.refused(&[command, &[output]].concat());
            assert!(error.contains("the output would lie in a journal"), "{output}: {error}");
        }
    }
    let error = place.refused(&["export", "sealed", "-i", "reader", "-o", "-"]);
    assert!(error.contains("`-o` takes a file") && !place.path("-").exists(), "{error}");
    assert_eq!(fs::read(place.path(segment)).unwrap(), before);
    place.journal(&["verify", "sealed"]);
    place.journal(&["export", "sealed", "-i", "reader", "-o", "out.jsonl"]);
    assert!(fs::read_to_string(place.path("out.jsonl")).unwrap().contains("one"));
}

#[test]
fn an_identity_that_compares_nothing_is_no_success() {
    let place = Place::new();
    place.journal(&["identity", "wrong"]);
    place.journal(&["verify", "sealed", "-i", "wrong"]);
    place.append(b"one\n", &[]);
    let error = place.refused(&["verify", "sealed", "-i", "wrong"]);
    assert!(error.contains("no content was compared"), "{error}");
    place.refused(&["verify", "sealed", "-i", "wrong", "--format", "json"]);
    let recipient = place.journal(&["identity", "later"]);
    place.journal(&["recipients", "sealed", "-r", recipient.trim(), "--reason", "a test"]);
    place.append(b"two\n", &[]);
    let verify = place.command(&["verify", "sealed", "-i", "reader"]).output().unwrap();
    let error = text(&verify.stderr);
    assert!(verify.status.success(), "{error}");
    assert!(error.contains("the content of 1 segment was not compared"), "{error}");
    for command in [&["cat"][..], &["tail"], &["grep", "two"], &["export", "-o", "out"]] {
        let error = place.refused(&[command, &["sealed", "-i", "later"]].concat());
        assert!(error.contains("do not open the head column of segment 0"), "{error}");
        assert!(error.contains("from record 1 on") && error.contains("--from 1"), "{error}");
    }
    let cat = place.journal(&["cat", "sealed", "-i", "later", "--from", "1"]);
    assert!(cat.contains("\"message\":\"two\""), "{cat}");
    let error = place.refused(&["cat", "sealed", "-i", "wrong"]);
    assert!(!error.contains("--from") && !error.contains("--to"), "{error}");
    let error = place.refused(&["export", "-o", "out", "sealed", "-i", "reader"]);
    assert!(error.contains("up to record 0") && error.contains("--to 0"), "{error}");
    place.journal(&["export", "-o", "out", "sealed", "-i", "reader", "--to", "0"]);
    let readable = fs::Permissions::from_mode(0o644);
    fs::set_permissions(place.path("later"), readable).unwrap();
    let cat = place.command(&["cat", "sealed", "-i", "later", "--from", "1"]).output().unwrap();
    assert!(text(&cat.stderr).contains("others may use the identity file"), "{cat:?}");
}

#[test]
fn whoever_reads_is_told_in_what_nothing_was_looked_for() {
    let place = Place::of_two();
    let secret = b"{\"message\": \"a\", \"user\": 5, \"classes\": {\"user\": \"restricted\"}}\n";
    // Also while nothing is sealed yet.
    let mut append = place.command(&["append", "sealed", "--acknowledge"]);
    let mut append = append.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    append.stdin.as_mut().unwrap().write_all(secret).unwrap();
    let mut said = BufReader::new(append.stdout.take().unwrap());
    let mut lines = String::new();
    while lines != "0\n1\n" {
        said.read_line(&mut lines).unwrap();
    }
    let told = |what: &str| {
        for command in [&["cat"][..], &["tail"], &["export", "-o", "out"], &["grep", "a"]] {
            let more = ["sealed", "-i", "reader", "--field", "user=5"];
            let output = place.command(&[command, &more].concat()).output().unwrap();
            let error = text(&output.stderr);
            assert!(
                error.contains("nothing was looked for in what is restricted"),
                "{what}: {error}"
            );
        }
    };
    told("active");
    drop(append.stdin.take());
    assert!(append.wait().unwrap().success());
    told("sealed");
}

#[test]
fn nothing_that_is_read_controls_the_terminal() {
    let place = Place::new();
    let lines = "{\"message\": \"a\u{9b}2J\u{202e}\"}\nb\u{9b}2K\u{2066}\n";
    place.append(lines.as_bytes(), &[]);
    for command in [&["cat"][..], &["tail"], &["grep", "2"]] {
        let printed = place.journal(&[command, &["sealed", "-i", "reader"]].concat());
        let controls = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2066}".contains(c);
        assert!(!printed.contains(controls), "{command:?}: {printed:?}");
    }
    assert_eq!(place.messages(&[]), ["a\u{9b}2J\u{202e}", "b\u{9b}2K\u{2066}"]);
}

#[test]
fn an_export_goes_on_where_standard_output_is() {
    let place = Place::new();
    place.append(b"one\n", &[]);
    let script = "{ echo before; \"$0\" journal export sealed -i reader -o /dev/stdout; } > out";
    let mut shell = Command::new("sh");
    shell.args(["-c", script, env!("CARGO_BIN_EXE_tacenda")]).current_dir(place.directory.path());
    shell.env("TACENDA_JOURNAL_PLACES", "temporary");
    assert!(shell.status().unwrap().success());
    let out = fs::read_to_string(place.path("out")).unwrap();
    assert!(out.starts_with("before\n{\"seq\":0,"), "{out}");
}
