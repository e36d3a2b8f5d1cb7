//! A log file lies in a public directory.
//!
//! ## What it does
//!
//! Finds log files under `/tmp` and under directories that web servers serve.
//!
//! ## Why is this bad?
//!
//! In `/tmp` another account may have put a link under the name before; under a web root the log
//! is a page.
//!
//! ## Example
//!
//! ```python
//! logging.FileHandler("/tmp/server.log")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! logging.FileHandler(Path(os.environ["STATE_DIRECTORY"]) / "server.log")
//! ```
//!
//! References: [CWE-377](https://cwe.mitre.org/data/definitions/377.html),
//! [CWE-552](https://cwe.mitre.org/data/definitions/552.html); OWASP Top 10 A09:2021 Security
//! Logging and Monitoring Failures.

use tacenda_policy::Severity;

use super::{CallSite, Match, Rule};
use crate::ir::Expr;
use crate::Confidence;

pub(super) static RULE: Rule = Rule {
    code: "TAC403",
    name: "log-file-in-public-place",
    source: include_str!("tac403.rs"),
    cwe: &[377, 552],
    owasp: "A09:2021 Security Logging and Monitoring Failures",
    severity: Severity::High,
    confidence: Confidence::High,
    takes: None,
    calls: &["FileHandler", "RotatingFileHandler", "TimedRotatingFileHandler", "WatchedFileHandler", "basicConfig"],
    check: Some(check),
    fix: None,
};

fn check(site: &CallSite<'_>, found: &mut Vec<Match>) {
    let name = site.call.keyword("filename").or_else(|| site.call.arguments.first().filter(|_| !site.is("logging.basicConfig")));
    let public = |path: &str| {
        ["/tmp/", "/var/tmp/", "/dev/shm/", "/var/www/", "/usr/share/nginx/"].iter().any(|root| path.starts_with(root))
            || path.split('/').any(|part| matches!(part, "static" | "public_html" | "wwwroot" | "htdocs"))
    };
    if name.and_then(Expr::text).is_some_and(public) {
        site.whole(Confidence::High, found);
    }
}
