//! Who unwraps the keys of a segment: identities of age, in files, or in hardware tokens.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Arc;

use age::plugin::{self, IdentityPluginV1};
use age::{Callbacks, DecryptError, Decryptor, NoCallbacks, scrypt, x25519};
use age_core::format::{FileKey, Stanza};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::error::JournalError;
use crate::keys::Key;

/// The identities of a reader.
#[derive(Clone, Default)]
pub struct Identities(Vec<Arc<dyn age::Identity + Send + Sync>>);

/// What an identity file has at most.
const LONGEST: u64 = 1 << 20;

fn content(path: &Path) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::new());
    fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut text)?;
    if text.len() as u64 > LONGEST {
        return Err(io::Error::other("it is too long for an identity file"));
    }
    Ok(text)
}

impl Identities {
    /// Those of identity files: keys as `age-keygen` writes them (`AGE-SECRET-KEY-1…`), and names of
    /// hardware tokens (`AGE-PLUGIN-NAME-1…`), whose program `age-plugin-NAME` is looked for in
    /// `PATH`, and asks what it has to ask by the callbacks. So is the passphrase of a file that
    /// `age --passphrase` has encrypted.
    ///
    /// # Errors
    /// When a file cannot be read, is none of age, is not opened by the passphrase, or names a program that
    /// there is not.
    pub fn read<P: AsRef<Path>>(
        paths: &[P],
        callbacks: &impl Callbacks,
    ) -> Result<Self, JournalError> {
        let mut all = Vec::new();
        for path in paths {
            let path = path.as_ref();
            let text = content(path);
            let text = text.map_err(|error| crate::place::unusable(path, error))?;
            let opened = opened(&text, path, callbacks)?;
            all.extend(Self::parse_file(opened.as_ref().unwrap_or(&text), path, callbacks)?.0);
        }
        Ok(Self(all))
    }

    /// Those of the content of an identity file; `None` when it holds anything but keys.
    pub fn parse(text: &[u8]) -> Option<Self> {
        Self::parse_file(text, Path::new(""), &NoCallbacks).ok()
    }

    fn parse_file(
        text: &[u8],
        path: &Path,
        callbacks: &impl Callbacks,
    ) -> Result<Self, JournalError> {
        let bad = || JournalError::BadIdentity { path: path.to_owned() };
        let text = std::str::from_utf8(text).map_err(|_| bad())?;
        let lines = text.lines().map(str::trim);
        let named = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let all = named.map(|line| -> Result<Arc<dyn age::Identity + Send + Sync>, _> {
            if let Ok(key) = line.parse::<x25519::Identity>() {
                return Ok(Arc::new(key));
            }
            let token = line.parse::<plugin::Identity>().map_err(|_| bad())?;
            Ok(Arc::new(Token::new(&token, path, callbacks.clone())?))
        });
        let all: Vec<_> = all.collect::<Result<_, _>>()?;
        if all.is_empty() { Err(bad()) } else { Ok(Self(all)) }
    }

    /// These and those.
    #[must_use]
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Opens a wrapped key.
    pub(crate) fn unwrap(&self, wrapped: &str) -> Option<Key> {
        // One that is longer is none of ours, and to look for a recipient in it takes long.
        let wrapped = (wrapped.len() <= LONGEST_WRAPPED).then_some(wrapped)?;
        let files = wrapped.split('.').map(|file| BASE64_STANDARD.decode(file).ok());
        let files: Vec<Vec<u8>> = files.take(MOST_FILES + 1).collect::<Option<_>>()?;
        is_bounded(&files).then_some(())?;
        files.into_iter().find_map(|file| {
            // Without a buffer the header is parsed anew for every few bytes of it.
            let decryptor = Decryptor::new_buffered(file.as_slice()).ok()?;
            let identities = self.0.iter().map(|identity| identity.as_ref() as &dyn age::Identity);
            let mut key = Zeroizing::new([0; 32]);
            let mut reader = decryptor.decrypt(identities).ok()?;
            reader.read_exact(key.as_mut_slice()).ok()?;
            (reader.read(&mut [0]).ok()? == 0).then_some(key)
        })
    }
}

/// What a wrapped key has at most. As many recipients as the settings in an entry of the log have room for
/// take a hundred thousand bytes and two lines each; those of the header are parsed anew with each line.
const LONGEST_WRAPPED: usize = 1 << 18;
const MOST_LINES: usize = 2200;
const MOST_STANZAS: usize = 1024;
/// One for each sort of recipients.
const MOST_FILES: usize = 2;

