//! Damaged journals: every damage is found, at its place.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::{Fixture, copy, files, options, record};
use ed25519_dalek::SigningKey;
use tacenda_policy::Class;

use crate::entry::{self, Event, Format, SegmentState, Written};
use crate::error::JournalError;
use crate::keys::SegmentKeys;
use crate::log_view::{LogView, epoch_name};
use crate::part::Part;
use crate::place::{Folder, Place};
use crate::reader::Reader;
use crate::record::Record;
use crate::salt::Salts;
use crate::segment::{Row, Segment};
use crate::{Cause, Checkpoint, Filter, Hash, Hold, Verification, Verifier, tiles, tree};

/// Damaged journals of each test; `TACENDA_JOURNAL_DAMAGES=1000` for all of them.
fn rounds() -> u64 {
    std::env::var("TACENDA_JOURNAL_DAMAGES").map_or(300, |text| text.parse().unwrap())
}

/// Numbers that look random and are the same in each run (`SplitMix64`).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }
}

/// A place in a journal, and what was in it.
type Before = (PathBuf, Vec<u8>);

/// A journal that has seen everything, a checkpoint of it, and files as they were before content was
/// taken out of them, in places where somebody may put them back.
fn seasoned_with_past() -> (Fixture, Vec<u8>, Vec<Before>) {
    let fixture = Fixture::with(|settings| {
        *settings.retention.classes.of(Class::Restricted) = Some(3600);
    });
    let mut past = Vec::new();
    for segment in 0..4 {
        let journal = fixture.open();
        journal
            .append_all((segment * 8..segment * 8 + 8).map(crate::support::record).collect())
            .unwrap();
        let name = format!("{segment:010}");
        let read = |path: String| fs::read(fixture.path().join(path)).unwrap();
        let wal = read(format!("active/{name}.wal"));
        journal.close().unwrap();
        let sealed = read(format!("segments/{name}.parquet"));
        for place in ["segments", "active"] {
            past.push((format!("{place}/{name}.wal").into(), wal.clone()));
        }
        for kind in ["parquet", "parquet.erasing"] {
            past.push((format!("segments/{name}.{kind}").into(), sealed.clone()));
        }
    }
    let journal = fixture.open();
    let cause = Cause { reason: "a test".into(), who: "a test".into() };
    let hold = Hold { name: "h".into(), times: (0, 1) };
    journal.hold(hold, cause.clone()).unwrap();
    let filter = Filter { numbers: Some((9, 10)), ..Filter::default() };
    journal.erase(&fixture.reader(), &filter, &cause).unwrap();
    assert_eq!(journal.retain("a test", Some(&fixture.reader())).unwrap().expired, 4);
    let bytes: u64 = fixture.reader().segments().map(|segment| segment.state.bytes).sum();
    let mut settings = journal.settings();
    settings.retention.max_bytes = Some(bytes - 1);
    journal.set(settings, cause).unwrap();
    assert_eq!(journal.retain("a test", None).unwrap().segments, 1);
    journal.close().unwrap();
    let note = fixture.reader().checkpoint_note().as_bytes().to_vec();
    (fixture, note, past)
}

fn seasoned() -> (Fixture, Vec<u8>) {
    let (fixture, note, _) = seasoned_with_past();
    (fixture, note)
}

