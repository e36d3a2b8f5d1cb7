//! A disk that is full: work that makes room is done with the reserve.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use support::{Fixture, copy, numbers, options, record};
use tacenda_journal::{Cause, Filter, Format, Journal, Options, Record, Step};
use tacenda_policy::Class;

fn cause() -> Cause {
    Cause { reason: "a test".into(), who: "ines".into() }
}

/// A disk that has no room but that of the reserve, while the switch is on.
fn full(fixture: &Fixture) -> (Options, Arc<AtomicBool>) {
    let (on, reserve) = (Arc::new(AtomicBool::new(false)), fixture.path().join("reserve"));
    let switch = Arc::clone(&on);
    let fault = move |step| {
        let needs_room = matches!(step, Step::Create | Step::Write | Step::Rename);
        let fails = needs_room && switch.load(Ordering::Relaxed) && reserve.exists();
        if fails { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    };
    (Options { fault: Some(Arc::new(fault)), ..options() }, on)
}

#[test]
fn retention_makes_room_and_records_do_not_take_that_of_the_reserve() {
    let fixture = Fixture::with(|settings| settings.retention.max_bytes = Some(1));
    fixture.fill(0, 10);
    let (options, on) = full(&fixture);
    let journal = Journal::open(&fixture.path(), &options).unwrap();
    journal.append(record(10)).unwrap();
    on.store(true, Ordering::Relaxed);
    journal.append(record(11)).unwrap_err();
    assert!(fixture.path().join("reserve").exists());
    assert_eq!(journal.retain("ines", None).unwrap().segments, 1);
    assert!(fixture.path().join("reserve").exists());
    on.store(false, Ordering::Relaxed);
    assert_eq!(journal.append(record(11)).unwrap(), 11);
    journal.close().unwrap();
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), [10, 11]);
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn a_segment_that_the_reserve_has_no_room_for_is_sealed_as_it_is() {
    let fixture = Fixture::new();
    // What is written until something is removed, once the reserve is gone.
    let (on, room) = (Arc::new(AtomicBool::new(false)), AtomicU64::new(0));
    let (switch, reserve) = (Arc::clone(&on), fixture.path().join("reserve"));
    let fault = move |step| {
        match step {
            Step::Remove => room.store(4, Ordering::Relaxed),
            Step::Write if !switch.load(Ordering::Relaxed) => {}
            Step::Write if reserve.exists() || room.load(Ordering::Relaxed) == 0 => {
                return Err(io::ErrorKind::StorageFull.into());
            }
            Step::Write => drop(room.fetch_sub(1, Ordering::Relaxed)),
            _ => {}
        }
        Ok(())
    };
    let options = Options { fault: Some(Arc::new(fault)), ..options() };
    let journal = Journal::open(&fixture.path(), &options).unwrap();
    for number in 0..400 {
        journal.append(record(number)).unwrap();
    }
    journal.sync().unwrap();
    on.store(true, Ordering::Relaxed);
    journal.rotate().unwrap();
    on.store(false, Ordering::Relaxed);
    assert_eq!(journal.append(record(400)).unwrap(), 400);
    journal.close().unwrap();
    let reader = fixture.reader();
    let formats: Vec<Format> = reader.segments().map(|segment| segment.state.format).collect();
    assert_eq!(formats, [Format::Wal, Format::Parquet]);
    assert_eq!(numbers(&reader, &Filter::default()), (0..=400).collect::<Vec<_>>());
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn a_journal_is_recovered_sealed_erased_from_and_set() {
    let fixture = Fixture::new();
    fixture.fill(0, 10);
    let killed = fixture.path().with_extension("killed");
    let journal = fixture.open();
    journal.append(record(10)).unwrap();
    copy(&fixture.path(), &killed);
    drop(journal);
    fs::remove_dir_all(fixture.path()).unwrap();
    fs::rename(&killed, fixture.path()).unwrap();
    let (options, on) = full(&fixture);
    on.store(true, Ordering::Relaxed);
    let journal = Journal::open(&fixture.path(), &options).unwrap();
    on.store(false, Ordering::Relaxed);
    journal.append(record(11)).unwrap();
    on.store(true, Ordering::Relaxed);
    journal.rotate().unwrap();
    let filter = Filter { numbers: Some((9, 10)), ..Filter::default() };
    assert_eq!(journal.erase(&fixture.reader(), &filter, &cause()).unwrap().records, 2);
    let mut settings = journal.settings();
    settings.retention.max_bytes = Some(1);
    journal.set(settings, cause()).unwrap();
    journal.close().unwrap();
    assert!(fixture.path().join("reserve").exists());
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), (0..12).collect::<Vec<_>>());
    assert_eq!(fixture.verify().findings, []);
}

