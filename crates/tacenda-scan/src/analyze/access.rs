//! Parts of values: attributes, fields, items.

use ruff_python_ast::name::Name;

use super::Walker;
use super::bind::{self_attribute, variable, without_parts};
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Ident, Literal, Span, Stmt, StmtKind, TypeHint};
use crate::label::Label;
use crate::lexicon::{Class, Need};
use crate::model::Channel;
use crate::value::{Flow, Known, Origin, Value, What};

/// Attributes that hold what their object is about.
pub(super) const KEEPING: &[&str] = &[
    "value",
    "text",
    "content",
    "data",
    "raw",
    "body",
    "envelope",
    "json",
    "string",
    "plain",
    "args",
    "parts",
    "headers",
    "contents",
    "payload",
    "params",
    "kwargs",
    "query",
    "message",
    "messages",
    "__dict__",
    "environ",
    "items",
    "values",
    "delta",
    "choices",
    "output",
    "outputs",
    "response",
    "output_text",
    "segments",
    "arguments",
    "prompt",
    "input",
    "parameter",
    "answer",
    "reply",
    "completion",
    "transcript",
];

/// Modules of names: of variables of the environment, of headers, of fields.
const OF_CONSTANTS: &[&str] =
    &["env", "envs", "env_vars", "envvars", "const", "consts", "constants", "keys", "fields"];

impl<'a> Walker<'a> {
    pub(super) fn attribute(&mut self, expr: &'a Expr, base: &'a Expr, ident: &'a Ident) -> Value {
        if let Some((label, confidence)) =
            self.models().source_attribute(&ident.name, || self.path(expr))
            && !self.is_treated(base)
        {
            self.eval(base);
            return Value::source(label, confidence, self.step(expr.span, What::Given, None));
        }
        if ident.name == "__dict__" && self.is_self_with_secrets(base) {
            return self.settings(expr.span);
        }
        // `URLS.ISSUE_TOKEN`: a constant from a table of addresses, names, fields.
        if let ExprKind::Name(table) = &base.kind
            && is_constant(&ident.name)
            && (OF_CONSTANTS.contains(&table.name.as_str())
                || is_constant(&table.name)
                    && matches!(table.class, Class::Harmless | Class::Sensitive(Label::Url, ..)))
        {
            return Value::harmless();
        }
        // `Errors.NO_RESPONSE`: a constant of a class.
        if let ExprKind::Name(class) = &base.kind
            && is_constant(&ident.name)
            && class.name.starts_with(|first: char| first.is_ascii_uppercase())
            && class.name.contains(|letter: char| letter.is_ascii_lowercase())
            && matches!(ident.class, Class::Sensitive(label, ..)
                if label != Label::Credential || is_of_errors(&class.name))
        {
            return Value::harmless();
        }
        let mut value = match self_attribute(base, &ident.name) {
            Some(key) => match self.env.get(&key) {
                Some(value) => value.clone(),
                None => {
                    let class = self.class.clone().map(|class| (self.file, class));
                    class.and_then(|class| self.held(&class, &ident.name)).unwrap_or_default()
                }
            },
            None => {
                let base_value = self.eval(base);
                if let Some(part) = self.part_of_answer(base, &base_value, expr, &ident.name) {
                    return part;
                }
                let class = match &base_value.known {
                    Known::Object(class) if !class.is_empty() => {
                        self.shared.program.class_of(self.file, class)
                    }
                    _ => None,
                };
                let held = class.and_then(|class| self.held(&class, &ident.name));
                let held = held.map(|held| without_parts(held, &ident.name));
                let mut value = self.field(base_value, &ident.name, ident.class);
                if let Some(held) = held {
                    value.absorb(&held);
                    if value.flows.is_empty() {
                        value.known = held.known;
                    }
                }
                value
            }
        };
        if matches!(ident.class, Class::Sensitive(..)) && value.flows.is_empty() {
            let class = match self_attribute(base, &ident.name) {
                Some(_) => self.class.clone(),
                None => match self.known(base) {
                    Some(Known::Object(class)) => Some(class.clone()),
                    _ => None,
                },
            };
            if class.is_some_and(|class| self.is_declared_harmless(&class, &ident.name)) {
                return Value::harmless();
            }
        }
        if matches!(ident.class, Class::Plain)
            && matches!(
                ident.name.as_str(),
                "shape"
                    | "dtype"
                    | "ndim"
                    | "nbytes"
                    | "status"
                    | "status_code"
                    | "__name__"
                    | "__class__"
            )
        {
            value = Value::harmless();
        }
        if let Some(last) = base.last_name()
            && (self
                .models()
                .sink_method(&last.name, &ident.name)
                .is_some_and(|sink| sink.channel == Channel::Log)
                || self.models().sink_method("log", &ident.name).is_some()
                    && self.is_log_object(base))
        {
            // `log = logger.debug`
            value.known = Known::Writer(Channel::Log);
            return value;
        }
        self.attribute_by_use(base, ident, expr.span, value)
    }

