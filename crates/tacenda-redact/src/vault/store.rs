//! The store of the vault: one file, sealed values in it, each under the key of its subject.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use hmac::Mac as _;
use redb::{
    Database, MultimapTableDefinition, ReadableDatabase as _, ReadableTable as _,
    ReadableTableMetadata as _, TableDefinition, WriteTransaction,
};
use rustix::fs::FlockOperation;
use zeroize::Zeroizing;

use super::record::{Chain, Event};
use super::spool::{Entry, HEADER, MAGIC, frames};
use super::{VaultError, directory, seal};
use crate::secret::Secret;
use crate::{Canonical, KeyRing, timestamp};

type Subject = [u8; 16];

const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
/// The key of a subject, wrapped.
const SUBJECTS: TableDefinition<'_, &Subject, &[u8]> = TableDefinition::new("subjects");
/// Of a token: the subject, the length of the form, the form, the sealed value.
const TOKENS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("tokens");
const TOKENS_OF: MultimapTableDefinition<'_, &Subject, &str> =
    MultimapTableDefinition::new("tokens of subjects");
/// When a subject was forgotten: its values are not taken in again.
const FORGOTTEN: TableDefinition<'_, &Subject, u64> = TableDefinition::new("forgotten");
const RECORD: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("record");

const FILE: &str = "vault.redb";
const NEW_FILE: &str = "vault.redb.new";
const SUBJECT_KEY: &str = "subject key";

/// The opened vault. Nobody else has it open.
#[derive(Debug)]
pub struct Vault {
    folder: PathBuf,
    environment: String,
    ring: KeyRing,
    store: Database,
    /// Names subjects: a keyed hash of their values.
    subjects: Secret,
    _lock: File,
}

/// What came in from the spool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Tokens that are new.
    pub added: u64,
    /// Tokens that were there already.
    pub known: u64,
    /// Values of subjects that were forgotten: not taken in.
    pub forgotten: u64,
    /// Files that could not be read to their end, because they were changed, or sealed for other
    /// keys. They stay.
    pub unreadable: u64,
}

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Subjects whose keys are destroyed.
    pub subjects: u64,
    /// Tokens that stand for nothing any more.
    pub tokens: u64,
}

/// What the vault holds, in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stat {
    /// Values that can be revealed.
    pub tokens: u64,
    /// Subjects that they belong to.
    pub subjects: u64,
    /// Subjects that were forgotten.
    pub forgotten: u64,
    /// Entries of the record.
    pub events: u64,
    /// Files in the spool that are not merged yet.
    pub spooled: u64,
    /// The size of the store, in bytes.
    pub bytes: u64,
    /// The oldest epoch under which a key is wrapped.
    pub oldest_epoch: u32,
}

fn store<E: Into<redb::Error>>(error: E) -> VaultError {
    VaultError::Store(Box::new(error.into()))
}

impl Vault {
    /// Opens the vault in a directory, or makes one where there is none, and takes in what lies in
    /// the spool. Waits for whoever has it open.
    ///
    /// # Errors
    /// When it is not ours alone, is damaged, or was made with other keys.
    pub fn open(
        folder: &Path,
        ring: &KeyRing,
        environment: &str,
    ) -> Result<(Self, Merged), VaultError> {
        directory::private(folder)?;
        let lock = lock(folder)?;
        // Left by one that was killed before it took the place of the other.
        let unfinished = folder.join(NEW_FILE);
        if let Ok(file) = File::options().write(true).open(&unfinished) {
            directory::shred(&unfinished, &file).map_err(directory::unusable(&unfinished))?;
        }
        let path = folder.join(FILE);
        let (store, subjects) = if path.symlink_metadata().is_ok() {
            let file = directory::file(&path)?;
            let store = Database::builder().create_file(file).map_err(store)?;
            let subjects = subject_key(&store, ring, environment)?;
            (store, subjects)
        } else {
            // It takes its name when it is whole: who is killed before that leaves none.
            let file =
                directory::new_file(&unfinished).map_err(directory::unusable(&unfinished))?;
            let store = Database::builder().create_file(file).map_err(store)?;
            let subjects = subject_key(&store, ring, environment)?;
            rename(&unfinished, &path, folder)?;
            (store, subjects)
        };
        let vault = Self {
            folder: folder.to_owned(),
            environment: environment.to_owned(),
            ring: ring.clone(),
            store,
            subjects,
            _lock: lock,
        };
        let merged = vault.merge()?;
        Ok((vault, merged))
    }

    /// Whether there is a vault in the directory, or values that wait for one.
    pub fn exists(folder: &Path) -> bool {
        folder.join(FILE).exists() || folder.join("spool").exists()
    }

