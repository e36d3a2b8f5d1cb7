//! Templates that take what they write from the variables around them.

use ruff_python_ast as ast;
use ruff_python_ast::name::Name;

use super::{Lowering, span};
use crate::ir::{Expr, ExprKind, Span};
use crate::lexicon::Class;

impl Lowering<'_> {
    /// `"{user} wrote {text}".format(**locals())`: its parts, if a call is one of those.
    pub(super) fn of_variables(&mut self, call: &ast::ExprCall) -> Option<Vec<Expr>> {
        let ast::Expr::Attribute(method) = &*call.func else { return None };
        let ast::Expr::StringLiteral(template) = &*method.value else { return None };
        let [keyword] = &*call.arguments.keywords else { return None };
        let all = method.attr.id == "format"
            && call.arguments.args.is_empty()
            && keyword.arg.is_none()
            && gives_variables(&keyword.value);
        if !all {
            return None;
        }
        let at = span(call);
        let mut parts = Vec::new();
        for piece in template.value.to_str().split('{') {
            let text = match piece.split_once('}') {
                Some((name, text)) => {
                    let name = name.split([':', '!']).next().unwrap_or_default();
                    parts.extend(self.variable_named(name, at));
                    text
                }
                None => piece,
            };
            if !text.is_empty() {
                parts.push(Expr { kind: ExprKind::Text(text.into(), Class::Plain), span: at });
            }
        }
        Some(parts)
    }

    /// `user`, `self.user`
    fn variable_named(&mut self, name: &str, at: Span) -> Option<Expr> {
        let mut names = name.split('.');
        let first = names.next().filter(|name| !name.is_empty())?;
        let mut expr = Expr { kind: ExprKind::Name(self.ident(&Name::new(first))), span: at };
        for name in names {
            let ident = self.ident(&Name::new(name));
            expr = Expr { kind: ExprKind::Attribute(Box::new(expr), ident), span: at };
        }
        Some(expr)
    }
}

/// `locals()`, `vars()`
fn gives_variables(expr: &ast::Expr) -> bool {
    let ast::Expr::Call(call) = expr else { return false };
    let ast::Expr::Name(name) = &*call.func else { return false };
    matches!(name.id.as_str(), "locals" | "vars") && call.arguments.is_empty()
}

/// `WARNING_ABOUT_PASSWORDS % user`: a constant that something is put into is a template.
pub(super) fn as_template(expr: &mut Expr) {
    if let ExprKind::Name(ident) | ExprKind::Attribute(_, ident) = &mut expr.kind
        && ident.name.contains('_')
        && !ident.name.bytes().any(|byte| byte.is_ascii_lowercase())
    {
        ident.class = Class::Plain;
    }
}
