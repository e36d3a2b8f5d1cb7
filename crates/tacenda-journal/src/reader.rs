//! Reading a journal, with the identities at hand.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::entry::{Format, SegmentState};
use crate::error::JournalError;
use crate::filter::Filter;
use crate::keys::{Identities, Key};
use crate::log_view::LogView;
use crate::note::{Checkpoint, VerifierKey};
use crate::part::Part;
use crate::place::{Folder, Place, is_missing, unusable};
use crate::record::{Record, Seen};
use crate::recover::ERASING;
use crate::segment::Sealed;
use crate::wal;

/// A journal that is read. It may be written to by another process at the same time.
pub struct Reader {
    pub(crate) root: Folder,
    pub(crate) view: LogView,
    identities: Identities,
}

/// A segment, for people.
#[derive(Clone, Debug)]
pub struct SegmentFile {
    /// What the log says of it.
    pub state: SegmentState,
    /// The name of its file.
    pub file: String,
}

impl Reader {
    /// Opens a journal to read.
    pub fn open(
        path: &Path,
        identities: Identities,
        allowed: &[Place],
    ) -> Result<Self, JournalError> {
        let root = Folder::root(path, false, allowed, None)?;
        let view = LogView::read(&root)?;
        Ok(Self { root, view, identities })
    }

    /// The journal as it is by now.
    pub(crate) fn again(&self) -> Result<Self, JournalError> {
        let (root, identities) = (self.root.clone(), self.identities.clone());
        Ok(Self { view: LogView::read(&root)?, root, identities })
    }

