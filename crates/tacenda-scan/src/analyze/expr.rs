//! Expressions.

use std::sync::Arc;

use ruff_python_ast::name::Name;

use super::Walker;
use super::stmt::self_attribute;
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Generator, Ident, Literal, Span};
use crate::label::Label;
use crate::lexicon::Class;
use crate::model::{Channel, MODELS};
use crate::value::{Flow, Known, Origin, Value, What};

/// Attributes that hold what their object is about.
const KEEPING: &[&str] = &[
    "value",
    "text",
    "content",
    "data",
    "raw",
    "body",
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
];

impl<'a> Walker<'a> {
    /// What an expression gives.
    #[expect(clippy::too_many_lines, reason = "one arm for each expression of the language")]
    pub(super) fn eval(&mut self, expr: &'a Expr) -> Value {
        match &expr.kind {
            ExprKind::Name(ident) => {
                let value = match self.env.get(&ident.name) {
                    Some(value) => value.clone(),
                    None => Value::default(),
                };
                self.named(ident, expr.span, value)
            }
            ExprKind::Attribute(base, ident) => self.attribute(expr, base, ident),
            ExprKind::Item(base, key) => {
                let base_value = self.eval(base);
                let key_value = self.eval(key);
                let value = self.item(&base_value, key, &key_value, expr.span);
                if is_before_query(base, key) {
                    return value
                        .retain(|flow| !matches!(flow.origin, Origin::Source(Label::Url, _)));
                }
                // `messages[0]`, `prompt[:50]`: a part of it.
                value
            }
            ExprKind::Call(call) => self.call(call, expr.span),
            ExprKind::Text(text, _) => {
                Value { flows: Vec::new(), known: Known::Texts(Arc::from([text.clone()])) }
            }
            ExprKind::Constant(_) => Value::harmless(),
            ExprKind::Opaque => Value::default(),
            ExprKind::Join(parts) => {
                let mut value = Value::default();
                let mut harmless = true;
                for part in parts {
                    let part = self.eval(part);
                    harmless &=
                        matches!(part.known, Known::Harmless | Known::Treated | Known::Texts(_));
                    value.absorb(&part);
                }
                if harmless {
                    value.known = Known::Harmless;
                }
                value
            }
            ExprKind::Numeric(inner) => {
                self.eval(inner);
                Value::harmless()
            }
            ExprKind::Question(parts) => {
                for part in parts {
                    self.eval(part);
                }
                Value::harmless()
            }
            ExprKind::Dict(items) => self.dict(items),
            ExprKind::List(items) => {
                let mut value = Value::default();
                let mut texts = Vec::new();
                let mut literal = true;
                for item in items {
                    let item = self.eval(item);
                    match &item.known {
                        Known::Texts(some) => texts.extend(some.iter().cloned()),
                        Known::Harmless => {}
                        _ => literal = false,
                    }
                    value.absorb(&item);
                }
                if items.is_empty() {
                    value.known = Known::Built;
                } else if literal && value.flows.is_empty() {
                    value.known =
                        if texts.is_empty() { Known::Harmless } else { Known::Texts(texts.into()) };
                }
                value
            }
            ExprKind::Choice(parts) => {
                let mut joined: Option<Value> = None;
                for part in parts {
                    let question = matches!(part.kind, ExprKind::Question(_));
                    let value = self.eval(part);
                    if question {
                        continue;
                    }
                    joined = Some(match joined {
                        Some(before) => before.join(&value),
                        None => value,
                    });
                }
                joined.unwrap_or_else(Value::harmless)
            }
            ExprKind::Comprehension(generators, key, element) => {
                self.comprehension(generators, key.as_deref(), element)
            }
            ExprKind::Lambda(function) => {
                self.nested(function);
                Value::default()
            }
            ExprKind::Named(target, value) => {
                let value = self.eval(value);
                self.assign(target, value.clone());
                value
            }
            ExprKind::Star(inner) => self.eval(inner),
            ExprKind::Yield(inner) => {
                if let Some(inner) = inner {
                    let value = self.eval(inner);
                    let value = self.stepped(value, inner.span, What::Returned);
                    self.frame.returns = Some(match self.frame.returns.take() {
                        Some(before) => before.join(&value),
                        None => value,
                    });
                }
                Value::default()
            }
        }
    }

