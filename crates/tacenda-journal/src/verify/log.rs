//! Whether the log is whole: entries, tiles, and every checkpoint since the first.

use std::collections::BTreeSet;

use super::{Fault, Sight, Verification, Verifier};
use crate::entry::{self, Entry, State};
use crate::error::JournalError;
use crate::log::{LONGEST_PENDING, PENDING, split_pending};
use crate::log_view::{keys, size_of};
use crate::note::{Checkpoint, Note};
use crate::place::{Folder, is_missing};
use crate::tiles::{self, WIDTH};
use crate::tree::{self, Frontier};
use crate::witness::{self, Witnessed};
use crate::{Hash, hex};

/// A log, as far as it could be read.
pub(super) struct Log {
    folder: Folder,
    /// The newest checkpoint, as it was read.
    newest: Option<Vec<u8>>,
    /// How many entries there should be.
    size: u64,
    /// What a crash, or a writer at this moment, has not completed: it is part of the log.
    pending: Option<Pending>,
    witnessed: Result<Vec<(String, Option<Witnessed>)>, JournalError>,
    leaves: Vec<Hash>,
    /// Up to the first that is malformed.
    pub(super) entries: Vec<Entry>,
    /// What they say together.
    pub(super) state: Option<State>,
}

struct Pending {
    /// Entries of the log with it.
    size: u64,
    entry: Vec<u8>,
    note: Vec<u8>,
}

impl Pending {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (entry, note) = split_pending(bytes)?;
        let size = Checkpoint::of(&Note::parse(note)?)?.size;
        Some(Self { size, entry: entry.to_vec(), note: note.to_vec() })
    }
}

impl Log {
    /// Reads entries and tiles, which a writer puts others in the place of, and says what is wrong with
    /// them. Checkpoints stay: they are looked at later.
    pub(super) fn read(root: &Folder, report: &mut Verification) -> Result<Self, JournalError> {
        let folder = match root.folder("log") {
            Ok(folder) => folder,
            Err(error) if is_missing(&error) => {
                return Err(JournalError::Missing { path: root.path().to_owned() });
            }
            Err(error) => return Err(error),
        };
        // No witness has signed more than there is from here on.
        let witnessed = witness::kept(&folder);
        let mut log = Self {
            folder,
            newest: None,
            size: 0,
            pending: None,
            witnessed,
            leaves: Vec::new(),
            entries: Vec::new(),
            state: None,
        };
        log.size = log.find_size(report);
        log.read_entries(report);
        log.compare_tiles(report);
        log.state = log.add_up(report);
        if log.state.is_none() {
            // Nothing says what segments there should be: a log like that is never whole.
            report.find("entry 0", Fault::Missing, "the log does not begin there");
        }
        Ok(log)
    }

    /// Checks every checkpoint, and compares with those that were kept elsewhere.
    pub(super) fn check(&self, verifier: &Verifier, report: &mut Verification) {
        let roots = self.check_checkpoints(report);
        self.check_given(verifier, &roots, report);
        report.key = keys(&self.entries, 1).map(|(_, epoch)| epoch);
        let differs = |expected| report.key.as_ref() != Some(expected);
        if verifier.key.as_ref().is_some_and(differs) {
            report.find("entry 0", Fault::Rewritten, "the journal begins with another key");
        }
    }

    fn find_size(&mut self, report: &mut Verification) -> u64 {
        let note = report.read(&self.folder, "checkpoint", "log/checkpoint");
        let newest = note.as_ref().and_then(|note| Checkpoint::of(&Note::parse(note)?));
        if note.is_some() && newest.is_none() {
            report.find("log/checkpoint", Fault::Altered, "it is no checkpoint");
        }
        let last = self.numbers().last().copied().unwrap_or(0);
        self.newest = note;
        self.pending = newest.as_ref().and_then(|newest| self.pending(newest.size, report));
        let size = newest.as_ref().map_or(last, |newest| newest.size);
        let size = self.pending.as_ref().map_or(size, |pending| pending.size);
        let last = last.max(self.pending.as_ref().map_or(0, |pending| pending.size));
        if size == 0 {
            report.find("log/checkpoint", Fault::RolledBack, "it covers no entry");
        }
        if size < last {
            report.find(
                "log/checkpoint",
                Fault::RolledBack,
                format!("it covers {size} entries, and there is a checkpoint of {last}"),
            );
        }
        report.checkpoint = newest;
        // More than there can be is a checkpoint that was altered; it is found below.
        size.max(last).min(last.saturating_add(1))
    }

