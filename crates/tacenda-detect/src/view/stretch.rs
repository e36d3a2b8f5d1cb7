//! A stretch of text with its escapes decoded, and the way back.

use std::ops::Range;

use super::escape;

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
    pub(super) fn of(text: &[u8], stretch: Range<usize>) -> Self {
        let Range { start: from, end } = stretch;
        let mut decoded = Self { text: Vec::with_capacity(end - from), from, escapes: Vec::new() };
        let (mut i, mut copied) = (from, from);
        while i < end {
            let candidate = text[i..end].iter().position(|byte| escape::may_begin(*byte));
            i = candidate.map_or(end, |offset| i + offset);
            let Some(meaning) = (i < end).then(|| escape::read(&text[..end], i)).flatten() else {
                i += usize::from(i < end);
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
        decoded.text.extend_from_slice(&text[copied..end]);
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
