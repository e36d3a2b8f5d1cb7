//! Calls: of functions that are here, of functions that models know, of others.

use super::Walker;
use super::bind::variable;
use super::through::is_log_name;
use crate::Confidence;
use crate::ir::{Call, Expr, ExprKind, Ident, Span};
use crate::label::Label;
use crate::lexicon::Class;
use crate::model::{Channel, Declared, SinkMatch};
use crate::program::Target;
use crate::rules::{CallSite, for_call};
use crate::value::{Flow, Inner, Known, Origin, Value, What};

/// The arguments of a call, run.
pub(super) struct Arguments<'a> {
    pub(super) by_place: Vec<(&'a Expr, Value)>,
    pub(super) by_name: Vec<(Option<&'a Ident>, &'a Expr, Value)>,
}

impl Arguments<'_> {
    pub(super) fn values(&self) -> impl Iterator<Item = &Value> {
        let named = self.by_name.iter().map(|(_, _, value)| value);
        self.by_place.iter().map(|(_, value)| value).chain(named)
    }
}

/// What an attribute, or a method, of what came back of a request gives.
pub(super) fn part_of_response(value: &Value, part: &str) -> Option<(Label, Confidence)> {
    if !matches!(value.known, Known::Response) {
        return None;
    }
    let label = match part {
        "text" | "content" | "json" | "read" | "body" => Label::Body,
        "url" | "geturl" => Label::Url,
        "headers" => Label::Headers,
        _ => return None,
    };
    Some((label, Confidence::Medium))
}

impl<'a> Walker<'a> {
    pub(super) fn call(&mut self, call: &'a Call, span: Span) -> Value {
        let (receiver, name) = match &call.callee.kind {
            ExprKind::Name(ident) => (None, ident),
            ExprKind::Attribute(base, ident) => (Some(&**base), ident),
            _ => return self.call_of_value(call, span),
        };
        self.check(call, name, span);
        let receiver_value = receiver.map(|receiver| self.eval(receiver));
        let declared = self.declared(&call.callee, receiver, name);
        let sink = match declared {
            Some(Declared::Sink(sink)) => Some(sink),
            Some(_) => None,
            None => self.sink_of(call, receiver, name),
        };
        let logs = sink.is_some_and(|sink| sink.channel == Channel::Log);
        let noting = self.shared.notes && (logs || sink.is_none() && is_log_name(&name.name));
        self.noting += u32::from(noting);
        let mut arguments = self.arguments(call);
        self.label_keywords(&mut arguments);
        if let Some(sink) = sink {
            self.written(call, span, sink, &arguments);
        }
        self.noting -= u32::from(noting);
        if let Some(declared) = declared {
            let callee = (receiver, name);
            return self.call_declared(declared, callee, receiver_value, &arguments, span);
        }
        if sink.is_some() {
            return Value::harmless();
        }
        self.note_request(call, name, &arguments, span);
        if let Some(mut value) =
            self.lookup_of_key(call, receiver, name, receiver_value.as_ref(), span)
        {
            if let Some((label, confidence)) =
                self.models().source_call(&name.name, || self.path(&call.callee))
            {
                self.label(&mut value, label, confidence, span, What::Given);
                value.known = Known::Nothing;
            }
            if name.class.is_credential() {
                // `vault.get_secret("db")`
                return self.given(name, value, span, false);
            }
            return value;
        }
        self.note_parsing(name, &arguments, span);

        if receiver.is_none() {
            match self.env.get(&name.name).map(|value| &value.known) {
                Some(Known::Local(number)) => {
                    let number = *number;
                    return self.inline(number, &arguments, span);
                }
                Some(Known::Function(function, bound)) => {
                    let (function, bound) = (*function, *bound);
                    return self.apply(function, bound, false, &arguments, span);
                }
                _ => {}
            }
        }
        if receiver.is_none()
            && name.name == "cls"
            && let Some(class) = self.class.clone()
        {
            let own = Ident { name: class.clone(), class: Class::Plain };
            let mut value = self.construct(self.file, &own, &arguments, span);
            value.known = Known::Object(class);
            return value;
        }
        let target = self.target(receiver, name);
        if let Some(Target::Function(function)) = target {
            let value = self.apply(function, 0, receiver.is_some(), &arguments, span);
            if self.models().redacts(&name.name) {
                return Value::treated();
            }
            return self.given(name, value, span, true);
        }
        if let Some(Target::Class(file)) = target {
            let mut value = self.construct(file, name, &arguments, span);
            // `module.Class`: the class has no name in this file.
            let known = receiver.and_then(|_| self.made_by(&call.callee, name, target));
            value.known = known.unwrap_or_else(|| Known::Object(name.name.clone()));
            return value;
        }
        self.call_of_library(call, (receiver, name), receiver_value, &arguments, span)
    }

