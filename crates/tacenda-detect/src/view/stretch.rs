//! A stretch of text with its escapes decoded, and the way back.

use std::ops::Range;

use super::escape::{self, Meaning};
use super::lines;
use super::notes::Stretch;

/// A decoded stretch.
#[derive(Debug)]
pub(super) struct Decoded {
    text: Vec<u8>,
    /// Where the stretch begins in the original.
    from: usize,
    /// The escapes, in the order of the text.
    escapes: Vec<Escape>,
}

/// One escape: `raw` in the original, `len` bytes at `at` in the decoded text.
#[derive(Debug)]
struct Escape {
    at: usize,
    len: usize,
    raw: Range<usize>,
}

impl Decoded {
    /// The stretch with its escapes decoded and the `breaks` taken out.
    pub(super) fn of(text: &[u8], stretch: &Stretch, breaks: &[Range<usize>]) -> Self {
        let (from, end) = (stretch.range.start, stretch.range.end);
        let mut decoded = Self { text: Vec::with_capacity(end - from), from, escapes: Vec::new() };
        let mut breaks = breaks[breaks.partition_point(|at| at.start < from)..].iter().peekable();
        let (mut i, mut copied) = (from, from);
        while i < end {
            while breaks.next_if(|at| at.start < i).is_some() {}
            let next_break = breaks.peek().map_or(end, |next| next.start.min(end));
            let may_begin = |byte: &u8| escape::may_begin(*byte) || stretch.quoted && *byte == b'=';
            let candidate = text[i..next_break].iter().position(may_begin);
            i = candidate.map_or(next_break, |offset| i + offset);
            let meaning = if i == end {
                break;
            } else if i == next_break {
                breaks.next().map(|at| Meaning::nothing(at.len()))
            } else if text[i] == b'=' {
                lines::quoted(&text[..end], i)
            } else {
                escape::read(&text[..end], i)
            };
            let Some(meaning) = meaning else {
                i += 1;
                continue;
            };
            decoded.text.extend_from_slice(&text[copied..i]);
            let at = decoded.text.len();
            decoded.text.extend_from_slice(meaning.bytes());
            let len = decoded.text.len() - at;
            decoded.escapes.push(Escape { at, len, raw: i..i + meaning.width });
            i += meaning.width;
            copied = i;
        }
        decoded.text.extend_from_slice(&text[copied.min(end)..end]);
        decoded
    }

    pub(super) fn is_plain(&self) -> bool {
        self.escapes.is_empty()
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The bytes of the original that `span` of the decoded text came from.
    pub(super) fn origin(&self, span: Range<usize>) -> Range<usize> {
        self.byte(span.start).start..self.byte(span.end - 1).end
    }

    /// The bytes of the original that one decoded byte came from.
    fn byte(&self, at: usize) -> Range<usize> {
        let before = self.escapes.partition_point(|escape| escape.at <= at);
        let Some(last) = before.checked_sub(1).map(|i| &self.escapes[i]) else {
            return self.from + at..self.from + at + 1;
        };
        if at < last.at + last.len {
            return last.raw.clone();
        }
        let place = last.raw.end + (at - last.at - last.len);
        place..place + 1
    }

    /// Whether an escape in `span`, or near it, is what makes the value readable.
    pub(super) fn is_telling(&self, span: Range<usize>) -> bool {
        // A key and its quotes before the value, a quote behind it.
        const BEFORE: usize = 80;
        const BEHIND: usize = 1;
        let first = self.escapes.partition_point(|escape| escape.at + BEFORE < span.start);
        self.escapes.get(first).is_some_and(|escape| escape.at <= span.end + BEHIND)
    }
}
