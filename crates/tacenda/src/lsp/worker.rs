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
    /// Its text and version; nothing for a file that no editor has open.
    pub(super) open: Option<(String, i32)>,
}

/// The files that are open.
pub(super) type Open = Arc<Mutex<BTreeSet<PathBuf>>>;

pub(super) struct Worker {
    pub(super) edits: Receiver<Edited>,
    pub(super) events: Sender<Event>,
    pub(super) open: Open,
    pub(super) delay: Duration,
    /// The versions that the scanner has.
    pub(super) versions: HashMap<PathBuf, i32>,
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
        let change = |(path, open): (PathBuf, Option<(String, i32)>)| {
            let text = open.map(|(text, version)| {
                self.versions.insert(path.clone(), version);
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
        let Some(version) = self.versions.get(path) else { return };
        let told =
            Event::Told { path: path.to_owned(), version: *version, report: Box::new(report) };
        // A server that is gone needs no answer.
        let _ = self.events.send(told);
    }
}
