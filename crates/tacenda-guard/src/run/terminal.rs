//! What the program writes into: a pseudo-terminal where we write to a terminal, else a pipe.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{FileType, Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::{OptionalActions, isatty, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

/// The two ends of what stands between the program and one of our outputs.
#[derive(Debug)]
pub(super) struct Channel {
    /// We read here.
    pub(super) ours: OwnedFd,
    /// The program writes here.
    pub(super) theirs: OwnedFd,
}

/// A pseudo-terminal when `output` is a terminal that `shows` what is written, so that colours and
/// progress bars live, else a pipe.
///
/// The pseudo-terminal is nobody's controlling terminal and carries no input: stdin, the keys and
/// job control stay with the real one. It is raw: the real terminal does what is to be done with
/// line ends.
pub(super) fn channel(output: BorrowedFd<'_>, shows: bool) -> io::Result<Channel> {
    if !shows || !isatty(output) {
        let (ours, theirs) = io::pipe()?;
        return Ok(Channel { ours: ours.into(), theirs: theirs.into() });
    }
    let ours = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC)?;
    rustix::pty::grantpt(&ours)?;
    rustix::pty::unlockpt(&ours)?;
    let name = rustix::pty::ptsname(&ours, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let theirs = rustix::fs::open(&name, flags, Mode::empty())?;
    let mut modes = tcgetattr(&theirs)?;
    modes.make_raw();
    tcsetattr(&theirs, OptionalActions::Now, &modes)?;
    copy_size(output, ours.as_fd());
    Ok(Channel { ours, theirs })
}

/// Gives a pseudo-terminal the size of the terminal behind it. A size that is not known is left.
pub(super) fn copy_size(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    if let Ok(size) = tcgetwinsize(from) {
        let _ = tcsetwinsize(to, size);
    }
}

/// Whether we belong to a terminal: only then is there a shell that a stop could return to.
pub(super) fn has_controlling_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

/// What names an open file: equal for two descriptors of the same pipe, terminal or file.
pub(crate) fn identity(fd: impl AsFd) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::fstat(fd)?;
    #[expect(clippy::allow_attributes, reason = "the types differ between systems")]
    #[allow(clippy::useless_conversion, clippy::cast_sign_loss, clippy::unnecessary_cast)]
    Ok((stat.st_dev as u64, stat.st_ino as u64))
}

/// Whether a write may have to wait for a reader.
pub(super) fn may_block(fd: impl AsFd) -> bool {
    let Ok(stat) = rustix::fs::fstat(&fd) else { return false };
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Fifo | FileType::Socket => true,
        FileType::CharacterDevice => isatty(fd),
        _ => false,
    }
}
