//! Calls of functions that are not here: what their names say, and what models know of them.

use ruff_python_ast::name::Name;

use super::Walker;
use super::access::constant;
use super::bind::is_mask;
use super::call::{Arguments, cleans_form, fits_a_terminal};
use super::template::{is_query_key, named_holes};
use crate::Confidence;
use crate::ir::{Call, Expr, ExprKind, Ident, Span};
use crate::label::Label;
use crate::lexicon::words;
use crate::model::Effect;
use crate::value::{Flow, Known, Origin, Value, What};

/// Functions that make the text of an object.
const TEXT_MAKERS: &[&str] = &["str", "repr", "format", "ascii", "pformat", "dumps"];
/// Functions that give the objects again that they are handed.
const OF_THE_SAME: &[&str] = &[
    "enumerate",
    "sorted",
    "list",
    "tuple",
    "set",
    "reversed",
    "iter",
    "next",
    "filter",
    "copy",
    "deepcopy",
];
/// Functions that give the keys of a dictionary.
const OF_KEYS: &[&str] =
    &["list", "sorted", "tuple", "set", "frozenset", "iter", "enumerate", "join"];

/// Those of them that a dictionary is handed to for its keys alone.
pub(super) const GIVES_KEYS: &[&str] = &["list", "sorted", "set", "frozenset"];

/// What is left of a dictionary of settings, headers or fields without what is behind its keys.
fn without_contents(value: Value) -> Value {
    value.retain(|flow| {
        !flow.is_part()
            && !matches!(
                flow.origin,
                Origin::Source(Label::Headers | Label::Settings | Label::Body, _)
            )
    })
}

/// `parts._replace(netloc=parts.hostname)`: an address without what was there.
fn without_replaced(value: Value, name: &Ident, arguments: &Arguments<'_>) -> Value {
    let replaces = |part: &str| {
        name.name == "_replace"
            && arguments.by_name.iter().any(|(key, ..)| key.is_some_and(|key| key.name == part))
    };
    let (login, query) = (replaces("netloc"), replaces("query"));
    // `address.with_query(None)`
    let none = name.name == "with_query"
        && arguments.by_place.iter().all(|(_, given)| given.is_harmless());
    let value = if query || none { value.without_query() } else { value };
    value.retain(|_| !login)
}

/// Whether the pattern of `re.sub(pattern, …)` is written out and looks for nothing sensitive: fences,
/// spaces, marks.
fn is_of_form(arguments: &Arguments<'_>) -> bool {
    let [(_, pattern), _, _, ..] = &arguments.by_place[..] else { return false };
    let Known::Texts(patterns) = &pattern.known else { return false };
    let sought =
        ["token", "secret", "pass", "pw", "key", "auth", "cred", "sig", "card", "@", "\\d"];
    patterns.iter().all(|pattern| {
        let pattern = pattern.to_lowercase();
        !sought.iter().any(|word| pattern.contains(word))
    })
}

/// `"got a token".format(token)`: a template that has no place for what it is given.
fn has_no_place(name: &Ident, template: Option<&Expr>) -> bool {
    name.name == "format" && template.and_then(Expr::text).is_some_and(|text| !text.contains('{'))
}

