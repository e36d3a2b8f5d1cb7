//! A journal that is open to write.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::appender::Busy;
use crate::disk::Fault;
use crate::entry::{Cause, Event};
use crate::error::JournalError;
use crate::log::Log;
use crate::note::VerifierKey;
use crate::owner::Owner;
use crate::place::{Folder, Place};
use crate::record::Record;
use crate::settings::Settings;
use crate::together::{Together, batches, lock};

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
    /// How long an owner of the journal is waited for that gives no sign of life: somebody may have
    /// stopped it. It seals a segment in between, on a disk that may be slow.
    pub patience: Duration,
    /// Lets steps fail, in tests.
    #[doc(hidden)]
    pub fault: Option<Fault>,
}

impl Default for Options {
    fn default() -> Self {
        let patience = Duration::from_secs(60);
        Self { allowed: Vec::new(), clock: system_clock(), patience, fault: None }
    }
}

/// A journal that this process owns.
pub struct Journal {
    shared: Arc<Shared>,
    ticker: Option<JoinHandle<()>>,
    /// Answers those who would append, where it was borrowed from one who did.
    pub(crate) busy: Option<Busy>,
}

/// What those who append share with the thread that puts on the disk what they have appended.
struct Shared {
    together: Together,
    stop: Mutex<bool>,
    stopping: Condvar,
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
        let make = || {
            root.make("active")?;
            root.make("segments")?;
            root.keep_reserve()?;
            Log::create(&root, settings, (options.clock)())
        };
        let log = make().inspect_err(|_| root.empty())?;
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
            together: Together::new(owner),
            stop: Mutex::new(false),
            stopping: Condvar::new(),
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
    /// [`Durability`](crate::Durability) says.
    pub fn append(&self, record: Record) -> Result<u64, JournalError> {
        record.check()?;
        self.shared.together.append(vec![record])
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
            let number = self.shared.together.append(batch)?;
            first = first.or(Some(number));
        }
        Ok(first)
    }

    /// Seals the active segment, if it has records.
    pub fn rotate(&self) -> Result<(), JournalError> {
        self.shared.together.owner().seal()
    }

    /// Everything that was appended is on the disk, and signed.
    pub fn sync(&self) -> Result<(), JournalError> {
        let mut owner = self.shared.together.owner();
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
        self.shared.together.owner().log.view().state.settings.clone()
    }

    /// The newest checkpoint, as a signed note.
    pub fn checkpoint(&self) -> String {
        self.shared.together.owner().log.view().note.clone()
    }

    /// Seals what there is, and ends.
    pub fn close(mut self) -> Result<(), JournalError> {
        self.end()
    }

    /// Whether an error of the disk has stopped it: it has to be opened anew.
    pub(crate) fn has_stopped(&self) -> bool {
        self.shared.together.owner().has_stopped()
    }

    pub(crate) fn with_owner<T>(
        &self,
        work: impl FnOnce(&mut Owner) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut owner = self.shared.together.owner();
        let _lent = owner.root.lend_reserve();
        work(&mut owner)
    }

    fn end(&mut self) -> Result<(), JournalError> {
        let Some(ticker) = self.ticker.take() else { return Ok(()) };
        *lock(&self.shared.stop) = true;
        self.shared.stopping.notify_all();
        // It ends by itself, and has nothing to say.
        let _ = ticker.join();
        let sealed = self.shared.together.owner().seal();
        // Before another process owns the journal, and listens.
        self.busy = None;
        sealed
    }
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

