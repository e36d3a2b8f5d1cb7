//! What readers see of a journal while records are erased and segments deleted: before or after.

mod support;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use support::{Fixture, numbers};
use tacenda_journal::{Cause, Damage, Filter, JournalError};

const SEGMENTS: u64 = 40;
const RECORDS: u64 = 10;

#[test]
fn what_is_verified_proved_and_read_meanwhile_is_whole() {
    let fixture = Fixture::new();
    for segment in 0..SEGMENTS {
        fixture.fill(segment * RECORDS, (segment + 1) * RECORDS);
    }
    let over = AtomicBool::new(false);
    let cause = Cause { reason: "a test".into(), who: "ines".into() };
    thread::scope(|scope| {
        let verifying = scope.spawn(|| {
            let mut rounds = 0;
            while !over.load(Ordering::Relaxed) {
                assert_eq!(fixture.verify().findings, [], "round {rounds}");
                rounds += 1;
            }
            rounds
        });
        let proving = scope.spawn(|| {
            let mut next = 0;
            while !over.load(Ordering::Relaxed) {
                // What stays, what is erased, and what is deleted.
                next = (next + 7) % (SEGMENTS * RECORDS);
                match fixture.reader().prove(next) {
                    Ok(_) => {}
                    Err(JournalError::BadRecord { .. }) => {
                        assert!(next < 10 * RECORDS || next.is_multiple_of(RECORDS), "{next}");
                    }
                    Err(error) => panic!("record {next}: {error}"),
                }
            }
        });
        let reading = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let read = numbers(&fixture.reader(), &Filter::default());
                assert_eq!(read.last(), Some(&(SEGMENTS * RECORDS - 1)));
            }
        });
        let journal = fixture.open();
        for number in (0..SEGMENTS).rev() {
            let first = number * RECORDS;
            let filter = Filter { numbers: Some((first, first)), ..Filter::default() };
            journal.erase(&fixture.reader(), &filter, &cause).unwrap();
        }
        let segments = fixture.reader().segments().collect::<Vec<_>>();
        let kept = segments.iter().skip(10).map(|segment| segment.state.bytes).sum();
        let mut settings = journal.settings();
        settings.retention.max_bytes = Some(kept);
        journal.set(settings, cause).unwrap();
        assert_eq!(journal.retain("ines", None).unwrap().segments, 10);
        over.store(true, Ordering::Relaxed);
        assert!(verifying.join().unwrap() > 0);
        proving.join().unwrap();
        reading.join().unwrap();
        journal.close().unwrap();
    });
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn whoever_is_about_to_remove_what_it_has_noted_is_waited_for() {
    let fixture = Fixture::with(|settings| settings.retention.max_bytes = Some(1));
    fixture.fill(0, 5);
    let file = fixture.path().join("segments/0000000000.parquet");
    let bytes = std::fs::read(&file).unwrap();
    let journal = fixture.open();
    journal.retain("ines", None).unwrap();
    let put_back = || {
        std::fs::write(&file, &bytes).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&file, mode).unwrap();
    };
    put_back();
    thread::scope(|scope| {
        let verifying = scope.spawn(|| fixture.verify());
        thread::sleep(Duration::from_millis(300));
        assert!(!verifying.is_finished());
        std::fs::remove_file(&file).unwrap();
        assert_eq!(verifying.join().unwrap().findings, []);
    });
    // Not for good; and not where nobody is.
    put_back();
    assert_eq!(fixture.verify().findings[0].fault, Damage::Remains);
    journal.close().unwrap();
    let begun = std::time::Instant::now();
    assert_eq!(fixture.verify().findings[0].fault, Damage::Remains);
    assert!(begun.elapsed() < Duration::from_secs(2));
    fixture.open().close().unwrap();
    assert_eq!(fixture.verify().findings, []);
}
