//! What a write-ahead file holds: told without a key, and opened with the keys at hand.

use ed25519_dalek::VerifyingKey;
use ring::aead::{Aad, LessSafeKey};

use crate::entry::SegmentState;
use crate::error::JournalError;
use crate::fields::is_one_line;
use crate::keys::Key;
use crate::leaf::Fields;
use crate::part::Part;
use crate::record::{self, Record};
use crate::salt::DEPTH;
use crate::tree::Frontier;
use crate::wal::{
    BATCH, Header, LONGEST_HEADER, MAGIC, MARK, Times, cipher, joined, marked, minutes, name,
    nonce, times_of,
};
use crate::{Hash, sha256, tree};

/// The longest frame: what is written together ends at a few MiB, and its last record has up to 16.
const LONGEST_FRAME: usize = 32 << 20;
/// The length of a mark: kind, two numbers, signature.
const MARK_LENGTH: usize = 1 + 8 + 8 + 64;

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
    /// In what minutes they are.
    minutes: (i32, i32),
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
            // Records before the first mark may be anybody's.
            Some((&BATCH, _)) if found.marks.is_empty() => break,
            Some((&BATCH, body)) => {
                let Some(Parts { leaves, minutes, .. }) = Parts::of(body) else { break };
                let (before, records) = (frontier.size(), leaves.len() as u64);
                frontier.extend(leaves.to_vec());
                found.batches.push(Batch { at: found.whole, chain, before, records, minutes });
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

/// Reads the write-ahead file of a sealed segment without a key; `None` when nothing of it was whole.
/// What is wrong, in fixed words, when it is not what the log says.
pub(crate) fn sealed(
    bytes: &[u8],
    segment: &SegmentState,
    origin: &str,
) -> Result<Option<Survey>, &'static str> {
    let Some(found) = survey(bytes) else {
        let is_nothing = (segment.records, segment.root) == (0, tree::root(&[]));
        let is_empty = bytes.is_empty() && is_nothing;
        return if is_empty { Ok(None) } else { Err("it has no header") };
    };
    if !found.header.is_of(segment.number, segment.first, origin) {
        return Err(ELSEWHERE);
    }
    let whole = (found.whole, u64::from(found.records), found.root);
    if whole != (bytes.len(), segment.records, segment.root) {
        return Err("it does not hold the records that the log tells of");
    }
    Ok(Some(found))
}

/// What is said of a write-ahead file that stands in the place of another.
pub(crate) const ELSEWHERE: &str = "it is of another journal or place";

/// What is said of one that whoever owns the journal has not begun.
pub(crate) const NOBODYS: &str =
    "it does not begin with a mark that is signed by the key of its time";

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
    let Some(count) = body.get(8..).and_then(<[u8]>::first_chunk) else {
        return length >= BATCH_HEAD;
    };
    let leaves = u32::from_be_bytes(*count) as usize * 32;
    let Some(mut left) = length.checked_sub(BATCH_HEAD + leaves) else { return false };
    let Some(mut rest) = body.get(BATCH_HEAD + leaves..) else { return true };
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
        let changed = changed || may_go_on_after(bytes, whole, segment, key);
        Self { survey, whole, changed }
    }

    pub(crate) fn records(&self) -> u32 {
        self.survey.as_ref().map_or(0, |survey| survey.records)
    }
}

/// So many places in a frame that was cut may look like a mark. What is encrypted does not by chance: one
/// of them in 2^40 does.
const MOST_LIKENESSES: usize = 1000;

/// Whether a genuine mark stands after this place: then everything before the mark was whole once. What
/// looks like a mark in very many places is not looked at for hours, and is no frame that a crash has cut.
pub(crate) fn may_go_on_after(
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
    let mut begins =
        bytes[place..].windows(begin.len()).enumerate().skip(1).filter(|(_, one)| **one == begin);
    begins.by_ref().take(MOST_LIKENESSES).any(|begin| found(begin).is_some())
        || begins.next().is_some()
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

/// A frame as it lies in the file.
pub(crate) struct Frame<'b> {
    /// Length and body.
    pub(crate) bytes: &'b [u8],
    /// The hash that follows it.
    pub(crate) chain: &'b Hash,
}

