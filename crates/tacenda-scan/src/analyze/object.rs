//! Whole objects that are written, of which a part is sensitive: configuration, requests.

use ruff_python_ast::name::Name;

use super::Walker;
use super::access::KEEPING;
use super::bind::{self_attribute, variable};
use super::library::GIVES_KEYS;
use super::pair::behind_its_name;
use super::said::before_hole;
use super::sink::Place;
use super::template::{holes, named_holes, words_of};
use crate::Confidence;
use crate::context::Context;
use crate::ir::{Call, Class_, Expr, ExprKind, Ident, Span, Stmt, StmtKind, TypeHint};
use crate::label::Label;
use crate::lexicon::{Class, Need, words};
use crate::model::{Channel, Declared, Effect};
use crate::program::ClassEntry;
use crate::value::{Flow, Known, Origin, Value, What};

/// Fields of fields are asked about this deep.
const MAX_FIELDS: u32 = 3;

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

/// Methods that give all that an object holds.
const DUMPING: &[&str] =
    &["model_dump", "model_dump_json", "dict", "json", "to_dict", "as_dict", "to_json", "_asdict"];

/// Whether what has this name came of a login, or lets in: `login_result`.
fn is_of_login(ident: &Ident) -> bool {
    let of_login = |word: &Name| {
        matches!(word.as_str(), "login" | "logon" | "signin" | "auth" | "token" | "credentials")
    };
    !matches!(ident.class, Class::Harmless | Class::Treated)
        && words(&ident.name).iter().any(of_login)
}

impl<'a> Walker<'a> {
    /// Whole objects in an argument, of which a part is sensitive: configuration, requests.
    pub(super) fn whole_objects(
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
        if self.is_name_of_login(expr, text) && !self.is_object(expr) {
            return self.report_named(
                Label::Personal,
                expr,
                Place { argument: expr.span, call, channel },
            );
        }
        let ident = match &expr.kind {
            ExprKind::Join(parts) => return self.objects_joined(parts, call, channel, depth),
            ExprKind::List(parts) | ExprKind::Choice(parts) => {
                for part in parts {
                    self.whole_objects(part, text, call, channel, depth + 1);
                }
                return;
            }
            ExprKind::Call(inner) => {
                let place = Place { argument: expr.span, call, channel };
                return self.objects_of_call(expr, inner, text, place, depth);
            }
            ExprKind::Star(inner) => {
                return self.whole_objects(inner, text, call, channel, depth + 1);
            }
            // `settings["database"]`, where `settings["database"]["password"]` is read.
            ExprKind::Item(base, key)
                if key.text().is_some() && !matches!(base.kind, ExprKind::Item(..)) =>
            {
                let section = base.last_name().map(|ident| format!("{}[]", ident.name));
                let holds = |name: String| self.context.holders.contains(name.as_str());
                if section.is_some_and(holds) {
                    self.report_whole(expr, Confidence::Medium, call, channel);
                }
                return;
            }
            ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => ident,
            _ => return,
        };
        let known = self.known_of(expr);
        if let Some(known) = &known {
            if matches!(known, Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built) {
                return;
            }
            let shown = self.text_of(known, expr.span, false);
            for flow in &shown.flows {
                self.report(flow, Place { argument: expr.span, call, channel }, true);
            }
            let says_itself =
                matches!(known, Known::Object(class) if self.own_text(class).is_some());
            if says_itself || !shown.flows.is_empty() {
                return;
            }
        }
        let told = if self.is_exchanged_text(ident, known.as_ref()) {
            Some(Label::Body)
        } else if let Some(label) = self.is_said_to_model(known.as_ref()) {
            Some(label)
        } else {
            let session = self.is_session_of_login(ident, text) || self.is_sid(expr);
            session.then_some(Label::Credential)
        };
        if let Some(label) = told {
            return self.report_named(label, expr, Place { argument: expr.span, call, channel });
        }
        let Some(confidence) = self.whole_object(ident, known.as_ref(), text) else { return };
        self.report_whole(expr, confidence, call, channel);
    }

    /// Whether an expression stands for an object of a class, which is no text.
    fn is_object(&mut self, expr: &Expr) -> bool {
        matches!(self.known_of(expr), Some(Known::Object(class)) if class != "str")
    }

    /// Notes that something is written of which the name, and the message with it, says what it is.
    fn report_named(&mut self, label: Label, expr: &Expr, place: Place) {
        let known = self.known_of(expr);
        if matches!(known, Some(Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built))
        {
            return;
        }
        let way = Some(self.step(expr.span, What::Named, None));
        let origin = Origin::Source(label, Confidence::Medium);
        self.report(&Flow { origin, field: None, way }, place, false);
    }

