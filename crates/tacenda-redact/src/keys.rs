//! The keys in force: one for each purpose, for one environment in one epoch.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use tacenda_policy::Policy;
use zeroize::Zeroizing;

use crate::canonical::Canonical;
use crate::fpe::NumberCipher;
use crate::key_ring::{Epoch, KeyError, KeyRing};
use crate::secret::Secret;

/// The environment variable in which a guarded process hands its keys to its children, so that
/// equal values have equal pseudonyms in all of them. It holds no secret of the key file, only what
/// one environment derives from it in one epoch.
pub const HANDOVER_KEYS_VARIABLE: &str = "TACENDA_DERIVED_KEYS";

/// The keys in force. Nothing is derived or scheduled any more when they are used.
#[derive(Clone)]
pub struct Keys {
    epoch: u32,
    /// What all of them but the vault's are derived from.
    secret: Secret,
    fingerprint: Hmac<Sha256>,
    pseudonym: Hmac<Sha256>,
    token: Hmac<Sha256>,
    numbers: NumberCipher,
    vault: Option<VaultRecipient>,
}

/// The public key of the vault (X25519): who has it can put values in and take none out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VaultRecipient(pub(crate) [u8; 32]);

/// The keyed hash of a value in its canonical form: equal for equal values in any spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub [u8; 16]);

impl Pseudonym {
    /// Its first hexadecimal digits, at most 32.
    pub fn hex(&self, digits: usize) -> String {
        let mut hex = crate::render::hex(&self.0[..digits.div_ceil(2).min(self.0.len())]);
        hex.truncate(digits);
        hex
    }
}

impl Keys {
    /// The keys of the ring that the policy names; else those of the guarded process around us; else
    /// fresh ones.
    pub fn load(policy: &Policy) -> Result<Self, KeyError> {
        let ring = KeyRing::load(policy)?;
        let ours = ring.map(|ring| Self::of(ring.newest(), policy.environment()));
        Ok(ours.or_else(Self::inherited).unwrap_or_else(Self::random))
    }

    /// The keys for a policy that the process around us handed over: its own come first, so that a
    /// key file is not read, nor a command run, in each of its children.
    pub fn handed_over(policy: &Policy) -> Result<Self, KeyError> {
        Self::inherited().map_or_else(|| Self::load(policy), Ok)
    }

    fn inherited() -> Option<Self> {
        let text = std::env::var(HANDOVER_KEYS_VARIABLE).ok().map(Zeroizing::new)?;
        Self::from_handover(&text)
    }

    /// Fresh ones: values are seen to be equal as long as they live.
    pub fn random() -> Self {
        Self::from_secret(0, Secret::random(), None)
    }

    /// Those of an environment in an epoch.
    pub fn of(epoch: &Epoch, environment: &str) -> Self {
        let secret = epoch.secret.derive(&[b"environment", environment.as_bytes()]);
        let vault = crate::vault::recipient(epoch, environment);
        Self::from_secret(epoch.id, secret, Some(vault))
    }

    fn from_secret(epoch: u32, secret: Secret, vault: Option<VaultRecipient>) -> Self {
        Self {
            epoch,
            fingerprint: secret.derive(&[b"fingerprint"]).mac(),
            pseudonym: secret.derive(&[b"pseudonym"]).mac(),
            token: secret.derive(&[b"token"]).mac(),
            numbers: NumberCipher::new(&secret.derive(&[b"format-preserving encryption"])),
            vault,
            secret,
        }
    }

    /// One line for [`HANDOVER_KEYS_VARIABLE`]. It is secret.
    pub fn handover(&self) -> Zeroizing<String> {
        let vault = self.vault.map(|vault| crate::render::hex(&vault.0)).unwrap_or_default();
        Zeroizing::new(format!("1:{}:{}:{vault}", self.epoch, *self.secret.to_hex()))
    }

