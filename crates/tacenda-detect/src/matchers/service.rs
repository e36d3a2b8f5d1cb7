//! A token near the name of the service that issued it: for the many services whose tokens have no
//! prefix of their own.

use std::ops::Range;

use super::{randomness, stand_in};

/// How far behind the name the token may begin.
const REACH: usize = 80;
/// How far behind words that name a secret.
const NEAR: usize = 24;
/// Shorter values are ids and words.
const SHORTEST: usize = 16;
const LONGEST: usize = 512;
/// With no word that says "secret" on the way, a value has to be longer and no hash.
const SHORTEST_UNTOLD: usize = 24;

/// Words that say that a secret follows.
const SECRET: [&[u8]; 12] = [
    b"key",
    b"apikey",
    b"token",
    b"secret",
    b"password",
    b"passwd",
    b"auth",
    b"authorization",
    b"credential",
    b"credentials",
    b"bearer",
    b"pat",
];
/// Words that say that something else follows.
const OTHER: [&[u8]; 25] = [
    b"cache",
    b"artifact",
    b"layer",
    b"etag",
    b"blob",
    b"commit",
    b"sha",
    b"sha1",
    b"sha256",
    b"md5",
    b"hash",
    b"digest",
    b"revision",
    b"version",
    b"release",
    b"id",
    b"uuid",
    b"request",
    b"trace",
    b"run",
    b"model",
    b"file",
    b"checksum",
    b"path",
    b"public",
];

/// The token that follows the name (`width` bytes at `at`).
pub(crate) fn near(text: &[u8], at: usize, width: usize) -> Option<Range<usize>> {
    let from = at + width;
    if !ends(&text[from..]) {
        return None;
    }
    // `algolia: "…"`, `algolia("…"`: nothing else is meant by what is given to the name itself.
    let joined = from + between(&text[from..]);
    if text[from..joined].iter().any(|b| matches!(b, b'=' | b':' | b'(' | b'"' | b'\''))
        && let Some(range) = value(text, joined, Told::Plainly)
    {
        return Some(range);
    }
    if let Some(argument) = call(&text[from..])
        && let Some(range) = value(text, from + argument, Told::Plainly)
    {
        return Some(range);
    }
    search(text, from, REACH, Told::Not)
}

/// The token that follows the words that name a secret (`width` bytes at `at`): `api key is …`.
pub(crate) fn after_words(text: &[u8], at: usize, width: usize) -> Option<Range<usize>> {
    let from = at + width;
    let goes_on = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let whole = !text.get(from).is_some_and(goes_on);
    // `api_key=…` and `"api key": …` are assignments.
    let assigned = || text[from..from + between(&text[from..])].iter().any(|b| b"=:".contains(b));
    if whole && !assigned() { search(text, from, NEAR, Told::Plainly) } else { None }
}

/// How much of what stands before a value says that it is secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Not,
    Plainly,
}

/// The first token within `reach` bytes of `from`, on the same line.
fn search(text: &[u8], from: usize, reach: usize, mut told: Told) -> Option<Range<usize>> {
    let limit = text.len().min(from + reach);
    if !may_hold_token(text, from, limit) {
        return None;
    }
    let mut i = from;
    while i < limit {
        let byte = text[i];
        if byte == b'\n' || text[i..].starts_with(b"\\n") {
            return None;
        }
        if !byte.is_ascii_alphanumeric() {
            i += skipped(&text[i..]);
            continue;
        }
        if let Some(range) = value(text, i, told) {
            return Some(range);
        }
        let end = i + run(text, i);
        for word in words(&text[i..end]) {
            let is = |known: &&[u8]| word.eq_ignore_ascii_case(known);
            if OTHER.iter().any(is) {
                return None;
            }
            if SECRET.iter().any(is) {
                told = Told::Plainly;
            }
        }
        i = end;
    }
    None
}

/// Whether a run that is long enough for a token begins before `limit`: most texts have none.
fn may_hold_token(text: &[u8], from: usize, limit: usize) -> bool {
    let mut length = 0;
    for &byte in &text[from..text.len().min(limit + SHORTEST)] {
        length =
            if byte.is_ascii_alphanumeric() || b"_-.~+/".contains(&byte) { length + 1 } else { 0 };
        if length == SHORTEST {
            return true;
        }
        if byte == b'\n' {
            return false;
        }
    }
    false
}

