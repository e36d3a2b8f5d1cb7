//! What the name of a function says that it gives.

use super::Walker;
use crate::Confidence;
use crate::ir::{Ident, Span};
use crate::label::Label;
use crate::lexicon::{Class, words};
use crate::value::{Known, Value, What};

/// How the names of functions begin that give what the rest of the name says.
const GIVING: &[&str] = &[
    "get", "read", "fetch", "load", "generate", "create", "make", "build", "decrypt", "request",
    "obtain", "retrieve", "acquire", "new", "find", "lookup", "prompt", "ask", "extract", "parse",
    "decode", "issue", "gen", "compute", "derive", "resolve",
];
/// How the names of functions begin, and end, that give what a model writes.
const GENERATING: &[&str] =
    &["generate", "agenerate", "complete", "chat", "predict", "infer", "transcribe"];
const GENERATED: &[&str] =
    &["response", "reply", "answer", "completion", "completions", "text", "message", "summary"];

impl Walker<'_> {
    /// `get_password()`: the name of the function says what it gives.
    pub(super) fn given(
        &mut self,
        name: &Ident,
        mut value: Value,
        span: Span,
        here: bool,
    ) -> Value {
        if value.is_harmless() {
            return value;
        }
        let words = words(&name.name);
        let starts_with =
            |list: &[&str]| words.first().is_some_and(|word| list.contains(&word.as_str()));
        let ends_with =
            |list: &[&str]| words.last().is_some_and(|word| list.contains(&word.as_str()));
        let class = name.name.starts_with(|first: char| first.is_ascii_uppercase());
        // `chat_completions_once(…)`, `generate_plan_response(…)`
        let of_chat = words.windows(2).any(|pair| {
            pair[0] == "chat" && matches!(pair[1].as_str(), "completion" | "completions")
        });
        if self.context.ml
            && !here
            && !class
            && (of_chat || starts_with(GENERATING) && ends_with(GENERATED))
        {
            self.label(&mut value, Label::Completion, Confidence::Medium, span, What::Given);
            return value;
        }
        let Class::Sensitive(label, confidence, _) = name.class else { return value };
        if name.class.within(self.context).is_none()
            || matches!(label, Label::Settings | Label::Url)
            || label != Label::Credential && confidence < Confidence::High
        {
            return value;
        }
        let prompts_for = words.first().is_some_and(|word| word == "prompt");
        if starts_with(GIVING)
            && !(prompts_for && label != Label::Credential)
            && !(here && value.flows.is_empty() && label != Label::Credential)
        {
            self.label(&mut value, label, confidence.min(Confidence::High), span, What::Given);
        }
        value
    }

    /// `aes_decrypt(…)`: what was hidden on its way is hidden no more.
    pub(super) fn decrypted(&self, name: &Ident, mut value: Value, span: Span) -> Value {
        let decrypts = words(&name.name)
            .iter()
            .any(|word| matches!(word.as_str(), "decrypt" | "decipher" | "decrypted"));
        let context = self.context;
        let passed = context.http || context.wire || context.credentials;
        if decrypts && passed && matches!(value.known, Known::Nothing | Known::Built) {
            self.label(&mut value, Label::Body, Confidence::Medium, span, What::Given);
            value.known = Known::Nothing;
        }
        value
    }
}
