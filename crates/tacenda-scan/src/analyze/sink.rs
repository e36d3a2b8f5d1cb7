//! What is written out, and where.

use std::borrow::Cow;

use ruff_python_ast::name::Name;

use super::by_name::Message;
use super::call::Arguments;
use super::note::Site;
use super::said::before_hole;
use super::template::{holes, is_text, words_of};
use super::through::is_log_of;
use super::{Found, ParameterSink, Walker};
use crate::Confidence;
use crate::ir::{Call, Expr, ExprKind, Ident, Literal, Span};
use crate::label::Label;
use crate::lexicon::words;
use crate::model::{Channel, SinkMatch};
use crate::program::Target;
use crate::value::{Flow, Known, Origin, Value, What};

/// Arguments by name that say how to write, not what.
const MANNERS: &[&str] = &[
    "exc_info",
    "stack_info",
    "stacklevel",
    "file",
    "end",
    "sep",
    "flush",
    "color",
    "fg",
    "bold",
    "err",
    "nl",
    "level",
    "category",
    "source",
    "style",
    "host",
    "caplevel",
    "screen_only",
    "log_only",
    "stderr",
];

/// What a message begins with that tells of a request.
const VERBS: &[&str] = &["get", "post", "put", "patch", "delete", "head"];

/// Parts of the paths of programs, which print for who calls them.
const PROGRAMS: &[&str] = &[
    "cli", "cmd", "command", "commands", "console", "main", "script", "scripts", "bin", "example",
    "examples", "demo", "test", "tests", "terminal", "tui",
];

/// Methods of a logger that give a logger again.
pub(super) const LOGGER_AGAIN: &[&str] = &["bind", "unbind", "try_unbind", "new", "opt", "patch"];

/// Where something is written.
#[derive(Clone, Copy)]
pub(super) struct Place {
    /// The argument in which it is.
    pub(super) argument: Span,
    /// The call.
    pub(super) call: Span,
    /// What the call writes to.
    pub(super) channel: Channel,
}

