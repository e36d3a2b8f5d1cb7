//! The write-ahead file of the active segment: a header, then frames.
//!
//! A frame is a batch of records, or a mark: a signature over all that stands before it. Content is
//! encrypted part by part; the hashes of the records' leaves stand in the clear, so that a machine
//! that cannot read the file back can still seal what a crash left.

use std::io::Read;
use std::ops::Range;
use std::path::PathBuf;

use ed25519_dalek::{Signer as _, SigningKey};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};

use crate::canonical::canonical;
use crate::error::JournalError;
use crate::frames::Frames;
use crate::group::Group;
use crate::keys::{self, SegmentKeys, derive, derive_into};
use crate::leaf::{self, Content, Data, Digesting, Digests, leaf, leaves};
use crate::locked::Locked;
use crate::part::Part;
use crate::place::{Folder, Output, unusable};
use crate::record::Record;
use crate::salt::{DEPTH, Salts};
use crate::survey::{Ciphers, Lent, Opened, ciphers, lend_batch};
use crate::tree::Frontier;
use crate::{Hash, sha256};

pub(crate) const MAGIC: &[u8] = b"tacenda-wal-1\n";
pub(crate) const BATCH: u8 = 1;
pub(crate) const MARK: u8 = 2;
pub(crate) const LONGEST_HEADER: usize = 1 << 20;

/// The name of the file of a segment.
pub(crate) fn name(segment: u64) -> String {
    format!("{segment:010}.wal")
}

/// What a write-ahead file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The number of the segment.
    pub segment: u64,
    /// The number of its first record.
    pub first: u64,
    /// Which journal it belongs to.
    pub origin: String,
    /// The wrapped keys, in the order of the parts.
    pub wrapped: [String; 5],
}

impl Header {
    fn to_bytes(&self) -> Vec<u8> {
        let keys: Value = Part::ALL
            .iter()
            .map(|part| (part.name().to_owned(), json!(self.wrapped[part.index()])))
            .collect();
        let json = canonical(&json!({
            "first": self.first, "keys": keys, "origin": self.origin, "segment": self.segment,
        }));
        let length = u32::try_from(json.len()).expect("a header is short");
        [MAGIC, &length.to_be_bytes(), &json].concat()
    }

    /// Whether it says that it is of this segment of this journal.
    pub(crate) fn is_of(&self, segment: u64, first: u64, origin: &str) -> bool {
        (self.segment, self.first, self.origin.as_str()) == (segment, first, origin)
    }

    pub(crate) fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
        let rest = bytes.strip_prefix(MAGIC)?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let json = rest.get(..length).filter(|_| length <= LONGEST_HEADER)?;
        let value: Value = serde_json::from_slice(json).ok()?;
        let mut wrapped: [String; 5] = Default::default();
        for part in Part::ALL {
            value["keys"][part.name()].as_str()?.clone_into(&mut wrapped[part.index()]);
        }
        let header = Self {
            segment: value["segment"].as_u64()?,
            first: value["first"].as_u64()?,
            origin: value["origin"].as_str()?.to_owned(),
            wrapped,
        };
        let length = MAGIC.len() + 4 + length;
        (header.to_bytes() == bytes[..length]).then_some((header, length))
    }
}

/// What the file of a segment is written with, by part.
struct Sealing {
    /// The keys of batches. What a cipher makes of one is not kept: only this memory is locked.
    keys: Locked<5>,
    salts: [Salts; 5],
}

/// The name of the key of batches, as it is derived from that of the part.
const PURPOSE: &str = "write-ahead file";

/// The cipher of a part in the file of a segment whose key this is.
pub(crate) fn cipher(key: &Hash) -> LessSafeKey {
    cipher_of(&derive(key, PURPOSE))
}

fn cipher_of(key: &Hash) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).expect("a key has 32 bytes"))
}

/// The salts of a part in a segment whose key this is.
pub(crate) fn salts(key: &Hash) -> Salts {
    Salts::new(*derive(key, "salts"))
}

impl Sealing {
    fn new(of: &SegmentKeys) -> Result<Self, JournalError> {
        let mut keys = keys::locked()?;
        for (part, key) in Part::ALL.into_iter().zip(keys.keys_mut()) {
            derive_into(of.key(part), PURPOSE, key);
        }
        Ok(Self { keys, salts: Part::ALL.map(|part| salts(of.key(part))) })
    }

    fn cipher(&self, part: Part) -> LessSafeKey {
        cipher_of(&self.keys.keys()[part.index()])
    }

