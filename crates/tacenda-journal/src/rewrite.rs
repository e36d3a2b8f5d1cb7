//! Writing a sealed segment anew without some of its content: its root, and with it every proof, stays.

use tacenda_policy::Class;

use crate::Hash;
use crate::deep::{self, Found};
use crate::entry::{Event, Format, SegmentState, Written};
use crate::error::JournalError;
use crate::keys::SegmentKeys;
use crate::leaf::commitment;
use crate::owner::Owner;
use crate::part::Part;
use crate::reader::Reader;
use crate::record::Record;
use crate::recover::ERASING;
use crate::salt::Salts;
use crate::segment::{Row, Segment};
use crate::tree::Frontier;

/// What goes.
#[derive(Clone, Copy)]
pub(crate) enum Gone<'g> {
    /// These records, by their numbers in the segment, in order.
    Records(&'g [u64]),
    /// The content of these classes.
    Classes(&'g [Class]),
}

/// The records of a segment with the hashes of their leaves, and its salts.
type Rows = (Vec<(Hash, Row)>, [Salts; 5]);

/// The records of a segment: what was committed to, or an error.
pub(crate) fn rows(reader: &Reader, segment: &SegmentState) -> Result<Rows, JournalError> {
    let (mut rows, mut frontier) = (Vec::new(), Frontier::default());
    let found = deep::leaves(reader, segment, &mut |leaf| {
        frontier.push(leaf.hash);
        rows.push((leaf.hash, leaf.into_row()));
    })?;
    let no_key = JournalError::NoKey { part: "every", segment: segment.number };
    let Found::All(salts) = found else { return Err(no_key) };
    if (frontier.root(), frontier.size()) != (segment.root, segment.records) {
        let place = format!("segments/{}", segment.file());
        return Err(JournalError::damaged(place, deep::NOT_COMMITTED));
    }
    Ok((rows, salts))
}

impl Owner {
    /// A segment that is still there and that no hold keeps.
    pub(crate) fn rewritable(&self, number: u64) -> Result<Option<SegmentState>, JournalError> {
        let state = &self.log.view().state;
        let segment = state.segments.get(&number).filter(|segment| !segment.deleted);
        match segment.and_then(|segment| state.hold(segment)) {
            Some(name) => Err(JournalError::Held { name: name.to_owned() }),
            None => Ok(segment.cloned()),
        }
    }

    /// Writes a segment anew, under other keys, and notes so: the event is told how many records have
    /// lost something, and the file.
    pub(crate) fn rewrite(
        &mut self,
        reader: &Reader,
        segment: &SegmentState,
        gone: Gone<'_>,
        event: impl FnOnce(u64, Written) -> Event,
    ) -> Result<u64, JournalError> {
        if self.has_stopped() {
            // What is written already may be what the log tells of.
            return Err(JournalError::Stopped);
        }
        let (rows, mut salts) = rows(reader, segment)?;
        let mut expired = segment.expired.clone();
        let mut walking = salts.clone();
        match gone {
            Gone::Records(records) => {
                for record in records {
                    for salts in &mut salts {
                        salts.puncture(at(*record));
                    }
                }
            }
            Gone::Classes(classes) => {
                expired.extend(classes);
                for class in classes {
                    salts[Part::Of(*class).index()] = Salts::none();
                }
            }
        }
        let mut touched = 0;
        let rows: Vec<Row> = (0..)
            .zip(rows)
            .map(|(number, (hash, row))| {
                let (mut row, is_touched) = without(hash, row, number, gone, &mut walking);
                if row.erased.is_none() && segment.parts.is_some() {
                    // What is left is compared with the hashes of the parts.
                    row.leaf = None;
                }
                touched += u64::from(is_touched);
                row
            })
            .collect();
        let keys = SegmentKeys::new(self.log.view().state.recipients(segment))?;
        let file = SegmentState::file_of(segment.number, Format::Parquet);
        let new = format!("{file}{ERASING}");
        // What a disk that failed has left here may be all that there is of the segment.
        self.settle_rewritten(segment)?;
        let output = self.segments.create(&new)?;
        let first = segment.first;
        let anew = Segment { keys: &keys, salts: &salts, expired: &expired, first, anew: true };
        let written = anew.write(output, rows);
        let noted = written.and_then(|file| {
            self.segments.sync()?;
            self.note(event(touched, file))
        });
        match noted {
            Ok(()) => self.replace_segment(segment.number, &file).map(|()| touched),
            // Whether it is noted is not known: it is decided when the journal is opened.
            Err(error) if self.has_stopped() => Err(error),
            Err(error) => {
                // The disk may be full: what cannot be used must not take its room.
                let _ = self.segments.discard(&new);
                Err(error)
            }
        }
    }
}

/// What is left of a record, and whether it has lost something by this.
fn without(
    hash: Hash,
    mut row: Row,
    number: u64,
    gone: Gone<'_>,
    salts: &mut [Salts; 5],
) -> (Row, bool) {
    let erased = row.erased.is_some();
    let is_gone = matches!(gone, Gone::Records(records) if records.binary_search(&number).is_ok());
    if erased || is_gone {
        let record = Record { time: row.record.time, ..Record::default() };
        let left = Row { erased: Some(hash), leaf: row.leaf, ..Row::of(record) };
        return (left, is_gone && !erased);
    }
    let mut is_touched = false;
    if let Gone::Classes(classes) = gone {
        for part in classes.iter().map(|class| Part::Of(*class)) {
            let Some(fields) = row.record.fields[part.index() - 1].take() else { continue };
            let salt = salts[part.index()].salt(at(number)).expect("its leaf was found with it");
            row.expired[part.index() - 1] = Some(commitment(part, &salt, &fields));
            is_touched = true;
        }
    }
    (row, is_touched)
}

fn at(number: u64) -> u32 {
    u32::try_from(number).expect("a segment has fewer records")
}
