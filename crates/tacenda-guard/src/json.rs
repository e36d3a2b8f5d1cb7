//! JSON Lines: each line one JSON value (RFC 8259), redacted value by value.

mod walk;

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;
use tacenda_redact::{Carry, Report};

use crate::escape::ESC;
use crate::{Redact, StreamFilter, Tally, record};
use walk::Walk;

/// Longest line that is read as JSON, in bytes. A longer one is text.
const LONGEST: usize = 8 << 20;

/// Bytes of values that are looked at at once, at least.
const STRETCH: usize = 64 << 10;

/// Redacts a stream of JSON lines value by value.
///
/// A string is redacted as what it means, escapes decoded, and after that in the company of its
/// key; a number or an array of numbers in the company of its key. Keys are kept. What is not
/// redacted comes out byte for byte. A line that is not JSON is redacted as text.
#[derive(Debug)]
pub struct JsonLinesFilter<R> {
    redactor: R,
    /// For lines that are not JSON.
    text: StreamFilter<R>,
    line: Vec<u8>,
    /// The line has grown too long and goes to `text` as it comes.
    too_long: bool,
    tally: Tally,
}

impl<R: Redact + Clone> JsonLinesFilter<R> {
    /// A filter at the start of a stream.
    pub fn new(redactor: R) -> Self {
        let text = StreamFilter::new(redactor.clone());
        Self { redactor, text, line: Vec::new(), too_long: false, tally: Tally::default() }
    }

    /// Takes the next bytes of the stream and appends to `out` every line that ends in them.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut rest = chunk;
        if (self.too_long || !self.line.is_empty())
            && let Some(end) = memchr::memchr(b'\n', rest)
        {
            let (line, after) = rest.split_at(end + 1);
            self.hold(line, out);
            self.end_line(out);
            rest = after;
        }
        if !self.too_long && self.line.is_empty() {
            let (lines, after) = rest.split_at(memchr::memrchr(b'\n', rest).map_or(0, |at| at + 1));
            self.redact_lines(lines, out);
            rest = after;
        }
        self.hold(rest, out);
    }

    /// The stream has ended: what is held is redacted and let go.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.end_line(out);
        self.text.finish(out);
    }

    /// What went through so far.
    pub fn tally(&self) -> Tally {
        let mut sum = self.tally.clone();
        sum.add(self.text.tally());
        sum
    }

    fn hold(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if !self.too_long && self.line.len() + bytes.len() > LONGEST {
            self.too_long = true;
            self.text.push(&std::mem::take(&mut self.line), out);
        }
        if self.too_long {
            self.text.push(bytes, out);
        } else {
            self.line.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        self.too_long = false;
        let line = std::mem::take(&mut self.line);
        if !line.is_empty() {
            self.redact_line(&line, out);
        }
        self.line = line;
        self.line.clear();
    }

    /// Whole lines. One look at the values of many costs less than one at each.
    fn redact_lines(&mut self, text: &[u8], out: &mut Vec<u8>) {
        let mut rest = text;
        while !rest.is_empty() {
            let mut values = Values::default();
            // Where the lines end, and how many values there are up to there; none is known of those
            // of a line that is not JSON.
            let mut lines = Vec::new();
            let mut end = 0;
            while values.text.len() < STRETCH
                && let Some(length) = memchr::memchr(b'\n', &rest[end..])
            {
                let line = &rest[end..=end + length];
                end += line.len();
                let known = values.gather(line);
                lines.push((end, known.then_some(values.places.len())));
            }
            let suspects = self.redactor.suspects(&values.text, values.places.into_iter());
            let mut suspects = suspects.map(|suspects| suspects.into_iter().peekable());
            let mut start = 0;
            for (end, values) in lines {
                let line = &rest[start..end];
                start = end;
                let is_clean = values.zip(suspects.as_mut()).is_some_and(|(values, suspects)| {
                    let mut clean = true;
                    while suspects.next_if(|(number, _)| *number < values).is_some() {
                        clean = false;
                    }
                    clean
                });
                if is_clean {
                    out.extend_from_slice(line);
                    self.count(line.len(), line.len());
                } else {
                    self.redact_line(line, out);
                }
            }
            rest = &rest[end..];
        }
    }

    fn redact_line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        let mut report = Report::default();
        let look = Redacting { redactor: &self.redactor, report: &mut report };
        if is_json(line) && Walk::new(line, look).whole(out).is_some() {
            record::add(&mut self.tally.report, &report);
            self.count(line.len(), out.len() - before);
        } else {
            out.truncate(before);
            self.text.push(line, out);
        }
    }

    /// One line of JSON went through.
    fn count(&mut self, bytes_in: usize, bytes_out: usize) {
        self.tally.records += 1;
        self.tally.bytes_in += bytes_in as u64;
        self.tally.bytes_out += bytes_out as u64;
    }
}

fn is_json(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// What is done with a value.
trait Look {
    /// Looks at a text, which is the value of `key` and does not show it; gives back what it is to be
    /// replaced by.
    fn look(&mut self, text: &[u8], key: Option<&[u8]>) -> Option<Vec<u8>>;

    /// How many values were found and allowed.
    fn allowed(&mut self) -> &mut u64;
}

struct Redacting<'w, R> {
    redactor: &'w R,
    report: &'w mut Report,
}

impl<R: Redact> Look for Redacting<'_, R> {
    fn look(&mut self, text: &[u8], key: Option<&[u8]>) -> Option<Vec<u8>> {
        let mut carry = key.map_or_else(Carry::default, Carry::under);
        match record::redact(self.redactor, &mut carry, text, true, self.report) {
            Cow::Borrowed(_) => None,
            Cow::Owned(text) => Some(text),
        }
    }

    fn allowed(&mut self) -> &mut u64 {
        &mut self.report.allowed
    }
}

/// The values of many lines, to be looked at all at once.
#[derive(Debug, Default)]
struct Values {
    text: Vec<u8>,
    places: Vec<Range<usize>>,
    has_escapes: bool,
    allowed: u64,
}

impl Values {
    /// Adds those of a line; false when it cannot be told by them whether there is something in it.
    fn gather(&mut self, line: &[u8]) -> bool {
        self.has_escapes = false;
        let walked = is_json(line) && Walk::new(line, &mut *self).through().is_some();
        walked && !self.has_escapes
    }
}

impl Look for &mut Values {
    fn look(&mut self, text: &[u8], _: Option<&[u8]>) -> Option<Vec<u8>> {
        let start = self.text.len();
        self.text.extend_from_slice(text);
        self.places.push(start..self.text.len());
        self.text.push(b'\n');
        self.has_escapes |= memchr::memchr(ESC, text).is_some();
        None
    }

    fn allowed(&mut self) -> &mut u64 {
        &mut self.allowed
    }
}