/// Puts a file into a journal, or what was there before.
fn put(path: &Path, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes else { return fs::remove_file(path).unwrap() };
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

fn verify(fixture: &Fixture, note: &[u8]) -> Verification {
    let mut verifier = fixture.verifier();
    verifier.identities = None;
    verifier.since = vec![("kept".to_owned(), note.to_vec())];
    verifier.verify(&fixture.path()).unwrap()
}

/// What a reader of the report looks for: the file, or the entries when it holds them.
fn names(report: &Verification, path: &Path) -> bool {
    let place = path.to_string_lossy();
    report.findings.iter().any(|finding| {
        finding.place == place || (place.contains("entries") && finding.place.starts_with("entry"))
    })
}

#[test]
fn damaged_files_are_found_and_named() {
    let (fixture, note, past) = seasoned_with_past();
    assert_eq!(verify(&fixture, &note).findings, []);
    let root = fixture.path();
    let all: Vec<PathBuf> = files(&root)
        .into_iter()
        .filter(|path| !path.starts_with(root.join("keys")))
        .filter(|path| !path.ends_with("lock") && !path.ends_with("reserve"))
        .collect();
    let mut numbers = Numbers(1);
    for round in 0..rounds() {
        let mut path = all[numbers.below(all.len())].clone();
        let bytes = fs::read(&path).unwrap();
        let mut damaged = Some(bytes.clone());
        let changed = damaged.as_mut().unwrap();
        match numbers.below(7) {
            0 => changed[numbers.below(bytes.len())] ^= 1 << numbers.below(8),
            1 => changed.truncate(numbers.below(bytes.len())),
            2 => changed.extend_from_slice(&bytes[..=numbers.below(bytes.len())]),
            3 => {
                let start = numbers.below(bytes.len());
                changed.drain(start..(start + 1 + numbers.below(40)).min(bytes.len()));
            }
            4 => damaged = None,
            5 => *changed = fs::read(&all[numbers.below(all.len())]).unwrap(),
            // What was deleted, erased or has expired is put back.
            _ => {
                let (place, bytes) = &past[numbers.below(past.len())];
                (path, damaged) = (root.join(place), Some(bytes.clone()));
            }
        }
        let before = fs::read(&path).ok();
        if damaged == before {
            continue;
        }
        put(&path, damaged.as_deref());
        let report = verify(&fixture, &note);
        let place = path.strip_prefix(&root).unwrap();
        assert!(names(&report, place), "round {round}, {place:?}: {:?}", report.findings);
        put(&path, before.as_deref());
    }
    assert_eq!(verify(&fixture, &note).findings, [], "all damage was undone");
}

/// A thief of the machine: it has the keys that are there now.
struct Thief {
    log: SigningKey,
    epoch: SigningKey,
    folder: Folder,
    view: LogView,
}

impl Thief {
    fn new(fixture: &Fixture) -> Self {
        let folder = Folder::root(&fixture.path(), false, &[Place::Temporary], None).unwrap();
        let key = |name: &str| {
            let seed = fs::read(fixture.path().join("keys").join(name)).unwrap();
            SigningKey::from_bytes(seed.as_slice().try_into().unwrap())
        };
        let view = LogView::read(&folder).unwrap();
        Self { log: key("log"), epoch: key("signing"), folder, view }
    }

    /// Puts these entries in the place of the log's, and signs every checkpoint from `from` on.
    fn forge(&self, entries: &[Vec<u8>], from: usize) {
        let folder = self.folder.folder("log").unwrap();
        let leaves: Vec<Hash> = entries.iter().map(|entry| tree::leaf(entry)).collect();
        fs::remove_dir_all(folder.path().join("tile")).unwrap();
        tiles::write(&folder.make("tile").unwrap(), &leaves, entries).unwrap();
        let origin = &self.view.checkpoint.origin;
        let mut note = String::new();
        for size in 1..=entries.len() {
            let checkpoint = Checkpoint {
                origin: origin.clone(),
                size: size as u64,
                root: tree::root(&leaves[..size]),
            };
            note = checkpoint.sign(&[(origin, &self.log), (&epoch_name(origin), &self.epoch)]);
            if size >= from {
                let checkpoints = folder.folder("checkpoints").unwrap();
                checkpoints.replace(&size.to_string(), note.as_bytes()).unwrap();
            }
        }
        folder.replace("checkpoint", note.as_bytes()).unwrap();
        for size in entries.len() + 1..20 {
            let checkpoints = folder.folder("checkpoints").unwrap();
            checkpoints.discard(&size.to_string()).unwrap();
        }
    }
}

#[test]
fn the_past_cannot_be_signed_anew_with_the_keys_of_today() {
    for forged in 1..6 {
        let (fixture, _) = seasoned();
        let thief = Thief::new(&fixture);
        let mut entries = thief.view.bytes.clone();
        let mut entry = entry::parse(&entries[forged]).unwrap();
        match &mut entry.event {
            Event::Seal(segment) => segment.sha256 = [7; 32],
            Event::Hold { name, .. } => "k".clone_into(name),
            other => panic!("{other:?}"),
        }
        // Its own key from there on, so that later signatures fit.
        entry.next = thief.epoch.verifying_key();
        entries[forged] = entry.to_bytes();
        for later in &mut entries[forged + 1..] {
            let mut entry = entry::parse(later).unwrap();
            entry.next = thief.epoch.verifying_key();
            *later = entry.to_bytes();
        }
        thief.forge(&entries, forged + 1);
        // Without any checkpoint that was kept elsewhere.
        let report = fixture.verify();
        let places: Vec<&str> = report.findings.iter().map(|one| one.place.as_str()).collect();
        let place = format!("log/checkpoints/{}", forged + 1);
        assert!(places.contains(&place.as_str()), "{forged}: {:?}", report.findings);
    }
}

#[test]
fn entries_that_are_removed_doubled_or_reordered_are_found() {
    for change in 0..3 {
        for at in 1..5 {
            let (fixture, note) = seasoned();
            let thief = Thief::new(&fixture);
            let mut entries = thief.view.bytes.clone();
            match change {
                0 => drop(entries.remove(at)),
                1 => entries.insert(at, entries[at].clone()),
                _ => entries.swap(at, at + 1),
            }
            thief.forge(&entries, at + 1);
            let report = verify(&fixture, &note);
            assert!(!report.findings.is_empty(), "change {change} at {at}");
            let early = report.findings.iter().any(|finding| {
                finding.place == format!("log/checkpoints/{}", at + 1)
                    || finding.place == format!("entry {at}")
            });
            assert!(early, "change {change} at {at}: {:?}", report.findings);
        }
    }
}

#[test]
fn what_was_taken_out_and_is_there_again_is_named() {
    let (fixture, note, past) = seasoned_with_past();
    for (place, bytes) in past {
        let path = fixture.path().join(&place);
        let before = fs::read(&path).ok();
        put(&path, Some(&bytes));
        let report = verify(&fixture, &note);
        let found: Vec<_> = report.findings.iter().map(|one| (&*one.place, one.fault)).collect();
        assert_eq!(found, [(place.to_str().unwrap(), super::Fault::Remains)]);
        put(&path, before.as_deref());
    }
    assert_eq!(verify(&fixture, &note).findings, []);
}

#[test]
fn a_log_that_was_rolled_back_is_found_by_a_checkpoint_kept_elsewhere() {
    let (fixture, _) = seasoned();
    let before = crate::support::folder();
    copy(&fixture.path(), &before.path().join("journal"));
    fixture.fill(32, 40);
    let note = fixture.reader().checkpoint_note().as_bytes().to_vec();
    // The whole directory, keys and all, as it was.
    fs::remove_dir_all(fixture.path()).unwrap();
    copy(&before.path().join("journal"), &fixture.path());
    let report = verify(&fixture, &note);
    assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    assert_eq!(
        (report.findings[0].place.as_str(), report.findings[0].fault),
        ("kept", super::Fault::RolledBack)
    );
    // Only the log: what it does not know gives it away.
    fixture.fill(32, 40);
    fs::remove_dir_all(fixture.path().join("log")).unwrap();
    copy(&before.path().join("journal/log"), &fixture.path().join("log"));
    let error = crate::Journal::open(&fixture.path(), &options()).unwrap_err();
    assert!(matches!(error, crate::JournalError::Damaged { .. }), "the writer refuses: {error}");
}

#[test]
fn a_journal_made_anew_does_not_pass_for_the_old_one() {
    let ((fixture, note), other) = (seasoned(), Fixture::new());
    other.fill(0, 8);
    fs::remove_dir_all(fixture.path()).unwrap();
    copy(&other.path(), &fixture.path());
    let report = verify(&fixture, &note);
    let places: Vec<&str> = report.findings.iter().map(|one| one.place.as_str()).collect();
    assert!(places.contains(&"entry 0") && places.contains(&"kept"), "{:?}", report.findings);
}

#[test]
fn a_log_that_was_emptied_is_not_whole() {
    let (fixture, _) = seasoned();
    let log = fixture.path().join("log");
    for name in fs::read_dir(log.join("checkpoints")).unwrap() {
        fs::remove_file(name.unwrap().path()).unwrap();
    }
    let zeros = "A".repeat(43);
    let note = format!("x\n0\n{zeros}=\n\n— x AAAAAAAA\n");
    fs::write(log.join("checkpoint"), note).unwrap();
    for key in [Some(fixture.key.clone()), None] {
        let report = Verifier { key, ..fixture.verifier() }.verify(&fixture.path()).unwrap();
        let places: Vec<&str> = report.findings.iter().map(|one| one.place.as_str()).collect();
        assert!(places.contains(&"log/checkpoint") && places.contains(&"entry 0"), "{places:?}");
    }
}

#[test]
fn a_checkpoint_of_more_entries_than_there_can_be_is_one_finding() {
    let (fixture, _) = seasoned();
    let name = fixture.path().join(format!("log/checkpoints/{}", u64::MAX));
    fs::copy(fixture.path().join("log/checkpoint"), name).unwrap();
    let report = fixture.verify();
    let found = |place: &str| report.findings.iter().any(|finding| finding.place == place);
    assert!(found("log/checkpoint") && found(&format!("log/checkpoints/{}", u64::MAX)));
    assert!(report.findings.len() < 10, "{:?}", report.findings);
}

#[test]
fn a_file_that_the_log_gives_two_hashes_of_is_not_whole() {
    let fixture = Fixture::new();
    fixture.fill(0, 3);
    let segment = fixture.reader().segments().next().unwrap().state;
    let journal = fixture.open();
    // The file is the same, and its footer is to be another one.
    let file = Written { sha256: segment.sha256, bytes: segment.bytes, tail: [7; 32] };
    let cause = Cause { reason: "a test".into(), who: "a test".into() };
    let event = Event::Erase { segment: 0, records: Vec::new(), file, cause };
    journal.with_owner(|owner| owner.note(event)).unwrap();
    journal.close().unwrap();
    let found = fixture.verify().findings;
    let found: Vec<_> = found.iter().map(|one| (&*one.place, one.fault)).collect();
    assert_eq!(found, [("segments/0000000000.parquet", super::Fault::Swapped)]);
}

/// Adds an entry to the log, as whoever has the keys of today can.
pub(super) fn add(fixture: &Fixture, event: Event) -> String {
    let thief = Thief::new(fixture);
    let mut entries = thief.view.bytes.clone();
    let next = thief.epoch.verifying_key();
    entries.push(entry::Entry { time: 1, next, event }.to_bytes());
    thief.forge(&entries, entries.len());
    format!("entry {}", entries.len() - 1)
}

pub(super) fn cause() -> Cause {
    Cause { reason: "a test".into(), who: "a test".into() }
}

/// Puts another file in the place of segment 0, with these rows, and says that its record 0 was erased.
fn rewrite(fixture: &Fixture, rows: Vec<Row>) {
    rewrite_with(fixture, rows, &Part::ALL.map(|_| Salts::new([7; 32])), true);
}

/// The same, with these salts.
fn rewrite_with(fixture: &Fixture, rows: Vec<Row>, salts: &[Salts; 5], anew: bool) {
    let thief = Thief::new(fixture);
    let keys = SegmentKeys::new(&thief.view.state.settings.recipients).unwrap();
    let segments = thief.folder.folder("segments").unwrap();
    segments.discard("0000000000.parquet").unwrap();
    let output = segments.create("0000000000.parquet").unwrap();
    let segment = Segment { keys: &keys, salts, expired: &[], first: 0, anew };
    let file = segment.write(output, rows).unwrap();
    add(fixture, Event::Erase { segment: 0, records: vec![0], file, cause: cause() });
}

/// How many records a reader gives before it says that the journal is damaged.
fn given(reader: &Reader) -> Option<u64> {
    let mut count = 0;
    let read = reader.each(&Filter::default(), &mut |_| {
        count += 1;
        true
    });
    matches!(read, Err(JournalError::Damaged { .. })).then_some(count)
}

#[test]
fn a_segment_written_anew_by_a_thief_is_not_read() {
    let erased = |record: Record| Row { erased: Some([1; 32]), ..Row::of(record) };
    let gone = || Record { time: record(0).time, ..Record::default() };
    let forged = || (101..104).map(|number| Row::of(record(number)));
    let fixture = Fixture::new();
    fixture.fill(0, 4);
    rewrite(&fixture, std::iter::once(erased(gone())).chain(forged()).collect());
    let all = fixture.reader();
    let few = |fixture: &Fixture| {
        Reader::open(&fixture.path(), fixture.few.clone(), &[Place::Temporary]).unwrap()
    };
    for reader in [all, few(&fixture)] {
        assert_eq!(given(&reader), Some(0), "nothing of it is given");
        assert!(reader.last(&Filter::default(), 2).is_err());
    }
    let report = Verifier { identities: None, ..fixture.verifier() }.verify(&fixture.path());
    assert_eq!(report.unwrap().uncompared, 1);
    assert_eq!(fixture.verify().findings.len(), 1);
    // What the log says of it is compared without any identity but that of the head.
    let rows: [Vec<Row>; 3] = [
        (100..104).map(|number| Row::of(record(number))).collect(),
        std::iter::once(erased(record(100))).chain(forged()).collect(),
        std::iter::once(erased(gone())).chain(forged().take(2)).collect(),
    ];
    for rows in rows {
        let fixture = Fixture::new();
        fixture.fill(0, 4);
        rewrite(&fixture, rows);
        assert_eq!(given(&few(&fixture)), Some(0));
    }
}

/// Rows of segment 0 as an erasure of record 0 writes them, and the salts.
fn genuine(fixture: &Fixture, recovered: bool) -> (Vec<Row>, [Salts; 5]) {
    let reader = fixture.reader();
    let found = crate::rewrite::rows(&reader, &reader.view.state.segments[&0]);
    let (mut rows, mut salts) = found.unwrap();
    let (hash, first) = &mut rows[0];
    let gone = Record { time: first.record.time, ..Record::default() };
    *first = Row { erased: Some(*hash), leaf: first.leaf.take(), ..Row::of(gone) };
    for (_, row) in rows.iter_mut().skip(1).filter(|_| !recovered) {
        row.leaf = None;
    }
    for salts in &mut salts {
        salts.puncture(0);
    }
    (rows.into_iter().map(|(_, row)| row).collect(), salts)
}

/// A journal of one segment, which a crash has left or not.
fn one_segment(recovered: bool) -> Fixture {
    let fixture = Fixture::new();
    let broken = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&broken);
    let fault = move |_| {
        let fails = switch.load(Ordering::Relaxed);
        if fails { Err(std::io::ErrorKind::Other.into()) } else { Ok(()) }
    };
    let options = crate::Options { fault: Some(Arc::new(fault)), ..crate::support::options() };
    let journal = crate::Journal::open(&fixture.path(), &options).unwrap();
    journal.append_all((0..4).map(record).collect()).unwrap();
    broken.store(recovered, Ordering::Relaxed);
    drop(journal);
    fixture.open().close().unwrap();
    assert_eq!(fixture.reader().view.state.segments[&0].cut.is_some(), recovered);
    fixture
}

