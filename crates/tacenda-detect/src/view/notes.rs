//! Where a text is worth decoding.

use std::ops::Range;

use super::lines::{Break, Line, Lines};
use super::{blob, escape, lines};
use crate::boundary;

/// What is decoded before an escape: the key of a value, the words that give it a context.
const BEFORE: usize = 160;
/// What is decoded behind an escape.
const AFTER: usize = 512;
/// A stretch goes on to the end of its word, if that is not farther.
const WORD: usize = 4096;
/// Longer stretches are decoded in parts, which overlap.
const PART: usize = 16 * 1024;
const OVERLAP: usize = 2 * 1024;

/// The places of one text, in the order of the text.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// Around escapes; margins included, the ends not yet moved to the ends of words.
    stretches: Vec<Stretch>,
    /// Where a line was full before a word had ended, blanks before the rest included.
    breaks: Vec<Range<usize>>,
    lines: Lines,
    /// Runs of base64 or hexadecimal digits that begin like text.
    runs: Vec<Range<usize>>,
    runs_read: usize,
}

impl Notes {
    pub(crate) fn is_empty(&self) -> bool {
        self.stretches.is_empty() && self.runs.is_empty()
    }

    /// An escape may begin at `at`: `%`, `&`, backslash or ESC.
    #[inline]
    pub(crate) fn escape(&mut self, text: &[u8], at: usize) {
        if escape::tells(text, at) {
            self.note(at, false);
        }
    }

    /// A line ends at `at`, which is `\n`.
    #[inline]
    pub(crate) fn line_end(&mut self, text: &[u8], at: usize) {
        let line = self.lines.end(at);
        if line.may_go_on(text) && at + 1 < text.len() {
            self.line_goes_on(text, line);
        }
    }

    #[inline(never)]
    fn line_goes_on(&mut self, text: &[u8], line: Line) {
        let at = line.end;
        match line.goes_on(text) {
            Some(Break::Soft) => self.note(at, true),
            Some(Break::Wrapped(wrapped)) => {
                self.note(at, false);
                self.breaks.push(wrapped);
            }
            None => {}
        }
    }

    /// A line may end at `at` with the soft break of a mail.
    #[cold]
    pub(crate) fn soft_break(&mut self, text: &[u8], at: usize) {
        if lines::is_soft_break(text, at) {
            self.note(at, true);
        }
    }

    /// `=` at `at`, and another behind it as far as in `=C3=BC`.
    #[cold]
    pub(crate) fn quoted(&mut self, text: &[u8], at: usize) {
        if lines::is_quoted_letter(text, at) {
            self.note(at, true);
        }
    }

    /// A character outside ASCII begins at `at`.
    #[inline]
    pub(crate) fn sign(&mut self, text: &[u8], at: usize) {
        if escape::sign_tells(text, at) {
            self.note(at, false);
        }
    }

    /// A long word of letters and digits: `at` is one of its first.
    #[cold]
    pub(crate) fn word(&mut self, text: &[u8], at: usize) {
        if at < self.runs_read {
            return;
        }
        let floor = self.runs_read;
        let begin = self.word_begin(text, at);
        let word = boundary::out_of_escape(text, begin).min(at);
        let letters = at + 1 - word;
        if letters < blob::SHORTEST {
            let more = text[at + 1..].iter().take(blob::SHORTEST - letters);
            let letters = letters + more.take_while(|byte| byte.is_ascii_alphanumeric()).count();
            if letters < blob::SHORTEST {
                self.runs_read = word + letters;
                return;
            }
        }
        let letters = blob::SHORTEST;
        // The word may be in the middle of the run, behind a `/`.
        let start = word - back_while(&text[floor..word], |byte| blob::is_digit(*byte));
        self.runs_read = word + letters;
        let begins = [start, word].into_iter().find(|from| blob::begins_as_text(&text[*from..]));
        if let Some(from) = begins {
            let end = word + blob::length(&text[word..]);
            self.runs_read = end;
            self.runs.push(from..end);
        }
    }

    /// Where the word of `at` begins, or what was not read of it.
    fn word_begin(&self, text: &[u8], at: usize) -> usize {
        // Most often `at` is the letter with which the word has become long.
        let first = (at + 1).saturating_sub(blob::SHORTEST).max(self.runs_read);
        if first == self.runs_read || !text[first - 1].is_ascii_alphanumeric() {
            debug_assert!(text[first..=at].iter().all(u8::is_ascii_alphanumeric));
            return first;
        }
        at - back_while(&text[self.runs_read..at], u8::is_ascii_alphanumeric)
    }

    pub(crate) fn runs(&self) -> impl Iterator<Item = Range<usize>> {
        self.runs.iter().cloned()
    }

    pub(super) fn breaks(&self) -> &[Range<usize>] {
        &self.breaks
    }

    #[cold]
    fn note(&mut self, at: usize, quoted: bool) {
        let range = at.saturating_sub(BEFORE)..at + AFTER;
        match self.stretches.last_mut() {
            Some(last) if range.start <= last.range.end => {
                last.range.start = last.range.start.min(range.start);
                last.range.end = last.range.end.max(range.end);
                last.quoted |= quoted;
            }
            _ => self.stretches.push(Stretch { range, quoted }),
        }
    }

    /// Calls `visit` with each stretch to decode: whole words, no longer than a part.
    pub(super) fn each_stretch(&self, text: &[u8], mut visit: impl FnMut(Stretch)) {
        let mut stretches = self.stretches.iter().peekable();
        while let Some(&Stretch { ref range, mut quoted }) = stretches.next() {
            let mut end = word_end(text, range.end.min(text.len()));
            while let Some(next) = stretches.next_if(|next| next.range.start < end) {
                end = end.max(word_end(text, next.range.end.min(text.len())));
                quoted |= next.quoted;
            }
            let mut from = word_start(text, range.start);
            while end - from > PART {
                let to = word_end(text, from + PART).min(end);
                visit(Stretch { range: from..to, quoted });
                from = word_start(text, to - OVERLAP).max(from + 1);
            }
            visit(Stretch { range: from..end, quoted });
        }
    }
}

/// A part of a text to decode.
#[derive(Debug)]
pub(super) struct Stretch {
    pub(super) range: Range<usize>,
    /// Whether it is quoted-printable.
    pub(super) quoted: bool,
}

/// How many bytes at the end of `text` are accepted, a few thousand at most.
fn back_while(text: &[u8], accept: impl Fn(&u8) -> bool) -> usize {
    text.iter().rev().take(WORD).take_while(|byte| accept(byte)).count()
}

/// `at`, moved to where no word is cut apart: back to a blank, or on to a delimiter.
fn word_start(text: &[u8], at: usize) -> usize {
    const NEAR: usize = 64;
    if at == 0 {
        return 0;
    }
    let near = at.saturating_sub(NEAR);
    if let Some(blank) = text[near..at].iter().rposition(u8::is_ascii_whitespace) {
        return near + blank + 1;
    }
    let word = text[at..].iter().take(NEAR).position(|byte| !byte.is_ascii_alphanumeric());
    at + word.unwrap_or(0)
}

/// `at`, moved on to the end of the word.
fn word_end(text: &[u8], at: usize) -> usize {
    let blank = text[at..].iter().take(WORD).position(u8::is_ascii_whitespace);
    at + blank.unwrap_or_else(|| (text.len() - at).min(WORD))
}
