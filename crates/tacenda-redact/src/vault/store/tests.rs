use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::super::Spool;
use super::*;
use crate::Keys;

/// A directory with a vault, and keys.
struct Place {
    folder: tempfile::TempDir,
    ring: KeyRing,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), ring: KeyRing::generate() }
    }

    fn vault(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    fn keys(&self) -> Keys {
        Keys::of(self.ring.newest(), "production")
    }

    /// Puts an address in; gives its token.
    fn put(&self, address: &str) -> String {
        let (keys, spool) = (self.keys(), Spool::open(&self.vault(), &self.keys()).unwrap());
        let canonical = email(address);
        let token = keys.token(&canonical);
        spool.put(&token, &canonical, address.as_bytes());
        assert_eq!(spool.lost(), 0);
        token
    }

    fn open(&self) -> Result<(Vault, Merged), VaultError> {
        Vault::open(&self.vault(), &self.ring, "production")
    }

    fn rotate_keys(&mut self) {
        let path = self.folder.path().join("keys");
        if !path.exists() {
            self.ring = KeyRing::create(&path).unwrap();
        }
        self.ring = KeyRing::rotate_file(&path).unwrap();
    }
}

fn email(address: &str) -> Canonical<'_> {
    Canonical::new("email", tacenda_policy::Kind::Personal, address.as_bytes(), None)
}

fn reveal(vault: &Vault, token: &str) -> Result<String, VaultError> {
    let value = vault.reveal(token, "uid 1000", "a test")?;
    Ok(String::from_utf8(value.to_vec()).unwrap())
}

#[test]
fn a_value_goes_in_and_comes_out_on_record() {
    let place = Place::new();
    let (a, b) = (place.put("Jane.Roe@example.com"), place.put("ines.moreau@example.org"));
    assert_eq!(place.put("jane.roe@EXAMPLE.com"), a, "another spelling, the same token");
    let (vault, merged) = place.open().unwrap();
    assert_eq!(merged, Merged { added: 2, known: 1, ..Merged::default() });
    // In the spelling that came in first; of two programs, either.
    assert!(reveal(&vault, &a).unwrap().eq_ignore_ascii_case("Jane.Roe@example.com"));
    assert_eq!(reveal(&vault, &b).unwrap(), "ines.moreau@example.org");
    assert!(matches!(reveal(&vault, "tok_email_0000000000000000"), Err(VaultError::Unknown)));
    let (events, _) = vault.record().unwrap();
    let summary: Vec<_> = events
        .iter()
        .map(|event| (event.seq, event.token.as_deref(), event.outcome.as_str()))
        .collect();
    assert_eq!(
        summary,
        [
            (1, Some(&*a), "done"),
            (2, Some(&*b), "done"),
            (3, Some("tok_email_0000000000000000"), "unknown")
        ]
    );
    drop(vault);
    let (vault, merged) = place.open().unwrap();
    assert_eq!(merged, Merged::default(), "the spool is empty now");
    assert_eq!(vault.record().unwrap().0.len(), 3);
    assert_eq!(vault.stat().unwrap().spooled, 0);
}

