//! What a journal costs, against the limits of the same machine in the same minute: `cargo xtask
//! bench journal`.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that measures")]

mod peers;
mod range;

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use rustix::time::{ClockId, clock_gettime};
use sha2::Digest as _;
use tacenda_journal::{
    Durability, Filter, Identities, Journal, Options, Place, Reader, Recipients, Record, Settings,
    Verifier, new_identity,
};
use tacenda_policy::Class;

/// Bytes of a record's line.
const LINE: usize = 200;

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let range = arguments.next_if(|argument| argument == "range").is_some();
    let count: Option<u64> = arguments.next().map(|count| count.parse().expect("a number"));
    let folder = arguments.next().unwrap_or_else(|| "target/bench/journal".to_owned());
    let folder = Path::new(&folder);
    if range {
        return range::run(folder, count.unwrap_or(1));
    }
    let records = usize::try_from(count.unwrap_or(200_000)).expect("they are in memory");
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    println!("{records} records of {LINE} bytes, in {}\n", folder.display());
    limits(folder);
    println!(
        "\n{:<34} {:>12} {:>14} {:>9} {:>9}",
        "", "records/s", "per CPU second", "p99 µs", "MB/million"
    );
    plain(folder, records);
    for durability in [Durability::Os, Durability::Interval, Durability::Record] {
        for writers in [1, 8] {
            // A sync for each record takes its time.
            let count = if durability == Durability::Record { records / 100 } else { records };
            let load = Load { durability, writers, ..Load::default() };
            journal(folder, &load, count);
        }
    }
    // Writers that do nothing else wait for each other; programs that log have other work.
    for durability in [Durability::Os, Durability::Interval] {
        let load = Load { durability, writers: 8, pace: Some(PACE), ..Load::default() };
        journal(folder, &load, records / 4);
    }
    let rates = journal(folder, &Load { batch: 1000, ..Load::default() }, records);
    peer(folder, records.min(100_000), rates);
    read(folder, records);
}

fn record(number: usize) -> Record {
    // What a log holds: words that come again, numbers that do not.
    let path = ["chat", "completions", "models", "health"][number % 4];
    let mut line = format!(
        r#"{{"level":"info","logger":"server.http","message":"POST /v1/{path} 200 in {}.{:03} ms, {} tokens, request {:08x}-{:04x}"#,
        number * 7919 % 900,
        number * 104_729 % 1000,
        number * 31 % 4096,
        number.wrapping_mul(2_654_435_761) & 0xffff_ffff,
        number & 0xffff,
    );
    while line.len() < LINE - 2 {
        line.push('.');
    }
    line.push_str("\"}");
    let time = 1_700_000_000_000_000_000 + i64::try_from(number).unwrap() * 1_000_000;
    Record::from_line(line.as_bytes(), Class::Internal, time).unwrap()
}

fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.cast_unsigned(), u32::try_from(time.tv_nsec).unwrap())
}

fn since(start: Duration) -> Duration {
    cpu().saturating_sub(start)
}

fn options() -> Options {
    Options { allowed: Place::ALL.to_vec(), ..Options::default() }
}

#[expect(clippy::cast_precision_loss, reason = "rates are shown in three digits")]
fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

fn line(
    name: &str,
    count: usize,
    wall: Duration,
    cpu: Duration,
    p99: Option<Duration>,
    bytes: u64,
) {
    let p99 = p99.map_or_else(String::new, |p99| format!("{:.1}", p99.as_secs_f64() * 1e6));
    let size = if bytes == 0 {
        String::new()
    } else {
        format!("{:.1}", rate(usize::try_from(bytes).unwrap(), Duration::from_secs(count as u64)))
    };
    println!(
        "{name:<34} {:>12.0} {:>14.0} {p99:>9} {size:>9}",
        rate(count, wall),
        rate(count, cpu),
    );
}

