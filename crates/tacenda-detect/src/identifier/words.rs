//! Words that say what a number is, in the languages of its country.
//!
//! A word is written in lower case; a space in it stands for a space, a sign or nothing, so that
//! `tax id` is found in `tax_id`, `taxId` and `Tax-ID` as well.

use std::ops::Range;

use crate::masks::{BLOCK, Letters};

/// How far before a value, and behind it, a word still speaks of it.
const BEFORE: usize = 64;
const BEHIND: usize = 32;
/// A short word may be a word of another language: it counts right before the value only.
const SHORT: usize = 3;
const CLOSE: usize = 20;

/// Most rules with forms.
const MEMBERS: usize = 320;

/// The rules of which a word stands near.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Told([u64; MEMBERS / 64]);

impl Told {
    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(|set| *set == 0)
    }

    pub(super) fn contains(&self, member: u16) -> bool {
        self.0.get(usize::from(member) / 64).is_some_and(|set| set >> (member % 64) & 1 == 1)
    }

    fn insert(&mut self, member: u16) {
        if let Some(set) = self.0.get_mut(usize::from(member) / 64) {
            *set |= 1 << (member % 64);
        }
    }

    fn insert_all(&mut self, others: &Self) {
        for (set, other) in self.0.iter_mut().zip(others.0) {
            *set |= other;
        }
    }
}

