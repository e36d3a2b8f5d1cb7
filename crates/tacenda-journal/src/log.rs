//! The log as its owner writes it: entry by entry, each under a key of its own.
//!
//! The key that signs the checkpoint of `n` entries is announced in the entry before and destroyed
//! with the signature, so that whoever takes the machine over cannot sign the past anew. An entry
//! and its checkpoint become part of the log at one moment, when the file `log/pending` appears;
//! what follows can be done over, and is, when the log is opened after a crash.

use ed25519_dalek::SigningKey;

use crate::entry::{Entry, Event, LONGEST};
use crate::error::JournalError;
use crate::keys::{Seed, fresh};
use crate::log_view::{LogView, epoch_name, keys};
use crate::note::{Checkpoint, VerifierKey};
use crate::place::{Folder, Kind, SHORT};
use crate::settings::Settings;
use crate::tiles::{self, WIDTH};
use crate::{Hash, hex, tree};

pub(crate) const PENDING: &str = "pending";
/// What it has at most: an entry after its length, and a note.
pub(crate) const LONGEST_PENDING: u64 = 2 + LONGEST as u64 + SHORT;

/// The log.
pub(crate) struct Log {
    folder: Folder,
    keys: Folder,
    view: LogView,
    signing: SigningKey,
    witnessed: SigningKey,
}

impl Log {
    /// Makes the log of a journal, with its first entry.
    pub(crate) fn create(
        root: &Folder,
        settings: Settings,
        time: i64,
    ) -> Result<Self, JournalError> {
        let (folder, keys) = (root.make("log")?, root.make("keys")?);
        folder.make("tile")?;
        folder.make("checkpoints")?;
        for name in ["signing", "log"] {
            keys.replace(name, fresh().as_slice())?;
        }
        let (signing, witnessed) = (load(&keys, "signing")?, load(&keys, "log")?);
        let origin = format!("tacenda.journal/{}", hex(&fresh()[..8]));
        let event = Event::Begin {
            origin: origin.clone(),
            first: signing.verifying_key(),
            log: witnessed.verifying_key(),
            settings,
        };
        let writing = Writing { folder: &folder, keys: &keys };
        writing.append(&origin, &[], &[], (&witnessed, &signing), time, event)?;
        Self::open(root)
    }

    /// Opens it to write. What was begun before a crash is completed.
    pub(crate) fn open(root: &Folder) -> Result<Self, JournalError> {
        let (folder, keys) = (root.folder("log")?, root.folder("keys")?);
        let writing = Writing { folder: &folder, keys: &keys };
        // What would be in the way of an entry is named before there are records for it.
        let new = [(&folder, "pending.new"), (&folder, "checkpoint.new"), (&keys, "next.new")];
        for (folder, name) in new {
            folder.stranger(name, Kind::File).map_or(Ok(()), Err)?;
        }
        writing.complete()?;
        // Made for an entry that was not to be.
        keys.shred("next")?;
        let view = LogView::read(root)?;
        let (signing, witnessed) = (load(&keys, "signing")?, load(&keys, "log")?);
        if signing.verifying_key() != view.next_key() {
            return Err(JournalError::damaged(
                "keys/signing",
                "the log does not announce this key: one of them was replaced or cut",
            ));
        }
        if witnessed.verifying_key() != view.keys(view.checkpoint.size).0.key() {
            // What it signs would be no part of the log, and lock the journal for good.
            let what = "it is not the key that the log began with: it was replaced";
            return Err(JournalError::damaged("keys/log", what));
        }
        Ok(Self { folder, keys, view, signing, witnessed })
    }

    /// Adds an entry, signs the log with it, and destroys the key.
    pub(crate) fn append(&mut self, time: i64, event: Event) -> Result<(), JournalError> {
        let writing = Writing { folder: &self.folder, keys: &self.keys };
        let origin = &self.view.checkpoint.origin;
        let keys = (&self.witnessed, &self.signing);
        let (bytes, leaves) = (&self.view.bytes, &self.view.leaves);
        let (checkpoint, note, entry) = writing.append(origin, bytes, leaves, keys, time, event)?;
        self.view.grow(checkpoint, note, entry)?;
        self.signing = load(&self.keys, "signing")?;
        Ok(())
    }

    /// What it says.
    pub(crate) fn view(&self) -> &LogView {
        &self.view
    }

    /// The key of the checkpoint to come.
    pub(crate) fn signing(&self) -> &SigningKey {
        &self.signing
    }
}

struct Writing<'f> {
    folder: &'f Folder,
    keys: &'f Folder,
}

