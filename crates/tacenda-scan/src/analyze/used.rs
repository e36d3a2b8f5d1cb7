//! What a name stands for by what is done with it.

use ruff_python_ast::name::Name;

use super::Walker;
use super::bind::self_attribute;
use crate::Confidence;
use crate::ir::{Expr, Ident, Span};
use crate::label::Label;
use crate::lexicon::Class;
use crate::value::{Known, Value, What};

impl Walker<'_> {
    /// The value of an attribute with what its name says, and what is done with it elsewhere.
    pub(super) fn attribute_by_use(
        &mut self,
        base: &Expr,
        ident: &Ident,
        span: Span,
        value: Value,
    ) -> Value {
        let value = self.named(ident, span, value);
        match self_attribute(base, &ident.name) {
            Some(key) => self.by_use(&key, ident.class, span, value),
            None => value,
        }
    }

    /// A value with what it is by what is done with its name here: `login(password=word)`.
    pub(super) fn by_use(&self, name: &Name, class: Class, span: Span, mut value: Value) -> Value {
        let of_file = &self.context.used;
        if self.frame.used.is_empty() && of_file.is_empty()
            || !matches!(class, Class::Plain)
            || !matches!(value.known, Known::Nothing | Known::Object(_))
        {
            return value;
        }
        let (http, wire, ml) = (self.context.http, self.context.wire, self.context.ml);
        let known = |label: Label| {
            value.sources().any(|(one, sure, _)| one == label && sure >= Confidence::Medium)
        };
        let uses = self.frame.used.iter().chain(of_file).filter(|(one, _)| one == name);
        let holds = |label: Label| match label {
            Label::Prompt => ml,
            Label::Body => http || wire,
            _ => true,
        };
        let labels: Vec<Label> =
            uses.map(|(_, label)| *label).filter(|one| holds(*one) && !known(*one)).collect();
        for label in labels {
            self.label(&mut value, label, Confidence::Medium, span, What::Named);
        }
        value
    }
}
