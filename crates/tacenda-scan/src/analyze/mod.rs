//! Where values go: an abstract run of every function, in which values are what flows in them.

mod call;
mod env;
mod expr;
mod sink;
mod stmt;
mod template;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::sync::Arc;

use ruff_python_ast::name::Name;

use crate::Confidence;
use crate::context::Context;
use crate::ir::{Class_, Function, Span, StmtKind, TypeHint};
use crate::label::Label;
use crate::model::Channel;
use crate::program::Program;
use crate::rules::{Match, Rule};
use crate::value::{Flow, Known, Origin, Step, Value, What};
use env::Env;

/// A way is told with this many steps at most.
const MAX_STEPS: u8 = 8;
/// Functions inside functions are followed this deep.
const MAX_NESTING: u32 = 6;

/// What a function does with its parameters.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    /// The parameters that it writes out.
    pub(crate) sinks: Vec<ParameterSink>,
    /// What it gives back.
    pub(crate) returns: Vec<Flow>,
    /// Whether what it gives back cannot leak.
    pub(crate) harmless: bool,
    /// What its exceptions carry.
    pub(crate) raises: Vec<Flow>,
}

impl Summary {
    fn size(&self) -> (usize, usize, bool, usize) {
        (self.sinks.len(), self.returns.len(), self.harmless, self.raises.len())
    }

    /// Whether callers learn something else from this than from `other`.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        self.size() != other.size()
    }
}

/// A parameter that is written out.
#[derive(Clone, Debug)]
pub(crate) struct ParameterSink {
    pub(crate) parameter: u8,
    pub(crate) channel: Channel,
    /// The way from the parameter, its last step first.
    pub(crate) way: Option<Arc<Step>>,
    /// Where it is written: file, the call, the argument.
    pub(crate) file: u32,
    pub(crate) call: Span,
    pub(crate) argument: Span,
    /// Whether the function is there to write: then its callers are at fault.
    pub(crate) wrapper: bool,
}

/// Something sensitive that is written out.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) file: u32,
    /// The call that writes.
    pub(crate) call: Span,
    /// The argument in which it is.
    pub(crate) argument: Span,
    pub(crate) channel: Channel,
    pub(crate) label: Label,
    pub(crate) confidence: Confidence,
    /// Whether it is a whole object of which a part is sensitive.
    pub(crate) whole: bool,
    pub(crate) way: Option<Arc<Step>>,
}

/// What all files of a scan know of each other.
pub(crate) struct Shared<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) summaries: &'a [Summary],
    /// What the attributes of objects hold, by file and class.
    pub(crate) attributes: &'a HashMap<(u32, Name), HashMap<Name, Value>>,
}

/// What came out of one file.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) found: Vec<Found>,
    /// What rules found in calls.
    pub(crate) matches: Vec<(&'static Rule, Match)>,
    pub(crate) summaries: Vec<(usize, Summary)>,
    pub(crate) attributes: HashMap<(u32, Name), HashMap<Name, Value>>,
    /// Whether we failed on it.
    pub(crate) failed: bool,
    /// The functions that it calls.
    pub(crate) callees: HashSet<usize>,
}

/// Runs a file.
pub(crate) fn analyze(
    shared: &Shared<'_>,
    file: u32,
    by_function: &HashMap<usize, usize>,
) -> Outcome {
    let unit = shared.program.units[file as usize];
    let mut walker = Walker {
        shared,
        by_function,
        file,
        context: &unit.ir.context,
        env: Env::default(),
        class: None,
        frame: Frame::default(),
        outcome: Outcome::default(),
        guarded: 0,
        nesting: 0,
        later: Vec::new(),
        catching: Vec::new(),
    };
    walker.block(&unit.ir.body);
    walker.functions();
    walker.outcome
}

/// The function that is being run.
#[derive(Default)]
struct Frame {
    name: Option<Name>,
    parameters: Vec<Name>,
    returns: Option<Value>,
    sinks: Vec<ParameterSink>,
    raises: Value,
    top: bool,
    /// Whether it names a credential.
    credentials: bool,
}

struct Walker<'a> {
    shared: &'a Shared<'a>,
    by_function: &'a HashMap<usize, usize>,
    file: u32,
    context: &'a Context,
    env: Env,
    class: Option<Name>,
    frame: Frame,
    outcome: Outcome,
    /// How many tests around here ask whether something is sensitive.
    guarded: u32,
    nesting: u32,
    /// Functions of the module and its classes, run after its top level.
    later: Vec<(&'a Function, Option<&'a Class_>)>,
    /// What exceptions in the `try` blocks around here carry.
    catching: Vec<Value>,
}

