//! A text searched line by line, in memory that does not depend on its size.

use std::io::{self, ErrorKind, Read};
use std::ops::ControlFlow;

use jiff::Timestamp;
use tacenda_detect::Span;
use tacenda_redact::Scope;

use crate::finding::Hit;
use crate::{Finding, Searcher, field, journal, time};

/// Bytes that are held of a text. A line that is longer is read in windows of so many bytes.
pub const BUFFER: usize = if cfg!(test) { 64 << 10 } else { 1 << 20 };

/// How much the windows of a long line overlap: a value this long is seen whole wherever it lies.
pub const OVERLAP: usize = if cfg!(test) { 4 << 10 } else { 16 << 10 };

/// Findings that are handed on together, at most.
const BATCH: usize = 4096;

/// How far back the time of a line without one is looked for: lines, and bytes.
const BACK: (usize, usize) = (64, 16 << 10);

/// How far into a line the field of a finding is told.
const FIELDS: usize = 16 << 10;

/// How far into a file it is looked for bytes that are no text.
const HEAD: usize = 8 << 10;

/// What a part of a text gave.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Lines are counted from the start of the text.
    pub(crate) findings: Vec<Finding>,
    /// Lines that ended.
    pub(crate) lines: u64,
    /// Bytes that were searched.
    pub(crate) bytes: u64,
}

/// How a text ended.
#[derive(Debug)]
pub(crate) enum End {
    /// All of it was searched.
    Whole,
    /// It is no text, and was left.
    Binary,
    /// Nobody wants more.
    Unwanted,
    /// It could not be read to its end; what was read before was searched.
    Failed(io::Error),
}

/// What is known of a text before it is read.
#[derive(Clone, Debug)]
pub(crate) struct About {
    /// What the policy allows in it.
    pub(crate) allowed: Scope,
    /// When the file was last written to.
    pub(crate) modified: Timestamp,
    /// Whether it is searched although it is no text.
    pub(crate) binary: bool,
}

/// Searches what `reader` gives and hands on what is found, in order.
pub(crate) fn search(
    searcher: &Searcher<'_>,
    mut reader: impl Read,
    about: &About,
    emit: &mut dyn FnMut(Batch) -> ControlFlow<()>,
) -> End {
    let mut buffer = vec![0; BUFFER];
    let mut filled = 0;
    let mut text = Text::new(searcher, about);
    let mut is_first = true;
    loop {
        let read = fill(&mut reader, &mut buffer[filled..]);
        filled += read.bytes;
        if is_first {
            let head = &buffer[..filled];
            text.is_journal = journal::is_export(&head[..head.len().min(HEAD)]);
            if !about.binary && !text.is_journal && is_binary(head) {
                return End::Binary;
            }
            is_first = false;
        }
        let window = &buffer[..filled];
        let whole = match read.end {
            Some(_) => filled,
            None => memchr::memrchr(b'\n', window).map_or(0, |at| at + 1),
        };
        let done = if whole == 0 && filled == BUFFER {
            text.window(window, emit)
        } else {
            text.lines(&window[..whole], emit).map_continue(|()| whole)
        };
        let ControlFlow::Continue(done) = done else { return End::Unwanted };
        match read.end {
            Some(Ok(())) => return End::Whole,
            Some(Err(error)) => return End::Failed(error),
            None => {}
        }
        buffer.copy_within(done..filled, 0);
        filled -= done;
    }
}

