//! The end of a process that appends through the owner.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::SOCKET;
use super::frame::{Reply, Request};
use super::server::{address, is_of};
use crate::place::Folder;

/// A connection to the owner.
#[derive(Debug)]
pub(super) struct Client {
    stream: Option<UnixStream>,
}

impl Client {
    /// Connects to the process that owns the journal in this directory, if it listens and takes this
    /// process in time. Each of its answers has so much time as well.
    pub(super) fn connect(folder: &Folder, patience: Duration) -> Option<Self> {
        let stream = connect(&address(folder).join(SOCKET), patience).ok()?;
        is_of(&stream, rustix::process::geteuid().as_raw()).then_some(())?;
        Self::with_patience(stream, patience).ok()
    }

    fn with_patience(stream: UnixStream, patience: Duration) -> io::Result<Self> {
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self { stream: Some(stream) })
    }

    pub(super) fn is_connected(&self) -> bool {
        self.stream.is_some()
    }

    /// Asks, and waits for the answer. Whoever gave none, or owns the journal no longer, is not asked
    /// again. Of one who keeps silent nobody knows what it has done: then it has failed.
    pub(super) fn call(&mut self, request: &Request<'_>) -> Reply {
        let Some(stream) = &mut self.stream else { return Reply::Gone };
        let reply = match stream.write_all(&request.to_bytes()) {
            Err(error) if is_timeout(&error) => Err(error),
            // It may have answered before it hung up.
            asked => Reply::read(stream).or_else(|error| asked.and(Err(error))),
        };
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) if is_timeout(&error) => {
                self.stream = None;
                let what = "nothing: it does not answer, and may have written the records or not";
                return Reply::Failed(what.to_owned());
            }
            Err(_) => Reply::Gone,
        };
        if matches!(reply, Reply::Moved | Reply::Busy | Reply::Gone) {
            self.stream = None;
        }
        reply
    }
}

/// Connects to a socket. Where more wait for who listens than the system keeps waiting, Linux makes this
/// process wait as well, for as long as sending may take.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn connect(socket: &Path, patience: Duration) -> io::Result<UnixStream> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, sockopt};
    let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
    let stream = rustix::net::socket_with(family, kind, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&stream, sockopt::Timeout::Send, Some(patience))?;
    rustix::net::connect(&stream, &SocketAddrUnix::new(socket)?)?;
    Ok(stream.into())
}

/// Connects to a socket. Where more wait for who listens than the system keeps waiting, it refuses.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn connect(socket: &Path, _patience: Duration) -> io::Result<UnixStream> {
    UnixStream::connect(socket)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_that_is_stopped_is_not_waited_for_for_good() {
        for length in [1, 10 << 20] {
            let record =
                crate::Record::from_text(&vec![b'x'; length], tacenda_policy::Class::Internal, 0);
            let records = [record.unwrap()];
            // What is sent stays in the socket, as far as it has room: nobody reads it.
            let (stream, _owner) = UnixStream::pair().unwrap();
            let mut client = Client::with_patience(stream, Duration::from_millis(20)).unwrap();
            let reply = client.call(&Request::Append(&records));
            assert!(matches!(reply, Reply::Failed(_)), "{reply:?}");
            assert!(!client.is_connected());
        }
    }
}
