//! Token ids are written to a log.
//!
//! ## What it does
//!
//! Finds lists of token ids of prompts and outputs that reach a log.
//!
//! ## Why is this bad?
//!
//! With the public tokenizer, token ids are the text.
//!
//! ## Example
//!
//! ```python
//! log.debug("prompt ids: %s", tokenizer.encode(prompt))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! log.debug("prompt: %d tokens", len(tokenizer.encode(prompt)))
//! ```
//!
//! ## Fix
//!
//! `--fix` hands the value to `tacenda.summary`, which tells its size and a keyed fingerprint. It is safe
//! where a logger writes the value into a message and the program imports `tacenda` already.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html),
//! [CWE-359](https://cwe.mitre.org/data/definitions/359.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{Rule, Written};
use crate::label::Label;
use crate::Confidence;
use crate::model::Channel;

pub(super) static RULE: Rule = Rule {
    code: "TAC603",
    name: "token-ids-logged",
    source: include_str!("tac603.rs"),
    cwe: &[532, 359],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: Some(|written: &Written| written.label == Label::TokenIds && written.channel != Channel::Exception && !written.by_exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.summarized()),
};
