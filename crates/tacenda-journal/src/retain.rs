//! What is kept, and for how long.

use std::collections::{BTreeMap, BTreeSet};

use tacenda_policy::Class;

use crate::entry::{Cause, Event, SegmentState};
use crate::error::JournalError;
use crate::owner::Owner;
use crate::place::unusable;
use crate::reader::Reader;
use crate::rewrite::Gone;
use crate::settings::bound;
use crate::writer::Journal;

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Segments.
    pub segments: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes that are free now.
    pub bytes: u64,
    /// Segments that should go, or lose content, and that a hold keeps.
    pub held: u64,
    /// Segments that stay and have lost the content of classes.
    pub expired: u64,
    /// Records that had content of them.
    pub contents: u64,
    /// Segments that should have lost some, and that the identities at hand do not open.
    pub sealed: u64,
    /// Segments that should have gone, or lost content, and are damaged or could not be written anew: by
    /// their numbers, with what is wrong.
    pub failed: Vec<(u64, String)>,
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
    ///
    /// Of those that stay, the content of classes goes whose time is over. `reader` needs the keys of
    /// all classes for it: what cannot be read cannot be written anew.
    ///
    /// What is wrong with one segment keeps nobody from the others.
    ///
    /// # Errors
    /// When the journal has stopped: what went before is gone.
    pub fn retain(&self, who: &str, reader: Option<&Reader>) -> Result<Deleted, JournalError> {
        let mut held = BTreeSet::new();
        let mut deleted = self.with_owner(|owner| owner.retain(who, &mut held))?;
        let now = self.with_owner(|owner| Ok(owner.now()))?;
        let due = self.with_owner(|owner| Ok(owner.due(now)))?;
        for (number, classes) in due {
            let done = self.with_owner(|owner| match reader {
                Some(reader) => owner.expire(reader, number, &classes, who),
                None => Err(JournalError::NoKey { part: "every", segment: number }),
            });
            match done {
                // There was nothing of it, or the segment was deleted.
                Ok(0) => {}
                Ok(records) => {
                    deleted.expired += 1;
                    deleted.contents += records;
                }
                Err(JournalError::NoKey { .. }) => deleted.sealed += 1,
                Err(JournalError::Held { .. }) => {
                    held.insert(number);
                }
                Err(error) if self.has_stopped() => return Err(error),
                Err(error) => deleted.failed.push((number, error.to_string())),
            }
        }
        deleted.held = held.len() as u64;
        Ok(deleted)
    }

    /// Begins a legal hold.
    pub fn hold(&self, hold: Hold, cause: Cause) -> Result<(), JournalError> {
        if hold.name.is_empty() || hold.name.len() > 200 {
            let what = "the name of a hold has 1 to 200 bytes".to_owned();
            return Err(JournalError::BadSetting { what });
        }
        if hold.times.0 > hold.times.1 {
            let what = "a hold that begins after it ends keeps nothing: swap the times".to_owned();
            return Err(JournalError::BadSetting { what });
        }
        cause.check()?;
        let Hold { name, times } = hold;
        self.with_owner(|owner| {
            if owner.log.view().state.holds.contains_key(&name) {
                // It would take the place of the other, and what that keeps could be deleted.
                let what = format!("there is a hold `{name}` already: release it first");
                return Err(JournalError::BadSetting { what });
            }
            owner.note_marked(Event::Hold { name, times, cause })
        })
    }

    /// Ends a legal hold.
    pub fn release(&self, name: &str, cause: Cause) -> Result<(), JournalError> {
        cause.check()?;
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

    fn retain(&mut self, who: &str, held: &mut BTreeSet<u64>) -> Result<Deleted, JournalError> {
        let state = self.log.view().state.clone();
        let retention = state.settings.retention;
        let ages = ages(&state.segments, self.now());
        let kept = || state.segments.values().filter(|segment| !segment.deleted);
        let mut bytes: u64 = kept().map(|segment| segment.bytes).sum();
        let mut free = self.free()?;
        let mut deleted = Deleted::default();
        for segment in kept() {
            let age = ages[&segment.number];
            let reason = if retention.max_seconds.is_some_and(|max| age > bound(max)) {
                "max-age"
            } else if retention.max_bytes.is_some_and(|max| bytes > max) {
                "max-bytes"
            } else if retention.min_free.is_some_and(|min| free < min) {
                "min-free"
            } else {
                continue;
            };
            if state.hold(segment).is_some() {
                held.insert(segment.number);
                continue;
            }
            let cause = Cause { reason: reason.to_owned(), who: who.to_owned() };
            match self.delete(segment, cause) {
                Err(error) if self.has_stopped() => return Err(error),
                Err(error) => {
                    deleted.failed.push((segment.number, error.to_string()));
                    continue;
                }
                Ok(()) => {}
            }
            bytes -= segment.bytes;
            free += segment.bytes;
            deleted.segments += 1;
            deleted.records += segment.records;
            deleted.bytes += segment.bytes;
        }
        Ok(deleted)
    }

    /// The segments that may hold content of classes whose time is over, and these classes.
    fn due(&self, now: i64) -> Vec<(u64, Vec<Class>)> {
        let state = &self.log.view().state;
        let (most, ages) = (state.settings.retention.classes, ages(&state.segments, now));
        let kept = state.segments.values().filter(|one| !one.deleted && one.records > 0);
        let due = kept.map(|segment| {
            let over = most.over(ages[&segment.number]);
            (segment.number, over.filter(|class| !segment.expired.contains(class)).collect())
        });
        due.filter(|(_, classes): &(u64, Vec<Class>)| !classes.is_empty()).collect()
    }

    fn expire(
        &mut self,
        reader: &Reader,
        number: u64,
        classes: &[Class],
        who: &str,
    ) -> Result<u64, JournalError> {
        let Some(segment) = self.rewritable(number)? else { return Ok(0) };
        let gone = reader.having(&segment, classes)?;
        if gone.is_empty() {
            // Nothing has to go: the file stays what was sealed.
            return Ok(0);
        }
        let cause = Cause { reason: "max-age".to_owned(), who: who.to_owned() };
        let classes = gone.clone();
        self.rewrite(reader, &segment, Gone::Classes(&gone), |records, file| Event::Expire {
            segment: number,
            classes,
            records,
            file,
            cause,
        })
    }

    fn delete(&mut self, segment: &SegmentState, cause: Cause) -> Result<(), JournalError> {
        let segments = (segment.number, segment.number);
        self.note_marked(Event::Delete { segments, records: segment.records, cause })?;
        self.segments.shred(&segment.file())?;
        self.remove_rest(segment.number)
    }

    fn free(&self) -> Result<u64, JournalError> {
        let path = self.root.path();
        let system = rustix::fs::statvfs(path).map_err(|error| unusable(path, error.into()))?;
        Ok(system.f_bavail.saturating_mul(system.f_frsize))
    }
}

/// Seconds since the last record of each segment, by its number. That one cannot be younger than its
/// sealing, nor that than what was sealed after it: the clock may have been ahead for a while.
fn ages(segments: &BTreeMap<u64, SegmentState>, now: i64) -> BTreeMap<u64, i64> {
    let mut latest = i64::MAX;
    let aged = segments.iter().rev().map(|(number, segment)| {
        latest = latest.min(segment.sealed);
        let last = segment.times.map_or(latest, |(_, last)| last.min(latest));
        (*number, now.saturating_sub(last) / 1_000_000_000)
    });
    aged.collect()
}

#[cfg(test)]
mod tests;
