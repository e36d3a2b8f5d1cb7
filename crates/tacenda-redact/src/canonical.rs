//! The canonical form of a value: what all its spellings have in common.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};

use tacenda_policy::Kind;

use crate::country_code;

/// A value without what its spelling adds. Values of different forms are never equal.
#[derive(Clone, PartialEq, Eq)]
pub struct Canonical<'v> {
    /// What it is: `email`, `phone`, or the detector that found it.
    pub(crate) form: &'v str,
    pub(crate) bytes: Cow<'v, [u8]>,
}

impl<'v> Canonical<'v> {
    /// The canonical form of what a detector found.
    ///
    /// - E-mail addresses: percent-encoding resolved, lower case.
    /// - Telephone numbers: ITU-T E.164 digits; those without a country code get `country`, and
    ///   without one stay as they are. An extension follows `;ext=`, as in RFC 3966.
    /// - Numbers of cards, accounts, people and devices: letters and digits alone, upper case.
    /// - Names and postal addresses: lower case, words separated by one space.
    /// - Addresses of hosts: as RFC 5952 and dotted decimal write them.
    /// - Everything else, credentials above all: as it is.
    pub fn new(detector: &'v str, kind: Kind, text: &'v [u8], country: Option<&str>) -> Self {
        let form = if detector.starts_with("phone") { "phone" } else { detector };
        let Ok(utf8) = std::str::from_utf8(text) else { return Self { form, bytes: text.into() } };
        let bytes = match (form, kind) {
            ("email", _) => Cow::Owned(unescape(utf8).to_lowercase().into_bytes()),
            ("phone", _) => Cow::Owned(phone(&unescape(utf8), country).into_bytes()),
            ("ipv4" | "ipv6", _) => address(utf8),
            ("mac-address", _)
            | (_, Kind::Financial | Kind::Personal | Kind::Health | Kind::Device)
                if is_number(utf8) =>
            {
                Cow::Owned(number(utf8))
            }
            (_, Kind::Personal | Kind::Health | Kind::Location)
                if utf8.contains(char::is_alphabetic) =>
            {
                Cow::Owned(words(utf8).into_bytes())
            }
            _ => Cow::Borrowed(text),
        };
        Self { form, bytes }
    }
}

impl std::fmt::Debug for Canonical<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Canonical({}, {} bytes)", self.form, self.bytes.len())
    }
}

/// Percent-encoding resolved, as often as it was applied: `%2540` is `@` encoded twice.
fn unescape(text: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(text);
    while let Some(plain) = unescape_once(&text) {
        text = Cow::Owned(plain);
    }
    text
}

/// `None` when nothing is encoded.
fn unescape_once(text: &str) -> Option<String> {
    memchr::memchr(b'%', text.as_bytes())?;
    let mut parts = text.split('%');
    let mut plain = parts.next()?.as_bytes().to_vec();
    let mut found = false;
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if !part.starts_with('+') => {
                found = true;
                plain.push(byte);
                plain.extend_from_slice(&part.as_bytes()[2..]);
            }
            _ => {
                plain.push(b'%');
                plain.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8(plain).ok().filter(|_| found)
}

/// A telephone number as `+4930123456`, or its digits when the country is not known.
fn phone(text: &str, country: Option<&str>) -> String {
    // The digits of a trunk prefix in brackets are not dialled from abroad.
    let text = text.replace("(0)", "");
    let (number, extension) = match text.find(['x', 'X', 'e', 'E', '#', ';']) {
        Some(at) => text.split_at(at),
        None => (text.as_str(), ""),
    };
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (dialled, extension) = (digits(number), digits(extension));
    let international = if number.contains('+') {
        Some(dialled.as_str())
    } else {
        dialled.strip_prefix("00").filter(|rest| country_code::length(rest).is_some())
    };
    let mut canonical = match (international, country) {
        (Some(digits), _) => format!("+{digits}"),
        (None, Some("1")) if dialled.len() == 11 && dialled.starts_with('1') => {
            format!("+{dialled}")
        }
        // In Italy, San Marino and the Vatican the zero is part of the number.
        (None, Some(country @ ("39" | "378" | "379"))) => format!("+{country}{dialled}"),
        (None, Some(country)) => {
            format!("+{country}{}", dialled.strip_prefix('0').unwrap_or(&dialled))
        }
        (None, None) => dialled,
    };
    if !extension.is_empty() {
        canonical.push_str(";ext=");
        canonical.push_str(&extension);
    }
    canonical
}

/// Addresses are written in many ways: `::1` and `0:0:0:0:0:0:0:1`.
fn address(text: &str) -> Cow<'_, [u8]> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Cow::Owned(address.to_string().into_bytes());
    }
    match text.parse::<Ipv6Addr>() {
        Ok(address) => Cow::Owned(address.to_string().into_bytes()),
        Err(_) => Cow::Borrowed(text.as_bytes()),
    }
}

/// Something with a digit in it, and otherwise letters and what separates groups of digits.
fn is_number(text: &str) -> bool {
    text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b" -./:".contains(&b))
        // A street and its number are no number.
        && text.split(' ').all(|word| word.len() <= 4 || word.bytes().any(|b| b.is_ascii_digit()))
}

fn number(text: &str) -> Vec<u8> {
    text.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase()).collect()
}

