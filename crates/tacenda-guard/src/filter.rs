//! Chunks in, redacted records out.

use std::borrow::Cow;
use std::ops::Range;

use tacenda_redact::{Carry, Report};

use crate::escape::ESC;
use crate::line::{LIMIT, Line};
use crate::{Redact, record};

/// What went through a filter, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// What was redacted. A value that was shown as a label before its record ended counts once.
    pub report: Report,
    /// Records that ended.
    pub records: u64,
    /// Bytes in.
    pub bytes_in: u64,
    /// Bytes out.
    pub bytes_out: u64,
}

impl Tally {
    /// Adds what went through another filter.
    pub fn add(&mut self, more: &Self) {
        record::add(&mut self.report, &more.report);
        self.records += more.records;
        self.bytes_in += more.bytes_in;
        self.bytes_out += more.bytes_out;
    }
}

/// Redacts a stream of bytes record by record, however it is cut into chunks.
///
/// A record ends with `\n`, `\r\n` or a bare `\r`; its end comes out as it came in. Any bytes are
/// allowed. What is held between calls stays under three times 64 KiB: a longer record is redacted
/// in overlapping parts, so that a value of up to 16 KiB is seen whole wherever it lies. Of a
/// longer value (an image, a list of numbers) the inside is dropped with the value, so the size in
/// its summary is that of what was kept.
#[derive(Debug)]
pub struct StreamFilter<R> {
    redactor: R,
    carry: Carry,
    line: Line,
    tally: Tally,
}

impl<R: Redact> StreamFilter<R> {
    /// A filter at the start of a stream.
    pub fn new(redactor: R) -> Self {
        Self { redactor, carry: Carry::default(), line: Line::default(), tally: Tally::default() }
    }

    /// For a stream that a person types into: [`idle`](Self::idle) lets a word go at once that
    /// may be still growing, because it is the echo of a key press.
    #[must_use]
    pub fn interactive(mut self, interactive: bool) -> Self {
        self.line.interactive = interactive;
        self
    }

    /// Takes the next bytes of the stream and appends to `out` every record that ends in them.
    ///
    /// An array that is printed over several lines is looked at as a whole where all of it comes at
    /// once: its lines alone are too few numbers to be told from others.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        if self.push_piece(chunk, out) {
            return;
        }
        let Some(array) = array_over_lines(chunk) else { return self.push_lines(chunk, out) };
        if let Some(begun) = self.line.take_back() {
            self.tally.bytes_in -= begun.len() as u64;
            return self.push(&[&begun, chunk].concat(), out);
        }
        if !self.line.is_empty() {
            return self.push_lines(chunk, out);
        }
        self.push_lines(&chunk[..array.start], out);
        self.push_together(&chunk[array.clone()], out);
        self.push(&chunk[array.end..], out);
    }

    /// Takes a part of a line, or its end by itself: so comes what `print` writes. False: it is
    /// something else.
    fn push_piece(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> bool {
        if self.line.ends_with_cr() || self.line.len() + chunk.len() > LIMIT {
            return false;
        }
        let is_end = chunk == b"\n" && !self.line.is_empty();
        if !is_end && memchr::memchr2(b'\n', b'\r', chunk).is_some() {
            return false;
        }
        let before = out.len();
        self.line.extend(chunk);
        if is_end {
            self.end_line(out);
        }
        self.tally.bytes_in += chunk.len() as u64;
        self.tally.bytes_out += (out.len() - before) as u64;
        true
    }

    fn push_lines(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        self.tally.bytes_in += chunk.len() as u64;
        let mut rest = self.continue_line(chunk, out);
        if rest.is_empty() {
            self.tally.bytes_out += (out.len() - before) as u64;
            return;
        }
        let signs = Signs::of(rest);
        let all = rest;
        // What is clean is written in stretches; this one has not been.
        let mut clean = rest;
        while let Some(end) = signs.record_end(rest) {
            let (record, after) = rest.split_at(end);
            if record.len() > LIMIT {
                out.extend_from_slice(&clean[..clean.len() - rest.len()]);
                rest = self.continue_line(rest, out);
                clean = rest;
                continue;
            }
            let (carry, report) = (&mut self.carry, &mut self.tally.report);
            let start = all.len() - rest.len();
            let range = start..start + end;
            let text = record::redact(&self.redactor, carry, all, range, signs.escape, report);
            if let Cow::Owned(text) = text {
                out.extend_from_slice(&clean[..clean.len() - rest.len()]);
                out.extend_from_slice(&text);
                clean = after;
            }
            self.tally.records += 1;
            rest = after;
        }
        out.extend_from_slice(&clean[..clean.len() - rest.len()]);
        self.hold(rest, out);
        self.tally.bytes_out += (out.len() - before) as u64;
    }

    /// Takes whole lines that a value may be broken over. They are looked at together first, for
    /// what no line shows alone, and then one by one like all others.
    pub(crate) fn push_together(&mut self, lines: &[u8], out: &mut Vec<u8>) {
        // Private keys are followed from line to line.
        if self.carry.is_in_key() || memchr::memmem::find(lines, b"-----BEGIN ").is_some() {
            return self.push_lines(lines, out);
        }
        let report = &mut self.tally.report;
        let allowed = report.allowed;
        let escapes = memchr::memchr(ESC, lines).is_some();
        let (carry, all) = (&mut Carry::default(), 0..lines.len());
        let together = record::redact(&self.redactor, carry, lines, all, escapes, report);
        // Those that are allowed are seen again.
        report.allowed = allowed;
        let Cow::Owned(together) = together else { return self.push_lines(lines, out) };
        self.push_lines(&together, out);
        self.tally.bytes_in += lines.len() as u64;
        self.tally.bytes_in -= together.len() as u64;
    }

    /// Nothing came for the hold time: the record that has begun is redacted as it stands and let
    /// go, except an end that may become something sensitive. When the record goes on, it is
    /// looked at again as a whole, and only what is new comes out.
    ///
    /// To be called once per hold time while [`is_holding`](Self::is_holding).
    pub fn idle(&mut self, out: &mut Vec<u8>) {
        let before = out.len();
        self.line.let_go(&self.redactor, &self.carry, out);
        self.tally.bytes_out += (out.len() - before) as u64;
    }

    /// The stream has ended: everything that is held is redacted and let go.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let before = out.len();
        if !self.line.is_empty() {
            self.end_line(out);
        }
        self.tally.bytes_out += (out.len() - before) as u64;
    }

    /// Whether something is held that a later [`idle`](Self::idle) may let go.
    pub fn is_holding(&self) -> bool {
        self.line.is_holding()
    }

    /// Whether a record has begun that has not ended: it is looked at as a whole once it has.
    pub fn has_begun(&self) -> bool {
        !self.line.is_empty()
    }

    /// What went through so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Adds `chunk` to the record that has begun, if one has; gives back what is after it.
    fn continue_line<'c>(&mut self, chunk: &'c [u8], out: &mut Vec<u8>) -> &'c [u8] {
        if self.line.ends_with_cr() && !chunk.is_empty() {
            let (end, rest) = chunk.split_at(usize::from(chunk[0] == b'\n'));
            self.line.extend(end);
            self.end_line(out);
            return rest;
        }
        let Some(end) = record_end(chunk) else {
            self.hold(chunk, out);
            return &[];
        };
        if self.line.is_empty() && end <= LIMIT {
            return chunk;
        }
        let content = end - record::terminator(&chunk[..end]).len();
        self.extend(&chunk[..content], out);
        self.line.extend(&chunk[content..end]);
        self.end_line(out);
        &chunk[end..]
    }

    /// Adds bytes of a record that has not ended, perhaps with a `\r` that may be half an end.
    fn hold(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let content = chunk.len() - usize::from(chunk.last() == Some(&b'\r'));
        self.extend(&chunk[..content], out);
        self.line.extend(&chunk[content..]);
    }

    /// Adds content, cutting the line each time that it would grow over the limit: the cuts are
    /// at the same places however the stream is cut into chunks.
    fn extend(&mut self, mut content: &[u8], out: &mut Vec<u8>) {
        while self.line.len() + content.len() > LIMIT {
            let (part, rest) = content.split_at(LIMIT - self.line.len());
            self.line.extend(part);
            self.line.cut(&self.redactor, &mut self.carry, &mut self.tally.report, out);
            content = rest;
        }
        self.line.extend(content);
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        self.line.end(&self.redactor, &mut self.carry, &mut self.tally.report, out);
        self.tally.records += 1;
    }
}

