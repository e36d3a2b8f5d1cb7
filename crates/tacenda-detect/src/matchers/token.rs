//! Tokens that no literal begins, recognised by a sign in their middle.

use std::ops::Range;

use super::{randomness, stand_in};
use crate::names::{Matcher, Validator};
use crate::{boundary, validators};

/// A client secret of Microsoft Entra around the `~` at `tilde`: three characters, a digit, `Q~`,
/// 31 to 34 more.
pub(crate) fn azure(text: &[u8], tilde: usize) -> Option<Range<usize>> {
    const HEAD: usize = 5;
    const LONGEST: usize = 34;
    let start = tilde.checked_sub(HEAD)?;
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'~' | b'.' | b'-');
    let shaped = text[tilde - 1] == b'Q'
        && text[tilde - 2].is_ascii_digit()
        && text[start..tilde].iter().all(part);
    let tail = text[tilde + 1..].iter().take(LONGEST + 1).take_while(|b| part(b)).count();
    let whole = (31..=LONGEST).contains(&tail)
        && (start == 0 || !part(&text[start - 1]) || boundary::opens(text, start));
    (shaped && whole).then_some(start..tilde + 1 + tail)
}

/// A bot token of Telegram around the colon at `colon`: the number of the bot, `AA`, 33 more.
pub(crate) fn telegram(text: &[u8], colon: usize) -> Option<Range<usize>> {
    const SECRET: usize = 35;
    let digits = text[..colon].iter().rev().take(11).take_while(|b| b.is_ascii_digit()).count();
    let start = colon - digits;
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let secret = text[colon + 1..].iter().take(SECRET + 1).take_while(|b| part(b)).count();
    let opens = boundary::opens(text, start) || text[..start].ends_with(b"bot");
    ((8..=10).contains(&digits) && secret == SECRET && opens).then_some(start..colon + 1 + SECRET)
}

/// Most bytes before a long word that belong to its token, and most of the token.
const HEAD: usize = 48;
const LONGEST: usize = 256;

/// The token that the long word at `word` belongs to. Most words have nothing but a
/// blank or a quote before them, and are no more than words.
#[inline(never)]
pub(crate) fn ends_with(text: &[u8], word: usize) -> Option<(Matcher, Range<usize>)> {
    if let Some(range) = wallet(text, word) {
        return Some((Matcher::WalletAccount, range));
    }
    match text.get(word.checked_sub(1)?)? {
        b'_' | b'-' => named(text, word).map(|range| (Matcher::NamedToken, range)),
        b'$' | b'.' | b'/' => crypt(text, word).map(|range| (Matcher::CryptHash, range)),
        _ => None,
    }
}

/// The address of an account of a chain that begins at `word`: with the check of Base58, or, in the
/// alphabet of Base32, of Stellar.
fn wallet(text: &[u8], word: usize) -> Option<Range<usize>> {
    const STELLAR: usize = 56;
    let first = text[word];
    if !matches!(first, b'1' | b'3' | b'D' | b'G' | b'L' | b'M' | b'T' | b'X' | b't') {
        return None;
    }
    let tail = text[word..].iter().take(STELLAR + 1).take_while(|b| b.is_ascii_alphanumeric());
    let end = word + tail.count();
    let value = &text[word..end];
    let apart = boundary::opens(text, word) && boundary::closes(text, end);
    let told = match value.len() {
        26..=35 => apart && validators::passes(Validator::Base58Check, value),
        STELLAR => apart && first == b'G' && is_stellar(value),
        _ => false,
    };
    told.then_some(word..end)
}

/// The check of an account of Stellar: a version, a key and their CRC-16, in Base32.
fn is_stellar(account: &[u8]) -> bool {
    let mut bytes = [0_u8; 35];
    for (place, letter) in account.iter().enumerate() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return false,
        };
        for bit in 0..5 {
            let at = place * 5 + bit;
            bytes[at / 8] |= (value >> (4 - bit) & 1) << (7 - at % 8);
        }
    }
    let (payload, check) = bytes.split_at(33);
    let crc = payload.iter().fold(0_u16, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte) << 8, |crc, _| {
            if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 }
        })
    });
    crc.to_le_bytes() == *check
}

/// `acme_sk_…`, `acme-api-key-…`: a prefix of small words, one of which says that a secret follows,
/// and random letters and digits from `word` on. Ids are made in the same way, and say nothing.
#[cold]
fn named(text: &[u8], word: usize) -> Option<Range<usize>> {
    const SECRET: [&[u8]; 17] = [
        b"sk", b"sec", b"secret", b"key", b"apikey", b"api", b"pat", b"tok", b"token", b"live",
        b"prod", b"oat", b"oauth", b"signkey", b"private", b"refresh", b"auth",
    ];
    // Of these one may be the name of a thing that has a checksum.
    const SURE: [&[u8]; 6] = [b"sk", b"secret", b"apikey", b"pat", b"signkey", b"oat"];
    // What a provider gives out to be shown.
    const PUBLIC: [&[u8]; 4] = [b"pk", b"pub", b"public", b"publishable"];
    let joint = |b: u8| matches!(b, b'_' | b'-');
    let part = |b: &u8| b.is_ascii_alphanumeric() || joint(*b);
    let head = text[..word].iter().rev().take(HEAD + 1).take_while(|b| part(b)).count();
    let start = word - head;
    let prefix = &text[start..word - 1];
    let small =
        |word: &[u8]| (1..=12).contains(&word.len()) && word.iter().all(u8::is_ascii_lowercase);
    let says = |words: &[&[u8]]| prefix.split(|b| joint(*b)).any(|word| words.contains(&word));
    if head > HEAD || !prefix.split(|b| joint(*b)).all(small) || !says(&SECRET) || says(&PUBLIC) {
        return None;
    }
    let length = text[word..].iter().take(LONGEST).take_while(|b| part(b)).count();
    let body = &text[word..word + length];
    let upper = body.iter().any(u8::is_ascii_uppercase);
    let lower = body.iter().any(u8::is_ascii_lowercase);
    let apart = boundary::opens(text, start)
        && (start == 0 || !matches!(text[start - 1], b'/' | b'.' | b'\\' | b'@' | b'-' | b'_'));
    let told = (upper && lower || says(&SURE)) && randomness::looks_random(body);
    (apart && told && !stand_in::is_filled_up(body)).then_some(start..word + length)
}

/// A hash of crypt(3), `$6$salt$…`, whose last part has a word at `word`.
#[cold]
fn crypt(text: &[u8], word: usize) -> Option<Range<usize>> {
    const FORMS: [&[u8]; 8] = [b"1", b"5", b"6", b"7", b"y", b"gy", b"sha1", b"md5"];
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'$' | b'=' | b',');
    let head = text[..word].iter().rev().take(LONGEST).take_while(|b| part(b)).count();
    let before = &text[word - head..word];
    let start = word - head + memchr::memchr(b'$', before)?;
    let mut fields = text[start + 1..word].split(|b| *b == b'$');
    let form = fields.next()?;
    // The salt, maybe the cost before it, and the hash.
    let salted = fields.next().is_some_and(|salt| !salt.is_empty()) && fields.next().is_some();
    let hash = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/');
    let end = word + text[word..].iter().take(LONGEST).take_while(|b| hash(b)).count();
    (salted && FORMS.contains(&form)).then_some(start..end)
}
