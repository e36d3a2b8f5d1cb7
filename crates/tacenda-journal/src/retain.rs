//! What is kept, and for how long.

use crate::entry::{Cause, Event, SegmentState};
use crate::error::JournalError;
use crate::place::unusable;
use crate::writer::{Journal, Owner};

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Segments.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes that are free now.
    pub bytes: u64,
    /// Segments that should go, and that a hold keeps.
    pub held: u64,
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its name.
    pub name: String,
    /// From and to, in nanoseconds since 1970.
    pub times: (i64, i64),
}

impl Journal {
    /// Deletes the segments that the journal's retention does not keep, oldest first, and notes so
    /// in the log. Segments that a hold keeps stay.
    pub fn retain(&self, who: &str) -> Result<Deleted, JournalError> {
        self.with_owner(|owner| owner.retain(who))
    }

    /// Begins a legal hold.
    pub fn hold(&self, hold: Hold, cause: Cause) -> Result<(), JournalError> {
        if hold.name.is_empty() || hold.name.len() > 200 {
            let what = "the name of a hold has 1 to 200 bytes".to_owned();
            return Err(JournalError::BadSetting { what });
        }
        let Hold { name, times } = hold;
        self.with_owner(|owner| owner.note_marked(Event::Hold { name, times, cause }))
    }

    /// Ends a legal hold.
    pub fn release(&self, name: &str, cause: Cause) -> Result<(), JournalError> {
        self.with_owner(|owner| {
            if !owner.log.view().state.holds.contains_key(name) {
                let what = format!("there is no hold `{name}`");
                return Err(JournalError::BadSetting { what });
            }
            owner.note_marked(Event::Release { name: name.to_owned(), cause })
        })
    }
}

impl Owner {
    /// Notes something while a segment is being written: what stands in it is signed by the key
    /// that this destroys.
    fn note_marked(&mut self, event: Event) -> Result<(), JournalError> {
        self.sync()?;
        self.note(event)
    }

    fn retain(&mut self, who: &str) -> Result<Deleted, JournalError> {
        let state = self.log.view().state.clone();
        let retention = state.settings.retention;
        let now = self.now();
        let kept = || state.segments.values().filter(|segment| !segment.deleted);
        let mut bytes: u64 = kept().map(|segment| segment.bytes).sum();
        let mut free = self.free()?;
        let mut deleted = Deleted::default();
        for segment in kept() {
            let last = segment.times.map_or(segment.sealed, |(_, last)| last);
            let age = now.saturating_sub(last) / 1_000_000_000;
            let reason = if retention.max_seconds.is_some_and(|max| age > max.cast_signed()) {
                "max-age"
            } else if retention.max_bytes.is_some_and(|max| bytes > max) {
                "max-bytes"
            } else if retention.min_free.is_some_and(|min| free < min) {
                "min-free"
            } else {
                continue;
            };
            if state.hold(segment).is_some() {
                deleted.held += 1;
                continue;
            }
            self.delete(segment, Cause { reason: reason.to_owned(), who: who.to_owned() })?;
            bytes -= segment.bytes;
            free += segment.bytes;
            deleted.segments += 1;
            deleted.records += segment.records;
            deleted.bytes += segment.bytes;
        }
        Ok(deleted)
    }

    fn delete(&mut self, segment: &SegmentState, cause: Cause) -> Result<(), JournalError> {
        let segments = (segment.number, segment.number);
        self.note_marked(Event::Delete { segments, records: segment.records, cause })?;
        self.segments.shred(&segment.file())
    }

    fn free(&self) -> Result<u64, JournalError> {
        let path = self.root.path();
        let system = rustix::fs::statvfs(path).map_err(|error| unusable(path, error.into()))?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }
}