    /// The entry that is being added to a log of so many, if its tiles and checkpoint may lack.
    fn pending(&self, newest: u64, report: &mut Verification) -> Option<Pending> {
        let bytes = match self.folder.read_to(PENDING, LONGEST_PENDING) {
            Ok(bytes) => bytes?,
            Err(error) => {
                report.find("log/pending", Fault::Altered, error.to_string());
                return None;
            }
        };
        match Pending::parse(&bytes) {
            Some(pending) if Some(pending.size) == newest.checked_add(1) => Some(pending),
            // Nothing lacks but its removal.
            Some(pending) if pending.size == newest => None,
            _ => {
                report.find("log/pending", Fault::Altered, "it does not follow the log");
                None
            }
        }
    }

    /// How many entries there should be.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The sizes that there are checkpoints of.
    fn numbers(&self) -> BTreeSet<u64> {
        let names = self.folder.folder("checkpoints").and_then(|folder| folder.names());
        names.unwrap_or_default().iter().filter_map(|name| size_of(name)).collect()
    }

    fn read_entries(&mut self, report: &mut Verification) {
        let tiles = match self.folder.folder("tile") {
            Ok(tiles) => tiles,
            Err(error) => return report.find("log/tile", Fault::Missing, error.to_string()),
        };
        let pending = self.pending.is_some();
        let stored = self.size - u64::from(pending);
        let mut malformed = false;
        for number in 0..stored.div_ceil(WIDTH) {
            let width = (stored - number * WIDTH).min(WIDTH);
            let path = tiles::path("entries", number, width);
            let place = format!("log/tile/{path}");
            let mut read = tiles::read(&tiles, &path);
            if pending && matches!(read, Ok(None)) {
                read = tiles::read(&tiles, &tiles::path("entries", number, width + 1));
            }
            let bytes = match read {
                Ok(Some(bytes)) => bytes,
                Ok(None) => {
                    return report.find(place, Fault::Missing, "the entries are not there");
                }
                Err(error) => return report.find(place, Fault::Altered, error.to_string()),
            };
            let Some(mut bundle) = tiles::bundle(&bytes) else {
                return report.find(place, Fault::Cut, "its last entry is not whole");
            };
            if pending && bundle.len() as u64 == width + 1 {
                bundle.pop();
            }
            if bundle.len() as u64 != width {
                let what = format!("it holds {} entries, and should hold {width}", bundle.len());
                let less = (bundle.len() as u64) < width;
                report.find(place, if less { Fault::Cut } else { Fault::Unexpected }, what);
            }
            for bytes in bundle {
                self.push(bytes, &mut malformed, report);
            }
        }
        if let Some(pending) = &self.pending {
            let entry = pending.entry.clone();
            self.push(&entry, &mut malformed, report);
        }
    }

    fn push(&mut self, bytes: &[u8], malformed: &mut bool, report: &mut Verification) {
        match entry::parse(bytes).filter(|_| !*malformed) {
            Some(entry) => self.entries.push(entry),
            None if *malformed => {}
            None => {
                *malformed = true;
                let place = format!("entry {}", self.leaves.len());
                report.find(place, Fault::Altered, "it is malformed");
            }
        }
        self.leaves.push(tree::leaf(bytes));
    }

