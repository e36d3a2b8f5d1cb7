//! Findings that were there before: a text file with a line for each.

use crate::finding::Finding;
use rustc_hash::FxHashMap as HashMap;

/// The first line of the file.
const HEADER: &str =
    "# tacenda scan baseline, version 1: fingerprint, rule, file and line where it stood";

/// Findings that are accepted as they are. They are known by their fingerprints, which stay when
/// lines move.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    lines: Vec<String>,
    known: HashMap<String, usize>,
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum BadBaseline {
    /// It is something else.
    #[error("this is no baseline of `tacenda scan`: its first line is another")]
    NoBaseline,
    /// A line of it.
    #[error("line {0} of the baseline is no finding")]
    BadLine(usize),
}

impl Baseline {
    /// Of these findings.
    pub fn of(findings: &[Finding]) -> Self {
        let line = |finding: &Finding| {
            let path = finding.path.to_string_lossy();
            format!(
                "{} {} {}:{}",
                finding.fingerprint,
                finding.rule.code,
                path.strip_prefix("./").unwrap_or(&path),
                finding.in_file().line
            )
        };
        Self { lines: findings.iter().map(line).collect(), known: HashMap::default() }
    }

    /// As a file.
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}\n");
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text
    }

    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, BadBaseline> {
        let mut lines = text.lines();
        if !lines.next().is_some_and(|line| line.starts_with("# tacenda scan baseline, version 1"))
        {
            return Err(BadBaseline::NoBaseline);
        }
        let mut known = HashMap::default();
        for (at, line) in lines.enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let fingerprint = line.split(' ').next().unwrap_or_default();
            if fingerprint.len() != 18 || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit())
            {
                return Err(BadBaseline::BadLine(at + 2));
            }
            *known.entry(fingerprint.to_owned()).or_default() += 1;
        }
        Ok(Self { lines: Vec::new(), known })
    }

    /// Takes out what is in the baseline, and tells how many that were.
    pub fn apply(mut self, findings: &mut Vec<Finding>) -> usize {
        let before = findings.len();
        findings.retain(|finding| match self.known.get_mut(&finding.fingerprint) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => true,
        });
        before - findings.len()
    }
}
