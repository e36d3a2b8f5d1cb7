//! What a journal costs, against the limits of the same machine in the same minute: `cargo xtask
//! bench journal`. `throughput one DURABILITY WRITERS RECORDS[@PACE]` measures one load, to be looked into,
//! after a plain file under the same load.
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a program that measures")]

mod peers;
mod range;

use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use rustix::time::{ClockId, clock_gettime};
use sha2::Digest as _;
use tacenda_journal::{
    Durability, Filter, Identities, Journal, NoCallbacks, Options, Place, Reader, Recipients,
    Record, Settings, Verifier, new_identity,
};
use tacenda_policy::Class;

/// Bytes of a record's line.
const LINE: usize = 200;

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let range = arguments.next_if(|argument| argument == "range").is_some();
    let one = arguments.next_if(|argument| argument == "one").map(|_| Load::of(&mut arguments));
    let count: Option<u64> = arguments.next().map(|count| count.parse().expect("a number"));
    let folder = arguments.next().unwrap_or_else(|| "target/bench/journal".to_owned());
    let folder = Path::new(&folder);
    if range {
        return range::run(folder, count.unwrap_or(1));
    }
    let records = usize::try_from(count.unwrap_or(200_000)).expect("they are in memory");
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    if let Some(load) = one {
        header();
        plain(folder, &load, records);
        journal(folder, &load, records);
        return;
    }
    println!("{records} records of {LINE} bytes, in {}\n", folder.display());
    limits(folder);
    header();
    // Writers that do nothing else wait for each other; programs that log have other work.
    let loads = [(1, None), (8, None), (1, Some(PACE)), (8, Some(PACE))];
    let size = |pace: Option<f64>| if pace.is_some() { records / 4 } else { records };
    for (writers, pace) in loads {
        plain(folder, &Load { writers, pace, ..Load::default() }, size(pace));
    }
    for durability in [Durability::Os, Durability::Interval] {
        for (writers, pace) in loads {
            journal(folder, &Load { durability, writers, pace, ..Load::default() }, size(pace));
        }
    }
    for writers in [1, 8] {
        // A sync for each record takes its time.
        let load = Load { durability: Durability::Record, writers, ..Load::default() };
        journal(folder, &load, records / 100);
    }
    let rates = journal(folder, &Load { batch: 1000, ..Load::default() }, records);
    println!(
        "1 at once: a program that appends one record after the other, with a call of the system each"
    );
    println!(
        "1000 at once: whole blocks of lines, as `journal append` and `journal import` append them"
    );
    peer(folder, records.min(100_000), rates);
    read(folder, records);
}

fn header() {
    let columns = ["records/s", "per CPU second", "p99 µs", "of it CPU", "MB/million"];
    let [rate, cpu, p99, own, size] = columns;
    println!("\n{:<43} {rate:>12} {cpu:>14} {p99:>9} {own:>9} {size:>10}", "");
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
    clock(ClockId::ProcessCPUTime)
}

fn clock(id: ClockId) -> Duration {
    let time = clock_gettime(id);
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
    p99: Option<[Duration; 2]>,
    bytes: u64,
) {
    let micros = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e6);
    let [p99, own] = p99.map_or_else(Default::default, |both| both.map(micros));
    let size = if bytes == 0 {
        String::new()
    } else {
        format!("{:.1}", rate(usize::try_from(bytes).unwrap(), Duration::from_secs(count as u64)))
    };
    println!(
        "{name:<43} {:>12.0} {:>14.0} {p99:>9} {own:>9} {size:>10}",
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

/// What any log costs: a line is one write, under a lock that all writers share.
fn plain(folder: &Path, load: &Load, count: usize) {
    let file = Mutex::new(File::create(folder.join("plain.log")).unwrap());
    let text = |record: Record| (record.to_json(0) + "\n").into_bytes();
    let work = load.share(count, |number| text(record(number)));
    let (wall, start) = (Instant::now(), cpu());
    let times = load.run(work, |lines| file.lock().unwrap().write_all(&lines.concat()).unwrap());
    let (wall, cpu) = (wall.elapsed(), since(start));
    let bytes = file.into_inner().unwrap().metadata().unwrap().len();
    line(&format!("plain file, {load}"), count, wall, cpu, Some(p99(&times)), bytes);
}

/// How a journal is written to.
struct Load {
    durability: Durability,
    writers: usize,
    batch: usize,
    /// Appends of each writer in a second, at random moments that know nothing of each other; without
    /// it as many as it can.
    pace: Option<f64>,
}

/// Appends of a busy program in a second.
const PACE: f64 = 2000.0;

impl Default for Load {
    fn default() -> Self {
        Self { durability: Durability::Interval, writers: 1, batch: 1, pace: None }
    }
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} writers, {} at once", self.writers, self.batch)?;
        self.pace.map_or(Ok(()), |pace| write!(f, ", each {pace}/s"))
    }
}

