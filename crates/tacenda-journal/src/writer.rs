//! The owner of a journal: who appends to it.
//!
//! Threads that append at the same moment share one frame and one sync: the first of them writes
//! for all that came before it began, the others wait for it. Nobody is told that a record is
//! written before it is, and nothing is kept in memory beyond the records that are waited for.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::appender::Busy;
use crate::disk::Fault;
use crate::entry::{Cause, Event, Format, SegmentState};
use crate::error::JournalError;
use crate::keys::SegmentKeys;
use crate::log::Log;
use crate::note::VerifierKey;
use crate::part::Part;
use crate::place::{Folder, Output, Place};
use crate::record::Record;
use crate::segment::{self, Row};
use crate::settings::{Durability, Limits, Settings, bound};
use crate::sha256;
use crate::wal::{self, Wal};

/// A clock: nanoseconds since 1970, UTC.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// The clock of the system.
pub fn system_clock() -> Clock {
    Arc::new(|| i64::try_from(jiff::Timestamp::now().as_nanosecond()).unwrap_or(i64::MAX))
}

/// How a journal is opened.
#[derive(Clone)]
pub struct Options {
    /// Places that are refused otherwise.
    pub allowed: Vec<Place>,
    /// Where times come from.
    pub clock: Clock,
    /// Lets steps fail, in tests.
    #[doc(hidden)]
    pub fault: Option<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        Self { allowed: Vec::new(), clock: system_clock(), fault: None }
    }
}

/// A batch takes no more once it has so many records, or bytes of them.
pub(crate) const BATCH_RECORDS: usize = 4096;
const BATCH_BYTES: usize = 4 << 20;

/// How often who waits for others to write lets them go on before it sleeps: most batches are written
/// sooner than a thread is woken.
const YIELDS: u32 = 8;

/// A journal that this process owns.
pub struct Journal {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
    /// Answers those who would append, where it was borrowed from one who did.
    pub(crate) busy: Option<Busy>,
}

struct Shared {
    queue: Mutex<Queue>,
    owner: Mutex<Owner>,
    stop: Mutex<bool>,
    stopping: Condvar,
    failed: AtomicBool,
}

#[derive(Default)]
struct Queue {
    batches: VecDeque<Batch>,
    leading: bool,
}

/// Records that are written together.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    bytes: usize,
    slot: Arc<Slot>,
}

/// Where those wait whose records are in one batch.
#[derive(Default)]
struct Slot {
    turn: Mutex<Turn>,
    turned: Condvar,
}

#[derive(Default)]
enum Turn {
    /// Others write.
    #[default]
    Wait,
    /// One of those who wait writes.
    Lead,
    /// It is done: the number of the first record.
    Written(Result<u64, Arc<JournalError>>),
}

impl Queue {
    /// Adds records to what is written next: where they wait, and their place in it.
    fn add(&mut self, mut records: Vec<Record>) -> (Arc<Slot>, u64) {
        if !self.batches.back().is_some_and(Batch::has_room) {
            self.batches.push_back(Batch::default());
        }
        let batch = self.batches.back_mut().expect("one was just added");
        let offset = batch.records.len() as u64;
        batch.bytes += records.iter().map(Record::size).sum::<usize>();
        batch.records.append(&mut records);
        (Arc::clone(&batch.slot), offset)
    }
}

impl Batch {
    fn has_room(&self) -> bool {
        self.records.len() < BATCH_RECORDS && self.bytes < BATCH_BYTES
    }
}

impl Journal {
    /// Makes a journal in a directory, which is made where there is none. Gives the key to verify
    /// it with: keep it elsewhere.
    ///
    /// # Errors
    /// When the directory is not fit, or not empty.
    pub fn create(
        path: &Path,
        settings: Settings,
        options: &Options,
    ) -> Result<VerifierKey, JournalError> {
        settings.check()?;
        let root = Folder::root(path, true, &options.allowed, options.fault.clone())?;
        let _lock = root.lock()?;
        if root.names()? != ["lock"] {
            return Err(JournalError::Exists { path: path.to_owned() });
        }
        root.make("active")?;
        root.make("segments")?;
        root.keep_reserve()?;
        let log = Log::create(&root, settings, (options.clock)())?;
        Ok(log.view().keys(1).1)
    }

