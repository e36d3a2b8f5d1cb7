//! Configuration as a report may show it: names, and the values that are known to say nothing.

use std::sync::LazyLock;

use rustc_hash::FxHashSet as HashSet;
use tacenda_detect::Engine;

use super::model::MODEL;

/// Words of the formats and of `logging`.
const WORDS: &[&str] = &[
    "cmd",
    "entrypoint",
    "env",
    "from",
    "run",
    "exec",
    "sh",
    "-c",
    "python",
    "python3",
    "-m",
    "uv",
    "debug",
    "info",
    "warning",
    "error",
    "critical",
    "notset",
    "trace",
    "true",
    "false",
    "on",
    "off",
    "yes",
    "no",
    "root",
    "filehandler",
    "rotatingfilehandler",
    "sockethandler",
    "sysloghandler",
    "httphandler",
    "datagramhandler",
    "streamhandler",
];

/// Longer words are no names.
const MAX_NAME: usize = 40;

static VOCABULARY: LazyLock<HashSet<String>> = LazyLock::new(|| {
    let known = MODEL.vocabulary().chain(WORDS.iter().copied());
    known.map(str::to_ascii_lowercase).collect()
});

/// The text with its values hidden, but for words that mean something to the rules. Places stay
/// what they were: each byte is replaced by one.
pub(crate) fn masked(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        hide(line, &mut bytes[start..start + line.len()]);
        start += line.len();
    }
    let mut spans = Vec::new();
    Engine::builtin().scan(text.as_bytes(), &mut spans);
    for span in &spans {
        fill(&mut bytes[span.start..span.end]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hide(line: &str, bytes: &mut [u8]) {
    let is_part = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    let mut at = 0;
    let code = line.find(" #").or_else(|| line.trim_start().starts_with('#').then_some(0));
    while at < line.len() {
        let rest = &line[at..];
        let length = rest.find(|letter| !is_part(letter)).unwrap_or(rest.len());
        if length == 0 {
            let letter = rest.chars().next().map_or(1, char::len_utf8);
            let kept = rest.starts_with(|letter: char| {
                letter.is_ascii_whitespace() || "=:,[](){}'\"#;&|\\".contains(letter)
            });
            if !kept {
                fill(&mut bytes[at..at + letter]);
            }
            at += letter;
            continue;
        }
        let comment = code.is_some_and(|code| at >= code);
        let begins =
            line[..at].chars().next_back().is_none_or(|before| " \t\"'{,[".contains(before));
        let after = rest[length..].trim_start_matches(['\'', '"', ' ']);
        let named = after.starts_with([':', '=']) && !after.starts_with("==");
        // The end of a value in base64 is no name.
        let ends = after.chars().skip(1).all(char::is_whitespace);
        let is_name = named && begins && length <= MAX_NAME && !(after.starts_with('=') && ends);
        let word = rest[..length].to_ascii_lowercase();
        let is_known = VOCABULARY.contains(&word)
            || word.starts_with("logging.")
                && VOCABULARY.contains(word.rsplit('.').next().unwrap_or_default());
        if comment || !(is_name || is_known) {
            fill(&mut bytes[at..at + length]);
        }
        at += length;
    }
}

fn fill(bytes: &mut [u8]) {
    for byte in bytes {
        if !matches!(*byte, b'\n' | b'\r') {
            *byte = b'*';
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_hidden_and_what_rules_know_is_not() {
        for (text, shown) in [
            ("  level: DEBUG\n", "  level: DEBUG\n"),
            ("PASSWORD=hunter2\n", "PASSWORD=*******\n"),
            ("url: amqp://bob:hunter2@host/\n", "url: ****:*****:*************\n"),
            (
                "CMD [\"mlx_lm.server\", \"--log-level\", \"DEBUG\", \"--model\", \"x\"]\n",
                "CMD [\"mlx_lm.server\", \"--log-level\", \"DEBUG\", \"*******\", \"*\"]\n",
            ),
            ("level: DEBUG # violet heron\n", "level: DEBUG # ****** *****\n"),
            ("class: logging.FileHandler\n", "class: logging.FileHandler\n"),
            ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC==\n", "**********************************==\n"),
        ] {
            let page = masked(text);
            assert_eq!(page.len(), text.len());
            assert_eq!(page, shown);
        }
    }
}