impl<'a> Walker<'a> {
    /// A function that nothing is known about but its name.
    pub(super) fn unknown(
        &mut self,
        name: &Ident,
        receiver: Option<&'a Expr>,
        receiver_value: Option<Value>,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        let method = receiver.is_some();
        let effect = self.models().effect(&name.name, method);
        // `config.dict(exclude={"password"})`: it was thought about.
        let leaves_out = arguments.by_name.iter().any(|(key, ..)| {
            key.is_some_and(|key| matches!(key.name.as_str(), "exclude" | "include"))
        });
        if leaves_out && effect == Effect::Carries || has_no_place(name, receiver) {
            return Value::treated();
        }
        match receiver {
            Some(receiver) => self.grow(receiver, name, arguments),
            None => self.set_by_name(name, arguments, span),
        }
        match effect {
            Effect::Cleans
                if self.context.ml && (fits_a_terminal(&name.name) || cleans_form(&name.name)) =>
            {
                self.made_fit(name, arguments, span)
            }
            Effect::Cleans if self.models().redacts(&name.name) => Value::treated(),
            Effect::Cleans => Value::harmless(),
            Effect::Carries if OF_KEYS.contains(&name.name.as_str()) => {
                let all = GIVES_KEYS.contains(&name.name.as_str());
                let keys = |(expr, given): &(&'a Expr, Value)| {
                    let keys = self.keys_of(expr, given);
                    (*expr, if all { without_contents(keys) } else { keys })
                };
                let by_place = arguments.by_place.iter().map(keys).collect();
                let arguments = Arguments { by_place, by_name: Vec::new() };
                let value = self.carried(receiver_value, &arguments, span);
                self.of_the_same(name, &arguments, value)
            }
            // `line.replace(token, "***")`
            Effect::Carries
                if name.name == "replace"
                    && (matches!(&arguments.by_place[..], [_, (_, by)] if is_mask(by))
                        || arguments
                            .by_place
                            .first()
                            .is_some_and(|(_, sought)| sought.has(Label::Credential))) =>
            {
                Value::treated()
            }
            // `config.dumps()`: what writes itself may leave things out.
            Effect::Carries
                if method
                    && matches!(name.name.as_str(), "dumps" | "dump")
                    && arguments.by_place.is_empty() =>
            {
                Value::default()
            }
            Effect::Carries => {
                // `rich.text.Text(line)`: of a class the module holds nothing.
                let class = name.name.starts_with(|first: char| first.is_ascii_uppercase());
                let receiver_value = receiver_value
                    .filter(|_| !class)
                    .map(|value| without_replaced(value, name, arguments));
                let mut value = self.carried(receiver_value, arguments, span);
                if TEXT_MAKERS.contains(&name.name.as_str()) {
                    for (expr, given) in &arguments.by_place {
                        value.absorb(&self.text_of(&given.known, expr.span, false));
                        value.absorb(&self.whole_text(expr, given));
                    }
                }
                if name.name == "urlencode" && !value.is_harmless() && self.encodes_key(arguments) {
                    self.label(&mut value, Label::Url, Confidence::Medium, span, What::Given);
                }
                if matches!(name.name.as_str(), "format" | "format_map")
                    && self.takes_credential(receiver, arguments)
                {
                    let sure = Confidence::Medium;
                    self.label(&mut value, Label::Credential, sure, span, What::Named);
                }
                self.of_the_same(name, arguments, value)
            }
            // `FENCE.sub("", reply)`: text of a model stays that, as long as nothing is masked in it.
            Effect::Unknown if matches!(name.name.as_str(), "sub" | "subn") => {
                let masks = arguments.by_place.iter().any(|(_, given)| is_mask(given));
                let carried = self.carried(None, arguments, span);
                if masks {
                    return Value::treated();
                }
                carried.retain(|flow| match flow.origin {
                    Origin::Source(label, _) => label.is_model_text(),
                    Origin::Parameter(_) | Origin::Inner(_) => is_of_form(arguments),
                })
            }
            Effect::Unknown => {
                let value = match receiver_value {
                    // A method of something sensitive gives something else, if anything.
                    Some(value) if !value.is_harmless() => value.retain(|flow| {
                        matches!(
                            flow.origin,
                            Origin::Source(Label::Prompt | Label::Completion, Confidence::High)
                        ) && flow.field.is_none()
                    }),
                    _ => Value::default(),
                };
                let value = Value { flows: value.flows, known: Known::Nothing };
                self.given(name, value, span, false)
            }
        }
    }

    /// What makes a text of a model fit for a terminal, or takes what is around it off, leaves in it
    /// what a person wrote.
    fn made_fit(&mut self, name: &Ident, arguments: &Arguments<'a>, span: Span) -> Value {
        let text = self.carried(None, arguments, span).retain(|flow| match flow.origin {
            Origin::Source(label, _) => label.is_model_text(),
            Origin::Parameter(_) | Origin::Inner(_) => true,
        });
        if text.flows.is_empty() && !cleans_form(&name.name) {
            return Value::treated();
        }
        Value { known: Known::Nothing, ..text }
    }

