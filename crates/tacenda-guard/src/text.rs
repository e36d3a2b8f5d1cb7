//! Text that is read line by line: lines that a value is broken over are redacted together.

use tacenda_detect::Joints;

use crate::line::LIMIT;
use crate::{Redact, StreamFilter, Tally};

/// Most bytes of lines that are looked at together, the last of them not counted.
const TOGETHER: usize = 16 * 1024;

/// Redacts a text line by line, however it is cut into chunks, as [`StreamFilter`] does; and where a
/// line goes on in the next one, wrapped at a width, with the soft break of a mail or a backslash, both
/// together.
///
/// Such a line is held until the next one has come, all others come out as soon as they are complete.
/// What is held stays under a few times 64 KiB. Of a text that is being written,
/// [`idle`](Self::idle) lets go what has waited long enough.
#[derive(Debug)]
pub struct TextFilter<R> {
    stream: StreamFilter<R>,
    joints: Joints,
    /// What was not given to the stream: a line that may go on, one that has begun.
    held: Vec<u8>,
    /// Whether the stream has the beginning of a line: of a long one, one that was let go, or one
    /// that is written over with carriage returns, as progress is shown. It goes on in no other.
    is_passed_on: bool,
}

impl<R: Redact> TextFilter<R> {
    /// A filter at the start of a text.
    pub fn new(redactor: R) -> Self {
        let stream = StreamFilter::new(redactor);
        Self { stream, joints: Joints::default(), held: Vec::new(), is_passed_on: false }
    }

    /// As [`StreamFilter::interactive`].
    #[must_use]
    pub fn interactive(mut self, interactive: bool) -> Self {
        self.stream = self.stream.interactive(interactive);
        self
    }

    /// Takes the next bytes of the text and appends to `out` what is redacted of it.
    pub fn push(&mut self, mut chunk: &[u8], out: &mut Vec<u8>) {
        if self.is_passed_on {
            let end = memchr::memchr(b'\n', chunk).map_or(chunk.len(), |at| at + 1);
            let (line, rest) = chunk.split_at(end);
            self.stream.push(line, out);
            self.is_passed_on = !line.ends_with(b"\n");
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
        self.held = held;
        let begun = memchr::memrchr(b'\n', &self.held).map_or(0, |at| at + 1);
        if is_written_over(&self.held[begun..]) || begun == 0 && self.held.len() > LIMIT {
            self.pass_on(out);
        }
    }

    /// Nothing came for the hold time: what waits for more is given to the stream, which lets go what
    /// may be let go. What goes on afterwards is looked at by itself.
    ///
    /// To be called once per hold time while [`is_holding`](Self::is_holding).
    pub fn idle(&mut self, out: &mut Vec<u8>) {
        self.pass_on(out);
        self.stream.idle(out);
    }

    /// Whether something is held that a later [`idle`](Self::idle) may let go.
    pub fn is_holding(&self) -> bool {
        !self.held.is_empty() || self.stream.is_holding()
    }

    /// Whether something is held, or a line has begun that has not ended.
    pub fn has_begun(&self) -> bool {
        !self.held.is_empty() || self.stream.has_begun()
    }

    /// The text has ended: everything that is held is redacted and let go.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        let held = std::mem::take(&mut self.held);
        self.lines(&held, true, out);
        self.stream.finish(out);
        (self.is_passed_on, self.joints) = (false, Joints::default());
    }

    /// What went through so far.
    pub fn tally(&self) -> &Tally {
        self.stream.tally()
    }

    /// Gives to the stream what is held: lines come out without waiting for those that they may go on
    /// in.
    pub(crate) fn pass_on(&mut self, out: &mut Vec<u8>) {
        if self.held.is_empty() {
            return;
        }
        self.stream.push(&self.held, out);
        self.is_passed_on = !self.held.ends_with(b"\n");
        self.joints = Joints::default();
        self.held.clear();
    }

