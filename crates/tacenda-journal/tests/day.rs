//! A day in the life of a journal, with a clock that the test turns: segments, retention, holds, other
//! recipients, erasures, disks that fail. It verifies after every hour, and stays within its bounds.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use support::{Fixture, options};
use tacenda_journal::{
    Cause, Deleted, Filter, Hold, Identities, Journal, Options, Place, Reader, Recipients, Record,
    Verifier, new_identity,
};
use tacenda_policy::Class;

const SECOND: i64 = 1_000_000_000;
const HOUR: i64 = 3600 * SECOND;
/// 2026-03-01, 00:00 UTC.
const BEGIN: i64 = 1_772_323_200 * SECOND;
const TICKS_OF_HOUR: u64 = 12;
const SEGMENT: u64 = 4 << 20;

/// Records of the day; `TACENDA_JOURNAL_DAY=100000000` for a hundred million.
fn records() -> u64 {
    std::env::var("TACENDA_JOURNAL_DAY").map_or(28_800, |text| text.parse().unwrap())
}

struct Day {
    fixture: Fixture,
    clock: Arc<AtomicI64>,
    /// Whether the disk fails.
    broken: Arc<AtomicBool>,
    identities: Identities,
    journal: Option<Journal>,
    /// Records that were acknowledged.
    acknowledged: u64,
    erased: BTreeSet<u64>,
    checkpoints: Vec<(String, Vec<u8>)>,
    most_bytes: u64,
}

impl Day {
    fn new(most_bytes: u64) -> Self {
        let fixture = Fixture::with(|settings| {
            settings.limits.segment_bytes = SEGMENT;
            settings.limits.segment_seconds = 1800;
            // The day is shorter than that: nothing happens but what the test does.
            settings.limits.interval_ms = 3_600_000;
            settings.retention.max_seconds = Some(6 * 3600);
            settings.retention.max_bytes = Some(most_bytes);
            *settings.retention.classes.of(Class::Restricted) = Some(2 * 3600);
        });
        let identities = fixture.all.clone();
        let (clock, broken) = (Arc::new(AtomicI64::new(BEGIN)), Arc::default());
        Self {
            fixture,
            clock,
            broken,
            identities,
            journal: None,
            acknowledged: 0,
            erased: BTreeSet::new(),
            checkpoints: Vec::new(),
            most_bytes,
        }
    }

    fn journal(&mut self) -> &Journal {
        let (clock, broken) = (Arc::clone(&self.clock), Arc::clone(&self.broken));
        let fixture = &self.fixture;
        self.journal.get_or_insert_with(|| {
            let fault = move |_| {
                let broken = broken.load(Ordering::Relaxed);
                if broken { Err(io::Error::from(io::ErrorKind::Other)) } else { Ok(()) }
            };
            let clock = move || clock.load(Ordering::Relaxed);
            let options =
                Options { clock: Arc::new(clock), fault: Some(Arc::new(fault)), ..options() };
            Journal::open(&fixture.path(), &options).unwrap()
        })
    }

    fn cause(what: &str) -> Cause {
        Cause { reason: what.to_owned(), who: "ines".to_owned() }
    }

    fn append(&mut self, count: u64) {
        let (first, time) = (self.acknowledged, self.clock.load(Ordering::Relaxed));
        for from in (first..first + count).step_by(4000) {
            let to = (from + 4000).min(first + count);
            let all = (from..to).map(|number| record(number, time)).collect();
            assert_eq!(self.journal().append_all(all).unwrap(), Some(from));
            self.acknowledged = to;
        }
    }

    /// The disk fails, the process ends, and both come back.
    fn crash(&mut self) {
        self.journal();
        self.broken.store(true, Ordering::Relaxed);
        drop(self.journal.take());
        self.broken.store(false, Ordering::Relaxed);
    }

    /// Two in the newest segment.
    fn erase(&mut self) {
        let last = self.acknowledged - 1;
        let filter = Filter { numbers: Some((last - 1, last)), ..Filter::default() };
        let reader =
            Reader::open(&self.fixture.path(), self.identities.clone(), &[Place::Temporary])
                .unwrap();
        let done = self.journal().erase(&reader, &filter, &Self::cause("a leak")).unwrap();
        assert_eq!((done.records, done.segments), (2, 1));
        self.erased.extend([last - 1, last]);
    }

    /// What a timer does, with the keys to take single classes out.
    fn retain(&mut self) -> Deleted {
        let reader =
            Reader::open(&self.fixture.path(), self.identities.clone(), &[Place::Temporary])
                .unwrap();
        self.journal().retain("the timer", Some(&reader)).unwrap()
    }

    fn other_recipients(&mut self) {
        let (identity, recipient) = new_identity(0);
        let other = Identities::parse(identity.as_bytes()).unwrap();
        self.identities = self.identities.clone().and(other);
        let recipients = Recipients::new(&[(None, recipient)]).unwrap();
        let settings = tacenda_journal::Settings { recipients, ..self.journal().settings() };
        self.journal().set(settings, Self::cause("a new key")).unwrap();
    }

