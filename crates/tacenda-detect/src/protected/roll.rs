//! Keyed rolling hashes over the last few canonical characters.

/// Longest window: one less than the ring holds.
pub(super) const MAX_WINDOW: usize = 15;

const RING: usize = MAX_WINDOW + 1;

use super::share::SharedKey;
use super::store::GRAM;

/// The key of the hashes: without it, a set of them tells nothing about the text.
#[derive(Clone)]
pub(super) struct HashKey {
    /// Odd, so that its powers never vanish modulo 2⁶⁴.
    base: u64,
    mask: u64,
    powers: [u64; RING],
    /// What the characters of a window count for.
    weights: [u64; GRAM],
    /// The bits of the mask that ASCII characters have, once for each character of a window.
    ascii: u64,
    /// What the other bits of the mask make of a window.
    others: u64,
}

/// Spreads what stands in a few bits (the fraction of the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl HashKey {
    pub(super) fn random() -> Self {
        use std::hash::{BuildHasher, RandomState};
        let state = RandomState::new();
        Self::new(state.hash_one(0_u8), state.hash_one(1_u8))
    }

    fn new(base: u64, mask: u64) -> Self {
        let base = base | 1;
        let mut powers = [1_u64; RING];
        for exponent in 1..RING {
            powers[exponent] = powers[exponent - 1].wrapping_mul(base);
        }
        let weights = std::array::from_fn(|at| SPREAD.wrapping_mul(powers[GRAM - 1 - at]));
        let ascii = u64::from_le_bytes([0x7f & mask.to_le_bytes()[0]; GRAM]);
        let term = |weight: &u64| (mask & !0x7f).wrapping_mul(*weight);
        let others = weights.iter().map(term).fold(0, u64::wrapping_add);
        Self { base, mask, powers, weights, ascii, others }
    }

    pub(super) fn from_shared(SharedKey(bytes): &SharedKey) -> Self {
        let (base, mask) = bytes.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        Self::new(number(base), number(mask))
    }

    /// The hash of a window of these ASCII characters, as [`Roller::window`] has it.
    pub(super) fn window(&self, chars: [u8; GRAM]) -> u64 {
        // What the mask does to the bits that they have, for all at once.
        let chars = u64::from_le_bytes(chars) ^ self.ascii;
        let terms = chars
            .to_le_bytes()
            .into_iter()
            .zip(&self.weights)
            .map(|(char, weight)| u64::from(char).wrapping_mul(*weight));
        finished(terms.fold(self.others, u64::wrapping_add), GRAM)
    }

    fn mixed(&self, char: char) -> u64 {
        (u64::from(u32::from(char)) ^ self.mask).wrapping_mul(SPREAD)
    }

    pub(super) fn shared(&self) -> SharedKey {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.base.to_le_bytes());
        bytes[8..].copy_from_slice(&self.mask.to_le_bytes());
        SharedKey(bytes)
    }
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey(..)")
    }
}

/// Prefix hashes of the last characters (Karp and Rabin, 1987), from which the hash of every
/// window that ends here follows.
#[derive(Clone, Debug, Default)]
pub(super) struct Roller {
    prefixes: [u64; RING],
    /// The last of them: where the next one waits for it, it is not to be looked for.
    last: u64,
    count: usize,
}

impl Roller {
    /// How many characters went in.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(super) fn push(&mut self, key: &HashKey, char: char) {
        self.last = self.last.wrapping_mul(key.base).wrapping_add(key.mixed(char));
        self.count += 1;
        self.prefixes[self.count % RING] = self.last;
    }

    /// The hash of the last [`GRAM`] characters when these follow, fewer than that; `None` while
    /// there are fewer.
    pub(super) fn window_with(&self, key: &HashKey, chars: &[u8]) -> Option<u64> {
        let from = (self.count + chars.len()).checked_sub(GRAM)?;
        let push = |last: u64, char: &u8| {
            last.wrapping_mul(key.base).wrapping_add(key.mixed(char::from(*char)))
        };
        let last = chars.iter().fold(self.last, push);
        let before = self.prefixes[from % RING].wrapping_mul(key.powers[GRAM]);
        Some(finished(last.wrapping_sub(before), GRAM))
    }

    /// The hash of the last `len` characters, 1 to [`MAX_WINDOW`]; `None` while there are fewer.
    pub(super) fn window(&self, key: &HashKey, len: usize) -> Option<u64> {
        let from = self.count.checked_sub(len)?;
        let before = self.prefixes[from % RING].wrapping_mul(key.powers[len]);
        Some(finished(self.last.wrapping_sub(before), len))
    }
}

/// The low bits of a polynomial modulo 2⁶⁴ are weak; the table uses them.
fn finished(hash: u64, len: usize) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 29) ^ len as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_does_not_see_what_stands_before_it() {
        let key = HashKey::random();
        let hash = |text: &str, len| {
            let mut roller = Roller::default();
            text.chars().for_each(|char| roller.push(&key, char));
            roller.window(&key, len)
        };
        for len in 1..=8 {
            assert_eq!(hash("abcdefgh and then 12345678", len), hash("12345678", len));
            assert_ne!(hash("12345678", len), hash("12345679", len));
        }
        assert_eq!(hash("short", 6), None);
    }

    #[test]
    fn a_window_has_the_same_hash_however_it_is_computed() {
        let key = HashKey::random();
        let text = "the violet heron ships";
        let mut roller = Roller::default();
        for (count, char) in text.chars().enumerate() {
            for more in 0..GRAM.min(text.len() - count) {
                let with = roller.window_with(&key, &text.as_bytes()[count..count + more]);
                let window = text.as_bytes()[..count + more].last_chunk().copied();
                assert_eq!(with, window.map(|window| key.window(window)), "{count} and {more}");
            }
            roller.push(&key, char);
            let window = text.as_bytes()[..=count].last_chunk().copied();
            assert_eq!(roller.window(&key, GRAM), window.map(|window| key.window(window)));
        }
    }
}
