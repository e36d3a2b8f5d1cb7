//! Tokens: `tok_email_0123456789abcdef` stands for a value that the vault may give back.

use tacenda_detect::Engine;

const PREFIX: &str = "tok_";
/// Characters of five bits each: 80 bits. Two of a million values share a token with a chance of
/// 1 in 2.4 million million.
const BODY: usize = 16;
/// The longest word that is looked at.
const LONGEST: usize = PREFIX.len() + 48 + 1 + BODY;
/// Crockford's base 32, lower case: no `i`, `l`, `o` and `u`, which are taken for others.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The token of a value of this form with this tag.
pub(crate) fn spell(form: &str, tag: &[u8; 16]) -> String {
    let mut bits = 0_u128;
    for byte in &tag[..BODY * 5 / 8] {
        bits = bits << 8 | u128::from(*byte);
    }
    let form = form.replace('-', "_");
    let mut token = format!("{PREFIX}{form}_");
    for i in (0..BODY).rev() {
        token.push(char::from(ALPHABET[(bits >> (5 * i) & 31) as usize]));
    }
    token
}

/// Whether this is a token for a value that the detectors of an engine find, of whatever key.
pub fn is_token(engine: &Engine, word: &[u8]) -> bool {
    form(word).is_some_and(|form| {
        let named =
            |id: &str| id.len() == form.len() && id.bytes().map(plain).eq(form.iter().copied());
        let among = |engine: &Engine| engine.detectors().any(|detector| named(detector.id));
        // Those that are turned off here may not be so where the token was made.
        form == b"phone" || among(engine) || among(Engine::builtin())
    })
}

fn plain(byte: u8) -> u8 {
    if byte == b'-' { b'_' } else { byte }
}

/// What a token stands for, if it is one.
fn form(word: &[u8]) -> Option<&[u8]> {
    let rest = word.strip_prefix(PREFIX.as_bytes())?;
    let (form, body) = rest.split_at_checked(rest.len().checked_sub(BODY + 1)?)?;
    let body = body.strip_prefix(b"_")?;
    (!form.is_empty() && body.iter().all(|byte| ALPHABET.contains(byte))).then_some(form)
}

/// Whether a stretch of the text lies within a token. A detector that takes a part of one for a
/// value is mistaken.
pub(crate) fn covers(engine: &Engine, text: &[u8], start: usize, end: usize) -> bool {
    if end - start > LONGEST {
        return false;
    }
    let is_word = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let before = text[..start].iter().rev().take(LONGEST).take_while(is_word).count();
    let after = text[end..].iter().take(LONGEST).take_while(is_word).count();
    let word = &text[start - before..end + after];
    // In escaped text (`\ntok_…`) the letter of the escape stands before the token.
    word.windows(PREFIX.len())
        .position(|window| window == PREFIX.as_bytes())
        .is_some_and(|at| at <= 1 && before + 1 > at && is_token(engine, &word[at..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_is_spelled_in_base_32() {
        assert_eq!(spell("email", &[0; 16]), "tok_email_0000000000000000");
        assert_eq!(spell("payment-card", &[0xff; 16]), "tok_payment_card_zzzzzzzzzzzzzzzz");
        let tag = [0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf, 0, 0, 0, 0, 0, 0];
        assert_eq!(spell("email", &tag), "tok_email_0123456789abcdef");
    }

    #[test]
    fn what_looks_like_a_token_and_is_none() {
        assert!(is_token(Engine::builtin(), b"tok_email_0123456789abcdef"));
        assert!(is_token(Engine::builtin(), b"tok_payment_card_0123456789abcdef"));
        for text in [
            "tok_0123456789abcdef",
            "tok_visa_0123456789abcdef",
            "tok_email_0123456789abcde",
            "tok_email_0123456789abcdefg0",
            "tok_email_0123456789ABCDEF",
            "tok_email_0123456789abcdei",
            "tok_1MqsCanaryExampleOnly0123",
        ] {
            assert!(!is_token(Engine::builtin(), text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_token_is_covered() {
        let text = b"password=tok_email_0123456789abcdef&x=1";
        assert!(covers(Engine::builtin(), text, 9, 35));
        assert!(covers(Engine::builtin(), text, 19, 29));
        assert!(!covers(Engine::builtin(), text, 0, 35), "more than the token");
        assert!(!covers(Engine::builtin(), text, 9, 37), "more than the token");
        assert!(!covers(Engine::builtin(), text, 36, 37));
        assert!(covers(Engine::builtin(), br"\ntok_email_0123456789abcdef", 2, 28));
        assert!(covers(Engine::builtin(), br"\ntok_email_0123456789abcdef", 6, 28));
    }

    proptest! {
        #[test]
        fn every_token_is_known(tag in any::<[u8; 16]>()) {
            for form in ["email", "phone", "payment-card", "password"] {
                let token = spell(form, &tag);
                prop_assert!(is_token(Engine::builtin(), token.as_bytes()), "{}", token);
                prop_assert_eq!(token.len(), 4 + form.len() + 1 + 16);
            }
        }

        #[test]
        fn any_stretch_is_looked_at(text in "[a-z_0-9 =t]{0,80}", a in 0_usize..80, b in 0_usize..80) {
            let (a, b) = (a.min(text.len()), b.min(text.len()));
            covers(Engine::builtin(), text.as_bytes(), a.min(b), a.max(b));
        }
    }
}
