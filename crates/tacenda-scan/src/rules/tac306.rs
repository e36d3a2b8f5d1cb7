//! All arguments are sent to an experiment tracker.
//!
//! ## What it does
//!
//! Finds `wandb.init(config=vars(args))` and the same for mlflow and swanlab.
//!
//! ## Why is this bad?
//!
//! Whatever was given on the command line or in the configuration file, tokens included, is stored
//! by the tracker and shown to everyone who may see the run.
//!
//! ## Example
//!
//! ```python
//! wandb.init(project="lora", config=vars(args))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! wandb.init(project="lora", config={"rank": args.rank, "rate": args.learning_rate})
//! ```
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html),
//! [CWE-200](https://cwe.mitre.org/data/definitions/200.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::ir::{Expr, ExprKind};
use crate::Confidence;

pub(super) static RULE: Rule = Rule {
    code: "TAC306",
    name: "arguments-to-tracker",
    source: include_str!("tac306.rs"),
    cwe: &[532, 200],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::Medium,
    confidence: Confidence::High,
    takes: None,
    calls: &["init", "log_params", "update"],
    check: Some(check),
    fix: None,
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let tracker = ["wandb.init", "swanlab.init", "mlflow.log_params", "wandb.config.update"].iter().any(|path| site.is(path));
    let given = site.call.arguments.first().into_iter().chain(site.call.keyword("config"));
    let whole = |expr: &Expr| match &expr.kind {
        ExprKind::Call(call) => call.callee.last_name().is_some_and(|name| name.name == "vars"),
        ExprKind::Attribute(_, name) => name.name == "__dict__",
        _ => false,
    };
    if tracker && given.into_iter().any(whole) {
        site.whole(Confidence::Medium, found);
    }
}
