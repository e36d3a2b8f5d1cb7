//! What a message tells of a value by a verb or a heading, whatever the code around it is about.

use super::said::is_exception;
use super::spoken::Spoken;
use super::wire::PIECES;
use crate::context::Context;
use crate::ir::Expr;
use crate::label::Label;
use crate::lexicon::{Class, words};

/// What is done to what was received, where it may fail.
const READING: &[&str] = &[
    "parse",
    "parsing",
    "decode",
    "decoding",
    "deserialize",
    "deserializing",
    "unmarshal",
    "unmarshalling",
    "unpack",
    "unpacking",
];
/// The last words of the names of what is read.
const READ: &[&str] = &[
    "data", "payload", "body", "response", "resp", "packet", "frame", "raw", "json", "event",
    "buffer", "datagram", "envelope",
];
/// How a message begins about something that came and is looked at, or not.
const LOOKING: &[&str] = &[
    "skipped",
    "skipping",
    "ignored",
    "ignoring",
    "dropped",
    "dropping",
    "discarded",
    "discarding",
    "handling",
    "processing",
    "dispatching",
    "unhandled",
    "forwarding",
    "routing",
];
/// What came with what is called data.
const COMING: &[&str] =
    &["event", "webhook", "notification", "request", "response", "message", "packet", "update"];

impl Spoken<'_> {
    pub(super) fn is_told_of(&self, context: &Context) -> Option<Label> {
        let tells = self.is_unread()
            || self.is_answered()
            || self.is_written()
            || self.comes_with()
            || self.is_bad_row()
            || self.is_headed_by()
            || (context.http || context.wire) && (self.is_looked_at() || self.is_unread_line());
        tells.then_some(Label::Body)
    }

    /// `failed to parse `, before `data`.
    fn is_unread(&self) -> bool {
        let last = self.name.rsplit('_').next().unwrap_or_default();
        READING.contains(&self.last) && READ.contains(&last)
    }

    /// `failed to parse the raw line `, before `line`.
    fn is_unread_line(&self) -> bool {
        let mut words = self.message.split(|letter: char| !letter.is_alphanumeric());
        let line = self.last == "line" || PIECES.contains(&self.last);
        line && self.name == self.last && words.any(|word| READING.contains(&word))
    }

    /// `the device responded with: `
    fn is_answered(&self) -> bool {
        let first = self.name.split('_').next().unwrap_or_default();
        self.colon
            && self.last == "with"
            && matches!(self.of, "responded" | "replied" | "answered" | "returned")
            && (READ.contains(&first) || matches!(first, "reply" | "answer" | "result"))
    }

    /// `skipping invalid row: `, before `row`.
    fn is_bad_row(&self) -> bool {
        let bad =
            ["invalid", "malformed", "bad", "failed", "error", "missing", "skipping", "corrupt"];
        let fails = || bad.iter().any(|word| self.message.contains(word));
        let record = matches!(self.name, "row" | "record") && self.last == self.name && self.colon;
        // `no date in event item {item}`
        let item = self.name == "item" && self.last == "item" && {
            self.message.contains("event") || self.message.contains(" data ")
        };
        (record || item) && fails()
    }

    /// `[response] [%s] %s`, before `resp`.
    fn is_headed_by(&self) -> bool {
        let heading = match self.name {
            "resp" | "response" => "[response]",
            "req" | "request" => "[request]",
            _ => return false,
        };
        self.message.trim_start().starts_with(heading)
    }

    /// `SMS content: `, `mail body: `: what people write to each other.
    fn is_written(&self) -> bool {
        self.colon
            && matches!(self.last, "content" | "contents" | "text" | "body")
            && matches!(self.of, "sms" | "mail" | "email" | "chat")
    }

    /// `event with data: `, before `data`.
    fn comes_with(&self) -> bool {
        let mut words = self.message.split(|letter: char| !letter.is_alphanumeric());
        self.colon
            && self.last == "data"
            && self.name == "data"
            && words.any(|word| COMING.contains(&word))
    }

    /// `skipped event: `, before `event`.
    fn is_looked_at(&self) -> bool {
        let mut words = self.message.split(|letter: char| !letter.is_alphanumeric());
        let first = words.find(|word| !word.is_empty()).unwrap_or_default();
        self.colon
            && PIECES.contains(&self.last)
            && self.name == self.last
            && LOOKING.contains(&first)
    }
}

/// Whether the words before a hole, in small letters, say that somebody's address or number stands in
/// it: `no such email '`, `phone number: `.
pub(super) fn says_personal(before: &str, value: &Expr) -> bool {
    let Some(ident) = value.last_name() else { return false };
    let text = before.trim_end_matches([' ', '\'', '"', '`', '<', '(', '[']);
    let quoted = before.ends_with(['\'', '"', '`', '<']);
    let (text, colon) = match text.strip_suffix([':', '=']) {
        Some(text) => (text.trim_end(), true),
        None => (text, false),
    };
    if !(quoted || colon) {
        return false;
    }
    let mut last = text.rsplit(|letter: char| !letter.is_alphanumeric());
    let last = (last.next().unwrap_or_default(), last.next().unwrap_or_default());
    let number = matches!(last, ("number", "phone" | "mobile" | "telephone" | "cell"));
    let email = match last {
        ("email", _) | ("mail", "e") => true,
        ("address", of) => matches!(of, "email" | "mail"),
        _ => false,
    };
    let plain = match ident.class {
        Class::Plain | Class::Sensitive(Label::Settings, ..) => true,
        Class::Harmless => number && ident.name == "number",
        Class::Treated | Class::Sensitive(..) => false,
    };
    // `could not send email: `, before what tells why.
    let tells_why = colon && !quoted && !number && {
        let words = words(&ident.name);
        !words.iter().any(|word| matches!(word.as_str(), "to" | "user" | "address" | "identifier"))
    };
    (number || email) && plain && !is_exception(&ident.name) && !tells_why
}