/// What a thief does to rows.
type Forgery<'f> = &'f dyn Fn(&mut [Row]);

#[test]
fn who_lacks_a_key_compares_what_he_reads_of_what_was_written_anew() {
    let forged = || Some(br#"{"forged":1}"#.to_vec());
    let forgeries: [Forgery<'_>; 9] = [
        &|rows| rows[2].record.logger = "forged".into(),
        &|rows| rows[2].record.time += 1,
        &|rows| rows[2].record.fields[1] = forged(),
        &|rows| rows[2].record.fields[1] = None,
        &|rows| rows[2].record.fields[0] = forged(),
        &|rows| rows[2].leaf = if rows[2].leaf.is_some() { None } else { rows[0].leaf.clone() },
        &|rows| rows[0].leaf = None,
        &|rows| rows[0].leaf.as_mut().unwrap()[5] ^= 1,
        &|rows| rows[0].erased = Some([1; 32]),
    ];
    let read = |forge: Option<Forgery<'_>>, anew, recovered| {
        let fixture = one_segment(recovered);
        let (mut rows, salts) = genuine(&fixture, recovered);
        if let Some(forge) = forge {
            forge(&mut rows);
        }
        rewrite_with(&fixture, rows, &salts, anew);
        let few = Reader::open(&fixture.path(), fixture.few.clone(), &[Place::Temporary]).unwrap();
        let found = given(&few);
        assert_eq!(given(&fixture.reader()), found, "nor does who has all keys");
        found
    };
    for recovered in [false, true] {
        assert_eq!(read(None, true, recovered), None, "it is what an erasure writes");
        for (number, forge) in forgeries.into_iter().enumerate() {
            assert_eq!(read(Some(forge), true, recovered), Some(0), "{number}, {recovered}");
        }
        assert_eq!(read(None, false, recovered), Some(0), "it has no leaves");
    }
}

