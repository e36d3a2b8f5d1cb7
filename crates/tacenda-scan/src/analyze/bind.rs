//! What names, fields and items are bound to.

use ruff_python_ast::name::Name;

use super::Walker;
use super::access::constant;
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Ident};
use crate::label::Label;
use crate::lexicon::{Class, words};
use crate::value::{Known, Origin, Value};

/// Under which name the variables of a module are kept, beside those of its classes.
pub(super) const MODULE: Name = Name::new_static("");
/// Names of parts of headers and bodies that tell nothing of what is in them.
const HARMLESS_PARTS: &[&str] = &["name", "path", "domain", "host", "port", "version", "k"];
/// What texts and plain containers are called, whatever classes there are of that name.
const NAMES_OF_TEXTS: &[&str] = &[
    "url", "uri", "path", "text", "message", "msg", "key", "name", "value", "address", "host",
    "line", "query", "body", "data", "header", "headers", "code", "response", "request",
];
/// The field of a dictionary that stands for a key that is not known.
pub(super) const SOME_KEY: &str = "[]";

impl<'a> Walker<'a> {
    /// Binds a target.
    pub(super) fn assign(&mut self, target: &'a Expr, value: Value) {
        match &target.kind {
            ExprKind::Name(ident) => {
                // `value = "***"`
                let hides = is_mask(&value) && !is_word(&value);
                let value = if hides { Value::treated() } else { value };
                let value = if tells_of_it(&ident.name) { without_it(value) } else { value };
                let value = if is_number(&ident.name) { without_body(value) } else { value };
                self.env.set(ident.name.clone(), value);
            }
            ExprKind::Attribute(base, ident) => {
                if let Some(key) = self_attribute(base, &ident.name) {
                    self.store(&ident.name, &value);
                    if value.is_plain() && !matches!(value.known, Known::Treated) {
                        self.frame.set.push(key.clone());
                    }
                    self.env.set(key, value);
                } else {
                    self.put(base, &ident.name, &value);
                }
            }
            ExprKind::Item(base, key) => {
                let value_is_mask = value.is_harmless() || is_mask(&value);
                match &key.kind {
                    ExprKind::Text(text, class) => {
                        let sensitive = class.is_credential()
                            || matches!(class, Class::Sensitive(_, Confidence::Medium, _));
                        let key = Name::new(&**text);
                        let ident = Ident { name: key.clone(), class: *class };
                        let value = self.named(&ident, target.span, value);
                        if value_is_mask && (sensitive || is_mask(&value)) {
                            self.treat(base);
                        } else {
                            self.put_in(base, &key, &value);
                        }
                    }
                    _ => {
                        self.eval(key);
                        if is_mask(&value) {
                            self.treat(base);
                        } else {
                            let place = match constant(key) {
                                Some(name) => name.clone(),
                                None if is_index(key) => Name::new_static("*"),
                                None => Name::new_static(SOME_KEY),
                            };
                            self.put_in(base, &place, &value);
                        }
                    }
                }
            }
            ExprKind::List(places) => {
                self.unpack(places, &value);
            }
            ExprKind::Star(inner) => self.assign(inner, value),
            _ => {}
        }
    }

    /// `user, password = value`
    fn unpack(&mut self, places: &'a [Expr], value: &Value) {
        let star = places.iter().any(|place| matches!(place.kind, ExprKind::Star(_)));
        let label = |place: &Expr| match &place.kind {
            ExprKind::Name(ident) => ident.class.within(self.context).map(|(label, _)| label),
            _ => None,
        };
        // What one of the names says is not in the others.
        let labels: Vec<Option<Label>> = places.iter().map(label).collect();
        for (at, place) in places.iter().enumerate() {
            let mut part = value.clone();
            part.flows.retain(|flow| match (flow.place(), flow.origin) {
                (Some(place), _) if !star => place == at,
                (None, Origin::Source(label, _)) => {
                    labels[at] == Some(label) || !labels.contains(&Some(label))
                }
                _ => true,
            });
            if at == 0 && is_key_of_pair(places) {
                part.flows.clear();
            }
            if let ExprKind::Name(ident) = &place.kind {
                part = without_parts(part, &ident.name);
                // `title, cursor, headers in results`: of a table
                let beside = |place: &Expr| {
                    place.last_name().is_some_and(|one| {
                        matches!(one.name.as_str(), "cur" | "cursor" | "rows" | "columns")
                    })
                };
                if ident.name == "headers" && places.iter().any(beside) {
                    self.assign(place, Value::harmless());
                    continue;
                }
                // `uid, timestamp, body = request_data`
                if matches!(ident.class, Class::Harmless) {
                    part = without_body(part);
                }
            }
            let element = self.element(&part);
            self.assign(place, element);
        }
    }

