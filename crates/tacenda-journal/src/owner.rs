//! What one thread at a time does with a journal: it writes, signs and seals.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::entry::{Event, Format, SegmentState};
use crate::error::JournalError;
use crate::keys::SegmentKeys;
use crate::log::Log;
use crate::part::Part;
use crate::place::{Folder, Lock, Output, is_missing};
use crate::record::Record;
use crate::segment::Segment;
use crate::settings::{Durability, Limits, bound};
use crate::sha256;
use crate::wal::{self, Wal};
use crate::writer::{Clock, Options};

/// Nanoseconds between batches, some of the last taken together, below which the owner is busy: one is
/// written in five to fifteen thousand. A longer gap than the longest says no more than that one.
const BUSY: i64 = 20_000;
const LONGEST_GAP: i64 = 100_000;

/// The active segment, and all that it becomes part of.
pub(crate) struct Owner {
    pub(crate) root: Folder,
    pub(crate) active: Folder,
    pub(crate) segments: Folder,
    pub(crate) log: Log,
    pub(crate) wal: Option<Wal>,
    began: i64,
    unsynced: bool,
    stopped: bool,
    /// The last segment could not be sealed: it is tried again before anything is written.
    overdue: bool,
    /// Whether each batch waits for the disk: then who appends does not wait for the owner in turn.
    pub(crate) syncs_each: Arc<AtomicBool>,
    /// Whether batches follow each other so closely that it is held most of the time.
    pub(crate) is_busy: Arc<AtomicBool>,
    last: i64,
    gap: i64,
    pub(crate) clock: Clock,
    _lock: Lock,
}

impl Owner {
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, JournalError> {
        let root = Folder::root(path, false, &options.allowed, options.fault.clone())?;
        if root.folder("log").is_err_and(|error| is_missing(&error)) {
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
            syncs_each: Arc::default(),
            is_busy: Arc::default(),
            last: 0,
            gap: LONGEST_GAP,
            clock: Arc::clone(&options.clock),
            _lock: lock,
        };
        owner.recover()?;
        owner.follow_settings();
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
        self.follow_settings();
        done
    }

    fn follow_settings(&self) {
        let syncs_each = self.log.view().state.settings.durability == Durability::Record;
        self.syncs_each.store(syncs_each, Ordering::Relaxed);
    }

    pub(crate) fn has_stopped(&self) -> bool {
        self.stopped
    }

    /// Nothing more is written: it is not known what is on the disk.
    pub(crate) fn stop(&mut self) {
        self.stopped = true;
    }

    /// Writes a batch as one frame; the number of its first record.
    pub(crate) fn write(&mut self, records: &[Record]) -> Result<u64, JournalError> {
        if self.stopped {
            return Err(JournalError::Stopped);
        }
        if self.overdue || self.wal.as_ref().is_some_and(|wal| !wal.has_room(records.len())) {
            self.seal()?;
        }
        let settings = &self.log.view().state.settings;
        let (durability, limits) = (settings.durability, settings.limits);
        let now = self.now();
        let gap = now.saturating_sub(self.last).clamp(0, LONGEST_GAP);
        (self.last, self.gap) = (now, (7 * self.gap + gap) / 8);
        self.is_busy.store(self.gap < BUSY, Ordering::Relaxed);
        let wal = match &mut self.wal {
            Some(wal) => wal,
            empty => {
                let keys = SegmentKeys::new(&settings.recipients)?;
                let (view, signing) = (self.log.view(), self.log.signing());
                let ((number, first), origin) = (view.state.next, &view.state.origin);
                self.began = now;
                let by = (signing, view.checkpoint.size);
                empty.insert(Wal::create(&self.active, number, first, origin, keys, by)?)
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
    pub(crate) fn begin_sync(&mut self) -> Result<Option<Output>, JournalError> {
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
        let file = (durability != Durability::Os).then(|| wal.file()).transpose()?;
        // Not before: there may be no descriptor for it, and then the next tick tries again.
        self.unsynced = false;
        Ok(file)
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
        let (mut segment, bytes) = (self.state_of(wal), wal.content()?);
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
            parts: Some(wal.parts()),
            sha256: [0; 32],
            bytes: 0,
            tail: None,
            erased: 0,
            gone: BTreeSet::new(),
            rewritten: false,
            expired: Vec::new(),
            cut: None,
            changed: false,
            sealed: self.now(),
            deleted: false,
        }
    }

    fn write_segment(&self, wal: &Wal) -> Result<SegmentState, JournalError> {
        let (mut segment, keys, bytes) = (self.state_of(wal), wal.keys(), wal.content()?);
        let new = format!("{}.new", segment.file());
        self.segments.clear(&new)?;
        let output = self.segments.create(&new)?;
        let salts = Part::ALL.map(|part| wal::salts(keys.key(part)));
        let mut rows = wal.read_back(bytes.as_slice());
        let file = Segment { keys, salts: &salts, expired: &[], first: segment.first, anew: false };
        let written = file.write_with(output, |group| rows.add_to(group));
        if written.is_err() {
            // The disk may be full: what cannot be used must not take its room.
            let _ = self.segments.discard(&new);
        }
        segment.set_file(&written?);
        Ok(segment)
    }
}
