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
    "-",
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
        let is_name = length <= MAX_NAME && is_name(line, at, length);
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

/// Whether a word of a line is the name of what follows: the key of a mapping, the name of a variable.
/// It stands where an entry begins, so that no part of a value is taken for one.
fn is_name(line: &str, at: usize, length: usize) -> bool {
    let (before, behind) = (&line[..at], &line[at + length..]);
    let quote = before.chars().next_back().filter(|letter| matches!(letter, '"' | '\''));
    let before = quote.map_or(before, |quote| &before[..at - quote.len_utf8()]);
    if ['"', '\''].iter().any(|quote| before.matches(*quote).count() % 2 == 1) {
        return false;
    }
    let before = before.trim_end();
    let begins = matches!(before.trim_start(), "" | "-")
        || before.ends_with('{')
        || before.ends_with(',') && before.contains('{');
    if let Some(quote) = quote {
        let behind = behind.strip_prefix(quote).unwrap_or_default().trim_start_matches(' ');
        return begins && behind.starts_with([':', '=']);
    }
    if let Some(value) = behind.strip_prefix(':') {
        return begins && value.chars().next().is_none_or(char::is_whitespace);
    }
    let instruction = before.split_whitespace().next().unwrap_or_default();
    let sets = ["env", "arg", "export"].iter().any(|one| instruction.eq_ignore_ascii_case(one));
    let value = behind.trim_start_matches(' ').strip_prefix('=');
    // The end of a value in base64 is no name.
    let is_set = value.is_some_and(|value| !value.starts_with('=') && !value.trim().is_empty());
    (begins || sets) && is_set
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
            ("note: heron:violet\n", "note: *****:******\n"),
            ("note: \"heron: a, b: violet\"\n", "note: \"*****: *, *: ******\"\n"),
            ("note: a heron=violet, b=c\n", "note: * *****=******, *=*\n"),
            ("{\"note\": \"a b\", 'size': 7}\n", "{\"note\": \"* *\", 'size': *}\n"),
            ("ENV NOTE=heron SIZE=7\n", "ENV NOTE=***** SIZE=*\n"),
            ("- NOTE=heron\n", "- NOTE=*****\n"),
            ("class: logging.FileHandler\n", "class: logging.FileHandler\n"),
            ("MIIEvQIBADANBgkqhkiG9w0BAQEFAASC==\n", "********************************==\n"),
        ] {
            let page = masked(text);
            assert_eq!(page.len(), text.len());
            assert_eq!(page, shown);
        }
    }
}
