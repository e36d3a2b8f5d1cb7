//! Numbers, identifiers and lists of numbers: what stands where a word begins with digits, or with a
//! few letters before them.

use std::ops::Range;

use super::{Pass, work};
use crate::matchers::{iban, list, number};
use crate::names::Matcher;
use crate::{DetectorId, candidates, identifier, recognise};

impl Pass<'_, '_, '_> {
    /// A run of digits begins at `at`.
    #[inline]
    pub(super) fn digits(&mut self, at: usize) {
        const LONGEST: usize = candidates::LONGEST as usize;
        if at < self.numbers_read || self.numbers_ahead.has(at) {
            return;
        }
        // Every record has its date: pass it by.
        if let Some([_, _, _, _, b'-', a, b, b'-', c, d]) = self.text[at..].first_chunk::<10>()
            && [a, b, c, d].into_iter().all(u8::is_ascii_digit)
            && matches!(&self.text[at..at + 2], b"19" | b"20")
            && !self.text.get(at + 10).is_some_and(u8::is_ascii_digit)
        {
            self.numbers_read = at + 10;
            return;
        }
        let (mut digits, mut dots, mut length) = (0_u64, 0_u64, 0);
        for byte in self.text[at..].iter().take(LONGEST) {
            match byte {
                b'0'..=b'9' => digits |= 1 << length,
                b'.' => dots |= 1 << length,
                b' ' | b'-' | b'/' | b'(' | b')' => {}
                _ => break,
            }
            length += 1;
        }
        if digits.count_ones() >= candidates::DIGITS
            || candidates::four_between_dots(digits, dots)
            || length == LONGEST
        {
            self.number(at);
        } else {
            self.numbers_read = at + length;
        }
    }

    /// The same before the runs of digits in front of it have been read.
    pub(super) fn digits_ahead(&mut self, at: usize) {
        let read = self.numbers_read;
        self.digits(at);
        let to = std::mem::replace(&mut self.numbers_read, read);
        if to > at {
            self.numbers_ahead.add(&(at..to));
        }
    }

    fn number(&mut self, at: usize) {
        if self.opaque.has(at) {
            return;
        }
        let run = number::run(self.text, at);
        work::add(run.end() - at);
        self.numbers_read = run.end();
        // `512/1024` is progress; telephone numbers with a stroke begin with 0.
        // So do birth numbers, whose second part is the shorter.
        let progress = run.count() == 2
            && run.separator(1) == b"/"
            && run.digits(0)[0] != b'0'
            && run.len(0) <= run.len(1);
        if !progress {
            let (engine, uuid) = (self.engine, self.uuid.clone());
            number::each(
                &run,
                |at| engine.identifiers.at(run.text, at, &uuid),
                |found, range| match found {
                    number::Found::Shape(matcher) => self.push_shape(matcher, range),
                    number::Found::Form(rule) => self.push_form(rule, range),
                },
            );
        }
    }

    /// Letters and digits take turns at `at`, for the first time in their word: `12345678Z`, `AB123456`.
    pub(super) fn turn(&mut self, at: usize) {
        const LETTERS: usize = candidates::LETTERS as usize;
        if self.text[at].is_ascii_digit() {
            let before = self.text[..at].iter().rev().take(LETTERS + 1);
            let letters = before.take_while(|b| b.is_ascii_alphabetic()).count();
            if letters <= LETTERS {
                self.lettered(at - letters);
            }
        } else {
            self.mixed(at);
        }
    }

    /// A word that begins with digits; `at` is the first letter behind them.
    fn mixed(&mut self, at: usize) {
        let digits = self.text[..at].iter().rev().take_while(|b| b.is_ascii_digit()).count();
        if digits > 0 {
            self.identify(at - digits);
        }
        if let Some(start) = identifier::corsican(self.text, at) {
            self.identify(start);
        }
    }

    /// Digits at `at` behind a few letters that stand apart: `AA 12 34 56 B`.
    pub(super) fn lettered_apart(&mut self, at: usize) {
        if let Some(start) = identifier::letters_before(self.text, at) {
            self.identify(start);
        }
    }

    fn identify(&mut self, at: usize) {
        if self.opaque.has(at) {
            return;
        }
        if let Some((rule, range)) = self.engine.identifiers.at(self.text, at, &self.uuid) {
            self.numbers_ahead.add(&range);
            self.push_form(rule, range);
        }
    }

    /// A word at `at` that may have a few letters before its digits.
    pub(super) fn lettered(&mut self, at: usize) {
        if self.opaque.has(at) {
            return;
        }
        let letters = self.text[at..].iter().take_while(|b| b.is_ascii_alphabetic()).count();
        if !self.text.get(at + letters).is_some_and(u8::is_ascii_digit) {
            return;
        }
        if letters == 2
            && let Some(range) = iban::at(self.text, at)
        {
            self.push_shape(Matcher::Iban, range);
        } else {
            self.identify(at);
        }
    }

    fn push_form(&mut self, rule: u16, range: Range<usize>) {
        if recognise::meets(self.text, &range, &self.engine.rules[usize::from(rule)]) {
            self.push(DetectorId(rule), range);
        }
    }

    pub(super) fn list(&mut self, at: usize) {
        let next = self.text.get(at + 1).copied().unwrap_or(0);
        if !(next.is_ascii_digit()
            || matches!(next, b'[' | b'(' | b'-' | b'.' | b' ' | b'\n' | b'n' | b'i'))
        {
            return;
        }
        let list = list::at(self.text, at);
        work::add(list.read_to - at);
        self.lists_read = list.read_to.max(at + 1);
        if let Some((matcher, range)) = list.found {
            self.push_shape(matcher, range);
        }
    }

    #[cold]
    pub(super) fn row(&mut self, comma: usize) {
        if comma < self.lists_read || self.opaque.has(comma) {
            return;
        }
        let row = list::row(self.text, comma, self.lists_read);
        work::add(row.read_to - self.lists_read.min(row.read_to));
        self.lists_read = row.read_to;
        if let Some((matcher, range)) = row.found {
            self.push_shape(matcher, range);
        }
    }
}
