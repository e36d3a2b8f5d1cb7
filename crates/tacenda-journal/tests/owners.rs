//! Processes that share a journal, and are killed: the owner and those who append through it.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::HashMap;

use support::{Fixture, options};
use tacenda_journal::{Appender, Durability, Filter, Record};
use tacenda_policy::Class;

/// One that is killed: no test by itself. What it prints was acknowledged.
#[test]
fn child() {
    let Some(path) = support::Writer::journal() else { return };
    let appender = Appender::open(&path, &options()).unwrap();
    let process = std::process::id();
    for number in 0_u64.. {
        let message = format!("{process}-{number}");
        let record = Record::from_text(message.as_bytes(), Class::Internal, 0).unwrap();
        appender.append_all(vec![record]).unwrap();
        let role = if appender.is_owner() { "owner" } else { "guest" };
        support::Writer::acknowledge(&format!("{message} {role}"));
    }
}

/// A process that shares the journal.
struct Sharer {
    process: support::Writer,
    acknowledged: Vec<String>,
    owns: bool,
}

impl Sharer {
    fn start(fixture: &Fixture) -> Self {
        let process = support::Writer::start(&fixture.path());
        Self { process, acknowledged: Vec::new(), owns: false }
    }

    /// Reads until so many more are acknowledged; false when it has ended.
    fn read(&mut self, count: usize) -> bool {
        for _ in 0..count {
            let Some(told) = self.process.acknowledged() else { return false };
            let (message, role) = told.split_once(' ').unwrap();
            self.acknowledged.push(message.to_owned());
            self.owns = role == "owner";
        }
        true
    }

    fn kill(mut self) -> Vec<String> {
        self.process.kill();
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
    let mut writers: Vec<Sharer> = (0..3).map(|_| Sharer::start(&fixture)).collect();
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
        writers.push(Sharer::start(&fixture));
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
