//! The keys of a segment, and whom they are wrapped to.
//!
//! Each part of the records has a key of its own in each segment. The writer makes it, wraps it to
//! the age recipients of the class, and forgets it when the segment is sealed.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::str::FromStr as _;

use age::secrecy::ExposeSecret as _;
use age::{Encryptor, tagpq, x25519};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hkdf::Hkdf;
use serde_json::{Value, json};
use sha2::Sha256;
use tacenda_policy::Class;
use zeroize::Zeroizing;

use crate::Hash;
use crate::error::JournalError;
use crate::locked::Locked;
use crate::part::Part;

/// A key of 256 bits.
pub(crate) type Key = Zeroizing<[u8; 32]>;

/// A fresh key from the operating system.
pub(crate) fn fresh() -> Key {
    let mut key = Zeroizing::new([0; 32]);
    getrandom::fill(key.as_mut_slice()).expect("the system gives random bytes");
    key
}

/// The key for a purpose: HKDF-SHA-256 (RFC 5869).
pub(crate) fn derive(key: &Hash, purpose: &str) -> Key {
    let mut derived = Zeroizing::new([0; 32]);
    derive_into(key, purpose, &mut derived);
    derived
}

/// The same, into its place.
pub(crate) fn derive_into(key: &Hash, purpose: &str, derived: &mut Hash) {
    Hkdf::<Sha256>::new(Some(b"tacenda journal v1"), key)
        .expand(purpose.as_bytes(), derived)
        .expect("32 bytes are one block of SHA-256");
}

/// Who may read which class: age recipients, X25519 (`age1…`) or the post-quantum hybrid of
/// ML-KEM-768 and P-256 (`age1tagpq1…`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipients(BTreeMap<Class, Vec<String>>);

enum Recipient {
    Classic(x25519::Recipient),
    PostQuantum(Box<tagpq::Recipient>),
}

impl Recipient {
    fn parse(text: &str) -> Result<Self, JournalError> {
        let classic = x25519::Recipient::from_str(text).map(Self::Classic);
        let any = classic.or_else(|_| {
            tagpq::Recipient::from_str(text).map(|one| Self::PostQuantum(Box::new(one)))
        });
        any.map_err(|_| {
            let secret = text.trim_start().to_ascii_uppercase().starts_with("AGE-SECRET-KEY");
            let what = if secret {
                "an identity is named as a recipient: it is a secret, and opens what is sealed"
            } else {
                "what is named is not an age recipient"
            };
            JournalError::BadRecipient { what }
        })
    }
}

impl Recipients {
    /// Those named for one class, and for all that have none of their own.
    ///
    /// # Errors
    /// When a class has nobody to read it, or one is no recipient.
    pub fn new(named: &[(Option<Class>, String)]) -> Result<Self, JournalError> {
        let of = |class: Option<Class>| {
            let of_class = named.iter().filter(move |(named, _)| *named == class);
            of_class.map(|(_, recipient)| recipient.clone()).collect::<Vec<_>>()
        };
        let by_class = Class::ALL.iter().map(|class| {
            let own = of(Some(*class));
            (*class, if own.is_empty() { of(None) } else { own })
        });
        let recipients = Self(by_class.collect());
        recipients.check()?;
        Ok(recipients)
    }

    fn check(&self) -> Result<(), JournalError> {
        for class in Class::ALL {
            let named = self.0.get(class).map(Vec::as_slice).unwrap_or_default();
            if named.is_empty() {
                return Err(JournalError::NoRecipient { class: *class });
            }
            let parsed = named.iter().map(|text| Recipient::parse(text));
            let parsed: Vec<Recipient> = parsed.collect::<Result<_, _>>()?;
            let classic = parsed.iter().filter(|one| matches!(one, Recipient::Classic(_))).count();
            if classic != 0 && classic != parsed.len() {
                return Err(JournalError::MixedRecipients { class: *class });
            }
        }
        Ok(())
    }

    /// Those of a class, as they were named.
    pub fn of_class(&self, class: Class) -> &[String] {
        self.0.get(&class).map_or(&[], Vec::as_slice)
    }

