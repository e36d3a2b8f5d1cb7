//! Whether the log is whole: entries, tiles, and every checkpoint since the first.

use super::{Fault, Verification, Verifier};
use crate::entry::{self, Entry, State};
use crate::error::JournalError;
use crate::log_view::keys;
use crate::note::{Checkpoint, Note};
use crate::place::{Folder, is_missing};
use crate::tiles::{self, WIDTH};
use crate::tree::{self, Frontier};
use crate::{Hash, hex};

/// What a log says, as far as it could be read.
pub(super) struct Log {
    pub(super) entries: Vec<Entry>,
    pub(super) state: State,
}

pub(super) fn verify(
    verifier: &Verifier,
    root: &Folder,
    report: &mut Verification,
) -> Result<Option<Log>, JournalError> {
    let folder = match root.folder("log") {
        Ok(folder) => folder,
        Err(error) if is_missing(&error) => {
            return Err(JournalError::Missing { path: root.path().to_owned() });
        }
        Err(error) => return Err(error),
    };
    let mut work = Work { folder, report, leaves: Vec::new(), entries: Vec::new() };
    let size = work.size();
    work.read_entries(size);
    work.compare_tiles();
    let roots = work.check_checkpoints(size);
    work.check_given(verifier, &roots);
    work.report.key = keys(&work.entries, 1).map(|(_, epoch)| epoch);
    let differs = |expected| work.report.key.as_ref().is_some_and(|found| found != expected);
    if verifier.key.as_ref().is_some_and(differs) {
        work.report.find("entry 0", Fault::Rewritten, "the journal begins with another key");
    }
    Ok(work.state().map(|state| Log { entries: work.entries, state }))
}

struct Work<'r> {
    folder: Folder,
    report: &'r mut Verification,
    leaves: Vec<Hash>,
    /// Up to the first that is malformed.
    entries: Vec<Entry>,
}

