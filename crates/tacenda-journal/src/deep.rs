//! Whether the content of a segment is what was committed to, for whoever has all its keys.

use parquet::data_type::ByteArray;
use tacenda_policy::Class;

use crate::Hash;
use crate::entry::SegmentState;
use crate::error::JournalError;
use crate::leaf::{self, Content, Data, Digesting, Digests, Expired, Heads, SaltGone};
use crate::part::Part;
use crate::reader::{Reader, Stored};
use crate::record::Record;
use crate::salt::Salts;
use crate::sealed::{Group, Sealed};
use crate::segment::Row;
use crate::tree::{self, Frontier};
use crate::wal;

/// What is said of a segment whose content is another one.
pub(crate) const NOT_COMMITTED: &str = "its records are not those that were committed to";

/// The leaf of a record, found anew from its content.
pub(crate) struct Leaf<'g> {
    pub(crate) hash: Hash,
    /// Whether its hash is all that is left.
    pub(crate) erased: bool,
    /// What its hash is of, unless the content is gone.
    data: Option<&'g [u8]>,
    content: Source<'g>,
}

enum Source<'g> {
    Group(&'g Group, usize),
    Record(&'g Record),
}

impl Leaf<'_> {
    /// The record.
    pub(crate) fn into_row(self) -> Row {
        let row = match self.content {
            Source::Group(group, row) => group.row(row),
            Source::Record(record) => Row::of(record.clone()),
        };
        Row { leaf: self.data.map(<[u8]>::to_vec), ..row }
    }
}

/// What was found of a segment.
#[expect(clippy::large_enum_variant, reason = "one is made at a time")]
pub(crate) enum Found {
    /// The leaves, from all its content; its salts.
    All([Salts; 5]),
    /// What opens, and is what was committed to. Some leaves were not found.
    Part,
    /// Nothing: a key is missing, or there is no content.
    Nothing,
}

/// Hands over the leaf of each record of a segment. Of one that was written anew no key is needed but that of
/// the head: each part that opens is compared with what was committed to, by itself.
pub(crate) fn leaves(
    reader: &Reader,
    segment: &SegmentState,
    take: &mut dyn FnMut(Leaf<'_>),
) -> Result<Found, JournalError> {
    let damaged = |what| JournalError::damaged(format!("segments/{}", segment.file()), what);
    if segment.records == 0 {
        return Ok(Found::Nothing);
    }
    let sealed = match reader.open_segment(segment)? {
        Stored::Parquet(sealed) => sealed,
        Stored::Deleted => return Ok(Found::Nothing),
        Stored::Wal(bytes) => return leaves_of_wal(reader, segment, &bytes, take),
    };
    if !sealed.opens_all() && !segment.rewritten {
        return Ok(Found::Nothing);
    }
    let mut salts = sealed.salts()?;
    for part in Part::ALL.into_iter().filter(|part| !sealed.opens(*part)) {
        salts[part.index()] = Some(Salts::none());
    }
    let salts = all(salts).ok_or_else(|| damaged("its salts are missing"))?;
    let (mut walking, mut heads) = (salts.clone(), Heads::default());
    let (mut number, mut data, mut digests) = (0, Data::default(), Digesting::default());
    for group in 0..sealed.groups() {
        let written = segment.rewritten.then(|| sealed.leaves(group)).transpose()?;
        let Some(group) = sealed.group(group, &|_, _| true)? else { continue };
        let mut given = Vec::new();
        if let Some(written) = &written {
            given = given_for(&sealed, &group, written, segment.parts.as_ref())
                .ok_or_else(|| damaged(NOT_COMMITTED))?;
        }
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
                    let (fields, mut expired) = (group.fields(row), group.expired(row));
                    for (own, given) in expired.iter_mut().zip(given.get(row).into_iter().flatten())
                    {
                        *own = own.or(*given);
                    }
                    group.erased(row).is_none().then_some(Content { head, fields, expired })
                })
                .collect();
            data.clear();
            let hashes = leaf::leaves(&mut walking, number, &contents, &mut data);
            let hashes = hashes.map_err(|SaltGone| damaged("a salt is missing"))?;
            let mut leaves = hashes.iter().zip(data.each());
            for row in rows {
                let content = Source::Group(&group, row);
                let given =
                    written.as_ref().and_then(|written| Some(written[row].as_ref()?.data()));
                let (hash, data) = match (group.erased(row), given) {
                    (Some(hash), data) => (hash, data),
                    (None, given) => {
                        let (hash, data) = leaves.next().expect("one of them is there");
                        if given.is_some_and(|given| given != data) {
                            return Err(damaged(NOT_COMMITTED));
                        }
                        (*hash, Some(data))
                    }
                };
                if segment.rewritten {
                    digests.add(number, data.unwrap_or_default());
                }
                take(Leaf { hash, erased: group.erased(row).is_some(), data, content });
                number += 1;
            }
        }
    }
    if let (true, Some(parts)) = (segment.rewritten, &segment.parts) {
        let found = digests.found();
        let mut open = Part::ALL.into_iter().filter(|part| sealed.opens(*part)).map(Part::index);
        if open.any(|part| found[part] != parts[part]) {
            return Err(damaged(NOT_COMMITTED));
        }
    }
    Ok(if sealed.opens_all() { Found::All(salts) } else { Found::Part })
}

