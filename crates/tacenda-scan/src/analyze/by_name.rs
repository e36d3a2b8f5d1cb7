//! What is written by name: arguments of logging calls, and entries of a dictionary that a template
//! takes from.

use std::borrow::Cow;

use super::Walker;
use super::template::before_named;
use crate::ir::{Expr, Ident, Span};
use crate::label::Label;
use crate::model::Channel;
use crate::value::{Origin, Value};

/// What content is written by.
const CONTENTS: &[&str] = &[
    "body",
    "payload",
    "data",
    "json",
    "response",
    "request",
    "message",
    "headers",
    "text",
    "content",
    "prompt",
    "query",
    "input",
    "output",
    "result",
    "args",
    "arguments",
    "kwargs",
];

/// A message that is written.
#[derive(Clone, Copy)]
pub(super) struct Message<'t> {
    /// Its text, if it takes something from arguments.
    pub(super) template: Option<&'t str>,
    /// All of its words, in small letters.
    pub(super) text: &'t str,
    /// The call that writes it.
    pub(super) call: Span,
    /// What that writes to.
    pub(super) channel: Channel,
}

impl Message<'_> {
    /// The text before what it takes by this name.
    fn before(&self, name: &str) -> Option<&str> {
        before_named(self.template?, name)
    }
}

impl<'a> Walker<'a> {
    /// `log.info("payload: {payload}", payload=payload)`. What is no logger, of which the name of a
    /// method says that it writes a message, is handed other things by name that are none of it.
    pub(super) fn written_by_name(
        &mut self,
        key: Option<&'a Ident>,
        expr: &'a Expr,
        value: &Value,
        text_first: bool,
        message: Message<'_>,
    ) {
        let Message { text, call, channel, .. } = message;
        let before = key.and_then(|key| message.before(&key.name)).map(Cow::Borrowed);
        // `log.debug("sending request", json=body)`
        let before = before.or_else(|| {
            let key = key.filter(|key| !text_first && CONTENTS.contains(&key.name.as_str()))?;
            Some(Cow::Owned(format!("{text} {}=", key.name)))
        });
        let mut value = match key {
            Some(key) => self.named(key, expr.span, value.clone()),
            None => value.clone(),
        };
        let apart = text_first && before.is_none();
        if apart {
            value =
                value.retain(|flow| matches!(flow.origin, Origin::Source(Label::Credential, _)));
        }
        self.note_value(expr.span, &value);
        if apart && value.flows.is_empty() {
            return;
        }
        let said = before.and_then(|before| self.said(&before, text, expr));
        self.argument(expr, &value, said, text, call, channel);
    }

    /// `log.info("payload: %(payload)s", {"payload": payload})`
    pub(super) fn said_by_name(&mut self, items: &'a [(Option<Expr>, Expr)], message: Message<'_>) {
        let Message { text, call, channel, .. } = message;
        for (key, item) in items {
            let Some(key) = key.as_ref().and_then(Expr::text) else { continue };
            if let Some(before) = message.before(key) {
                self.said_in_text(before, text, item, call, channel);
            }
        }
    }
}
