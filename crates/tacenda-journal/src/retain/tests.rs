use std::sync::Arc;

use crate::support::{Fixture, options, record};
use crate::{Cause, Hold, Journal, Options, Record, system_clock};

#[test]
fn a_hold_is_not_replaced_by_another() {
    let fixture = Fixture::with(|settings| settings.retention.max_bytes = Some(1));
    fixture.fill(0, 10);
    let journal = fixture.open();
    let cause = Cause { reason: "case 7".into(), who: "ines".into() };
    let hold = |times| journal.hold(Hold { name: "case-7".into(), times }, cause.clone());
    let error = hold((2, 1)).unwrap_err();
    assert!(error.to_string().contains("swap the times"), "{error}");
    hold((0, i64::MAX)).unwrap();
    let error = hold((0, 1)).unwrap_err();
    assert!(error.to_string().contains("release it first"), "{error}");
    assert_eq!(journal.retain("ines", None).unwrap().held, 1);
    journal.release("case-7", cause.clone()).unwrap();
    hold((0, 1)).unwrap();
    journal.close().unwrap();
}

#[test]
fn an_age_beyond_all_ages_keeps_everything() {
    let fixture = Fixture::with(|settings| settings.retention.max_seconds = Some(u64::MAX));
    fixture.fill(0, 10);
    let journal = fixture.open();
    assert_eq!(journal.retain("ines", None).unwrap().segments, 0);
    journal.close().unwrap();
}

#[test]
fn a_record_of_the_future_keeps_nothing_longer() {
    let fixture = Fixture::with(|settings| settings.retention.max_seconds = Some(60));
    let journal = fixture.open();
    journal.append(Record { time: i64::MAX, ..record(0) }).unwrap();
    journal.close().unwrap();
    let clock = Arc::new(|| system_clock()() + 120_000_000_000);
    let journal = Journal::open(&fixture.path(), &Options { clock, ..options() }).unwrap();
    assert_eq!(journal.retain("ines", None).unwrap().segments, 1);
    journal.close().unwrap();
}

#[test]
fn what_was_written_while_the_clock_was_put_back_is_held() {
    let fixture = Fixture::with(|settings| settings.retention.max_bytes = Some(1));
    let now = system_clock()();
    let at = |seconds: i64| {
        let clock = Arc::new(move || now + seconds * 1_000_000_000);
        Journal::open(&fixture.path(), &Options { clock, ..options() }).unwrap()
    };
    for (seconds, number) in [(7200, 0), (60, 1)] {
        let journal = at(seconds);
        journal.append(Record { time: 0, ..record(number) }).unwrap();
        journal.close().unwrap();
    }
    // Of the second nobody knows when it was begun.
    let journal = at(120);
    let hold = Hold { name: "case-7".into(), times: (now + 30_000_000_000, now + 50_000_000_000) };
    let cause = Cause { reason: "case 7".into(), who: "ines".into() };
    journal.hold(hold, cause).unwrap();
    let done = journal.retain("ines", None).unwrap();
    assert_eq!((done.held, done.segments), (2, 0));
    journal.close().unwrap();
}

#[test]
fn what_was_cut_off_a_segment_goes_with_it() {
    let fixture = Fixture::with(|settings| settings.retention.max_bytes = Some(1));
    fixture.fill(0, 3);
    fixture.fill(3, 6);
    let quarantine = fixture.path().join("quarantine");
    std::fs::create_dir(&quarantine).unwrap();
    let private =
        |mode: u32| -> std::fs::Permissions { std::os::unix::fs::PermissionsExt::from_mode(mode) };
    std::fs::set_permissions(&quarantine, private(0o700)).unwrap();
    let names = ["0000000000.wal", "0000000001.wal.unfinished", "0000000002.wal"];
    let put = || {
        for name in names {
            std::fs::write(quarantine.join(name), "x").unwrap();
            std::fs::set_permissions(quarantine.join(name), private(0o600)).unwrap();
        }
    };
    let left = || names.map(|name| quarantine.join(name).exists());
    put();
    let journal = fixture.open();
    assert_eq!(left(), [true; 3]);
    assert_eq!(journal.retain("ines", None).unwrap().segments, 2);
    assert_eq!(left(), [false, false, true]);
    journal.close().unwrap();
    // As a crash in between has left it.
    put();
    fixture.open().close().unwrap();
    assert_eq!(left(), [false, false, true]);
}

#[test]
fn a_record_of_the_past_is_held_by_when_it_was_written() {
    let fixture = Fixture::with(|settings| settings.retention.max_seconds = Some(60));
    let journal = fixture.open();
    journal.append(Record { time: 0, ..record(0) }).unwrap();
    journal.rotate().unwrap();
    let now = system_clock()();
    let hold = Hold { name: "case-7".into(), times: (now - 1_000_000_000, now) };
    let cause = Cause { reason: "case 7".into(), who: "ines".into() };
    journal.hold(hold, cause.clone()).unwrap();
    assert_eq!(journal.retain("ines", None).unwrap().held, 1);
    journal.release("case-7", cause).unwrap();
    assert_eq!(journal.retain("ines", None).unwrap().segments, 1);
    journal.close().unwrap();
}

#[test]
fn a_clock_that_was_ahead_keeps_nothing_longer() {
    let fixture = Fixture::with(|settings| settings.retention.max_seconds = Some(60));
    let at = |seconds: i64| {
        let clock = Arc::new(move || system_clock()() + seconds * 1_000_000_000);
        Journal::open(&fixture.path(), &Options { clock, ..options() }).unwrap()
    };
    let year = 365 * 86_400;
    for (number, ahead) in [(0, year), (1, 0)] {
        let journal = at(ahead);
        journal.append(Record { time: i64::MAX, ..record(number) }).unwrap();
        journal.close().unwrap();
    }
    let journal = at(120);
    assert_eq!(journal.retain("ines", None).unwrap().segments, 2);
    journal.close().unwrap();
}

#[test]
fn a_damaged_segment_keeps_nobody_from_the_others() {
    let fixture = Fixture::with(|settings| {
        *settings.retention.classes.of(tacenda_policy::Class::Restricted) = Some(60);
    });
    for segment in 0..4 {
        fixture.fill(2 * segment, 2 * segment + 2);
    }
    let segment = |number: u64| fixture.path().join(format!("segments/{number:010}.parquet"));
    let mut bytes = std::fs::read(segment(1)).unwrap();
    bytes[100] ^= 1;
    std::fs::write(segment(1), bytes).unwrap();
    let journal = fixture.open();
    let done = journal.retain("ines", Some(&fixture.reader())).unwrap();
    assert_eq!((done.expired, done.failed.len(), done.failed[0].0), (3, 1, 1));
    // What is noted as deleted, and cannot be removed.
    std::fs::remove_file(segment(0)).unwrap();
    std::fs::create_dir(segment(0)).unwrap();
    let mut settings = journal.settings();
    settings.retention.max_bytes = Some(1);
    journal.set(settings, Cause { reason: "a test".into(), who: "ines".into() }).unwrap();
    let done = journal.retain("ines", None).unwrap();
    assert_eq!((done.segments, done.failed.len(), done.failed[0].0), (3, 1, 0));
    journal.close().unwrap();
    assert!(segment(0).is_dir() && !segment(1).exists() && !segment(3).exists());
    fixture.open().close().unwrap();
    let found = fixture.verify().findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place, "segments/0000000000.parquet");
}
