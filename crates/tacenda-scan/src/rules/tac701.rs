//! A service that runs a model has no guard.
//!
//! ## What it does
//!
//! Finds files that start a server around MLX and do not install Tacenda.
//!
//! ## Why is this bad?
//!
//! Libraries log what they are handed when something fails, and the server logs what it cannot
//! parse: that is seen at run time only.
//!
//! ## Example
//!
//! ```python
//! uvicorn.run(app, host="127.0.0.1")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! tacenda.install()
//! uvicorn.run(app, host="127.0.0.1")
//! ```
//!
//! ## Fix
//!
//! `--fix --unsafe-fixes` puts `tacenda.install()` before the statement: the program comes to need
//! the package.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021
//! Security Logging and Monitoring Failures.

use ruff_text_size::Ranged;
use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;
use crate::fix::{Applicability, Fix, Site};

pub(super) static RULE: Rule = Rule {
    code: "TAC701",
    name: "service-without-guard",
    source: include_str!("tac701.rs"),
    cwe: &[532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Info,
    confidence: Confidence::High,
    takes: None,
    calls: &["run", "serve_forever"],
    check: Some(check),
    fix: Some(fix),
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let serves = site.is("uvicorn.run") || site.is("serve_forever");
    if serves && site.context.mlx && !site.context.guarded {
        site.whole(Confidence::Low, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let (install, import) = site.tacenda("install", site.call()?.start())?;
    let mut edits = vec![site.before_statement(&format!("{install}()"))?];
    edits.extend(import);
    let message = "install the guard before".to_owned();
    Some(Fix { message, applicability: Applicability::Unsafe, edits })
}
