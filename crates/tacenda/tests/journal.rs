//! `tacenda journal`: what it takes in, what ends it, what it says when something is not there.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

use command::text;
use serde_json::Value;
use tempfile::TempDir;

/// A directory with a journal, who reads it, and the command in it.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        let recipient = place.journal(&["identity", "reader"]);
        place.journal(&["init", "sealed", "--recipient", recipient.trim(), "--max-age", "90d"]);
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command::tacenda(self.directory.path());
        command.env("TACENDA_JOURNAL_PLACES", "temporary").arg("journal").args(arguments);
        command
    }

    #[track_caller]
    fn journal(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        text(&output.stdout)
    }

    /// What it says on standard error, where it ends with status 2.
    #[track_caller]
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(!error.contains("os error"), "{error}");
        error
    }

    fn append(&self, given: &[u8], more: &[&str]) -> Output {
        let mut command = self.command(&[&["append", "sealed"], more].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(given).unwrap();
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn records(&self, more: &[&str]) -> Vec<Value> {
        let lines = self.journal(&[&["cat", "sealed", "-i", "reader"], more].concat());
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    fn messages(&self, more: &[&str]) -> Vec<String> {
        let message = |record: &Value| record["message"].as_str().unwrap().to_owned();
        self.records(more).iter().map(message).collect()
    }

    fn segments(&self) -> usize {
        self.journal(&["list", "sealed"]).lines().count()
    }
}

/// One who appends, for as long as its input is open.
struct Open {
    child: Child,
    input: ChildStdin,
    output: BufReader<std::process::ChildStdout>,
}

impl Open {
    fn new(place: &Place) -> Self {
        let mut command = place.command(&["append", "sealed", "--acknowledge"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut open = Self { child, input, output };
        assert_eq!(open.says(), "0\n");
        open
    }

    fn says(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &process]).status().unwrap().success());
    }
}

/// Waits until it holds: another process is at work.
#[track_caller]
fn until(mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(60), "it does not come to hold");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_signal_ends_the_reading_and_seals() {
    for (name, status) in [("-INT", 130), ("-TERM", 143)] {
        let place = Place::new();
        let mut open = Open::new(&place);
        open.input.write_all(b"one\ntwo\n").unwrap();
        assert_eq!(open.says(), "2\n");
        open.signal(name);
        // What has come by then counts, as far as it has ended.
        open.input.write_all(b"three\nnot whole").unwrap();
        assert_eq!(open.says(), "3\n");
        // The input stays open.
        assert_eq!(open.child.wait().unwrap().code(), Some(status), "{name}");
        assert_eq!(place.messages(&[]), ["one", "two", "three"]);
        assert!(!place.path("sealed/owner").exists(), "it has sealed");
        assert_eq!(place.segments(), 1);
    }
}

#[test]
fn a_signal_ends_the_wait_for_an_owner_that_is_stopped() {
    let place = Place::new();
    let owner = Open::new(&place);
    let mut guest = Open::new(&place);
    owner.signal("-STOP");
    guest.input.write_all(b"a line\n").unwrap();
    let began = Instant::now();
    guest.signal("-INT");
    let status = guest.child.wait().unwrap();
    owner.signal("-CONT");
    assert_eq!(status.code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    let mut error = String::new();
    BufReader::new(guest.child.stderr.take().unwrap()).read_line(&mut error).unwrap();
    assert!(error.contains("does not answer"), "{error}");
    drop(owner.input);
}

#[test]
fn a_hangup_seals_at_once() {
    let place = Place::new();
    let mut open = Open::new(&place);
    open.input.write_all(b"one\n").unwrap();
    assert_eq!(open.says(), "1\n");
    open.signal("-HUP");
    until(|| place.segments() == 1);
    open.input.write_all(b"two\n").unwrap();
    assert_eq!(open.says(), "2\n");
    drop(open.input);
    assert!(open.child.wait().unwrap().success());
    assert_eq!(place.messages(&[]), ["one", "two"]);
    assert_eq!(place.segments(), 2);
}

#[test]
fn the_last_line_is_acknowledged_without_its_end() {
    let place = Place::new();
    let said = place.append(b"one\ntwo", &["--acknowledge"]);
    assert_eq!(text(&said.stdout).lines().next_back(), Some("2"));
    let said = place.append(b"one", &["--acknowledge"]);
    assert_eq!(text(&said.stdout), "0\n1\n");
    assert_eq!(text(&place.append(b"", &["--acknowledge"]).stdout), "0\n");
}

#[test]
fn levels_are_read_as_a_sink_reads_them() {
    let place = Place::new();
    let lines = concat!(
        "2026-03-01 10:00:00 ERROR no\n",
        "{\"severity\": \"error\", \"message\": \"one\"}\n",
        "{\"levelname\": \"CRITICAL\", \"message\": \"two\"}\n",
        "{\"level\": \"info\", \"severity\": \"error\", \"message\": \"three\"}\n",
        "no word of it\n",
    );
    fs::write(place.path("app.log"), lines).unwrap();
    place.journal(&["import", "sealed", "app.log"]);
    let found = ["2026-03-01 10:00:00 ERROR no", "one", "two"];
    assert_eq!(place.messages(&["--level", "error"]), found);
    assert!(place.append(lines.as_bytes(), &[]).status.success());
    assert_eq!(place.messages(&["--level", "error", "--from", "5"]), found);
    assert_eq!(place.records(&["--from", "3", "--to", "3"])[0]["level"], "info");
    assert_eq!(place.records(&["--from", "1", "--to", "1"])[0]["severity"], "error");
}

#[test]
fn a_packed_log_that_is_cut_is_not_taken_in_by_half() {
    let place = Place::new();
    // Nothing that packs well.
    let line = |n: u64| format!("{:x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let lines: String = (0..60_000).map(line).collect();
    fs::write(place.path("whole.log"), "a line\n").unwrap();
    fs::write(place.path("app.log"), lines).unwrap();
    assert!(
        Command::new("gzip")
            .arg("app.log")
            .current_dir(place.directory.path())
            .status()
            .unwrap()
            .success()
    );
    let packed = fs::read(place.path("app.log.gz")).unwrap();
    fs::write(place.path("app.log.gz"), &packed[..packed.len() / 2]).unwrap();
    let error = place.refused(&["import", "sealed", "whole.log", "app.log.gz"]);
    assert!(error.contains("cannot read the log to its end"), "{error}");
    assert!(error.contains("--> app.log.gz") && error.contains("nothing was taken in"), "{error}");
    assert!(place.records(&[]).is_empty());
    fs::write(place.path("app.log.gz"), &packed).unwrap();
    let said = place.journal(&["import", "sealed", "whole.log", "app.log.gz"]);
    assert_eq!(said, "sealed: 60001 records of 2 logs\n");
}

#[test]
fn an_import_that_is_stopped_says_how_to_go_on() {
    let place = Place::new();
    let lines: Vec<_> = (0..20_000).map(|n| format!("line {n} {}\n", "x".repeat(20))).collect();
    let lines = lines.concat();
    fs::write(place.path("first.log"), "a line\n").unwrap();
    fs::write(place.path("app.log"), &lines).unwrap();
    // Room for some of it.
    let script = "ulimit -f 200; trap '' XFSZ; exec \"$0\" journal import sealed first.log app.log";
    let mut import = Command::new("sh");
    import.args(["-c", script, env!("CARGO_BIN_EXE_tacenda")]);
    import.env("TACENDA_JOURNAL_PLACES", "temporary").env("NO_COLOR", "1");
    let output = import.current_dir(place.directory.path()).output().unwrap();
    let error = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    let rest = error.split("tail -n +").nth(1).unwrap().split(')').next().unwrap();
    let taken = rest.parse::<usize>().unwrap() - 1;
    assert!(
        taken > 0 && error.contains(&format!("first.log and {taken} lines of app.log")),
        "{error}"
    );
    let rest: Vec<&str> = lines.lines().skip(taken).collect();
    fs::write(place.path("rest.log"), rest.join("\n")).unwrap();
    place.journal(&["import", "sealed", "rest.log"]);
    let messages = place.messages(&[]);
    assert_eq!(messages[0], "a line");
    assert_eq!(messages[1..], lines.lines().collect::<Vec<_>>());
}

#[test]
fn a_log_that_could_not_be_removed_is_an_error() {
    for (name, why) in [("hard", "it has another name (a hard link)"), ("soft", "it is a link")] {
        let place = Place::new();
        fs::write(place.path("other.log"), "a line\n").unwrap();
        let log = place.path("app.log");
        match name {
            "hard" => fs::hard_link(place.path("other.log"), &log).unwrap(),
            _ => std::os::unix::fs::symlink("other.log", &log).unwrap(),
        }
        let error = place.refused(&["import", "sealed", "app.log", "--remove"]);
        assert!(error.contains(&format!("app.log stays: {why}")), "{error}");
        assert!(error.contains("error: 1 of 1 log could not be removed"), "{error}");
        assert_eq!(fs::read_to_string(log).unwrap(), "a line\n");
        assert_eq!(place.messages(&[]), ["a line"]);
    }
}

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
fn limits_are_not_removed_by_naming_none() {
    let place = Place::new();
    let kept = |place: &Place| {
        let stat = place.journal(&["stat", "sealed"]);
        stat.lines().find_map(|line| line.strip_prefix("kept        ").map(str::to_owned)).unwrap()
    };
    assert_eq!(kept(&place), "90d");
    let error = place.refused(&["retention", "sealed", "--reason", "a test"]);
    assert!(error.contains("no limit is named") && error.contains("--none"), "{error}");
    let error =
        place.refused(&["retention", "sealed", "--none", "--max-age", "1d", "--reason", "a test"]);
    assert!(error.contains("cannot be used with"), "{error}");
    assert_eq!(kept(&place), "90d");
    let limits = ["--max-age", "restricted=36h", "--max-size", "2GB", "--reason", "a test"];
    place.journal(&[&["retention", "sealed"], &limits[..]].concat());
    assert_eq!(kept(&place), "content of class restricted 36h, 2.0 GB at most");
    place.journal(&["retention", "sealed", "--none", "--reason", "a test"]);
    assert_eq!(kept(&place), "without a limit");
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
    let place = Place { directory: tempfile::tempdir().unwrap() };
    let [reader, officer] = ["reader", "officer"].map(|name| place.journal(&["identity", name]));
    let restricted = format!("restricted={}", officer.trim());
    place.journal(&["init", "sealed", "--recipient", reader.trim(), "--recipient", &restricted]);
    let stat = place.journal(&["stat", "sealed"]);
    assert!(stat.contains(&format!("read by     {} (restricted)\n", officer.trim())), "{stat}");
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
fn a_level_that_is_none_is_refused() {
    let place = Place::new();
    place.append(b"{\"level\": \"info\", \"message\": \"a\"}\n", &[]);
    let erase = ["erase", "sealed", "-i", "reader", "--reason", "a leak", "--level"];
    let error = place.refused(&[&erase[..], &["criticl"]].concat());
    assert!(error.contains("critical"), "{error}");
    assert!(place.journal(&[&erase[..], &["CRITICAL"]].concat()).contains("0 records"));
}
