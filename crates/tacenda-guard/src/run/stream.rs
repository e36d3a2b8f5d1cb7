//! One output of the program on its way to ours.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::termios::isatty;

use tacenda_sink::{Output, Sinks};

use super::lines::Lines;
use super::terminal;
use crate::share::PAUSE;
use crate::{Redact, TextFilter};

/// Bytes asked for in one read: what a pipe holds.
const BLOCK: usize = 64 * 1024;

/// A program that writes so much at once may be waiting for room: for a while it is not kept
/// waiting by a [`PAUSE`].
const MUCH: usize = BLOCK / 2;
const WHILE: Duration = Duration::from_millis(100);

/// Where a stream leads.
#[derive(Debug)]
pub(super) struct Outlet {
    /// A descriptor that it is written to.
    pub(super) output: Option<OwnedFd>,
    /// Its lines, as records for the sinks.
    pub(super) lines: Option<Lines>,
}

/// One output of the program: read, filtered, written.
///
/// Nothing is read while something waits to be written, so a slow reader behind us slows the
/// program down as it would without us, and memory stays bounded.
#[derive(Debug)]
pub(super) struct Stream<R> {
    /// None once it has ended.
    input: Option<OwnedFd>,
    /// None if it is only for the sinks, or once its reader is gone.
    output: Option<OwnedFd>,
    lines: Option<Lines>,
    may_block: bool,
    /// Whether a rest after each read is noticed by nobody: not by who sits in front of it and sees
    /// each key, nor in a log that puts the lines of several outputs in order.
    rests: bool,
    /// Nothing is read before: what is written line by line is taken in one go.
    rests_until: Instant,
    /// Nor is there a rest before then.
    awake_until: Instant,
    filter: TextFilter<R>,
    block: Vec<u8>,
    /// Redacted, not yet written from `written` on.
    ready: Vec<u8>,
    written: usize,
    hold: Duration,
    next_idle: Instant,
    /// Bytes still to be read of those that were there when the program ended.
    owed: u64,
    /// The first error of a write, other than that the reader is gone.
    failure: Option<Errno>,
}

impl<R: Redact> Stream<R> {
    pub(super) fn new(input: OwnedFd, outlet: Outlet, redactor: R, hold: Duration) -> Self {
        let Outlet { output, lines } = outlet;
        // Keys are echoed only where a person sits in front of both ends.
        let interactive = output.as_ref().is_some_and(isatty) && isatty(rustix::stdio::stdin());
        let now = Instant::now();
        Self {
            input: Some(input),
            may_block: output.as_ref().is_some_and(terminal::may_block),
            output,
            rests: !interactive && lines.is_none(),
            lines,
            rests_until: now,
            awake_until: now,
            filter: TextFilter::new(redactor).interactive(interactive),
            block: vec![0; BLOCK],
            ready: Vec::new(),
            written: 0,
            hold,
            next_idle: now,
            owed: 0,
            failure: None,
        }
    }

