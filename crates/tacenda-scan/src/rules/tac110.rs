//! A declared password or token is not marked as secret.
//!
//! ## What it does
//!
//! Finds options of `oslo.config` that are named like credentials and lack `secret=True`, and
//! parameters of Ansible modules that lack `no_log=True`.
//!
//! ## Why is this bad?
//!
//! The framework logs all options at start, and all parameters of a task, unless it is told which
//! ones to hide.
//!
//! ## Example
//!
//! ```python
//! cfg.StrOpt("admin_password", help="The password of the administrator.")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! cfg.StrOpt("admin_password", secret=True, help="The password of the administrator.")
//! ```
//!
//! ## Fix
//!
//! `--fix` adds `secret=True`, which is safe. `--unsafe-fixes` adds `no_log=True`: Ansible then hides
//! the value in what a task gives back, too.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021
//! Security Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::fix::{Applicability, Fix, Site};
use crate::ir::ExprKind;
use crate::label::Label;
use crate::Confidence;
use crate::lexicon::Class;

pub(super) static RULE: Rule = Rule {
    code: "TAC110",
    name: "option-not-secret",
    source: include_str!("tac110.rs"),
    cwe: &[532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: None,
    calls: &["StrOpt", "Opt", "MultiStrOpt", "ListOpt", "dict"],
    check: Some(check),
    fix: Some(fix),
};

/// What stands in the declaration of a parameter.
const SPEC: &[&str] = &["type", "required", "default", "aliases", "choices", "fallback", "elements", "version_added"];

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let call = site.call;
    if site.is("dict") {
        // `password=dict(type="str")` in the argument_spec of an Ansible module.
        if !site.context.ansible {
            return;
        }
        for (key, value) in &call.keywords {
            let (Some(key), ExprKind::Call(spec)) = (key, &value.kind) else { continue };
            let declares = spec.callee.last_name().is_some_and(|name| name.name == "dict")
                && (spec.keywords.is_empty() || SPEC.iter().any(|word| spec.keyword(word).is_some()));
            let flag = spec.keyword("type").and_then(|kind| kind.text()).is_some_and(|kind| matches!(kind, "bool" | "int" | "path"));
            let asks = matches!(key.class, Class::Sensitive(Label::Credential, ..));
            // A choice among words is none.
            let chooses = spec.keyword("choices").is_some();
            if declares && !chooses && asks && !flag && spec.keyword("no_log").is_none() && !spec.has_more() {
                found.push(Match { span: value.span, confidence: Confidence::Medium });
            }
        }
        return;
    }
    let named = call.arguments.first().or_else(|| call.keyword("name"));
    let asks = matches!(named.map(|name| &name.kind), Some(ExprKind::Text(_, Class::Sensitive(Label::Credential, ..))));
    if asks && call.keyword("secret").is_none() && !call.has_more() {
        site.whole(Confidence::Medium, found);
    }
}

fn fix(site: &Site<'_>) -> Option<Fix> {
    if site.path(&site.call()?.func)? == "dict" {
        let edit = site.set_keyword("no_log", "True")?;
        return Some(Site::fix("add `no_log=True`", Applicability::Unsafe, edit));
    }
    let edit = site.set_keyword("secret", "True")?;
    Some(Site::fix("add `secret=True`", Applicability::Safe, edit))
}