    /// `setattr(box, "password", value)`
    fn set_by_name(&mut self, name: &Ident, arguments: &Arguments<'a>, span: Span) {
        if let [(holder, _), (key, _), (_, value)] = &arguments.by_place[..]
            && name.name == "setattr"
            && let Some(key) = key.text()
        {
            let field = Ident { name: Name::new(key), class: self.models().classify(key) };
            let value = self.named(&field, span, value.clone());
            self.put_in(holder, &field.name, &value);
        }
    }

    /// What the text of a whole object shows that is told by its name.
    pub(super) fn whole_text(&self, expr: &Expr, given: &Value) -> Value {
        let (ExprKind::Name(ident) | ExprKind::Attribute(_, ident)) = &expr.kind else {
            return Value::default();
        };
        let quiet = given.is_plain() || matches!(given.known, Known::Built | Known::Object(_));
        match self.whole_object(ident, Some(&given.known), "") {
            Some(Confidence::Medium | Confidence::High) if !quiet && self.guarded == 0 => {
                self.settings(expr.span)
            }
            _ => Value::default(),
        }
    }

    /// `urlencode({"key": …})`
    fn encodes_key(&self, arguments: &Arguments<'a>) -> bool {
        let Some((Expr { kind: ExprKind::Dict(items), .. }, _)) = arguments.by_place.first() else {
            return false;
        };
        let mut keys = items.iter().filter_map(|(key, _)| key.as_ref()?.text());
        keys.any(|key| is_query_key(key, self.models().names()))
    }

    /// `"{user}:{password}".format(**login)`
    fn takes_credential(&self, template: Option<&Expr>, arguments: &Arguments<'a>) -> bool {
        let Some(text) = template.and_then(Expr::text) else { return false };
        let named = |name: &str| {
            let given = |(key, ..): &(Option<&Ident>, &Expr, Value)| {
                key.is_some_and(|key| key.name == name)
            };
            !arguments.by_name.iter().any(given)
        };
        let from_mapping = arguments.by_name.iter().any(|(key, ..)| key.is_none())
            || arguments.by_place.iter().any(|(_, value)| !value.is_plain());
        from_mapping
            && named_holes(text)
                .any(|name| named(name) && self.models().classify(name).is_credential())
    }

    /// The result of a function that gives the objects again that it is handed.
    fn of_the_same(&self, name: &Ident, arguments: &Arguments<'a>, mut value: Value) -> Value {
        if OF_THE_SAME.contains(&name.name.as_str())
            && let Some((_, given)) = arguments.by_place.last()
            && let Known::Object(_) = given.known
        {
            value.known = given.known.clone();
        }
        value
    }

