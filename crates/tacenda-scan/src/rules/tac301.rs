//! The root logger is set to DEBUG.
//!
//! ## What it does
//!
//! Finds `logging.basicConfig(level=logging.DEBUG)`.
//!
//! ## Why is this bad?
//!
//! The root logger rules over the loggers of all libraries that have no level of their own. At
//! DEBUG, HTTP libraries log headers, cloud libraries log requests with their signatures, and
//! model servers log whole prompts.
//!
//! ## Example
//!
//! ```python
//! logging.basicConfig(level=logging.DEBUG)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! logging.basicConfig(level=logging.INFO)
//! logging.getLogger("app").setLevel(logging.DEBUG)
//! ```
//!
//! ## Fix
//!
//! `--fix --unsafe-fixes` sets the level to `INFO`: the records of level DEBUG are gone.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html),
//! [CWE-1295](https://cwe.mitre.org/data/definitions/1295.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use ruff_python_ast as ast;
use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::fix::{Applicability, Fix, Site};
use crate::ir::Expr;
use crate::Confidence;

pub(super) static RULE: Rule = Rule {
    code: "TAC301",
    name: "debug-level",
    source: include_str!("tac301.rs"),
    cwe: &[532, 1295],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Medium,
    confidence: Confidence::High,
    takes: None,
    calls: &["basicConfig"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let debug = |expr: &Expr| {
        expr.last_name().is_some_and(|name| name.name == "DEBUG" || name.name == "NOTSET")
            || expr.text() == Some("DEBUG")
    };
    if site.is("logging.basicConfig") && site.call.keyword("level").is_some_and(debug) {
        // To a file it is what a program does, in place of what its developer watches.
        let to_file = site.call.keyword("filename").is_some();
        site.whole(if to_file { Confidence::Medium } else { Confidence::Low }, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let level = &site.keyword("level")?.value;
    let edit = match level {
        ast::Expr::Attribute(level) => site.replace(&level.attr, "INFO"),
        level => site.replace(level, "\"INFO\""),
    };
    Some(Site::fix("set the level to INFO", Applicability::Unsafe, edit))
}
