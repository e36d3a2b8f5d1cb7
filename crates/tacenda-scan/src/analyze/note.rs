//! What is known of the values in logging calls, whether they leak or not: for the slot map.

use ruff_python_ast::name::Name;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::{ParameterSink, Walker};
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Span};
use crate::label::Label;
use crate::model::Channel;
use crate::value::{Origin, Value};

/// What is known of the values in the logging calls of a file.
#[derive(Default)]
pub(crate) struct Notes {
    /// The calls that log.
    pub(crate) calls: HashSet<Span>,
    /// What the expressions in them are.
    pub(crate) values: HashMap<Span, Noted>,
    /// What callers hand to functions that log, in whatever file these are.
    pub(crate) handed: Vec<Handed>,
}

/// What is known of a value.
#[derive(Debug, Default)]
pub(crate) struct Noted {
    /// What is sensitive in it: in which of its fields, or in all of it.
    pub(crate) labels: Vec<(Option<Name>, Label, Confidence)>,
    /// The parameters that flow in it.
    pub(crate) parameters: HashSet<u8>,
    /// Whether it cannot leak.
    pub(crate) safe: bool,
}

/// Where a function writes one of its parameters by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    /// The file.
    pub(crate) file: u32,
    /// The call.
    pub(crate) call: Span,
    /// The argument.
    pub(crate) argument: Span,
    /// The parameter; nothing if it is what a decorator sees.
    pub(crate) parameter: Option<u8>,
}

/// Something sensitive that a caller hands to a function that logs it.
#[derive(Clone, Debug)]
pub(crate) struct Handed {
    /// Where it is written.
    pub(crate) site: Site,
    /// What it is.
    pub(crate) label: Label,
    /// How sure that is.
    pub(crate) confidence: Confidence,
    /// The field of the parameter that it is in.
    pub(crate) field: Option<Name>,
    /// The call that hands it over, in the file of the notes, if the function is there to write.
    pub(crate) by: Option<Span>,
}

impl Walker<'_> {
    /// Notes a value while the arguments of a logging call are evaluated.
    pub(super) fn note(&mut self, expr: &Expr, value: &Value) {
        // It stands where its value does, which alone is sensitive.
        if matches!(expr.kind, ExprKind::Numeric(_)) {
            self.note_number(expr);
        } else {
            self.note_value(expr.span, value);
        }
    }

    /// Notes what the value at a place is, on top of what is noted already.
    pub(super) fn note_value(&mut self, span: Span, value: &Value) {
        if self.noting == 0 {
            return;
        }
        let guarded = self.guarded > 0;
        let noted = self.run.notes.values.entry(span);
        let noted = noted.or_insert_with(|| Noted { safe: true, ..Noted::default() });
        noted.safe &= value.flows.is_empty() && value.is_plain();
        for flow in &value.flows {
            match flow.origin {
                Origin::Source(label, confidence) => {
                    let asked = guarded && matches!(label, Label::Settings | Label::Headers);
                    let confidence = if asked { Confidence::Low } else { confidence };
                    let entry = (flow.field.clone(), label, confidence);
                    if !noted.labels.contains(&entry) {
                        noted.labels.push(entry);
                    }
                }
                Origin::Parameter(parameter) => {
                    noted.parameters.insert(parameter);
                }
                Origin::Inner(_) => {}
            }
        }
    }

    /// Notes that the value of this argument is written as a number.
    pub(super) fn note_number(&mut self, expr: &Expr) {
        if self.noting > 0 {
            let safe = Noted { safe: true, ..Noted::default() };
            self.run.notes.values.insert(expr.span, safe);
        }
    }

    /// Notes that something sensitive is handed over to a function that logs it.
    pub(super) fn note_handed(
        &mut self,
        sink: &ParameterSink,
        label: Label,
        confidence: Confidence,
        field: Option<&Name>,
        call: Span,
    ) {
        if self.shared.notes && sink.channel == Channel::Log {
            self.run.notes.handed.push(Handed {
                site: sink.site,
                label,
                confidence,
                field: field.cloned(),
                by: sink.relays.then_some(call),
            });
        }
    }
}