impl Shared {
    fn tick_until_stopped(&self, every: Duration) {
        let mut stop = lock(&self.stop);
        while !*stop {
            let waited = self.stopping.wait_timeout(stop, every);
            stop = waited.unwrap_or_else(PoisonError::into_inner).0;
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
            let mut owner = self.together.owner();
            owner.begin_sync()
        };
        let failed = match file {
            Ok(Some(file)) => file.sync().is_err(),
            Ok(None) => false,
            // A mark that was not written leaves the file as it was: it is tried again.
            Err(error) => matches!(error, JournalError::Stopped),
        };
        if failed {
            self.together.owner().stop();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::support::{Fixture, numbers, record};
    use crate::{Durability, Filter, wal};

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
    fn what_could_not_be_made_whole_is_not_there() {
        let fixture = Fixture::new();
        let path = fixture.path().with_file_name("other");
        let settings = fixture.reader().settings().clone();
        for step in
            [crate::Step::Create, crate::Step::Write, crate::Step::Rename, crate::Step::Sync]
        {
            for nth in 0.. {
                let left = std::sync::atomic::AtomicU64::new(nth);
                let fault = move |one: crate::Step| {
                    let fails = one == step && left.fetch_sub(1, Ordering::Relaxed) == 0;
                    if fails { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(()) }
                };
                let options = Options { fault: Some(Arc::new(fault)), ..crate::support::options() };
                if Journal::create(&path, settings.clone(), &options).is_ok() {
                    break;
                }
                let left = std::fs::read_dir(&path).map_or(0, Iterator::count);
                assert_eq!(left, 0, "{step:?} {nth}");
            }
            std::fs::remove_dir_all(&path).unwrap();
        }
    }

    #[test]
    fn a_segment_that_began_in_the_future_is_sealed() {
        let fixture = Fixture::with(|settings| {
            settings.limits.interval_ms = 3_600_000;
            settings.limits.segment_seconds = u64::MAX;
        });
        let journal = fixture.open();
        let ahead = crate::system_clock()() + 3_600_000_000_000;
        journal.shared.together.owner().clock = Arc::new(move || ahead);
        journal.append(record(0)).unwrap();
        journal.shared.tick();
        assert_eq!(fixture.reader().segments().count(), 0, "there is no longest age");
        journal.shared.together.owner().clock = crate::system_clock();
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

    #[test]
    fn a_file_that_was_removed_while_it_is_written_is_sealed() {
        let fixture = Fixture::new();
        let journal = fixture.open();
        journal.append_all((0..3).map(record).collect()).unwrap();
        std::fs::remove_file(fixture.path().join("active").join(wal::name(0))).unwrap();
        journal.append(record(3)).unwrap();
        journal.close().unwrap();
        assert_eq!(numbers(&fixture.reader(), &Filter::default()), [0, 1, 2, 3]);
        assert_eq!(fixture.verify().findings, []);
    }

    #[test]
    fn what_could_not_be_synced_for_want_of_a_descriptor_is_synced_later() {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let fixture = Fixture::with(|settings| settings.limits.interval_ms = 3_600_000);
        let journal = fixture.open();
        journal.append(record(0)).unwrap();
        let mut owner = journal.shared.together.owner();
        let before = getrlimit(Resource::Nofile);
        let none = Rlimit { current: Some(0), maximum: before.maximum };
        setrlimit(Resource::Nofile, none).unwrap();
        let failed = owner.begin_sync().is_err();
        setrlimit(Resource::Nofile, before).unwrap();
        assert!(failed);
        assert!(owner.begin_sync().unwrap().is_some(), "it is not forgotten");
        assert!(owner.begin_sync().unwrap().is_none());
    }

    #[test]
    fn records_are_committed_to_alike_however_many_come_at_once() {
        let fixture = Fixture::new();
        let journal = fixture.open();
        let (mut next, sizes) = (0, [1, 1, 3, 8, 1, 300, 2, 250, 7]);
        for size in sizes.into_iter().cycle().take(30) {
            journal.append_all((next..next + size).map(record).collect()).unwrap();
            next += size;
        }
        journal.close().unwrap();
        assert_eq!(fixture.verify().findings, []);
        assert_eq!(numbers(&fixture.reader(), &Filter::default()), (0..next).collect::<Vec<_>>());
    }

    /// Records as the rows of a row group.
    fn group(records: &[Record]) -> crate::group::Group {
        let mut group = crate::group::Group::default();
        for record in records {
            group.lend(&crate::survey::Lent {
                time: record.time,
                texts: [&record.level, &record.logger, &record.kinds],
                fields: record.fields(),
            });
        }
        group
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
        let owner = journal.shared.together.owner();
        let wal = owner.wal.as_ref().unwrap();
        let bytes = owner.active.read(&wal::name(0)).unwrap().unwrap();
        let read = |bytes: &[u8]| {
            let (mut rows, mut group) = (wal.read_back(bytes), crate::group::Group::default());
            while rows.add_to(&mut group)? {}
            Ok::<_, crate::JournalError>(group)
        };
        assert!(read(&bytes).is_ok_and(|read| read == group(&records)));
        let mut refused = 0;
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            // Leaves and marks are not read for it.
            match read(&changed) {
                Ok(read) => assert!(read == group(&records), "byte {at}"),
                Err(_) => refused += 1,
            }
            // The last frame is a mark, of 117 bytes.
            assert_eq!(read(&bytes[..at]).is_err(), at < bytes.len() - 117, "cut at {at}");
        }
        assert!(refused > bytes.len() / 2, "{refused} of {}", bytes.len());
    }
}
