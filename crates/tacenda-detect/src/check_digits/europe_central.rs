//! Germany, Austria, Switzerland, Poland, Czechia, Slovakia, Hungary.

use super::calendar::{is_day, is_ddmmyy};
use super::{all_digits, digit, mod_11_10, number, part, value, weighted};

/// Steuerliche Identifikationsnummer of Germany.
pub(crate) fn de_tax(digits: &[u8]) -> bool {
    digits.len() == 11 && digit(digits, 0) != 0 && mod_11_10(digits)
}

/// Versicherungsnummer of Germany's pension insurance.
pub(crate) fn de_pension(text: &[u8]) -> bool {
    let Some(text) = text.first_chunk::<12>() else { return false };
    let letter = value(text[8]).wrapping_sub(9);
    let mut digits = [0; 12];
    digits[..8].copy_from_slice(&text[..8]);
    digits[8] = b'0' + u8::try_from(letter / 10).unwrap_or(0);
    digits[9] = b'0' + u8::try_from(letter % 10).unwrap_or(0);
    digits[10..].copy_from_slice(&text[9..11]);
    let sums = digits.iter().zip([2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]);
    let sum: u32 = sums.map(|(d, w)| value(*d) * w).map(|n| n / 10 + n % 10).sum();
    let day = number(&text[2..4]);
    let born = is_day(0, number(&text[4..6]), if day > 50 { day - 50 } else { day });
    born && sum % 10 == value(text[11])
}

/// Krankenversichertennummer of Germany (GKV-Spitzenverband).
pub(crate) fn de_health(text: &[u8]) -> bool {
    let Some(text) = text.first_chunk::<10>() else { return false };
    let letter = value(text[0]).wrapping_sub(9);
    let places = [letter / 10, letter % 10].into_iter().chain(text[1..9].iter().map(|b| value(*b)));
    let sum: u32 =
        places.zip([1, 2].into_iter().cycle()).map(|(d, w)| d * w).map(|n| n / 10 + n % 10).sum();
    all_digits(&text[1..]) && sum % 10 == value(text[9])
}

/// Lebenslange Arztnummer of Germany (KBV).
pub(crate) fn de_physician(digits: &[u8]) -> bool {
    let sum = weighted(part(digits, 0..6), &[4, 9, 4, 9, 4, 9]);
    digits.len() == 9 && (10 - sum % 10) % 10 == digit(digits, 6)
}

/// A number of a travel document that ends in its check digit: weights 7, 3, 1 (ICAO 9303-3, 4.9).
pub(crate) fn document(text: &[u8]) -> bool {
    let Some((check, body)) = text.split_last() else { return false };
    let sum: u32 = body.iter().zip([7, 3, 1].iter().cycle()).map(|(b, w)| value(*b) * w).sum();
    check.is_ascii_digit() && sum % 10 == value(*check)
}

/// Sozialversicherungsnummer of Austria.
pub(crate) fn at_social(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[3, 7, 9, 0, 5, 8, 4, 2, 1, 6]);
    let month = number(part(digits, 6..8));
    digits.len() == 10
        && digit(digits, 0) != 0
        && sum % 11 == digit(digits, 3)
        && (is_ddmmyy(part(digits, 4..10)) || month > 12 && month < 16)
}

/// AHV number of Switzerland: EAN-13 behind 756.
pub(crate) fn ch_ahv(digits: &[u8]) -> bool {
    digits.starts_with(b"756") && ean_13(digits)
}

fn ean_13(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    digits.len() == 13 && sum.is_multiple_of(10)
}

/// Unternehmens-Identifikationsnummer of Switzerland; letters in front.
pub(crate) fn ch_uid(text: &[u8]) -> bool {
    let digits = part(text, 3..12);
    let check = 11 - weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4]) % 11;
    let country = text.get(..3).is_some_and(|sign| sign.eq_ignore_ascii_case(b"CHE"));
    country && digits.len() == 9 && check % 11 == digit(digits, 8)
}

/// PESEL of Poland; the century is in the month.
pub(crate) fn pl_pesel(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    let born = is_day(0, number(part(digits, 2..4)) % 20, number(part(digits, 4..6)));
    digits.len() == 11 && born && sum.is_multiple_of(10)
}

/// NIP of Poland.
pub(crate) fn pl_nip(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[6, 5, 7, 2, 3, 4, 5, 6, 7]);
    digits.len() == 10 && digit(digits, 0) != 0 && sum % 11 == digit(digits, 9)
}

/// REGON of Poland, of nine digits or fourteen.
pub(crate) fn pl_regon(digits: &[u8]) -> bool {
    let check = |weights: &[u32]| weighted(digits, weights) % 11 % 10;
    match digits.len() {
        9 => check(&[8, 9, 2, 3, 4, 5, 6, 7]) == digit(digits, 8),
        14 => check(&[2, 4, 8, 5, 0, 9, 7, 3, 6, 1, 2, 4, 8]) == digit(digits, 13),
        _ => false,
    }
}

/// Number of an identity card of Poland.
pub(crate) fn pl_card(text: &[u8]) -> bool {
    text.len() == 9 && weighted(text, &[7, 3, 1, 9, 7, 3, 1, 7, 3]).is_multiple_of(10)
}

/// Rodné číslo of Czechia and Slovakia: 50 added to a woman's month, 20 more when a day is full.
pub(crate) fn cz_birth(digits: &[u8]) -> bool {
    let month = number(part(digits, 2..4));
    let month = if month > 50 { month - 50 } else { month };
    let month = if month > 20 { month - 20 } else { month };
    let born = is_day(0, month, number(part(digits, 4..6)));
    // A few hundred of the sixties and seventies end in 0 where the remainder is ten.
    let check = number(digits).is_multiple_of(11)
        || number(part(digits, 0..9)) % 11 == 10 && digit(digits, 9) == 0;
    born && (digits.len() == 9 && number(part(digits, 0..2)) < 54 || digits.len() == 10 && check)
}

/// Identifikační číslo osoby of Czechia and Slovakia.
pub(crate) fn cz_company(digits: &[u8]) -> bool {
    let check = (11 - weighted(digits, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 10;
    digits.len() == 8 && check == digit(digits, 7)
}

/// Személyi azonosító of Hungary.
pub(crate) fn hu_personal(digits: &[u8]) -> bool {
    let born = is_day(0, number(part(digits, 3..5)), number(part(digits, 5..7)));
    let up = weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) % 11;
    let down = weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11;
    digits.len() == 11 && born && (up == digit(digits, 10) || down == digit(digits, 10))
}

/// Adóazonosító jel of Hungary.
pub(crate) fn hu_tax(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9]);
    digits.len() == 10 && digits[0] == b'8' && sum % 11 == digit(digits, 9)
}

/// TAJ of Hungary's health insurance.
pub(crate) fn hu_taj(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[3, 7, 3, 7, 3, 7, 3, 7]);
    digits.len() == 9 && sum % 10 == digit(digits, 8)
}

/// Adószám of Hungarian companies.
pub(crate) fn hu_company(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[9, 7, 3, 1, 9, 7, 3]);
    digits.len() >= 8 && (10 - sum % 10) % 10 == digit(digits, 7)
}