/// Whether the files of a wrapped key have no more than those that the journal writes: whoever can write to
/// the directory may have written them.
fn is_bounded(files: &[Vec<u8>]) -> bool {
    let lines = || files.iter().flat_map(|file| file.split(|byte| *byte == b'\n'));
    files.len() <= MOST_FILES
        && lines().count() <= MOST_LINES
        && lines().filter(|line| line.starts_with(b"-> ")).count() <= MOST_STANZAS
}

/// What is in a file that is encrypted with a passphrase; `None` where it is no such file.
fn opened(
    file: &[u8],
    path: &Path,
    callbacks: &impl Callbacks,
) -> Result<Option<Zeroizing<Vec<u8>>>, JournalError> {
    let binary = unarmored(file);
    let binary = binary.as_deref().unwrap_or(file);
    let Some(decryptor) = Decryptor::new_buffered(binary).ok().filter(Decryptor::is_scrypt) else {
        return Ok(None);
    };
    let locked = || JournalError::LockedIdentity { path: path.to_owned() };
    let asked = format!("Passphrase of {}", path.display());
    let passphrase = callbacks.request_passphrase(&asked).ok_or_else(locked)?;
    let mut identity = scrypt::Identity::new(passphrase);
    identity.set_max_work_factor(MOST_WORK);
    let reader = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity));
    let mut text = Zeroizing::new(Vec::new());
    let read = reader.ok().and_then(|reader| reader.take(LONGEST).read_to_end(&mut text).ok());
    read.map(|_| Some(text)).ok_or_else(locked)
}

/// How much work a passphrase may take (`age` asks for 2^18): a minute or so.
const MOST_WORK: u8 = 22;

/// A file of age that is written as text; `None` where it is not.
fn unarmored(file: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(file).ok()?.trim();
    let text = text.strip_prefix("-----BEGIN AGE ENCRYPTED FILE-----")?;
    let text = text.strip_suffix("-----END AGE ENCRYPTED FILE-----")?;
    BASE64_STANDARD.decode(text.split_ascii_whitespace().collect::<String>()).ok()
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identities({})", self.0.len())
    }
}

/// A hardware token, by its program: of all that is sealed, it is asked for what is sealed to tokens.
struct Token<C: Callbacks> {
    program: IdentityPluginV1<C>,
    callbacks: C,
}

/// What a key that is wrapped to an `age1tagpq1…` is tagged with.
const TAG: &str = "mlkem768p256tag";

impl<C: Callbacks> Token<C> {
    fn new(identity: &plugin::Identity, path: &Path, callbacks: C) -> Result<Self, JournalError> {
        let program = IdentityPluginV1::new(
            identity.plugin(),
            std::slice::from_ref(identity),
            callbacks.clone(),
        );
        let missing =
            |_| JournalError::NoPlugin { name: identity.plugin().into(), path: path.into() };
        Ok(Self { program: program.map_err(missing)?, callbacks })
    }
}

