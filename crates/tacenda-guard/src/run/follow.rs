//! A filter in a process of its own, for outputs whose writers outlive who has started it.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::event::PollFlags;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags,
};
use signal_hook::iterator::Signals;
use tacenda_detect::ProtectedValues;
use tacenda_sink::{Output, Sinks};

use super::lines::Lines;
use super::stream::{Outlet, Stream};
use super::{HOLD, Log, limits_are_errors, raise_descriptors, wait, witness};
use crate::Redact;
use crate::share::{Decoder, Frame, Server, no_signal, wait_for, without_signal};

/// The argument with which the command starts itself as such a filter. Its stdin is a socket, over
/// which the [`Task`] comes.
pub const FOLLOW: &str = "__follow";

/// Tells such a filter whose log it writes, by the name of the program.
pub const PROGRAM_VARIABLE: &str = "TACENDA_PROGRAM";

/// Descriptors that go along with a task: a listener, and two for each of two streams.
const MOST_FDS: usize = 5;

/// What a filter takes over.
#[derive(Debug)]
pub(super) struct Task {
    /// Where guarded processes tell of protected values.
    pub(super) listener: Option<OwnedFd>,
    /// What to filter.
    pub(super) ways: Vec<Way>,
    /// Directories to be removed in the end.
    pub(super) remove: Vec<PathBuf>,
}

/// Where to read and where to write.
#[derive(Debug)]
pub(super) struct Way {
    pub(super) input: OwnedFd,
    /// A descriptor to write to.
    pub(super) output: Option<OwnedFd>,
    /// Whether the sinks of the log are written to as well, and as which output.
    #[expect(
        clippy::option_option,
        reason = "no sinks, sinks of some output, sinks of both outputs"
    )]
    pub(super) sinks: Option<Option<Output>>,
}

/// How often a filter is looked at, a tenth of a second apart, before it is given up: it opens the
/// sinks before it answers.
const LOOKS: u32 = 200;

/// What a filter says when it has its task and its sinks, and when it cannot have them; the reason
/// follows.
pub(super) const READY: u8 = b'R';
const UNABLE: u8 = b'E';

/// Starts a filter that knows the values that are known here, and waits until it has taken over.
pub(super) fn start<'e>(
    helper: &Path,
    environment: impl Iterator<Item = &'e (OsString, OsString)>,
    task: &Task,
    values: &ProtectedValues,
) -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    Command::new(helper)
        .arg(FOLLOW)
        .envs(environment.map(|(name, value)| (name, value)))
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    task.send(&ours, values)?;
    wait_until_ready(&ours)
}

/// A filter that has its task, and who waits for its answer.
#[derive(Debug)]
pub struct Follower {
    task: Task,
    control: UnixStream,
    decoder: Decoder,
    /// As long as it lives, signals do nothing.
    _signals: Signals,
}

impl Follower {
    /// Takes over the task on stdin. Outlives signals: a filter ends when those do who write.
    ///
    /// Whoever has started it may lead outputs into it from here on, where the log has no sinks:
    /// what comes waits in the pipe until the rules are read.
    pub fn accept() -> io::Result<Self> {
        limits_are_errors();
        raise_descriptors();
        let signals = Signals::new(witness::RELAYED)?;
        let control = UnixStream::from(rustix::stdio::stdin().try_clone_to_owned()?);
        without_signal(&control);
        rustix::stdio::dup2_stdin(&std::fs::File::open("/dev/null")?)?;
        let (task, decoder) = Task::receive(&control)?;
        if !task.has_sinks() {
            say(&control, &[READY]);
        }
        Ok(Self { task, control, decoder, _signals: signals })
    }

    /// Filters until the task ends. `log` opens the sinks of the log, if the task asks for them;
    /// `abandoned` is called when those who wrote are gone and have not cleaned up.
    pub fn follow<R: Redact + Clone>(
        self,
        redactor: &R,
        values: &ProtectedValues,
        log: impl FnOnce() -> Result<Log, String>,
        abandoned: impl FnOnce(),
    ) -> io::Result<()> {
        let Self { task, control, decoder, _signals } = self;
        let (mut sinks, patience) = match task.has_sinks().then(log) {
            None => (Sinks::default(), HOLD),
            Some(Ok(log)) => {
                say(&control, &[READY]);
                (log.sinks, log.wait)
            }
            Some(Err(why)) => {
                say(&control, &[&[UNABLE], why.as_bytes()].concat());
                return Err(io::Error::other(why));
            }
        };
        let mut server = match task.listener {
            Some(listener) => Server::new(values, listener)?,
            None => Server::deaf(values),
        };
        server.take_over(control, decoder);
        let streams = task.ways.into_iter().map(|Way { input, output, sinks }| {
            let outlet = Outlet { output, lines: sinks.map(Lines::new) };
            Stream::new(input, outlet, redactor.clone(), HOLD)
        });
        let mut streams: Vec<_> = streams.collect();
        while streams.iter().any(|stream| stream.is_open() || !stream.is_flushed()) {
            wait(&mut streams, &mut server, &mut sinks, &[], None)?;
        }
        // Who wrote has ended: there is nobody to tell of losses but the sinks themselves.
        sinks.finish(patience);
        // One is our own; a private TMPDIR is removed by its process, if that comes to its end.
        if task.remove.iter().filter(|directory| directory.exists()).count() > 1 {
            // What it told of last.
            server.catch_up();
            abandoned();
        }
        // Before the outputs are closed: whoever reads them to their end finds nothing left.
        task.remove.iter().try_for_each(|directory| remove(directory))
    }
}

/// Answers who has started this filter, if it still listens.
fn say(to: &UnixStream, answer: &[u8]) {
    let _ = rustix::net::send(to, answer, SendFlags::DONTWAIT | no_signal());
}

