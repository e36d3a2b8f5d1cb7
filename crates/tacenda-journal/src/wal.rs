//! The write-ahead file of the active segment: a header, then frames.
//!
//! A frame is a batch of records, or a mark: a signature over all that stands before it. Content is
//! encrypted part by part; the hashes of the records' leaves stand in the clear, so that a machine
//! that cannot read the file back can still seal what a crash left.

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};
use tacenda_policy::Class;

use crate::canonical::canonical;
use crate::error::JournalError;
use crate::keys::{Key, SegmentKeys, derive};
use crate::part::Part;
use crate::place::{Folder, Output};
use crate::record::{Record, commitment};
use crate::salt::{DEPTH, Salts};
use crate::segment::Expired;
use crate::tree::{self, Frontier};
use crate::{Hash, sha256};

const MAGIC: &[u8] = b"tacenda-wal-1\n";
const BATCH: u8 = 1;
const MARK: u8 = 2;
const LONGEST_HEADER: usize = 1 << 20;
/// The longest frame: what is written together ends at a few MiB, and its last record has up to 16.
const LONGEST_FRAME: usize = 32 << 20;
/// The length of a mark: kind, two numbers, signature.
const MARK_LENGTH: usize = 1 + 8 + 8 + 64;

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

    fn parse(bytes: &[u8]) -> Option<(Self, usize)> {
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

/// The ciphers and salts of a segment, by part.
pub(crate) struct Sealing {
    ciphers: [LessSafeKey; 5],
    salts: [Salts; 5],
}

fn cipher(key: &Key) -> LessSafeKey {
    let key = derive(key, "write-ahead file");
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("a key has 32 bytes"))
}

/// The salts of a part in a segment whose key this is.
pub(crate) fn salts(key: &Key) -> Salts {
    Salts::new(*derive(key, "salts"))
}

impl Sealing {
    pub(crate) fn new(keys: &SegmentKeys) -> Self {
        Self {
            ciphers: Part::ALL.map(|part| cipher(keys.key(part))),
            salts: Part::ALL.map(|part| salts(keys.key(part))),
        }
    }

    /// The hash of the leaf of a record.
    fn leaf(&mut self, number: u32, record: &Record, head: &[u8]) -> Hash {
        let leaf = leaf(&mut self.salts, number, record, head, &Expired::default());
        leaf.expect("no salt was taken away yet")
    }
}

/// The hash of the leaf of a record: the parts that it has, and the commitments to them; of what has
/// expired the commitment is given. `None` when a salt is gone.
pub(crate) fn leaf(
    salts: &mut [Salts; 5],
    number: u32,
    record: &Record,
    head: &[u8],
    expired: &Expired,
) -> Option<Hash> {
    let bit = |(i, gone): (usize, &Option<Hash>)| u8::from(gone.is_some()) << (i + 1);
    let mut data = [0; 1 + 5 * 32];
    let (mask, commitments) = data.split_first_mut().expect("it has room for all of them");
    *mask = record.parts() | expired.iter().enumerate().map(bit).sum::<u8>();
    let (commitments, _) = commitments.as_chunks_mut();
    commitments[0] = commitment(Part::Head, &salts[0].salt(number)?, head);
    let mut count = 1;
    for class in Class::ALL {
        let part = Part::Of(*class);
        if let Some(gone) = &expired[part.index() - 1] {
            commitments[count] = *gone;
        } else if let Some(fields) = &record.fields[part.index() - 1] {
            let salt = salts[part.index()].salt(number)?;
            commitments[count] = commitment(part, &salt, fields);
        } else {
            continue;
        }
        count += 1;
    }
    Some(tree::leaf(&data[..=32 * count]))
}

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
    times: Option<(i64, i64)>,
    /// Whether something stands after the last mark.
    unmarked: bool,
}

