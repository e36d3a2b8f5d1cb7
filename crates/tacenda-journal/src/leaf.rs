//! The leaves of records: the hashes that their segment's tree is made of, and that a proof begins with.

use sha2::{Digest as _, Sha256};

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

/// The hashes over the commitments to each part, of the parts that a record has.
pub(crate) type Digests = [Option<Hash>; 5];

/// Finds them, record by record.
#[derive(Clone, Default)]
pub(crate) struct Digesting([Option<Sha256>; 5]);

impl Digesting {
    /// Adds a record by its number in the segment and the data of its leaf, whose malformed rest counts for
    /// nothing.
    pub(crate) fn add(&mut self, number: u32, data: &[u8]) {
        let Some((mask, commitments)) = data.split_first() else { return };
        let mut commitments = commitments.as_chunks::<32>().0.iter();
        let having = self.0.iter_mut().enumerate().filter(|(part, _)| mask >> part & 1 == 1);
        for ((_, hasher), commitment) in having.zip(&mut commitments) {
            let mut message = [0; 4 + 32];
            message[..4].copy_from_slice(&number.to_be_bytes());
            message[4..].copy_from_slice(commitment);
            hasher.get_or_insert_default().update(message);
        }
    }

    /// What they are by now.
    pub(crate) fn found(&self) -> Digests {
        self.0.each_ref().map(|hasher| Some(hasher.clone()?.finalize().into()))
    }
}

/// The data of leaves, one after the other.
#[derive(Default)]
pub(crate) struct Data {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Data {
    /// That of each leaf.
    pub(crate) fn each(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn add(&mut self, data: &[u8]) {
        self.bytes.extend_from_slice(data);
        self.ends.push(self.bytes.len());
    }

    /// The hashes of the leaves from this one on.
    fn hashes(&self, from: usize) -> Vec<Hash> {
        let mut hashes = Vec::with_capacity(self.ends.len() - from);
        lanes::sha256_each(self.each().skip(from).map(|data| [LEAF, data]), &mut hashes);
        hashes
    }
}

/// The commitments that stand in the data of a leaf, by part; `None` when it is malformed.
pub(crate) fn committed(data: &[u8]) -> Option<[Option<Hash>; 5]> {
    let (mask, commitments) = data.split_first()?;
    let (commitments, rest) = commitments.as_chunks();
    let mut commitments = commitments.iter().copied();
    let by_part = Part::ALL.map(|part| (mask >> part.index() & 1 == 1).then(|| commitments.next()));
    let is_whole =
        rest.is_empty() && mask >> Part::ALL.len() == 0 && !by_part.contains(&Some(None));
    (is_whole && commitments.next().is_none()).then(|| by_part.map(Option::flatten))
}

/// The hashes of the leaves of records, the first of which has this number in its segment, and adds what they
/// are of: of the parts that each has, and the commitments to them. A record that is not given has none.
///
/// # Errors
/// When a salt is gone.
pub(crate) fn leaves(
    salts: &mut [Salts; 5],
    first: u32,
    records: &[Option<Content<'_>>],
    all: &mut Data,
) -> Result<Vec<Hash>, SaltGone> {
    let before = all.ends.len();
    let mut commitments: [Vec<Hash>; 5] = Default::default();
    for (part, (commitments, salts)) in Part::ALL.iter().zip(commitments.iter_mut().zip(salts)) {
        *commitments = commit(salts, *part, first, records)?;
    }
    let mut commitments = commitments.each_ref().map(|commitments| commitments.iter());
    for record in records.iter().flatten() {
        let mask = all.bytes.len();
        all.bytes.push(0);
        for (part, commitments) in Part::ALL.iter().zip(&mut commitments) {
            let commitment = match (record.commitment(*part), record.part(*part)) {
                (None, None) => continue,
                (Some(gone), _) => gone,
                (None, Some(_)) => commitments.next().expect("there is one for each"),
            };
            all.bytes[mask] |= 1 << part.index();
            all.bytes.extend_from_slice(commitment);
        }
        all.ends.push(all.bytes.len());
    }
    Ok(all.hashes(before))
}

/// The hash of the leaf of one record, where those of the records after it are asked for next. It
/// takes no memory, and is found sooner than by [`leaves`].
pub(crate) fn leaf(
    salts: &mut [Salts; 5],
    number: u32,
    record: &Content<'_>,
    all: &mut Data,
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
    all.add(&data[1..length]);
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
            let (mut all, mut one_by_one) = (Data::default(), Data::default());
            let together = leaves(&mut salts, first, &contents.map(Some), &mut all).unwrap();
            for (number, (content, expected)) in (first..).zip(contents.iter().zip(together)) {
                let hash = leaf(&mut salts, number, content, &mut one_by_one);
                assert_eq!(hash.unwrap(), expected, "{number}");
            }
            assert!(all.each().eq(one_by_one.each()));
            let masks = all.each().map(|data| committed(data).unwrap().map(|one| one.is_some()));
            let has = |parts: [u8; 5]| parts.map(|one| one == 1);
            let expected = [[1, 0, 1, 0, 0], [1; 5], [1; 5], [1, 0, 0, 0, 0]].map(has);
            assert!(masks.eq(expected));
        }
    }
}
