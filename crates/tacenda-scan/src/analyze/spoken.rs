//! What a message says of a value that it speaks of by words, in code about language models.

use super::said::is_exception;
use super::wire::is_piece;
use crate::context::Context;
use crate::ir::{Expr, ExprKind};
use crate::label::Label;
use crate::lexicon::Class;

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
    "transcription",
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
pub(super) const OF_OTHERS: &[&str] = &[
    "sql", "db", "database", "dns", "error", "status", "http", "api", "server", "invalid", "no",
    "unknown",
];
/// Who writes to a model, and what it is that they write.
const PERSONS: &[&str] = &["user", "human", "last", "chat", "customer", "system", "client"];
const TEXTS: &[&str] = &["message", "messages", "msg", "text", "utterance", "request", "content"];
/// Words of messages about language models.
const OF_MODELS: &[&str] =
    &["llm", "model", "openai", "gpt", "claude", "gemini", "ollama", "llama"];
/// What a heading is set off with.
const RULE: [char; 5] = [' ', '=', '-', '*', '#'];
/// Of messages that programs make for their users.
const OF_PROGRAMS: &[&str] = &[
    "error",
    "err",
    "errors",
    "exception",
    "exc",
    "warning",
    "warn",
    "fail",
    "failure",
    "failed",
    "help",
    "usage",
    "status",
    "log",
    "debug",
    "info",
    "commit",
    "default",
    "success",
    "reason",
    "title",
    "close",
    "format",
    "exit",
    "output",
    "result",
    "detail",
    "policy",
    "progress",
    "health",
    "rejection",
    "validation",
    "deprecation",
    "confirm",
    "final",
];
/// What stands between words and the value that they are about.
const MARKS: &[&str] = &[":", "=", " is", " are", " was", "->", "=>", " -", "→", "—", "–"];
/// Functions that make a text of a value, and methods that do so of their own.
const TEXT_OF: &[&str] = &["dumps", "str", "repr", "pformat", "marshal", "tostring"];
const TEXT_BY: &[&str] = &[
    "strip",
    "decode",
    "hex",
    "to_text",
    "to_json",
    "to_dict",
    "as_dict",
    "model_dump",
    "model_dump_json",
    "SerializeToString",
];
/// Names of anything at all.
pub(super) const OF_ANYTHING: &[&str] =
    &["result", "results", "data", "output", "content", "json", "record", "item", "obj"];

/// A value that messages speak of, and their words before it.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub(super) struct Spoken<'t> {
    pub(super) name: &'t str,
    pub(super) class: Class,
    /// All words of the message.
    pub(super) message: &'t str,
    pub(super) text: &'t str,
    /// The last word and the one before it.
    pub(super) last: &'t str,
    pub(super) of: &'t str,
    /// Whether a colon stands between them and the value.
    pub(super) colon: bool,
    /// Whether an arrow does: `<< `.
    pub(super) arrow: bool,
    /// Whether the value begins a line of its own.
    pub(super) own_line: bool,
    /// Whether it does below a heading of a few words.
    pub(super) headed: bool,
}

