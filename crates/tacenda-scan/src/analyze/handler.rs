//! Functions that are called with each message that comes in.

use ruff_python_ast::name::Name;

use super::Walker;
use crate::Confidence;
use crate::ir::{Function, Span, TypeHint};
use crate::label::Label;
use crate::lexicon::words;
use crate::value::What;

/// What such functions do.
const DOING: &[&str] = &[
    "on", "handle", "handles", "handler", "receive", "receives", "received", "recv", "process",
    "dispatch", "consume",
];
/// What they do that to.
const PIECES: &[&str] = &[
    "message",
    "msg",
    "packet",
    "datagram",
    "frame",
    "notification",
    "webhook",
    "telegram",
    "stanza",
];
/// What it is called that they are called with.
const CALLED: &[&str] = &[
    "message",
    "msg",
    "data",
    "payload",
    "notification",
    "stanza",
    "raw",
    "raw_message",
    "raw_msg",
    "raw_data",
    "body",
];
/// Annotations of texts and of what they were parsed into.
const TEXTS: &[&str] =
    &["str", "bytes", "bytearray", "dict", "Dict", "Mapping", "MutableMapping", "Any", "object"];

impl<'a> Walker<'a> {
    /// `def on_message(self, message)`: what comes in is what somebody wrote.
    pub(super) fn takes_messages(&mut self, function: &'a Function) {
        let context = self.context;
        // `def post(self, url, json)`
        let json = function.parameters.iter().find(|one| one.ident.name == "json");
        if context.http && json.is_some_and(|json| json.hint != TypeHint::Harmless) {
            self.brings_body(&Name::new_static("json"), function.span);
        }
        if !(context.http || context.wire || context.ml) || !takes_messages(&function.name.name) {
            return;
        }
        for parameter in &function.parameters {
            let name = &parameter.ident.name;
            let text = match &parameter.hint {
                TypeHint::None => true,
                TypeHint::Named(class) => TEXTS.contains(&class.as_str()),
                TypeHint::Harmless => false,
            };
            if text && CALLED.contains(&name.trim_start_matches('_')) {
                self.brings_body(name, function.span);
            }
        }
    }

    fn brings_body(&mut self, name: &Name, span: Span) {
        let Some(mut value) = self.env.get(name).cloned() else { return };
        if !value.is_harmless() {
            self.label(&mut value, Label::Body, Confidence::Medium, span, What::Named);
            self.env.set(name.clone(), value);
        }
    }
}

/// `on_message`, `_handle_client_message`, `data_received`
fn takes_messages(name: &str) -> bool {
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(DOING) && has(PIECES)
        || matches!(&words[..], [what, done] if what == "data" && done == "received")
}
