//! Where values go: an abstract run of every function, in which values are what flows in them.

mod access;
mod again;
mod answer;
mod apply;
mod asked;
mod bind;
mod by_name;
mod call;
mod callback;
mod declared;
mod env;
mod exchange;
mod expr;
mod fills;
mod gives;
mod handler;
mod library;
mod note;
mod object;
mod pair;
mod question;
mod quoted;
mod said;
mod sink;
mod spoken;
mod stmt;
mod template;
mod through;
mod told;
mod used;
mod wire;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::cell::Cell;
use std::sync::Arc;

use ruff_python_ast::name::Name;

use crate::Confidence;
use crate::configuration::python;
use crate::context::Context;
use crate::ir::{Class_, ExprKind, Function, Literal, Parameter, Span, Stmt, StmtKind, TypeHint};
use crate::label::Label;
use crate::lexicon::words;
use crate::model::{Channel, Models};
use crate::program::Program;
use crate::rules::{Match, Rule};
use crate::value::{Flow, Inner, Known, Origin, Step, Value, What};
pub(crate) use callback::Callback;
use env::{Changes, Env};
use note::Site;
pub(crate) use note::{Handed, Noted, Notes};

/// A way is told with this many steps at most.
const MAX_STEPS: u8 = 8;
/// More parameters that a function writes are not told apart.
const MAX_SINKS: usize = 64;
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
    /// The class of the objects that it gives back, by file and name.
    pub(crate) object: Option<(u32, Name)>,
    /// What its exceptions carry.
    pub(crate) raises: Vec<Flow>,
    /// As a decorator: what it writes of each call of the function that it decorates.
    pub(crate) inner: Vec<(Inner, ParameterSink)>,
    /// The attributes of its object that it keeps parameters in.
    pub(crate) stores: Vec<(Name, u8)>,
    /// The parameters that it calls.
    pub(crate) callbacks: Vec<Callback>,
    /// What it puts into what its parameters stand for.
    pub(crate) fills: Vec<(u8, Flow)>,
    /// Where a function writes what it is handed that this one gives back.
    pub(crate) writer: Option<Channel>,
}

