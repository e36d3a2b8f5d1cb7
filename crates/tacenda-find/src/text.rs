//! A text searched line by line, in memory that does not depend on its size.

use std::io::{self, ErrorKind, Read};
use std::ops::{ControlFlow, Range};

use jiff::Timestamp;
use tacenda_detect::{Joints, Span};
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
            text.lines(&window[..whole], read.end.is_none(), emit)
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
    /// Which lines go on in the next one, and how long the one before was.
    joints: Joints,
    before: usize,
    /// Values that are broken over the ends of the lines that are being looked at.
    broken: Vec<Hit>,
}

/// Lines that have to be looked at together.
struct Group {
    end: usize,
    lines: usize,
    /// The length of the line before them.
    before: usize,
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
            joints: Joints::default().with_private_keys(),
            before: 0,
            broken: Vec::new(),
        }
    }

    /// Whole lines; the first may be the end of a long one, the last without its end. Where `more`
    /// comes, the last is left, and what goes on in it; so many bytes are done with.
    fn lines(
        &mut self,
        text: &[u8],
        more: bool,
        emit: &mut dyn FnMut(Batch) -> ControlFlow<()>,
    ) -> ControlFlow<(), usize> {
        let mut from = 0;
        while from < text.len() {
            let joints = self.joints;
            let group = self.group(text, from);
            // A line that fills the buffer has nothing before it that could make room.
            if more && group.end == text.len() && from > 0 {
                (self.joints, self.before) = (joints, group.before);
                break;
            }
            if group.lines > 1 {
                self.broken(text, from..group.end, group.before);
            }
            while from < group.end {
                from = self.line(text, from);
                if self.batch.findings.len() >= BATCH {
                    self.hand_on(emit)?;
                }
            }
            self.broken.clear();
        }
        self.batch.bytes += from.min(text.len()) as u64;
        self.hand_on(emit).map_continue(|()| from.min(text.len()))
    }

    /// The lines from `from` on that have to be looked at together; most lines stand alone.
    fn group(&mut self, text: &[u8], from: usize) -> Group {
        let mut group = Group { end: from, lines: 0, before: self.before };
        loop {
            let start = group.end;
            let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |at| start + at);
            group.end = text.len().min(end + 1);
            group.lines += 1;
            self.before = end - start;
            // The start of a long line is not here.
            let alone = self.long.bytes > 0 && start == 0;
            if !self.joints.goes_on(text, start..end) || alone || group.end - from > OVERLAP {
                return group;
            }
        }
    }

    /// Looks for values that are broken over the ends of lines, in those at `lines`. `before` is the
    /// length of the line before them, whose width may tell that theirs is that of columns.
    fn broken(&mut self, text: &[u8], lines: Range<usize>, before: usize) {
        let from = lines.start.saturating_sub(before + 1);
        self.searcher.hits(&self.allowed, &text[from..lines.end], &mut self.spans, &mut self.hits);
        let hits = self.hits.drain(..).map(|hit| Hit {
            start: hit.start + from,
            end: hit.end + from,
            ..hit
        });
        self.broken.clear();
        self.broken.extend(hits.filter(|hit| {
            hit.start >= lines.start && memchr::memchr(b'\n', &text[hit.start..hit.end]).is_some()
        }));
    }

    /// The line at `from`, and where the next one begins.
    fn line(&mut self, text: &[u8], from: usize) -> usize {
        let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |at| from + at);
        let line = &text[from..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.searcher.hits(&self.allowed, line, &mut self.spans, &mut self.hits);
        let broken = std::mem::take(&mut self.broken);
        // What is a part of a broken value is no other one.
        self.hits.retain(|hit| {
            let (start, end) = (from + hit.start, from + hit.end);
            !broken.iter().any(|whole| whole.start <= start && end <= whole.end)
        });
        if !self.hits.is_empty() || self.long.open.is_some() {
            self.found(&text[..from], line, usize::MAX);
        }
        for whole in broken.iter().filter(|whole| (from..=end).contains(&whole.start)) {
            self.found_broken(text, from, whole);
        }
        self.broken = broken;
        if self.long.bytes > 0 {
            if let Some(open) = self.long.open.take() {
                self.batch.findings.push(open);
            }
            self.long = Long::default();
        }
        self.lines += 1;
        self.batch.lines += 1;
        end + 1
    }

    /// Makes a finding of a value that begins in the line at `from` and ends in a later one.
    fn found_broken(&mut self, text: &[u8], from: usize, hit: &Hit) {
        let end = memchr::memchr(b'\n', &text[from..]).map_or(text.len(), |at| from + at);
        let line = &text[from..end];
        let time = self.time(&text[..from], line);
        let value = &text[hit.start..hit.end];
        let breaks = memchr::memchr_iter(b'\n', value).count() as u64;
        let last = memchr::memrchr(b'\n', value).map_or(from, |at| hit.start + at + 1);
        let columns = if self.searcher.counts_columns() {
            (chars(&text[from..hit.start]), chars(&text[last..hit.end]))
        } else {
            (0, 0)
        };
        let field = match hit.start - from {
            _ if self.is_journal => field::journal(&text[..from], line),
            start if start < FIELDS => field::path(line, start),
            _ => None,
        };
        self.batch.findings.push(Finding {
            line: self.lines + 1,
            start: (hit.start - from) as u64,
            end_line: self.lines + 1 + breaks,
            end: (hit.end - last) as u64,
            columns,
            detector: hit.detector,
            pseudonym: hit.pseudonym,
            time,
            field,
        });
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
                end_line: self.lines + 1,
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

    /// The places of the findings: line and byte where each begins, and where it ends.
    fn places(text: &str, chunk: usize) -> Vec<(u64, u64, u64, u64)> {
        let (found, ..) = findings(text.as_bytes(), chunk);
        found.into_iter().map(|one| (one.line, one.start, one.end_line, one.end)).collect()
    }

    #[test]
    fn a_value_that_is_broken_over_lines_is_one_finding() {
        let wide = format!("{} ines.moreau@exa", "x".repeat(64));
        let wrapped = format!("{VALUE}\n{wide}\n  mple.org, {VALUE}\n");
        let mail = "To: ines.mor=\neau@exam=\r\nple.org\nnext\n".to_owned();
        let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7";
        let key =
            format!("a\n-----BEGIN PRIVATE KEY-----\n{body}\n{body}\n-----END PRIVATE KEY-----\nb");
        for (text, expected) in [
            (wrapped, vec![(1, 0, 1, 23), (2, 65, 3, 10), (3, 12, 3, 35)]),
            (mail, vec![(1, 4, 3, 7)]),
            (key, vec![(2, 0, 5, 25)]),
        ] {
            for chunk in [1, 7, usize::MAX] {
                assert_eq!(places(&text, chunk), expected, "{text}");
            }
        }
        let (found, ..) = findings(format!("é {wide}\nmple.org").as_bytes(), usize::MAX);
        assert!(found.is_empty(), "it does not go into the columns");
    }

    #[test]
    fn a_key_that_does_not_end_swallows_no_log() {
        let text = format!("-----BEGIN PRIVATE KEY-----\n2026-11-21 10:00:05 from {VALUE}\n");
        let (found, ..) = findings(text.as_bytes(), usize::MAX);
        assert!(found.iter().any(|one| one.line == 2 && one.start == 25), "{found:?}");
    }

    #[test]
    fn a_broken_value_is_found_wherever_it_lies_in_the_buffer() {
        let wide = format!("{} ines.moreau@exa\nmple.org\n", "x".repeat(64));
        for short in 0..wide.len() + 2 {
            let line = "a line of no interest\n";
            let mut before = line.repeat((BUFFER - short) / line.len());
            before.insert_str(0, &"y".repeat(BUFFER - short - before.len()));
            let lines = before.matches('\n').count() as u64;
            let text = format!("{before}{wide}");
            assert_eq!(places(&text, usize::MAX), [(lines + 1, 65, lines + 2, 8)], "{short}");
        }
    }

    proptest! {
        /// What is found over the ends of lines that go on in the next, in a text that is looked at
        /// as a whole, as the guard looks at a record, is found where it is read line by line.
        #[test]
        fn what_is_broken_is_found_as_in_a_record(
            words in proptest::collection::vec(
                prop_oneof![
                    6 => "[a-z]{1,9}",
                    1 => Just(VALUE.to_owned()),
                    1 => Just("AKIAQ3EGRNVZM5KXT2YP".to_owned()),
                ],
                20..80,
            ),
            width in prop_oneof![Just(72_usize), Just(76), Just(80), Just(100), Just(50)],
            mail in any::<bool>(),
            chunk in 1_usize..200,
        ) {
            let all = words.join(" ");
            let lines: Vec<&str> =
                all.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
            let text = lines.join(if mail { "=\n" } else { "\n" });
            let mut spans = Vec::new();
            Engine::builtin().scan(text.as_bytes(), &mut spans);
            let found = places(&text, chunk);
            let mut joints = Joints::default();
            let ends = memchr::memchr_iter(b'\n', text.as_bytes());
            let goes_on: Vec<bool> = ends
                .scan(0, |start, end| {
                    let line = std::mem::replace(start, end + 1)..end;
                    Some(joints.goes_on(text.as_bytes(), line))
                })
                .collect();
            for span in spans {
                let place = |at: usize| {
                    let before = &text[..at];
                    let start = before.rfind('\n').map_or(0, |end| end + 1);
                    (before.matches('\n').count() as u64 + 1, (at - start) as u64)
                };
                let ((line, start), (end_line, end)) = (place(span.start), place(span.end));
                let goes_on = |line| goes_on[usize::try_from(line).unwrap() - 1];
                if line != end_line && (line..end_line).all(goes_on) {
                    prop_assert!(found.contains(&(line, start, end_line, end)), "{text}");
                }
            }
        }

        /// Chunks make no difference, nor does the text around a line.
        #[test]
        fn lines_are_searched_one_by_one(
            lines in proptest::collection::vec(
                prop_oneof![
                    Just(String::new()),
                    Just(format!("from {VALUE}")),
                    Just("card 5555 5555 5555 4444".to_owned()),
                    Just("key = [1, 2,".to_owned()),
                    // Shorter than any column, and without the soft break of a mail.
                    "[ -<>-~]{0,39}",
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
