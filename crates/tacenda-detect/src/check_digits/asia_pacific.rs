//! Asia, Australia, New Zealand.

use super::calendar::{is_day, is_yymmdd, is_yyyymmdd};
use super::{all_digits, digit, mod_11_2, number, part, value, verhoeff, weighted};

/// Aadhaar of India (UIDAI).
pub(crate) fn in_aadhaar(digits: &[u8]) -> bool {
    digits.len() == 12 && digits[0] > b'1' && verhoeff(digits)
}

/// GSTIN of India: a state, a PAN.
pub(crate) fn in_gstin(text: &[u8]) -> bool {
    text.len() == 15 && matches!(number(&text[..2]), 1..=37 | 97 | 99)
}

/// Number of the resident identity card of China (GB 11643-1999).
pub(crate) fn cn_resident(text: &[u8]) -> bool {
    text.len() == 18
        && matches!(number(&text[..2]), 11..=15 | 21..=23 | 31..=37 | 41..=46 | 50..=54 | 61..=65 | 71 | 81..=83 | 91)
        && is_yyyymmdd(&text[6..14])
        && mod_11_2(text)
}

/// Unified social credit code of China (GB 32100-2015).
pub(crate) fn cn_credit(text: &[u8]) -> bool {
    const ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
    let mut sum = 0;
    for (byte, weight) in text.iter().zip(WEIGHTS) {
        let Some(value) = ALPHABET.iter().position(|b| b == byte) else { return false };
        sum += value * weight;
    }
    text.len() == 18 && text.last() == Some(&ALPHABET[(31 - sum % 31) % 31])
}

/// National identification number of Taiwan; residents have a letter or 8, 9 in the second place.
pub(crate) fn tw_person(text: &[u8]) -> bool {
    let letter = |byte: u8| {
        b"ABCDEFGHJKLMNPQRSTUVXYWZIO"
            .iter()
            .position(|b| *b == byte)
            .and_then(|i| u32::try_from(i).ok())
            .map_or(0, |i| i + 10)
    };
    let Some(text) = text.first_chunk::<10>() else { return false };
    let first = letter(text[0]);
    let second = if text[1].is_ascii_digit() { value(text[1]) } else { letter(text[1]) % 10 };
    let sum =
        first / 10 + first % 10 * 9 + second * 8 + weighted(&text[2..], &[7, 6, 5, 4, 3, 2, 1, 1]);
    all_digits(&text[2..])
        && matches!(text[1], b'1' | b'2' | b'8' | b'9' | b'A'..=b'D')
        && sum.is_multiple_of(10)
}

/// Unified business number of Taiwan.
pub(crate) fn tw_company(digits: &[u8]) -> bool {
    let products = digits.iter().zip([1, 2, 1, 2, 1, 2, 4, 1]).map(|(d, w)| value(*d) * w);
    let sum: u32 = products.map(|n| n / 10 + n % 10).sum();
    digits.len() == 8 && (sum.is_multiple_of(5) || digits[6] == b'7' && (sum + 1).is_multiple_of(5))
}

/// Hong Kong identity card number; one letter or two in front, the check character may be `A`.
pub(crate) fn hk_identity(text: &[u8]) -> bool {
    let mut padded = [36; 9];
    let Some(from) = 9_usize.checked_sub(text.len()) else { return false };
    for (place, byte) in padded[from..].iter_mut().zip(text) {
        *place = value(*byte);
    }
    let sum: u32 = padded.iter().zip((1..=9).rev()).map(|(value, weight)| value * weight).sum();
    (8..=9).contains(&text.len()) && sum.is_multiple_of(11)
}

/// NRIC and FIN of Singapore.
pub(crate) fn sg_nric(text: &[u8]) -> bool {
    let Some(text) = text.first_chunk::<9>() else { return false };
    let sum = weighted(&text[1..], &[2, 7, 6, 5, 4, 3, 2]);
    let (added, letters): (u32, &[u8; 11]) = match text[0] {
        b'S' => (0, b"JZIHGFEDCBA"),
        b'T' => (4, b"JZIHGFEDCBA"),
        b'F' => (0, b"XWUTRQPNMLK"),
        b'G' => (4, b"XWUTRQPNMLK"),
        b'M' => (3, b"KLJNPQRTUWX"),
        _ => return false,
    };
    let rest = ((sum + added) % 11) as usize;
    let rest = if text[0] == b'M' { 10 - rest } else { rest };
    letters[rest] == text[8]
}