    /// Redacts the lines of `text`, up to one that may go on in what has not come, unless it is all
    /// of the text; so many bytes are done with.
    fn lines(&mut self, text: &[u8], is_all: bool, out: &mut Vec<u8>) -> usize {
        let returns = memchr::memchr(b'\r', text).is_some();
        // Lines that stand alone are passed on in stretches.
        let (mut alone, mut from) = (0, 0);
        while from < text.len() {
            let joints = self.joints;
            let Some(group) = self.group(text, from, is_all, returns) else {
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
    /// `returns`: there are carriage returns in the text.
    fn group(&mut self, text: &[u8], from: usize, is_all: bool, returns: bool) -> Option<Group> {
        let mut start = from;
        loop {
            let end_after = |start| memchr::memchr(b'\n', &text[start..]).map(|at| start + at);
            let end = end_after(start).or(is_all.then_some(text.len()))?;
            let next = (end + 1).min(text.len());
            if returns && is_written_over(&text[start..end]) {
                self.joints = Joints::default();
                return Some(Group { end: next, many: false });
            }
            let mut next_end = None;
            if self.joints.may_go_on(&text[start..end]) {
                next_end = Some(end_after(next).or(is_all.then_some(text.len()))?);
            }
            let is_alone = |end| returns && is_written_over(&text[next..end]);
            let goes_on = self.joints.goes_on(text, start..end) && !next_end.is_some_and(is_alone);
            let many = start > from;
            start = next;
            if !goes_on || start - from > TOGETHER {
                return Some(Group { end: start, many });
            }
        }
    }
}

/// Whether there are carriage returns before the end of the line.
fn is_written_over(line: &[u8]) -> bool {
    memchr::memchr(b'\r', line).is_some_and(|at| at + 1 < line.len())
}

/// Lines that go on in one another.
struct Group {
    end: usize,
    many: bool,
}

#[cfg(test)]
mod tests {
    use tacenda_detect::Engine;
    use tacenda_policy::Policy;
    use tacenda_redact::{Keys, Redactor};

    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(Engine::builtin(), Policy::default(), Keys::random())
    }

    #[test]
    fn a_value_over_two_lines_is_found_however_they_come() {
        const HALVES: [&str; 2] = ["sk-proj-Ab12Cd34Ef56Gh78", "Ij90Kl12Mn34Op56Qr78St90Uv12"];
        let [first, second] = HALVES;
        let redactor = redactor();
        let fill = "x".repeat(80 - 1 - first.len());
        for (before, end) in
            [(&*fill, "\n"), (&*fill, "\n    "), ("key", "=\n"), ("key", "=\r\n"), ("key", "\\\n")]
        {
            let text = format!("first\n{before} {first}{end}{second} more\nlast\n");
            let read = |cut: usize| {
                let (mut filter, mut out) = (TextFilter::new(&redactor), Vec::new());
                let (a, b) = text.as_bytes().split_at(cut);
                filter.push(a, &mut out);
                filter.push(b, &mut out);
                filter.finish(&mut out);
                String::from_utf8(out).unwrap()
            };
            let whole = read(0);
            for half in HALVES {
                assert!(!whole.contains(half), "{end:?}: {whole}");
            }
            assert!(whole.starts_with("first\n") && whole.ends_with(" more\nlast\n"), "{whole}");
            for cut in 1..text.len() {
                assert_eq!(read(cut), whole, "{end:?} at {cut}");
            }
        }
    }

    #[test]
    fn what_has_waited_for_the_next_line_is_let_go() {
        let redactor = redactor();
        let (mut filter, mut out) = (TextFilter::new(&redactor), Vec::new());
        let full = format!("{}\n", "x".repeat(80));
        filter.push(full.as_bytes(), &mut out);
        assert!(out.is_empty() && filter.is_holding() && filter.has_begun());
        filter.idle(&mut out);
        assert_eq!(out, full.as_bytes());
        assert!(!filter.is_holding() && !filter.has_begun());
        filter.push(b"Go on? [y/n] ", &mut out);
        assert_eq!(out.len(), full.len(), "it may be a line that goes on");
        filter.idle(&mut out);
        assert!(out.ends_with(b"\nGo on? [y/n] "));
        filter.push(b"y\nnext\n", &mut out);
        assert!(out.ends_with(b"\nGo on? [y/n] y\nnext\n"));
    }

    #[test]
    fn progress_is_shown_as_in_a_stream() {
        let redactor = redactor();
        let mut text = (TextFilter::new(&redactor), Vec::new());
        let mut stream = (StreamFilter::new(&redactor), Vec::new());
        let bar = |part: usize| format!("\r{part:3}%|{}|", "#".repeat(74));
        let parts = (0..5).map(bar).chain(["\n".to_owned(), "x".repeat(80), "\nlast\n".to_owned()]);
        for part in parts {
            text.0.push(part.as_bytes(), &mut text.1);
            stream.0.push(part.as_bytes(), &mut stream.1);
            assert_eq!(text.1, stream.1, "after {part:?}");
        }
    }
}
