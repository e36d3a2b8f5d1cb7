//! Where in a call the value stands, and what may stand there in its place.

use ruff_python_ast as ast;
use ruff_python_ast::AnyNodeRef;
use ruff_text_size::{Ranged, TextRange};

use super::site::{Site, last_name, range};
use super::template::{
    fields_write_text, is_text_format, names_write_text, takes_one_text, writes_text,
};
use crate::lexicon::words;
use crate::loggers::message_place;
use crate::model::Channel;

/// Calls of trackers and traces whose value is a text, whatever it was.
const TEXT_VALUES: &[&str] = &[
    "set_attribute",
    "set_tag",
    "set_extra",
    "set_data",
    "capture_message",
    "log_param",
    "log_text",
];
/// Calls that take bytes, or a list of lines.
const NO_TEXT: &[&str] = &["os.write", "sys.stdout.writelines", "sys.stderr.writelines"];

/// A value in a call that writes it.
pub(super) struct Slot<'a> {
    /// The value.
    pub(super) value: &'a ast::Expr,
    /// What may stand in its place.
    pub(super) form: Form,
    /// Whether more than the value is lost with it: the words of the message.
    pub(super) whole: bool,
    /// Where the call writes to by itself.
    pub(super) channel: Option<Channel>,
}

/// What may stand in the place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Anything: a text is made of it.
    Object,
    /// A text.
    Text,
}

/// The way down into an argument.
struct Descent<'s, 'a> {
    site: &'s Site<'a>,
    /// Where the way of the finding enters the argument.
    stop: Option<TextRange>,
    /// What stands where the way last stopped before.
    stored: Option<&'a str>,
    /// The name of the exception that is looked for.
    caught: Option<&'a str>,
}

impl<'a> Site<'a> {
    /// Where the value of the finding stands in its call; with `caught`, the value may be the exception
    /// of this name.
    pub(super) fn slot(&self, caught: Option<&'a str>) -> Option<Slot<'a>> {
        let call = self.call()?;
        let raised =
            matches!(self.around(&self.finding.bytes)?.first(), Some(AnyNodeRef::StmtRaise(_)));
        let channel = if raised { Some(Channel::Exception) } else { self.channel(call) };
        let argument = range(&self.finding.argument)?;
        let (top, form, in_message) = self.entrance(call, argument, channel)?;
        let mut descent = Descent { caught, ..self.descent(argument, top.range()) };
        let (value, form, found) = match descent.down(top, form, 0) {
            Some((value, form)) => (value, form, true),
            None if is_put_together(top) => (top, form, false),
            None => return None,
        };
        let at_top = value.range() == top.range();
        if at_top && !self.may_replace(call, top, channel) {
            return None;
        }
        let whole = !found || at_top && in_message;
        Some(Slot { value, form, whole, channel })
    }

    fn descent<'s>(&'s self, argument: TextRange, top: TextRange) -> Descent<'s, 'a> {
        let mut stops = self.finding.way.iter().filter(|stop| stop.path == self.finding.path);
        let inside = stops
            .clone()
            .rev()
            .filter_map(|stop| range(&stop.bytes))
            .find(|stop| argument.contains_range(*stop) && *stop != argument);
        let stop = inside.or_else(|| (argument != top).then_some(argument));
        let before = stops.rfind(|stop| range(&stop.bytes) != Some(argument));
        let stored = before.and_then(|stop| self.text.get(stop.bytes.clone()));
        Descent { site: self, stop, stored, caught: None }
    }

    /// The argument that the finding is about, and what may stand in its place; whether it is the
    /// message itself.
    fn entrance(
        &self,
        call: &'a ast::ExprCall,
        argument: TextRange,
        channel: Option<Channel>,
    ) -> Option<(&'a ast::Expr, Form, bool)> {
        let callee = self.path(&call.func).unwrap_or_default();
        if NO_TEXT.contains(&callee.as_str()) {
            return None;
        }
        let own = last_name(&call.func)?;
        let logs = channel == Some(Channel::Log) && is_log_method(&call.func);
        let arguments = &call.arguments;
        if let Some(keyword) =
            arguments.keywords.iter().find(|keyword| keyword.value.range().contains_range(argument))
        {
            let name = keyword.arg.as_ref()?;
            let fields = logs && name == "extra";
            return (!fields || keyword.value.is_dict_expr()).then_some((
                &keyword.value,
                Form::Text,
                false,
            ));
        }
        let place = arguments.args.iter().position(|one| one.range().contains_range(argument))?;
        let top = &arguments.args[place];
        if !logs {
            let form = if callee == "print" { Form::Object } else { Form::Text };
            return Some((top, form, place == 0));
        }
        let message = usize::from(own == "log");
        match place.checked_sub(message)? {
            0 => Some((top, Form::Object, true)),
            after => {
                let template = literal(arguments.args.get(message)?)?;
                let by_name = top.is_dict_expr() && after == 1 && template.contains("%(");
                let fits = if by_name {
                    names_write_text(template)
                } else {
                    writes_text(template, after - 1)
                };
                fits.then_some((top, Form::Object, false))
            }
        }
    }

