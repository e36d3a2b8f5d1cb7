//! Tests of a matched value that a pattern cannot express.

use sha2::{Digest, Sha256};
use sha3::Keccak256;

use crate::names::Validator;
use crate::people::{chinese, korean, told, value as people_value};

/// Whether `value` passes.
pub(crate) fn passes(validator: Validator, value: &[u8]) -> bool {
    match validator {
        Validator::GithubChecksum => github_checksum(value),
        Validator::MatrixChecksum => matrix_checksum(value),
        Validator::MixedCharacters => mixed_characters(value),
        Validator::MixedCase => mixed_case(value),
        Validator::Base58Check => base58_check(value),
        Validator::Bech32 => bech32(value),
        Validator::PostalAddress => told::is_address(value),
        Validator::PersonName => people_value::is_name(value),
        Validator::ChineseName => chinese::is_name(value),
        Validator::KoreanName => korean::is_name(value),
        Validator::MixedCaseChecksum => mixed_case_checksum(value),
    }
}

/// The tokens of GitHub and npm end in the CRC-32 of their random part: six digits in base 62.
fn github_checksum(token: &[u8]) -> bool {
    const CHECK: usize = 6;
    let Some(underscore) = memchr::memchr(b'_', token) else { return false };
    let body = &token[underscore + 1..];
    let Some(split) = body.len().checked_sub(CHECK) else { return false };
    let (random, check) = body.split_at(split);
    base62(crc32fast::hash(random)) == check
}

/// Access tokens of Synapse end in the CRC-32 of all before the last `_`.
fn matrix_checksum(token: &[u8]) -> bool {
    let Some(underscore) = memchr::memrchr(b'_', token) else { return false };
    let (body, check) = (&token[..underscore], &token[underscore + 1..]);
    base62(crc32fast::hash(body)) == check
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn base62(mut number: u32) -> [u8; 6] {
    let mut digits = [0; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits
}

/// Letters and digits both: tells a token from a word, a number or a mask.
fn mixed_characters(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_alphabetic)
}

/// Capital and small letters both, behind the prefix.
fn mixed_case(value: &[u8]) -> bool {
    let value = memchr::memchr(b'_', value).map_or(value, |i| &value[i + 1..]);
    value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase)
}

/// The check of a Base58 address of Bitcoin: a version, twenty bytes, the first four of their double SHA-256.
fn base58_check(address: &[u8]) -> bool {
    const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes = [0_u8; 25];
    for letter in address {
        let Some(value) = ALPHABET.iter().position(|b| b == letter) else { return false };
        let mut carry = u32::try_from(value).unwrap_or(0);
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = carry.to_le_bytes()[0];
            carry >>= 8;
        }
        if carry > 0 {
            return false;
        }
    }
    let (payload, check) = bytes.split_at(21);
    Sha256::digest(Sha256::digest(payload))[..4] == *check
}

/// The checksum of EIP-55: a letter of the address is a capital where the hash of the address in small
/// letters has a digit of eight or more. An address in letters of one size has no checksum.
fn mixed_case_checksum(address: &[u8]) -> bool {
    let Some(digits) = address.strip_prefix(b"0x") else { return false };
    let small = digits.to_ascii_lowercase();
    if small == digits || digits.to_ascii_uppercase() == digits {
        return true;
    }
    let hash = Keccak256::digest(&small);
    let nibble = |i: usize| hash.get(i / 2).map_or(0, |byte| byte >> (4 * (1 - i % 2)) & 15);
    let right = |(i, byte): (usize, &u8)| {
        !byte.is_ascii_alphabetic() || byte.is_ascii_uppercase() == (nibble(i) >= 8)
    };
    digits.iter().enumerate().all(right)
}

/// The checksum of Bech32 (BIP 173) or Bech32m (BIP 350).
fn bech32(address: &[u8]) -> bool {
    const ALPHABET: &[u8; 32] = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    const GENERATOR: [u32; 5] = [0x3b6a_57b2, 0x2650_8e6d, 0x1ea1_19fa, 0x3d42_33dd, 0x2a14_62b3];
    let step = |sum: u32, value: u32| {
        let top = sum >> 25;
        let shifted = (sum & 0x01ff_ffff) << 5 ^ value;
        (0..5).filter(|i| top >> i & 1 == 1).fold(shifted, |sum, i| sum ^ GENERATOR[i])
    };
    let Some(split) = memchr::memrchr(b'1', address) else { return false };
    let (prefix, data) = (&address[..split], &address[split + 1..]);
    let high = prefix.iter().fold(1, |sum, b| step(sum, u32::from(b.to_ascii_lowercase() >> 5)));
    let low = prefix.iter().fold(step(high, 0), |sum, b| step(sum, u32::from(*b & 31)));
    let mut sum = low;
    for letter in data {
        let letter = letter.to_ascii_lowercase();
        let Some(value) = ALPHABET.iter().position(|b| *b == letter) else { return false };
        sum = step(sum, u32::try_from(value).unwrap_or(0));
    }
    let mixed =
        address.iter().any(u8::is_ascii_uppercase) && address.iter().any(u8::is_ascii_lowercase);
    !mixed && matches!(sum, 1 | 0x2bc8_30a3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_letter_breaks_the_checksum() {
        let random = "CanaryDoNotUse0123456789abcdef";
        let check = base62(crc32fast::hash(random.as_bytes()));
        let good = format!("ghp_{random}{}", String::from_utf8_lossy(&check));
        assert!(passes(Validator::GithubChecksum, good.as_bytes()));
        assert!(!passes(Validator::GithubChecksum, good.replace("Canary", "Banary").as_bytes()));
        assert!(!passes(Validator::GithubChecksum, b"ghp_"));
    }

    #[test]
    fn addresses_of_ethereum() {
        // The examples of EIP-55.
        for address in [
            "0x52908400098527886E0F7030069857D2E4169EE7",
            "0xde709f2102306220921060314715629080e2fb77",
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        ] {
            assert!(passes(Validator::MixedCaseChecksum, address.as_bytes()), "{address}");
        }
        for address in [
            "0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d358",
        ] {
            assert!(!passes(Validator::MixedCaseChecksum, address.as_bytes()), "{address}");
        }
    }

    #[test]
    fn the_checksum_of_matrix_is_over_the_whole_token() {
        let base = "syt_Y2FuYXJ5_DoNotUseCanaryTokenX";
        let check = base62(crc32fast::hash(base.as_bytes()));
        let good = format!("{base}_{}", String::from_utf8_lossy(&check));
        assert!(passes(Validator::MatrixChecksum, good.as_bytes()));
        assert!(!passes(Validator::MatrixChecksum, good.replace("syt", "sys").as_bytes()));
        assert!(!passes(Validator::MatrixChecksum, b"syt"));
    }
}