impl Wal {
    /// Begins the file of a segment.
    pub(crate) fn create(
        folder: &Folder,
        segment: u64,
        first: u64,
        origin: &str,
        keys: SegmentKeys,
    ) -> Result<Self, JournalError> {
        let wrapped = Part::ALL.map(|part| keys.wrapped(part).to_owned());
        let header = Header { segment, first, origin: origin.to_owned(), wrapped };
        let bytes = header.to_bytes();
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
            sealing: Sealing::new(&keys),
            keys,
            length: bytes.len() as u64,
            chain: sha256(&[&bytes]),
            encrypted: 0,
            records: 0,
            frontier: Frontier::default(),
            times: None,
            unmarked: false,
        })
    }

    /// Appends records: all of them or none. The number of the first is given.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<u64, JournalError> {
        let first = self.header.first + u64::from(self.records);
        let (batch, leaves) = self.batch(records);
        self.frame(batch)?;
        for (leaf, record) in leaves.into_iter().zip(records) {
            self.frontier.push(leaf);
            let (from, to) = self.times.unwrap_or((record.time, record.time));
            self.times = Some((from.min(record.time), to.max(record.time)));
            self.records += 1;
        }
        self.unmarked = true;
        Ok(first)
    }

    /// A batch after the room for its length, and the leaves of its records.
    fn batch(&mut self, records: &[Record]) -> (Vec<u8>, Vec<Hash>) {
        let count = u32::try_from(records.len()).expect("a segment has fewer records");
        let content: usize = records.iter().map(|record| record.size() + 5 + 4 * 4 + 32).sum();
        let mut frame = Vec::with_capacity(content + 256);
        let number = self.encrypted;
        self.encrypted += 1;
        frame.extend_from_slice(&[0, 0, 0, 0, BATCH]);
        frame.extend_from_slice(&number.to_be_bytes());
        frame.extend_from_slice(&count.to_be_bytes());
        let start = frame.len();
        let mut leaves = Vec::with_capacity(records.len());
        frame.resize(start + 32 * records.len(), 0);
        for part in Part::ALL {
            let begin = frame.len();
            frame.push(u8::try_from(part.index()).expect("there are five parts"));
            frame.extend_from_slice(&[0; 4]);
            for (at, record) in (self.records..).zip(records) {
                if part == Part::Head {
                    frame.push(record.parts());
                    let head = frame.len();
                    record.head(&mut frame);
                    leaves.push(self.sealing.leaf(at, record, &frame[head..]));
                } else if let Some(fields) = &record.fields[part.index() - 1] {
                    let length = u32::try_from(fields.len()).expect("a record has 16 MiB");
                    frame.extend_from_slice(&length.to_be_bytes());
                    frame.extend_from_slice(fields);
                }
            }
            let content = begin + 5;
            if frame.len() == content {
                frame.truncate(begin);
                continue;
            }
            let tag = self.sealing.ciphers[part.index()]
                .seal_in_place_separate_tag(
                    nonce(number),
                    Aad::from(&self.chain),
                    &mut frame[content..],
                )
                .expect("a batch is shorter than the 64 GiB that the cipher takes");
            frame.extend_from_slice(tag.as_ref());
            put_length(&mut frame[begin + 1..]);
        }
        frame[start..start + 32 * records.len()].copy_from_slice(leaves.as_flattened());
        (frame, leaves)
    }

    /// Writes a frame that begins with the room for its length.
    fn frame(&mut self, mut frame: Vec<u8>) -> Result<(), JournalError> {
        put_length(&mut frame);
        let chain = sha256(&[&self.chain, &frame]);
        frame.extend_from_slice(&chain);
        if let Err(error) = self.output.write(&frame) {
            // Some of it may be there: who appended is told that it is not, so it must not be.
            return match self.output.cut(self.length) {
                Ok(()) => Err(error),
                Err(_) => Err(JournalError::Stopped),
            };
        }
        self.length += frame.len() as u64;
        self.chain = chain;
        Ok(())
    }

    /// The records in the file, batch by batch. The cipher binds each to all that was written before it:
    /// what was changed does not open.
    pub(crate) fn batches<'a>(
        &self,
        bytes: &'a [u8],
    ) -> impl Iterator<Item = Result<Vec<Record>, JournalError>> + use<'a> {
        let ciphers = ciphers(Part::ALL.map(|part| Some(self.keys.key(part))));
        let header = self.header.to_bytes();
        let place = format!("active/{}", name(self.header.segment));
        let mut rest = bytes.strip_prefix(header.as_slice());
        let (mut chain, mut left) = (sha256(&[&header]), self.records as usize);
        std::iter::from_fn(move || {
            while left > 0 {
                let frame = rest.and_then(Frame::read);
                let opened = frame.and_then(|frame| {
                    rest = rest?.get(frame.bytes.len() + 32..);
                    let before = std::mem::replace(&mut chain, *frame.chain);
                    match frame.bytes.get(4)? {
                        &MARK => Some(Vec::new()),
                        _ => open_batch(&frame, &before, &ciphers),
                    }
                });
                match opened.filter(|records| records.len() <= left) {
                    Some(records) if records.is_empty() => {}
                    Some(records) => {
                        left -= records.len();
                        return Some(Ok(records));
                    }
                    None => {
                        left = 0;
                        let what = "it is not what was written";
                        return Some(Err(JournalError::damaged(place.as_str(), what)));
                    }
                }
            }
            None
        })
    }

    /// Signs what stands there, with the key for the next checkpoint of a log of so many entries.
    pub(crate) fn mark(&mut self, key: &SigningKey, log: u64) -> Result<(), JournalError> {
        if !self.unmarked {
            return Ok(());
        }
        let count = u64::from(self.records);
        let signature = key.sign(&marked(self.header.segment, count, &self.chain)).to_bytes();
        let numbers = [log.to_be_bytes(), count.to_be_bytes()].concat();
        self.frame([[0, 0, 0, 0, MARK].as_slice(), &numbers, &signature].concat())?;
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
        self.frontier.root()
    }

    /// The earliest and the latest time in it.
    pub(crate) fn times(&self) -> Option<(i64, i64)> {
        self.times
    }
}

