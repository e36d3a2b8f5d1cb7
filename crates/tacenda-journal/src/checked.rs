//! A sealed file of which no byte is used before it was compared with the log.
//!
//! The log has the hash of its tail, which is Parquet's footer, and the footer has the hashes of the
//! blocks before it: so little is read where little is wanted.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::{Hash, sha256};

/// The length of a block; the last one may be shorter.
pub(crate) const BLOCK: usize = 1 << 16;
/// The key under which the footer has the hashes of the blocks, one after the other in base64.
pub(crate) const BLOCKS: &str = "tacenda.blocks";
/// What a file ends with, after the length of its footer.
const MAGIC: &[u8; 4] = b"PARE";
const END: usize = 8;
/// The longest tail: of many row groups, with the keys of many recipients.
const LONGEST_TAIL: u64 = 512 << 20;

/// A file whose tail is the one that the log tells of.
pub(crate) struct Checked {
    file: File,
    length: u64,
    tail: Bytes,
    hashes: Vec<Hash>,
}

impl Checked {
    /// Compares a file by its length and its tail; `None` when it is another one.
    pub(crate) fn open(file: File, length: u64, tail: &Hash) -> io::Result<Option<Self>> {
        let mut end = [0; END];
        if file.metadata()?.len() != length || length < END as u64 {
            return Ok(None);
        }
        file.read_exact_at(&mut end, length - END as u64)?;
        let most = length.min(LONGEST_TAIL);
        let Some(size) = tail_length(end).filter(|size| *size <= most) else { return Ok(None) };
        let Ok(room) = usize::try_from(size) else { return Ok(None) };
        let mut bytes = vec![0; room];
        file.read_exact_at(&mut bytes, length - size)?;
        let same = sha256(&[&bytes]) == *tail;
        Ok(same.then(|| Self { file, length, tail: bytes.into(), hashes: Vec::new() }))
    }

    /// The bytes of the file.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The footer and what follows it.
    pub(crate) fn tail(&self) -> &Bytes {
        &self.tail
    }

    /// Takes the hashes of the blocks from the footer; `None` when they are not those of all.
    pub(crate) fn set_hashes(&mut self, text: &str) -> Option<()> {
        let bytes = BASE64_STANDARD.decode(text).ok()?;
        let (hashes, rest) = bytes.as_chunks();
        let blocks = self.body().div_ceil(BLOCK as u64);
        self.hashes = hashes.to_vec();
        (rest.is_empty() && hashes.len() as u64 == blocks).then_some(())
    }

    /// Reads bytes that stand before the tail; `None` when they are not those that were written.
    pub(crate) fn read(&self, start: u64, length: usize) -> Option<Vec<u8>> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.body())?;
        let block = BLOCK as u64;
        let (first, last) = (start / block, end.div_ceil(block));
        let from = first * block;
        let whole = usize::try_from((last * block).min(self.body()) - from).ok()?;
        let mut bytes = vec![0; whole];
        self.file.read_exact_at(&mut bytes, from).ok()?;
        let hashes = self.hashes.get(usize::try_from(first).ok()?..)?;
        if !bytes.chunks(BLOCK).zip(hashes).all(|(block, hash)| sha256(&[block]) == *hash) {
            return None;
        }
        let skipped = usize::try_from(start - from).ok()?;
        bytes.truncate(skipped + length);
        bytes.drain(..skipped);
        Some(bytes)
    }

    /// The bytes before the tail.
    fn body(&self) -> u64 {
        self.length - self.tail.len() as u64
    }
}

/// What the log says of a file, found anew; it is read piece by piece.
pub(crate) struct Digest {
    /// Its hash; `None` where it has a length that no file has which the log tells of.
    pub(crate) sha256: Option<Hash>,
    pub(crate) bytes: u64,
    /// The hash of its tail, if it ends as Parquet does.
    pub(crate) tail: Option<Hash>,
}

