//! North and South America.

use super::calendar::is_yymmdd;
use super::{all_digits, digit, luhn, number, part, value, weighted};

/// Individual taxpayer identification number of the United States (IRS): the ranges given out.
pub(crate) fn us_itin(digits: &[u8]) -> bool {
    let group = number(part(digits, 3..5));
    digits.len() == 9
        && digit(digits, 0) == 9
        && matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// Employer identification number of the United States (IRS): the prefixes of its campuses.
pub(crate) fn us_ein(digits: &[u8]) -> bool {
    let prefix = number(part(digits, 0..2));
    let free = matches!(
        prefix,
        0 | 7 | 8 | 9 | 17 | 18 | 19 | 28 | 29 | 49 | 69 | 70 | 78 | 79 | 89 | 96 | 97
    );
    digits.len() == 9 && !free
}

/// Routing transit number (American Bankers Association).
pub(crate) fn us_routing(digits: &[u8]) -> bool {
    let prefix = number(part(digits, 0..2));
    digits.len() == 9
        && matches!(prefix, 0..=12 | 21..=32 | 61..=72 | 80)
        && weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// National provider identifier (CMS): Luhn over the number behind 80840.
pub(crate) fn us_npi(digits: &[u8]) -> bool {
    let Some(digits) = digits.first_chunk::<10>() else { return false };
    let mut card = *b"808400000000000";
    card[5..].copy_from_slice(digits);
    matches!(digits[0], b'1' | b'2') && luhn(&card)
}

/// Registration number of the Drug Enforcement Administration.
pub(crate) fn us_dea(text: &[u8]) -> bool {
    let Some(digits) = text.get(2..) else { return false };
    let sum = weighted(digits, &[1, 2, 1, 2, 1, 2]);
    digits.len() == 7 && all_digits(digits) && sum % 10 == digit(digits, 6)
}

/// Social insurance number of Canada.
pub(crate) fn ca_sin(digits: &[u8]) -> bool {
    digits.len() == 9 && !matches!(digits[0], b'0' | b'8') && luhn(digits)
}

/// Business number of Canada, with or without the program account.
pub(crate) fn ca_business(text: &[u8]) -> bool {
    luhn(part(text, 0..9))
}

/// Clave Única de Registro de Población of Mexico (RENAPO).
pub(crate) fn mx_curp(text: &[u8]) -> bool {
    // The alphabet has an Ñ between N and O.
    let value = |byte: u8| if byte > b'N' { value(byte) + 1 } else { value(byte) };
    let sum: u32 =
        text.iter().take(17).zip((2..=18).rev()).map(|(b, weight)| value(*b) * weight).sum();
    text.len() == 18 && is_yymmdd(part(text, 4..10)) && (10 - sum % 10) % 10 == digit(text, 17)
}

/// Registro Federal de Contribuyentes of Mexico (SAT): 13 characters for people, 12 for companies.
pub(crate) fn mx_rfc(text: &[u8]) -> bool {
    let letters = text.len().saturating_sub(9);
    if !matches!(text.len(), 12 | 13) || !is_yymmdd(&text[letters..letters + 6]) {
        return false;
    }
    // 0 to 9, A to N, &, O to Z, blank, Ñ; companies have a blank in front.
    let value = |byte: u8| match byte {
        b'&' => 24,
        b'O'.. => value(byte) + 1,
        _ => value(byte),
    };
    let padding = if text.len() == 12 { 37 * 13 } else { 0 };
    let weights = (2..=text.len()).rev().map(|weight| u32::try_from(weight).unwrap_or(0));
    let sum: u32 =
        padding + text.iter().zip(weights).map(|(b, weight)| value(*b) * weight).sum::<u32>();
    let check = match 11 - sum % 11 {
        11 => b'0',
        10 => b'A',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    text.last() == Some(&check)
}

/// Clave Bancaria Estandarizada of Mexico (ABM).
pub(crate) fn mx_clabe(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .take(17)
        .zip([3, 7, 1].iter().cycle())
        .map(|(digit, weight)| value(*digit) * weight % 10)
        .sum();
    digits.len() == 18 && (10 - sum % 10) % 10 == digit(digits, 17)
}

/// Weights that grow from 2 at the right, at most `most`, and begin anew.
fn rising(digits: &[u8], most: u32) -> u32 {
    digits.iter().rev().zip((2..=most).cycle()).map(|(digit, weight)| value(*digit) * weight).sum()
}

/// The check digit of Brazil's tax office over `body`.
fn brazil(body: &[u8], most: u32) -> u32 {
    match 11 - rising(body, most) % 11 {
        10 | 11 => 0,
        digit => digit,
    }
}

/// Cadastro de Pessoas Físicas of Brazil.
pub(crate) fn br_cpf(digits: &[u8]) -> bool {
    digits.len() == 11
        && brazil(part(digits, 0..9), 11) == digit(digits, 9)
        && brazil(part(digits, 0..10), 11) == digit(digits, 10)
}

/// Cadastro Nacional da Pessoa Jurídica of Brazil.
pub(crate) fn br_cnpj(text: &[u8]) -> bool {
    const WEIGHTS: [u32; 13] = [6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2];
    // Since 2026 letters stand for digits, too, by their place in ASCII behind `0`.
    let check = |body: &[u8]| {
        let weights = &WEIGHTS[WEIGHTS.len() - body.len()..];
        let sum: u32 = body
            .iter()
            .zip(weights)
            .map(|(b, weight)| u32::from(b.wrapping_sub(b'0')) * weight)
            .sum();
        (11 - sum % 11) % 11 % 10
    };
    text.len() == 14
        && all_digits(&text[12..])
        && check(&text[..12]) == digit(text, 12)
        && check(&text[..13]) == digit(text, 13)
}

/// PIS, PASEP and NIS of Brazil.
pub(crate) fn br_pis(digits: &[u8]) -> bool {
    digits.len() == 11 && brazil(part(digits, 0..10), 9) == digit(digits, 10)
}

/// Cartão Nacional de Saúde of Brazil.
pub(crate) fn br_cns(digits: &[u8]) -> bool {
    let sum: u32 =
        digits.iter().zip((1..=15).rev()).map(|(digit, weight)| value(*digit) * weight).sum();
    digits.len() == 15
        && matches!(digits[0], b'1' | b'2' | b'7' | b'8' | b'9')
        && sum.is_multiple_of(11)
}

/// CUIT and CUIL of Argentina (AFIP).
pub(crate) fn ar_cuit(digits: &[u8]) -> bool {
    let kind = number(part(digits, 0..2));
    let check = match 11 - weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11 {
        11 => 0,
        10 => 9,
        check => check,
    };
    digits.len() == 11
        && matches!(kind, 20 | 23 | 24 | 25 | 26 | 27 | 30 | 33 | 34)
        && check == digit(digits, 10)
}

/// Clave Bancaria Uniforme of Argentina.
pub(crate) fn ar_cbu(digits: &[u8]) -> bool {
    let check = |body: &[u8]| {
        let weights = [3, 1, 7, 9].iter().cycle();
        (10 - body.iter().rev().zip(weights).map(|(d, w)| value(*d) * w).sum::<u32>() % 10) % 10
    };
    digits.len() == 22
        && check(part(digits, 0..7)) == digit(digits, 7)
        && check(part(digits, 8..21)) == digit(digits, 21)
}

/// Rol Único Tributario of Chile; the check character may be `K`.
pub(crate) fn cl_rut(text: &[u8]) -> bool {
    let Some((check, body)) = text.split_last() else { return false };
    let wanted = match 11 - rising(body, 7) % 11 {
        11 => b'0',
        10 => b'K',
        digit => b'0' + u8::try_from(digit).unwrap_or(0),
    };
    all_digits(body) && *check == wanted
}

/// Número de Identificación Tributaria of Colombia (DIAN).
pub(crate) fn co_nit(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let weights = [3, 7, 13, 17, 19, 23, 29, 37, 41, 43, 47, 53, 59, 67, 71];
    let rest = body.iter().rev().zip(weights).map(|(d, w)| value(*d) * w).sum::<u32>() % 11;
    value(*check) == if rest > 1 { 11 - rest } else { rest }
}

/// Registro Único de Contribuyentes of Peru (SUNAT).
pub(crate) fn pe_ruc(digits: &[u8]) -> bool {
    let check = (11 - weighted(part(digits, 0..10), &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11) % 10;
    digits.len() == 11
        && matches!(number(part(digits, 0..2)), 10 | 15 | 16 | 17 | 20)
        && check == digit(digits, 10)
}

/// Cédula of Ecuador, and the tax number that continues it with 001.
pub(crate) fn ec_cedula(digits: &[u8]) -> bool {
    let province = number(part(digits, 0..2));
    matches!(province, 1..=24 | 30) && digit(digits, 2) < 6 && luhn(part(digits, 0..10))
}

/// Cédula de identidad of Uruguay.
pub(crate) fn uy_ci(digits: &[u8]) -> bool {
    let sum = weighted(part(digits, 0..7), &[2, 9, 8, 7, 6, 3, 4]);
    digits.len() == 8 && (10 - sum % 10) % 10 == digit(digits, 7)
}

/// Registro de Información Fiscal of Venezuela (SENIAT).
pub(crate) fn ve_rif(text: &[u8]) -> bool {
    let kind = match text.first().copied().unwrap_or(0) {
        b'V' => 4,
        b'E' => 8,
        b'J' => 12,
        b'P' => 16,
        b'G' => 20,
        _ => return false,
    };
    let sum = kind + weighted(part(text, 1..9), &[3, 2, 7, 6, 5, 4, 3, 2]);
    let check = match 11 - sum % 11 {
        10 | 11 => 0,
        digit => digit,
    };
    text.len() == 10 && check == digit(text, 9)
}

/// Cédula of the Dominican Republic.
pub(crate) fn do_cedula(digits: &[u8]) -> bool {
    digits.len() == 11 && luhn(digits)
}