impl<'b> Frame<'b> {
    pub(crate) fn read(bytes: &'b [u8]) -> Option<Self> {
        let length = usize::try_from(u32::from_be_bytes(*bytes.first_chunk()?)).ok()?;
        let (frame, rest) =
            bytes.split_at_checked(4 + length).filter(|_| length <= LONGEST_FRAME)?;
        Some(Self { bytes: frame, chain: rest.first_chunk()? })
    }
}

/// What a batch begins with: its number, the count of its records, and the minutes of their times.
const BATCH_HEAD: usize = 8 + 4 + 4 + 4;

/// What a batch is made of.
struct Parts<'b> {
    number: u64,
    minutes: (i32, i32),
    leaves: &'b [Hash],
    /// The encrypted parts of its records.
    sealed: &'b [u8],
}

impl<'b> Parts<'b> {
    fn of(body: &'b [u8]) -> Option<Self> {
        let (number, rest) = body.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (from, rest) = rest.split_first_chunk()?;
        let (to, rest) = rest.split_first_chunk()?;
        let count = usize::try_from(u32::from_be_bytes(*count)).ok()?;
        let (leaves, sealed) = rest.split_at_checked(count.checked_mul(32)?)?;
        let minutes = (i32::from_be_bytes(*from), i32::from_be_bytes(*to));
        let leaves = leaves.as_chunks().0;
        Some(Self { number: u64::from_be_bytes(*number), minutes, leaves, sealed })
    }
}

impl Survey {
    /// The first mark that was not signed by the key of its time, by its place in the file.
    pub(crate) fn forged_mark(&self, key: impl Fn(u64) -> Option<VerifyingKey>) -> Option<usize> {
        let mut marks = self.marks.iter();
        marks.find(|mark| !mark.is_genuine(self.header.segment, &key)).map(|mark| mark.at)
    }

    /// Whether the mark that it begins with is signed by the key of its time. If not, whoever can write
    /// to the directory may have begun it, with keys of its own.
    pub(crate) fn is_begun_by(&self, key: impl Fn(u64) -> Option<VerifyingKey>) -> bool {
        self.marks.first().is_some_and(|mark| mark.is_genuine(self.header.segment, &key))
    }

    /// Whether it has a mark, of whomever.
    pub(crate) fn is_marked(&self) -> bool {
        !self.marks.is_empty()
    }

    /// The batches, each opened with the keys at hand.
    pub(crate) fn open<'a>(
        &'a self,
        bytes: &'a [u8],
        keys: [Option<&Hash>; 5],
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

    /// A range that the times of its records are in.
    pub(crate) fn times(&self, batch: usize) -> (i64, i64) {
        times_of(self.batches[batch].minutes)
    }

