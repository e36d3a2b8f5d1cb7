//! What stands in place of a value.

use std::fmt::Write as _;

use tacenda_detect::Value;
use tacenda_policy::Action;

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from(b"0123456789abcdef"[usize::from(four)]);
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        digits.push(digit(byte >> 4));
        digits.push(digit(byte & 15));
    }
    digits
}

/// The summary of a protected value: `[prompt 532 chars, 131 tokens, #a1b2c3]`.
pub fn summary(value: &Value) -> String {
    let mut summary = format!("[{} {} chars", value.kind, value.chars);
    if let Some(tokens) = value.tokens {
        let _ = write!(summary, ", {tokens} tokens");
    }
    // A completion that another process is still generating has none yet.
    if value.fingerprint != [0; 3] {
        let _ = write!(summary, ", #{}", hex(&value.fingerprint));
    }
    summary + "]"
}

/// A protected value under an action other than `keep`.
pub(crate) fn protected(value: Option<&Value>, action: Action) -> String {
    match (value, action) {
        (_, Action::Drop) => String::new(),
        (None, _) => "[protected]".to_owned(),
        (Some(value), Action::Mask) => format!("[{}]", value.kind),
        (Some(value), Action::Hash) => format!("[{} #{}]", value.kind, hex(&value.fingerprint)),
        (Some(value), _) => summary(value),
    }
}

/// What a detector found under an action that leaves a label.
pub(crate) fn detected(
    id: &str,
    text: &[u8],
    pseudonym: impl Fn() -> String,
    action: Action,
) -> String {
    match action {
        Action::Drop => String::new(),
        Action::Hash => format!("[{id} #{}]", pseudonym()),
        Action::Summarize => {
            let chars = text.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
            format!("[{id} {chars} chars, #{}]", pseudonym())
        }
        Action::Partial => match part(id, text) {
            Some(part) => format!("[{id} {part}]"),
            None => format!("[{id}]"),
        },
        Action::Mask | Action::Keep | Action::Token | Action::Fpe => format!("[{id}]"),
    }
}

/// The part that identifies nobody: the network of an address, the domain of an e-mail address,
/// the last four characters of what is long enough.
fn part(id: &str, text: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    match id {
        "ipv4" => text.rsplit_once('.').map(|(network, _)| format!("{network}.…")),
        "ipv6" => {
            let groups: Vec<&str> = text.split(':').take(3).collect();
            (groups.len() == 3 && groups.iter().all(|group| !group.is_empty()))
                .then(|| format!("{}:…", groups.join(":")))
        }
        // The first three octets name the maker (IEEE 802 OUI), the others the device.
        "mac-address" => text.get(..8).map(|maker| format!("{maker}…")),
        "email" => text.rsplit_once('@').map(|(_, domain)| format!("…@{domain}")),
        _ => {
            let known: Vec<char> = text.chars().filter(|char| char.is_alphanumeric()).collect();
            (known.len() >= 12)
                .then(|| format!("…{}", known[known.len() - 4..].iter().collect::<String>()))
        }
    }
}