    /// The newest checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.view.checkpoint
    }

    /// The same as a signed note, to keep elsewhere.
    pub fn checkpoint_note(&self) -> &str {
        &self.view.note
    }

    /// The key to verify the journal with: that of its first checkpoint.
    pub fn key(&self) -> VerifierKey {
        self.view.keys(1).1
    }

    /// What the journal is set to.
    pub fn settings(&self) -> &crate::Settings {
        &self.view.state.settings
    }

    /// The holds in force, with their times.
    pub fn holds(&self) -> impl Iterator<Item = (&str, (i64, i64))> {
        self.view.state.holds.iter().map(|(name, times)| (name.as_str(), *times))
    }

    /// The sealed segments, those deleted included.
    pub fn segments(&self) -> impl Iterator<Item = SegmentFile> {
        let segments = self.view.state.segments.values();
        segments.map(|state| SegmentFile { file: state.file(), state: state.clone() })
    }

    /// Records of the active segment that are whole, and the bytes of its file; none when there is
    /// no such segment.
    pub fn active(&self) -> Result<Option<(u64, u64)>, JournalError> {
        let bytes = self.root.folder("active")?.read(&wal::name(self.view.state.next.0))?;
        let count =
            |bytes: Vec<u8>| Some((u64::from(wal::survey(&bytes)?.records), bytes.len() as u64));
        Ok(bytes.and_then(count))
    }

    /// Hands each record that passes to `take`, in the order of their numbers, until it says no.
    /// Those whose content was erased are handed over too, without it.
    pub fn each(
        &self,
        filter: &Filter,
        take: &mut dyn FnMut(&Seen) -> bool,
    ) -> Result<(), JournalError> {
        for segment in self.view.state.segments.values() {
            let may = filter.reaches(segment.first, segment.records) && filter.meets(segment.times);
            if may && !segment.deleted && !self.each_sealed(segment, filter, take)? {
                return Ok(());
            }
        }
        let (number, first) = self.view.state.next;
        let bytes = self.root.folder("active")?.read(&wal::name(number))?;
        if let Some(bytes) = bytes.filter(|bytes| wal::survey(bytes).is_some()) {
            self.each_of_wal(number, first, &bytes, filter, take)?;
        }
        Ok(())
    }

    fn each_sealed(
        &self,
        segment: &SegmentState,
        filter: &Filter,
        take: &mut dyn FnMut(&Seen) -> bool,
    ) -> Result<bool, JournalError> {
        if segment.records == 0 {
            // All of it was lost.
            return Ok(true);
        }
        let sealed = match self.open_segment(segment)? {
            Stored::Parquet(sealed) => sealed,
            Stored::Wal(bytes) => {
                return self.each_of_wal(segment.number, segment.first, &bytes, filter, take);
            }
            Stored::Deleted => return Ok(true),
        };
        let closed = sealed.closed();
        for group in 0..sealed.groups() {
            if !filter.meets(sealed.times(group)) {
                continue;
            }
            let rows = sealed.rows(group, &|time, level| filter.begins(time, level))?;
            for (sequence, row) in rows {
                let sealed = closed.clone();
                let seen = Seen { sequence, record: row.record, sealed, erased: row.erased };
                if filter.passes(&seen) && !take(&seen) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Opens the file of a segment, once it is known to be the one that the log tells of. Whoever
    /// writes may have erased from it, or deleted it, since the log was read.
    pub(crate) fn open_segment(&self, segment: &SegmentState) -> Result<Stored, JournalError> {
        let error = match self.open_as(segment) {
            Ok(stored) => return Ok(stored),
            Err(error) => error,
        };
        let newer = self.again()?.view.state.segments.remove(&segment.number);
        match newer.filter(|newer| newer != segment) {
            Some(newer) if newer.deleted => Ok(Stored::Deleted),
            Some(newer) => self.open_as(&newer),
            None => Err(error),
        }
    }

    fn open_as(&self, segment: &SegmentState) -> Result<Stored, JournalError> {
        let place = format!("segments/{}", segment.file());
        let mut file = self.find(segment)?;
        if segment.format == Format::Parquet {
            let sealed = Sealed::open(
                file,
                &place,
                segment.number,
                &segment.expired,
                &self.identities,
            )?;
            return Ok(Stored::Parquet(Box::new(sealed)));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| unusable(Path::new(&place), error))?;
        Ok(Stored::Wal(bytes))
    }

    /// The file with the hash that the log gives: that of the segment, or one that is to take its
    /// place since records were erased.
    fn find(&self, segment: &SegmentState) -> Result<File, JournalError> {
        let folder = self.root.folder("segments")?;
        let damaged = |what| JournalError::damaged(format!("segments/{}", segment.file()), what);
        let mut missing = true;
        for name in [format!("{}{ERASING}", segment.file()), segment.file()] {
            let mut file = match folder.open(&name) {
                Ok(file) => file,
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(error),
            };
            missing = false;
            let failed = |error| unusable(&folder.path().join(&name), error);
            let mut hasher = Sha256::new();
            let mut block = vec![0; 1 << 16];
            loop {
                match file.read(&mut block).map_err(failed)? {
                    0 => break,
                    read => hasher.update(&block[..read]),
                }
            }
            if hasher.finalize()[..] == segment.sha256 {
                file.rewind().map_err(failed)?;
                return Ok(file);
            }
        }
        Err(damaged(if missing { "it is missing" } else { "it is not the file that was sealed" }))
    }

    fn each_of_wal(
        &self,
        number: u64,
        first: u64,
        bytes: &[u8],
        filter: &Filter,
        take: &mut dyn FnMut(&Seen) -> bool,
    ) -> Result<bool, JournalError> {
        let (keys, records) = self.records_of_wal(number, bytes)?;
        let closed = Part::ALL.iter().filter(|part| keys[part.index()].is_none());
        let closed: Vec<_> = closed.filter_map(|part| class(*part)).collect();
        for (sequence, record) in (first..).zip(records) {
            let seen = Seen { sequence, record, sealed: closed.clone(), erased: None };
            if filter.passes(&seen) && !take(&seen) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The records of a write-ahead file, and the keys that they were read with.
    pub(crate) fn records_of_wal(
        &self,
        number: u64,
        bytes: &[u8],
    ) -> Result<([Option<Key>; 5], Vec<Record>), JournalError> {
        let damaged = || JournalError::damaged(wal::name(number), "it has no header");
        let survey = wal::survey(bytes).ok_or_else(damaged)?;
        let wrapped = &survey.header.wrapped;
        let keys = Part::ALL.map(|part| self.identities.unwrap(&wrapped[part.index()]));
        if keys[0].is_none() {
            return Err(JournalError::NoKey { part: Part::Head.name(), segment: number });
        }
        let batches = survey.open(bytes, keys.each_ref().map(Option::as_ref));
        let records = batches.collect::<Result<Vec<_>, _>>()?.concat();
        Ok((keys, records))
    }
}

/// A segment as it lies on the disk.
pub(crate) enum Stored {
    Parquet(Box<Sealed>),
    Wal(Vec<u8>),
    Deleted,
}

fn class(part: Part) -> Option<tacenda_policy::Class> {
    match part {
        Part::Head => None,
        Part::Of(class) => Some(class),
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({})", self.view.checkpoint.origin)
    }
}
