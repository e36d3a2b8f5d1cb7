//! A filter in a process of its own, for outputs whose writers outlive who has started it.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
};
use tacenda_detect::ProtectedValues;

use super::stream::Stream;
use super::{HOLD, wait, witness};
use crate::Redact;
use crate::share::{Decoder, Frame, Server, no_signal, without_signal};

/// The argument with which the command starts itself as such a filter. Its stdin is a socket, over
/// which the [`Task`] comes.
pub const FOLLOW: &str = "__follow";

/// Descriptors that go along with a task: a listener, and two for each of two streams.
const MOST_FDS: usize = 5;

/// What a filter takes over.
#[derive(Debug)]
pub(super) struct Task {
    /// Where guarded processes tell of protected values.
    pub(super) listener: Option<OwnedFd>,
    /// Where to read and where to write.
    pub(super) streams: Vec<(OwnedFd, OwnedFd)>,
    /// Directories to be removed in the end.
    pub(super) remove: Vec<PathBuf>,
}

/// Starts a filter that knows the values that are known here.
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
    task.send(&ours, values)
}

/// Filters what the task on stdin says, until it ends. Outlives signals: it ends when those do who
/// write.
pub fn follow<R: Redact + Clone>(redactor: &R, values: &ProtectedValues) -> io::Result<()> {
    let _signals = signal_hook::iterator::Signals::new(witness::RELAYED)?;
    let control = UnixStream::from(rustix::stdio::stdin().try_clone_to_owned()?);
    rustix::stdio::dup2_stdin(&std::fs::File::open("/dev/null")?)?;

    let (task, decoder) = Task::receive(&control)?;
    let mut server = match task.listener {
        Some(listener) => Server::new(values, listener)?,
        None => Server::deaf(values),
    };
    server.take_over(control, decoder);
    let mut streams: Vec<_> = task
        .streams
        .into_iter()
        .map(|(input, output)| Stream::new(input, output, redactor.clone(), HOLD))
        .collect();
    while streams.iter().any(|stream| stream.is_open() || !stream.is_flushed()) {
        wait(&mut streams, &mut server, &[], None)?;
    }
    // Before the outputs are closed: whoever reads them to their end finds nothing left.
    task.remove.iter().try_for_each(|directory| remove(directory))
}

impl Task {
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
        let length = u16::try_from(bytes.len()).map_err(io::Error::other)?.to_le_bytes();

        let streams = self.streams.iter().flat_map(|(input, output)| [input, output]);
        let fds: Vec<BorrowedFd<'_>> =
            self.listener.iter().chain(streams).map(AsFd::as_fd).collect();
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
        let mut streams = Vec::new();
        while let (Some(input), Some(output)) = (fds.next(), fds.next()) {
            streams.push((input, output));
        }
        Ok((Self { listener, streams, remove }, Decoder::default()))
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