    /// What a function gives back that hands on what it is handed.
    pub(super) fn carried(
        &mut self,
        receiver_value: Option<Value>,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Value {
        let mut value = Value::default();
        let mut harmless = true;
        let method = receiver_value.is_some();
        let base = receiver_value.unwrap_or_default();
        if method {
            harmless &= matches!(
                base.known,
                Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built
            );
            value.absorb(&base);
        }
        for (_, given) in &arguments.by_place {
            harmless &= matches!(
                given.known,
                Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built
            );
            value.absorb(given);
        }
        for (key, _, given) in &arguments.by_name {
            harmless &= matches!(
                given.known,
                Known::Harmless | Known::Treated | Known::Texts(_) | Known::Built
            );
            match key {
                Some(key) => value.absorb_field(&key.name, given),
                None => value.absorb(given),
            }
        }
        let given = !arguments.by_place.is_empty() || !arguments.by_name.is_empty() || method;
        if !given {
            value.known = Known::Built;
        } else if harmless && value.flows.is_empty() {
            value.known = match base.known {
                Known::Texts(texts) => Known::Texts(texts),
                _ => Known::Harmless,
            };
        }
        self.stepped(value.without_places(), span, What::Passed)
    }

    /// `list.append(x)`, `dict.update(x)`: the receiver holds it from now on.
    fn grow(&mut self, receiver: &'a Expr, name: &Ident, arguments: &Arguments<'a>) {
        if !matches!(
            name.name.as_str(),
            "append"
                | "extend"
                | "insert"
                | "add"
                | "update"
                | "write"
                | "appendleft"
                | "setdefault"
                | "put"
        ) {
            return;
        }
        for (_, value) in &arguments.by_place {
            let value = value.clone();
            if name.name == "update" {
                for flow in &value.flows {
                    let one = Value {
                        flows: vec![Flow { field: None, ..flow.clone() }],
                        known: Known::Nothing,
                    };
                    let field = flow.field.clone().unwrap_or_else(|| Name::new_static("*"));
                    self.put_in(receiver, &field, &one);
                }
            } else {
                // Who goes through a list gets its members, with what is in their fields.
                let mut value = self.element(&value);
                value.absorb(&self.text_of(&value.known, receiver.span, false));
                self.put_in(receiver, &Name::new_static("*"), &value);
            }
        }
        for (key, _, value) in &arguments.by_name {
            let key = key.map_or_else(|| Name::new_static("*"), |key| key.name.clone());
            self.put_in(receiver, &key, value);
        }
    }

    /// `x.get("password")`, `getattr(x, "password")`, `os.getenv("TOKEN")`.
    pub(super) fn lookup_of_key(
        &mut self,
        call: &'a Call,
        receiver: Option<&'a Expr>,
        name: &Ident,
        base: Option<&Value>,
        span: Span,
    ) -> Option<Value> {
        let method = name.name.as_str();
        let mut at = match method {
            "getenv" => 0,
            "getattr" => 1,
            "get" | "pop" | "setdefault" | "getlist" | "get_argument" | "get_body_argument"
            | "get_query_argument" | "getheader" | "get_option" | "get_secret"
                if receiver.is_some() =>
            {
                0
            }
            _ => return None,
        };
        // `config.get("section", "password")`
        if method == "get"
            && call.arguments.len() >= 2
            && call.arguments.iter().take(2).all(|one| matches!(one.kind, ExprKind::Text(..)))
            && receiver.and_then(Expr::last_name).is_some_and(|ident| {
                words(&ident.name).iter().any(|word| {
                    matches!(
                        word.as_str(),
                        "config" | "cfg" | "conf" | "parser" | "cp" | "configparser"
                    )
                })
            })
        {
            at = 1;
        }
        // `jobs.get()`: one of those in it.
        if let ("get" | "pop", [], Some(base)) = (method, &call.arguments[..], base) {
            return Some(self.element(base));
        }
        let key = call.arguments.get(at)?;
        let by_name = method == "getattr" && key.text().is_some();
        let whole = by_name.then(|| self.eval(&call.arguments[0]));
        // `getattr(response, "text", "")`
        if let (Some(whole), Some(field)) = (&whole, key.text())
            && let Some(part) = self.attribute_by_name(&call.arguments[0], whole, field, span)
        {
            return Some(part);
        }
        let base = match whole.as_ref().or(base) {
            _ if method == "getenv" => self.settings(span),
            base => base.cloned().unwrap_or_default(),
        };
        let key_value = self.eval(key);
        let stored = method != "getenv"
            && receiver.and_then(Expr::last_name).is_some_and(|of| self.stores_credentials(of));
        if stored {
            return Some(self.secret_content(span));
        }
        if method == "pop"
            && let ExprKind::Text(_, class) = &key.kind
            && class.is_credential()
            && let Some(receiver) = receiver
        {
            self.treat(receiver);
        }
        if method == "setdefault"
            && let (Some(receiver), ExprKind::Text(text, _), Some(value)) =
                (receiver, &key.kind, call.arguments.get(1))
        {
            let value = self.eval(value);
            self.put_in(receiver, &Name::new(&**text), &value);
        }
        let key_text = matches!(key.kind, ExprKind::Text(..))
            || matches!(key_value.known, Known::Texts(_))
            || constant(key).is_some();
        if !key_text {
            let mut value = base;
            value.flows.retain(|flow| {
                !matches!(flow.origin, Origin::Source(Label::Settings, _)) && flow.field.is_none()
            });
            return Some(value);
        }
        let mut value = self.item(&base, key, &key_value, span);
        if receiver.is_some_and(|receiver| self.is_sent_with(receiver, key)) && !value.is_harmless()
        {
            self.label(&mut value, Label::Body, Confidence::Medium, span, What::Named);
        }
        if receiver.is_some_and(|receiver| self.is_code_of_login(receiver, key)) {
            self.label(&mut value, Label::Credential, Confidence::Medium, span, What::Named);
        }
        Some(value)
    }

    /// `open(secret_path)`, `Path("/run/secrets/db").read_text()`, `handle.read()`,
    /// `logging.getLogger()`, `parser.parse_args()`.
    pub(super) fn opened(
        &mut self,
        call: &'a Call,
        receiver: Option<&'a Expr>,
        name: &Ident,
        base: Option<&Value>,
        arguments: &Arguments<'a>,
        span: Span,
    ) -> Option<Value> {
        let known = |known| Some(Value { flows: Vec::new(), known });
        let secret =
            |one: Option<&Value>| matches!(one.map(|value| &value.known), Some(Known::SecretFile));
        let handed = arguments.by_place.first().map(|(_, value)| value);
        match name.name.as_str() {
            "getLogger" | "get_logger" | "LoggerAdapter" | "getChild" | "get_task_logger" => {
                known(Known::LogObject)
            }
            "open" => {
                let writes = call
                    .arguments
                    .get(usize::from(receiver.is_none()))
                    .or_else(|| call.keyword("mode"))
                    .and_then(Expr::text)
                    .is_some_and(|mode| mode.contains(['w', 'a', 'x']));
                let file = match (receiver, call.arguments.first()) {
                    (Some(path), _) if self.is_secret_file(path, base) => true,
                    (_, Some(path)) => self.is_secret_file(path, handed),
                    _ => false,
                };
                if file && !writes { known(Known::SecretFile) } else { None }
            }
            "Path" | "PosixPath" | "expanduser" | "resolve" | "absolute" | "join" | "joinpath" => {
                let file = secret(base)
                    || call.arguments.iter().any(|one| self.is_secret_file(one, handed));
                if file { known(Known::SecretFile) } else { None }
            }
            "read" | "readline" | "readlines" | "read_text" | "read_bytes" => {
                let receiver = receiver?;
                // `open(path).read()`: whatever the path was, nothing is known of what is in there.
                let at_once = matches!(&receiver.kind, ExprKind::Call(call)
                    if call.callee.last_name().is_some_and(|ident| ident.name == "open"));
                if self.is_secret_file(receiver, base) {
                    Some(self.secret_content(span))
                } else {
                    at_once.then(Value::default)
                }
            }
            "load" | "safe_load" | "load_pem_private_key" => {
                secret(handed).then(|| self.secret_content(span))
            }
            // What a command line is parsed into holds all of its options.
            "parse_args" | "parse_known_args" if self.context.secret_option => {
                let way = self.step(span, What::Given, None);
                let mut value = Value::source(Label::Settings, Confidence::Medium, way);
                if name.name == "parse_known_args" {
                    for flow in &mut value.flows {
                        flow.field = Some(Name::new_static("0"));
                    }
                }
                Some(value)
            }
            _ => None,
        }
    }

    /// Whether credentials are kept in what has this name, for who asks for one: `token_cache`.
    fn stores_credentials(&self, of: &Ident) -> bool {
        let stores = ["_cache", "_store", "_storage", "_vault", "_keyring", "_jar"];
        let kept = stores.iter().find_map(|end| of.name.strip_suffix(end));
        let class = kept.and_then(|kept| self.models().classify(kept).within(self.context));
        class.is_some_and(|(label, sure)| label == Label::Credential && sure >= Confidence::Medium)
    }

    fn secret_content(&self, span: Span) -> Value {
        let way = self.step(span, What::Given, None);
        Value::source(Label::Credential, Confidence::Medium, way)
    }

    /// Whether an expression stands for a file of which the name says that a credential is in it.
    fn is_secret_file(&self, path: &Expr, value: Option<&Value>) -> bool {
        if matches!(value.map(|value| &value.known), Some(Known::SecretFile)) {
            return true;
        }
        let named = |name: &str| {
            self.models()
                .names()
                .secret_file(name)
                .and_then(|class| class.within(self.context))
                .is_some_and(|(_, confidence)| confidence >= Confidence::Medium)
        };
        match &path.kind {
            ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => named(&ident.name),
            ExprKind::Text(text, _) => self.models().is_secret_file(text),
            ExprKind::Join(parts) => parts
                .iter()
                .any(|part| part.text().is_some_and(|text| self.models().is_secret_file(text))),
            _ => false,
        }
    }
}
