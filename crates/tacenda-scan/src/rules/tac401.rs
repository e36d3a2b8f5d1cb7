//! Log records are sent over the network in the clear.
//!
//! ## What it does
//!
//! Finds `SocketHandler`, `DatagramHandler`, `HTTPHandler` without `secure=True`, and
//! `SysLogHandler` with a host.
//!
//! ## Why is this bad?
//!
//! Everyone on the way reads the records, and can write some of their own.
//!
//! ## Example
//!
//! ```python
//! logging.handlers.SysLogHandler(address=("logs.example.org", 514))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! logging.handlers.SysLogHandler(address="/dev/log")
//! ```
//!
//! ## Fix
//!
//! `--fix --unsafe-fixes` adds `secure=True` to an `HTTPHandler`: the other side has to speak TLS.
//!
//! References: [CWE-319](https://cwe.mitre.org/data/definitions/319.html); OWASP Top 10 A09:2021
//! Security Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::fix::{Applicability, Fix, Site};
use crate::ir::{Expr, ExprKind};
use crate::Confidence;

pub(super) static RULE: Rule = Rule {
    code: "TAC401",
    name: "plaintext-log-transport",
    source: include_str!("tac401.rs"),
    cwe: &[319],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Medium,
    confidence: Confidence::High,
    takes: None,
    calls: &["SocketHandler", "DatagramHandler", "HTTPHandler", "SysLogHandler"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let call = site.call;
    let ours = |host: &Expr| matches!(host.text(), Some("localhost" | "127.0.0.1" | "::1"));
    let host = call.keyword("host").or_else(|| call.arguments.first());
    let remote = match site.path.rsplit('.').next() {
        Some("SocketHandler" | "DatagramHandler") => host.is_some_and(|host| !ours(host)),
        Some("HTTPHandler") => {
            let whole = call.arguments.len() > 1 || call.keyword("url").is_some();
            whole
                && !call.keyword("secure").is_some_and(Expr::is_true)
                && host.is_some_and(|host| !ours(host))
        }
        Some("SysLogHandler") => {
            let address = call.keyword("address").or_else(|| call.arguments.first());
            matches!(address.map(|address| &address.kind), Some(ExprKind::List(parts)) if !parts.first().is_some_and(ours))
        }
        _ => false,
    };
    if remote && site.path.contains("logging") {
        site.whole(Confidence::Medium, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let call = site.call()?;
    // `secure` is the fourth argument.
    if !site.path(&call.func)?.ends_with("HTTPHandler") || call.arguments.args.len() > 3 {
        return None;
    }
    let edit = site.set_keyword("secure", "True")?;
    Some(Site::fix("add `secure=True`", Applicability::Unsafe, edit))
}
