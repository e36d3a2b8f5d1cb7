//! A walk over the values of one line.

use std::borrow::Cow;
use std::ops::Range;

use serde::de::IgnoredAny;

use super::Look;

/// Deepest nesting that is read as JSON. A deeper line is text.
const DEEPEST: u32 = 128;

/// A walk over one line that is known to be JSON.
pub(super) struct Walk<'w, L> {
    line: &'w [u8],
    at: usize,
    look: L,
    /// The places that are replaced, and what by.
    replaced: Vec<(Range<usize>, Vec<u8>)>,
    /// Room for a value in the company of its key.
    member: Vec<u8>,
}

impl<'w, L: Look> Walk<'w, L> {
    pub(super) fn new(line: &'w [u8], look: L) -> Self {
        Self { line, at: 0, look, replaced: Vec::new(), member: Vec::new() }
    }

    /// Appends the line to `out`, its values replaced. None where it is not what it was taken for.
    pub(super) fn whole(mut self, out: &mut Vec<u8>) -> Option<()> {
        self.value(None, 0)?;
        let mut copied = 0;
        for (place, with) in &self.replaced {
            out.extend_from_slice(&self.line[copied..place.start]);
            out.extend_from_slice(with);
            copied = place.end;
        }
        out.extend_from_slice(&self.line[copied..]);
        Some(())
    }

    /// Looks at every value. None where the line is not what it was taken for.
    pub(super) fn through(mut self) -> Option<()> {
        self.value(None, 0)
    }

    /// A value, and the key (with its quotes) that it stands under.
    fn value(&mut self, key: Option<&'w [u8]>, depth: u32) -> Option<()> {
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
                    let key = self.string_end()?;
                    let colon = self.skip_space()?;
                    debug_assert_eq!(self.line[colon], b':', "a key is followed by a colon");
                    self.at += 1;
                    self.value(Some(&self.line[key]), depth + 1)?;
                }
            }
        }
        self.at += 1;
        Some(())
    }

    fn array(&mut self, key: Option<&'w [u8]>, depth: u32) -> Option<()> {
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

    fn string(&mut self, string: Range<usize>, key: Option<&'w [u8]>) -> Option<()> {
        let raw = &self.line[string.clone()];
        let decoded: Cow<'_, str> = if raw.contains(&b'\\') {
            // A lone surrogate is JSON and no text.
            serde_json::from_slice::<String>(raw).ok()?.into()
        } else {
            std::str::from_utf8(&raw[1..raw.len() - 1]).ok()?.into()
        };
        let before = *self.look.allowed();
        if let Some(text) = self.look.look(decoded.as_bytes(), key) {
            self.replace(string, encode(&text));
        } else {
            let first = *self.look.allowed() - before;
            self.literal(string, key);
            // What the first look allows the second sees again.
            let allowed = self.look.allowed();
            let second = *allowed - before - first;
            *allowed = before + first.max(second);
        }
        Some(())
    }

    /// A value as it is spelled, in the company of its key.
    fn literal(&mut self, value: Range<usize>, key: Option<&'w [u8]>) {
        let raw = &self.line[value.clone()];
        let Some(key) = key else {
            // A string has been looked at already.
            if raw[0] != b'"'
                && let Some(text) = self.look.look(raw, None)
            {
                self.replace(value, as_json(&text));
            }
            return;
        };
        self.member.clear();
        self.member.extend_from_slice(key);
        self.member.extend_from_slice(b": ");
        self.member.extend_from_slice(raw);
        if let Some(text) = self.look.look(&self.member, None) {
            let rest = text.strip_prefix(key).and_then(|rest| rest.strip_prefix(b": "));
            match rest {
                Some(rest) if rest == raw => {}
                Some(rest) => self.replace(value, as_json(rest)),
                // Only the key: keys are kept.
                None if text.ends_with(raw) => {}
                None => self.replace(value, encode(&text)),
            }
        }
    }

    fn replace(&mut self, value: Range<usize>, with: Vec<u8>) {
        self.replaced.push((value, with));
    }

    fn skip_space(&mut self) -> Option<usize> {
        let rest = &self.line[self.at..];
        self.at += rest.iter().position(|byte| !byte.is_ascii_whitespace())?;
        Some(self.at)
    }

    /// The string at `at`, with its quotes.
    fn string_end(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let mut at = start + 1;
        loop {
            at += memchr::memchr2(b'"', b'\\', &self.line[at..])?;
            if self.line[at] == b'"' {
                self.at = at + 1;
                return Some(start..self.at);
            }
            at += 2;
        }
    }
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