impl Summary {
    fn size(&self) -> (usize, usize, bool, bool, usize, usize, usize, usize, usize, bool) {
        (
            self.sinks.len(),
            self.returns.len(),
            self.harmless,
            self.object.is_some(),
            self.raises.len(),
            self.inner.len(),
            self.stores.len(),
            self.callbacks.len(),
            self.fills.len(),
            self.writer.is_some(),
        )
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
    /// Whether it hands on messages, whose text its callers make.
    pub(crate) relays: bool,
    /// Where it is written in the end, through however many functions.
    pub(crate) site: Site,
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
    pub(crate) attributes: &'a Attributes,
    /// The names of attributes in which something flows.
    pub(crate) kept: &'a HashSet<Name>,
    /// The functions of which something else is known than a round before.
    pub(crate) changed: &'a HashSet<usize>,
    /// Whether what is known of the values in logging calls is to be noted.
    pub(crate) notes: bool,
    /// What functions and names mean.
    pub(crate) models: &'a Models,
}

/// What attributes of objects hold, by file and class.
pub(crate) type Attributes = HashMap<(u32, Name), HashMap<Name, Value>>;

/// What came out of one file.
#[derive(Default)]
pub(crate) struct Run {
    /// Of its top level, then of each of its functions.
    pub(crate) outcomes: Vec<Outcome>,
    /// What all of them keep in attributes.
    pub(crate) attributes: Attributes,
    pub(crate) notes: Notes,
}

/// What came out of the top level of a file, or of one of its functions.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) found: Vec<Found>,
    /// What rules found in calls.
    pub(crate) matches: Vec<(&'static Rule, Match)>,
    pub(crate) summaries: Vec<(usize, Summary)>,
    /// Whether we failed on it.
    pub(crate) failed: bool,
    /// The functions that it calls.
    pub(crate) callees: HashSet<usize>,
    /// What it keeps in attributes, in turn.
    attributes: Vec<((u32, Name), Name, Value)>,
    /// What attributes held when it asked.
    asked: Vec<((u32, Name), Name, Option<Value>)>,
    /// Whether it looked at more than that.
    looked_around: bool,
}

impl Outcome {
    /// Of a file that we failed on.
    pub(crate) fn failed() -> Self {
        Self { failed: true, looked_around: true, ..Self::default() }
    }
}

/// Runs a file. What came out of a part of it `before` is taken over if the part would do the same
/// again.
pub(crate) fn analyze(
    shared: &Shared<'_>,
    file: u32,
    by_function: &HashMap<usize, usize>,
    before: Vec<Outcome>,
) -> Run {
    let unit = shared.program.units[file as usize];
    let mut walker = Walker {
        shared,
        by_function,
        file,
        context: &unit.ir.context,
        env: Env::default(),
        class: None,
        frame: Frame::default(),
        run: Run::default(),
        outcome: Outcome::default(),
        looked_around: Cell::default(),
        guarded: 0,
        nesting: 0,
        later: Vec::new(),
        catching: Vec::new(),
        raising: Vec::new(),
        locals: Vec::new(),
        inlined: 0,
        noting: 0,
        debugging: 0,
        telling: 0,
        jumps: Vec::new(),
        walked: Vec::new(),
        module_keeps: shared.attributes.get(&(file, bind::MODULE)),
    };
    if walker.all_hold(&before) {
        return Run { outcomes: before, ..walker.run };
    }
    let mut before = before.into_iter();
    let top = before.next();
    let same = walker.module_keeps.is_none() && top.is_some_and(|top| walker.holds(&top));
    walker.block(&unit.ir.body);
    walker.outcome.matches.extend(python::variables(&unit.path, &unit.ir.body));
    walker.close();
    // Functions see what the top level leaves.
    if !same || before.len() != walker.later.len() {
        before = Vec::new().into_iter();
    }
    walker.functions(before);
    walker.run
}

/// The function that is being run.
#[derive(Default)]
struct Frame {
    name: Option<Name>,
    /// The parameters of the function, or of the outermost one around it.
    parameters: Vec<Name>,
    returns: Option<Value>,
    sinks: Vec<ParameterSink>,
    raises: Value,
    inner: Vec<(Inner, ParameterSink)>,
    stores: Vec<(Name, u8)>,
    callbacks: Vec<Callback>,
    fills: Vec<(u8, Flow)>,
    top: bool,
    /// The call that is all it does.
    only: Option<Span>,
    /// Whether it names a credential.
    credentials: bool,
    /// Names of credentials that are keys under which it looks something up.
    keys: Vec<Name>,
    /// Names of what clients made of answers, whose text is no more than a status.
    answers: Vec<Name>,
    /// Names of what is asked for what only an answer of a client has.
    responses: Vec<Name>,
    /// Names of what requests are sent with.
    sent: Vec<Name>,
    /// Names of what stands for something sensitive by what is done with it.
    used: Vec<(Name, Label)>,
    /// Attributes of its object that it has set to what is known: `self.token = None`.
    set: Vec<Name>,
    /// The variables of the module that it puts something into.
    outer: HashSet<Name>,
}

struct Walker<'a> {
    shared: &'a Shared<'a>,
    by_function: &'a HashMap<usize, usize>,
    file: u32,
    context: &'a Context,
    env: Env,
    class: Option<Name>,
    frame: Frame,
    /// What came out of the file so far.
    run: Run,
    /// What comes out of the part of it that is being run.
    outcome: Outcome,
    /// Whether that looks at more than single attributes.
    looked_around: Cell<bool>,
    /// How many tests around here ask whether something is sensitive.
    guarded: u32,
    nesting: u32,
    /// Functions of the module and its classes, run after its top level.
    later: Vec<(&'a Function, Option<&'a Class_>)>,
    /// What exceptions in the `try` blocks around here carry.
    catching: Vec<Value>,
    /// What those carry that are raised right there.
    raising: Vec<Value>,
    /// The functions inside the one that is run, with what they give back.
    locals: Vec<(&'a Function, Value)>,
    /// How many of these are being followed into.
    inlined: u32,
    /// How many logging calls, of which something is to be noted, there are around here.
    noting: u32,
    /// How many tests around here ask whether to debug.
    debugging: u32,
    /// How many tests around here ask whether to tell more than the results.
    telling: u32,
    /// The variables that stand for the keys of others in the loops around here.
    walked: Vec<(Name, Name)>,
    /// Of each loop around here, where it began and what held where it was left.
    jumps: Vec<(usize, Vec<Changes>)>,
    /// What functions put into the variables of the module.
    module_keeps: Option<&'a HashMap<Name, Value>>,
}

impl<'a> Walker<'a> {
    fn models(&self) -> &'a Models {
        self.shared.models
    }

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

