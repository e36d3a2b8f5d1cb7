//! One journal, many processes: one of them owns it, the others append through that one.
//!
//! Who finds the journal free becomes its owner, and listens on the socket `owner` in the directory
//! of the journal, where nobody else gets in. Who finds it owned connects there. A record is
//! acknowledged by the owner when it is written as [`Durability`](crate::Durability) says. When the
//! owner ends, or hands the journal over, the first of the others to come takes its place. What was
//! not acknowledged is sent again: after a crash of the owner a record may be there twice, and none
//! is lost. Who borrows the journal to erase or delete answers that it is busy: the others wait.

mod busy;
mod client;
mod frame;
mod server;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::JournalError;
use crate::place::{Folder, Kind};
use crate::record::Record;
use crate::together::batches;
use crate::writer::{Journal, Options};
pub(crate) use busy::Busy;
use client::Client;
use frame::{Reply, Request};
use server::Server;

/// The name of the socket.
const SOCKET: &str = "owner";

/// Between two looks whether it is free: the first, and the longest.
const SOON: Duration = Duration::from_millis(1);
const LATER: Duration = Duration::from_millis(50);

/// Whoever asked the owner for the journal gets it before those who append go on.
const HEAD_START: Duration = Duration::from_millis(100);

/// A journal that this process appends to, whoever owns it.
pub struct Appender {
    path: PathBuf,
    options: Options,
    state: Mutex<State>,
}

#[derive(Clone)]
enum State {
    /// Nobody is known to own it.
    Apart,
    /// This process owns it.
    Owner(Arc<Server>),
    /// Another one does.
    Guest(Arc<Mutex<Client>>),
}

impl Appender {
    /// Opens a journal to append to it: as its owner, or through the process that owns it.
    ///
    /// # Errors
    /// When it cannot be opened, or its owner does not answer.
    pub fn open(path: &Path, options: &Options) -> Result<Self, JournalError> {
        let state = Mutex::new(State::Apart);
        let appender = Self { path: path.to_owned(), options: options.clone(), state };
        appender.find(&mut Waiting::new(options))?;
        Ok(appender)
    }

    /// Whether this process owns the journal.
    pub fn is_owner(&self) -> bool {
        matches!(self.state(), State::Owner(server) if server.journal().is_some())
    }

    /// Appends records; the number of the first. They are written, as
    /// [`Durability`](crate::Durability) says, when it returns; until the owner can write them it
    /// waits, for as long as that one gives signs of life.
    ///
    /// # Errors
    /// When one of them is not fit: then none is written. When the owner could not write, or gives no
    /// sign of life for as long as [`Options::patience`] says: of several thousand, some may be written.
    pub fn append_all(&self, records: Vec<Record>) -> Result<Option<u64>, JournalError> {
        records.iter().try_for_each(Record::check)?;
        let mut first = None;
        for batch in batches(records) {
            let number = self.append(batch)?;
            first = first.or(number);
        }
        Ok(first)
    }

    fn append(&self, mut batch: Vec<Record>) -> Result<Option<u64>, JournalError> {
        let mut waiting = Waiting::new(&self.options);
        loop {
            match self.state() {
                State::Owner(server) => match server.append(batch, None) {
                    Ok(done) => return done,
                    Err(back) => {
                        batch = back;
                        give_way();
                    }
                },
                State::Guest(client) => {
                    let reply = lock(&client).call(&Request::Append(&batch));
                    if let Some(number) = self.heed(reply, &mut waiting)? {
                        return Ok(Some(number));
                    }
                }
                State::Apart => {}
            }
            self.find(&mut waiting)?;
        }
    }

    /// Seals the active segment, if it has records.
    pub fn rotate(&self) -> Result<(), JournalError> {
        let mut waiting = Waiting::new(&self.options);
        loop {
            match self.state() {
                State::Owner(server) => match server.journal() {
                    Some(journal) => return journal.rotate(),
                    None => give_way(),
                },
                State::Guest(client) => {
                    let reply = lock(&client).call(&Request::Rotate);
                    if self.heed(reply, &mut waiting)?.is_some() {
                        return Ok(());
                    }
                }
                State::Apart => {}
            }
            self.find(&mut waiting)?;
        }
    }

