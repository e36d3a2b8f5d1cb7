//! What comes back of a login.

use super::Walker;
use super::access::is_constant;
use crate::ir::{Expr, ExprKind, Ident};
use crate::lexicon::words;
use crate::value::Known;

/// What an answer is called.
const ANSWERS: &[&str] = &[
    "response", "resp", "res", "result", "ret", "reply", "answer", "data", "json", "body",
    "payload", "content", "output", "stdout",
];
/// Words in the names of functions that sign in, or get what lets in.
const SIGNING_IN: &[&str] = &[
    "login",
    "logon",
    "signin",
    "auth",
    "authenticate",
    "authentication",
    "authorize",
    "oauth",
    "token",
    "tokens",
    "credentials",
    "credential",
    "password",
];
/// What holds the parameters of a query string.
const QUERIES: &[&str] =
    &["query", "query_params", "args", "GET", "qs", "parse_qs", "query_string", "params"];
/// Words of messages about it, and words with them that say that it is what came back.
const OF_LOGIN: &[&str] = &["login", "log in", "auth", "token", "credential", "sign in"];
const CAME_BACK: &[&str] =
    &["response", "result", "reply", "answer", "returned", "stdout", "output", "got"];
/// Words of messages about a session that a login opened.
const OPENED: &[&str] = &["authenticat", "login", "logged in", "signed in", "new session"];
/// Words of messages about a login that did not succeed.
const FAILED: &[&str] =
    &["fail", "error", "invalid", "unable", "could not", "couldn't", "denied", "exception"];
/// Words of messages about who signs in, by themselves and in front of "in".
const SIGN_IN: &[&str] = &["login", "logon", "signin", "auth", "authn"];
const SIGNS: &[&str] = &["log", "logging", "logged", "sign", "signing", "signed"];

impl Walker<'_> {
    /// `query["code"]`, in code about OAuth.
    pub(super) fn is_code_of_login(&self, base: &Expr, key: &Expr) -> bool {
        self.context.oauth
            && key.text() == Some("code")
            && base.last_name().is_some_and(|base| QUERIES.contains(&base.name.as_str()))
    }

    /// Whether this is the id of the session that a login opened, as the message says or the function
    /// that it is in: who has it is signed in.
    pub(super) fn is_session_of_login(&self, ident: &Ident, text: &str) -> bool {
        let context = self.context;
        let words = words(&ident.name);
        let session = matches!(&words[..], [.., of, id] if of == "session" && id == "id");
        if !session || !context.http || context.ml {
            return false;
        }
        let failed = FAILED.iter().any(|word| text.contains(word));
        !failed && (OPENED.iter().any(|word| text.contains(word)) || self.signs_in())
    }

    /// `sid`, `self._sid`: the id of a session, where code speaks HTTP and signs in.
    pub(super) fn is_sid(&self, expr: &Expr) -> bool {
        let ident = match &expr.kind {
            ExprKind::Name(ident) => ident,
            ExprKind::Attribute(base, ident)
                if base.last_name().is_some_and(|base| base.name == "self") =>
            {
                ident
            }
            _ => return false,
        };
        let context = self.context;
        ident.name.trim_start_matches('_') == "sid"
            && context.http
            && context.credentials
            && !context.ml
    }

    /// Whether this names who signs in, in a message about that: the name is one half of what lets in.
    pub(super) fn is_name_of_login(&self, expr: &Expr, text: &str) -> bool {
        let Some(name) = told_by(expr).filter(|name| !is_constant(name)) else { return false };
        let words = words(name);
        let names = match &words[..] {
            [.., last] if matches!(last.as_str(), "username" | "login") => true,
            [.., of, last] if last == "name" => matches!(of.as_str(), "user" | "login"),
            [only] => only == "user",
            _ => false,
        };
        names && is_about_login(text)
    }

    /// Whether the function that is run signs in, by its name.
    fn signs_in(&self) -> bool {
        self.frame
            .name
            .as_ref()
            .is_some_and(|name| words(name).iter().any(|word| SIGNING_IN.contains(&word.as_str())))
    }

    /// Whether what has this name is an answer to a login, as the message says or the function that it
    /// is in: it holds what lets in.
    pub(super) fn is_answer_of_login(
        &self,
        ident: &Ident,
        known: Option<&Known>,
        text: &str,
    ) -> bool {
        let context = self.context;
        if !context.credentials || context.lexer || context.ml {
            return false;
        }
        if !words(&ident.name).last().is_some_and(|last| ANSWERS.contains(&last.as_str())) {
            return false;
        }
        // What a client gives back says nothing of what is in it.
        if matches!(known, Some(Known::Exchange(_)))
            || FAILED.iter().any(|word| text.contains(word))
        {
            return false;
        }
        let says = |list: &[&str]| list.iter().any(|word| text.contains(word));
        says(OF_LOGIN) && says(CAME_BACK) || self.signs_in()
    }
}

/// The name, or the key, under which a value is known.
fn told_by(expr: &Expr) -> Option<&str> {
    match &expr.kind {
        ExprKind::Name(ident) | ExprKind::Attribute(_, ident) => Some(&ident.name),
        ExprKind::Item(_, key) => key.text(),
        ExprKind::Call(call) => match (&call.callee.kind, call.arguments.first()) {
            (ExprKind::Attribute(_, method), Some(key)) if method.name == "get" => key.text(),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a message is about somebody who signs in.
fn is_about_login(text: &str) -> bool {
    let mut words = text
        .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .filter(|word| !word.is_empty())
        .peekable();
    while let Some(word) = words.next() {
        if SIGN_IN.contains(&word)
            || word.starts_with("authenticat")
            || SIGNS.contains(&word) && words.peek() == Some(&"in")
        {
            return true;
        }
    }
    false
}