    /// Notes what an attribute of the object itself holds, for its other methods, and for those
    /// of the classes that its class is built on.
    fn store(&mut self, field: &Name, value: &Value) {
        let Some(class) = self.class.clone() else { return };
        for flow in &value.flows {
            if let Origin::Parameter(parameter) = flow.origin
                && self.frame.top
                && flow.field.is_none()
                && !self.frame.stores.iter().any(|(one, of)| one == field && *of == parameter)
            {
                self.frame.stores.push((field.clone(), parameter));
            }
        }
        let mut kept = value.clone();
        kept.flows.retain(|flow| matches!(flow.origin, Origin::Source(..)));
        if !kept.flows.is_empty() {
            let bases = self.shared.program.bases(self.file, &class);
            let from_here = Value { flows: kept.flows.clone(), known: Known::Nothing };
            for base in bases {
                self.keep(Some(base), field, &from_here);
            }
        }
        self.keep(Some((self.file, class)), field, &kept);
    }

    /// Puts a value into what an expression stands for, under a key; what an attribute of the object
    /// itself holds by that, it holds for all its methods.
    pub(super) fn put_in(&mut self, base: &'a Expr, key: &Name, value: &Value) {
        self.put(base, key, value);
        if let Some(attribute) = own_attribute(base)
            && let Some(holder) = variable(base).and_then(|key| self.env.get(&key)).cloned()
        {
            self.store(attribute, &holder);
        }
    }

    /// Puts a value into a field of what an expression stands for.
    fn put(&mut self, base: &'a Expr, field: &Name, value: &Value) {
        if value.flows.is_empty() {
            if !matches!(
                value.known,
                Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built
            ) && let Some(key) = variable(base)
                && let Some(holder) = self.env.get(&key)
                && matches!(holder.known, Known::Built)
            {
                // Something that nothing is known about.
                let holder = Value { flows: holder.flows.clone(), known: Known::Nothing };
                self.env.set(key, holder);
            }
            return;
        }
        if let Some(key) = variable(base) {
            self.keep_of_module(&key, value);
            self.note_fill(&key, field, value);
            let mut holder = match self.env.get(&key) {
                Some(holder) => holder.clone(),
                None => Value::default(),
            };
            if field == "*" {
                holder.absorb(value);
            } else {
                holder.absorb_field(field, value);
            }
            if matches!(holder.known, Known::Harmless | Known::Texts(_) | Known::Built) {
                holder.known = Known::Nothing;
            }
            self.env.set(key, holder);
        }
    }

    /// What a function puts into a variable of its module, the others find there.
    fn keep_of_module(&mut self, variable: &Name, value: &Value) {
        if !self.frame.outer.contains(variable) {
            if self.nesting == 0 || !self.env.is_outer(variable) {
                return;
            }
            self.frame.outer.insert(variable.clone());
        }
        let kept = self.element(value).retain(|flow| matches!(flow.origin, Origin::Source(..)));
        if !kept.flows.is_empty() {
            self.keep(Some((self.file, MODULE)), variable, &kept);
        }
    }

    /// Something sensitive was taken out of what an expression stands for, or masked in it.
    pub(super) fn treat(&mut self, base: &'a Expr) {
        let mut base = base;
        loop {
            if let Some(key) = variable(base) {
                self.env.set(key, Value::treated());
            }
            match &base.kind {
                ExprKind::Item(inner, _) | ExprKind::Attribute(inner, _) => base = inner,
                _ => return,
            }
        }
    }

    /// Whether something flows in what an expression stands for.
    pub(super) fn holds_something(&self, expr: &Expr) -> bool {
        let value = variable(expr).and_then(|key| self.env.get(&key));
        value.is_some_and(|value| !value.flows.is_empty())
            || expr.last_name().is_some_and(|ident| matches!(ident.class, Class::Sensitive(..)))
    }

    /// What going through an iterable gives: of a dictionary, its keys.
    pub(super) fn each_of(&self, iterable: &Expr, items: &Value) -> Value {
        let items = self.keys_of(iterable, items);
        match iterable.kind {
            // What a generator gives is one of them already.
            ExprKind::Call(_) if items.flows.iter().any(|flow| flow.place().is_some()) => items,
            _ => self.element(&items),
        }
    }

    /// Goes on with what stands for each key of a variable, if a target does.
    pub(super) fn walk(&mut self, target: &Expr, iterable: &Expr) -> bool {
        let ExprKind::Name(ident) = &target.kind else { return false };
        let Some(base) = variable(iterable) else { return false };
        self.walked.push((ident.name.clone(), base));
        true
    }