impl<C: Callbacks> age::Identity for Token<C> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        if stanza.tag != TAG {
            return None;
        }
        let unwrapped = self.program.unwrap_stanza(stanza)?;
        if let Err(error) = &unwrapped {
            self.callbacks.display_message(&error.to_string());
        }
        // Another identity may open it.
        unwrapped.ok().map(Ok)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown() {
        let (text, _) = crate::keys::new_identity(0);
        let identities = Identities::parse(text.as_bytes()).unwrap();
        assert_eq!(format!("{identities:?}"), "Identities(1)");
    }

    #[test]
    fn what_does_not_end_is_no_identity_file() {
        let path = Path::new("/dev/zero");
        let error = Identities::read(&[path], &NoCallbacks).unwrap_err();
        assert!(error.to_string().contains("too long"), "{error}");
        assert_eq!(error.path(), Some(path));
    }

    #[test]
    fn a_wrapped_key_has_a_bound() {
        let (text, recipient) = crate::keys::new_identity(0);
        let identities = Identities::parse(text.as_bytes()).unwrap();
        let wrapped = |others: usize, body: &str| {
            let own: x25519::Recipient = recipient.parse().unwrap();
            let file = age::encrypt(&own, &[7; 32]).unwrap();
            let at = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
            let stanza = format!("-> X25519 {}\n{body}\n", "A".repeat(43));
            [&file[..at], stanza.repeat(others).as_bytes(), &file[at..]].concat()
        };
        let short = "A".repeat(43);
        assert!(is_bounded(&[wrapped(1000, &short)]));
        assert!(!is_bounded(&[wrapped(1024, &short)]));
        assert!(!is_bounded(&[wrapped(600, &short), wrapped(600, &short)]));
        assert!(!is_bounded(&[wrapped(0, ""), wrapped(0, ""), wrapped(0, "")]));
        let long = format!("{}{short}", format!("{}\n", "A".repeat(64)).repeat(3000));
        assert!(!is_bounded(&[wrapped(1, &long)]));
        // As it is written; and with what takes minutes to look at.
        let base64 = |file: Vec<u8>| BASE64_STANDARD.encode(file);
        assert!(identities.unwrap(&base64(wrapped(0, ""))).is_some());
        for wrapped in [wrapped(5000, &short), wrapped(1, &long.repeat(3))] {
            assert!(identities.unwrap(&base64(wrapped)).is_none());
        }
    }

    #[test]
    fn as_many_recipients_as_have_room_open_a_key() {
        let (text, recipient) = crate::keys::new_identity(0);
        let mut named: Vec<_> = (0..1000).map(|_| (None, crate::keys::new_identity(0).1)).collect();
        named.push((None, recipient));
        let keys = crate::keys::SegmentKeys::new(&crate::Recipients::new(&named).unwrap()).unwrap();
        let identities = Identities::parse(text.as_bytes()).unwrap();
        assert!(identities.unwrap(keys.wrapped(crate::Part::Head)).is_some());
    }

    #[derive(Clone)]
    struct Says(Option<&'static str>);

    impl Callbacks for Says {
        fn display_message(&self, _: &str) {}

        fn confirm(&self, _: &str, _: &str, _: Option<&str>) -> Option<bool> {
            None
        }

        fn request_public_string(&self, _: &str) -> Option<String> {
            None
        }

        fn request_passphrase(&self, asked: &str) -> Option<age::secrecy::SecretString> {
            assert!(asked.ends_with("reader"), "{asked}");
            self.0.map(Into::into)
        }
    }

    #[test]
    fn a_passphrase_opens_an_identity_file() {
        let mut passphrase = scrypt::Recipient::new("grey heron".into());
        passphrase.set_work_factor(1);
        let (text, recipient) = crate::keys::new_identity(0);
        let file = age::encrypt(&passphrase, text.as_bytes()).unwrap();
        let base64 = BASE64_STANDARD.encode(&file);
        let lines: Vec<&str> =
            base64.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
        let armored = format!(
            "-----BEGIN AGE ENCRYPTED FILE-----\n{}\n-----END AGE ENCRYPTED FILE-----\n",
            lines.join("\n")
        );
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reader");
        for file in [file.as_slice(), armored.as_bytes()] {
            fs::write(&path, file).unwrap();
            let read = |passphrase| Identities::read(&[&path], &Says(passphrase));
            let recipients = crate::Recipients::new(&[(None, recipient.clone())]).unwrap();
            let keys = crate::keys::SegmentKeys::new(&recipients).unwrap();
            let wrapped = keys.wrapped(crate::Part::Head);
            assert!(read(Some("grey heron")).unwrap().unwrap(wrapped).is_some());
            for wrong in [None, Some("violet heron")] {
                let error = read(wrong).unwrap_err();
                assert!(error.to_string().contains("passphrase"), "{error}");
                assert_eq!(error.path(), Some(path.as_path()));
            }
        }
        // What is encrypted to somebody is no identity file.
        let recipient: x25519::Recipient = recipient.parse().unwrap();
        fs::write(&path, age::encrypt(&recipient, text.as_bytes()).unwrap()).unwrap();
        let error = Identities::read(&[&path], &Says(Some("grey heron"))).unwrap_err();
        assert!(matches!(error, JournalError::BadIdentity { .. }), "{error}");
    }

    #[test]
    fn what_is_no_identity_is_told_of_by_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            let path = folder.path().join("reader");
            fs::write(&path, text).unwrap();
            Identities::read(&[path], &NoCallbacks)
        };
        for text in ["", "# nothing", "AGE-SECRET-KEY-1", "age1x", "AGE-PLUGIN-"] {
            let error = read(text).unwrap_err();
            assert!(matches!(error, JournalError::BadIdentity { .. }), "{error}");
        }
        // Made by bech32 of no bytes: BIP 173.
        let error = read("AGE-PLUGIN-NOWHERE-1S5ZZF6").unwrap_err();
        assert!(error.to_string().contains("age-plugin-nowhere"), "{error}");
        assert!(error.path().is_some());
    }
}
