//! Configuration of `logging`: dictionaries as `dictConfig` takes them, in JSON, YAML and TOML, and
//! files as `fileConfig` reads them. A handler is looked at as the call that makes it, by the rules
//! that look at calls.

use std::ops::Range;

use ruff_python_ast::PySourceType;
use ruff_python_ast::name::Name;
use ruff_python_parser::parse_unchecked_source;

use super::ini::Section;
use super::model::MODEL;
use super::tree::{Node, NodeKind};
use super::{Hit, Hits};
use crate::Confidence;
use crate::context::Context;
use crate::ir::{Call, Expr, ExprKind, Ident, Literal, Span, StmtKind};
use crate::lexicon::Lexicon;
use crate::lower::lower;
use crate::rules::{CallSite, for_call};

/// A configuration lies at most so deep in a file: `tool.app.logging`.
const MAX_DEPTH: usize = 4;

/// Looks for configuration in a document. Tells whether there is any.
pub(super) fn dictionary(node: &Node, hits: &mut Hits) -> bool {
    within(node, 0, hits)
}

fn within(node: &Node, depth: usize, hits: &mut Hits) -> bool {
    let has = |name: &str| node.get(name).is_some_and(Node::is_map);
    if node.get("version").and_then(Node::text) == Some("1")
        && ["handlers", "loggers", "root", "formatters"].iter().any(|name| has(name))
    {
        configuration(node, hits);
        return true;
    }
    let mut found = false;
    if depth < MAX_DEPTH {
        for (_, value) in node.entries() {
            found |= within(value, depth + 1, hits);
        }
    }
    found
}

fn configuration(node: &Node, hits: &mut Hits) {
    let level = |node: &Node| {
        let level = node.get("level")?;
        Some((level.text()?.to_owned(), level.place.clone()))
    };
    if let Some((level, place)) = node.get("root").and_then(level) {
        root(&level, &place, hits);
    }
    for (name, logger) in node.get("loggers").map(Node::entries).unwrap_or_default() {
        if let (Some(name), Some((level, place))) = (name.text(), level(logger)) {
            self::logger(name, &level, &place, hits);
        }
    }
    for (_, handler) in node.get("handlers").map(Node::entries).unwrap_or_default() {
        let class = handler.get("class").or_else(|| handler.get("()"));
        let Some((class, path)) = class.and_then(|class| Some((class, class.text()?))) else {
            continue;
        };
        let keywords = handler.entries().into_iter().filter_map(|(key, value)| {
            let name = key.text()?;
            let own = matches!(name, "class" | "()" | "level" | "formatter" | "filters");
            (!own).then(|| (Some(ident(name)), expression(value)))
        });
        let call =
            Call { callee: expression(class), arguments: Vec::new(), keywords: keywords.collect() };
        made(path.trim_start_matches("ext://"), &call, &class.place, hits);
    }
}