#[test]
fn what_was_erased_in_earnest_is_compared_and_read() {
    let fixture = Fixture::new();
    fixture.fill(0, 4);
    let journal = fixture.open();
    let filter = Filter { numbers: Some((1, 2)), ..Filter::default() };
    journal.erase(&fixture.reader(), &filter, &cause()).unwrap();
    journal.close().unwrap();
    assert_eq!(crate::support::numbers(&fixture.reader(), &Filter::default()), [0, 1, 2, 3]);
    let report = fixture.verify();
    assert_eq!((report.findings.len(), report.compared, report.uncompared), (0, 1, 0));
    // Who lacks a key compares what he can read.
    let few = Reader::open(&fixture.path(), fixture.few.clone(), &[Place::Temporary]).unwrap();
    assert_eq!(crate::support::numbers(&few, &Filter::default()), [0, 1, 2, 3]);
    let verifier = Verifier { identities: Some(fixture.few.clone()), ..fixture.verifier() };
    let report = verifier.verify(&fixture.path()).unwrap();
    assert_eq!((report.findings.len(), report.compared, report.uncompared), (0, 0, 0));
}

#[test]
fn a_segment_in_the_place_of_another_is_not_read() {
    let forged: [fn(&mut SegmentState); 3] =
        [|_| {}, |segment| segment.records = 9, |segment| segment.bytes += 1];
    for (number, forge) in forged.into_iter().enumerate() {
        let fixture = Fixture::new();
        fixture.fill(0, 4);
        let mut segment = fixture.reader().view.state.segments[&0].clone();
        let bytes = fs::read(fixture.path().join("segments/0000000000.parquet")).unwrap();
        put(&fixture.path().join("segments/0000000001.parquet"), Some(&bytes));
        (segment.number, segment.first) = (1, 4);
        forge(&mut segment);
        add(&fixture, Event::Seal(segment));
        assert_eq!(given(&fixture.reader()), Some(4), "{number}");
        let report = Verifier { identities: None, ..fixture.verifier() }.verify(&fixture.path());
        let found = report.unwrap().findings;
        assert_eq!(found[0].place, "entry 2", "{number}: {found:?}");
        assert_eq!(found.len(), 1 + usize::from(number == 2), "{number}: {found:?}");
    }
}

