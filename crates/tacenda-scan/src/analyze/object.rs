//! Whole objects that are written, of which a part is sensitive: configuration, requests.

use ruff_python_ast::name::Name;

use super::Walker;
use super::bind::{self_attribute, variable};
use super::sink::Place;
use super::template::{said, words_of};
use crate::Confidence;
use crate::ir::{Call, Class_, Expr, ExprKind, Ident, Span, Stmt, StmtKind, TypeHint};
use crate::label::Label;
use crate::lexicon::{Class, Need, words};
use crate::model::{Channel, Declared, Effect};
use crate::value::{Flow, Known, Origin, What};

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
                let leaves_out = |key: &Option<Ident>| {
                    key.as_ref().is_some_and(|key| key.name == "exclude" || key.name == "include")
                };
                if inner.keywords.iter().any(|(key, _)| leaves_out(key)) {
                    return;
                }
                let declared = self.declared(&inner.callee, method, name);
                if declared.is_none() && self.gives_all(inner, method, &name.name, depth) {
                    self.report_whole(expr, Confidence::Medium, call, channel);
                    return;
                }
                let effect = match declared {
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
            // `settings["database"]`, where `settings["database"]["password"]` is read.
            ExprKind::Item(base, key) if key.text().is_some() => {
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
        if matches!(known, Some(Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built))
            || self.own_text(expr, known.as_ref(), call, channel)
        {
            return;
        }
        let Some(confidence) = self.whole_object(ident, known.as_ref(), text) else { return };
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
        if !said(before, self.models().names()).is_some_and(Class::is_credential)
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
        if let Some(Known::Object(class)) = known
            && self.shows_secrets(self.file, class, false, 0)
        {
            return Some(Confidence::Medium);
        }
        if matches!(name, "self" | "cls" | "e" | "err" | "error" | "exc" | "ex" | "exception") {
            return None;
        }
        let held = self.context.holders.contains(name);
        if held && matches!(ident.class, Class::Plain | Class::Sensitive(..)) {
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
    fn shows_secrets(&self, file: u32, class: &Name, hidden: bool, depth: u32) -> bool {
        let program = self.shared.program;
        let any = |test: &mut dyn FnMut(u32, &Class_) -> bool| {
            program
                .inherited(file, class, &mut |file, entry| test(file, entry.class).then_some(()))
                .is_some()
        };
        let inside = |file: u32, stmt: &Stmt| match &stmt.kind {
            StmtKind::Assign(_, _, TypeHint::Named(inner)) if depth < MAX_FIELDS => {
                inner != class && self.shows_secrets(file, inner, hidden, depth + 1)
            }
            _ => false,
        };
        any(&mut |_, class| is_shown_by_fields(class))
            && any(&mut |file, class| {
                class.body.iter().any(|stmt| is_shown_secret(stmt, hidden) || inside(file, stmt))
            })
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

    /// Objects of a class that says itself how they are written: reports what that shows. Tells
    /// whether it is such a class.
    fn own_text(
        &mut self,
        expr: &Expr,
        known: Option<&Known>,
        call: Span,
        channel: Channel,
    ) -> bool {
        let Some(Known::Object(class)) = known else { return false };
        let program = self.shared.program;
        let method = ["__str__", "__repr__"]
            .into_iter()
            .find_map(|name| program.method(self.file, class, &Name::new_static(name)));
        let Some(method) = method else { return false };
        self.outcome.callees.insert(method);
        for flow in &self.shared.summaries[method].returns {
            if matches!(flow.origin, Origin::Source(..)) {
                let place = Place { argument: expr.span, call, channel };
                self.report(flow, place, true);
            }
        }
        true
    }

    /// A call that gives all that an object or a function holds: `vars(self)`, `asdict(x)`, `locals()`.
    fn gives_all(
        &mut self,
        call: &'a Call,
        receiver: Option<&'a Expr>,
        name: &Name,
        depth: u32,
    ) -> bool {
        let mut shows = |what: &Expr| match self.known_of(what) {
            Some(Known::Object(class)) => self.shows_secrets(self.file, &class, true, 0),
            _ => false,
        };
        match (name.as_str(), &call.arguments[..]) {
            ("locals", []) => depth == 0 && self.frame.credentials,
            ("vars", [what]) => self.is_self_with_secrets(what),
            ("asdict" | "astuple", [what]) => shows(what),
            ("model_dump" | "model_dump_json" | "dict" | "json" | "_asdict", []) => {
                receiver.is_some_and(shows)
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
                    attributes.iter().any(|(name, value)| {
                        self.models().classify(name).is_credential() && !value.is_harmless()
                    })
                })
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
    let made_as_field = value.as_ref().is_some_and(|value| match &value.kind {
        ExprKind::Call(call) => call.callee.last_name().is_some_and(|ident| {
            matches!(ident.name.as_str(), "ib" | "attrib" | "field" | "Field")
        }),
        _ => false,
    });
    (hidden || !not_shown)
        && *hint != TypeHint::Harmless
        && (*hint != TypeHint::None || made_as_field)
        && targets
            .iter()
            .any(|target| target.last_name().is_some_and(|ident| ident.class.is_credential()))
}
