//! What is done when a journal is opened after a crash.
//!
//! The keys of the segment that was being written are gone: nobody on this machine can read it. It
//! is sealed as it is, up to its last whole frame. What follows that frame is kept in `quarantine/`,
//! and when it is more than a frame that was being written, the log says that it was changed.

use std::collections::BTreeSet;

use crate::entry::{Event, Format, SegmentState};
use crate::error::JournalError;
use crate::owner::Owner;
use crate::place::{Folder, is_missing};
use crate::survey::{ELSEWHERE, Remains, Survey};
use crate::wal;
use crate::{sha256, tree};

/// What the name of a segment's file has while records are erased from it.
pub(crate) const ERASING: &str = ".erasing";
/// What the name of a file in `quarantine/` has that had no record.
const UNFINISHED: &str = ".unfinished";

impl Owner {
    pub(crate) fn recover(&mut self) -> Result<(), JournalError> {
        self.settle()?;
        let number = self.log.view().state.next.0;
        for name in self.active.names()? {
            let ours = name == wal::name(number);
            let sealed = (0..number).any(|before| name == wal::name(before));
            if ours {
                self.take_over(&name)?;
            } else if sealed && !self.active.is_no_file(&name) {
                self.active.shred(&name)?;
            }
        }
        // Renamed, but not noted.
        let name = wal::name(number);
        if number == self.log.view().state.next.0 && self.segments.has(&name)? {
            // The log must not know what the disk may not have.
            self.segments.change(&name)?.sync()?;
            self.seal_as_it_is(&name)?;
        }
        Ok(())
    }

    /// Completes what was noted in the log, and removes what was not.
    fn settle(&mut self) -> Result<(), JournalError> {
        let state = self.log.view().state.clone();
        let names = self.segments.names()?;
        // What is no file holds nothing of a segment, and is not in the way of what is appended.
        let has =
            |name: &str| names.iter().any(|one| one == name) && !self.segments.is_no_file(name);
        for segment in state.segments.values() {
            if has(&format!("{}{ERASING}", SegmentState::file_of(segment.number, Format::Parquet)))
            {
                self.settle_rewritten(segment)?;
            }
            for gone in [Format::Parquet, Format::Wal] {
                let file = SegmentState { format: gone, ..segment.clone() }.file();
                if has(&file) && (segment.deleted || gone != segment.format) {
                    self.segments.shred(&file)?;
                }
            }
        }
        if let Some(folder) = self.quarantine()? {
            for name in folder.names()? {
                let number = name.split('.').next().and_then(|digits| digits.parse().ok());
                let of = number.and_then(|number: u64| state.segments.get(&number));
                if of.is_some_and(|segment| segment.deleted) && !folder.is_no_file(&name) {
                    folder.shred(&name)?;
                }
            }
        }
        // Written, but not noted: the write-ahead file still has it all.
        let next = SegmentState::file_of(state.next.0, Format::Parquet);
        for name in [next.clone(), format!("{next}.new")] {
            self.segments.clear(&name)?;
        }
        Ok(())
    }

    /// Completes what a segment was written anew for, if the log tells of it, or undoes it.
    pub(crate) fn settle_rewritten(&self, segment: &SegmentState) -> Result<(), JournalError> {
        let file = SegmentState::file_of(segment.number, Format::Parquet);
        let erasing = format!("{file}{ERASING}");
        let most = self.log.view().state.longest_file();
        let Some(bytes) = self.segments.read_to(&erasing, most)? else { return Ok(()) };
        if !segment.deleted {
            let is_noted = |bytes: &[u8]| sha256(&[bytes]) == segment.sha256;
            if is_noted(&bytes) {
                return self.replace_segment(segment.number, &file);
            }
            // It may be the noted one, and no longer whole: then nothing else has all that it has.
            let before = self.segments.read_to(&segment.file(), most)?;
            if !before.is_some_and(|bytes| is_noted(&bytes)) {
                let what = "neither it nor the file that it replaces is what the log tells of";
                return Err(JournalError::damaged(format!("segments/{erasing}"), what));
            }
        }
        self.segments.shred(&erasing)
    }

    /// Puts the file without the erased records in the place of the one with them.
    pub(crate) fn replace_segment(&self, number: u64, file: &str) -> Result<(), JournalError> {
        self.segments.shred(file)?;
        self.segments.shred(&SegmentState::file_of(number, Format::Wal))?;
        self.segments.rename(&format!("{file}{ERASING}"), &self.segments, file)
    }

