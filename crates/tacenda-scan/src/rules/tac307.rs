//! An HTTP library writes whole requests.
//!
//! ## What it does
//!
//! Finds `set_debuglevel(1)` and `urllib3.add_stderr_logger()`.
//!
//! ## Why is this bad?
//!
//! Both write each request with its headers, `Authorization` included, to the terminal or the log
//! of the service.
//!
//! ## Example
//!
//! ```python
//! connection.set_debuglevel(1)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! logging.getLogger("urllib3").setLevel(logging.INFO)
//! ```
//!
//! ## Fix
//!
//! `--fix --unsafe-fixes` sets the level to 0: what was written to debug with is gone.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021
//! Security Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;
use crate::fix::{Applicability, Fix, Site};

pub(super) static RULE: Rule = Rule {
    code: "TAC307",
    name: "http-debug",
    source: include_str!("tac307.rs"),
    cwe: &[532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: None,
    calls: &["set_debuglevel", "add_stderr_logger"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let level = site.is("set_debuglevel") && site.call.arguments.first().is_some_and(super::super::ir::Expr::is_true);
    if level || site.is("urllib3.add_stderr_logger") {
        site.whole(if level { Confidence::Medium } else { Confidence::High }, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let level = site.call()?.arguments.args.first()?;
    Some(Site::fix("set the level to 0", Applicability::Unsafe, site.replace(level, "0")))
}