/// What one filling of the buffer gave, and the end of the text if it came.
struct Filled {
    bytes: usize,
    end: Option<io::Result<()>>,
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Filled {
    let mut bytes = 0;
    let end = loop {
        if bytes == buffer.len() {
            break None;
        }
        match reader.read(&mut buffer[bytes..]) {
            Ok(0) => break Some(Ok(())),
            Ok(read) => bytes += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break Some(Err(error)),
        }
    };
    Filled { bytes, end }
}

/// Whether the first bytes are no text. A log that was truncated while a program wrote to it begins
/// with zero bytes, and is one.
fn is_binary(head: &[u8]) -> bool {
    let text = head.iter().position(|byte| *byte != 0).map_or(&[][..], |from| &head[from..]);
    text[..text.len().min(HEAD)].contains(&0)
}

/// A text on the way.
struct Text<'s, 'a> {
    searcher: &'s Searcher<'a>,
    allowed: Scope,
    modified: Timestamp,
    is_journal: bool,
    spans: Vec<Span>,
    hits: Vec<Hit>,
    batch: Batch,
    /// Lines that ended.
    lines: u64,
    /// The line whose time was last looked for, and the time.
    timed: (u64, Option<Timestamp>),
    /// Of the line that goes on at the start of the buffer.
    long: Long,
}

/// What is known of a line whose start is not in the buffer any more.
#[derive(Default)]
struct Long {
    /// Bytes and characters that went before.
    bytes: usize,
    chars: u64,
    /// So much of the buffer was searched with the window before.
    known: usize,
    /// A value that reached the end of the window.
    open: Option<Finding>,
    time: Option<Timestamp>,
}

impl<'s, 'a> Text<'s, 'a> {
    fn new(searcher: &'s Searcher<'a>, about: &About) -> Self {
        Self {
            searcher,
            allowed: about.allowed.clone(),
            modified: about.modified,
            is_journal: false,
            spans: Vec::new(),
            hits: Vec::new(),
            batch: Batch::default(),
            lines: 0,
            timed: (u64::MAX, None),
            long: Long::default(),
        }
    }

    /// Whole lines; the first may be the end of a long one, the last without its end.
    fn lines(
        &mut self,
        text: &[u8],
        emit: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let mut from = 0;
        while from < text.len() {
            let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |at| from + at);
            let line = &text[from..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            self.searcher.hits(&self.allowed, line, &mut self.spans, &mut self.hits);
            if !self.hits.is_empty() || self.long.open.is_some() {
                self.found(&text[..from], line, usize::MAX);
            }
            if self.long.bytes > 0 {
                if let Some(open) = self.long.open.take() {
                    self.batch.findings.push(open);
                }
                self.long = Long::default();
            }
            self.lines += 1;
            self.batch.lines += 1;
            from = end + 1;
            if self.batch.findings.len() >= BATCH {
                self.hand_on(emit)?;
            }
        }
        self.batch.bytes += text.len() as u64;
        self.hand_on(emit)
    }

