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
    "prompts",
    "questions",
    "input",
    "inputs",
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
    "outputs",
    "answers",
    "completion",
    "completions",
    "thought",
    "thoughts",
    "observation",
    "reasoning",
    "thinking",
    "continuation",
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
const PIECES: &[&str] =
    &["message", "msg", "notification", "frame", "packet", "event", "stanza", "envelope"];
const COMING: &[&str] = &[
    "received",
    "receiving",
    "send",
    "decrypted",
    "deserialized",
    "discarded",
    "dropped",
    "dropping",
    "outgoing",
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
/// What is said of what goes over a wire.
const PASSED: &[&str] =
    &["send", "sending", "sent", "recv", "rcvd", "receive", "received", "receiving", "rx", "tx"];
/// Who writes to a model, and what it is that they write.
const PERSONS: &[&str] = &["user", "human", "last", "chat", "customer", "system", "client"];
const TEXTS: &[&str] = &["message", "messages", "msg", "text", "utterance", "request", "content"];
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

/// Functions that make a text of a value, and methods that do so of their own.
const TEXT_OF: &[&str] = &["dumps", "str", "repr", "pformat", "marshal"];
const TEXT_BY: &[&str] =
    &["strip", "decode", "to_text", "to_json", "to_dict", "model_dump", "model_dump_json"];
/// Names of anything at all.
const OF_ANYTHING: &[&str] =
    &["result", "results", "data", "output", "content", "json", "record", "item", "obj"];
/// Names of what is no more than yes or no.
const ANSWERS_TO_QUESTIONS: &[&str] = &["success", "succeeded", "done", "found", "okay"];

/// What the words before a hole, and all words of the message in small letters, say that stands in it.
pub(super) fn said(
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
    let spoken = Spoken::new(&before, message, value)?;
    let model = if context.ml { spoken.is_model_text(context) } else { None };
    let exchange = || if context.http { spoken.is_exchange() } else { None };
    let passed = || if context.http || context.wire { spoken.is_passed() } else { None };
    model.or_else(exchange).or_else(passed).or_else(|| spoken.is_told_twice(context))
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
    /// All words of the message.
    message: &'t str,
    text: &'t str,
    /// The last word and the one before it.
    last: &'t str,
    of: &'t str,
    /// Whether a colon stands between them and the value.
    colon: bool,
    /// Whether an arrow does: `<< `.
    arrow: bool,
    /// Whether the value begins a line of its own.
    own_line: bool,
}

impl<'t> Spoken<'t> {
    fn new(before: &'t str, message: &'t str, value: &'t Expr) -> Option<Self> {
        let (name, class) = match &shown(value).kind {
            ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => (&*ident.name, ident.class),
            ExprKind::Item(_, key) => match &key.kind {
                ExprKind::Text(text, class) => (&**text, *class),
                _ => return None,
            },
            _ => return None,
        };
        let name = name.trim_start_matches('_');
        let mark = before.trim_end_matches([' ', '\'', '"', '`', '[', '(']);
        let arrow = mark.ends_with("<<") || mark.ends_with(">>");
        let own_line = before.ends_with('\n');
        // `{i}`: a number, most likely.
        let about = matches!(class, Class::Harmless | Class::Treated) || is_exception(name);
        if about || name.len() < 3 {
            return None;
        }
        let before = before.trim_end_matches([' ', '\n', '\'', '"', '`', '[', '(', '<']);
        let marked = before.strip_suffix([':', '=']).or_else(|| before.strip_suffix(" is"));
        let (text, colon) = match marked {
            Some(text) => (text.trim_end(), true),
            None => (before, false),
        };
        // `the prompt (in full): `
        let text = match text.rfind('(') {
            Some(at) if text.ends_with(')') => text[..at].trim_end(),
            _ => text,
        };
        let mut words = text.rsplit(|letter: char| !letter.is_alphanumeric());
        let last = words.next().unwrap_or_default();
        let mut next = || words.find(|word| !word.is_empty()).unwrap_or_default();
        let (mut last, mut of) = (last, next());
        // `response preview: `
        if colon && matches!(last, "preview" | "snippet" | "excerpt") {
            (last, of) = (of, next());
        }
        Some(Self { name, class, message, text, last, of, colon, arrow, own_line })
    }

    /// `question: `, `… final answer: `
    fn is_model_text(&self, context: &Context) -> Option<Label> {
        // `function args failed: {args}`
        if self.tells_arguments(context) {
            return Some(Label::Completion);
        }
        // `tool %s returned %s`
        let colon = self.colon || self.last == "returned";
        if self.speaks_of_tools(context)
            && colon
            && matches!(self.last, "result" | "results" | "returned")
            && OF_ANYTHING.contains(&self.name)
        {
            return Some(Label::Completion);
        }
        // `first chunk: {chunk}`
        let piece = self.name.ends_with("chunk") || self.name == "line";
        if self.colon && self.last == "chunk" && piece {
            return Some(Label::Completion);
        }
        if !(self.colon || self.name == self.last) || OF_OTHERS.contains(&self.of) {
            return None;
        }
        let told = matches!(self.last, "request" | "call") && OF_MODELS.contains(&self.of);
        let by_person = TEXTS.contains(&self.last) && PERSONS.contains(&self.of);
        let remembered = matches!(self.last, "memory" | "context" | "history")
            && OF_ANYTHING.contains(&self.name);
        let of_agents = context.agents && (self.last == "task" || remembered);
        if ASKED.contains(&self.last) || told || by_person || of_agents {
            return Some(Label::Prompt);
        }
        let generated = self.last == "code" && matches!(self.of, "generated" | "python");
        (ANSWERED.contains(&self.last) || generated).then_some(Label::Completion)
    }

    fn tells_arguments(&self, context: &Context) -> bool {
        let of_call = ["function arg", "function call arg", "tool arg", "tool call arg"];
        let arguments = matches!(self.name, "args" | "arguments" | "args_str" | "arguments_str");
        arguments && of_call.iter().any(|words| self.text.contains(words))
            || self.speaks_of_tools(context)
                && matches!(self.last, "args" | "arguments" | "kwargs" | "parameters" | "inputs")
                && (arguments || matches!(self.name, "kwargs" | "params" | "parameters" | "inputs"))
    }

    fn speaks_of_tools(&self, context: &Context) -> bool {
        ["tool", "plugin", "mcp "].iter().any(|word| self.message.contains(word))
            || context.tools && self.message.contains("function")
    }

    /// `INPUT TEXT: {input_text}`: name and message say the same of it, wherever that stands.
    fn is_told_twice(&self, context: &Context) -> Option<Label> {
        if !self.colon {
            return None;
        }
        // `payload: `, before what is called so.
        if !context.ml && !context.http && self.last == "payload" && self.name == "payload" {
            return Some(Label::Body);
        }
        let of_model = ["rendered", "full", "final", "system", "user", "llm", "enhanced"];
        if self.name == "prompt" && self.last == "prompt" && of_model.contains(&self.of) {
            return Some(Label::Prompt);
        }
        let mut words = self.name.split('_');
        let (of, last) = (words.next()?, words.next()?);
        let same = words.next().is_none() && of == self.of && last == self.last;
        match (of, last) {
            _ if !same => None,
            ("input" | "user" | "system" | "final" | "full" | "rendered", "text" | "prompt") => {
                Some(Label::Prompt)
            }
            ("output" | "generated" | "response", "text") => Some(Label::Completion),
            _ => None,
        }
    }

    /// `SEND: `, `>> `, before what goes over a wire.
    fn is_passed(&self) -> Option<Label> {
        let word = self.colon && PASSED.contains(&self.last);
        let known = ARRIVED.contains(&self.name) || PIECES.contains(&self.name);
        let of_them = self.arrow && matches!(self.name, "info" | "line" | "reply" | "request");
        let alone = self.own_line && word && self.name == "request";
        let harmless = matches!(self.class, Class::Harmless | Class::Treated);
        let comes = self.arrives() && !matches!(self.last, "event" | "notification");
        let passed = (word || self.arrow || comes) && known || of_them || alone;
        (passed && !harmless).then_some(Label::Body)
    }

    /// `received message `, `unknown message received: `
    fn arrives(&self) -> bool {
        PIECES.contains(&self.last) && COMING.contains(&self.of)
            || self.last == "received" && PIECES.contains(&self.of)
    }

    /// `request payload: `, `response: `, before a value whose own name tells nothing.
    fn is_exchange(&self) -> Option<Label> {
        let telling = !matches!(self.class, Class::Plain) && !OF_ANYTHING.contains(&self.name);
        let known = ARRIVED.contains(&self.name) || self.name == self.of;
        let spoken = self.last == "message" && matches!(self.name, "text" | "body");
        if self.arrives() && (known || spoken) && !matches!(self.class, Class::Harmless) {
            return Some(Label::Body);
        }
        // `bad data from client: `
        let by_other = self.colon
            && matches!(self.of, "from" | "to")
            && self.text.rsplit(&[' ', '\n'][..]).nth(2).is_some_and(|word| {
                word == "data" || PIECES.contains(&word) || EXCHANGED.contains(&word)
            });
        if by_other && ARRIVED.contains(&self.name) {
            return Some(Label::Body);
        }
        // `message:\n%s`: a value on lines of its own is no word about one.
        let shown = self.own_line && self.colon && PIECES.contains(&self.last);
        if shown && !OF_OTHERS.contains(&self.of) && matches!(self.class, Class::Plain) {
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
        // `payload is {response}`
        if matches!(self.last, "payload" | "body") && matches!(self.name, "response" | "resp") {
            return Some(Label::Body);
        }
        if telling {
            return None;
        }
        match self.last {
            // Of a token, they tell what it was signed with.
            "headers" if matches!(self.of, "jwt" | "jws" | "jwe" | "jose") => None,
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

/// What `json.dumps(value, indent=4)` makes a text of, `value.strip()`, or takes out of it: `value[:99]`.
fn shown(mut value: &Expr) -> &Expr {
    loop {
        value = match &value.kind {
            ExprKind::Item(base, key) if matches!(key.kind, ExprKind::Constant(_)) => base,
            ExprKind::Call(call) => {
                let name = call.callee.last_name().map_or("", |ident| ident.name.as_str());
                match (&call.callee.kind, &call.arguments[..]) {
                    (_, [only]) if TEXT_OF.contains(&name) => only,
                    (ExprKind::Attribute(base, _), []) if TEXT_BY.contains(&name) => base,
                    _ => return value,
                }
            }
            _ => return value,
        };
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
