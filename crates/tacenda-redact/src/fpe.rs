//! Numbers that are encrypted into numbers of the same form.

use aes::Aes256;
use aes::cipher::KeyInit as _;
use tacenda_policy::Luhn;

use crate::country_code;
use crate::ff1::Ff1;
use crate::secret::Secret;

/// What a card number keeps: the digits that name the issuer, at most, and the last ones.
const ISSUER: usize = 6;
const LAST: usize = 4;
/// The fewest digits that are encrypted: a million numbers (NIST SP 800-38G Rev. 1).
const FEWEST: usize = 6;

/// The cipher for card- and phone-like numbers: FF1 with AES-256.
#[derive(Clone)]
pub struct NumberCipher(Ff1<Aes256>);

/// A number taken apart: its digits, and which of them are encrypted.
struct Number {
    digits: Vec<u8>,
    /// Kept at the start.
    head: usize,
    /// Kept at the end.
    tail: usize,
    is_card: bool,
    tweak: Vec<u8>,
}

impl NumberCipher {
    pub(crate) fn new(key: &Secret) -> Self {
        Self(Ff1::new(Aes256::new(key.bytes().into()), 10))
    }

    /// The number with other digits in the same places. Of a payment card the issuer (the first six
    /// digits, or fewer where fewer than six would be encrypted) and the last four stay, of a
    /// telephone number the country code or the first zero. `None` for what holds letters, has too
    /// few digits, or is a card number with a wrong check digit.
    pub fn encrypt(&self, detector: &str, text: &[u8], luhn: Luhn) -> Option<String> {
        let text = plain(text)?;
        let mut number = self.number(detector, text)?;
        if number.is_card && !passes_luhn(&number.digits) {
            return None;
        }
        number.walk(text, |tweak, digits| self.0.encrypt(tweak, digits));
        if number.is_card && luhn == Luhn::Invalid {
            shift(number.middle(), 1);
        }
        Some(put(text, &number.digits))
    }

    /// The inverse of [`encrypt`](Self::encrypt), for whichever check digit it was made with.
    pub fn decrypt(&self, detector: &str, text: &[u8]) -> Option<String> {
        let text = plain(text)?;
        let mut number = self.number(detector, text)?;
        if number.is_card && !passes_luhn(&number.digits) {
            shift(number.middle(), 9);
            if !passes_luhn(&number.digits) {
                return None;
            }
        }
        number.walk(text, |tweak, digits| self.0.decrypt(tweak, digits));
        Some(put(text, &number.digits))
    }

    fn number(&self, detector: &str, text: &str) -> Option<Number> {
        let digits: Vec<u8> =
            text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        let is_card = detector == "payment-card";
        let (head, tail) = if is_card {
            (digits.len().checked_sub(LAST + FEWEST)?.min(ISSUER), LAST)
        } else {
            (dialled_head(text, &digits), 0)
        };
        let middle = digits.len().checked_sub(head + tail)?;
        if !self.0.accepts(middle) {
            return None;
        }
        // The same digits in another place, or behind another issuer, become others.
        let mut tweak = detector.as_bytes().to_vec();
        tweak.push(0);
        tweak.extend_from_slice(&digits[..head]);
        tweak.extend_from_slice(&digits[digits.len() - tail..]);
        Some(Number { digits, head, tail, is_card, tweak })
    }
}

impl std::fmt::Debug for NumberCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NumberCipher(..)")
    }
}

impl Number {
    /// Walks the cycle of a permutation until it comes to a number of the same form: a card number
    /// that passes the check, a telephone number that keeps as many digits.
    fn walk(&mut self, text: &str, step: impl Fn(&[u8], &mut [u8])) {
        let end = self.digits.len() - self.tail;
        loop {
            step(&self.tweak, &mut self.digits[self.head..end]);
            let same = if self.is_card {
                passes_luhn(&self.digits)
            } else {
                dialled_head(text, &self.digits) == self.head
            };
            if same {
                return;
            }
        }
    }

    fn middle(&mut self) -> &mut [u8] {
        let end = self.digits.len() - self.tail;
        &mut self.digits[self.head..end]
    }
}

/// A text of digits and what separates them.
fn plain(text: &[u8]) -> Option<&str> {
    let allowed = |byte: &u8| byte.is_ascii_digit() || b" -./()+".contains(byte);
    std::str::from_utf8(text).ok().filter(|text| text.as_bytes().iter().all(allowed))
}

/// Digits that a telephone number keeps: `+` or `00` and the country code, or the first zero.
fn dialled_head(text: &str, digits: &[u8]) -> usize {
    let after = |skip: usize| {
        let digits: String = digits[skip..].iter().map(|digit| char::from(digit + b'0')).collect();
        country_code::length(&digits).map(|length| skip + length)
    };
    if text.contains('+') {
        after(0).unwrap_or(0)
    } else if digits.starts_with(&[0, 0]) {
        after(2).unwrap_or(2)
    } else {
        usize::from(digits.first() == Some(&0))
    }
}

/// Any one digit that changes breaks the check.
fn shift(digits: &mut [u8], by: u8) {
    if let Some(last) = digits.last_mut() {
        *last = (*last + by) % 10;
    }
}

/// ISO/IEC 7812-1, annex B.
fn passes_luhn(digits: &[u8]) -> bool {
    let weighted = digits.iter().rev().enumerate().map(|(i, digit)| match (i % 2, *digit) {
        (0, digit) => u32::from(digit),
        (_, digit) => u32::from(digit * 2 / 10 + digit * 2 % 10),
    });
    weighted.sum::<u32>() % 10 == 0
}

