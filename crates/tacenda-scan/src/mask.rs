//! Source text with what looks like a secret hidden: what a report may show.

use tacenda_detect::Engine;

use crate::lexicon::{Class, classify};

/// The text with every literal hidden that a detector finds, or that is given to something whose
/// name says that it is a credential. Places stay what they were: each byte is replaced by one.
pub(crate) fn masked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut spans = Vec::new();
    Engine::builtin().scan(text.as_bytes(), &mut spans);
    for span in &spans {
        hide(&mut bytes, span.start, span.end);
    }
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        literals(line, |start, end| hide(&mut bytes, at + start, at + end));
        at += line.len();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hide(bytes: &mut [u8], start: usize, end: usize) {
    for byte in bytes.iter_mut().take(end).skip(start) {
        if *byte != b'\n' {
            *byte = b'*';
        }
    }
}

/// The literals of a line that stand behind a name of a credential: `password = "…"`.
fn literals(line: &str, mut found: impl FnMut(usize, usize)) {
    let mut at = 0;
    while let Some(open) = line[at..].find(['"', '\'']).map(|open| at + open) {
        let quote = &line[open..=open];
        let Some(length) = line[open + 1..].find(quote) else { return };
        let end = open + 1 + length;
        let before = line[..open].trim_end_matches(|letter: char| {
            letter.is_whitespace() || "bBrRuUfF([".contains(letter)
        });
        let named = before.strip_suffix(['=', ':', ',']).is_some_and(|before| {
            let before = before.trim_end_matches(|letter: char| {
                letter.is_whitespace() || "=\"')]".contains(letter)
            });
            let start = before.char_indices().rev().find(|(_, letter)| {
                !(letter.is_alphanumeric() || *letter == '_' || *letter == '-')
            });
            let name = &before[start.map_or(0, |(at, letter)| at + letter.len_utf8())..];
            matches!(classify(name), Class::Sensitive(crate::label::Label::Credential, ..))
        });
        if named && length > 0 {
            found(open + 1, end);
        }
        at = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_of_credentials_are_hidden_and_places_stay() {
        for (text, expected) in [
            ("password = 'violet heron'\n", "password = '************'\n"),
            ("connect(host='a', api_key=\"k1\")", "connect(host='a', api_key=\"**\")"),
            ("d = {'token': 'abc', 'page': 'x'}", "d = {'token': '***', 'page': 'x'}"),
            ("log.info('password: %s', p)", "log.info('password: %s', p)"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }
}
