//! The way into the vault: files to which each process appends its own sealed values.
//!
//! A file is `tacenda-spool-1`, a line end, the epoch (4 bytes), the encapsulated key (32 bytes), and
//! then frames: the length of the rest (4 bytes), the length of the token (1 byte), the token, and
//! the sealed value with its form. Numbers are big-endian.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use rustix::fs::FlockOperation;
use zeroize::Zeroizing;

use super::seal::{self, Sealer};
use super::{VaultError, directory};
use crate::keys::VaultRecipient;
use crate::{Canonical, Keys};

pub(super) const MAGIC: &[u8; 16] = b"tacenda-spool-1\n";
pub(super) const HEADER: usize = MAGIC.len() + 4 + 32;
/// The longest value that is kept. What is longer is a text, and stands behind its token for good.
const LONGEST: usize = 32 << 10;
/// The size of a file, and of all files together, in bytes. What comes then is not kept.
const MAX_FILE: u64 = 4 << 20;
const MAX_ALL: u64 = 64 << 20;
/// Tokens that are known to be in the vault already.
const MAX_SEEN: usize = 1 << 16;

/// Seals values for the vault. Never waits, never fails: what cannot be kept is [counted](Self::lost).
#[derive(Debug)]
pub struct Spool {
    folder: PathBuf,
    recipient: VaultRecipient,
    epoch: u32,
    state: Mutex<State>,
    lost: AtomicU64,
}

#[derive(Default)]
struct State {
    open: Option<Open>,
    seen: HashSet<Box<str>>,
}

struct Open {
    /// Whose it is: a forked child must not go on with its parent's counter.
    process: u32,
    file: File,
    sealer: Sealer,
    size: u64,
}

impl Spool {
    /// The spool of the vault in a directory, which is made where there is none.
    ///
    /// # Errors
    /// When the keys are fresh ones, or the directory is not ours alone or cannot be written.
    pub fn open(vault: &Path, keys: &Keys) -> Result<Self, VaultError> {
        let recipient = keys.vault().ok_or(VaultError::NoKeys)?;
        directory::private(vault)?;
        let folder = vault.join("spool");
        directory::private(&folder)?;
        let (state, lost) = (Mutex::default(), AtomicU64::new(0));
        Ok(Self { folder, recipient, epoch: keys.epoch(), state, lost })
    }

