//! The end of the filter.

use std::collections::HashMap;
use std::io::{self, Read};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use tacenda_detect::{ProtectedValues, ValueId};
use tempfile::TempDir;

use super::{Decoder, Frame, Malformed, is_ours, no_signal, without_signal};

/// The name of the socket in its directory.
const NAME: &str = "values";

/// What a path of a socket may measure on every system.
const LONGEST_PATH: usize = 100;

/// Processes that are listened to at once.
const MOST_PEERS: usize = 512;

/// Bytes asked for in one read.
const BLOCK: usize = 64 * 1024;

/// Bytes taken from one peer at a time, so that none keeps the others waiting.
const SHARE: usize = 4 << 20;

/// A pause after a look that has found [`MUCH`]: who sends goes on meanwhile, as long as the socket
/// has room.
const SHORT_PAUSE: Duration = Duration::from_millis(1);
/// A socket holds a few hundred frames of single tokens.
const MUCH: usize = 8 * 1024;
/// A pause after a look that has found less: requests that come one by one, which wake nobody for
/// each. Who reads output looks all the same.
const LONG_PAUSE: Duration = Duration::from_millis(30);
/// The same after a look that has found [`LITTLE`]: one completion that grows, token by token.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
const LITTLE: usize = 1024;

/// When to look for what has expired while nothing happens.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(30);

/// Takes in what guarded processes tell of protected values.
#[derive(Debug)]
pub struct Server<'v> {
    values: &'v ProtectedValues,
    listener: Option<UnixListener>,
    peers: Vec<Peer>,
    block: Box<[u8]>,
    paused_until: Option<Instant>,
    /// Not before then is a connection accepted: there were no descriptors.
    accept_at: Option<Instant>,
    expire_at: Option<Instant>,
}

#[derive(Debug)]
struct Peer {
    socket: UnixStream,
    decoder: Decoder,
    /// Its numbers of values, and ours.
    known: HashMap<ValueId, ValueId>,
}

impl<'v> Server<'v> {
    /// One that nobody can tell anything.
    pub fn deaf(values: &'v ProtectedValues) -> Self {
        let block = vec![0; BLOCK].into_boxed_slice();
        let peers = Vec::new();
        let (listener, paused_until, accept_at, expire_at) = (None, None, None, None);
        Self { values, listener, peers, block, paused_until, accept_at, expire_at }
    }

    /// One that listens here.
    pub(crate) fn new(values: &'v ProtectedValues, listener: OwnedFd) -> io::Result<Self> {
        let listener = UnixListener::from(listener);
        listener.set_nonblocking(true)?;
        Ok(Self { listener: Some(listener), ..Self::deaf(values) })
    }

    /// Hears the key and what is known already from who has started this filter, and goes on
    /// listening to it. Nothing may be looked at before.
    pub(crate) fn take_over(&mut self, socket: UnixStream, decoder: Decoder) {
        let mut peer = Peer { socket, decoder, known: HashMap::new() };
        if peer.take_over(self.values, &mut self.block).is_ok() {
            self.peers.push(peer);
        }
    }