    /// What a value is without what is behind the keys of a dictionary.
    pub(super) fn keys_of(&self, expr: &Expr, value: &Value) -> Value {
        if is_made_mapping(expr) {
            return Value { flows: Vec::new(), known: value.known.clone() };
        }
        let whole = matches!(expr.kind, ExprKind::Name(_) | ExprKind::Attribute(..));
        // What is not called headers may be a list of their lines.
        let lines = matches!(expr.last_name(), Some(ident)
            if !matches!(ident.class, Class::Sensitive(..)) && !ident.name.starts_with('h'));
        let of_parameters = expr.last_name().is_some_and(|ident| ident.name.ends_with("params"));
        value.clone().retain(|flow| {
            !whole
                || !flow.is_part()
                    && match flow.origin {
                        Origin::Source(Label::Headers, _) => lines,
                        Origin::Source(Label::Settings, _) => false,
                        // `for name in params`
                        Origin::Source(Label::Body, _) => !of_parameters,
                        _ => true,
                    }
        })
    }

    /// Binds what going through an iterable gives. `for key, value in x.items()`: keys are names.
    pub(super) fn bind_each(&mut self, target: &'a Expr, iterable: &'a Expr, items: Value) {
        let pairs = iterable.last_name().is_some_and(|ident| {
            matches!(ident.name.as_str(), "items" | "iteritems" | "viewitems" | "multi_items")
        });
        // `for uid, prompt in zip(uids, prompts)`
        if let (ExprKind::List(places), ExprKind::Call(call)) = (&target.kind, &iterable.kind)
            && call.callee.last_name().is_some_and(|ident| ident.name == "zip")
            && places.len() == call.arguments.len()
        {
            for (place, of) in places.iter().zip(&call.arguments) {
                let whole = self.eval(of);
                let each = self.each_of(of, &whole);
                self.assign(place, each);
            }
            return;
        }
        // `for number, message in enumerate(messages)`
        if let (ExprKind::List(places), ExprKind::Call(call)) = (&target.kind, &iterable.kind)
            && let ([number, each], [of, ..]) = (&places[..], &call.arguments[..])
            && call.callee.last_name().is_some_and(|ident| ident.name == "enumerate")
        {
            let whole = self.eval(of);
            let items = self.each_of(of, &whole);
            self.assign(number, Value::harmless());
            self.bind_each(each, of, items);
            return;
        }
        match &target.kind {
            ExprKind::List(places) if pairs && places.len() == 2 => {
                let mut items = items;
                // `for key, value in settings.items()`
                if let ExprKind::Call(call) = &iterable.kind
                    && let ExprKind::Attribute(whole, _) = &call.callee.kind
                {
                    items.absorb(&self.whole_text(whole, &items));
                }
                self.assign(&places[0], Value::harmless());
                self.assign(&places[1], items);
            }
            // `for name in response.cookies`
            ExprKind::Name(ident)
                if is_name_of_key(&ident.name)
                    && matches!(iterable.kind, ExprKind::Name(_) | ExprKind::Attribute(..))
                    && iterable.last_name().is_some_and(|of| of.name.ends_with("cookies")) =>
            {
                self.assign(target, Value::harmless());
            }
            ExprKind::Name(ident) if matches!(items.known, Known::Nothing) => {
                let known = self.named_after(&ident.name).unwrap_or_default();
                self.assign(target, Value { known, ..items });
            }
            _ => self.assign(target, items),
        }
    }

    /// That something is an object of the class that it is named after: `account` of `Account`.
    /// Not of what texts are called as well.
    pub(super) fn named_after(&self, name: &Name) -> Option<Known> {
        if NAMES_OF_TEXTS.contains(&name.as_str()) {
            return None;
        }
        let mut class = String::with_capacity(name.len());
        for word in words(name) {
            let mut letters = word.chars();
            class.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            class.push_str(letters.as_str());
        }
        let class = Name::new(class);
        self.shared.program.class(self.file, &class)?;
        Some(Known::Object(class))
    }

    /// What a method of the object may have set anew is not known any more: `self.login()`.
    pub(super) fn forget_set(&mut self, receiver: &Expr) {
        if matches!(&receiver.kind, ExprKind::Name(ident) if ident.name == "self") {
            for key in std::mem::take(&mut self.frame.set) {
                if self.env.get(&key).is_some_and(Value::is_plain) {
                    self.env.set(key, Value::default());
                }
            }
        }
    }

    pub(super) fn remove(&mut self, target: &'a Expr) {
        if let ExprKind::Item(base, key) = &target.kind {
            let sensitive = match &key.kind {
                ExprKind::Text(_, class) => matches!(class, Class::Sensitive(..)),
                _ => self.guarded > 0,
            };
            if sensitive {
                self.treat(base);
                if let Some(key) = variable(base) {
                    self.env.set(pruned(&key), Value::default());
                }
            }
        }
    }
}

