//! What a message says of what stands in it.

use std::borrow::Cow;

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

/// Words that go with what is sent and received.
const EXCHANGED: &[&str] =
    &["request", "response", "received", "sent", "raw", "post", "posted", "returned"];
/// What arrives piece by piece, and words that go with it.
const PIECES: &[&str] = &["message", "msg", "notification", "frame", "packet", "event"];
const COMING: &[&str] = &[
    "received",
    "incoming",
    "unknown",
    "unhandled",
    "unexpected",
    "sending",
    "sent",
    "raw",
    "got",
    "mqtt",
    "websocket",
    "ws",
];
/// Names of what arrived, and of what is sent.
const ARRIVED: &[&str] = &[
    "message",
    "msg",
    "event",
    "notification",
    "frame",
    "packet",
    "data",
    "resp",
    "response",
    "payload",
    "raw",
    "content",
    "log_message",
];
/// Words of messages about language models.
const OF_MODELS: &[&str] =
    &["llm", "model", "openai", "gpt", "claude", "gemini", "ollama", "llama"];
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

/// Names of anything at all.
const OF_ANYTHING: &[&str] =
    &["result", "data", "output", "content", "json", "record", "item", "obj"];
/// Names of what is no more than yes or no.
const ANSWERS_TO_QUESTIONS: &[&str] = &["success", "succeeded", "done", "found", "okay"];

