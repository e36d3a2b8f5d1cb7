//! Logging calls as they are written.

use ruff_python_ast as ast;
use ruff_python_ast::visitor::{self, Visitor};
use ruff_text_size::Ranged;
use rustc_hash::FxHashSet as HashSet;

use super::template::{Part, is_text, message};
use crate::ir::Span;

/// Arguments by name that say how to write, not what.
const MANNERS: &[&str] = &["exc_info", "stack_info", "stacklevel", "level"];
/// The names under which a message is given.
const MESSAGES: &[&str] = &["msg", "message", "event"];
/// Methods that write nothing by themselves.
const NO_RECORDS: &[&str] = &["bind", "contextualize"];

/// A logging call.
pub(super) struct Shape {
    pub(super) span: Span,
    /// The function that it is in.
    pub(super) function: String,
    /// The whole message.
    pub(super) message: Option<Span>,
    /// What the message is made of.
    pub(super) parts: Vec<Part>,
    /// The values behind the message.
    pub(super) arguments: Vec<Span>,
    /// `*values` among them, and what follows.
    pub(super) rest: Vec<Span>,
    pub(super) fields: Vec<Field>,
}

/// A value with a name.
pub(super) enum Field {
    /// Under this name.
    Named(String, Span),
    /// A mapping: its members have names that are not written here.
    Members(Span),
}

/// The calls of a file that are wanted.
pub(super) fn shapes(suite: &[ast::Stmt], wanted: &HashSet<Span>) -> Vec<Shape> {
    let mut finder = Finder { wanted, functions: vec!["<module>".to_owned()], shapes: Vec::new() };
    finder.visit_body(suite);
    finder.shapes
}

struct Finder<'w> {
    wanted: &'w HashSet<Span>,
    /// The names of the code objects around here.
    functions: Vec<String>,
    shapes: Vec<Shape>,
}

impl Finder<'_> {
    /// Takes a call, which stands at this place with its `await`, if it is wanted.
    fn take(&mut self, call: &ast::ExprCall, place: Span) {
        let function = self.functions.last().map_or("", String::as_str);
        if self.wanted.contains(&place) {
            self.shapes.extend(shape(call, place, function));
        }
    }

    fn inside(&mut self, name: &str, walk: impl FnOnce(&mut Self)) {
        self.functions.push(name.to_owned());
        walk(self);
        self.functions.pop();
    }
}

impl<'a> Visitor<'a> for Finder<'_> {
    fn visit_stmt(&mut self, stmt: &'a ast::Stmt) {
        let name = match stmt {
            ast::Stmt::FunctionDef(function) => &function.name,
            ast::Stmt::ClassDef(class) => &class.name,
            _ => return visitor::walk_stmt(self, stmt),
        };
        self.inside(name, |this| visitor::walk_stmt(this, stmt));
    }

    fn visit_expr(&mut self, expr: &'a ast::Expr) {
        match expr {
            ast::Expr::Lambda(_) => self.inside("<lambda>", |this| visitor::walk_expr(this, expr)),
            ast::Expr::Call(call) => {
                self.take(call, span(call));
                visitor::walk_expr(self, expr);
            }
            ast::Expr::Await(wait) => {
                if let ast::Expr::Call(call) = &*wait.value {
                    self.take(call, span(wait));
                }
                visitor::walk_expr(self, expr);
            }
            _ => visitor::walk_expr(self, expr),
        }
    }
}

fn shape(call: &ast::ExprCall, place: Span, function: &str) -> Option<Shape> {
    let (receiver, name) = match &*call.func {
        ast::Expr::Attribute(attribute) => (last_name(&attribute.value), attribute.attr.as_str()),
        ast::Expr::Name(name) => (None, name.id.as_str()),
        _ => (None, ""),
    };
    if NO_RECORDS.contains(&name) || receiver == Some("warnings") {
        return None;
    }
    let given = &call.arguments.args;
    let mut shape = Shape {
        span: place,
        function: function.to_owned(),
        message: None,
        parts: Vec::new(),
        arguments: Vec::new(),
        rest: Vec::new(),
        fields: Vec::new(),
    };
    // Before the message there may be its level.
    let by_place = given.iter().position(is_text);
    let by_place = by_place.unwrap_or(usize::from(name == "log" && given.len() > 1));
    let named = |keyword: &&ast::Keyword| {
        keyword.arg.as_ref().is_some_and(|name| MESSAGES.contains(&name.as_str()))
    };
    let by_name = if given.is_empty() { call.arguments.keywords.iter().find(named) } else { None };
    let text = given.get(by_place).or_else(|| by_name.map(|keyword| &keyword.value))?;
    let values = given.get(by_place + 1..).unwrap_or_default();
    shape.message = Some(span(text));
    shape.parts = message(text, values, &call.arguments.keywords);
    for value in values {
        if !shape.rest.is_empty() || value.is_starred_expr() {
            shape.rest.push(span(value));
        } else {
            shape.arguments.push(span(value));
        }
    }
    // `log.info("%(name)s", {"name": name})`
    if let [ast::Expr::Dict(dict)] = values {
        members(dict, &mut shape.fields);
    }
    for keyword in &call.arguments.keywords {
        let value = span(&keyword.value);
        match &keyword.arg {
            Some(name) if MANNERS.contains(&name.as_str()) => {}
            Some(_) if by_name.is_some_and(|one| one.range() == keyword.range()) => {}
            Some(name) if name == "extra" => match &keyword.value {
                ast::Expr::Dict(dict) => members(dict, &mut shape.fields),
                _ => shape.fields.push(Field::Members(value)),
            },
            Some(name) => shape.fields.push(Field::Named(name.to_string(), value)),
            None => shape.fields.push(Field::Members(value)),
        }
    }
    Some(shape)
}

/// The members of a dictionary.
fn members(dict: &ast::ExprDict, fields: &mut Vec<Field>) {
    fields.extend(dict.items.iter().map(|item| match &item.key {
        Some(ast::Expr::StringLiteral(key)) => {
            Field::Named(key.value.to_str().to_owned(), span(&item.value))
        }
        _ => Field::Members(span(&item.value)),
    }));
}

fn last_name(expr: &ast::Expr) -> Option<&str> {
    match expr {
        ast::Expr::Name(name) => Some(&name.id),
        ast::Expr::Attribute(attribute) => Some(&attribute.attr),
        _ => None,
    }
}

pub(super) fn span(node: &impl Ranged) -> Span {
    let range = node.range();
    Span { start: range.start().to_u32(), end: range.end().to_u32() }
}
