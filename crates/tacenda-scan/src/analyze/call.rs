//! Calls: of functions that are here, of functions that models know, of others.

use ruff_python_ast::name::Name;

use super::Walker;
use super::stmt::variable;
use crate::Confidence;
use crate::ir::{Call, Expr, ExprKind, Ident, Span};
use crate::label::Label;
use crate::lexicon::{Class, words};
use crate::model::{Effect, MODELS};
use crate::program::Target;
use crate::rules::{CallSite, for_call};
use crate::value::{Flow, Known, Origin, Value, What};

/// The arguments of a call, run.
pub(super) struct Arguments<'a> {
    pub(super) by_place: Vec<(&'a Expr, Value)>,
    pub(super) by_name: Vec<(Option<&'a Ident>, &'a Expr, Value)>,
}

impl Arguments<'_> {
    fn values(&self) -> impl Iterator<Item = &Value> {
        let named = self.by_name.iter().map(|(_, _, value)| value);
        self.by_place.iter().map(|(_, value)| value).chain(named)
    }
}

impl<'a> Walker<'a> {
    pub(super) fn call(&mut self, call: &'a Call, span: Span) -> Value {
        let (receiver, name) = match &call.callee.kind {
            ExprKind::Name(ident) => (None, ident),
            ExprKind::Attribute(base, ident) => (Some(&**base), ident),
            _ => {
                self.eval(&call.callee);
                self.arguments(call);
                return Value::default();
            }
        };
        self.check(call, name, span);
        let receiver_value = receiver.map(|receiver| self.eval(receiver));
        let mut arguments = self.arguments(call);
        self.label_keywords(&mut arguments);

        if let Some(sink) = self.sink_of(call, receiver, name) {
            self.written(call, span, sink, &arguments);
            return Value::harmless();
        }
        if let Some(mut value) =
            self.lookup_of_key(call, receiver, name, receiver_value.as_ref(), span)
        {
            if let Some((label, confidence)) =
                MODELS.source_call(&name.name, || self.path(&call.callee))
            {
                self.label(&mut value, label, confidence, span, What::Given);
                value.known = Known::Nothing;
            }
            return value;
        }
        self.note_parsing(name, &arguments, span);

        let target = self.target(receiver, name);
        if let Some(Target::Function(function)) = target {
            let value = self.apply(function, receiver.is_some(), &arguments, span);
            if MODELS.redacts(&name.name) {
                return Value::treated();
            }
            return self.given(name, value, receiver, span, true);
        }
        if let Some(Target::Class(file)) = target {
            let mut value = self.construct(file, name, &arguments, span);
            value.known = Known::Object(name.name.clone());
            return value;
        }
        if receiver.is_none()
            && let Some(Known::Object(_)) = self.env.get(&name.name).map(|value| &value.known)
        {
            return Value::default();
        }
        if let Some((label, confidence)) =
            MODELS.source_call(&name.name, || self.path(&call.callee))
        {
            // Array values are printed by whoever works on arrays; they matter where models serve.
            return Value::source(label, confidence, self.step(span, What::Given, None));
        }
        self.unknown(name, receiver, receiver_value, &arguments, span)
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

    /// `x.get("password")`, `getattr(x, "password")`, `os.getenv("TOKEN")`.
    fn lookup_of_key(
        &mut self,
        call: &'a Call,
        receiver: Option<&'a Expr>,
        name: &Ident,
        base: Option<&Value>,
        span: Span,
    ) -> Option<Value> {
        let method = name.name.as_str();
        let mut at = match method {
            "getenv" => 0,
            "getattr" => 1,
            "get" | "pop" | "setdefault" | "getlist" | "get_argument" | "getheader"
            | "get_option" | "get_secret"
                if receiver.is_some() =>
            {
                0
            }
            _ => return None,
        };
        // `config.get("section", "password")`
        if method == "get"
            && call.arguments.len() >= 2
            && call.arguments.iter().take(2).all(|one| matches!(one.kind, ExprKind::Text(..)))
            && receiver.and_then(Expr::last_name).is_some_and(|ident| {
                words(&ident.name).iter().any(|word| {
                    matches!(
                        word.as_str(),
                        "config" | "cfg" | "conf" | "parser" | "cp" | "configparser"
                    )
                })
            })
        {
            at = 1;
        }
        let key = call.arguments.get(at)?;
        let base = base.cloned().unwrap_or_default();
        let key_value = self.eval(key);
        if method == "pop"
            && let ExprKind::Text(_, class) = &key.kind
            && class.is_credential()
            && let Some(receiver) = receiver
        {
            self.treat(receiver);
        }
        if method == "setdefault"
            && let (Some(receiver), ExprKind::Text(text, _), Some(value)) =
                (receiver, &key.kind, call.arguments.get(1))
        {
            let value = self.eval(value);
            self.put(receiver, &Name::new(&**text), &value);
        }
        let key_text =
            matches!(key.kind, ExprKind::Text(..)) || matches!(key_value.known, Known::Texts(_));
        if !key_text {
            let mut value = base;
            value.flows.retain(|flow| {
                !matches!(flow.origin, Origin::Source(Label::Settings, _)) && flow.field.is_none()
            });
            return Some(value);
        }
        Some(self.item(&base, key, &key_value, span))
    }

    /// A parser that is handed something sensitive puts it into its exceptions.
    fn note_parsing(&mut self, name: &Ident, arguments: &Arguments<'a>, span: Span) {
        if self.catching.is_empty()
            || matches!(name.name.as_str(), "loads" | "load" | "get" | "decode" | "encode")
        {
            return;
        }
        let parses = words(&name.name).iter().any(|word| {
            matches!(
                word.as_str(),
                "parse"
                    | "parser"
                    | "validate"
                    | "convert"
                    | "eval"
                    | "strptime"
                    | "deserialize"
                    | "unmarshal"
            )
        });
        if !parses {
            return;
        }
        let mut carried = Value::default();
        for value in arguments.values() {
            for (label, confidence, flow) in value.sources() {
                if confidence >= Confidence::Medium
                    && !matches!(
                        label,
                        Label::Settings | Label::Url | Label::Headers | Label::Tensor
                    )
                {
                    carried.add(flow.clone());
                }
            }
        }
        let carried = self.stepped(carried, span, What::Raised);
        if let Some(catching) = self.catching.last_mut() {
            catching.absorb(&carried);
        }
    }

    fn target(&self, receiver: Option<&Expr>, name: &Ident) -> Option<Target> {
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

    /// Calls a function that is here.
    fn apply(
        &mut self,
        function: usize,
        method: bool,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        self.outcome.callees.insert(function);
        let entry = &self.shared.program.functions[function];
        let summary = &self.shared.summaries[function];
        let shift = usize::from(entry.bound && method);
        let of = |parameter: u8| -> Vec<(Value, Span)> {
            let parameter = usize::from(parameter);
            let place =
                parameter.checked_sub(shift).and_then(|place| arguments.by_place.get(place));
            if let Some((expr, value)) = place {
                return vec![(value.clone(), expr.span)];
            }
            let Some(known) = entry.function.parameters.get(parameter) else { return Vec::new() };
            let known = &known.ident.name;
            let given = arguments.by_name.iter().filter_map(|(name, expr, value)| match name {
                Some(name) => (name.name == *known).then(|| (value.clone(), expr.span)),
                // `**options`: the one of this name.
                None => {
                    let mut value = value.clone();
                    value.flows.retain(|flow| flow.field.as_ref() == Some(known));
                    for flow in &mut value.flows {
                        flow.field = None;
                    }
                    (!value.flows.is_empty()).then_some((value, expr.span))
                }
            });
            given.collect()
        };
        let mut reached = Vec::new();
        for sink in &summary.sinks {
            for (value, place) in of(sink.parameter) {
                if !value.flows.is_empty() {
                    reached.push((sink.clone(), value, place));
                }
            }
        }
        let mut returned = Value::default();
        let mut raised = Value::default();
        for (flows, into) in [(&summary.returns, &mut returned), (&summary.raises, &mut raised)] {
            for flow in flows {
                match flow.origin {
                    Origin::Source(..) => into.add(flow.clone()),
                    // Who takes a token to do something gives back something else.
                    Origin::Parameter(parameter) if self.only_uses(entry.function, parameter) => {}
                    Origin::Parameter(parameter) => {
                        for (value, place) in of(parameter) {
                            for one in &value.flows {
                                let way = Some(self.step(place, What::Passed, one.way.clone()));
                                into.add(Flow {
                                    field: flow.field.clone().or_else(|| one.field.clone()),
                                    way,
                                    origin: one.origin,
                                });
                            }
                        }
                    }
                }
            }
        }
        if summary.harmless && returned.flows.is_empty() {
            returned.known = Known::Harmless;
        }
        for (sink, value, place) in reached {
            self.reached(&sink, &value, place, span);
        }
        raised.flows.retain(|flow| {
            matches!(flow.origin, Origin::Source(Label::Credential, _) | Origin::Parameter(_))
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

    /// Whether a function takes a parameter, by its name, as the means to do something.
    fn only_uses(&self, function: &crate::ir::Function, parameter: u8) -> bool {
        function.parameters.get(usize::from(parameter)).is_some_and(|one| {
            matches!(one.ident.class, Class::Sensitive(Label::Credential, ..))
                && MODELS.effect(&function.name.name, false) != Effect::Carries
                && !matches!(function.name.class, Class::Sensitive(..))
        })
    }

    /// Makes an object.
    fn construct(
        &mut self,
        file: u32,
        name: &Ident,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        let init = Name::new_static("__init__");
        if let Some(function) = self.shared.program.method(file, &name.name, &init) {
            self.apply(function, true, arguments, span);
        }
        Value::default()
    }

    /// A function that nothing is known about but its name.
    fn unknown(
        &mut self,
        name: &Ident,
        receiver: Option<&'a Expr>,
        receiver_value: Option<Value>,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        let method = receiver.is_some();
        let effect = MODELS.effect(&name.name, method);
        if let Some(receiver) = receiver {
            self.grow(receiver, name, arguments);
        }
        match effect {
            Effect::Cleans if MODELS.redacts(&name.name) => Value::treated(),
            Effect::Cleans => Value::harmless(),
            Effect::Carries => {
                let mut value = Value::default();
                let mut harmless = true;
                let base = receiver_value.unwrap_or_default();
                if method {
                    harmless &= matches!(
                        base.known,
                        Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built
                    );
                    value.absorb(&base);
                }
                for (_, given) in &arguments.by_place {
                    harmless &= matches!(
                        given.known,
                        Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built
                    );
                    value.absorb(given);
                }
                for (key, _, given) in &arguments.by_name {
                    harmless &= matches!(
                        given.known,
                        Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built
                    );
                    match key {
                        Some(key) => value.absorb_field(&key.name, given),
                        None => value.absorb(given),
                    }
                }
                let given =
                    !arguments.by_place.is_empty() || !arguments.by_name.is_empty() || method;
                if !given {
                    value.known = Known::Built;
                } else if harmless && value.flows.is_empty() {
                    value.known = match base.known {
                        Known::Texts(texts) => Known::Texts(texts),
                        _ => Known::Harmless,
                    };
                }
                self.stepped(value, span, What::Passed)
            }
            Effect::Unknown => {
                let value = match receiver_value {
                    // A method of something sensitive gives something else, if anything.
                    Some(value) if !value.is_harmless() => value.retain(|flow| {
                        matches!(
                            flow.origin,
                            Origin::Source(Label::Prompt | Label::Completion, Confidence::High)
                        ) && flow.field.is_none()
                    }),
                    _ => Value::default(),
                };
                let value = Value { flows: value.flows, known: Known::Nothing };
                self.given(name, value, receiver, span, false)
            }
        }
    }

    /// `list.append(x)`, `dict.update(x)`: the receiver holds it from now on.
    fn grow(&mut self, receiver: &'a Expr, name: &Ident, arguments: &Arguments<'a>) {
        if !matches!(
            name.name.as_str(),
            "append"
                | "extend"
                | "insert"
                | "add"
                | "update"
                | "write"
                | "appendleft"
                | "setdefault"
                | "put"
        ) {
            return;
        }
        for (_, value) in &arguments.by_place {
            let value = value.clone();
            if name.name == "update" {
                for flow in &value.flows {
                    let one = Value {
                        flows: vec![Flow { field: None, ..flow.clone() }],
                        known: Known::Nothing,
                    };
                    let field = flow.field.clone().unwrap_or_else(|| Name::new_static("*"));
                    self.put(receiver, &field, &one);
                }
            } else {
                self.put(receiver, &Name::new_static("*"), &value);
            }
        }
        for (key, _, value) in &arguments.by_name {
            let key = key.map_or_else(|| Name::new_static("*"), |key| key.name.clone());
            self.put(receiver, &key, value);
        }
    }

    /// `get_password()`: the name of the function says what it gives.
    fn given(
        &mut self,
        name: &Ident,
        mut value: Value,
        _receiver: Option<&Expr>,
        span: Span,
        here: bool,
    ) -> Value {
        if value.is_harmless() {
            return value;
        }
        let Class::Sensitive(label, confidence, _) = name.class else { return value };
        if name.class.within(self.context).is_none()
            || matches!(label, Label::Settings | Label::Url)
            || label != Label::Credential && confidence < Confidence::High
        {
            return value;
        }
        let words = words(&name.name);
        let gives = words.first().is_some_and(|word| {
            matches!(
                word.as_str(),
                "get"
                    | "read"
                    | "fetch"
                    | "load"
                    | "generate"
                    | "create"
                    | "make"
                    | "build"
                    | "decrypt"
                    | "request"
                    | "obtain"
                    | "retrieve"
                    | "acquire"
                    | "new"
                    | "find"
                    | "lookup"
                    | "prompt"
                    | "ask"
                    | "extract"
                    | "parse"
                    | "decode"
                    | "issue"
                    | "gen"
                    | "compute"
                    | "derive"
                    | "resolve"
            )
        });
        let prompts_for = words.first().is_some_and(|word| word == "prompt");
        if gives
            && !(prompts_for && label != Label::Credential)
            && !(here && value.flows.is_empty() && label != Label::Credential)
        {
            self.label(&mut value, label, confidence.min(Confidence::High), span, What::Given);
        }
        value
    }
}
