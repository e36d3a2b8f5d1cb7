//! Which files are looked at, and what stands in them.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ignore::WalkBuilder;
use ignore::overrides::OverrideBuilder;
use ruff_python_ast::PySourceType;
use sha2::{Digest as _, Sha256};

use crate::configuration;
use crate::mask::masked;
use crate::model::Models;
use crate::notebook::{BadNotebook, Notebook, is_notebook};
use crate::scan::MAX_BYTES;

/// A file to be scanned.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it is, or what it is called in reports.
    pub path: PathBuf,
    text: Option<Arc<str>>,
    /// Whether the user named it, rather than a directory that it is in.
    pub(crate) named: bool,
    /// What it was when the cache was asked.
    pub(crate) expected: Option<Expected>,
}

/// What a file was, and whether one was found to be something else.
#[derive(Clone, Debug)]
pub(crate) struct Expected {
    pub(crate) hash: Option<[u8; 32]>,
    pub(crate) differs: Arc<AtomicBool>,
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
    /// It is named like a notebook, and is none.
    #[error("{0}")]
    NoNotebook(BadNotebook),
    /// It is not what its name says.
    #[error("line {line}, column {column}: the file is not in the format that its name says")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The slot map, which is text, cannot hold its name.
    #[error("the name of the file is not UTF-8: the slot map is without it; rename the file")]
    NoName,
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
        Self { path: path.into(), text: None, named: true, expected: None }
    }

    /// A text that is at hand.
    pub fn text(path: impl Into<PathBuf>, text: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), text: Some(text.into()), named: true, expected: None }
    }

    /// With its text as it is now, which holds from then on. What cannot be read stays what it is.
    #[must_use]
    pub fn pinned(mut self) -> Self {
        if self.text.is_none() {
            self.text = self.raw().ok();
        }
        self
    }

    /// The text that is at hand.
    pub fn contents(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Its text, with what looks like a secret hidden, for a report to show. Nothing if it cannot be
    /// read any more.
    pub fn masked(&self, models: &Models) -> Option<String> {
        if configuration::syntax(&self.path).is_some() {
            return self.raw().ok().map(|text| configuration::masked(&text));
        }
        self.read().ok().map(|text| masked(&text, self.syntax(), models))
    }

    /// Its code: of a notebook that of its cells, of another file its text.
    pub(crate) fn read(&self) -> Result<Arc<str>, Reason> {
        let text = self.raw()?;
        if is_notebook(&self.path) {
            return Ok(Notebook::parse(&text).map_err(Reason::NoNotebook)?.code.into());
        }
        Ok(text)
    }

    /// The language that its code is in.
    pub(crate) fn syntax(&self) -> PySourceType {
        if is_notebook(&self.path) { PySourceType::Ipynb } else { PySourceType::Python }
    }

    /// Its text. Bytes that are no UTF-8 are replaced: they stand in literals and comments.
    pub(crate) fn raw(&self) -> Result<Arc<str>, Reason> {
        let text = self.raw_now();
        if let Some(expected) = &self.expected
            && hash(&text) != expected.hash
        {
            expected.differs.store(true, Ordering::Relaxed);
        }
        text
    }

    /// The bytes that this text of it was read from.
    pub(crate) fn bytes<'t>(&self, text: &'t str) -> Cow<'t, [u8]> {
        let was_replaced = self.text.is_none() && text.contains(char::REPLACEMENT_CHARACTER);
        let bytes = was_replaced.then(|| fs::read(&self.path).ok()).flatten();
        bytes.map_or(Cow::Borrowed(text.as_bytes()), Cow::Owned)
    }

    fn raw_now(&self) -> Result<Arc<str>, Reason> {
        // What has the name of configuration may be data of any size.
        let data = !self.named && configuration::syntax(&self.path).is_some();
        let most = if data { configuration::MAX_BYTES } else { MAX_BYTES };
        let text: Arc<str> = match &self.text {
            Some(text) => text.clone(),
            None => {
                let mut bytes = Vec::new();
                // Some files have no end.
                fs::File::open(&self.path)
                    .and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes))
                    .map_err(Reason::Unreadable)?;
                String::from_utf8(bytes)
                    .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
                    .into()
            }
        };
        if text.len() > most {
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
    /// Finds the files: those of Python, notebooks, and what may be configuration in directories,
    /// without what git ignores and what is hidden but `.env`; named files whatever they are called.
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
        sources.dedup_by(|one, two| {
            let same = one.path == two.path;
            two.named |= same && one.named;
            same
        });
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
        let mut builder = WalkBuilder::new(root);
        builder.overrides(overrides).require_git(false).hidden(false);
        let top = root.to_owned();
        builder.filter_entry(move |entry| {
            let name = entry.file_name().to_string_lossy();
            let hidden = name.starts_with('.') && entry.path() != top;
            !hidden || is_environment(&name) && entry.file_type().is_some_and(|kind| kind.is_file())
        });
        for entry in builder.build() {
            match entry {
                Ok(entry) => {
                    if is_code(entry.path()) && entry.file_type().is_some_and(|kind| kind.is_file())
                    {
                        let source = Source::file(entry.path());
                        sources.push(Source { named: false, ..source });
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

/// A hash of what was read, or of why nothing could be. Nothing if that may be otherwise the next time.
pub(crate) fn hash(read: &Result<Arc<str>, Reason>) -> Option<[u8; 32]> {
    match read {
        Ok(text) => Some(Sha256::digest(text.as_bytes()).into()),
        Err(Reason::TooLarge) => Some([1; 32]),
        Err(Reason::NotText) => Some([2; 32]),
        Err(_) => None,
    }
}

/// Whether a file of this name is looked at where nobody named it.
pub(crate) fn is_code(path: &Path) -> bool {
    if configuration::syntax(path).is_some() {
        return true;
    }
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("py" | "pyi" | "pyw" | "ipynb"))
}

/// `.env`, `.env.production`: hidden, and meant to be read.
fn is_environment(name: &str) -> bool {
    name == ".env" || name.starts_with(".env.")
}
