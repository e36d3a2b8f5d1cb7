//! A URL with its query string is written to a log.
//!
//! ## What it does
//!
//! Finds URLs that are logged together with their query string, or with the user and password in
//! front of the host.
//!
//! ## Why is this bad?
//!
//! Tokens, signatures and search terms travel in query strings; a log keeps them after they should
//! have been forgotten.
//!
//! ## Example
//!
//! ```python
//! log.info("%s %s", request.method, request.url)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! log.info("%s %s", request.method, request.path)
//! ```
//!
//! ## Fix
//!
//! `--fix` hands the URL to `tacenda.summary`, which tells its size and a keyed fingerprint. It is safe
//! where a logger writes the URL into a message and the program imports `tacenda` already. It does not
//! cut the URL at its `?`: what follows a `#` may be a token as well, and a password may hold a `?`.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html),
//! [CWE-598](https://cwe.mitre.org/data/definitions/598.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{Rule, Written};
use crate::label::Label;
use crate::Confidence;
use crate::model::Channel;

pub(super) static RULE: Rule = Rule {
    code: "TAC104",
    name: "url-logged",
    source: include_str!("tac104.rs"),
    cwe: &[532, 598],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: Some(|written: &Written| written.label == Label::Url && written.channel != Channel::Exception && !written.by_exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.summarized()),
};
