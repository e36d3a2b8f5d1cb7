//! One output of the program on its way to ours.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::termios::isatty;

use tacenda_sink::{Output, Sinks};

use super::lines::Lines;
use super::terminal;
use crate::{Redact, StreamFilter};

/// Bytes asked for in one read.
const BLOCK: usize = 64 * 1024;

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
    filter: StreamFilter<R>,
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
        Self {
            input: Some(input),
            may_block: output.as_ref().is_some_and(terminal::may_block),
            output,
            lines,
            filter: StreamFilter::new(redactor).interactive(interactive),
            block: vec![0; BLOCK],
            ready: Vec::new(),
            written: 0,
            hold,
            next_idle: Instant::now(),
            owed: 0,
            failure: None,
        }
    }

    /// Where to wait for bytes, when there is room for them. `full`: the sinks have none.
    pub(super) fn readable(&self, full: bool) -> Option<BorrowedFd<'_>> {
        let has_room = self.is_flushed() && !(full && self.lines.is_some());
        self.input.as_ref().filter(|_| has_room).map(AsFd::as_fd)
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
                self.next_idle = Instant::now() + self.hold;
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            // The last writer of a pseudo-terminal is gone: that is its end of file.
            Err(_) => self.end(sinks),
        }
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
