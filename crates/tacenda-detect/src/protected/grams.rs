//! The fingerprints of all protected values, and who each of them belongs to.
//!
//! Memory is bounded, so few places are empty here, and what grows or shrinks does it by little and
//! where it lies, without a copy beside it.

use super::store::ValueId;

/// What a fingerprint and its bits in the sieve take at most, in bytes.
pub(super) const GRAM_BYTES: usize =
    (size_of::<Slot>() * EIGHTIETHS).div_ceil(SPARSE) + (Sieve::BITS * 3 / 2).div_ceil(8);

/// Parts of the table that grow by themselves.
const SHARDS: usize = 16;

/// How full a shard is: filled up, it grows; emptied, it shrinks; and how full it is then.
const EIGHTIETHS: usize = 80;
const FULL: usize = 72;
const FRESH: usize = 60;
const SPARSE: usize = 54;

/// A shard with so few places doubles them.
const FEW: usize = 2048;

/// Fingerprints by their hash.
#[derive(Default)]
pub(super) struct Grams {
    shards: [Shard; SHARDS],
    sieve: Sieve,
    len: usize,
    /// What all shards have room for.
    slots: usize,
    newest: u64,
}

impl Grams {
    /// Adds a fingerprint. The newest value gives the name: of a text that was seen before, it
    /// tells the most.
    pub(super) fn add(&mut self, hash: u64, owner: ValueId) {
        self.newest = self.newest.max(owner.0);
        let is_new = self.change(hash, |shard| shard.add(hash, low(owner.0)));
        if !is_new {
            return;
        }
        self.len += 1;
        if self.sieve.is_full() {
            self.renew_sieve();
        } else {
            self.sieve.add(hash);
        }
    }

    /// Takes one of those out that were added with this hash.
    pub(super) fn take(&mut self, hash: u64) {
        if self.change(hash, |shard| shard.take(hash)) {
            self.len -= 1;
            if self.sieve.is_sparse(self.len) {
                self.renew_sieve();
            }
        }
    }

    /// Whose it is. A fingerprint whose newest owner is gone belongs to nobody in particular, but
    /// is protected all the same.
    pub(super) fn owner(&self, hash: u64) -> Option<ValueId> {
        if !self.sieve.may_hold(hash) {
            return None;
        }
        let owner = self.shards[shard_of(hash)].owner(hash)?;
        // As many values as there are numbers of 32 bits have not come since.
        Some(ValueId(self.newest - u64::from(low(self.newest).wrapping_sub(owner))))
    }

    /// What they take, in bytes: at least what as many take at most, for they may be as many that
    /// lie less close together.
    pub(super) fn bytes(&self) -> usize {
        let taken = self.slots * size_of::<Slot>() + self.sieve.words.len() * size_of::<u64>();
        taken.max(self.len * GRAM_BYTES)
    }

    fn change(&mut self, hash: u64, change: impl FnOnce(&mut Shard) -> bool) -> bool {
        let shard = &mut self.shards[shard_of(hash)];
        let before = shard.slots.len();
        let outcome = change(shard);
        self.slots = self.slots + shard.slots.len() - before;
        outcome
    }

    fn renew_sieve(&mut self) {
        self.sieve.empty_for(self.len);
        let slots = self.shards.iter().flat_map(|shard| &shard.slots);
        slots.filter(|slot| !slot.is_empty()).for_each(|slot| self.sieve.add(slot.hash));
    }
}

/// The low bits of the number of a value.
#[expect(clippy::cast_possible_truncation, reason = "that is what is asked for")]
fn low(number: u64) -> u32 {
    number as u32
}

#[expect(clippy::cast_possible_truncation, reason = "it is less than the number of shards")]
fn shard_of(hash: u64) -> usize {
    (hash >> (u64::BITS - SHARDS.ilog2())) as usize
}

/// A table of those hashes that begin alike. They lie in their order, each at its place or behind it,
/// with nothing empty between.
#[derive(Default)]
struct Shard {
    slots: Vec<Slot>,
    /// Places that hashes may have. Behind them is room for those that found theirs taken.
    places: usize,
    len: usize,
}

#[derive(Clone, Copy, Default)]
struct Slot {
    hash: u64,
    /// The low bits of the number of a value.
    owner: u32,
    /// How often it was added; none for an empty slot.
    refs: u32,
}