/// The sections of a file that `fileConfig` reads. Tells whether they are such.
pub(super) fn file(sections: &[Section<'_>], hits: &mut Hits) -> bool {
    let lists = |name: &str| {
        sections.iter().any(|section| section.name == name && section.get("keys").is_some())
    };
    if !lists("loggers") || !lists("handlers") {
        return false;
    }
    for section in sections {
        if let Some(name) = section.name.strip_prefix("logger_") {
            let Some(level) = section.get("level") else { continue };
            let name = section.get("qualname").map_or(name, |entry| entry.value.as_str());
            logger(name, &level.value, &level.place, hits);
        } else if section.name.starts_with("handler_")
            && let Some(class) = section.get("class")
        {
            let arguments = section.get("args").map_or("()", |entry| entry.value.as_str());
            let keywords = section.get("kwargs").map(|entry| entry.value.as_str());
            if let Some(call) = python_call(arguments, keywords) {
                // Names are looked up in `logging`.
                let path = if class.value.starts_with("logging.") || !is_of_logging(&class.value) {
                    class.value.clone()
                } else {
                    format!("logging.{}", class.value)
                };
                made(&path, &call, &class.place, hits);
            }
        }
    }
    true
}

fn is_of_logging(class: &str) -> bool {
    !class.contains('.') || class.starts_with("handlers.")
}

fn root(level: &str, place: &Range<usize>, hits: &mut Hits) {
    if matches!(level.to_ascii_uppercase().as_str(), "DEBUG" | "NOTSET" | "10" | "0") {
        hits.push(Hit::new("TAC301", place.clone(), Confidence::Medium));
    }
}

fn logger(name: &str, level: &str, place: &Range<usize>, hits: &mut Hits) {
    if matches!(name, "" | "root") {
        root(level, place, hits);
    } else {
        MODEL.logger(name, level, place, hits);
    }
}

/// Lets the rules look at the call that makes a handler.
fn made(path: &str, call: &Call, place: &Range<usize>, hits: &mut Hits) {
    let context = Context::default();
    let site = CallSite { path, call, span: span(place), context: &context };
    let mut found = Vec::new();
    for rule in for_call(path.rsplit('.').next().unwrap_or(path)) {
        if let Some(check) = rule.check {
            check(&site, &mut found);
            hits.extend(found.drain(..).map(|one| Hit {
                rule,
                place: place.clone(),
                confidence: one.confidence,
            }));
        }
    }
}

/// `args` and `kwargs` of a handler, which are Python.
fn python_call(arguments: &str, keywords: Option<&str>) -> Option<Call> {
    let keywords = keywords.map_or(String::new(), |keywords| format!(", **{keywords}"));
    let text = format!("handler(*{arguments}{keywords})");
    let parsed = parse_unchecked_source(&text, PySourceType::Python);
    let (module, too_deep) = lower(parsed.suite(), &Lexicon::default());
    if too_deep {
        std::mem::forget(parsed);
        return None;
    }
    let StmtKind::Expr(Expr { kind: ExprKind::Call(call), .. }) =
        module.body.into_iter().next()?.kind
    else {
        return None;
    };
    let mut plain = Call { arguments: Vec::new(), keywords: Vec::new(), ..*call };
    for argument in call.arguments {
        match argument.kind {
            ExprKind::Star(inner) => match inner.kind {
                ExprKind::List(parts) => plain.arguments.extend(parts),
                _ => plain.arguments.push(*inner),
            },
            _ => plain.arguments.push(argument),
        }
    }
    for (name, value) in call.keywords {
        match (name, value.kind) {
            (None, ExprKind::Dict(entries)) => {
                let named =
                    |(key, value): (Option<Expr>, Expr)| Some((Some(ident(key?.text()?)), value));
                plain.keywords.extend(entries.into_iter().filter_map(named));
            }
            (name, kind) => plain.keywords.push((name, Expr { kind, span: value.span })),
        }
    }
    Some(plain)
}

fn ident(name: &str) -> Ident {
    Ident { name: Name::new(name), class: Lexicon::default().classify(name) }
}

fn span(place: &Range<usize>) -> Span {
    let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
    Span { start: at(place.start), end: at(place.end) }
}

/// What is written in a configuration, as the expression that would say the same.
fn expression(node: &Node) -> Expr {
    let kind = match &node.kind {
        NodeKind::List(items) => ExprKind::List(items.iter().map(expression).collect()),
        NodeKind::Map(entries) => ExprKind::Dict(
            entries.iter().map(|(key, value)| (Some(expression(key)), expression(value))).collect(),
        ),
        NodeKind::Scalar(text) => match text.as_str() {
            "true" | "True" | "yes" | "on" => ExprKind::Constant(Literal::True),
            "false" | "False" | "no" | "off" => ExprKind::Constant(Literal::False),
            "null" | "~" => ExprKind::Constant(Literal::Other),
            text => match text.parse() {
                Ok(number) => ExprKind::Constant(Literal::Integer(number)),
                Err(_) => ExprKind::Text(text.into(), Lexicon::default().classify(text)),
            },
        },
    };
    Expr { kind, span: span(&node.place) }
}