impl<'a> Walker<'a> {
    /// What a call writes to, if it writes.
    pub(super) fn sink_of(
        &self,
        call: &'a Call,
        receiver: Option<&'a Expr>,
        name: &Ident,
    ) -> Option<SinkMatch<'a>> {
        let program = self.shared.program;
        let found = match receiver {
            None => {
                if let Some(Known::Writer(channel)) =
                    self.env.get(&name.name).map(|value| &value.known)
                {
                    return Some(SinkMatch::all_to(*channel));
                }
                match program.imported(self.file, &name.name) {
                    Some(path) => self
                        .models()
                        .sink_call(path)
                        .or_else(|| self.says_that_it_writes(path, name))?,
                    None => {
                        // A function of this name that is here says itself what it does.
                        if program.lookup(self.file, &name.name).is_some() {
                            return None;
                        }
                        self.models().sink_call(&name.name).or_else(|| self.is_log_method(name))?
                    }
                }
            }
            Some(receiver) => {
                let receiver = unbound(receiver);
                let last = receiver.last_name();
                let by_method =
                    last.and_then(|last| self.models().sink_method(&last.name, &name.name));
                match by_method {
                    Some(found) => {
                        let on_self =
                            last.is_some_and(|last| last.name == "self" || last.name == "cls");
                        let here = on_self
                            && self.class.as_ref().is_some_and(|class| {
                                let method = program.method(self.file, class, &name.name);
                                method.is_some_and(|method| !self.writes_elsewhere(method))
                            });
                        if here {
                            return None;
                        }
                        found
                    }
                    None if self.models().may_log(&name.name) && self.is_log_object(receiver) => {
                        SinkMatch::all_to(Channel::Log)
                    }
                    // `self._hub.debug("…")`: whatever it is, what it debugs is written.
                    None if name.name == "debug"
                        && call.arguments.iter().take(2).any(is_text)
                        && self.target(Some(receiver), name).is_none() =>
                    {
                        SinkMatch::all_to(Channel::Log)
                    }
                    None if !self.models().may_write(&name.name) => return None,
                    None => self.models().sink_call(&self.path(&call.callee)?)?,
                }
            }
        };
        if found.text_first && !call.arguments.iter().take(2).any(is_text) {
            return None;
        }
        if found.channel == Channel::Console {
            // `os.write(pipe, key)`
            if name.name == "write" && call.arguments.len() == 2 && !is_standard(&call.arguments[0])
            {
                return None;
            }
            let file = call
                .keywords
                .iter()
                .find(|(key, _)| key.as_ref().is_some_and(|key| key.name == "file"));
            if let Some((_, file)) = file
                && !file
                    .last_name()
                    .is_some_and(|ident| matches!(ident.name.as_str(), "stderr" | "stdout"))
            {
                return None;
            }
        }
        Some(found)
    }

    /// `print_verbose(…)`, from a module that is not here: its name says that it writes.
    fn says_that_it_writes(&self, path: &str, name: &Ident) -> Option<SinkMatch<'a>> {
        match self.shared.program.lookup(self.file, &name.name) {
            Some(Target::Function(function)) if self.writes_elsewhere(function) => {}
            Some(_) => return None,
            None => {}
        }
        let last = path.rsplit('.').next().unwrap_or(path);
        self.models().sink_call(last).filter(|sink| sink.text_first)
    }

    /// Whether a function of another file writes what it is handed: its name says so, and its code. For
    /// the map of logging calls it is the one inside that counts.
    fn writes_elsewhere(&self, function: usize) -> bool {
        !self.shared.notes
            && self.shared.program.is_elsewhere(self.file, function)
            && self.shared.summaries[function]
                .sinks
                .iter()
                .any(|sink| matches!(sink.channel, Channel::Log | Channel::Console))
    }

    /// `log_method(…)`, where `log_method = logger.info`.
    fn is_log_method(&self, name: &Ident) -> Option<SinkMatch<'a>> {
        let words = words(&name.name);
        let logs = words.len() > 1
            && words.iter().any(|word| word == "log" || word == "logger")
            && words.last().is_some_and(|word| {
                matches!(word.as_str(), "method" | "func" | "fn" | "function" | "fun" | "callback")
            });
        logs.then_some(SinkMatch::all_to(Channel::Log))
    }

    /// A call that writes.
    pub(super) fn written(
        &mut self,
        call: &'a Call,
        span: Span,
        sink: SinkMatch<'a>,
        arguments: &Arguments<'a>,
    ) {
        if self.shared.notes && sink.channel == Channel::Log {
            self.run.notes.calls.insert(span);
        }
        let (receiver, function) = self.function_of(call, sink);
        let method = receiver.is_some();
        // What goes to standard error is no result.
        let console = sink.channel == Channel::Console;
        let diagnoses = u32::from(console && (to_stderr(call) || self.is_left_in(call)));
        self.debugging += diagnoses;
        // Text that comes piece by piece is written for who reads it.
        let telling = self.telling;
        if call.keyword("end").is_some() {
            self.telling = 0;
        }
        // `def log(text): print(text)`
        let logs = console && self.frame.name.as_ref().is_some_and(|name| is_log_of(name));
        let channel = if logs { Channel::Log } else { sink.channel };
        let template = arguments.by_place.iter().find_map(|(expr, _)| match &expr.kind {
            ExprKind::Text(text, _) if text.contains('%') || text.contains('{') => Some(&**text),
            _ => None,
        });
        let holes = template.map(holes).unwrap_or_default();
        let mut text = words_of(arguments.by_place.iter().map(|(expr, _)| *expr));
        // What is logged beside it tells as much: `log.info(FORMAT, method, url, kwargs)`.
        let beside = arguments.by_place.iter().filter_map(|(expr, _)| match &expr.kind {
            ExprKind::Name(ident) => Some(ident.name.as_str()),
            _ => None,
        });
        let mut keywords =
            arguments.by_name.iter().filter_map(|(key, ..)| Some(key.as_ref()?.name.as_str()));
        // `log.debug("http {url} {kwargs}", url=url, kwargs=kwargs)`
        if text.contains("http") && keywords.any(|name| name == "url") {
            text.push_str(" request");
        }
        // `log.debug("PUT %s with %s", url, kwargs)`
        let verb = text.split(' ').next().is_some_and(|first| VERBS.contains(&first));
        if verb && beside.clone().any(|name| name == "url") {
            text.push_str(" request");
        }
        if beside.clone().any(|name| name == "url") && beside.clone().any(|name| name == "method") {
            text.push_str(" request");
        }
        let after_template = arguments
            .by_place
            .iter()
            .position(|(expr, _)| matches!(expr.kind, ExprKind::Text(..)))
            .map_or(0, |at| at + 1);
        for (at, (expr, value)) in arguments.by_place.iter().enumerate() {
            if !self.writes_place(sink, at, function, method) {
                continue;
            }
            let hole = at.checked_sub(after_template).and_then(|at| holes.get(at));
            if hole.is_some_and(|hole| hole.numeric) {
                self.note_number(expr);
                continue;
            }
            // `print("Prompt:", prompt)`
            let earlier = || {
                let hole = at.checked_sub(after_template + 1).and_then(|at| holes.get(at));
                hole.map_or("", |hole| hole.before)
            };
            let before = match (hole, at.checked_sub(1)) {
                (Some(hole), _) => Some(before_hole(hole.before, earlier())),
                (None, Some(at)) if console || holes.is_empty() => {
                    arguments.by_place[at].0.text().map(beside_text)
                }
                _ => None,
            };
            let said = before.and_then(|before| self.said(&before, &text, expr));
            // `print(token, end="")`: of a text that a model writes.
            let of_text = console && self.context.ml && call.keyword("end").is_some();
            let piece;
            let value = if of_text {
                piece = value.clone().retain(|flow| {
                    !matches!(flow.origin, Origin::Source(Label::Credential, Confidence::Medium))
                });
                &piece
            } else {
                value
            };
            let escaped;
            let value = if hole.is_some_and(|hole| hole.escaped) {
                escaped = value
                    .clone()
                    .retain(|flow| !matches!(flow.origin, Origin::Source(Label::Untrusted, _)));
                &escaped
            } else {
                value
            };
            // `log.info("payload: %(payload)s", {"payload": payload})`
            if let (ExprKind::Dict(items), Some(template)) = (&expr.kind, template) {
                let message =
                    Message { template: Some(template), text: &text, call: span, channel };
                self.said_by_name(items, message);
            }
            self.argument(expr, value, said, &text, span, channel);
        }
        let message = Message { template, text: &text, call: span, channel };
        for (key, expr, value) in &arguments.by_name {
            if !key.is_some_and(|key| MANNERS.contains(&key.name.as_str()))
                && self.writes_name(sink, *key, function, method)
            {
                self.written_by_name(*key, expr, value, sink.text_first, message);
            }
        }
        self.debugging -= diagnoses;
        self.telling = telling;
    }

    pub(super) fn argument(
        &mut self,
        expr: &'a Expr,
        value: &Value,
        said: Option<Label>,
        text: &str,
        call: Span,
        channel: Channel,
    ) {
        // `logger.opt(lazy=True).debug("{}", lambda: body)`
        let given = match (&expr.kind, &value.known) {
            (ExprKind::Lambda(_), Known::Local(number)) => {
                self.locals.get(*number).map(|(_, gives)| gives.clone())
            }
            _ => None,
        };
        let value = given.as_ref().unwrap_or(value);
        let mut told = false;
        let mut reported = false;
        for flow in &value.flows {
            match flow.origin {
                Origin::Source(_, confidence) => {
                    reported |= confidence >= Confidence::Medium;
                    self.report(flow, Place { argument: expr.span, call, channel }, flow.is_part());
                }
                // What is wrong here already is not also wrong in every caller.
                Origin::Parameter(_)
                    if value.sources().any(|(_, sure, _)| sure >= Confidence::Medium) => {}
                Origin::Parameter(parameter) => {
                    let relays = self.relays(expr, parameter);
                    let wrapper = relays || self.frame.only == Some(call);
                    let way = Some(self.step(expr.span, What::Written, flow.way.clone()));
                    let file = self.file;
                    let argument = expr.span;
                    let site = Site { file, call, argument, parameter: Some(parameter) };
                    self.note_sink(ParameterSink {
                        parameter,
                        channel,
                        way,
                        file,
                        call,
                        argument,
                        wrapper,
                        relays,
                        site,
                    });
                }
                Origin::Inner(inner) => {
                    let way = Some(self.step(expr.span, What::Written, flow.way.clone()));
                    let sink = ParameterSink {
                        parameter: 0,
                        channel,
                        way,
                        file: self.file,
                        call,
                        argument: expr.span,
                        wrapper: false,
                        relays: false,
                        site: Site { file: self.file, call, argument: expr.span, parameter: None },
                    };
                    if self.frame.inner.len() < super::MAX_SINKS {
                        self.frame.inner.push((inner, sink));
                    }
                }
            }
        }
        // `"password: %s"`: the message says what the argument is.
        if let Some(label) = said
            && !reported
            && !value.known.outdoes_message()
        {
            told = true;
            let flow = Flow {
                origin: Origin::Source(label, Confidence::Medium),
                field: None,
                way: Some(self.step(expr.span, What::Named, None)),
            };
            self.report(&flow, Place { argument: expr.span, call, channel }, false);
        }
        if !reported && !told {
            self.whole_objects(expr, text, call, channel, 0);
        }
    }

    /// Something sensitive is part of the message of an exception.
    pub(super) fn written_in_exception(&mut self, expr: &'a Expr, value: &Value, call: Span) {
        for flow in &value.flows {
            let place = Place { argument: expr.span, call, channel: Channel::Exception };
            self.report(flow, place, false);
        }
    }

    /// Whether what is printed here was left in by who looked for a fault: in code that others use,
    /// which has no user to print for.
    fn is_left_in(&self, call: &Call) -> bool {
        let prints = call
            .callee
            .last_name()
            .is_some_and(|ident| matches!(ident.name.as_str(), "print" | "pprint"));
        let path = &self.shared.program.units[self.file as usize].path;
        let of_program =
            |part: &str| words(part).iter().any(|word| PROGRAMS.contains(&word.as_str()));
        // Text that comes piece by piece is written for who reads it.
        let pieces = call.keyword("end").is_some();
        prints
            && !pieces
            && self.context.library
            && self.frame.name.is_some()
            && !path.iter().filter_map(|part| part.to_str()).any(of_program)
    }

    /// Notes that something sensitive is written.
    pub(super) fn report(&mut self, flow: &Flow, place: Place, whole: bool) {
        let Origin::Source(label, confidence) = flow.origin else { return };
        let Place { argument, call, channel } = place;
        if self.is_word_of(self.file, flow) {
            return;
        }
        let mut confidence = self.on_channel(label, confidence, channel);
        if channel == Channel::Console && label == Label::Credential && self.is_to_show_it() {
            confidence = Confidence::Low;
        }
        if self.guarded > 0 && (whole || label == Label::Settings || label == Label::Headers) {
            confidence = Confidence::Low;
        }
        let way = Some(self.step(argument, What::Written, flow.way.clone()));
        self.outcome.found.push(Found {
            file: self.file,
            call,
            argument,
            channel,
            label,
            confidence,
            whole,
            way,
        });
    }

    /// Whether something is called a token in one file and written in another, where tokens are words:
    /// `unk_token`.
    pub(super) fn is_word_of(&self, file: u32, flow: &Flow) -> bool {
        matches!(flow.origin, Origin::Source(Label::Credential, sure) if sure < Confidence::High)
            && self.shared.program.units[file as usize].ir.context.lexer
            && flow.way.as_ref().is_some_and(|step| step.root_file() != file)
    }

    /// Whether the function that is run is a command that is there to show a credential: `def token()`.
    fn is_to_show_it(&self) -> bool {
        !self.context.library
            && self.frame.name.as_ref().is_some_and(|name| {
                let words = words(name);
                let shows = matches!(
                    words.first().map(Name::as_str),
                    Some("print" | "show" | "get" | "display" | "generate" | "create")
                );
                (words.len() == 1 || shows)
                    && self.models().classify(name).within(self.context).is_some_and(
                        |(label, sure)| label == Label::Credential && sure >= Confidence::Medium,
                    )
            })
    }

    /// How sure it is that this is wrong on that channel: what a program prints for its user, and
    /// what it raises, is no log.
    pub(super) fn on_channel(
        &self,
        label: Label,
        confidence: Confidence,
        channel: Channel,
    ) -> Confidence {
        let lower = |confidence| match confidence {
            Confidence::High => Confidence::Medium,
            Confidence::Medium | Confidence::Low => Confidence::Low,
        };
        match channel {
            Channel::Log | Channel::Tracker | Channel::Trace => match label {
                Label::Tensor => lower(confidence),
                _ => confidence,
            },
            Channel::Console if self.context.server || self.debugging > 0 => match label {
                Label::Tensor | Label::Personal => Confidence::Low,
                _ => confidence,
            },
            Channel::Console if self.telling > 0 && label.is_model_text() => match label {
                Label::Tensor => Confidence::Low,
                _ => confidence,
            },
            Channel::Console => match label {
                Label::Credential | Label::Headers | Label::Financial => confidence,
                Label::Body | Label::Settings => lower(confidence),
                _ => Confidence::Low,
            },
            Channel::Exception => match label {
                Label::Credential if confidence == Confidence::High => Confidence::Medium,
                _ => Confidence::Low,
            },
        }
    }
}