    /// Adds the leaves of records, whose heads stand at these places, to what the leaves are of and to their
    /// hashes.
    fn leaves(
        &mut self,
        first: u32,
        records: &[Record],
        bytes: &[u8],
        heads: &[Range<usize>],
        (data, hashes): (&mut Data, &mut Vec<Hash>),
    ) {
        if records.len() < FEW {
            for (number, (record, head)) in (first..).zip(records.iter().zip(heads)) {
                let content = Content::of(record, &bytes[head.clone()]);
                let found = leaf(&mut self.salts, number, &content, data);
                hashes.push(found.expect("no salt was taken away yet"));
            }
            return;
        }
        let groups = records.chunks(leaf::AT_ONCE).zip(heads.chunks(leaf::AT_ONCE));
        for (number, (records, heads)) in (first..).step_by(leaf::AT_ONCE).zip(groups) {
            let contents = records.iter().zip(heads);
            let contents: Vec<_> = contents
                .map(|(record, head)| Some(Content::of(record, &bytes[head.clone()])))
                .collect();
            let found = leaves(&mut self.salts, number, &contents, data);
            hashes.extend(found.expect("no salt was taken away yet"));
        }
    }
}

/// The leaves of so few records are found one by one.
const FEW: usize = 8;
/// Memory for a frame that is kept for the next.
const KEPT: usize = 1 << 16;

/// The file of the active segment.
pub(crate) struct Wal {
    header: Header,
    output: Output,
    keys: SegmentKeys,
    sealing: Sealing,
    /// The length of what is whole, and the hash over it.
    length: u64,
    chain: Hash,
    /// Batches that were encrypted, written or not: no two have one nonce.
    encrypted: u64,
    records: u32,
    frontier: Frontier,
    /// Leaves that are not in the tree yet: many are added in less time than each.
    leaves: Vec<Hash>,
    /// What the leaves of the batch that is written are of, and what tells of each part.
    data: Data,
    digests: Digesting,
    /// Where the heads of that batch stand.
    heads: Vec<Range<usize>>,
    /// Memory for the next frame.
    memory: Vec<u8>,
    times: Option<(i64, i64)>,
    /// Whether something stands after the last mark.
    unmarked: bool,
}

impl Wal {
    /// Begins the file of a segment. Who has no key that signs cannot begin another one in its place: it
    /// is marked before it has a record, as [`Wal::mark`] does.
    pub(crate) fn create(
        folder: &Folder,
        segment: u64,
        first: u64,
        origin: &str,
        keys: SegmentKeys,
        (key, log): (&SigningKey, u64),
    ) -> Result<Self, JournalError> {
        let wrapped = Part::ALL.map(|part| keys.wrapped(part).to_owned());
        let header = Header { segment, first, origin: origin.to_owned(), wrapped };
        let (mut bytes, sealing) = (header.to_bytes(), Sealing::new(&keys)?);
        let chain = sha256(&[&bytes]);
        let (mark, chain) = framed(&chain, mark(key, log, (segment, 0), &chain));
        bytes.extend_from_slice(&mark);
        let mut output = folder.create(&name(segment))?;
        let written =
            output.write(&bytes).and_then(|()| output.sync()).and_then(|()| folder.sync());
        if let Err(error) = written {
            // The next try needs the name.
            let _ = folder.discard(&name(segment));
            return Err(error);
        }
        Ok(Self {
            header,
            output,
            sealing,
            keys,
            length: bytes.len() as u64,
            chain,
            encrypted: 0,
            records: 0,
            frontier: Frontier::default(),
            leaves: Vec::new(),
            data: Data::default(),
            digests: Digesting::default(),
            heads: Vec::new(),
            memory: Vec::new(),
            times: None,
            unmarked: false,
        })
    }