    /// Whether a class declares a field as a number, or as what hides its value.
    fn is_declared_harmless(&self, class: &Name, field: &Name) -> bool {
        let declares = |stmt: &Stmt| match &stmt.kind {
            StmtKind::Assign(targets, _, hint) if *hint != TypeHint::None => {
                let of_it = |target: &Expr| matches!(&target.kind, ExprKind::Name(ident) if ident.name == *field);
                targets.iter().any(of_it).then_some(*hint == TypeHint::Harmless)
            }
            _ => None,
        };
        let program = self.shared.program;
        let harmless = program.inherited(self.file, class, &mut |_, entry| {
            entry.class.body.iter().find_map(declares)
        });
        harmless == Some(true)
    }

    fn is_treated(&self, base: &Expr) -> bool {
        variable(base).and_then(|key| self.env.get(&key)).is_some_and(Value::is_harmless)
    }

    /// What an attribute of the objects of a class holds: what its methods keep in it, or what a
    /// property of this name gives.
    pub(super) fn held(&mut self, class: &(u32, Name), field: &Name) -> Option<Value> {
        let (held, property) = self.looked_up(class, field);
        self.outcome.callees.extend(property);
        self.note_asked(class, field, held.as_ref());
        held
    }

    /// The same; and the property, if it is one.
    pub(super) fn looked_up(
        &self,
        class: &(u32, Name),
        field: &Name,
    ) -> (Option<Value>, Option<usize>) {
        let program = self.shared.program;
        let attributes = self.shared.attributes;
        let kept = |class: &(u32, Name)| attributes.get(class)?.get(field);
        let here = || self.run.attributes.get(class)?.get(field);
        if let Some(value) = kept(class).or_else(here) {
            return (Some(value.clone()), None);
        }
        let (file, name) = class;
        if program.properties.contains(field)
            && let Some(method) = program.method(*file, name, field)
        {
            let function = program.functions[method].function;
            if !function.is_decorated(&["property", "cached_property"]) {
                return (None, None);
            }
            let summary = &self.shared.summaries[method];
            let mut value = Value::default();
            for flow in &summary.returns {
                if matches!(flow.origin, Origin::Source(..)) {
                    value.add(flow.clone());
                }
            }
            if summary.harmless && value.flows.is_empty() {
                value.known = Known::Harmless;
            }
            return (Some(value), Some(method));
        }
        if !self.shared.kept.contains(field) {
            return (None, None);
        }
        let inherited = program.inherited(*file, name, &mut |file, entry| {
            kept(&(file, entry.class.name.clone())).cloned()
        });
        (inherited, None)
    }

