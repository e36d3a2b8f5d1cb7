//! Text that is read line by line: lines that a value is broken over are redacted together.

use tacenda_detect::Joints;

use crate::line::LIMIT;
use crate::{Redact, StreamFilter, Tally};

/// Most bytes of lines that are looked at together, the last of them not counted.
const TOGETHER: usize = 16 * 1024;

/// Redacts a text line by line, however it is cut into chunks, as [`StreamFilter`] does; and where a
/// line goes on in the next one, wrapped at a width or with the soft break of a mail, both together.
///
/// Such a line is held until the next one has come, all others come out as soon as they are complete.
/// What is held stays under a few times 64 KiB.
#[derive(Debug)]
pub struct TextFilter<R> {
    stream: StreamFilter<R>,
    joints: Joints,
    /// What was not given to the stream: a line that may go on, one that has begun.
    held: Vec<u8>,
    /// Whether the stream has the beginning of a long line.
    is_long: bool,
}

impl<R: Redact> TextFilter<R> {
    /// A filter at the start of a text.
    pub fn new(redactor: R) -> Self {
        let stream = StreamFilter::new(redactor);
        Self { stream, joints: Joints::default(), held: Vec::new(), is_long: false }
    }

    /// Takes the next bytes of the text and appends to `out` what is redacted of it.
    pub fn push(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) {
        if self.is_long {
            let end = memchr::memchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1);
            let (line, rest) = chunk.split_at(end);
            self.stream.push(line, out);
            self.is_long = !line.ends_with(b"\n");
            chunk = rest;
        }
        let mut held = std::mem::take(&mut self.held);
        if held.is_empty() {
            let done = self.lines(chunk, false, out);
            held.extend_from_slice(&chunk[done..]);
        } else {
            held.extend_from_slice(chunk);
            let done = self.lines(&held, false, out);
            held.drain(..done);
        }
        if held.len() > LIMIT && memchr::memchr(b'\n', &held).is_none() {
            self.stream.push(&held, out);
            held.clear();
            (self.is_long, self.joints) = (true, Joints::default());
        }
        self.held = held;
    }

    /// The text has ended: everything that is held is redacted and let go.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        self.lines(&held, true, out);
        self.stream.finish(out);
        (self.is_long, self.joints) = (false, Joints::default());
    }

    /// What went through so far.
    pub fn tally(&self) -> &Tally {
        self.stream.tally()
    }

    /// Redacts the lines of `text`, up to one that may go on in what has not come, unless it is all
    /// of the text; so many bytes are done with.
    fn lines(&mut self, text: &[u8], is_all: bool, out: &mut Vec<u8>) -> usize {
        // Lines that stand alone are passed on in stretches.
        let (mut alone, mut from) = (0, 0);
        while from < text.len() {
            let joints = self.joints;
            let Some(group) = self.group(text, from, is_all) else {
                self.joints = joints;
                break;
            };
            if group.many {
                self.stream.push(&text[alone..from], out);
                self.stream.push_together(&text[from..group.end], out);
                alone = group.end;
            }
            from = group.end;
        }
        self.stream.push(&text[alone..from], out);
        from
    }

    /// The lines from `from` on that go on in one another; none if it takes more text to tell.
    fn group(&mut self, text: &[u8], from: usize, is_all: bool) -> Option<Group> {
        let mut start = from;
        loop {
            let end = match memchr::memchr(b'\n', &text[start..]) {
                Some(at) => start + at,
                None if is_all => text.len(),
                None => return None,
            };
            let next = (end + 1).min(text.len());
            let known = || is_all || memchr::memchr(b'\n', &text[next..]).is_some();
            if self.joints.may_go_on(&text[start..end]) && !known() {
                return None;
            }
            let goes_on = self.joints.goes_on(text, start..end);
            let many = start > from;
            start = next;
            if !goes_on || start - from > TOGETHER {
                return Some(Group { end: start, many });
            }
        }
    }
}

/// Lines that go on in one another.
struct Group {
    end: usize,
    many: bool,
}
