//! One minute out of a large journal: `throughput range GIGABYTES FOLDER`. The journal is made first, or
//! what is missing of it.

use std::fs::{self, File};
use std::path::Path;
use std::time::Instant;

use tacenda_journal::{
    Filter, Identities, Journal, NoCallbacks, Place, Reader, Recipients, Record, Settings,
    Verifier, new_identity,
};
use tacenda_policy::Class;

use crate::{cpu, options, since};

/// Records of an append, and of a minute: there is one each millisecond.
const BATCH: u64 = 2000;
const MINUTE: u64 = 60_000;

pub(crate) fn run(folder: &Path, gigabytes: u64) {
    let path = folder.join("range");
    if !path.exists() {
        fs::create_dir_all(folder).unwrap();
        let (identity, recipient) = new_identity(0);
        fs::write(folder.join("identity"), identity.as_bytes()).unwrap();
        let settings = Settings::new(Recipients::new(&[(None, recipient)]).unwrap());
        Journal::create(&path, settings, &options()).unwrap();
    }
    fill(&path, gigabytes * 1_000_000_000);
    let identities = Identities::read(&[folder.join("identity")], &NoCallbacks).unwrap();
    let reader = Reader::open(&path, identities, &Place::ALL).unwrap();
    let segments: Vec<_> = reader.segments().map(|segment| segment.state).collect();
    let bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let records: u64 = segments.iter().map(|segment| segment.records).sum();
    println!("{records} records, {} segments of {} MB", segments.len(), bytes / 1_000_000);
    verify(folder, &path, records);
    // Apart from each other: what was read for one is of no use to the next.
    for part in 1..=5 {
        let first = records / 6 * part;
        forget(&path);
        for name in ["the first time", "once more"] {
            let (wall, cpu) = minute(folder, &path, first);
            println!("one minute, {name}: {wall:>6.1} ms, {cpu:>6.1} ms of CPU");
        }
    }
}

fn fill(path: &Path, bytes: u64) {
    let journal = Journal::open(path, &options()).unwrap();
    let reader = Reader::open(path, Identities::default(), &Place::ALL).unwrap();
    let mut number = reader.segments().map(|segment| segment.state.records).sum();
    let mut numbers = Numbers(number);
    while number % (100 * BATCH) != 0 || below(&path.join("segments")) < bytes {
        let batch = (number..number + BATCH).map(|number| record(number, &mut numbers)).collect();
        journal.append_all(batch).unwrap();
        number += BATCH;
    }
    journal.close().unwrap();
}

/// Numbers that look random and are the same in each run (`SplitMix64`).
struct Numbers(u64);

impl Iterator for Numbers {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some(z ^ (z >> 31))
    }
}

/// A line of 200 bytes that packing makes little shorter: what traces, tokens and base64 are like.
fn record(number: u64, numbers: &mut Numbers) -> Record {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut record = Record { level: "info".into(), ..Record::default() };
    record.time = time(number);
    record.logger = "server.http".into();
    let mut fields = format!(r#"{{"request":{number},"message":""#).into_bytes();
    for bits in numbers.take(15) {
        fields.extend((0..10).map(|at| LETTERS[usize::try_from(bits >> (6 * at) & 63).unwrap()]));
    }
    fields.extend_from_slice(b"\"}");
    *record.fields_of(Class::Internal) = Some(fields);
    record
}

fn time(number: u64) -> i64 {
    1_700_000_000_000_000_000 + number.cast_signed() * 1_000_000
}

/// Milliseconds, and those of the processor, from opening the journal on.
fn minute(folder: &Path, path: &Path, first: u64) -> (f64, f64) {
    let (wall, start, mut seen) = (Instant::now(), cpu(), 0);
    let identities = Identities::read(&[folder.join("identity")], &NoCallbacks).unwrap();
    let reader = Reader::open(path, identities, &Place::ALL).unwrap();
    let filter = Filter {
        since: Some(time(first)),
        until: Some(time(first + MINUTE - 1)),
        ..Filter::default()
    };
    reader
        .each(&filter, &mut |_| {
            seen += 1;
            true
        })
        .unwrap();
    assert_eq!(seen, MINUTE);
    (wall.elapsed().as_secs_f64() * 1e3, since(start).as_secs_f64() * 1e3)
}

fn verify(folder: &Path, path: &Path, records: u64) {
    let identities = Identities::read(&[folder.join("identity")], &NoCallbacks).unwrap();
    let verifier = Verifier {
        allowed: Place::ALL.to_vec(),
        identities: Some(identities),
        ..Verifier::default()
    };
    let (wall, start) = (Instant::now(), cpu());
    assert!(verifier.verify(path).unwrap().findings.is_empty());
    let (wall, cpu) = (wall.elapsed(), since(start));
    let records = usize::try_from(records).unwrap();
    crate::line("verify, content compared", records, wall, cpu, None, 0);
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn below(folder: &Path) -> u64 {
    files(folder).iter().map(|file| fs::metadata(file).map_or(0, |metadata| metadata.len())).sum()
}

/// Lets the system forget what it has read of the journal, where it can be told to.
fn forget(path: &Path) {
    for file in files(path) {
        let file = File::open(file).unwrap();
        file.sync_all().unwrap();
        #[cfg(target_os = "linux")]
        rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
    }
}
