//! A log file grows without end.
//!
//! ## What it does
//!
//! Finds `logging.FileHandler` where no other program is known to rotate the file.
//!
//! ## Why is this bad?
//!
//! What is never rotated is never deleted: what it holds is kept longer than anyone decided, and a
//! full disk stops the service.
//!
//! ## Example
//!
//! ```python
//! logging.FileHandler("server.log")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! logging.handlers.RotatingFileHandler("server.log", maxBytes=10_000_000, backupCount=5)
//! ```
//!
//! References: [CWE-770](https://cwe.mitre.org/data/definitions/770.html),
//! [CWE-779](https://cwe.mitre.org/data/definitions/779.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;

pub(super) static RULE: Rule = Rule {
    code: "TAC404",
    name: "log-file-without-rotation",
    source: include_str!("tac404.rs"),
    cwe: &[770, 779],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Low,
    confidence: Confidence::High,
    takes: None,
    calls: &["FileHandler"],
    check: Some(check),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    if site.is("logging.FileHandler") {
        site.whole(Confidence::Low, found);
    }
}
