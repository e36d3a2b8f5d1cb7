use crate::support::{Fixture, numbers, record};
use crate::{Cause, Filter, Journal, Record};

fn cause() -> Cause {
    Cause { reason: "a test".into(), who: "ines".into() }
}

#[test]
fn what_is_sealed_while_it_is_read_is_read() {
    let fixture = Fixture::new();
    fixture.fill(0, 5);
    let journal = fixture.open();
    let append = |from: u64, to| journal.append_all((from..to).map(record).collect()).unwrap();
    append(5, 10);
    let reader = fixture.reader();
    let mut read = Vec::new();
    let next = reader.each(&Filter::default(), &mut |seen| {
        read.push(seen.sequence);
        if seen.sequence == 0 {
            journal.rotate().unwrap();
            append(10, 12);
            journal.rotate().unwrap();
        }
        if seen.sequence == 7 {
            append(12, 13);
            journal.rotate().unwrap();
        }
        true
    });
    assert_eq!(read, (0..13).collect::<Vec<_>>());
    assert_eq!(next.unwrap(), 13);
    let (seen, next) = reader.last(&Filter::default(), 4).unwrap();
    assert_eq!(seen.iter().map(|one| one.sequence).collect::<Vec<_>>(), [9, 10, 11, 12]);
    assert_eq!(next, 13);
    // Nothing is active: the newest reader has it all.
    assert_eq!(numbers(&fixture.reader(), &Filter::default()).len(), 13);
    journal.close().unwrap();
}

/// A segment of two row groups, read as far as the first when `change` comes.
fn read_across(fixture: &Fixture, change: impl Fn(&Journal)) -> Vec<(u64, bool)> {
    let journal = fixture.open();
    let long = |number| Record {
        level: "info".into(),
        fields: [None, Some(format!(r#"{{"n":"{}"}}"#, "x".repeat(9 << 20)).into()), None, None],
        ..record(number)
    };
    for number in 0..4 {
        journal.append(long(number)).unwrap();
    }
    journal.rotate().unwrap();
    let mut read = Vec::new();
    let done = fixture.reader().each(&Filter::default(), &mut |seen| {
        read.push((seen.sequence, seen.erased.is_some()));
        if read.len() == 1 {
            change(&journal);
        }
        true
    });
    done.unwrap();
    journal.close().unwrap();
    read
}

#[test]
fn what_is_erased_while_it_is_read_is_no_damage() {
    let fixture = Fixture::new();
    let read = read_across(&fixture, |journal| {
        let filter = Filter { numbers: Some((3, 3)), ..Filter::default() };
        assert_eq!(journal.erase(&fixture.reader(), &filter, &cause()).unwrap().records, 1);
    });
    assert_eq!(read, [(0, false), (1, false), (2, false), (3, true)]);
}

#[test]
fn what_is_deleted_while_it_is_read_is_no_damage() {
    let fixture = Fixture::with(|settings| settings.retention.max_bytes = Some(1));
    let read = read_across(&fixture, |journal| {
        assert_eq!(journal.retain("ines", None).unwrap().segments, 1);
    });
    assert_eq!(read, [(0, false), (1, false)]);
}

#[test]
fn no_more_of_a_segment_is_read_than_is_wanted() {
    // More than are in one row group.
    const COUNT: u64 = (1 << 16) + 100;
    let fixture = Fixture::new();
    fixture.fill(0, COUNT);
    let path = fixture.path().join("segments/0000000000.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let since = record(COUNT - 10).time;
    let last = Filter { since: Some(since), ..Filter::default() };
    assert_eq!(numbers(&fixture.reader(), &last), (COUNT - 10..COUNT).collect::<Vec<_>>());
    let all = fixture.reader().each(&Filter::default(), &mut |_| true);
    assert!(matches!(all, Err(crate::JournalError::Damaged { .. })), "{all:?}");
    let found = fixture.verify().findings;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].place, "segments/0000000000.parquet");
}