#[test]
fn records_of_other_times_than_the_log_tells_are_not_read() {
    for (times, is_read) in [(None, true), (Some((0, 1)), false)] {
        let fixture = Fixture::new();
        fixture.fill(0, 4);
        let thief = Thief::new(&fixture);
        let keys = SegmentKeys::new(&thief.view.state.settings.recipients).unwrap();
        let output = thief.folder.folder("segments").unwrap().create("0000000001.parquet").unwrap();
        let salts = Part::ALL.map(|_| Salts::new([7; 32]));
        let file = Segment { keys: &keys, salts: &salts, expired: &[], first: 4, anew: false };
        let written = file.write(output, (0..4).map(|number| Row::of(record(number)))).unwrap();
        let mut segment = fixture.reader().view.state.segments[&0].clone();
        (segment.number, segment.first) = (1, 4);
        segment.times = times.or(segment.times);
        segment.set_file(&written);
        add(&fixture, Event::Seal(segment));
        assert_eq!(given(&fixture.reader()), (!is_read).then_some(4));
    }
}

#[test]
fn a_write_ahead_file_is_compared_with_what_the_log_says_of_it() {
    let short = b"tacenda-wal-1\n\0\0\0\x02{}".as_slice();
    let cases =
        [(4, None, super::Fault::Swapped), (16_000_000, Some(short), super::Fault::Altered)];
    for (records, other, fault) in cases {
        let fixture = Fixture::new();
        let journal = fixture.open();
        journal.append_all((0..4).map(record).collect()).unwrap();
        let bytes = fs::read(fixture.path().join("active/0000000000.wal")).unwrap();
        journal.close().unwrap();
        let root = crate::survey::survey(&bytes).unwrap().root;
        let bytes = other.unwrap_or(&bytes);
        put(&fixture.path().join("segments/0000000001.wal"), Some(bytes));
        let segment = SegmentState {
            number: 1,
            format: Format::Wal,
            first: 4,
            records,
            root,
            sha256: crate::sha256(&[bytes]),
            bytes: bytes.len() as u64,
            tail: None,
            parts: None,
            cut: Some(0),
            ..fixture.reader().view.state.segments[&0].clone()
        };
        add(&fixture, Event::Seal(segment));
        assert_eq!(given(&fixture.reader()), Some(4));
        let report = Verifier { identities: None, ..fixture.verifier() }.verify(&fixture.path());
        let found = report.unwrap().findings;
        let found: Vec<_> = found.iter().map(|one| (&*one.place, one.fault)).collect();
        assert_eq!(found, [("segments/0000000001.wal", fault)]);
    }
}