/// Puts the length of what follows it into the first four bytes.
fn put_length(bytes: &mut [u8]) {
    let length = u32::try_from(bytes.len() - 4).expect("cut before").to_be_bytes();
    bytes[..4].copy_from_slice(&length);
}

fn nonce(batch: u64) -> Nonce {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&batch.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

fn marked(segment: u64, records: u64, chain: &Hash) -> Vec<u8> {
    let numbers = [segment.to_be_bytes(), records.to_be_bytes()].concat();
    [b"tacenda journal mark v1\n".as_slice(), &numbers, chain].concat()
}

/// A signature over what stands before it.
#[derive(Debug)]
struct Mark {
    at: usize,
    chain: Hash,
    /// Entries of the log when it was made, which says with what key.
    log: u64,
    records: u64,
    signature: [u8; 64],
}

/// Where a batch begins, the hash before it, and its records.
#[derive(Debug)]
struct Batch {
    at: usize,
    chain: Hash,
    /// Records in the file before it.
    before: u64,
    records: u64,
}

/// What can be told of a write-ahead file without a key.
#[derive(Debug)]
pub struct Survey {
    /// What it says of itself.
    pub header: Header,
    batches: Vec<Batch>,
    /// Records in whole frames.
    pub records: u32,
    /// The root over them.
    pub root: Hash,
    marks: Vec<Mark>,
    /// The length of the header and of the frames that are whole.
    pub whole: usize,
    /// Whether what follows cannot be the beginning of one frame: then it is none that was cut by a
    /// crash, but something that was changed.
    pub changed: bool,
}

/// Reads a write-ahead file without a key; `None` when it has no header.
pub fn survey(bytes: &[u8]) -> Option<Survey> {
    let (header, start) = Header::parse(bytes)?;
    let mut chain = sha256(&[&bytes[..start]]);
    let mut found = Survey {
        header,
        batches: Vec::new(),
        records: 0,
        root: [0; 32],
        marks: Vec::new(),
        whole: start,
        changed: false,
    };
    let mut frontier = Frontier::default();
    while let Some(frame) = Frame::read(&bytes[found.whole..]) {
        let next = sha256(&[&chain, frame.bytes]);
        if next != *frame.chain {
            break;
        }
        match frame.bytes[4..].split_first() {
            Some((&BATCH, body)) => {
                let Some((_, leaves, _)) = split_batch(body) else { break };
                let (before, records) = (frontier.size(), leaves.len() as u64);
                for leaf in leaves {
                    frontier.push(*leaf);
                }
                found.batches.push(Batch { at: found.whole, chain, before, records });
            }
            Some((&MARK, body)) => {
                let Some(mark) = Mark::parse(body, found.whole, chain) else { break };
                if mark.records != frontier.size() {
                    break;
                }
                found.marks.push(mark);
            }
            _ => break,
        }
        chain = next;
        found.whole += frame.bytes.len() + 32;
    }
    found.changed = !begins_frame(&bytes[found.whole..]);
    found.records = u32::try_from(frontier.size()).ok().filter(|count| *count <= 1 << DEPTH)?;
    found.root = frontier.root();
    Some(found)
}

/// Whether these bytes are the beginning of one frame, and not all of it.
fn begins_frame(bytes: &[u8]) -> bool {
    let Some((length, rest)) = bytes.split_first_chunk() else { return true };
    let length = u32::from_be_bytes(*length) as usize;
    if length > LONGEST_FRAME || rest.len() >= length + 32 {
        return false;
    }
    match rest[..rest.len().min(length)].split_first() {
        None => length > 0,
        Some((&BATCH, body)) => begins_batch(body, length - 1),
        Some((&MARK, _)) => length == MARK_LENGTH,
        Some(_) => false,
    }
}

/// Whether these bytes are the beginning of the content of a batch that has this length.
fn begins_batch(body: &[u8], length: usize) -> bool {
    let Some((count, rest)) = body.get(8..).and_then(<[u8]>::split_first_chunk) else {
        return length >= 12;
    };
    let leaves = u32::from_be_bytes(*count) as usize * 32;
    let Some(mut left) = length.checked_sub(12 + leaves) else { return false };
    let Some(mut rest) = rest.get(leaves..) else { return true };
    let mut parts = 0..Part::ALL.len();
    while left > 0 {
        let Some((part, after)) = rest.split_first() else { return true };
        if !parts.any(|one| one == usize::from(*part)) {
            return false;
        }
        let Some((size, after)) = after.split_first_chunk() else { return left >= 5 };
        let size = u32::from_be_bytes(*size) as usize;
        let Some(after_it) = left.checked_sub(5 + size) else { return false };
        left = after_it;
        match after.get(size..) {
            Some(after) => rest = after,
            None => return true,
        }
    }
    true
}

/// Whether these bytes are the beginning of a header, and not all of it.
fn begins_header(bytes: &[u8]) -> bool {
    let Some(rest) = bytes.strip_prefix(MAGIC) else { return MAGIC.starts_with(bytes) };
    let Some((length, json)) = rest.split_first_chunk() else { return true };
    let length = u32::from_be_bytes(*length) as usize;
    let text = json.iter().all(|byte| (b' '..=b'~').contains(byte));
    length <= LONGEST_HEADER
        && json.len() < length
        && text
        && json.first().is_none_or(|b| *b == b'{')
}

/// What a writer that is gone has left of a write-ahead file.
pub(crate) struct Remains {
    /// What it says, if its header is there.
    pub(crate) survey: Option<Survey>,
    /// The length of what is whole.
    pub(crate) whole: usize,
    /// Whether the rest was changed, rather than cut by a crash.
    pub(crate) changed: bool,
}

impl Remains {
    pub(crate) fn of(
        bytes: &[u8],
        segment: u64,
        key: impl Fn(u64) -> Option<VerifyingKey>,
    ) -> Self {
        let survey = survey(bytes);
        let whole = survey.as_ref().map_or(0, |survey| survey.whole);
        let changed = match &survey {
            Some(survey) => survey.changed,
            None => !begins_header(bytes),
        };
        let changed = changed || has_mark_after(bytes, whole, segment, key);
        Self { survey, whole, changed }
    }

    pub(crate) fn records(&self) -> u32 {
        self.survey.as_ref().map_or(0, |survey| survey.records)
    }
}

/// Whether a genuine mark stands after this place: then everything before the mark was whole once.
fn has_mark_after(
    bytes: &[u8],
    place: usize,
    segment: u64,
    key: impl Fn(u64) -> Option<VerifyingKey>,
) -> bool {
    let begin = [0, 0, 0, u8::try_from(MARK_LENGTH).expect("it is short"), MARK];
    let found = |(at, _): (usize, &[u8])| {
        let at = place + at;
        let chain = bytes[..at].last_chunk().filter(|_| at > place)?;
        let body = bytes.get(at + begin.len()..at + 4 + MARK_LENGTH)?;
        let mark = Mark::parse(body, at, *chain)?;
        mark.is_genuine(segment, &key).then_some(())
    };
    let mut begins = bytes[place..].windows(begin.len()).enumerate();
    begins.any(|window| *window.1 == begin && found(window).is_some())
}

impl Mark {
    fn is_genuine(&self, segment: u64, key: &impl Fn(u64) -> Option<VerifyingKey>) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature);
        let text = marked(segment, self.records, &self.chain);
        key(self.log).is_some_and(|key| key.verify_strict(&text, &signature).is_ok())
    }

    fn parse(body: &[u8], at: usize, chain: Hash) -> Option<Self> {
        let (log, rest) = body.split_first_chunk()?;
        let (records, signature) = rest.split_first_chunk()?;
        let (log, records) = (u64::from_be_bytes(*log), u64::from_be_bytes(*records));
        Some(Self { at, chain, log, records, signature: signature.try_into().ok()? })
    }
}

