//! What a test says about the values that it lets through.

use ruff_python_ast::name::Name;

use super::Walker;
use super::access::is_constant;
use crate::Confidence;
use crate::ir::{Expr, ExprKind};
use crate::label::Label;
use crate::lexicon::{Class, words};

impl Walker<'_> {
    /// Whether a test asks if something is sensitive: what it lets through was thought about.
    pub(super) fn asks_for_secrets(&self, test: &Expr) -> bool {
        fn asks(test: &Expr, depth: u32) -> bool {
            if depth > 6 {
                return false;
            }
            match &test.kind {
                ExprKind::Question(parts)
                | ExprKind::Choice(parts)
                | ExprKind::List(parts)
                | ExprKind::Join(parts) => {
                    let literal = parts.iter().any(|part| matches!(&part.kind,
                        ExprKind::Text(_, Class::Sensitive(_, confidence, _)) if *confidence >= Confidence::Medium));
                    literal
                        && !is_of_presence(parts)
                        && matches!(test.kind, ExprKind::Question(_) | ExprKind::List(_))
                        || parts.iter().any(|part| asks(part, depth + 1))
                }
                ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => {
                    let words = words(&ident.name);
                    words.iter().any(|word| {
                        matches!(
                            word.as_str(),
                            "sensitive"
                                | "secret"
                                | "secrets"
                                | "redact"
                                | "mask"
                                | "hidden"
                                | "private"
                                | "confidential"
                                | "blacklist"
                                | "sanitize"
                                | "denylist"
                        )
                    }) && (words.len() > 1 || is_constant(&ident.name))
                }
                ExprKind::Call(call) => {
                    asks(&call.callee, depth + 1)
                        || call.arguments.iter().any(|one| asks(one, depth + 1))
                }
                _ => false,
            }
        }
        asks(test, 0)
    }

    /// The variables that a test shows to be numbers, or to be empty: `isinstance(x, int)`, `not x`.
    pub(super) fn narrowed(&self, test: &Expr) -> Vec<Name> {
        // `if not token`
        if let ExprKind::Question(parts) = &test.kind
            && let [Expr { kind: ExprKind::Name(ident), .. }] = &parts[..]
        {
            return vec![ident.name.clone()];
        }
        let ExprKind::Call(call) = &test.kind else { return Vec::new() };
        let [what, of] = &call.arguments[..] else { return Vec::new() };
        let question = call.callee.last_name().is_some_and(|ident| ident.name == "isinstance");
        let number = |expr: &Expr| {
            expr.last_name()
                .is_some_and(|ident| matches!(ident.name.as_str(), "int" | "bool" | "float"))
        };
        let numbers = match &of.kind {
            ExprKind::List(types) => types.iter().all(number),
            _ => number(of),
        };
        match &what.kind {
            ExprKind::Name(ident) if question && numbers => vec![ident.name.clone()],
            _ => Vec::new(),
        }
    }

    /// `key in ("host", "port")`, `key in ALLOWED`
    pub(super) fn picks(&self, condition: &Expr) -> bool {
        let ExprKind::Question(parts) = &condition.kind else { return false };
        parts.iter().skip(1).any(|part| match &part.kind {
            ExprKind::List(items) => items.len() > 1,
            ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => {
                let name = ident.name.to_lowercase();
                [
                    "allow",
                    "safe",
                    "white",
                    "public",
                    "loggable",
                    "log",
                    "exclude",
                    "deny",
                    "black",
                    "ignore",
                    "hidden",
                    "sensitive",
                    "secret",
                ]
                .iter()
                .any(|word| name.contains(word))
            }
            _ => false,
        })
    }
}

/// `"headers" in kwargs`: whether it is there, not whether it may be shown.
fn is_of_presence(parts: &[Expr]) -> bool {
    let [Expr { kind: ExprKind::Text(..), .. }, holder] = parts else { return false };
    holder.last_name().is_some_and(|ident| {
        let of_fields = matches!(
            ident.class,
            Class::Sensitive(Label::Settings | Label::Headers | Label::Body, ..)
        );
        of_fields && !matches!(ident.name.as_str(), "cmd" | "command" | "message" | "msg" | "text")
    })
}

/// `"***" if key in SECRETS else value`
pub(super) fn chooses(element: &Expr) -> bool {
    let parts = match &element.kind {
        ExprKind::Choice(parts) => parts,
        // `f"{key}: {'***' if key in SECRETS else value}"`, `"{}: {}".format(key, …)`
        ExprKind::Join(parts) => return parts.iter().any(chooses),
        ExprKind::Call(call)
            if call.callee.last_name().is_some_and(|name| name.name == "format") =>
        {
            return call.arguments.iter().any(chooses);
        }
        _ => return false,
    };
    parts.iter().any(|part| matches!(part.kind, ExprKind::Question(_)))
        && parts.iter().any(|part| match &part.kind {
            ExprKind::Text(..) => true,
            // `MASK`
            ExprKind::Name(ident) => is_constant(&ident.name),
            _ => false,
        })
}

/// `if DEBUG >= 2`, `if self.debug`: what is printed then is a log.
pub(super) fn asks_for_debugging(test: &Expr) -> bool {
    asks_for(test, &["debug", "debugging", "debuglevel"])
}

/// `if self._verbose`: what is printed then tells how it was done.
pub(super) fn asks_for_more(test: &Expr) -> bool {
    asks_for(test, &["verbose", "verbosity"])
}

fn asks_for(test: &Expr, what: &[&str]) -> bool {
    match &test.kind {
        ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => {
            words(&ident.name).iter().any(|word| what.contains(&word.as_str()))
        }
        ExprKind::Choice(parts) | ExprKind::Question(parts) if parts.len() > 1 => {
            parts.iter().any(|part| asks_for(part, what))
        }
        // `os.getenv("CLIENT_DEBUG")`
        ExprKind::Call(call) => {
            let asks = call
                .callee
                .last_name()
                .is_some_and(|ident| matches!(ident.name.as_str(), "getenv" | "get"));
            let name = call.arguments.first().and_then(Expr::text).unwrap_or_default();
            asks && words(name).iter().any(|word| what.contains(&word.as_str()))
        }
        _ => false,
    }
}

/// `key != "password"`: what else is sensitive stays in.
pub(super) fn leaves_out_one(condition: &Expr) -> bool {
    match &condition.kind {
        ExprKind::Question(parts) => {
            matches!(&parts[..], [one, other] if matches!(one.kind, ExprKind::Name(_)) && matches!(other.kind, ExprKind::Text(..)))
        }
        _ => false,
    }
}