    /// Runs the functions of the module, but those of which what came out before holds.
    fn functions(&mut self, mut before: impl Iterator<Item = Outcome>) {
        let locals = self.locals.len();
        let mut next = 0;
        while let Some((function, class)) = self.later.get(next).copied() {
            next += 1;
            if let Some(outcome) = before.next()
                && self.holds(&outcome)
            {
                self.take_over(&outcome);
                self.run.outcomes.push(outcome);
                continue;
            }
            self.locals.truncate(locals);
            self.class = class.map(|class| class.name.clone());
            let mut frame = self.run(function, class.is_some());
            let writer = match frame.returns.as_ref().map(|value| &value.known) {
                Some(Known::Writer(channel)) => Some(*channel),
                Some(Known::Local(number)) => self.writes(*number),
                _ => None,
            };
            if !function.decorators.is_empty() {
                let mut gives = frame.returns.clone().unwrap_or_default();
                gives.flows.retain(|flow| matches!(flow.origin, Origin::Source(..)));
                let gives = self.given(&function.name, gives, function.span, true);
                let outer = std::mem::replace(&mut self.frame, frame);
                self.decorated(function, &gives);
                frame = std::mem::replace(&mut self.frame, outer);
            }
            if let Some(place) = self.by_function.get(&std::ptr::from_ref(function).addr()) {
                let object = self.object_of(&frame, function);
                let summary = Summary { writer, ..summary(frame, function, object) };
                self.outcome.summaries.push((*place, summary));
            }
            self.close();
        }
        self.class = None;
    }

    /// The class of the objects that a function gives back: as it makes them, or as it says.
    fn object_of(&self, frame: &Frame, function: &Function) -> Option<(u32, Name)> {
        let made = match frame.returns.as_ref().map(|value| &value.known) {
            Some(Known::Object(class)) => Some(class),
            _ => None,
        };
        let class = made.or(match &function.returns {
            TypeHint::Named(class) => Some(class),
            TypeHint::None | TypeHint::Harmless => None,
        })?;
        self.shared.program.class_of(self.file, class)
    }

