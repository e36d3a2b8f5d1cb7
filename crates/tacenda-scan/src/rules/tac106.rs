//! Personal or payment data is written to a log.
//!
//! ## What it does
//!
//! Finds identity numbers, birth dates, payment card data, and in messages about logins the names of
//! those who sign in, that reach a log.
//!
//! ## Why is this bad?
//!
//! Logs are outside of what answers a request for access or erasure, and of what PCI DSS lets card
//! data be in.
//!
//! ## Example
//!
//! ```python
//! log.info("order of %s paid with %s", name, card_number)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! log.info("order %s paid", order_id)
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
    code: "TAC106",
    name: "personal-data-logged",
    source: include_str!("tac106.rs"),
    cwe: &[532, 359],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: Some(|written: &Written| matches!(written.label, Label::Personal | Label::Financial) && written.channel != Channel::Exception && !written.by_exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.summarized()),
};