#[test]
fn entries_that_cannot_be_are_found() {
    let forged: [fn(&mut SegmentState); 6] = [
        |segment| segment.parts = None,
        |segment| segment.cut = Some(0),
        |segment| segment.times = segment.times.map(|(first, last)| (last, first)),
        |segment| segment.times = None,
        |segment| segment.records = 0,
        |segment| segment.records = 1 << 53,
    ];
    for forge in forged {
        let fixture = Fixture::new();
        fixture.fill(0, 4);
        let mut segment = fixture.reader().view.state.segments[&0].clone();
        (segment.number, segment.first) = (1, 4);
        forge(&mut segment);
        let place = add(&fixture, Event::Seal(segment));
        assert!(fixture.verify().findings.iter().any(|one| one.place == place));
    }
    let fixture = Fixture::new();
    fixture.fill(0, 4);
    let state = fixture.reader().view.state.segments[&0].clone();
    let file = Written { sha256: state.sha256, bytes: state.bytes, tail: state.tail.unwrap() };
    let event = Event::Erase { segment: 0, records: vec![1, 4], file, cause: cause() };
    let place = add(&fixture, event);
    assert!(fixture.verify().findings.iter().any(|one| one.place == place));
    for (segments, records) in [((1, 0), 0), ((0, 0), 3), ((0, 0), 5)] {
        let fixture = Fixture::new();
        fixture.fill(0, 4);
        let place = add(&fixture, Event::Delete { segments, records, cause: cause() });
        assert!(fixture.verify().findings.iter().any(|one| one.place == place));
    }
}

