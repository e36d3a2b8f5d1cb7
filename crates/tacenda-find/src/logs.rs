//! Which files are looked at, and which of them are one log.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use ignore::overrides::{Override, OverrideBuilder};
use jiff::Timestamp;

use crate::problem::{Problem, Reason};
use crate::rotation;

/// The path that means standard input.
pub const STANDARD_INPUT: &str = "-";

/// What to look at.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Files, directories, or [`STANDARD_INPUT`].
    pub paths: Vec<PathBuf>,
    /// Globs in the syntax of gitignore: of the files in directories, only these.
    pub include: Vec<String>,
    /// Globs in the syntax of gitignore: of the files in directories, all but these.
    pub exclude: Vec<String>,
    /// Whether files and directories whose names begin with a dot are looked at.
    pub hidden: bool,
    /// Whether files that are no text are looked at.
    pub binary: bool,
}

/// A glob that is none.
#[derive(Debug, thiserror::Error)]
#[error("`{glob}` is no glob: {reason}")]
pub struct BadGlob {
    /// The glob.
    pub glob: String,
    /// What is wrong with it.
    pub reason: String,
}

/// One log: a file, or the files that rotation has made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The path of the log, or what the names of its files have in common.
    pub name: PathBuf,
    /// Its files, oldest first.
    pub files: Vec<LogFile>,
}

/// One file of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Its path, as it was given or found.
    pub path: PathBuf,
    /// Its size in bytes; none where it is not known before it is read.
    pub size: Option<u64>,
    /// When it was last written to.
    pub modified: Timestamp,
    /// Whether it was named itself, and not found in a directory.
    pub named: bool,
}

/// What a selection selects.
#[derive(Debug, Default)]
pub struct Selected {
    /// The logs, by name.
    pub logs: Vec<Log>,
    /// What could not be looked at.
    pub problems: Vec<Problem>,
}

impl Selection {
    /// Looks for the files. Links are followed where they are named, not in directories.
    ///
    /// # Errors
    /// When a glob is none.
    pub fn select(&self) -> Result<Selected, BadGlob> {
        let mut found = Found::default();
        for path in &self.paths {
            if path == Path::new(STANDARD_INPUT) {
                found.files.push(LogFile::standard_input());
                continue;
            }
            match fs::metadata(path) {
                Ok(metadata) if metadata.is_dir() => self.walk(path, &mut found)?,
                Ok(metadata) => found.add(path.clone(), &metadata, true),
                Err(error) => found.problems.push(Problem::new(path, Reason::Io(error))),
            }
        }
        Ok(Selected { logs: group(found.files), problems: found.problems })
    }

    fn walk(&self, directory: &Path, found: &mut Found) -> Result<(), BadGlob> {
        let walk = WalkBuilder::new(directory)
            // What version control leaves out is what we are here for.
            .standard_filters(false)
            // By name, since a glob that wants `*.log` would want hidden ones too.
            .filter_entry({
                let hidden = self.hidden;
                move |entry| {
                    let name = entry.file_name().as_encoded_bytes();
                    hidden || entry.depth() == 0 || !name.starts_with(b".")
                }
            })
            .follow_links(false)
            .sort_by_file_name(Ord::cmp)
            .overrides(self.globs(directory)?)
            .build();
        for entry in walk {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    let path = path_of(&error).unwrap_or(directory).to_owned();
                    let error = error
                        .into_io_error()
                        .unwrap_or_else(|| io::Error::other("the directory cannot be read"));
                    found.problems.push(Problem::new(&path, Reason::Io(error)));
                    continue;
                }
            };
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            match entry.metadata().map_err(ignore::Error::into_io_error) {
                Ok(metadata) => {
                    // As it would be typed: `find .` names `app.log`, not `./app.log`.
                    let path = entry.path().strip_prefix(".").unwrap_or(entry.path());
                    found.add(path.to_owned(), &metadata, false);
                }
                Err(error) => {
                    let gone = || io::Error::from(io::ErrorKind::NotFound);
                    let reason = Reason::Io(error.unwrap_or_else(gone));
                    found.problems.push(Problem::new(entry.path(), reason));
                }
            }
        }
        Ok(())
    }

    fn globs(&self, directory: &Path) -> Result<Override, BadGlob> {
        let mut globs = OverrideBuilder::new(directory);
        let excluded = self.exclude.iter().map(|glob| (glob, format!("!{glob}")));
        for (glob, text) in self.include.iter().map(|glob| (glob, glob.clone())).chain(excluded) {
            let bad = |error: ignore::Error| BadGlob {
                glob: glob.clone(),
                reason: match error {
                    ignore::Error::Glob { err, .. } => err,
                    other => other.to_string(),
                },
            };
            globs.add(&text).map_err(bad)?;
        }
        globs.build().map_err(|error| BadGlob { glob: String::new(), reason: error.to_string() })
    }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => {
            path_of(err)
        }
        _ => None,
    }
}

impl LogFile {
    fn standard_input() -> Self {
        let path = PathBuf::from(STANDARD_INPUT);
        Self { path, size: None, modified: Timestamp::now(), named: true }
    }
}

