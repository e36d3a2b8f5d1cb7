//! Model data is saved where others can read it.
//!
//! ## What it does
//!
//! Finds prompt caches, arrays and exported functions of MLX that are saved under `/tmp`.
//!
//! ## Why is this bad?
//!
//! MLX writes files with mode 0644. A prompt cache gives back the prompt word for word to whoever
//! has the public weights.
//!
//! ## Example
//!
//! ```python
//! save_prompt_cache("/tmp/cache.safetensors", cache)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! os.umask(0o077)
//! save_prompt_cache(state / "cache.safetensors", cache)
//! ```
//!
//! References: [CWE-377](https://cwe.mitre.org/data/definitions/377.html),
//! [CWE-732](https://cwe.mitre.org/data/definitions/732.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::ir::Expr;
use crate::Confidence;

pub(super) static RULE: Rule = Rule {
    code: "TAC605",
    name: "model-data-in-public-place",
    source: include_str!("tac605.rs"),
    cwe: &[377, 732],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: None,
    calls: &["save_prompt_cache", "save", "savez", "save_safetensors", "save_gguf", "export_function", "export_to_dot"],
    check: Some(check),
    fix: None,
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let path = site.call.arguments.first().and_then(Expr::text);
    let public = path.is_some_and(|path| ["/tmp/", "/var/tmp/", "/dev/shm/"].iter().any(|root| path.starts_with(root)));
    let ours = site.path.starts_with("mlx") || site.path.starts_with("mx.") || site.is("save_prompt_cache");
    if public && ours {
        site.whole(Confidence::High, found);
    }
}
