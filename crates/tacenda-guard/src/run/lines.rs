//! From the bytes of a stream to the records of a log.

use tacenda_sink::{Output, Record, Sinks};

use crate::escape::{self, ESC};

/// The longest record. A longer line becomes several.
const LONGEST: usize = 128 * 1024;

/// Makes records of lines, for the sinks. Empty lines are left out, and so are escape sequences: a
/// log is no terminal.
#[derive(Debug)]
pub(super) struct Lines {
    output: Option<Output>,
    /// A line that has not ended.
    begun: Vec<u8>,
}

impl Lines {
    /// For the lines of this output, or of both in one.
    pub(super) fn new(output: Option<Output>) -> Self {
        Self { output, begun: Vec::new() }
    }

    pub(super) fn output(&self) -> Option<Output> {
        self.output
    }

    /// Takes what has been redacted.
    pub(super) fn push(&mut self, mut bytes: &[u8], sinks: &mut Sinks) {
        let mut records = Vec::new();
        while let Some(end) = memchr::memchr2(b'\n', b'\r', bytes) {
            self.extend(&bytes[..end], &mut records);
            self.end(&mut records);
            bytes = &bytes[end + 1..];
        }
        self.extend(bytes, &mut records);
        give(&records, sinks);
    }

    /// Nothing more comes.
    pub(super) fn finish(&mut self, sinks: &mut Sinks) {
        let mut records = Vec::new();
        self.end(&mut records);
        give(&records, sinks);
    }

    fn extend(&mut self, mut bytes: &[u8], records: &mut Vec<Record>) {
        while self.begun.len() + bytes.len() > LONGEST {
            let (part, rest) = bytes.split_at(LONGEST - self.begun.len());
            self.begun.extend_from_slice(part);
            self.end(records);
            bytes = rest;
        }
        self.begun.extend_from_slice(bytes);
    }

    fn end(&mut self, records: &mut Vec<Record>) {
        let escapes = memchr::memchr(ESC, &self.begun).is_some();
        let stripped = escapes.then(|| escape::strip(&self.begun).text);
        let line = stripped.as_deref().unwrap_or(&self.begun);
        if !line.trim_ascii().is_empty() {
            records.push(Record::new(line, self.output));
        }
        self.begun.clear();
    }
}

fn give(records: &[Record], sinks: &mut Sinks) {
    if !records.is_empty() {
        sinks.take(records);
    }
}
