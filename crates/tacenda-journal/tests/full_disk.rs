//! A disk that is full: work that makes room is done with the reserve.

mod support;

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use support::{Fixture, copy, numbers, options, record};
use tacenda_journal::{Cause, Filter, Journal, JournalError, Options, Record, Step};
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
    let fixture = Fixture::in_folder(disk, |settings| {
        settings.retention.max_bytes = Some(1 << 20);
    });
    let mut number = 0;
    let mut noise = || {
        let mut bytes = [0; 4096];
        let random = File::open("/dev/urandom");
        random.and_then(|mut random| random.read_exact(&mut bytes)).unwrap();
        number += 1;
        // Texts that no compression makes much shorter.
        let text: String = bytes.iter().map(|byte| char::from(b' ' + byte % 64)).collect();
        Record::from_text(text.as_bytes(), Class::Internal, number).unwrap()
    };
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
    assert!(matches!(journal.append(noise()), Err(JournalError::Together(_))));
    assert!(journal.retain("ines", None).unwrap().segments >= 1);
    journal.append(noise()).unwrap();
    written += 1;
    journal.close().unwrap();
    assert_eq!(fs::metadata(fixture.path().join("reserve")).unwrap().len(), 8 << 20);
    assert_eq!(fixture.verify().findings, []);
    let read = numbers(&fixture.reader(), &Filter::default());
    assert_eq!(read.last(), Some(&(written - 1)));
    println!("done: {} of {written} records are left", read.len());
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
