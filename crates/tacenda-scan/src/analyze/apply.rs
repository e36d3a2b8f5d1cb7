//! Calls of functions and classes that are here.

use ruff_python_ast::name::Name;

use super::call::Arguments;
use super::object::{is_shown_by_fields, shown_field};
use super::{ParameterSink, Walker};
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Function, Ident, Span, TypeHint};
use crate::label::Label;
use crate::model::Channel;
use crate::program::Target;
use crate::value::{Flow, Inner, Known, Origin, Value, What};

/// Local functions are followed this deep from each other.
const MAX_INLINED: u32 = 2;

/// A function that is called, with what is handed to it.
pub(super) struct Call<'f, 'a> {
    pub(super) function: &'a Function,
    /// So many parameters are given already: the object, what is bound.
    pub(super) shift: usize,
    pub(super) arguments: &'f Arguments<'a>,
}

impl<'f, 'a> Call<'f, 'a> {
    /// The argument by itself that is handed over as the parameter of this number.
    pub(super) fn expression(&self, number: usize) -> Option<(&'a Expr, &'f Value)> {
        let Self { function, shift, arguments } = *self;
        let parameter = function.parameters.get(number)?;
        if number < function.by_place
            && let Some((expr, value)) = arguments.by_place.get(number.checked_sub(shift)?)
        {
            return Some((*expr, value));
        }
        let named = arguments
            .by_name
            .iter()
            .find(|(key, ..)| key.is_some_and(|key| key.name == parameter.ident.name));
        named.map(|(_, expr, value)| (*expr, value))
    }

    /// What is handed over as the parameter of this number, and where.
    fn given(&self, number: usize) -> Vec<(Value, Span)> {
        let Self { function, shift, arguments } = self;
        let by_place = &arguments.by_place;
        let unpacked = by_place.iter().position(|(expr, _)| matches!(expr.kind, ExprKind::Star(_)));
        if Some(number) == function.rest_number() {
            // From where `*values` stands on, which value goes where is not known.
            let first = function.by_place.saturating_sub(*shift);
            let first = unpacked.map_or(first, |at| at.min(first));
            return by_place.iter().skip(first).map(placed).collect();
        }
        if Some(number) == function.keywords_number() {
            let known = |name: &Ident| {
                function.parameters.iter().any(|parameter| parameter.ident.name == name.name)
            };
            return arguments
                .by_name
                .iter()
                .filter(|(name, ..)| !name.is_some_and(known))
                .map(|(name, expr, value)| {
                    let mut whole = Value::default();
                    match name {
                        Some(name) => whole.absorb_field(&name.name, value),
                        None => whole.absorb(value),
                    }
                    (whole, expr.span)
                })
                .collect();
        }
        let Some(parameter) = function.parameters.get(number) else { return Vec::new() };
        if number < function.by_place
            && let Some(place) = number.checked_sub(*shift)
        {
            if let Some(at) = unpacked
                && at <= place
            {
                return by_place.iter().skip(at).map(placed).collect();
            }
            if let Some(one) = by_place.get(place) {
                return vec![placed(one)];
            }
        }
        let name = &parameter.ident.name;
        let given = arguments.by_name.iter().filter_map(|(key, expr, value)| match key {
            Some(key) => (key.name == *name).then(|| (value.clone(), expr.span)),
            // `**options`: the one of this name.
            None => {
                let mut value = value.clone();
                value.flows.retain(|flow| flow.field.as_ref() == Some(name));
                for flow in &mut value.flows {
                    flow.field = None;
                }
                (!value.flows.is_empty()).then_some((value, expr.span))
            }
        });
        given.collect()
    }
}

fn placed((expr, value): &(&Expr, Value)) -> (Value, Span) {
    (value.clone(), expr.span)
}

impl<'a> Walker<'a> {
    /// Calls a function that is here; `bound` of its arguments are given already.
    pub(super) fn apply(
        &mut self,
        function: usize,
        bound: usize,
        method: bool,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        self.outcome.callees.insert(function);
        let entry = &self.shared.program.functions[function];
        let summary = &self.shared.summaries[function];
        let shift = bound + usize::from(entry.bound && method);
        let call = Call { function: entry.function, shift, arguments };
        let mut reached = Vec::new();
        for sink in &summary.sinks {
            for (value, place) in call.given(usize::from(sink.parameter)) {
                if !value.flows.is_empty() {
                    reached.push((sink.clone(), value, place));
                }
            }
        }
        let mut returned = self.filled(&call, &summary.returns);
        let mut raised = self.filled(&call, &summary.raises);
        if summary.harmless && returned.flows.is_empty() {
            returned.known = Known::Harmless;
        } else if let Some((file, class)) = &summary.object {
            returned.known = Known::Object(self.class_from(*file, class));
        } else if let Some(channel) = summary.writer {
            returned.known = Known::Writer(channel);
        }
        for (sink, value, place) in reached {
            self.reached(&sink, &value, place, span);
        }
        self.call_back(&summary.callbacks, &call, span);
        self.fill(&summary.fills, &call);
        raised.flows.retain(|flow| {
            matches!(
                flow.origin,
                Origin::Source(Label::Credential | Label::Financial | Label::Personal, _)
                    | Origin::Parameter(_)
            )
        });
        if !raised.flows.is_empty() {
            let raised = self.stepped(raised, span, What::Passed);
            match self.catching.last_mut() {
                Some(catching) => catching.absorb(&raised),
                None => self.frame.raises.absorb(&raised),
            }
        }
        self.stepped(returned, span, What::Returned)
    }

