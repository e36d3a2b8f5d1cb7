//! How many different values there are, in bounded memory.

use std::collections::HashSet;

use datasketches::hll::{HllSketch, HllType};
use tacenda_redact::Pseudonym;

/// Up to so many values the count is exact.
pub const EXACT: usize = 1024;

/// The logarithm of the registers of the sketch: 4096 of a byte each, a standard error of 1.6 %.
const REGISTERS: u8 = 12;

/// A set of values, known by their pseudonyms, of which only the size can be told: exactly up to
/// [`EXACT`], by `HyperLogLog` beyond. It takes no more than 32 KiB.
#[derive(Clone, Debug)]
pub struct Distinct(Count);

#[derive(Clone, Debug)]
enum Count {
    Exact(HashSet<u64>),
    Sketch(Box<HllSketch>),
}

impl Default for Distinct {
    fn default() -> Self {
        Self(Count::Exact(HashSet::new()))
    }
}

impl Distinct {
    /// Adds the value of this pseudonym.
    pub fn add(&mut self, pseudonym: Pseudonym) {
        // Half of it is enough: among a million values a pair shares it once in 37 million times.
        let half = u128::from_be_bytes(pseudonym.0) >> 64;
        self.add_tag(u64::try_from(half).expect("64 bits are left"));
    }

    fn add_tag(&mut self, tag: u64) {
        match &mut self.0 {
            Count::Sketch(sketch) => sketch.update(tag),
            Count::Exact(tags) => {
                tags.insert(tag);
                if tags.len() > EXACT {
                    let mut sketch = HllSketch::new(REGISTERS, HllType::Hll8)
                        .expect("the number of registers is allowed");
                    for tag in &*tags {
                        sketch.update(*tag);
                    }
                    self.0 = Count::Sketch(Box::new(sketch));
                }
            }
        }
    }

    /// How many there are, or about how many: see [`Distinct::is_exact`].
    #[expect(clippy::cast_possible_truncation, reason = "an estimate is a count")]
    #[expect(clippy::cast_sign_loss, reason = "an estimate is not negative")]
    pub fn count(&self) -> u64 {
        match &self.0 {
            Count::Exact(tags) => tags.len() as u64,
            Count::Sketch(sketch) => sketch.estimate().round() as u64,
        }
    }

    /// Whether the count is exact.
    pub fn is_exact(&self) -> bool {
        matches!(self.0, Count::Exact(_))
    }
}

impl std::fmt::Display for Distinct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let about = if self.is_exact() { "" } else { "~" };
        f.pad(&format!("{about}{}", self.count()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_counted_and_many_are_estimated() {
        let mut distinct = Distinct::default();
        let tag = |n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..2 {
            (0..1000).for_each(|n| distinct.add_tag(tag(n)));
        }
        assert_eq!((distinct.count(), distinct.is_exact()), (1000, true));
        (0..100_000).for_each(|n| distinct.add_tag(tag(n)));
        assert!(!distinct.is_exact());
        assert!((95_000..105_000).contains(&distinct.count()), "{distinct}");
        assert!(distinct.to_string().starts_with('~'));
    }
}