/// What the words before a hole say that stands in it.
pub(super) fn said(
    before: &str,
    value: &Expr,
    names: &Lexicon,
    context: &Context,
) -> Option<Label> {
    if says_credential(before, value, names, context) {
        return Some(Label::Credential);
    }
    let before = before.to_lowercase();
    let spoken = Spoken::new(&before, value)?;
    if !context.ml && !context.http {
        // `payload: `, before what is called so.
        let payload = spoken.colon && spoken.last == "payload" && spoken.name == "payload";
        return payload.then_some(Label::Body);
    }
    let model = if context.ml { spoken.is_model_text(context) } else { None };
    model.or_else(|| if context.http { spoken.is_exchange() } else { None })
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
    let class = named_in(text, names);
    // `no access token: `, before what tells why.
    let failed = || {
        let text = text.to_lowercase();
        ["fail", "error", "unable", "could not", "cannot", "invalid"]
            .iter()
            .any(|word| text.contains(word))
    };
    // `the cached token: `, before what has no name of its own.
    let token = || {
        let plain = ident.is_some_and(|ident| matches!(ident.class, Class::Plain));
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

fn is_exception(name: &str) -> bool {
    matches!(name, "e" | "why") || name.starts_with("ex") && name.len() <= 4
}

/// `… OAuth code `, `… disarming with code `: a code that lets in, not one that tells of an error.
fn is_code_of_login(text: &str) -> bool {
    let text = text.to_lowercase();
    CODES.iter().any(|word| text.contains(word))
        && !text.contains("error")
        && !text.contains("status")
}

/// A value that messages speak of, and their words before it.
struct Spoken<'t> {
    name: &'t str,
    class: Class,
    text: &'t str,
    /// The last word and the one before it.
    last: &'t str,
    of: &'t str,
    /// Whether a colon stands between them and the value.
    colon: bool,
}

impl<'t> Spoken<'t> {
    fn new(before: &'t str, value: &'t Expr) -> Option<Self> {
        let (name, class) = match &shown(value).kind {
            ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => (&*ident.name, ident.class),
            ExprKind::Item(_, key) => match &key.kind {
                ExprKind::Text(text, class) => (&**text, *class),
                _ => return None,
            },
            _ => return None,
        };
        // `{i}`: a number, most likely.
        let about = matches!(class, Class::Harmless | Class::Treated) || is_exception(name);
        if about || name.len() < 3 {
            return None;
        }
        let before = before.trim_end_matches([' ', '\n', '\'', '"', '`', '[', '(', '<']);
        let (text, colon) = match before.strip_suffix([':', '=']) {
            Some(text) => (text, true),
            None => (before, false),
        };
        // `the prompt (in full): `
        let text = match text.rfind('(') {
            Some(at) if text.ends_with(')') => text[..at].trim_end(),
            _ => text,
        };
        let mut words = text.rsplit(|letter: char| !letter.is_alphanumeric());
        let last = words.next().unwrap_or_default();
        Some(Self { name, class, text, last, of: words.next().unwrap_or_default(), colon })
    }

    /// `question: `, `… final answer: `
    fn is_model_text(&self, context: &Context) -> Option<Label> {
        // `function args failed: {args}`
        if self.tells_arguments() {
            return Some(Label::Completion);
        }
        if !(self.colon || self.name == self.last) || OF_OTHERS.contains(&self.of) {
            return None;
        }
        let told = matches!(self.last, "request" | "call") && OF_MODELS.contains(&self.of);
        if ASKED.contains(&self.last) || told || context.agents && self.last == "task" {
            return Some(Label::Prompt);
        }
        ANSWERED.contains(&self.last).then_some(Label::Completion)
    }

    fn tells_arguments(&self) -> bool {
        let of_call = ["function arg", "function call arg", "tool arg", "tool call arg"];
        matches!(self.name, "args" | "arguments" | "args_str" | "arguments_str")
            && of_call.iter().any(|words| self.text.contains(words))
    }

    /// `request payload: `, `response: `, before a value whose own name tells nothing.
    fn is_exchange(&self) -> Option<Label> {
        let telling = !matches!(self.class, Class::Plain) && !OF_ANYTHING.contains(&self.name);
        // `received message `, `unknown message received: `
        let arrives = PIECES.contains(&self.last) && COMING.contains(&self.of)
            || self.last == "received" && PIECES.contains(&self.of);
        if arrives && ARRIVED.contains(&self.name) && !matches!(self.class, Class::Harmless) {
            return Some(Label::Body);
        }
        if !self.colon || ANSWERS_TO_QUESTIONS.contains(&self.name) {
            return None;
        }
        // `response from the hub: `, `post to %s:\n`
        let between = matches!(self.last, "from" | "to" | "for") && EXCHANGED.contains(&self.of);
        // `parsed request: `
        let parsed = matches!(self.last, "request" | "response")
            && matches!(self.of, "parsed" | "decoded")
            && matches!(self.name, "request" | "response" | "req" | "resp");
        if parsed || between && ARRIVED.contains(&self.name) {
            return Some(Label::Body);
        }
        if telling {
            return None;
        }
        match self.last {
            "headers" => Some(Label::Headers),
            "payload" | "body" | "response" => Some(Label::Body),
            "data" | "json" | "content" | "text" if EXCHANGED.contains(&self.of) => {
                Some(Label::Body)
            }
            _ => None,
        }
    }
}

/// What stands before a hole, and before the one before it where nothing does: `… from %s: %s`.
pub(super) fn before_hole<'t>(before: &'t str, earlier: &'t str) -> Cow<'t, str> {
    let own = before.trim_start_matches("%s").trim_start_matches("%r").trim_start_matches("{}");
    let mark = own.trim();
    if matches!(mark, ":" | "=") && !earlier.is_empty() {
        Cow::Owned(format!("{}{mark}", earlier.trim_end()))
    } else {
        Cow::Borrowed(before)
    }
}

/// What `json.dumps(value, indent=4)` makes a text of.
fn shown(value: &Expr) -> &Expr {
    let ExprKind::Call(call) = &value.kind else { return value };
    let makes = call.callee.last_name().is_some_and(|ident| {
        matches!(ident.name.as_str(), "dumps" | "str" | "repr" | "pformat" | "marshal")
    });
    match &call.arguments[..] {
        [only] if makes => only,
        _ => value,
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
