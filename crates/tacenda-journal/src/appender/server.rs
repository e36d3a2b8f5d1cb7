//! The end of the owner.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::net::Shutdown;
use std::ops::Deref;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::Mode;

use super::frame::{Asked, LONGEST, Reply, header, memory};
use super::{SOCKET, lock};
use crate::error::JournalError;
use crate::place::{Folder, Kind};
use crate::record::Record;
use crate::writer::Journal;

/// Processes that append through this one at once. One more is not answered.
const MOST_GUESTS: usize = 1000;

/// The memory that requests take at once: the longest, or many that are short. Who has more to send
/// waits.
const ROOM: usize = memory(LONGEST);

/// How long the rest of a request is waited for, and for its answer to be taken: its process may have
/// been stopped.
const PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 10 });

/// The number of the first record, or why it was not written.
type Appended = Result<Option<u64>, JournalError>;

/// A journal that this process owns, and that others append to through it.
pub(super) struct Server {
    journal: Mutex<Option<Arc<Journal>>>,
    /// Somebody has done with the journal.
    returned: Condvar,
    guests: Mutex<HashMap<u64, UnixStream>>,
    /// One of them is gone.
    left: Condvar,
    room: Room,
    folder: Folder,
}

/// The journal, while something is done with it.
pub(super) struct Lease<'s> {
    journal: Option<Arc<Journal>>,
    server: &'s Server,
}

impl Deref for Lease<'_> {
    type Target = Journal;

    fn deref(&self) -> &Journal {
        self.journal.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.journal = None;
        let _waiting = lock(&self.server.journal);
        self.server.returned.notify_all();
    }
}

impl Server {
    /// Owns the journal, and listens. Where there can be no socket (a file system without them) it
    /// owns the journal alone.
    pub(super) fn start(journal: Journal, folder: &Folder) -> Arc<Self> {
        let server = Arc::new(Self {
            journal: Mutex::new(Some(Arc::new(journal))),
            returned: Condvar::new(),
            guests: Mutex::default(),
            left: Condvar::new(),
            room: Room { free: Mutex::new(ROOM), freed: Condvar::new() },
            folder: folder.clone(),
        });
        if let Ok(listener) = listen(folder) {
            let listening = Arc::clone(&server);
            let thread = std::thread::Builder::new().name("tacenda-owner".to_owned());
            let started = thread.spawn(move || listening.accept(&listener));
            if started.is_err() {
                let _ = folder.discard(SOCKET);
            }
        }
        server
    }

    /// The journal, unless it was handed over.
    pub(super) fn journal(&self) -> Option<Lease<'_>> {
        let journal = lock(&self.journal).clone()?;
        Some(Lease { journal: Some(journal), server: self })
    }

    /// Appends for this process or a guest; the records come back when the journal was handed over.
    /// One that has stopped is, to be opened anew.
    pub(super) fn append(
        &self,
        records: Vec<Record>,
        guest: Option<u64>,
    ) -> Result<Appended, Vec<Record>> {
        let Some(journal) = self.journal() else { return Err(records) };
        // The appender, or what reads requests, has checked them.
        let done = journal.append_checked(records);
        let stopped = done.is_err() && journal.has_stopped();
        drop(journal);
        if stopped {
            // What became of the records is told already.
            let _ = self.hand_over(guest);
        }
        Ok(done)
    }

    /// Seals what there is, and leaves the journal to others, once all guests but the one who asks
    /// have their answers: this process may end, and who has none sends its records again. Whoever
    /// asks for it a second time finds it done.
    pub(super) fn hand_over(&self, guest: Option<u64>) -> Result<(), JournalError> {
        let mut guard = lock(&self.journal);
        let Some(journal) = guard.take() else { return Ok(()) };
        while Arc::strong_count(&journal) > 1 {
            guard = self.returned.wait(guard).unwrap_or_else(PoisonError::into_inner);
        }
        drop(guard);
        // It looks up, finds that there is no journal, and ends.
        end_listening(&self.folder);
        for guest in lock(&self.guests).values() {
            // What was sent already is answered.
            let _ = guest.shutdown(Shutdown::Read);
        }
        let closed = Arc::into_inner(journal).expect("nobody else has it").close();
        let guests = lock(&self.guests);
        let others = |guests: &mut HashMap<u64, _>| guests.keys().any(|one| Some(*one) != guest);
        drop(self.left.wait_timeout_while(guests, PATIENCE, others));
        closed
    }

    fn accept(self: &Arc<Self>, listener: &UnixListener) {
        let own = rustix::process::geteuid().as_raw();
        for number in 0.. {
            let accepted = listener.accept();
            if lock(&self.journal).is_none() {
                return;
            }
            let stream = match accepted {
                Ok((stream, _)) if is_of(&stream, own) => stream,
                Ok(_) => continue,
                Err(_) => {
                    // There may be no descriptors for a while.
                    std::thread::sleep(super::LATER);
                    continue;
                }
            };
            let Ok(kept) = stream.try_clone() else { continue };
            {
                let mut guests = lock(&self.guests);
                // Who hands it over after this finds the guest.
                if lock(&self.journal).is_none() {
                    return;
                }
                if guests.len() >= MOST_GUESTS {
                    continue;
                }
                guests.insert(number, kept);
            }
            let server = Arc::clone(self);
            let thread = std::thread::Builder::new().name("tacenda-guest".to_owned());
            let started = thread.spawn(move || {
                // It is gone, or sends what is no request: then it has to connect anew.
                let _ = server.serve(stream, number);
                server.forget(number);
            });
            if started.is_err() {
                self.forget(number);
            }
        }
    }

    fn forget(&self, guest: u64) {
        lock(&self.guests).remove(&guest);
        self.left.notify_all();
    }

    fn serve(&self, mut stream: UnixStream, guest: u64) -> io::Result<()> {
        stream.set_write_timeout(Some(PATIENCE))?;
        loop {
            // Who has nothing to ask stays; a request that was begun has its time.
            stream.set_read_timeout(None)?;
            let mut first = [0];
            stream.read_exact(&mut first)?;
            let mut rest = Until { stream: &stream, over: Instant::now() + PATIENCE };
            let (kind, length) = header(&mut first.as_slice().chain(&mut rest))?;
            let room = self.room.take(memory(length));
            let mut content = vec![0; length];
            rest.over = Instant::now() + PATIENCE;
            rest.read_exact(&mut content)?;
            let asked = Asked::parse(kind, &content).ok_or(io::ErrorKind::InvalidData)?;
            drop(content);
            let reply = self.answer(asked, guest);
            drop(room);
            reply.send(&mut stream)?;
        }
    }

    fn answer(&self, asked: Asked, guest: u64) -> Reply {
        let done = match asked {
            Asked::Append(records) => match self.append(records, Some(guest)) {
                Ok(done) => done.map(Option::unwrap_or_default),
                Err(_) => return Reply::Moved,
            },
            Asked::Rotate => match self.journal() {
                Some(journal) => journal.rotate().map(|()| 0),
                None => return Reply::Moved,
            },
            Asked::HandOver => self.hand_over(Some(guest)).map(|()| 0),
        };
        done.map_or_else(|error| Reply::Failed(error.to_string()), Reply::Done)
    }
}

