//! A server is told to log its requests in detail.
//!
//! ## What it does
//!
//! Finds `uvicorn.run(…, log_level="trace")`, and in configuration the options and variables with which
//! servers log what they are asked: `--log-level debug`, `--enable-log-requests`, `OLLAMA_DEBUG=1`.
//!
//! ## Why is this bad?
//!
//! At this level servers of models log whole prompts, and web servers headers and query strings, of
//! everybody who uses them.
//!
//! ## Example
//!
//! ```python
//! uvicorn.run(app, log_level="trace")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! uvicorn.run(app, log_level="info")
//! ```
//!
//! ## Fix
//!
//! `--fix --unsafe-fixes` sets `log_level="info"` where a program starts the server: the records of
//! level DEBUG are gone. Files of configuration are not changed.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html),
//! [CWE-1295](https://cwe.mitre.org/data/definitions/1295.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;
use crate::fix::{Applicability, Fix, Site};

pub(super) static RULE: Rule = Rule {
    code: "TAC308",
    name: "verbose-server",
    source: include_str!("tac308.rs"),
    cwe: &[532, 1295],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Medium,
    confidence: Confidence::High,
    takes: None,
    calls: &["run"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    if !site.is("uvicorn.run") {
        return;
    }
    match site.call.keyword("log_level").and_then(|level| level.text()) {
        Some("trace") => site.whole(Confidence::Medium, found),
        Some("debug") => site.whole(Confidence::Low, found),
        _ => {}
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let edit = site.set_keyword("log_level", "\"info\"")?;
    Some(Site::fix("set the level to info", Applicability::Unsafe, edit))
}
