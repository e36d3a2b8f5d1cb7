//! What happens when the process is killed, the disk fails, or a file is cut.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use support::{Fixture, Writer, numbers, options, record};
use tacenda_journal::{
    Cause, Damage, Durability, Filter, Hold, Identities, Journal, JournalError, Options, Place,
    Reader, Step, Verifier, untrusted,
};
use tacenda_policy::Class;

/// The writer that is killed: no test by itself.
#[test]
fn child() {
    let Some(path) = Writer::journal() else { return };
    let journal = Journal::open(&path, &options()).unwrap();
    let mut number = journal.append(record(0)).unwrap();
    loop {
        Writer::acknowledge(&number.to_string());
        number = journal.append(record(number + 1)).unwrap();
        if number.is_multiple_of(97) {
            journal.rotate().unwrap();
        }
    }
}

/// Rounds of the kill test; `TACENDA_JOURNAL_KILLS=500` for all of them.
fn rounds() -> u64 {
    std::env::var("TACENDA_JOURNAL_KILLS").map_or(12, |text| text.parse().unwrap())
}

#[test]
fn a_writer_that_is_killed_loses_nothing_that_it_acknowledged() {
    for durability in [Durability::Record, Durability::Interval] {
        let fixture = Fixture::with(|settings| {
            settings.durability = durability;
            settings.limits.interval_ms = 5;
        });
        let mut acknowledged = 0;
        for round in 0..rounds() {
            let mut writer = Writer::start(&fixture.path());
            // Somewhere after so many.
            let wanted = 1 + round * 31 % 60;
            let last = (0..wanted).map_while(|_| writer.acknowledged()).last();
            writer.kill();
            let last = last.expect("it acknowledged something");
            acknowledged = last.parse::<u64>().unwrap() + 1;
        }
        let journal = fixture.open();
        let next = journal.append(record(7)).unwrap();
        assert!(next >= acknowledged, "{next} records, {acknowledged} were acknowledged");
        journal.close().unwrap();
        assert_eq!(numbers(&fixture.reader(), &Filter::default()), (0..=next).collect::<Vec<_>>());
        assert_eq!(fixture.verify().findings, []);
    }
}

/// Appends, rotates, holds, erases, lets a class expire; what was acknowledged, by number.
fn life(fixture: &Fixture, options: &Options) -> Vec<u64> {
    let mut acknowledged = Vec::new();
    let Ok(journal) = Journal::open(&fixture.path(), options) else { return acknowledged };
    let mut append = |numbers: std::ops::Range<u64>| {
        let count = numbers.end - numbers.start;
        if let Ok(first) = journal.append_all(numbers.map(record).collect()) {
            let first = first.unwrap();
            acknowledged.extend(first..first + count);
        }
    };
    append(0..3);
    append(3..4);
    let _ = journal.rotate();
    append(4..6);
    let cause = Cause { reason: "a test".into(), who: "a test".into() };
    let times = (i64::MAX - 1, i64::MAX);
    let _ = journal.hold(Hold { name: "h".into(), times }, cause.clone());
    append(6..7);
    let reader = Reader::open(&fixture.path(), fixture.all.clone(), &[Place::Temporary]);
    if let Ok(reader) = reader {
        let filter = Filter { numbers: Some((1, 1)), ..Filter::default() };
        let _ = journal.erase(&reader, &filter, &cause);
        let _ = journal.retain("a test", Some(&reader));
    }
    append(7..9);
    drop(journal);
    acknowledged
}

/// Lets every step fail in turn: by itself, or from it on.
fn fail_in_turn(once: bool, durability: Durability) {
    for at in 0.. {
        let fixture = Fixture::with(|settings| {
            settings.durability = durability;
            // The ticker would make the count of steps another one each time.
            settings.limits.interval_ms = 3_600_000;
            *settings.retention.classes.of(Class::Restricted) = Some(3600);
        });
        let steps = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&steps);
        let fault = move |_: Step| {
            let step = counter.fetch_add(1, Ordering::Relaxed);
            let fails = if once { step == at } else { step >= at };
            if fails { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
        };
        let faulty = Options { fault: Some(Arc::new(fault)), ..options() };
        let acknowledged = life(&fixture, &faulty);
        // Also before it is opened again: nothing was altered, only something may not be removed yet.
        let verifier = Verifier { identities: None, ..fixture.verifier() };
        let mut found = verifier.verify(&fixture.path()).unwrap().findings;
        found.retain(|finding| finding.fault != Damage::Remains);
        assert_eq!(found, [], "step {at}");
        let journal = Journal::open(&fixture.path(), &options())
            .unwrap_or_else(|error| panic!("step {at}: {error}"));
        journal.close().unwrap();
        assert_eq!(fixture.verify().findings, [], "step {at}");
        let read = numbers(&fixture.reader(), &Filter::default());
        assert!(read.iter().copied().eq(0..read.len() as u64), "step {at}: {read:?}");
        let lost = acknowledged.iter().find(|number| !read.contains(number));
        assert_eq!(lost, None, "step {at}, of {acknowledged:?}");
        if steps.load(Ordering::Relaxed) <= at {
            assert!(at > 50 && acknowledged.len() == 9, "{at} steps, {acknowledged:?}");
            return;
        }
    }
}

