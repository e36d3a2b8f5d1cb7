//! A finding, with all that a report says about it. It holds places, never text of the source.

use std::borrow::Cow;
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

/// A cell of a notebook in which something stands. Its region has the lines of the cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Its number among all cells, from 1.
    pub number: u32,
    /// Where it is in the code of the notebook, which is that of its cells.
    pub bytes: std::ops::Range<usize>,
    /// The same place in the file, which is JSON.
    pub file: Region,
}

/// A step on the way from the source to the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The file.
    pub path: PathBuf,
    /// The place.
    pub region: Region,
    /// The cell that it is in, in a notebook.
    pub cell: Option<Cell>,
    /// The same place, in bytes of the code.
    pub bytes: std::ops::Range<usize>,
    /// What happens there.
    pub what: Cow<'static, str>,
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
    /// The cell that it is in, in a notebook.
    pub cell: Option<Cell>,
    /// The same place, in bytes of the code.
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

impl Stop {
    /// The place as a program that reads the file has it.
    pub fn in_file(&self) -> Region {
        self.cell.as_ref().map_or(self.region, |cell| cell.file)
    }
}

impl Finding {
    /// The place as a program that reads the file has it.
    pub fn in_file(&self) -> Region {
        self.cell.as_ref().map_or(self.region, |cell| cell.file)
    }
}