    /// Takes in the spool.
    fn merge(&self) -> Result<Merged, VaultError> {
        let mut merged = Merged::default();
        let spool = self.folder.join("spool");
        directory::private(&spool)?;
        let mut paths: Vec<PathBuf> = fs::read_dir(&spool)
            .map_err(directory::unusable(&spool))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "spool"))
            .collect();
        paths.sort();
        for path in paths {
            self.merge_file(&path, &mut merged)?;
        }
        Ok(merged)
    }

    /// Takes in one file. Its writer appends nothing while it is locked, and finds it gone then.
    fn merge_file(&self, path: &Path, merged: &mut Merged) -> Result<(), VaultError> {
        let unusable = directory::unusable(path);
        let file = directory::file(path)?;
        rustix::fs::flock(&file, FlockOperation::LockExclusive)
            .map_err(|error| unusable(error.into()))?;
        let bytes = fs::read(path).map_err(&unusable)?;
        let Some(header) = bytes.get(..HEADER) else {
            // Its process was killed before it wrote a value.
            return directory::shred(path, &file).map_err(unusable);
        };
        let epoch = header.strip_prefix(MAGIC).and_then(|rest| rest.first_chunk::<4>());
        let epoch = epoch.map(|id| u32::from_be_bytes(*id));
        let epoch = self.ring.epochs().iter().find(|one| Some(one.id) == epoch);
        let opener = epoch
            .and_then(|epoch| seal::opener(epoch, &self.environment, &header[MAGIC.len() + 4..]));
        let Some(mut opener) = opener else {
            merged.unreadable += 1;
            return Ok(());
        };
        let mut whole = true;
        let transaction = self.store.begin_write().map_err(store)?;
        for (token, sealed) in frames(&bytes[HEADER..]) {
            let plain = opener.open(sealed, token.as_bytes()).ok().map(Zeroizing::new);
            let Some(entry) = plain.as_ref().and_then(|plain| Entry::parse(plain)) else {
                whole = false;
                break;
            };
            self.take_in(&transaction, token, &entry, merged)?;
        }
        transaction.commit().map_err(store)?;
        if whole {
            return directory::shred(path, &file).map_err(unusable);
        }
        merged.unreadable += 1;
        Ok(())
    }

    fn take_in(
        &self,
        transaction: &WriteTransaction,
        token: &str,
        entry: &Entry<'_>,
        merged: &mut Merged,
    ) -> Result<(), VaultError> {
        let canonical = Canonical { form: entry.form, bytes: entry.canonical.into() };
        let subject = self.subject(&canonical);
        let forgotten = transaction.open_table(FORGOTTEN).map_err(store)?;
        if forgotten.get(&subject).map_err(store)?.is_some() {
            merged.forgotten += 1;
            return Ok(());
        }
        let mut tokens = transaction.open_table(TOKENS).map_err(store)?;
        if tokens.get(token).map_err(store)?.is_some() {
            merged.known += 1;
            return Ok(());
        }
        let mut subjects = transaction.open_table(SUBJECTS).map_err(store)?;
        let present = subjects.get(&subject).map_err(store)?.map(|key| key.value().to_vec());
        let key = if let Some(wrapped) = present {
            self.unwrap(&subject, &wrapped)?
        } else {
            let key = Secret::random();
            subjects.insert(&subject, self.wrap(&subject, &key).as_slice()).map_err(store)?;
            key
        };
        let sealed = seal::seal(&key, &bound(token, entry.form), entry.value);
        let form = u8::try_from(entry.form.len())
            .map_err(|_| VaultError::Damaged { what: "a form in the spool is too long" })?;
        let record = [&subject, [form].as_slice(), entry.form.as_bytes(), &sealed].concat();
        tokens.insert(token, record.as_slice()).map_err(store)?;
        let mut of = transaction.open_multimap_table(TOKENS_OF).map_err(store)?;
        of.insert(&subject, token).map_err(store)?;
        merged.added += 1;
        Ok(())
    }

    /// The value behind a token. That it was asked for is on record before it is given.
    ///
    /// # Errors
    /// [`VaultError::Unknown`] when there is none; that is on record as well.
    pub fn reveal(
        &self,
        token: &str,
        who: &str,
        reason: &str,
    ) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let value = self.value(token);
        let outcome = match &value {
            Ok(_) => "done",
            Err(VaultError::Unknown) => "unknown",
            Err(_) => "failed",
        };
        let transaction = self.store.begin_write().map_err(store)?;
        self.note(&transaction, "reveal", Some(token), who, reason, outcome)?;
        transaction.commit().map_err(store)?;
        value
    }

    fn value(&self, token: &str) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let damaged = VaultError::Damaged { what: "a sealed value was changed" };
        let transaction = self.store.begin_read().map_err(store)?;
        let tokens = transaction.open_table(TOKENS).map_err(store)?;
        let record = tokens.get(token).map_err(store)?.ok_or(VaultError::Unknown)?;
        let Some((subject, form, sealed)) = parts(record.value()) else { return Err(damaged) };
        let subjects = transaction.open_table(SUBJECTS).map_err(store)?;
        let wrapped = subjects.get(&subject).map_err(store)?.ok_or(VaultError::Unknown)?;
        let key = self.unwrap(&subject, wrapped.value())?;
        seal::open(&key, &bound(token, form), sealed).ok_or(damaged)
    }

    /// Destroys the key of the subject of a token: no token of it can be revealed any more.
    pub fn forget_token(
        &mut self,
        token: &str,
        who: &str,
        reason: &str,
    ) -> Result<Forgotten, VaultError> {
        let subject = {
            let transaction = self.store.begin_read().map_err(store)?;
            let tokens = transaction.open_table(TOKENS).map_err(store)?;
            let record = tokens.get(token).map_err(store)?.ok_or(VaultError::Unknown)?;
            parts(record.value()).map(|(subject, ..)| subject)
        };
        let damaged = VaultError::Damaged { what: "a sealed value was changed" };
        self.forget(&[subject.ok_or(damaged)?], who, reason)
    }

    /// The same for a value, in each of the forms that it may have had.
    pub fn forget_value<'v>(
        &mut self,
        forms: impl Iterator<Item = Canonical<'v>>,
        who: &str,
        reason: &str,
    ) -> Result<Forgotten, VaultError> {
        let mut subjects: Vec<Subject> = forms.map(|form| self.subject(&form)).collect();
        subjects.sort_unstable();
        subjects.dedup();
        self.forget(&subjects, who, reason)
    }

    fn forget(
        &mut self,
        candidates: &[Subject],
        who: &str,
        reason: &str,
    ) -> Result<Forgotten, VaultError> {
        let mut forgotten = Forgotten::default();
        let transaction = self.store.begin_write().map_err(store)?;
        for subject in candidates {
            let mut subjects = transaction.open_table(SUBJECTS).map_err(store)?;
            if subjects.remove(subject).map_err(store)?.is_none() {
                continue;
            }
            drop(subjects);
            forgotten.subjects += 1;
            let mut of = transaction.open_multimap_table(TOKENS_OF).map_err(store)?;
            let mut tokens = transaction.open_table(TOKENS).map_err(store)?;
            let mut gone = Vec::new();
            for token in of.remove_all(subject).map_err(store)? {
                gone.push(token.map_err(store)?.value().to_owned());
            }
            for token in &gone {
                tokens.remove(token.as_str()).map_err(store)?;
            }
            drop((of, tokens));
            let mut table = transaction.open_table(FORGOTTEN).map_err(store)?;
            table.insert(subject, timestamp::now().0).map_err(store)?;
            drop(table);
            for token in &gone {
                forgotten.tokens += 1;
                self.note(&transaction, "forget", Some(token), who, reason, "done")?;
            }
        }
        transaction.commit().map_err(store)?;
        if forgotten.subjects > 0 {
            self.rewrite()?;
        }
        Ok(forgotten)
    }

    /// Wraps all keys anew under the newest epoch; no value is touched. Gives their number.
    pub fn rotate(&mut self, who: &str, reason: &str) -> Result<u64, VaultError> {
        let mut count = 0;
        let transaction = self.store.begin_write().map_err(store)?;
        {
            let mut table = transaction.open_table(SUBJECTS).map_err(store)?;
            let mut all = Vec::new();
            for entry in table.iter().map_err(store)? {
                let (subject, wrapped) = entry.map_err(store)?;
                all.push((*subject.value(), self.unwrap(subject.value(), wrapped.value())?));
            }
            for (subject, key) in &all {
                table.insert(subject, self.wrap(subject, key).as_slice()).map_err(store)?;
                count += 1;
            }
            let mut meta = transaction.open_table(META).map_err(store)?;
            let wrapped =
                wrap(&self.ring, &self.environment, SUBJECT_KEY.as_bytes(), &self.subjects);
            meta.insert(SUBJECT_KEY, wrapped.as_slice()).map_err(store)?;
        }
        self.note(&transaction, "rotate", None, who, reason, "done")?;
        transaction.commit().map_err(store)?;
        self.rewrite()?;
        Ok(count)
    }

    /// The record, oldest first, checked entry by entry.
    pub fn record(&self) -> Result<(Vec<Event>, Chain), VaultError> {
        let transaction = self.store.begin_read().map_err(store)?;
        let table = transaction.open_table(RECORD).map_err(store)?;
        let mut chain = self.chain();
        let mut events = Vec::new();
        for entry in table.iter().map_err(store)? {
            let stored = entry.map_err(store)?.1;
            events.push(chain.read(events.len() as u64 + 1, stored.value())?);
        }
        Ok((events, chain))
    }

    /// What it holds, in numbers.
    pub fn stat(&self) -> Result<Stat, VaultError> {
        let transaction = self.store.begin_read().map_err(store)?;
        let subjects = transaction.open_table(SUBJECTS).map_err(store)?;
        let meta = transaction.open_table(META).map_err(store)?;
        let key = meta.get(SUBJECT_KEY).map_err(store)?;
        let mut oldest = key.map_or(u32::MAX, |wrapped| epoch_of(wrapped.value()));
        for entry in subjects.iter().map_err(store)? {
            oldest = oldest.min(epoch_of(entry.map_err(store)?.1.value()));
        }
        let path = self.folder.join(FILE);
        let spool = self.folder.join("spool");
        Ok(Stat {
            tokens: transaction.open_table(TOKENS).map_err(store)?.len().map_err(store)?,
            subjects: subjects.len().map_err(store)?,
            forgotten: transaction.open_table(FORGOTTEN).map_err(store)?.len().map_err(store)?,
            events: transaction.open_table(RECORD).map_err(store)?.len().map_err(store)?,
            spooled: fs::read_dir(&spool).map_err(directory::unusable(&spool))?.count() as u64,
            bytes: fs::metadata(&path).map_err(directory::unusable(&path))?.len(),
            oldest_epoch: oldest,
        })
    }

    /// Copies what is left into a new file, which takes the place of the old one, and overwrites the
    /// old one: pages that a store frees keep their content.
    fn rewrite(&mut self) -> Result<(), VaultError> {
        let (path, new_path) = (self.folder.join(FILE), self.folder.join(NEW_FILE));
        let file = directory::new_file(&new_path).map_err(directory::unusable(&new_path))?;
        let new = Database::builder().create_file(file).map_err(store)?;
        copy(&self.store, &new)?;
        let old_file = directory::file(&path)?;
        self.store = new;
        rename(&new_path, &path, &self.folder)?;
        // Its name is the new one's by now.
        directory::overwrite(&old_file).map_err(directory::unusable(&path))
    }

    fn note(
        &self,
        transaction: &WriteTransaction,
        event: &str,
        token: Option<&str>,
        who: &str,
        reason: &str,
        outcome: &str,
    ) -> Result<(), VaultError> {
        let mut table = transaction.open_table(RECORD).map_err(store)?;
        let mut chain = self.chain();
        let mut seq = 1;
        for entry in table.iter().map_err(store)? {
            chain.read(seq, entry.map_err(store)?.1.value())?;
            seq += 1;
        }
        let event = Event {
            seq,
            time: timestamp::now().rfc3339(),
            event: event.to_owned(),
            token: token.map(str::to_owned),
            who: who.to_owned(),
            reason: reason.to_owned(),
            outcome: outcome.to_owned(),
        };
        table.insert(seq, chain.append(&event).as_slice()).map_err(store)?;
        Ok(())
    }

    fn chain(&self) -> Chain {
        Chain::new(self.subjects.derive(&[b"record"]))
    }

    fn subject(&self, value: &Canonical<'_>) -> Subject {
        let mac = self.subjects.mac().chain_update(value.form).chain_update([0]);
        let tag = mac.chain_update(&value.bytes).finalize().into_bytes();
        *tag.first_chunk().expect("a tag has 32 bytes")
    }

    fn wrap(&self, subject: &Subject, key: &Secret) -> Vec<u8> {
        wrap(&self.ring, &self.environment, subject, key)
    }

    fn unwrap(&self, subject: &Subject, wrapped: &[u8]) -> Result<Secret, VaultError> {
        unwrap(&self.ring, &self.environment, subject, wrapped)?
            .ok_or(VaultError::Damaged { what: "the key of a subject was changed" })
    }
}

