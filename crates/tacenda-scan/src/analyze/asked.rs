//! What a server is asked for by functions that are elsewhere: `devices = await self._request(path)`.

use super::Walker;
use crate::ir::{Expr, ExprKind};
use crate::lexicon::{Class, words};
use crate::value::{Known, Value};

/// What functions do that send a request, in front of that word.
const SENDING: &[&str] = &[
    "make",
    "send",
    "do",
    "api",
    "http",
    "rest",
    "async",
    "post",
    "get",
    "put",
    "signed",
    "authed",
    "authenticated",
    "rpc",
    "perform",
    "execute",
    "issue",
    "json",
];
/// Other names of such functions.
const ASKING: &[&str] = &[
    "request",
    "request_json",
    "api_call",
    "call_api",
    "api_get",
    "api_post",
    "http_get",
    "http_post",
    "get_json",
    "post_json",
    "fetch_json",
    "rest_call",
    "rpc_call",
    "call_rpc",
];
/// And of those that an object has for itself.
const OWN: &[&str] = &["_get", "_post", "_put", "_patch", "_fetch", "_api"];

impl Walker<'_> {
    /// Whether a variable is given what a server answered, parsed: by a function whose name says so, of
    /// which no more is known. What is asked for its status is what a client made of the answer.
    pub(super) fn is_asked_for(&self, expr: &Expr, target: &Expr, value: &Value) -> bool {
        let (ExprKind::Call(call), ExprKind::Name(target)) = (&expr.kind, &target.kind) else {
            return false;
        };
        let ExprKind::Attribute(base, method) = &call.callee.kind else { return false };
        self.context.http
            && !self.context.ml
            && value.flows.is_empty()
            && matches!(value.known, Known::Nothing)
            && matches!(target.class, Class::Plain | Class::Sensitive(..))
            && !self.frame.responses.contains(&target.name)
            && asks(base, &method.name)
            && self.target(Some(base), method).is_none()
    }
}

fn asks(base: &Expr, name: &str) -> bool {
    let own = matches!(&base.kind, ExprKind::Name(base) if base.name == "self");
    if ASKING.contains(&name.trim_start_matches('_')) {
        return !matches!(&base.kind, ExprKind::Name(base) if matches!(base.name.as_str(), "requests" | "httpx"));
    }
    let words = words(name);
    own && OWN.contains(&name)
        || matches!(&words[..], [first, .., last] if last == "request" && SENDING.contains(&first.as_str()))
}
