//! What is done with a write-ahead file that a crash left, and that is not what was written.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use support::{Fixture, numbers, options, record};
use tacenda_journal::{
    Durability, Filter, Journal, JournalError, Options, Place, Reader, Record, Step, Verification,
};
use tempfile::TempDir;

/// Five records in a sealed segment, and five that were acknowledged when the writer was killed.
struct Killed {
    fixture: Fixture,
    folder: TempDir,
}

impl Killed {
    fn new() -> Self {
        let fixture = Fixture::with(|settings| settings.durability = Durability::Record);
        fixture.fill(0, 5);
        let journal = fixture.open();
        for number in 5..10 {
            journal.append(record(number)).unwrap();
        }
        let killed = Self { folder: support::folder(), fixture };
        support::copy(&killed.fixture.path(), &killed.folder.path().join("killed"));
        drop(journal);
        killed
    }

    /// The journal, with another write-ahead file.
    fn with(&self, wal: &[u8]) -> PathBuf {
        let path = self.folder.path().join("journal");
        let _ = fs::remove_dir_all(&path);
        support::copy(&self.folder.path().join("killed"), &path);
        fs::write(path.join("active/0000000001.wal"), wal).unwrap();
        path
    }

    fn wal(&self) -> Vec<u8> {
        fs::read(self.folder.path().join("killed/active/0000000001.wal")).unwrap()
    }

    fn verify(&self, path: &Path) -> Verification {
        self.fixture.verifier().verify(path).unwrap()
    }

    fn numbers(&self, path: &Path) -> Vec<u64> {
        let reader = Reader::open(path, self.fixture.all.clone(), &[Place::Temporary]);
        numbers(&reader.unwrap(), &Filter::default())
    }
}

#[test]
fn a_changed_bit_is_found_before_and_after_it_is_recovered_from() {
    let killed = Killed::new();
    let whole = killed.wal();
    let mut refused = 0;
    for (round, at) in (0..whole.len()).step_by(29).enumerate() {
        let mut changed = whole.clone();
        changed[at] ^= 1 << (round % 8);
        let path = killed.with(&changed);
        assert_ne!(killed.verify(&path).findings, [], "bit {} of byte {at}", round % 8);
        match Journal::open(&path, &options()) {
            Ok(journal) => {
                journal.append(record(10)).unwrap();
                journal.close().unwrap();
            }
            // Of another journal, it says: it is left as it is.
            Err(JournalError::Damaged { .. }) => {
                assert_eq!(fs::read(path.join("active/0000000001.wal")).unwrap(), changed);
                refused += 1;
                continue;
            }
            Err(error) => panic!("byte {at}: {error}"),
        }
        let report = killed.verify(&path);
        let places: Vec<&str> = report.findings.iter().map(|one| one.place.as_str()).collect();
        assert_eq!(places, ["segments/0000000001.wal"], "byte {at}: {:?}", report.findings);
        // Nothing that was there is gone, and no number of a segment is given twice.
        let kept = fs::read(path.join("segments/0000000001.wal")).unwrap();
        let rest = fs::read(path.join("quarantine/0000000001.wal")).unwrap();
        assert!([kept, rest].concat() == changed, "byte {at}");
        let read = killed.numbers(&path);
        assert!(read.len() > 5 && read.iter().copied().eq(0..read.len() as u64), "{read:?}");
    }
    assert!(refused < 10, "{refused} of {}", whole.len() / 29);
}

#[test]
fn what_a_crash_cut_is_no_finding_and_is_kept() {
    let killed = Killed::new();
    let whole = killed.wal();
    for length in (0..whole.len()).step_by(31) {
        let path = killed.with(&whole[..length]);
        assert_eq!(killed.verify(&path).findings, [], "{length} bytes");
        Journal::open(&path, &options()).unwrap().close().unwrap();
        assert_eq!(killed.verify(&path).findings, [], "{length} bytes");
        let read = |name: &str| fs::read(path.join(name)).unwrap_or_default();
        let names = ["segments/0000000001.wal", "quarantine/0000000001.wal"];
        let mut all = names.map(read).concat();
        all.extend(read("quarantine/0000000001.wal.unfinished"));
        // A header without a record is no loss.
        let sealed = path.join(names[0]).exists();
        assert!(whole[..length].ends_with(&all) && (!sealed || all.len() == length), "{length}");
    }
}