    /// Runs a function in an environment of its own, above the one that is here.
    fn run(&mut self, function: &'a Function, method: bool) -> Frame {
        self.env.enter();
        let top = self.nesting == 0;
        let own = || function.parameters.iter().map(|one| one.ident.name.clone());
        let frame = Frame {
            name: Some(function.name.name.clone()),
            parameters: if top { own().collect() } else { self.frame.parameters.clone() },
            top,
            only: only_call(&function.body),
            credentials: function.credentials,
            keys: function.keys.clone(),
            answers: function.answers.clone(),
            responses: function.responses.clone(),
            sent: function.sent.clone(),
            used: function.used.clone(),
            ..Frame::default()
        };
        let outer = std::mem::replace(&mut self.frame, frame);
        let catching = std::mem::take(&mut self.catching);
        let raising = std::mem::take(&mut self.raising);
        let guarded = std::mem::take(&mut self.guarded);
        for (at, parameter) in function.parameters.iter().enumerate() {
            let value = match &parameter.hint {
                TypeHint::Harmless => Value::harmless(),
                _ if function.keys.contains(&parameter.ident.name) || is_flag(parameter) => {
                    Value::harmless()
                }
                hint => {
                    let mut value = Value::default();
                    if let TypeHint::Named(class) = hint {
                        value.known = Known::Object(class.clone());
                    } else if let Some(known) = self.named_after(&parameter.ident.name) {
                        value.known = known;
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
        // What a function in the cloud is called with is a request.
        if let ([event, context, ..], false) = (&function.parameters[..], method)
            && event.ident.name == "event"
            && matches!(context.ident.name.as_str(), "context" | "ctx" | "_context" | "_")
            && let Some(mut value) = self.env.get("event").cloned()
        {
            self.label(&mut value, Label::Body, Confidence::Medium, function.span, What::Named);
            self.env.set(Name::new_static("event"), value);
        }
        self.takes_messages(function);
        // Headers beside rows are those of a table.
        let of_table = |name: &Name| {
            matches!(name.as_str(), "rows" | "row" | "columns" | "cols" | "table" | "cells")
        };
        if function.parameters.iter().any(|one| of_table(&one.ident.name)) {
            for name in ["headers", "header"] {
                if function.parameters.iter().any(|one| one.ident.name == name) {
                    self.env.set(Name::new_static(name), Value::harmless());
                }
            }
        }
        for (ident, number, inner) in [
            (&function.rest, function.rest_number(), Inner::Arguments),
            (&function.keywords, function.keywords_number(), Inner::Keywords),
        ] {
            let Some(ident) = ident else { continue };
            let number = number.and_then(|number| u8::try_from(number).ok());
            let origin = match number {
                Some(number) if self.frame.top => Origin::Parameter(number),
                _ => Origin::Inner(inner),
            };
            let mut value = Value::default();
            value.add(Flow { origin, field: None, way: None });
            self.env.set(ident.name.clone(), value);
        }
        self.nesting += 1;
        self.block(&function.body);
        self.nesting -= 1;
        self.env.leave();
        self.catching = catching;
        self.raising = raising;
        self.guarded = guarded;
        std::mem::replace(&mut self.frame, outer)
    }

    /// Runs a function inside a function, where it is defined.
    fn nested(&mut self, function: &'a Function) -> Option<Value> {
        if self.nesting >= MAX_NESTING {
            return None;
        }
        let mut frame = self.run(function, false);
        // What it does with the parameters of the function around it.
        for sink in frame.sinks {
            self.note_sink(sink);
        }
        self.frame.inner.append(&mut frame.inner);
        frame.returns
    }

    /// Notes that a parameter is written.
    fn note_sink(&mut self, sink: ParameterSink) {
        let known = |one: &ParameterSink| one.parameter == sink.parameter && one.call == sink.call;
        if self.frame.sinks.len() < MAX_SINKS && !self.frame.sinks.iter().any(known) {
            self.frame.sinks.push(sink);
        }
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

/// `refresh_tokens=False`: whether to do that.
fn is_flag(parameter: &Parameter) -> bool {
    const DONE: &[&str] = &[
        "refresh", "request", "use", "save", "show", "print", "log", "store", "return", "include",
        "send", "rotate", "revoke", "keep", "force", "check",
    ];
    let default = parameter.default.as_ref().map(|default| &default.kind);
    matches!(default, Some(ExprKind::Constant(Literal::True | Literal::False)))
        && words(&parameter.ident.name).first().is_some_and(|first| DONE.contains(&first.as_str()))
}

/// The call that a function consists of, in whatever tests and contexts.
fn only_call(body: &[Stmt]) -> Option<Span> {
    let [only] = body else { return None };
    match &only.kind {
        StmtKind::Expr(expr) | StmtKind::Return(Some(expr)) => {
            matches!(expr.kind, ExprKind::Call(_)).then_some(expr.span)
        }
        StmtKind::If(_, body, orelse) if orelse.is_empty() => only_call(body),
        StmtKind::With(_, body) => only_call(body),
        _ => None,
    }
}

fn summary(frame: Frame, function: &Function, object: Option<(u32, Name)>) -> Summary {
    let mut returns = frame.returns.unwrap_or_default();
    // `def red(text): return RED + text`: what the text is, callers know better than its name.
    if returns.flows.iter().any(|flow| matches!(flow.origin, Origin::Parameter(_))) {
        returns.flows.retain(|flow| {
            let by_name = flow.way.as_ref().is_some_and(|step| step.root() == What::Named);
            !(by_name
                && matches!(flow.origin, Origin::Source(label, Confidence::Medium)
                    if label.is_model_text()))
        });
    }
    Summary {
        object,
        harmless: returns.is_harmless() || function.returns == TypeHint::Harmless,
        returns: returns.flows,
        sinks: frame.sinks,
        raises: frame.raises.flows,
        inner: frame.inner,
        stores: frame.stores,
        callbacks: frame.callbacks,
        fills: frame.fills,
        writer: None,
    }
}
