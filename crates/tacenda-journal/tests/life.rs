//! A journal's life: written, rotated, read, verified, erased from, deleted.

mod support;

use support::{Fixture, files, numbers, options, record};
use tacenda_journal::{
    Cause, Filter, Format, Hold, Identities, Journal, JournalError, Place, Reader, Recipients,
    Settings, new_identity,
};
use tacenda_policy::Class;

#[test]
fn what_was_appended_is_read_back() {
    let fixture = Fixture::new();
    fixture.fill(0, 1000);
    fixture.fill(1000, 1003);
    let mut seen = Vec::new();
    fixture
        .reader()
        .each(&Filter::default(), &mut |one| {
            seen.push((one.sequence, one.record.clone()));
            true
        })
        .unwrap();
    let expected: Vec<_> = (0..1003).map(|number| (number, record(number))).collect();
    assert!(seen == expected);
    let report = fixture.verify();
    assert_eq!(report.findings, []);
    assert_eq!((report.segments, report.records, report.compared), (2, 1003, 2));
}

#[test]
fn the_active_segment_is_read_while_it_is_written() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    for number in 0..5 {
        assert_eq!(journal.append(record(number)).unwrap(), number);
    }
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), [0, 1, 2, 3, 4]);
    let error = Journal::open(&fixture.path(), &options()).unwrap_err();
    assert!(matches!(error, JournalError::InUse { .. }), "{error}");
    journal.close().unwrap();
}

#[test]
fn no_byte_of_content_lies_on_the_disk() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let clean = || {
        for file in files(&fixture.path()) {
            let bytes = std::fs::read(&file).unwrap();
            for secret in ["violet", "heron", "5555 1", "record 1", "app.1"] {
                let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
                assert!(!found, "{secret} in {}", file.display());
            }
        }
    };
    journal.append_all((0..50).map(record).collect()).unwrap();
    journal.sync().unwrap();
    clean();
    journal.close().unwrap();
    clean();
}

#[test]
fn without_an_identity_a_class_stays_sealed() {
    let fixture = Fixture::new();
    fixture.fill(0, 10);
    let reader = Reader::open(&fixture.path(), fixture.few.clone(), &[Place::Temporary]).unwrap();
    let mut count = 0;
    reader
        .each(&Filter::default(), &mut |seen| {
            count += 1;
            assert_eq!(seen.sealed, [Class::Restricted]);
            assert!(seen.record.field("prompt").is_some() && seen.record.field("card").is_none());
            true
        })
        .unwrap();
    assert_eq!(count, 10);
    let none =
        Reader::open(&fixture.path(), tacenda_journal::Identities::default(), &[Place::Temporary]);
    let error = none.unwrap().each(&Filter::default(), &mut |_| true).unwrap_err();
    assert!(matches!(error, JournalError::NoKey { part: "head", .. }), "{error}");
}

#[test]
fn filters() {
    let fixture = Fixture::new();
    fixture.fill(0, 50);
    fixture.fill(50, 100);
    let reader = fixture.reader();
    let only = |filter: Filter| numbers(&reader, &filter);
    let seconds = |from: i64| Some((1_700_000_000 + from) * 1_000_000_000);
    assert_eq!(only(Filter { level: Some("error".into()), ..Filter::default() }).len(), 10);
    assert_eq!(only(Filter { logger: Some("app.2".into()), ..Filter::default() }).len(), 33);
    assert_eq!(only(Filter { logger: Some("app".into()), ..Filter::default() }).len(), 100);
    assert_eq!(only(Filter { logger: Some("ap".into()), ..Filter::default() }), Vec::<u64>::new());
    assert_eq!(
        only(Filter { since: seconds(48), until: seconds(51), ..Filter::default() }),
        [48, 49, 50, 51]
    );
    assert_eq!(only(Filter { numbers: Some((99, 200)), ..Filter::default() }), [99]);
    assert_eq!(only(Filter { text: Some("heron 77".into()), ..Filter::default() }), [77]);
    assert_eq!(only(Filter { kind: Some("email".into()), ..Filter::default() }), Vec::<u64>::new());
    let fields = vec![("card".to_owned(), "5555 12".to_owned())];
    assert_eq!(only(Filter { fields, ..Filter::default() }), [12]);
}