    /// What it holds is what was acknowledged, less what was deleted; and it is within its bounds.
    fn check(&mut self, held: bool, content: bool) {
        let path = self.fixture.path();
        let reader = Reader::open(&path, self.identities.clone(), &[Place::Temporary]).unwrap();
        self.checkpoints.push((
            format!("checkpoint of {}", reader.checkpoint().size),
            reader.checkpoint_note().as_bytes().to_vec(),
        ));
        let verifier = Verifier {
            key: Some(self.fixture.key.clone()),
            since: self.checkpoints.clone(),
            identities: content.then(|| self.identities.clone()),
            allowed: vec![Place::Temporary],
            ..Verifier::default()
        };
        let report = verifier.verify(&path).unwrap();
        assert_eq!(report.findings, []);
        let bytes: u64 = bytes_below(&path.join("segments"));
        let kept: Vec<_> = reader.segments().map(|s| s.state).filter(|s| !s.deleted).collect();
        assert_eq!(bytes, kept.iter().map(|segment| segment.bytes).sum::<u64>());
        assert!(held || bytes <= self.most_bytes, "{bytes} bytes of {}", self.most_bytes);
        assert!(bytes_below(&path.join("active")) <= SEGMENT + (4 << 20));
        let now = self.clock.load(Ordering::Relaxed);
        let oldest = kept.iter().filter_map(|segment| segment.times).map(|(_, last)| last).min();
        assert!(held || oldest.is_none_or(|last| now - last <= 6 * HOUR + HOUR));
        let whole = kept.iter().filter(|segment| segment.expired.is_empty());
        let oldest = whole.filter_map(|segment| segment.times).map(|(_, last)| last).min();
        assert!(held || oldest.is_none_or(|last| now - last <= 2 * HOUR));
        if !content {
            return;
        }
        let mut expected: BTreeSet<u64> = kept
            .iter()
            .flat_map(|segment| segment.first..segment.first + segment.records)
            .collect();
        let each = reader.each(&Filter::default(), &mut |seen| {
            expected.remove(&seen.sequence);
            let gone = self.erased.contains(&seen.sequence);
            assert_eq!(seen.erased.is_some(), gone, "{}", seen.sequence);
            let number = seen.record.field("n").and_then(|n| n.as_u64());
            assert_eq!(number, (!gone).then_some(seen.sequence));
            let segment = kept.iter().rfind(|segment| segment.first <= seen.sequence);
            let expired = segment.is_some_and(|segment| segment.expired == [Class::Restricted]);
            let has_card = seen.sequence.is_multiple_of(50) && !gone && !expired;
            assert_eq!(seen.record.field("card").is_some(), has_card, "{}", seen.sequence);
            true
        });
        each.unwrap();
        assert_eq!(expected, BTreeSet::new());
    }
}

fn record(number: u64, time: i64) -> Record {
    let mut record = Record { time, level: "info".into(), ..Record::default() };
    record.logger = "server.http".into();
    let internal = format!(
        r#"{{"message":"POST /v1/chat 200 in {} ms, {} tokens","n":{number}}}"#,
        number * 7919 % 900,
        number * 31 % 4096
    );
    record.fields[1] = Some(internal.into_bytes());
    if number.is_multiple_of(50) {
        record.fields[3] = Some(format!(r#"{{"card":"5555 {number}"}}"#).into_bytes());
    }
    record
}

fn bytes_below(folder: &Path) -> u64 {
    support::files(folder).iter().map(|file| std::fs::metadata(file).unwrap().len()).sum()
}

#[test]
fn a_day_of_a_journal() {
    let count = records();
    // Less than the records of six hours take, so that both bounds come into play.
    let mut day = Day::new((count / 24 * 5 * 30).max(400_000));
    let each = count / (24 * TICKS_OF_HOUR);
    for hour in 0..24_u64 {
        for tick in 0..TICKS_OF_HOUR {
            day.append(each);
            day.clock.fetch_add(HOUR / TICKS_OF_HOUR.cast_signed(), Ordering::Relaxed);
            if (hour * TICKS_OF_HOUR + tick) % 31 == 17 {
                day.crash();
            }
        }
        match hour {
            2 => {
                let now = day.clock.load(Ordering::Relaxed);
                let hold = Hold { name: "case".into(), times: (now - 2 * HOUR, now - HOUR) };
                day.journal().hold(hold, Day::cause("the court")).unwrap();
            }
            5 | 11 | 17 => day.erase(),
            8 | 16 => day.other_recipients(),
            14 => day.journal().release("case", Day::cause("closed")).unwrap(),
            _ => {}
        }
        let deleted = day.retain();
        let held = (2..14).contains(&hour);
        assert!(hour < 10 || deleted.held > 0 || !held, "the hold keeps what it covers");
        day.check(held, hour % 6 == 5 && (count < 1_000_000 || hour == 23));
    }
    let path = day.fixture.path();
    drop(day.journal.take());
    let reader = Reader::open(&path, Identities::default(), &[Place::Temporary]).unwrap();
    let (all, deleted): (Vec<_>, Vec<_>) =
        reader.segments().map(|segment| segment.state).partition(|segment| !segment.deleted);
    let records: u64 = all.iter().chain(&deleted).map(|segment| segment.records).sum();
    assert_eq!(records, day.acknowledged, "nothing that was acknowledged was lost");
    assert!(deleted.len() > 5 && all.iter().any(|segment| segment.cut.is_some()));
}
