//! Spain, Portugal, Italy, Greece.

use super::calendar::is_ddmmyy;
use super::{all_digits, digit, luhn, number, part, value, weighted};

const DNI: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";

/// DNI and NIE of Spain: the letter is the remainder by 23.
pub(crate) fn es_dni(text: &[u8]) -> bool {
    let Some((letter, body)) = text.split_last() else { return false };
    let lead = match body.first() {
        Some(b'Y') => 10_000_000,
        Some(b'Z') => 20_000_000,
        _ => 0,
    };
    let digits = if body.first().is_some_and(u8::is_ascii_uppercase) { &body[1..] } else { body };
    let wanted = usize::try_from((lead + number(digits)) % 23).ok().and_then(|rest| DNI.get(rest));
    all_digits(digits) && wanted == Some(letter)
}

/// CIF of Spanish companies: the check character is a digit or a letter by the kind of company.
pub(crate) fn es_cif(text: &[u8]) -> bool {
    let digits = part(text, 1..8);
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .enumerate()
        .map(|(i, b)| if i % 2 == 0 { doubled(value(*b)) } else { value(*b) })
        .sum();
    let check = (10 - sum % 10) % 10;
    let letter = b"JABCDEFGHI"[check as usize % 10];
    text.len() == 9
        && all_digits(digits)
        && b"ABCDEFGHJNPQRSUVW".contains(&text[0])
        && (digit(text, 8) == check || text[8] == letter)
}

/// Número de la Seguridad Social of Spain.
pub(crate) fn es_social(digits: &[u8]) -> bool {
    let (province, serial) = (number(part(digits, 0..2)), number(part(digits, 2..10)));
    let body = if serial < 10_000_000 {
        province * 10_000_000 + serial
    } else {
        province * 100_000_000 + serial
    };
    digits.len() == 12
        && matches!(province, 1..=53 | 66)
        && body % 97 == number(part(digits, 10..12))
}

/// NIF of Portugal.
pub(crate) fn pt_nif(digits: &[u8]) -> bool {
    let check = match 11 - weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        10 | 11 => 0,
        check => check,
    };
    digits.len() == 9
        && matches!(digits[0], b'1' | b'2' | b'3' | b'5' | b'6' | b'8' | b'9')
            | digits.starts_with(b"45")
        && check == digit(digits, 8)
}

/// Número de documento of Portugal's citizen card: Luhn over digits and letters.
pub(crate) fn pt_card(text: &[u8]) -> bool {
    let doubled = |(place, byte): (usize, &u8)| {
        let value = value(*byte) << (place % 2);
        if place % 2 == 1 && value > 9 { value - 9 } else { value }
    };
    text.len() == 12 && text.iter().rev().enumerate().map(doubled).sum::<u32>().is_multiple_of(10)
}

/// Número de Identificação de Segurança Social of Portugal.
pub(crate) fn pt_social(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[29, 23, 19, 17, 13, 11, 7, 5, 3, 2]);
    digits.len() == 11 && matches!(digits[0], b'1' | b'2') && 9 - sum % 10 == digit(digits, 10)
}

/// Codice fiscale of Italy; where two people share one, digits are written as letters (omocodia).
pub(crate) fn it_fiscal(text: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let Some(text) = text.first_chunk::<16>() else { return false };
    let as_digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte),
        _ => b"LMNPQRSTUV"
            .iter()
            .position(|b| *b == byte)
            .and_then(|i| u8::try_from(i).ok())
            .map(|i| b'0' + i),
    };
    let digits = [6, 7, 9, 10, 12, 13, 14].map(|i| as_digit(text[i]));
    let [Some(_), Some(_), Some(tens), Some(ones), Some(_), Some(_), Some(_)] = digits else {
        return false;
    };
    // A woman's day has 40 added.
    let day = number(&[tens, ones]) % 40;
    let index =
        |byte: u8| if byte.is_ascii_digit() { byte - b'0' } else { byte.saturating_sub(b'A') };
    let sum: u32 = text[..15]
        .iter()
        .enumerate()
        .map(|(i, byte)| {
            let index = index(*byte);
            if i % 2 == 0 { ODD[usize::from(index) % 26] } else { u32::from(index) }
        })
        .sum();
    (1..=31).contains(&day)
        && b"ABCDEHLMPRST".contains(&text[8])
        && sum % 26 == u32::from(text[15].saturating_sub(b'A'))
}

/// Partita IVA of Italy.
pub(crate) fn it_vat(digits: &[u8]) -> bool {
    let office = number(part(digits, 7..10));
    digits.len() == 11 && matches!(office, 1..=100 | 120 | 121 | 888 | 999) && luhn(digits)
}

/// AMKA of Greece.
pub(crate) fn gr_amka(digits: &[u8]) -> bool {
    digits.len() == 11 && is_ddmmyy(part(digits, 0..6)) && luhn(digits)
}

/// AFM of Greece.
pub(crate) fn gr_afm(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[256, 128, 64, 32, 16, 8, 4, 2]);
    digits.len() == 9 && sum > 0 && sum % 11 % 10 == digit(digits, 8)
}
