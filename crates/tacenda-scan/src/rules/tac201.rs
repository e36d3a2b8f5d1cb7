//! A sensitive value is part of the message of an exception.
//!
//! ## What it does
//!
//! Finds exceptions that are raised with a credential, a prompt or another sensitive value in
//! their message.
//!
//! ## Why is this bad?
//!
//! An exception ends in a traceback, in a log, in an error report and often in the answer to a
//! stranger: nobody who catches it knows what it holds.
//!
//! ## Example
//!
//! ```python
//! raise ValueError(f"cannot log in with {password}")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! raise ValueError("cannot log in: the password was refused")
//! ```
//!
//! ## Fix
//!
//! `--fix --unsafe-fixes` hands the value to `tacenda.summary`: whoever reads the message of the
//! exception reads another.
//!
//! References: [CWE-209](https://cwe.mitre.org/data/definitions/209.html),
//! [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{Rule, Written};
use crate::Confidence;
use crate::model::Channel;

pub(super) static RULE: Rule = Rule {
    code: "TAC201",
    name: "sensitive-value-in-exception",
    source: include_str!("tac201.rs"),
    cwe: &[209, 532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: Some(|written: &Written| written.channel == Channel::Exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.summarized()),
};
