//! Functions of which the user's own models say what they do, wherever they are.

use ruff_python_ast::name::Name;

use super::Walker;
use super::call::Arguments;
use super::through::is_log_name;
use crate::ir::{Call, Expr, ExprKind, Ident, Span};
use crate::model::{Argument, Declared, Effect, SinkMatch};
use crate::program::Target;
use crate::value::{Known, Value, What};

impl<'a> Walker<'a> {
    /// What the user says of the function that is called.
    pub(super) fn declared(
        &self,
        callee: &Expr,
        receiver: Option<&Expr>,
        name: &Ident,
    ) -> Option<Declared<'a>> {
        self.models().declared(&name.name, || self.known_as(callee, receiver, name))
    }

    /// The paths under which a function is known: as it is imported, as it is defined, as a method of
    /// the class of its object.
    fn known_as(&self, callee: &Expr, receiver: Option<&Expr>, name: &Ident) -> Vec<String> {
        let program = self.shared.program;
        let mut paths: Vec<String> = self.path(callee).into_iter().collect();
        match self.target(receiver, name) {
            Some(Target::Function(function)) => paths.extend(program.path_of(function)),
            Some(Target::Class(file)) => paths.push(self.path_of_class(file, name)),
            None => {}
        }
        if let Some(class) = receiver.and_then(|receiver| self.class_of(receiver)) {
            let class = program.resolve(self.file, class).unwrap_or_else(|| class.to_string());
            paths.push(format!("{class}.{}", name.name));
        }
        paths
    }

    /// The import path of a class that a file knows by this name, as it is defined.
    fn path_of_class(&self, file: u32, name: &Ident) -> String {
        let program = self.shared.program;
        let (file, class) =
            program.class_of(file, &name.name).unwrap_or_else(|| (file, name.name.clone()));
        format!("{}.{class}", program.units[file as usize].module)
    }

    /// The class of what an expression stands for, if that was made or annotated here.
    fn class_of(&self, expr: &Expr) -> Option<&Name> {
        match self.known(expr)? {
            Known::Object(class) => Some(class),
            _ => None,
        }
    }

    /// That a call makes an object of a class, if the user says something of its methods.
    pub(super) fn made_by(
        &self,
        callee: &Expr,
        name: &Ident,
        target: Option<Target>,
    ) -> Option<Known> {
        if !self.models().declares_methods_of_some(&name.name) {
            return None;
        }
        let defined = match target {
            Some(Target::Class(file)) => Some(self.path_of_class(file, name)),
            _ => None,
        };
        let paths = self.path(callee).into_iter().chain(defined);
        let class = paths.into_iter().find(|path| self.models().declares_methods_of(path))?;
        Some(Known::Object(Name::new(class)))
    }

    /// Calls a function of which the user says what it does: its own code still writes what it
    /// writes.
    pub(super) fn call_declared(
        &mut self,
        declared: Declared<'a>,
        (receiver, name): (Option<&'a Expr>, &'a Ident),
        receiver_value: Option<Value>,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        let here = match self.target(receiver, name) {
            Some(Target::Function(function)) => Some(function),
            _ => None,
        };
        let method = receiver.is_some();
        match declared {
            Declared::Sink(sink) => {
                if let Some(function) = here {
                    if self.shared.notes {
                        // The logging calls in it are to be known, and the leak is told already.
                        let told = self.outcome.found.len();
                        self.apply(function, 0, method, arguments, span);
                        self.outcome.found.truncate(told);
                    }
                    let others = self.others(sink, arguments, here, method);
                    self.apply(function, 0, method, &others, span);
                }
                Value::harmless()
            }
            Declared::Source(label, confidence) => {
                if let Some(function) = here {
                    self.apply(function, 0, method, arguments, span);
                }
                Value::source(label, confidence, self.step(span, What::Given, None))
            }
            Declared::Treats(effect) => {
                if let Some(function) = here {
                    self.apply(function, 0, method, arguments, span);
                }
                match effect {
                    Effect::Carries => self.carried(receiver_value, arguments, span),
                    Effect::Cleans | Effect::Unknown => Value::treated(),
                }
            }
        }
    }

    /// The arguments of a call without those that a sink writes.
    fn others(
        &self,
        sink: SinkMatch<'a>,
        arguments: &Arguments<'a>,
        function: Option<usize>,
        method: bool,
    ) -> Arguments<'a> {
        let left = |written: bool, value: &Value| {
            if written { Value::harmless() } else { value.clone() }
        };
        let by_place = arguments.by_place.iter().enumerate().map(|(at, (expr, value))| {
            (*expr, left(self.writes_place(sink, at, function, method), value))
        });
        let by_name = arguments.by_name.iter().map(|(key, expr, value)| {
            (*key, *expr, left(self.writes_name(sink, *key, function, method), value))
        });
        Arguments { by_place: by_place.collect(), by_name: by_name.collect() }
    }

    /// What the method that a sink is stands on, and the function if it is here: only asked for where
    /// some of its arguments are not written.
    pub(super) fn function_of(
        &self,
        call: &'a Call,
        sink: SinkMatch<'a>,
    ) -> (Option<&'a Expr>, Option<usize>) {
        let (receiver, name) = match &call.callee.kind {
            ExprKind::Name(ident) => (None, ident),
            ExprKind::Attribute(base, ident) => (Some(&**base), ident),
            _ => return (None, None),
        };
        let target = if sink.arguments.is_empty() { None } else { self.target(receiver, name) };
        match target {
            Some(Target::Function(function)) => (receiver, Some(function)),
            _ => (receiver, None),
        }
    }

    /// The parameters of a function, as who calls it counts them.
    fn parameters(&self, function: Option<usize>, method: bool) -> impl Iterator<Item = &'a Name> {
        let entry = function.map(|function| &self.shared.program.functions[function]);
        let shift = usize::from(method && entry.is_some_and(|entry| entry.bound));
        let function = entry.map(|entry| entry.function);
        let parameters = function.into_iter().flat_map(|function| &function.parameters);
        parameters.skip(shift).map(|parameter| &parameter.ident.name)
    }

    /// Whether a sink writes the argument at this place.
    pub(super) fn writes_place(
        &self,
        sink: SinkMatch<'a>,
        at: usize,
        function: Option<usize>,
        method: bool,
    ) -> bool {
        sink.arguments.is_empty()
            || sink.arguments.iter().any(|argument| match argument {
                Argument::Place(place) => *place == at,
                Argument::Name(name) => {
                    self.parameters(function, method).nth(at).is_some_and(|own| own == name)
                }
            })
    }

    /// Whether a sink writes the argument of this name; of `**options` that is not known.
    pub(super) fn writes_name(
        &self,
        sink: SinkMatch<'a>,
        key: Option<&Ident>,
        function: Option<usize>,
        method: bool,
    ) -> bool {
        let Some(key) = key else { return true };
        sink.arguments.is_empty()
            || sink.arguments.iter().any(|argument| match argument {
                Argument::Name(name) => key.name == *name,
                Argument::Place(place) => {
                    self.parameters(function, method).nth(*place) == Some(&key.name)
                }
            })
    }

    /// Whether a call whose result nobody wants makes its arguments fit to be written.
    pub(super) fn redacts_in_place(&self, call: &'a Call) -> bool {
        let (receiver, name) = match &call.callee.kind {
            ExprKind::Name(ident) => (None, ident),
            ExprKind::Attribute(base, ident) => (Some(&**base), ident),
            _ => return false,
        };
        match self.declared(&call.callee, receiver, name) {
            Some(Declared::Treats(effect)) => effect == Effect::Cleans,
            Some(_) => false,
            None => self.models().redacts(&name.name) && !is_log_name(&name.name),
        }
    }
}
