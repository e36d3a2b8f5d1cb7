//! Processes that share a journal, and are killed: the owner and those who append through it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use support::{Fixture, options};
use tacenda_journal::{Appender, Durability, Filter, Record};
use tacenda_policy::Class;

const CHILD: &str = "TACENDA_JOURNAL_TEST_SHARING";

/// One that is killed: no test by itself. What it prints was acknowledged.
#[test]
fn child() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let appender = Appender::open(path.as_ref(), &options()).unwrap();
    let process = std::process::id();
    for number in 0_u64.. {
        let message = format!("{process}-{number}");
        let record = Record::from_text(message.as_bytes(), Class::Internal, 0).unwrap();
        appender.append_all(vec![record]).unwrap();
        let role = if appender.is_owner() { "owner" } else { "guest" };
        println!("acknowledged {message} {role}");
    }
}

struct Writer {
    process: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    acknowledged: Vec<String>,
    owns: bool,
}

impl Writer {
    fn start(fixture: &Fixture) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(CHILD, fixture.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines, acknowledged: Vec::new(), owns: false }
    }

    /// Reads until so many more are acknowledged; false when it has ended.
    fn read(&mut self, mut count: usize) -> bool {
        while count > 0 {
            let Some(Ok(line)) = self.lines.next() else { return false };
            let Some((_, told)) = line.split_once("acknowledged ") else { continue };
            let (message, role) = told.split_once(' ').unwrap();
            self.acknowledged.push(message.to_owned());
            self.owns = role == "owner";
            count -= 1;
        }
        true
    }

    fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        while self.read(1) {}
        self.acknowledged
    }
}

/// Rounds; `TACENDA_JOURNAL_KILLS=500` for all of them.
fn rounds() -> usize {
    std::env::var("TACENDA_JOURNAL_KILLS").map_or(8, |text| text.parse().unwrap())
}

#[test]
fn whoever_is_killed_nothing_that_was_acknowledged_is_lost() {
    let fixture = Fixture::with(|settings| settings.durability = Durability::Interval);
    let mut writers: Vec<Writer> = (0..3).map(|_| Writer::start(&fixture)).collect();
    let (mut acknowledged, mut owners) = (Vec::new(), 0);
    for round in 0..rounds() {
        for writer in &mut writers {
            assert!(writer.read(1 + round * 7 % 20), "it goes on whoever is killed");
        }
        // The owner and another one in turn.
        let at = writers.iter().position(|writer| writer.owns == round.is_multiple_of(2));
        let killed = writers.swap_remove(at.unwrap_or(0));
        owners += usize::from(killed.owns);
        acknowledged.extend(killed.kill());
        writers.push(Writer::start(&fixture));
    }
    for writer in writers {
        acknowledged.extend(writer.kill());
    }
    assert!(owners > 0, "an owner was killed");
    fixture.open().close().unwrap();
    let mut read: HashMap<String, usize> = HashMap::new();
    let reader = fixture.reader();
    let each = reader.each(&Filter::default(), &mut |seen| {
        let message = seen.record.field("message").unwrap();
        *read.entry(message.as_str().unwrap().to_owned()).or_default() += 1;
        true
    });
    each.unwrap();
    let lost: Vec<&String> = acknowledged.iter().filter(|one| !read.contains_key(*one)).collect();
    assert_eq!(lost, Vec::<&String>::new(), "of {}", acknowledged.len());
    // What an owner had written and not acknowledged when it was killed is sent again.
    let twice = read.values().filter(|times| **times > 1).count();
    assert!(twice <= 3 * (owners + 1), "{twice} records are there twice, {owners} owners killed");
    assert_eq!(fixture.verify().findings, []);
}