    /// Opens a journal to write. What a crash has left is sealed first.
    ///
    /// # Errors
    /// When another process writes to it, or something is not as the log says.
    pub fn open(path: &Path, options: &Options) -> Result<Self, JournalError> {
        let owner = Owner::open(path, options)?;
        let settings = owner.log.view().state.settings.clone();
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            owner: Mutex::new(owner),
            stop: Mutex::new(false),
            stopping: Condvar::new(),
            failed: AtomicBool::new(false),
        });
        let every = Duration::from_millis(settings.limits.interval_ms);
        let ticking = Arc::clone(&shared);
        let ticker = std::thread::Builder::new()
            .name("tacenda-journal".to_owned())
            .spawn(move || ticking.tick_until_stopped(every))
            .map_err(|error| crate::place::unusable(path, error))?;
        Ok(Self { shared, ticker: Some(ticker), busy: None })
    }

    /// Appends a record; its number. When it returns, the record is written as
    /// [`Durability`] says.
    pub fn append(&self, record: Record) -> Result<u64, JournalError> {
        record.check()?;
        self.shared.append(vec![record])
    }

    /// Appends records; the number of the first.
    ///
    /// # Errors
    /// When one of them is not fit: then none is written. When the disk fails: of several thousand,
    /// some may be written.
    pub fn append_all(&self, records: Vec<Record>) -> Result<Option<u64>, JournalError> {
        records.iter().try_for_each(Record::check)?;
        self.append_checked(records)
    }

    /// The same, of records that were checked when they were taken.
    pub(crate) fn append_checked(&self, records: Vec<Record>) -> Result<Option<u64>, JournalError> {
        let mut first = None;
        for batch in batches(records) {
            let number = self.shared.append(batch)?;
            first = first.or(Some(number));
        }
        Ok(first)
    }

    /// Seals the active segment, if it has records.
    pub fn rotate(&self) -> Result<(), JournalError> {
        self.shared.owner().seal()
    }

    /// Everything that was appended is on the disk, and signed.
    pub fn sync(&self) -> Result<(), JournalError> {
        let mut owner = self.shared.owner();
        owner.sync()
    }

    /// Changes what the journal is set to: from the next segment on.
    pub fn set(&self, settings: Settings, cause: Cause) -> Result<(), JournalError> {
        settings.check()?;
        cause.check()?;
        self.with_owner(|owner| {
            owner.seal()?;
            owner.note(Event::Set { settings, cause })
        })
    }

    /// What it is set to.
    pub fn settings(&self) -> Settings {
        self.shared.owner().log.view().state.settings.clone()
    }

    /// The newest checkpoint, as a signed note.
    pub fn checkpoint(&self) -> String {
        self.shared.owner().log.view().note.clone()
    }

    /// Seals what there is, and ends.
    pub fn close(mut self) -> Result<(), JournalError> {
        self.end()
    }

    /// Whether an error of the disk has stopped it: it has to be opened anew.
    pub(crate) fn has_stopped(&self) -> bool {
        self.shared.owner().stopped
    }

    pub(crate) fn with_owner<T>(
        &self,
        work: impl FnOnce(&mut Owner) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut owner = self.shared.owner();
        let _lent = owner.root.lend_reserve();
        work(&mut owner)
    }

    fn end(&mut self) -> Result<(), JournalError> {
        let Some(ticker) = self.ticker.take() else { return Ok(()) };
        *lock(&self.shared.stop) = true;
        self.shared.stopping.notify_all();
        // It ends by itself, and has nothing to say.
        let _ = ticker.join();
        let sealed = self.shared.owner().seal();
        // Before another process owns the journal, and listens.
        self.busy = None;
        sealed
    }
}

/// Cuts records into what is written at once.
pub(crate) fn batches(records: Vec<Record>) -> impl Iterator<Item = Vec<Record>> {
    let mut records = records.into_iter().peekable();
    std::iter::from_fn(move || {
        records.peek()?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_RECORDS
            && bytes < BATCH_BYTES
            && let Some(record) = records.next()
        {
            bytes += record.size();
            batch.push(record);
        }
        Some(batch)
    })
}

impl Drop for Journal {
    fn drop(&mut self) {
        // Who wants to know calls `close`. What could not be sealed is sealed when it is opened.
        let _ = self.end();
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Journal")
    }
}

/// A thread that panicked while it held the lock has changed nothing halfway that is not checked
/// again: its batch was written as a whole, or is cut off.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The thread that writes a batch for all who wait for it. They learn what became of it also when it
/// panics.
struct Lead<'s> {
    shared: &'s Shared,
    slot: Arc<Slot>,
    outcome: Result<u64, Arc<JournalError>>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.shared.queue);
        match queue.batches.front() {
            Some(next) => {
                *lock(&next.slot.turn) = Turn::Lead;
                next.slot.turned.notify_one();
            }
            None => queue.leading = false,
        }
        drop(queue);
        let outcome = std::mem::replace(&mut self.outcome, Ok(0));
        *lock(&self.slot.turn) = Turn::Written(outcome);
        self.slot.turned.notify_all();
    }
}

