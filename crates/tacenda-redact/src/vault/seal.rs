//! How values are sealed: to the vault's public key on the way in (RFC 9180), under the key of
//! their subject inside (XChaCha20-Poly1305).

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use hpke::aead::{AeadCtxR, AeadCtxS, ChaCha20Poly1305};
use hpke::kdf::HkdfSha256;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use zeroize::Zeroizing;

use crate::key_ring::Epoch;
use crate::keys::VaultRecipient;
use crate::secret::Secret;

/// RFC 9180: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, `ChaCha20Poly1305`, base mode.
type Kem = hpke::kem::X25519HkdfSha256;
pub(super) type Sealer = AeadCtxS<ChaCha20Poly1305, HkdfSha256, Kem>;
pub(super) type Opener = AeadCtxR<ChaCha20Poly1305, HkdfSha256, Kem>;

const INFO: &[u8] = b"tacenda spool v1";
pub(super) const NONCE: usize = 24;

/// The secret from which the keys of the vault are derived, in an epoch.
fn secret(epoch: &Epoch, environment: &str) -> Secret {
    epoch.secret.derive(&[b"vault", environment.as_bytes()])
}

/// Whom to seal values for that go into the vault of an environment.
pub(crate) fn recipient(epoch: &Epoch, environment: &str) -> VaultRecipient {
    let (_, public) =
        Kem::derive_keypair(secret(epoch, environment).derive(&[b"recipient"]).bytes());
    VaultRecipient(public.to_bytes().into())
}

/// The key that wraps keys, in an epoch.
pub(super) fn wrapping(epoch: &Epoch, environment: &str) -> Secret {
    secret(epoch, environment).derive(&[b"wrap"])
}

/// Seals one message after the other to a recipient; the first value opens the context.
pub(super) fn sealer(recipient: VaultRecipient) -> Option<([u8; 32], Sealer)> {
    let public = <Kem as hpke::Kem>::PublicKey::from_bytes(&recipient.0).ok()?;
    let (encapsulated, sealer) =
        hpke::setup_sender::<ChaCha20Poly1305, HkdfSha256, Kem>(&OpModeS::Base, &public, INFO)
            .ok()?;
    Some((encapsulated.to_bytes().into(), sealer))
}

/// The other end of it.
pub(super) fn opener(epoch: &Epoch, environment: &str, encapsulated: &[u8]) -> Option<Opener> {
    let (private, _) =
        Kem::derive_keypair(secret(epoch, environment).derive(&[b"recipient"]).bytes());
    let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
    hpke::setup_receiver(&OpModeR::Base, &private, &encapsulated, INFO).ok()
}

/// Seals bytes under a key: a random nonce, then the ciphertext with its tag. `bound` has to be the
/// same when they are opened.
pub(super) fn seal(key: &Secret, bound: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).expect("the system gives random bytes");
    let sealed = XChaCha20Poly1305::new(key.bytes().into())
        .encrypt(&XNonce::from(nonce), Payload { msg: bytes, aad: bound })
        .expect("a value is shorter than the 256 GiB that the cipher takes");
    [nonce.as_slice(), &sealed].concat()
}

/// The inverse; `None` for another key, another `bound` or bytes that were changed.
pub(super) fn open(key: &Secret, bound: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    XChaCha20Poly1305::new(key.bytes().into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: bound })
        .ok()
        .map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_sealed_opens_unless_something_changed(
            value in prop::collection::vec(any::<u8>(), 0..80), at: prop::sample::Index, with in 1_u8..
        ) {
            let (key, other) = (Secret::random(), Secret::random());
            let mut sealed = seal(&key, b"token", &value);
            prop_assert!(open(&key, b"token", &sealed).is_some_and(|opened| *opened == value));
            prop_assert!(open(&key, b"another", &sealed).is_none());
            prop_assert!(open(&other, b"token", &sealed).is_none());
            let at = at.index(sealed.len());
            sealed[at] ^= with;
            prop_assert!(open(&key, b"token", &sealed).is_none());
            prop_assert!(open(&key, b"token", &sealed[..at]).is_none());
        }
    }
}
