//! What goes over the socket: requests, and a reply to each. Both ends are of one version.
//!
//! A message is its length (4 bytes, big-endian), its kind (1), and its content.

use std::io::{self, Read, Write};

use crate::part::Part;
use crate::record::Record;
use crate::together::BATCH_RECORDS;

const VERSION: u8 = 1;

const APPEND: u8 = 1;
const ROTATE: u8 = 2;
const HAND_OVER: u8 = 3;

const DONE: u8 = 16;
const MOVED: u8 = 17;
const FAILED: u8 = 18;
const BUSY: u8 = 19;

/// The longest message: what is appended at once ends at a few MiB, and its last record has up to 16.
pub(super) const LONGEST: usize = 32 << 20;
const HEADER: usize = 6;

/// The shortest record: its parts, its time, three texts that are empty.
const SHORTEST: usize = 1 + 8 + 3 * 2;
/// What a record takes beside its content: itself, in a list that grows, and what an allocator adds to
/// each of seven pieces.
const RECORD: usize = 2 * size_of::<Record>() + 7 * 32;

/// The memory that a message of this length takes at most: its bytes, and its records with theirs.
pub(super) const fn memory(length: usize) -> usize {
    let records = if length / SHORTEST < BATCH_RECORDS { length / SHORTEST } else { BATCH_RECORDS };
    2 * length + records * RECORD
}

/// What is asked of the owner.
#[derive(Debug)]
pub(super) enum Request<'r> {
    /// To append these.
    Append(&'r [Record]),
    /// To seal the active segment.
    Rotate,
    /// To let somebody else own the journal.
    HandOver,
}

/// The same, at the end of the owner.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Append(Vec<Record>),
    Rotate,
    HandOver,
}

/// What the owner answers.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// It is done; the number of the first record.
    Done(u64),
    /// Nothing was done: this process owns the journal no longer.
    Moved,
    /// Nothing was done: the process that owns the journal is at other work with it.
    Busy,
    /// It could not be done, and why.
    Failed(String),
    /// There was no answer.
    Gone,
}

impl Request<'_> {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Rotate => message(ROTATE, |_| {}),
            Self::HandOver => message(HAND_OVER, |_| {}),
            Self::Append(records) => message(APPEND, |bytes| {
                for record in *records {
                    write(record, bytes);
                }
            }),
        }
    }
}

impl Asked {
    /// Reads what follows the header of a request; `None` when it is malformed.
    pub(super) fn parse(kind: u8, mut content: &[u8]) -> Option<Self> {
        match kind {
            ROTATE => Some(Self::Rotate),
            HAND_OVER => Some(Self::HandOver),
            APPEND => {
                let mut records = Vec::new();
                while !content.is_empty() {
                    if records.len() == BATCH_RECORDS {
                        return None;
                    }
                    let (record, rest) = read(content)?;
                    records.push(record);
                    content = rest;
                }
                Some(Self::Append(records))
            }
            _ => None,
        }
    }
}

impl Reply {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Done(number) => {
                message(DONE, |bytes| bytes.extend_from_slice(&number.to_be_bytes()))
            }
            Self::Moved | Self::Gone => message(MOVED, |_| {}),
            Self::Busy => message(BUSY, |_| {}),
            Self::Failed(what) => message(FAILED, |bytes| bytes.extend_from_slice(what.as_bytes())),
        }
    }

    pub(super) fn read(from: &mut impl Read) -> io::Result<Self> {
        let (kind, length) = header(from)?;
        let mut content = vec![0; length];
        from.read_exact(&mut content)?;
        let number = content.first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
        match (kind, number) {
            (DONE, Some(number)) => Ok(Self::Done(number)),
            (MOVED, _) => Ok(Self::Moved),
            (BUSY, _) => Ok(Self::Busy),
            (FAILED, _) => Ok(Self::Failed(String::from_utf8_lossy(&content).into_owned())),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    pub(super) fn send(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.to_bytes())
    }
}

/// Kind and length of the content of the message that comes.
pub(super) fn header(from: &mut impl Read) -> io::Result<(u8, usize)> {
    let mut header = [0; HEADER];
    from.read_exact(&mut header)?;
    let [version, kind, length @ ..] = header;
    let length = u32::from_be_bytes(length) as usize;
    if version != VERSION || length > LONGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok((kind, length))
}

fn message(kind: u8, content: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![VERSION, kind, 0, 0, 0, 0];
    content(&mut bytes);
    let length = u32::try_from(bytes.len() - HEADER).expect("a batch has a few MiB");
    bytes[2..HEADER].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// The parts that it has, its head, then each of the others after its length.
fn write(record: &Record, bytes: &mut Vec<u8>) {
    bytes.push(record.parts());
    record.head(bytes);
    for fields in record.fields.iter().flatten() {
        let length = u32::try_from(fields.len()).expect("a record has 16 MiB");
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(fields);
    }
}

fn read(bytes: &[u8]) -> Option<(Record, &[u8])> {
    let (mask, rest) = bytes.split_first()?;
    let (mut record, mut rest) = Record::from_head(rest)?;
    for part in Part::ALL.into_iter().skip(1).filter(|part| mask >> part.index() & 1 == 1) {
        let (length, after) = rest.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (fields, after) = after.split_at_checked(length)?;
        record.fields[part.index() - 1] = Some(fields.to_vec());
        rest = after;
    }
    (record.parts() == *mask && record.check().is_ok()).then_some((record, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_come_back() {
        let records: Vec<Record> = (0..3).map(crate::support::record).collect();
        let bytes = Request::Append(&records).to_bytes();
        let (kind, length) = header(&mut bytes.as_slice()).unwrap();
        assert_eq!(length, bytes.len() - HEADER);
        assert_eq!(Asked::parse(kind, &bytes[HEADER..]), Some(Asked::Append(records)));
        assert_eq!(Asked::parse(kind, &bytes[HEADER..bytes.len() - 1]), None);
        for reply in [Reply::Done(7), Reply::Moved, Reply::Busy, Reply::Failed("full".into())] {
            assert_eq!(Reply::read(&mut reply.to_bytes().as_slice()).unwrap(), reply);
        }
        let mut other = Reply::Moved.to_bytes();
        other[0] += 1;
        assert!(Reply::read(&mut other.as_slice()).is_err(), "of another version");
        assert!(header(&mut [VERSION, APPEND, 255, 0, 0, 0].as_slice()).is_err(), "too long");
    }

    #[test]
    fn a_message_takes_the_memory_that_is_counted() {
        let records = vec![Record::default(); BATCH_RECORDS];
        let bytes = Request::Append(&records).to_bytes();
        let content = &bytes[HEADER..];
        assert_eq!(content.len(), BATCH_RECORDS * SHORTEST);
        let Some(Asked::Append(read)) = Asked::parse(APPEND, content) else { panic!("refused") };
        let taken = read.capacity() * size_of::<Record>();
        assert!(taken > 8 * content.len() && content.len() + taken < memory(content.len()));
        // More of them than are appended at once would take more than that.
        let more = [content, &content[..SHORTEST]].concat();
        assert_eq!(Asked::parse(APPEND, &more), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Some(Asked::Append(records)) = Asked::parse(APPEND, &bytes) {
                prop_assert_eq!(&Request::Append(&records).to_bytes()[HEADER..], bytes);
            }
        }
    }
}
