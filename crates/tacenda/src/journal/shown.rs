//! What is written in the journal, on a terminal: whoever wrote it may have meant to hide a line.

use std::borrow::Cow;

/// A text with what controls a terminal, or turns its direction, spelled out.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    spelled(text, |c| format!("\\u{{{c:x}}}"))
}

/// The same of JSON, in which this stands in texts only: it means what it meant.
pub(super) fn shown_json(json: &str) -> Cow<'_, str> {
    spelled(json, |c| format!("\\u{c:04x}"))
}

fn spelled(text: &str, spell: impl Fn(u32) -> String) -> Cow<'_, str> {
    let is_plain = |c: char| {
        !(c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    if text.chars().all(is_plain) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            out.push(c);
        } else {
            out.push_str(&spell(c.into()));
        }
    }
    out.into()
}