    /// What a guest does with the answer of the owner: gives the number when it has done what it was
    /// asked for; waits when it, or another one, has to be asked again.
    fn heed(&self, reply: Reply, waiting: &mut Waiting) -> Result<Option<u64>, JournalError> {
        match reply {
            Reply::Done(number) => return Ok(Some(number)),
            Reply::Failed(what) => return Err(JournalError::Owner { what }),
            Reply::Moved => {
                waiting.heard();
                give_way();
            }
            Reply::Busy => {
                waiting.heard();
                waiting.pause(&self.path)?;
            }
            // It takes no more guests, or is gone.
            Reply::Gone => waiting.pause(&self.path)?,
        }
        Ok(None)
    }

    /// Ends. An owner seals what there is, and leaves the journal to the others.
    pub fn close(self) -> Result<(), JournalError> {
        self.leave()
    }

    fn leave(&self) -> Result<(), JournalError> {
        match std::mem::replace(&mut *lock(&self.state), State::Apart) {
            State::Owner(server) => server.hand_over(None),
            State::Guest(_) | State::Apart => Ok(()),
        }
    }

    fn state(&self) -> State {
        lock(&self.state).clone()
    }

    /// Becomes the owner, or finds it.
    fn find(&self, waiting: &mut Waiting) -> Result<(), JournalError> {
        let mut state = lock(&self.state);
        let is_found = match &*state {
            State::Apart => false,
            State::Owner(server) => server.journal().is_some(),
            State::Guest(client) => lock(client).is_connected(),
        };
        if is_found {
            return Ok(());
        }
        *state = State::Apart;
        loop {
            match Journal::open(&self.path, &self.options) {
                Ok(journal) => {
                    let folder = self.folder()?;
                    if let Some(error) = folder.stranger(SOCKET, Kind::Socket) {
                        // Nobody else could append.
                        return Err(error);
                    }
                    *state = State::Owner(Server::start(journal, &folder));
                    return Ok(());
                }
                Err(JournalError::InUse { .. }) => {}
                Err(error) => return Err(error),
            }
            if let Some(client) = Client::connect(&self.folder()?, self.options.patience) {
                *state = State::Guest(Arc::new(Mutex::new(client)));
                return Ok(());
            }
            waiting.pause(&self.path)?;
        }
    }

    fn folder(&self) -> Result<Folder, JournalError> {
        Folder::root(&self.path, false, &self.options.allowed, None)
    }
}

impl Journal {
    /// Opens a journal to write, from whoever owns it: a process that appends hands it over, and
    /// goes on when this one has closed it. Until then all who would append are told to wait.
    ///
    /// # Errors
    /// As of [`Journal::open`]; and when the owner does not answer.
    pub fn take_over(path: &Path, options: &Options) -> Result<Self, JournalError> {
        let mut waiting = Waiting::new(options);
        loop {
            match Self::open(path, options) {
                Err(JournalError::InUse { .. }) => {}
                opened => {
                    let mut journal = opened?;
                    journal.busy = Busy::start(Folder::root(path, false, &options.allowed, None)?);
                    return Ok(journal);
                }
            }
            let folder = Folder::root(path, false, &options.allowed, None)?;
            let owner = Client::connect(&folder, options.patience);
            match owner.map(|mut owner| owner.call(&Request::HandOver)) {
                // It is free, unless somebody was quicker.
                Some(Reply::Done(_) | Reply::Moved) => waiting.pause = SOON,
                Some(Reply::Busy | Reply::Failed(_) | Reply::Gone) | None => {}
            }
            waiting.pause(path)?;
        }
    }
}

/// Somebody has asked for the journal.
fn give_way() {
    sleep(HEAD_START);
}

/// Waiting for an owner, until it has given no sign of life for too long.
struct Waiting {
    patience: Duration,
    over: Instant,
    pause: Duration,
}

impl Waiting {
    fn new(Options { patience, .. }: &Options) -> Self {
        Self { patience: *patience, over: Instant::now() + *patience, pause: SOON }
    }

    /// Waits a while, each time a little longer.
    fn pause(&mut self, path: &Path) -> Result<(), JournalError> {
        if self.over <= Instant::now() {
            return Err(JournalError::InUse { path: path.to_owned() });
        }
        sleep(self.pause);
        self.pause = (self.pause * 2).min(LATER);
        Ok(())
    }

    /// It lives: it may have other work, for however long that takes.
    fn heard(&mut self) {
        self.over = Instant::now() + self.patience;
    }
}

impl Drop for Appender {
    fn drop(&mut self) {
        // Who wants to know calls `close`. What could not be sealed is sealed when it is opened.
        let _ = self.leave();
    }
}

impl std::fmt::Debug for Appender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Appender")
    }
}

/// What is locked here is whole at every moment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