impl Slot {
    fn is_empty(self) -> bool {
        self.refs == 0
    }
}

impl Shard {
    /// False: it was there.
    fn add(&mut self, hash: u64, owner: u32) -> bool {
        let mut place = self.find(hash);
        if let Ok(at) = place {
            let slot = &mut self.slots[at];
            slot.owner = owner;
            slot.refs += 1;
            return false;
        }
        if self.len * EIGHTIETHS >= self.places * FULL {
            let more = if self.places < FEW { self.places } else { 0 };
            self.resize(((self.len + 1) * EIGHTIETHS / FRESH + 1).max(self.places + more));
            place = self.find(hash);
        }
        let (Ok(at) | Err(at)) = place;
        loop {
            if let Some(taken) = self.slots[at..].iter().position(|slot| slot.is_empty()) {
                self.slots.copy_within(at..at + taken, at + 1);
                self.slots[at] = Slot { hash, owner, refs: 1 };
                self.len += 1;
                return true;
            }
            // They lie close up to the end.
            self.lengthen(self.slots.len() + self.slots.len() / 32 + 1);
        }
    }

    /// False: it is there still, or never was.
    fn take(&mut self, hash: u64) -> bool {
        let Ok(at) = self.find(hash) else { return false };
        self.slots[at].refs -= 1;
        if !self.slots[at].is_empty() {
            return false;
        }
        // Those that stand behind their place come nearer to it.
        let behind = self.slots[at + 1..].iter().zip(at + 1..);
        let moves =
            behind.take_while(|(slot, at)| !slot.is_empty() && self.place(slot.hash) < *at).count();
        self.slots.copy_within(at + 1..=at + moves, at);
        self.slots[at + moves] = Slot::default();
        self.len -= 1;
        if self.len == 0 {
            *self = Self::default();
        } else if self.len * EIGHTIETHS < self.places * self.sparse() && self.places > SHARDS {
            self.resize(self.len * EIGHTIETHS / FRESH + 1);
        }
        true
    }

    fn owner(&self, hash: u64) -> Option<u32> {
        self.find(hash).ok().map(|at| self.slots[at].owner)
    }

    /// Who doubles its places waits longer until it gives them back.
    fn sparse(&self) -> usize {
        if self.places <= 2 * FEW { SPARSE / 2 } else { SPARSE }
    }

    /// Where a hash stands, or would.
    fn find(&self, hash: u64) -> Result<usize, usize> {
        let mut at = self.place(hash);
        while let Some(slot) = self.slots.get(at)
            && !slot.is_empty()
            && slot.hash <= hash
        {
            if slot.hash == hash {
                return Ok(at);
            }
            at += 1;
        }
        Err(at)
    }

    /// The higher the hash the higher its place.
    fn place(&self, hash: u64) -> usize {
        scaled(hash << SHARDS.ilog2(), self.places)
    }

    fn lengthen(&mut self, len: usize) {
        self.slots.reserve_exact(len.saturating_sub(self.slots.len()));
        self.slots.resize(len, Slot::default());
    }

    /// Spreads them over so many places.
    fn resize(&mut self, places: usize) {
        self.places = places;
        let mut all = places + 4 + (places / 8).min(60);
        loop {
            self.slots.retain(|slot| !slot.is_empty());
            let count = self.slots.len();
            self.lengthen(all);
            // Their old places are those at the end, which each leaves before it is needed.
            let first = all - count;
            self.slots.copy_within(..count, first);
            self.slots[..first].fill(Slot::default());
            let mut next = 0;
            let fits = (first..all).all(|from| {
                let slot = std::mem::take(&mut self.slots[from]);
                let to = self.place(slot.hash).max(next).min(from);
                self.slots[to] = slot;
                next = to + 1;
                to >= self.place(slot.hash)
            });
            if fits {
                break;
            }
            all += all / 8 + 1;
        }
        self.slots.shrink_to_fit();
    }
}

/// A hash as a number below `below`, by its first 32 bits.
fn scaled(hash: u64, below: usize) -> usize {
    (((hash >> 32) * below as u64) >> 32) as usize
}

/// Which fingerprints there may be (a blocked Bloom filter). Nearly no text repeats one, and unlike
/// the table this fits into the cache of a processor.
#[derive(Default)]
struct Sieve {
    words: Vec<u64>,
    /// How many were added since it was made. What was taken out of the table stays until then.
    added: usize,
}

