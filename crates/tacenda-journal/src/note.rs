//! Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint, tlog-cosignature).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};

use crate::{Hash, hex, sha256};

const ED25519: u8 = 1;
const COSIGNATURE: u8 = 4;

/// A public key with its name, as `NAME+ID+KEY` (C2SP signed-note).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
    kind: u8,
}

impl VerifierKey {
    pub(crate) fn new(name: &str, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), key, kind: ED25519 }
    }

    #[cfg(test)]
    pub(crate) fn of_witness(name: &str, key: VerifyingKey) -> Self {
        Self { name: name.to_owned(), key, kind: COSIGNATURE }
    }

    /// Reads `NAME+ID+KEY`: of a log, or of a witness.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(3, '+');
        let (name, id, key) = (parts.next()?, parts.next()?, parts.next()?);
        let key = BASE64_STANDARD.decode(key).ok()?;
        let (kind, key) = key.split_first()?;
        let key = VerifyingKey::from_bytes(key.try_into().ok()?).ok()?;
        let parsed = Self { name: name.to_owned(), key, kind: *kind };
        let known = [ED25519, COSIGNATURE].contains(kind) && is_name(name);
        (known && id == hex(&parsed.id())).then_some(parsed)
    }

    pub(crate) fn id(&self) -> [u8; 4] {
        let hash = sha256(&[self.name.as_bytes(), b"\n", &[self.kind], self.key.as_bytes()]);
        *hash.first_chunk().expect("a hash has 32 bytes")
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn key(&self) -> VerifyingKey {
        self.key
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [[self.kind].as_slice(), self.key.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex(&self.id()), BASE64_STANDARD.encode(key))
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+' || c.is_control())
}

/// A text with signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    /// Name, key id and signature.
    signatures: Vec<(String, [u8; 4], Vec<u8>)>,
}

impl Note {
    /// Reads a note.
    pub fn parse(note: &[u8]) -> Option<Self> {
        let note = std::str::from_utf8(note).ok()?;
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return None;
        }
        let (text, signatures) = note.rsplit_once("\n\n")?;
        let lines = signatures.strip_suffix('\n')?.split('\n').map(|line| {
            let (name, signature) = line.strip_prefix("— ")?.split_once(' ')?;
            let signature = BASE64_STANDARD.decode(signature).ok()?;
            let (id, signature) = signature.split_first_chunk()?;
            is_name(name).then(|| (name.to_owned(), *id, signature.to_vec()))
        });
        let signatures = lines.collect::<Option<Vec<_>>>().filter(|lines| !lines.is_empty())?;
        Some(Self { text: format!("{text}\n"), signatures })
    }

    /// Whether the key has signed it.
    pub(crate) fn is_signed_by(&self, key: &VerifierKey) -> bool {
        self.signatures_by(key).next().is_some()
    }

    /// When a witness has signed it, by its own clock, in seconds since 1970.
    pub(crate) fn time_by(&self, key: &VerifierKey) -> Option<u64> {
        let times = self.signatures_by(key).filter(|_| key.kind == COSIGNATURE);
        times.filter_map(|signature| Some(u64::from_be_bytes(*signature.first_chunk()?))).max()
    }

    /// The signatures of a key.
    fn signatures_by(&self, key: &VerifierKey) -> impl Iterator<Item = &[u8]> {
        let by_it = self.signatures.iter().filter(|(name, id, signature)| {
            *name == key.name && *id == key.id() && self.fits(key, signature)
        });
        by_it.map(|(_, _, signature)| signature.as_slice())
    }

    fn fits(&self, key: &VerifierKey, signature: &[u8]) -> bool {
        let verify = |text: &[u8], signature: &[u8]| {
            Signature::from_slice(signature)
                .is_ok_and(|signature| key.key.verify_strict(text, &signature).is_ok())
        };
        if key.kind == ED25519 {
            return verify(self.text.as_bytes(), signature);
        }
        // The time in seconds, then the signature over it and the note.
        let Some((time, signature)) = signature.split_first_chunk() else { return false };
        let time = u64::from_be_bytes(*time);
        verify(format!("cosignature/v1\ntime {time}\n{}", self.text).as_bytes(), signature)
    }
}

