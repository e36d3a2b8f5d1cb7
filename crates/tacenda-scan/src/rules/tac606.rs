//! GPU work is captured to a file.
//!
//! ## What it does
//!
//! Finds `mx.metal.start_capture`.
//!
//! ## Why is this bad?
//!
//! A capture holds the buffers of the GPU: weights, activations and the tokens of whoever is
//! served meanwhile.
//!
//! ## Example
//!
//! ```python
//! mx.metal.start_capture("trace.gputrace")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! if os.environ.get("APP_ENV") == "development":
//!     mx.metal.start_capture("trace.gputrace")
//! ```
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html),
//! [CWE-489](https://cwe.mitre.org/data/definitions/489.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;

pub(super) static RULE: Rule = Rule {
    code: "TAC606",
    name: "gpu-capture",
    source: include_str!("tac606.rs"),
    cwe: &[532, 489],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Medium,
    confidence: Confidence::High,
    takes: None,
    calls: &["start_capture"],
    check: Some(check),
    fix: None,
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    if site.is("metal.start_capture") {
        site.whole(Confidence::Low, found);
    }
}