/// Bytes of the sign at the start of `rest`, or of the colour or escape that begins with it.
fn skipped(rest: &[u8]) -> usize {
    match rest {
        [0x1b, b'[', colour @ ..] => {
            let parameters =
                colour.iter().take(16).take_while(|b| matches!(b, b'0'..=b'9' | b';')).count();
            parameters + 3
        }
        [b'\\', b'u', ..] => 6,
        [b'\\', b'x', ..] => 4,
        [b'\\', b't' | b'r', ..] => 2,
        _ => 1,
    }
}

/// The bytes up to the text that a call gives to the service: `.Client("`.
fn call(rest: &[u8]) -> Option<usize> {
    const LONGEST: usize = 32;
    const MAKES: [&[u8]; 8] =
        [b"client", b"init", b"login", b"connect", b"auth", b"config", b"setup", b"api"];
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.');
    let length = rest.iter().take(LONGEST).take_while(|b| part(b)).count();
    let name = &rest[..length];
    let makes = MAKES
        .iter()
        .any(|verb| name.windows(verb.len()).any(|part| part.eq_ignore_ascii_case(verb)));
    let quoted = matches!(rest.get(length..length + 2), Some([b'(', b'"' | b'\'']));
    (makes && quoted).then_some(length + 2)
}

/// What joins a name and its value.
fn between(rest: &[u8]) -> usize {
    const MOST: usize = 8;
    rest.iter()
        .take(MOST)
        .take_while(|b| matches!(b, b' ' | b'=' | b':' | b'(' | b'"' | b'\'' | b'\\'))
        .count()
}

/// Whether the name ends here, and is not the beginning of a word.
fn ends(rest: &[u8]) -> bool {
    const GOES_ON: [&[u8]; 8] =
        [b"key", b"api", b"token", b"secret", b"hq", b"app", b"pat", b"auth"];
    !rest.first().is_some_and(u8::is_ascii_lowercase)
        || GOES_ON.iter().any(|word| rest.starts_with(word))
}

/// Bytes of the token that begins at `from`; base64 with its padding.
fn run(text: &[u8], from: usize) -> usize {
    let part = |b: &u8| b.is_ascii_alphanumeric() || b"_-.~+/".contains(b);
    let length = text[from..].iter().take(LONGEST).take_while(|b| part(b)).count();
    let rest = &text[from + length..];
    let padding = rest.iter().take(3).take_while(|b| **b == b'=').count();
    let padded = padding < 3 && !rest.get(padding).is_some_and(part);
    length + if padded && length > SHORTEST { padding } else { 0 }
}

/// The names that `apiKey_token` is made of.
fn words(run: &[u8]) -> impl Iterator<Item = &[u8]> {
    run.split(|b| !b.is_ascii_alphanumeric())
        .flat_map(|part| part.chunk_by(|a, b| !(a.is_ascii_lowercase() && b.is_ascii_uppercase())))
}

/// The token that begins at `start`, when it looks like one.
fn value(text: &[u8], start: usize, told: Told) -> Option<Range<usize>> {
    let token = text.get(start..start + run(text, start))?;
    let token = token.strip_suffix(b".").unwrap_or(token);
    let end = start + token.len();
    let closes = text.get(end).copied().unwrap_or(b' ');
    // In a path, an address or a call it is part of something else.
    let apart = !matches!(text[start - 1], b'/' | b'@' | b'.' | b'$')
        && !matches!(closes, b'@' | b'(' | b'[' | b'=' | b':');
    let shaped = match told {
        Told::Plainly => token.len() >= SHORTEST,
        Told::Not => {
            token.len() >= SHORTEST_UNTOLD
                && !is_hash(token)
                && memchr::memchr2(b'.', b'/', token).is_none()
        }
    };
    let real = apart
        && shaped
        && token.len() < LONGEST
        && (memchr::memchr(b'/', token).is_none() || is_base64(token))
        && token.iter().filter(|b| b.is_ascii_digit()).count() >= 2
        && randomness::looks_random(token)
        && randomness::entropy(token) >= 3.0
        && !stand_in::is_stand_in(token)
        && !stand_in::is_filled_up(token);
    real.then_some(start..end)
}

