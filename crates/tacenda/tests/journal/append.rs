//! What `journal append` takes in, and what ends it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::command::{self, text};
use crate::place::{Place, until};

/// One who appends, for as long as its input is open.
struct Open {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
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
fn classes_are_wishes_whatever_stands_before_them_or_is_found_in_them() {
    let place = Place::of_two();
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
fn a_file_that_may_not_grow_is_a_full_disk() {
    let place = Place::new();
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -f 200; exec \"$0\" journal append sealed --acknowledge"])
        .arg(command::tacenda(place.directory.path()).get_program())
        .current_dir(place.directory.path())
        .env("TACENDA_JOURNAL_PLACES", "temporary")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut given = child.stdin.take().unwrap();
    let writes = std::thread::spawn(move || {
        let line =
            |n: u64| format!("{:x}{}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15), "x".repeat(80));
        // It ends before all was read.
        (0..20_000).try_for_each(|n| given.write_all(line(n).as_bytes())).is_err()
    });
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let error = text(&output.stderr);
    assert!(error.contains("cannot use the journal: file too large"), "{error}");
    writes.join().unwrap();
    let written: usize = text(&output.stdout).lines().last().unwrap().parse().unwrap();
    assert!(place.records(&[]).len() >= written);
}