    /// Whether a whole argument may be replaced by something else.
    fn may_replace(&self, call: &ast::ExprCall, top: &ast::Expr, channel: Option<Channel>) -> bool {
        let own = last_name(&call.func).unwrap_or_default();
        let text = matches!(top, ast::Expr::FString(_) | ast::Expr::BinOp(_));
        match channel {
            Some(Channel::Tracker | Channel::Trace) => text || TEXT_VALUES.contains(&own),
            // Whoever catches it may read its arguments.
            Some(Channel::Exception) => false,
            // `extra={…}` and `"%(name)s", {…}` have to stay dictionaries, a message with arguments a
            // template.
            _ if top.is_dict_expr() => false,
            // Methods of loggers make a text of their arguments themselves, and only if they write.
            Some(Channel::Log) => message_place(own).is_none_or(|message| {
                let args = &call.arguments.args;
                args.get(message).is_none_or(|first| first.range() != top.range())
                    || args.len() == message + 1
            }),
            _ => true,
        }
    }
}

impl<'a> Descent<'_, 'a> {
    /// Down through texts that are put together, to the part that is the value.
    fn down(
        &mut self,
        expr: &'a ast::Expr,
        form: Form,
        depth: u32,
    ) -> Option<(&'a ast::Expr, Form)> {
        if depth > 16 {
            return None;
        }
        match expr {
            ast::Expr::FString(text) => {
                let mut fields = Vec::new();
                for part in text.value.as_slice() {
                    let ast::FStringPart::FString(part) = part else { continue };
                    let values = part.elements.interpolations();
                    fields.extend(values.map(|value| (&*value.expression, value)));
                }
                let picked = self.pick(fields.iter().map(|(expr, _)| *expr))?;
                let (_, field) = fields.iter().find(|(expr, _)| expr.range() == picked.range())?;
                let format = field.format_spec.as_ref().map(|format| self.site.source(&**format));
                if field.debug_text.is_some() || !is_text_format(format.unwrap_or_default()) {
                    return None;
                }
                self.down(picked, Form::Object, depth + 1)
            }
            ast::Expr::BinOp(sum) if sum.op == ast::Operator::Add && is_text_sum(expr, 0) => {
                let picked = self.pick([&*sum.left, &*sum.right])?;
                self.down(picked, Form::Text, depth + 1)
            }
            ast::Expr::BinOp(operation)
                if operation.op == ast::Operator::Mod && literal(&operation.left).is_some() =>
            {
                let template = literal(&operation.left)?;
                let picked = match &*operation.right {
                    ast::Expr::Tuple(values) => {
                        let picked = self.pick(&values.elts)?;
                        let place =
                            values.elts.iter().position(|one| one.range() == picked.range())?;
                        writes_text(template, place).then_some(picked)?
                    }
                    ast::Expr::Dict(_) if names_write_text(template) && template.contains("%(") => {
                        let (value, form) = self.down(&operation.right, Form::Object, depth + 1)?;
                        return (value.range() != operation.right.range()).then_some((value, form));
                    }
                    one => takes_one_text(template).then_some(one)?,
                };
                self.down(picked, Form::Object, depth + 1)
            }
            ast::Expr::Call(call) => match &*call.func {
                ast::Expr::Attribute(method)
                    if method.attr.as_str() == "format" && literal(&method.value).is_some() =>
                {
                    let given = call.arguments.args.iter();
                    let named = call.arguments.keywords.iter();
                    if named.clone().any(|keyword| keyword.arg.is_none())
                        || !fields_write_text(literal(&method.value)?)
                    {
                        return None;
                    }
                    let picked = self.pick(given.chain(named.map(|keyword| &keyword.value)))?;
                    self.down(picked, Form::Object, depth + 1)
                }
                ast::Expr::Name(name)
                    if matches!(name.id.as_str(), "str" | "repr")
                        && !self.site.imports.is_rebound(&name.id)
                        && call.arguments.keywords.is_empty()
                        && call.arguments.args.len() == 1 =>
                {
                    self.down(&call.arguments.args[0], Form::Object, depth + 1)
                }
                _ => Some((expr, form)),
            },
            ast::Expr::Dict(dict) if !dict.items.is_empty() => {
                let picked = self.pick(dict.items.iter().map(|item| &item.value))?;
                let spread = dict
                    .items
                    .iter()
                    .any(|item| item.key.is_none() && item.value.range() == picked.range());
                (!spread).then_some(())?;
                self.down(picked, form, depth + 1)
            }
            ast::Expr::List(list) if !list.elts.is_empty() => {
                let picked = self.pick(&list.elts)?;
                self.down(picked, form, depth + 1)
            }
            ast::Expr::Starred(_)
            | ast::Expr::Yield(_)
            | ast::Expr::YieldFrom(_)
            | ast::Expr::Generator(_)
            | ast::Expr::Slice(_)
            | ast::Expr::Lambda(_)
            | ast::Expr::TString(_)
            | ast::Expr::IpyEscapeCommand(_) => None,
            _ => Some((expr, form)),
        }
    }

    /// The part on the way of the finding: the one in which the way stops, the one that is named
    /// like where it stopped last, or the only one that is no literal.
    fn pick(&self, parts: impl IntoIterator<Item = &'a ast::Expr>) -> Option<&'a ast::Expr> {
        let parts: Vec<&ast::Expr> = parts.into_iter().collect();
        if let Some(stop) = self.stop
            && let Some(part) = parts.iter().find(|part| part.range().contains_range(stop))
        {
            return Some(part);
        }
        let only = |test: &dyn Fn(&ast::Expr) -> bool| {
            let mut fitting = parts.iter().filter(|part| test(part));
            fitting.next().filter(|_| fitting.next().is_none()).copied()
        };
        let is_caught = |part: &ast::Expr| {
            part.as_name_expr().is_some_and(|name| Some(name.id.as_str()) == self.caught)
        };
        only(&is_caught)
            .or_else(|| only(&|part| Some(self.site.source(part)) == self.stored))
            .or_else(|| only(&|part| !part.is_literal_expr()))
    }
}