    /// A buffer without an end of line: its first part, and how much of it is done with.
    fn window(
        &mut self,
        text: &[u8],
        emit: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> ControlFlow<(), usize> {
        let cut = text.len() - OVERLAP;
        self.searcher.hits(&self.allowed, text, &mut self.spans, &mut self.hits);
        self.found(&[], text, cut);
        let done = cut - OVERLAP;
        if self.long.bytes == 0 {
            self.long.time = time::of_line(text, self.modified);
        }
        if self.searcher.counts_columns() {
            self.long.chars += chars(&text[..done]);
        }
        self.long.bytes += done;
        self.long.known = OVERLAP;
        self.batch.bytes += done as u64;
        self.hand_on(emit).map_continue(|()| done)
    }

    fn hand_on(&mut self, emit: &mut dyn FnMut(Batch) -> ControlFlow<()>) -> ControlFlow<()> {
        // Values that were open come after those that they began before.
        self.batch.findings.sort_by_key(|finding| (finding.line, finding.start));
        emit(std::mem::take(&mut self.batch))
    }

    /// Makes findings of the hits in a line, or in a window of one up to `cut`.
    fn found(&mut self, before: &[u8], line: &[u8], cut: usize) {
        let time = if self.long.bytes > 0 { self.long.time } else { self.time(before, line) };
        let (mut counted, mut before_start) = (0, self.long.chars);
        let hits = std::mem::take(&mut self.hits);
        for hit in &hits {
            if hit.start < self.long.known {
                // It was found in the window before, or is what goes on from there.
                if let Some(open) = self.long.open.as_mut().filter(|_| hit.end > self.long.known)
                    && open.detector == hit.detector
                {
                    open.end = open.end.max((self.long.bytes + hit.end) as u64);
                }
                continue;
            }
            if hit.start >= cut {
                continue;
            }
            let columns = if self.searcher.counts_columns() {
                before_start += chars(&line[counted..hit.start]);
                counted = hit.start;
                (before_start, before_start + chars(&line[hit.start..hit.end]))
            } else {
                (0, 0)
            };
            let field = match self.long.bytes {
                0 if self.is_journal => field::journal(before, line),
                0 if hit.start < FIELDS => field::path(line, hit.start),
                _ => None,
            };
            let finding = Finding {
                line: self.lines + 1,
                start: (self.long.bytes + hit.start) as u64,
                end: (self.long.bytes + hit.end) as u64,
                columns,
                detector: hit.detector,
                pseudonym: hit.pseudonym,
                time,
                field,
            };
            if cut != usize::MAX && hit.end == line.len() {
                self.batch.findings.extend(self.long.open.replace(finding));
            } else {
                self.batch.findings.push(finding);
            }
        }
        // A value that ended inside this window does not go on.
        let window_end = (self.long.bytes + line.len()) as u64;
        self.batch.findings.extend(self.long.open.take_if(|open| open.end < window_end));
        self.hits = hits;
        self.hits.clear();
    }

    /// The time of a line, or of the nearest before it that names one. No line is read twice for it.
    fn time(&mut self, before: &[u8], line: &[u8]) -> Option<Timestamp> {
        if self.is_journal {
            let near = &before[before.len().saturating_sub(BACK.1)..];
            let at = memchr::memmem::rfind(near, b"__REALTIME_TIMESTAMP=")?;
            let entry = &near[at..];
            return time::of_line(&entry[..entry.len().min(64)], self.modified);
        }
        let (timed, known) = self.timed;
        let new = usize::try_from(self.lines.wrapping_sub(timed)).unwrap_or(usize::MAX);
        let near = &before[before.len().saturating_sub(BACK.1)..];
        let lines =
            near.rsplit(|byte| *byte == b'\n').skip(1).take(BACK.0.min(new.saturating_sub(1)));
        let mut lines = std::iter::once(line).chain(lines);
        let found = lines.find_map(|line| time::of_line(line, self.modified));
        let found = found.or(if new <= BACK.0 { known } else { None });
        self.timed = (self.lines, found);
        found
    }
}

/// Characters of a text in UTF-8; a byte that is none counts as one.
fn chars(text: &[u8]) -> u64 {
    text.utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() as u64 + chunk.invalid().len() as u64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use tacenda_detect::Engine;
    use tacenda_policy::Policy;
    use tacenda_redact::{Keys, Redactor};

    const VALUE: &str = "ines.moreau@example.org";

    fn findings(text: &[u8], chunk: usize) -> (Vec<Finding>, u64, u64) {
        let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
        let searcher = Searcher::new(&redactor, &crate::Filter::default());
        let searcher = searcher.with_columns();
        let about = About {
            allowed: searcher.allowed_in(None),
            modified: Timestamp::UNIX_EPOCH,
            binary: true,
        };
        let (mut all, mut lines, mut bytes) = (Vec::new(), 0, 0);
        let end = search(&searcher, Chunks(text, chunk), &about, &mut |batch| {
            all.extend(batch.findings);
            lines += batch.lines;
            bytes += batch.bytes;
            ControlFlow::Continue(())
        });
        assert!(matches!(end, End::Whole));
        (all, lines, bytes)
    }

    /// Gives a text in chunks.
    struct Chunks<'t>(&'t [u8], usize);