/// A rename is on the disk when its directory is.
fn rename(from: &Path, to: &Path, folder: &Path) -> Result<(), VaultError> {
    fs::rename(from, to).map_err(directory::unusable(to))?;
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(directory::unusable(folder))
}

/// Waits for the lock that whoever works in the vault holds.
fn lock(folder: &Path) -> Result<File, VaultError> {
    let path = folder.join("lock");
    let lock = directory::file(&path)?;
    rustix::fs::flock(&lock, FlockOperation::LockExclusive)
        .map_err(|error| directory::unusable(&path)(error.into()))?;
    Ok(lock)
}

/// The key that names subjects: made with the vault, wrapped in it. It says whether the keys fit.
fn subject_key(
    database: &Database,
    ring: &KeyRing,
    environment: &str,
) -> Result<Secret, VaultError> {
    let transaction = database.begin_write().map_err(store)?;
    let secret = {
        // All tables are there from the start.
        let _ = transaction.open_table(SUBJECTS).map_err(store)?;
        let _ = transaction.open_table(TOKENS).map_err(store)?;
        let _ = transaction.open_multimap_table(TOKENS_OF).map_err(store)?;
        let _ = transaction.open_table(FORGOTTEN).map_err(store)?;
        let _ = transaction.open_table(RECORD).map_err(store)?;
        let mut meta = transaction.open_table(META).map_err(store)?;
        let wrapped = meta.get(SUBJECT_KEY).map_err(store)?.map(|key| key.value().to_vec());
        if let Some(wrapped) = wrapped {
            unwrap(ring, environment, SUBJECT_KEY.as_bytes(), &wrapped)?
                .ok_or(VaultError::WrongKeys)?
        } else {
            let secret = Secret::random();
            let wrapped = wrap(ring, environment, SUBJECT_KEY.as_bytes(), &secret);
            meta.insert(SUBJECT_KEY, wrapped.as_slice()).map_err(store)?;
            secret
        }
    };
    transaction.commit().map_err(store)?;
    Ok(secret)
}