impl<'a> Walker<'a> {
    fn step(&self, span: Span, what: What, before: Option<Arc<Step>>) -> Arc<Step> {
        let length = before.as_ref().map_or(0, |before| before.length) + 1;
        match before {
            Some(before) if length > MAX_STEPS => before,
            Some(before) if before.span == span && before.file == self.file => before,
            before => Arc::new(Step { file: self.file, span, what, length, before }),
        }
    }

    /// The value with a step added to the way of each of its flows.
    fn stepped(&self, mut value: Value, span: Span, what: What) -> Value {
        for flow in &mut value.flows {
            flow.way = Some(self.step(span, what, flow.way.take()));
        }
        value
    }

    /// Runs the functions of the module.
    fn functions(&mut self) {
        let mut next = 0;
        while let Some((function, class)) = self.later.get(next).copied() {
            next += 1;
            self.class = class.map(|class| class.name.clone());
            let frame = self.run(function, class.is_some());
            if let Some(place) = self.by_function.get(&std::ptr::from_ref(function).addr()) {
                self.outcome.summaries.push((*place, summary(frame, function)));
            }
        }
        self.class = None;
    }

    /// Runs a function in an environment of its own, above the one that is here.
    fn run(&mut self, function: &'a Function, method: bool) -> Frame {
        self.env.enter();
        let parameters: Vec<Name> =
            function.parameters.iter().map(|one| one.ident.name.clone()).collect();
        let frame = Frame {
            name: Some(function.name.name.clone()),
            parameters,
            top: self.nesting == 0,
            credentials: function.credentials,
            ..Frame::default()
        };
        let outer = std::mem::replace(&mut self.frame, frame);
        let catching = std::mem::take(&mut self.catching);
        let guarded = std::mem::take(&mut self.guarded);
        for (at, parameter) in function.parameters.iter().enumerate() {
            let value = match &parameter.hint {
                TypeHint::Harmless => Value::harmless(),
                hint => {
                    let mut value = Value::default();
                    if let TypeHint::Named(class) = hint {
                        value.known = Known::Object(class.clone());
                    }
                    if let Ok(at) = u8::try_from(at)
                        && self.frame.top
                        && !(method && at == 0)
                    {
                        value.add(Flow { origin: Origin::Parameter(at), field: None, way: None });
                    }
                    value
                }
            };
            self.env.set(parameter.ident.name.clone(), value);
        }
        // Headers beside rows are those of a table.
        let of_table = |name: &Name| {
            matches!(name.as_str(), "rows" | "row" | "columns" | "cols" | "table" | "cells")
        };
        if self.frame.parameters.iter().any(of_table) {
            for name in ["headers", "header"] {
                if self.frame.parameters.iter().any(|one| one == name) {
                    self.env.set(Name::new_static(name), Value::harmless());
                }
            }
        }
        for ident in function.rest.iter().chain(&function.keywords) {
            self.env.set(ident.name.clone(), Value::default());
        }
        self.nesting += 1;
        self.block(&function.body);
        self.nesting -= 1;
        self.env.leave();
        self.catching = catching;
        self.guarded = guarded;
        std::mem::replace(&mut self.frame, outer)
    }

    /// Runs a function inside a function, where it is defined.
    fn nested(&mut self, function: &'a Function) -> Option<Value> {
        if self.nesting >= MAX_NESTING {
            return None;
        }
        self.run(function, false).returns
    }

    fn class(&mut self, class: &'a Class_) {
        if self.nesting > 0 {
            for stmt in &class.body {
                if let StmtKind::Function(function) = &stmt.kind {
                    self.nested(function);
                }
            }
            return;
        }
        for stmt in &class.body {
            match &stmt.kind {
                StmtKind::Function(function) => self.later.push((function, Some(class))),
                StmtKind::If(_, one, two) => {
                    for stmt in one.iter().chain(two) {
                        if let StmtKind::Function(function) = &stmt.kind {
                            self.later.push((function, Some(class)));
                        }
                    }
                }
                _ => {
                    self.env.enter();
                    self.stmt(stmt);
                    self.env.leave();
                }
            }
        }
    }
}

fn summary(frame: Frame, function: &Function) -> Summary {
    let returns = frame.returns.unwrap_or_default();
    Summary {
        harmless: returns.is_harmless() || function.returns == TypeHint::Harmless,
        returns: returns.flows,
        sinks: frame.sinks,
        raises: frame.raises.flows,
    }
}