#[test]
fn the_last_records_are_read_from_the_end() {
    let fixture = Fixture::new();
    fixture.fill(0, 20);
    fixture.fill(20, 40);
    // What is written since, in frames of its own.
    let journal = fixture.open();
    for number in 40..50 {
        journal.append(record(number)).unwrap();
    }
    let last = |filter: &Filter, count| {
        let (seen, next) = fixture.reader().last(filter, count).unwrap();
        assert_eq!(next, 50);
        seen.iter().map(|one| one.sequence).collect::<Vec<_>>()
    };
    let all = Filter::default();
    for count in [0, 1, 3, 10, 11, 30, 31, 49, 50, 51] {
        let from = 50_u64.saturating_sub(count as u64);
        assert_eq!(last(&all, count), (from..50).collect::<Vec<_>>());
    }
    let errors = Filter { level: Some("error".into()), ..Filter::default() };
    assert_eq!(last(&errors, 3), [20, 30, 40]);
    let some = Filter { numbers: Some((5, 42)), ..Filter::default() };
    assert_eq!(last(&some, 5), [38, 39, 40, 41, 42]);
    journal.rotate().unwrap();
    assert_eq!(last(&all, 3), [47, 48, 49]);
    journal.close().unwrap();
    // Nothing before what is asked for is opened, let alone read.
    let first = fixture.path().join("segments/0000000000.parquet");
    std::fs::write(&first, "nothing of the sort").unwrap();
    assert_eq!(last(&all, 30), (20..50).collect::<Vec<_>>());
    fixture.reader().last(&all, 31).unwrap_err();
}

#[test]
fn segments_end_by_size_and_threads_append_together() {
    let fixture = Fixture::with(|settings| settings.limits.segment_bytes = 20_000);
    let journal = fixture.open();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let journal = &journal;
            scope.spawn(move || {
                for number in 0..50 {
                    journal.append(record(thread * 1000 + number)).unwrap();
                }
            });
        }
    });
    journal.close().unwrap();
    let reader = fixture.reader();
    assert!(reader.segments().count() > 3);
    assert_eq!(numbers(&reader, &Filter::default()), (0..400).collect::<Vec<_>>());
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn erased_records_are_gone_and_the_journal_verifies() {
    let fixture = Fixture::new();
    fixture.fill(0, 30);
    fixture.fill(30, 60);
    let before = fixture.reader().checkpoint_note().to_owned();
    let journal = fixture.open();
    let cause = Cause { reason: "leaked by mistake".into(), who: "ines".into() };
    let filter = Filter { text: Some("heron 1".into()), ..Filter::default() };
    let erased = journal.erase(&fixture.reader(), &filter, &cause).unwrap();
    // 1 and 10 to 19.
    assert_eq!((erased.records, erased.segments), (11, 1));
    // Once more, in a segment that has gaps already.
    let filter = Filter { numbers: Some((5, 35)), ..Filter::default() };
    let erased = journal.erase(&fixture.reader(), &filter, &cause).unwrap();
    assert_eq!((erased.records, erased.segments), (21, 2));
    journal.close().unwrap();
    let mut gone = 0;
    fixture
        .reader()
        .each(&Filter::default(), &mut |seen| {
            gone += u64::from(seen.erased.is_some());
            assert_eq!(seen.erased.is_some(), seen.record.fields.iter().all(Option::is_none));
            true
        })
        .unwrap();
    assert_eq!(gone, 32);
    let mut verifier = fixture.verifier();
    verifier.since = vec![("before".to_owned(), before.into_bytes())];
    let report = verifier.verify(&fixture.path()).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!((report.erased, report.compared), (32, 2));
}

#[test]
fn nothing_is_erased_where_some_of_it_cannot_be_read() {
    let fixture = Fixture::new();
    fixture.fill(0, 30);
    let journal = fixture.open();
    let cause = Cause { reason: "leaked by mistake".into(), who: "ines".into() };
    let reader = Reader::open(&fixture.path(), fixture.few.clone(), &[Place::Temporary]).unwrap();
    // It stands in a field that these identities do not open.
    let filter = Filter { text: Some("5555 7".into()), ..Filter::default() };
    let error = journal.erase(&reader, &filter, &cause).unwrap_err();
    assert!(matches!(error, JournalError::NoKey { part: "every", segment: 0 }), "{error}");
    let erased = journal.erase(&fixture.reader(), &filter, &cause).unwrap();
    assert_eq!(erased.records, 1);
    journal.close().unwrap();
}

