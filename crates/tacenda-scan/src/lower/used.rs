//! What a name stands for by what is done with it: whatever it is called, what is sent as a password
//! is one.

use ruff_python_ast::name::Name;

use super::Lowering;
use crate::Confidence;
use crate::ir::{Call, Expr, ExprKind, Ident};
use crate::label::Label;
use crate::lexicon::{Class, words};

/// More names of a function are not told apart.
const MAX_USED: usize = 64;
/// Methods that ask a language model, and the arguments by which they are told what.
const ASKING: &[&str] = &[
    "create",
    "acreate",
    "completion",
    "acompletion",
    "complete",
    "acomplete",
    "generate",
    "agenerate",
    "generate_content",
    "generate_content_async",
    "stream",
    "astream",
    "chat",
    "achat",
    "invoke",
    "ainvoke",
];
const ASKED_WITH: &[&str] =
    &["messages", "prompt", "prompts", "contents", "system_prompt", "user_prompt", "input"];
/// What is asked so, by the end of its name, and what turns text into tokens.
const MODELS: &[&str] = &["llm", "chain", "agent", "chat_model", "chatbot"];
const TOKENIZERS: &[&str] = &["tokenizer", "encoding"];
/// What sends requests, by the end of its name.
const CLIENTS: &[&str] = &["session", "sess", "client", "requests", "http", "httpx"];
/// What sends bytes or messages, and its methods.
const LINES: &[&str] =
    &["transport", "sock", "socket", "ws", "websocket", "writer", "conn", "connection", "serial"];
const SENDING: &[&str] =
    &["write", "send", "sendall", "send_json", "send_str", "send_text", "sendto"];
/// Names of anything that is configured with, beside, or by what is sensitive.
const OF_OTHERS: &[&str] = &[
    "name", "key", "path", "file", "url", "client", "session", "config", "settings", "args",
    "kwargs", "options", "str", "bool", "int", "bytes", "type", "default", "model", "cls", "self",
    "user", "username", "host", "id", "mode",
];

