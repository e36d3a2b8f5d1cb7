//! The write-ahead file of the active segment: a header, then frames.
//!
//! A frame is a batch of records, or a mark: a signature over all that stands before it. Content is
//! encrypted part by part; the hashes of the records' leaves stand in the clear, so that a machine
//! that cannot read the file back can still seal what a crash left.

use ed25519_dalek::{Signer as _, SigningKey};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use serde_json::{Value, json};

use crate::canonical::canonical;
use crate::error::JournalError;
use crate::keys::{Key, SegmentKeys, derive};
use crate::leaf::{Expired, leaf};
use crate::part::Part;
use crate::place::{Folder, Output};
use crate::record::Record;
use crate::salt::{DEPTH, Salts};
use crate::survey::{Frame, ciphers, open_batch};
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

/// The ciphers and salts of a segment, by part.
pub(crate) struct Sealing {
    ciphers: [LessSafeKey; 5],
    salts: [Salts; 5],
}

pub(crate) fn cipher(key: &Key) -> LessSafeKey {
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
        let leaf = leaf(&mut self.salts, number, head, &record.fields(), &Expired::default());
        leaf.expect("no salt was taken away yet")
    }
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
