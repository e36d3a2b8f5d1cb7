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

#[test]
fn nothing_is_selected_by_what_is_empty() {
    let place = Place::new();
    place.append(b"{\"message\": \"a\", \"n\": 1}\nb\n", &[]);
    let erase = ["erase", "sealed", "-i", "reader", "--reason", "a leak"];
    for flag in ["--text", "--logger", "--kind", "--level"] {
        place.refused(&[&erase[..], &[flag, ""]].concat());
        place.refused(&["cat", "sealed", "-i", "reader", flag, ""]);
    }
    let error = place.refused(&[&erase[..], &["--text", ""]].concat());
    assert!(error.contains("'--text <TEXT>': the text is empty"), "{error}");
    for field in ["", "=", "=x", "n="] {
        place.refused(&[&erase[..], &["--field", field]].concat());
    }
    let error = place.refused(&["grep", "", "sealed", "-i", "reader"]);
    assert!(error.contains("the text is empty"), "{error}");
    let error = place.refused(&["cat", "sealed", "-i", "reader", "--from", "5", "--to", "3"]);
    assert!(error.contains("`--from` is after `--to`"), "{error}");
    assert_eq!(place.messages(&[]), ["a", "b"]);
    let only = ["erase", "sealed", "-i", "reader", "--dry-run", "--field", "n=1"];
    assert_eq!(place.journal(&only), "would be erased: 1 record\n");
    assert_eq!(place.messages(&[]), ["a", "b"]);
    place.refused(&[&erase[..4], &["--text", "a"]].concat());
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
    std::os::unix::fs::symlink("sealed/segments", place.path("link")).unwrap();
    std::os::unix::fs::symlink(segment, place.path("file")).unwrap();
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
fn a_log_that_is_no_text_is_not_removed() {
    let place = Place::new();
    fs::write(place.path("whole.log"), "caf\u{e9}\n").unwrap();
    let packed = |name: &str, bytes: &[u8]| {
        fs::write(place.path(name), bytes).unwrap();
        let mut gzip = Command::new("gzip");
        assert!(gzip.arg(place.path(name)).status().unwrap().success());
    };
    fs::write(place.path("latin.log"), b"caf\xe9\n").unwrap();
    fs::write(place.path("cut.log"), b"caf\xc3").unwrap();
    packed("packed.log", b"caf\xe9\n");
    for log in ["latin.log", "cut.log", "packed.log.gz"] {
        let before = fs::read(place.path(log)).unwrap();
        let error = place.refused(&["import", "sealed", "whole.log", log, "--remove"]);
        assert!(error.contains("is not UTF-8 text") && error.contains("--remove"), "{error}");
        assert_eq!(fs::read(place.path(log)).unwrap(), before);
    }
    fs::write(place.path("wide.log"), b"\xff\xfea\0\n\0").unwrap();
    let error = place.refused(&["import", "sealed", "whole.log", "wide.log"]);
    assert!(error.contains("the log is UTF-16") && error.contains("iconv -f UTF-16"), "{error}");
    let error = place.refused(&["import", "sealed", "whole.log", "./whole.log"]);
    assert!(error.contains("the log is named twice"), "{error}");
    assert!(place.records(&[]).is_empty() && place.path("whole.log").exists());
    place.journal(&["import", "sealed", "latin.log"]);
    place.journal(&["import", "sealed", "whole.log", "--remove"]);
    assert_eq!(place.messages(&[]), ["caf\u{fffd}", "caf\u{e9}"]);
}

#[test]
fn classes_are_wishes_whatever_stands_before_them_or_is_found_in_them() {
    let place = Place { directory: tempfile::tempdir().unwrap() };
    let [reader, officer] = ["reader", "officer"].map(|name| place.journal(&["identity", name]));
    let restricted = format!("restricted={}", officer.trim());
    place.journal(&["init", "sealed", "--recipient", reader.trim(), "--recipient", &restricted]);
    let lines = concat!(
        "\u{feff}{\"message\": \"x\", \"classes\": {\"message\": \"restricted\"}}\r\n",
        "\u{a0}{\"message\": \"x\", \"class\": \"restricted\"}\n",
        "{\"password\": \"hunter2\", \"classes\": {\"password\": \"internal\"}}\n",
        "{\"password\": \"hunter2\"}\n",
        "a text\r\n",
    );
    place.append(lines.as_bytes(), &[]);
    let records = place.records(&[]);
    assert_eq!([&records[0]["message"], &records[1]["message"]], [&Value::Null; 2]);
    assert_eq!(
        (&records[2]["password"], &records[2]["_classes"]),
        (&"hunter2".into(), &Value::Null)
    );
    assert_eq!(records[3]["password"], Value::Null);
    assert_eq!(records[4]["message"], "a text");
    let few = place.refused(&["verify", "sealed", "-i", "reader"]);
    assert!(few.contains("no content was compared"), "{few}");
    let both = ["verify", "sealed", "-i", "reader", "-i", "officer"];
    assert!(place.journal(&both).contains("content compared in 1 segment\n"));
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
    assert!(!error.contains("--from"), "{error}");
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    fs::set_permissions(place.path("later"), readable).unwrap();
    let cat = place.command(&["cat", "sealed", "-i", "later", "--from", "1"]).output().unwrap();
    assert!(text(&cat.stderr).contains("others may use the identity file"), "{cat:?}");
}

#[test]
fn logs_of_other_programs_keep_their_fields() {
    let place = Place::new();
    let lines = concat!(
        r#"{"level":50,"time":1772359200123,"pid":1,"msg":"failed"}"#,
        "\n",
        r#"{"time":"2026-03-01 10:00:00,123","level":"WARNING","message":"slow"}"#,
        "\n",
        r#"{"level":35,"time":"soon","message":"own"}"#,
        "\n",
    );
    place.append(lines.as_bytes(), &[]);
    let records = place.records(&[]);
    for record in &records[..2] {
        assert_eq!(record["time"], "2026-03-01T10:00:00.123Z");
    }
    assert_eq!((&records[0]["level"], &records[0]["msg"]), (&"error".into(), &"failed".into()));
    assert_eq!((&records[2]["_level"], &records[2]["_time"]), (&35.into(), &"soon".into()));
    assert_eq!(place.records(&["--level", "error"]).len(), 1);
}

#[test]
fn the_log_tells_who_did_what_when_and_why() {
    let place = Place::new();
    place.append(b"one\ntwo\n", &[]);
    let reason = "a leak\u{1b}[2K\u{9b}1A\n7  forged\u{202e}";
    let erase = ["erase", "sealed", "-i", "reader", "--text", "one", "--reason", reason];
    place.journal(&erase);
    place.journal(&["hold", "sealed", "case-7", "--reason", "the court"]);
    place.journal(&["release", "sealed", "case-7", "--reason", "closed"]);
    let log = place.journal(&["log", "sealed"]);
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 5, "{log}");
    assert!(lines[0].starts_with("0  2") && lines[0].contains("  begin    "), "{log}");
    assert!(lines[1].ends_with("  seal     segment 0, 2 records from 0"), "{log}");
    assert!(lines[2].contains("  erase    segment 0, 1 record  by "), "{log}");
    assert!(lines[2].ends_with(r": a leak\u{1b}[2K\u{9b}1A\u{a}7  forged\u{202e}"), "{log}");
    assert!(lines[3].contains("  hold     case-7, … to …  by "), "{log}");
    assert!(lines[4].ends_with(": closed"), "{log}");
    let json = place.journal(&["log", "sealed", "--format", "json"]);
    assert!(!json.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{json}");
    let entries: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert_eq!((&entries[2]["type"], &entries[2]["entry"]), (&"erase".into(), &2.into()));
    assert_eq!((&entries[2]["reason"], &entries[2]["records"][0]), (&reason.into(), &0.into()));
    let error = place.refused(&["hold", "sealed", "a\nb", "--reason", "the court"]);
    assert!(error.contains("one line"), "{error}");
}

#[test]
fn what_cannot_be_made_is_said_in_its_own_words() {
    let place = Place::new();
    let recipient = fs::read_to_string(place.path("reader")).unwrap();
    let recipient = recipient.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap();
    let error = place.refused(&["init", "none/sealed", "-r", recipient]);
    assert!(error.contains("is to lie in is not there") && error.contains("mkdir -p"), "{error}");
    let error = place.refused(&["init", "other", "-r", recipient, "--segment-size", "0"]);
    assert!(error.contains("'--segment-size <SIZE>'") && error.contains("4096"), "{error}");
    assert!(place.journal(&["cat", "sealed", "-i", "reader", "--since", "2026-01-01"]).is_empty());
    fs::create_dir(place.path("photos")).unwrap();
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(place.path("photos"), readable).unwrap();
    for command in [&["stat"][..], &["append"], &["cat", "-i", "reader"]] {
        let error = place.refused(&[command, &["photos"]].concat());
        assert!(error.contains("there is no journal here") && !error.contains("chmod"), "{error}");
    }
}

#[test]
fn a_key_that_was_replaced_is_refused_and_there_is_a_way_on() {
    for name in ["log", "signing"] {
        let place = Place::new();
        place.append(b"one\n", &[]);
        fs::write(place.path(&format!("sealed/keys/{name}")), [7; 32]).unwrap();
        let error = place.refused(&["rotate", "sealed"]);
        assert!(error.contains(&format!("keys/{name}")), "{error}");
        assert!(error.contains("put it back from a copy"), "{error}");
        assert_eq!(place.messages(&[]), ["one"]);
        place.journal(&["verify", "sealed"]);
    }
}