impl Sieve {
    /// Bits for each fingerprint. With three of them set, in one word, one in about 80 of those
    /// that are not there seems to be.
    const BITS: usize = 20;
    /// Fewest words.
    const WORDS: usize = 8;

    /// Makes it anew, with room for a quarter more than so many. It stays where it is, if it can.
    fn empty_for(&mut self, count: usize) {
        let words = (count * 5 / 4 * Self::BITS / 64).max(Self::WORDS);
        self.added = 0;
        self.words.clear();
        self.words.shrink_to(words);
        self.words.reserve_exact(words);
        self.words.resize(words, 0);
    }

    fn room(&self) -> usize {
        self.words.len() * 64 / Self::BITS
    }

    fn is_full(&self) -> bool {
        self.added >= self.room()
    }

    /// Whether it is much too large for so many.
    fn is_sparse(&self, count: usize) -> bool {
        self.words.len() > Self::WORDS && self.room() > count * 3 / 2
    }

    fn add(&mut self, hash: u64) {
        let (word, bits) = self.place(hash);
        self.words[word] |= bits;
        self.added += 1;
    }

    fn may_hold(&self, hash: u64) -> bool {
        let (word, bits) = self.place(hash);
        self.words.get(word).is_some_and(|word| word & bits == bits)
    }

    fn place(&self, hash: u64) -> (usize, u64) {
        let bit = |shift: u32| 1_u64 << (hash >> shift & 63);
        (scaled(hash, self.words.len()), bit(0) | bit(6) | bit(12))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

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

    #[test]
    fn the_number_of_a_value_may_have_more_bits_than_are_kept() {
        let mut grams = Grams::default();
        let (old, new) = (ValueId((7 << 32) - 1), ValueId((7 << 32) + 1));
        grams.add(hash(1), old);
        grams.add(hash(2), new);
        assert_eq!((grams.owner(hash(1)), grams.owner(hash(2))), (Some(old), Some(new)));
    }

    #[test]
    fn what_is_taken_is_what_is_there() {
        let mut grams = Grams::default();
        let mut most = 0;
        for number in 0..100_000 {
            grams.add(hash(number), ValueId(number));
            let taken = grams.slots * size_of::<Slot>() + grams.sieve.words.len() * 8;
            assert!(
                taken <= grams.len * GRAM_BYTES + SHARDS * FEW * 32,
                "{taken} of {}",
                grams.len
            );
            most = most.max(taken);
        }
        for number in 0..100_000 {
            let taken = grams.slots * size_of::<Slot>() + grams.sieve.words.len() * 8;
            assert!(
                taken <= grams.len * GRAM_BYTES + SHARDS * FEW * 32,
                "{taken} of {}",
                grams.len
            );
            grams.take(hash(number));
        }
        assert!(grams.slots == 0 && grams.bytes() <= 64, "{}", grams.bytes());
    }

    proptest! {
        /// Hashes that crowd at the ends of shards, in any order.
        #[test]
        fn the_table_is_a_multiset(
            steps in prop::collection::vec((0_u64..200, 0_u8..3, any::<bool>()), 0..600),
        ) {
            let (mut grams, mut expected) = (Grams::default(), HashMap::<u64, (u64, u32)>::new());
            for (place, (number, dice, crowded)) in (0..).zip(steps) {
                let hash = if crowded { u64::MAX - number } else { hash(number) };
                if dice > 0 {
                    grams.add(hash, ValueId(place));
                    let known = expected.entry(hash).or_default();
                    *known = (place, known.1 + 1);
                } else {
                    grams.take(hash);
                    if let Some(known) = expected.get_mut(&hash) {
                        known.1 -= 1;
                        if known.1 == 0 {
                            expected.remove(&hash);
                        }
                    }
                }
                prop_assert_eq!(grams.len, expected.len());
                prop_assert_eq!(grams.slots, grams.shards.iter().map(|it| it.slots.len()).sum::<usize>());
            }
            for number in 0..200 {
                for hash in [u64::MAX - number, hash(number)] {
                    let owner = expected.get(&hash).map(|(owner, _)| ValueId(*owner));
                    prop_assert_eq!(grams.owner(hash), owner);
                }
            }
        }
    }
}
