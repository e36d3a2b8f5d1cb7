//! What a message says of what stands in it.

use std::borrow::Cow;

use super::Walker;
use super::spoken::Spoken;
use super::told::says_personal;
use crate::Confidence;
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

/// Words before a token that is one of a text.
const OF_TEXTS: &[&str] = &[
    "unexpected",
    "next",
    "bad",
    "illegal",
    "current",
    "special",
    "unrecognized",
    "unknown",
    "input",
    "output",
    "eos",
    "bos",
    "pad",
    "page",
    "continuation",
    "sync",
    "cancellation",
    "invalid",
];

/// Words before the place of a credential.
const WHERE: &[&str] = &["in", "from", "at", "into", "under", "via"];

impl Walker<'_> {
    /// What a message says of what stands in it: what the words before a hole, and all words of the
    /// message in small letters, do.
    pub(super) fn said(&self, before: &str, message: &str, value: &Expr) -> Option<Label> {
        // `response`, where `response.status_code` is read: its text is a line that tells no content.
        let of_client = matches!(&value.kind, ExprKind::Name(ident)
            if self.frame.answers.contains(&ident.name)
                || self.context.answers.contains(&ident.name)
                    && !self.frame.parameters.contains(&ident.name));
        if of_client {
            return None;
        }
        said(before, message, value, self.models().names(), self.context)
    }
}

fn said(
    before: &str,
    message: &str,
    value: &Expr,
    names: &Lexicon,
    context: &Context,
) -> Option<Label> {
    if says_credential(before, value, names, context) {
        return Some(Label::Credential);
    }
    let before = before.to_lowercase();
    if says_personal(&before, value) {
        return Some(Label::Personal);
    }
    let spoken = Spoken::new(&before, message, value, context)?;
    let model = if context.ml { spoken.is_model_text(context) } else { None };
    let exchange = || if context.http { spoken.is_exchange() } else { None };
    let passed = || if context.http || context.wire { spoken.is_passed() } else { None };
    model
        .or_else(exchange)
        .or_else(passed)
        .or_else(|| spoken.is_told_twice(context))
        .or_else(|| spoken.is_told_of(context))
}

/// Whether the words before a hole say that what stands in it is a credential: `… api key: `, and
/// without a colon where the value has the name of the last word: `… authorization code {code}`.
fn says_credential(before: &str, value: &Expr, names: &Lexicon, context: &Context) -> bool {
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
    // `found an access token in: `, before where.
    let class = if WHERE.contains(&last) { Class::Plain } else { named_in(text, names) };
    // `no access token: `, before what tells why.
    let failed = || {
        let text = text.to_lowercase();
        ["fail", "error", "unable", "could not", "cannot", "invalid"]
            .iter()
            .any(|word| text.contains(word))
    };
    // `the cached token: `, before what has no name of its own.
    let token = || {
        let plain = ident.is_some_and(|ident| {
            matches!(
                ident.class,
                Class::Plain | Class::Sensitive(Label::Settings, Confidence::Low, _)
            )
        });
        let of_text = || {
            let mut words = text.rsplit(|letter: char| !letter.is_alphanumeric());
            words.nth(1).is_some_and(|word| OF_TEXTS.contains(&&*word.to_lowercase()))
        };
        colon
            && plain
            && !about
            && last.eq_ignore_ascii_case("token")
            && names.classify("token").within(context).is_some_and(|(label, sure)| {
                label == Label::Credential && sure >= Confidence::Medium
            })
            && !of_text()
    };
    (of_this_name || colon && !about && !failed()) && (of_login() || class.is_credential())
        || token() && !failed()
}

pub(super) fn is_exception(name: &str) -> bool {
    matches!(name, "e" | "why") || name.starts_with("ex") && name.len() <= 4
}

/// `… OAuth code `, `… disarming with code `: a code that lets in, not one that tells of an error.
fn is_code_of_login(text: &str) -> bool {
    let text = text.to_lowercase();
    CODES.iter().any(|word| text.contains(word))
        && !text.contains("error")
        && !text.contains("status")
}

/// What stands before a hole, and before the one before it where nothing does: `… from %s: %s`.
pub(super) fn before_hole<'t>(before: &'t str, earlier: &'t str) -> Cow<'t, str> {
    let own = before.trim_start_matches("%s").trim_start_matches("%r").trim_start_matches("{}");
    let mark = own.trim_start_matches([']', ')', '"', '\'']).trim();
    if matches!(mark, ":" | "=") && !earlier.is_empty() {
        Cow::Owned(format!("{}{mark}", earlier.trim_end_matches([' ', '[', '(', '"', '\''])))
    } else if mark.is_empty() && own.ends_with('\n') && !earlier.is_empty() {
        // `THOUGHT of (%s)\n%s`
        Cow::Owned(format!("{}\n", earlier.trim_end_matches([' ', '[', '(', '"', '\''])))
    } else {
        Cow::Borrowed(before)
    }
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
