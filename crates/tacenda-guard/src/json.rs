//! JSON Lines: each line one JSON value (RFC 8259), redacted value by value.

use std::ops::Range;

use serde::de::IgnoredAny;
use tacenda_redact::{Carry, Report};

use crate::record::{self, changed};
use crate::{Redact, StreamFilter, Tally};

/// Longest line that is read as JSON, in bytes. A longer one is text.
const LONGEST: usize = 8 << 20;

/// Deepest nesting that is read as JSON. A deeper line is text.
const DEEPEST: u32 = 128;

/// Between a key and its value.
const JOINT: &[u8] = b": ";

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
    /// Room for a key and its value.
    member: Vec<u8>,
    /// The line has grown too long and goes to `text` as it comes.
    too_long: bool,
    tally: Tally,
}

impl<R: Redact + Clone> JsonLinesFilter<R> {
    /// A filter at the start of a stream.
    pub fn new(redactor: R) -> Self {
        let text = StreamFilter::new(redactor.clone());
        Self {
            redactor,
            text,
            line: Vec::new(),
            member: Vec::new(),
            too_long: false,
            tally: Tally::default(),
        }
    }

    /// Takes the next bytes of the stream and appends to `out` every line that ends in them.
    pub fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) {
        let mut rest = chunk;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end + 1);
            if self.line.is_empty() && !self.too_long {
                self.redact_line(line, out);
            } else {
                self.hold(line, out);
                self.end_line(out);
            }
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

    fn redact_line(&mut self, line: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        let is_json = std::str::from_utf8(line)
            .is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
        let mut report = Report::default();
        let done = is_json && {
            let (line, redactor, member) = (line, &self.redactor, &mut self.member);
            let report = &mut report;
            let mut walk = Walk { line, at: 0, copied: 0, redactor, member, report, out };
            walk.whole().is_some()
        };
        if done {
            record::add(&mut self.tally.report, &report);
            self.tally.records += 1;
            self.tally.bytes_in += line.len() as u64;
            self.tally.bytes_out += (out.len() - before) as u64;
        } else {
            out.truncate(before);
            self.text.push(line, out);
        }
    }
}

/// A walk over one line that is known to be JSON.
struct Walk<'w, R> {
    line: &'w [u8],
    at: usize,
    /// The line up to here is in `out`.
    copied: usize,
    redactor: &'w R,
    member: &'w mut Vec<u8>,
    report: &'w mut Report,
    out: &'w mut Vec<u8>,
}

/// A string of a line, with its quotes.
struct Quoted {
    range: Range<usize>,
    has_escapes: bool,
}

