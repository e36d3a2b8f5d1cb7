//! Sweden, Norway, Denmark, Finland, Iceland, Estonia, Latvia, Lithuania.

use super::calendar::{is_day, is_ddmmyy};
use super::{all_digits, digit, luhn, number, part, weighted};

/// Personnummer of Sweden, with the century or without; a co-ordination number has 60 added to the
/// day.
pub(crate) fn se_person(digits: &[u8]) -> bool {
    let Some(short) = digits.len().checked_sub(10).and_then(|from| digits.get(from..)) else {
        return false;
    };
    let day = number(part(short, 4..6));
    let day = if day > 60 { day - 60 } else { day };
    let century = digits.len() == 10 || matches!(part(digits, 0..2), b"18" | b"19" | b"20");
    matches!(digits.len(), 10 | 12)
        && century
        && is_day(number(part(short, 0..2)), number(part(short, 2..4)), day)
        && luhn(short)
}

/// Organisationsnummer of Sweden: the third digit is 2 or more, so that it is no date.
pub(crate) fn se_organisation(digits: &[u8]) -> bool {
    digits.len() == 10 && digit(digits, 2) >= 2 && luhn(digits)
}

/// Fødselsnummer of Norway; D-numbers have 40 added to the day, help numbers to the month.
pub(crate) fn no_birth(digits: &[u8]) -> bool {
    let first = 11 - weighted(digits, &[3, 7, 6, 1, 8, 9, 4, 5, 2]) % 11;
    let second = 11 - weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    let day = number(part(digits, 0..2)) % 40;
    let month = number(part(digits, 2..4)) % 40;
    digits.len() == 11
        && is_day(0, month, day)
        && first % 11 == digit(digits, 9)
        && second % 11 == digit(digits, 10)
}

/// Organisasjonsnummer of Norway.
pub(crate) fn no_organisation(digits: &[u8]) -> bool {
    let check = 11 - weighted(digits, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    digits.len() == 9 && matches!(digits[0], b'8' | b'9') && check % 11 == digit(digits, 8)
}

/// CPR number of Denmark. Since 2007 numbers without a good check digit are given out too.
pub(crate) fn dk_person(digits: &[u8]) -> bool {
    digits.len() == 10 && is_ddmmyy(part(digits, 0..6))
}

/// CPR number of Denmark whose check digit is right.
pub(crate) fn dk_person_checked(digits: &[u8]) -> bool {
    dk_person(digits) && weighted(digits, &[4, 3, 2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// CVR number of Danish companies.
pub(crate) fn dk_company(digits: &[u8]) -> bool {
    digits.len() == 8 && weighted(digits, &[2, 7, 6, 5, 4, 3, 2, 1]).is_multiple_of(11)
}

/// Henkilötunnus of Finland; the sign of the century is left out or is a letter.
pub(crate) fn fi_person(text: &[u8]) -> bool {
    const CHECK: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let serial = if text.get(6).is_some_and(u8::is_ascii_digit) { 6 } else { 7 };
    let (date, serial) = (part(text, 0..6), part(text, serial..serial + 3));
    let number = number(date) * 1000 + number(serial);
    let check = usize::try_from(number % 31).ok().and_then(|rest| CHECK.get(rest));
    all_digits(serial) && serial.len() == 3 && is_ddmmyy(date) && check == text.last()
}

/// Y-tunnus of Finland.
pub(crate) fn fi_company(digits: &[u8]) -> bool {
    let check = 11 - weighted(digits, &[7, 9, 10, 5, 8, 4, 2]) % 11;
    digits.len() == 8 && check % 11 == digit(digits, 7)
}

/// Kennitala of Iceland; companies have 40 added to the day.
pub(crate) fn is_person(digits: &[u8]) -> bool {
    let check = 11 - weighted(digits, &[3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    let born = is_day(0, number(part(digits, 2..4)), number(part(digits, 0..2)) % 40);
    digits.len() == 10
        && born
        && check % 11 == digit(digits, 8)
        && matches!(digit(digits, 9), 0 | 8 | 9)
}

/// Isikukood of Estonia and asmens kodas of Lithuania.
pub(crate) fn baltic_person(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 1]) % 11;
    let rest =
        if rest == 10 { weighted(digits, &[3, 4, 5, 6, 7, 8, 9, 1, 2, 3]) % 11 % 10 } else { rest };
    let born = is_day(0, number(part(digits, 3..5)), number(part(digits, 5..7)));
    digits.len() == 11 && matches!(digits[0], b'1'..=b'8') && born && rest == digit(digits, 10)
}

/// Personas kods of Latvia: with a date of birth, or since 2017 with 32 in front and none.
pub(crate) fn lv_person(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[10, 5, 8, 4, 2, 1, 6, 3, 7, 9]);
    let dated = is_ddmmyy(part(digits, 0..6)) && (sum + 1) % 11 % 10 == digit(digits, 10);
    digits.len() == 11 && (dated || digits.starts_with(b"32"))
}