/// Waits until the filter at the other end has taken over.
pub(super) fn wait_until_ready(control: &UnixStream) -> io::Result<()> {
    let mut answer = [0; 512];
    if !wait_for(control, PollFlags::IN, LOOKS) {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "the filter does not answer"));
    }
    match rustix::net::recv(control, &mut answer[..], RecvFlags::empty())?.1 {
        0 => Err(io::Error::other("the filter has ended")),
        count if answer[0] == READY && count == 1 => Ok(()),
        count => Err(io::Error::other(String::from_utf8_lossy(&answer[1..count]).into_owned())),
    }
}

impl Task {
    pub(super) fn has_sinks(&self) -> bool {
        self.ways.iter().any(|way| way.sinks.is_some())
    }

    /// Sends the task, and after it what is known of protected values.
    pub(super) fn send(&self, to: &UnixStream, values: &ProtectedValues) -> io::Result<()> {
        without_signal(to);
        let mut bytes = vec![u8::from(self.listener.is_some())];
        bytes.extend(u8::try_from(self.remove.len()));
        for directory in &self.remove {
            let path = directory.as_os_str().as_bytes();
            bytes.extend(u16::try_from(path.len()).map_err(io::Error::other)?.to_le_bytes());
            bytes.extend(path);
        }
        bytes.extend(self.ways.iter().map(Way::kind));
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes();

        let ways = self.ways.iter().flat_map(|way| std::iter::once(&way.input).chain(&way.output));
        let fds: Vec<BorrowedFd<'_>> = self.listener.iter().chain(ways).map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !control.push(SendAncillaryMessage::ScmRights(&fds)) {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // The descriptors travel with the first bytes.
        rustix::net::sendmsg(to, &[IoSlice::new(&length)], &mut control, no_signal())?;

        Frame::Key(values.shared_key()).encode(&mut bytes);
        values.each(|shared, fingerprints| {
            Frame::Value(shared.clone()).encode(&mut bytes);
            Frame::Fingerprints(shared.id, 0, fingerprints.to_vec()).encode(&mut bytes);
        });
        Frame::Begin.encode(&mut bytes);
        (&mut &*to).write_all(&bytes)
    }

    /// Receives the task. What has come behind it is in the decoder.
    fn receive(from: &UnixStream) -> io::Result<(Self, Decoder)> {
        let mut length = [0; 2];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_FDS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let flags = close_on_exec();
        let received =
            rustix::net::recvmsg(from, &mut [IoSliceMut::new(&mut length)], &mut control, flags)?;
        if received.bytes != length.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut fds = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(descriptors) = message {
                fds.extend(descriptors);
            }
        }

        let mut bytes = vec![0; usize::from(u16::from_le_bytes(length))];
        io::Read::read_exact(&mut &*from, &mut bytes)?;
        let cut_short = || io::Error::from(io::ErrorKind::InvalidData);
        let (&[has_listener, directories], mut rest) =
            bytes.split_first_chunk().ok_or_else(cut_short)?;
        let mut remove = Vec::new();
        for _ in 0..directories {
            let (length, after) = rest.split_first_chunk().ok_or_else(cut_short)?;
            let length = usize::from(u16::from_le_bytes(*length));
            let (path, after) = after.split_at_checked(length).ok_or_else(cut_short)?;
            remove.push(PathBuf::from(OsString::from_vec(path.to_vec())));
            rest = after;
        }

        let mut fds = fds.into_iter();
        let listener = if has_listener == 1 { fds.next() } else { None };
        let way = |kind: &u8| Way::receive(*kind, &mut fds).ok_or_else(cut_short);
        let ways = rest.iter().map(way).collect::<io::Result<_>>()?;
        Ok((Self { listener, ways, remove }, Decoder::default()))
    }
}

impl Way {
    const HAS_OUTPUT: u8 = 1;
    const HAS_SINKS: u8 = 2;
    const STDOUT: u8 = 4;
    const STDERR: u8 = 8;

    /// What there is of it, in bits.
    fn kind(&self) -> u8 {
        let output = if self.output.is_some() { Self::HAS_OUTPUT } else { 0 };
        output
            | match self.sinks {
                None => 0,
                Some(None) => Self::HAS_SINKS,
                Some(Some(Output::Stdout)) => Self::HAS_SINKS | Self::STDOUT,
                Some(Some(Output::Stderr)) => Self::HAS_SINKS | Self::STDERR,
            }
    }

    fn receive(kind: u8, fds: &mut impl Iterator<Item = OwnedFd>) -> Option<Self> {
        let has = |bit| kind & bit != 0;
        let input = fds.next()?;
        let output = if has(Self::HAS_OUTPUT) { Some(fds.next()?) } else { None };
        let sinks = has(Self::HAS_SINKS).then(|| match () {
            () if has(Self::STDOUT) => Some(Output::Stdout),
            () if has(Self::STDERR) => Some(Output::Stderr),
            () => None,
        });
        Some(Self { input, output, sinks })
    }
}

fn close_on_exec() -> RecvFlags {
    #[cfg(not(target_vendor = "apple"))]
    {
        RecvFlags::CMSG_CLOEXEC
    }
    // This process starts no other.
    #[cfg(target_vendor = "apple")]
    {
        RecvFlags::empty()
    }
}

/// Removes a directory and what is in it. The program may have done so itself.
fn remove(directory: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(directory) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_that_is_gone_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        std::fs::create_dir(&path).unwrap();
        assert!(remove(&path).is_ok() && !path.exists());
        assert!(remove(&path).is_ok());
        std::fs::write(&path, "").unwrap();
        assert!(remove(&path).is_err(), "no directory");
    }
}
