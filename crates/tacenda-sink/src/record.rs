//! One record of a log, as sinks have it.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::SystemTime;

use tacenda_policy::Level;

/// What a program wrote a record to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
}

impl Output {
    /// `stdout` or `stderr`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// One record: redacted, and one line of text without control characters, so that no record can
/// look like two, or like an order to a terminal.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    pub(crate) time: SystemTime,
    pub(crate) output: Option<Output>,
    pub(crate) level: Option<Level>,
    pub(crate) text: Arc<str>,
    /// Whether it is a word of our own.
    pub(crate) is_note: bool,
}

/// How many bytes of a line are searched for its level.
const HEAD: usize = 200;

impl Record {
    /// The record that a line is, without its end.
    pub fn new(line: &[u8], output: Option<Output>) -> Self {
        let text = String::from_utf8_lossy(line);
        let level = level(&text);
        let text = visible(&text).into();
        Self { time: SystemTime::now(), output, level, text, is_note: false }
    }

    /// When it was read.
    pub fn time(&self) -> SystemTime {
        self.time
    }

    /// What it was written to; not known of a word of our own.
    pub fn output(&self) -> Option<Output> {
        self.output
    }

    /// The level that it names.
    pub fn level(&self) -> Option<Level> {
        self.level
    }

    /// The line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A word of our own.
    pub(crate) fn note(text: &str) -> Self {
        let level = Some(Level::Warning);
        let text = text.into();
        Self { time: SystemTime::now(), output: None, level, text, is_note: true }
    }

    /// The memory that it takes.
    pub(crate) fn size(&self) -> usize {
        size_of::<Self>() + self.text.len()
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record({} bytes)", self.text.len())
    }
}

/// Control characters, those that end a line or a paragraph, and those that turn the direction of a
/// text, as `\u{1b}`; tabs stay.
fn visible(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| {
        c == '\t'
            || !(c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_plain(c) {
            out.push(c);
        } else {
            let _ = write!(out, "{}", c.escape_unicode());
        }
    }
    Cow::Owned(out)
}

/// The level that a line names, without its end: in JSON by its key, else as a word in capitals near
/// its start, or behind `[` or `level=`.
pub fn level_of_line(line: &[u8]) -> Option<Level> {
    level(&String::from_utf8_lossy(line.trim_ascii_start()))
}

fn level(text: &str) -> Option<Level> {
    if text.starts_with('{') {
        let record: serde_json::Value = serde_json::from_str(text).ok()?;
        let named = ["level", "levelname", "severity", "severity_text"];
        return named.into_iter().find_map(|key| word(record.get(key)?.as_str()?));
    }
    let head = beginning(text, HEAD);
    let mut before = 0;
    for name in head.split(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        let start = name.as_ptr() as usize - head.as_ptr() as usize;
        let marked = || head[before..start].ends_with('[') || head[..start].ends_with("level=");
        if name.len() >= 4
            && (name.bytes().all(|b| b.is_ascii_uppercase()) || marked())
            && let Some(level) = word(name)
        {
            return Some(level);
        }
        before = start;
    }
    None
}

fn word(name: &str) -> Option<Level> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    match () {
        () if is("debug") || is("trace") => Some(Level::Debug),
        () if is("info") || is("notice") || is("success") => Some(Level::Info),
        () if is("warning") || is("warn") => Some(Level::Warning),
        () if is("error") => Some(Level::Error),
        () if is("critical") || is("fatal") => Some(Level::Critical),
        () => None,
    }
}

/// As much of a text as has at most `longest` bytes and ends between two letters.
pub(crate) fn beginning(text: &str, longest: usize) -> &str {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn levels_are_told() {
        for (line, expected) in [
            ("2026-03-01 10:00:00,101 - INFO - ready", Some(Level::Info)),
            ("INFO:     127.0.0.1:5000 - \"GET / HTTP/1.1\" 200", Some(Level::Info)),
            ("[2026-03-01 10:00:00 +0000] [77] [ERROR] worker failed", Some(Level::Error)),
            ("2026-03-01 10:00:00 [warning  ] slow", Some(Level::Warning)),
            ("time=2026-03-01 level=debug msg=x", Some(Level::Debug)),
            (r#"{"message": "INFO", "level": "error"}"#, Some(Level::Error)),
            (r#"{"levelname": "CRITICAL"}"#, Some(Level::Critical)),
            ("no info on this error", None),
            ("MYINFO_X INFORMATION", None),
            ("", None),
        ] {
            assert_eq!(level(line), expected, "{line}");
        }
    }

    #[test]
    fn nothing_that_controls_is_left() {
        let record = Record::new(b"a\x1b]0;t\x07\tb\xe2\x80\xae\xff\x00", None);
        assert_eq!(&*record.text, "a\\u{1b}]0;t\\u{7}\tb\\u{202e}\u{fffd}\\u{0}");
        let record_of_lines = Record::new("a\u{2028}b\u{2029}c\u{85}d".as_bytes(), None);
        assert_eq!(&*record_of_lines.text, "a\\u{2028}b\\u{2029}c\\u{85}d");
        assert!(!format!("{record:?}").contains('a') || format!("{record:?}").len() < 24);
    }

    proptest! {
        #[test]
        fn any_line_is_one_record(line in prop::collection::vec(any::<u8>(), 0..400)) {
            let record = Record::new(&line, Some(Output::Stderr));
            prop_assert!(!record.text.contains(|c: char| c.is_control() && c != '\t'));
        }
    }
}