    /// Takes over a write-ahead file whose writer is gone.
    fn take_over(&mut self, name: &str) -> Result<(), JournalError> {
        let left = self.left(&self.active, name)?;
        let (remains, rest) = (&left.remains, &left.bytes[left.remains.whole..]);
        if remains.records() == 0 && !remains.changed {
            // No record in it was ever whole, and what there is was cut by the crash.
            if !rest.is_empty() {
                self.root.make("quarantine")?.replace(&format!("{name}{UNFINISHED}"), rest)?;
            }
            return self.active.discard(name);
        }
        self.check(remains, format!("active/{name}"))?;
        // What is cut off is kept first: until the log has it, it also says what there was.
        if left.length > remains.whole {
            self.root.make("quarantine")?.replace(name, rest)?;
        }
        let mut file = self.active.change(name)?;
        file.cut(remains.whole as u64)?;
        file.sync()?;
        self.active.rename(name, &self.segments, name)?;
        self.seal_as_it_is(name)
    }

    /// What is left of the write-ahead file of the next segment, together with what was cut off it
    /// before a crash in the middle of this.
    fn left(&self, folder: &Folder, name: &str) -> Result<Left, JournalError> {
        let number = self.log.view().state.next.0;
        let key = |log| Some(self.log.view().key_after(log)?.key());
        let most = self.log.view().state.longest_wal();
        let mut bytes = folder.read_to(name, most)?.unwrap_or_default();
        let length = bytes.len();
        let mut remains = Remains::of(&bytes, number, key);
        if remains.whole == length
            && let Some(rest) = self.quarantined(name)?
        {
            bytes.extend(rest);
            let with_rest = Remains::of(&bytes, number, key);
            // Of what was cut off nothing was whole: what would go on there is none of it.
            let changed = with_rest.changed || with_rest.whole != length;
            remains = Remains { changed, ..remains };
        }
        Ok(Left { bytes, length, remains })
    }

    fn quarantine(&self) -> Result<Option<Folder>, JournalError> {
        match self.root.folder("quarantine") {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn quarantined(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        let most = self.log.view().state.longest_wal();
        self.quarantine()?.map_or(Ok(None), |folder| folder.read_to(name, most))
    }

    /// Removes what was cut off the file of a segment that is deleted: its readers could open it.
    pub(crate) fn remove_rest(&self, number: u64) -> Result<(), JournalError> {
        let Some(folder) = self.quarantine()? else { return Ok(()) };
        let name = wal::name(number);
        folder.shred(&format!("{name}{UNFINISHED}"))?;
        folder.shred(&name)
    }

    /// Whether what is left is of this place, and was written by whoever had the keys.
    fn check(&self, remains: &Remains, place: String) -> Result<(), JournalError> {
        let Some(survey) = &remains.survey else { return Ok(()) };
        let view = self.log.view();
        let (number, first) = view.state.next;
        if !survey.header.is_of(number, first, &view.state.origin) {
            return Err(JournalError::damaged(place, ELSEWHERE));
        }
        if survey.forged_mark(|log| Some(view.key_after(log)?.key())).is_some() {
            return Err(JournalError::damaged(
                place,
                "a mark is not signed by the key of its time",
            ));
        }
        Ok(())
    }

    /// Notes a write-ahead file among the sealed segments.
    fn seal_as_it_is(&mut self, name: &str) -> Result<(), JournalError> {
        let Left { bytes, length, remains } = self.left(&self.segments, name)?;
        self.check(&remains, format!("segments/{name}"))?;
        if remains.whole != length {
            return Err(JournalError::damaged(format!("segments/{name}"), "it was changed"));
        }
        let (number, first) = self.log.view().state.next;
        let survey = remains.survey.as_ref();
        let segment = SegmentState {
            number,
            format: Format::Wal,
            first,
            records: remains.records().into(),
            times: survey.and_then(Survey::all_times),
            root: survey.map_or_else(|| tree::root(&[]), |survey| survey.root),
            parts: None,
            sha256: sha256(&[&bytes[..length]]),
            bytes: length as u64,
            tail: None,
            erased: 0,
            gone: BTreeSet::new(),
            rewritten: false,
            expired: Vec::new(),
            cut: Some((bytes.len() - length) as u64),
            changed: remains.changed,
            sealed: self.now(),
            deleted: false,
        };
        self.note(Event::Seal(segment))
    }
}

/// A write-ahead file that a crash left.
struct Left {
    /// All of it, also what was cut off already.
    bytes: Vec<u8>,
    /// How much of it is in the file.
    length: usize,
    remains: Remains,
}

#[cfg(test)]
mod tests;