/// Where the disk that is filled is mounted.
const DISK: &str = "TACENDA_JOURNAL_TEST_DISK";

/// On a file system of 32 MiB of its own: no test by itself.
#[test]
fn child() {
    let Some(disk) = std::env::var_os(DISK) else { return };
    let disk = Path::new(&disk);
    large_segment(disk);
    let fixture = Fixture::in_folder(disk, |settings| {
        settings.retention.max_bytes = Some(1 << 20);
    });
    let journal = fixture.open();
    let mut written = 0;
    for _ in 0..3 {
        for _ in 0..500 {
            journal.append(noise()).unwrap();
            written += 1;
        }
        journal.rotate().unwrap();
    }
    // Somebody else takes all that is left.
    let mut other = File::create(disk.join("other")).unwrap();
    while other.write_all(&[1; 4096]).is_ok() {}
    while other.write_all(&[1]).is_ok() {}
    let error = loop {
        match journal.append(noise()) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
    };
    assert!(error.to_string().contains("No space left"), "{error}");
    drop(journal);
    let journal = Journal::open(&fixture.path(), &options()).unwrap();
    journal.append(noise()).unwrap_err();
    assert!(journal.retain("ines", None).unwrap().segments >= 1);
    journal.append(noise()).unwrap();
    written += 1;
    journal.close().unwrap();
    assert_eq!(fs::metadata(fixture.path().join("reserve")).unwrap().len(), 8 << 20);
    assert_eq!(fixture.verify().findings, []);
    let read = numbers(&fixture.reader(), &Filter::default());
    assert_eq!(read.last(), Some(&(written - 1)));
    drop(other);
    // Nobody writes where the system lets nobody, and what there is is read and verified.
    let remounted = Command::new("mount").args(["-o", "remount,ro"]).arg(disk).status();
    assert!(remounted.unwrap().success());
    Journal::open(&fixture.path(), &options()).unwrap_err();
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), read);
    assert_eq!(fixture.verify().findings, []);
    println!("done: {} of {written} records are left", read.len());
}

/// A text that no compression makes much shorter.
fn noise() -> Record {
    let mut bytes = [0; 4096];
    let random = File::open("/dev/urandom");
    random.and_then(|mut random| random.read_exact(&mut bytes)).unwrap();
    let text: String = bytes.iter().map(|byte| char::from(b' ' + byte % 64)).collect();
    Record::from_text(text.as_bytes(), Class::Internal, 1).unwrap()
}

/// Fills the disk with one segment, which the reserve has no room for a second time.
fn large_segment(disk: &Path) {
    let fixture = Fixture::in_folder(disk, |_| {});
    let journal = fixture.open();
    let mut written = 0;
    while journal.append(noise()).is_ok() {
        written += 1;
    }
    assert!(written * 4096 > 16 << 20, "{written}");
    journal.close().unwrap();
    let reader = fixture.reader();
    let segment = reader.segments().next().unwrap().state;
    assert_eq!((segment.format, segment.records, segment.cut), (Format::Wal, written, None));
    assert_eq!(numbers(&reader, &Filter::default()), (0..written).collect::<Vec<_>>());
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn a_file_system_that_is_full_is_made_room_on() {
    let folder = support::folder();
    let run = |script: &str| {
        let test = std::env::current_exe().unwrap();
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command.arg(folder.path()).arg(test).env(DISK, folder.path()).output()
    };
    let mount = "mount -t tmpfs -o size=32m,mode=700 none \"$0\"";
    if !run(mount).is_ok_and(|done| done.status.success()) {
        eprintln!("not done: this system lets nobody but root mount a file system");
        return;
    }
    let done = run(&format!("{mount} && exec \"$1\" --exact child --nocapture")).unwrap();
    let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && out.contains("done: "), "{out}\n{err}");
}