fn words(text: &str) -> String {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|word| !word.is_empty())
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn canonical(detector: &'static str, kind: Kind, text: &str, country: Option<&str>) -> String {
        let value = Canonical::new(detector, kind, text.as_bytes(), country);
        format!("{} {}", value.form, String::from_utf8_lossy(&value.bytes))
    }

    #[test]
    fn every_spelling_has_one_form() {
        let email = [
            "jane.roe@example.com",
            "Jane.Roe@Example.COM",
            "jane.roe%40example.com",
            "JANE.ROE%2540example.com",
        ];
        for text in email {
            assert_eq!(
                canonical("email", Kind::Personal, text, None),
                "email jane.roe@example.com"
            );
        }
        let phone = [
            "+49 30 1234567",
            "+49 (0)30 1234567",
            "0049-30-123 4567",
            "%2B49301234567",
            "(+49) 30/1234567",
            "+49.30.1234567",
        ];
        for text in phone {
            assert_eq!(
                canonical("phone", Kind::Personal, text, None),
                "phone +49301234567",
                "{text}"
            );
        }
        for text in ["030 1234567", "030/123-4567", "+49 30 1234567"] {
            let detector = if text.starts_with('+') { "phone" } else { "phone-national" };
            assert_eq!(
                canonical(detector, Kind::Personal, text, Some("49")),
                "phone +49301234567",
                "{text}"
            );
        }
        for text in ["(415) 555-0132", "1-415-555-0132", "+1 415 555 0132"] {
            assert_eq!(
                canonical("phone-national", Kind::Personal, text, Some("1")),
                "phone +14155550132",
                "{text}"
            );
        }
        for text in ["001-204-821-0538x169", "+1 204 821 0538 ext. 169", "+1-204-821-0538;ext=169"]
        {
            assert_eq!(
                canonical("phone", Kind::Personal, text, None),
                "phone +12048210538;ext=169",
                "{text}"
            );
        }
        for text in ["4111 1111 1111 1111", "4111-1111-1111-1111", "4111111111111111"] {
            assert_eq!(
                canonical("payment-card", Kind::Financial, text, None),
                "payment-card 4111111111111111"
            );
        }
        for text in ["GB29 NWBK 6016 1331 9268 19", "gb29nwbk60161331926819"] {
            assert_eq!(
                canonical("iban", Kind::Financial, text, None),
                "iban GB29NWBK60161331926819"
            );
        }
        for text in ["Ines  Moreau", "INES MOREAU", "ines\u{a0}moreau", "Ines\nMoreau"] {
            assert_eq!(canonical("name", Kind::Personal, text, None), "name ines moreau");
        }
        for text in ["Canary Lane 3, 10115 Berlin", "canary  lane 3 10115 BERLIN"] {
            assert_eq!(
                canonical("address", Kind::Location, text, None),
                "address canary lane 3 10115 berlin"
            );
        }
        for text in ["2001:db8::1", "2001:0DB8:0:0::0001"] {
            assert_eq!(canonical("ipv6", Kind::Network, text, None), "ipv6 2001:db8::1");
        }
        for text in ["02-00-5E-10-00-00", "02:00:5e:10:00:00"] {
            assert_eq!(
                canonical("mac-address", Kind::Network, text, None),
                "mac-address 02005E100000"
            );
        }
    }

    #[test]
    fn what_differs_stays_apart() {
        let different = [
            ("api-key", Kind::Credential, "aB3", "ab3"),
            ("email", Kind::Personal, "a@example.com", "a@example.org"),
            ("phone", Kind::Personal, "+49 30 123", "+49 30 124"),
            ("phone", Kind::Personal, "+1 204 821 0538", "+1 204 821 0538 x9"),
            ("phone-national", Kind::Personal, "030 1234567", "+49 30 1234567"),
            ("name", Kind::Personal, "Ines Moreau", "Ines Moreaux"),
            ("coordinates", Kind::Location, "52.52, 13.4", "52.52, -13.4"),
        ];
        for (detector, kind, a, b) in different {
            assert_ne!(
                canonical(detector, kind, a, None),
                canonical(detector, kind, b, None),
                "{a}"
            );
        }
        assert_ne!(
            canonical("us-ssn", Kind::Personal, "078-05-1120", None),
            canonical("sin", Kind::Personal, "078-05-1120", None)
        );
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form(
            text in "[a-zA-Z0-9@.%+ ()/-]{0,40}|\\PC{0,20}",
            which in 0_usize..6,
            country in prop::option::of("[1-9][0-9]{0,2}"),
        ) {
            let (detector, kind) = [
                ("email", Kind::Personal),
                ("iban", Kind::Financial),
                ("name", Kind::Personal),
                ("ipv6", Kind::Network),
                ("address", Kind::Location),
                ("api-key", Kind::Credential),
            ][which];
            let once = Canonical::new(detector, kind, text.as_bytes(), country.as_deref());
            let twice = Canonical::new(detector, kind, &once.bytes, country.as_deref());
            prop_assert_eq!(&twice.bytes, &once.bytes);
        }

        #[test]
        fn a_phone_number_is_the_same_however_it_is_grouped(
            digits in "[1-9][0-9]{9,13}", gaps in prop::collection::vec("[ ./-]?", 14)
        ) {
            let grouped: String =
                digits.chars().zip(&gaps).flat_map(|(digit, gap)| [digit].into_iter().chain(gap.chars())).collect();
            let of = |text: &str| phone(text, None);
            prop_assert_eq!(of(&format!("+{grouped}")), of(&format!("+{digits}")));
        }

        #[test]
        fn any_bytes_have_a_form(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            for (detector, kind) in [("email", Kind::Personal), ("phone", Kind::Personal)] {
                let _: Canonical<'_> = Canonical::new(detector, kind, &bytes, Some("1"));
            }
        }
    }
}