    /// Appends records: all of them or none. The number of the first is given.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<u64, JournalError> {
        let first = self.header.first + u64::from(self.records);
        let (before, times) = (self.leaves.len(), times(records));
        let batch = self.batch(records, times);
        if let Err(error) = self.frame(batch) {
            self.leaves.truncate(before);
            return Err(error);
        }
        for (number, data) in (self.records..).zip(self.data.each()) {
            self.digests.add(number, data);
        }
        self.records += u32::try_from(records.len()).expect("a segment has fewer records");
        if self.leaves.len() >= leaf::AT_ONCE {
            self.frontier.extend(std::mem::take(&mut self.leaves));
        }
        self.times = joined(self.times, times);
        self.unmarked = true;
        Ok(first)
    }

    /// A batch after the room for its length; the leaves of its records are added to the others.
    fn batch(&mut self, records: &[Record], times: Times) -> Vec<u8> {
        let count = u32::try_from(records.len()).expect("a segment has fewer records");
        let content: usize = records.iter().map(|record| record.size() + 5 + 4 * 4 + 32).sum();
        let mut frame = std::mem::take(&mut self.memory);
        frame.clear();
        frame.reserve(content + 256);
        let number = self.encrypted;
        self.encrypted += 1;
        frame.extend_from_slice(&[0, 0, 0, 0, BATCH]);
        frame.extend_from_slice(&number.to_be_bytes());
        frame.extend_from_slice(&count.to_be_bytes());
        let (from, to) = minutes(times);
        frame.extend_from_slice(&from.to_be_bytes());
        frame.extend_from_slice(&to.to_be_bytes());
        let start = frame.len();
        frame.resize(start + 32 * records.len(), 0);
        self.data.clear();
        for part in Part::ALL {
            let has =
                |record: &Record| part == Part::Head || record.fields[part.index() - 1].is_some();
            if !records.iter().any(has) {
                continue;
            }
            let begin = frame.len();
            frame.push(u8::try_from(part.index()).expect("there are five parts"));
            frame.extend_from_slice(&[0; 4]);
            let content = begin + 5;
            if part == Part::Head {
                self.heads.clear();
                for record in records {
                    frame.push(record.parts());
                    let head = frame.len();
                    record.head(&mut frame);
                    self.heads.push(head..frame.len());
                }
                let before = self.leaves.len();
                let all = (&mut self.data, &mut self.leaves);
                self.sealing.leaves(self.records, records, &frame, &self.heads, all);
                let leaves = self.leaves[before..].as_flattened();
                frame[start..start + 32 * records.len()].copy_from_slice(leaves);
            } else {
                for fields in records.iter().filter_map(|one| one.fields[part.index() - 1].as_ref())
                {
                    let length = u32::try_from(fields.len()).expect("a record has 16 MiB");
                    frame.extend_from_slice(&length.to_be_bytes());
                    frame.extend_from_slice(fields);
                }
            }
            let cipher = self.sealing.cipher(part);
            let tag = cipher
                .seal_in_place_separate_tag(
                    nonce(number),
                    Aad::from(&self.chain),
                    &mut frame[content..],
                )
                .expect("a batch is shorter than the 64 GiB that the cipher takes");
            frame.extend_from_slice(tag.as_ref());
            put_length(&mut frame[begin + 1..]);
        }
        frame
    }

    /// Writes a frame that begins with the room for its length.
    fn frame(&mut self, frame: Vec<u8>) -> Result<(), JournalError> {
        let (frame, chain) = framed(&self.chain, frame);
        if let Err(error) = self.output.write(&frame) {
            // Some of it may be there: who appended is told that it is not, so it must not be.
            return match self.output.cut(self.length) {
                Ok(()) => Err(error),
                Err(_) => Err(JournalError::Stopped),
            };
        }
        self.length += frame.len() as u64;
        self.chain = chain;
        if frame.capacity() <= KEPT {
            self.memory = frame;
        }
        Ok(())
    }

    /// The records in the file, from where it can be read.
    pub(crate) fn read_back<R: Read>(&self, file: R) -> ReadBack<R> {
        let header = self.header.to_bytes();
        let mut file = file.take(self.length);
        let mut begin = vec![0; header.len()];
        let begins = file.read_exact(&mut begin).is_ok() && begin == header;
        ReadBack {
            frames: begins.then(|| Frames::new(file)),
            chain: sha256(&[&header]),
            left: self.records as usize,
            ciphers: ciphers(Part::ALL.map(|part| Some(self.keys.key(part)))),
            opened: Opened::default(),
            place: format!("active/{}", name(self.header.segment)),
            path: self.output.path().to_owned(),
        }
    }

    /// Signs what stands there, with the key for the next checkpoint of a log of so many entries.
    pub(crate) fn mark(&mut self, key: &SigningKey, log: u64) -> Result<(), JournalError> {
        if !self.unmarked {
            return Ok(());
        }
        let place = (self.header.segment, u64::from(self.records));
        self.frame(mark(key, log, place, &self.chain))?;
        self.unmarked = false;
        Ok(())
    }

    /// What stands there is on the disk.
    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        self.output.sync()
    }

    /// The file once more, to sync it while it is written to.
    pub(crate) fn file(&self) -> Result<Output, JournalError> {
        self.output.again()
    }

    /// What was written. It is there as long as the file is open, also when somebody has removed it.
    pub(crate) fn content(&self) -> Result<Vec<u8>, JournalError> {
        self.output.content(self.length)
    }

    /// What the file says of itself.
    pub(crate) fn header(&self) -> &Header {
        &self.header
    }

    /// The length of its header, which holds the wrapped keys.
    pub(crate) fn head_length(&self) -> usize {
        self.header.to_bytes().len()
    }

    /// The keys of the segment.
    pub(crate) fn keys(&self) -> &SegmentKeys {
        &self.keys
    }

    /// Records in it.
    pub(crate) fn records(&self) -> u32 {
        self.records
    }

    /// Whether it takes another so many.
    pub(crate) fn has_room(&self, records: usize) -> bool {
        self.records as usize + records <= 1 << DEPTH
    }

    /// Bytes in it.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The root of the tree over its records.
    pub(crate) fn root(&self) -> Hash {
        let mut all = self.frontier.clone();
        all.extend(self.leaves.clone());
        all.root()
    }

    /// What tells of each part by itself.
    pub(crate) fn parts(&self) -> Digests {
        self.digests.found()
    }

    /// The earliest and the latest time in it.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        self.times
    }
}