impl Shared {
    fn owner(&self) -> MutexGuard<'_, Owner> {
        lock(&self.owner)
    }

    fn append(&self, records: Vec<Record>) -> Result<u64, JournalError> {
        let mut queue = lock(&self.queue);
        let (slot, offset) = queue.add(records);
        let leads = !std::mem::replace(&mut queue.leading, true);
        drop(queue);
        if leads {
            self.lead();
        }
        for _ in 0..YIELDS {
            if !matches!(*lock(&slot.turn), Turn::Wait) {
                break;
            }
            std::thread::yield_now();
        }
        let mut turn = lock(&slot.turn);
        loop {
            match &*turn {
                Turn::Written(Ok(first)) => return Ok(first + offset),
                Turn::Written(Err(error)) => return Err(JournalError::Together(Arc::clone(error))),
                Turn::Wait => {
                    let waited = slot.turned.wait(turn);
                    turn = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
                }
                Turn::Lead => {
                    *turn = Turn::Wait;
                    drop(turn);
                    self.lead();
                    turn = lock(&slot.turn);
                }
            }
        }
    }

    /// Writes what comes next, and has the rest written by one of those who wait for it.
    fn lead(&self) {
        let batch = lock(&self.queue).batches.pop_front().expect("ours is not written yet");
        let outcome = Err(Arc::new(JournalError::Stopped));
        let mut lead = Lead { shared: self, slot: batch.slot, outcome };
        lead.outcome = self.owner().write(&batch.records).map_err(Arc::new);
    }

    fn tick_until_stopped(&self, every: Duration) {
        let mut stop = lock(&self.stop);
        while !*stop {
            let waited = self.stopping.wait_timeout(stop, every);
            stop = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
            if *stop {
                break;
            }
            drop(stop);
            self.tick();
            stop = lock(&self.stop);
        }
    }

    /// Marks what was written, and puts it on the disk while others go on writing.
    fn tick(&self) {
        let file = {
            let mut owner = self.owner();
            owner.begin_sync()
        };
        let failed = match file {
            Ok(Some(file)) => file.sync().is_err(),
            Ok(None) => false,
            // A mark that was not written leaves the file as it was: it is tried again.
            Err(error) => matches!(error, JournalError::Stopped),
        };
        if failed {
            self.failed.store(true, Ordering::Relaxed);
            self.owner().stopped = true;
        }
    }
}

/// What one thread at a time works with.
pub(crate) struct Owner {
    pub(crate) root: Folder,
    pub(crate) active: Folder,
    pub(crate) segments: Folder,
    pub(crate) log: Log,
    wal: Option<Wal>,
    began: i64,
    unsynced: bool,
    stopped: bool,
    /// The last segment could not be sealed: it is tried again before anything is written.
    overdue: bool,
    clock: Clock,
    _lock: std::fs::File,
}

impl Owner {
    fn open(path: &Path, options: &Options) -> Result<Self, JournalError> {
        let root = Folder::root(path, false, &options.allowed, options.fault.clone())?;
        if root.folder("log").is_err_and(|error| crate::place::is_missing(&error)) {
            return Err(JournalError::Missing { path: path.to_owned() });
        }
        let lock = root.lock()?;
        let _lent = root.lend_reserve();
        let mut owner = Self {
            active: root.folder("active")?,
            segments: root.folder("segments")?,
            log: Log::open(&root)?,
            root,
            wal: None,
            began: 0,
            unsynced: false,
            stopped: false,
            overdue: false,
            clock: Arc::clone(&options.clock),
            _lock: lock,
        };
        owner.recover()?;
        Ok(owner)
    }

    pub(crate) fn now(&self) -> i64 {
        (self.clock)()
    }

