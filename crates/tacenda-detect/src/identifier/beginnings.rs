//! How identifiers begin, in a table: nearly every word is told from them before it is read.

use super::form::{self, Class};
use super::{Entry, Next, SLOTS, WORD, slot};

/// Characters at the beginning of a word that are looked at.
const FRONT: usize = 6;

/// The first word of an identifier, or of what may be one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstWord {
    /// How many letters and digits it has.
    pub(crate) length: u32,
    /// Which of them are digits, one bit each; the bits behind the word say nothing.
    pub(crate) digits: u64,
    /// Whether it has small letters.
    pub(crate) has_small: bool,
    /// What follows it.
    pub(crate) next: u8,
}

impl FirstWord {
    /// What is longer is no identifier.
    #[expect(clippy::cast_possible_truncation, reason = "a small number")]
    pub(crate) const LONGEST: u32 = WORD as u32;
}

/// With which words the forms begin. For each class of the first character, length of the word, and
/// what follows it: which places of its front may be digits, the others letters, one bit for each set
/// of places.
#[derive(Debug)]
pub(crate) struct Beginnings {
    /// Of words in capitals.
    capital: Box<[u64]>,
    /// Of words with small letters.
    small: Box<[u64]>,
}

impl Beginnings {
    /// Of the forms in each slot, which are those at the places of their patterns.
    pub(super) fn of(starts: &[Vec<Entry>], forms: &[&str]) -> Self {
        let mut all = Self { capital: vec![0; SLOTS].into(), small: vec![0; SLOTS].into() };
        for (slot, entries) in starts.iter().enumerate() {
            for entry in entries {
                let fronts =
                    form::fronts::<FRONT>(forms[usize::from(entry.pattern)], slot % (WORD + 1));
                all.capital[slot] |= fronts;
                if entry.any_case {
                    all.small[slot] |= fronts;
                }
            }
        }
        all
    }

    /// Whether a form may begin with this word.
    #[inline]
    pub(crate) fn may_be(&self, word: FirstWord) -> bool {
        let class = if word.digits & 1 == 1 { Class::Digit } else { Class::Letter };
        let Some(slot) = slot((class, word.length as usize, Next::of(word.next))) else {
            return false;
        };
        let within = ((1 << FRONT) - 1) & !(u64::MAX << (word.length & 63));
        let fronts = if word.has_small { &self.small } else { &self.capital };
        fronts[slot] >> (word.digits & within) & 1 == 1
    }
}