/// The epoch, then the sealed key.
fn wrap(ring: &KeyRing, environment: &str, bound: &[u8], key: &Secret) -> Vec<u8> {
    let epoch = ring.newest();
    let sealed = seal::seal(&seal::wrapping(epoch, environment), bound, key.bytes());
    [epoch.id.to_be_bytes().as_slice(), &sealed].concat()
}

/// `None` when the key of the epoch is another one, or the bytes were changed.
fn unwrap(
    ring: &KeyRing,
    environment: &str,
    bound: &[u8],
    wrapped: &[u8],
) -> Result<Option<Secret>, VaultError> {
    let id = epoch_of(wrapped);
    let epoch = ring.epochs().iter().find(|epoch| epoch.id == id);
    let epoch = epoch.ok_or(VaultError::NoEpoch { id })?;
    let key = seal::open(&seal::wrapping(epoch, environment), bound, &wrapped[4..]);
    Ok(key.and_then(|key| Some(Secret::from_bytes(*key.first_chunk()?))))
}

fn epoch_of(wrapped: &[u8]) -> u32 {
    wrapped.first_chunk().map_or(0, |id| u32::from_be_bytes(*id))
}

/// What a sealed value is bound to: it opens for no other token, and as nothing else.
fn bound(token: &str, form: &str) -> Vec<u8> {
    [token, form].join("\0").into_bytes()
}

