//! The key file: secrets by epoch, from which all keys are derived.
//!
//! ```json
//! {"version": 1, "epochs": [{"id": 1, "created": "2026-11-21T06:00:00Z", "secret": "…"}]}
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::{FlockOperation, OFlags};
use serde::Deserialize;
use tacenda_policy::Policy;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::timestamp;

/// The environment variable that may hold the content of a key file.
pub const KEYS_VARIABLE: &str = "TACENDA_KEYS";

/// The size of the largest key file, in bytes: some seven thousand epochs.
const MAX_BYTES: u64 = 1 << 20;

/// Why there are no keys. None of them carries a part of a key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read.
    #[error("cannot read the key file: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written.
    #[error("cannot write the key file: {source}")]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A directory, pipe or device.
    #[error("the key file is not a regular file")]
    NotRegular {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read or change it.
    #[error("others than its owner may read the key file (mode {mode:04o})")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs neither to us nor to root.
    #[error("the key file belongs to another user")]
    ForeignOwner {
        /// The file.
        path: PathBuf,
    },
    /// What was read is no key file.
    #[error("{from} holds no keys: {reason}")]
    Bad {
        /// What was read: the key file, the variable, the command's output.
        from: &'static str,
        /// The file, where it was one.
        path: Option<PathBuf>,
        /// What is wrong, in fixed words.
        reason: &'static str,
    },
    /// The command of `keys.command` cannot be run.
    #[error("cannot run `keys.command`: {source}")]
    CannotRun {
        /// Why.
        source: io::Error,
    },
    /// The command of `keys.command` failed.
    #[error("`keys.command` failed ({status})")]
    CommandFailed {
        /// How it ended.
        status: std::process::ExitStatus,
    },
}

impl KeyError {
    /// The file that it is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unreadable { path, .. }
            | Self::Unwritable { path, .. }
            | Self::NotRegular { path }
            | Self::Exposed { path, .. }
            | Self::ForeignOwner { path } => Some(path),
            Self::Bad { path, .. } => path.as_deref(),
            Self::CannotRun { .. } | Self::CommandFailed { .. } => None,
        }
    }

    /// How to put it right, for people.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("make one: tacenda keys init FILE")
            }
            Self::Unwritable { source, .. } if source.kind() == io::ErrorKind::AlreadyExists => {
                Some("to add an epoch to it: tacenda keys rotate")
            }
            Self::Exposed { .. } => {
                Some("chmod 600, and `tacenda keys rotate` if others may have read it")
            }
            Self::ForeignOwner { .. } => Some("it has to belong to this user or to root"),
            Self::Bad { .. } => Some("make a key file: tacenda keys init FILE"),
            _ => None,
        }
    }
}

/// One epoch: from its creation to the next rotation.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Its number, from 1.
    pub id: u32,
    /// When it began (RFC 3339).
    pub created: String,
    pub(crate) secret: Secret,
}

/// The secrets of a key file, oldest epoch first, at least one.
#[derive(Clone, Debug)]
pub struct KeyRing {
    epochs: Vec<Epoch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    epochs: Vec<Epoch>,
}

impl KeyRing {
    /// A ring with a first epoch that begins now.
    pub fn generate() -> Self {
        let first = Epoch { id: 1, created: timestamp::now().rfc3339(), secret: Secret::random() };
        Self { epochs: vec![first] }
    }

    /// The ring that the policy names: that of `keys.file`, of `keys.command`, or of the variable
    /// `TACENDA_KEYS`, in this order. `None` when it names none.
    pub fn load(policy: &Policy) -> Result<Option<Self>, KeyError> {
        if let Some(path) = policy.keys_file() {
            return Self::read(path).map(Some);
        }
        if let [program, arguments @ ..] = policy.keys_command() {
            return Self::from_command(program, arguments).map(Some);
        }
        match std::env::var(KEYS_VARIABLE).map(Zeroizing::new) {
            Ok(text) if !text.trim().is_empty() => {
                Self::parse(text.as_bytes(), KEYS_VARIABLE).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The ring of a file that only its owner can read.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let mut file = open(path)?;
        Self::read_open(path, &mut file)
    }

    fn read_open(path: &Path, file: &mut File) -> Result<Self, KeyError> {
        let mut text = Zeroizing::new(Vec::with_capacity(4096));
        file.take(MAX_BYTES)
            .read_to_end(&mut text)
            .map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
        Self::parse(&text, "the key file").map_err(|error| match error {
            KeyError::Bad { from, reason, .. } => {
                KeyError::Bad { from, path: Some(path.to_owned()), reason }
            }
            other => other,
        })
    }

    fn from_command(program: &str, arguments: &[String]) -> Result<Self, KeyError> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|source| KeyError::CannotRun { source })?;
        let mut text = Zeroizing::new(Vec::with_capacity(4096));
        let read = child.stdout.take().map(|out| out.take(MAX_BYTES).read_to_end(&mut text));
        let status = child.wait().map_err(|source| KeyError::CannotRun { source })?;
        if !status.success() || !matches!(read, Some(Ok(_))) {
            return Err(KeyError::CommandFailed { status });
        }
        Self::parse(&text, "the output of `keys.command`")
    }

