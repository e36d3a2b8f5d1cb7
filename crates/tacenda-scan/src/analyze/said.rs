//! What a message says of what stands in it.

use crate::context::Context;
use crate::ir::{Expr, ExprKind};
use crate::label::Label;
use crate::lexicon::{Class, Lexicon};

/// Words that go with a code that lets in.
const CODES: &[&str] = &[
    "oauth",
    "authoriz",
    "authenticat",
    "disarm",
    "unlock",
    "otp",
    "mfa",
    "2fa",
    "verification",
    "passcode",
];
/// Words before text that a model is told, and before text that it tells.
const ASKED: &[&str] = &[
    "question",
    "query",
    "prompt",
    "input",
    "instruction",
    "instructions",
    "asked",
    "asks",
    "said",
    "says",
    "heard",
    "transcribed",
    "transcript",
    "utterance",
];
const ANSWERED: &[&str] = &[
    "answer",
    "response",
    "reply",
    "replied",
    "answered",
    "output",
    "completion",
    "thought",
    "thoughts",
    "observation",
    "reasoning",
    "thinking",
];
/// Words in front of these that tell that it is about something else.
const OF_OTHERS: &[&str] = &[
    "sql", "db", "database", "dns", "error", "status", "http", "api", "server", "invalid", "no",
    "unknown",
];

/// What the words before a hole say that stands in it.
pub(super) fn said(
    before: &str,
    value: &Expr,
    names: &Lexicon,
    context: &Context,
) -> Option<Label> {
    if says_credential(before, value, names) {
        return Some(Label::Credential);
    }
    if context.ml { says_model_text(before, value, context) } else { None }
}

/// Whether the words before a hole say that what stands in it is a credential: `… api key: `, and
/// without a colon where the value has the name of the last word: `… authorization code {code}`.
fn says_credential(before: &str, value: &Expr, names: &Lexicon) -> bool {
    let before = before.trim_end_matches([' ', '\'', '"', '`', '[', '(', '<']);
    let (text, colon) = match before.strip_suffix([':', '=']) {
        Some(text) => (text, true),
        None => (before, false),
    };
    let ident = value.last_name();
    let last = text.rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
    let of_this_name = !last.is_empty() && ident.is_some_and(|ident| ident.name == last);
    let about = ident.is_some_and(|ident| {
        matches!(ident.class, Class::Harmless | Class::Treated) || is_exception(&ident.name)
    });
    let of_login = || last == "code" && is_code_of_login(text);
    (of_this_name || colon && !about) && (of_login() || named_in(text, names).is_credential())
}

fn is_exception(name: &str) -> bool {
    matches!(name, "e" | "ex" | "exc" | "why")
}

/// `… OAuth code `, `… disarming with code `: a code that lets in, not one that tells of an error.
fn is_code_of_login(text: &str) -> bool {
    let text = text.to_lowercase();
    CODES.iter().any(|word| text.contains(word))
        && !text.contains("error")
        && !text.contains("status")
}

/// What the words before a hole say of the text of a model: `question: `, `… final answer: `.
fn says_model_text(before: &str, value: &Expr, context: &Context) -> Option<Label> {
    let (name, class) = match &value.kind {
        ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => (&*ident.name, ident.class),
        ExprKind::Item(_, key) => match &key.kind {
            ExprKind::Text(text, class) => (&**text, *class),
            _ => return None,
        },
        _ => return None,
    };
    // `{i}`: a number, most likely.
    if matches!(class, Class::Harmless | Class::Treated) || name.len() < 3 || is_exception(name) {
        return None;
    }
    let before = before.trim_end_matches([' ', '\n', '\'', '"', '`', '[', '(', '<']);
    let (text, colon) = match before.strip_suffix([':', '=']) {
        Some(text) => (text, true),
        None => (before, false),
    };
    let text = text.to_lowercase();
    let mut words = text.rsplit(|letter: char| !letter.is_alphanumeric());
    let last = words.next().unwrap_or_default();
    let of = words.next().unwrap_or_default();
    if !(colon || name == last) || OF_OTHERS.contains(&of) {
        return None;
    }
    if ASKED.contains(&last) || context.agents && last == "task" {
        return Some(Label::Prompt);
    }
    ANSWERED.contains(&last).then_some(Label::Completion)
}

/// What the words before a hole say, also in a sentence: `… timeout is `.
pub(super) fn says(before: &str, names: &Lexicon) -> Option<Class> {
    let before = before.trim_end_matches([' ', '\'', '"', '`', '[', '(', '<']);
    Some(named_in(before.strip_suffix([':', '=']).or_else(|| before.strip_suffix(" is"))?, names))
}

fn named_in(before: &str, names: &Lexicon) -> Class {
    let before = before.trim_end_matches([' ', '\'', '"', '`', ']', ')']);
    let start = before
        .char_indices()
        .rev()
        .find(|(_, letter)| !(letter.is_alphanumeric() || "_- ".contains(*letter)));
    let words = &before[start.map_or(0, |(at, letter)| at + letter.len_utf8())..];
    let words: Vec<&str> = words.split_whitespace().collect();
    let words = &words[words.len().saturating_sub(3)..];
    names.classify(&words.join("_"))
}
