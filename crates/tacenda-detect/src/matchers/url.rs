//! Credentials in the authority of a URL (RFC 3986, 3.2.1).

use std::ops::Range;

use super::{randomness, stand_in};

/// Most bytes of an authority.
const AUTHORITY: usize = 512;
/// Shorter user names are names, not tokens.
const TOKEN: usize = 16;

/// What stands before the `@` of a URL.
pub(crate) enum Userinfo {
    /// The password of `scheme://user:password@host`, with the user when that is half of a key.
    Password(Range<usize>),
    /// The user of `scheme://token@host`, when it is no name.
    Token(Range<usize>),
}

/// The userinfo of the URL whose `://` is at `colon`.
pub(crate) fn userinfo(text: &[u8], colon: usize) -> Option<Userinfo> {
    let start = colon + 3;
    let limit = text.len().min(start + AUTHORITY);
    let authority = text.get(start..limit)?;
    let end = authority
        .iter()
        .position(|b| {
            b.is_ascii_whitespace()
                || matches!(
                    b,
                    b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | 0x1b
                )
        })
        .unwrap_or(authority.len());
    let at = memchr::memrchr(b'@', &authority[..end])?;
    let info = &authority[..at];
    match memchr::memchr(b':', info) {
        Some(i) => {
            let password = &info[i + 1..];
            let real = !password.is_empty()
                && !stand_in::is_stand_in(password)
                && !stand_in::is_stand_in(info);
            // A user in hexadecimal is the first half of a key, as in those of Sidekiq's registry.
            let name = if is_half_of_key(&info[..i]) { 0 } else { i + 1 };
            real.then_some(Userinfo::Password(start + name..start + at))
        }
        None => (info.len() >= TOKEN && randomness::looks_random(info))
            .then_some(Userinfo::Token(start..start + at)),
    }
}

fn is_half_of_key(user: &[u8]) -> bool {
    const HALF: usize = 8;
    user.len() >= HALF
        && user.iter().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
        && user.iter().any(|b| !b.is_ascii_digit())
}