#[test]
fn what_lies_in_quarantine_is_not_put_back() {
    let killed = Killed::new();
    let whole = killed.wal();
    // The last frame, a mark, which goes on where the file ends.
    let (kept, rest) = whole.split_at(whole.len() - 117);
    let path = killed.with(kept);
    let quarantine = path.join("quarantine");
    fs::create_dir(&quarantine).unwrap();
    let private = |path: &Path, mode| {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    private(&quarantine, 0o700);
    fs::write(quarantine.join("0000000001.wal"), rest).unwrap();
    private(&quarantine.join("0000000001.wal"), 0o600);
    Journal::open(&path, &options()).unwrap().close().unwrap();
    assert!(fs::read(path.join("segments/0000000001.wal")).unwrap() == kept);
    assert_eq!(killed.numbers(&path), (0..10).collect::<Vec<_>>());
    // Somebody has put it there: it says so.
    assert_eq!(killed.verify(&path).findings.len(), 1);
}

#[test]
fn a_recovery_that_fails_at_any_step_forgets_nothing() {
    let killed = Killed::new();
    let mut changed = killed.wal();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    for at in 0.. {
        let path = killed.with(&changed);
        let steps = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&steps);
        let fault = move |_: Step| {
            let failed = counter.fetch_add(1, Ordering::Relaxed) >= at;
            if failed { Err(io::Error::from(io::ErrorKind::StorageFull)) } else { Ok(()) }
        };
        drop(Journal::open(&path, &Options { fault: Some(Arc::new(fault)), ..options() }));
        Journal::open(&path, &options()).unwrap().close().unwrap();
        let report = killed.verify(&path);
        let places: Vec<&str> = report.findings.iter().map(|one| one.place.as_str()).collect();
        assert_eq!(places, ["segments/0000000001.wal"], "step {at}: {:?}", report.findings);
        if steps.load(Ordering::Relaxed) <= at {
            assert!(at > 10, "{at} steps");
            return;
        }
    }
}

#[test]
fn what_is_sealed_after_a_crash_is_on_the_disk_first() {
    let killed = Killed::new();
    let steps_of = |path: &Path| {
        let steps = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&steps);
        let fault = move |step: Step| {
            seen.lock().unwrap().push(step);
            Ok(())
        };
        let options = Options { fault: Some(Arc::new(fault)), ..options() };
        drop(Journal::open(path, &options).unwrap());
        let mut steps = steps.lock().unwrap();
        std::mem::take(&mut *steps)
    };
    // Before it is renamed, and when it was renamed and is not noted.
    let path = killed.with(&killed.wal());
    let steps = steps_of(&path);
    assert_eq!(steps[..3], [Step::Truncate, Step::Sync, Step::Rename]);
    let path = killed.with(&killed.wal());
    let name = "0000000001.wal";
    fs::rename(path.join("active").join(name), path.join("segments").join(name)).unwrap();
    assert_eq!(steps_of(&path)[0], Step::Sync);
}

/// A record of this second.
fn record_at(second: i64, number: u64) -> Record {
    Record { time: second * 1_000_000_000 + 5, ..record(number) }
}

#[test]
fn what_a_crash_left_is_read_for_its_own_minutes_only() {
    let fixture = Fixture::new();
    let journal = fixture.open();
    // Ten minutes after 2023-11-14, 22:00 UTC, and a quarter of an hour later.
    let (first, last) = (1_700_000_000 - 800 + 600, 1_700_000_000 - 800 + 1500);
    let batch = vec![record_at(last - 61, 0), record_at(first, 1), record_at(first + 59, 2)];
    journal.append_all(batch).unwrap();
    journal.append(record_at(last, 3)).unwrap();
    let folder = support::folder();
    let path = folder.path().join("killed");
    support::copy(&fixture.path(), &path);
    drop(journal);
    Journal::open(&path, &options()).unwrap().close().unwrap();
    let reader = || Reader::open(&path, fixture.all.clone(), &[Place::Temporary]).unwrap();
    let segment = reader().segments().next().unwrap();
    assert!(segment.state.cut.is_some(), "it was recovered");
    let nanoseconds = 1_000_000_000;
    let times = (first * nanoseconds, (last + 60) * nanoseconds - 1);
    assert_eq!(segment.state.times, Some(times));
    let of = |since: i64, until: i64| {
        let filter = Filter { since: Some(since), until: Some(until), ..Filter::default() };
        let mut found = Vec::new();
        let read = reader().each(&filter, &mut |seen| {
            found.push(seen.sequence);
            true
        });
        read.map(|_| found)
    };
    assert_eq!(of(times.0, times.1).unwrap(), [0, 1, 2, 3]);
    assert_eq!(of(last * nanoseconds, times.1).unwrap(), [3]);
    assert_eq!(fixture.verifier().verify(&path).unwrap().findings, []);
    // It is not even opened for other times.
    fs::remove_file(path.join("segments").join(&segment.file)).unwrap();
    of(times.0, times.0).unwrap_err();
    of(times.1, i64::MAX).unwrap_err();
    assert!(of(0, times.0 - 1).unwrap().is_empty());
    assert!(of(times.1 + 1, i64::MAX).unwrap().is_empty());
}