impl<R: Redact> Walk<'_, R> {
    /// None where the line is not what it was taken for.
    fn whole(&mut self) -> Option<()> {
        self.value(None, 0)?;
        self.out.extend_from_slice(&self.line[self.copied..]);
        Some(())
    }

    /// A value, and the key (with its quotes) that it stands under.
    fn value(&mut self, key: Option<&Range<usize>>, depth: u32) -> Option<()> {
        let start = self.skip_space()?;
        match self.line[start] {
            b'"' => {
                let string = self.string_end()?;
                self.string(string, key)
            }
            b'{' if depth < DEEPEST => self.object(depth),
            b'[' if depth < DEEPEST => match self.numbers() {
                Some(array) => {
                    self.literal(array, key);
                    Some(())
                }
                None => self.array(key, depth),
            },
            b'{' | b'[' => None,
            _ => {
                let rest = &self.line[start..];
                let ends = |byte: &u8| b",]}".contains(byte) || byte.is_ascii_whitespace();
                self.at = start + rest.iter().position(ends).unwrap_or(rest.len());
                let is_number = rest[0] == b'-' || rest[0].is_ascii_digit();
                if is_number {
                    self.literal(start..self.at, key);
                }
                Some(())
            }
        }
    }

    fn object(&mut self, depth: u32) -> Option<()> {
        self.at += 1;
        loop {
            match self.line[self.skip_space()?] {
                b'}' => break,
                b',' => self.at += 1,
                _ => {
                    let key = self.string_end()?.range;
                    let colon = self.skip_space()?;
                    debug_assert_eq!(self.line[colon], b':', "a key is followed by a colon");
                    self.at += 1;
                    self.value(Some(&key), depth + 1)?;
                }
            }
        }
        self.at += 1;
        Some(())
    }

    fn array(&mut self, key: Option<&Range<usize>>, depth: u32) -> Option<()> {
        self.at += 1;
        loop {
            match self.line[self.skip_space()?] {
                b']' => break,
                b',' => self.at += 1,
                _ => self.value(key, depth + 1)?,
            }
        }
        self.at += 1;
        Some(())
    }

    /// The whole array at `at`, if there is nothing in it but numbers and arrays of them.
    fn numbers(&mut self) -> Option<Range<usize>> {
        let mut depth = 0_u32;
        let rest = &self.line[self.at..];
        let mut has_numbers = false;
        for (offset, byte) in rest.iter().enumerate() {
            match byte {
                b'[' => depth += 1,
                b']' => depth -= 1,
                b'0'..=b'9' => has_numbers = true,
                b',' | b'-' | b'+' | b'.' | b'e' | b'E' | b' ' | b'\t' | b'\r' => {}
                _ => return None,
            }
            if depth == 0 {
                let start = self.at;
                self.at += offset + 1;
                return has_numbers.then_some(start..self.at);
            }
        }
        None
    }

    fn string(&mut self, string: Quoted, key: Option<&Range<usize>>) -> Option<()> {
        let Quoted { range: string, has_escapes } = string;
        let before = self.report.allowed;
        let inside = string.start + 1..string.end - 1;
        let redacted = if has_escapes {
            // A lone surrogate is JSON and no text.
            let decoded = serde_json::from_slice::<String>(&self.line[string.clone()]).ok()?;
            self.decoded(decoded.as_bytes(), 0..decoded.len(), true, key)
        } else {
            self.decoded(self.line, inside, false, key)
        };
        if let Some(text) = redacted {
            self.replace(string, &encode(&text));
        } else {
            let first = self.report.allowed - before;
            self.literal(string, key);
            // What the first look allows the second sees again.
            let second = self.report.allowed - before - first;
            self.report.allowed = before + first.max(second);
        }
        Some(())
    }

    /// A string as what it means, a range of a text. Its key says what may be allowed, where there is
    /// something at all.
    fn decoded(
        &mut self,
        text: &[u8],
        range: Range<usize>,
        escapes: bool,
        key: Option<&Range<usize>>,
    ) -> Option<Vec<u8>> {
        let look = |carry: &mut Carry, report: &mut Report| {
            changed(record::redact(self.redactor, carry, text, range.clone(), escapes, report))
        };
        let mut first = Report::default();
        let redacted = look(&mut Carry::default(), &mut first);
        let Some(key) = key.filter(|_| redacted.is_some() || first.allowed > 0) else {
            record::add(self.report, &first);
            return redacted;
        };
        look(&mut Carry::under(&self.line[key.clone()]), self.report)
    }

    /// A value as it is spelled, in the company of its key.
    fn literal(&mut self, value: Range<usize>, key: Option<&Range<usize>>) {
        let line = self.line;
        let raw = &line[value.clone()];
        let Some(key) = key else {
            // A string has been looked at already.
            if raw[0] != b'"'
                && let Some(text) = spelled(self.redactor, line, value.clone(), self.report)
            {
                self.replace(value, &as_json(&text));
            }
            return;
        };
        let name = &line[key.clone()];
        let redacted = if line[key.end..].starts_with(JOINT) && key.end + JOINT.len() == value.start
        {
            spelled(self.redactor, line, key.start..value.end, self.report)
        } else {
            self.member.clear();
            for part in [name, JOINT, raw] {
                self.member.extend_from_slice(part);
            }
            spelled(self.redactor, self.member, 0..self.member.len(), self.report)
        };
        if let Some(text) = redacted {
            let rest = text.strip_prefix(name).and_then(|rest| rest.strip_prefix(JOINT));
            match rest {
                Some(rest) if rest == raw => {}
                Some(rest) => self.replace(value, &as_json(rest)),
                // Only the key: keys are kept.
                None if text.ends_with(raw) => {}
                None => self.replace(value, &encode(&text)),
            }
        }
    }

    fn replace(&mut self, value: Range<usize>, with: &[u8]) {
        self.out.extend_from_slice(&self.line[self.copied..value.start]);
        self.out.extend_from_slice(with);
        self.copied = value.end;
    }

    fn skip_space(&mut self) -> Option<usize> {
        let rest = &self.line[self.at..];
        self.at += rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        Some(self.at)
    }

    /// The string at `at`, with its quotes.
    fn string_end(&mut self) -> Option<Quoted> {
        let start = self.at;
        let mut at = start + 1;
        let mut has_escapes = false;
        loop {
            at += memchr::memchr2(b'"', b'\\', &self.line[at..])?;
            if self.line[at] == b'"' {
                self.at = at + 1;
                return Some(Quoted { range: start..self.at, has_escapes });
            }
            has_escapes = true;
            at += 2;
        }
    }
}

/// What the redactor makes of a text as it stands in the line. JSON has no control characters.
fn spelled(
    redactor: &impl Redact,
    text: &[u8],
    range: Range<usize>,
    report: &mut Report,
) -> Option<Vec<u8>> {
    changed(record::redact(redactor, &mut Carry::default(), text, range, false, report))
}

/// What a redactor made of a value as it is spelled, if it is still JSON; else as a string.
fn as_json(text: &[u8]) -> Vec<u8> {
    if serde_json::from_slice::<IgnoredAny>(text).is_ok() {
        return text.to_vec();
    }
    let inside = text.strip_prefix(b"\"").unwrap_or(text);
    encode(inside.strip_suffix(b"\"").unwrap_or(inside))
}

fn encode(text: &[u8]) -> Vec<u8> {
    serde_json::to_vec(&String::from_utf8_lossy(text)).expect("a string is JSON")
}
