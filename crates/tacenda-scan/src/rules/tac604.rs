//! Array values are written to a log.
//!
//! ## What it does
//!
//! Finds arrays that reach a log with their values.
//!
//! ## Why is this bad?
//!
//! The text of an `mx.array` shows the first and last three values of each axis, and all of a
//! short one; embeddings and activations can be turned back into what they came from.
//!
//! ## Example
//!
//! ```python
//! log.info("embedding: %s", embedding)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! log.info("embedding: %s", tacenda.summary(embedding))
//! ```
//!
//! ## Fix
//!
//! `--fix` hands the array to `tacenda.summary`, which tells its shape and type without evaluating
//! it. It is safe where a logger writes the value into a message and the program imports `tacenda` already.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021
//! Security Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{Rule, Written};
use crate::label::Label;
use crate::Confidence;
use crate::model::Channel;

pub(super) static RULE: Rule = Rule {
    code: "TAC604",
    name: "array-logged",
    source: include_str!("tac604.rs"),
    cwe: &[532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Medium,
    confidence: Confidence::High,
    takes: Some(|written: &Written| written.label == Label::Tensor && written.channel != Channel::Exception && !written.by_exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.summarized()),
};