    /// Those that a line of [`handover`](Self::handover) spells.
    pub fn from_handover(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (version, epoch, secret, vault) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let vault = match vault {
            "" => None,
            digits => Some(VaultRecipient(*Secret::from_hex(digits)?.bytes())),
        };
        (version == "1" && parts.next().is_none()).then(|| {
            Some(Self::from_secret(epoch.parse().ok()?, Secret::from_hex(secret)?, vault))
        })?
    }

    /// The number of the epoch; 0 for fresh keys.
    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    /// The first 24 bits of the HMAC of `value` as it is. For texts that are told apart within a few
    /// records: among 5000 different ones some pair shares one more likely than not.
    pub fn fingerprint(&self, value: &[u8]) -> [u8; 3] {
        let tag = self.fingerprint.clone().chain_update(value).finalize().into_bytes();
        [tag[0], tag[1], tag[2]]
    }

    /// The pseudonym of a value: the first 128 bits of the HMAC of its canonical form.
    pub fn pseudonym(&self, value: &Canonical<'_>) -> Pseudonym {
        Pseudonym(tag(&self.pseudonym, value))
    }

    /// The token of a value.
    pub(crate) fn token(&self, value: &Canonical<'_>) -> String {
        crate::token::spell(value.form, &tag(&self.token, value))
    }

    /// The cipher for numbers.
    pub fn numbers(&self) -> &NumberCipher {
        &self.numbers
    }

    /// Whom to seal values for that go into the vault; nobody when the keys are fresh.
    pub fn vault(&self) -> Option<VaultRecipient> {
        self.vault
    }
}

/// The first 128 bits of the HMAC of form and value.
fn tag(mac: &Hmac<Sha256>, value: &Canonical<'_>) -> [u8; 16] {
    let mac = mac.clone().chain_update(value.form).chain_update([0]).chain_update(&value.bytes);
    let mut tag = [0; 16];
    tag.copy_from_slice(&mac.finalize().into_bytes()[..16]);
    tag
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys {{ epoch: {}, .. }}", self.epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value() -> Canonical<'static> {
        Canonical { form: "email", bytes: b"jane.roe@example.com".into() }
    }

    #[test]
    fn what_is_handed_over_gives_the_same_keys() {
        let ring = KeyRing::generate();
        for keys in [Keys::random(), Keys::of(ring.newest(), "production")] {
            let again = Keys::from_handover(&keys.handover()).unwrap();
            assert_eq!(again.pseudonym(&value()), keys.pseudonym(&value()));
            assert_eq!(again.token(&value()), keys.token(&value()));
            assert_eq!(again.fingerprint(b"x"), keys.fingerprint(b"x"));
            assert_eq!(again.vault(), keys.vault());
            let root = ring.newest().secret.to_hex();
            assert!(!keys.handover().contains(root.as_str()), "the file's secret stays");
        }
        for wrong in ["", "1:1:00:", "2:1:", "1:x:y:z", &format!("1:0:{}", "00".repeat(32))] {
            assert!(Keys::from_handover(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn each_purpose_environment_and_epoch_has_its_keys() {
        let (a, b) = (KeyRing::generate(), KeyRing::generate());
        let all = [
            Keys::of(a.newest(), "production"),
            Keys::of(a.newest(), "staging"),
            Keys::of(b.newest(), "production"),
        ];
        for (i, one) in all.iter().enumerate() {
            for other in &all[..i] {
                assert_ne!(one.pseudonym(&value()), other.pseudonym(&value()));
                assert_ne!(one.token(&value()), other.token(&value()));
                assert_ne!(one.vault(), other.vault());
            }
            assert_ne!(one.pseudonym(&value()).0, tag(&one.token, &value()));
        }
    }

    #[test]
    fn a_pseudonym_is_as_long_as_asked_for() {
        let pseudonym = Pseudonym([0xab; 16]);
        for digits in [6, 7, 12, 32] {
            assert_eq!(pseudonym.hex(digits), "ab".repeat(16)[..digits]);
        }
    }

    #[test]
    fn nothing_is_shown() {
        assert_eq!(format!("{:?}", Keys::random()), "Keys { epoch: 0, .. }");
    }
}
