//! The value of a key whose name says that it is secret.

use std::ops::Range;

use super::{randomness, stand_in};
use crate::assignment::{Assignment, Join};

/// A shorter password is not worth a label; nor is one safe.
const SHORTEST: usize = 4;
/// Shorter values of weaker names are words and numbers.
const SHORTEST_RANDOM: usize = 8;

/// The value of a name that leaves no doubt: `password`, `client_secret`.
pub(crate) fn any(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let value = &text[found.value.clone()];
    let told = !found.query
        && plausible(text, found)
        && (said_plainly(found, text) || tells_itself(value));
    told.then(|| found.value.clone())
}

/// The value of a name that may mean other things: `token`, `auth`. It must look random.
pub(crate) fn random(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let value = &text[found.value.clone()];
    let told = !found.query
        && value.len() >= SHORTEST_RANDOM
        && plausible(text, found)
        && found.looks_random(text);
    told.then(|| found.value.clone())
}

/// The value of a secret parameter of a query or form.
pub(crate) fn query(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let value = &text[found.value.clone()];
    (found.query
        && value.len() >= SHORTEST
        && !found.is_stand_in(text)
        && !same_name(value, found.key.as_bytes()))
    .then(|| found.value.clone())
}

/// The value of a parameter of a query that may mean other things: `key`. It must look random.
pub(crate) fn query_random(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    const SHORTEST: usize = 16;
    let value = &text[found.value.clone()];
    let real = value.len() >= SHORTEST && found.looks_random(text);
    if real { query(text, found) } else { None }
}

/// `arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-a1B2c3`: what a secret is called.
fn is_in_arn(text: &[u8], found: &Assignment) -> bool {
    const LONGEST: usize = 80;
    let before = &text[found.key.start.saturating_sub(LONGEST)..found.key.start];
    let blank = |byte: &u8| matches!(byte, b' ' | b'"' | b'\'' | b'=' | b'\n');
    let word = before.iter().rposition(blank).map_or(before, |at| &before[at + 1..]);
    found.join == Join::Colon && word.starts_with(b"arn:aws")
}

/// Not a template, not code, not a path, not the name again.
fn plausible(text: &[u8], found: &Assignment) -> bool {
    let value = &text[found.value.clone()];
    if value.len() < SHORTEST || found.is_stand_in(text) || stand_in::is_filled_up(value) {
        return false;
    }
    if is_directory(value, found.key.as_bytes()) || is_in_arn(text, found) {
        return false;
    }
    if found.quoted {
        return !same_name(value, found.key.as_bytes()) && !is_sentence(value);
    }
    if is_test(text, found) {
        return false;
    }
    !(is_attribute(value)
        || is_code(text, found)
        || is_file(value)
        || same_name(value, found.key.as_bytes()))
}

/// `PWD=/srv`, `"PWD": "C:\\Users"`: where a shell works.
fn is_directory(value: &[u8], key: &[u8]) -> bool {
    let rooted = value.starts_with(b"/") || matches!(value, [_, b':', b'\\' | b'/', ..]);
    rooted && matches!(key, b"pwd" | b"oldpwd") && !randomness::looks_random(value)
}

/// `PASS: tests/test_api.py`, `PASS: pr28264.so`: how a test went.
fn is_test(text: &[u8], found: &Assignment) -> bool {
    let value = &text[found.value.clone()];
    let named = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-./:+[]".contains(byte);
    found.key.as_bytes() == b"pass"
        && text[..found.value.start].ends_with(b"PASS: ")
        && value.iter().all(named)
        && value.iter().any(|byte| b"_-./".contains(byte))
}

/// `settings.DB_PASSWORD`, `os.environ`: the attribute of something that holds settings. Words with
/// dots between them may be a passphrase.
fn is_attribute(value: &[u8]) -> bool {
    const HOLDERS: [&[u8]; 22] = [
        b"self",
        b"cls",
        b"this",
        b"settings",
        b"config",
        b"cfg",
        b"conf",
        b"os",
        b"env",
        b"environ",
        b"args",
        b"options",
        b"opts",
        b"params",
        b"kwargs",
        b"request",
        b"req",
        b"app",
        b"ctx",
        b"process",
        b"secrets",
        b"constants",
    ];
    let Some(dot) = memchr::memchr(b'.', value) else { return false };
    HOLDERS.contains(&&value[..dot]) && is_path_of_names(value)
}

/// `getpass()`, `hash(password)`, `Secret{Name: …`: what stands there is computed. A password may
/// have brackets too, but then nothing closes them.
fn is_code(text: &[u8], found: &Assignment) -> bool {
    let value = &text[found.value.clone()];
    let Some(bracket) = value.iter().position(|b| matches!(b, b'(' | b'{' | b'[')) else {
        return false;
    };
    let next = text.get(found.value.end);
    let closed = matches!(next, Some(b')' | b'"' | b'\'' | b':' | b']' | b'}'));
    bracket > 0 && closed && is_path_of_names(&value[..bracket])
}

/// Whether the form alone says that the whole value is the secret.
fn said_plainly(found: &Assignment, text: &[u8]) -> bool {
    if found.quoted || found.join != Join::Colon {
        return true;
    }
    // `password: hunter` as a line of its own; in prose the value would be a word among others.
    let after = text[found.value.end..].iter().take(2).find(|b| !matches!(b, b' ' | b'\t'));
    found.leads && after.is_none_or(|b| matches!(b, b'\n' | b'\r' | b',' | b'}' | b'\\' | b';'))
}

/// Whether a bare word looks like a password: a digit or a sign inside, or mixed case.
fn tells_itself(value: &[u8]) -> bool {
    let letters = value.iter().any(u8::is_ascii_alphabetic);
    let digit = value.iter().any(u8::is_ascii_digit);
    let sign = value[..value.len() - 1]
        .iter()
        .any(|b| matches!(b, b'!' | b'$' | b'%' | b'^' | b'&' | b'*' | b'~' | b'+'));
    let mixed =
        value[1..].iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase);
    letters && digit || sign || mixed || !letters && value.len() >= 6
}

/// `settings.DB_PASSWORD`, `get_password`.
fn is_path_of_names(value: &[u8]) -> bool {
    value.split(|b| *b == b'.').all(|part| {
        part.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
            && part.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
    })
}

/// `/run/secrets/db`, `./key.pem`, `~/.netrc`.
fn is_file(value: &[u8]) -> bool {
    let rooted = value.starts_with(b"/") || value.starts_with(b"./") || value.starts_with(b"~/");
    rooted && memchr::memchr_iter(b'/', value).count() >= 2 && !randomness::looks_random(value)
        || [&b".pem"[..], b".key", b".txt", b".json", b".crt"]
            .iter()
            .any(|suffix| value.ends_with(suffix))
}

/// `password=password` in code, `secret: db_secret`.
fn same_name(value: &[u8], key: &[u8]) -> bool {
    let letters = || value.iter().filter(|b| b.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase);
    letters().eq(key.iter().copied())
}

/// Four words or more: a message, not a passphrase.
fn is_sentence(value: &[u8]) -> bool {
    memchr::memchr_iter(b' ', value).count() >= 3
}
