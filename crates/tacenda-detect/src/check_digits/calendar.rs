//! Dates of birth inside numbers.

use super::number;

/// Whether there is such a day; `year` may be of two digits, whose century is not known.
pub(super) fn is_day(year: u64, month: u64, day: u64) -> bool {
    let leap = year.is_multiple_of(4);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u64::from(leap),
        _ => return false,
    };
    (1..=last).contains(&day)
}

/// Six digits, year first.
pub(super) fn is_yymmdd(digits: &[u8]) -> bool {
    digits.len() == 6 && is_day(number(&digits[..2]), number(&digits[2..4]), number(&digits[4..]))
}

/// Six digits, day first.
pub(super) fn is_ddmmyy(digits: &[u8]) -> bool {
    digits.len() == 6 && is_day(number(&digits[4..]), number(&digits[2..4]), number(&digits[..2]))
}

/// Eight digits, year first, in the lifetime of somebody.
pub(super) fn is_yyyymmdd(digits: &[u8]) -> bool {
    digits.len() == 8
        && (1850..=2050).contains(&number(&digits[..4]))
        && is_day(number(&digits[..4]), number(&digits[4..6]), number(&digits[6..]))
}