/// Letters of both cases and strokes, none of them where paths have theirs.
fn is_base64(token: &[u8]) -> bool {
    const LEAST: usize = 32;
    token.len() >= LEAST
        && !token.iter().any(|b| matches!(b, b'.' | b'-' | b'_' | b'~'))
        && token.iter().filter(|b| b.is_ascii_uppercase()).count() * 5 > token.len()
        && token.iter().filter(|b| b.is_ascii_lowercase()).count() * 5 > token.len()
}

/// Hexadecimal, with dashes or without: a commit, a checksum, a UUID.
fn is_hash(value: &[u8]) -> bool {
    value.iter().all(|b| b.is_ascii_hexdigit() || *b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Option<&str> {
        near(text.as_bytes(), 0, b"algolia".len()).map(|range| &text[range])
    }

    #[test]
    fn a_word_for_a_secret_lets_a_hash_be_one() {
        let hash = "0ca9a4e17f2b5d8c6e3a1b0f9d7c5e2a";
        assert_eq!(found(&format!("algolia admin key: {hash}")), Some(hash));
        assert_eq!(found(&format!("algoliaApiKey {hash}.")), Some(hash));
        assert_eq!(found(&format!("algolia.Client(\"{hash}\")")), Some(hash));
        assert_eq!(found(&format!("algolia.Index(\"{hash}\")")), None);
        assert_eq!(found(&format!("algolia(\"{hash}\")")), Some(hash));
        assert_eq!(found(&format!("algolia = {hash}")), Some(hash));
        assert_eq!(found(&format!("algolia index {hash}")), None);
        assert_eq!(found(&format!("algolia commit key {hash}")), None);
    }

    #[test]
    fn words_for_a_secret_do_without_a_name() {
        let found = |text: &str| {
            after_words(text.as_bytes(), 0, "api key".len()).map(|at| text[at].to_owned())
        };
        assert_eq!(found("api key is Zf3D0LXCM3EIMbgJ").as_deref(), Some("Zf3D0LXCM3EIMbgJ"));
        assert_eq!(
            found("api key (\"aGVsbG8/Y2FuYXJ5+ZG9Ob3RVc2VUaGlz1A==\")").as_deref(),
            Some("aGVsbG8/Y2FuYXJ5+ZG9Ob3RVc2VUaGlz1A==")
        );
        assert_eq!(
            found("api key \x1b[35mZf3D0LXCM3EIMbgJ\x1b[0m").as_deref(),
            Some("Zf3D0LXCM3EIMbgJ")
        );
        for text in [
            "api keys Zf3D0LXCM3EIMbgJ",
            "api key-Zf3D0LXCM3EIMbgJ",
            "api key\\nZf3D0LXCM3EIMbgJ",
            "api key id Zf3D0LXCM3EIMbgJ",
            "api key file secrets/openai/Key1/value22",
            "api key must have at least 20 characters Zf3D0LXCM3EIMbgJ",
            "api key missing",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }

    #[test]
    fn without_such_a_word_the_value_has_to_be_long_and_mixed() {
        assert_eq!(
            found("algolia: Zf3D0LXCM3EIMbgJpUNnkRtO29xQ"),
            Some("Zf3D0LXCM3EIMbgJpUNnkRtO29xQ")
        );
        for text in [
            "algolia Zf3D0LXCM3EIMbgJ",
            "algolia: search-index-of-products-v2",
            "algolia\nkey Zf3D0LXCM3EIMbgJpUNnkRtO29xQ",
            "algolia restoring cache v2-deps-Zf3D0LXCM3EIMbgJpUNnkRtO29xQ",
            "algolia https://example.com/Zf3D0LXCM3EIMbgJpUNnkRtO29xQ",
            "algolianess key Zf3D0LXCM3EIMbgJpUNnkRtO29xQ",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