struct Frame<'b> {
    /// Length and body.
    bytes: &'b [u8],
    chain: &'b Hash,
}

impl<'b> Frame<'b> {
    fn read(bytes: &'b [u8]) -> Option<Self> {
        let length = usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()?;
        let (frame, rest) =
            bytes.split_at_checked(4 + length).filter(|_| length <= LONGEST_FRAME)?;
        Some(Self { bytes: frame, chain: rest.first_chunk()? })
    }
}

/// The number of a batch, the leaves of its records, and its encrypted parts.
fn split_batch(body: &[u8]) -> Option<(u64, &[Hash], &[u8])> {
    let (number, rest) = body.split_first_chunk()?;
    let (count, rest) = rest.split_first_chunk()?;
    let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
    let (leaves, rest) = rest.split_at_checked(count.checked_mul(32)?)?;
    Some((u64::from_be_bytes(*number), leaves.as_chunks().0, rest))
}

impl Survey {
    /// The first mark that was not signed by the key of its time, by its place in the file.
    pub(crate) fn forged_mark(&self, key: impl Fn(u64) -> Option<VerifyingKey>) -> Option<usize> {
        let mut marks = self.marks.iter();
        marks.find(|mark| !mark.is_genuine(self.header.segment, &key)).map(|mark| mark.at)
    }