    /// Whole objects in a text that is put together.
    fn objects_joined(&mut self, parts: &'a [Expr], call: Span, channel: Channel, depth: u32) {
        let text = words_of(parts.iter());
        let (mut before, mut earlier) = ("", "");
        // `"token: %s of %s" % (token, user)`
        let template = parts.first().and_then(Expr::text).filter(|text| text.contains('%'));
        let template = template.map(holes).unwrap_or_default();
        let of_template = template.len() + 1 == parts.len();
        for (at, part) in parts.iter().enumerate() {
            let hole = at.checked_sub(1).and_then(|at| template.get(at));
            let said = match hole {
                Some(hole) if of_template => before_hole(hole.before, ""),
                _ => before_hole(before, earlier),
            };
            let pair = match hole {
                Some(hole) if of_template => (at.checked_sub(1), hole.before),
                _ => (at.checked_sub(2), before),
            };
            let behind = match pair {
                (Some(name), between) => behind_its_name(&parts[name], between, part),
                (None, _) => None,
            };
            if let Some(label) = behind {
                self.report_named(label, part, Place { argument: part.span, call, channel });
            } else if !self.said_in_text(&said, &text, part, call, channel) {
                self.whole_objects(part, &text, call, channel, depth + 1);
            }
            if let Some(text) = part.text() {
                (earlier, before) = (if before.is_empty() { earlier } else { before }, text);
            } else {
                (earlier, before) = (if before.is_empty() { earlier } else { before }, "");
            }
        }
    }

    /// Whole objects among what a function is handed that makes a text of it.
    fn objects_of_call(
        &mut self,
        expr: &'a Expr,
        inner: &'a Call,
        text: &str,
        place: Place,
        depth: u32,
    ) {
        let Place { call, channel, .. } = place;
        let (method, name) = match &inner.callee.kind {
            ExprKind::Name(ident) => (None, ident),
            ExprKind::Attribute(base, ident) => (Some(&**base), ident),
            _ => return,
        };
        if matches!(name.name.as_str(), "get" | "pop" | "getattr")
            || GIVES_KEYS.contains(&name.name.as_str())
            || name.name == "join" && inner.arguments.iter().all(is_mapping)
        {
            return;
        }
        if inner.keywords.iter().any(|(key, _)| leaves_out(key.as_ref())) {
            return;
        }
        if DUMPING.contains(&name.name.as_str())
            && method.and_then(Expr::last_name).is_some_and(is_of_login)
        {
            return self.report_whole(expr, Confidence::Medium, call, channel);
        }
        if name.name == "locals" && depth == 0 && self.frame.credentials {
            return self.report_whole(expr, Confidence::Medium, call, channel);
        }
        let effect = match self.declared(&inner.callee, method, name) {
            Some(Declared::Treats(effect)) => effect,
            Some(_) => return,
            None => self.models().effect(&name.name, method.is_some()),
        };
        if effect == Effect::Carries {
            let text = if name.name == "format" {
                method.map_or(String::new(), |text| words_of([text]))
            } else {
                text.to_owned()
            };
            // `config.dumps()`: what writes itself may leave things out.
            let itself =
                matches!(name.name.as_str(), "dumps" | "dump") && inner.arguments.is_empty();
            if name.name != "format"
                && !itself
                && let Some(base) = method
            {
                self.whole_objects(base, &text, call, channel, depth + 1);
            }
            let template = method.filter(|_| name.name == "format").and_then(Expr::text);
            let holes = template.map(holes).unwrap_or_default();
            // `"{host}".format(**config)`: what the template takes, not all.
            let takes = |key: Option<&Ident>| {
                key.is_some() || template.is_none_or(|template| self.takes_secrets(template))
            };
            let keywords: Vec<_> =
                inner.keywords.iter().filter(|(key, _)| takes(key.as_ref())).collect();
            let keywords = keywords.into_iter().map(|(_, part)| part);
            for (at, part) in inner.arguments.iter().chain(keywords).enumerate() {
                let before = holes.get(at).filter(|_| at < inner.arguments.len());
                let before = before.map_or("", |hole| hole.before);
                if before.is_empty() || !self.said_in_text(before, &text, part, call, channel) {
                    self.whole_objects(part, &text, call, channel, depth + 1);
                }
            }
        }
    }