    /// Compares the tiles of hashes with those that the entries give.
    fn compare_tiles(&self, report: &mut Verification) {
        let Ok(tiles) = self.folder.folder("tile") else { return };
        let mut hashes = self.leaves.clone();
        // Whether the entry that is being added changes the last tile of the level.
        let mut grows = self.pending.is_some();
        for level in 0_u64.. {
            if hashes.is_empty() {
                break;
            }
            let last = (hashes.len() as u64 - 1) / WIDTH;
            for (number, tile) in (0..).zip(hashes.chunks(usize::try_from(WIDTH).unwrap_or(256))) {
                let path = tiles::path(&level.to_string(), number, tile.len() as u64);
                let place = format!("log/tile/{path}");
                let before = &tile[..tile.len() - 1];
                if grows && number == last && is_tile(&tiles, level, number, before) {
                    continue;
                }
                match tiles::read(&tiles, &path) {
                    Ok(Some(bytes)) if bytes == tile.as_flattened() => {}
                    Ok(Some(bytes)) => {
                        let differs = bytes.chunks(32).zip(tile).take_while(|(a, b)| *a == *b);
                        let at = number * WIDTH + differs.count() as u64;
                        let what = format!("hash {at} is not that of what is below it");
                        report.find(place, Fault::Altered, what);
                    }
                    Ok(None) => report.find(place, Fault::Missing, "the file is not there"),
                    Err(error) => report.find(place, Fault::Altered, error.to_string()),
                }
            }
            grows &= (hashes.len() as u64).is_multiple_of(WIDTH);
            hashes = tiles::next_level(&hashes);
        }
    }

    /// Checks every checkpoint against the entries. The roots that the entries give, by size.
    fn check_checkpoints(&self, report: &mut Verification) -> Vec<Hash> {
        let mut frontier = Frontier::default();
        let mut roots = vec![frontier.root()];
        for leaf in &self.leaves {
            frontier.push(*leaf);
            roots.push(frontier.root());
        }
        let folder = match self.folder.folder("checkpoints") {
            Ok(folder) => folder,
            Err(error) => {
                report.find("log/checkpoints", Fault::Missing, error.to_string());
                return roots;
            }
        };
        let mut present = self.numbers();
        present.extend(self.pending.as_ref().map(|pending| pending.size));
        let size = self.size;
        let newest = report.checkpoint.as_ref().map_or(size, |newest| newest.size);
        self.find_gaps(&present, report);
        // From there on entries and checkpoints tell of different pasts.
        let mut parted = false;
        for number in present.into_iter().filter(|number| (1..=size).contains(number)) {
            let place = format!("log/checkpoints/{number}");
            let coming = self.pending.as_ref().filter(|pending| pending.size == number);
            let read = folder.read(&number.to_string());
            let bytes = match (coming, read) {
                (Some(pending), Ok(None)) => Some(pending.note.clone()),
                _ => report.read(&folder, &number.to_string(), &place),
            };
            let Some(bytes) = bytes else { continue };
            if number == newest && self.newest.as_ref().is_some_and(|newest| *newest != bytes) {
                let what = format!("it is not the checkpoint of {newest} entries that was signed");
                report.find("log/checkpoint", Fault::Altered, what);
            }
            let note = Note::parse(&bytes);
            let Some((note, checkpoint)) =
                note.and_then(|note| Checkpoint::of(&note).map(|checkpoint| (note, checkpoint)))
            else {
                report.find(place, Fault::Altered, "it is no checkpoint");
                continue;
            };
            if checkpoint.size != number {
                let what = format!("it is the checkpoint of {} entries", checkpoint.size);
                report.find(place, Fault::Swapped, what);
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
                report.find(place, Fault::Altered, what);
            }
            if !signed {
                let what = "it is not signed by the keys of its time";
                report.find(place, Fault::Altered, what);
            }
        }
        roots
    }

    /// Finds the checkpoints that are not there: each gap once, however wide a name makes it.
    fn find_gaps(&self, present: &BTreeSet<u64>, report: &mut Verification) {
        let mut next = 1;
        for number in present.iter().copied().chain([self.size.saturating_add(1)]) {
            if number > next {
                let what = match number - next {
                    1 => "the file is not there".to_owned(),
                    count => format!("neither this file is there nor the {} after it", count - 1),
                };
                report.find(format!("log/checkpoints/{next}"), Fault::Missing, what);
            }
            next = next.max(number.saturating_add(1));
        }
    }

