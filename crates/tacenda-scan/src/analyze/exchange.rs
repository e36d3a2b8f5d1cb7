//! Requests and what came back of them: their parts, and what formats them as a whole.

use super::Walker;
use super::call::Arguments;
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Ident, Span};
use crate::label::Label;
use crate::lexicon::words;
use crate::value::{Known, Value, What};

/// What functions do that write all of a request or response, and what they are called after.
const FORMATTING: &[&str] = &[
    "format",
    "pformat",
    "pprint",
    "prettify",
    "pretty",
    "dump",
    "render",
    "serialize",
    "describe",
    "stringify",
    "repr",
    "print",
    "to",
];
const EXCHANGES: &[&str] =
    &["request", "response", "req", "resp", "http", "httpx", "exchange", "curl", "all"];
/// What requests and responses are called.
const NAMES: &[&str] = &["request", "response", "req", "resp", "res", "prepared", "r"];
/// Words in the names of classes and functions that run what they are handed only when it is needed.
const LATER: &[&str] = &["lazy", "delayed", "deferred"];

impl<'a> Walker<'a> {
    /// What an attribute, or a method, of a request or of what came back of one gives.
    pub(super) fn part_of_exchange(&self, value: &Value, part: &str, span: Span) -> Option<Value> {
        let Known::Exchange(address) = &value.known else { return None };
        let label = match part {
            "text" | "content" | "json" | "read" | "aread" | "body" | "data" | "iter_content"
            | "iter_bytes" | "aiter_bytes" | "iter_text" | "aiter_text" | "iter_lines"
            | "aiter_lines" => Label::Body,
            "url" | "geturl" | "full_url" | "get_full_url" if !address.is_empty() => {
                let address = Value { flows: address.to_vec(), known: Known::Nothing };
                return Some(self.stepped(address, span, What::Given));
            }
            "url" | "geturl" | "full_url" | "get_full_url" => Label::Url,
            "headers" | "header_items" | "getheaders" | "raw_headers" => Label::Headers,
            _ => return None,
        };
        Some(Value::source(label, Confidence::Medium, self.step(span, What::Given, None)))
    }

    /// What the attribute of this name gives, of something of which models or requests tell it.
    pub(super) fn attribute_by_name(
        &self,
        of: &Expr,
        whole: &Value,
        field: &str,
        span: Span,
    ) -> Option<Value> {
        let path = || self.path(of).map(|path| format!("{path}.{field}"));
        self.part_of_exchange(whole, field, span).or_else(|| {
            let (label, sure) = self.models().source_attribute(field, path)?;
            Some(Value::source(label, sure, self.step(span, What::Given, None)))
        })
    }

    /// What an attribute of a request gives, of what came back of one, or of a `result` in code that
    /// speaks HTTP, whatever function gave it.
    pub(super) fn part_of_answer(
        &self,
        base: &Expr,
        value: &Value,
        whole: &Expr,
        part: &str,
    ) -> Option<Value> {
        self.part_of_exchange(value, part, whole.span).or_else(|| {
            let ExprKind::Name(ident) = &base.kind else { return None };
            let answer = part == "text"
                && self.context.http
                && !self.context.ml
                && value.flows.is_empty()
                && matches!(value.known, Known::Nothing)
                && ["result", "reply", "answer", "ret", "rsp", "res"]
                    .contains(&ident.name.as_str());
            let way = || self.step(whole.span, What::Named, None);
            answer.then(|| Value::source(Label::Body, Confidence::Medium, way()))
        })
    }

    /// `kwargs["data"]` of what a request is sent with.
    pub(super) fn is_sent_with(&self, base: &Expr, key: &Expr) -> bool {
        self.context.http
            && key.text().is_some_and(|key| matches!(key, "data" | "json" | "body" | "params"))
            && base.last_name().is_some_and(|base| {
                matches!(base.name.as_str(), "kwargs" | "request_kwargs" | "kw")
            })
    }

    /// Whether this is a request or response of which its annotation says that it is text or data:
    /// `response: str`.
    pub(super) fn is_exchanged_text(&self, ident: &Ident, known: Option<&Known>) -> bool {
        let Some(Known::Object(class)) = known else { return false };
        let text = matches!(
            class.as_str(),
            "str" | "bytes" | "bytearray" | "dict" | "Dict" | "Mapping" | "MutableMapping"
        );
        text && self.context.http && (NAMES.contains(&ident.name.as_str()) || ident.name == "reply")
    }

    /// `format_response(response)`: all of it, head and body.
    pub(super) fn shown_exchange(
        &self,
        name: &Ident,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Option<Value> {
        let may = |word: &&str| name.name.trim_start_matches('_').starts_with(*word);
        if arguments.by_place.is_empty() || !FORMATTING.iter().any(may) {
            return None;
        }
        let of_name = words(&name.name);
        let has = |list: &[&str]| of_name.iter().any(|word| list.contains(&word.as_str()));
        let formats = of_name.first().is_some_and(|word| FORMATTING.contains(&word.as_str()));
        if !formats || !has(EXCHANGES) {
            return None;
        }
        let is_exchange = |expr: &Expr, value: &Value| {
            matches!(value.known, Known::Exchange(_))
                || self.context.http
                    && expr.last_name().is_some_and(|ident| NAMES.contains(&ident.name.as_str()))
                    && matches!(expr.kind, ExprKind::Name(_) | ExprKind::Attribute(..))
                    && !value.is_plain()
        };
        let exchanged = arguments.by_place.iter().any(|(expr, value)| is_exchange(expr, value));
        exchanged.then(|| {
            let way = self.step(span, What::Given, None);
            Value::source(Label::Headers, Confidence::Medium, way)
        })
    }

    /// `CallEvent(messages=messages)`: what an event is made of that is handed to a logger.
    pub(super) fn given_event(
        &mut self,
        name: &Ident,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Option<Value> {
        let class = name.name.starts_with(|first: char| first.is_ascii_uppercase());
        if !class || !["Event", "Record", "Entry"].iter().any(|end| name.name.ends_with(end)) {
            return None;
        }
        let mut event = Value::default();
        for (key, expr, value) in &arguments.by_name {
            if let Some(key) = key {
                let value = self.named(key, expr.span, value.clone());
                event.absorb_field(&key.name, &value);
            }
        }
        (!event.flows.is_empty()).then(|| self.stepped(event, span, What::Passed))
    }

    /// `LazyText(lambda: body)`: what the function gives that is handed over.
    pub(super) fn given_later(&self, name: &Ident, arguments: &Arguments<'a>) -> Option<Value> {
        let [(Expr { kind: ExprKind::Lambda(_), .. }, function)] = &arguments.by_place[..] else {
            return None;
        };
        let Known::Local(number) = function.known else { return None };
        let later = words(&name.name).iter().any(|word| LATER.contains(&word.as_str()));
        if later { self.locals.get(number).map(|(_, gives)| gives.clone()) } else { None }
    }
}
