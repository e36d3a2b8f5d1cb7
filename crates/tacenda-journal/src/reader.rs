//! Reading a journal, with the identities at hand.

use std::path::Path;

use crate::entry::{Format, SegmentState};
use crate::error::JournalError;
use crate::filter::Filter;
use crate::keys::{Identities, Key};
use crate::log_view::LogView;
use crate::note::{Checkpoint, VerifierKey};
use crate::part::Part;
use crate::place::{Folder, Place};
use crate::record::{Record, Seen};
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
        let folder = self.root.folder("segments")?;
        if segment.format == Format::Wal {
            let place = || format!("segments/{}", segment.file());
            let bytes = folder.read(&segment.file())?;
            let bytes = bytes.ok_or_else(|| JournalError::damaged(place(), "it is missing"))?;
            return self.each_of_wal(segment.number, segment.first, &bytes, filter, take);
        }
        let sealed = self.open_sealed(segment)?;
        let closed = Part::ALL.iter().filter(|part| !sealed.opens(**part));
        let closed: Vec<_> = closed.filter_map(|part| class(*part)).collect();
        for group in 0..sealed.groups() {
            if !filter.meets(sealed.times(group)) {
                continue;
            }
            for (sequence, row) in sealed.rows(group)? {
                let sealed = closed.clone();
                let seen = Seen { sequence, record: row.record, sealed, erased: row.erased };
                if filter.passes(&seen) && !take(&seen) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Opens a segment that is stored as Parquet.
    pub(crate) fn open_sealed(&self, segment: &SegmentState) -> Result<Sealed, JournalError> {
        let name = segment.file();
        let file = self.root.folder("segments")?.open(&name)?;
        Sealed::open(file, &format!("segments/{name}"), segment.number, &self.identities)
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