/// The commitments to what does not open, row by row, from the data of leaves that stand there: those of
/// records that were erased, and of all where the log has no hashes of the parts. `None` where they are not
/// there, or are not those of the leaves that are.
fn given_for(
    sealed: &Sealed,
    group: &Group,
    written: &[Option<ByteArray>],
    parts: Option<&Digests>,
) -> Option<Vec<Expired>> {
    (written.len() == group.len()).then_some(())?;
    let of = |(row, data): (usize, &Option<ByteArray>)| {
        let erased = group.erased(row);
        let is_needed = erased.is_some() || parts.is_none();
        let Some(data) = data.as_ref().map(ByteArray::data) else {
            return (!is_needed).then(Expired::default);
        };
        let [_, classes @ ..] = leaf::committed(data)?;
        let is_its = erased.is_none_or(|hash| tree::leaf(data) == hash);
        (is_needed && is_its).then_some(())?;
        let closed = |class: &Class| !sealed.opens(Part::Of(*class));
        let mut given = Expired::default();
        for (at, class) in Class::ALL.iter().enumerate().filter(|(_, class)| closed(class)) {
            debug_assert_eq!(Part::Of(*class).index(), at + 1, "in their order");
            given[at] = classes[at];
        }
        Some(given)
    };
    written.iter().enumerate().map(of).collect()
}

fn leaves_of_wal(
    reader: &Reader,
    segment: &SegmentState,
    bytes: &[u8],
    take: &mut dyn FnMut(Leaf<'_>),
) -> Result<Found, JournalError> {
    let damaged = |what| JournalError::damaged(format!("segments/{}", segment.file()), what);
    let (keys, records) = reader.records_of_wal(segment, bytes)?;
    let salts = Part::ALL.map(|part| keys[part.index()].as_deref().map(wal::salts));
    let Some(mut salts) = all(salts) else { return Ok(Found::Nothing) };
    let (given, mut heads, mut data) = (salts.clone(), Heads::default(), Data::default());
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
        data.clear();
        let hashes = leaf::leaves(&mut salts, number, &contents, &mut data);
        let hashes = hashes.map_err(|SaltGone| damaged("a salt is missing"))?;
        for ((hash, data), record) in hashes.into_iter().zip(data.each()).zip(records) {
            let content = Source::Record(record);
            take(Leaf { hash, erased: false, data: Some(data), content });
        }
    }
    Ok(Found::All(given))
}

fn all(salts: [Option<Salts>; 5]) -> Option<[Salts; 5]> {
    let salts: Vec<Salts> = salts.into_iter().collect::<Option<_>>()?;
    salts.try_into().ok()
}

/// What of a segment was compared with its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compared {
    /// All its content.
    All,
    /// The content that the identities at hand open.
    Opened,
    /// Nothing, since a key is missing.
    Nothing,
}

/// Finds the root of a segment anew from its content.
///
/// # Errors
/// When the content is not what was committed to.
pub(crate) fn compare(reader: &Reader, segment: &SegmentState) -> Result<Compared, JournalError> {
    let (mut frontier, mut hashes, mut erased) = (Frontier::default(), Vec::new(), 0);
    let found = leaves(reader, segment, &mut |leaf| {
        hashes.push(leaf.hash);
        if hashes.len() == leaf::AT_ONCE {
            frontier.extend(std::mem::take(&mut hashes));
        }
        erased += u64::from(leaf.erased);
    })?;
    let compared = match found {
        Found::All(_) => Compared::All,
        Found::Part => Compared::Opened,
        Found::Nothing => return Ok(Compared::Nothing),
    };
    frontier.extend(hashes);
    // Where the log has the hashes of the parts, each that opens was compared with its own.
    let has_root = compared == Compared::All || segment.parts.is_none();
    let found = (has_root.then(|| frontier.root()), frontier.size(), erased);
    if found != (has_root.then_some(segment.root), segment.records, segment.erased) {
        let place = format!("segments/{}", segment.file());
        return Err(JournalError::damaged(place, NOT_COMMITTED));
    }
    Ok(compared)
}