/// `print("the model call", request)`: a text that stands apart says what is beside it.
fn beside_text(text: &str) -> Cow<'_, str> {
    if text.ends_with(char::is_alphabetic) {
        Cow::Owned(format!("{text}:"))
    } else {
        Cow::Borrowed(text)
    }
}

/// `1`, `2`, `sys.stdout.fileno()`
fn is_standard(descriptor: &Expr) -> bool {
    match &descriptor.kind {
        ExprKind::Constant(Literal::Integer(number)) => matches!(number, 1 | 2),
        ExprKind::Call(call) => match &call.callee.kind {
            ExprKind::Attribute(base, method) => {
                method.name == "fileno"
                    && base.last_name().is_some_and(|base| base.name.contains("std"))
            }
            _ => false,
        },
        _ => false,
    }
}

/// `print(…, file=sys.stderr)`, `sys.stderr.write(…)`
fn to_stderr(call: &Call) -> bool {
    let is_stderr = |expr: &Expr| expr.last_name().is_some_and(|ident| ident.name == "stderr");
    call.keyword("file").is_some_and(is_stderr)
        || matches!(&call.callee.kind, ExprKind::Attribute(base, _) if is_stderr(base))
}

/// `logger` of `logger.bind(request=1).opt(lazy=True)`.
fn unbound(mut receiver: &Expr) -> &Expr {
    while let ExprKind::Call(call) = &receiver.kind
        && let ExprKind::Attribute(base, method) = &call.callee.kind
        && LOGGER_AGAIN.contains(&method.name.as_str())
    {
        receiver = base;
    }
    receiver
}