    /// Flows of a function's summary with what is handed over in place of its parameters.
    pub(super) fn filled(&self, call: &Call<'_, 'a>, flows: &[Flow]) -> Value {
        let mut value = Value::default();
        for flow in flows {
            match flow.origin {
                Origin::Source(..) => value.add(flow.clone()),
                Origin::Inner(_) => {}
                Origin::Parameter(parameter) => {
                    for (given, place) in call.given(usize::from(parameter)) {
                        for one in &given.flows {
                            let way = Some(self.step(place, What::Passed, one.way.clone()));
                            value.add(Flow {
                                field: flow.field.clone().or_else(|| one.field.clone()),
                                way,
                                origin: one.origin,
                            });
                        }
                    }
                }
            }
        }
        value
    }

    /// Makes an object.
    pub(super) fn construct(
        &mut self,
        file: u32,
        name: &Ident,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        let program = self.shared.program;
        let init = Name::new_static("__init__");
        if let Some(function) = program.method(file, &name.name, &init) {
            self.apply(function, 0, true, arguments, span);
            self.store_handed(function, file, &name.name, arguments);
            return Value::default();
        }
        self.with_fields(file, name, arguments)
    }

    /// What a method of a class keeps of what it is handed, its object holds.
    pub(super) fn store_handed(
        &mut self,
        function: usize,
        file: u32,
        class: &Name,
        arguments: &Arguments<'a>,
    ) {
        let program = self.shared.program;
        let stores = &self.shared.summaries[function].stores;
        if stores.is_empty() || !program.same_package(self.file, file) {
            return;
        }
        let Some(class) = program.class_of(file, class) else { return };
        let call = Call { function: program.functions[function].function, shift: 1, arguments };
        for (field, parameter) in stores {
            for (mut value, place) in call.given(usize::from(*parameter)) {
                value.flows.retain(|flow| matches!(flow.origin, Origin::Source(..)));
                if !value.flows.is_empty() {
                    let value = self.stepped(value, place, What::Passed);
                    self.keep(Some(class.clone()), field, &value);
                }
            }
        }
    }

    /// Where a function inside the one that was run writes the first thing that it is handed.
    pub(super) fn writes(&mut self, number: usize) -> Option<Channel> {
        let (function, _) = *self.locals.get(number)?;
        let first = function.parameters.first().map(|one| &one.ident).or(function.rest.as_ref())?;
        let found = self.outcome.found.len();
        let outer = std::mem::take(&mut self.frame);
        self.env.enter();
        let mut handed = Value::default();
        let origin = Origin::Inner(Inner::Arguments);
        handed.add(Flow { origin, field: None, way: None });
        self.env.set(first.name.clone(), handed);
        self.nesting += 1;
        self.block(&function.body);
        self.nesting -= 1;
        self.env.leave();
        let probe = std::mem::replace(&mut self.frame, outer);
        self.outcome.found.truncate(found);
        let (_, sink) = probe.inner.first()?;
        Some(sink.channel)
    }

    /// An object whose fields are its parameters, as dataclasses have them, with what is in them.
    fn with_fields(&self, file: u32, name: &Ident, arguments: &Arguments<'a>) -> Value {
        let mut value = Value::default();
        let Some((_, entry)) = self.shared.program.class(file, &name.name) else { return value };
        if !is_shown_by_fields(entry.class) {
            return value;
        }
        let mut fields = entry.class.body.iter().filter_map(shown_field);
        for (_, given) in &arguments.by_place {
            let Some(field) = fields.next() else { break };
            if let Some(ident) = field {
                value.absorb_field(&ident.name, given);
            }
        }
        let is_shown = |key: &Ident| {
            entry
                .class
                .body
                .iter()
                .filter_map(shown_field)
                .flatten()
                .any(|one| one.name == key.name)
        };
        for (key, _, given) in &arguments.by_name {
            match key {
                Some(key) if is_shown(key) => value.absorb_field(&key.name, given),
                _ => {}
            }
        }
        value
    }

