//! What people and models write: the text of keys that name the input or output of a model.
//!
//! Logs have keys such as `message` and `content` of their own. Those count in a chat only: beside a
//! `role` in the same object.

use std::ops::Range;

use super::stand_in;
use crate::assignment::Assignment;

/// Shorter texts are settings: `prompt="> "`.
const SHORTEST: usize = 8;
/// Longest text that is read to its end.
const LONGEST: usize = 1 << 20;

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// The user, the application or a tool: the model reads it.
    User,
    /// The model.
    Model,
}

/// The text of a key that leaves no doubt: `prompt`, `generated_text`.
pub(crate) fn named(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let range = whole(text, found)?;
    let value = &text[range.clone()];
    (is_text(value) && found.quoted).then_some(range)
}

/// The text of `content` and the like beside a `role`.
pub(crate) fn said(text: &[u8], found: &Assignment, speaker: Speaker) -> Option<Range<usize>> {
    if !found.quoted {
        return None;
    }
    let range = whole(text, found)?;
    let role = role_before(text, found.value.start).or_else(|| role_behind(text, range.end))?;
    let model = matches!(role, b"assistant" | b"model" | b"ai" | b"bot" | b"chatbot");
    let value = &text[range.clone()];
    let mine = model == (speaker == Speaker::Model);
    (mine && !value.is_empty() && !stand_in::is_stand_in(value)).then_some(range)
}

/// Words, and no template, path or number.
fn is_text(value: &[u8]) -> bool {
    let blanks = memchr::memchr_iter(b' ', &value[..value.len().min(256)]).count();
    let letters = value.iter().take(256).filter(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
    // Chinese and Japanese have no blanks.
    let words = blanks > 0 || value.iter().take(64).filter(|byte| **byte >= 0x80).count() >= 6;
    value.len() >= SHORTEST
        && words
        && letters * 2 >= value.len().min(256)
        && !stand_in::is_stand_in(value)
}

/// The value to its closing quote: assignments read a few thousand bytes only.
fn whole(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let Range { start, end } = found.value.clone();
    if !found.quoted {
        return Some(start..end);
    }
    let quote = *text[..start].last()?;
    if !matches!(quote, b'"' | b'\'' | b'`')
        || text.get(end).is_none_or(|b| matches!(b, b'"' | b'\'' | b'`' | b'\\' | b'\n'))
    {
        return Some(start..end);
    }
    let escapes = text[..start - 1].iter().rev().take(4).take_while(|byte| **byte == b'\\').count();
    let limit = text.len().min(start + LONGEST);
    let mut run = 0;
    for (i, &byte) in text[end..limit].iter().enumerate() {
        match byte {
            b'\\' => run += 1,
            _ if byte == quote && run <= escapes => return Some(start..end + i - run),
            _ => run = 0,
        }
    }
    Some(start..limit)
}

/// The role that stands before the key, in the same object.
fn role_before(text: &[u8], at: usize) -> Option<&[u8]> {
    const LOOK_BACK: usize = 160;
    let before = &text[at.saturating_sub(LOOK_BACK)..at];
    let object = memchr::memrchr(b'{', before).map_or(before, |i| {
        // `"content": [{"type": "text", "text": …}]` has its role one object further out.
        let outer = &before[..i];
        if memchr::memmem::find(&before[i..], b"type").is_some()
            && outer.trim_ascii_end().ends_with(b"[")
        {
            before
        } else {
            &before[i..]
        }
    });
    role_in(object)
}

/// The role that stands behind the value, in the same object.
fn role_behind(text: &[u8], end: usize) -> Option<&[u8]> {
    const LOOK_AHEAD: usize = 48;
    let behind = &text[end..text.len().min(end + LOOK_AHEAD)];
    let object = memchr::memchr(b'}', behind).map_or(behind, |i| &behind[..i]);
    role_in(object)
}

/// The value of `"role": "…"`, `role='…'`.
fn role_in(object: &[u8]) -> Option<&[u8]> {
    const ROLES: [&[u8]; 11] = [
        b"user",
        b"system",
        b"assistant",
        b"developer",
        b"tool",
        b"function",
        b"human",
        b"model",
        b"ai",
        b"bot",
        b"chatbot",
    ];
    let at = memchr::memmem::rfind(object, b"role")?;
    let rest = &object[at + 4..];
    let signs = rest
        .iter()
        .take(10)
        .take_while(|byte| matches!(byte, b'"' | b'\'' | b'\\' | b' ' | b':' | b'=' | b'>'))
        .count();
    let word = &rest[signs..];
    let end = word.iter().take(16).take_while(|byte| byte.is_ascii_lowercase()).count();
    let role = &word[..end];
    let first = rest.first()?;
    (matches!(first, b'"' | b'\'' | b'\\' | b'=' | b':') && ROLES.contains(&role)).then_some(role)
}