    /// Whether a template takes something by the name of a credential.
    fn takes_secrets(&self, template: &str) -> bool {
        named_holes(template)
            .any(|name| self.models().classify(name).within(self.context).is_some())
    }

    /// What a class says by its name of the text in its objects: `ChatCompletionRequest`.
    fn is_said_to_model(&self, known: Option<&Known>) -> Option<Label> {
        let Some(Known::Object(class)) = known else { return None };
        let words = words(class);
        let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
        let of_model = has(&["completion", "completions", "llm"])
            || self.context.ml && has(&["chat", "prompt", "generate", "generation"]);
        match words.last()?.as_str() {
            "request" | "input" | "payload" if of_model => Some(Label::Prompt),
            "body" if of_model && has(&["request"]) => Some(Label::Prompt),
            "response" if of_model => Some(Label::Completion),
            _ => None,
        }
    }

    /// Whether something is a record, none of whose fields could hold a credential: the token of a
    /// grammar, of a proxy.
    pub(super) fn is_record_without(&self, known: &Known) -> bool {
        let Known::Object(class) = known else { return false };
        let Some((file, entry)) = self.shared.program.class(self.file, class) else { return false };
        let declared = entry.class.body.iter().filter_map(shown_field).flatten();
        self.looked_around.set(true);
        let kept = self.shared.attributes.get(&(file, entry.class.name.clone()));
        let kept = kept.into_iter().flat_map(|kept| kept.keys());
        let mut fields = declared.map(|field| &field.name).chain(kept).peekable();
        let other = |field: &Name| {
            let holds = KEEPING.contains(&field.as_str()) || field == "key";
            !holds && !matches!(self.models().classify(field), Class::Sensitive(..))
        };
        fields.peek().is_some() && fields.all(other)
    }

    fn report_whole(&mut self, expr: &Expr, confidence: Confidence, call: Span, channel: Channel) {
        let flow = Flow {
            origin: Origin::Source(Label::Settings, confidence),
            field: None,
            way: Some(self.step(expr.span, What::Named, None)),
        };
        self.report(&flow, Place { argument: expr.span, call, channel }, true);
    }

    /// `line = f"returned data: {answer}"`: the text says what is in it, wherever it is written.
    pub(super) fn label_said(&self, parts: &'a [Expr], value: &mut Value) {
        let Some(Expr { kind: ExprKind::Text(..), .. }) = parts.first() else { return };
        let text = words_of(parts);
        let mut before = "";
        for part in parts {
            if let Some(text) = part.text() {
                before = text;
                continue;
            }
            let said = self.said(before, &text, part);
            let known = variable(part).and_then(|key| self.env.get(&key)).map(|value| &value.known);
            if let Some(label @ (Label::Body | Label::Completion)) = said
                && !known.is_some_and(Known::outdoes_message)
            {
                self.label(value, label, Confidence::Medium, part.span, What::Named);
            }
            before = "";
        }
    }

    /// `f"password: {answer}"`: the text says what the value is.
    pub(super) fn said_in_text(
        &mut self,
        before: &str,
        message: &str,
        part: &'a Expr,
        call: Span,
        channel: Channel,
    ) -> bool {
        let whole = matches!(part.kind, ExprKind::Name(_) | ExprKind::Attribute(..));
        let label = self.said(before, message, part);
        let Some(label) = label.filter(|label| whole || *label != Label::Credential) else {
            return false;
        };
        let known = variable(part).and_then(|key| self.env.get(&key)).map(|value| &value.known);
        if known.is_some_and(Known::outdoes_message) {
            return false;
        }
        let way = Some(self.step(part.span, What::Named, None));
        let flow = Flow { origin: Origin::Source(label, Confidence::Medium), field: None, way };
        self.report(&flow, Place { argument: part.span, call, channel }, false);
        true
    }

