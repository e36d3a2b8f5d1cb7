//! An object that holds credentials is written to a log.
//!
//! ## What it does
//!
//! Finds configuration, environments, option dictionaries and data classes that are logged as a
//! whole, where a credential is among their fields.
//!
//! ## Why is this bad?
//!
//! The field is not named where it is logged, so no review sees it: the text of the object shows
//! it.
//!
//! ## Example
//!
//! ```python
//! log.info("starting with %s", settings)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! log.info("starting with model %s", settings.model)
//! ```
//!
//! ## Fix
//!
//! `--fix` hands the value to `tacenda.summary`, which tells its size and a keyed fingerprint. It is safe
//! where a logger writes the value into a message and the program imports `tacenda` already. Where it
//! would not be, `--unsafe-fixes` annotates the credentials of a pydantic model with `SecretStr`, if they
//! are plain `str` without a default and nothing in the file reads them. Other files that do have to ask
//! for `get_secret_value()`, and `model_dump_json` hides them from then on.
//!
//! References: [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021
//! Security Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{Rule, Written};
use crate::fix::{Applicability, Fix, Site};
use crate::label::Label;
use crate::Confidence;
use crate::model::Channel;

pub(super) static RULE: Rule = Rule {
    code: "TAC105",
    name: "settings-logged",
    source: include_str!("tac105.rs"),
    cwe: &[532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: Some(|written: &Written| written.label == Label::Settings && written.channel != Channel::Exception && !written.by_exception),
    calls: &[],
    check: None,
    fix: Some(fix),
};

fn fix(site: &Site<'_>) -> Option<Fix> {
    let summarized = site.summarized();
    match &summarized {
        Some(fix) if fix.applicability == Applicability::Safe => summarized,
        _ => site.with_secret_fields().or(summarized),
    }
}