#[test]
fn a_key_of_the_log_that_is_another_one_is_refused_before_anything_is_written() {
    let fixture = Fixture::new();
    fixture.fill(0, 2);
    put(&fixture.path().join("keys/log"), Some(&[9; 32]));
    let error = crate::Journal::open(&fixture.path(), &options()).unwrap_err();
    let JournalError::Damaged { place, .. } = &error else { panic!("{error}") };
    assert_eq!(place, "keys/log");
    assert_eq!(crate::support::numbers(&fixture.reader(), &Filter::default()), [0, 1]);
}

#[test]
fn files_that_are_longer_than_they_can_be_are_not_read() {
    let fixture = Fixture::new();
    fixture.fill(0, 2);
    for (place, length) in [
        ("log/checkpoint", 1 << 40),
        ("log/tile/0/000.p/2", 8193),
        ("active/0000000001.wal", 1 << 40),
        ("segments/0000000000.parquet", 1 << 40),
    ] {
        let path = fixture.path().join(place);
        let before = fs::read(&path).ok();
        put(&path, Some(b""));
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(length).unwrap();
        let report = fixture.verify();
        let found = report.findings.iter().find(|one| one.place == place).unwrap();
        assert!(found.what.contains("longer than it can be"), "{found:?}");
        put(&path, before.as_deref());
    }
    assert_eq!(fixture.verify().findings, []);
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_named() {
    let fixture = Fixture::new();
    fixture.fill(0, 2);
    for place in ["log/checkpoint", "active/0000000001.wal", "segments/0000000000.parquet"] {
        let path = fixture.path().join(place);
        let before = fs::read(&path).ok();
        let _ = fs::remove_file(&path);
        crate::support::pipe(&path);
        let report = fixture.verify();
        let found = report.findings.iter().find(|one| one.place == place).unwrap();
        assert!(found.what.contains("a pipe"), "{found:?}");
        fs::remove_file(&path).unwrap();
        if before.is_some() {
            put(&path, before.as_deref());
        }
    }
}