#[test]
fn a_step_that_fails_once_loses_nothing_acknowledged() {
    fail_in_turn(true, Durability::Record);
}

#[test]
fn a_disk_that_fails_for_good_loses_nothing_acknowledged() {
    fail_in_turn(false, Durability::Record);
}

#[test]
fn nor_does_it_where_the_system_says_when_to_sync() {
    fail_in_turn(false, Durability::Os);
}

#[test]
fn a_disk_that_has_become_read_only_is_read_and_takes_nothing() {
    let fixture = Fixture::with(|settings| settings.limits.interval_ms = 3_600_000);
    let on = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&on);
    let fault = move |_: Step| {
        let fails = switch.load(Ordering::Relaxed);
        if fails { Err(io::ErrorKind::ReadOnlyFilesystem.into()) } else { Ok(()) }
    };
    let options = Options { fault: Some(Arc::new(fault)), ..options() };
    let journal = Journal::open(&fixture.path(), &options).unwrap();
    journal.append(record(0)).unwrap();
    let read = || numbers(&fixture.reader(), &Filter::default());
    on.store(true, Ordering::Relaxed);
    journal.append(record(1)).unwrap_err();
    assert_eq!((read(), fixture.verify().findings), (vec![0], vec![]));
    drop(journal);
    let error = Journal::open(&fixture.path(), &options).unwrap_err();
    assert!(error.to_string().contains("read-only"), "{error}");
    assert_eq!((read(), fixture.verify().findings), (vec![0], vec![]));
    on.store(false, Ordering::Relaxed);
    let journal = Journal::open(&fixture.path(), &options).unwrap();
    assert_eq!(journal.append(record(1)).unwrap(), 1);
    journal.close().unwrap();
    assert_eq!((read(), fixture.verify().findings), (vec![0, 1], vec![]));
}

#[test]
fn a_file_that_is_cut_at_any_byte_gives_its_whole_frames() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let file = fixture.path().join("active/0000000000.wal");
    let mut ends = Vec::new();
    for number in 0..5 {
        journal.append(record(number)).unwrap();
        ends.push(std::fs::metadata(&file).unwrap().len());
    }
    let bytes = std::fs::read(&file).unwrap();
    for cut in 0..bytes.len() {
        let whole = ends.iter().filter(|end| **end <= cut as u64).count();
        match untrusted::survey(&bytes[..cut]) {
            Some(survey) => {
                assert_eq!((survey.records as usize, survey.changed), (whole, false), "{cut}");
            }
            None => assert_eq!(whole, 0, "{cut}"),
        }
    }
    drop(journal);
}

#[test]
fn what_was_changed_before_it_was_sealed_is_not_passed_over() {
    // In the header; and in the content of the last batch, before its hash and the mark. (Leaves and
    // marks are no content: the writer has its own.)
    for from_end in [None, Some(200)] {
        let fixture = Fixture::new();
        let journal = fixture.open();
        journal.append_all((0..9).map(record).collect()).unwrap();
        journal.sync().unwrap();
        let file = fixture.path().join("active/0000000000.wal");
        let mut bytes = std::fs::read(&file).unwrap();
        let at = from_end.map_or(40, |from_end| bytes.len() - from_end);
        bytes[at] ^= 1;
        std::fs::write(&file, &bytes).unwrap();
        let report = fixture.verify();
        assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
        assert!(report.findings[0].place.starts_with("active/"));
        // The writer notices as well, and does not put its name under it.
        let error = journal.close().unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
        let none = Identities::default();
        assert!(Reader::open(&fixture.path(), none, &[Place::Temporary]).is_ok());
    }
}
