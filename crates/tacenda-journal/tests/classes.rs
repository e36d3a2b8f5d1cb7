//! Classes whose time is over: their content goes, the records stay and can be proven.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::sync::Arc;

use support::{Fixture, numbers, options, record};
use tacenda_journal::{
    Cause, Deleted, Filter, Format, Hold, Journal, JournalError, Options, Place, Reader, Settings,
    system_clock,
};
use tacenda_policy::Class;

fn cause() -> Cause {
    Cause { reason: "a test".into(), who: "ines".into() }
}

/// A journal of two segments, whose records are years old, and a class that is kept for an hour.
fn aged() -> Fixture {
    let fixture = Fixture::with(|settings| {
        *settings.retention.classes.of(Class::Restricted) = Some(3600);
    });
    fixture.fill(0, 30);
    fixture.fill(30, 60);
    fixture
}

/// The numbers of the records that have a field.
fn with(reader: &Reader, field: &str) -> Vec<u64> {
    let mut all = Vec::new();
    reader
        .each(&Filter::default(), &mut |seen| {
            all.extend(seen.record.field(field).map(|_| seen.sequence));
            true
        })
        .unwrap();
    all
}

fn retain(fixture: &Fixture) -> Deleted {
    let journal = fixture.open();
    let done = journal.retain("ines", Some(&fixture.reader())).unwrap();
    journal.close().unwrap();
    done
}

#[test]
fn the_content_of_a_class_goes_and_all_else_stays() {
    let fixture = aged();
    let before = fixture.reader().checkpoint_note().to_owned();
    let done = retain(&fixture);
    assert_eq!((done.expired, done.contents, done.segments), (2, 60, 0));
    let reader = fixture.reader();
    assert_eq!(with(&reader, "card"), [0_u64; 0]);
    assert_eq!(with(&reader, "prompt"), (0..60).collect::<Vec<_>>());
    let filter = Filter { logger: Some("app.2".into()), ..Filter::default() };
    assert_eq!(numbers(&reader, &filter).len(), 20);
    for segment in reader.segments() {
        assert_eq!(segment.state.expired, [Class::Restricted]);
    }
    let mut verifier = fixture.verifier();
    verifier.since = vec![("before".to_owned(), before.into_bytes())];
    let report = verifier.verify(&fixture.path()).unwrap();
    assert_eq!((report.findings.as_slice(), report.compared), ([].as_slice(), 2));
    assert_eq!(retain(&fixture), Deleted::default(), "once is enough");

    // Another class, and a record that is erased after that.
    let journal = fixture.open();
    let mut settings: Settings = journal.settings();
    *settings.retention.classes.of(Class::Confidential) = Some(60);
    journal.set(settings, cause()).unwrap();
    assert_eq!(journal.retain("ines", Some(&fixture.reader())).unwrap().contents, 60);
    let filter = Filter { numbers: Some((5, 5)), ..Filter::default() };
    assert_eq!(journal.erase(&fixture.reader(), &filter, &cause()).unwrap().records, 1);
    journal.close().unwrap();
    let reader = fixture.reader();
    assert_eq!(with(&reader, "prompt"), [0_u64; 0]);
    assert_eq!(with(&reader, "message").len(), 59);
    let report = fixture.verify();
    assert_eq!((report.findings.as_slice(), report.compared), ([].as_slice(), 2));
    assert_eq!(report.erased, 1);
}

#[test]
fn a_segment_that_has_nothing_of_a_class_stays_as_it_is() {
    let fixture = Fixture::with(|settings| {
        *settings.retention.classes.of(Class::Restricted) = Some(3600);
        *settings.retention.classes.of(Class::Confidential) = Some(3600);
    });
    let journal = fixture.open();
    let few = |number, missing: &[usize]| {
        let mut few = record(number);
        for class in missing {
            few.fields[*class] = None;
        }
        few
    };
    journal.append_all((0..3).map(|number| few(number, &[2, 3])).collect()).unwrap();
    journal.rotate().unwrap();
    journal.append_all((3..6).map(|number| few(number, &[2])).collect()).unwrap();
    journal.close().unwrap();
    let file = fixture.path().join("segments/0000000000.parquet");
    let before = std::fs::read(&file).unwrap();
    let done = retain(&fixture);
    assert_eq!((done.expired, done.contents), (1, 3));
    assert!(std::fs::read(&file).unwrap() == before);
    let expired: Vec<_> = fixture.reader().segments().map(|one| one.state.expired).collect();
    assert_eq!(expired, [vec![], vec![Class::Restricted]]);
    assert_eq!(fixture.verify().findings, []);
    assert_eq!(retain(&fixture), Deleted::default());
}

