//! Whether the content of a segment is what was committed to, for whoever has all its keys.

use crate::Hash;
use crate::entry::SegmentState;
use crate::error::JournalError;
use crate::leaf::{self, Content, Heads, SaltGone};
use crate::part::Part;
use crate::reader::{Reader, Stored};
use crate::record::Record;
use crate::salt::Salts;
use crate::sealed::Group;
use crate::segment::Row;
use crate::tree::Frontier;
use crate::wal;

/// What is said of a segment whose content is another one.
pub(crate) const NOT_COMMITTED: &str = "its records are not those that were committed to";

/// The leaf of a record, found anew from its content.
pub(crate) struct Leaf<'g> {
    pub(crate) hash: Hash,
    /// Whether its hash is all that is left.
    pub(crate) erased: bool,
    content: Source<'g>,
}

enum Source<'g> {
    Group(&'g Group, usize),
    Record(Record),
}

impl Leaf<'_> {
    /// The record.
    pub(crate) fn into_row(self) -> Row {
        match self.content {
            Source::Group(group, row) => group.row(row),
            Source::Record(record) => Row::of(record),
        }
    }
}

/// Hands over the leaf of each record of a segment, and the salts. `None` when a key is missing.
pub(crate) fn leaves(
    reader: &Reader,
    segment: &SegmentState,
    take: &mut dyn FnMut(Leaf<'_>),
) -> Result<Option<[Salts; 5]>, JournalError> {
    let damaged = |what| JournalError::damaged(format!("segments/{}", segment.file()), what);
    if segment.records == 0 {
        return Ok(None);
    }
    let sealed = match reader.open_segment(segment)? {
        Stored::Parquet(sealed) => sealed,
        Stored::Deleted => return Ok(None),
        Stored::Wal(bytes) => return leaves_of_wal(reader, segment, &bytes, take),
    };
    if !sealed.opens_all() {
        return Ok(None);
    }
    let salts = all(sealed.salts()?).ok_or_else(|| damaged("its salts are missing"))?;
    let (mut walking, mut heads) = (salts.clone(), Heads::default());
    let mut number = 0;
    for group in 0..sealed.groups() {
        let Some(group) = sealed.group(group, &|_, _| true)? else { continue };
        for start in (0..group.len()).step_by(leaf::AT_ONCE) {
            let rows = start..group.len().min(start + leaf::AT_ONCE);
            heads.clear();
            for row in rows.clone() {
                heads
                    .add(|bytes| group.head(row, bytes))
                    .ok_or_else(|| damaged("a text is too long"))?;
            }
            let contents: Vec<Option<Content<'_>>> = (rows.clone().zip(heads.all()))
                .map(|(row, head)| {
                    let (fields, expired) = (group.fields(row), group.expired(row));
                    group.erased(row).is_none().then_some(Content { head, fields, expired })
                })
                .collect();
            let hashes = leaf::leaves(&mut walking, number, &contents);
            let hashes = hashes.map_err(|SaltGone| damaged("a salt is missing"))?;
            let mut hashes = hashes.into_iter();
            for row in rows {
                let erased = group.erased(row);
                let hash = erased.or_else(|| hashes.next()).expect("one of them is there");
                take(Leaf { hash, erased: erased.is_some(), content: Source::Group(&group, row) });
                number += 1;
            }
        }
    }
    Ok(Some(salts))
}

fn leaves_of_wal(
    reader: &Reader,
    segment: &SegmentState,
    bytes: &[u8],
    take: &mut dyn FnMut(Leaf<'_>),
) -> Result<Option<[Salts; 5]>, JournalError> {
    let damaged = |what| JournalError::damaged(format!("segments/{}", segment.file()), what);
    let (keys, records) = reader.records_of_wal(segment, bytes)?;
    let salts = Part::ALL.map(|part| keys[part.index()].as_deref().map(wal::salts));
    let Some(mut salts) = all(salts) else { return Ok(None) };
    let (given, mut heads) = (salts.clone(), Heads::default());
    let mut hashes = Vec::with_capacity(records.len());
    for (number, records) in (0..).step_by(leaf::AT_ONCE).zip(records.chunks(leaf::AT_ONCE)) {
        heads.clear();
        for record in records {
            heads.add(|bytes| {
                record.head(bytes);
                Some(())
            });
        }
        let contents = records.iter().zip(heads.all());
        let contents: Vec<_> =
            contents.map(|(record, head)| Some(Content::of(record, head))).collect();
        let found = leaf::leaves(&mut salts, number, &contents);
        hashes.extend(found.map_err(|SaltGone| damaged("a salt is missing"))?);
    }
    for (hash, record) in hashes.into_iter().zip(records) {
        take(Leaf { hash, erased: false, content: Source::Record(record) });
    }
    Ok(Some(given))
}

fn all(salts: [Option<Salts>; 5]) -> Option<[Salts; 5]> {
    let salts: Vec<Salts> = salts.into_iter().collect::<Option<_>>()?;
    salts.try_into().ok()
}

/// Finds the root of a segment anew from its content: whether that could be done. Not so when a key is
/// missing.
///
/// # Errors
/// When the content is not what was committed to.
pub(crate) fn compare(reader: &Reader, segment: &SegmentState) -> Result<bool, JournalError> {
    let (mut frontier, mut hashes, mut erased) = (Frontier::default(), Vec::new(), 0);
    let salts = leaves(reader, segment, &mut |leaf| {
        hashes.push(leaf.hash);
        if hashes.len() == leaf::AT_ONCE {
            frontier.extend(std::mem::take(&mut hashes));
        }
        erased += u64::from(leaf.erased);
    })?;
    frontier.extend(hashes);
    let found = (frontier.root(), frontier.size(), erased);
    if salts.is_some() && found != (segment.root, segment.records, segment.erased) {
        let place = format!("segments/{}", segment.file());
        return Err(JournalError::damaged(place, NOT_COMMITTED));
    }
    Ok(salts.is_some())
}
