//! What stands between the server and the scanner: changes go in when nobody has typed for a while,
//! and findings come out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tacenda_scan::Report;
use tacenda_scan::workspace::{Change, Client};

use super::wire::Event;

/// Who types on and on is told after so many delays.
const PATIENCE: u32 = 5;

/// A text that is another now.
#[derive(Debug)]
pub(super) struct Edited {
    pub(super) path: PathBuf,
    /// Its text and edition; nothing for a file that no editor has open.
    pub(super) open: Option<(String, u64)>,
}

/// The files that are open.
pub(super) type Open = Arc<Mutex<BTreeSet<PathBuf>>>;

/// Tells the server when the scanner ends, in whatever way: also by a panic.
pub(super) struct Farewell {
    pub(super) events: Sender<Event>,
    /// The number of the scanner.
    pub(super) scanner: u64,
}

impl Drop for Farewell {
    fn drop(&mut self) {
        // A server that is gone needs no answer.
        let _ = self.events.send(Event::Gone(self.scanner));
    }
}

pub(super) struct Worker {
    pub(super) edits: Receiver<Edited>,
    pub(super) events: Sender<Event>,
    pub(super) open: Open,
    pub(super) delay: Duration,
    /// The editions that the scanner has.
    pub(super) editions: HashMap<PathBuf, u64>,
    pub(super) waiting: Option<Edited>,
}

impl Client for Worker {
    fn next(&mut self) -> Option<Vec<Change>> {
        let first = match self.waiting.take() {
            Some(edited) => edited,
            None => self.edits.recv().ok()?,
        };
        let mut newest = BTreeMap::from([(first.path, first.open)]);
        let latest = Instant::now() + self.delay * PATIENCE;
        loop {
            let left = latest.saturating_duration_since(Instant::now()).min(self.delay);
            match self.edits.recv_timeout(left) {
                Ok(edited) => {
                    newest.insert(edited.path, edited.open);
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let change = |(path, open): (PathBuf, Option<(String, u64)>)| {
            let text = open.map(|(text, edition)| {
                self.editions.insert(path.clone(), edition);
                text
            });
            Change { path, text }
        };
        Some(newest.into_iter().map(change).collect())
    }

    fn is_waiting(&mut self) -> bool {
        if self.waiting.is_none() {
            self.waiting = self.edits.try_recv().ok();
        }
        self.waiting.is_some()
    }

    fn watched(&mut self) -> Vec<PathBuf> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().cloned().collect()
    }

    fn tell(&mut self, path: &Path, report: Report) {
        let Some(edition) = self.editions.get(path) else { return };
        let told =
            Event::Told { path: path.to_owned(), edition: *edition, report: Box::new(report) };
        // A server that is gone needs no answer.
        let _ = self.events.send(told);
    }
}