    /// The batches, each opened with the keys at hand.
    pub(crate) fn open<'a>(
        &'a self,
        bytes: &'a [u8],
        keys: [Option<&Key>; 5],
    ) -> impl Iterator<Item = Result<Vec<Record>, JournalError>> + use<'a> {
        let ciphers = ciphers(keys);
        (0..self.batches.len()).map(move |number| self.batch(bytes, number, &ciphers))
    }

    /// How many batches there are.
    pub(crate) fn batches(&self) -> usize {
        self.batches.len()
    }

    /// The number in the journal of the first record of a batch, and how many there are.
    pub(crate) fn numbers(&self, batch: usize) -> (u64, u64) {
        let Batch { before, records, .. } = &self.batches[batch];
        (self.header.first + before, *records)
    }

    /// The records of a batch.
    pub(crate) fn batch(
        &self,
        bytes: &[u8],
        batch: usize,
        ciphers: &Ciphers,
    ) -> Result<Vec<Record>, JournalError> {
        let Batch { at, chain, .. } = &self.batches[batch];
        Frame::read(&bytes[*at..])
            .and_then(|frame| open_batch(&frame, chain, ciphers))
            .ok_or(JournalError::damaged(name(self.header.segment), "a batch does not open"))
    }
}

/// The keys of the parts that open.
pub(crate) type Keys = [Option<Key>; 5];
/// What they decrypt with.
pub(crate) type Ciphers = [Option<LessSafeKey>; 5];

pub(crate) fn ciphers(keys: [Option<&Key>; 5]) -> Ciphers {
    keys.map(|key| key.map(cipher))
}

fn open_batch(frame: &Frame<'_>, chain: &Hash, ciphers: &Ciphers) -> Option<Vec<Record>> {
    let (number, leaves, mut rest) = split_batch(frame.bytes.get(5..)?)?;
    let mut parts: [Option<Vec<u8>>; 5] = Default::default();
    while let Some((part, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (sealed, after) = after.split_at_checked(length)?;
        rest = after;
        let part = usize::from(*part);
        if let Some(cipher) = ciphers.get(part)? {
            let mut opened = sealed.to_vec();
            let length = cipher.open_in_place(nonce(number), Aad::from(chain), &mut opened);
            let length = length.ok()?.len();
            opened.truncate(length);
            parts[part] = Some(opened);
        }
    }
    let mut rests = parts.each_ref().map(Option::as_deref);
    let mut heads = rests[0]?;
    let records = leaves.iter().map(|_| {
        let (mask, after) = heads.split_first()?;
        let (mut record, after) = Record::from_head(after)?;
        heads = after;
        for (part, rest) in rests.iter_mut().enumerate().skip(1) {
            if let Some(bytes) = rest.filter(|_| mask >> part & 1 == 1) {
                let (length, after) = bytes.split_first_chunk()?;
                let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
                let (fields, after) = after.split_at_checked(length)?;
                record.fields[part - 1] = Some(fields.to_vec());
                *rest = Some(after);
            }
        }
        Some(record)
    });
    records.collect()
}
