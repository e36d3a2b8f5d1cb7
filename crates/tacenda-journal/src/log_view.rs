//! The log as it lies on the disk, read and checked against its newest checkpoint.

use ed25519_dalek::VerifyingKey;

use crate::entry::{self, Entry, Event, State};
use crate::error::JournalError;
use crate::log::PENDING;
use crate::note::{Checkpoint, Note, VerifierKey};
use crate::place::Folder;
use crate::tiles::{self, WIDTH};
use crate::{Hash, tree};

/// What the name of the evolving key adds to that of the log.
const EPOCH: &str = "/epoch";

/// The log.
pub(crate) struct LogView {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) note: String,
    pub(crate) entries: Vec<Entry>,
    pub(crate) bytes: Vec<Vec<u8>>,
    pub(crate) leaves: Vec<Hash>,
    pub(crate) state: State,
}

impl LogView {
    /// Reads the log of a journal.
    pub(crate) fn read(root: &Folder) -> Result<Self, JournalError> {
        let folder = match root.folder("log") {
            Ok(folder) => folder,
            Err(error) if crate::place::is_missing(&error) => {
                return Err(JournalError::Missing { path: root.path().to_owned() });
            }
            Err(error) => return Err(error),
        };
        let damaged = |what| JournalError::damaged("log/checkpoint", what);
        let mut before = None;
        let (note, parsed, checkpoint, bytes) = loop {
            let note = folder.read("checkpoint")?;
            let note = note.ok_or(JournalError::Missing { path: root.path().to_owned() })?;
            let parsed = Note::parse(&note).ok_or(damaged("it is no signed note"))?;
            let checkpoint = Checkpoint::of(&parsed).ok_or(damaged("it is no checkpoint"))?;
            if !is_behind(&folder, checkpoint.size)? {
                let (bytes, has_more) = entries(&folder, checkpoint.size)?;
                if !has_more || folder.has(PENDING)? {
                    break (note, parsed, checkpoint, bytes);
                }
            }
            // Whoever writes may have put the newer one in its place just now.
            if before.replace(checkpoint.size) == Some(checkpoint.size) {
                return Err(damaged("the log has more than it covers: it was rolled back"));
            }
        };
        let note = String::from_utf8(note).map_err(|_| damaged("it is no signed note"))?;
        let view = Self::build(checkpoint, note, bytes)?;
        let (log, epoch) = view.keys(view.checkpoint.size);
        if !parsed.is_signed_by(&log) || !parsed.is_signed_by(&epoch) {
            return Err(damaged("it is not signed by the keys of the log"));
        }
        Ok(view)
    }

    /// The log of these entries.
    pub(crate) fn build(
        checkpoint: Checkpoint,
        note: String,
        bytes: Vec<Vec<u8>>,
    ) -> Result<Self, JournalError> {
        let damaged = |number: usize, what| JournalError::damaged(format!("entry {number}"), what);
        let leaves: Vec<Hash> = bytes.iter().map(|bytes| tree::leaf(bytes)).collect();
        if tree::root(&leaves) != checkpoint.root {
            return Err(JournalError::damaged("log", "its entries are not those that were signed"));
        }
        let parsed = bytes.iter().enumerate().map(|(number, bytes)| {
            entry::parse(bytes).ok_or_else(|| damaged(number, "it is malformed"))
        });
        let entries: Vec<Entry> = parsed.collect::<Result<_, _>>()?;
        let begin = entries.first().and_then(State::begin);
        let mut state = begin.ok_or_else(|| damaged(0, "the log does not begin there"))?;
        for (number, entry) in entries.iter().enumerate().skip(1) {
            state.apply(entry).map_err(|what| damaged(number, what))?;
        }
        Ok(Self { checkpoint, note, entries, bytes, leaves, state })
    }

    /// The log with another entry: what stands before it is not read again.
    pub(crate) fn grow(
        &mut self,
        checkpoint: Checkpoint,
        note: String,
        bytes: Vec<u8>,
    ) -> Result<(), JournalError> {
        let damaged = |what| JournalError::damaged(format!("entry {}", self.entries.len()), what);
        let entry = entry::parse(&bytes).ok_or_else(|| damaged("it is malformed"))?;
        self.state.apply(&entry).map_err(damaged)?;
        self.leaves.push(tree::leaf(&bytes));
        self.entries.push(entry);
        self.bytes.push(bytes);
        (self.checkpoint, self.note) = (checkpoint, note);
        Ok(())
    }

    /// The keys that sign the checkpoint of so many entries: that of the log, and that of its epoch.
    pub(crate) fn keys(&self, size: u64) -> (VerifierKey, VerifierKey) {
        keys(&self.entries, size).expect("a log has a first entry, and keys up to the next one")
    }

    /// The key of the checkpoint to come.
    pub(crate) fn next_key(&self) -> VerifyingKey {
        self.keys(self.checkpoint.size + 1).1.key()
    }

    /// The key that was in force when the log had so many entries.
    pub(crate) fn key_after(&self, size: u64) -> Option<VerifierKey> {
        keys(&self.entries, size.checked_add(1)?).map(|(_, epoch)| epoch)
    }
}

