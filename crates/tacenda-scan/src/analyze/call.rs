//! Calls: of functions that are here, of functions that models know, of others.

use std::sync::Arc;

use ruff_python_ast::name::Name;

use super::Walker;
use super::bind::variable;
use super::sink::LOGGER_AGAIN;
use super::through::is_log_name;
use crate::Confidence;
use crate::ir::{Call, Expr, ExprKind, Ident, Literal, Span};
use crate::label::Label;
use crate::lexicon::{Class, words};
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

/// Words of arguments that say that something is to be in what comes out, and that it is not.
const SHOWING: &[&str] = &["include", "with", "show", "reveal", "expose", "embed", "append"];
const HIDING: &[&str] = &["hide", "mask", "redact", "censor"];

/// `server.url(path, include_token=True)`, `url.render(hide_password=False)`
fn shows_credential(call: &Call) -> bool {
    let is_false = |expr: &Expr| matches!(expr.kind, ExprKind::Constant(Literal::False));
    call.keywords.iter().any(|(key, value)| {
        let Some(key) = key else { return false };
        if !value.is_true() && !is_false(value) {
            return false;
        }
        let words = words(&key.name);
        let [first, .., last] = &words[..] else { return false };
        let asking = if value.is_true() { SHOWING } else { HIDING };
        asking.contains(&first.as_str())
            && matches!(
                last.as_str(),
                "token" | "password" | "secret" | "secrets" | "credentials" | "key" | "auth"
            )
    })
}

/// `build_url(base_url, path)`, `urljoin(self.host, route)`: an address of these alone asks nothing.
fn joins_path(name: &Ident, call: &Call) -> bool {
    const OF_PLACES: &[&str] =
        &["base", "host", "root", "path", "endpoint", "route", "prefix", "resource", "server"];
    let of_name = words(&name.name);
    let has = |list: &[&str]| of_name.iter().any(|word| list.contains(&word.as_str()));
    let joins = name.name == "urljoin" || has(&["build", "join", "make"]) && has(&["url", "uri"]);
    let of_place = |one: &Expr| {
        one.text().is_some()
            || one.last_name().is_some_and(|ident| {
                words(&ident.name).iter().any(|word| OF_PLACES.contains(&word.as_str()))
            })
    };
    joins
        && call.keywords.is_empty()
        && call.arguments.len() > 1
        && call.arguments.iter().all(of_place)
}

/// An address of which its name says no more that it asks something: what flows in it still does.
fn without_question(value: Value) -> Value {
    let known = if matches!(value.known, Known::Nothing) { Known::Harmless } else { value.known };
    Value { known, ..value }
}

/// Whether a function of this name makes a text fit for a line of a log, without a word of what is
/// hidden by that: `sanitize_log_text`.
fn fits_a_line(name: &str) -> bool {
    const WHAT: &[&str] =
        &["log", "logs", "logging", "line", "text", "str", "string", "control", "newlines"];
    says(name, FITTING, WHAT) || fits_a_terminal(name)
}

/// The same of a terminal: `sanitize_for_rich`.
pub(super) fn fits_a_terminal(name: &str) -> bool {
    const WHAT: &[&str] =
        &["rich", "markup", "terminal", "console", "ansi", "display", "newlines", "control"];
    says(name, FITTING, WHAT)
}

/// Whether a function of this name takes fences, tags or spaces off what a model wrote:
/// `clean_response`.
pub(super) fn cleans_form(name: &str) -> bool {
    says(name, &["clean", "strip", "trim", "shorten"], OF_FORM)
        && !words(name).iter().any(|word| word == "log")
}

/// What a model writes, and what is around it.
const OF_FORM: &[&str] = &[
    "response",
    "output",
    "answer",
    "completion",
    "reply",
    "text",
    "content",
    "generation",
    "markdown",
    "json",
    "tags",
    "fences",
    "thinking",
    "whitespace",
    "prompt",
];

/// What is done to a text that is made to fit.
const FITTING: &[&str] = &["sanitize", "sanitise", "clean", "safe", "escape"];

/// Whether a name says that one of these things is done to one of those, and nothing of hiding.
fn says(name: &str, done: &[&str], what: &[&str]) -> bool {
    const HIDDEN: &[&str] =
        &["secret", "secrets", "sensitive", "pii", "token", "password", "credentials"];
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    has(done) && has(what) && !has(HIDDEN)
}

