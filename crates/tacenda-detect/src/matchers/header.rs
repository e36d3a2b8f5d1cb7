//! HTTP headers: `Authorization` (RFC 9110, 11.6.2), Basic (RFC 7617), Bearer (RFC 6750), cookies
//! (RFC 6265).

use std::ops::Range;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{randomness, stand_in};
use crate::assignment::Assignment;

/// Most bytes of a header value.
const VALUE: usize = 4096;
/// Shorter words after "bearer" are words.
const SHORTEST: usize = 8;

/// The token after `Bearer` (`width` bytes at `at`).
pub(crate) fn bearer(text: &[u8], at: usize, width: usize) -> Option<Range<usize>> {
    let range = token68(text, after_scheme(text, at + width)?);
    let value = &text[range.clone()];
    let digit = value.iter().any(u8::is_ascii_digit);
    let mixed = value.iter().skip(1).any(u8::is_ascii_uppercase)
        && value.iter().any(u8::is_ascii_lowercase);
    // `Bearer expires_in=3600`: the next field.
    let field = value.split(|byte| *byte == b'=').nth(1).is_some_and(|rest| !rest.is_empty());
    let real = value.len() >= SHORTEST && (digit || mixed) && !stand_in::is_stand_in(value);
    (real && !field).then_some(range)
}

/// The token that begins at `start` (`token68` of RFC 9110, 11.2), without a full stop behind it.
fn token68(text: &[u8], start: usize) -> Range<usize> {
    let token = |b: &u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'+' | b'/' | b'=')
    };
    let length = text[start..].iter().take(VALUE).take_while(|b| token(b)).count();
    let mut value = &text[start..start + length];
    while let Some(rest) = value.strip_suffix(b".") {
        value = rest;
    }
    start..start + value.len()
}

/// The token of a header that names the scheme of `width` bytes at `at`: whatever it looks like, since
/// nothing else stands there.
fn named(text: &[u8], at: usize, width: usize, end: usize) -> Option<Range<usize>> {
    // What messages about the header say behind its name.
    const WORDS: [&[u8]; 6] =
        [b"token", b"tokens", b"auth", b"authentication", b"scheme", b"realm"];
    let range = token68(&text[..end], after_scheme(&text[..end], at + width)?);
    let value = &text[range.clone()];
    let name = value.split(|byte| *byte == b'=').next().unwrap_or(value);
    let word = WORDS.iter().any(|word| name.eq_ignore_ascii_case(word));
    (!word && !stand_in::is_stand_in(value)).then_some(range)
}

/// The credentials after `Basic` (`width` bytes at `at`): base64 of `user:password`.
pub(crate) fn basic(text: &[u8], at: usize, width: usize) -> Option<Range<usize>> {
    let start = after_scheme(text, at + width)?;
    let length = text[start..]
        .iter()
        .take(VALUE)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'-' | b'_'))
        .count();
    is_basic(&text[start..start + length]).then(|| start..start + length)
}

fn is_basic(value: &[u8]) -> bool {
    const LENIENT: GeneralPurpose = GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        GeneralPurposeConfig::new()
            .with_decode_padding_mode(DecodePaddingMode::Indifferent)
            .with_decode_allow_trailing_bits(true),
    );
    let mut decoded = [0; VALUE];
    if value.len() < SHORTEST - 2 {
        return false;
    }
    let Ok(length) = LENIENT.decode_slice(value, &mut decoded) else { return false };
    let decoded = &decoded[..length];
    decoded.contains(&b':') && decoded.iter().all(|b| *b >= 0x20 && *b != 0x7f)
}

fn after_scheme(text: &[u8], from: usize) -> Option<usize> {
    let rest = &text[from..];
    let blanks = rest.iter().take(4).take_while(|b| **b == b' ').count();
    if blanks > 0 {
        return Some(from + blanks);
    }
    (rest.starts_with(b"%20") || rest.starts_with(b"\\u0020"))
        .then(|| from + if rest[0] == b'%' { 3 } else { 6 })
}

/// What stands after the scheme of an `Authorization` header, or the whole value when there is
/// none.
pub(crate) fn authorization(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let range = whole_line(text, found);
    let value = &text[range.clone()];
    let scheme =
        value.iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')).count();
    let name = &value[..scheme];
    // Those that are known without the header have detectors of their own.
    let alone = if name.eq_ignore_ascii_case(b"bearer") {
        Some(bearer(text, range.start, scheme))
    } else if name.eq_ignore_ascii_case(b"basic") {
        Some(basic(text, range.start, scheme))
    } else {
        None
    };
    if let Some(alone) = alone {
        let known = alone.is_some();
        return if known { None } else { named(text, range.start, scheme, range.end) };
    }
    if stand_in::is_stand_in(value) {
        return None;
    }
    let start = match value.get(scheme) {
        Some(b' ') => scheme + 1,
        _ => 0,
    };
    let secret = &value[start..];
    let known = [
        &b"digest"[..],
        b"token",
        b"apikey",
        b"api-key",
        b"negotiate",
        b"ntlm",
        b"aws4-hmac-sha256",
        b"signature",
        b"hawk",
    ]
    .iter()
    .any(|scheme| name.eq_ignore_ascii_case(scheme));
    let word = secret.iter().take_while(|b| !b.is_ascii_whitespace()).count();
    let real = secret.len() >= SHORTEST
        && !stand_in::is_stand_in(secret)
        && (known && start > 0 && secret.iter().any(u8::is_ascii_digit)
            || word == secret.len() && randomness::looks_random(secret));
    real.then(|| range.start + start..range.end)
}

/// The values of a `Cookie` header: from the first value on.
pub(crate) fn cookie(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let range = whole_line(text, found);
    let value = &text[range.clone()];
    let equals = memchr::memchr(b'=', value)?;
    let first = &value[equals + 1..];
    let only = &first[..memchr::memchr(b';', first).unwrap_or(first.len())];
    let named = value[..equals].iter().all(|byte| is_name_byte(*byte));
    let real = named
        && first.len() >= SHORTEST / 2
        && !stand_in::is_stand_in(first)
        && !only.eq_ignore_ascii_case(b"deleted");
    real.then(|| range.start + equals + 1..range.end)
}

/// The value of a `Set-Cookie` header, without its attributes.
pub(crate) fn set_cookie(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let all = cookie(text, found)?;
    let length = text[all.clone()].iter().position(|b| *b == b';').unwrap_or(all.len());
    (length > 0).then(|| all.start..all.start + length)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'%' | b'$' | b'!' | b'+')
}

/// A header value goes on to the end of its line, or of its quotes.
fn whole_line(text: &[u8], found: &Assignment) -> Range<usize> {
    let start = found.value.start;
    if found.quoted {
        return found.value.clone();
    }
    let limit = text.len().min(start + VALUE);
    let line = &text[start..limit];
    let line = &line[..memchr::memchr3(b'\n', b'\r', b'\\', line).unwrap_or(line.len())];
    let line = &line[..memchr::memchr3(b'\'', b'"', b'`', line).unwrap_or(line.len())];
    let length = memchr::memchr(0x1b, line).unwrap_or(line.len());
    start..start + length
}
