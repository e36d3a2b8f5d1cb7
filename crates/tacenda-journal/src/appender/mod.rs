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
use crate::place::Folder;
use crate::record::Record;
use crate::writer::{Journal, Options, batches};
pub(crate) use busy::Busy;
use client::Client;
use frame::{Reply, Request};
use server::Server;

/// The name of the socket.
const SOCKET: &str = "owner";

/// How long a journal is waited for that is owned by a process that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

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
        appender.find(Some(Instant::now() + PATIENCE))?;
        Ok(appender)
    }

    /// Whether this process owns the journal.
    pub fn is_owner(&self) -> bool {
        matches!(self.state(), State::Owner(server) if server.journal().is_some())
    }

    /// Appends records; the number of the first. They are written, as
    /// [`Durability`](crate::Durability) says, when it returns; until the owner can write them it
    /// waits.
    ///
    /// # Errors
    /// When one of them is not fit: then none is written. When the owner could not write: of several
    /// thousand, some may be written.
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
        let mut pause = SOON;
        loop {
            match self.state() {
                State::Owner(server) => match server.append(batch, None) {
                    Ok(done) => return done,
                    Err(back) => {
                        batch = back;
                        give_way();
                    }
                },
                State::Guest(client) => match lock(&client).call(&Request::Append(&batch)) {
                    Reply::Done(number) => return Ok(Some(number)),
                    Reply::Failed(what) => return Err(JournalError::Owner { what }),
                    Reply::Moved => give_way(),
                    // It does something else, takes no more guests, or is gone.
                    Reply::Busy | Reply::Gone => wait(&self.path, &mut pause, None)?,
                },
                State::Apart => {}
            }
            self.find(None)?;
        }
    }

    /// Seals the active segment, if it has records.
    pub fn rotate(&self) -> Result<(), JournalError> {
        let mut pause = SOON;
        loop {
            match self.state() {
                State::Owner(server) => match server.journal() {
                    Some(journal) => return journal.rotate(),
                    None => give_way(),
                },
                State::Guest(client) => match lock(&client).call(&Request::Rotate) {
                    Reply::Done(_) => return Ok(()),
                    Reply::Failed(what) => return Err(JournalError::Owner { what }),
                    Reply::Moved => give_way(),
                    // It does something else, takes no more guests, or is gone.
                    Reply::Busy | Reply::Gone => wait(&self.path, &mut pause, None)?,
                },
                State::Apart => {}
            }
            self.find(None)?;
        }
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

    /// Becomes the owner, or finds it; waits for one who does not answer until then, or for good.
    fn find(&self, until: Option<Instant>) -> Result<(), JournalError> {
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
        let mut pause = SOON;
        loop {
            match Journal::open(&self.path, &self.options) {
                Ok(journal) => {
                    *state = State::Owner(Server::start(journal, &self.folder()?));
                    return Ok(());
                }
                Err(JournalError::InUse { .. }) => {}
                Err(error) => return Err(error),
            }
            if let Some(client) = Client::connect(&self.folder()?) {
                *state = State::Guest(Arc::new(Mutex::new(client)));
                return Ok(());
            }
            wait(&self.path, &mut pause, until)?;
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
        let (until, mut pause) = (Instant::now() + PATIENCE, SOON);
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
            match Client::connect(&folder).map(|mut owner| owner.call(&Request::HandOver)) {
                // It is free, unless somebody was quicker.
                Some(Reply::Done(_) | Reply::Moved) => pause = SOON,
                Some(Reply::Busy | Reply::Failed(_) | Reply::Gone) | None => {}
            }
            wait(path, &mut pause, Some(until))?;
        }
    }
}

/// Somebody has asked for the journal.
fn give_way() {
    sleep(HEAD_START);
}

/// Waits a while, each time a little longer.
fn wait(path: &Path, pause: &mut Duration, until: Option<Instant>) -> Result<(), JournalError> {
    if until.is_some_and(|until| until <= Instant::now()) {
        return Err(JournalError::InUse { path: path.to_owned() });
    }
    sleep(*pause);
    *pause = (*pause * 2).min(LATER);
    Ok(())
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
