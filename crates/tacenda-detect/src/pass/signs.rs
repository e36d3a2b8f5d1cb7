//! Signs that are looked at one by one, and what is noted for decoding.

use super::{BLOCK, Pass, each_bit};
use crate::boundary;
use crate::matchers::{email, token};
use crate::names::Matcher;
use crate::people::{self, Judged};
use crate::view;

impl Pass<'_, '_, '_> {
    /// Base64 and hexadecimal digits are long words: one has become long at `at`.
    #[inline]
    pub(super) fn long_word(&mut self, at: usize) {
        if !self.opaque.has(at) {
            self.notes.word(self.text, at);
            let word = at + 1 - view::LONG;
            if let Some((matcher, range)) = token::ends_with(self.text, word) {
                self.push_shape(matcher, range);
            }
        }
    }

    /// Where lines end, a value may go on in the next one.
    #[expect(clippy::inline_always, reason = "asks where it is called")]
    #[inline(always)]
    pub(super) fn ends_of_lines(&mut self, base: usize, newlines: u64) {
        each_bit(newlines, |bit| self.notes.line_end(self.text, base + bit));
    }

    /// Characters outside ASCII that stand for a plain sign: where a row of such characters begins,
    /// and full-width forms (their first byte is 0xEF) anywhere.
    #[cold]
    pub(super) fn signs(&mut self, base: usize, high: u64, starts: u64) {
        each_bit(starts, |bit| {
            self.notes.sign(self.text, base + bit);
            // Keywords of other scripts.
            self.token(base + bit);
        });
        // In Chinese, Japanese and Thai no blank parts the words.
        each_bit(high & !starts, |bit| {
            if matches!(self.text[base + bit], 0xe0 | 0xe3..=0xed) {
                self.token(base + bit);
            }
        });
        let block = &self.text[base..self.text.len().min(base + BLOCK)];
        for offset in memchr::memchr_iter(0xef, block) {
            self.notes.sign(self.text, base + offset);
        }
    }

    /// `@`, `%`, `&`, `<`, `[`, `~`, backslash or ESC at `at`.
    pub(super) fn rare(&mut self, at: usize) {
        if self.opaque.has(at) {
            return;
        }
        match self.text[at] {
            b'@' => self.email(at, 1),
            b'<' => self.element(at),
            b'&' => self.notes.escape(self.text, at),
            b'%' => {
                self.notes.escape(self.text, at);
                if self.text[at..].starts_with(b"%40") {
                    self.email(at, 3);
                }
                self.token_after(at, at + 3);
            }
            b'\\' => {
                self.notes.escape(self.text, at);
                if at > 0 && self.text[at - 1] == b'=' {
                    self.notes.soft_break(self.text, at);
                }
                let width = match self.text.get(at + 1) {
                    Some(b'n' | b'r' | b't' | b'b' | b'f') => 2,
                    Some(b'x' | b'0') => 4,
                    Some(b'u') => 6,
                    _ => return,
                };
                let next = at + width;
                if width == 2 && self.text.get(next).is_some_and(u8::is_ascii_uppercase) {
                    self.name_after(next);
                }
                self.token_after(
                    at,
                    if self.text.get(next) == Some(&b'[') { self.colour_end(next) } else { next },
                );
            }
            b'~' => {
                if let Some(range) = token::azure(self.text, at) {
                    self.push_shape(Matcher::AzureClientSecret, range);
                }
            }
            b'[' => {
                let colour = at > 0 && self.text[at - 1] == 0x1b;
                if !colour && at >= self.lists_read {
                    self.list(at);
                }
            }
            _ => {
                self.notes.escape(self.text, at);
                self.token_after(at, self.colour_end(at + 1));
            }
        }
    }

    /// A name that begins right behind an escape, where the bitmaps see none: `Regards,\\nAna Ruiz`.
    fn name_after(&mut self, at: usize) {
        if at < self.names_read {
            return;
        }
        if let Some(Judged { found: Some((matcher, range)), .. }) =
            people::begun(self.text, at, &mut self.mentioned)
        {
            self.push_shape(matcher, range);
        }
    }

    /// The end of the colour sequence whose `[` is at `bracket`.
    fn colour_end(&self, bracket: usize) -> usize {
        let parameters = self.text[bracket..]
            .iter()
            .skip(1)
            .take(16)
            .take_while(|b| matches!(b, b'0'..=b'9' | b';'))
            .count();
        bracket + 2 + parameters
    }

    fn email(&mut self, at: usize, width: usize) {
        if let Some(range) = email::around(self.text, at, width) {
            self.push_shape(Matcher::Email, range);
        }
    }

    /// A token that begins right after an escape, where the bitmaps see none.
    fn token_after(&mut self, escape: usize, at: usize) {
        if boundary::escape_before(self.text, at.min(self.text.len())) != Some(escape)
            || at >= self.text.len()
        {
            return;
        }
        let byte = self.text[at];
        if byte.is_ascii_alphanumeric() {
            self.token(at);
        }
        if byte.is_ascii_digit() {
            self.digits_ahead(at);
        }
        if byte.is_ascii_alphabetic() {
            self.lettered(at);
        }
    }
}