/// Unique entity number of Singapore: a business, a company with its year, or any other entity.
pub(crate) fn sg_uen(text: &[u8]) -> bool {
    const OTHER: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWX0123456789";
    let Some((check, body)) = text.split_last() else { return false };
    let of = |letters: &[u8; 11], sum: u32| letters[sum as usize % 11] == *check;
    match body.len() {
        8 => of(b"XMKECAWLJDB", weighted(body, &[10, 4, 9, 3, 8, 2, 7, 1])),
        9 if all_digits(body) => of(b"ZKCMDNERGWH", weighted(body, &[10, 8, 6, 4, 9, 7, 5, 3, 1])),
        9 => {
            let place = |byte: &u8| OTHER.iter().position(|b| b == byte).unwrap_or(0);
            let sum: usize =
                body.iter().zip([4, 3, 5, 3, 10, 2, 2, 5, 7]).map(|(b, w)| place(b) * w).sum();
            OTHER[(sum + 6) % 11] == *check
        }
        _ => false,
    }
}

/// National identification number of Thailand.
pub(crate) fn th_national(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
    // The second and third digit are the number of a province.
    digits.len() == 13
        && digits[0] != b'0'
        && matches!(number(&digits[1..3]), 10..=27 | 30..=58 | 60..=67 | 70..=77 | 80..=86 | 90..=96)
        && (11 - sum % 11) % 10 == digit(digits, 12)
}

/// Identity card number of Malaysia: a date and a place of birth.
pub(crate) fn my_kad(digits: &[u8]) -> bool {
    let place = number(part(digits, 6..8));
    digits.len() == 12
        && is_yymmdd(&digits[..6])
        && !matches!(place, 0 | 17..=20 | 69 | 70 | 73 | 80 | 81 | 94..=97)
}

/// NIK of Indonesia: a district, and a date of birth to which a woman adds 40 days.
pub(crate) fn id_nik(digits: &[u8]) -> bool {
    let day = number(part(digits, 6..8));
    let born = is_day(0, number(part(digits, 8..10)), if day > 40 { day - 40 } else { day });
    digits.len() == 16
        && matches!(number(part(digits, 0..2)), 11..=21 | 31..=36 | 51..=53 | 61..=65 | 71..=76 | 81 | 82 | 91..=97)
        && born
        && part(digits, 12..16) != b"0000"
}

/// Individual number (My Number) of Japan.
pub(crate) fn jp_individual(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    digits.len() == 12 && digit(digits, 11) == if rest < 2 { 0 } else { 11 - rest }
}

/// Corporate number of Japan; the check digit is the first.
pub(crate) fn jp_corporate(text: &[u8]) -> bool {
    // As the number of a registered taxpayer it has a T in front.
    let digits = text.strip_prefix(b"T").unwrap_or(text);
    let sum = weighted(part(digits, 1..13), &[2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]);
    digits.len() == 13 && 9 - sum % 9 == digit(digits, 0)
}

/// Resident and foreigner registration numbers of Korea: a date and the century. Since 2020 the rest
/// is random, so that the check digit tells nothing any more.
pub(crate) fn kr_resident(digits: &[u8]) -> bool {
    digits.len() == 13 && is_yymmdd(&digits[..6]) && matches!(digits[6], b'1'..=b'8')
}

/// Business registration number of Korea.
pub(crate) fn kr_business(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 7, 1, 3, 7, 1, 3, 5]) + digit(digits, 8).min(9) * 5 / 10;
    digits.len() == 10 && (10 - sum % 10) % 10 == digit(digits, 9)
}

