//! The fingerprints of all protected values, and who each of them belongs to.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};

use super::store::ValueId;

/// What an entry and its bits in the sieve cost, roughly, in bytes.
pub(super) const ENTRY_BYTES: usize = 36;

/// Fingerprints by their hash.
#[derive(Default)]
pub(super) struct Grams {
    table: HashMap<u64, Gram, BuildHasherDefault<Prehashed>>,
    sieve: Sieve,
}

#[derive(Default)]
struct Gram {
    owner: ValueId,
    refs: u32,
}

impl Grams {
    /// Adds a fingerprint. The newest value gives the name: of a text that was seen before, it
    /// tells the most.
    pub(super) fn add(&mut self, hash: u64, owner: ValueId) {
        if self.sieve.is_full() {
            self.sieve = Sieve::of(self.table.keys());
        }
        self.sieve.add(hash);
        let gram = self.table.entry(hash).or_default();
        gram.owner = owner;
        gram.refs += 1;
    }

    /// Takes one of those out that were added with this hash.
    pub(super) fn take(&mut self, hash: u64) {
        if let Entry::Occupied(mut gram) = self.table.entry(hash) {
            gram.get_mut().refs -= 1;
            if gram.get().refs == 0 {
                gram.remove();
            }
        }
    }

    /// Whose it is. A fingerprint whose newest owner is gone belongs to nobody in particular, but
    /// is protected all the same.
    pub(super) fn owner(&self, hash: u64) -> Option<ValueId> {
        if !self.sieve.may_hold(hash) {
            return None;
        }
        self.table.get(&hash).map(|gram| gram.owner)
    }
}

/// Which fingerprints there may be (a blocked Bloom filter). Nearly no text repeats one, and unlike
/// the table this fits into the cache of a processor.
#[derive(Default)]
struct Sieve {
    /// As many as a power of two, or none.
    words: Vec<u64>,
    /// How many were added since it was made. What was taken out of the table stays until then.
    added: usize,
}

impl Sieve {
    /// Bits for each fingerprint. With three of them set, in one word, one in about 60 of those
    /// that are not there seems to be.
    const BITS: usize = 16;
    /// Words that it starts with.
    const WORDS: usize = 64;

    /// With room for as many again.
    fn of<'h>(hashes: impl ExactSizeIterator<Item = &'h u64>) -> Self {
        let words = (hashes.len() * 2 * Self::BITS / 64).max(Self::WORDS).next_power_of_two();
        let mut sieve = Self { words: vec![0; words], added: 0 };
        hashes.for_each(|hash| sieve.add(*hash));
        sieve
    }

    fn is_full(&self) -> bool {
        self.added >= self.words.len() * 64 / Self::BITS
    }

    fn add(&mut self, hash: u64) {
        let (word, bits) = self.place(hash);
        self.words[word] |= bits;
        self.added += 1;
    }

    fn may_hold(&self, hash: u64) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let (word, bits) = self.place(hash);
        self.words[word] & bits == bits
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        let bit = |shift: u32| 1_u64 << (hash >> shift & 63);
        let word = (hash >> 18) as usize & (self.words.len() - 1);
        (word, bit(0) | bit(6) | bit(12))
    }
}

/// The hashes are uniform already.
#[derive(Default)]
struct Prehashed(u64);

impl Hasher for Prehashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(number: u64) -> u64 {
        let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed ^ mixed >> 31).wrapping_mul(0xd6e8_feb8_6659_fd93)
    }

    #[test]
    fn the_sieve_lets_through_what_is_in_the_table_and_little_else() {
        let mut grams = Grams::default();
        assert_eq!(grams.owner(hash(1)), None);
        for number in 0..50_000 {
            grams.add(hash(number), ValueId(number));
        }
        assert!((0..50_000).all(|number| grams.owner(hash(number)) == Some(ValueId(number))));
        let others = 50_000..100_000;
        let wrong = others.clone().filter(|number| grams.sieve.may_hold(hash(*number))).count();
        assert!(wrong < others.count() / 20, "{wrong}");
    }

    #[test]
    fn what_was_added_twice_stays_until_it_is_taken_out_twice() {
        let mut grams = Grams::default();
        grams.add(hash(1), ValueId(1));
        grams.add(hash(1), ValueId(2));
        grams.take(hash(1));
        assert_eq!(grams.owner(hash(1)), Some(ValueId(2)));
        grams.take(hash(1));
        grams.take(hash(1));
        assert_eq!(grams.owner(hash(1)), None);
    }
}