    /// As the log's entries hold them.
    pub(crate) fn to_json(&self) -> Value {
        self.0.iter().map(|(class, named)| (class.name().to_owned(), json!(named))).collect()
    }

    /// The inverse.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let by_class = value.as_object()?.iter().map(|(class, named)| {
            Some((Class::from_name(class)?, serde_json::from_value(named.clone()).ok()?))
        });
        let recipients = Self(by_class.collect::<Option<_>>()?);
        recipients.check().ok()?;
        Some(recipients)
    }

    /// Those who may read a part: of the head, all.
    fn of(&self, part: Part) -> Vec<&String> {
        let mut named: Vec<&String> = match part {
            Part::Head => self.0.values().flatten().collect(),
            Part::Of(class) => self.0[&class].iter().collect(),
        };
        named.sort_unstable();
        named.dedup();
        named
    }

    /// Wraps a key: age files in base64, one for each sort of recipients, with dots between them.
    fn wrap(&self, part: Part, key: &Hash) -> Result<String, JournalError> {
        let parsed = self.of(part).into_iter().map(|text| Recipient::parse(text));
        let parsed: Vec<Recipient> = parsed.collect::<Result<_, _>>()?;
        let classic = parsed.iter().filter_map(|one| match one {
            Recipient::Classic(one) => Some(one as &dyn age::Recipient),
            Recipient::PostQuantum(_) => None,
        });
        let hybrid = parsed.iter().filter_map(|one| match one {
            Recipient::PostQuantum(one) => Some(one.as_ref() as &dyn age::Recipient),
            Recipient::Classic(_) => None,
        });
        let groups = [classic.collect::<Vec<_>>(), hybrid.collect()];
        let files = groups.into_iter().filter(|group| !group.is_empty()).map(|group| {
            let seal =
                |error: &dyn std::fmt::Display| JournalError::Seal { what: error.to_string() };
            let encryptor =
                Encryptor::with_recipients(group.into_iter()).map_err(|error| seal(&error))?;
            let mut file = Vec::new();
            let mut writer = encryptor.wrap_output(&mut file).map_err(|error| seal(&error))?;
            writer.write_all(key.as_slice()).map_err(|error| seal(&error))?;
            writer.finish().map_err(|error| seal(&error))?;
            Ok(BASE64_STANDARD.encode(file))
        });
        Ok(files.collect::<Result<Vec<_>, _>>()?.join("."))
    }
}

/// Room for keys in locked memory.
pub(crate) fn locked<const COUNT: usize>() -> Result<Locked<COUNT>, JournalError> {
    let no_memory = |error| JournalError::Seal { what: format!("there is no memory: {error}") };
    Locked::new().map_err(no_memory)
}

/// The keys of a segment, each with its wrapping.
pub(crate) struct SegmentKeys {
    keys: Locked<5>,
    wrapped: [String; 5],
}

impl SegmentKeys {
    /// Fresh ones.
    pub(crate) fn new(recipients: &Recipients) -> Result<Self, JournalError> {
        let mut keys = locked()?;
        let bytes = keys.keys_mut().as_flattened_mut();
        getrandom::fill(bytes).expect("the system gives random bytes");
        let mut wrapped: [String; 5] = Default::default();
        for part in Part::ALL {
            wrapped[part.index()] = recipients.wrap(part, &keys.keys()[part.index()])?;
        }
        Ok(Self { keys, wrapped })
    }

    /// The key of a part.
    pub(crate) fn key(&self, part: Part) -> &Hash {
        &self.keys.keys()[part.index()]
    }

    /// The same, wrapped.
    pub(crate) fn wrapped(&self, part: Part) -> &str {
        &self.wrapped[part.index()]
    }

    /// What a Parquet file says of the key of a column: the key material of Parquet's key tools.
    pub(crate) fn material(&self, part: Part) -> Vec<u8> {
        crate::canonical::canonical(&json!({
            "keyMaterialType": "PKMT1",
            "internalStorage": true,
            "isFooterKey": part == Part::Head,
            "kmsInstanceID": "DEFAULT",
            "kmsInstanceURL": "DEFAULT",
            "masterKeyID": part.name(),
            "wrappedDEK": self.wrapped(part),
            "doubleWrapping": false,
        }))
    }
}

