//! The record that has begun and not ended: what is held of it and what was already let go.

use std::borrow::Cow;
use std::ops::Range;

use tacenda_redact::{Carry, Crossed, Redactor, Report};

use crate::growing::is_delimiter;
use crate::{Redact, escape, growing, record};

/// Longest part of a record that is looked at as a whole, in bytes.
pub(crate) const LIMIT: usize = 64 * 1024;

/// Bytes behind a cut that are looked at again with what follows: a value this long is seen whole.
const OVERLAP: usize = 16 * 1024;

/// Bytes before a cut that are looked at with what follows: what tells a value may stand before it.
const CONTEXT: usize = 1024;

/// What is kept of the start and of the end of a value whose inside is dropped.
const KEPT: usize = 8 * 1024;

/// How far a cut is moved to fall between two words.
const NEAR: usize = 4 * 1024;

/// Calls of [`Line::let_go`] after which a word that may be growing is let go, if it does not look
/// like a value.
const SETTLED: u32 = 10;

/// The record that has begun and not ended.
///
/// When a part of it is let go early, all that is held of it is redacted again as it grows, always
/// from the carry at its start. So what was let go never hides the start of a value from the
/// detectors; only what was already written cannot be taken back.
#[derive(Debug, Default)]
pub(crate) struct Line {
    text: Vec<u8>,
    /// Up to here `text` was cut off: it is there to be looked at only.
    cut_off: usize,
    /// What was let go of `text[cut_off..let_go]`.
    shown: Vec<u8>,
    let_go: usize,
    /// Calls of `let_go` since bytes came.
    quiet: u32,
    pub(crate) interactive: bool,
}