/// Whether there is a checkpoint of more entries than these, and none is being added.
fn is_behind(log: &Folder, size: u64) -> Result<bool, JournalError> {
    let names = log.folder("checkpoints")?.names()?;
    let newer = names.iter().filter_map(|name| size_of(name)).any(|other| other > size);
    Ok(newer && !log.has(PENDING)?)
}

/// Of how many entries a checkpoint of this name is.
pub(crate) fn size_of(name: &str) -> Option<u64> {
    name.parse().ok().filter(|size: &u64| size.to_string() == name)
}

/// The keys for the checkpoint of so many entries; `None` when the entries do not say.
pub(crate) fn keys(entries: &[Entry], size: u64) -> Option<(VerifierKey, VerifierKey)> {
    let Event::Begin { origin, first, log, .. } = &entries.first()?.event else { return None };
    let epoch = match usize::try_from(size).ok()?.checked_sub(2) {
        None => first,
        Some(before) => &entries.get(before)?.next,
    };
    Some((VerifierKey::new(origin, *log), VerifierKey::new(&epoch_name(origin), *epoch)))
}

/// The name of the evolving key.
pub(crate) fn epoch_name(origin: &str) -> String {
    format!("{origin}{EPOCH}")
}

/// The first so many entries, and whether they were found among more.
pub(crate) fn entries(folder: &Folder, size: u64) -> Result<(Vec<Vec<u8>>, bool), JournalError> {
    let tiles = folder.folder("tile")?;
    let (mut entries, mut has_more) = (Vec::new(), false);
    for number in 0..size.div_ceil(WIDTH) {
        let width = (size - number * WIDTH).min(WIDTH);
        // Whoever writes may have put a larger one in its place just now.
        let mut found = None;
        for larger in width..=WIDTH {
            found = tiles::read(&tiles, &tiles::path("entries", number, larger))?;
            if found.is_some() {
                has_more |= larger > width;
                break;
            }
        }
        let place = format!("log/tile/{}", tiles::path("entries", number, width));
        let damaged = |what| JournalError::damaged(place.as_str(), what);
        let bytes = found.ok_or_else(|| damaged("it is missing"))?;
        let bundle = tiles::bundle(&bytes).ok_or_else(|| damaged("it is cut"))?;
        let width = usize::try_from(width).expect("a tile has 256 entries");
        let bundle = bundle.get(..width).ok_or_else(|| damaged("it is cut"))?;
        entries.extend(bundle.iter().map(|entry| entry.to_vec()));
    }
    Ok((entries, has_more))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::retain::Hold;
    use crate::support::{Fixture, record};
    use crate::{Cause, Filter};

    #[test]
    fn a_log_that_was_rolled_back_is_not_read() {
        let fixture = Fixture::new();
        (0..3).for_each(|number| fixture.fill(number, number + 1));
        let root = fixture.reader().root.clone();
        let path = |name: &str| fixture.path().join("log").join(name);
        fs::copy(path("checkpoints/2"), path("checkpoint")).unwrap();
        for removed in ["3", "4"] {
            let error = LogView::read(&root).err().map(|error| error.to_string());
            assert!(error.is_some_and(|error| error.contains("rolled back")), "before {removed}");
            fs::remove_file(path("checkpoints").join(removed)).unwrap();
        }
        let error = LogView::read(&root).err().map(|error| error.to_string());
        assert!(error.is_some_and(|error| error.contains("rolled back")), "entries are left");
        // Nothing tells of what was cut off with all that belongs to it.
        let tile = |entries: &[&[u8]]| {
            let written = entries.iter().map(|entry| {
                let length = u16::try_from(entry.len()).unwrap();
                [&length.to_be_bytes(), *entry].concat()
            });
            written.collect::<Vec<_>>().concat()
        };
        let tiles = path("tile/entries/000.p");
        let all = fs::read(tiles.join("4")).unwrap();
        let first = crate::tiles::bundle(&all).unwrap();
        fs::write(tiles.join("2"), tile(&first[..2])).unwrap();
        fs::set_permissions(tiles.join("2"), std::os::unix::fs::PermissionsExt::from_mode(0o600))
            .unwrap();
        assert!(LogView::read(&root).is_ok());
    }

    #[test]
    fn a_log_that_has_grown_is_the_one_that_is_read() {
        let fixture = Fixture::new();
        let journal = fixture.open();
        let cause = Cause { reason: "a test".into(), who: "a test".into() };
        for number in 0..4 {
            journal.append(record(number)).unwrap();
            journal.rotate().unwrap();
        }
        let filter = Filter { numbers: Some((1, 2)), ..Filter::default() };
        journal.erase(&fixture.reader(), &filter, &cause).unwrap();
        journal.hold(Hold { name: "case".into(), times: (0, 1) }, cause.clone()).unwrap();
        journal.set(journal.settings(), cause).unwrap();
        journal
            .with_owner(|owner| {
                let (grown, read) = (owner.log.view(), LogView::read(&owner.root)?);
                assert_eq!((&grown.leaves, &grown.bytes), (&read.leaves, &read.bytes));
                assert_eq!((&grown.note, grown.entries.len()), (&read.note, read.entries.len()));
                assert_eq!(format!("{:?}", grown.state), format!("{:?}", read.state));
                assert_eq!(tree::root(&grown.leaves), grown.checkpoint.root);
                Ok(())
            })
            .unwrap();
    }
}
