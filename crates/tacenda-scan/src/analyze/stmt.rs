//! Statements.

use ruff_python_ast::name::Name;

use super::Walker;
use super::env::Changes;
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Handler, Stmt, StmtKind, TypeHint};
use crate::label::Label;
use crate::lexicon::Class;
use crate::value::{Known, Origin, Value, What};

/// Of so many statements a parser among them is taken to be the one that failed.
const MAX_ATTEMPTED: usize = 2;

impl<'a> Walker<'a> {
    /// Runs a block. Tells whether it never reaches its end.
    pub(super) fn block(&mut self, block: &'a [Stmt]) -> bool {
        let mut ended = false;
        for stmt in block {
            ended |= self.stmt(stmt);
        }
        ended
    }

    /// Runs a block as one of several that may be taken.
    fn branch(&mut self, block: &'a [Stmt], before: impl FnOnce(&mut Self)) -> Option<Changes> {
        let mark = self.env.mark();
        before(self);
        let ended = self.block(block);
        let changes = self.env.undo(mark);
        (!ended).then_some(changes)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each statement of the language")]
    pub(super) fn stmt(&mut self, stmt: &'a Stmt) -> bool {
        match &stmt.kind {
            StmtKind::Assign(targets, value, hint) => {
                let Some(expr) = value else {
                    if let (TypeHint::Harmless, [target]) = (hint, &targets[..]) {
                        self.assign(target, Value::harmless());
                    }
                    return false;
                };
                let mut value = self.eval(expr);
                if *hint == TypeHint::Harmless {
                    value = Value::harmless();
                }
                if let ([target], ExprKind::List(values)) = (&targets[..], &expr.kind)
                    && let ExprKind::List(places) = &target.kind
                    && places.len() == values.len()
                {
                    // `a, b = x, y`
                    for (place, value) in places.iter().zip(values) {
                        let value = self.eval(value);
                        self.assign(place, value);
                    }
                    return false;
                }
                for target in targets {
                    let value = self.stepped(value.clone(), target.span, What::Stored);
                    self.assign(target, value);
                }
            }
            StmtKind::Augment(target, added) => {
                let added = self.eval(added);
                let mut value = self.eval(target);
                if !added.is_harmless() {
                    value.known = Known::Nothing;
                }
                value.absorb(&added);
                let value = self.stepped(value, target.span, What::Stored);
                self.assign(target, value);
            }
            StmtKind::Expr(expr) => {
                self.eval(expr);
            }
            StmtKind::Return(value) => {
                let mut value = match value {
                    Some(value) => {
                        let span = value.span;
                        let value = self.eval(value);
                        self.stepped(value, span, What::Returned)
                    }
                    None => Value::harmless(),
                };
                if let Some(name) = &self.frame.name
                    && matches!(crate::lexicon::classify(name), Class::Treated)
                {
                    value = Value::harmless();
                }
                self.frame.returns = Some(match self.frame.returns.take() {
                    Some(before) => before.join(&value),
                    None => value,
                });
                return true;
            }
            StmtKind::Raise(value) => {
                if let Some(value) = value {
                    self.raise(value, stmt.span);
                }
                return true;
            }
            StmtKind::Assert(test, message) => {
                self.eval(test);
                if let Some(message) = message {
                    self.eval(message);
                }
            }
            StmtKind::If(test, body, orelse) => {
                self.eval(test);
                let guard = self.asks_for_secrets(test);
                self.guarded += u32::from(guard);
                let narrowed = self.narrowed(test);
                let one = self.branch(body, |this| {
                    for name in narrowed {
                        this.env.set(name, Value::harmless());
                    }
                });
                let two = self.branch(orelse, |_| {});
                self.guarded -= u32::from(guard);
                let ended = one.is_none() && two.is_none();
                self.env.merge([one, two].into_iter().flatten().collect());
                return ended;
            }
            StmtKind::For(target, iterable, body, orelse) => {
                let items = self.eval(iterable);
                let items = self.each_of(iterable, items);
                let once =
                    self.branch(body, |this| this.bind_each(target, iterable, items.clone()));
                let again = once
                    .as_ref()
                    .is_some_and(|once| once.values().any(|value| !value.flows.is_empty()));
                self.env.merge([once, Some(Changes::default())].into_iter().flatten().collect());
                if again && self.nesting <= 1 {
                    // What a round leaves, the next one finds.
                    let twice = self.branch(body, |this| this.bind_each(target, iterable, items));
                    self.env
                        .merge([twice, Some(Changes::default())].into_iter().flatten().collect());
                }
                self.block(orelse);
            }
            StmtKind::While(test, body, orelse) => {
                self.eval(test);
                let once = self.branch(body, |_| {});
                self.env.merge([once, Some(Changes::default())].into_iter().flatten().collect());
                self.block(orelse);
            }
            StmtKind::With(items, body) => {
                for (value, target) in items {
                    let value = self.eval(value);
                    if let Some(target) = target {
                        self.assign(target, value);
                    }
                }
                return self.block(body);
            }
            StmtKind::Try(body, handlers, orelse, last) => {
                return self.attempt(body, handlers, orelse, last);
            }
            StmtKind::Match(subject, cases) => {
                let subject = self.eval(subject);
                let mut branches = vec![Changes::default()];
                for (names, guard, body) in cases {
                    branches.extend(self.branch(body, |this| {
                        for name in names {
                            this.env.set(name.clone(), subject.clone());
                        }
                        if let Some(guard) = guard {
                            this.eval(guard);
                        }
                    }));
                }
                self.env.merge(branches);
            }
            StmtKind::Function(function) => {
                for decorator in &function.decorators {
                    self.eval(decorator);
                }
                if self.nesting == 0 {
                    self.later.push((function, None));
                } else {
                    self.nested(function);
                }
            }
            StmtKind::Class(class) => self.class(class),
            StmtKind::Import(_) => {}
            StmtKind::Delete(targets) => {
                for target in targets {
                    self.remove(target);
                }
            }
            StmtKind::Jump => return true,
        }
        false
    }

    fn attempt(
        &mut self,
        body: &'a [Stmt],
        handlers: &'a [Handler],
        orelse: &'a [Stmt],
        last: &'a [Stmt],
    ) -> bool {
        self.catching.push(Value::default());
        let mark = self.env.mark();
        let mut ended = self.block(body);
        let mut carried = self.catching.pop().unwrap_or_default();
        if body.len() > MAX_ATTEMPTED {
            // Of many things that were tried, another one failed.
            carried
                .flows
                .retain(|flow| !flow.way.as_ref().is_some_and(|step| step.what == What::Raised));
        }
        ended |= self.block(orelse);
        let changes = self.env.undo(mark);
        // An exception may come anywhere in the body.
        self.env.merge(vec![changes.clone(), Changes::default()]);
        let mut branches: Vec<Changes> = Vec::new();
        for handler in handlers {
            branches.extend(self.branch(&handler.body, |this| {
                let Some(name) = &handler.name else { return };
                let clean = !handler.types.is_empty()
                    && handler.types.iter().all(|one| {
                        matches!(
                            one.as_str(),
                            "JSONDecodeError"
                                | "TimeoutError"
                                | "KeyboardInterrupt"
                                | "ImportError"
                                | "ConnectionError"
                                | "OSError"
                                | "IOError"
                                | "FileNotFoundError"
                                | "StopIteration"
                                | "ModuleNotFoundError"
                                | "CancelledError"
                        )
                    });
                let value = if clean { Value::default() } else { carried.clone() };
                this.env.set(name.name.clone(), value);
            }));
        }
        let all_ended = ended && branches.is_empty();
        if ended {
            self.env.merge(branches);
        } else {
            branches.push(changes);
            self.env.merge(branches);
        }
        self.block(last) || all_ended
    }

    fn raise(&mut self, value: &'a Expr, span: crate::ir::Span) {
        let ExprKind::Call(call) = &value.kind else {
            self.eval(value);
            return;
        };
        let mut carried = Value::default();
        for argument in call.arguments.iter().chain(call.keywords.iter().map(|(_, value)| value)) {
            let given = self.eval(argument);
            self.written_in_exception(argument, &given, span);
            carried.absorb(&given);
        }
        let carried = self.stepped(carried, span, What::Raised);
        match self.catching.last_mut() {
            Some(catching) => catching.absorb(&carried),
            None => self.frame.raises.absorb(&carried),
        }
    }

    /// Binds a target.
    pub(super) fn assign(&mut self, target: &'a Expr, value: Value) {
        match &target.kind {
            ExprKind::Name(ident) => self.env.set(ident.name.clone(), value),
            ExprKind::Attribute(base, ident) => {
                if let Some(key) = self_attribute(base, &ident.name) {
                    if let Some(class) = &self.class {
                        let mut kept = value.clone();
                        kept.flows.retain(|flow| matches!(flow.origin, Origin::Source(..)));
                        let place =
                            self.outcome.attributes.entry((self.file, class.clone())).or_default();
                        let joined = match place.remove(&ident.name) {
                            Some(before) => before.join(&kept),
                            None => kept,
                        };
                        place.insert(ident.name.clone(), joined);
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
                        if value_is_mask && (sensitive || is_mask(&value)) {
                            self.treat(base);
                        } else {
                            self.put(base, &key, &value);
                        }
                    }
                    _ => {
                        self.eval(key);
                        if is_mask(&value) {
                            self.treat(base);
                        } else {
                            self.put(base, &Name::new_static("*"), &value);
                        }
                    }
                }
            }
            ExprKind::List(places) => {
                for place in places {
                    let element = self.element(&value);
                    self.assign(place, element);
                }
            }
            ExprKind::Star(inner) => self.assign(inner, value),
            _ => {}
        }
    }

    /// Puts a value into a field of what an expression stands for.
    pub(super) fn put(&mut self, base: &'a Expr, field: &Name, value: &Value) {
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

    /// What going through an iterable gives: of a dictionary, its keys.
    pub(super) fn each_of(&self, iterable: &Expr, items: Value) -> Value {
        let whole = matches!(iterable.kind, ExprKind::Name(_) | ExprKind::Attribute(..));
        let mut items = items;
        if whole {
            items.flows.retain(|flow| {
                flow.field.is_none()
                    && !matches!(flow.origin, Origin::Source(Label::Headers | Label::Settings, _))
            });
        }
        self.element(&items)
    }

    /// Binds what going through an iterable gives. `for key, value in x.items()`: keys are names.
    pub(super) fn bind_each(&mut self, target: &'a Expr, iterable: &Expr, items: Value) {
        let pairs = iterable.last_name().is_some_and(|ident| {
            matches!(ident.name.as_str(), "items" | "iteritems" | "viewitems" | "multi_items")
        });
        match &target.kind {
            ExprKind::List(places) if pairs && places.len() == 2 => {
                self.assign(&places[0], Value::harmless());
                self.assign(&places[1], items);
            }
            _ => self.assign(target, items),
        }
    }

    fn remove(&mut self, target: &'a Expr) {
        if let ExprKind::Item(base, key) = &target.kind {
            let sensitive = match &key.kind {
                ExprKind::Text(_, class) => matches!(class, Class::Sensitive(..)),
                _ => self.guarded > 0,
            };
            if sensitive {
                self.treat(base);
            }
        }
    }

    /// Whether a test asks if something is sensitive: what it lets through was thought about.
    pub(super) fn asks_for_secrets(&self, test: &Expr) -> bool {
        fn asks(test: &Expr, depth: u32) -> bool {
            if depth > 6 {
                return false;
            }
            match &test.kind {
                ExprKind::Question(parts)
                | ExprKind::Choice(parts)
                | ExprKind::List(parts)
                | ExprKind::Join(parts) => {
                    let literal = parts.iter().any(|part| matches!(&part.kind,
                        ExprKind::Text(_, Class::Sensitive(_, confidence, _)) if *confidence >= Confidence::Medium));
                    literal && matches!(test.kind, ExprKind::Question(_) | ExprKind::List(_))
                        || parts.iter().any(|part| asks(part, depth + 1))
                }
                ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => {
                    let words = crate::lexicon::words(&ident.name);
                    words.iter().any(|word| {
                        matches!(
                            word.as_str(),
                            "sensitive"
                                | "secret"
                                | "secrets"
                                | "redact"
                                | "mask"
                                | "hidden"
                                | "private"
                                | "confidential"
                                | "blacklist"
                                | "sanitize"
                                | "denylist"
                        )
                    }) && words.len() > 1
                }
                ExprKind::Call(call) => {
                    asks(&call.callee, depth + 1)
                        || call.arguments.iter().any(|one| asks(one, depth + 1))
                }
                _ => false,
            }
        }
        asks(test, 0)
    }

    /// The variables that a test shows to be numbers: `isinstance(x, int)`.
    fn narrowed(&self, test: &Expr) -> Vec<Name> {
        let ExprKind::Call(call) = &test.kind else { return Vec::new() };
        let [what, of] = &call.arguments[..] else { return Vec::new() };
        let question = call.callee.last_name().is_some_and(|ident| ident.name == "isinstance");
        let number = |expr: &Expr| {
            expr.last_name()
                .is_some_and(|ident| matches!(ident.name.as_str(), "int" | "bool" | "float"))
        };
        let numbers = match &of.kind {
            ExprKind::List(types) => types.iter().all(number),
            _ => number(of),
        };
        match &what.kind {
            ExprKind::Name(ident) if question && numbers => vec![ident.name.clone()],
            _ => Vec::new(),
        }
    }
}

/// The key under which an attribute of the object itself is kept.
pub(super) fn self_attribute(base: &Expr, name: &Name) -> Option<Name> {
    match &base.kind {
        ExprKind::Name(ident) if ident.name == "self" || ident.name == "cls" => {
            Some(Name::new(format!("self.{name}")))
        }
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

/// Whether a value is a literal that stands for something hidden.
fn is_mask(value: &Value) -> bool {
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