/// The key under which an attribute of the object itself is kept.
pub(super) fn self_attribute(base: &Expr, name: &Name) -> Option<Name> {
    match &base.kind {
        ExprKind::Name(ident) if ident.name == "self" || ident.name == "cls" => {
            Some(Name::concat(&["self.", name]))
        }
        _ => None,
    }
}

/// Whether a key is the number of a place in a list.
fn is_index(key: &Expr) -> bool {
    match &key.kind {
        ExprKind::Constant(_) | ExprKind::Numeric(_) => true,
        ExprKind::Name(ident) => {
            matches!(ident.name.as_str(), "i" | "j" | "n" | "idx" | "index" | "pos" | "at")
        }
        _ => false,
    }
}

/// The attribute of the object itself that an expression stands for, or a part of it.
fn own_attribute(expr: &Expr) -> Option<&Name> {
    match &expr.kind {
        ExprKind::Attribute(base, ident) => self_attribute(base, &ident.name).map(|_| &ident.name),
        ExprKind::Item(base, _) => own_attribute(base),
        _ => None,
    }
}

/// The key under which what an expression stands for is kept.
pub(super) fn variable(expr: &Expr) -> Option<Name> {
    match &expr.kind {
        ExprKind::Name(ident) => Some(ident.name.clone()),
        ExprKind::Attribute(base, ident) => self_attribute(base, &ident.name),
        ExprKind::Item(base, _) => variable(base),
        _ => None,
    }
}

/// Under which name it is kept that something was taken out of what this variable stands for.
pub(super) fn pruned(variable: &Name) -> Name {
    Name::concat(&["del ", variable])
}

/// Whether a variable of this name tells of something what it is like, not what it is: `scheme` of
/// a login.
fn tells_of_it(name: &str) -> bool {
    matches!(
        name,
        "scheme" | "method" | "status" | "mode" | "kind" | "version" | "count" | "length" | "size"
    )
}

/// Whether a variable of this name is a number or an address, whatever it was read from.
fn is_number(name: &str) -> bool {
    matches!(name, "num" | "number" | "uid" | "idx" | "index" | "mac" | "addr" | "address" | "port")
}

fn without_body(value: Value) -> Value {
    value.retain(|flow| !matches!(flow.origin, Origin::Source(Label::Body, _)))
}

fn without_it(value: Value) -> Value {
    value.retain(|flow| match flow.origin {
        Origin::Source(label, _) => label.is_model_text(),
        Origin::Parameter(_) | Origin::Inner(_) => true,
    })
}

/// What a part of this name has of headers, of a body, of an argument of which nothing is known.
pub(super) fn without_parts(value: Value, part: &Name) -> Value {
    if !HARMLESS_PARTS.contains(&part.as_str()) {
        return value;
    }
    value.retain(|flow| {
        !matches!(
            flow.origin,
            Origin::Source(Label::Headers | Label::Body, _) | Origin::Parameter(_)
        )
    })
}

/// Whether an expression can be nothing but a mapping: `params or {}`, `(params or {}) | data`.
fn is_made_mapping(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Dict(_) => true,
        ExprKind::Choice(parts) | ExprKind::Join(parts) => parts.iter().any(is_made_mapping),
        _ => false,
    }
}

fn is_name_of_key(name: &str) -> bool {
    matches!(name, "k" | "key" | "name" | "field" | "header")
}

/// `key, value = …`
fn is_key_of_pair(places: &[Expr]) -> bool {
    let [ExprKind::Name(key), ExprKind::Name(value)] = [places.first(), places.get(1)]
        .map(|place| place.map_or(&ExprKind::Opaque, |place| &place.kind))
    else {
        return false;
    };
    places.len() == 2
        && is_name_of_key(&key.name)
        && matches!(value.name.as_str(), "v" | "val" | "value" | "_")
}

/// Whether a value is a literal word, which may name something as well: `"secret"`, `"hidden"`.
fn is_word(value: &Value) -> bool {
    match &value.known {
        Known::Texts(texts) => texts
            .iter()
            .any(|text| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')),
        _ => false,
    }
}

/// Whether a value is a literal that stands for something hidden.
pub(super) fn is_mask(value: &Value) -> bool {
    match &value.known {
        Known::Texts(texts) => texts.iter().all(|text| {
            let text = text.to_lowercase();
            text.contains("***")
                || text.contains("xxx")
                || text.contains("redact")
                || text.contains("hidden")
                || text.contains("filtered")
                || text.contains("masked")
                || text.contains("secret")
                || text.contains("obfuscated")
                || text.contains("removed")
                || text.contains("omitted")
                || text.contains("scrubbed")
                || text.contains("sanitized")
        }),
        _ => false,
    }
}
