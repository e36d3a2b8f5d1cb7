//! Devices and vehicles.

use super::{luhn, value};

/// IMEI (3GPP TS 23.003, annex B), or with the software version in place of the check digit.
pub(crate) fn imei(digits: &[u8]) -> bool {
    digits.len() == 15 && luhn(digits) || digits.len() == 16
}

/// ICCID of a SIM card (ITU-T E.118); an odd one may be filled up with `F`.
pub(crate) fn iccid(text: &[u8]) -> bool {
    let digits = text.strip_suffix(b"F").unwrap_or(text);
    digits.starts_with(b"89") && matches!(digits.len(), 18..=20) && luhn(digits)
}

/// Number of a machine: two digits or more among its letters, no word in capitals and no count.
pub(crate) fn serial(text: &[u8]) -> bool {
    let digits = text.iter().filter(|b| b.is_ascii_digit()).count();
    digits >= 2 && (digits < text.len() || digits >= 8)
}

/// Address of an interface: two different bytes at least, so that it is no mask.
pub(crate) fn mac(text: &[u8]) -> bool {
    text.len() == 12 && text.iter().any(|b| *b != text[0])
}

/// Vehicle identification number (ISO 3779) with the check digit of North America and China.
pub(crate) fn vin(text: &[u8]) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    // A to I are 1 to 9, J to R 1 to 9, S to Z 2 to 9.
    let place = |byte: u8| match byte {
        b'0'..=b'9' => value(byte),
        b'A'..=b'I' => u32::from(byte - b'A') + 1,
        b'J'..=b'R' => u32::from(byte - b'J') + 1,
        _ => u32::from(byte.saturating_sub(b'S')) + 2,
    };
    let sum: u32 = text.iter().zip(WEIGHTS).map(|(byte, weight)| place(*byte) * weight).sum();
    let check = match sum % 11 {
        10 => b'X',
        rest => b'0' + u8::try_from(rest).unwrap_or(0),
    };
    vin_form(text) && text[8] == check
}

/// The letters and digits of a VIN of any maker, letters and digits both.
pub(crate) fn vin_form(text: &[u8]) -> bool {
    text.len() == 17
        && !text.iter().any(|b| matches!(b, b'I' | b'O' | b'Q'))
        && text.iter().any(u8::is_ascii_digit)
        && text.iter().filter(|b| b.is_ascii_uppercase()).count() >= 2
}
