//! Africa and the Middle East.

use super::calendar::{is_day, is_yymmdd};
use super::{digit, luhn, number, part, weighted};

/// Identity number of South Africa; citizens, residents, refugees.
pub(crate) fn za_identity(digits: &[u8]) -> bool {
    digits.len() == 13 && is_yymmdd(&digits[..6]) && digits[10] <= b'2' && luhn(digits)
}

/// National identification number of Egypt: the century, a date, a governorate.
pub(crate) fn eg_national(digits: &[u8]) -> bool {
    digits.len() == 14
        && matches!(digits[0], b'2' | b'3')
        && is_yymmdd(&digits[1..7])
        && matches!(number(&digits[7..9]), 1..=4 | 11..=35 | 88)
}

/// Teudat Zehut of Israel.
pub(crate) fn il_identity(digits: &[u8]) -> bool {
    digits.len() == 9 && luhn(digits)
}

/// Emirates ID.
pub(crate) fn ae_emirates(digits: &[u8]) -> bool {
    digits.len() == 15
        && digits.starts_with(b"784")
        && matches!(number(&digits[3..7]), 1900..=2050)
        && luhn(digits)
}

/// National and residence numbers of Saudi Arabia.
pub(crate) fn sa_national(digits: &[u8]) -> bool {
    digits.len() == 10 && matches!(digits[0], b'1' | b'2') && luhn(digits)
}

/// Civil number of Kuwait: the century, a date.
pub(crate) fn kw_civil(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]);
    digits.len() == 12
        && matches!(digits[0], b'1'..=b'3')
        && is_yymmdd(&digits[1..7])
        && 11 - sum % 11 == digit(digits, 11)
}

/// National code of Iran.
pub(crate) fn ir_national(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11;
    digits.len() == 10 && digit(digits, 9) == if rest < 2 { rest } else { 11 - rest }
}

/// QID of Qatar: the century and the year of birth, a country.
pub(crate) fn qa_identity(digits: &[u8]) -> bool {
    digits.len() == 11 && matches!(digits[0], b'2' | b'3') && number(part(digits, 3..6)) > 3
}

/// Number of Bahrain: the year and month of birth.
pub(crate) fn bh_personal(digits: &[u8]) -> bool {
    digits.len() == 9 && is_day(0, number(&digits[2..4]), 1)
}