    /// Where to wait for news, if it is time for some. Who connects waits for the key: it is never
    /// too early for that.
    pub(crate) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let paused = self.paused_until.is_some_and(|until| Instant::now() < until);
        let accepts = self.accept_at.is_none_or(|at| at <= Instant::now());
        let listener = self.listener.iter().filter(move |_| accepts).map(AsFd::as_fd);
        let peers = self.peers.iter().filter(move |_| !paused);
        listener.chain(peers.map(|peer| peer.socket.as_fd()))
    }

    /// When there is something to do without news.
    pub(crate) fn due(&self) -> Option<Instant> {
        let now = Instant::now();
        let pauses = self.paused_until.into_iter().chain(self.accept_at).filter(|at| *at > now);
        pauses.chain(self.expire_at).min()
    }

    /// Takes in everything that was told before this call.
    pub(crate) fn catch_up(&mut self) {
        self.accept();
        let (mut heard, mut most) = (false, 0);
        let values = self.values;
        self.peers.retain_mut(|peer| {
            let (goes_on, taken) = peer.listen(values, &mut self.block, &mut heard);
            most = most.max(taken);
            if !goes_on {
                peer.known.values().for_each(|id| values.orphan(*id));
            }
            goes_on
        });
        if heard {
            let now = Instant::now();
            // Who sends that much may be waiting for room to go on.
            self.paused_until = match most {
                BLOCK.. => None,
                MUCH.. => Some(now + SHORT_PAUSE),
                ..LITTLE => Some(now + LONGEST_PAUSE),
                _ => Some(now + LONG_PAUSE),
            };
            let soon = now + SOON;
            self.expire_at = Some(self.expire_at.map_or(soon, |at| at.min(soon)));
        } else {
            self.paused_until = None;
        }
    }

    /// Whether it is time to look for what has expired.
    pub(crate) fn is_due(&self) -> bool {
        self.expire_at.is_some_and(|at| at <= Instant::now())
    }

    /// Removes what was released or has expired, if all is `settled`: what was written before has
    /// been looked at, and nothing of it is held back.
    pub(crate) fn expire(&mut self, settled: bool) {
        if settled {
            self.values.expire();
            // Many may have come and gone.
            let known = self.peers.iter().map(|peer| peer.known.len()).sum::<usize>();
            if known > 2 * self.values.usage().values + 1024 {
                self.forget();
            }
        }
        if !self.is_due() {
            return;
        }
        let now = Instant::now();
        self.expire_at = match (settled, self.values.is_empty()) {
            (false, _) => Some(now + SOON),
            (true, false) => {
                let at = self.values.next_expiry();
                Some(at.map_or(now + LATER, |at| at.clamp(now + SOON, now + LATER)))
            }
            (true, true) => None,
        };
        self.forget();
    }

    /// Forgets the numbers of values that are gone.
    fn forget(&mut self) {
        for peer in &mut self.peers {
            peer.known.retain(|_, id| self.values.knows(*id));
            peer.known.shrink_to(2 * peer.known.len());
        }
    }

    /// Ends every connection when all that was sent over it has been taken in, and gives the
    /// listener up. A process that has more to tell connects to whoever listens next.
    pub(crate) fn close(&mut self) -> Option<OwnedFd> {
        for peer in &self.peers {
            // What is in the queue stays readable, and nothing more gets in.
            let _ = peer.socket.shutdown(Shutdown::Read);
        }
        self.catch_up();
        self.peers.clear();
        self.listener.take().map(OwnedFd::from)
    }

    fn accept(&mut self) {
        let Some(listener) = &self.listener else { return };
        let now = Instant::now();
        if self.accept_at.is_some_and(|at| at > now) {
            return;
        }
        self.accept_at = None;
        loop {
            let socket = match listener.accept() {
                Ok((socket, _)) => socket,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(_) => {
                    self.accept_at = Some(now + SOON);
                    return;
                }
            };
            without_signal(&socket);
            let mut greeting = Vec::new();
            Frame::Key(self.values.shared_key()).encode(&mut greeting);
            if self.peers.len() < MOST_PEERS
                && is_ours(&socket)
                && rustix::net::send(&socket, &greeting, SendFlags::DONTWAIT | no_signal()).is_ok()
            {
                let decoder = Decoder::default();
                self.peers.push(Peer { socket, decoder, known: HashMap::new() });
            }
        }
    }
}

impl Peer {
    /// Takes in what has come, and says how many bytes. False: the peer is gone, or sends what is
    /// no frame.
    fn listen(
        &mut self,
        values: &ProtectedValues,
        block: &mut [u8],
        heard: &mut bool,
    ) -> (bool, usize) {
        let (mut taken, mut is_empty) = (0, false);
        loop {
            match self.apply(values) {
                Ok(any) => *heard |= any,
                Err(_) => return (false, taken),
            }
            if is_empty || taken >= SHARE {
                return (true, taken);
            }
            match rustix::net::recv(&self.socket, &mut *block, RecvFlags::DONTWAIT) {
                Ok((_, 0)) => return (false, taken),
                Ok((_, count)) => {
                    self.decoder.push(&block[..count]);
                    taken += count;
                    is_empty = count < block.len();
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return (true, taken),
                Err(_) => return (false, taken),
            }
        }
    }

    fn take_over(&mut self, values: &ProtectedValues, block: &mut [u8]) -> io::Result<()> {
        loop {
            while let Some(frame) = self.decoder.frame().map_err(io::Error::other)? {
                match frame {
                    Frame::Key(key) => values.adopt(&key),
                    Frame::Begin => return Ok(()),
                    frame => self.register(values, frame),
                }
            }
            match (&self.socket).read(block)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => self.decoder.push(&block[..count]),
            }
        }
    }

    fn apply(&mut self, values: &ProtectedValues) -> Result<bool, Malformed> {
        let mut any = false;
        while let Some(frame) = self.decoder.frame()? {
            if matches!(frame, Frame::Key(_) | Frame::Begin) {
                return Err(Malformed);
            }
            any = true;
            self.register(values, frame);
        }
        Ok(any)
    }

    fn register(&mut self, values: &ProtectedValues, frame: Frame) {
        match frame {
            Frame::Value(shared) => {
                let id = values.put(self.known.get(&shared.id).copied(), &shared);
                self.known.insert(shared.id, id);
            }
            Frame::Fingerprints(id, from, hashes) => {
                if let Some(id) = self.known.get(&id) {
                    values.add(*id, from, &hashes);
                }
            }
            Frame::Key(_) | Frame::Begin => {}
        }
    }
}

/// A directory of its own, 0700, with a socket that guarded processes connect to. In `base`, or
/// in `/tmp` where that has too long a path or is none.
pub(crate) fn listen(base: &Path) -> io::Result<(TempDir, PathBuf, OwnedFd)> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("tacenda-").permissions(std::fs::Permissions::from_mode(0o700));
    let room = LONGEST_PATH - "/tacenda-123456/".len() - NAME.len();
    let fits =
        base.as_os_str().as_bytes().len() <= room && !base.as_os_str().as_bytes().contains(&b':');
    let own = if fits { builder.tempdir_in(base).ok() } else { None };
    let directory = own.map_or_else(|| builder.tempdir_in("/tmp"), Ok)?;
    let path = directory.path().join(NAME);
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok((directory, path, listener.into()))
}