fn limits(folder: &Path) {
    let data: Vec<u8> =
        (0..80_000).flat_map(|n| record(n).to_json(n as u64).into_bytes()).collect();
    let data = &data[..16 << 20];
    let show = |name: &str, work: &mut dyn FnMut()| {
        work();
        let start = cpu();
        for _ in 0..4 {
            work();
        }
        println!("{name:<34} {:>9.0} MB per CPU second", rate(4 * data.len(), since(start)) / 1e6);
    };
    show("zstd, level 1", &mut || drop(zstd::bulk::compress(data, 1).unwrap()));
    let key = ring::aead::UnboundKey::new(&ring::aead::AES_256_GCM, &[7; 32]).unwrap();
    let key = ring::aead::LessSafeKey::new(key);
    let mut buffer = data.to_vec();
    show("AES-256-GCM", &mut || {
        let nonce = ring::aead::Nonce::assume_unique_for_key([0; 12]);
        let bound = ring::aead::Aad::empty();
        let tag = key.seal_in_place_separate_tag(nonce, bound, &mut buffer).unwrap();
        std::hint::black_box(tag.as_ref().len());
    });
    let cipher = chacha20poly1305::ChaCha20Poly1305::new(&[7; 32].into());
    show("ChaCha20-Poly1305", &mut || drop(cipher.encrypt(&[0; 12].into(), data).unwrap()));
    show("SHA-256", &mut || {
        std::hint::black_box(sha2::Sha256::digest(data));
    });
    let mut file = File::create(folder.join("sync")).unwrap();
    let start = Instant::now();
    for _ in 0..50 {
        file.write_all(&data[..LINE]).unwrap();
        file.sync_data().unwrap();
    }
    println!("{:<34} {:>9.0} a second", "fdatasync after 200 bytes", rate(50, start.elapsed()));
}

fn plain(folder: &Path, count: usize) {
    let lines: Vec<String> = (0..count).map(|n| record(n).to_json(n as u64) + "\n").collect();
    let mut file = File::create(folder.join("plain.log")).unwrap();
    let (wall, start) = (Instant::now(), cpu());
    for line in &lines {
        file.write_all(line.as_bytes()).unwrap();
    }
    let bytes = lines.iter().map(|line| line.len() as u64).sum();
    line("plain file, a write each", count, wall.elapsed(), since(start), None, bytes);
}

/// A journal with so many writers, each of which appends so many records at once: records in a second,
/// and in one of the processor.
/// How a journal is written to.
struct Load {
    durability: Durability,
    writers: usize,
    batch: usize,
    /// Appends of each writer in a second; without it as many as it can.
    pace: Option<u32>,
}

/// Appends of a busy program in a second.
const PACE: u32 = 2000;

impl Default for Load {
    fn default() -> Self {
        Self { durability: Durability::Interval, writers: 1, batch: 1, pace: None }
    }
}