    /// The ring spelled by the content of a key file. `from` names it in errors.
    pub fn parse(text: &[u8], from: &'static str) -> Result<Self, KeyError> {
        let bad = |reason| KeyError::Bad { from, path: None, reason };
        // What serde says may quote the text.
        let content: Content = serde_json::from_slice(text)
            .map_err(|_| bad("it is not in the format of a key file"))?;
        if content.version != 1 {
            return Err(bad("it is of another version"));
        }
        if content.epochs.is_empty() {
            return Err(bad("it has no epoch"));
        }
        if !content.epochs.is_sorted_by(|a, b| a.id < b.id) {
            return Err(bad("its epochs are not in order"));
        }
        Ok(Self { epochs: content.epochs })
    }

    /// The content of the key file.
    fn text(&self) -> Zeroizing<String> {
        use std::fmt::Write as _;
        // Made at once: a string that grows leaves copies behind.
        let mut text = Zeroizing::new(String::with_capacity(64 + 192 * self.epochs.len()));
        text.push_str("{\"version\": 1, \"epochs\": [");
        for (i, epoch) in self.epochs.iter().enumerate() {
            let comma = if i == 0 { "" } else { "," };
            let created = serde_json::Value::from(epoch.created.as_str());
            let secret = epoch.secret.to_hex();
            let _ = write!(
                text,
                "{comma}\n  {{\"id\": {}, \"created\": {created}, \"secret\": \"{}\"}}",
                epoch.id, *secret
            );
        }
        text.push_str("\n]}\n");
        text
    }

    /// The epochs, oldest first.
    pub fn epochs(&self) -> &[Epoch] {
        &self.epochs
    }

    /// The epoch in force, the newest.
    pub fn newest(&self) -> &Epoch {
        self.epochs.last().expect("a ring has an epoch")
    }

    /// Adds an epoch that begins now; the others stay, so that old tokens can be revealed.
    fn rotate(&mut self) {
        let id = self.newest().id + 1;
        let created = timestamp::now().rfc3339();
        self.epochs.push(Epoch { id, created, secret: Secret::random() });
    }

    /// Makes a key file with a first epoch. Never replaces one.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let ring = Self::generate();
        let failed = |source| KeyError::Unwritable { path: path.to_owned(), source };
        let temporary = ring.write_beside(path).map_err(failed)?;
        temporary.persist_noclobber(path).map_err(|error| failed(error.error))?;
        sync_directory(path).map_err(failed)?;
        Ok(ring)
    }

    /// Adds an epoch to a key file: the file is replaced at once or not at all, and of two that do
    /// so at the same time one waits for the other.
    pub fn rotate_file(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::Unwritable { path: path.to_owned(), source };
        // Through links: the file that is meant, not its name, is replaced.
        let path = &fs::canonicalize(path)
            .map_err(|source| KeyError::Unreadable { path: path.to_owned(), source })?;
        let (mut ring, _lock) = loop {
            let mut file = open(path)?;
            rustix::fs::flock(&file, FlockOperation::LockExclusive)
                .map_err(|error| failed(error.into()))?;
            // Replaced while we waited?
            let (ours, now) = (file.metadata().map_err(failed)?, fs::metadata(path));
            if now.is_ok_and(|now| (now.dev(), now.ino()) == (ours.dev(), ours.ino())) {
                break (Self::read_open(path, &mut file)?, file);
            }
        };
        ring.rotate();
        let temporary = ring.write_beside(path).map_err(failed)?;
        temporary.persist(path).map_err(|error| failed(error.error))?;
        sync_directory(path).map_err(failed)?;
        Ok(ring)
    }

    /// A file (0600) with the content, on the disk, beside `path`.
    fn write_beside(&self, path: &Path) -> io::Result<tempfile::NamedTempFile> {
        let mut temporary =
            tempfile::Builder::new().prefix(".tacenda-keys-").tempfile_in(directory(path))?;
        temporary.write_all(self.text().as_bytes())?;
        temporary.as_file().sync_all()?;
        Ok(temporary)
    }
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A rename is on the disk when its directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