#[test]
fn a_segment_is_written_anew_for_those_it_was_sealed_to() {
    let fixture = Fixture::new();
    fixture.fill(0, 3);
    let journal = fixture.open();
    let cause = Cause { reason: "a new key".into(), who: "ines".into() };
    let (identity, recipient) = new_identity(0);
    let new = Identities::parse(identity.as_bytes()).unwrap();
    let recipients = Recipients::new(&[(None, recipient)]).unwrap();
    journal.set(Settings { recipients, ..journal.settings() }, cause.clone()).unwrap();
    journal.append(record(3)).unwrap();
    journal.rotate().unwrap();
    let with = |identities| Reader::open(&fixture.path(), identities, &[Place::Temporary]).unwrap();
    let both = with(fixture.all.clone().and(new.clone()));
    let filter = Filter { numbers: Some((1, 3)), ..Filter::default() };
    assert_eq!(journal.erase(&both, &filter, &cause).unwrap().records, 3);
    journal.close().unwrap();
    let read = |identities, numbers| {
        let filter = Filter { numbers: Some(numbers), ..Filter::default() };
        with(identities).each(&filter, &mut |_| true)
    };
    read(fixture.all.clone(), (0, 2)).unwrap();
    read(new.clone(), (3, 3)).unwrap();
    for (identities, numbers) in [(new, (0, 2)), (fixture.all.clone(), (3, 3))] {
        assert!(matches!(read(identities, numbers), Err(JournalError::NoKey { .. })));
    }
}

#[test]
fn retention_deletes_the_oldest_and_a_hold_keeps_them() {
    let fixture = Fixture::with(|settings| settings.retention.max_bytes = Some(1));
    for segment in 0..3 {
        fixture.fill(segment * 10, segment * 10 + 10);
    }
    let journal = fixture.open();
    let cause = Cause { reason: "case 7".into(), who: "ines".into() };
    let at = |second: i64| (1_700_000_000 + second) * 1_000_000_000;
    let hold = Hold { name: "case-7".into(), times: (at(12), at(13)) };
    journal.hold(hold, cause.clone()).unwrap();
    let filter = Filter { numbers: Some((12, 12)), ..Filter::default() };
    let error = journal.erase(&fixture.reader(), &filter, &cause).unwrap_err();
    assert!(matches!(error, JournalError::Held { .. }), "{error}");
    let deleted = journal.retain("ines", None).unwrap();
    assert_eq!((deleted.segments, deleted.records, deleted.held), (2, 20, 1));
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), (10..20).collect::<Vec<_>>());
    journal.release("case-7", cause).unwrap();
    assert_eq!(journal.retain("ines", None).unwrap().segments, 1);
    journal.close().unwrap();
    let report = fixture.verify();
    assert_eq!(report.findings, []);
    assert_eq!((report.segments, report.deleted), (0, 3));
}

#[test]
fn a_writer_that_was_killed_leaves_nothing_unreadable() {
    let fixture = Fixture::new();
    fixture.fill(0, 7);
    let journal = fixture.open();
    journal.append_all((7..20).map(record).collect()).unwrap();
    journal.sync().unwrap();
    // As after kill -9: no destructor runs, the lock goes with the process.
    let copy = support::folder();
    let target = copy.path().join("journal");
    support::copy(&fixture.path(), &target);
    drop(journal);
    let journal = Journal::open(&target, &options()).unwrap();
    assert_eq!(journal.append(record(20)).unwrap(), 20);
    journal.close().unwrap();
    let reader = Reader::open(&target, fixture.all.clone(), &[Place::Temporary]).unwrap();
    assert_eq!(numbers(&reader, &Filter::default()), (0..21).collect::<Vec<_>>());
    let formats: Vec<_> = reader.segments().map(|segment| segment.state.format).collect();
    assert_eq!(formats, [Format::Parquet, Format::Wal, Format::Parquet]);
    let report = fixture.verifier().verify(&target).unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.compared, 3);
}