impl Writing<'_> {
    fn append(
        &self,
        origin: &str,
        before: &[Vec<u8>],
        leaves: &[Hash],
        (log, epoch): (&SigningKey, &SigningKey),
        time: i64,
        event: Event,
    ) -> Result<(Checkpoint, String, Vec<u8>), JournalError> {
        let seed: Seed = fresh();
        self.keys.shred("next")?;
        self.keys.replace("next", seed.as_slice())?;
        let next = SigningKey::from_bytes(&seed).verifying_key();
        let entry = Entry { time, next, event }.to_bytes();
        if entry.len() > LONGEST {
            let what = "an entry of the log would be longer than 64 KiB: name fewer at once";
            return Err(JournalError::BadSetting { what: what.to_owned() });
        }
        let leaves = [leaves, &[tree::leaf(&entry)]].concat();
        let checkpoint = Checkpoint {
            origin: origin.to_owned(),
            size: leaves.len() as u64,
            root: tree::root(&leaves),
        };
        let note = checkpoint.sign(&[(origin, log), (&epoch_name(origin), epoch)]);
        let length = u16::try_from(entry.len()).expect("just checked").to_be_bytes();
        self.folder.replace(PENDING, &[&length, entry.as_slice(), note.as_bytes()].concat())?;
        self.apply(before, &leaves, &entry, &note)?;
        Ok((checkpoint, note, entry))
    }

    /// Makes an entry part of the log. Every step can be done over.
    fn apply(
        &self,
        before: &[Vec<u8>],
        leaves: &[Hash],
        entry: &[u8],
        note: &str,
    ) -> Result<(), JournalError> {
        let start = (leaves.len() as u64 - 1) / WIDTH * WIDTH;
        let start = usize::try_from(start).expect("it is in memory");
        let mut last = before[start..].to_vec();
        last.push(entry.to_vec());
        tiles::write(&self.folder.folder("tile")?, leaves, &last)?;
        let checkpoints = self.folder.folder("checkpoints")?;
        checkpoints.replace(&leaves.len().to_string(), note.as_bytes())?;
        self.folder.replace("checkpoint", note.as_bytes())?;
        if self.keys.read("next")?.is_some() {
            self.keys.shred("signing")?;
            self.keys.rename("next", self.keys, "signing")?;
        }
        self.folder.discard(PENDING)
    }

    /// Completes what a crash has left.
    fn complete(&self) -> Result<(), JournalError> {
        let damaged = |what| JournalError::damaged("log/pending", what);
        let Some(pending) = self.folder.read_to(PENDING, LONGEST_PENDING)? else { return Ok(()) };
        let (entry, note) = split_pending(&pending).ok_or(damaged("it is cut"))?;
        let note = std::str::from_utf8(note).map_err(|_| damaged("it holds no note"))?;
        let parsed = crate::note::Note::parse(note.as_bytes());
        let checkpoint = parsed.as_ref().and_then(Checkpoint::of);
        let checkpoint = checkpoint.ok_or(damaged("it holds no checkpoint"))?;
        let size = checkpoint.size.checked_sub(1).ok_or(damaged("it holds no checkpoint"))?;
        let (before, _) = crate::log_view::entries(self.folder, size)?;
        let mut leaves: Vec<Hash> = before.iter().map(|entry| tree::leaf(entry)).collect();
        leaves.push(tree::leaf(entry));
        if tree::root(&leaves) != checkpoint.root {
            return Err(damaged("it does not follow the log"));
        }
        // With what is not signed the log would be locked for good, and the key that signs be gone.
        let last = before.iter().map(Vec::as_slice).chain([entry]);
        let entries: Option<Vec<Entry>> = last.map(crate::entry::parse).collect();
        let keys = entries.and_then(|entries| keys(&entries, checkpoint.size));
        let signed = |(log, epoch): (VerifierKey, VerifierKey)| {
            parsed.as_ref().is_some_and(|note| note.is_signed_by(&log) && note.is_signed_by(&epoch))
        };
        if !keys.is_some_and(signed) {
            return Err(damaged("it is not signed by the keys of the log"));
        }
        self.apply(&before, &leaves, entry, note)
    }
}

/// The entry that is being added, and the note that covers it.
pub(crate) fn split_pending(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

fn load(keys: &Folder, name: &str) -> Result<SigningKey, JournalError> {
    let damaged = |what| JournalError::damaged(format!("keys/{name}"), what);
    let seed = keys.read(name)?.map(zeroize::Zeroizing::new).ok_or(damaged("it is missing"))?;
    let seed = seed.as_slice().try_into().map_err(|_| damaged("it is no key"))?;
    Ok(SigningKey::from_bytes(seed))
}