    /// Puts a value in, once for each token.
    pub(crate) fn put(&self, token: &str, canonical: &Canonical<'_>, value: &[u8]) {
        if self.append(token, canonical, value).is_none() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Values that could not be kept: their tokens stand for nothing that could be revealed.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn append(&self, token: &str, canonical: &Canonical<'_>, value: &[u8]) -> Option<()> {
        if value.len() > LONGEST || canonical.bytes.len() > LONGEST {
            return None;
        }
        let mut state = self.lock()?;
        if state.seen.contains(token) {
            return Some(());
        }
        let plain = Entry { form: canonical.form, canonical: &canonical.bytes, value }.bytes()?;
        // A file that somebody is merging, or has merged and removed, is left for a new one.
        let current = state.open.take().filter(Open::is_ours);
        let mut open = match current {
            Some(open) => open,
            None => self.create()?,
        };
        let sealed = open.sealer.seal(&plain, token.as_bytes()).ok()?;
        let rest = u32::try_from(1 + token.len() + sealed.len()).ok()?;
        let mut frame = rest.to_be_bytes().to_vec();
        frame.push(u8::try_from(token.len()).ok()?);
        frame.extend_from_slice(token.as_bytes());
        frame.extend_from_slice(&sealed);
        // After an error the end of the file is unknown: it is left.
        open.file.write_all(&frame).ok()?;
        open.size += frame.len() as u64;
        rustix::fs::flock(&open.file, FlockOperation::Unlock).ok()?;
        state.open = (open.size < MAX_FILE).then_some(open);
        if state.seen.len() >= MAX_SEEN {
            state.seen.clear();
        }
        state.seen.insert(token.into());
        Some(())
    }

    /// A thread holds it for microseconds. In a forked child one that is not there may hold it for
    /// ever: nobody waits for that.
    fn lock(&self) -> Option<MutexGuard<'_, State>> {
        for _ in 0..10_000 {
            match self.state.try_lock() {
                Ok(state) => return Some(state),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
        None
    }

    /// A new file, locked.
    fn create(&self) -> Option<Open> {
        let files = fs::read_dir(&self.folder).ok()?;
        let sizes = files.flatten().filter_map(|file| file.metadata().ok()).map(|data| data.len());
        if sizes.sum::<u64>() >= MAX_ALL {
            return None;
        }
        let (encapsulated, sealer) = seal::sealer(self.recipient)?;
        let process = std::process::id();
        let file = self.file(process, &encapsulated).ok()?;
        Some(Open { process, file, sealer, size: HEADER as u64 })
    }

    fn file(&self, process: u32, encapsulated: &[u8; 32]) -> io::Result<File> {
        // The encapsulated key is random: no two files have one name.
        let name = format!("{process}-{}.spool", crate::render::hex(&encapsulated[..8]));
        let mut file = directory::new_file(&self.folder.join(name))?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        let header = [MAGIC.as_slice(), &self.epoch.to_be_bytes(), encapsulated].concat();
        file.write_all(&header)?;
        Ok(file)
    }
}

impl Open {
    /// Whether it can be appended to: it is of this process, and nobody merges it. Locks it.
    fn is_ours(&self) -> bool {
        self.process == std::process::id()
            && rustix::fs::flock(&self.file, FlockOperation::NonBlockingLockExclusive).is_ok()
            && self.file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State {{ {} seen }}", self.seen.len())
    }
}

/// What is sealed.
pub(super) struct Entry<'e> {
    pub(super) form: &'e str,
    pub(super) canonical: &'e [u8],
    pub(super) value: &'e [u8],
}

impl<'e> Entry<'e> {
    /// The lengths of form and canonical form, then all three.
    fn bytes(&self) -> Option<Zeroizing<Vec<u8>>> {
        let length = 5 + self.form.len() + self.canonical.len() + self.value.len();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        bytes.push(u8::try_from(self.form.len()).ok()?);
        bytes.extend_from_slice(&u32::try_from(self.canonical.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(self.form.as_bytes());
        bytes.extend_from_slice(self.canonical);
        bytes.extend_from_slice(self.value);
        Some(bytes)
    }

    pub(super) fn parse(bytes: &'e [u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (canonical, rest) = rest.split_first_chunk::<4>()?;
        let (form, rest) = rest.split_at_checked(usize::from(*form))?;
        let canonical = usize::try_from(u32::from_be_bytes(*canonical)).ok()?;
        let (canonical, value) = rest.split_at_checked(canonical)?;
        Some(Self { form: std::str::from_utf8(form).ok()?, canonical, value })
    }
}

/// The frames of a file: token and sealed value. A last one that is not whole is left out: its
/// process was killed while it wrote.
pub(super) fn frames(mut bytes: &[u8]) -> impl Iterator<Item = (&str, &[u8])> {
    std::iter::from_fn(move || {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (frame, rest) = rest.split_at_checked(length)?;
        let (token, frame) = frame.split_first()?;
        let (token, sealed) = frame.split_at_checked(usize::from(*token))?;
        bytes = rest;
        Some((std::str::from_utf8(token).ok()?, sealed))
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::KeyRing;

    fn keys() -> Keys {
        Keys::of(KeyRing::generate().newest(), "production")
    }

    fn put(spool: &Spool, token: &str) {
        let canonical = Canonical { form: "email", bytes: b"jane.roe@example.com".into() };
        spool.put(token, &canonical, b"Jane.Roe@example.com");
    }

    fn files(vault: &Path) -> usize {
        fs::read_dir(vault.join("spool")).unwrap().count()
    }

    #[test]
    fn a_value_is_sealed_once_into_a_private_file() {
        let folder = tempfile::tempdir().unwrap();
        let vault = folder.path().join("vault");
        let spool = Spool::open(&vault, &keys()).unwrap();
        assert_eq!(files(&vault), 0, "nothing is made before there is a value");
        for _ in 0..3 {
            put(&spool, "tok_email_0123456789abcdef");
        }
        let file = fs::read_dir(vault.join("spool")).unwrap().next().unwrap().unwrap();
        let bytes = fs::read(file.path()).unwrap();
        assert!(bytes.starts_with(MAGIC));
        assert!(!bytes.windows(8).any(|window| window == b"Jane.Roe" || window == b"jane.roe"));
        assert!(bytes.len() < 200, "{} bytes", bytes.len());
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&vault).unwrap().mode() & 0o777, 0o700);
        assert_eq!((files(&vault), spool.lost()), (1, 0));
    }

    #[test]
    fn a_file_that_is_merged_is_left_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let vault = folder.path().join("vault");
        let spool = Spool::open(&vault, &keys()).unwrap();
        put(&spool, "tok_email_0000000000000001");
        let first = fs::read_dir(vault.join("spool")).unwrap().next().unwrap().unwrap();
        // Somebody holds it.
        let held = File::open(first.path()).unwrap();
        rustix::fs::flock(&held, FlockOperation::LockExclusive).unwrap();
        put(&spool, "tok_email_0000000000000002");
        assert_eq!(files(&vault), 2);
        // Somebody has removed it.
        let all = || fs::read_dir(vault.join("spool")).unwrap().flatten();
        all().for_each(|file| fs::remove_file(file.path()).unwrap());
        put(&spool, "tok_email_0000000000000003");
        assert_eq!((files(&vault), spool.lost()), (1, 0));
    }

    #[test]
    fn what_cannot_be_kept_is_counted_and_nobody_waits() {
        let folder = tempfile::tempdir().unwrap();
        let vault = folder.path().join("vault");
        let spool = Spool::open(&vault, &keys()).unwrap();
        fs::remove_dir(vault.join("spool")).unwrap();
        put(&spool, "tok_email_0000000000000001");
        assert_eq!(spool.lost(), 1);
        let long = Canonical { form: "email", bytes: vec![b'x'; LONGEST + 1].into() };
        spool.put("tok_email_0000000000000002", &long, b"x");
        assert_eq!(spool.lost(), 2);
        let lock = spool.state.lock();
        put(&spool, "tok_email_0000000000000003");
        assert_eq!(spool.lost(), 3);
        drop(lock);
    }

    #[test]
    fn what_is_not_ours_alone_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(matches!(Spool::open(&at("v"), &Keys::random()), Err(VaultError::NoKeys)));
        fs::create_dir(at("open")).unwrap();
        fs::set_permissions(at("open"), fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(Spool::open(&at("open"), &keys()), Err(VaultError::Exposed { .. })));
        symlink(folder.path(), at("link")).unwrap();
        assert!(matches!(Spool::open(&at("link"), &keys()), Err(VaultError::Link { .. })));
        fs::write(at("file"), "").unwrap();
        assert!(matches!(Spool::open(&at("file"), &keys()), Err(VaultError::Unusable { .. })));
        let deep = at("no").join("such");
        assert!(matches!(Spool::open(&deep, &keys()), Err(VaultError::Unusable { .. })));
    }
}