#[derive(Default)]
struct Found {
    files: Vec<LogFile>,
    problems: Vec<Problem>,
    /// Device and inode: no file is looked at twice.
    seen: HashSet<(u64, u64)>,
}

impl Found {
    fn add(&mut self, path: PathBuf, metadata: &Metadata, named: bool) {
        if !self.seen.insert((metadata.dev(), metadata.ino())) {
            return;
        }
        let modified = metadata.modified().ok();
        self.files.push(LogFile {
            path,
            size: metadata.is_file().then_some(metadata.len()),
            modified: modified.and_then(|time| time.try_into().ok()).unwrap_or_default(),
            named,
        });
    }
}

/// Files of rotated sets together, oldest first.
fn group(files: Vec<LogFile>) -> Vec<Log> {
    let mut sets: BTreeMap<PathBuf, Vec<(rotation::Age, LogFile)>> = BTreeMap::new();
    for file in files {
        let name = file.path.file_name().map(|name| name.to_string_lossy().into_owned());
        let (name, age) = match name {
            Some(name) if file.size.is_some() => {
                let (base, age) = rotation::parse(&name);
                (file.path.with_file_name(base), age)
            }
            _ => (file.path.clone(), rotation::Age::Current),
        };
        sets.entry(name).or_default().push((age, file));
    }
    let log = |(name, mut files): (PathBuf, Vec<(rotation::Age, LogFile)>)| {
        files.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| a.1.path.cmp(&b.1.path)));
        let files: Vec<LogFile> = files.into_iter().map(|(_, file)| file).collect();
        // One file alone has its own name.
        let name = if let [one] = &files[..] { one.path.clone() } else { name };
        Log { name, files }
    };
    let mut logs: Vec<Log> = sets.into_iter().map(log).collect();
    logs.sort_by(|a, b| a.name.cmp(&b.name));
    logs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(selection: &Selection, directory: &Path) -> Vec<String> {
        let selection = Selection { paths: vec![directory.to_owned()], ..selection.clone() };
        let selected = selection.select().unwrap();
        assert!(selected.problems.is_empty());
        let files = selected.logs.iter().flat_map(|log| &log.files);
        let name = |file: &LogFile| {
            file.path.strip_prefix(directory).unwrap().to_string_lossy().into_owned()
        };
        files.map(name).collect()
    }

    #[test]
    fn a_directory_is_searched_like_ripgrep_does_but_for_ignored_files() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("sub/deep")).unwrap();
        for name in
            ["app.log", "app.log.1", "b.txt", ".hidden.log", "sub/c.log", "sub/deep/d.log.gz"]
        {
            fs::write(root.join(name), "x").unwrap();
        }
        fs::write(root.join(".gitignore"), "*.log\n").unwrap();
        std::os::unix::fs::symlink(root.join("app.log"), root.join("link.log")).unwrap();
        std::os::unix::fs::symlink(root, root.join("loop")).unwrap();

        let all = Selection::default();
        assert_eq!(
            names(&all, root),
            ["app.log.1", "app.log", "b.txt", "sub/c.log", "sub/deep/d.log.gz"]
        );
        let include = Selection { include: vec!["*.log".into()], ..all.clone() };
        assert_eq!(names(&include, root), ["app.log", "sub/c.log"]);
        let exclude = Selection { exclude: vec!["sub/".into(), "*.1".into()], ..all.clone() };
        assert_eq!(names(&exclude, root), ["app.log", "b.txt"]);
        let hidden = Selection { hidden: true, ..all.clone() };
        assert!(names(&hidden, root).contains(&".hidden.log".to_owned()));
        let bad = Selection { paths: vec![root.into()], include: vec!["a[".into()], ..all };
        assert!(bad.select().unwrap_err().to_string().starts_with("`a[` is no glob: "));
    }

    #[test]
    fn named_files_are_taken_once_and_missing_ones_are_problems() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("app.log");
        fs::write(&file, "x").unwrap();
        let missing = directory.path().join("missing.log");
        let paths = vec![file.clone(), directory.path().into(), missing.clone(), file.clone()];
        let selected = Selection { paths, ..Selection::default() }.select().unwrap();
        assert_eq!(selected.logs.len(), 1);
        assert_eq!(selected.logs[0].name, file);
        assert_eq!(selected.problems.len(), 1);
        assert_eq!(selected.problems[0].path, missing);
    }

    #[test]
    fn a_rotated_set_is_one_log() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["app.log", "app.log.1", "app.log.2.gz", "other.log.1"] {
            fs::write(directory.path().join(name), "x").unwrap();
        }
        let paths = vec![directory.path().to_owned()];
        let logs = Selection { paths, ..Selection::default() }.select().unwrap().logs;
        assert_eq!(logs.len(), 2);
        assert_eq!(logs[0].name, directory.path().join("app.log"));
        assert_eq!(logs[0].files.len(), 3);
        assert_eq!(logs[1].name, directory.path().join("other.log.1"), "alone, its own name");
    }
}
