//! HTTP headers are written to a log.
//!
//! ## What it does
//!
//! Finds the headers of a request or response that are logged as a whole.
//!
//! ## Why is this bad?
//!
//! Among them are `Authorization`, `Cookie`, `Set-Cookie` and whatever header carries the API key
//! of this service.
//!
//! ## Example
//!
//! ```python
//! log.debug("headers: %s", dict(request.headers))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! log.debug("user agent: %s", request.headers.get("User-Agent"))
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
    code: "TAC102",
    name: "headers-logged",
    source: include_str!("tac102.rs"),
    cwe: &[532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Critical,
    confidence: Confidence::High,
    takes: Some(|written: &Written| written.label == Label::Headers && written.channel != Channel::Exception && !written.by_exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.summarized()),
};
