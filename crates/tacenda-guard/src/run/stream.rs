//! One output of the program on its way to ours.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::termios::isatty;

use super::terminal;
use crate::{Redact, StreamFilter};

/// Bytes asked for in one read.
const BLOCK: usize = 64 * 1024;

/// One output of the program: read, filtered, written.
///
/// Nothing is read while something waits to be written, so a slow reader behind us slows the
/// program down as it would without us, and memory stays bounded.
#[derive(Debug)]
pub(super) struct Stream<R> {
    /// None once it has ended.
    input: Option<OwnedFd>,
    output: OwnedFd,
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
    pub(super) fn new(input: OwnedFd, output: OwnedFd, redactor: R, hold: Duration) -> Self {
        // Keys are echoed only where a person sits in front of both ends.
        let interactive = isatty(&output) && isatty(rustix::stdio::stdin());
        Self {
            input: Some(input),
            may_block: terminal::may_block(&output),
            output,
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

    /// Where to wait for bytes, when there is room for them.
    pub(super) fn readable(&self) -> Option<BorrowedFd<'_>> {
        self.input.as_ref().filter(|_| self.is_flushed()).map(AsFd::as_fd)
    }

    /// Where to wait for room, when there are bytes.
    pub(super) fn writable(&self) -> Option<BorrowedFd<'_>> {
        (!self.is_flushed()).then_some(self.output.as_fd())
    }

    pub(super) fn is_open(&self) -> bool {
        self.input.is_some()
    }

    pub(super) fn is_flushed(&self) -> bool {
        self.ready.is_empty()
    }

    pub(super) fn output(&self) -> BorrowedFd<'_> {
        self.output.as_fd()
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
        (self.is_open() && self.is_flushed() && self.filter.is_holding()).then_some(self.next_idle)
    }

    pub(super) fn idle(&mut self) {
        self.filter.idle(&mut self.ready);
        self.next_idle = Instant::now() + self.hold;
    }

    /// Reads once; to be called when there is something to read. `before` is called before it is
    /// looked at.
    pub(super) fn read(&mut self, before: impl FnOnce()) {
        let Some(input) = &self.input else { return };
        match rustix::io::read(input, &mut self.block[..]) {
            Ok(0) => self.end(),
            Ok(count) => {
                self.owed = self.owed.saturating_sub(count as u64);
                before();
                self.filter.push(&self.block[..count], &mut self.ready);
                self.next_idle = Instant::now() + self.hold;
            }
            Err(Errno::INTR | Errno::AGAIN) => {}
            // The last writer of a pseudo-terminal is gone: that is its end of file.
            Err(_) => self.end(),
        }
    }

    /// Writes what is ready, as much as can be written without waiting.
    pub(super) fn write(&mut self) {
        while self.written < self.ready.len() {
            let rest = &self.ready[self.written..];
            let part = if self.may_block { &rest[..without_waiting(rest)] } else { rest };
            match rustix::io::write(&self.output, part) {
                Ok(count) => {
                    self.written += count;
                    if self.may_block {
                        break;
                    }
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(Errno::PIPE | Errno::IO) => {
                    // Our reader is gone: so is the program's.
                    self.input = None;
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
    pub(super) fn take_input(&mut self) -> Option<OwnedFd> {
        let input = self.input.take();
        self.filter.finish(&mut self.ready);
        input
    }

    /// Follows a change of the terminal's size.
    pub(super) fn copy_size(&self) {
        if let Some(input) = &self.input {
            terminal::copy_size(self.output.as_fd(), input.as_fd());
        }
    }

    fn end(&mut self) {
        self.input = None;
        self.filter.finish(&mut self.ready);
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
