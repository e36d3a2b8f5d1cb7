//! Who a signal was meant for: us alone, or our whole process group.
//!
//! The program shares our process group, so that the terminal's keys, job control and a
//! `kill -9` of the group work as they would without us. But then a signal that was sent to the
//! group has reached the program already, while one sent to our process alone must be forwarded;
//! and POSIX does not tell the two apart. So a second process of ours sits in the group and says
//! what it has seen: what reached it too was sent to the group.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::signal::{
    SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGUSR1, SIGUSR2,
};
use signal_hook::iterator::Signals;

/// The argument with which the command starts itself as a witness.
pub const WITNESS: &str = "__witness";

/// Signals that reach the program whether they were sent to us or to the group.
pub(super) const RELAYED: [i32; 8] =
    [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGTSTP, SIGCONT];

/// The question: what have you seen since the last one?
const ASK: u8 = b'?';

/// The witness, as we see it.
#[derive(Debug)]
pub(super) struct Witness {
    process: Child,
    ask: ChildStdin,
    answer: std::process::ChildStdout,
}

impl Witness {
    pub(super) fn start(helper: &Path) -> io::Result<Self> {
        let mut process = Command::new(helper)
            .arg(WITNESS)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let ask = process.stdin.take().expect("its stdin is a pipe");
        let answer = process.stdout.take().expect("its stdout is a pipe");
        Ok(Self { process, ask, answer })
    }

    /// Asks; the answer becomes readable on [`answer_fd`](Self::answer_fd).
    pub(super) fn ask(&mut self) -> io::Result<()> {
        self.ask.write_all(&[ASK])
    }

    pub(super) fn answer_fd(&self) -> BorrowedFd<'_> {
        self.answer.as_fd()
    }

    pub(super) fn has_answered(&self) -> bool {
        let mut answer = [PollFd::new(&self.answer, PollFlags::IN)];
        matches!(poll(&mut answer, Some(&Timespec::default())), Ok(1..))
    }

    /// The signals it has seen, one bit each; none if it is gone.
    pub(super) fn answer(&mut self) -> Option<u64> {
        let mut seen = [0; 8];
        self.answer.read_exact(&mut seen).ok().map(|()| u64::from_le_bytes(seen))
    }

    /// The signal that ended it before it could listen: that one was sent to the group.
    pub(super) fn killed_by(&mut self) -> Option<i32> {
        self.process.wait().ok()?.signal()
    }

    pub(super) fn stop(self) {
        let Self { mut process, ask, answer } = self;
        drop((ask, answer));
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// What the witness does: answers on stdout until stdin ends.
pub fn witness() -> io::Result<()> {
    let mut signals = Signals::new(RELAYED)?;
    let mut ask = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut answer = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut question = [0; 1];
    loop {
        match ask.read(&mut question) {
            Ok(0) => return Ok(()),
            // A signal that was pending when we woke has run its handler before this point.
            Ok(_) => answer.write_all(&bits(signals.pending()).to_le_bytes())?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A set of signals as bits.
pub(super) fn bits(signals: impl IntoIterator<Item = i32>) -> u64 {
    signals.into_iter().fold(0, |set, signal| set | bit(signal))
}

pub(super) fn bit(signal: i32) -> u64 {
    u32::try_from(signal).ok().and_then(|signal| 1_u64.checked_shl(signal)).unwrap_or(0)
}