    /// Where to wait for bytes, when there is room for them. `full`: the sinks have none.
    pub(super) fn readable(&self, full: bool) -> Option<BorrowedFd<'_>> {
        let has_room = self.is_flushed() && !(full && self.lines.is_some());
        self.input.as_ref().filter(|_| has_room && self.rest().is_none()).map(AsFd::as_fd)
    }

    /// Until when nothing is read.
    pub(super) fn rest(&self) -> Option<Instant> {
        Some(self.rests_until).filter(|until| *until > Instant::now())
    }

    /// Where to wait for room, when there are bytes.
    pub(super) fn writable(&self) -> Option<BorrowedFd<'_>> {
        self.output.as_ref().filter(|_| !self.is_flushed()).map(AsFd::as_fd)
    }

    pub(super) fn is_open(&self) -> bool {
        self.input.is_some()
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.ready.is_empty()
    }

    /// Gives up where it leads: to a descriptor, and whether to the sinks, as which output.
    #[expect(clippy::option_option, reason = "as they are handed over")]
    pub(super) fn take_outlet(&mut self) -> (Option<OwnedFd>, Option<Option<Output>>) {
        (self.output.take(), self.lines.as_ref().map(Lines::output))
    }

    /// Whether all that was read has been looked at and passed on.
    pub(super) fn holds_nothing(&self) -> bool {
        self.is_flushed() && !self.filter.has_begun()
    }

    pub(super) fn failure(&self) -> Option<Errno> {
        self.failure
    }

    /// When [`idle`](Self::idle) is due.
    pub(super) fn idle_at(&self) -> Option<Instant> {
        // A record of the sinks is complete when its line has ended.
        let shows = self.output.is_some() && self.is_open() && self.is_flushed();
        (shows && self.filter.is_holding()).then_some(self.next_idle)
    }

    pub(super) fn idle(&mut self, sinks: &mut Sinks) {
        self.filter.idle(&mut self.ready);
        self.pass(0, sinks);
        self.next_idle = Instant::now() + self.hold;
    }

    /// Looks at what waits for a next line, so that nothing of it is left to be looked at.
    pub(super) fn look_at_all(&mut self, sinks: &mut Sinks) {
        let from = self.ready.len();
        self.filter.pass_on(&mut self.ready);
        self.pass(from, sinks);
        if !self.may_block {
            self.write();
        }
    }

    /// Reads once; to be called when there is something to read. `before` is called before it is
    /// looked at.
    pub(super) fn read(&mut self, sinks: &mut Sinks, before: impl FnOnce()) {
        let Some(input) = &self.input else { return };
        match rustix::io::read(input, &mut self.block[..]) {
            Ok(0) => self.end(sinks),
            Ok(count) => {
                self.owed = self.owed.saturating_sub(count as u64);
                before();
                let from = self.ready.len();
                self.filter.push(&self.block[..count], &mut self.ready);
                self.pass(from, sinks);
                if !self.may_block {
                    self.write();
                }
                let now = Instant::now();
                self.next_idle = now + self.hold;
                if count >= MUCH {
                    self.awake_until = now + WHILE;
                } else if self.rests && self.awake_until <= now {
                    self.rests_until = now + PAUSE;
                }
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            // The last writer of a pseudo-terminal is gone: that is its end of file.
            Err(_) => self.end(sinks),
        }
    }

    /// There is no rest after this read.
    pub(super) fn stay_awake(&mut self) {
        self.rests_until = Instant::now();
    }

    /// Gives to the sinks what has been redacted, from here on.
    fn pass(&mut self, from: usize, sinks: &mut Sinks) {
        if let Some(lines) = &mut self.lines {
            lines.push(&self.ready[from..], sinks);
        }
        if self.output.is_none() {
            self.ready.clear();
        }
    }

    /// Writes what is ready, as much as can be written without waiting.
    pub(super) fn write(&mut self) {
        let mut reader_is_gone = false;
        while self.written < self.ready.len() {
            let Some(output) = &self.output else { break };
            let rest = &self.ready[self.written..];
            let part = if self.may_block { &rest[..without_waiting(rest)] } else { rest };
            match rustix::io::write(output, part) {
                Ok(count) => {
                    self.written += count;
                    if self.may_block {
                        break;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(Errno::PIPE | Errno::IO) => {
                    reader_is_gone = true;
                    self.written = self.ready.len();
                }
                Err(error) => {
                    // What cannot be written is lost, but the program goes on, and what comes
                    // may find room again.
                    self.failure.get_or_insert(error);
                    self.written = self.ready.len();
                }
            }
        }
        if self.written == self.ready.len() {
            self.ready.clear();
            self.written = 0;
        }
        if reader_is_gone && self.lines.is_some() {
            // The sinks still read.
            self.output = None;
        } else if reader_is_gone {
            // Our reader is gone: so is the program's.
            self.input = None;
        }
    }

    /// The program has ended: what it wrote is still owed.
    pub(super) fn program_ended(&mut self) {
        self.rests = false;
        self.stay_awake();
        self.owed =
            self.input.as_ref().and_then(|fd| rustix::io::ioctl_fionread(fd).ok()).unwrap_or(0);
    }

    /// Whether all that the program itself wrote has been passed on.
    pub(super) fn is_settled(&self) -> bool {
        self.is_flushed() && (self.owed == 0 || !self.is_open())
    }

    /// Gives up the input, with what is held of it ready to be written.
    pub(super) fn take_input(&mut self, sinks: &mut Sinks) -> Option<OwnedFd> {
        let input = self.input.take();
        self.finish(sinks);
        input
    }

    /// Follows a change of the terminal's size.
    pub(super) fn copy_size(&self) {
        if let (Some(input), Some(output)) = (&self.input, &self.output) {
            terminal::copy_size(output.as_fd(), input.as_fd());
        }
    }

    fn end(&mut self, sinks: &mut Sinks) {
        self.input = None;
        self.finish(sinks);
    }

    fn finish(&mut self, sinks: &mut Sinks) {
        let from = self.ready.len();
        self.filter.finish(&mut self.ready);
        self.pass(from, sinks);
        if let Some(lines) = &mut self.lines {
            lines.finish(sinks);
        }
    }
}

/// How much of `bytes` a pipe that is ready takes at once: whole lines, where they fit, so that
/// other writers of the same pipe do not come between.
fn without_waiting(bytes: &[u8]) -> usize {
    let most = bytes.len().min(rustix::pipe::PIPE_BUF);
    if most == bytes.len() {
        return most;
    }
    memchr::memrchr(b'\n', &bytes[..most]).map_or(most, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Seek as _};
    use std::sync::Arc;

    use rustix::pipe::pipe;
    use tacenda_detect::{Engine, Limits, ProtectedValues, SharedValue};
    use tacenda_policy::{Kind, Policy};
    use tacenda_redact::{Keys, Redactor};

    use super::*;
    use crate::share::Server;

    const PROMPT: &str = "The heron stands in the shallows and waits.\n";

    /// A stream, where it is written to, where it leads to, and what it redacts with.
    fn stream() -> (Stream<Arc<Redactor>>, OwnedFd, File, Arc<Redactor>) {
        let (input, theirs) = pipe().unwrap();
        let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
        let redactor = Arc::new(redactor);
        let file = tempfile::tempfile().unwrap();
        let outlet = Outlet { output: Some(file.try_clone().unwrap().into()), lines: None };
        (Stream::new(input, outlet, Arc::clone(&redactor), Duration::ZERO), theirs, file, redactor)
    }

    #[test]
    fn a_line_is_followed_by_a_rest_and_much_is_not() {
        let (mut stream, theirs, _file, _redactor) = stream();
        let rests_after = |stream: &mut Stream<_>, bytes: &[u8]| {
            rustix::io::write(&theirs, bytes).unwrap();
            stream.read(&mut Sinks::default(), || {});
            assert!(stream.is_flushed(), "a file takes it at once");
            let rests = stream.rest().is_some();
            assert_eq!(stream.readable(false).is_none(), rests);
            rests
        };
        assert!(rests_after(&mut stream, b"one line\n"));
        assert!(!rests_after(&mut stream, &b"many lines\n".repeat(5000)));
        assert!(!rests_after(&mut stream, b"one line\n"), "more may come at once");
        stream.awake_until = Instant::now();
        assert!(rests_after(&mut stream, b"one line\n"));
        stream.program_ended();
        assert!(stream.rest().is_none(), "nobody waits for what is left");
    }

    #[test]
    fn what_was_released_during_a_rest_goes_when_that_is_looked_at() {
        let (stream, theirs, mut file, redactor) = stream();
        let filter = redactor.protected();
        let process = ProtectedValues::new(Limits::default(), Box::new(|_| [0; 3]));
        process.adopt(&filter.shared_key());
        process.protect(PROMPT, Kind::Prompt, None, true).unwrap();
        let mut known = None;
        process.each(|shared, fingerprints| {
            let id = filter.put(None, &SharedValue { holds: 1, ..shared.clone() });
            filter.add(id, 0, fingerprints);
            known = Some((id, shared.clone()));
        });
        let (id, shared) = known.unwrap();

        let mut streams = [stream];
        let mut server = Server::deaf(filter);
        let mut wait = || {
            super::super::wait(&mut streams, &mut server, &mut Sinks::default(), &[], None)
                .unwrap();
        };
        rustix::io::write(&theirs, b"one line\n").unwrap();
        wait();
        rustix::io::write(&theirs, PROMPT.as_bytes()).unwrap();
        filter.put(Some(id), &SharedValue { expires: Duration::ZERO, ..shared });
        let mut written = String::new();
        while written.lines().count() < 2 {
            wait();
            written.clear();
            file.rewind().unwrap();
            file.read_to_string(&mut written).unwrap();
        }
        assert!(!written.contains("heron"), "{written}");
    }
}