/// Whole lines of a text in which an array of numbers begins and ends; none for what is one line.
fn array_over_lines(text: &[u8]) -> Option<Range<usize>> {
    /// A line that ends in an array has no fewer bytes of it.
    const SHORTEST: usize = 16;
    if text.len() < 2 * SHORTEST {
        return None;
    }
    let first = memchr::memchr(b'\n', text)?;
    if first + 1 == text.len() {
        return None;
    }
    let mut at = 0;
    while let Some(open) = memchr::memchr(b'[', &text[at..]).map(|found| at + found) {
        let (length, is_closed) = closing(&text[open..]);
        let close = open + length;
        if !is_closed {
            // Nor is what begins in it: each byte is looked at once.
            at = close.max(open + 1);
            continue;
        }
        let line = memchr::memchr(b'\n', &text[open..close]).map_or(close, |line| open + line);
        if line < close && line - open >= SHORTEST {
            let start = memchr::memrchr(b'\n', &text[..open]).map_or(0, |before| before + 1);
            let end =
                memchr::memchr(b'\n', &text[close..]).map_or(text.len(), |end| close + end + 1);
            return Some(start..end);
        }
        at = close + 1;
    }
    None
}

/// Where the bracket is closed that a text begins with, if all before it are numbers; else where
/// there is something else.
fn closing(text: &[u8]) -> (usize, bool) {
    let mut depth = 0_usize;
    for (place, byte) in text.iter().enumerate() {
        match byte {
            b'[' => depth += 1,
            b']' => depth -= 1,
            b'0'..=b'9' | b',' | b'.' | b'+' | b'-' | b'e' | b' ' | b'\n' | b'\r' | b'\t' => {}
            _ => return (place, false),
        }
        if depth == 0 {
            return (place, true);
        }
    }
    (text.len(), false)
}

/// Whether a text has signs that few texts have, so that not each of its records is asked.
#[derive(Clone, Copy, Debug)]
struct Signs {
    /// The first byte of an escape sequence.
    escape: bool,
    carriage_return: bool,
}

impl Signs {
    fn of(text: &[u8]) -> Self {
        let has = |sign| memchr::memchr(sign, text).is_some();
        Self { escape: has(ESC), carriage_return: has(b'\r') }
    }

    /// As [`record_end`], of a part of the text.
    fn record_end(self, text: &[u8]) -> Option<usize> {
        if self.carriage_return {
            return record_end(text);
        }
        memchr::memchr(b'\n', text).map(|at| at + 1)
    }
}

/// The length of the record that `text` starts with, its end included. None if it has not ended,
/// or if its end may go on: a `\r` that is the last byte may be half of `\r\n`.
fn record_end(text: &[u8]) -> Option<usize> {
    let at = memchr::memchr2(b'\n', b'\r', text)?;
    match (text[at], text.get(at + 1)) {
        (b'\r', Some(b'\n')) => Some(at + 2),
        (b'\r', None) => None,
        _ => Some(at + 1),
    }
}
