//! A value of a stranger is written to a log without escaping.
//!
//! ## What it does
//!
//! Finds parameters, headers and paths of a request that reach a log as they came.
//!
//! ## Why is this bad?
//!
//! A line feed in the value begins a record that looks like any other: whoever sends it writes the
//! log. Escape sequences act on the terminal of who reads it.
//!
//! ## Example
//!
//! ```python
//! log.info("search for %s", request.args.get("q"))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! log.info("search for %r", request.args.get("q"))
//! ```
//!
//! ## Fix
//!
//! `--fix` writes the value with `%r` in place of `%s`, which is safe.
//!
//! References: [CWE-117](https://cwe.mitre.org/data/definitions/117.html); OWASP Top 10 A03:2021
//! Injection.

use tacenda_policy::Severity;

use super::{Rule, Written};
use crate::label::Label;
use crate::Confidence;
use crate::model::Channel;

pub(super) static RULE: Rule = Rule {
    code: "TAC501",
    name: "log-injection",
    source: include_str!("tac501.rs"),
    cwe: &[117],
    owasp: "A03:2021 Injection",
    severity: Severity::Medium,
    confidence: Confidence::Low,
    takes: Some(|written: &Written| written.label == Label::Untrusted && written.channel != Channel::Exception && !written.by_exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.escaped()),
};
