//! The sealed log: append, rotate, encrypt, sign, verify, read, erase, retain.
//!
//! A [`Journal`] takes [`Record`]s. They go, encrypted, into the write-ahead file of the active
//! segment; a full segment is sealed as encrypted Parquet, and its manifest becomes an entry of a
//! transparency log. `docs/reference/journal-format.md` is the specification of every byte.

// What tests share names the crate from outside.
#[cfg(test)]
extern crate self as tacenda_journal;

mod appender;
mod blocks;
mod canonical;
mod checked;
mod deep;
mod disk;
mod entry;
mod erase;
mod error;
mod export;
mod fields;
mod filter;
mod footer;
mod frames;
mod group;
mod identities;
mod keys;
mod lanes;
mod leaf;
mod locked;
mod log;
mod log_view;
mod note;
mod owner;
mod page;
mod part;
mod place;
mod proof;
mod reader;
mod record;
mod recover;
mod retain;
mod rewrite;
mod salt;
mod sealed;
mod segment;
mod settings;
#[cfg(test)]
#[path = "../tests/support/mod.rs"]
mod support;
mod survey;
mod thrift;
mod tiles;
mod together;
mod tree;
mod verify;
mod wal;
mod wish;
mod witness;
mod writer;

pub use age::{Callbacks, NoCallbacks};
pub use appender::Appender;
pub use disk::{Fault, Step};
pub use entry::{Cause, Entry, Event, Format, SegmentState};
pub use erase::Erased;
pub use error::JournalError;
pub use export::{Parquet, journald, otlp};
pub use filter::{Filter, levels};
pub use identities::Identities;
pub use keys::{Recipients, new_identity};
pub use locked::keys_stay_in_memory;
pub use note::{Checkpoint, VerifierKey};
pub use part::Part;
pub use place::Place;
pub use reader::{Reader, SegmentFile};
pub use record::{LONGEST as LONGEST_RECORD, Record, Seen};
pub use retain::{Deleted, Hold};
pub use settings::{ClassAges, Durability, Limits, Retention, Settings};
pub use verify::{Fault as Damage, Finding, Sight, Verification, Verifier};
pub use wish::{hide_wish, show_wish};
#[cfg(feature = "witness")]
pub use witness::Https;
pub use writer::{Clock, Journal, Options, system_clock};

/// Readers of bytes that a stranger may have written, for the fuzzer.
#[doc(hidden)]
pub mod untrusted {
    pub use crate::entry::parse as entry;
    pub use crate::keys::read_key_material as key_material;
    pub use crate::note::Note;
    pub use crate::survey::survey;
    pub use crate::tiles::bundle;
}

/// SHA-256 (FIPS 180-4).
pub type Hash = [u8; 32];

/// SHA-256 of the parts, one after the other.
#[inline]
fn sha256(parts: &[&[u8]]) -> Hash {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    if length <= SHORT { sha256_short(parts, length) } else { sha256_long(parts) }
}

fn sha256_long(parts: &[&[u8]]) -> Hash {
    use sha2::Digest as _;
    let mut hasher = sha2::Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// What SHA-256 begins with.
const BEGIN: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

/// What two blocks of SHA-256 have room for, beside a bit and the length.
const SHORT: usize = 2 * 64 - 9;

/// The same, of parts that are so short. Seeds and hashes are most of what is hashed: where their lengths
/// are known, nothing but the blocks is left of this.
#[inline]
fn sha256_short(parts: &[&[u8]], length: usize) -> Hash {
    let (mut blocks, mut at) = ([[0; 64]; 2], 0);
    let bytes = blocks.as_flattened_mut();
    for part in parts {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    bytes[length] = 0x80;
    let count = (length + 9).div_ceil(64);
    bytes[64 * count - 8..64 * count].copy_from_slice(&(8 * length as u64).to_be_bytes());
    let mut state = BEGIN;
    sha2::block_api::compress256(&mut state, &blocks[..count]);
    hash_of(state)
}

fn hash_of(state: [u32; 8]) -> Hash {
    let mut hash = [0; 32];
    for (bytes, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    hash
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The hash that 64 lower-case hexadecimal digits spell.
fn unhex(digits: &str) -> Option<Hash> {
    let mut hash = [0; 32];
    let digits = digits.as_bytes();
    if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(nibble(pair[0])? << 4 | nibble(pair[1])?).ok()?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use sha2::Digest as _;

    use super::*;

    #[test]
    fn what_is_short_has_the_same_hash() {
        let bytes: Vec<u8> = (0..=255).collect();
        for length in 0..=bytes.len() {
            let (one, other) = bytes[..length].split_at(length / 3);
            let expected: Hash = sha2::Sha256::digest(&bytes[..length]).into();
            assert_eq!(sha256(&[one, &[], other]), expected, "{length} bytes");
        }
    }
}