impl Work<'_> {
    /// How many entries there should be.
    fn size(&mut self) -> u64 {
        let note = self.report.read(&self.folder, "checkpoint", "log/checkpoint");
        let newest = note.as_ref().and_then(|note| Checkpoint::of(&Note::parse(note)?));
        if note.is_some() && newest.is_none() {
            self.report.find("log/checkpoint", Fault::Altered, "it is no checkpoint");
        }
        let names = self.folder.folder("checkpoints").and_then(|folder| folder.names());
        let numbers = names.unwrap_or_default().into_iter().filter_map(|name| name.parse().ok());
        let last = numbers.max().unwrap_or(0);
        let size = newest.as_ref().map_or(last, |newest| newest.size);
        if size < last {
            self.report.find(
                "log/checkpoint",
                Fault::RolledBack,
                format!("it covers {size} entries, and there is a checkpoint of {last}"),
            );
        }
        self.report.checkpoint = newest;
        // More than there can be is a checkpoint that was altered; it is found below.
        size.max(last).min(last + 1)
    }

    fn read_entries(&mut self, size: u64) {
        let tiles = match self.folder.folder("tile") {
            Ok(tiles) => tiles,
            Err(error) => return self.report.find("log/tile", Fault::Missing, error.to_string()),
        };
        let mut malformed = false;
        for number in 0..size.div_ceil(WIDTH) {
            let width = (size - number * WIDTH).min(WIDTH);
            let path = tiles::path("entries", number, width);
            let place = format!("log/tile/{path}");
            let bytes = match tiles::read(&tiles, &path) {
                Ok(Some(bytes)) => bytes,
                Ok(None) => {
                    return self.report.find(place, Fault::Missing, "the entries are not there");
                }
                Err(error) => return self.report.find(place, Fault::Altered, error.to_string()),
            };
            let Some(bundle) = tiles::bundle(&bytes) else {
                return self.report.find(place, Fault::Cut, "its last entry is not whole");
            };
            if bundle.len() as u64 != width {
                let what = format!("it holds {} entries, and should hold {width}", bundle.len());
                let less = (bundle.len() as u64) < width;
                self.report.find(place, if less { Fault::Cut } else { Fault::Unexpected }, what);
            }
            for bytes in bundle {
                match entry::parse(bytes).filter(|_| !malformed) {
                    Some(entry) => self.entries.push(entry),
                    None if malformed => {}
                    None => {
                        malformed = true;
                        let place = format!("entry {}", self.leaves.len());
                        self.report.find(place, Fault::Altered, "it is malformed");
                    }
                }
                self.leaves.push(tree::leaf(bytes));
            }
        }
    }

    /// Compares the tiles of hashes with those that the entries give.
    fn compare_tiles(&mut self) {
        let Ok(tiles) = self.folder.folder("tile") else { return };
        let mut hashes = self.leaves.clone();
        for level in 0.. {
            if hashes.is_empty() {
                break;
            }
            for (number, tile) in (0..).zip(hashes.chunks(usize::try_from(WIDTH).unwrap_or(256))) {
                let path = tiles::path(&level.to_string(), number, tile.len() as u64);
                let place = format!("log/tile/{path}");
                match tiles::read(&tiles, &path) {
                    Ok(Some(bytes)) if bytes == tile.as_flattened() => {}
                    Ok(Some(bytes)) => {
                        let differs = bytes.chunks(32).zip(tile).take_while(|(a, b)| *a == *b);
                        let at = number * WIDTH + differs.count() as u64;
                        let what = format!("hash {at} is not that of what is below it");
                        self.report.find(place, Fault::Altered, what);
                    }
                    Ok(None) => self.report.find(place, Fault::Missing, "the file is not there"),
                    Err(error) => self.report.find(place, Fault::Altered, error.to_string()),
                }
            }
            hashes = tiles::next_level(&hashes);
        }
    }

    /// Checks every checkpoint against the entries. The roots that the entries give, by size.
    fn check_checkpoints(&mut self, size: u64) -> Vec<Hash> {
        let mut frontier = Frontier::default();
        let mut roots = vec![frontier.root()];
        for leaf in &self.leaves {
            frontier.push(*leaf);
            roots.push(frontier.root());
        }
        let folder = match self.folder.folder("checkpoints") {
            Ok(folder) => folder,
            Err(error) => {
                self.report.find("log/checkpoints", Fault::Missing, error.to_string());
                return roots;
            }
        };
        // From there on entries and checkpoints tell of different pasts.
        let mut parted = false;
        for number in 1..=size {
            let place = format!("log/checkpoints/{number}");
            let Some(bytes) = self.report.read(&folder, &number.to_string(), &place) else {
                continue;
            };
            if number == size
                && self
                    .folder
                    .read("checkpoint")
                    .is_ok_and(|newest| newest.is_some_and(|newest| newest != bytes))
            {
                let what = format!("it is not the checkpoint of {size} entries that was signed");
                self.report.find("log/checkpoint", Fault::Altered, what);
            }
            let note = Note::parse(&bytes);
            let Some((note, checkpoint)) =
                note.and_then(|note| Checkpoint::of(&note).map(|checkpoint| (note, checkpoint)))
            else {
                self.report.find(place, Fault::Altered, "it is no checkpoint");
                continue;
            };
            if checkpoint.size != number {
                let what = format!("it is the checkpoint of {} entries", checkpoint.size);
                self.report.find(place, Fault::Swapped, what);
                continue;
            }
            let keys = keys(&self.entries, number);
            let signed = keys.as_ref().is_some_and(|(log, epoch)| {
                checkpoint.origin == log.name()
                    && note.is_signed_by(log)
                    && note.is_signed_by(epoch)
            });
            let at = usize::try_from(number).unwrap_or(usize::MAX);
            let follows = roots.get(at).is_some_and(|root| *root == checkpoint.root);
            if parted || (signed && follows) {
                continue;
            }
            if signed || keys.is_none() || !follows {
                parted = true;
                let place = format!("entry {}", number - 1);
                let what = "it is not the one that was signed at its place";
                self.report.find(place, Fault::Altered, what);
            }
            if !signed {
                let what = "it is not signed by the keys of its time";
                self.report.find(place, Fault::Altered, what);
            }
        }
        roots
    }

    /// Compares with checkpoints that were kept elsewhere.
    fn check_given(&mut self, verifier: &Verifier, roots: &[Hash]) {
        let mut witnessed = vec![false; verifier.witnesses.len()];
        for (place, bytes) in &verifier.since {
            let note = Note::parse(bytes);
            let parsed = note.and_then(|note| Checkpoint::of(&note).map(|given| (note, given)));
            let Some((note, given)) = parsed else {
                self.report.find(place, Fault::Altered, "it is no checkpoint");
                continue;
            };
            for (witness, seen) in verifier.witnesses.iter().zip(&mut witnessed) {
                *seen |= note.is_signed_by(witness);
            }
            let at = usize::try_from(given.size).unwrap_or(usize::MAX);
            let Some(root) = roots.get(at) else {
                let (ours, theirs) = (roots.len() - 1, given.size);
                let what = format!("the journal has {ours} entries, and had {theirs}");
                self.report.find(place, Fault::RolledBack, what);
                continue;
            };
            if *root != given.root {
                let what = format!(
                    "the root over {} entries is {}, and was {}",
                    given.size,
                    hex(root),
                    hex(&given.root)
                );
                self.report.find(place, Fault::Rewritten, what);
            } else if !keys(&self.entries, given.size)
                .is_some_and(|(log, epoch)| note.is_signed_by(&log) && note.is_signed_by(&epoch))
            {
                let what = "it is not signed by the keys of this journal";
                self.report.find(place, Fault::Unsigned, what);
            }
        }
        for (witness, _) in verifier.witnesses.iter().zip(witnessed).filter(|(_, seen)| !seen) {
            let what = "it has signed none of the checkpoints that were given";
            self.report.find(format!("witness {}", witness.name()), Fault::Unsigned, what);
        }
    }

    /// What the entries say together.
    fn state(&mut self) -> Option<State> {
        let mut state = State::begin(self.entries.first()?);
        for (number, entry) in self.entries.iter().enumerate().skip(1) {
            if let Err(what) = state.as_mut()?.apply(entry) {
                self.report.find(format!("entry {number}"), Fault::Altered, what);
            }
        }
        state
    }
}
