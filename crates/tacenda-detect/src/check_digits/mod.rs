//! Check digits of identifiers. A rule names a function of this module in its `check`.
//!
//! Each function takes the letters and digits of a value (letters as capitals, no separators) and
//! says whether it can have been issued: check digits, dates and ranges as the issuer publishes
//! them. A new number goes into the file of its region; what several numbers share is here.

mod africa_middle_east;
mod americas;
mod asia_pacific;
mod calendar;
mod europe_central;
mod europe_east;
mod europe_north;
mod europe_south;
mod europe_vat;
mod europe_west;
mod finance;
mod things;

pub(crate) use africa_middle_east::*;
pub(crate) use americas::*;
pub(crate) use asia_pacific::*;
pub(crate) use europe_central::*;
pub(crate) use europe_east::*;
pub(crate) use europe_north::*;
pub(crate) use europe_south::*;
pub(crate) use europe_vat::*;
pub(crate) use europe_west::*;
pub(crate) use finance::*;
pub(crate) use things::*;

/// The value of a digit, or of a letter counted on from ten.
fn value(byte: u8) -> u32 {
    match byte {
        b'0'..=b'9' => u32::from(byte - b'0'),
        b'A'..=b'Z' => u32::from(byte - b'A') + 10,
        _ => 0,
    }
}

/// The number that the digits write.
fn number(digits: &[u8]) -> u64 {
    digits
        .iter()
        .fold(0, |number, byte| number.wrapping_mul(10).wrapping_add(u64::from(value(*byte))))
}

/// A stretch of `text`; empty where `text` is too short.
fn part(text: &[u8], range: std::ops::Range<usize>) -> &[u8] {
    text.get(range).unwrap_or(&[])
}

/// The value at place `i`; more than any digit where `text` is too short.
fn digit(text: &[u8], i: usize) -> u32 {
    text.get(i).map_or(u32::MAX, |byte| value(*byte))
}

fn all_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

/// The sum of the digits, each times its weight.
fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| value(*digit) * weight).sum()
}

/// The check digit of ISO/IEC 7812-1, annex B (Luhn), at the end of `digits`.
pub(crate) fn luhn(digits: &[u8]) -> bool {
    all_digits(digits) && luhn_sum(digits).is_multiple_of(10)
}

fn luhn_sum(digits: &[u8]) -> u32 {
    let doubled = |(place, digit): (usize, &u8)| {
        let times = value(*digit) << (place % 2);
        if times > 9 { times - 9 } else { times }
    };
    digits.iter().rev().enumerate().map(doubled).sum()
}

/// ISO/IEC 7064, MOD 11,10, with the check digit at the end.
fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let rest = body.iter().fold(10, |product, digit| {
        let sum = (value(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    all_digits(digits) && (rest + value(*check)) % 10 == 1
}

/// ISO/IEC 7064, MOD 11-2, with the check character (a digit or `X`) at the end.
fn mod_11_2(text: &[u8]) -> bool {
    let Some((check, body)) = text.split_last() else { return false };
    let rest = body.iter().fold(0, |rest, digit| (rest + value(*digit)) * 2 % 11);
    let check = if *check == b'X' { 10 } else { value(*check) };
    (rest + check) % 11 == 1
}

/// The remainder by 97 of the text read as one number, letters as two digits each.
fn mod_97(text: &[u8]) -> u32 {
    text.iter().fold(0, |rest, byte| {
        let value = value(*byte);
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    })
}

/// Number of a file that somebody keeps: no check digit, but four digits at least.
pub(crate) fn record_number(text: &[u8]) -> bool {
    text.iter().filter(|b| b.is_ascii_digit()).count() >= 4
}

/// Number of a passport: no check digit that all share, but four digits at least, and no word.
pub(crate) fn passport(text: &[u8]) -> bool {
    // Germany leaves out vowels and letters that look like digits, and draws the rest.
    let drawn = |byte: &u8| {
        byte.is_ascii_digit() || b"CFGHJKLMNPRTVWXYZ".contains(&byte.to_ascii_uppercase())
    };
    record_number(text)
        || text.len() == 9 && text.iter().all(drawn) && text.iter().any(u8::is_ascii_digit)
}

/// J. Verhoeff's check digit (1969) at the end of `digits`.
pub(crate) fn verhoeff(digits: &[u8]) -> bool {
    const STEP: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    if !all_digits(digits) {
        return false;
    }
    // The dihedral group of the pentagon, and the permutation by place.
    let times = |a: u32, b: u32| match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b - 5) % 5 + 5,
        (false, true) => (a - 5 + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    };
    let check = digits.iter().rev().enumerate().fold(0, |check, (place, digit)| {
        let moved = (0..place % 8).fold(value(*digit), |digit, _| STEP[digit as usize % 10]);
        times(check, moved)
    });
    check == 0
}

#[cfg(test)]
mod tests;
