//! Capitalised words that may begin a name, by bitmaps.

use crate::masks::Masks;

/// What one block leaves to the next.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Capitals {
    /// A capitalised word goes on in the next block, or ended with the last one.
    open: bool,
    ended: bool,
}

/// Candidates of a block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidates {
    /// Capitals that begin the second of two capitalised words.
    pub(crate) pairs: u64,
    /// Capitalised words behind one in small letters, and at the start of the text.
    pub(crate) singles: u64,
    /// Capitals behind a number, and numbers behind a capitalised word.
    pub(crate) houses: u64,
}

/// Whether a capitalised word begins in the block with these bitmaps: without one, and without what
/// the last block left of one, it has no candidates.
#[inline]
pub(crate) fn may_begin(masks: &Masks, before: &Masks) -> bool {
    capitals(masks, before).1 != 0
}

/// Words that begin with a capital, and those of them that go on in small letters.
#[inline]
fn capitals(masks: &Masks, before: &Masks) -> (u64, u64) {
    let words = masks.word | masks.high;
    let last = (before.word | before.high) >> 63;
    let tall = (masks.upper | masks.high) & !(words << 1 | last);
    let smalls = words ^ masks.upper ^ masks.digit;
    (tall, tall & (smalls >> 1 | 1 << 63))
}

/// Signs that may stand between a street and its number.
#[inline]
fn beside(masks: &Masks) -> u64 {
    masks.group & !(masks.dash | masks.stroke)
}

impl Capitals {
    /// Whether the last block left something of a capitalised word.
    #[inline]
    pub(crate) fn go_on(self) -> bool {
        self.open || self.ended
    }

    /// The candidates of the block with these bitmaps, behind `before`.
    #[inline]
    pub(crate) fn of(&mut self, masks: &Masks, before: &Masks, first: bool) -> Candidates {
        let shift = |now: u64, before: u64, by: u32| now << by | before >> (u64::BITS - by);
        let (words, words_before) = (masks.word | masks.high, before.word | before.high);
        let smalls = words ^ masks.upper ^ masks.digit;
        let (tall, capitals) = capitals(masks, before);
        if capitals == 0 && !self.open && !self.ended {
            return Candidates { pairs: 0, singles: 0, houses: 0 };
        }
        let smalls_before = words_before ^ before.upper ^ before.digit;
        // Adding a bit to the first letter of a word carries it to the place behind the last one.
        let (sum, over) = words.overflowing_add(capitals);
        let (sum, more) = sum.overflowing_add(u64::from(self.open));
        let ends = sum & !words;
        let pairs = tall & (ends << 1 | u64::from(self.ended));
        let ended = self.ended;
        *self = Self { open: over | more, ended: ends >> 63 == 1 };
        // Behind a word in small letters, or behind one and a sign: "told Ana", "so. Ana", "so , Ana".
        let after_small = shift(smalls, smalls_before, 2);
        // "so, Ana", "In 1996, Ana", "J. Roe".
        let digits = |by: u32| shift(masks.digit, before.digit, by);
        let year = digits(4) & digits(5) & digits(6) & (digits(3) | digits(7));
        let after_sign = shift(smalls, smalls_before, 3) & !shift(words, words_before, 2)
            | (shift(smalls, smalls_before, 4) | year) & shift(masks.comma, before.comma, 2)
            | shift(masks.upper, before.upper, 3)
                & !shift(words, words_before, 4)
                & !shift(words, words_before, 2);
        let singles = capitals & !pairs & (after_small | after_sign | u64::from(first));
        let upper = |by: u32| shift(masks.upper, before.upper, by);
        let apart = |by: u32| !shift(words, words_before, by);
        // "12 Canary", "12a Canary", "12B Canary", "12 W Canary", "12 NE Canary"
        let houses = capitals
            & (digits(2)
                | after_small & digits(3)
                | upper(2)
                    & (digits(3) | apart(3) & digits(4) | upper(3) & apart(4) & digits(5)))
            // "Rosenweg 7", "Str.7"; "Llama-3" and "Nov/2026" are none.
            | masks.digit & (ends & beside(masks)) << 1
            | masks.digit & u64::from(ended) & beside(before) >> 63
            // "Rosenstr. 7"
            | masks.digit & (ends & masks.dot) << 2;
        Candidates { pairs, singles, houses }
    }
}
