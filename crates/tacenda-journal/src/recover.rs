//! What is done when a journal is opened after a crash.
//!
//! The keys of the segment that was being written are gone: nobody on this machine can read it. It
//! is sealed as it is, up to its last whole frame.

use crate::entry::{Event, Format, SegmentState};
use crate::error::JournalError;
use crate::sha256;
use crate::wal::{self, Survey};
use crate::writer::Owner;

/// What the name of a segment's file has while records are erased from it.
pub(crate) const ERASING: &str = ".erasing";

impl Owner {
    pub(crate) fn recover(&mut self) -> Result<(), JournalError> {
        self.settle()?;
        let number = self.log.view().state.next.0;
        for name in self.active.names()? {
            let ours = name == wal::name(number);
            let sealed = (0..number).any(|before| name == wal::name(before));
            if ours {
                self.take_over(&name)?;
            } else if sealed {
                self.active.discard(&name)?;
            }
        }
        // Renamed, but not noted.
        let name = wal::name(number);
        if number == self.log.view().state.next.0 && self.segments.read(&name)?.is_some() {
            self.seal_as_it_is(number)?;
        }
        Ok(())
    }

    /// Completes what was noted in the log, and removes what was not.
    fn settle(&mut self) -> Result<(), JournalError> {
        let state = self.log.view().state.clone();
        let names = self.segments.names()?;
        let has = |name: &str| names.iter().any(|one| one == name);
        for segment in state.segments.values() {
            let file = segment.file();
            let erasing = format!("{file}{ERASING}");
            if has(&erasing) {
                let bytes = self.segments.read(&erasing)?.unwrap_or_default();
                if !segment.deleted && sha256(&[&bytes]) == segment.sha256 {
                    self.replace_segment(segment.number, &file)?;
                } else {
                    self.segments.shred(&erasing)?;
                }
            }
            for gone in [Format::Parquet, Format::Wal] {
                let file = SegmentState { format: gone, ..segment.clone() }.file();
                if has(&file) && (segment.deleted || gone != segment.format) {
                    self.segments.shred(&file)?;
                }
            }
        }
        // Written, but not noted: the write-ahead file still has it all.
        let next = SegmentState::file_of(state.next.0, Format::Parquet);
        for name in [next.clone(), format!("{next}.new")] {
            self.segments.discard(&name)?;
        }
        Ok(())
    }

    /// Puts the file without the erased records in the place of the one with them.
    pub(crate) fn replace_segment(&self, number: u64, file: &str) -> Result<(), JournalError> {
        self.segments.shred(file)?;
        self.segments.shred(&SegmentState::file_of(number, Format::Wal))?;
        self.segments.rename(&format!("{file}{ERASING}"), &self.segments, file)
    }

    /// Takes over a write-ahead file whose writer is gone.
    fn take_over(&mut self, name: &str) -> Result<(), JournalError> {
        let bytes = self.active.read(name)?.unwrap_or_default();
        let survey = wal::survey(&bytes).filter(|survey| survey.records > 0);
        let Some(survey) = survey else {
            // No record in it was ever whole. What cannot be read as one is kept for who wants to look.
            if wal::survey(&bytes).is_none_or(|survey| survey.changed) && !bytes.is_empty() {
                self.root.make("quarantine")?.replace(name, &bytes)?;
            }
            return self.active.discard(name);
        };
        self.check(&survey, name)?;
        let rest = &bytes[survey.whole..];
        if !rest.is_empty() {
            if survey.changed {
                self.root.make("quarantine")?.replace(name, rest)?;
            }
            let mut file = self.active.change(name)?;
            file.cut(survey.whole as u64)?;
            file.sync()?;
        }
        self.cut = Some(rest.len() as u64);
        self.active.rename(name, &self.segments, name)?;
        self.seal_as_it_is(survey.header.segment)
    }

    fn check(&self, survey: &Survey, name: &str) -> Result<(), JournalError> {
        let place = format!("active/{name}");
        let view = self.log.view();
        let (number, first) = view.state.next;
        let header = &survey.header;
        if (header.segment, header.first) != (number, first) || header.origin != view.state.origin {
            return Err(JournalError::damaged(place, "it is of another journal or place"));
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
    fn seal_as_it_is(&mut self, number: u64) -> Result<(), JournalError> {
        let name = wal::name(number);
        let bytes = self.segments.read(&name)?.unwrap_or_default();
        let damaged = || JournalError::damaged(format!("segments/{name}"), "it was changed");
        let survey = wal::survey(&bytes).filter(|survey| survey.whole == bytes.len());
        let survey = survey.ok_or_else(damaged)?;
        let segment = SegmentState {
            number,
            format: Format::Wal,
            first: survey.header.first,
            records: survey.records.into(),
            times: None,
            root: survey.root,
            sha256: sha256(&[&bytes]),
            bytes: bytes.len() as u64,
            erased: 0,
            cut: Some(self.cut.take().unwrap_or_default()),
            sealed: self.now(),
            deleted: false,
        };
        self.note(Event::Seal(segment))
    }
}