    /// The same of all records.
    pub(crate) fn all_times(&self) -> Times {
        let filled = (0..self.batches.len()).filter(|batch| self.batches[*batch].records > 0);
        filled.fold(None, |all, batch| joined(all, Some(self.times(batch))))
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

pub(crate) fn ciphers(keys: [Option<&Hash>; 5]) -> Ciphers {
    keys.map(|key| key.map(cipher))
}

/// A record of a batch that was opened, where it lies.
pub(crate) struct Lent<'b> {
    pub(crate) time: i64,
    /// Level, logger and kinds.
    pub(crate) texts: [&'b str; 3],
    pub(crate) fields: Fields<'b>,
}

impl Lent<'_> {
    fn to_record(&self) -> Record {
        let [level, logger, kinds] = self.texts.map(str::to_owned);
        let fields = self.fields.map(|fields| fields.map(<[u8]>::to_vec));
        Record { time: self.time, level, logger, kinds, fields }
    }
}

/// The records of a batch.
pub(crate) fn open_batch(
    frame: &Frame<'_>,
    chain: &Hash,
    ciphers: &Ciphers,
) -> Option<Vec<Record>> {
    let mut records = Vec::new();
    lend_batch(frame, chain, ciphers, &mut Opened::default(), |lent| {
        records.push(lent.to_record());
    })?;
    Some(records)
}

/// Memory for the parts of a batch, which is used again.
pub(crate) type Opened = [Vec<u8>; 5];

/// Hands over the records of a batch, one by one, and says how many there are. When there is none in the end,
/// none of them counts.
pub(crate) fn lend_batch(
    frame: &Frame<'_>,
    chain: &Hash,
    ciphers: &Ciphers,
    memory: &mut Opened,
    mut take: impl FnMut(Lent<'_>),
) -> Option<usize> {
    let Parts { number, minutes: said, leaves, sealed: mut rest } =
        Parts::of(frame.bytes.get(5..)?)?;
    let mut lengths = [None; 5];
    while let Some((part, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (sealed, after) = after.split_at_checked(length)?;
        rest = after;
        let part = usize::from(*part);
        if let Some(cipher) = ciphers.get(part)? {
            let opened = &mut memory[part];
            opened.clear();
            opened.extend_from_slice(sealed);
            let opened = cipher.open_in_place(nonce(number), Aad::from(chain), opened).ok()?;
            lengths[part] = Some(opened.len());
        }
    }
    let parts = memory.iter().zip(lengths);
    let mut parts = parts.map(|(opened, length)| Some(&opened[..length?]));
    let mut heads = parts.next().flatten()?;
    let mut rests: [Option<&[u8]>; 4] = Default::default();
    for (rest, part) in rests.iter_mut().zip(parts) {
        *rest = part;
    }
    let mut times = None;
    for _ in leaves {
        let (mask, after) = heads.split_first()?;
        let (time, texts, after) = record::read_head(after)?;
        heads = after;
        let mut fields = Fields::default();
        for (class, (fields, rest)) in fields.iter_mut().zip(&mut rests).enumerate() {
            if let Some(bytes) = rest.filter(|_| mask >> (class + 1) & 1 == 1) {
                let (length, after) = bytes.split_first_chunk()?;
                let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
                let (content, after) = after.split_at_checked(length)?;
                is_one_line(content).then_some(())?;
                *fields = Some(content);
                *rest = Some(after);
            }
        }
        times = joined(times, Some((time, time)));
        take(Lent { time, texts, fields });
    }
    (minutes(times) == said).then_some(leaves.len())
}

#[cfg(test)]
mod tests {
    use crate::support::{Fixture, record};
    use crate::{Filter, JournalError, sha256};

    #[test]
    fn a_batch_that_lies_about_its_minutes_is_not_opened() {
        let fixture = Fixture::new();
        let journal = fixture.open();
        journal.append(record(0)).unwrap();
        let file = fixture.path().join("active/0000000000.wal");
        let mut bytes = std::fs::read(&file).unwrap();
        let found = super::survey(&bytes).unwrap();
        let (at, chain) = (found.batches[0].at, found.batches[0].chain);
        let (first, last) = found.times(0);
        let time = record(0).time;
        assert!(first <= time && time <= last && last - first < 60_000_000_000);
        // The earliest minute, after length, kind, number and count; and the hash over it.
        bytes[at + 4 + 1 + 8 + 4 + 3] ^= 1;
        let frame = super::Frame::read(&bytes[at..]).unwrap().bytes.len();
        let hash = sha256(&[&chain, &bytes[at..at + frame]]);
        bytes[at + frame..at + frame + 32].copy_from_slice(&hash);
        std::fs::write(&file, &bytes).unwrap();
        let read = |filter: &Filter| fixture.reader().each(filter, &mut |_| true);
        let error = read(&Filter::default()).unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
        // Nor is it for times that it does not name.
        read(&Filter { since: Some(last + 60_000_000_001), ..Filter::default() }).unwrap();
        drop(journal);
    }
}