    /// A class of a file, by a name under which this one knows it.
    pub(super) fn class_from(&self, file: u32, class: &Name) -> Name {
        if file == self.file {
            return class.clone();
        }
        let module = &self.shared.program.units[file as usize].module;
        Name::new(format!("{module}.{class}"))
    }

    /// Notes what an attribute of the objects of a class holds, for all who ask.
    pub(super) fn keep(&mut self, class: Option<(u32, Name)>, field: &Name, value: &Value) {
        let Some(class) = class else { return };
        self.run.keep(&class, field, value);
        self.outcome.attributes.push((class, field.clone(), value.clone()));
    }

    /// Notes a function inside the one that is run, under its name or none.
    pub(super) fn local(&mut self, function: &'a Function, gives: Value) -> Value {
        let known = self.locals.iter().position(|(one, _)| std::ptr::eq(*one, function));
        let number = known.unwrap_or_else(|| {
            self.locals.push((function, gives));
            self.locals.len() - 1
        });
        Value { flows: Vec::new(), known: Known::Local(number) }
    }

    /// Calls a function inside the one that is run: runs it with what it is handed.
    pub(super) fn inline(&mut self, number: usize, arguments: &Arguments<'a>, span: Span) -> Value {
        let Some((function, gives)) = self.locals.get(number) else { return Value::default() };
        let function = *function;
        let handed = arguments.values().any(|value| !value.flows.is_empty());
        if !handed || self.inlined >= MAX_INLINED || self.nesting >= super::MAX_NESTING {
            return self.stepped(gives.clone(), span, What::Returned);
        }
        let call = Call { function, shift: 0, arguments };
        let mut bound = Vec::new();
        let numbers = 0..function.parameters.len() + 2;
        let names = function.parameters.iter().map(|one| (&one.ident.name, &one.hint));
        let rest = [&function.rest, &function.keywords];
        let rest = rest.into_iter().map(|one| one.as_ref().map(|one| &one.name));
        let names = names.map(|(name, hint)| (Some(name), *hint == TypeHint::Harmless));
        let names = names.chain(rest.map(|name| (name, false)));
        for (number, (name, harmless)) in numbers.zip(names) {
            let Some(name) = name else { continue };
            let mut value = Value::default();
            for (one, place) in call.given(number) {
                value.known = one.known.clone();
                value.absorb(&self.stepped(one, place, What::Passed));
            }
            bound.push((name.clone(), if harmless { Value::harmless() } else { value }));
        }
        self.env.enter();
        for (name, value) in bound {
            self.env.set(name, value);
        }
        let outer = self.frame.returns.take();
        self.nesting += 1;
        self.inlined += 1;
        self.block(&function.body);
        self.inlined -= 1;
        self.nesting -= 1;
        self.env.leave();
        let returned = std::mem::replace(&mut self.frame.returns, outer).unwrap_or_default();
        self.stepped(returned, span, What::Returned)
    }

    /// What the decorators of a function write of each of its calls.
    pub(super) fn decorated(&mut self, function: &'a Function, gives: &Value) {
        for decorator in &function.decorators {
            let (receiver, name) = match &decorator.kind {
                ExprKind::Call(call) => match &call.callee.kind {
                    ExprKind::Name(ident) => (None, ident),
                    ExprKind::Attribute(base, ident) => (Some(&**base), ident),
                    _ => continue,
                },
                ExprKind::Name(ident) => (None, ident),
                ExprKind::Attribute(base, ident) => (Some(&**base), ident),
                _ => continue,
            };
            let Some(Target::Function(target)) = self.target(receiver, name) else { continue };
            self.outcome.callees.insert(target);
            for (inner, sink) in &self.shared.summaries[target].inner {
                let value = match inner {
                    Inner::Result => gives.clone(),
                    Inner::Arguments => self.handed(function, 0..function.by_place),
                    Inner::Keywords => self.handed(function, 0..function.parameters.len()),
                };
                let sink = ParameterSink { wrapper: false, relays: false, ..sink.clone() };
                self.reached(&sink, &value, function.span, function.span);
            }
        }
    }

    /// What the names of parameters say of what is handed to a function.
    fn handed(&self, function: &Function, which: std::ops::Range<usize>) -> Value {
        let mut value = Value::default();
        for parameter in &function.parameters[which] {
            if let Some((label, confidence)) = parameter.ident.class.within(self.context)
                && confidence >= Confidence::Medium
                && parameter.hint != TypeHint::Harmless
                && !matches!(label, Label::Settings | Label::Url | Label::Tensor)
            {
                let way = Some(self.step(function.span, What::Named, None));
                value.add(Flow { origin: Origin::Source(label, confidence), field: None, way });
            }
        }
        value
    }
}