    /// Adds an entry to the log. After an error only opening it anew tells whether it is there.
    pub(crate) fn note(&mut self, event: Event) -> Result<(), JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped);
        }
        let time = self.now();
        let done = self.log.append(time, event);
        // What the log does not take leaves it as it is.
        self.stopped |= done.as_ref().is_err_and(|e| !matches!(e, JournalError::BadSetting { .. }));
        done
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// Writes a batch as one frame; the number of its first record.
    fn write(&mut self, records: &[Record]) -> Result<u64, JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped);
        }
        if self.overdue || self.wal.as_ref().is_some_and(|wal| !wal.has_room(records.len())) {
            self.seal()?;
        }
        let settings = &self.log.view().state.settings;
        let (durability, limits) = (settings.durability, settings.limits);
        let now = self.now();
        let wal = match &mut self.wal {
            Some(wal) => wal,
            empty => {
                let keys = SegmentKeys::new(&settings.recipients)?;
                let state = &self.log.view().state;
                let (number, first) = state.next;
                self.began = now;
                empty.insert(Wal::create(&self.active, number, first, &state.origin, keys)?)
            }
        };
        let written = wal.append(records);
        self.stopped |= matches!(written, Err(JournalError::Stopped));
        let first = written?;
        self.unsynced = true;
        let length = wal.length();
        if durability == Durability::Record {
            self.sync_record()?;
        }
        if length >= limits.segment_bytes || self.is_old(now, limits) {
            // The records are written, whatever comes of it.
            self.overdue = self.seal().is_err();
        }
        Ok(first)
    }

    /// Whether the active segment is to be sealed for its age. One that began in the future may never
    /// be old enough: the clock was put back.
    fn is_old(&self, now: i64, limits: Limits) -> bool {
        let age = now.saturating_sub(self.began) / 1_000_000_000;
        now < self.began || age >= bound(limits.segment_seconds)
    }

    /// Puts a record on the disk that was just written. When there is no room for its mark it is
    /// there all the same, and the next sync signs it: who appended must not write it twice.
    fn sync_record(&mut self) -> Result<(), JournalError> {
        match self.sync() {
            Err(error) if !self.stopped => {
                let Some(wal) = &self.wal else { return Err(error) };
                let done = wal.sync();
                self.stopped |= done.is_err();
                done
            }
            done => done,
        }
    }

    /// Signs what was written; the file, if it has to be put on the disk.
    fn begin_sync(&mut self) -> Result<Option<Output>, JournalError> {
        let settings = &self.log.view().state.settings;
        let (durability, limits) = (settings.durability, settings.limits);
        if self.wal.is_some() && self.is_old(self.now(), limits) && !self.stopped {
            self.overdue = self.seal().is_err();
            return Ok(None);
        }
        let Some(wal) = self.wal.as_mut().filter(|_| self.unsynced && !self.stopped) else {
            return Ok(None);
        };
        wal.mark(self.log.signing(), self.log.view().checkpoint.size)?;
        self.unsynced = false;
        if durability == Durability::Os { Ok(None) } else { wal.file().map(Some) }
    }

    /// Everything that was written is signed and on the disk. After a sync that failed it is not known
    /// whether it is, and nothing more is written (the system may have dropped the pages).
    pub(crate) fn sync(&mut self) -> Result<(), JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped);
        }
        let Some(wal) = &mut self.wal else { return Ok(()) };
        let size = self.log.view().checkpoint.size;
        if let Err(error) = wal.mark(self.log.signing(), size) {
            // The disk may be full: unless half of it is there, the next try may do.
            self.stopped |= matches!(error, JournalError::Stopped);
            return Err(error);
        }
        let done = wal.sync();
        self.stopped |= done.is_err();
        self.unsynced = false;
        done
    }

    /// Seals the active segment, if it has records.
    pub(crate) fn seal(&mut self) -> Result<(), JournalError> {
        let _lent = self.root.lend_reserve();
        self.sync()?;
        let Some(wal) = &self.wal else { return Ok(()) };
        let (number, head) = (wal.header().segment, wal.head_length());
        if wal.records() == 0 {
            self.wal = None;
            return self.active.discard(&wal::name(number));
        }
        let segment = match self.write_segment(wal) {
            // There is none for it, not even with the reserve: as it is it takes no more than it has.
            Err(error) if error.is_full() => return self.seal_as_it_lies(),
            written => written?,
        };
        let (file, new) = (segment.file(), format!("{}.new", segment.file()));
        self.segments.rename(&new, &self.segments, &file)?;
        self.note_sealed(segment)?;
        // The keys that it is wrapped with open what will be erased from the segment.
        self.active.shred_head(&wal::name(number), head)
    }

    fn note_sealed(&mut self, segment: SegmentState) -> Result<(), JournalError> {
        self.note(Event::Seal(segment))?;
        self.wal = None;
        self.overdue = false;
        Ok(())
    }

    /// Puts the write-ahead file among the sealed segments, as after a crash.
    fn seal_as_it_lies(&mut self) -> Result<(), JournalError> {
        let Some(wal) = &self.wal else { return Ok(()) };
        let (mut segment, bytes) = (self.state_of(wal), self.bytes_of(wal)?);
        segment.format = Format::Wal;
        (segment.sha256, segment.bytes) = (sha256(&[&bytes]), bytes.len() as u64);
        let name = segment.file();
        self.active.rename(&name, &self.segments, &name)?;
        self.note_sealed(segment)
    }

    /// The active segment as the log is to have it, but for its file.
    fn state_of(&self, wal: &Wal) -> SegmentState {
        let header = wal.header();
        SegmentState {
            number: header.segment,
            format: Format::Parquet,
            first: header.first,
            records: wal.records().into(),
            times: wal.times(),
            root: wal.root(),
            sha256: [0; 32],
            bytes: 0,
            tail: None,
            erased: 0,
            expired: Vec::new(),
            cut: None,
            changed: false,
            sealed: self.now(),
            deleted: false,
        }
    }

    fn bytes_of(&self, wal: &Wal) -> Result<Vec<u8>, JournalError> {
        let name = wal::name(wal.header().segment);
        let missing = || JournalError::damaged(format!("active/{name}"), "it is missing");
        self.active.read(&name)?.ok_or_else(missing)
    }

    fn write_segment(&self, wal: &Wal) -> Result<SegmentState, JournalError> {
        let (mut segment, keys, bytes) = (self.state_of(wal), wal.keys(), self.bytes_of(wal)?);
        let new = format!("{}.new", segment.file());
        self.segments.discard(&new)?;
        let output = self.segments.create(&new)?;
        let salts = Part::ALL.map(|part| wal::salts(keys.key(part)));
        let rows = wal.batches(&bytes).flat_map(|batch| match batch {
            Ok(records) => records.into_iter().map(|record| Ok(Row::of(record))).collect(),
            Err(error) => vec![Err(error)],
        });
        let written = segment::write(output, keys, &salts, &[], segment.first, rows);
        if written.is_err() {
            // The disk may be full: what cannot be used must not take its room.
            let _ = self.segments.discard(&new);
        }
        segment.set_file(&written?);
        Ok(segment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Filter;
    use crate::support::{Fixture, numbers, record};

    #[test]
    fn what_is_written_together_has_a_bound() {
        let fixture = Fixture::new();
        let journal = fixture.open();
        let records = |count| (0..count).map(record).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            // Nobody writes as long as the owner is held: all wait in the queue.
            let owner = journal.shared.owner();
            for _ in 0..4 {
                scope.spawn(|| journal.shared.append(records(3000)).unwrap());
            }
            // The first leads with what it has.
            let waiting = loop {
                let queue = lock(&journal.shared.queue);
                let waiting: Vec<_> = queue.batches.iter().map(|one| one.records.len()).collect();
                if waiting.iter().sum::<usize>() == 9000 {
                    break waiting;
                }
                drop(queue);
                std::thread::yield_now();
            };
            assert_eq!(waiting, [6000, 3000]);
            drop(owner);
        });
        journal.close().unwrap();
        assert_eq!(numbers(&fixture.reader(), &Filter::default()).len(), 12_000);
    }

    #[test]
    fn a_writer_that_panics_leaves_nobody_waiting() {
        // The ticker asks the clock as well.
        let fixture = Fixture::with(|settings| settings.limits.interval_ms = 3_600_000);
        let journal = fixture.open();
        // The clock is asked in the middle of a write.
        let (panics, clock) = (Arc::new(AtomicBool::new(true)), crate::system_clock());
        journal.shared.owner().clock = Arc::new(move || {
            assert!(!panics.swap(false, Ordering::Relaxed), "for the test");
            clock()
        });
        std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..3).map(|_| scope.spawn(|| journal.append(record(1)).is_ok())).collect();
            let ended: Vec<_> = all.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            assert_eq!(ended.iter().filter(|one| one.is_err()).count(), 1);
        });
        journal.append(record(2)).unwrap();
    }

    /// A journal whose steps fail as long as the switch is on.
    fn failing(step: crate::Step) -> (Fixture, Journal, Arc<AtomicBool>) {
        let fixture = Fixture::with(|settings| settings.limits.interval_ms = 3_600_000);
        let on = Arc::new(AtomicBool::new(false));
        let switch = Arc::clone(&on);
        let fault = move |one: crate::Step| {
            let fails = one == step && switch.load(Ordering::Relaxed);
            if fails { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        };
        let options = Options { fault: Some(Arc::new(fault)), ..crate::support::options() };
        let journal = Journal::open(&fixture.path(), &options).unwrap();
        (fixture, journal, on)
    }

    #[test]
    fn a_record_whose_mark_has_no_room_is_written_once() {
        let fixture = Fixture::with(|settings| {
            settings.durability = Durability::Record;
            settings.limits.interval_ms = 3_600_000;
        });
        let writes = Arc::new(std::sync::atomic::AtomicU64::new(u64::MAX / 2));
        let left = Arc::clone(&writes);
        let fault = move |one: crate::Step| {
            let fails = one == crate::Step::Write && left.fetch_sub(1, Ordering::Relaxed) == 0;
            if fails { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        };
        let options = Options { fault: Some(Arc::new(fault)), ..crate::support::options() };
        let journal = Journal::open(&fixture.path(), &options).unwrap();
        journal.append(record(0)).unwrap();
        // The next one is the record, and the one after that its mark.
        writes.store(1, Ordering::Relaxed);
        assert_eq!(journal.append(record(1)).unwrap(), 1);
        writes.store(u64::MAX / 2, Ordering::Relaxed);
        journal.sync().unwrap();
        assert_eq!(fixture.verify().findings, []);
        assert_eq!(journal.append(record(2)).unwrap(), 2);
        journal.close().unwrap();
        assert_eq!(numbers(&fixture.reader(), &Filter::default()), [0, 1, 2]);
        assert_eq!(fixture.verify().findings, []);
    }

    #[test]
    fn what_is_sealed_is_what_was_written() {
        let fixture = Fixture::with(|settings| settings.limits.interval_ms = 3_600_000);
        let journal = fixture.open();
        let records: Vec<Record> = (0..4).map(record).collect();
        for batch in records.chunks(2) {
            journal.append_all(batch.to_vec()).unwrap();
            journal.sync().unwrap();
        }
        let owner = journal.shared.owner();
        let wal = owner.wal.as_ref().unwrap();
        let bytes = owner.active.read(&wal::name(0)).unwrap().unwrap();
        let read = |bytes: &[u8]| wal.batches(bytes).collect::<Result<Vec<_>, _>>();
        assert_eq!(read(&bytes).unwrap().concat(), records);
        let mut refused = 0;
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            // Leaves and marks are not read for it.
            match read(&changed) {
                Ok(read) => assert_eq!(read.concat(), records, "byte {at}"),
                Err(_) => refused += 1,
            }
            // The last frame is a mark, of 117 bytes.
            assert_eq!(read(&bytes[..at]).is_err(), at < bytes.len() - 117, "cut at {at}");
        }
        assert!(refused > bytes.len() / 2, "{refused} of {}", bytes.len());
    }

    #[test]
    fn a_segment_that_began_in_the_future_is_sealed() {
        let fixture = Fixture::with(|settings| {
            settings.limits.interval_ms = 3_600_000;
            settings.limits.segment_seconds = u64::MAX;
        });
        let journal = fixture.open();
        let ahead = crate::system_clock()() + 3_600_000_000_000;
        journal.shared.owner().clock = Arc::new(move || ahead);
        journal.append(record(0)).unwrap();
        journal.shared.tick();
        assert_eq!(fixture.reader().segments().count(), 0, "there is no longest age");
        journal.shared.owner().clock = crate::system_clock();
        journal.append(record(1)).unwrap();
        assert_eq!(fixture.reader().segments().count(), 1);
        journal.close().unwrap();
    }

    #[test]
    fn a_disk_that_was_full_for_a_while_does_not_stop_the_journal() {
        let (fixture, journal, full) = failing(crate::Step::Write);
        // Neither the header of a segment fits, nor a mark.
        full.store(true, Ordering::Relaxed);
        journal.append(record(0)).unwrap_err();
        full.store(false, Ordering::Relaxed);
        assert_eq!(journal.append(record(0)).unwrap(), 0);
        full.store(true, Ordering::Relaxed);
        journal.shared.tick();
        journal.sync().unwrap_err();
        full.store(false, Ordering::Relaxed);
        assert_eq!(journal.append(record(1)).unwrap(), 1);
        journal.shared.tick();
        journal.close().unwrap();
        assert_eq!(numbers(&fixture.reader(), &Filter::default()), [0, 1]);
        assert_eq!(fixture.verify().findings, []);
    }
}
