//! From the first bytes of a token to the keywords that it may begin with.
//!
//! Almost every token of a log begins no keyword. A bitmap by hash, small enough to stay in the
//! first-level cache, says so in a nanosecond and without a branch; a table has the rest.

/// Keywords, found by a *stem* of their first three or four bytes.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// Which stems there are: the first three bytes choose one of the words, and in it a bit for a
    /// stem that has no more; the fourth byte chooses the bit of a longer one.
    stems: Box<[u64; WORDS]>,
    /// With which rows of digits no text begins.
    numbers: Numbers,
    /// How the texts begin: each by the greatest of [`WIDTHS`] that it has.
    beginnings: [Box<Bits<512>>; WIDTHS.len()],
    /// Entries by the words of their stems.
    entries: Vec<Entry>,
    /// Where the entries of a word begin.
    starts: Box<[u16]>,
}

const WORD_BITS: u32 = 12;
const WORDS: usize = 1 << WORD_BITS;
const THREE: u32 = 0x00ff_ffff;
/// By how many of its first bytes a text is told.
const WIDTHS: [u32; 4] = [3, 4, 6, 8];

/// A text and the rule that wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// The first bytes of the text, and ones in those places.
    head: Head,
    mask: Head,
    /// What makes small letters of the capitals in front of the text, when it may be in any case.
    fold: Head,
    pub(crate) text: &'static str,
    pub(crate) rule: u16,
}

impl Entry {
    fn new(text: &'static str, rule: u16, any_case: bool) -> Self {
        let known = text.len().min(HEAD);
        let mask = Head::MAX >> (Head::BITS as usize - 8 * known.max(1));
        let fold = if any_case { BLANKS } else { 0 };
        Self { head: (head(text.as_bytes()) | fold) & mask, mask, fold, text, rule }
    }

    fn places(&self) -> Places {
        Places::of(fold(stem(self.head)))
    }

    /// Which of the [`WIDTHS`] it is told by.
    fn width(&self) -> usize {
        let known = self.mask.count_ones() / u8::BITS;
        WIDTHS.into_iter().rposition(|width| width <= known).unwrap_or(0)
    }

    /// Whether the first bytes of the text are those of `head`.
    #[inline]
    fn begins(&self, head: Head) -> bool {
        (head | self.fold) & self.mask == self.head
    }
}

impl Lookup {
    /// Of texts, the rules that want them, and whether they do in any case. Entries are found by their
    /// stem, in the order of their rules.
    pub(crate) fn new(texts: impl Iterator<Item = (&'static str, u16, bool)>) -> Self {
        let mut entries: Vec<Entry> = texts
            .filter(|(text, ..)| text.len() >= 3)
            .map(|(text, rule, any_case)| Entry::new(text, rule, any_case))
            .collect();
        entries.sort_by_key(|entry| (entry.places().word, entry.rule));
        let stems = vec![0; WORDS].into_boxed_slice();
        let mut stems: Box<[u64; WORDS]> = stems.try_into().expect("there is one of each");
        let mut beginnings: [Box<Bits<512>>; WIDTHS.len()] = Default::default();
        let mut numbers = Numbers::default();
        for entry in &entries {
            let Places { word, short, long } = entry.places();
            stems[word] |= 1 << if entry.text.len() > 3 { long } else { short };
            let width = entry.width();
            beginnings[width].put(beginning(fold_eight(eight(entry.head)), WIDTHS[width]));
            numbers.begin(entry.text.as_bytes());
        }
        let begin = |word| entries.partition_point(|entry| entry.places().word < word);
        let starts = (0..=WORDS)
            .map(|word| u16::try_from(begin(word)).expect("rules have fewer than 65536 texts"))
            .collect();
        Self { stems, numbers, beginnings, entries, starts }
    }

    /// With which rows of digits no text begins.
    #[inline]
    pub(crate) fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// 1 when there may be entries for the four bytes of `stem`, or its first three; else 0. A false
    /// yes is possible, a false no is not.
    #[inline]
    pub(crate) fn may_begin(&self, stem: u32) -> u64 {
        let Places { word, short, long } = Places::of(stem);
        let word = self.stems[word];
        (word >> short | word >> long) & 1
    }

    /// The entries whose first bytes are those of `head`.
    #[inline]
    pub(crate) fn beginning(&self, head: Head) -> impl Iterator<Item = &Entry> {
        let Places { word, .. } = Places::of(fold(stem(head)));
        let entries = usize::from(self.starts[word])..usize::from(self.starts[word + 1]);
        self.entries[entries].iter().filter(move |entry| entry.begins(head))
    }

    /// Whether there are any. Most words that have the stem of a text go on in another way, which more
    /// of their bytes tell before any entry is read.
    #[inline]
    pub(crate) fn has(&self, head: Head) -> bool {
        let eight = fold_eight(eight(head));
        let may = |width: usize| self.beginnings[width].at(beginning(eight, WIDTHS[width]));
        may(0) | may(1) | may(2) | may(3) != 0 && self.beginning(head).next().is_some()
    }
}

/// Rows of digits with which no text begins, as bitmaps: all ones, or zero where there is a text. Logs
/// are full of numbers, and hardly a keyword begins with one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    /// A digit, two and three, then what is no letter (and behind one digit no stroke).
    pub(crate) one: u64,
    pub(crate) two: u64,
    pub(crate) three: u64,
    /// Five digits or more.
    pub(crate) five: u64,
}

