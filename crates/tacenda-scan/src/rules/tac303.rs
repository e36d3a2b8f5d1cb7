//! A database engine logs its statements.
//!
//! ## What it does
//!
//! Finds `create_engine(…, echo=True)`.
//!
//! ## Why is this bad?
//!
//! Statements are logged with their parameters: everything that the application stores.
//!
//! ## Example
//!
//! ```python
//! engine = create_engine(url, echo=True)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! engine = create_engine(url, hide_parameters=True)
//! ```
//!
//! ## Fix
//!
//! `--fix` adds `hide_parameters=True`: the statements stay in the log. That is safe where the function
//! is imported from `sqlalchemy` or `sqlmodel`; another of this name may not take the argument.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021
//! Security Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;
use crate::fix::{Applicability, Fix, Site};

pub(super) static RULE: Rule = Rule {
    code: "TAC303",
    name: "sql-echo",
    source: include_str!("tac303.rs"),
    cwe: &[532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: None,
    calls: &["create_engine", "create_async_engine"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let echoes = site.call.keyword("echo").is_some_and(|echo| echo.is_true() || echo.text() == Some("debug"));
    let hides = site.call.keyword("hide_parameters").is_some_and(super::super::ir::Expr::is_true);
    if echoes && !hides {
        site.whole(Confidence::High, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    // At "debug" the rows of each answer are logged, too: parameters are the smaller part.
    site.keyword("echo")?.value.as_boolean_literal_expr()?;
    let edit = site.set_keyword("hide_parameters", "True")?;
    let applicability = if site.calls_into(&["sqlalchemy", "sqlmodel"]) {
        Applicability::Safe
    } else {
        Applicability::Unsafe
    };
    Some(Site::fix("add `hide_parameters=True`", applicability, edit))
}
