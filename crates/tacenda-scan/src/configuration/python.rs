//! Configuration that is Python: dictionaries for `dictConfig`, variables of Django's settings and of
//! `gunicorn.conf.py`.

use std::path::Path;

use super::logging;
use super::model::MODEL;
use super::tree::{Node, NodeKind};
use super::{Hit, Hits, is_for_development};
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Literal, Span, Stmt, StmtKind};
use crate::rules::{Match, Rule};

/// What is wrong with a dictionary in a file, if it is configuration of `logging`.
pub(crate) fn dictionary(
    path: &Path,
    items: &[(Option<Expr>, Expr)],
    span: Span,
) -> Vec<(&'static Rule, Match)> {
    let has =
        |name: &str| items.iter().any(|(key, _)| key.as_ref().and_then(Expr::text) == Some(name));
    if !has("version") {
        return Vec::new();
    }
    let mut hits = Hits::new();
    logging::dictionary(&Node { kind: map(items), place: range(span) }, &mut hits);
    matches(path, hits)
}

/// What is wrong with the variables of a module that frameworks read.
pub(crate) fn variables(path: &Path, body: &[Stmt]) -> Vec<(&'static Rule, Match)> {
    let file = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let mut hits = Hits::new();
    for (name, value) in body.iter().filter_map(assigned) {
        let beside = |other: &str| body.iter().filter_map(assigned).any(|(name, _)| name == other);
        let Some(said) = scalar(value) else { continue };
        MODEL.assignment(file, beside, (name, &said), &range(value.span), &mut hits);
    }
    matches(path, hits)
}

fn assigned(stmt: &Stmt) -> Option<(&str, &Expr)> {
    let StmtKind::Assign(targets, Some(value), _) = &stmt.kind else { return None };
    match &targets[..] {
        [Expr { kind: ExprKind::Name(ident), .. }] => Some((&ident.name, value)),
        _ => None,
    }
}

fn matches(path: &Path, hits: Hits) -> Vec<(&'static Rule, Match)> {
    let rehearsal = is_for_development(path);
    let found = |Hit { rule, place, confidence }| {
        let confidence = if rehearsal { Confidence::Low } else { confidence };
        let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        (rule, Match { span: Span { start: at(place.start), end: at(place.end) }, confidence })
    };
    hits.into_iter().map(found).collect()
}

fn map(items: &[(Option<Expr>, Expr)]) -> NodeKind {
    let entry = |(key, value): &(Option<Expr>, Expr)| {
        let key = key.as_ref()?;
        // Of a key that is not written out nothing is known.
        scalar(key)?;
        Some((node(key), node(value)))
    };
    NodeKind::Map(items.iter().filter_map(entry).collect())
}

fn node(expr: &Expr) -> Node {
    let kind = match &expr.kind {
        ExprKind::Dict(items) => map(items),
        ExprKind::List(items) => NodeKind::List(items.iter().map(node).collect()),
        _ => NodeKind::Scalar(scalar(expr).unwrap_or_default()),
    };
    Node { kind, place: range(expr.span) }
}

/// A text, number or truth value as a file of configuration would have it; `logging.DEBUG` as its name.
fn scalar(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Text(text, _) => Some(text.to_string()),
        ExprKind::Constant(Literal::True) => Some("true".to_owned()),
        ExprKind::Constant(Literal::False) => Some("false".to_owned()),
        ExprKind::Constant(Literal::Integer(number)) => Some(number.to_string()),
        ExprKind::Attribute(base, level) if base.last_name()?.name == "logging" => {
            Some(level.name.to_string())
        }
        _ => None,
    }
}

fn range(span: Span) -> std::ops::Range<usize> {
    span.start as usize..span.end as usize
}