    /// Compares with checkpoints that were kept elsewhere, and with those that witnesses have signed.
    fn check_given(&self, verifier: &Verifier, roots: &[Hash], report: &mut Verification) {
        let mut given = Vec::new();
        for (place, bytes) in &verifier.since {
            let note = Note::parse(bytes);
            match note.and_then(|note| Checkpoint::of(&note).map(|given| (note, given))) {
                Some((note, checkpoint)) => given.push((place.clone(), note, checkpoint)),
                None => report.find(place, Fault::Altered, "it is no checkpoint"),
            }
        }
        let place = |file: &str| format!("log/{}/{file}", witness::FOLDER);
        match &self.witnessed {
            Ok(kept) => {
                for (file, witnessed) in kept {
                    let Some(one) = witnessed else {
                        let what = "it is not what a witness has signed";
                        report.find(place(file), Fault::Altered, what);
                        continue;
                    };
                    given.push((place(file), one.note.clone(), one.checkpoint.clone()));
                }
            }
            Err(error) => report.find(place(""), Fault::Altered, error.to_string()),
        }
        for witness in &verifier.witnesses {
            let signed = given.iter().filter(|(_, note, _)| note.is_signed_by(witness));
            let Some((_, note, newest)) = signed.max_by_key(|(_, _, checkpoint)| checkpoint.size)
            else {
                let what = "it has signed none of the checkpoints that are there";
                report.find(format!("witness {}", witness.name()), Fault::Unsigned, what);
                continue;
            };
            report.witnessed.push(Sight {
                witness: witness.name().to_owned(),
                entries: newest.size,
                time: note.time_by(witness),
            });
        }
        for (place, note, checkpoint) in given {
            self.compare(&place, &note, &checkpoint, roots, report);
        }
    }

    /// Whether the log begins with that of a checkpoint, and the keys of its time have signed it.
    fn compare(
        &self,
        place: &str,
        note: &Note,
        given: &Checkpoint,
        roots: &[Hash],
        report: &mut Verification,
    ) {
        let at = usize::try_from(given.size).unwrap_or(usize::MAX);
        let Some(root) = roots.get(at) else {
            let (ours, theirs) = (roots.len() - 1, given.size);
            let what = format!("the journal has {ours} entries, and had {theirs}");
            return report.find(place, Fault::RolledBack, what);
        };
        // As anyone can who has two checkpoints and no journal.
        let newest = (self.leaves.len() as u64, roots[self.leaves.len()]);
        let proof = tree::consistency(&self.leaves, at);
        if !tree::is_consistent((given.size, given.root), newest, &proof) {
            let (ours, theirs) = (hex(root), hex(&given.root));
            let what = format!("the root over {} entries is {ours}, and was {theirs}", given.size);
            return report.find(place, Fault::Rewritten, what);
        }
        let keys = keys(&self.entries, given.size);
        if !keys.is_some_and(|(log, epoch)| note.is_signed_by(&log) && note.is_signed_by(&epoch)) {
            let what = "it is not signed by the keys of this journal";
            report.find(place, Fault::Unsigned, what);
        }
    }

    /// What the entries say together.
    fn add_up(&self, report: &mut Verification) -> Option<State> {
        let mut state = State::begin(self.entries.first()?);
        for (number, entry) in self.entries.iter().enumerate().skip(1) {
            if let Err(what) = state.as_mut()?.apply(entry) {
                report.find(format!("entry {number}"), Fault::Altered, what);
            }
        }
        state
    }
}

/// Whether a tile holds these hashes; without any, whether it is not there.
fn is_tile(tiles: &Folder, level: u64, number: u64, hashes: &[Hash]) -> bool {
    let path = |width| tiles::path(&level.to_string(), number, width);
    if hashes.is_empty() {
        return matches!(tiles::read(tiles, &path(1)), Ok(None));
    }
    let read = tiles::read(tiles, &path(hashes.len() as u64));
    read.is_ok_and(|bytes| bytes.is_some_and(|bytes| bytes == hashes.as_flattened()))
}
