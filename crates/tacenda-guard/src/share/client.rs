//! The end of the process that values enter.

use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use tacenda_detect::{News, Share, SharedKey};

use super::frame::{MOST, encode_fingerprints, encode_value};
use super::{Decoder, Frame, LOOKS, is_ours, no_signal, wait_for, without_signal};
use crate::run::identity;

/// Memory that is kept for what is sent next.
const FRAMES_KEPT: usize = 16 * 1024;

/// What is sent at once, but for the last frame: a long value is told in parts.
const AT_ONCE: usize = 64 * 1024;

/// Tells filters of protected values.
///
/// A filter that is gone, or that takes nothing for two seconds, is given up: the process goes on
/// without it, as [`connected`](Self::connected) tells.
#[derive(Debug)]
pub struct Client {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    key: Option<SharedKey>,
    links: Vec<Link>,
    /// Counts connections: who listens now.
    audience: u64,
    /// Whose connections these are: a child by fork needs its own, or frames would be mixed.
    process: u32,
    frames: Vec<u8>,
}

/// The way to one filter.
#[derive(Debug)]
struct Link {
    path: PathBuf,
    socket: Option<Socket>,
    gone: bool,
}

impl Client {
    /// For the filters at these sockets, which are connected to when the first value comes.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        let links = paths.into_iter().map(|path| Link { path, socket: None, gone: false });
        let state = State {
            key: None,
            links: links.collect(),
            audience: 0,
            process: std::process::id(),
            frames: Vec::new(),
        };
        Self { state: Mutex::new(state) }
    }

    /// For a filter that this process has started, too, and that has this key already.
    pub fn add(&self, path: PathBuf, socket: &UnixStream, key: SharedKey) {
        let mut state = self.lock();
        let socket = Socket::new(socket);
        state.links.push(Link { path, gone: socket.is_none(), socket });
        state.audience += 1;
        state.key = Some(key);
    }

    /// How many filters can be told, of how many. Looks whether those that were there still are.
    pub fn connected(&self) -> (usize, usize) {
        let mut state = self.lock();
        let mut any = false;
        for link in &mut state.links {
            any |= link.socket.take_if(|socket| socket.has_ended()).is_some();
        }
        if any {
            // There may be a successor at the same place.
            state.connect();
        }
        (state.links.iter().filter(|link| !link.gone).count(), state.links.len())
    }

    /// As when the application closes the descriptor of the first connection and opens another.
    #[cfg(test)]
    pub(super) fn replace_descriptor(&self, with: UnixStream) {
        let mut state = self.lock();
        let socket = state.links[0].socket.as_mut().expect("it is connected");
        socket.stream = Some(with);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share for Client {
    fn key(&self) -> Option<SharedKey> {
        let mut state = self.lock();
        state.connect();
        state.key.clone()
    }

    fn audience(&self) -> u64 {
        let mut state = self.lock();
        let process = std::process::id();
        if state.process != process {
            state.process = process;
            state.links.iter_mut().for_each(|link| link.socket = None);
        }
        for link in &mut state.links {
            link.socket.take_if(|socket| socket.open().is_none());
        }
        state.connect();
        let anybody = state.links.iter().any(|link| link.socket.is_some());
        if anybody { state.audience } else { 0 }
    }

    fn tell(&self, news: &[News<'_>]) -> bool {
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut all = true;
        for News { value, from, fingerprints } in news {
            encode_value(value, &mut state.frames);
            for (part, from) in fingerprints.chunks(MOST).zip((*from..).step_by(MOST)) {
                encode_fingerprints(value.id, from, part, &mut state.frames);
                if state.frames.len() >= AT_ONCE {
                    all &= state.send();
                }
            }
        }
        all &= state.send();
        state.frames.shrink_to(FRAMES_KEPT);
        all
    }
}

impl State {
    /// Sends the frames that are there. False: one that was to hear them is gone.
    fn send(&mut self) -> bool {
        let mut all = true;
        for link in &mut self.links {
            let Some(socket) = &link.socket else { continue };
            if let Err(fault) = socket.send(&self.frames) {
                link.socket = None;
                // One that ended may have a successor at the same place; one that hangs has none.
                link.gone = fault == Fault::Stuck;
                all = false;
            }
        }
        self.frames.clear();
        all
    }

    /// Connects to the filters that are not connected. The first key that is heard of is the key.
    fn connect(&mut self) {
        for link in &mut self.links {
            if link.gone || link.socket.is_some() {
                continue;
            }
            let heard = Socket::connect(&link.path);
            match heard.filter(|(_, key)| self.key.get_or_insert(key.clone()) == key) {
                Some((socket, _)) => {
                    link.socket = Some(socket);
                    self.audience += 1;
                }
                None => link.gone = true,
            }
        }
    }
}

/// Why nothing could be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// The peer has ended, or the descriptor is not ours any more.
    Ended,
    /// The peer takes nothing.
    Stuck,
}

/// A connection. The application may close any descriptor, and what is opened next has its number:
/// so [`Client::audience`], which is asked before anything is told, looks at it.
#[derive(Debug)]
struct Socket {
    /// None while it is being dropped.
    stream: Option<UnixStream>,
    identity: (u64, u64),
}

impl Socket {
    fn new(stream: &UnixStream) -> Option<Self> {
        without_signal(stream);
        // Above the numbers that daemons close and shells redirect.
        let high = rustix::io::fcntl_dupfd_cloexec(stream, 10).ok()?;
        let identity = identity(&high).ok()?;
        Some(Self { stream: Some(high.into()), identity })
    }

    /// Connects, and hears the key of the filter.
    fn connect(path: &Path) -> Option<(Self, SharedKey)> {
        let stream = UnixStream::connect(path).ok().filter(|stream| is_ours(stream))?;
        let key = receive_key(&stream)?;
        Some((Self::new(&stream)?, key))
    }

    /// The connection, if the descriptor still is one.
    fn open(&self) -> Option<&UnixStream> {
        let is_ours = |stream: &&UnixStream| identity(stream).is_ok_and(|it| it == self.identity);
        self.stream.as_ref().filter(is_ours)
    }

    /// Whether the peer has closed its end.
    fn has_ended(&self) -> bool {
        let Some(stream) = self.open() else { return true };
        let mut look = [PollFd::new(stream, PollFlags::empty())];
        matches!(poll(&mut look, Some(&Timespec::default())), Ok(1..))
    }

    fn send(&self, mut bytes: &[u8]) -> Result<(), Fault> {
        let stream = self.stream.as_ref().ok_or(Fault::Ended)?;
        let flags = SendFlags::DONTWAIT | no_signal();
        while !bytes.is_empty() {
            match rustix::net::send(stream, bytes, flags) {
                Ok(count) => bytes = &bytes[count..],
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN | Errno::NOBUFS) => {
                    if !wait_for(stream, PollFlags::OUT, LOOKS) {
                        return Err(Fault::Stuck);
                    }
                }
                Err(_) => return Err(Fault::Ended),
            }
        }
        Ok(())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let is_open = self.open().is_some();
        if let Some(stream) = self.stream.take()
            && !is_open
        {
            // The number is somebody else's now.
            let _ = stream.into_raw_fd();
        }
    }
}

/// Waits for the key, which a filter says first.
fn receive_key(stream: &UnixStream) -> Option<SharedKey> {
    let mut decoder = Decoder::default();
    let mut block = [0; 64];
    loop {
        if !wait_for(stream, PollFlags::IN, LOOKS) {
            return None;
        }
        match rustix::net::recv(stream, &mut block[..], RecvFlags::DONTWAIT) {
            Ok((_, 0)) => return None,
            Ok((_, count)) => decoder.push(&block[..count]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(_) => return None,
        }
        match decoder.frame() {
            Ok(None) => {}
            Ok(Some(Frame::Key(key))) => return Some(key),
            Ok(Some(_)) | Err(_) => return None,
        }
    }
}