impl Line {
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The record that has begun, if nothing of it was let go: it begins anew.
    pub(crate) fn take_back(&mut self) -> Option<Vec<u8>> {
        let is_whole = self.cut_off == 0 && self.let_go == 0 && !self.text.is_empty();
        is_whole.then(|| std::mem::take(&mut self.text))
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn ends_with_cr(&self) -> bool {
        self.text.last() == Some(&b'\r')
    }

    pub(crate) fn is_holding(&self) -> bool {
        self.let_go < self.text.len() && self.quiet <= SETTLED
    }

    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.text.extend_from_slice(bytes);
            self.quiet = 0;
        }
    }

    /// The record has ended: lets all of it go.
    pub(crate) fn end(
        &mut self,
        redactor: &impl Redact,
        carry: &mut Carry,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) {
        if self.let_go == 0 {
            record::append(redactor, carry, &self.text, report, out);
        } else {
            let redacted = self.redact_to(self.text.len(), redactor, carry, report);
            out.extend_from_slice(&redacted[self.resume(&redacted)..]);
        }
        self.text.clear();
        self.shown.clear();
        (self.cut_off, self.let_go, self.quiet) = (0, 0, 0);
    }

    /// Nothing came for the hold time: lets go what may be let go.
    pub(crate) fn let_go(&mut self, redactor: &impl Redact, carry: &Carry, out: &mut Vec<u8>) {
        if self.let_go == self.text.len() {
            return;
        }
        self.quiet = self.quiet.saturating_add(1);
        let mut end = self.releasable();
        if self.quiet <= SETTLED
            && let Some(few) = redactor.too_few()
        {
            end = end.min(self.sure(few, redactor, carry));
        }
        if end <= self.let_go {
            return;
        }
        let scratch = &mut Report::default();
        let redacted = self.redact_to(end, redactor, &mut carry.clone(), scratch);
        out.extend_from_slice(&redacted[self.resume(&redacted)..]);
        self.shown = redacted.into_owned();
        self.let_go = end;
    }

    /// Up to where the line is surely no beginning of a value that is being made, of which `few`
    /// characters are not told from other text.
    fn sure(&self, few: usize, redactor: &impl Redact, carry: &Carry) -> usize {
        let text = &self.text[..];
        let letters = (0..text.len()).rev().filter(|at| {
            let byte = text[*at];
            !byte.is_ascii_whitespace() && byte & 0xc0 != 0x80
        });
        let from = letters.take(few).last().unwrap_or_default();
        let report = &mut Report::default();
        let redacted = self.redact_to(text.len(), redactor, &mut carry.clone(), report);
        if redacted.ends_with(&text[from..]) {
            return from;
        }
        // A value that has been found ends the line, and may go on: it is shown as a whole.
        text.iter().zip(redacted.iter()).take_while(|(text, shown)| text == shown).count()
    }

    /// What was not cut off, up to `end`, as if the line ended there.
    fn redact_to(
        &self,
        end: usize,
        redactor: &impl Redact,
        carry: &mut Carry,
        report: &mut Report,
    ) -> Cow<'_, [u8]> {
        let (text, wanted) = (&self.text[..end], self.cut_off..end);
        match record::redact_part(redactor, carry, text, wanted, report) {
            Ok(part) => part.redacted,
            Err(Crossed { .. }) => unreachable!("no value goes on behind the end of the text"),
        }
    }

    /// The line is full: lets go of its first part, where no value is cut apart. All of it is
    /// looked at once, and the last [`CONTEXT`] and [`OVERLAP`] once more with what follows.
    pub(crate) fn cut(
        &mut self,
        redactor: &impl Redact,
        carry: &mut Carry,
        report: &mut Report,
        out: &mut Vec<u8>,
    ) {
        debug_assert_eq!(self.text.len(), LIMIT, "a line is cut when it is full");
        let to = cut_before(&self.text, LIMIT - OVERLAP);
        let cut = |to, carry: &mut Carry, report: &mut Report| {
            record::redact_part(redactor, carry, &self.text, self.cut_off..to, report)
        };
        let part = match cut(to, carry, report) {
            Ok(part) => part,
            Err(Crossed { start, end }) => {
                let inside = start.max(self.cut_off) + KEPT..end.saturating_sub(KEPT);
                if inside.len() >= Redactor::PART {
                    return self.drop_inside(inside);
                }
                // Escapes stand before the value: there is enough to let go.
                let Ok(part) = cut(start, carry, report) else {
                    unreachable!("no value crosses the start of one")
                };
                part
            }
        };
        out.extend_from_slice(&part.redacted[self.resume(&part.redacted)..]);
        let shown = part.redacted.len().min(self.shown.len());
        let from = part.end.saturating_sub(CONTEXT);
        self.cut_off = part.end - from;
        self.text.drain(..from);
        self.let_go = self.let_go.saturating_sub(from).max(self.cut_off);
        if self.let_go == self.cut_off {
            self.shown.clear();
        } else {
            self.shown.drain(..shown);
        }
    }

    /// A value covers the place where the line is to be cut: its inside is dropped, so that its start
    /// and its newest part stand together and are still the same kind of value.
    fn drop_inside(&mut self, inside: Range<usize>) {
        self.let_go -= self.let_go.min(inside.end) - self.let_go.min(inside.start);
        self.text.drain(inside);
    }

    /// How much of the line may be let go before it has ended.
    fn releasable(&self) -> usize {
        let text = &self.text[..];
        let mut end = escape::incomplete(text).unwrap_or(text.len());
        // A private key whose first line is not complete. Nothing else starts like this.
        if let Some(begin) = memchr::memmem::rfind(&text[..end], b"-----BEGIN")
            && memchr::memmem::find(&text[begin + 10..end], b"-----").is_none()
        {
            end = begin;
        }
        if self.interactive {
            return end;
        }
        // A colour beside or inside a value would hide it here too.
        let stripped = escape::strip(&text[..end]);
        let seen = &stripped.text[..];
        let settled = self.quiet >= SETTLED;
        let word = growing::word(seen).filter(|at| !settled || growing::may_be_value(&seen[*at..]));
        let list = growing::list(seen).filter(|_| !settled);
        match growing::groups(seen).into_iter().chain(word).chain(list).min() {
            Some(held) => stripped.place(held),
            None => end,
        }
    }

    /// Where in `redacted` (the line, or its first part, redacted anew) goes on what was shown.
    fn resume(&self, redacted: &[u8]) -> usize {
        let shown = &self.shown[..self.shown.len().min(redacted.len())];
        let same = shown.iter().zip(redacted).take_while(|(a, b)| a == b).count();
        if same == self.shown.len() {
            return same;
        }
        if same == redacted.len() {
            // A first part that was shown whole.
            return same;
        }
        // Shown were the first numbers of a list: its bracket is no part of the label.
        if same > 0 && redacted[same - 1] == b'[' && redacted[same].is_ascii_alphabetic() {
            return same - 1;
        }
        // A value that was shown only in part, or under another label, is named now: from the
        // start of its label on.
        let raw = &self.text[self.cut_off..self.let_go];
        let unredacted = raw.iter().zip(&self.shown).take_while(|(a, b)| a == b).count();
        if unredacted < same
            && let Some(label) = memchr::memrchr2(b'[', b']', &redacted[..same])
            && redacted[label] == b'['
        {
            return label;
        }
        // A value that was shown as a label is no value any more now that it has grown: what was
        // withheld stays withheld, to the end of its word.
        let rest = &redacted[same..];
        let again = (0..raw.len()).find(|from| rest.starts_with(&raw[*from..]));
        match again {
            Some(from) if rest[0] != b'[' => {
                let known = same + raw.len() - from;
                let word = redacted[known..].iter().position(|byte| is_delimiter(*byte));
                word.map_or(redacted.len(), |len| known + len)
            }
            _ => same,
        }
    }
}

/// The last place at or before `at`, but not far, where a cut separates two words; otherwise `at`,
/// moved so that it does not separate the bytes of one character.
fn cut_before(text: &[u8], at: usize) -> usize {
    let near = at.saturating_sub(NEAR).max(1);
    if let Some(space) = text[near..at].iter().rposition(u8::is_ascii_whitespace) {
        return near + space + 1;
    }
    if let Some(delimiter) = text[near..at].iter().rposition(|byte| is_delimiter(*byte)) {
        return near + delimiter + 1;
    }
    (at.saturating_sub(3).max(1)..=at).rev().find(|at| text[*at] & 0xc0 != 0x80).unwrap_or(at)
}
