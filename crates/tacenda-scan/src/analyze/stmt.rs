//! Statements.

use super::Walker;
use super::env::Changes;
use super::expr::cuts_query;
use super::question::{asks_for_debugging, asks_for_more};
use crate::Confidence;
use crate::ir::{Expr, ExprKind, Handler, Stmt, StmtKind, TypeHint};
use crate::label::Label;
use crate::lexicon::Class;
use crate::value::{Known, Value, What};

/// Of a loop that is left in more places the first ones tell.
const MAX_JUMPS: usize = 4;
/// Of so many statements a parser among them is taken to be the one that failed.
const MAX_ATTEMPTED: usize = 2;
/// Exceptions that only what quotes its arguments raises: requests, commands.
const REQUEST_ERRORS: &[&str] = &[
    "RequestException",
    "HTTPError",
    "HTTPStatusError",
    "RequestError",
    "URLError",
    "CalledProcessError",
    "TimeoutExpired",
];

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

    /// Runs the body of a loop once: what holds at its end, and what where it is left or begun anew.
    fn round(&mut self, body: &'a [Stmt], before: impl FnOnce(&mut Self)) -> Vec<Changes> {
        self.jumps.push((self.env.mark(), Vec::new()));
        let once = self.branch(body, before);
        let (_, mut ends) = self.jumps.pop().expect("pushed above");
        ends.extend(once);
        ends
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
                if let ExprKind::Join(parts) = &expr.kind {
                    self.label_said(parts, &mut value);
                }
                if let [target] = &targets[..]
                    && self.is_asked_for(expr, target, &value)
                {
                    let way = self.step(expr.span, What::Given, None);
                    value = Value::source(Label::Body, Confidence::Medium, way);
                }
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
                // `address, _, query = url.partition("?")`
                if let ([target], true) = (&targets[..], cuts_query(expr))
                    && let ExprKind::List(places) = &target.kind
                    && let [address, rest @ ..] = &places[..]
                {
                    self.assign(address, self.element(&value.clone().without_query()));
                    for place in rest {
                        self.assign(place, self.element(&value));
                    }
                    return false;
                }
                // `say = print`, `send = audit.record`
                if matches!(expr.kind, ExprKind::Name(_) | ExprKind::Attribute(..))
                    && matches!(value.known, Known::Nothing)
                    && value.flows.is_empty()
                    && let Some(known) = self.callable(expr, &value).and_then(|one| one.known(0))
                {
                    value.known = known;
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
                // `redact(headers)`: in place.
                if let ExprKind::Call(call) = &expr.kind
                    && call.arguments.iter().any(|one| self.holds_something(one))
                    && self.redacts_in_place(call)
                {
                    for argument in &call.arguments {
                        self.treat(argument);
                    }
                }
            }
            StmtKind::Return(value) => {
                let several = value.as_ref().is_some_and(|value| match &value.kind {
                    ExprKind::List(parts) => parts.len() > 1,
                    _ => false,
                });
                let mut value = match value {
                    Some(value) => {
                        let span = value.span;
                        let value = self.eval(value);
                        self.stepped(value, span, What::Returned)
                    }
                    None => Value::harmless(),
                };
                // `is_secret`, `mask_token`; who makes something with a token gives that back.
                if let Some(name) = &self.frame.name
                    && !several
                    && !name.starts_with("with_")
                    && matches!(self.models().classify(name), Class::Treated)
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
                let debugs = u32::from(asks_for_debugging(test));
                let tells = u32::from(asks_for_more(test));
                self.debugging += debugs;
                self.telling += tells;
                let one = self.branch(body, |this| {
                    for name in narrowed {
                        this.env.set(name, Value::harmless());
                    }
                });
                self.debugging -= debugs;
                self.telling -= tells;
                let two = self.branch(orelse, |_| {});
                self.guarded -= u32::from(guard);
                let ended = one.is_none() && two.is_none();
                self.env.merge([one, two].into_iter().flatten().collect());
                return ended;
            }
            StmtKind::For(target, iterable, body, orelse) => {
                let items = self.eval(iterable);
                let items = self.each_of(iterable, &items);
                let walked = self.walked.len();
                self.walk(target, iterable);
                // `if key in SECRETS: continue`
                let asked = body.iter().any(|stmt| matches!(&stmt.kind, StmtKind::If(test, ..) if self.asks_for_secrets(test)));
                let bind = |this: &mut Self, items: Value| {
                    this.guarded += u32::from(asked);
                    this.bind_each(target, iterable, items);
                    this.guarded -= u32::from(asked);
                };
                let mut once = self.round(body, |this| bind(this, items.clone()));
                let again =
                    once.iter().flat_map(Changes::values).any(|value| !value.flows.is_empty());
                once.push(Changes::default());
                self.env.merge(once);
                if again && self.nesting <= 1 {
                    // What a round leaves, the next one finds.
                    let mut twice = self.round(body, |this| bind(this, items));
                    twice.push(Changes::default());
                    self.env.merge(twice);
                }
                self.walked.truncate(walked);
                self.block(orelse);
            }
            StmtKind::While(test, body, orelse) => {
                self.eval(test);
                let mut once = self.round(body, |_| {});
                once.push(Changes::default());
                self.env.merge(once);
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
                        for ident in names {
                            let value = this.named(ident, stmt.span, subject.clone());
                            this.env.set(ident.name.clone(), value);
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
                    let gives = self.nested(function).unwrap_or_default();
                    if function.decorators.is_empty() {
                        let local = self.local(function, gives);
                        self.env.set(function.name.name.clone(), local);
                    }
                }
            }
            StmtKind::Class(class) => self.class(class),
            StmtKind::Import(_) => {}
            StmtKind::Delete(targets) => {
                for target in targets {
                    self.remove(target);
                }
            }
            StmtKind::Jump => {
                if let Some((mark, ends)) = self.jumps.last_mut()
                    && ends.len() < MAX_JUMPS
                {
                    ends.push(self.env.since(*mark));
                }
                return true;
            }
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
        self.raising.push(Value::default());
        let mark = self.env.mark();
        let mut ended = self.block(body);
        let of_all = self.catching.pop().unwrap_or_default();
        let raised = self.raising.pop().unwrap_or_default();
        let mut carried = of_all.clone();
        if body.len() > MAX_ATTEMPTED {
            // Of many things that were tried, another one failed.
            carried
                .flows
                .retain(|flow| !flow.way.as_ref().is_some_and(|step| step.what == What::Raised));
        }
        carried.absorb(&raised);
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
                let of_request = !handler.types.is_empty()
                    && handler.types.iter().all(|one| REQUEST_ERRORS.contains(&one.as_str()));
                let value = match () {
                    () if clean => Value::default(),
                    () if of_request => of_all.clone(),
                    () => carried.clone(),
                };
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
        if let Some(raising) = self.raising.last_mut() {
            raising.absorb(&carried);
        }
        match self.catching.last_mut() {
            Some(catching) => catching.absorb(&carried),
            None => self.frame.raises.absorb(&carried),
        }
    }
}