pub(super) fn listen(folder: &Folder) -> io::Result<UnixListener> {
    // One that was killed has left its own. We hold the lock: nobody listens there.
    folder.stranger(SOCKET, Kind::Socket).map_or(Ok(()), Err).map_err(io::Error::other)?;
    folder.discard(SOCKET).map_err(io::Error::other)?;
    let listener = UnixListener::bind(address(folder).join(SOCKET))?;
    let mode = Mode::RUSR | Mode::WUSR;
    rustix::fs::chmodat(folder.descriptor(), SOCKET, mode, rustix::fs::AtFlags::empty())?;
    Ok(listener)
}

/// Lets whoever accepts look up, and takes the socket away.
pub(super) fn end_listening(folder: &Folder) {
    drop(UnixStream::connect(address(folder).join(SOCKET)));
    if folder.stranger(SOCKET, Kind::Socket).is_none() {
        let _ = folder.discard(SOCKET);
    }
}

/// The directory as a name that is short enough for the address of a socket, and that leads to it
/// whatever is put in its place meanwhile. Where the system has no such names, its path.
pub(super) fn address(folder: &Folder) -> PathBuf {
    use std::os::fd::AsRawFd as _;
    let through = PathBuf::from(format!("/proc/self/fd/{}", folder.descriptor().as_raw_fd()));
    if through.is_dir() { through } else { folder.path().to_owned() }
}

/// Whether the process at the other end runs as this user. Where the system does not tell, the private
/// directory of the socket is what keeps others out.
pub(super) fn is_of(socket: impl AsFd, user: u32) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        rustix::net::sockopt::socket_peercred(socket).is_ok_and(|peer| peer.uid.as_raw() == user)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = (socket, user);
        true
    }
}

/// What comes until a moment: who sends it byte by byte keeps no room from others.
pub(super) struct Until<'s> {
    pub(super) stream: &'s UnixStream,
    pub(super) over: Instant,
}

impl io::Read for Until<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let left = self.over.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(left))?;
        self.stream.read(bytes)
    }
}

/// Memory for requests.
struct Room {
    free: Mutex<usize>,
    freed: Condvar,
}

struct Taken<'r> {
    room: &'r Room,
    bytes: usize,
}

impl Room {
    /// Waits until there is so much.
    fn take(&self, bytes: usize) -> Taken<'_> {
        let free = lock(&self.free);
        let wait = self.freed.wait_while(free, |free| *free < bytes);
        *wait.unwrap_or_else(PoisonError::into_inner) -= bytes;
        Taken { room: self, bytes }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        *lock(&self.room.free) += self.bytes;
        self.room.freed.notify_all();
    }
}