    /// How sure it is that an object holds credentials that its text shows.
    pub(super) fn whole_object(
        &self,
        ident: &Ident,
        known: Option<&Known>,
        text: &str,
    ) -> Option<Confidence> {
        let name = ident.name.as_str();
        if matches!(name, "self" | "cls" | "e" | "err" | "error" | "exc" | "ex" | "exception") {
            return None;
        }
        let held = self.context.holders.contains(name)
            || self.shared.program.is_configuration(self.file, name);
        if held && matches!(ident.class, Class::Plain | Class::Sensitive(..)) {
            return Some(Confidence::Medium);
        }
        if self.is_answer_of_login(ident, known, text) {
            return Some(Confidence::Medium);
        }
        if self.context.http && self.frame.sent.contains(&ident.name) {
            return Some(Confidence::Medium);
        }
        let (Class::Sensitive(Label::Settings, ..) | Class::Sensitive(_, _, Need::Tools)) =
            ident.class
        else {
            return None;
        };
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
            && [
                "request", "header", "payload", "body", "param", "curl", "response", "post",
                "graphql", "query",
            ]
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
                    | "variables"
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

    /// What the text of an object of this class shows: credentials, text of a model; with `hidden`,
    /// also what is declared not to be shown, which `asdict` does not ask about.
    fn shows(&self, file: u32, class: &Name, hidden: bool, depth: u32) -> Option<Label> {
        let program = self.shared.program;
        let by_fields =
            |_: u32, entry: &ClassEntry<'_>| is_shown_by_fields(entry.class).then_some(());
        program.inherited(file, class, &mut { by_fields })?;
        let mut shown: Option<Label> = None;
        program
            .inherited(file, class, &mut |file, entry| {
                let context = &program.units[file as usize].ir.context;
                for stmt in &entry.class.body {
                    let inside = match &stmt.kind {
                        StmtKind::Assign(_, _, TypeHint::Named(inner))
                            if depth < MAX_FIELDS && inner != class =>
                        {
                            self.shows(file, inner, hidden, depth + 1)
                        }
                        _ => None,
                    };
                    shown = shown.or(inside);
                    match shown_by(stmt, context, hidden) {
                        None => {}
                        Some(Label::Settings) => return Some(Label::Settings),
                        text => shown = text,
                    }
                }
                None
            })
            .or(shown)
    }

    /// What the text of a value shows because of what it is an object of; with `hidden`, what all of
    /// its fields do.
    pub(super) fn text_of(&mut self, known: &Known, span: Span, hidden: bool) -> Value {
        let mut value = Value::default();
        let Known::Object(class) = known else { return value };
        if !hidden && let Some(flows) = self.own_text(class) {
            for flow in flows {
                value.add(flow);
            }
        } else if let Some(label) = self.shows(self.file, class, hidden, 0) {
            // What a class declares it holds, it holds.
            let sure = if label == Label::Settings { Confidence::High } else { Confidence::Medium };
            value = Value::source(label, sure, self.step(span, What::Named, None));
        }
        value
    }

    /// What the text of an object of a class shows that says itself how it is written.
    fn own_text(&mut self, class: &Name) -> Option<Vec<Flow>> {
        let program = self.shared.program;
        let method = ["__str__", "__repr__"]
            .into_iter()
            .find_map(|name| program.method(self.file, class, &Name::new_static(name)))?;
        self.outcome.callees.insert(method);
        let returns = &self.shared.summaries[method].returns;
        // What a base writes of whatever is built on it says nothing of what that holds.
        if returns.is_empty() && !program.has_method(self.file, class, method) {
            return None;
        }
        let sources = returns.iter();
        let shown = |flow: &&Flow| match flow.origin {
            Origin::Source(label, sure) => !label.is_model_text() || sure == Confidence::High,
            Origin::Parameter(_) | Origin::Inner(_) => false,
        };
        Some(sources.filter(shown).cloned().collect())
    }

    /// What is known of what an expression stands for.
    fn known_of(&mut self, expr: &Expr) -> Option<Known> {
        let class = self.class.clone();
        match &expr.kind {
            ExprKind::Name(ident) if ident.name == "self" => class.map(Known::Object),
            ExprKind::Attribute(base, ident)
                if self_attribute(base, &ident.name)
                    .is_some_and(|key| self.env.get(&key).is_none()) =>
            {
                self.held(&(self.file, class?), &ident.name).map(|value| value.known)
            }
            _ => variable(expr).and_then(|key| self.env.get(&key)).map(|value| value.known.clone()),
        }
    }

    /// What a call gives that gives all that an object or a function holds: `vars(self)`,
    /// `asdict(x)`.
    pub(super) fn given_by_all(
        &mut self,
        call: &'a Call,
        receiver: Option<&'a Expr>,
        name: &Name,
        span: Span,
    ) -> Option<Value> {
        let what = match (name.as_str(), &call.arguments[..]) {
            ("vars", [what]) if self.is_self_with_secrets(what) => {
                return Some(self.settings(span));
            }
            ("vars", [what]) if self.context.http && is_request(what) => {
                let way = self.step(span, What::Given, None);
                return Some(Value::source(Label::Headers, Confidence::Medium, way));
            }
            ("asdict" | "astuple", [what]) => what,
            ("model_dump" | "model_dump_json" | "dict" | "json" | "_asdict", []) => receiver?,
            _ => return None,
        };
        if call.keywords.iter().any(|(key, _)| leaves_out(key.as_ref())) {
            return None;
        }
        let known = self.known_of(what)?;
        let shown = self.text_of(&known, span, true);
        (!shown.flows.is_empty()).then_some(shown)
    }

    pub(super) fn settings(&self, span: Span) -> Value {
        Value::source(Label::Settings, Confidence::Medium, self.step(span, What::Given, None))
    }

    /// Whether this is `self`, with a credential among its attributes.
    pub(super) fn is_self_with_secrets(&self, expr: &Expr) -> bool {
        let ExprKind::Name(ident) = &expr.kind else { return false };
        self.looked_around.set(true);
        ident.name == "self"
            && self
                .class
                .as_ref()
                .and_then(|class| self.shared.attributes.get(&(self.file, class.clone())))
                .is_some_and(|attributes| {
                    attributes.iter().any(|(name, value)| {
                        self.models().classify(name).is_credential() && !value.is_harmless()
                    })
                })
    }
}

/// Whether an expression stands for a dictionary, by its name: what is joined of it are its keys.
fn is_mapping(expr: &Expr) -> bool {
    expr.last_name().is_some_and(|ident| {
        matches!(ident.name.as_str(), "config" | "conf" | "cfg" | "settings" | "kwargs")
            && matches!(expr.kind, ExprKind::Name(_) | ExprKind::Attribute(..))
    })
}

/// Whether an expression stands for a request or what came back of one, by its name.
fn is_request(expr: &Expr) -> bool {
    expr.last_name().is_some_and(|ident| {
        matches!(ident.name.as_str(), "request" | "req" | "response" | "resp" | "prepared")
    })
}

/// Whether the text of an object of this class is made of its fields.
pub(super) fn is_shown_by_fields(class: &Class_) -> bool {
    class.decorators.iter().chain(&class.bases).any(|one| {
        one.last_name().is_some_and(|ident| {
            matches!(
                ident.name.as_str(),
                "dataclass"
                    | "attrs"
                    | "s"
                    | "define"
                    | "mutable"
                    | "dataclass_json"
                    | "SQLModel"
                    | "frozen"
                    | "NamedTuple"
                    | "BaseModel"
                    | "BaseSettings"
                    | "TypedDict"
            )
        })
    })
}

/// Whether an argument of this name says which fields are meant.
fn leaves_out(key: Option<&Ident>) -> bool {
    key.is_some_and(|key| key.name == "exclude" || key.name == "include")
}

/// The name of the field that a statement in a class declares; none for one with `repr=False`.
#[expect(clippy::option_option, reason = "whether it is a field, and whether that is shown")]
pub(super) fn shown_field(stmt: &Stmt) -> Option<Option<&Ident>> {
    let StmtKind::Assign(targets, value, hint) = &stmt.kind else { return None };
    let made = value.as_ref().and_then(|value| match &value.kind {
        ExprKind::Call(call) => Some(call),
        _ => None,
    });
    let made_as_field = made.is_some_and(|call| {
        call.callee
            .last_name()
            .is_some_and(|ident| matches!(ident.name.as_str(), "ib" | "attrib" | "field" | "Field"))
    });
    if *hint == TypeHint::None && !made_as_field {
        return None;
    }
    let not_shown = made
        .and_then(|call| call.keyword("repr"))
        .is_some_and(|shown| matches!(shown.kind, ExprKind::Constant(_)) && !shown.is_true());
    let ident = targets.first().and_then(Expr::last_name)?;
    Some((!not_shown).then_some(ident))
}

/// What a field shows that this declares; with `hidden`, also one with `repr=False`.
fn shown_by(stmt: &Stmt, context: &Context, hidden: bool) -> Option<Label> {
    let shown = shown_field(stmt)?;
    let StmtKind::Assign(targets, _, hint) = &stmt.kind else { return None };
    if shown.is_none() && !hidden || *hint == TypeHint::Harmless {
        return None;
    }
    match targets.first().and_then(Expr::last_name)?.class.within(context) {
        Some((Label::Credential, Confidence::High)) => Some(Label::Settings),
        Some((
            label @ (Label::Prompt | Label::Completion | Label::Headers | Label::Body),
            Confidence::High,
        )) => Some(label),
        _ => None,
    }
}
