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

#[test]
fn the_keys_of_what_nobody_began_are_not_unwrapped() {
    let fixture = Fixture::new();
    fixture.fill(0, 2);
    let journal = fixture.open();
    journal.append(record(2)).unwrap();
    let file = fixture.path().join("active/0000000001.wal");
    let bytes = std::fs::read(&file).unwrap();
    let length = u32::from_be_bytes(*bytes[14..].first_chunk().unwrap()) as usize;
    let header = 14 + 4 + length;
    let read = |identities: &crate::Identities, bytes: &[u8]| {
        std::fs::write(&file, bytes).unwrap();
        let allowed = [crate::Place::Temporary];
        let reader = crate::Reader::open(&fixture.path(), identities.clone(), &allowed).unwrap();
        reader.last(&Filter::default(), 1).map(|(_, next)| next)
    };
    // Without an identity the keys of one that was begun are missing, and of one that was not none is tried.
    let nobody = crate::Identities::default();
    assert!(matches!(read(&nobody, &bytes), Err(crate::JournalError::NoKey { .. })));
    let sealed = Filter::default();
    for (identities, cut) in [(&fixture.all, header), (&fixture.all, header + 40)] {
        assert_eq!(read(identities, &bytes[..cut]).unwrap(), 2);
        assert_eq!(numbers(&fixture.reader(), &sealed), [0, 1]);
    }
    std::fs::write(&file, &bytes[..header]).unwrap();
    let reader = crate::Reader::open(&fixture.path(), nobody, &[crate::Place::Temporary]).unwrap();
    assert!(reader.closed_unsealed(&sealed).unwrap().is_empty());
    assert_eq!(reader.active().unwrap(), None);
    // A mark of somebody else, before which there is no record.
    let mut forged = bytes[..header + 4 + 81 + 32].to_vec();
    forged[header + 4 + 81 - 1] ^= 1;
    let chain = crate::sha256(&[&crate::sha256(&[&bytes[..header]]), &forged[header..header + 85]]);
    forged[header + 85..].copy_from_slice(&chain);
    let error = read(&fixture.all, &forged).unwrap_err();
    assert!(matches!(error, crate::JournalError::Damaged { .. }), "{error}");
    std::fs::write(&file, &bytes).unwrap();
    journal.close().unwrap();
}

#[test]
fn what_is_no_file_of_ours_beside_a_segment_is_named_and_not_in_the_way() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;
    let fixture = Fixture::new();
    fixture.fill(0, 3);
    let other = fixture.path().parent().unwrap().join("other");
    std::fs::write(&other, "").unwrap();
    let puts: [&dyn Fn(&Path); 5] = [
        &|path| symlink(&other, path).unwrap(),
        &|path| std::fs::create_dir(path).unwrap(),
        &|path| assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success()),
        &|path| {
            std::fs::write(path, "").unwrap();
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
        },
        &|path| std::fs::hard_link(&other, path).unwrap(),
    ];
    let names = ["0000000000.parquet.erasing", "0000000001.parquet", "0000000001.parquet.new"];
    for name in names.map(|name| format!("segments/{name}")) {
        for (number, put) in puts.iter().enumerate() {
            let path = fixture.path().join(&name);
            put(&path);
            assert_eq!(numbers(&fixture.reader(), &Filter::default()), [0, 1, 2]);
            let found = fixture.verify().findings;
            let places: Vec<&str> = found.iter().map(|one| one.place.as_str()).collect();
            assert_eq!(places, [name.as_str()], "{number}");
            std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir(&path)).unwrap();
        }
    }
    assert_eq!(fixture.verify().findings, []);
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