/// The records of a write-ahead file that was written. The cipher binds each batch to all that was written
/// before it: what was changed does not open.
pub(crate) struct ReadBack<R> {
    frames: Option<Frames<std::io::Take<R>>>,
    chain: Hash,
    /// Records that have not come yet.
    left: usize,
    ciphers: Ciphers,
    opened: Opened,
    place: String,
    path: PathBuf,
}

impl<R: Read> ReadBack<R> {
    /// Adds the next batch to rows; whether there was one.
    pub(crate) fn add_to(&mut self, rows: &mut Group) -> Result<bool, JournalError> {
        let damaged = || JournalError::damaged(self.place.as_str(), "it is not what was written");
        if self.left == 0 {
            return Ok(false);
        }
        let frame = self.frames.as_mut().ok_or_else(damaged)?.next();
        let frame = frame.map_err(|error| unusable(&self.path, error))?.ok_or_else(damaged)?;
        let before = std::mem::replace(&mut self.chain, *frame.chain);
        if frame.bytes.get(4) == Some(&MARK) {
            return Ok(true);
        }
        let add = |lent: Lent<'_>| rows.lend(&lent);
        let count = lend_batch(&frame, &before, &self.ciphers, &mut self.opened, add);
        let left = count.and_then(|count| self.left.checked_sub(count));
        self.left = left.ok_or_else(damaged)?;
        Ok(true)
    }
}

/// A frame that begins with the room for its length, as it is written after this hash; and the hash
/// after it.
fn framed(chain: &Hash, mut frame: Vec<u8>) -> (Vec<u8>, Hash) {
    put_length(&mut frame);
    let chain = sha256(&[chain, &frame]);
    frame.extend_from_slice(&chain);
    (frame, chain)
}

/// A mark after the room for its length.
fn mark(key: &SigningKey, log: u64, (segment, records): (u64, u64), chain: &Hash) -> Vec<u8> {
    let signature = key.sign(&marked(segment, records, chain)).to_bytes();
    let numbers = [log.to_be_bytes(), records.to_be_bytes()].concat();
    [[0, 0, 0, 0, MARK].as_slice(), &numbers, &signature].concat()
}

/// Puts the length of what follows it into the first four bytes.
fn put_length(bytes: &mut [u8]) {
    let length = u32::try_from(bytes.len() - 4).expect("cut before").to_be_bytes();
    bytes[..4].copy_from_slice(&length);
}

/// A range of times, from the first to the last, if there is one.
pub(crate) type Times = Option<(i64, i64)>;

/// The earliest and the latest time of records.
fn times(records: &[Record]) -> Times {
    let times = records.iter().map(|record| (record.time, record.time));
    times.fold(None, |all, one| joined(all, Some(one)))
}

/// The range of two ranges.
pub(crate) fn joined(one: Times, other: Times) -> Times {
    match (one, other) {
        (Some((from, to)), Some((first, last))) => Some((from.min(first), to.max(last))),
        (one, other) => one.or(other),
    }
}

const MINUTE: i64 = 60_000_000_000;

/// What a batch says of its times: in what minutes since 1970 the earliest and the latest are. Closer than
/// that, whoever has no key does not get to know when something was logged.
pub(crate) fn minutes(times: Times) -> (i32, i32) {
    let minute = |time: i64| {
        i32::try_from(time.div_euclid(MINUTE)).expect("64 bits of nanoseconds are few minutes")
    };
    times.map_or((0, 0), |(from, to)| (minute(from), minute(to)))
}

/// The times that are in these minutes.
pub(crate) fn times_of((from, to): (i32, i32)) -> (i64, i64) {
    let begin = |minute: i64| minute.saturating_mul(MINUTE);
    (begin(from.into()), begin(i64::from(to) + 1).saturating_sub(1))
}

pub(crate) fn nonce(batch: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&batch.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// What a mark signs.
pub(crate) fn marked(segment: u64, records: u64, chain: &Hash) -> Vec<u8> {
    let numbers = [segment.to_be_bytes(), records.to_be_bytes()].concat();
    [b"tacenda journal mark v1\n".as_slice(), &numbers, chain].concat()
}
