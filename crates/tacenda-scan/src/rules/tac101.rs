//! A credential is written to a log.
//!
//! ## What it does
//!
//! Finds passwords, keys, tokens and cookies, known by name, by annotation or by where they come
//! from, that reach a log, a terminal, an experiment tracker or a trace on any way through the
//! program.
//!
//! ## Why is this bad?
//!
//! Logs are read by many, copied to other systems and kept for years. Whoever reads a credential
//! there can act with it until it is revoked.
//!
//! ## Example
//!
//! ```python
//! log.info("login of %s with %s", user, password)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! log.info("login of %s", user)
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
    code: "TAC101",
    name: "credential-logged",
    source: include_str!("tac101.rs"),
    cwe: &[532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Critical,
    confidence: Confidence::High,
    takes: Some(|written: &Written| written.label == Label::Credential && written.channel != Channel::Exception && !written.by_exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.summarized()),
};
