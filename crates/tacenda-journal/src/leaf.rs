//! The leaves of records: the hashes that their segment's tree is made of, and that a proof begins with.

use crate::part::Part;
use crate::record::Record;
use crate::salt::Salts;
use crate::{Hash, lanes, sha256};

/// Commitments to parts that are gone, in the order of `Class::ALL`.
pub(crate) type Expired = [Option<Hash>; 4];

/// The fields of a record, in the order of `Class::ALL`.
pub(crate) type Fields<'f> = [Option<&'f [u8]>; 4];

/// What is hashed before the data of a leaf (RFC 6962, 2.1).
const LEAF: &[u8] = &[0];

/// The commitment to a part: it binds to the content and, without the salt, tells nothing of it.
pub(crate) fn commitment(part: Part, salt: &Hash, content: &[u8]) -> Hash {
    let number = u8::try_from(part.index()).expect("there are five parts");
    sha256(&[&[2, number], salt, content])
}

/// What the leaf of a record is found from.
#[derive(Clone, Copy)]
pub(crate) struct Content<'r> {
    pub(crate) head: &'r [u8],
    pub(crate) fields: Fields<'r>,
    /// Of what has expired the commitments are given.
    pub(crate) expired: Expired,
}

impl<'r> Content<'r> {
    /// That of a record with this head.
    pub(crate) fn of(record: &'r Record, head: &'r [u8]) -> Self {
        Self { head, fields: record.fields(), expired: Expired::default() }
    }

    /// The bytes of a part that it has.
    fn part(&self, part: Part) -> Option<&[u8]> {
        match part {
            Part::Head => Some(self.head),
            Part::Of(_) if self.commitment(part).is_some() => None,
            Part::Of(_) => self.fields[part.index() - 1],
        }
    }

    /// The commitment to a part that has expired.
    fn commitment(&self, part: Part) -> Option<&Hash> {
        self.expired.get(part.index().wrapping_sub(1))?.as_ref()
    }
}

/// Records of which leaves are found at once: their hashes stay near the processor.
pub(crate) const AT_ONCE: usize = 256;

/// The hashes of the leaves of records, the first of which has this number in its segment: of the parts
/// that each has, and the commitments to them. One that is not given has none.
///
/// # Errors
/// When a salt is gone.
pub(crate) fn leaves(
    salts: &mut [Salts; 5],
    first: u32,
    records: &[Option<Content<'_>>],
) -> Result<Vec<Hash>, SaltGone> {
    let mut commitments: [Vec<Hash>; 5] = Default::default();
    for (part, (commitments, salts)) in Part::ALL.iter().zip(commitments.iter_mut().zip(salts)) {
        *commitments = commit(salts, *part, first, records)?;
    }
    let mut commitments = commitments.each_ref().map(|commitments| commitments.iter());
    let (mut data, mut ends) = (Vec::new(), Vec::with_capacity(records.len()));
    for record in records.iter().flatten() {
        let mask = data.len();
        data.push(0);
        for (part, commitments) in Part::ALL.iter().zip(&mut commitments) {
            let commitment = match (record.commitment(*part), record.part(*part)) {
                (None, None) => continue,
                (Some(gone), _) => gone,
                (None, Some(_)) => commitments.next().expect("there is one for each"),
            };
            data[mask] |= 1 << part.index();
            data.extend_from_slice(commitment);
        }
        ends.push(data.len());
    }
    let starts = [0].into_iter().chain(ends.iter().copied());
    let leaves = starts.zip(&ends).map(|(start, end)| [LEAF, &data[start..*end]]);
    let mut hashes = Vec::with_capacity(ends.len());
    lanes::sha256_each(leaves, &mut hashes);
    Ok(hashes)
}

/// The hash of the leaf of one record, where those of the records after it are asked for next. It
/// takes no memory, and is found sooner than by [`leaves`].
pub(crate) fn leaf(
    salts: &mut [Salts; 5],
    number: u32,
    record: &Content<'_>,
) -> Result<Hash, SaltGone> {
    let (mut data, mut length) = ([0; 2 + 5 * 32], 2);
    for (part, salts) in Part::ALL.iter().zip(salts) {
        let commitment = match (record.commitment(*part), record.part(*part)) {
            (None, None) => continue,
            (Some(gone), _) => *gone,
            (None, Some(content)) => {
                commitment(*part, salts.next(number).ok_or(SaltGone)?, content)
            }
        };
        data[1] |= 1 << part.index();
        data[length..length + 32].copy_from_slice(&commitment);
        length += 32;
    }
    // What is hashed before the data of a leaf is a zero, and stands there.
    Ok(sha256(&[&data[..length]]))
}

/// Heads of records, one after the other.
#[derive(Default)]
pub(crate) struct Heads {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Heads {
    /// Adds what is written; `None` when it could not be.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Option<()>) -> Option<()> {
        write(&mut self.bytes)?;
        self.ends.push(self.bytes.len());
        Some(())
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// A salt is not there any more.
#[derive(Debug)]
pub(crate) struct SaltGone;

/// The commitments to a part of the records that have it.
fn commit(
    salts: &mut Salts,
    part: Part,
    first: u32,
    records: &[Option<Content<'_>>],
) -> Result<Vec<Hash>, SaltGone> {
    let number = [2, u8::try_from(part.index()).expect("there are five parts")];
    let having = records.iter().enumerate();
    let having = having.filter_map(|(at, record)| Some((at, record.as_ref()?.part(part)?)));
    let count = having.clone().count();
    let mut hashes = Vec::with_capacity(count);
    // Of a few it is quicker to go to each, and where one is gone there is no other way.
    let many = if 4 * count > records.len() && count > 1 {
        salts.each(first, records.len())
    } else {
        None
    };
    if let Some(salts) = many {
        let messages = having.map(|(at, content)| [number.as_slice(), &salts[at], content]);
        lanes::sha256_each(messages, &mut hashes);
    } else {
        for (at, content) in having {
            let at = u32::try_from(at).expect("a segment has fewer records");
            let salt = salts.salt(first + at).ok_or(SaltGone)?;
            hashes.push(commitment(part, &salt, content));
        }
    }
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_by_itself_is_what_it_is_among_others() {
        let mut salts = [1, 2, 3, 4, 5].map(|part| Salts::new([part; 32]));
        let none = Expired::default();
        let all = [b"{}".as_slice(); 4].map(Some);
        let contents = [
            Content {
                head: b"head",
                fields: [None, Some(b"{\"a\":1}"), None, None],
                expired: none,
            },
            Content { head: b"", fields: all, expired: none },
            Content {
                head: b"x",
                fields: all,
                expired: [None, Some([9; 32]), None, Some([8; 32])],
            },
            Content { head: b"y", fields: [None; 4], expired: none },
        ];
        for first in [0, 30] {
            let together = leaves(&mut salts, first, &contents.map(Some)).unwrap();
            for (number, (content, expected)) in (first..).zip(contents.iter().zip(together)) {
                assert_eq!(leaf(&mut salts, number, content).unwrap(), expected, "{number}");
            }
        }
    }
}