    impl Read for Chunks<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(buffer.len()).min(self.0.len());
            let (now, later) = self.0.split_at(len);
            buffer[..len].copy_from_slice(now);
            self.0 = later;
            Ok(len)
        }
    }

    #[test]
    fn findings_are_named_by_line_and_byte() {
        let text = format!("2026-11-21T10:00:05Z début {VALUE}\r\n\n  at {VALUE}, {VALUE}");
        let (found, lines, bytes) = findings(text.as_bytes(), 7);
        assert_eq!((lines, bytes), (3, text.len() as u64));
        let places: Vec<_> = found.iter().map(|one| (one.line, one.start, one.end)).collect();
        assert_eq!(places, [(1, 28, 51), (3, 5, 28), (3, 30, 53)]);
        assert_eq!(found[0].columns, (27, 50));
        assert!(found.iter().all(|one| one.time.unwrap().to_string() == "2026-11-21T10:00:05Z"));
        assert!(found.iter().all(|one| one.pseudonym == found[0].pseudonym));
    }

    #[test]
    fn a_value_is_found_once_wherever_it_lies_in_a_long_line() {
        let step = BUFFER - 2 * OVERLAP;
        let edges = [0, step, BUFFER - OVERLAP, BUFFER, BUFFER + step, 2 * BUFFER];
        for edge in edges {
            for shift in [0_usize, 5, 11, 23, 24, 100] {
                let at = (edge + 30).saturating_sub(shift);
                let mut line = "word ".repeat(3 * BUFFER / 5);
                line.replace_range(at..at + VALUE.len() + 2, &format!(" {VALUE} "));
                let text = format!("{line}\nnext {VALUE}\n");
                let (found, lines, _) = findings(text.as_bytes(), usize::MAX);
                let places: Vec<_> =
                    found.iter().map(|one| (one.line, one.start, one.end)).collect();
                let start = at as u64 + 1;
                assert_eq!(places, [(1, start, start + 23), (2, 5, 28)], "{edge} {shift}");
                assert_eq!(found[0].columns, (start, start + 23));
                assert_eq!(lines, 2);
            }
        }
    }

    #[test]
    fn a_value_that_fills_windows_is_one_finding() {
        let list = format!("[{}]", "0.123456, ".repeat(BUFFER / 3));
        let text = format!("x = {list} {VALUE}\n");
        let (found, ..) = findings(text.as_bytes(), usize::MAX);
        let mail = found.last().unwrap();
        assert_eq!(mail.end, text.len() as u64 - 1);
        assert!(found.len() <= 3, "{} findings", found.len());
    }

    #[test]
    fn what_is_no_text_is_told_from_a_truncated_log() {
        assert!(is_binary(b"\x7fELF\x02\0\0\0"));
        assert!(!is_binary(b"\0\0\0\0\0 2026-11-21 start"));
        assert!(!is_binary("début\n".as_bytes()));
        assert!(!is_binary(b""));
    }

    proptest! {
        /// Chunks make no difference, nor does the text around a line.
        #[test]
        fn lines_are_searched_one_by_one(
            lines in proptest::collection::vec(
                prop_oneof![
                    Just(String::new()),
                    Just(format!("from {VALUE}")),
                    Just("card 5555 5555 5555 4444".to_owned()),
                    Just("-----BEGIN RSA PRIVATE KEY-----".to_owned()),
                    Just("key = [1, 2,".to_owned()),
                    "[ -~]{0,40}",
                ],
                0..20,
            ),
            chunk in 1_usize..100,
        ) {
            let text = lines.join("\n");
            let (found, ..) = findings(text.as_bytes(), chunk);
            let mut expected = Vec::new();
            for (n, line) in lines.iter().enumerate() {
                let (alone, ..) = findings(line.as_bytes(), usize::MAX);
                let line = n as u64 + 1;
                expected.extend(alone.into_iter().map(|one| (line, one.start, one.end, one.detector)));
            }
            let found: Vec<_> =
                found.into_iter().map(|one| (one.line, one.start, one.end, one.detector)).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