impl Digest {
    /// That of a file, if it may have so many bytes: what it cannot be by its length is not hashed.
    pub(crate) fn of(file: &File, may_have: impl Fn(u64) -> bool) -> io::Result<Self> {
        let length = file.metadata()?.len();
        if !may_have(length) {
            return Ok(Self { sha256: None, bytes: length, tail: None });
        }
        let (sha256, bytes) = hash_from(file, 0)?;
        let mut end = [0; END];
        let mut tail = None;
        if let Some(at) = bytes.checked_sub(END as u64) {
            file.read_exact_at(&mut end, at)?;
            let start = tail_length(end).and_then(|length| bytes.checked_sub(length));
            tail = start.map(|start| hash_from(file, start)).transpose()?;
        }
        Ok(Self { sha256: Some(sha256), bytes, tail: tail.map(|(hash, _)| hash) })
    }
}

/// The hash of a file from a place on, and how many bytes that is.
fn hash_from(file: &File, start: u64) -> io::Result<(Hash, u64)> {
    let (mut hasher, mut at, mut piece) = (Sha256::new(), start, vec![0; BLOCK]);
    loop {
        match file.read_at(&mut piece, at) {
            Ok(0) => return Ok((hasher.finalize().into(), at - start)),
            Ok(count) => {
                hasher.update(&piece[..count]);
                at += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The length of the tail, by the last bytes of it.
fn tail_length(end: [u8; END]) -> Option<u64> {
    let (length, magic) = end.split_first_chunk()?;
    (magic == MAGIC).then(|| u64::from(u32::from_le_bytes(*length)) + END as u64)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A file with so many bytes before its tail, the hashes of its blocks, and that of its tail.
    fn file(body: usize) -> (File, Vec<u8>, String, Hash) {
        let mut bytes: Vec<u8> = (0..body).map(|at| u8::try_from(at % 251).unwrap()).collect();
        let hashes: Vec<Hash> = bytes.chunks(BLOCK).map(|block| sha256(&[block])).collect();
        bytes.extend_from_slice(b"footer\x06\0\0\0PARE");
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&bytes).unwrap();
        let hash = sha256(&[&bytes[body..]]);
        let length = bytes.len() as u64;
        let other = Digest::of(&file, |bytes| bytes != length).unwrap();
        assert_eq!((other.sha256, other.tail, other.bytes), (None, None, length));
        let digest = Digest::of(&file, |bytes| bytes == length).unwrap();
        assert_eq!((digest.sha256, digest.tail), (Some(sha256(&[&bytes])), Some(hash)));
        assert_eq!(digest.bytes, bytes.len() as u64);
        (file, bytes, BASE64_STANDARD.encode(hashes.as_flattened()), hash)
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        for body in [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let (file, bytes, hashes, tail) = file(body);
            let mut checked = Checked::open(file, bytes.len() as u64, &tail).unwrap().unwrap();
            checked.set_hashes(&hashes).unwrap();
            let places = [0, 1, body / 2, BLOCK - 1, BLOCK, body - 1, body];
            for (start, end) in places.iter().flat_map(|one| places.map(|other| (*one, other))) {
                let read =
                    end.checked_sub(start).and_then(|length| checked.read(start as u64, length));
                let expected = (start <= end && end <= body).then(|| &bytes[start..end]);
                assert_eq!(read.as_deref(), expected, "{start}..{end} of {body}");
            }
            assert_eq!(checked.read(u64::MAX, 2), None);
        }
    }

    #[test]
    fn what_was_changed_is_not_read() {
        let (file, mut bytes, hashes, tail) = file(3 * BLOCK);
        let length = bytes.len() as u64;
        let again = || file.try_clone().unwrap();
        let mut checked = Checked::open(again(), length, &tail).unwrap().unwrap();
        assert!(checked.set_hashes("").is_none(), "its hashes are missing");
        checked.set_hashes(&hashes).unwrap();
        bytes[BLOCK + 7] ^= 1;
        file.write_all_at(&bytes, 0).unwrap();
        let read = |block: u64| checked.read(block * BLOCK as u64, BLOCK).is_some();
        assert_eq!([0, 1, 2].map(read), [true, false, true]);
        for at in 3 * BLOCK..bytes.len() {
            bytes[at] ^= 1;
            file.write_all_at(&bytes, 0).unwrap();
            assert!(Checked::open(again(), length, &tail).unwrap().is_none(), "byte {at}");
            bytes[at] ^= 1;
        }
        file.write_all_at(&bytes, 0).unwrap();
        assert!(Checked::open(again(), length - 1, &tail).unwrap().is_none(), "another length");
        assert!(Checked::open(again(), length, &tail).unwrap().is_some());
    }
}