/// The text with these digits.
fn put(text: &str, digits: &[u8]) -> String {
    let mut digits = digits.iter();
    let place = |c: char| match c {
        '0'..='9' => digits.next().map_or(c, |digit| char::from(digit + b'0')),
        other => other,
    };
    text.chars().map(place).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cipher() -> NumberCipher {
        NumberCipher::new(&Secret::from_bytes([3; 32]))
    }

    fn digits(text: &str) -> Vec<u8> {
        text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect()
    }

    #[test]
    fn a_card_keeps_issuer_last_four_and_grouping() {
        for card in
            ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "676222165679"]
        {
            let invalid = cipher().encrypt("payment-card", card.as_bytes(), Luhn::Invalid).unwrap();
            let valid = cipher().encrypt("payment-card", card.as_bytes(), Luhn::Valid).unwrap();
            assert!(!passes_luhn(&digits(&invalid)), "{invalid}");
            assert!(passes_luhn(&digits(&valid)), "{valid}");
            for number in [&invalid, &valid] {
                let issuer = card.bytes().filter(u8::is_ascii_digit).count().min(16) - 10;
                let kept = digits(card)[..issuer].to_vec();
                assert_eq!(number.len(), card.len());
                assert_eq!(digits(number)[..issuer], kept);
                assert!(number.ends_with(&card[card.len() - 4..]));
                assert_eq!(cipher().decrypt("payment-card", number.as_bytes()).unwrap(), card);
            }
        }
    }

    #[test]
    fn a_telephone_number_keeps_its_country() {
        for (number, kept) in [
            ("+49 30 1234567", "+49"),
            ("0049 30 1234567", "0049"),
            ("+1 (415) 555-0132", "+1"),
            ("030/1234567", "0"),
            ("415-555-0132", ""),
        ] {
            let other = cipher().encrypt("phone", number.as_bytes(), Luhn::Invalid).unwrap();
            assert!(other != number && other.starts_with(kept), "{other}");
            let shape = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "9");
            assert_eq!(shape(&other), shape(number));
            assert_eq!(cipher().decrypt("phone", other.as_bytes()).unwrap(), number);
        }
    }

    #[test]
    fn what_is_too_small_or_no_number_is_left_to_the_mask() {
        for (detector, text) in [
            ("phone", "+49 30 123"),
            ("phone", "12345"),
            ("email", "jane1234567@example.com"),
            ("iban", "DE89370400440532013000"),
            ("payment-card", "4111 1111 1111 1112"),
            ("payment-card", "411111111"),
            ("phone", ""),
        ] {
            assert_eq!(cipher().encrypt(detector, text.as_bytes(), Luhn::Invalid), None, "{text}");
        }
    }

    #[test]
    fn keys_and_tweaks_give_others() {
        let of = |key: u8, detector, text: &str| {
            let cipher = NumberCipher::new(&Secret::from_bytes([key; 32]));
            cipher.encrypt(detector, text.as_bytes(), Luhn::Invalid).unwrap()
        };
        let card = "4111111111111111";
        assert_ne!(of(1, "payment-card", card), of(2, "payment-card", card));
        let (a, b) = (of(1, "phone", "+49301234567"), of(1, "phone", "+33301234567"));
        assert_ne!(a[3..], b[3..]);
    }

    proptest! {
        #[test]
        fn any_card_comes_back(
            key in any::<[u8; 32]>(), digits in prop::collection::vec(0_u8..10, 11..=18), valid: bool
        ) {
            let mut number = digits;
            number.push(0);
            let check = (0..10).find(|check| {
                *number.last_mut().unwrap() = *check;
                passes_luhn(&number)
            });
            prop_assert!(check.is_some());
            let card: String = number.iter().map(|digit| char::from(digit + b'0')).collect();
            let cipher = NumberCipher::new(&Secret::from_bytes(key));
            let luhn = if valid { Luhn::Valid } else { Luhn::Invalid };
            let other = cipher.encrypt("payment-card", card.as_bytes(), luhn).unwrap();
            let changed: Vec<u8> = other.bytes().map(|digit| digit - b'0').collect();
            prop_assert_eq!(passes_luhn(&changed), valid);
            prop_assert_eq!(cipher.decrypt("payment-card", other.as_bytes()).unwrap(), card);
        }

        /// Also when what comes out begins with a zero, as if it had a prefix to keep.
        #[test]
        fn any_national_number_comes_back(key in any::<[u8; 32]>(), number in "0?[1-9][0-9]{6,14}") {
            let cipher = NumberCipher::new(&Secret::from_bytes(key));
            let other = cipher.encrypt("phone", number.as_bytes(), Luhn::Invalid).unwrap();
            prop_assert_eq!(cipher.decrypt("phone", other.as_bytes()).unwrap(), number);
        }

        #[test]
        fn any_text_is_encrypted_or_refused(text in "[0-9 +()/.x-]{0,40}|\\PC{0,30}") {
            for detector in ["phone", "payment-card", "us-ssn"] {
                if let Some(other) = cipher().encrypt(detector, text.as_bytes(), Luhn::Invalid) {
                    prop_assert_eq!(other.len(), text.len());
                    prop_assert_eq!(cipher().decrypt(detector, other.as_bytes()), Some(text.clone()));
                }
            }
        }
    }
}