    /// The value behind a name, with what the name says about it.
    pub(super) fn named(&mut self, ident: &Ident, span: Span, mut value: Value) -> Value {
        match ident.class {
            Class::Treated => return Value::treated(),
            Class::Plain => return value,
            Class::Harmless | Class::Sensitive(..) => {}
        }
        if matches!(value.known, Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built)
        {
            return value;
        }
        if let Some((label, confidence)) = ident.class.within(self.context)
            && label != Label::Settings
        {
            // Where a function handles credentials, the URL that it makes may hold one.
            let risen = label == Label::Url && self.frame.credentials && self.context.http;
            let confidence = if risen { confidence.max(Confidence::Medium) } else { confidence };
            self.label(&mut value, label, confidence, span, What::Named);
        }
        value
    }

    pub(super) fn label(
        &self,
        value: &mut Value,
        label: Label,
        confidence: Confidence,
        span: Span,
        what: What,
    ) {
        if value
            .sources()
            .any(|(one, sure, flow)| one == label && sure >= confidence && flow.field.is_none())
        {
            return;
        }
        let way = Some(self.step(span, what, None));
        value.add(Flow { origin: Origin::Source(label, confidence), field: None, way });
    }

    fn attribute(&mut self, expr: &'a Expr, base: &'a Expr, ident: &'a Ident) -> Value {
        if let Some((label, confidence)) = MODELS.source_attribute(&ident.name, || self.path(expr))
            && !self.is_treated(base)
        {
            self.eval(base);
            return Value::source(label, confidence, self.step(expr.span, What::Given, None));
        }
        let mut value = match self_attribute(base, &ident.name) {
            Some(key) => match self.env.get(&key) {
                Some(value) => value.clone(),
                None => {
                    let class = self.class.clone().map(|class| (self.file, class));
                    class
                        .and_then(|class| {
                            self.shared.attributes.get(&class)?.get(&ident.name).cloned()
                        })
                        .unwrap_or_default()
                }
            },
            None => {
                let base_value = self.eval(base);
                self.field(base_value, &ident.name, ident.class)
            }
        };
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
            && MODELS
                .sink_method(&last.name, &ident.name)
                .is_some_and(|sink| sink.channel == Channel::Log)
        {
            // `log = logger.debug`
            value.known = Known::Logger;
            return value;
        }
        self.named(ident, expr.span, value)
    }