    /// A call of a function that is not here.
    fn call_of_library(
        &mut self,
        call: &'a Call,
        (receiver, name): (Option<&'a Expr>, &'a Ident),
        receiver_value: Option<Value>,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        if receiver.is_none()
            && let Some(Known::Object(_)) = self.env.get(&name.name).map(|value| &value.known)
        {
            return Value::default();
        }
        if let Some((label, confidence)) =
            self.models().source_call(&name.name, || self.path(&call.callee))
        {
            let mut value = Value::source(label, confidence, self.step(span, What::Given, None));
            // Array values are printed by whoever works on arrays; what they are made of matters.
            if label == Label::Tensor {
                value.absorb(&self.carried(receiver_value, arguments, span));
            }
            return value;
        }
        if name.name == "partial"
            && let Some(value) = self.partial(arguments, span)
        {
            return value;
        }
        if let Some(value) =
            self.opened(call, receiver, name, receiver_value.as_ref(), arguments, span)
        {
            return value;
        }
        if receiver.is_none() {
            self.note_callback(&name.name, arguments);
        }
        self.called_back(arguments, span);
        if let Some(value) = self.made_by_decorated(receiver, name) {
            return value;
        }
        if let Some(known) = self.made_by(&call.callee, name, None) {
            return Value { flows: Vec::new(), known };
        }
        if let Some((label, confidence)) =
            receiver_value.as_ref().and_then(|value| part_of_response(value, &name.name))
        {
            return Value::source(label, confidence, self.step(span, What::Given, None));
        }
        let answers = self.models().requests(&name.name, || self.path(&call.callee));
        let all = self.given_by_all(call, receiver, &name.name, span);
        let mut value = self.unknown(name, receiver, receiver_value, arguments, span);
        if let Some(all) = all {
            value.absorb(&all);
            value.known = Known::Nothing;
        } else if answers && value.flows.is_empty() {
            value.known = Known::Response;
        }
        value
    }

    /// `getattr(log, level)(…)`, `handlers["x"](…)`
    fn call_of_value(&mut self, call: &'a Call, span: Span) -> Value {
        let callee = self.eval(&call.callee);
        let noting = self.shared.notes;
        self.noting += u32::from(noting);
        let arguments = self.arguments(call);
        self.noting -= u32::from(noting);
        let writes = match (&callee.known, &call.callee.kind) {
            (Known::Writer(channel), _) => Some(*channel),
            (_, ExprKind::Call(inner)) => {
                let logs = inner.callee.last_name().is_some_and(|name| name.name == "getattr")
                    && inner.arguments.len() >= 2
                    && self.is_log_object(&inner.arguments[0]);
                logs.then_some(Channel::Log)
            }
            _ => None,
        };
        if let Some(channel) = writes {
            self.written(call, span, SinkMatch::all_to(channel), &arguments);
            return Value::harmless();
        }
        match callee.known {
            Known::Local(number) => self.inline(number, &arguments, span),
            Known::Function(function, bound) => {
                self.apply(function, bound, false, &arguments, span)
            }
            _ => Value::default(),
        }
    }

    /// In a decorator: what the function gives back that it was handed.
    fn made_by_decorated(&self, receiver: Option<&Expr>, name: &Ident) -> Option<Value> {
        let value = self.env.get(&name.name)?;
        let handed = receiver.is_none()
            && !self.frame.top
            && value.flows.iter().any(|flow| matches!(flow.origin, Origin::Parameter(_)));
        handed.then(|| {
            let mut result = Value::default();
            result.add(Flow { origin: Origin::Inner(Inner::Result), field: None, way: None });
            result
        })
    }

    /// Lets the rules look at a call.
    fn check(&mut self, call: &'a Call, name: &Ident, span: Span) {
        let rules = for_call(&name.name);
        if rules.is_empty() {
            return;
        }
        let Some(path) = self.path(&call.callee) else { return };
        let site = CallSite { path: &path, call, span, context: self.context };
        let mut found = Vec::new();
        for rule in rules {
            if let Some(check) = rule.check {
                check(&site, &mut found);
                self.outcome.matches.extend(found.drain(..).map(|one| (*rule, one)));
            }
        }
    }

    fn arguments(&mut self, call: &'a Call) -> Arguments<'a> {
        Arguments {
            by_place: call.arguments.iter().map(|one| (one, self.eval(one))).collect(),
            by_name: call
                .keywords
                .iter()
                .map(|(name, one)| (name.as_ref(), one, self.eval(one)))
                .collect(),
        }
    }

    /// `f(password=x)`: the name of the argument says what `x` is.
    fn label_keywords(&mut self, arguments: &mut Arguments<'a>) {
        for (name, expr, value) in &mut arguments.by_name {
            if let Some(name) = name
                && matches!(name.class, Class::Sensitive(_, Confidence::High, _))
            {
                *value = self.named(name, expr.span, std::mem::take(value));
            }
        }
    }

    pub(super) fn target(&self, receiver: Option<&Expr>, name: &Ident) -> Option<Target> {
        let program = self.shared.program;
        match receiver {
            None => program.lookup(self.file, &name.name),
            Some(receiver) => match &receiver.kind {
                ExprKind::Name(ident) if ident.name == "self" || ident.name == "cls" => {
                    let class = self.class.as_ref()?;
                    program.method(self.file, class, &name.name).map(Target::Function)
                }
                ExprKind::Call(inner)
                    if inner.callee.last_name().is_some_and(|ident| ident.name == "super") =>
                {
                    let class = self.class.as_ref()?;
                    let (file, entry) = program.class(self.file, class)?;
                    let base = entry.class.bases.first()?.last_name()?;
                    program.method(file, &base.name, &name.name).map(Target::Function)
                }
                _ => {
                    if let Some(key) = variable(receiver)
                        && let Some(Known::Object(class)) =
                            self.env.get(&key).map(|value| &value.known)
                        && let Some(method) = program.method(self.file, class, &name.name)
                    {
                        return Some(Target::Function(method));
                    }
                    let path = self.path(receiver)?;
                    program.lookup_path(&format!("{path}.{}", name.name), 0)
                }
            },
        }
    }
}