/// The wrapped key of key material.
pub fn read_key_material(bytes: &[u8]) -> Option<String> {
    let material: Value = serde_json::from_slice(bytes).ok()?;
    let kept = material["keyMaterialType"] == "PKMT1" && material["doubleWrapping"] == false;
    kept.then(|| material["wrappedDEK"].as_str().map(str::to_owned)).flatten()
}

/// A fresh identity, as the content of its file, and its recipient.
pub fn new_identity(created: i64) -> (Zeroizing<String>, String) {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string();
    let text = Zeroizing::new(format!(
        "# created: {}\n# public key: {recipient}\n{}\n",
        crate::record::show_time(created),
        identity.to_string().expose_secret()
    ));
    (text, recipient)
}

/// The seed of a signing key.
pub(crate) type Seed = Zeroizing<Hash>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identities::Identities;

    fn pair() -> (Identities, String) {
        let (text, recipient) = new_identity(0);
        (Identities::parse(text.as_bytes()).unwrap(), recipient)
    }

    const HYBRID: &str = include_str!("../testdata/tagpq-recipient.txt");

    #[test]
    fn a_key_opens_for_its_class_only() {
        let ((all, a), (few, b)) = (pair(), pair());
        let named = [(Some(Class::Restricted), a.clone()), (None, b), (None, a)];
        let recipients = Recipients::new(&named).unwrap();
        assert_eq!(Recipients::from_json(&recipients.to_json()), Some(recipients.clone()));
        let keys = SegmentKeys::new(&recipients).unwrap();
        for part in Part::ALL {
            let wrapped = read_key_material(&keys.material(part)).unwrap();
            assert_eq!(all.unwrap(&wrapped).as_deref(), Some(keys.key(part)), "{part:?}");
            let sealed = part == Part::Of(Class::Restricted);
            assert_eq!(few.unwrap(&wrapped).is_none(), sealed, "{part:?}");
        }
        assert!(pair().0.unwrap(keys.wrapped(Part::Head)).is_none());
    }

    #[test]
    fn without_a_recipient_there_is_no_journal() {
        let (_, recipient) = pair();
        let error = Recipients::new(&[]).unwrap_err();
        assert!(matches!(error, JournalError::NoRecipient { class: Class::Public }));
        let error = Recipients::new(&[(Some(Class::Restricted), recipient.clone())]).unwrap_err();
        assert!(matches!(error, JournalError::NoRecipient { class: Class::Public }));
        let error = Recipients::new(&[(None, "age1x".into())]).unwrap_err();
        assert!(matches!(error, JournalError::BadRecipient { .. }));
        let (secret, _) = new_identity(0);
        let secret = secret.lines().last().unwrap().to_owned();
        let error = Recipients::new(&[(None, secret.clone())]).unwrap_err();
        assert!(error.to_string().contains("identity"), "{error}");
        assert!(!format!("{error} {error:?} {:?}", error.hint()).contains(&secret[16..]));
        let mixed = [(None, recipient), (None, HYBRID.trim().to_owned())];
        let error = Recipients::new(&mixed).unwrap_err();
        assert!(matches!(error, JournalError::MixedRecipients { .. }));
    }

    #[test]
    fn a_class_may_be_sealed_against_quantum_computers() {
        let (other, recipient) = pair();
        let named = [(Some(Class::Restricted), HYBRID.trim().to_owned()), (None, recipient)];
        let keys = SegmentKeys::new(&Recipients::new(&named).unwrap()).unwrap();
        assert!(other.unwrap(keys.wrapped(Part::Head)).is_some());
        let wrapped = keys.wrapped(Part::Of(Class::Restricted));
        assert!(other.unwrap(wrapped).is_none());
        let file = BASE64_STANDARD.decode(wrapped).unwrap();
        assert!(file.starts_with(b"age-encryption.org/v1\n-> mlkem768p256tag "));
    }
}