#[test]
fn what_a_change_hides_of_what_is_not_sealed_is_told() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    let file = fixture.path().join("active/0000000000.wal");
    let mut ends = Vec::new();
    for number in 0..3 {
        journal.append(record(number)).unwrap();
        journal.sync().unwrap();
        ends.push(std::fs::metadata(&file).unwrap().len());
    }
    let whole = std::fs::read(&file).unwrap();
    let at = usize::try_from(ends[0]).unwrap();
    let read = |changed: &[u8], filter: &Filter| {
        std::fs::write(&file, changed).unwrap();
        let (reader, mut read) = (fixture.reader(), Vec::new());
        let done = reader.each(filter, &mut |seen| {
            read.push(seen.sequence);
            true
        });
        assert_eq!(reader.check_unsealed(filter).is_ok(), done.is_ok());
        assert_eq!(reader.check_active().is_ok(), changed == &whole[..changed.len()]);
        (read, done.is_ok())
    };
    let all = Filter::default();
    assert_eq!(read(&whole, &all), (vec![0, 1, 2], true));
    // In its content; in its length, so that it looks like one that is being written.
    for place in [at + 70, at + 2] {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        assert_eq!(read(&changed, &all), (vec![0], false), "byte {place}");
        let first = Filter { numbers: Some((0, 0)), ..Filter::default() };
        assert_eq!(read(&changed, &first), (vec![0], true));
    }
    // What is being written is no change.
    assert_eq!(read(&whole[..at + 40], &all), (vec![0], true));
    // In the header, in its length so that there seems to be more of it, and in the first mark: of nothing
    // behind it is known that somebody has written it.
    let header = 18 + u32::from_be_bytes(*whole[14..].first_chunk().unwrap()) as usize;
    for place in [0, 14, 15, 17, 18, 300, header, header + 3, header + 4, header + 20, header + 90]
    {
        let mut changed = whole.clone();
        changed[place] ^= 1;
        assert_eq!(read(&changed, &all), (vec![], false), "byte {place}");
        let (last, next) = fixture.reader().last(&all, 5).unwrap();
        assert_eq!((last.len(), next), (0, 0), "byte {place}");
    }
    // One that is being begun has nothing yet.
    for length in [0, 10, 16, 300, header, header + 40] {
        assert_eq!(read(&whole[..length], &all), (vec![], true), "{length} bytes");
    }
    // Also where a crash has it moved, with what is nothing in its old place.
    let moved = fixture.path().join("segments/0000000000.wal");
    std::fs::copy(&file, &moved).unwrap();
    std::fs::write(&moved, &whole).unwrap();
    assert_eq!(read(&whole[..0], &all), (vec![0, 1, 2], true));
    std::fs::remove_file(&moved).unwrap();

    let mut changed = whole;
    changed[at + 70] ^= 1;
    std::fs::write(&file, changed).unwrap();
    assert!(journal.close().is_err());
    fixture.open().close().unwrap();
    let after = Filter { numbers: Some((5, 9)), ..Filter::default() };
    let changed = [all, after].map(|filter| fixture.reader().changed(&filter));
    assert_eq!(changed, [vec!["0000000000.wal".to_owned()], vec![]]);
}

#[test]
fn a_log_that_knows_less_than_there_is_is_not_read() {
    let fixture = Fixture::new();
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let copied = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status();
        assert!(copied.unwrap().success());
    };
    let (log, kept) = (fixture.path().join("log"), fixture.path().parent().unwrap().join("kept"));
    std::fs::create_dir(&kept).unwrap();
    for number in 0..3 {
        copy(&log, &kept.join(number.to_string()));
        fixture.fill(number, number + 1);
    }
    let journal = fixture.open();
    journal.append(record(3)).unwrap();
    drop(fixture.reader());
    // What was active tells, and of what was sealed the newest.
    for (known, removed) in [(2, "segments/0000000002.parquet"), (0, "active/0000000003.wal")] {
        std::fs::remove_dir_all(&log).unwrap();
        copy(&kept.join(known.to_string()), &log);
        std::fs::remove_file(fixture.path().join(removed)).unwrap();
        let allowed = [crate::Place::Temporary];
        let error = crate::Reader::open(&fixture.path(), fixture.all.clone(), &allowed).err();
        let error = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("rolled back"), "{known} {removed:?}: {error}");
    }
    std::mem::forget(journal);
}
