//! What a change adds: the findings of now, without those that were there before.

mod git;

use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap as HashMap;
use similar::{Algorithm, DiffOp, capture_diff_slices_deadline};

use crate::files::{Source, is_code};
use crate::finding::Finding;
use crate::judge::without_literals;
use crate::lines::Lines;
use crate::scan::Report;
use git::{Before, Repository};

/// After this time the rest of a file counts as changed: it has little in common with what it was.
const PATIENCE: Duration = Duration::from_secs(2);

/// Files as they were at a revision.
#[derive(Debug)]
pub struct Base {
    /// The files of then, by the paths that they had then.
    sources: Vec<Source>,
    /// What they are called now, where that is something else.
    renamed: HashMap<PathBuf, PathBuf>,
    /// What is new in the files of now. A file that is not in here is as it was.
    added: HashMap<PathBuf, Added>,
}

/// What is new in a file.
#[derive(Debug)]
enum Added {
    /// All of it.
    All,
    /// These stretches, in bytes: whole lines.
    Lines(Vec<Range<usize>>),
}

/// Why files cannot be compared with what they were.
#[derive(Debug, thiserror::Error)]
pub enum BadBase {
    /// The command is not there, or fails.
    #[error("cannot run git: {0}")]
    NoGit(io::Error),
    /// The directory is in no repository that git would read.
    #[error("{} is in no git repository: {said}", path.display())]
    NoRepository {
        /// The directory.
        path: PathBuf,
        /// What git says.
        said: String,
    },
    /// There is no such revision.
    #[error("there is no revision {revision:?} in this repository")]
    NoRevision {
        /// The revision.
        revision: String,
        /// Whether the clone holds only a part of the history.
        shallow: bool,
    },
    /// A submodule lacks the commit that it was at.
    #[error("the submodule {} lacks the commit that it was at", submodule.display())]
    NoCommit {
        /// Its directory.
        submodule: PathBuf,
        /// Whether the clone holds only a part of the history.
        shallow: bool,
    },
    /// A file is somewhere else.
    #[error("{} is not in the repository {}", path.display(), root.display())]
    Outside {
        /// The file.
        path: PathBuf,
        /// The directory of the repository.
        root: PathBuf,
    },
    /// Something else went wrong.
    #[error("`git {command}` failed: {message}")]
    Git {
        /// What git was asked to do.
        command: String,
        /// What it says.
        message: String,
    },
}

impl Base {
    /// What `sources`, which were found under `paths`, were when the work that is checked out left
    /// the revision.
    pub fn of(revision: &str, paths: &[PathBuf], sources: &[Source]) -> Result<Self, BadBase> {
        let first = paths.first().map_or(Path::new("."), PathBuf::as_path);
        let directory = if first.is_dir() { first } else { directory_of(first) };
        let repositories = Repository::all(directory, revision)?;
        let mut base =
            Self { sources: Vec::new(), renamed: HashMap::default(), added: HashMap::default() };
        let places = Places::new(paths);
        let mut wanted: Vec<Vec<Wanted<'_>>> = repositories.iter().map(|_| Vec::new()).collect();
        let mut whole: HashMap<&Path, PathBuf> = HashMap::default();
        for source in sources {
            let directory = directory_of(&source.path);
            let directory = whole.entry(directory).or_insert_with(|| {
                directory.canonicalize().unwrap_or_else(|_| directory.to_owned())
            });
            let path = directory.join(source.path.file_name().unwrap_or_default());
            let inner = repositories.iter().enumerate().filter_map(|(at, one)| {
                path.strip_prefix(&one.root).ok().map(|inside| (at, one, inside))
            });
            let Some((at, repository, inside)) =
                inner.min_by_key(|(_, _, inside)| inside.components().count())
            else {
                let root = repositories.last().map(|one| one.root.clone()).unwrap_or_default();
                return Err(BadBase::Outside { path: source.path.clone(), root });
            };
            match repository.before(inside) {
                Before::Same => base.sources.push(source.clone()),
                Before::Nothing => {
                    base.added.insert(source.path.clone(), Added::All);
                }
                Before::Other(was, object) => {
                    let was = if was == inside {
                        source.path.clone()
                    } else {
                        places.shown(&repository.root.join(was))
                    };
                    wanted[at].push(Wanted { was, object, now: Some(source) });
                }
            }
        }
        for (repository, wanted) in repositories.iter().zip(&mut wanted) {
            for gone in &repository.gone {
                let was = places.shown(&repository.root.join(gone));
                let known = wanted.iter().any(|one| one.was == was);
                if let Some(object) = repository.object(gone)
                    && is_code(gone)
                    && !known
                {
                    wanted.push(Wanted { was, object: object.clone(), now: None });
                }
            }
            base.read(repository, wanted)?;
        }
        Ok(base)
    }