/// The text of a string literal.
pub(super) fn literal(expr: &ast::Expr) -> Option<&str> {
    expr.as_string_literal_expr().map(|text| text.value.to_str())
}

/// Whether a text is put together here.
fn is_put_together(expr: &ast::Expr) -> bool {
    match expr {
        ast::Expr::FString(_) => true,
        ast::Expr::BinOp(operation) => {
            is_text_sum(expr, 0)
                || operation.op == ast::Operator::Mod && literal(&operation.left).is_some()
        }
        ast::Expr::Call(call) => matches!(&*call.func,
            ast::Expr::Attribute(method) if method.attr.as_str() == "format" && literal(&method.value).is_some()),
        _ => false,
    }
}

/// Whether a sum is one of texts: a literal is among them.
fn is_text_sum(expr: &ast::Expr, depth: u32) -> bool {
    match expr {
        ast::Expr::StringLiteral(_) | ast::Expr::FString(_) => true,
        ast::Expr::BinOp(sum) if sum.op == ast::Operator::Add && depth < 64 => {
            is_text_sum(&sum.left, depth + 1) || is_text_sum(&sum.right, depth + 1)
        }
        ast::Expr::BinOp(operation) => {
            operation.op == ast::Operator::Mod && literal(&operation.left).is_some()
        }
        _ => false,
    }
}

/// Whether what is called is a method that loggers have, of a logger by its name.
pub(super) fn is_log_method(callee: &ast::Expr) -> bool {
    let ast::Expr::Attribute(method) = callee else { return false };
    message_place(&method.attr).is_some()
        && last_name(&method.value).is_some_and(|name| {
            words(name).iter().any(|word| {
                matches!(word.as_str(), "log" | "logger" | "logging" | "getlogger" | "lgr" | "logs")
            })
        })
}