#[test]
fn nothing_in_the_files_can_be_read() {
    let place = Place::new();
    let token = place.put("jane.roe@example.com");
    drop(place.open().unwrap());
    let bytes = fs::read(place.vault().join(FILE)).unwrap();
    assert!(bytes.windows(token.len()).any(|window| window == token.as_bytes()));
    assert!(!bytes.windows(8).any(|window| window.eq_ignore_ascii_case(b"jane.roe")));
    for file in [FILE, "lock"] {
        let mode = fs::metadata(place.vault().join(file)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[test]
fn a_forgotten_subject_stays_forgotten() {
    let mut place = Place::new();
    let path = place.folder.path().join("keys");
    place.ring = KeyRing::create(&path).unwrap();
    let (a1, b1) = (place.put("jane.roe@example.com"), place.put("ines.moreau@example.org"));
    place.rotate_keys();
    let a2 = place.put("jane.roe@example.com");
    assert_ne!(a1, a2, "another epoch, another token");
    let wrapped = {
        let (vault, _) = place.open().unwrap();
        let transaction = vault.store.begin_read().unwrap();
        let table = transaction.open_table(SUBJECTS).unwrap();
        let subject = vault.subject(&email("jane.roe@example.com"));
        table.get(&subject).unwrap().unwrap().value().to_vec()
    };
    let residue = |place: &Place| {
        let bytes = fs::read(place.vault().join(FILE)).unwrap();
        bytes.windows(wrapped.len()).any(|window| window == wrapped)
    };
    assert!(residue(&place));
    let (mut vault, _) = place.open().unwrap();
    let forgotten = vault.forget_token(&a2, "uid 1000", "asked to").unwrap();
    assert_eq!(forgotten, Forgotten { subjects: 1, tokens: 2 });
    for token in [&a1, &a2] {
        assert!(matches!(reveal(&vault, token), Err(VaultError::Unknown)));
    }
    assert_eq!(reveal(&vault, &b1).unwrap(), "ines.moreau@example.org");
    drop(vault);
    assert!(!residue(&place), "the wrapped key is in no page of the file");
    // It is logged once more, by a program that knows nothing of it.
    assert_eq!(place.put("jane.roe@example.com"), a2);
    let (mut vault, merged) = place.open().unwrap();
    assert_eq!(merged, Merged { forgotten: 1, ..Merged::default() });
    assert!(matches!(reveal(&vault, &a2), Err(VaultError::Unknown)));
    let value = std::iter::once(email("INES.MOREAU@example.org"));
    let forgotten = vault.forget_value(value, "uid 1000", "asked to").unwrap();
    assert_eq!(forgotten, Forgotten { subjects: 1, tokens: 1 });
    assert!(matches!(reveal(&vault, &b1), Err(VaultError::Unknown)));
    let stat = vault.stat().unwrap();
    assert_eq!((stat.tokens, stat.subjects, stat.forgotten), (0, 0, 2));
    let forgets = vault.record().unwrap().0.iter().filter(|event| event.event == "forget").count();
    assert_eq!(forgets, 3);
}

#[test]
fn rotation_wraps_keys_and_touches_no_value() {
    let mut place = Place::new();
    let path = place.folder.path().join("keys");
    place.ring = KeyRing::create(&path).unwrap();
    let token = place.put("jane.roe@example.com");
    drop(place.open().unwrap());
    place.rotate_keys();
    let (mut vault, _) = place.open().unwrap();
    assert_eq!(vault.stat().unwrap().oldest_epoch, 1);
    let sealed = |vault: &Vault| {
        let transaction = vault.store.begin_read().unwrap();
        let tokens = transaction.open_table(TOKENS).unwrap();
        tokens.get(token.as_str()).unwrap().unwrap().value().to_vec()
    };
    let before = sealed(&vault);
    assert_eq!(vault.rotate("uid 1000", "a year is over").unwrap(), 1);
    assert_eq!(vault.stat().unwrap().oldest_epoch, 2);
    assert_eq!(sealed(&vault), before);
    assert_eq!(reveal(&vault, &token).unwrap(), "jane.roe@example.com");
    drop(vault);
    // The old epoch alone opens nothing any more.
    place.ring = KeyRing::parse(
        fs::read_to_string(&path)
            .unwrap()
            .lines()
            .filter(|line| !line.contains("\"id\": 1"))
            .collect::<String>()
            .as_bytes(),
        "the key file",
    )
    .unwrap();
    assert_eq!(reveal(&place.open().unwrap().0, &token).unwrap(), "jane.roe@example.com");
}

#[test]
fn other_keys_do_not_open_it() {
    let place = Place::new();
    place.put("jane.roe@example.com");
    drop(place.open().unwrap());
    let other = KeyRing::generate();
    let error = Vault::open(&place.vault(), &other, "production").unwrap_err();
    assert!(matches!(error, VaultError::WrongKeys), "{error}");
    let error = Vault::open(&place.vault(), &place.ring, "staging").unwrap_err();
    assert!(matches!(error, VaultError::WrongKeys), "{error}");
    assert!(place.open().is_ok());
}

#[test]
fn what_others_sealed_or_somebody_changed_stays_outside() {
    let place = Place::new();
    drop(place.open().unwrap());
    let token = place.put("jane.roe@example.com");
    place.put("ines.moreau@example.org");
    let files = || {
        let mut paths: Vec<PathBuf> = fs::read_dir(place.vault().join("spool"))
            .unwrap()
            .flatten()
            .map(|e| e.path())
            .collect();
        paths.sort();
        paths
    };
    assert_eq!(files().len(), 2);
    for path in files() {
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    let (vault, merged) = place.open().unwrap();
    assert_eq!(merged, Merged { unreadable: 2, ..Merged::default() });
    assert!(matches!(reveal(&vault, &token), Err(VaultError::Unknown)));
    assert_eq!(files().len(), 2, "they stay, to be looked at");
    drop(vault);
    // Half a frame: its process was killed.
    for path in files() {
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    }
    assert_eq!(place.open().unwrap().1, Merged::default());
    assert_eq!(files().len(), 0);
}

#[test]
fn a_changed_store_gives_an_error_and_no_value() {
    let place = Place::new();
    let token = place.put("jane.roe@example.com");
    let (vault, _) = place.open().unwrap();
    reveal(&vault, &token).unwrap();
    // A sealed value under another token, a record that says something else.
    let transaction = vault.store.begin_write().unwrap();
    {
        let mut tokens = transaction.open_table(TOKENS).unwrap();
        let stored = tokens.get(token.as_str()).unwrap().unwrap().value().to_vec();
        tokens.insert("tok_email_0000000000000000", stored.as_slice()).unwrap();
        let mut record = transaction.open_table(RECORD).unwrap();
        let mut event = record.get(1).unwrap().unwrap().value().to_vec();
        let at = event.windows(6).position(|window| window == b"a test").unwrap();
        event[at] = b'A';
        record.insert(1, event.as_slice()).unwrap();
    }
    transaction.commit().unwrap();
    assert!(matches!(vault.value("tok_email_0000000000000000"), Err(VaultError::Damaged { .. })));
    assert!(matches!(vault.record(), Err(VaultError::Damaged { .. })));
    assert!(
        matches!(reveal(&vault, &token), Err(VaultError::Damaged { .. })),
        "no reveal off record"
    );
}

#[test]
fn a_vault_that_is_not_ours_alone_is_refused() {
    let place = Place::new();
    drop(place.open().unwrap());
    let store = place.vault().join(FILE);
    fs::set_permissions(&store, fs::Permissions::from_mode(0o640)).unwrap();
    assert!(matches!(place.open(), Err(VaultError::Exposed { .. })));
    let elsewhere = place.folder.path().join("elsewhere");
    fs::rename(&store, &elsewhere).unwrap();
    symlink(&elsewhere, &store).unwrap();
    assert!(matches!(place.open(), Err(VaultError::Link { .. })));
}

#[test]
fn who_comes_second_waits() {
    let place = Place::new();
    let tokens: Vec<String> = (0..8).map(|i| place.put(&format!("user{i}@example.com"))).collect();
    std::thread::scope(|scope| {
        for token in &tokens {
            scope.spawn(|| reveal(&place.open().unwrap().0, token).unwrap());
        }
    });
    assert_eq!(place.open().unwrap().0.record().unwrap().0.len(), 8);
}
