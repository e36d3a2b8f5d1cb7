//! Erasing records that should never have been written: content and salt go, the proof stays.

use std::collections::{BTreeMap, BTreeSet};

use crate::entry::{Cause, Event, SegmentState};
use crate::error::JournalError;
use crate::filter::Filter;
use crate::owner::Owner;
use crate::reader::Reader;
use crate::rewrite::{Gone, rows};
use crate::writer::Journal;

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Records.
    pub records: u64,
    /// Segments that were written anew.
    pub segments: u64,
}

impl Journal {
    /// Erases the content of the records that pass, and notes so in the log. `reader` needs the
    /// keys of all classes: what cannot be read cannot be written anew.
    ///
    /// # Errors
    /// When a hold keeps a segment that one of them is in, a key is missing, or a segment is not what
    /// was sealed: nothing is erased. When the disk fails, what was erased before stays so.
    pub fn erase(
        &self,
        reader: &Reader,
        filter: &Filter,
        cause: &Cause,
    ) -> Result<Erased, JournalError> {
        cause.check()?;
        self.rotate()?;
        // What is sealed by now, not what was when the reader was opened.
        let reader = reader.again()?;
        let segments = &reader.view.state.segments;
        reader.refuse_closed(filter)?;
        let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        reader.each(filter, &mut |seen| {
            let of = segment_of(segments, seen.sequence);
            if let (Some(segment), None) = (of, seen.erased) {
                found.entry(segment.number).or_default().push(seen.sequence - segment.first);
            }
            true
        })?;
        reader.refuse_kept(found.keys().copied())?;
        let mut erased = Erased::default();
        for (number, records) in found {
            erased.segments += 1;
            for records in records.chunks(RECORDS_OF_ENTRY) {
                self.with_owner(|owner| owner.erase(&reader, number, records, cause))?;
                erased.records += records.len() as u64;
            }
        }
        Ok(erased)
    }
}

impl Reader {
    /// How many records [`Journal::erase`] would erase, and why it would refuse to, if it would.
    pub fn would_erase(
        &self,
        filter: &Filter,
    ) -> Result<(u64, Option<JournalError>), JournalError> {
        let reader = self.again()?;
        let state = &reader.view.state;
        let (mut records, mut found, mut active) = (0, BTreeSet::new(), None::<(i64, i64)>);
        reader.each(filter, &mut |seen| {
            if seen.erased.is_some() {
                return true;
            }
            records += 1;
            if let Some(segment) = segment_of(&state.segments, seen.sequence) {
                found.insert(segment.number);
            } else {
                let time = seen.record.time;
                let (first, last) = active.unwrap_or((time, time));
                active = Some((first.min(time), last.max(time)));
            }
            true
        })?;
        let refused = reader.refuse_closed(filter).and_then(|()| reader.refuse_kept(found));
        let refused =
            refused.and_then(|()| match active.and_then(|times| state.hold_active(times)) {
                Some(name) => Err(JournalError::Held { name: name.to_owned() }),
                None if active.is_some() => reader.refuse_closed_active(&Filter::default()),
                None if filter.asks_content() => reader.refuse_closed_active(filter),
                None => Ok(()),
            });
        Ok((records, refused.err()))
    }

    /// In what nobody opens there may be some that pass.
    fn refuse_closed(&self, filter: &Filter) -> Result<(), JournalError> {
        for segment in self.view.state.segments.values().filter(|one| filter.may_pass(one)) {
            let closed = |segment: &SegmentState| Ok(!self.closed_of(segment)?.is_empty());
            if filter.asks_content() && self.as_noted(segment, closed)? {
                return Err(JournalError::NoKey { part: "every", segment: segment.number });
            }
        }
        Ok(())
    }

    /// What is not sealed yet will have to be written anew as well.
    fn refuse_closed_active(&self, filter: &Filter) -> Result<(), JournalError> {
        if self.closed_unsealed(filter)?.is_empty() {
            return Ok(());
        }
        Err(JournalError::NoKey { part: "every", segment: self.view.state.next.0 })
    }

    /// What a hold keeps is not erased, nor what cannot be written anew.
    fn refuse_kept(&self, numbers: impl IntoIterator<Item = u64>) -> Result<(), JournalError> {
        for segment in numbers.into_iter().map(|number| &self.view.state.segments[&number]) {
            if let Some(name) = self.view.state.hold(segment) {
                return Err(JournalError::Held { name: name.to_owned() });
            }
            rows(self, segment)?;
        }
        Ok(())
    }
}

/// The sealed segment that a record is in. What was appended just now is in none.
fn segment_of(segments: &BTreeMap<u64, SegmentState>, sequence: u64) -> Option<&SegmentState> {
    let segment = segments.values().rfind(|segment| segment.first <= sequence)?;
    Some(segment).filter(|segment| sequence - segment.first < segment.records)
}

/// Numbers of records that fit into one entry of the log, with its cause.
const RECORDS_OF_ENTRY: usize = 5000;

impl Owner {
    fn erase(
        &mut self,
        reader: &Reader,
        number: u64,
        gone: &[u64],
        cause: &Cause,
    ) -> Result<(), JournalError> {
        // A hold may have begun, and the segment may have been deleted, since they were looked for.
        let Some(segment) = self.rewritable(number)? else { return Ok(()) };
        let (records, cause) = (gone.to_vec(), cause.clone());
        self.rewrite(reader, &segment, Gone::Records(gone), |_, file| Event::Erase {
            segment: number,
            records,
            file,
            cause,
        })
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::retain::Hold;
    use crate::support::Fixture;

    #[test]
    fn what_was_appended_just_now_is_in_no_sealed_segment() {
        let fixture = Fixture::new();
        fixture.fill(0, 3);
        fixture.fill(3, 5);
        let reader = fixture.reader();
        let number = |sequence| {
            segment_of(&reader.view.state.segments, sequence).map(|segment| segment.number)
        };
        assert_eq!([0, 2, 3, 4].map(number), [Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!(number(5), None);
    }

    #[test]
    fn a_hold_that_began_meanwhile_keeps_what_was_found() {
        let fixture = Fixture::new();
        fixture.fill(0, 3);
        let (journal, reader) = (fixture.open(), fixture.reader());
        let cause = Cause { reason: "a test".into(), who: "a test".into() };
        let hold = Hold { name: "case".into(), times: (0, i64::MAX) };
        journal.hold(hold, cause.clone()).unwrap();
        let erased = journal.with_owner(|owner| owner.erase(&reader, 0, &[1], &cause));
        assert!(matches!(erased, Err(JournalError::Held { .. })), "{erased:?}");
    }
}
