//! Secrets of 32 bytes: derived from each other, spelled as hexadecimal digits, wiped when dropped.

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit as _};
use serde::de::{Deserialize, Deserializer, Visitor};
use sha2::Sha256;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// A secret. Its `Debug` shows nothing of it.
#[derive(Clone, ZeroizeOnDrop)]
pub(crate) struct Secret([u8; 32]);

impl Secret {
    /// A fresh one from the operating system.
    ///
    /// # Panics
    /// When the system has no randomness to give: nothing is safe then.
    pub(crate) fn random() -> Self {
        let mut secret = Self([0; 32]);
        getrandom::fill(&mut secret.0).expect("the system gives random bytes");
        secret
    }

    /// The secret for a purpose: HKDF-SHA-256 (RFC 5869). Each part of the purpose is ended, so that
    /// no two purposes run into one.
    pub(crate) fn derive(&self, purpose: &[&[u8]]) -> Self {
        let mut derived = Self([0; 32]);
        let mut info = b"tacenda".to_vec();
        for part in purpose {
            info.push(0);
            info.extend_from_slice(part);
        }
        Hkdf::<Sha256>::new(Some(b"tacenda keys v1"), &self.0)
            .expand(&info, &mut derived.0)
            .expect("32 bytes are one block of SHA-256");
        derived
    }

    /// HMAC-SHA-256 (RFC 2104, FIPS 198-1) under this key, with the key's two blocks hashed already.
    pub(crate) fn mac(&self) -> Hmac<Sha256> {
        Hmac::new_from_slice(&self.0).expect("HMAC takes a key of any length")
    }

    pub(crate) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The secret spelled by 64 hexadecimal digits.
    pub(crate) fn from_hex(digits: &str) -> Option<Self> {
        let mut secret = Self([0; 32]);
        let digits = digits.as_bytes();
        if digits.len() != 2 * secret.0.len() {
            return None;
        }
        for (byte, pair) in secret.0.iter_mut().zip(digits.chunks_exact(2)) {
            let nibble = |digit: u8| char::from(digit).to_digit(16);
            *byte = u8::try_from(nibble(pair[0])? << 4 | nibble(pair[1])?).ok()?;
        }
        Some(secret)
    }

    /// The 64 hexadecimal digits.
    pub(crate) fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(crate::render::hex(&self.0))
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Reads the digits where they stand, without a copy that would outlive the secret.
impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Digits;
        impl Visitor<'_> for Digits {
            type Value = Secret;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("64 hexadecimal digits")
            }

            fn visit_str<E: serde::de::Error>(self, digits: &str) -> Result<Secret, E> {
                // The message must not carry what it was.
                Secret::from_hex(digits).ok_or_else(|| E::custom("not 64 hexadecimal digits"))
            }
        }
        deserializer.deserialize_str(Digits)
    }
}

#[cfg(test)]
mod tests {
    use hmac::Mac as _;

    use super::*;

    /// RFC 4231, test cases 1 to 4 and 6: short, long and oversized keys.
    #[test]
    fn hmac_sha_256_as_in_rfc_4231() {
        for (key, data, tag) in [
            (
                vec![0x0b; 20],
                b"Hi There".to_vec(),
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?".to_vec(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 20],
                vec![0xdd; 50],
                "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            ),
            (
                (1..=25).collect(),
                vec![0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First".to_vec(),
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(&data);
            assert_eq!(crate::render::hex(&mac.finalize().into_bytes()), tag);
        }
        // Ours takes 32 bytes; HMAC pads a shorter key with zeros.
        let key = Secret::from_hex(&format!("{:0<64}", "4a656665")).unwrap();
        let tag = key.mac().chain_update(b"what do ya want for nothing?").finalize().into_bytes();
        assert_eq!(tag[..3], [0x5b, 0xdc, 0xc1]);
    }

    /// RFC 5869, test cases 1 and 3.
    #[test]
    fn hkdf_sha_256_as_in_rfc_5869() {
        let mut okm = [0; 42];
        let (salt, info): (Vec<u8>, Vec<u8>) = ((0..=12).collect(), (0xf0..=0xf9).collect());
        Hkdf::<Sha256>::new(Some(&salt), &[0x0b; 22]).expand(&info, &mut okm).unwrap();
        assert_eq!(
            crate::render::hex(&okm),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        );
        Hkdf::<Sha256>::new(None, &[0x0b; 22]).expand(&[], &mut okm).unwrap();
        assert_eq!(
            crate::render::hex(&okm),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
        );
    }

    #[test]
    fn each_purpose_has_its_secret() {
        let root = Secret::from_bytes([7; 32]);
        let purposes: [&[&[u8]]; 5] =
            [&[b"a"], &[b"b"], &[b"a", b"b"], &[b"a", b"b", b""], &[b"ab"]];
        for (i, a) in purposes.iter().enumerate() {
            assert_eq!(root.derive(a).bytes(), root.derive(a).bytes());
            for b in &purposes[..i] {
                assert_ne!(root.derive(a).bytes(), root.derive(b).bytes());
            }
        }
    }

    #[test]
    fn a_secret_survives_its_spelling_and_shows_nothing() {
        let secret = Secret::random();
        assert_eq!(Secret::from_hex(&secret.to_hex()).unwrap().bytes(), secret.bytes());
        assert!(Secret::from_hex("00").is_none());
        assert!(Secret::from_hex(&"zz".repeat(32)).is_none());
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