impl Default for Numbers {
    fn default() -> Self {
        Self { one: u64::MAX, two: u64::MAX, three: u64::MAX, five: u64::MAX }
    }
}

impl Numbers {
    /// Such a text there is: what it does not say may be anything.
    fn begin(&mut self, text: &[u8]) {
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let next = text.get(digits);
        let is_all = next.is_none();
        let sign = next.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if digits == 1 && sign && next != Some(&b'/') {
            self.one = 0;
        }
        if digits == 2 && sign {
            self.two = 0;
        }
        if digits == 3 && sign {
            self.three = 0;
        }
        if digits >= 5 || (1..5).contains(&digits) && is_all {
            self.five = 0;
        }
    }
}

/// Where a stem stands in [`Lookup::stems`]: its word, its bit when it has three bytes, and when it
/// has four.
struct Places {
    word: usize,
    short: u32,
    long: u32,
}

impl Places {
    #[inline]
    fn of(stem: u32) -> Self {
        let hash = (stem & THREE).wrapping_mul(0x9E37_79B1);
        let short = hash >> 14;
        let word = (hash >> (u32::BITS - WORD_BITS)) as usize;
        Self { word, short: short & 63, long: (short ^ stem >> 24) & 63 }
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
        self.put(hash(stem));
    }

    /// 1 or 0: a bit to build bitmaps of.
    #[inline]
    pub(crate) fn has(&self, stem: u32) -> u64 {
        self.at(hash(stem))
    }

    fn put(&mut self, hash: u32) {
        self.0[Self::word(hash)] |= 1 << (hash & 63);
    }

    #[inline]
    fn at(&self, hash: u32) -> u64 {
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

/// The same of the first `width` of eight bytes.
#[inline]
fn beginning(eight: u64, width: u32) -> u32 {
    let bytes = eight << (u64::BITS - u8::BITS * width);
    (bytes.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - 15)) as u32
}

/// Capital letters as small ones (other bytes change too, on both sides alike).
#[inline]
pub(crate) fn fold(stem: u32) -> u32 {
    stem | 0x2020_2020
}

/// The first bytes of a text, the first one lowest; zeros where it has no more.
pub(crate) type Head = u128;

const HEAD: usize = size_of::<Head>();
const BLANKS: Head = Head::from_le_bytes([b' '; HEAD]);

#[inline]
pub(crate) fn head(text: &[u8]) -> Head {
    let mut head = [0; HEAD];
    if let Some(whole) = text.first_chunk() {
        head = *whole;
    } else {
        head[..text.len()].copy_from_slice(text);
    }
    Head::from_le_bytes(head)
}

#[inline]
fn eight(head: Head) -> u64 {
    (head & 0xffff_ffff_ffff_ffff) as u64
}

#[inline]
fn fold_eight(eight: u64) -> u64 {
    eight | 0x2020_2020_2020_2020
}

/// The first four bytes of a head.
#[inline]
fn stem(head: Head) -> u32 {
    (head & 0xffff_ffff) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_by_its_stem_and_by_no_other() {
        let texts = ["sk-", "sk-ant-", "ghp_", "AKIA", "pat", "generated-password"];
        let any_case = |text: &str| text.starts_with("sk");
        let lookup = Lookup::new(
            texts.into_iter().zip(0..).map(|(text, rule)| (text, rule, any_case(text))),
        );
        let found = |text: &str| -> Vec<&str> {
            let head = head(text.as_bytes());
            let found: Vec<_> = lookup.beginning(head).map(|entry| entry.text).collect();
            let may = lookup.may_begin(fold(stem(head))) == 1;
            assert!(found.is_empty() || may, "{text}");
            found
        };
        assert_eq!(found("sk-ant-api"), ["sk-", "sk-ant-"]);
        assert_eq!(found("sk-"), ["sk-"]);
        assert_eq!(found("SK-x"), ["sk-"]);
        assert_eq!(found("AKIA"), ["AKIA"]);
        assert_eq!(found("akia"), [""; 0]);
        assert_eq!(found("path"), ["pat"]);
        assert_eq!(found("ghx_"), [""; 0]);
        let numbers = lookup.numbers();
        assert_eq!([numbers.one, numbers.two, numbers.three, numbers.five], [u64::MAX; 4]);
        let numbers = |texts: &[&'static str]| {
            Lookup::new(texts.iter().map(|text| (*text, 0, false))).numbers()
        };
        assert_eq!(numbers(&["1//0", "2fa", "1000.", "5432:"]).one, u64::MAX);
        assert_eq!(numbers(&["1. a"]).one, 0);
        assert_eq!(numbers(&["12-x"]).two, 0);
        assert_eq!(numbers(&["127."]).three, 0);
        assert_eq!(numbers(&["12345"]).five, 0);
        assert_eq!(numbers(&["123"]).five, 0);
        for other in ["ghx_", "akin", "general", "generated-passphrase"] {
            assert!(!lookup.has(head(other.as_bytes())), "{other}");
        }
    }
}