fn journal(folder: &Path, load: &Load, count: usize) -> (f64, f64) {
    let &Load { durability, writers, batch, pace } = load;
    let paced = pace.map_or(String::new(), |pace| format!(", each {pace}/s"));
    let name = format!("{durability:?}, {writers} writers, {batch} at once{paced}").to_lowercase();
    let path = folder.join(format!("{durability:?}-{writers}-{batch}-{}", pace.unwrap_or(0)));
    let (identity, recipient) = new_identity(0);
    fs::write(folder.join("identity"), identity.as_bytes()).unwrap();
    let mut settings = Settings::new(Recipients::new(&[(None, recipient)]).unwrap());
    settings.durability = durability;
    Journal::create(&path, settings, &options()).unwrap();
    let each = count / writers / batch;
    let mut work: Vec<Vec<Vec<Record>>> = (0..writers)
        .map(|writer| {
            let first = writer * each * batch;
            (0..each).map(|b| (0..batch).map(|n| record(first + b * batch + n)).collect()).collect()
        })
        .collect();
    let journal = Journal::open(&path, &options()).unwrap();
    let (wall, start) = (Instant::now(), cpu());
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        let threads = work.drain(..).map(|batches| {
            let journal = &journal;
            scope.spawn(move || {
                let append = |(number, records)| {
                    if let Some(pace) = pace {
                        let due = wall + Duration::from_secs(1) * number / pace;
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    }
                    let start = Instant::now();
                    journal.append_all(records).unwrap();
                    start.elapsed()
                };
                (0..).zip(batches).map(append).collect::<Vec<_>>()
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    // Sealed and signed is part of it.
    journal.close().unwrap();
    let (wall, cpu) = (wall.elapsed(), since(start));
    times.sort_unstable();
    let reader = Reader::open(&path, Identities::default(), &Place::ALL).unwrap();
    let bytes = reader.segments().map(|segment| segment.state.bytes).sum();
    let count = each * writers * batch;
    line(&name, count, wall, cpu, Some(times[times.len() * 99 / 100]), bytes);
    (rate(count, wall), rate(count, cpu))
}

/// Other loggers, with as many lines as they take in a while, and how many times as many records the
/// journal takes in a second, and in one of the processor.
fn peer(folder: &Path, count: usize, (own, own_cpu): (f64, f64)) {
    println!();
    let records: Vec<Record> = (0..count).map(record).collect();
    for (name, measured) in peers::all(folder, &records) {
        match measured {
            Ok(took) => {
                line(name, count, took.wall, took.cpu, None, took.bytes);
                let (wall, cpu) = (own / rate(count, took.wall), own_cpu / rate(count, took.cpu));
                println!("{:<34} {wall:>11.1}x {cpu:>13.1}x", "  the journal, 1000 at once");
            }
            Err(why) => println!("{name:<34} {why}"),
        }
    }
}

fn read(folder: &Path, count: usize) {
    println!();
    let path = folder.join("Interval-1-1000-0");
    let identities = Identities::read(&[folder.join("identity")]).unwrap();
    let mut verifier = Verifier { allowed: Place::ALL.to_vec(), ..Verifier::default() };
    let (wall, start) = (Instant::now(), cpu());
    assert!(verifier.verify(&path).unwrap().findings.is_empty());
    line("verify", count, wall.elapsed(), since(start), None, 0);
    verifier.identities = Some(identities.clone());
    let (wall, start) = (Instant::now(), cpu());
    assert!(verifier.verify(&path).unwrap().findings.is_empty());
    line("verify, content compared", count, wall.elapsed(), since(start), None, 0);
    let reader = Reader::open(&path, identities, &Place::ALL).unwrap();
    let (wall, start, mut seen) = (Instant::now(), cpu(), 0);
    reader
        .each(&Filter::default(), &mut |_| {
            seen += 1;
            true
        })
        .unwrap();
    assert_eq!(seen, count / 1000 * 1000);
    line("read all", count, wall.elapsed(), since(start), None, 0);
    minute(folder, &path, count);
}

/// One minute out of all of it, opened anew.
fn minute(folder: &Path, path: &Path, count: usize) {
    // There is a record each millisecond.
    let middle = record(count / 2).time;
    let filter = Filter {
        since: Some(middle),
        until: Some(middle + 60_000_000_000 - 1),
        ..Filter::default()
    };
    let (wall, start, mut seen) = (Instant::now(), cpu(), 0);
    let identities = Identities::read(&[folder.join("identity")]).unwrap();
    let reader = Reader::open(path, identities, &Place::ALL).unwrap();
    reader
        .each(&filter, &mut |_| {
            seen += 1;
            true
        })
        .unwrap();
    let (wall, cpu) = (wall.elapsed(), since(start));
    let segments = reader.segments().count();
    println!(
        "one minute, {seen} records of {segments} segments: {:.0} ms, {:.0} ms of CPU",
        wall.as_secs_f64() * 1e3,
        cpu.as_secs_f64() * 1e3
    );
}
