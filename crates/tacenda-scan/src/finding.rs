//! A finding, with all that a report says about it. It holds places, never text of the source.

use std::path::PathBuf;

use serde::Serialize;
use tacenda_policy::{Kind, Severity};

use crate::Confidence;
use crate::fix::Fix;
use crate::rules::Rule;

/// A stretch of a file. Lines and columns count from 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Region {
    /// The line it begins on.
    pub line: u32,
    /// The column it begins at.
    pub column: u32,
    /// The line it ends on.
    pub end_line: u32,
    /// The column after its last character.
    pub end_column: u32,
}

/// A step on the way from the source to the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The file.
    pub path: PathBuf,
    /// The place.
    pub region: Region,
    /// The same place, in bytes of the file.
    pub bytes: std::ops::Range<usize>,
    /// What happens there.
    pub what: &'static str,
}

/// Something that should not stand in the code as it does.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// The file.
    pub path: PathBuf,
    /// The statement or call that is wrong.
    pub region: Region,
    /// The same place, in bytes of the file.
    pub bytes: std::ops::Range<usize>,
    /// The argument or part of one that is wrong, in bytes of the file; the whole place where it is
    /// not about a value.
    pub argument: std::ops::Range<usize>,
    /// What is wrong, in one line.
    pub message: String,
    /// What is sensitive, if it is about a value.
    pub kind: Option<Kind>,
    /// How sure it is.
    pub confidence: Confidence,
    /// How bad it is.
    pub severity: Severity,
    /// The way from the source to the sink, in order.
    pub way: Vec<Stop>,
    /// The same for the same finding after lines moved: a hash of what it is about.
    pub fingerprint: String,
    /// What it can be fixed with, if that was asked for and can be told.
    pub fix: Option<Fix>,
}