#[test]
fn a_segment_of_another_journal_is_neither_read_nor_signed() {
    let fixture = Fixture::new();
    fixture.fill(0, 5);
    // Whoever knows the recipients can make one.
    let other = support::folder();
    let path = other.path().join("journal");
    Journal::create(&path, fixture.reader().settings().clone(), &options()).unwrap();
    let forger = Journal::open(&path, &options()).unwrap();
    forger.append_all((100..105).map(record).collect()).unwrap();
    forger.close().unwrap();
    let name = "segments/0000000000.parquet";
    std::fs::copy(path.join(name), fixture.path().join(name)).unwrap();
    let read = fixture.reader().each(&Filter::default(), &mut |_| panic!("a forged record"));
    assert!(matches!(read, Err(JournalError::Damaged { .. })), "{read:?}");
    let journal = fixture.open();
    let cause = Cause { reason: "a test".into(), who: "ines".into() };
    let filter = Filter { numbers: Some((1, 1)), ..Filter::default() };
    let erased = journal.erase(&fixture.reader(), &filter, &cause);
    assert!(matches!(erased, Err(JournalError::Damaged { .. })), "{erased:?}");
    journal.close().unwrap();
    assert_eq!(fixture.verify().findings.len(), 1);
}

#[test]
fn an_erasure_that_a_crash_has_cut_is_read_as_done() {
    let fixture = Fixture::new();
    fixture.fill(0, 5);
    let journal = fixture.open();
    let cause = Cause { reason: "a test".into(), who: "ines".into() };
    let filter = Filter { numbers: Some((1, 1)), ..Filter::default() };
    journal.erase(&fixture.reader(), &filter, &cause).unwrap();
    journal.close().unwrap();
    let name = fixture.path().join("segments/0000000000.parquet");
    std::fs::rename(&name, name.with_extension("parquet.erasing")).unwrap();
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), [0, 1, 2, 3, 4]);
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn many_records_of_a_segment_are_erased_at_once() {
    let fixture = Fixture::new();
    fixture.fill(0, 14_000);
    let journal = fixture.open();
    let long = Cause { reason: "x".repeat(70_000), who: "ines".into() };
    let error = journal.erase(&fixture.reader(), &Filter::default(), &long).unwrap_err();
    assert!(matches!(error, JournalError::BadSetting { .. }), "{error}");
    let cause = Cause { reason: "\u{1}".repeat(1000), who: "\u{1}".repeat(1000) };
    let erased = journal.erase(&fixture.reader(), &Filter::default(), &cause).unwrap();
    assert_eq!((erased.records, erased.segments), (14_000, 1));
    journal.append(record(14_000)).unwrap();
    journal.close().unwrap();
    let report = fixture.verify();
    assert_eq!((report.findings.as_slice(), report.erased), ([].as_slice(), 14_000));
}

#[test]
fn whoever_opens_some_segments_compares_those() {
    let fixture = Fixture::new();
    fixture.fill(0, 5);
    let journal = fixture.open();
    let mut settings = journal.settings();
    let (_, other) = tacenda_journal::new_identity(0);
    settings.recipients = tacenda_journal::Recipients::new(&[(None, other)]).unwrap();
    journal.set(settings, Cause { reason: "a test".into(), who: "ines".into() }).unwrap();
    journal.append(record(5)).unwrap();
    journal.close().unwrap();
    let report = fixture.verify();
    assert_eq!((report.findings.as_slice(), report.compared), ([].as_slice(), 1));
}

#[test]
fn the_keys_of_a_write_ahead_file_are_overwritten() {
    use std::io::Read as _;
    let fixture = Fixture::new();
    let journal = fixture.open();
    journal.append(record(0)).unwrap();
    let name = fixture.path().join("active/0000000000.wal");
    let mut file = std::fs::File::open(&name).unwrap();
    journal.rotate().unwrap();
    assert!(!name.exists());
    // Whoever finds its blocks finds no key that opens them.
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    let header = bytes.iter().take_while(|byte| **byte == 0).count();
    assert!(header > 1000 && bytes.len() > header, "{header} of {} bytes", bytes.len());
    assert!(!bytes.windows(8).any(|window| window == b"\"origin\""));
    journal.close().unwrap();
}