/// The name of a variable, or of an attribute of the object itself, that its name says nothing of.
fn unnamed(expr: &Expr) -> Option<Name> {
    let plain = |ident: &Ident| {
        matches!(ident.class, Class::Plain) && !OF_OTHERS.contains(&ident.name.as_str())
    };
    match &expr.kind {
        ExprKind::Name(ident) if plain(ident) => Some(ident.name.clone()),
        ExprKind::Attribute(base, ident) if plain(ident) => match &base.kind {
            ExprKind::Name(of) if of.name == "self" => Some(Name::concat(&["self.", &ident.name])),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the last name of an expression ends in one of these words.
fn ends_in(expr: &Expr, list: &[&str]) -> bool {
    expr.last_name().is_some_and(|ident| {
        let name = ident.name.trim_end_matches('_').to_ascii_lowercase();
        list.iter().any(|word| {
            name.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
        })
    })
}

/// Whether a name says for certain that this is a credential.
fn is_credential(ident: &Ident) -> bool {
    matches!(ident.class, Class::Sensitive(Label::Credential, Confidence::High, _))
}

impl Lowering<'_> {
    /// Notes that a name stands for something sensitive.
    fn used_as(&mut self, expr: &Expr, label: Label) {
        let Some(name) = unnamed(expr) else { return };
        let used = if name.starts_with("self.") { &mut self.used_of_file } else { &mut self.used };
        if used.len() < MAX_USED && !used.iter().any(|(one, of)| *one == name && *of == label) {
            used.push((name, label));
        }
    }

    /// `box.password = value`, `headers["Authorization"] = f"Bearer {value}"`
    pub(super) fn used_in_assignment(&mut self, targets: &[Expr], value: &Expr) {
        let lets_in = targets.iter().any(|target| match &target.kind {
            ExprKind::Attribute(_, ident) => is_credential(ident),
            ExprKind::Item(_, key) => {
                matches!(key.kind, ExprKind::Text(_, class) if class.is_credential())
            }
            _ => false,
        });
        if lets_in {
            self.used_to_let_in(value);
        }
    }

    /// `{"password": value}`
    pub(super) fn used_in_dict(&mut self, items: &[(Option<Expr>, Expr)]) {
        for (key, value) in items {
            if let Some(ExprKind::Text(_, class)) = key.as_ref().map(|key| &key.kind)
                && class.is_credential()
            {
                self.used_to_let_in(value);
            }
        }
    }

    fn used_to_let_in(&mut self, value: &Expr) {
        match &value.kind {
            // `f"Bearer {value}"`
            ExprKind::Join(parts) => {
                if let [front, only] = &parts[..]
                    && front.text().is_some_and(|text| !text.contains(['/', ':', '=']))
                {
                    self.used_as(only, Label::Credential);
                }
            }
            _ => self.used_as(value, Label::Credential),
        }
    }

    /// What the arguments of a call stand for.
    pub(super) fn used_in_call(&mut self, call: &Call) {
        let Some(name) = call.callee.last_name().map(|ident| ident.name.clone()) else { return };
        let receiver = match &call.callee.kind {
            ExprKind::Attribute(base, _) => Some(&**base),
            _ => None,
        };
        let method = name.as_str();
        let by_client = receiver.is_some_and(|base| ends_in(base, CLIENTS));
        let requests = by_client || words(&name).iter().any(|word| word == "request");
        let asks = ASKING.contains(&method);
        for (key, value) in &call.keywords {
            let Some(key) = key else { continue };
            match key.name.as_str() {
                "auth" => match &value.kind {
                    ExprKind::List(pair) if pair.len() == 2 => {
                        self.used_as(&pair[1], Label::Credential);
                    }
                    _ => self.used_as(value, Label::Credential),
                },
                "json" if requests || matches!(method, "post" | "put" | "patch") => {
                    self.used_as(value, Label::Body);
                }
                "data" | "content" | "body" | "files" if requests => {
                    self.used_as(value, Label::Body);
                }
                "headers" | "cookies" if requests => self.used_as(value, Label::Headers),
                key if asks && ASKED_WITH.contains(&key) => self.used_as(value, Label::Prompt),
                _ if is_credential(key) => self.used_as(value, Label::Credential),
                _ => {}
            }
        }
        let Some(first) = call.arguments.first() else { return };
        if method == "compare_digest" {
            for one in &call.arguments {
                self.used_as(one, Label::Credential);
            }
        } else if method.ends_with("HTTPBasicAuth") && call.arguments.len() == 2 {
            self.used_as(&call.arguments[1], Label::Credential);
        } else if SENDING.contains(&method) && receiver.is_some_and(|base| ends_in(base, LINES)) {
            self.used_as(first, Label::Body);
        } else if self.tells_a_model(method, receiver, &call.callee) {
            self.used_as(first, Label::Prompt);
        }
    }

    /// `tokenizer.encode(value)`, `llm.invoke(value)`, `embeddings.embed_query(value)`
    fn tells_a_model(&self, method: &str, receiver: Option<&Expr>, callee: &Expr) -> bool {
        match (method, receiver) {
            (
                "apply_chat_template" | "generate_content" | "embed_query" | "aembed_query",
                Some(_),
            ) => true,
            ("encode" | "tokenize" | "encode_plus", Some(base)) => ends_in(base, TOKENIZERS),
            (
                "invoke" | "ainvoke" | "predict" | "apredict" | "chat" | "achat" | "stream"
                | "astream" | "generate" | "agenerate" | "complete" | "acomplete",
                Some(base),
            ) => ends_in(base, MODELS),
            (_, None) => ends_in(callee, TOKENIZERS) || ends_in(callee, MODELS),
            _ => false,
        }
    }

    /// `message["role"]`, and `message["content"]` with it: what a model is told.
    pub(super) fn used_as_message(&mut self, base: &Expr, key: &str) {
        let (ExprKind::Name(ident), "role" | "content") = (&base.kind, key) else { return };
        let known = self
            .parts_of_messages
            .iter()
            .any(|(name, part)| *name == ident.name && (part == "role") != (key == "role"));
        if known {
            self.used_as(base, Label::Prompt);
        } else if self.parts_of_messages.len() < MAX_USED {
            self.parts_of_messages.push((ident.name.clone(), Name::new(key)));
        }
    }
}
