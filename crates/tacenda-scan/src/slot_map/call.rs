//! Logging calls as they are written.

use ruff_python_ast as ast;
use ruff_python_ast::visitor::{self, Visitor};
use ruff_text_size::Ranged;
use rustc_hash::FxHashSet as HashSet;

use super::template::{Part, is_text, message};
use crate::ir::Span;
use crate::loggers::message_place;

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
    /// Whether that is a parameter of the function as it is.
    pub(super) is_parameter: bool,
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

/// The calls of a file that are wanted. Those of `sinks` log by themselves.
pub(super) fn shapes(
    suite: &[ast::Stmt],
    wanted: &HashSet<Span>,
    sinks: &HashSet<Span>,
) -> Vec<Shape> {
    let module = Around { name: "<module>".to_owned(), parameters: None };
    let mut finder = Finder { wanted, sinks, around: vec![module], shapes: Vec::new() };
    finder.visit_body(suite);
    finder.shapes
}

struct Finder<'a> {
    wanted: &'a HashSet<Span>,
    sinks: &'a HashSet<Span>,
    /// The code objects around here.
    around: Vec<Around<'a>>,
    shapes: Vec<Shape>,
}

/// A code object.
struct Around<'a> {
    name: String,
    parameters: Option<&'a ast::Parameters>,
}

impl<'a> Finder<'a> {
    /// Takes a call, which stands at this place with its `await`, if it is wanted.
    fn take(&mut self, call: &ast::ExprCall, place: Span) {
        let Some(around) = self.around.last().filter(|_| self.wanted.contains(&place)) else {
            return;
        };
        self.shapes.extend(shape(call, place, around, self.sinks.contains(&place)));
    }

    fn inside(
        &mut self,
        name: &str,
        parameters: Option<&'a ast::Parameters>,
        walk: impl FnOnce(&mut Self),
    ) {
        self.around.push(Around { name: name.to_owned(), parameters });
        walk(self);
        self.around.pop();
    }
}

impl<'a> Visitor<'a> for Finder<'a> {
    fn visit_stmt(&mut self, stmt: &'a ast::Stmt) {
        let (name, parameters) = match stmt {
            ast::Stmt::FunctionDef(function) => (&function.name, Some(&*function.parameters)),
            ast::Stmt::ClassDef(class) => (&class.name, None),
            _ => return visitor::walk_stmt(self, stmt),
        };
        self.inside(name, parameters, |this| visitor::walk_stmt(this, stmt));
    }

    fn visit_expr(&mut self, expr: &'a ast::Expr) {
        match expr {
            ast::Expr::Lambda(lambda) => {
                let parameters = lambda.parameters.as_deref();
                self.inside("<lambda>", parameters, |this| visitor::walk_expr(this, expr));
            }
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

fn shape(call: &ast::ExprCall, place: Span, around: &Around<'_>, is_sink: bool) -> Option<Shape> {
    let (receiver, name) = match &*call.func {
        ast::Expr::Attribute(attribute) => (last_name(&attribute.value), attribute.attr.as_str()),
        ast::Expr::Name(name) => (None, name.id.as_str()),
        _ => (None, ""),
    };
    // Of a warning, what follows its text says how to show it.
    let is_warning = receiver == Some("warnings");
    if NO_RECORDS.contains(&name) || is_warning && name != "warn" {
        return None;
    }
    let (given, keywords) = (&call.arguments.args[..], &call.arguments.keywords[..]);
    let (given, keywords) =
        if is_warning { (&given[..given.len().min(1)], &[][..]) } else { (given, keywords) };
    let mut shape = Shape {
        span: place,
        function: around.name.clone(),
        message: None,
        is_parameter: false,
        parts: Vec::new(),
        arguments: Vec::new(),
        rest: Vec::new(),
        fields: Vec::new(),
    };
    let is_method = is_sink && call.func.is_attribute_expr();
    let place = message_place(name);
    let by_place = match place {
        Some(0) if is_sink => 0,
        Some(1) if is_method => 1,
        // Of a function that is none of a logger: there may be a level first.
        _ => {
            let is_behind = place == Some(1) && given.len() > 1;
            given.iter().position(is_text).unwrap_or(usize::from(is_behind))
        }
    };
    let named = |keyword: &&ast::Keyword| {
        keyword.arg.as_ref().is_some_and(|name| MESSAGES.contains(&name.as_str()))
    };
    let by_name = match given.get(by_place) {
        Some(_) => None,
        None => keywords.iter().find(named),
    };
    let text = given.get(by_place).or_else(|| by_name.map(|keyword| &keyword.value));
    // Of `log(*arguments)` the level may be in them.
    let text = text.or_else(|| given.first())?;
    let values = given.get(by_place + 1..).unwrap_or_default();
    shape.message = Some(span(text));
    shape.is_parameter = match text {
        ast::Expr::Name(name) => {
            around.parameters.is_some_and(|parameters| parameters.includes(&name.id))
        }
        _ => false,
    };
    shape.parts = message(text, values, keywords);
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
    for keyword in keywords {
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
