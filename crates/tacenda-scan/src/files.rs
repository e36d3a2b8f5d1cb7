//! Which files are looked at, and what stands in them.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use ignore::overrides::OverrideBuilder;

use crate::mask::masked;
use crate::scan::MAX_BYTES;

/// A file to be scanned.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is, or what it is called in reports.
    pub path: PathBuf,
    text: Option<String>,
}

/// A file that could not be looked at.
#[derive(Debug)]
pub struct Problem {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why a file could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Reason {
    /// It cannot be read.
    #[error("cannot read the file: {0}")]
    Unreadable(io::Error),
    /// We failed on it.
    #[error("the scanner failed on this file, which is an error of its own: please report it")]
    Internal,
    /// It is no text in UTF-8 or one of its ancestors: Python would not read it either.
    #[error("the file is no source code: it holds NUL bytes, as binary files and UTF-16 do")]
    NotText,
    /// It is larger than what people write.
    #[error("the file is larger than 8 MiB: too large for source code")]
    TooLarge,
}

/// A pattern of files that is not well-formed.
#[derive(Debug, thiserror::Error)]
#[error("{pattern:?} is no pattern of files: {reason}")]
pub struct BadPattern {
    /// The pattern.
    pub pattern: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Source {
    /// A file on disk.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), text: None }
    }

    /// A text that is at hand.
    pub fn text(path: impl Into<PathBuf>, text: String) -> Self {
        Self { path: path.into(), text: Some(text) }
    }

    /// With its text as it is now, which holds from then on. What cannot be read stays what it is.
    #[must_use]
    pub fn pinned(mut self) -> Self {
        if self.text.is_none() {
            self.text = self.read().ok();
        }
        self
    }

    /// The text that is at hand.
    pub fn contents(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Its text, with what looks like a secret hidden, for a report to show. Nothing if it cannot be
    /// read any more.
    pub fn masked(&self) -> Option<String> {
        self.read().ok().map(|text| masked(&text))
    }

    /// Its text. Bytes that are no UTF-8 are replaced: they stand in literals and comments.
    pub(crate) fn read(&self) -> Result<String, Reason> {
        let text = match &self.text {
            Some(text) => text.clone(),
            None => {
                let mut bytes = Vec::new();
                // Some files have no end.
                fs::File::open(&self.path)
                    .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
                    .map_err(Reason::Unreadable)?;
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
            }
        };
        if text.len() > MAX_BYTES {
            return Err(Reason::TooLarge);
        }
        if text.contains('\0') {
            return Err(Reason::NotText);
        }
        Ok(text)
    }
}

/// Which files are looked at.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Files, and directories to be searched for files.
    pub paths: Vec<PathBuf>,
    /// Files in directories that are left out, in the syntax of gitignore.
    pub exclude: Vec<String>,
}

impl Selection {
    /// Finds the files: `.py`, `.pyw` and `.pyi` in directories, without what git ignores and what
    /// is hidden; named files whatever they are called.
    pub fn select(&self) -> Result<(Vec<Source>, Vec<Problem>), BadPattern> {
        let mut sources = Vec::new();
        let mut problems = Vec::new();
        for path in &self.paths {
            if path.is_dir() {
                self.walk(path, &mut sources, &mut problems)?;
            } else {
                sources.push(Source::file(path));
            }
        }
        sources.sort_by(|one, two| one.path.cmp(&two.path));
        sources.dedup_by(|one, two| one.path == two.path);
        Ok((sources, problems))
    }

    fn walk(
        &self,
        root: &Path,
        sources: &mut Vec<Source>,
        problems: &mut Vec<Problem>,
    ) -> Result<(), BadPattern> {
        let mut overrides = OverrideBuilder::new(root);
        for pattern in &self.exclude {
            let bad = |error: ignore::Error| BadPattern {
                pattern: pattern.clone(),
                reason: error.to_string(),
            };
            overrides.add(&format!("!{pattern}")).map_err(bad)?;
        }
        let overrides = overrides
            .build()
            .map_err(|error| BadPattern { pattern: String::new(), reason: error.to_string() })?;
        for entry in WalkBuilder::new(root).overrides(overrides).require_git(false).build() {
            match entry {
                Ok(entry) => {
                    let python = entry
                        .path()
                        .extension()
                        .is_some_and(|one| one == "py" || one == "pyi" || one == "pyw");
                    if python && entry.file_type().is_some_and(|kind| kind.is_file()) {
                        sources.push(Source::file(entry.path()));
                    }
                }
                Err(error) => {
                    let path = root.to_owned();
                    problems.push(Problem {
                        path,
                        reason: Reason::Unreadable(io::Error::other(error.to_string())),
                    });
                }
            }
        }
        Ok(())
    }
}
