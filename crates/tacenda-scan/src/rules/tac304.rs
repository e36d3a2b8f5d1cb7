//! A loguru sink shows variables in tracebacks.
//!
//! ## What it does
//!
//! Finds `logger.add(…)` of loguru without `diagnose=False`.
//!
//! ## Why is this bad?
//!
//! `diagnose` is on unless it is turned off: each traceback shows the values of all variables in
//! its lines, prompts and keys among them.
//!
//! ## Example
//!
//! ```python
//! logger.add("app.log")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! logger.add("app.log", diagnose=False)
//! ```
//!
//! ## Fix
//!
//! `--fix` sets `diagnose=False`, which is safe: tracebacks stay, without the values.
//!
//! References: [CWE-209](https://cwe.mitre.org/data/definitions/209.html),
//! [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;
use crate::fix::{Applicability, Fix, Site};

pub(super) static RULE: Rule = Rule {
    code: "TAC304",
    name: "loguru-diagnose",
    source: include_str!("tac304.rs"),
    cwe: &[209, 532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: None,
    calls: &["add"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    if site.path == "loguru.logger.add" && site.call.keyword("diagnose").is_none_or(super::super::ir::Expr::is_true) && !site.call.has_more() {
        site.whole(Confidence::Medium, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let edit = site.set_keyword("diagnose", "False")?;
    Some(Site::fix("set `diagnose=False`", Applicability::Safe, edit))
}
