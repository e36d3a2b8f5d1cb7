//! The body of a request or response is written to a log.
//!
//! ## What it does
//!
//! Finds bodies, forms and payloads that are logged as a whole.
//!
//! ## Why is this bad?
//!
//! They hold what users typed, prompts and answers, and at login the password; in answers of other
//! services the tokens they issue.
//!
//! ## Example
//!
//! ```python
//! log.error("bad request: %s", request.get_data())
//! ```
//!
//! ## Use instead
//!
//! ```python
//! log.error("bad request: %d bytes", len(request.get_data()))
//! ```
//!
//! ## Fix
//!
//! `--fix` hands the value to `tacenda.summary`, which tells its size and a keyed fingerprint. It is safe
//! where a logger writes the value into a message and the program imports `tacenda` already.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021
//! Security Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{Rule, Written};
use crate::label::Label;
use crate::Confidence;
use crate::model::Channel;

pub(super) static RULE: Rule = Rule {
    code: "TAC103",
    name: "body-logged",
    source: include_str!("tac103.rs"),
    cwe: &[532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: Some(|written: &Written| written.label == Label::Body && written.channel != Channel::Exception && !written.by_exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.summarized()),
};
