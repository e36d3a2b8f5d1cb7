//! What lies where the journal has something of its own: what a crash left is replaced, and what no crash
//! leaves is named, by whoever writes and whoever verifies.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use tacenda_journal::{Appender, Filter, JournalError};

use support::{Fixture, numbers, options, pipe, record};

/// Puts something there that no crash leaves.
type Put = fn(&Path);
const STRANGERS: [(&str, Put); 3] = [
    ("a directory", |path| {
        fs::create_dir(path).unwrap();
        fs::write(path.join("file"), "kept").unwrap();
    }),
    ("a link", |path| symlink("/etc/hostname", path).unwrap()),
    ("a pipe", pipe),
];

fn append(fixture: &Fixture, number: u64) -> Result<(), JournalError> {
    let appender = Appender::open(&fixture.path(), &options())?;
    appender.append_all(vec![record(number)])?;
    appender.close()
}

fn remove(path: &Path) {
    let is_folder = path.symlink_metadata().unwrap().is_dir();
    if is_folder { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

fn places(fixture: &Fixture) -> Vec<String> {
    fixture.verify().findings.into_iter().map(|one| one.place).collect()
}

#[test]
fn what_is_in_the_way_is_named() {
    let fixture = Fixture::new();
    fixture.fill(0, 2);
    for place in [
        "segments/0000000001.parquet",
        "segments/0000000001.parquet.new",
        "segments/0000000001.wal",
        "active/0000000001.wal",
        "log/pending",
        "log/pending.new",
        "log/checkpoint.new",
        "keys/next",
        "keys/next.new",
        "quarantine",
        "owner",
        "lock",
    ] {
        let path = fixture.path().join(place);
        let before = fs::read(&path).ok();
        for (what, put) in STRANGERS {
            if what == "a directory" && place == "quarantine" {
                continue;
            }
            let _ = fs::remove_file(&path);
            put(&path);
            assert_eq!(places(&fixture), [place], "{what}");
            let error = append(&fixture, 9).unwrap_err();
            assert_eq!(error.path(), Some(path.as_path()), "{what}: {error}");
            assert!(error.hint().is_some(), "{what}: {error}");
            assert!(path.symlink_metadata().is_ok(), "{what} at {place} stays");
            remove(&path);
        }
        if let Some(before) = before {
            fs::write(&path, before).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        }
        assert_eq!(places(&fixture), [""; 0]);
    }
    append(&fixture, 2).unwrap();
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), [0, 1, 2]);
}

#[test]
fn what_is_not_in_the_way_is_named_and_left() {
    let fixture = Fixture::new();
    fixture.fill(0, 2);
    let mut next = 2;
    let names =
        ["segments/@.parquet.erasing", "segments/@.wal", "active/@.wal", "reserve", "log/tile/9"];
    for name in names {
        for (what, put) in STRANGERS {
            let place = name.replace('@', &format!("{:010}", next - 2));
            let path = fixture.path().join(&place);
            if place == "log/tile/9" && what == "a directory" {
                continue;
            }
            let _ = fs::remove_file(&path);
            put(&path);
            assert_eq!(places(&fixture), [place.as_str()], "{what}");
            append(&fixture, next).unwrap();
            next += 1;
            assert_eq!(places(&fixture), [place.as_str()], "{what}");
            remove(&path);
            assert_eq!(places(&fixture), [""; 0]);
        }
    }
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), (0..next).collect::<Vec<_>>());
}

#[test]
fn what_a_crash_left_is_replaced() {
    let fixture = Fixture::new();
    fixture.fill(0, 2);
    let mut next = 2;
    for name in [
        "segments/@.parquet",
        "segments/@.parquet.new",
        "log/pending.new",
        "log/checkpoint.new",
        "keys/next",
        "keys/next.new",
        "lock",
        "reserve.new",
        "segments/0000000000.parquet.erasing",
    ] {
        for mode in [0o600, 0] {
            // Which record `erasing` has to be told apart from only its content tells.
            if mode == 0 && (name == "lock" || name.ends_with("erasing")) {
                continue;
            }
            let path = fixture.path().join(name.replace('@', &format!("{:010}", next - 1)));
            fs::write(&path, "garbage").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(places(&fixture), [""; 0], "{name}");
            append(&fixture, next).unwrap();
            next += 1;
            assert_eq!(places(&fixture), [""; 0], "{name}");
            let _ = fs::remove_file(fixture.path().join("reserve.new"));
        }
    }
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), (0..next).collect::<Vec<_>>());
}

/// The entry that seals is part of the log before the way is found blocked: nothing is lost of it.
#[test]
fn what_comes_into_the_way_later_loses_nothing() {
    let fixture = Fixture::new();
    for place in [
        "log/checkpoint.new",
        "log/pending.new",
        "keys/next",
        "log/checkpoints/2",
        "segments/@.parquet",
    ] {
        for (what, put) in STRANGERS {
            let fixture = if place.ends_with('2') { &Fixture::new() } else { &fixture };
            let first = numbers(&fixture.reader(), &Filter::default()).len() as u64;
            let journal = fixture.open();
            journal.append(record(first)).unwrap();
            let segment = fixture.reader().segments().count();
            let path = fixture.path().join(place.replace('@', &format!("{segment:010}")));
            put(&path);
            // A link in the place of a file is replaced with it.
            let closed = journal.close();
            if path.symlink_metadata().is_ok_and(|found| !found.is_file()) {
                let error = closed.unwrap_err();
                assert_eq!(error.path(), Some(path.as_path()), "{what}: {error}");
                remove(&path);
            }
            append(fixture, first + 1).unwrap();
            let all = numbers(&fixture.reader(), &Filter::default());
            assert_eq!(all, (0..first + 2).collect::<Vec<_>>(), "{what} at {place}");
            assert_eq!(places(fixture), [""; 0]);
        }
    }
    assert_eq!(fs::read("/etc/hostname").is_ok(), Path::new("/etc/hostname").exists());
}