    /// What is known of a variable, or of an attribute of the object that this code is a method of.
    pub(super) fn known(&self, expr: &Expr) -> Option<&Known> {
        let here = variable(expr).and_then(|key| self.env.get(&key)).map(|value| &value.known);
        let by_class = || match &expr.kind {
            ExprKind::Attribute(base, ident) => {
                self_attribute(base, &ident.name)?;
                let class = (self.file, self.class.clone()?);
                self.looked_around.set(true);
                let attributes = self.shared.attributes.get(&class);
                let attributes = attributes.or_else(|| self.run.attributes.get(&class))?;
                Some(&attributes.get(&ident.name)?.known)
            }
            _ => None,
        };
        here.or_else(by_class)
    }

    /// Whether an expression stands for a logger, by its name or by where it comes from.
    pub(super) fn is_log_object(&self, expr: &Expr) -> bool {
        matches!(self.known(expr), Some(Known::LogObject))
            || expr.last_name().is_some_and(|last| {
                self.models().sink_method(&last.name, "info").is_some_and(|sink| !sink.text_first)
            })
    }

    /// A field of a value, by its name.
    fn field(&self, value: Value, name: &Name, class: Class) -> Value {
        if value.flows.is_empty() {
            return match value.known {
                Known::Harmless | Known::Treated => value,
                _ => Value::default(),
            };
        }
        let keeps = KEEPING.contains(&name.as_str());
        let mut flows = Vec::new();
        for mut flow in value.flows {
            match &flow.field {
                Some(field) if field == name => {
                    flow.field = None;
                    flows.push(flow);
                }
                // `box.__dict__`, where something was put into one of its fields.
                Some(_) if name == "__dict__" => flows.push(flow),
                Some(_) => {}
                None => {
                    let kept = match flow.origin {
                        Origin::Parameter(_) | Origin::Inner(_) => keeps,
                        Origin::Source(Label::Settings, _) => {
                            matches!(name.as_str(), "__dict__" | "items" | "values" | "environ")
                        }
                        // `jwt.headers`: what it was signed with.
                        Origin::Source(Label::Credential, _) if name == "headers" => false,
                        Origin::Source(..) => keeps && !matches!(class, Class::Harmless),
                    };
                    if kept {
                        flows.push(flow);
                    }
                }
            }
        }
        Value { flows, known: Known::Nothing }
    }

    /// What a key says of what stands under it: in the environment a token is none of a text, and a
    /// key lets in.
    fn said_by_key(&self, base: &Value, key: &str, class: Class) -> Option<(Label, Confidence)> {
        match class {
            Class::Harmless | Class::Plain
                if base.has(Label::Settings) && constant_name_of_secret(key) =>
            {
                Some((Label::Credential, Confidence::Medium))
            }
            Class::Sensitive(Label::Credential, sure, Need::NoLexer)
                if base.has(Label::Settings) =>
            {
                Some((Label::Credential, sure))
            }
            class => class.within(self.context),
        }
    }

