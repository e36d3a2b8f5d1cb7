//! An exception whose message holds sensitive data is written to a log.
//!
//! ## What it does
//!
//! Finds exceptions that are logged after a parser or converter was handed a prompt, a model's
//! output or a credential: such functions quote what they could not read.
//!
//! ## Why is this bad?
//!
//! `could not convert string to float: '078-05-1120'`: the text of the exception is the data.
//!
//! ## Example
//!
//! ```python
//! try:
//!     call = parse_tool_call(tool_text)
//! except ValueError as error:
//!     log.warning("cannot parse the tool call: %s", error)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! try:
//!     call = parse_tool_call(tool_text)
//! except ValueError as error:
//!     log.warning("cannot parse the tool call: %s", type(error).__name__)
//! ```
//!
//! ## Fix
//!
//! `--fix` writes the name of the exception's class in place of its message. It is safe where a logger
//! writes it. A text that was made from the exception is handed to `tacenda.summary`, which is safe where
//! the program imports `tacenda` already.
//!
//! References: [CWE-209](https://cwe.mitre.org/data/definitions/209.html),
//! [CWE-532](https://cwe.mitre.org/data/definitions/532.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{Rule, Written};
use crate::Confidence;
use crate::model::Channel;

pub(super) static RULE: Rule = Rule {
    code: "TAC202",
    name: "exception-with-data-logged",
    source: include_str!("tac202.rs"),
    cwe: &[209, 532],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: Some(|written: &Written| written.by_exception && written.channel != Channel::Exception),
    calls: &[],
    check: None,
    fix: Some(|site| site.exception_named()),
};
