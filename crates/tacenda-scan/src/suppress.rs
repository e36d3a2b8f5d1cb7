//! `# tacenda: ignore[TAC101] reason`: findings that somebody looked at.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::finding::Finding;
use crate::lines::Lines;

/// What makes a comment speak to us.
pub(crate) const MARK: &str = "tacenda: ignore";

/// A comment that suppresses nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// The file.
    pub path: PathBuf,
    /// The line of the comment.
    pub line: u32,
    /// The cell that it is in, in a notebook; its line is that of the cell.
    pub cell: Option<u32>,
    /// What is wrong with it.
    pub why: Why,
}

/// What is wrong with a comment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is no such finding.
    #[error("{0} is not found here: the comment can go")]
    NotFound(String),
    /// It names no rule.
    #[error("the comment names no rule, and suppresses nothing")]
    NoRule,
    /// It says not why.
    #[error("the comment gives no reason, and suppresses nothing")]
    NoReason,
}

/// The comments of a file.
#[derive(Debug, Default)]
pub(crate) struct Suppressions {
    comments: Vec<Comment>,
}

#[derive(Debug)]
struct Comment {
    /// Its line.
    line: u32,
    /// Whether nothing else is on the line: then it is about the next one.
    alone: bool,
    codes: Vec<String>,
    reason: bool,
}

impl Suppressions {
    /// Reads the comments at these places.
    pub(crate) fn read(text: &str, places: Vec<Range<usize>>) -> Self {
        if places.is_empty() {
            return Self::default();
        }
        let lines = Lines::new(text);
        let comment = |place: Range<usize>| {
            let line = lines.number(place.start);
            let alone =
                lines.line(text, line).is_some_and(|line| line.trim_start().starts_with('#'));
            let said = text[place].split_once(MARK).map_or("", |(_, said)| said).trim();
            let (codes, reason) = match said.strip_prefix('[').and_then(|said| said.split_once(']'))
            {
                Some((codes, reason)) => {
                    (codes.split(',').map(|code| code.trim().to_uppercase()).collect(), reason)
                }
                None => (Vec::new(), said),
            };
            let reason = reason.chars().any(char::is_alphanumeric);
            Comment { line, alone, codes, reason }
        };
        Self { comments: places.into_iter().map(comment).collect() }
    }

    /// Takes out what is suppressed, and tells which comments suppressed nothing.
    pub(crate) fn apply(&self, path: &Path, mut findings: Vec<Finding>) -> Applied {
        let mut unused = Vec::new();
        let mut suppressed = Vec::new();
        for comment in &self.comments {
            let mut note = |why| {
                unused.push(Unused { path: path.to_owned(), line: comment.line, cell: None, why });
            };
            if comment.codes.is_empty() {
                note(Why::NoRule);
                continue;
            }
            if !comment.reason {
                note(Why::NoReason);
                continue;
            }
            for code in &comment.codes {
                let before = findings.len();
                suppressed.extend(findings.extract_if(.., |finding| {
                    let region = finding.region;
                    let here = (region.line..=region.end_line).contains(&comment.line);
                    let next = comment.alone && region.line == comment.line + 1;
                    finding.rule.code == code && (here || next)
                }));
                if findings.len() == before {
                    note(Why::NotFound(code.clone()));
                }
            }
        }
        Applied { findings, suppressed, unused }
    }
}

/// What comments make of the findings of a file.
#[derive(Debug, Default)]
pub(crate) struct Applied {
    /// Those that stay.
    pub(crate) findings: Vec<Finding>,
    /// Those that somebody looked at.
    pub(crate) suppressed: Vec<Finding>,
    /// The comments that suppress nothing.
    pub(crate) unused: Vec<Unused>,
}