impl<'t> Spoken<'t> {
    pub(super) fn new(
        before: &'t str,
        message: &'t str,
        value: &'t Expr,
        context: &Context,
    ) -> Option<Self> {
        let (name, class) = match &shown(value).kind {
            ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => (&*ident.name, ident.class),
            ExprKind::Item(_, key) => match &key.kind {
                ExprKind::Text(text, class) => (&**text, *class),
                _ => return None,
            },
            // `kwargs.get("json")`
            ExprKind::Call(call) => match (&call.callee.kind, call.arguments.first()) {
                (ExprKind::Attribute(_, method), Some(key)) if method.name == "get" => {
                    match &key.kind {
                        ExprKind::Text(text, class) => (&**text, *class),
                        _ => return None,
                    }
                }
                _ => return None,
            },
            _ => return None,
        };
        let name = name.trim_start_matches('_');
        // What a name says elsewhere it does not say here.
        let elsewhere = matches!(class, Class::Sensitive(label, ..)
            if label != Label::Settings && class.within(context).is_none());
        // `token_message` tells of a token; beside what is sent, it is a message.
        let message_of = name.strip_suffix("_message").or_else(|| name.strip_suffix("_msg"));
        let is_message = message_of
            .is_some_and(|of| !OF_PROGRAMS.contains(&of.rsplit('_').next().unwrap_or_default()));
        let elsewhere = elsewhere || is_message && matches!(class, Class::Harmless);
        // `last_ws_message`, `lines`: for a name alone they are about something else.
        let class = if elsewhere || is_piece(name) { Class::Plain } else { class };
        let mark = before.trim_end_matches([' ', '\'', '"', '`', '[', '(']);
        let arrow = mark.ends_with("<<") || mark.ends_with(">>");
        let own_line = before.ends_with('\n');
        // `{i}`: a number, most likely.
        let about = matches!(class, Class::Harmless | Class::Treated) && name != "input"
            || is_exception(name);
        if about || name.len() < 3 {
            return None;
        }
        let before = before.trim_end_matches([' ', '\n', '\'', '"', '`', '[', '(', '<']);
        let marked = MARKS.iter().find_map(|mark| before.strip_suffix(mark));
        // `the content is:`
        let marked = marked.map(|text| {
            [" is", " are"].iter().find_map(|is| text.strip_suffix(is)).unwrap_or(text)
        });
        let marked = marked.or_else(|| in_brackets(before));
        let (text, colon) = match marked {
            Some(text) => (text.trim_end_matches(RULE), true),
            // `---- request ----`, on a line of its own
            None => (before.trim_end_matches(RULE), own_line && before.ends_with(RULE)),
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
        let line = text.rsplit('\n').next().unwrap_or_default();
        let headed = own_line && line.split_whitespace().count() <= 3;
        Some(Self { name, class, message, text, last, of, colon, arrow, own_line, headed })
    }

    /// `question: `, `… final answer: `
    pub(super) fn is_model_text(&self, context: &Context) -> Option<Label> {
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
        // `invoking it with input `, before `input_json`
        let of_this = self.name == self.last
            || self.of == "with" && self.name.split('_').any(|word| word == self.last);
        if !(self.colon || self.headed || of_this) || OF_OTHERS.contains(&self.of) {
            return None;
        }
        // `final report content: `, before `report`
        if self.colon && self.last == "content" && self.of == self.name {
            return Some(Label::Completion);
        }
        // `parsing a tool call: `, `raw result: `
        let of_model =
            self.last == "call" && self.of == "tool" || self.last == "result" && self.of == "raw";
        if self.colon && of_model {
            return Some(Label::Completion);
        }
        let told = matches!(self.last, "request" | "call") && OF_MODELS.contains(&self.of);
        let by_person = TEXTS.contains(&self.last) && PERSONS.contains(&self.of);
        let remembered = matches!(self.last, "memory" | "context" | "history")
            && OF_ANYTHING.contains(&self.name);
        let of_agents = context.agents && (self.last == "task" || remembered);
        // `result: `, of what an agent was told to do
        if context.agents && self.last == "result" && self.name == "result" {
            return Some(Label::Completion);
        }
        if ASKED.contains(&self.last) || told || by_person || of_agents {
            return Some(Label::Prompt);
        }
        let generated = self.last == "code"
            && matches!(self.of, "generated" | "python" | "executed" | "executing" | "running");
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
    pub(super) fn is_told_twice(&self, context: &Context) -> Option<Label> {
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
            (
                "event" | "request" | "response" | "message" | "webhook" | "form" | "post",
                "data" | "payload" | "body" | "json",
            ) => Some(Label::Body),
            _ => None,
        }
    }
}

/// `[tool result] `: a heading of several words.
fn in_brackets(before: &str) -> Option<&str> {
    let text = before.strip_suffix(']')?;
    let text = &text[text.rfind('[')? + 1..];
    text.contains(' ').then_some(text)
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
                    // `b"".join(pieces)`
                    (ExprKind::Attribute(base, _), [only])
                        if name == "join" && matches!(base.kind, ExprKind::Text(..)) =>
                    {
                        only
                    }
                    // `raw.decode("utf-8")`
                    (ExprKind::Attribute(base, _), _) if name == "decode" => base,
                    _ => return value,
                }
            }
            _ => return value,
        };
    }
}
