//! What is written out, and where.

use ruff_python_ast::name::Name;

use super::call::Arguments;
use super::stmt::variable;
use super::template::{holes, is_text, said, words_of};
use super::{Found, ParameterSink, Walker};
use crate::Confidence;
use crate::ir::{Call, Class_, Expr, ExprKind, Ident, Span, Stmt, StmtKind, TypeHint};
use crate::label::Label;
use crate::lexicon::{Class, classify, words};
use crate::model::{Channel, Effect, MODELS, SinkMatch};
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

/// Names of objects among whose fields a credential is at home.
const HOLDERS: &[&str] = &[
    "kwargs",
    "params",
    "options",
    "opts",
    "config",
    "conf",
    "cfg",
    "settings",
    "cmd",
    "command",
    "cmdline",
    "argv",
    "parameters",
    "properties",
    "environ",
    "configuration",
    "kw",
];

/// Where something is written.
#[derive(Clone, Copy)]
struct Place {
    /// The argument in which it is.
    argument: Span,
    /// The call.
    call: Span,
    /// What the call writes to.
    channel: Channel,
}

impl<'a> Walker<'a> {
    /// What a call writes to, if it writes.
    pub(super) fn sink_of(
        &self,
        call: &'a Call,
        receiver: Option<&'a Expr>,
        name: &Ident,
    ) -> Option<SinkMatch> {
        let program = self.shared.program;
        let found = match receiver {
            None => {
                if matches!(self.env.get(&name.name).map(|value| &value.known), Some(Known::Logger))
                {
                    return Some(SinkMatch { channel: Channel::Log, text_first: false });
                }
                match program.imported(self.file, &name.name) {
                    Some(path) => MODELS.sink_call(path)?,
                    None => {
                        // A function of this name that is here says itself what it does.
                        if program.lookup(self.file, &name.name).is_some() {
                            return None;
                        }
                        MODELS.sink_call(&name.name).or_else(|| self.is_log_method(name))?
                    }
                }
            }
            Some(receiver) => {
                let last = receiver.last_name();
                let by_method = last.and_then(|last| MODELS.sink_method(&last.name, &name.name));
                match by_method {
                    Some(found) => {
                        let on_self =
                            last.is_some_and(|last| last.name == "self" || last.name == "cls");
                        let here = on_self
                            && self.class.as_ref().is_some_and(|class| {
                                program.method(self.file, class, &name.name).is_some()
                            });
                        if here {
                            return None;
                        }
                        found
                    }
                    None => MODELS.sink_call(&self.path(&call.callee)?)?,
                }
            }
        };
        if found.text_first && !call.arguments.iter().take(2).any(is_text) {
            return None;
        }
        if found.channel == Channel::Console {
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

    /// `log_method(…)`, where `log_method = logger.info`.
    fn is_log_method(&self, name: &Ident) -> Option<SinkMatch> {
        let words = words(&name.name);
        let logs = words.len() > 1
            && words.iter().any(|word| word == "log" || word == "logger")
            && words.last().is_some_and(|word| {
                matches!(word.as_str(), "method" | "func" | "fn" | "function" | "fun" | "callback")
            });
        logs.then_some(SinkMatch { channel: Channel::Log, text_first: false })
    }

    /// A call that writes.
    pub(super) fn written(
        &mut self,
        _call: &'a Call,
        span: Span,
        sink: SinkMatch,
        arguments: &Arguments<'a>,
    ) {
        let template = arguments.by_place.iter().find_map(|(expr, _)| match &expr.kind {
            ExprKind::Text(text, _) if text.contains('%') || text.contains('{') => Some(&**text),
            _ => None,
        });
        let holes = template.map(holes).unwrap_or_default();
        let text = words_of(arguments.by_place.iter().map(|(expr, _)| *expr));
        let after_template = arguments
            .by_place
            .iter()
            .position(|(expr, _)| matches!(expr.kind, ExprKind::Text(..)))
            .map_or(0, |at| at + 1);
        for (at, (expr, value)) in arguments.by_place.iter().enumerate() {
            let hole = at.checked_sub(after_template).and_then(|at| holes.get(at));
            if hole.is_some_and(|hole| hole.numeric) {
                continue;
            }
            let said = hole.and_then(|hole| hole.said);
            let escaped;
            let value = if hole.is_some_and(|hole| hole.escaped) {
                escaped = value
                    .clone()
                    .retain(|flow| !matches!(flow.origin, Origin::Source(Label::Untrusted, _)));
                &escaped
            } else {
                value
            };
            self.argument(expr, value, said, &text, span, sink.channel);
        }
        for (key, expr, value) in &arguments.by_name {
            if key.is_some_and(|key| MANNERS.contains(&key.name.as_str())) {
                continue;
            }
            let value = match key {
                Some(key) => self.named(key, expr.span, value.clone()),
                None => value.clone(),
            };
            self.argument(expr, &value, None, &text, span, sink.channel);
        }
    }

    fn argument(
        &mut self,
        expr: &'a Expr,
        value: &Value,
        said: Option<Class>,
        text: &str,
        call: Span,
        channel: Channel,
    ) {
        let mut said_credential = false;
        let mut reported = false;
        for flow in &value.flows {
            match flow.origin {
                Origin::Source(_, confidence) => {
                    reported |= confidence >= Confidence::Medium;
                    self.report(
                        flow,
                        Place { argument: expr.span, call, channel },
                        flow.field.is_some(),
                    );
                }
                // What is wrong here already is not also wrong in every caller.
                Origin::Parameter(_)
                    if value.sources().any(|(_, sure, _)| sure >= Confidence::Medium) => {}
                Origin::Parameter(parameter) => {
                    let wrapper = self.is_wrapper(expr, parameter);
                    let way = Some(self.step(expr.span, What::Written, flow.way.clone()));
                    if self
                        .frame
                        .sinks
                        .iter()
                        .all(|sink| sink.parameter != parameter || sink.call != call)
                        && self.frame.sinks.len() < 64
                    {
                        self.frame.sinks.push(ParameterSink {
                            parameter,
                            channel,
                            way,
                            file: self.file,
                            call,
                            argument: expr.span,
                            wrapper,
                        });
                    }
                }
            }
        }
        // `"password: %s"`: the message says what the argument is.
        if !reported
            && let Some(class) = said
            && class.is_credential()
            && !matches!(value.known, Known::Harmless | Known::Treated | Known::Texts(_))
            && !expr
                .last_name()
                .is_some_and(|ident| matches!(ident.class, Class::Harmless | Class::Treated))
        {
            said_credential = true;
            let flow = Flow {
                origin: Origin::Source(Label::Credential, Confidence::Medium),
                field: None,
                way: Some(self.step(expr.span, What::Named, None)),
            };
            self.report(&flow, Place { argument: expr.span, call, channel }, false);
        }
        if !reported && !said_credential {
            self.whole_objects(expr, text, call, channel, 0);
        }
    }

    /// Whole objects in an argument, of which a part is sensitive: configuration, requests.
    fn whole_objects(
        &mut self,
        expr: &'a Expr,
        text: &str,
        call: Span,
        channel: Channel,
        depth: u32,
    ) {
        if depth > 6 {
            return;
        }
        let ident = match &expr.kind {
            ExprKind::Join(parts) => {
                let text = words_of(parts.iter());
                let mut before = "";
                for part in parts {
                    if !self.said_in_text(before, part, call, channel) {
                        self.whole_objects(part, &text, call, channel, depth + 1);
                    }
                    before = part.text().unwrap_or_default();
                }
                return;
            }
            ExprKind::List(parts) | ExprKind::Choice(parts) => {
                for part in parts {
                    self.whole_objects(part, text, call, channel, depth + 1);
                }
                return;
            }
            ExprKind::Call(inner) => {
                let (method, name) = match &inner.callee.kind {
                    ExprKind::Name(ident) => (None, ident),
                    ExprKind::Attribute(base, ident) => (Some(&**base), ident),
                    _ => return,
                };
                if matches!(name.name.as_str(), "get" | "pop" | "getattr") {
                    return;
                }
                if self.gives_all(inner, &name.name, depth) {
                    self.report_whole(expr, Confidence::Medium, call, channel);
                    return;
                }
                if MODELS.effect(&name.name, method.is_some()) == Effect::Carries {
                    let text = if name.name == "format" {
                        method.map_or(String::new(), |text| words_of([text]))
                    } else {
                        text.to_owned()
                    };
                    if name.name != "format"
                        && let Some(base) = method
                    {
                        self.whole_objects(base, &text, call, channel, depth + 1);
                    }
                    for part in
                        inner.arguments.iter().chain(inner.keywords.iter().map(|(_, part)| part))
                    {
                        self.whole_objects(part, &text, call, channel, depth + 1);
                    }
                }
                return;
            }
            ExprKind::Star(inner) => {
                return self.whole_objects(inner, text, call, channel, depth + 1);
            }
            ExprKind::Attribute(base, ident) if ident.name == "__dict__" => {
                if self.is_self_with_secrets(base) {
                    self.report_whole(expr, Confidence::Medium, call, channel);
                }
                return;
            }
            ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => ident,
            _ => return,
        };
        let known = variable(expr).and_then(|key| self.env.get(&key)).map(|value| &value.known);
        if matches!(known, Some(Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built))
        {
            return;
        }
        let Some(confidence) = self.whole_object(ident, known, text) else { return };
        self.report_whole(expr, confidence, call, channel);
    }

    fn report_whole(&mut self, expr: &Expr, confidence: Confidence, call: Span, channel: Channel) {
        let flow = Flow {
            origin: Origin::Source(Label::Settings, confidence),
            field: None,
            way: Some(self.step(expr.span, What::Named, None)),
        };
        self.report(&flow, Place { argument: expr.span, call, channel }, true);
    }

    /// `f"password: {answer}"`: the text says what the value is.
    fn said_in_text(&mut self, before: &str, part: &'a Expr, call: Span, channel: Channel) -> bool {
        if !said(before).is_some_and(Class::is_credential)
            || !matches!(part.kind, ExprKind::Name(_) | ExprKind::Attribute(..))
            || part
                .last_name()
                .is_some_and(|ident| matches!(ident.class, Class::Harmless | Class::Treated))
        {
            return false;
        }
        let known = variable(part).and_then(|key| self.env.get(&key)).map(|value| &value.known);
        if matches!(known, Some(Known::Harmless | Known::Treated | Known::Texts(_))) {
            return false;
        }
        let way = Some(self.step(part.span, What::Named, None));
        let flow = Flow {
            origin: Origin::Source(Label::Credential, Confidence::Medium),
            field: None,
            way,
        };
        self.report(&flow, Place { argument: part.span, call, channel }, false);
        true
    }

    /// How sure it is that an object holds credentials that its text shows.
    fn whole_object(&self, ident: &Ident, known: Option<&Known>, text: &str) -> Option<Confidence> {
        let name = ident.name.as_str();
        if matches!(name, "self" | "cls" | "e" | "err" | "error" | "exc" | "ex" | "exception") {
            return None;
        }
        let held = self.context.holders.contains(name);
        if held && matches!(ident.class, Class::Plain | Class::Sensitive(..)) {
            return Some(Confidence::Medium);
        }
        if let Some(Known::Object(class)) = known
            && self.shows_secrets(class, false)
        {
            return Some(Confidence::Medium);
        }
        let Class::Sensitive(Label::Settings, ..) = ident.class else { return None };
        let mapping = matches!(known, Some(Known::Object(class)) if matches!(class.as_str(), "Dict" | "dict" | "Mapping" | "MutableMapping" | "Namespace"));
        if self.context.credentials && mapping {
            return Some(Confidence::Medium);
        }
        let words = words(name);
        let environment =
            words.iter().any(|word| matches!(word.as_str(), "env" | "environ" | "environment"));
        if self.context.credentials && environment {
            return Some(Confidence::Medium);
        }
        let http = self.context.http
            && ["request", "header", "payload", "body", "param", "curl", "response", "post"]
                .iter()
                .any(|word| text.contains(word))
            && matches!(
                name,
                "options"
                    | "kwargs"
                    | "opts"
                    | "params"
                    | "req"
                    | "args"
                    | "parameters"
                    | "arguments"
                    | "curl"
                    | "curl_command"
                    | "context"
            );
        // The text of a WebOb request is all of it, head and body.
        let whole_request = self.context.webob && matches!(name, "req" | "request");
        // What a function is configured with that handles credentials.
        let model = self.context.ml && !self.context.http;
        let handled = self.frame.credentials
            && !model
            && words.last().is_some_and(|word| HOLDERS.contains(&word.as_str()));
        if http || whole_request || handled {
            return Some(Confidence::Medium);
        }
        Some(Confidence::Low)
    }

    /// Whether the text of an object of this class shows its credentials; with `hidden`, also those
    /// that are declared not to be shown, which `asdict` does not ask about.
    fn shows_secrets(&self, class: &Name, hidden: bool) -> bool {
        let program = self.shared.program;
        let any = |test: &mut dyn FnMut(&Class_) -> bool| {
            program
                .inherited(self.file, class, &mut |entry| test(entry.class).then_some(()))
                .is_some()
        };
        any(&mut |class| is_shown_by_fields(class))
            && any(&mut |class| class.body.iter().any(|stmt| is_shown_secret(stmt, hidden)))
    }

    /// A call that gives all that an object or a function holds: `vars(self)`, `asdict(x)`, `locals()`.
    fn gives_all(&self, call: &'a Call, name: &Name, depth: u32) -> bool {
        match (name.as_str(), &call.arguments[..]) {
            ("locals", []) => depth == 0 && self.frame.credentials,
            ("vars", [what]) => self.is_self_with_secrets(what),
            ("asdict" | "astuple", [what]) => {
                let known = variable(what).and_then(|key| self.env.get(&key));
                matches!(known.map(|value| &value.known),
                    Some(Known::Object(class)) if self.shows_secrets(class, true))
            }
            _ => false,
        }
    }

    /// Whether this is `self`, with a credential among its attributes.
    fn is_self_with_secrets(&self, expr: &Expr) -> bool {
        let ExprKind::Name(ident) = &expr.kind else { return false };
        ident.name == "self"
            && self
                .class
                .as_ref()
                .and_then(|class| self.shared.attributes.get(&(self.file, class.clone())))
                .is_some_and(|attributes| {
                    attributes
                        .iter()
                        .any(|(name, value)| classify(name).is_credential() && !value.is_harmless())
                })
    }

    /// A parameter of a function that is called has been written out there.
    pub(super) fn reached(&mut self, sink: &ParameterSink, value: &Value, place: Span, call: Span) {
        for flow in &value.flows {
            let way = self.step(place, What::Passed, flow.way.clone());
            match flow.origin {
                Origin::Source(label, confidence) => {
                    let confidence = self.on_channel(label, confidence, sink.channel);
                    let (file, at, argument) = if sink.wrapper {
                        (self.file, call, place)
                    } else {
                        (sink.file, sink.call, sink.argument)
                    };
                    let confidence =
                        if sink.wrapper { confidence } else { confidence.min(Confidence::Medium) };
                    let way = self.joined(&way, sink.way.as_ref());
                    self.outcome.found.push(Found {
                        file,
                        call: at,
                        argument,
                        channel: sink.channel,
                        label,
                        confidence,
                        whole: flow.field.is_some(),
                        way: Some(way),
                    });
                }
                Origin::Parameter(parameter) => {
                    if self.frame.sinks.len() < 64
                        && self
                            .frame
                            .sinks
                            .iter()
                            .all(|one| one.parameter != parameter || one.call != call)
                    {
                        let way = Some(self.joined(&way, sink.way.as_ref()));
                        let (file, at, argument) = if sink.wrapper {
                            (self.file, call, place)
                        } else {
                            (sink.file, sink.call, sink.argument)
                        };
                        let wrapper = sink.wrapper
                            && self.frame.name.as_ref().is_some_and(|name| is_log_name(name));
                        self.frame.sinks.push(ParameterSink {
                            parameter,
                            channel: sink.channel,
                            way,
                            file,
                            call: at,
                            argument,
                            wrapper,
                        });
                    }
                }
            }
        }
    }

    /// The way to a call, followed by the way inside of what is called.
    fn joined(
        &self,
        way: &std::sync::Arc<crate::value::Step>,
        inside: Option<&std::sync::Arc<crate::value::Step>>,
    ) -> std::sync::Arc<crate::value::Step> {
        let mut steps = Vec::new();
        let mut next = inside;
        while let Some(step) = next {
            steps.push(step.clone());
            next = step.before.as_ref();
        }
        steps.into_iter().rev().fold(way.clone(), |before, step| {
            let length = before.length + 1;
            if length > super::MAX_STEPS + 4 {
                return before;
            }
            std::sync::Arc::new(crate::value::Step {
                length,
                before: Some(before),
                ..(*step).clone()
            })
        })
    }

    /// Whether the function is there to write what it is handed.
    fn is_wrapper(&self, expr: &Expr, parameter: u8) -> bool {
        let named = self.frame.name.as_ref().is_some_and(|name| is_log_name(name));
        let of_name = self.frame.parameters.get(usize::from(parameter));
        let message = of_name.is_some_and(|name| {
            matches!(
                name.as_str(),
                "msg" | "message" | "text" | "line" | "fmt" | "format" | "s" | "string"
            )
        });
        named || message && matches!(expr.kind, ExprKind::Name(_))
    }

    /// Something sensitive is part of the message of an exception.
    pub(super) fn written_in_exception(&mut self, expr: &'a Expr, value: &Value, call: Span) {
        for flow in &value.flows {
            let place = Place { argument: expr.span, call, channel: Channel::Exception };
            self.report(flow, place, false);
        }
    }

    /// Notes that something sensitive is written.
    fn report(&mut self, flow: &Flow, place: Place, whole: bool) {
        let Origin::Source(label, confidence) = flow.origin else { return };
        let Place { argument, call, channel } = place;
        let mut confidence = self.on_channel(label, confidence, channel);
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

    /// How sure it is that this is wrong on that channel: what a program prints for its user, and
    /// what it raises, is no log.
    fn on_channel(&self, label: Label, confidence: Confidence, channel: Channel) -> Confidence {
        let lower = |confidence| match confidence {
            Confidence::High => Confidence::Medium,
            Confidence::Medium | Confidence::Low => Confidence::Low,
        };
        match channel {
            Channel::Log | Channel::Tracker | Channel::Trace => match label {
                Label::Tensor => lower(confidence),
                _ => confidence,
            },
            Channel::Console if self.context.server => match label {
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

/// Whether the text of an object of this class is made of its fields.
fn is_shown_by_fields(class: &Class_) -> bool {
    class.decorators.iter().chain(&class.bases).any(|one| {
        one.last_name().is_some_and(|ident| {
            matches!(
                ident.name.as_str(),
                "dataclass"
                    | "attrs"
                    | "s"
                    | "define"
                    | "frozen"
                    | "NamedTuple"
                    | "BaseModel"
                    | "BaseSettings"
                    | "TypedDict"
            )
        })
    })
}

/// Whether this declares a credential as a field; without `hidden`, one with `repr=False` is none.
fn is_shown_secret(stmt: &Stmt, hidden: bool) -> bool {
    let StmtKind::Assign(targets, value, hint) = &stmt.kind else { return false };
    let not_shown = value.as_ref().is_some_and(|value| match &value.kind {
        ExprKind::Call(call) => call.keywords.iter().any(|(key, value)| {
            key.as_ref().is_some_and(|key| key.name == "repr")
                && matches!(value.kind, ExprKind::Constant(_))
                && !value.is_true()
        }),
        _ => false,
    });
    (hidden || !not_shown)
        && *hint != TypeHint::Harmless
        && *hint != TypeHint::None
        && targets
            .iter()
            .any(|target| target.last_name().is_some_and(|ident| ident.class.is_credential()))
}

/// Whether a function of this name is there to write: `log_debug`, `_print`, `audit_log`.
fn is_log_name(name: &str) -> bool {
    let words = words(name);
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return false };
    let writes = |word: &str| {
        matches!(
            word,
            "log"
                | "logger"
                | "debug"
                | "print"
                | "dprint"
                | "vprint"
                | "echo"
                | "trace"
                | "logging"
                | "vlog"
        )
    };
    let alone = words.len() == 1
        && matches!(
            &**first,
            "info"
                | "warn"
                | "warning"
                | "error"
                | "notice"
                | "msg"
                | "verbose"
                | "display"
                | "out"
                | "critical"
                | "fail"
        );
    words.len() <= 3 && (writes(first) || writes(last) || alone)
}