/// The state of a log: its size and root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// Its entries.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, BASE64_STANDARD.encode(self.root))
    }

    /// Reads what a note says; lines after the first three are extensions.
    pub(crate) fn of(note: &Note) -> Option<Self> {
        let mut lines = note.text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let parsed: u64 = size.parse().ok().filter(|n: &u64| n.to_string() == size)?;
        let root = BASE64_STANDARD.decode(root).ok()?.try_into().ok()?;
        (!origin.is_empty()).then(|| Self { origin: origin.to_owned(), size: parsed, root })
    }

    /// The note, signed by each of the keys under its name.
    pub(crate) fn sign(&self, keys: &[(&str, &SigningKey)]) -> String {
        let text = self.text();
        let mut note = format!("{text}\n");
        for (name, key) in keys {
            let id = VerifierKey::new(name, key.verifying_key()).id();
            let signature = key.sign(text.as_bytes()).to_bytes();
            let line = BASE64_STANDARD.encode([id.as_slice(), &signature].concat());
            note.extend(["— ", name, " ", &line, "\n"]);
        }
        note
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of golang.org/x/mod/sumdb/note, which C2SP signed-note describes.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const NOTE: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\
        \n\
        — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    #[test]
    fn a_note_that_others_signed() {
        let key = VerifierKey::parse(PETER).unwrap();
        assert_eq!(key.to_string(), PETER);
        let note = Note::parse(NOTE.as_bytes()).unwrap();
        assert!(note.is_signed_by(&key));
        let other = Note::parse(NOTE.replace("answer", "Answer").as_bytes()).unwrap();
        assert!(!other.is_signed_by(&key));
        assert!(VerifierKey::parse(&PETER.replace("c74f", "c74e")).is_none());
    }

    #[test]
    fn a_checkpoint_comes_back() {
        let checkpoint = Checkpoint { origin: "a/b".to_owned(), size: 7, root: [3; 32] };
        let (one, two) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let note = Note::parse(checkpoint.sign(&[("a/b", &one), ("x", &two)]).as_bytes()).unwrap();
        assert_eq!(Checkpoint::of(&note), Some(checkpoint));
        assert!(note.is_signed_by(&VerifierKey::new("x", two.verifying_key())));
        assert!(!note.is_signed_by(&VerifierKey::new("x", one.verifying_key())));
        for broken in ["", "a\n7\nAAAA\n\n", "a\n\n— x !\n", "a\n07\nAA==\n\n— x AAAAAAAA\n"] {
            assert!(Note::parse(broken.as_bytes()).and_then(|n| Checkpoint::of(&n)).is_none());
        }
    }

    #[test]
    fn a_witness_signs_with_its_time() {
        let checkpoint = Checkpoint { origin: "a".to_owned(), size: 1, root: [3; 32] };
        let (log, witness) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let key = VerifierKey::of_witness("w", witness.verifying_key());
        assert_eq!(VerifierKey::parse(&key.to_string()).as_ref(), Some(&key));
        let text = format!("cosignature/v1\ntime 1700000000\n{}", checkpoint.text());
        let time = 1_700_000_000_u64.to_be_bytes();
        let line = [&key.id(), time.as_slice(), &witness.sign(text.as_bytes()).to_bytes()].concat();
        let line = BASE64_STANDARD.encode(line);
        let note = format!("{}— w {line}\n", checkpoint.sign(&[("a", &log)]));
        let note = Note::parse(note.as_bytes()).unwrap();
        assert!(note.is_signed_by(&key));
        assert_eq!(note.time_by(&key), Some(1_700_000_000));
        assert_eq!(note.time_by(&VerifierKey::new("a", log.verifying_key())), None);
    }
}
