//! Fixes of values that are written out: something that may be read stands in their place.

use ruff_python_ast as ast;
use ruff_python_ast::AnyNodeRef;
use ruff_text_size::{Ranged, TextSize};

use super::site::Site;
use super::slot::{Form, Slot, is_log_method, literal};
use super::template::conversions;
use super::{Applicability, Fix};
use crate::model::Channel;

impl<'a> Site<'a> {
    /// The value is handed to `tacenda.summary`, which tells its size and a keyed fingerprint.
    pub(crate) fn summarized(&self) -> Option<Fix> {
        let slot = self.slot(None)?;
        let place = slot.value.start();
        let (function, import) = self.tacenda("summary", place)?;
        let (before, after) = match slot.form {
            Form::Object => (format!("{function}("), ")"),
            Form::Text if self.imports.is_rebound("str") => return None,
            Form::Text => (format!("str({function}("), "))"),
        };
        let mut fix = self.wrapped(&slot, &before, after, "hand it to `tacenda.summary`");
        fix.applicability =
            self.taking_tacenda(if slot.whole { Applicability::Unsafe } else { fix.applicability });
        fix.edits.extend(import);
        Some(fix)
    }

    /// Of an exception, its class; of what was made from one, a summary.
    pub(crate) fn exception_named(&self) -> Option<Fix> {
        let caught = self.caught();
        let slot = self.slot(caught)?;
        if !matches!(slot.value, ast::Expr::Name(name) if Some(name.id.as_str()) == caught) {
            return self.summarized();
        }
        let (before, after) = if self.imports.is_rebound("type") {
            ("", ".__class__.__name__")
        } else {
            ("type(", ").__name__")
        };
        Some(self.wrapped(&slot, before, after, "write the name of its class"))
    }

    /// `%s` becomes `%r`, which escapes line feeds and escape sequences.
    pub(crate) fn escaped(&self) -> Option<Fix> {
        let call = self.call()?;
        if self.channel(call) != Some(Channel::Log) {
            return None;
        }
        let args = &call.arguments.args;
        let argument = super::site::range(&self.finding.argument)?;
        let at = args.iter().position(|one| one.range() == argument)?;
        let message = args.iter().position(|one| literal(one).is_some())?;
        let place = at.checked_sub(message + 1)?;
        let template = args[message].as_string_literal_expr()?;
        let said = conversions(template.value.to_str())?;
        let source = self.source(template);
        let written = letters_of_conversions(source);
        let (letter, at) = *written.get(place)?;
        if written.iter().map(|(letter, _)| *letter).ne(said.iter().copied()) || letter != 's' {
            return None;
        }
        let at = template.start() + TextSize::try_from(at).ok()?;
        let letter = ruff_text_size::TextRange::at(at, TextSize::from(1));
        let edit = self.replace(letter, "r");
        Some(Self::fix("write it with `%r`", self.telling_logs(call), edit))
    }

    /// A change of what a call is handed: safe where nothing but a log can tell the difference. That
    /// takes a method that loggers have, and that nobody uses what it gives back: `self._log(…)` or
    /// `ctx.trace(…)` may be anything.
    fn telling_logs(&self, call: &ast::ExprCall) -> Applicability {
        let known = is_log_method(&call.func) || self.is_of(&call.func, &["logging", "warnings"]);
        let nodes = self.around(&self.finding.bytes).unwrap_or_default();
        let alone = nodes.into_iter().find(|node| node.is_statement()).is_some_and(
            |stmt| matches!(stmt, AnyNodeRef::StmtExpr(stmt) if stmt.value.range() == call.range()),
        );
        if known && alone { Applicability::Safe } else { Applicability::Unsafe }
    }

    /// Puts something around the value.
    fn wrapped(&self, slot: &Slot<'_>, before: &str, after: &str, message: &str) -> Fix {
        let applicability = match self.call() {
            Some(call) if slot.channel == Some(Channel::Log) => self.telling_logs(call),
            _ => Applicability::Unsafe,
        };
        let mut edits = Vec::new();
        if !before.is_empty() {
            edits.push(self.insert(slot.value.start(), before));
        }
        edits.push(self.insert(slot.value.end(), after));
        Fix { message: message.to_owned(), applicability, edits }
    }

    /// The name of the exception that is being handled where the value is written.
    fn caught(&self) -> Option<&'a str> {
        self.around(&self.finding.argument)?.into_iter().find_map(|node| match node {
            AnyNodeRef::ExceptHandlerExceptHandler(handler) => {
                handler.name.as_ref().map(ast::Identifier::as_str)
            }
            _ => None,
        })
    }
}

/// The letters of the conversions in the source of a `%` template, and where they stand.
fn letters_of_conversions(source: &str) -> Vec<(char, usize)> {
    let mut found = Vec::new();
    let mut letters = source.char_indices().peekable();
    while let Some((_, letter)) = letters.next() {
        if letter != '%' || letters.next_if(|(_, next)| *next == '%').is_some() {
            continue;
        }
        let flag = |letter: char| letter.is_ascii_digit() || "-+ #.hlL".contains(letter);
        while letters.next_if(|(_, next)| flag(*next)).is_some() {}
        found.extend(letters.next().map(|(at, letter)| (letter, at)));
    }
    found
}
