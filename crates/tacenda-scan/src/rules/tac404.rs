//! A log file grows without end.
//!
//! ## What it does
//!
//! Finds `logging.FileHandler` where no other program is known to rotate the file.
//!
//! ## Why is this bad?
//!
//! What is never rotated is never deleted: what it holds is kept longer than anyone decided, and a
//! full disk stops the service.
//!
//! ## Example
//!
//! ```python
//! logging.FileHandler("server.log")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! logging.handlers.RotatingFileHandler("server.log", maxBytes=10_000_000, backupCount=5)
//! ```
//!
//! ## Fix
//!
//! `--fix --unsafe-fixes` makes it a `RotatingFileHandler` that keeps five files of 10 MB: what is
//! older is deleted.
//!
//! References: [CWE-770](https://cwe.mitre.org/data/definitions/770.html),
//! [CWE-779](https://cwe.mitre.org/data/definitions/779.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use ruff_text_size::Ranged;
use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;
use crate::fix::{Applicability, Fix, Site};

pub(super) static RULE: Rule = Rule {
    code: "TAC404",
    name: "log-file-without-rotation",
    source: include_str!("tac404.rs"),
    cwe: &[770, 779],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Low,
    confidence: Confidence::High,
    takes: None,
    calls: &["FileHandler"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    if site.is("logging.FileHandler") {
        site.whole(Confidence::Low, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let call = site.call()?;
    // What follows the mode stands at other places there, and what is overwritten is not rotated.
    let appends = match &*call.arguments.args {
        [_] => true,
        [_, mode] => mode.as_string_literal_expr().is_some_and(|mode| mode.value.to_str() == "a"),
        _ => false,
    };
    if !appends || site.keyword("mode").is_some() {
        return None;
    }
    let (module, import) = site.module("logging.handlers", call.start())?;
    let mut edits = vec![
        site.replace(&*call.func, format!("{module}.RotatingFileHandler")),
        site.add_arguments("maxBytes=10_000_000, backupCount=5")?,
    ];
    edits.extend(import);
    let message = "rotate the file at 10 MB and keep five".to_owned();
    Some(Fix { message, applicability: Applicability::Unsafe, edits })
}