impl Load {
    /// The one that the next three arguments name: durability, writers, and records at once.
    fn of(arguments: &mut impl Iterator<Item = String>) -> Self {
        let mut next = || arguments.next().expect("DURABILITY WRITERS RECORDS");
        let durability = serde_json::from_value(next().into()).expect("a durability");
        let (writers, batch) = (next(), next());
        let (batch, pace) = batch.split_once('@').map_or((&*batch, None), |(b, p)| (b, Some(p)));
        let [writers, batch] = [&*writers, batch].map(|number| number.parse().expect("a number"));
        let pace = pace.map(|pace| pace.parse().expect("a pace"));
        Self { durability, writers, batch, pace }
    }

    /// The batches of each writer.
    fn share<T>(&self, count: usize, make: impl Fn(usize) -> T) -> Vec<Vec<Vec<T>>> {
        let each = count / self.writers / self.batch;
        let batch = |first| (first..first + self.batch).map(&make).collect();
        let batches = |writer| (0..each).map(move |n| (writer * each + n) * self.batch).map(batch);
        (0..self.writers).map(|writer| batches(writer).collect()).collect()
    }

    /// Has them written: how long each call of `append` took, and for how much of that it had a processor.
    fn run<T: Send>(
        &self,
        work: Vec<Vec<Vec<T>>>,
        append: impl Fn(Vec<T>) + Sync,
    ) -> Vec<[Duration; 2]> {
        let (append, began) = (&append, Instant::now());
        let writer = |batches: Vec<Vec<T>>| {
            move || {
                let mut due = began;
                let timed = |batch| {
                    if let Some(pace) = self.pace {
                        due += gap().div_f64(pace);
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                    }
                    // To ask for it takes as long as a write, which is nothing where there is time.
                    let own = |_| clock(ClockId::ThreadCPUTime);
                    let before = self.pace.map(own);
                    let start = Instant::now();
                    append(batch);
                    let took = start.elapsed();
                    let after = self.pace.map(own);
                    let own = after.unwrap_or_default().saturating_sub(before.unwrap_or_default());
                    [took, own]
                };
                batches.into_iter().map(timed).collect::<Vec<_>>()
            }
        };
        std::thread::scope(|scope| {
            let all: Vec<_> = work.into_iter().map(|one| scope.spawn(writer(one))).collect();
            all.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        })
    }
}

/// The time that 99 of 100 take no longer than, and the same of the time on a processor.
fn p99(times: &[[Duration; 2]]) -> [Duration; 2] {
    [0, 1].map(|at| {
        let mut times: Vec<Duration> = times.iter().map(|both| both[at]).collect();
        times.sort_unstable();
        times[times.len() * 99 / 100]
    })
}

/// A journal that is written to: records in a second, and in one of the processor.
fn journal(folder: &Path, load: &Load, count: usize) -> (f64, f64) {
    let &Load { durability, writers, batch, pace } = load;
    let name = format!("{durability:?}, {load}").to_lowercase();
    let path = folder.join(format!("{durability:?}-{writers}-{batch}-{}", pace.unwrap_or(0.0)));
    let (identity, recipient) = new_identity(0);
    fs::write(folder.join("identity"), identity.as_bytes()).unwrap();
    let mut settings = Settings::new(Recipients::new(&[(None, recipient)]).unwrap());
    settings.durability = durability;
    Journal::create(&path, settings, &options()).unwrap();
    let work = load.share(count, record);
    let journal = Journal::open(&path, &options()).unwrap();
    let (wall, start) = (Instant::now(), cpu());
    let times = load.run(work, |records| {
        journal.append_all(records).unwrap();
    });
    // Sealed and signed is part of it.
    journal.close().unwrap();
    let (wall, cpu) = (wall.elapsed(), since(start));
    let reader = Reader::open(&path, Identities::default(), &Place::ALL).unwrap();
    let bytes = reader.segments().map(|segment| segment.state.bytes).sum();
    let count = times.len() * batch;
    line(&name, count, wall, cpu, Some(p99(&times)), bytes);
    (rate(count, wall), rate(count, cpu))
}

/// From one event to the next of a Poisson process with one event a second on average.
fn gap() -> Duration {
    let part = (f64::from(getrandom::u32().unwrap()) + 1.0) / 2.0_f64.powi(32);
    Duration::from_secs_f64(part.ln().abs())
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
    let identities = Identities::read(&[folder.join("identity")], &NoCallbacks).unwrap();
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
    let identities = Identities::read(&[folder.join("identity")], &NoCallbacks).unwrap();
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