#[test]
fn without_the_keys_of_all_classes_nothing_changes() {
    let fixture = aged();
    let journal = fixture.open();
    let few = Reader::open(&fixture.path(), fixture.few.clone(), &[Place::Temporary]).unwrap();
    for reader in [None, Some(&few)] {
        let done = journal.retain("ines", reader).unwrap();
        assert_eq!(done, Deleted { sealed: 2, ..Deleted::default() });
    }
    journal.close().unwrap();
    assert_eq!(with(&fixture.reader(), "card").len(), 60);
    // Who lacks the key of a class is not told to find it when there is nothing to read.
    retain(&fixture);
    let few = Reader::open(&fixture.path(), fixture.few.clone(), &[Place::Temporary]).unwrap();
    few.each(&Filter::default(), &mut |seen| {
        assert_eq!(seen.sealed, [Class::Public; 0]);
        true
    })
    .unwrap();
}

#[test]
fn a_hold_keeps_content_and_a_younger_segment_has_its_own() {
    let fixture = aged();
    let journal = fixture.open();
    let at = |second: i64| (1_700_000_000 + second) * 1_000_000_000;
    journal.hold(Hold { name: "case".into(), times: (at(10), at(12)) }, cause()).unwrap();
    let mut young = record(60);
    young.time = i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap();
    journal.append(young).unwrap();
    journal.rotate().unwrap();
    let done = journal.retain("ines", Some(&fixture.reader())).unwrap();
    assert_eq!((done.expired, done.contents, done.held), (1, 30, 1));
    let kept: Vec<u64> = (0..30).chain([60]).collect();
    assert_eq!(with(&fixture.reader(), "card"), kept);
    journal.release("case", cause()).unwrap();
    let done = journal.retain("ines", Some(&fixture.reader())).unwrap();
    assert_eq!((done.expired, done.held), (1, 0));
    assert_eq!(with(&fixture.reader(), "card"), [60]);
    journal.close().unwrap();
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn what_a_crash_has_left_expires_too() {
    let fixture = aged();
    let journal = fixture.open();
    journal.append_all((60..70).map(record).collect()).unwrap();
    let copy = support::folder();
    let target = copy.path().join("journal");
    support::copy(&fixture.path(), &target);
    drop(journal);
    // When its records came nobody on this machine can tell: it is as old as its recovery.
    let journal = Journal::open(&target, &options()).unwrap();
    journal.close().unwrap();
    let clock = Arc::new(|| system_clock()() + 7_200_000_000_000);
    let journal = Journal::open(&target, &Options { clock, ..options() }).unwrap();
    let reader = || Reader::open(&target, fixture.all.clone(), &[Place::Temporary]).unwrap();
    assert_eq!(reader().segments().last().unwrap().state.format, Format::Wal);
    assert_eq!(journal.retain("ines", Some(&reader())).unwrap().contents, 70);
    journal.close().unwrap();
    assert_eq!(with(&reader(), "card"), [0_u64; 0]);
    assert_eq!(with(&reader(), "prompt").len(), 70);
    // The rename that a crash has kept from being done is done for whoever reads.
    let name = target.join("segments/0000000000.parquet");
    std::fs::rename(&name, name.with_extension("parquet.erasing")).unwrap();
    assert_eq!(with(&reader(), "prompt").len(), 70);
    let report = fixture.verifier().verify(&target).unwrap();
    assert_eq!((report.findings.as_slice(), report.compared), ([].as_slice(), 3));
}

#[test]
fn a_record_is_proven_by_what_is_left_of_it() {
    let fixture = aged();
    let whole = fixture.reader().prove(7).unwrap();
    retain(&fixture);
    let left = fixture.reader().prove(7).unwrap();
    let parts = |proof: &serde_json::Value| proof["parts"].as_array().unwrap().clone();
    assert_eq!(parts(&whole)[..3], parts(&left)[..3], "head, internal, confidential");
    let restricted = &parts(&left)[3];
    assert_eq!(restricted["part"], "restricted");
    assert!(restricted["commitment"].is_string() && restricted.get("salt").is_none());
    assert_eq!(whole["segment"], left["segment"], "the way to the root is the same");
}

#[test]
fn a_file_put_back_from_before_is_found() {
    let fixture = aged();
    let name = fixture.path().join("segments/0000000000.parquet");
    let before = std::fs::read(&name).unwrap();
    retain(&fixture);
    std::fs::write(&name, before).unwrap();
    let report = fixture.verify();
    assert_eq!(report.findings[0].place, "segments/0000000000.parquet");
    let read = fixture.reader().each(&Filter::default(), &mut |_| true);
    assert!(matches!(read, Err(JournalError::Damaged { .. })), "{read:?}");
}
