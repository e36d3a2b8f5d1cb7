//! Functions that are handed to others, which call them: callbacks, targets of threads, `partial`.

use super::Walker;
use super::apply::Call as Applied;
use super::call::Arguments;
use crate::ir::{Expr, ExprKind, Span};
use crate::model::{Declared, SinkMatch};
use crate::program::Target;
use crate::value::{Flow, Known, Origin, Value};

/// Arguments by name that a function is given as, beside `args` and `kwargs`.
const TARGETS: &[&str] = &["target", "func", "function", "fn", "callback"];

/// Functions that are handed on are followed this deep.
const MAX_HANDED: u32 = 3;

/// A function that is handed around.
#[derive(Clone, Copy)]
pub(super) enum Callable<'m> {
    /// It writes.
    Sink(SinkMatch<'m>),
    /// It is here; so many of its arguments are given already.
    Function(usize, usize),
    /// It is inside the function that is run.
    Local(usize),
}

impl Callable<'_> {
    /// What is known of a value that stands for it, with so many of its arguments given.
    pub(super) fn known(self, bound: usize) -> Option<Known> {
        match self {
            Self::Sink(sink) if sink.arguments.is_empty() => Some(Known::Writer(sink.channel)),
            Self::Function(function, before) => Some(Known::Function(function, before + bound)),
            Self::Local(number) if bound == 0 => Some(Known::Local(number)),
            Self::Sink(_) | Self::Local(_) => None,
        }
    }
}

/// That a function calls one of its parameters.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    /// The parameter.
    pub(crate) parameter: u8,
    /// What flows in each of the arguments.
    pub(crate) arguments: Vec<Vec<Flow>>,
}

impl<'a> Walker<'a> {
    /// The function that an expression stands for.
    pub(super) fn callable(&self, expr: &Expr, value: &Value) -> Option<Callable<'a>> {
        let (receiver, name) = match (&value.known, &expr.kind) {
            (Known::Writer(channel), _) => {
                return Some(Callable::Sink(SinkMatch::all_to(*channel)));
            }
            (Known::Function(function, bound), _) => {
                return Some(Callable::Function(*function, *bound));
            }
            (Known::Local(number), _) => return Some(Callable::Local(*number)),
            (_, ExprKind::Name(ident)) if value.flows.is_empty() => (None, ident),
            (_, ExprKind::Attribute(base, ident)) if value.flows.is_empty() => {
                (Some(&**base), ident)
            }
            _ => return None,
        };
        if let Some(declared) = self.declared(expr, receiver, name) {
            return match declared {
                Declared::Sink(sink) => Some(Callable::Sink(sink)),
                Declared::Source(..) | Declared::Treats(_) => None,
            };
        }
        match self.target(receiver, name) {
            Some(Target::Function(function)) => {
                let entry = &self.shared.program.functions[function];
                let bound = usize::from(entry.bound && receiver.is_some());
                Some(Callable::Function(function, bound))
            }
            None if self.models().may_write(&name.name) => {
                self.models().sink_call(&self.path(expr)?).map(Callable::Sink)
            }
            Some(Target::Class(_)) | None => None,
        }
    }

    /// Calls a function that somebody else calls with these arguments.
    pub(super) fn hand(
        &mut self,
        callable: Callable<'a>,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        if arguments.values().all(|value| value.flows.is_empty()) {
            return Value::default();
        }
        if self.inlined >= MAX_HANDED {
            return Value::default();
        }
        self.inlined += 1;
        let given = match callable {
            Callable::Function(function, bound) => {
                self.apply(function, bound, false, arguments, span)
            }
            Callable::Local(number) => self.inline(number, arguments, span),
            Callable::Sink(sink) => {
                for (at, (expr, value)) in arguments.by_place.iter().enumerate() {
                    if self.writes_place(sink, at, None, false) {
                        self.argument(expr, value, None, "", span, sink.channel);
                    }
                }
                Value::harmless()
            }
        };
        self.inlined -= 1;
        given
    }

    /// Functions among the arguments of a call, with what follows them or stands in `args`:
    /// `Thread(target=show, args=(password,))`, `loop.call_soon(show, password)`.
    pub(super) fn called_back(&mut self, arguments: &Arguments<'a>, span: Span) {
        for (at, (expr, value)) in arguments.by_place.iter().enumerate() {
            let rest = &arguments.by_place[at + 1..];
            if rest.iter().any(|(_, value)| !value.flows.is_empty())
                && let Some(callable) = self.callable(expr, value)
            {
                let rest = Arguments { by_place: rest.to_vec(), by_name: Vec::new() };
                self.hand(callable, &rest, span);
                return;
            }
        }
        let named = |names: &[&str]| {
            arguments
                .by_name
                .iter()
                .find(|(key, ..)| key.is_some_and(|key| names.contains(&key.name.as_str())))
        };
        let Some((_, target, value)) = named(TARGETS) else { return };
        let (args, kwargs) = (named(&["args"]), named(&["kwargs"]));
        let Some(callable) = self.callable(target, value) else { return };
        let mut handed = Arguments { by_place: Vec::new(), by_name: Vec::new() };
        if let Some((_, args, value)) = args {
            match &args.kind {
                ExprKind::List(items) => {
                    handed.by_place = items.iter().map(|item| (item, self.eval(item))).collect();
                }
                _ => handed.by_place.push((args, value.clone())),
            }
        }
        if let Some((_, kwargs, value)) = kwargs {
            handed.by_name.push((None, kwargs, value.clone()));
        }
        self.hand(callable, &handed, span);
    }

    /// Notes that the function that is run calls one of its parameters.
    pub(super) fn note_callback(&mut self, name: &str, arguments: &Arguments<'a>) {
        let Some(value) = self.env.get(name).filter(|_| self.frame.top) else { return };
        let parameter = value.flows.iter().find_map(|flow| match flow.origin {
            Origin::Parameter(parameter) if flow.field.is_none() => Some(parameter),
            _ => None,
        });
        let Some(parameter) = parameter else { return };
        let handed = |(_, value): &(&Expr, Value)| value.flows.clone();
        let callback =
            Callback { parameter, arguments: arguments.by_place.iter().map(handed).collect() };
        let something = callback.arguments.iter().any(|flows| !flows.is_empty());
        if something && self.frame.callbacks.len() < super::MAX_SINKS {
            self.frame.callbacks.push(callback);
        }
    }

    /// Calls the functions that are handed to one that calls its parameters.
    pub(super) fn call_back(&mut self, callbacks: &[Callback], call: &Applied<'_, 'a>, span: Span) {
        for callback in callbacks {
            let Some((expr, value)) = call.expression(usize::from(callback.parameter)) else {
                continue;
            };
            let Some(callable) = self.callable(expr, value) else { continue };
            let filled = |flows: &Vec<Flow>| (expr, self.filled(call, flows));
            let by_place = callback.arguments.iter().map(filled).collect();
            let handed = Arguments { by_place, by_name: Vec::new() };
            self.hand(callable, &handed, span);
        }
    }

    /// `partial(f, x)`: a function some of whose arguments are given. What it does with these it does
    /// once it is called.
    pub(super) fn partial(&mut self, arguments: &Arguments<'a>, span: Span) -> Option<Value> {
        let (expr, value) = arguments.by_place.first()?;
        let callable = self.callable(expr, value)?;
        let given = arguments.by_place[1..].to_vec();
        let bound = given.len();
        self.hand(callable, &Arguments { by_place: given, by_name: Vec::new() }, span);
        callable.known(bound).map(|known| Value { flows: Vec::new(), known })
    }
}
