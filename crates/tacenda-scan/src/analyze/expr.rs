//! Expressions.

use std::sync::Arc;

use ruff_python_ast::name::Name;

use super::Walker;
use super::bind::{SOME_KEY, pruned, variable};
use super::question::{chooses, leaves_out_one};
use super::said::says;
use super::template::{ends_in_key, named_holes};
use crate::Confidence;
use crate::configuration::python;
use crate::ir::{Comprehension, Expr, ExprKind, Ident, Literal, Span};
use crate::label::Label;
use crate::lexicon::Class;
use crate::model::Channel;
use crate::value::{Flow, Known, Origin, QUERY, Value, What};

/// Of longer tuples it is not known what is in which place.
const MAX_PLACES: usize = 4;

impl<'a> Walker<'a> {
    /// What an expression gives.
    pub(super) fn eval(&mut self, expr: &'a Expr) -> Value {
        let value = self.value(expr);
        self.note(expr, &value);
        value
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each expression of the language")]
    fn value(&mut self, expr: &'a Expr) -> Value {
        match &expr.kind {
            ExprKind::Name(ident) => {
                let mut value = match self.env.get(&ident.name) {
                    Some(value) => value.clone(),
                    None => Value::default(),
                };
                if let Some(kept) = self.module_keeps.and_then(|kept| kept.get(&ident.name))
                    && self.env.is_outer(&ident.name)
                {
                    value.absorb(kept);
                    value.known = Known::Nothing;
                }
                let value = self.named(ident, expr.span, value);
                self.by_use(&ident.name, ident.class, expr.span, value)
            }
            ExprKind::Attribute(base, ident) => self.attribute(expr, base, ident),
            ExprKind::Item(base, key) => {
                let piece = piece(base, key);
                let mut base_value = self.eval(base);
                // `url.split("?")[0]`: what it is still asked with, like a login, is no query.
                if matches!(piece, Some(Piece::BeforeQuery)) {
                    base_value = base_value.without_query();
                }
                let key_value = self.eval(key);
                // `for key in settings: settings[key]`
                if let ExprKind::Name(key) = &key.kind
                    && let Some(walked) = variable(base)
                    && self.walked.iter().any(|(one, of)| *one == key.name && *of == walked)
                {
                    let mut value = self.element(&base_value);
                    value.absorb(&self.whole_text(base, &base_value));
                    return value;
                }
                let mut value = self.item(&base_value, key, &key_value, expr.span);
                // `del call["token"]` takes no headers away.
                if let ExprKind::Text(_, class) = &key.kind
                    && matches!(base_value.known, Known::Treated)
                    && let Some((label @ (Label::Headers | Label::Body), sure)) =
                        class.within(self.context)
                    && variable(base).is_some_and(|base| self.env.get(&pruned(&base)).is_some())
                {
                    value.known = Known::Nothing;
                    self.label(&mut value, label, sure, expr.span, What::Named);
                }
                if self.is_code_of_login(base, key) {
                    let sure = Confidence::Medium;
                    self.label(&mut value, Label::Credential, sure, expr.span, What::Named);
                }
                // `token[1]`: what a pair has beside it, or a letter of it.
                if matches!(key.kind, ExprKind::Constant(Literal::Integer(place)) if place > 0)
                    && is_one_credential(base)
                {
                    value = value.retain(|flow| {
                        !matches!(flow.origin, Origin::Source(Label::Credential, _))
                    });
                }
                // `kwargs["data"]` of what a request is sent with.
                if self.is_sent_with(base, key) && !value.is_harmless() {
                    self.label(&mut value, Label::Body, Confidence::Medium, expr.span, What::Named);
                }
                match piece {
                    Some(Piece::BeforeQuery) => value.without_query(),
                    // `address.split("@")[-1]`, `login.split(":")[0]`: without the password.
                    Some(Piece::BesideLogin) => value.retain(|flow| {
                        !matches!(flow.origin, Origin::Source(Label::Url | Label::Credential, _))
                    }),
                    None => value,
                }
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
                let mut before = "";
                let mut queried = false;
                for (number, part) in parts.iter().enumerate() {
                    let text = part.text().unwrap_or_default();
                    let behind = parts.get(number + 1).and_then(Expr::text);
                    let counted = text.is_empty() && behind.is_some_and(counts);
                    // `timeout is {pair[1]}`: the text says that it is another part.
                    let other = matches!(&part.kind, ExprKind::Item(_, key)
                        if matches!(key.kind, ExprKind::Constant(Literal::Integer(_)) | ExprKind::Name(_)))
                        && says(before, self.models().names())
                            .is_some_and(|class| class == Class::Harmless);
                    let at = part.span;
                    let mut part = self.eval(part);
                    let said = text.is_empty() && !part.is_plain() && self.says_key(before);
                    if said {
                        self.label(
                            &mut part,
                            Label::Credential,
                            Confidence::Medium,
                            at,
                            What::Named,
                        );
                    }
                    before = text;
                    queried |= begins_query(text);
                    if other || counted {
                        continue;
                    }
                    if queried {
                        of_query(&mut part);
                    }
                    harmless &=
                        matches!(part.known, Known::Harmless | Known::Treated | Known::Texts(_));
                    value.absorb(&self.text_of(&part.known, at, false));
                    value.absorb(&part.without_places());
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
            ExprKind::Dict(items) => self.dict(items, expr.span),
            ExprKind::List(items) => {
                let mut value = Value::default();
                let mut texts = Vec::new();
                let mut literal = true;
                for (at, item) in items.iter().enumerate() {
                    let unpacked = matches!(item.kind, ExprKind::Star(_));
                    let mut item = self.eval(item);
                    // `("authorization", value)`
                    if let [key, _] = &items[..]
                        && at == 1
                        && let ExprKind::Text(text, class) = &key.kind
                        && class.is_credential()
                    {
                        let name = Ident { name: Name::new(&**text), class: *class };
                        item = self.named(&name, expr.span, item);
                    }
                    match &item.known {
                        Known::Texts(some) => texts.extend(some.iter().cloned()),
                        Known::Harmless => {}
                        _ => literal = false,
                    }
                    if item.flows.is_empty() {
                        continue;
                    }
                    if unpacked || items.len() > MAX_PLACES {
                        value.absorb(&item);
                    } else {
                        value.absorb_field(&Name::new(at.to_string()), &item);
                    }
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
            ExprKind::Comprehension(comprehension) => self.comprehension(comprehension),
            ExprKind::Lambda(function) => {
                let place = self.by_function.get(&std::ptr::from_ref(&**function).addr());
                match place {
                    Some(place) if self.nesting == 0 => {
                        self.later.push((function, None));
                        Value { flows: Vec::new(), known: Known::Function(*place, 0) }
                    }
                    _ => {
                        let gives = self.nested(function).unwrap_or_default();
                        self.local(function, gives)
                    }
                }
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

    /// Whether the text before a part of a text says that this is a credential: `…?key=`,
    /// `… %(password)s …`.
    fn says_key(&self, before: &str) -> bool {
        let names = self.models().names();
        self.context.http && ends_in_key(before, names)
            || before.contains("%(")
                && named_holes(before).any(|name| names.classify(name).is_credential())
    }

    /// The value behind a name, with what the name says about it.
    pub(super) fn named(&mut self, ident: &Ident, span: Span, mut value: Value) -> Value {
        let connects =
            !self.context.addresses.is_empty() && self.context.addresses.contains(&ident.name);
        match ident.class {
            Class::Treated => return Value::treated(),
            Class::Plain if !connects => return value,
            Class::Plain | Class::Harmless | Class::Sensitive(..) => {}
        }
        if matches!(value.known, Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built)
        {
            return value;
        }
        if connects {
            let sure = Confidence::Medium;
            self.label(&mut value, Label::Credential, sure, span, What::Named);
        }
        if let Some((label, confidence)) = ident.class.within(self.context)
            && label != Label::Settings
            && !self.frame.keys.contains(&ident.name)
            // `response = requests.post(…)`: its text is no more than its status.
            && !(label.is_model_text() && matches!(value.known, Known::Exchange(_)))
            && !(label == Label::Credential && self.is_record_without(&value.known))
        {
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

    fn dict(&mut self, items: &'a [(Option<Expr>, Expr)], span: Span) -> Value {
        let path = &self.shared.program.units[self.file as usize].path;
        self.outcome.matches.extend(python::dictionary(path, items, span));
        let mut value = Value::default();
        let mut harmless = true;
        let mut loggers = !items.is_empty();
        for (key, item) in items {
            let span = item.span;
            let joined = matches!(item.kind, ExprKind::Join(_));
            let mut item = self.eval(item);
            match key {
                None => value.absorb(&item),
                Some(key) => {
                    self.eval(key);
                    match &key.kind {
                        ExprKind::Text(text, class) => {
                            let name = Ident { name: Name::new(&**text), class: *class };
                            // Whatever it is made of, it lets in.
                            if joined
                                && text.eq_ignore_ascii_case("authorization")
                                && matches!(item.known, Known::Harmless)
                            {
                                item.known = Known::Nothing;
                            }
                            item = self.named(&name, span, item);
                            self.note_value(span, &item);
                            value.absorb_field(&name.name, &item);
                        }
                        _ => value.absorb(&item),
                    }
                }
            }
            harmless &= matches!(item.known, Known::Harmless | Known::Treated | Known::Texts(_));
            loggers &= matches!(item.known, Known::Writer(Channel::Log));
        }
        if loggers {
            // `{"info": log.info, "debug": log.debug}[level]`
            value.known = Known::Writer(Channel::Log);
        } else if harmless && value.flows.is_empty() {
            value.known = if items.is_empty() { Known::Built } else { Known::Harmless };
        }
        value
    }

    fn comprehension(&mut self, comprehension: &'a Comprehension) -> Value {
        let Comprehension { generators, key, element } = comprehension;
        let mark = self.env.mark();
        let walked = self.walked.len();
        let mut guarded = 0;
        for generator in generators {
            self.walk(&generator.target, &generator.iterable);
            let items = self.eval(&generator.iterable);
            let items = self.each_of(&generator.iterable, &items);
            let asked = generator.conditions.iter().any(|one| self.asks_for_secrets(one));
            self.guarded += u32::from(asked);
            self.bind_each(&generator.target, &generator.iterable, items);
            self.guarded -= u32::from(asked);
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
        let asked = chooses(element);
        let mut value = self.eval(element);
        self.env.undo(mark);
        self.walked.truncate(walked);
        if guarded > 0 || asked {
            return Value::treated();
        }
        let field = key.as_ref().map(|_| Name::new_static(SOME_KEY));
        for flow in &mut value.flows {
            flow.field.clone_from(&field);
        }
        if !matches!(value.known, Known::Harmless | Known::Object(_)) {
            value.known = Known::Nothing;
        }
        value
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
        let mut path = String::new();
        self.write_path(expr, &mut path, 0).then_some(path)
    }

    /// Calls and items in a path are left out: `a().b[0].c` is `a.b.c`. Tells whether it is one.
    fn write_path(&self, expr: &Expr, path: &mut String, depth: u32) -> bool {
        if depth > 20 {
            return false;
        }
        match &expr.kind {
            ExprKind::Name(ident) => {
                let imported = self.shared.program.imported(self.file, &ident.name);
                path.push_str(imported.unwrap_or(&ident.name));
                true
            }
            ExprKind::Attribute(base, ident) => {
                self.write_path(base, path, depth + 1) && {
                    path.push('.');
                    path.push_str(&ident.name);
                    true
                }
            }
            ExprKind::Call(call) => self.write_path(&call.callee, path, depth + 1),
            ExprKind::Item(base, _) => self.write_path(base, path, depth + 1),
            _ => false,
        }
    }
}

/// Whether something is a credential by itself, of which an item is none: not several, and not a login
/// of name and password.
fn is_one_credential(base: &Expr) -> bool {
    let (ExprKind::Name(ident) | ExprKind::Attribute(_, ident)) = &base.kind else { return false };
    matches!(ident.class, Class::Sensitive(Label::Credential, ..))
        && !["s", "auth", "cred"].iter().any(|end| ident.name.ends_with(end))
}

/// Whether a query string begins in a text: `…/users?key=`.
fn begins_query(text: &str) -> bool {
    let Some((_, behind)) = text.split_once('?') else { return false };
    behind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.=&%[]".contains(&byte))
}

/// Puts what is sensitive about a value by itself into the query string of an address.
fn of_query(value: &mut Value) {
    for flow in &mut value.flows {
        if matches!(flow.origin, Origin::Source(Label::Credential, _)) && !flow.is_part() {
            flow.field = Some(Name::new_static(QUERY));
        }
    }
}

/// Whether the text behind a value says that it is a number: `{generated} tokens`.
fn counts(behind: &str) -> bool {
    let word = behind.strip_prefix(' ').unwrap_or_default();
    let end = word.find(|letter: char| !letter.is_alphabetic()).unwrap_or(word.len());
    matches!(
        &word[..end],
        "tokens" | "chars" | "characters" | "bytes" | "words" | "rows" | "lines" | "seconds"
    )
}

/// A piece of an address or of a login.
enum Piece {
    /// An address without its query string.
    BeforeQuery,
    /// What stands beside user and password, or beside the password.
    BesideLogin,
}

/// `url.partition("?")`, `url.split("?", 1)`
pub(super) fn cuts_query(expr: &Expr) -> bool {
    let ExprKind::Call(call) = &expr.kind else { return false };
    let ExprKind::Attribute(_, method) = &call.callee.kind else { return false };
    matches!(method.name.as_str(), "partition" | "split")
        && call.arguments.first().and_then(Expr::text) == Some("?")
}

/// The piece that `text.partition(mark)[0]` or `text.rsplit(mark, 1)[-1]` cuts out.
fn piece(base: &Expr, key: &Expr) -> Option<Piece> {
    let ExprKind::Call(call) = &base.kind else { return None };
    let ExprKind::Attribute(_, method) = &call.callee.kind else { return None };
    if !matches!(method.name.as_str(), "partition" | "rpartition" | "split" | "rsplit") {
        return None;
    }
    let first = matches!(key.kind, ExprKind::Constant(Literal::Integer(0)));
    match (call.arguments.first().and_then(Expr::text)?, first) {
        ("?", true) => Some(Piece::BeforeQuery),
        ("@", false) | (":", true) => Some(Piece::BesideLogin),
        _ => None,
    }
}
