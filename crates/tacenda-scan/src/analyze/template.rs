//! Message templates: where arguments go in them, and what they say of them.

use crate::Confidence;
use crate::ir::{Expr, ExprKind};
use crate::label::Label;
use crate::lexicon::{Class, Lexicon};
use crate::lower::is_numeric;

/// Whether an expression is a text, put together or not.
pub(super) fn is_text(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Text(..) | ExprKind::Join(_) => true,
        ExprKind::Call(call) => match &call.callee.kind {
            ExprKind::Attribute(base, ident) => {
                matches!(ident.name.as_str(), "format" | "join") && is_text(base)
            }
            ExprKind::Name(ident) => matches!(ident.name.as_str(), "_" | "str" | "repr"),
            _ => false,
        },
        _ => false,
    }
}

/// The words of the texts in some expressions, in lower case.
pub(super) fn words_of<'b>(exprs: impl IntoIterator<Item = &'b Expr>) -> String {
    let mut words = String::new();
    for expr in exprs {
        match &expr.kind {
            ExprKind::Text(text, _) => words.push_str(text),
            ExprKind::Join(parts) => {
                for part in parts {
                    match &part.kind {
                        ExprKind::Text(text, _) => words.push_str(text),
                        _ => words.push_str(of_tool(part)),
                    }
                }
            }
            ExprKind::Name(_) | ExprKind::Attribute(..) => words.push_str(of_tool(expr)),
            ExprKind::Call(call) => {
                if let ExprKind::Attribute(base, ident) = &call.callee.kind
                    && ident.name == "format"
                    && let Some(text) = base.text()
                {
                    words.push_str(text);
                }
            }
            _ => {}
        }
    }
    words.to_lowercase()
}

/// `executing {tool_name} with …`: what stands in a message tells of tools as well.
fn of_tool(part: &Expr) -> &'static str {
    match &part.kind {
        ExprKind::Name(ident) | ExprKind::Attribute(_, ident)
            if ident.name.starts_with("tool") || ident.name.ends_with("_tool") =>
        {
            " tool "
        }
        _ => "",
    }
}

/// A place in a message template where an argument goes.
pub(super) struct Hole<'t> {
    /// Whether it writes a number.
    pub(super) numeric: bool,
    /// Whether it writes the argument with escapes: `%r`.
    pub(super) escaped: bool,
    /// The text before it.
    pub(super) before: &'t str,
}

/// The places in a `%` or `{}` template.
pub(super) fn holes(template: &str) -> Vec<Hole<'_>> {
    let mut holes = Vec::new();
    let bytes = template.as_bytes();
    // `headers={id=%s}`: what is written with `%` has no places in braces.
    let percent = ["%s", "%d", "%r"].iter().any(|place| template.contains(place));
    let mut at = 0;
    let mut last = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' if percent => {}
            b'%' if bytes.get(at + 1) == Some(&b'%') => at += 1,
            b'%' => {
                let rest = &template[at + 1..];
                let end = rest.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(0);
                let letter = rest[end..].chars().next().unwrap_or('s');
                if rest[..end]
                    .chars()
                    .all(|letter| letter.is_ascii_digit() || "-+ #.*".contains(letter))
                {
                    holes.push(Hole {
                        numeric: is_numeric(&letter.to_string()) || letter == 'i',
                        escaped: matches!(letter, 'r' | 'a'),
                        before: &template[last..at],
                    });
                    last = at;
                }
            }
            b'{' if bytes.get(at + 1) == Some(&b'{') => at += 1,
            b'{' => {
                if let Some(length) = template[at..].find('}') {
                    let inside = &template[at + 1..at + length];
                    let numeric =
                        inside.split_once(':').is_some_and(|(_, format)| is_numeric(format));
                    let escaped = inside.contains("!r") || inside.contains("!a");
                    holes.push(Hole { numeric, escaped, before: &template[last..at] });
                    last = at;
                }
            }
            _ => {}
        }
        at += 1;
    }
    holes
}

/// The names of what a template takes from a mapping: `%(user)s`, `{user}`.
pub(super) fn named_holes(template: &str) -> impl Iterator<Item = &str> {
    let after = |open: &'static str, close: char| {
        template.split(open).skip(1).filter_map(move |rest| rest.split_once(close))
    };
    let percent = after("%(", ')').map(|(name, _)| name);
    let braces = after("{", '}').map(|(name, _)| name.split([':', '!', '.', '[']).next());
    percent.chain(braces.flatten()).filter(|name| !name.is_empty())
}

/// The text before what a template takes by this name, from what it takes before that on.
pub(super) fn before_named<'t>(template: &'t str, name: &str) -> Option<&'t str> {
    let places = [("%(", ")"), ("{", "")];
    let at = places.iter().find_map(|(open, close)| {
        let mut from = 0;
        while let Some(found) = template[from..].find(open) {
            let start = from + found;
            let rest = &template[start + open.len()..];
            let behind = rest.strip_prefix(name);
            let whole = behind.is_some_and(|behind| {
                behind.starts_with(close) && !close.is_empty()
                    || close.is_empty() && behind.starts_with(['}', ':', '!'])
            });
            if whole {
                return Some(start);
            }
            from = start + open.len();
        }
        None
    })?;
    let front = &template[..at];
    let last = front.rfind([')', '}']).map_or(0, |at| at + 1);
    Some(front[last..].trim_start_matches(['s', 'r', 'd']))
}

/// Whether a text ends in a parameter of a query string that lets in who knows it: `…&key=`.
pub(super) fn ends_in_key(before: &str, names: &Lexicon) -> bool {
    let Some(front) = before.strip_suffix('=') else { return false };
    let Some(at) = front.rfind(['?', '&']) else { return false };
    is_query_key(&front[at + 1..], names)
}

/// Whether the parameter of this name in a query string lets in who knows it.
pub(super) fn is_query_key(name: &str, names: &Lexicon) -> bool {
    matches!(name, "key" | "sig" | "signature" | "appid" | "hmac")
        || matches!(names.classify(name), Class::Sensitive(Label::Credential, sure, _)
            if sure >= Confidence::Medium)
}
