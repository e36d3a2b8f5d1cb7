//! Which valid name a mistyped one most likely meant, and which names may be shown at all.

/// The valid name nearest to the one written, if any is near enough to be what was meant.
///
/// Case and `_` for `-` cost nothing: `Token_IDs` means `token-ids`.
pub fn nearest<'n>(written: &str, valid: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    // Longer than any name: not a slip of the finger, and the distance is quadratic.
    if written.len() > 64 {
        return None;
    }
    let folded = fold(written);
    valid
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&folded, &fold(name)), name))
        .filter(|&(distance, name)| {
            let shortest = folded.chars().count().min(name.chars().count());
            distance <= (shortest / 3).clamp(1, 3)
        })
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// Whether a key may be repeated in a message: it looks like a word, so it is no pasted secret.
pub fn is_word(key: &str) -> bool {
    key.len() <= 40
        && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        && key.bytes().filter(u8::is_ascii_digit).count() <= 2
        && key.split(['_', '-']).all(|word| {
            word.len() <= 14
                && (!word.bytes().skip(1).any(|b| b.is_ascii_uppercase())
                    || !word.bytes().any(|b| b.is_ascii_lowercase()))
        })
}

fn fold(name: &str) -> String {
    name.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_noise_finds_none() {
        let names = ["prompt", "completion", "token-ids", "ipv4"];
        assert_eq!(nearest("promt", names), Some("prompt"));
        assert_eq!(nearest("Token_IDs", names), Some("token-ids"));
        assert_eq!(nearest("completoin", names), Some("completion"));
        assert_eq!(nearest("ip4", names), Some("ipv4"));
        assert_eq!(nearest("weather", names), None);
        assert_eq!(nearest("", names), None);
        assert_eq!(nearest(&"prompt".repeat(1000), names), None);
    }

    #[test]
    fn words_are_shown_and_secrets_are_not() {
        for word in ["promt", "max_bytes", "stdOut_", "ipv4", "STDOUT", "Prompt", "model-parameter"]
        {
            assert_eq!(is_word(word), word != "stdOut_", "{word}");
        }
        let secrets =
            ["AKIAIOSFODNN7EXAMPLE", "hf_AbCdEfGhIjKlMnOpQr", "anna.meier@example.com", "a b"];
        for secret in secrets {
            assert!(!is_word(secret), "{secret}");
        }
    }
}