    /// Reads what changed files were, and tells what is new in them.
    fn read(&mut self, repository: &Repository, wanted: &[Wanted<'_>]) -> Result<(), BadBase> {
        let objects: Vec<&str> = wanted.iter().map(|one| &*one.object).collect();
        let contents = git::contents(&repository.root, &objects)?;
        for (one, content) in wanted.iter().zip(contents) {
            let text = String::from_utf8_lossy(&content).into_owned();
            let before = Source::text(&one.was, text);
            if let Some(now) = one.now {
                let added = match (before.read(), now.read()) {
                    (Ok(before), Ok(now)) => Added::Lines(added(&before, &now)),
                    _ => Added::All,
                };
                self.added.insert(now.path.clone(), added);
                if now.path != one.was {
                    self.renamed.insert(one.was.clone(), now.path.clone());
                }
            }
            self.sources.push(before);
        }
        Ok(())
    }

    /// Leaves of a report what the change adds: findings whose way from source to sink touches a
    /// line that is new, and findings that were not there before, as `scan` tells. Tells how many
    /// were taken out.
    pub fn leave_added(
        &self,
        report: &mut Report,
        sources: &[Source],
        scan: impl FnOnce(&[Source]) -> Report,
    ) -> usize {
        let count = report.findings.len();
        report.unused.retain(|unused| self.added.contains_key(&unused.path));
        if report.findings.iter().all(|finding| self.touches(finding)) {
            return 0;
        }
        // What was taken out of a file, or another file does now, is seen by looking at all of it.
        let before = scan(&self.sources);
        let mut known: HashMap<(PathBuf, &str, String), usize> = HashMap::default();
        let mut texts = Texts::of(&self.sources);
        for finding in &before.findings {
            let path = self.renamed.get(&finding.path).unwrap_or(&finding.path).clone();
            *known.entry((path, finding.rule.code, texts.code(finding))).or_default() += 1;
        }
        let mut texts = Texts::of(sources);
        report.findings.retain(|finding| {
            if self.touches(finding) {
                return true;
            }
            let key = (finding.path.clone(), finding.rule.code, texts.code(finding));
            match known.get_mut(&key) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    false
                }
                _ => true,
            }
        });
        count - report.findings.len()
    }

    /// Whether the way of a finding leads over something new.
    fn touches(&self, finding: &Finding) -> bool {
        let is_new = |path: &PathBuf, bytes: &Range<usize>| match self.added.get(path) {
            Some(Added::All) => true,
            Some(Added::Lines(lines)) => {
                lines.iter().any(|line| line.start < bytes.end && bytes.start < line.end)
            }
            None => false,
        };
        is_new(&finding.path, &finding.bytes)
            || finding.way.iter().any(|stop| is_new(&stop.path, &stop.bytes))
    }
}

/// A file of then that has to be read.
struct Wanted<'s> {
    was: PathBuf,
    object: String,
    now: Option<&'s Source>,
}

/// The paths that a user named, to name other files in the same way.
struct Places {
    roots: Vec<(PathBuf, PathBuf)>,
}

impl Places {
    fn new(paths: &[PathBuf]) -> Self {
        let here = [PathBuf::from(".")];
        let paths = if paths.is_empty() { &here[..] } else { paths };
        let root = |path: &PathBuf| Some((path.canonicalize().ok()?, path.clone()));
        Self { roots: paths.iter().filter_map(root).collect() }
    }

    fn shown(&self, path: &Path) -> PathBuf {
        self.roots
            .iter()
            .find_map(|(root, named)| Some(named.join(path.strip_prefix(root).ok()?)))
            .unwrap_or_else(|| path.to_owned())
    }
}

/// The code that findings are about.
struct Texts<'s> {
    sources: HashMap<&'s Path, &'s Source>,
    read: HashMap<PathBuf, (std::sync::Arc<str>, Lines)>,
}

impl<'s> Texts<'s> {
    fn of(sources: &'s [Source]) -> Self {
        let sources = sources.iter().map(|source| (&*source.path, source)).collect();
        Self { sources, read: HashMap::default() }
    }

    /// The first line of what is found, without literals and spaces.
    fn code(&mut self, finding: &Finding) -> String {
        if !self.read.contains_key(&finding.path)
            && let Some(text) =
                self.sources.get(&*finding.path).and_then(|source| source.read().ok())
        {
            let lines = Lines::new(&text);
            self.read.insert(finding.path.clone(), (text, lines));
        }
        let Some((text, lines)) = self.read.get(&finding.path) else { return String::new() };
        let line = lines.line(text, lines.number(finding.bytes.start)).unwrap_or_default();
        without_literals(line)
    }
}

/// The lines of `now` that are not in `before`, as stretches of bytes. Ends of lines do not count:
/// git may write others than it keeps.
fn added(before: &str, now: &str) -> Vec<Range<usize>> {
    let lines = |text| -> Vec<&str> { str::split_inclusive(text, '\n').collect() };
    let bare = |lines: &[&str]| -> Vec<String> {
        lines.iter().map(|line| line.trim_end_matches(['\r', '\n']).to_owned()).collect()
    };
    let (before, now) = (lines(before), lines(now));
    let mut starts = vec![0];
    for line in &now {
        starts.push(starts[starts.len() - 1] + line.len());
    }
    let deadline = Some(Instant::now() + PATIENCE);
    let operations =
        capture_diff_slices_deadline(Algorithm::Myers, &bare(&before), &bare(&now), deadline);
    let new = operations.iter().filter(|one| !matches!(one, DiffOp::Equal { .. }));
    let stretch = new.map(|one| starts[one.new_range().start]..starts[one.new_range().end]);
    stretch.filter(|stretch| !stretch.is_empty()).collect()
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn added_lines_are_told_whatever_ends_them() {
        let told = |before: &str, now: &str| -> Vec<String> {
            added(before, now).into_iter().map(|stretch| now[stretch].to_owned()).collect()
        };
        assert_eq!(told("a\nb\n", "a\nx\nb\n"), ["x\n"]);
        assert_eq!(told("a\nb\n", "a\r\nb\r\n"), [""; 0]);
        assert_eq!(told("a\nb", "a\n"), [""; 0]);
        assert_eq!(told("", "a\nb"), ["a\nb"]);
        assert_eq!(told("a\nb\nc\n", "a\nB\nc\nd"), ["B\n", "d"]);
    }
}