/// All words, by their first three bytes, each with the rules that it speaks of.
#[derive(Debug)]
pub(super) struct Words {
    /// Which stems there are, and how many there are before those of each number of 64.
    bits: Box<[u64; 512]>,
    before: Box<[u16; 512]>,
    /// Where the entries of each stem begin.
    starts: Vec<usize>,
    entries: Vec<(u16, &'static str, Told)>,
}

impl Words {
    pub(super) fn new(words: impl IntoIterator<Item = (&'static str, u16)>) -> Self {
        let mut stems = Vec::new();
        for (word, member) in words {
            let bytes = word.as_bytes();
            let mut add = |stem| stems.push((stem, word, member));
            if bytes[..2].contains(&b' ') || bytes[2] != b' ' {
                add(stem(bytes));
            } else {
                // What a space may stand for.
                for sign in [b' ', b'_', b'-', b'.', bytes[3]] {
                    add(stem(&[bytes[0], bytes[1], sign]));
                }
            }
        }
        stems.sort_unstable();
        let entries: Vec<_> = stems
            .chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
            .map(|same| {
                let mut told = Told::default();
                for (.., member) in same {
                    told.insert(*member);
                }
                (same[0].0, same[0].1, told)
            })
            .collect();
        let mut bits = Box::new([0_u64; 512]);
        for (stem, ..) in &entries {
            bits[usize::from(*stem >> 6)] |= 1 << (stem & 63);
        }
        let mut before = Box::new([0; 512]);
        for i in 1..bits.len() {
            before[i] = before[i - 1] + u16::try_from(bits[i - 1].count_ones()).unwrap_or(0);
        }
        let mut starts = Vec::new();
        let mut start = 0;
        for group in entries.chunk_by(|a, b| a.0 == b.0) {
            starts.push(start);
            start += group.len();
        }
        starts.push(start);
        Self { bits, before, starts, entries }
    }

    /// The rules whose words stand near `range`, on its line.
    pub(super) fn around(&self, text: &[u8], range: &Range<usize>) -> Told {
        let mut told = Told::default();
        let before = line_before(text, range.start);
        self.read(text, before, |word, end, members| {
            if word.len() > SHORT || range.start - end <= CLOSE {
                told.insert_all(members);
            }
        });
        let end = text.len().min(range.end + BEHIND);
        let behind = &text[range.end..end];
        let line = memchr::memchr(b'\n', behind).unwrap_or(behind.len());
        // Another key begins: what follows belongs to it.
        let line = memchr::memchr3(b'=', b'{', b'"', &behind[..line]).unwrap_or(line);
        // `12345678 (CI)`.
        let bracket = range.end + if behind.starts_with(b" (") { 2 } else { line };
        self.read(text, range.end..range.end + line, |word, end, members| {
            if word.len() > SHORT || end == bracket + word.len() {
                told.insert_all(members);
            }
        });
        told
    }

    /// Calls `found` with each word that begins in `window`, where it ends, and its rules.
    fn read(&self, text: &[u8], window: Range<usize>, mut found: impl FnMut(&str, usize, &Told)) {
        let last = window.end.saturating_sub(2);
        let mut from = window.start;
        while from < last {
            let mut beginnings = beginnings(&text[from..]);
            while beginnings != 0 {
                let i = from + beginnings.trailing_zeros() as usize;
                beginnings &= beginnings - 1;
                if i >= last {
                    return;
                }
                if begins(text, i) {
                    self.read_at(&text[..window.end], i, &mut found);
                }
            }
            from += BLOCK;
        }
    }

    /// The words that begin at `i`.
    fn read_at(&self, text: &[u8], i: usize, found: &mut impl FnMut(&str, usize, &Told)) {
        let stem = stem(&text[i..i + 3]);
        let (word, bit) = (usize::from(stem >> 6), 1_u64 << (stem & 63));
        if self.bits[word] & bit == 0 {
            return;
        }
        let before = (self.bits[word] & (bit - 1)).count_ones() as usize;
        let place = usize::from(self.before[word]) + before;
        let entries = self.starts[place]..self.starts[place + 1];
        for (_, word, members) in &self.entries[entries] {
            if let Some(end) = word_at(text, i, word.as_bytes()) {
                found(word, end, members);
            }
        }
    }
}

/// Where words may begin in the first block of `text`; [`begins`] tells whether they do.
fn beginnings(text: &[u8]) -> u64 {
    let Letters { upper, lower, high, .. } = Letters::of(text);
    let letter = upper | lower;
    lower & !(letter << 1) | upper & !(upper << 1 & upper >> 1) | high
}

fn begins(text: &[u8], i: usize) -> bool {
    let previous = i.checked_sub(1).map_or(b' ', |i| text[i]);
    match text[i] {
        b'a'..=b'z' | 0xc3..=0xdf => !previous.is_ascii_alphabetic() && previous < 0x80,
        b'A'..=b'Z' => !previous.is_ascii_uppercase() || !text[i + 1].is_ascii_uppercase(),
        0xe0..=0xf4 => true,
        _ => false,
    }
}

fn stem(bytes: &[u8]) -> u16 {
    let fold = |i: usize| u16::from(bytes[i] & 0x1f);
    fold(0) << 10 | fold(1) << 5 | fold(2)
}

/// The stretch of the line before `at` that is read.
fn line_before(text: &[u8], at: usize) -> Range<usize> {
    let from = at.saturating_sub(BEFORE);
    let before = &text[from..at];
    // What was said on the line before does not count, unless it announces the next.
    let kept = before.strip_suffix(b":\n").map_or(before.len(), <[u8]>::len);
    let line = memchr::memrchr(b'\n', &before[..kept]).map_or(0, |i| i + 1);
    // In the middle of a word: it cannot be told what word it is.
    from + line..at
}

/// Where `word` ends, if it stands at `at` as a word of its own.
fn word_at(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    let mut i = at;
    for &byte in word {
        let &found = text.get(i).or(if byte == b' ' { Some(&b' ') } else { None })?;
        if byte == b' ' {
            i += usize::from(matches!(found, b' ' | b'_' | b'-' | b'.' | b'/'));
        } else if found.to_ascii_lowercase() == byte {
            i += 1;
        } else {
            return None;
        }
    }
    let last = text[i - 1];
    let ends = text.get(i).is_none_or(|&next| match next {
        // `cpfNumber`, `CPFs`.
        b'A'..=b'Z' => last.is_ascii_lowercase(),
        b's' => text.get(i + 1).is_none_or(|b| !b.is_ascii_alphabetic()),
        b'a'..=b'z' => !last.is_ascii_alphabetic() && last >= 0xe0,
        0xc3..=0xdf => last < 0x80 || text[i - 2] >= 0xe0,
        _ => true,
    });
    ends.then_some(i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str, word: &'static str) -> bool {
        let at = text.find('9').expect("a value of nines");
        let end = text.rfind('9').map_or(at, |i| i + 1);
        Words::new([(word, 7)]).around(text.as_bytes(), &(at..end)).contains(7)
    }

    #[test]
    fn spellings_of_a_word() {
        for (text, word) in [
            ("tax id: 9", "tax id"),
            ("taxId=9", "tax id"),
            ("customer_tax_id=9", "tax id"),
            ("\"TAX-ID\": \"9\"", "tax id"),
            ("customerCpf=9", "cpf"),
            ("CPF 9", "cpf"),
            ("my CPFs are 9", "cpf"),
            ("číslo: 9", "číslo"),
            ("ИНН 9", "ИНН"),
            ("身份证号码9", "身份证"),
            ("9 är mitt personnummer", "personnummer"),
            ("CPF:\n9", "cpf"),
            ("us id 9", "us id"),
            ("us_id 9", "us id"),
        ] {
            assert!(told(text, word), "{word} in {text}");
        }
    }

    #[test]
    fn words_that_only_look_like_it() {
        for (text, word) in [
            ("spanning 9", "pan"),
            ("pancake 9", "pan"),
            ("pan is hot but the sum of it all is 9", "pan"),
            ("cpf\nline 9", "cpf"),
            ("9 next cpf=1", "nothing"),
            ("9, \"personnummer\": 1", "personnummer"),
        ] {
            assert!(!told(text, word), "{word} in {text}");
        }
    }
}