/// Tax file number of Australia, of eight digits or nine.
pub(crate) fn au_tfn(digits: &[u8]) -> bool {
    let weights: &[u32] = match digits.len() {
        9 => &[1, 4, 3, 7, 5, 8, 6, 9, 10],
        8 => &[10, 7, 8, 4, 6, 3, 5, 1],
        _ => return false,
    };
    weighted(digits, weights).is_multiple_of(11)
}

/// Business number of Australia.
pub(crate) fn au_abn(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]);
    digits.len() == 11 && digits[0] != b'0' && sum.wrapping_sub(10).is_multiple_of(89)
}

/// Company number of Australia.
pub(crate) fn au_acn(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[8, 7, 6, 5, 4, 3, 2, 1]);
    digits.len() == 9 && (10 - sum % 10) % 10 == digit(digits, 8)
}

/// Medicare card number of Australia.
pub(crate) fn au_medicare(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9]);
    matches!(digits.len(), 10 | 11)
        && matches!(digits[0], b'2'..=b'6')
        && sum % 10 == digit(digits, 8)
        && digits[9] != b'0'
}

/// IRD number of New Zealand, of eight digits or nine.
pub(crate) fn nz_ird(digits: &[u8]) -> bool {
    let mut padded = [b'0'; 9];
    let Some(from) = 9_usize.checked_sub(digits.len()) else { return false };
    padded[from..].copy_from_slice(digits);
    let check = |weights: &[u32; 8]| match weighted(&padded, weights) % 11 {
        0 => 0,
        rest => 11 - rest,
    };
    let first = check(&[3, 2, 7, 6, 5, 4, 3, 2]);
    let check = if first == 10 { check(&[7, 4, 3, 2, 5, 2, 7, 6]) } else { first };
    digits.len() > 7
        && (10_000_000..200_000_000).contains(&number(digits))
        && check == value(padded[8])
}

/// National health index of New Zealand, in the form of 1992 or that of 2019 (HISO 10046).
pub(crate) fn nz_nhi(text: &[u8]) -> bool {
    const ALPHABET: &[u8; 24] = b"ABCDEFGHJKLMNPQRSTUVWXYZ";
    let value = |byte: u8| {
        if byte.is_ascii_digit() {
            return Some(value(byte));
        }
        ALPHABET.iter().position(|b| *b == byte).and_then(|i| u32::try_from(i + 1).ok())
    };
    let Some(text) = text.first_chunk::<7>() else { return false };
    let Some(sum) = text[..6]
        .iter()
        .zip((2..=7).rev())
        .map(|(b, w)| value(*b).map(|v| v * w))
        .sum::<Option<u32>>()
    else {
        return false;
    };
    if text[6].is_ascii_digit() {
        let rest = sum % 11;
        rest > 0 && (11 - rest) % 10 == super::value(text[6])
    } else {
        // The letter was computed by 24 first, and is by 23 since the second edition.
        [24, 23].into_iter().any(|by| value(text[6]) == Some(by - sum % by))
    }
}

/// Computerised national identity card number of Pakistan: a province, the sex at the end.
pub(crate) fn pk_cnic(digits: &[u8]) -> bool {
    digits.len() == 13 && matches!(digits[0], b'1'..=b'7') && digits[12] != b'0'
}

/// National identity card number of Sri Lanka: the day of the year, 500 added for a woman.
pub(crate) fn lk_nic(text: &[u8]) -> bool {
    let day = match text.len() {
        10 => number(&text[2..5]),
        12 => number(&text[4..7]),
        _ => return false,
    };
    let year = text.len() == 10 || matches!(number(&text[..4]), 1900..=2050);
    year && matches!(day, 1..=366 | 501..=866)
}

/// CCCD of Vietnam: a province and the century.
pub(crate) fn vn_citizen(digits: &[u8]) -> bool {
    digits.len() == 12 && matches!(number(&digits[..3]), 1..=96) && matches!(digits[3], b'0'..=b'3')
}

/// Driving licence number of Korea: a region in front.
pub(crate) fn kr_driver(digits: &[u8]) -> bool {
    digits.len() == 12 && matches!(number(&digits[..2]), 11..=28)
}
