//! Erasing records that should never have been written: content and salt go, the proof stays.

use std::collections::BTreeMap;

use crate::deep;
use crate::entry::{Cause, Event, Format, SegmentState};
use crate::error::JournalError;
use crate::filter::Filter;
use crate::keys::SegmentKeys;
use crate::reader::Reader;
use crate::record::Record;
use crate::recover::ERASING;
use crate::segment::{self, Row};
use crate::writer::{Journal, Owner};

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
    /// When a hold keeps a segment that one of them is in, or a key is missing: nothing is erased.
    pub fn erase(
        &self,
        reader: &Reader,
        filter: &Filter,
        cause: &Cause,
    ) -> Result<Erased, JournalError> {
        self.rotate()?;
        // What is sealed by now, not what was when the reader was opened.
        let reader = reader.again()?;
        let mut found: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        let segments = &reader.view.state.segments;
        reader.each(filter, &mut |seen| {
            let of = segments.values().rfind(|segment| segment.first <= seen.sequence);
            if let (Some(segment), None) = (of, seen.erased) {
                found.entry(segment.number).or_default().push(seen.sequence - segment.first);
            }
            true
        })?;
        for number in found.keys() {
            let segment = &segments[number];
            if let Some(name) = reader.view.state.hold(segment) {
                return Err(JournalError::Held { name: name.to_owned() });
            }
            if deep::leaves(&reader, segment, &mut |_| {})?.is_none() {
                return Err(JournalError::NoKey { part: "every", segment: *number });
            }
        }
        let mut erased = Erased::default();
        for (number, records) in found {
            erased.records += records.len() as u64;
            erased.segments += 1;
            self.with_owner(|owner| owner.erase(&reader, &segments[&number], records, cause))?;
        }
        Ok(erased)
    }
}

impl Owner {
    fn erase(
        &mut self,
        reader: &Reader,
        segment: &SegmentState,
        gone: Vec<u64>,
        cause: &Cause,
    ) -> Result<(), JournalError> {
        let (mut rows, mut number) = (Vec::new(), 0);
        let salts = deep::leaves(reader, segment, &mut |leaf| {
            let erase = leaf.erased || gone.binary_search(&number).is_ok();
            number += 1;
            let time = leaf.record.time;
            let record = if erase { Record { time, ..Record::default() } } else { leaf.record };
            rows.push(Ok(Row { record, erased: erase.then_some(leaf.hash) }));
        })?;
        let mut salts =
            salts.ok_or(JournalError::NoKey { part: "every", segment: segment.number })?;
        for record in &gone {
            let record = u32::try_from(*record).expect("a segment has fewer records");
            for salts in &mut salts {
                salts.puncture(record);
            }
        }
        let keys = SegmentKeys::new(&self.log.view().state.settings.recipients)?;
        let file = SegmentState::file_of(segment.number, Format::Parquet);
        let new = format!("{file}{ERASING}");
        self.segments.discard(&new)?;
        let output = self.segments.create(&new)?;
        let (sha256, bytes) =
            segment::write(output, &keys, &salts, segment.first, rows.into_iter())?;
        self.segments.sync()?;
        let segment = segment.number;
        let cause = cause.clone();
        self.note(Event::Erase { segment, records: gone, sha256, bytes, cause })?;
        self.replace_segment(segment, &file)
    }
}