/// Opens a key file and refuses one that is not ours alone.
fn open(path: &Path) -> Result<File, KeyError> {
    let unreadable = |source| KeyError::Unreadable { path: path.to_owned(), source };
    let file = OpenOptions::new()
        .read(true)
        // A pipe of that name must not make us wait for a writer.
        .custom_flags(OFlags::NONBLOCK.bits().cast_signed())
        .open(path)
        .map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(KeyError::NotRegular { path: path.to_owned() });
    }
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    // A secret that a container mounts belongs to root and is read through the group.
    let allowed = if owner == 0 { 0o740 } else { 0o700 };
    if mode & 0o777 & !allowed != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(KeyError::ForeignOwner { path: path.to_owned() });
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_key_file_comes_back_as_it_went() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let made = KeyRing::create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let rotated = KeyRing::rotate_file(&path).unwrap();
        let read = KeyRing::read(&path).unwrap();
        assert_eq!(read.text(), rotated.text());
        assert_eq!(read.epochs().iter().map(|epoch| epoch.id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(read.epochs()[0].secret.bytes(), made.newest().secret.bytes(), "the old stays");
        assert_ne!(read.newest().secret.bytes(), made.newest().secret.bytes());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_key_file_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let made = KeyRing::create(&path).unwrap();
        let error = KeyRing::create(&path).unwrap_err();
        assert!(matches!(error, KeyError::Unwritable { .. }), "{error}");
        assert_eq!(KeyRing::read(&path).unwrap().text(), made.text());
    }

    #[test]
    fn rotations_at_the_same_time_are_all_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        KeyRing::create(&path).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| KeyRing::rotate_file(&path).unwrap());
            }
        });
        let ids: Vec<u32> = KeyRing::read(&path).unwrap().epochs().iter().map(|e| e.id).collect();
        assert_eq!(ids, (1..=9).collect::<Vec<_>>());
    }

    #[test]
    fn a_key_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        KeyRing::create(&path).unwrap();
        for mode in [0o604, 0o666, 0o620, 0o602] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = KeyRing::read(&path).unwrap_err();
            assert!(matches!(error, KeyError::Exposed { .. }), "{mode:o}: {error}");
        }
        assert!(matches!(KeyRing::read(folder.path()), Err(KeyError::NotRegular { .. })));
        assert!(matches!(
            KeyRing::read(&folder.path().join("none")),
            Err(KeyError::Unreadable { .. })
        ));
    }

    #[test]
    fn what_is_no_key_file_is_refused_without_a_word_of_it() {
        let secret = "5e".repeat(32);
        let epoch = format!("{{\"id\": 2, \"created\": \"x\", \"secret\": \"{secret}\"}}");
        for text in [
            secret.clone(),
            format!("{{\"version\": 2, \"epochs\": [{epoch}]}}"),
            format!("{{\"version\": 1, \"epochs\": [{epoch}, {epoch}]}}"),
            format!("{{\"version\": 1, \"epochs\": [{}]}}", epoch.replace("5e5e", "5e5")),
            format!("{{\"version\": 1, \"{secret}\": []}}"),
            "{\"version\": 1, \"epochs\": []}".to_owned(),
            String::new(),
        ] {
            let error = KeyRing::parse(text.as_bytes(), "the text").unwrap_err();
            assert!(!format!("{error} {error:?}").contains("5e5e"), "{error:?}");
        }
        assert!(
            KeyRing::parse(format!("{{\"version\": 1, \"epochs\": [{epoch}]}}").as_bytes(), "")
                .is_ok()
        );
    }

    #[test]
    fn a_command_gives_the_keys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let made = KeyRing::create(&path).unwrap();
        let arguments = [path.to_str().unwrap().to_owned()];
        assert_eq!(KeyRing::from_command("cat", &arguments).unwrap().text(), made.text());
        assert!(matches!(KeyRing::from_command("false", &[]), Err(KeyError::CommandFailed { .. })));
        let none = KeyRing::from_command("no-such-program-here", &[]);
        assert!(matches!(none, Err(KeyError::CannotRun { .. })));
    }

    proptest! {
        #[test]
        fn any_bytes_are_parsed_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _: Result<KeyRing, KeyError> = KeyRing::parse(&bytes, "the bytes");
        }
    }
}