/// So many random bytes at most make no secret.
const MAX_NONCE: u64 = 8;
/// Functions that make a request which they do not send yet.
const REQUEST_MAKERS: &[&str] =
    &["Request", "PreparedRequest", "prepare_request", "build_request", "prepare"];

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
        self.note_writer(sink, receiver, name);
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
            let known = if LOGGER_AGAIN.contains(&name.name.as_str()) {
                Known::LogObject
            } else {
                Known::Harmless
            };
            return Value { flows: Vec::new(), known };
        }
        let address = self.address(call, name, receiver_value.as_ref(), &arguments);
        self.note_request(call, name, (receiver_value.as_ref(), address.as_ref()), span);
        if address.is_none()
            && let Some(mut value) =
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

        if receiver.is_none()
            && let Some(value) = self.call_of_variable(name, &arguments, span)
        {
            return value;
        }
        let target = self
            .target(receiver, name)
            .or_else(|| self.method_of(receiver_value.as_ref()?, &name.name));
        if let Some(Target::Function(function)) = target {
            let callee = (receiver, name);
            let value =
                self.call_of_known(function, callee, receiver_value.as_ref(), &arguments, span);
            return if joins_path(name, call) { without_question(value) } else { value };
        }
        if let Some(Target::Class(_)) = target
            && let Some(value) = self.given_later(name, &arguments)
        {
            return value;
        }
        if let Some(Target::Class(file)) = target {
            let declared = receiver.and_then(|_| self.made_by(&call.callee, name, target));
            let (value, known) = self.made(file, receiver, name, &arguments, span);
            return Value { known: declared.unwrap_or(known), ..value };
        }
        let callee = (receiver, name);
        let mut value = self.call_of_library(call, callee, receiver_value, &arguments, span);
        if joins_path(name, call) {
            return without_question(value);
        }
        if shows_credential(call) {
            self.label(&mut value, Label::Credential, Confidence::Medium, span, What::Given);
            value.known = Known::Nothing;
        }
        if !matches!(value.known, Known::Nothing) {
            return value;
        }
        if let Some(address) = address {
            value.known = Known::Exchange(address.flows.into());
        } else if self.context.http && REQUEST_MAKERS.contains(&name.name.as_str()) {
            value.known = Known::Exchange(Arc::default());
        } else if name.name.starts_with(|first: char| first.is_ascii_uppercase())
            && let Some(path) = self.path(&call.callee)
            && self.models().makes_client(&path)
        {
            value.known = Known::Object(Name::new(path));
        }
        value
    }

    /// Notes which function of another file a sink is: it may not write any more.
    fn note_writer(&mut self, sink: Option<SinkMatch<'_>>, receiver: Option<&Expr>, name: &Ident) {
        if sink.is_some_and(|sink| sink.text_first)
            && let Some(Target::Function(function)) = self.target(receiver, name)
        {
            self.outcome.callees.insert(function);
        }
    }

    /// An object of a class that is here: by the name that the class has where it is defined, and by
    /// the one under which it is known in this file.
    fn made(
        &mut self,
        file: u32,
        receiver: Option<&Expr>,
        name: &Ident,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> (Value, Known) {
        let from = if receiver.is_some() { file } else { self.file };
        let defined = self.shared.program.class_of(from, &name.name);
        let (file, class) = defined.unwrap_or_else(|| (file, name.name.clone()));
        let own = Ident { name: class.clone(), class: name.class };
        let value = self.construct(file, &own, arguments, span);
        let known = match receiver {
            Some(_) => self.class_from(file, &class),
            None => name.name.clone(),
        };
        (value, Known::Object(known))
    }

    /// A call of a function that is here.
    fn call_of_known(
        &mut self,
        function: usize,
        (receiver, name): (Option<&'a Expr>, &'a Ident),
        receiver_value: Option<&Value>,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        let mut value = self.apply(function, 0, receiver.is_some(), arguments, span);
        if let Some(receiver) = receiver {
            self.forget_set(receiver);
            self.keep_in(receiver, receiver_value, function, arguments);
            value = self.overridden(receiver, name, value, arguments, span);
        }
        if self.models().redacts(&name.name) {
            // What makes a text fit for a line of a log leaves in it what a person wrote.
            let text = value.retain(
                |flow| matches!(flow.origin, Origin::Source(label, _) if label.is_model_text()),
            );
            let cleans = self.context.ml && cleans_form(&name.name);
            let of_line = fits_a_line(&name.name) && !text.flows.is_empty();
            return match (cleans, of_line) {
                (true, _) => Value { known: Known::Nothing, ..text },
                (_, true) => text,
                _ => Value::treated(),
            };
        }
        self.given(name, value, span, true)
    }

    /// `say(…)` of a function that a variable stands for, `cls(…)`.
    fn call_of_variable(
        &mut self,
        name: &Ident,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Option<Value> {
        match self.env.get(&name.name).map(|value| &value.known) {
            Some(Known::Local(number)) => {
                let number = *number;
                return Some(self.inline(number, arguments, span));
            }
            Some(Known::Function(function, bound)) => {
                let (function, bound) = (*function, *bound);
                return Some(self.apply(function, bound, false, arguments, span));
            }
            _ => {}
        }
        let class = self.class.clone().filter(|_| name.name == "cls")?;
        let own = Ident { name: class.clone(), class: Class::Plain };
        let mut value = self.construct(self.file, &own, arguments, span);
        value.known = Known::Object(class);
        Some(value)
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
            // `secrets.token_hex(4)`: so little keeps names apart, and no one out.
            let few = matches!(call.arguments.first().map(|one| &one.kind),
                Some(ExprKind::Constant(Literal::Integer(bytes))) if *bytes <= MAX_NONCE);
            if few && name.name.starts_with("token_") {
                return Value::harmless();
            }
            let mut value = Value::source(label, confidence, self.step(span, What::Given, None));
            // Array values are printed by whoever works on arrays; what they are made of matters.
            if matches!(label, Label::Tensor | Label::Url) {
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
        if let Some(part) =
            receiver_value.as_ref().and_then(|value| self.part_of_exchange(value, &name.name, span))
        {
            return part;
        }
        if let Some(value) = self.shown_exchange(name, arguments, span) {
            return value;
        }
        if let Some(value) = self.given_later(name, arguments) {
            return value;
        }
        if let Some(value) = self.given_event(name, arguments, span) {
            return value;
        }
        let all = self.given_by_all(call, receiver, &name.name, span);
        let value = self.unknown(name, receiver, receiver_value, arguments, span);
        let mut value = self.decrypted(name, value, span);
        if let Some(all) = all {
            value.absorb(&all);
            value.known = Known::Nothing;
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
        // `def decorator(func)`, inside of what takes the arguments of the decorator
        let inside = self.nesting > 2
            && value.flows.is_empty()
            && matches!(name.name.as_str(), "func" | "fn" | "function" | "f" | "wrapped");
        let handed = receiver.is_none()
            && !self.frame.top
            && (inside
                || value.flows.iter().any(|flow| matches!(flow.origin, Origin::Parameter(_))));
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
                // `if debug: connection.set_debuglevel(1)`: it is asked for.
                let wanted = self.debugging > 0 && rule.code.starts_with("TAC3");
                let found = found.drain(..).filter(|_| !wanted);
                self.outcome.matches.extend(found.map(|one| (*rule, one)));
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
                    if let ExprKind::Name(ident) = &receiver.kind
                        && let Some(Target::Class(file)) = program.lookup(self.file, &ident.name)
                    {
                        return self.method_in(file, &ident.name, &name.name);
                    }
                    let path = self.path(receiver)?;
                    program.lookup_in(self.file, &path, &name.name)
                }
            },
        }
    }

    /// What a method keeps of what it is handed.
    fn keep_in(
        &mut self,
        receiver: &Expr,
        value: Option<&Value>,
        function: usize,
        arguments: &Arguments<'a>,
    ) {
        let class = match (&receiver.kind, value.map(|value| &value.known)) {
            (ExprKind::Name(ident), _) if ident.name == "self" => self.class.clone(),
            (_, Some(Known::Object(class))) => Some(class.clone()),
            _ => None,
        };
        if let Some(class) = class
            && let Some((file, class)) = self.shared.program.class_of(self.file, &class)
        {
            self.store_handed(function, file, &class, arguments);
        }
    }

    /// What a method gives back that its own class leaves to those built on it.
    fn overridden(
        &mut self,
        receiver: &Expr,
        name: &Ident,
        mut value: Value,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        let own = matches!(&receiver.kind, ExprKind::Name(ident) if ident.name == "self");
        let Some(class) = self.class.clone().filter(|_| own && value.flows.is_empty()) else {
            return value;
        };
        for method in self.shared.program.overriding(self.file, &class, &name.name) {
            let given = self.apply(method, 0, true, arguments, span);
            if !given.flows.is_empty() {
                value.absorb(&given);
                value.known = Known::Nothing;
            }
        }
        value
    }

    /// The method of the class of a value.
    fn method_of(&self, value: &Value, name: &Name) -> Option<Target> {
        let Known::Object(class) = &value.known else { return None };
        self.shared.program.method(self.file, class, name).map(Target::Function)
    }

    /// `Class.method(…)`, of a method that is called on the class.
    fn method_in(&self, file: u32, class: &Name, name: &Name) -> Option<Target> {
        let program = self.shared.program;
        let method = program.method(file, class, name)?;
        let on_class = ["classmethod", "staticmethod"];
        let function = program.functions[method].function;
        function.is_decorated(&on_class).then_some(Target::Function(method))
    }
}