    fn is_treated(&self, base: &Expr) -> bool {
        super::stmt::variable(base)
            .and_then(|key| self.env.get(&key))
            .is_some_and(Value::is_harmless)
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
                Some(_) => {}
                None => {
                    let kept = match flow.origin {
                        Origin::Parameter(_) => keeps,
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

    /// An item of a value, by its key.
    pub(super) fn item(
        &mut self,
        base: &Value,
        key: &Expr,
        key_value: &Value,
        span: Span,
    ) -> Value {
        let keys: Vec<&str> = match (&key.kind, &key_value.known) {
            (ExprKind::Text(text, _), _) => vec![text],
            (ExprKind::Name(_), Known::Texts(texts)) => texts.iter().map(|text| &**text).collect(),
            _ => Vec::new(),
        };
        if keys.is_empty() {
            // A part of a text or a list, or an item that is not known.
            let mut value = base.clone();
            for flow in &mut value.flows {
                flow.field = None;
            }
            if matches!(value.known, Known::Texts(_)) {
                value.known = Known::Harmless;
            }
            if !matches!(key.kind, ExprKind::Constant(_)) {
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
            let class = crate::lexicon::classify(key);
            for flow in &base.flows {
                let through = match (&flow.field, flow.origin) {
                    (Some(field), _) => field == key,
                    (None, Origin::Parameter(_)) => false,
                    (None, Origin::Source(label, _)) => {
                        matches!(
                            label,
                            Label::Credential
                                | Label::Prompt
                                | Label::Completion
                                | Label::TokenIds
                                | Label::Tensor
                                | Label::Body
                        ) && KEEPING.contains(&key)
                    }
                };
                if through {
                    value.add(Flow { field: None, ..flow.clone() });
                }
            }
            if let Some((label, confidence)) = class.within(self.context)
                && label != Label::Settings
                && !(label == Label::Body && confidence < Confidence::High)
            {
                self.label(&mut value, label, confidence, span, What::Named);
            }
        }
        if value.flows.is_empty() && base.has(Label::Headers) {
            // `headers["User-Agent"]`
            value.known = Known::Harmless;
        }
        value
    }

    fn dict(&mut self, items: &'a [(Option<Expr>, Expr)]) -> Value {
        let mut value = Value::default();
        let mut harmless = true;
        for (key, item) in items {
            let span = item.span;
            let mut item = self.eval(item);
            match key {
                None => value.absorb(&item),
                Some(key) => {
                    self.eval(key);
                    match &key.kind {
                        ExprKind::Text(text, class) => {
                            let name = Ident { name: Name::new(&**text), class: *class };
                            item = self.named(&name, span, item);
                            value.absorb_field(&name.name, &item);
                        }
                        _ => value.absorb(&item),
                    }
                }
            }
            harmless &= matches!(item.known, Known::Harmless | Known::Treated | Known::Texts(_));
        }
        if harmless && value.flows.is_empty() {
            value.known = if items.is_empty() { Known::Built } else { Known::Harmless };
        }
        value
    }

    fn comprehension(
        &mut self,
        generators: &'a [Generator],
        key: Option<&'a Expr>,
        element: &'a Expr,
    ) -> Value {
        let mark = self.env.mark();
        let mut guarded = 0;
        for generator in generators {
            let items = self.eval(&generator.iterable);
            let items = self.each_of(&generator.iterable, items);
            self.bind_each(&generator.target, &generator.iterable, items);
            for condition in &generator.conditions {
                self.eval(condition);
                // `if key in ("host", "port")`, `if key not in SECRETS`: it was thought about.
                if self.asks_for_secrets(condition) && !leaves_out_one(condition)
                    || self.picks(condition)
                {
                    guarded += 1;
                }
            }
        }
        if let Some(key) = key {
            self.eval(key);
        }
        let asked = self.chooses(element);
        let mut value = self.eval(element);
        self.env.undo(mark);
        if guarded > 0 || asked {
            return Value::treated();
        }
        for flow in &mut value.flows {
            flow.field = None;
        }
        if !matches!(value.known, Known::Harmless) {
            value.known = Known::Nothing;
        }
        value
    }

    /// `"***" if key in SECRETS else value`
    fn chooses(&self, element: &Expr) -> bool {
        let ExprKind::Choice(parts) = &element.kind else { return false };
        parts.iter().any(|part| matches!(part.kind, ExprKind::Question(_)))
            && parts.iter().any(|part| matches!(part.kind, ExprKind::Text(..)))
    }

    /// `key in ("host", "port")`, `key in ALLOWED`
    fn picks(&self, condition: &Expr) -> bool {
        let ExprKind::Question(parts) = &condition.kind else { return false };
        parts.iter().skip(1).any(|part| match &part.kind {
            ExprKind::List(items) => items.len() > 1,
            ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => {
                let name = ident.name.to_lowercase();
                [
                    "allow",
                    "safe",
                    "white",
                    "public",
                    "loggable",
                    "log",
                    "exclude",
                    "deny",
                    "black",
                    "ignore",
                    "hidden",
                    "sensitive",
                    "secret",
                ]
                .iter()
                .any(|word| name.contains(word))
            }
            _ => false,
        })
    }

    /// What going through a value gives.
    pub(super) fn element(&self, value: &Value) -> Value {
        let mut value = value.clone();
        for flow in &mut value.flows {
            flow.field = None;
        }
        value
    }

    /// `a.b.c` with its first name replaced by what is imported under it.
    pub(super) fn path(&self, expr: &Expr) -> Option<String> {
        let path = dotted(expr, 0)?;
        Some(self.shared.program.resolve(self.file, &path).unwrap_or(path))
    }
}

/// `key != "password"`: what else is sensitive stays in.
fn leaves_out_one(condition: &Expr) -> bool {
    match &condition.kind {
        ExprKind::Question(parts) => {
            matches!(&parts[..], [one, other] if matches!(one.kind, ExprKind::Name(_)) && matches!(other.kind, ExprKind::Text(..)))
        }
        _ => false,
    }
}

/// `a.b.c`; calls and items in it are left out: `a().b[0].c` is `a.b.c`.
fn dotted(expr: &Expr, depth: u32) -> Option<String> {
    if depth > 20 {
        return None;
    }
    match &expr.kind {
        ExprKind::Name(ident) => Some(ident.name.to_string()),
        ExprKind::Attribute(base, ident) => {
            let mut path = dotted(base, depth + 1)?;
            path.push('.');
            path.push_str(&ident.name);
            Some(path)
        }
        ExprKind::Call(call) => dotted(&call.callee, depth + 1),
        ExprKind::Item(base, _) => dotted(base, depth + 1),
        _ => None,
    }
}

/// `url.partition("?")[0]`, `url.split("?", 1)[0]`: a URL without its query string.
fn is_before_query(base: &Expr, key: &Expr) -> bool {
    let ExprKind::Call(call) = &base.kind else { return false };
    let cuts = matches!(&call.callee.kind, ExprKind::Attribute(_, method)
        if matches!(method.name.as_str(), "partition" | "split"));
    let first = matches!(key.kind, ExprKind::Constant(Literal::Integer(0)));
    cuts && first && call.arguments.first().and_then(Expr::text) == Some("?")
}
