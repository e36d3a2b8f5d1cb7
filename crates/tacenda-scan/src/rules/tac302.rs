//! A web server is started in debug mode.
//!
//! ## What it does
//!
//! Finds `app.run(debug=True)`, applications that are made with `debug=True`, and `DEBUG = True` in the
//! settings of Django.
//!
//! ## Why is this bad?
//!
//! In debug mode an error is answered with its traceback, with source and local variables, and
//! whoever sees it may run code.
//!
//! ## Example
//!
//! ```python
//! app.run(host="0.0.0.0", debug=True)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! app.run(host="127.0.0.1", debug=settings.debug)
//! ```
//!
//! ## Fix
//!
//! `--fix --unsafe-fixes` sets `debug=False`: errors are answered in another way, and changed files
//! are not loaded again.
//!
//! References: [CWE-489](https://cwe.mitre.org/data/definitions/489.html),
//! [CWE-215](https://cwe.mitre.org/data/definitions/215.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;
use crate::fix::{Applicability, Fix, Site};

pub(super) static RULE: Rule = Rule {
    code: "TAC302",
    name: "debug-server",
    source: include_str!("tac302.rs"),
    cwe: &[489, 215],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: None,
    calls: &["run", "FastAPI", "Starlette", "Application"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let web = ["FastAPI", "Starlette", "Application"].iter().any(|name| site.is(name)) || site.is("app.run");
    if web && site.call.keyword("debug").is_some_and(super::super::ir::Expr::is_true) && site.context.server {
        site.whole(Confidence::Medium, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let edit = site.set_keyword("debug", "False")?;
    Some(Site::fix("set `debug=False`", Applicability::Unsafe, edit))
}
