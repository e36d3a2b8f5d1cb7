//! From the first bytes of a token to the keywords that it may begin with.
//!
//! Almost every token of a log begins no keyword. A bitmap by hash, small enough to stay in the
//! first-level cache, says so in a nanosecond and without a branch; a table has the rest.

/// Keywords, found by a *stem* of their first three or four bytes.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// Stems of three bytes, of those texts that have no more.
    short: Box<Bits<SHORT>>,
    /// Stems of four bytes.
    long: Box<Bits<LONG>>,
    /// Entries by stem, those of one bucket together.
    entries: Vec<Entry>,
    /// Where the entries of a bucket begin.
    buckets: Box<[u16]>,
}

const SHORT: usize = 1 << 9;
const LONG: usize = 1 << 11;
const BUCKET_BITS: u32 = 9;
const THREE: u32 = 0x00ff_ffff;

/// A text and the rule that wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The first bytes of the text, folded, and ones in those places.
    head: u64,
    mask: u64,
    pub(crate) text: &'static str,
    pub(crate) rule: u16,
}

impl Entry {
    fn new(text: &'static str, rule: u16) -> Self {
        let known = u32::try_from(text.len().min(8)).unwrap_or_default();
        let mask = u64::MAX >> (64 - 8 * known.max(1));
        Self { head: head(text.as_bytes()) & mask, mask, text, rule }
    }

    fn stem(&self) -> u32 {
        stem(self.head, self.text.len())
    }
}

impl Lookup {
    /// Entries are found by their stem, in the order of their rules.
    pub(crate) fn new(texts: impl Iterator<Item = (&'static str, u16)>) -> Self {
        let mut entries: Vec<Entry> = texts
            .filter(|(text, _)| text.len() >= 3)
            .map(|(text, rule)| Entry::new(text, rule))
            .collect();
        entries.sort_by_key(|entry| (bucket(entry.stem()), entry.stem(), entry.rule));
        let (mut short, mut long) = (Box::<Bits<SHORT>>::default(), Box::<Bits<LONG>>::default());
        for stem in entries.iter().map(Entry::stem) {
            if stem > THREE { long.set(stem) } else { short.set(stem) }
        }
        let begin =
            |bucket_: usize| entries.partition_point(|entry| bucket(entry.stem()) < bucket_);
        let buckets = (0..=1 << BUCKET_BITS)
            .map(|bucket| u16::try_from(begin(bucket)).expect("rules have fewer than 65536 texts"))
            .collect();
        Self { short, long, entries, buckets }
    }

    /// 1 when there may be entries for the four bytes of `stem`, or its first three; else 0. A false
    /// yes is possible, a false no is not.
    #[inline]
    pub(crate) fn may_begin(&self, stem: u32) -> u64 {
        self.long.has(stem) | self.short.has(stem & THREE)
    }

    /// The entries whose first bytes are those of `head`: of three bytes, then of four and more.
    pub(crate) fn beginning(&self, head: u64) -> impl Iterator<Item = &Entry> {
        let of = |stem: u32| {
            let bucket = bucket(stem);
            usize::from(self.buckets[bucket])..usize::from(self.buckets[bucket + 1])
        };
        let (three, four) = (of(stem(head, 3)), of(stem(head, 4)));
        let four = if three == four { 0..0 } else { four };
        let entries = self.entries[three].iter().chain(&self.entries[four]);
        entries.filter(move |entry| head & entry.mask == entry.head)
    }
}

/// Which hashes of stems there are, in `WORDS` times 64 bits.
#[derive(Debug)]
pub(crate) struct Bits<const WORDS: usize>([u64; WORDS]);

impl<const WORDS: usize> Default for Bits<WORDS> {
    fn default() -> Self {
        const { assert!(WORDS.is_power_of_two()) };
        Self([0; WORDS])
    }
}

impl<const WORDS: usize> Bits<WORDS> {
    pub(crate) fn set(&mut self, stem: u32) {
        let hash = hash(stem);
        self.0[Self::word(hash)] |= 1 << (hash & 63);
    }

    /// 1 or 0: a bit to build bitmaps of.
    #[inline]
    pub(crate) fn has(&self, stem: u32) -> u64 {
        let hash = hash(stem);
        self.0[Self::word(hash)] >> (hash & 63) & 1
    }

    #[inline]
    fn word(hash: u32) -> usize {
        (hash >> 6) as usize & (WORDS - 1)
    }
}

/// Multiplicative hashing: the upper half of the product is the well-mixed one.
#[inline]
fn hash(stem: u32) -> u32 {
    stem.wrapping_mul(0x9E37_79B1) >> 14
}

fn bucket(stem: u32) -> usize {
    (stem.wrapping_mul(0x9E37_79B1) >> (32 - BUCKET_BITS)) as usize
}

/// Capital letters as small ones (other bytes change too, on both sides alike).
#[inline]
pub(crate) fn fold(stem: u32) -> u32 {
    stem | 0x2020_2020
}

/// The first eight bytes of `text`, folded; blanks where it has no more.
#[inline]
pub(crate) fn head(text: &[u8]) -> u64 {
    const FOLD: u64 = 0x2020_2020_2020_2020;
    let mut eight = [0; 8];
    if let Some(whole) = text.first_chunk::<8>() {
        eight = *whole;
    } else {
        eight[..text.len()].copy_from_slice(text);
    }
    u64::from_le_bytes(eight) | FOLD
}

/// The stem of a text of `length` bytes with this `head`.
#[inline]
fn stem(head: u64, length: usize) -> u32 {
    let [a, b, c, d, ..] = head.to_le_bytes();
    let four = u32::from_le_bytes([a, b, c, d]);
    if length > 3 { four } else { four & THREE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_its_stem_and_by_no_other() {
        let texts = ["sk-", "sk-ant-", "ghp_", "AKIA", "pat"];
        let lookup = Lookup::new(texts.into_iter().zip(0..));
        let found = |text: &str| -> Vec<&str> {
            let head = head(text.as_bytes());
            let found: Vec<_> = lookup.beginning(head).map(|entry| entry.text).collect();
            assert!(found.is_empty() || lookup.may_begin(stem(head, 4)) == 1, "{text}");
            found
        };
        assert_eq!(found("sk-ant-api"), ["sk-", "sk-ant-"]);
        assert_eq!(found("sk-"), ["sk-"]);
        assert_eq!(found("SK-x"), ["sk-"]);
        assert_eq!(found("akia"), ["AKIA"]);
        assert_eq!(found("path"), ["pat"]);
        assert_eq!(found("ghx_"), [""; 0]);
    }
}
