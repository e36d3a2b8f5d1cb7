//! Securities and accounts.

use super::{mod_97, value};

/// International securities identification number (ISO 6166): Luhn over the digits of the letters.
pub(crate) fn isin(text: &[u8]) -> bool {
    let mut digits = [0; 24];
    let mut length = 0;
    for byte in text.iter().take(12) {
        let value = value(*byte);
        if value > 9 {
            digits[length] = b'0' + u8::try_from(value / 10).unwrap_or(0);
            length += 1;
        }
        digits[length] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        length += 1;
    }
    text.len() == 12 && super::luhn(&digits[..length])
}

/// CUSIP (ANSI X9.6): every second place doubled, letters from ten on.
pub(crate) fn cusip(text: &[u8]) -> bool {
    let sum: u32 = text
        .iter()
        .take(8)
        .enumerate()
        .map(|(i, byte)| value(*byte) << (i % 2))
        .map(|n| n / 10 + n % 10)
        .sum();
    text.len() == 9
        && Some(&(b'0' + u8::try_from((10 - sum % 10) % 10).unwrap_or(0))) == text.last()
}

/// Business identifier code (ISO 9362): the fifth and sixth letters are a country.
pub(crate) fn bic(text: &[u8]) -> bool {
    const COUNTRIES: &[u8] = b"ADAEAFAGAIALAMAOARATAUAWAZBABBBDBEBFBGBHBIBJBMBNBOBRBSBTBWBYBZCACDCF\
        CGCHCICLCMCNCOCRCUCVCWCYCZDEDJDKDMDODZECEEEGERESETFIFJFKFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGTGWGY\
        HKHNHRHTHUIDIEILIMINIQIRISITJEJMJOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMGMKML\
        MMMNMOMQMRMTMUMVMWMXMYMZNANCNENGNINLNONPNZOMPAPEPFPGPHPKPLPMPRPSPTPWPYQARERORSRURWSASBSCSDSESG\
        SISKSLSMSNSOSRSSSTSVSXSYSZTCTDTGTHTJTLTMTNTOTRTTTVTWTZUAUGUSUYUZVAVCVEVGVIVNVUWFWSXKYEYTZAZMZW";
    let country = text.get(4..6);
    matches!(text.len(), 8 | 11) && COUNTRIES.chunks_exact(2).any(|code| Some(code) == country)
}

/// Legal entity identifier (ISO 17442): MOD 97-10.
pub(crate) fn lei(text: &[u8]) -> bool {
    text.len() == 20 && mod_97(text) == 1
}
