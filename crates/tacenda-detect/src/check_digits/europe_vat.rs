//! VAT numbers of the European Union and its neighbours, with the country in front (VIES).

use super::{
    all_digits, be_enterprise, bg_company, bg_person, cz_birth, cz_company, digit, dk_company,
    es_cif, es_dni, fi_company, gr_afm, hr_oib, hu_company, ie_pps, it_vat, luhn, mod_11_10,
    nl_btw, no_organisation, number, part, pl_nip, pt_nif, ro_company, se_organisation, si_tax,
    value, weighted,
};

/// Whether the number behind the country's letters is right.
pub(crate) fn eu_vat(text: &[u8]) -> bool {
    let Some((country, rest)) = text.split_first_chunk::<2>() else { return false };
    match country {
        b"AT" => at_vat(rest),
        b"BE" => be_enterprise(rest),
        b"BG" => bg_company(rest) || bg_person(rest),
        b"CY" => cy_vat(rest),
        b"CZ" => cz_company(rest) || cz_birth(rest),
        b"DE" => rest.len() == 9 && rest[0] != b'0' && mod_11_10(rest),
        b"DK" => dk_company(rest),
        b"EE" => ee_vat(rest),
        b"EL" | b"GR" => gr_afm(rest),
        b"ES" => es_cif(rest) || rest.len() == 9 && es_dni(rest),
        b"FI" => fi_company(rest),
        b"FR" => fr_vat(rest),
        b"GB" | b"XI" => gb_vat(rest),
        b"HR" => hr_oib(rest),
        b"HU" => rest.len() == 8 && hu_company(rest),
        b"IE" => ie_vat(rest),
        b"IT" => it_vat(rest),
        b"LT" => lt_vat(rest),
        b"LU" => lu_vat(rest),
        b"LV" => lv_vat(rest),
        b"MT" => mt_vat(rest),
        b"NL" => nl_btw(text),
        b"NO" => no_organisation(rest.get(..9).unwrap_or(&[])),
        b"PL" => pl_nip(rest),
        b"PT" => pt_nif(rest),
        b"RO" => ro_company(rest),
        b"SE" => rest.len() == 12 && se_organisation(part(rest, 0..10)),
        b"SI" => si_tax(rest),
        b"SK" => rest.len() == 10 && number(rest).is_multiple_of(11),
        _ => false,
    }
}

/// Cyprus: odd places by a table, even ones as they are.
fn cy_vat(text: &[u8]) -> bool {
    const ODD: [u32; 10] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21];
    let digits = part(text, 0..8);
    let sum: u32 = (0..8)
        .map(|i| {
            if i % 2 == 0 { ODD[digit(digits, i).min(9) as usize] } else { digit(digits, i).min(9) }
        })
        .sum();
    text.len() == 9 && all_digits(digits) && u32::from(text[8].saturating_sub(b'A')) == sum % 26
}

/// Austria; `U` in front.
fn at_vat(text: &[u8]) -> bool {
    let Some((b'U', digits)) = text.split_first() else { return false };
    let Some((check, body)) = digits.split_last() else { return false };
    let doubled = |(i, digit): (usize, &u8)| {
        let times = value(*digit) << (i % 2);
        if times > 9 { times - 9 } else { times }
    };
    let sum: u32 = body.iter().enumerate().map(doubled).sum();
    digits.len() == 8 && all_digits(digits) && (6 + 9 * sum) % 10 == value(*check)
}

/// Estonia.
fn ee_vat(digits: &[u8]) -> bool {
    digits.len() == 9 && weighted(digits, &[3, 7, 1, 3, 7, 1, 3, 7, 1]).is_multiple_of(10)
}

/// France: a key of two digits before the SIREN; newer keys with letters are taken as they are.
fn fr_vat(text: &[u8]) -> bool {
    let (key, siren) = (part(text, 0..2), part(text, 2..11));
    let good = !all_digits(key) || (12 + 3 * (number(siren) % 97)) % 97 == number(key);
    text.len() == 11 && luhn(siren) && good
}

/// The United Kingdom: two digits that make the sum a multiple of 97, or 42 (55) less.
pub(crate) fn gb_vat(digits: &[u8]) -> bool {
    let rest = weighted(digits, &[8, 7, 6, 5, 4, 3, 2, 10, 1]) % 97;
    matches!(digits.len(), 9 | 12) && all_digits(digits) && matches!(rest, 0 | 42)
}

/// Ireland: as the number of a person, or with a sign in the second place.
fn ie_vat(text: &[u8]) -> bool {
    let Some(second) = text.get(1) else { return false };
    if second.is_ascii_digit() {
        return ie_pps(text);
    }
    let mut moved = *b"00000000";
    let Some(text) = text.first_chunk::<8>() else { return false };
    moved[1..6].copy_from_slice(&text[2..7]);
    moved[6] = text[0];
    moved[7] = text[7];
    ie_pps(&moved)
}

/// Lithuania, of nine digits or twelve.
fn lt_vat(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else { return false };
    let sum = |from: u32| -> u32 {
        body.iter()
            .enumerate()
            .map(|(i, b)| value(*b) * ((u32::try_from(i).unwrap_or(0) + from) % 9 + 1))
            .sum()
    };
    let rest = if sum(0) % 11 == 10 { sum(2) % 11 % 10 } else { sum(0) % 11 };
    matches!(digits.len(), 9 | 12) && rest == value(*check)
}

/// Luxembourg.
fn lu_vat(digits: &[u8]) -> bool {
    digits.len() == 8 && number(part(digits, 0..6)) % 89 == number(part(digits, 6..8))
}

/// Latvia.
fn lv_vat(digits: &[u8]) -> bool {
    digits.len() == 11
        && digits[0] > b'3'
        && weighted(digits, &[9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1]) % 11 == 3
}

/// Malta.
fn mt_vat(digits: &[u8]) -> bool {
    digits.len() == 8 && weighted(digits, &[3, 4, 6, 7, 8, 9, 10, 1]).is_multiple_of(37)
}
