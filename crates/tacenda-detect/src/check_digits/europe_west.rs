//! The United Kingdom, Ireland, France, Belgium, the Netherlands, Luxembourg.

use super::calendar::{is_day, is_yyyymmdd};
use super::{all_digits, digit, luhn, mod_97, number, part, value, verhoeff, weighted};

/// NHS number of England, Wales and the Isle of Man.
pub(crate) fn gb_nhs(digits: &[u8]) -> bool {
    let check = match 11 - weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11 {
        11 => 0,
        check => check,
    };
    digits.len() == 10 && check == digit(digits, 9)
}

/// National Insurance number: no check digit, but prefixes that are never given out (HMRC).
pub(crate) fn gb_nino(text: &[u8]) -> bool {
    let Some(&[first, second]) = text.first_chunk::<2>() else { return false };
    // ZZ is not given out either, but stands in for a number in data that people try things with.
    let refused: [&[u8; 2]; 6] = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN"];
    !b"DFIQUV".contains(&first)
        && !b"DFIOQUV".contains(&second)
        && !refused.contains(&&[first, second])
        && part(text, 2..8).iter().any(|b| *b != b'0')
        && (text.starts_with(b"ZZ") || matches!(text.get(8), None | Some(b'A'..=b'D')))
}

/// Unique taxpayer reference (HMRC).
pub(crate) fn gb_utr(digits: &[u8]) -> bool {
    let rest = weighted(part(digits, 1..10), &[6, 7, 8, 9, 10, 5, 4, 3, 2]) % 11;
    digits.len() == 10
        && [2, 1, 9, 8, 7, 6, 5, 4, 3, 2, 1].get(rest as usize) == Some(&digit(digits, 0))
}

/// Driver number of Great Britain (DVLA): five of the surname filled up with 9, the date of birth with
/// its digits apart, the sex in the month.
pub(crate) fn gb_driver(text: &[u8]) -> bool {
    let surname = part(text, 0..5);
    let letters = surname.iter().take_while(|b| b.is_ascii_uppercase()).count();
    let month = number(part(text, 6..8));
    let month = if month > 50 { month - 50 } else { month };
    text.len() == 16
        && letters > 0
        && surname[letters..].iter().all(|b| *b == b'9')
        && all_digits(part(text, 5..11))
        && is_day(0, month, number(part(text, 8..10)))
        && part(text, 11..13).iter().all(|b| b.is_ascii_uppercase() || *b == b'9')
}

/// Personal public service number of Ireland.
pub(crate) fn ie_pps(text: &[u8]) -> bool {
    let extra = match text.get(8) {
        None | Some(b'W' | b'T') => 0,
        Some(letter) => value(*letter).saturating_sub(9) * 9,
    };
    let rest = (weighted(part(text, 0..7), &[8, 7, 6, 5, 4, 3, 2]) + extra) % 23;
    let wanted = b"WABCDEFGHIJKLMNOPQRSTUV".get(rest as usize);
    text.len() >= 8 && wanted == text.get(7)
}

/// Numéro d'inscription au répertoire of France (INSEE), Corsica's departments included.
pub(crate) fn fr_nir(text: &[u8]) -> bool {
    let Some(text) = text.first_chunk::<15>() else { return false };
    let mut digits = *text;
    let island = match (text[5], text[6]) {
        (b'2', b'A') => 1_000_000,
        (b'2', b'B') => 2_000_000,
        _ => 0,
    };
    if island > 0 {
        digits[6] = b'0';
    }
    let month = number(&text[3..5]);
    let body = number(&digits[..13]).wrapping_sub(island);
    matches!(text[0], b'1'..=b'4' | b'7' | b'8')
        && (matches!(month, 1..=12 | 20..=42 | 50..=99))
        && all_digits(&digits)
        && 97 - body % 97 == number(&digits[13..])
}

/// SIREN and SIRET of France (INSEE).
pub(crate) fn fr_siret(digits: &[u8]) -> bool {
    // The post office has its own rule for its branches.
    let post = digits.len() == 14
        && digits.starts_with(b"356000000")
        && digits.iter().map(|b| value(*b)).sum::<u32>().is_multiple_of(5);
    luhn(part(digits, 0..9)) && (digits.len() == 9 || digits.len() == 14 && (luhn(digits) || post))
}

/// Numéro fiscal de référence of France.
pub(crate) fn fr_tax(digits: &[u8]) -> bool {
    digits.len() == 13
        && digit(digits, 0) < 4
        && number(part(digits, 0..10)) % 511 == number(part(digits, 10..13))
}

/// National number of Belgium; those born from 2000 on have a 2 in front when it is computed.
pub(crate) fn be_national(digits: &[u8]) -> bool {
    let body = number(part(digits, 0..9));
    let check = number(part(digits, 9..11));
    let old = 97 - body % 97 == check;
    let young = 97 - (2_000_000_000 + body) % 97 == check;
    // Foreigners have 20 or 40 added to the month; unknown parts of the date are zeros.
    let month = number(part(digits, 2..4)) % 20;
    digits.len() == 11 && month <= 12 && number(part(digits, 4..6)) <= 31 && (old || young)
}

/// Enterprise number of Belgium.
pub(crate) fn be_enterprise(digits: &[u8]) -> bool {
    digits.len() == 10
        && digit(digits, 0) < 2
        && 97 - number(part(digits, 0..8)) % 97 == number(part(digits, 8..10))
}

/// Burgerservicenummer of the Netherlands: the test of eleven.
pub(crate) fn nl_bsn(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2]);
    digits.len() == 9 && sum > 0 && sum % 11 == digit(digits, 8)
}

/// Btw-identificatienummer of the Netherlands: the test of eleven, or MOD 97-10 since 2020.
pub(crate) fn nl_btw(text: &[u8]) -> bool {
    nl_bsn(part(text, 2..11)) || mod_97(text) == 1
}

/// National identification number of Luxembourg: Luhn and Verhoeff over the same eleven digits.
pub(crate) fn lu_national(digits: &[u8]) -> bool {
    let Some(body) = digits.first_chunk::<13>() else { return false };
    let mut other = [0; 12];
    other[..11].copy_from_slice(&body[..11]);
    other[11] = body[12];
    is_yyyymmdd(&body[..8]) && luhn(&body[..12]) && verhoeff(&other)
}
