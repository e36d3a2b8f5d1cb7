//! Log records are unpickled from the network.
//!
//! ## What it does
//!
//! Finds `logging.makeLogRecord(pickle.loads(…))`.
//!
//! ## Why is this bad?
//!
//! Whoever reaches the port runs code in this process: unpickling calls what the sender names.
//!
//! ## Example
//!
//! ```python
//! record = logging.makeLogRecord(pickle.loads(data))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! record = logging.makeLogRecord(json.loads(data))
//! ```
//!
//! References: [CWE-502](https://cwe.mitre.org/data/definitions/502.html); OWASP Top 10 A09:2021
//! Security Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::ir::{Expr, ExprKind};
use crate::Confidence;

pub(super) static RULE: Rule = Rule {
    code: "TAC405",
    name: "unpickled-log-records",
    source: include_str!("tac405.rs"),
    cwe: &[502],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Critical,
    confidence: Confidence::High,
    takes: None,
    calls: &["makeLogRecord"],
    check: Some(check),
    fix: None,
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let unpickled = |expr: &Expr| match &expr.kind {
        ExprKind::Call(call) => call.callee.dotted().is_some_and(|path| path.ends_with("pickle.loads")),
        _ => false,
    };
    if site.call.arguments.first().is_some_and(unpickled) {
        site.whole(Confidence::High, found);
    }
}