    /// An item of a value, by its key.
    pub(super) fn item(
        &mut self,
        base: &Value,
        key_expr: &Expr,
        key_value: &Value,
        span: Span,
    ) -> Value {
        if matches!(base.known, Known::Writer(_)) {
            return base.clone();
        }
        let keys: Vec<&str> = match (&key_expr.kind, &key_value.known) {
            (ExprKind::Text(text, _), _) => vec![text],
            (ExprKind::Name(_), Known::Texts(texts)) => texts.iter().map(|text| &**text).collect(),
            _ => constant(key_expr).into_iter().map(Name::as_str).collect(),
        };
        if keys.is_empty() {
            // A part of a text or a list, or an item that is not known.
            let mut value = base.clone();
            if let ExprKind::Constant(Literal::Integer(place)) = key_expr.kind {
                let here = |flow: &Flow| flow.place().is_none_or(|one| one as u64 == place);
                value.flows.retain(here);
            }
            for flow in &mut value.flows {
                flow.field = None;
            }
            if matches!(value.known, Known::Texts(_)) {
                value.known = Known::Harmless;
            }
            if matches!(key_expr.kind, ExprKind::Constant(Literal::Few)) {
                value.flows.retain(|flow| {
                    !matches!(
                        flow.origin,
                        Origin::Source(Label::Credential | Label::Financial | Label::Personal, _)
                            | Origin::Parameter(_)
                    )
                });
                if value.flows.is_empty() && !base.flows.is_empty() {
                    value.known = Known::Harmless;
                }
            }
            if !matches!(key_expr.kind, ExprKind::Constant(_)) {
                value.flows.retain(|flow| {
                    !matches!(flow.origin, Origin::Source(Label::Settings | Label::Body, _))
                });
            }
            return value;
        }
        let mut value = Value::default();
        if base.is_harmless() {
            value.known = Known::Harmless;
            return value;
        }
        for key in keys {
            let class = self.models().classify(key);
            for flow in &base.flows {
                let through = match (&flow.field, flow.origin) {
                    (Some(field), _) => field == key,
                    (None, Origin::Parameter(_) | Origin::Inner(_)) => false,
                    (None, Origin::Source(label, _)) => {
                        matches!(
                            label,
                            Label::Credential
                                | Label::Prompt
                                | Label::Completion
                                | Label::TokenIds
                                | Label::Tensor
                                | Label::Body
                        ) && KEEPING.iter().any(|one| one.eq_ignore_ascii_case(key))
                            // What a server says of a failure.
                            && !(label == Label::Body && key.eq_ignore_ascii_case("message"))
                            || label.is_model_text() && key == "result"
                    }
                };
                if through {
                    value.add(Flow { field: None, ..flow.clone() });
                }
            }
            // What a constant is called says less than a key that is written out.
            let says = constant(key_expr).is_none() || base.has(Label::Headers);
            let within = self.said_by_key(base, key, class);
            if let Some((label, confidence)) = within.filter(|_| says)
                && label != Label::Settings
                && !(label == Label::Body && confidence < Confidence::High)
            {
                self.label(&mut value, label, confidence, span, What::Named);
            }
        }
        if value.flows.is_empty() && base.has(Label::Headers) {
            match key_expr.text().and_then(of_header) {
                Some(label) => {
                    self.label(&mut value, label, Confidence::Medium, span, What::Given);
                }
                // `headers["User-Agent"]`
                None => value.known = Known::Harmless,
            }
        }
        value
    }
}

/// The name of a constant, if a key is one: what it is called stands for what it is.
pub(super) fn constant(key: &Expr) -> Option<&Name> {
    match &key.kind {
        ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => {
            is_constant(&ident.name).then_some(&ident.name)
        }
        _ => None,
    }
}

/// Whether a class is one of what goes wrong, whose constants are kinds of that.
fn is_of_errors(class: &str) -> bool {
    ["Error", "Errors", "Exception", "ErrorCode", "ErrorCodes"]
        .iter()
        .any(|end| class.ends_with(end))
}

/// What is sensitive about a header or a cookie that no word of its name tells.
fn of_header(name: &str) -> Option<Label> {
    match &*name.to_ascii_lowercase() {
        "location" | "query_string" => Some(Label::Url),
        "wsgi.input" => Some(Label::Body),
        "sid" | "sessionid" | "session_id" | "session" | "remember_me" | "x-session"
        | "x-session-id" | "session-id" => Some(Label::Credential),
        _ => None,
    }
}

/// `MAPS_KEY`, `MAIL_PASS`: what a variable of the environment is called that holds a credential.
fn constant_name_of_secret(key: &str) -> bool {
    let Some((front, last)) = key.rsplit_once('_') else { return false };
    let of_table = ["PRIMARY", "FOREIGN", "CACHE", "PUBLIC", "SORT", "HOT", "GROUP", "HOST"];
    is_constant(key)
        && matches!(last, "KEY" | "KEYS" | "PASS" | "PW" | "PAT" | "SIGNING")
        && !of_table.iter().any(|word| front.ends_with(word))
}

/// `NAMES_LIKE_THIS`
pub(super) fn is_constant(name: &str) -> bool {
    name.len() > 2 && !name.bytes().any(|byte| byte.is_ascii_lowercase())
}
