//! A log file is made readable for everybody.
//!
//! ## What it does
//!
//! Finds `os.chmod` of a log file, and `os.umask`, that let others than the owner and the group
//! read it.
//!
//! ## Why is this bad?
//!
//! Every account of the machine, that of a compromised service included, reads the log.
//!
//! ## Example
//!
//! ```python
//! os.chmod(log_path, 0o666)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! os.chmod(log_path, 0o600)
//! ```
//!
//! ## Fix
//!
//! `--fix --unsafe-fixes` sets the mode to `0o600`, the umask to `0o077`: others who read the file
//! can no more.
//!
//! References: [CWE-732](https://cwe.mitre.org/data/definitions/732.html),
//! [CWE-276](https://cwe.mitre.org/data/definitions/276.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::fix::{Applicability, Fix, Site};
use crate::ir::{Expr, ExprKind, Literal};
use crate::lexicon::words;
use crate::Confidence;

pub(super) static RULE: Rule = Rule {
    code: "TAC402",
    name: "readable-log-file",
    source: include_str!("tac402.rs"),
    cwe: &[732, 276],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: None,
    calls: &["chmod", "umask"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let number = |expr: Option<&Expr>| match expr.map(|expr| &expr.kind) {
        Some(ExprKind::Constant(Literal::Integer(number))) => Some(*number),
        _ => None,
    };
    let call = site.call;
    if site.is("os.umask") {
        if number(call.arguments.first()) == Some(0) {
            site.whole(Confidence::Low, found);
        }
        return;
    }
    let (what, mode) = match &call.callee.kind {
        ExprKind::Attribute(path, _) if call.arguments.len() == 1 => (Some(&**path), call.arguments.first()),
        _ => (call.arguments.first(), call.arguments.get(1)),
    };
    let log = what.is_some_and(|what| {
        what.text().is_some_and(|text| text.contains("log"))
            || what.last_name().is_some_and(|name| words(&name.name).iter().any(|word| word == "log" || word == "logfile"))
    });
    if log && number(mode).is_some_and(|mode| mode & 0o006 != 0) {
        site.whole(Confidence::High, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let mode = site.call()?.arguments.args.last()?;
    let (message, private) = if site.path(&site.call()?.func)? == "os.umask" {
        ("set the umask to 0o077", "0o077")
    } else {
        ("set the mode to 0o600", "0o600")
    };
    Some(Site::fix(message, Applicability::Unsafe, site.replace(mode, private)))
}
