//! Romania, Bulgaria, Croatia, Slovenia and its neighbours, Ukraine, Russia, Kazakhstan, Turkey.

use super::calendar::is_day;
use super::{digit, mod_11_10, number, part, value, weighted};

/// Cod numeric personal of Romania.
pub(crate) fn ro_personal(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9]) % 11;
    let born = is_day(0, number(part(digits, 3..5)), number(part(digits, 5..7)));
    let county = number(part(digits, 7..9));
    digits.len() == 13
        && digits[0] != b'0'
        && born
        && matches!(county, 1..=52 | 70 | 80..=83)
        && (if rest == 10 { 1 } else { rest }) == digit(digits, 12)
}

/// CUI of Romanian companies, of two to ten digits.
pub(crate) fn ro_company(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let sum: u32 =
        body.iter().rev().zip([2, 3, 5, 7, 1, 2, 3, 5, 7]).map(|(d, w)| value(*d) * w).sum();
    sum * 10 % 11 % 10 == value(*check)
}

/// EGN of Bulgaria; the century is in the month.
pub(crate) fn bg_person(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[2, 4, 8, 5, 10, 9, 7, 3, 6]);
    let born = is_day(0, number(part(digits, 2..4)) % 20, number(part(digits, 4..6)));
    digits.len() == 10 && born && sum % 11 % 10 == digit(digits, 9)
}

/// BULSTAT of Bulgarian companies.
pub(crate) fn bg_company(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8]) % 11;
    let rest =
        if rest == 10 { weighted(digits, &[3, 4, 5, 6, 7, 8, 9, 10]) % 11 % 10 } else { rest };
    digits.len() == 9 && rest == digit(digits, 8)
}

/// OIB of Croatia.
pub(crate) fn hr_oib(digits: &[u8]) -> bool {
    digits.len() == 11 && mod_11_10(digits)
}

/// JMBG and EMŠO: the personal number of Yugoslavia, still that of its successors.
pub(crate) fn yu_person(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[7, 6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]);
    let year = number(part(digits, 4..7));
    let born = is_day(year, number(part(digits, 2..4)), number(part(digits, 0..2)));
    let check = (11 - sum % 11) % 11;
    digits.len() == 13 && born && !(50..850).contains(&year) && check == digit(digits, 12)
}

/// RNOKPP, the tax number of people in Ukraine.
pub(crate) fn ua_person(digits: &[u8]) -> bool {
    // The first weight is -1, which is 10 by 11.
    let sum = weighted(digits, &[10, 5, 7, 9, 4, 6, 10, 5, 7]);
    digits.len() == 10 && sum % 11 % 10 == digit(digits, 9)
}

/// INN of Russia: ten digits for companies, twelve for people.
pub(crate) fn ru_inn(digits: &[u8]) -> bool {
    let check =
        |weights: &[u32], at: usize| weighted(digits, weights) % 11 % 10 == digit(digits, at);
    match digits.len() {
        10 => check(&[2, 4, 10, 3, 5, 9, 4, 6, 8], 9),
        12 => {
            check(&[7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 10)
                && check(&[3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8], 11)
        }
        _ => false,
    }
}

/// SNILS of Russia.
pub(crate) fn ru_snils(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2, 1]);
    digits.len() == 11 && u64::from(sum % 101 % 100) == number(part(digits, 9..11))
}

/// OGRN and OGRNIP of Russia.
pub(crate) fn ru_ogrn(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let by = match digits.len() {
        13 => 11,
        15 => 13,
        _ => return false,
    };
    number(body) % by % 10 == u64::from(value(*check))
}

/// IIN and BIN of Kazakhstan.
pub(crate) fn kz_iin(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]) % 11;
    let rest =
        if rest == 10 { weighted(digits, &[3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2]) % 11 } else { rest };
    let born = is_day(0, number(part(digits, 2..4)), number(part(digits, 4..6)));
    digits.len() == 12 && born && rest == digit(digits, 11)
}

/// T.C. kimlik numarası of Turkey.
pub(crate) fn tr_person(digits: &[u8]) -> bool {
    let odd = weighted(digits, &[1, 0, 1, 0, 1, 0, 1, 0, 1]);
    let even = weighted(digits, &[0, 1, 0, 1, 0, 1, 0, 1]);
    let first = (odd * 7 + 90 - even) % 10;
    let second = (odd + even + digit(digits, 9).min(9)) % 10;
    digits.len() == 11
        && digits[0] != b'0'
        && first == digit(digits, 9)
        && second == digit(digits, 10)
}

/// Vergi kimlik numarası of Turkey.
pub(crate) fn tr_tax(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .take(9)
        .zip((1..=9).rev())
        .map(|(byte, place): (&u8, u32)| {
            let moved = (value(*byte) + place) % 10;
            let grown = moved * 2_u32.pow(place) % 9;
            if moved != 0 && grown == 0 { 9 } else { grown }
        })
        .sum();
    digits.len() == 10 && (10 - sum % 10) % 10 == digit(digits, 9)
}

/// IDNP of Moldova.
pub(crate) fn md_person(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[7, 3, 1, 7, 3, 1, 7, 3, 1, 7, 3, 1]);
    digits.len() == 13 && sum % 10 == digit(digits, 12)
}

/// EDRPOU of Ukrainian companies.
pub(crate) fn ua_company(digits: &[u8]) -> bool {
    let middle = (30_000_000..=60_000_000).contains(&number(digits));
    let (first, second): (&[u32], &[u32]) = if middle {
        (&[7, 1, 2, 3, 4, 5, 6], &[9, 3, 4, 5, 6, 7, 8])
    } else {
        (&[1, 2, 3, 4, 5, 6, 7], &[3, 4, 5, 6, 7, 8, 9])
    };
    let rest = weighted(digits, first) % 11;
    let rest = if rest < 10 { rest } else { weighted(digits, second) % 11 % 10 };
    digits.len() == 8 && rest == digit(digits, 7)
}

/// Davčna številka of Slovenia.
pub(crate) fn si_tax(digits: &[u8]) -> bool {
    let check = (11 - weighted(digits, &[8, 7, 6, 5, 4, 3, 2]) % 11) % 10;
    digits.len() == 8 && digits[0] != b'0' && check == digit(digits, 7)
}

/// PIB of Serbia.
pub(crate) fn rs_company(digits: &[u8]) -> bool {
    digits.len() == 9 && mod_11_10(digits)
}