/// Subject, form and sealed value of a token.
fn parts(record: &[u8]) -> Option<(Subject, &str, &[u8])> {
    let (subject, rest) = record.split_first_chunk()?;
    let (form, rest) = rest.split_first()?;
    let (form, sealed) = rest.split_at_checked(usize::from(*form))?;
    Some((*subject, std::str::from_utf8(form).ok()?, sealed))
}

/// Copies all tables.
fn copy(from: &Database, to: &Database) -> Result<(), VaultError> {
    let (source, target) = (from.begin_read().map_err(store)?, to.begin_write().map_err(store)?);
    macro_rules! copy {
        ($($table:expr),+) => {$({
            let (from, mut to) =
                (source.open_table($table).map_err(store)?, target.open_table($table).map_err(store)?);
            for entry in from.iter().map_err(store)? {
                let (key, value) = entry.map_err(store)?;
                to.insert(key.value(), value.value()).map_err(store)?;
            }
        })+};
    }
    copy!(META, SUBJECTS, TOKENS, FORGOTTEN, RECORD);
    {
        let from = source.open_table(TOKENS).map_err(store)?;
        let mut of = target.open_multimap_table(TOKENS_OF).map_err(store)?;
        for entry in from.iter().map_err(store)? {
            let (token, record) = entry.map_err(store)?;
            if let Some((subject, ..)) = parts(record.value()) {
                of.insert(&subject, token.value()).map_err(store)?;
            }
        }
    }
    target.commit().map_err(store)
}

#[cfg(test)]
mod tests;
