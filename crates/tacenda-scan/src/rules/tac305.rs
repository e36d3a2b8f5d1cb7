//! Tracebacks show local variables.
//!
//! ## What it does
//!
//! Finds `RichHandler(tracebacks_show_locals=True)`, `rich.traceback.install(show_locals=True)`,
//! `print_exception(show_locals=True)`, `pretty_exceptions_show_locals=True` and `cgitb`.
//!
//! ## Why is this bad?
//!
//! A local variable is where a prompt, a password or a whole request is when something fails.
//!
//! ## Example
//!
//! ```python
//! RichHandler(rich_tracebacks=True, tracebacks_show_locals=True)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! RichHandler(rich_tracebacks=True)
//! ```
//!
//! ## Fix
//!
//! `--fix` sets the argument to `False`: tracebacks stay, without the variables. That is safe where the
//! function is imported from Rich or Typer; what another of this name does with it is not known.
//!
//! References: [CWE-209](https://cwe.mitre.org/data/definitions/209.html),
//! [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::Confidence;
use crate::fix::{Applicability, Fix, Site};

pub(super) static RULE: Rule = Rule {
    code: "TAC305",
    name: "locals-in-tracebacks",
    source: include_str!("tac305.rs"),
    cwe: &[209, 532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: None,
    calls: &["RichHandler", "install", "print_exception", "Typer", "enable", "Traceback"],
    check: Some(check),
    fix: Some(fix),
};

const SHOWS: &[&str] =
    &["tracebacks_show_locals", "show_locals", "pretty_exceptions_show_locals"];

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let on = |name: &&str| site.call.keyword(name).is_some_and(super::super::ir::Expr::is_true);
    if SHOWS.iter().any(on) || site.is("cgitb.enable") {
        site.whole(Confidence::High, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    let keyword = SHOWS.iter().find_map(|name| site.keyword(name))?;
    let edit = site.replace(&keyword.value, "False");
    let applicability = if site.calls_into(&["rich", "typer"]) {
        Applicability::Safe
    } else {
        Applicability::Unsafe
    };
    Some(Site::fix("show no variables", applicability, edit))
}
