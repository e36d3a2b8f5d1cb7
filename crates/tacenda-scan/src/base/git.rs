//! What git knows of a directory: asked of the `git` command, and only read.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rustc_hash::FxHashMap as HashMap;

use super::BadBase;

/// The mode of an entry that is another repository: a submodule.
const SUBMODULE: &[u8] = b"160000";

/// A repository, as it is now and at a commit of before.
#[derive(Debug)]
pub(super) struct Repository {
    /// Its directory, without links in it.
    pub(super) root: PathBuf,
    /// Its files at the commit: their objects.
    tree: HashMap<PathBuf, String>,
    /// Files that are not as they were at the commit: what they were called then.
    changed: HashMap<PathBuf, PathBuf>,
    /// Files of the commit that are no more under their name.
    pub(super) gone: Vec<PathBuf>,
    /// Submodules that are as they were.
    still: Vec<PathBuf>,
}

/// What a file was at the commit.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Before {
    /// The same.
    Same,
    /// Nothing: it is new.
    Nothing,
    /// Something else: its name and object.
    Other(PathBuf, String),
}

impl Repository {
    /// The repository that a directory is in, and those of its submodules that have changed: as
    /// they were when the work on them left the revision.
    pub(super) fn all(directory: &Path, revision: &str) -> Result<Vec<Self>, BadBase> {
        let root = top(directory)?;
        let commit = commit(&root, revision)?;
        let base = fork(&root, &commit)?;
        let mut found = Vec::new();
        Self::gather(root, Some(&base), &mut found)?;
        Ok(found)
    }

    fn gather(root: PathBuf, commit: Option<&str>, found: &mut Vec<Self>) -> Result<(), BadBase> {
        let mut one = Self {
            root,
            tree: HashMap::default(),
            changed: HashMap::default(),
            gone: Vec::new(),
            still: Vec::new(),
        };
        let mut inside: Vec<(PathBuf, Option<String>)> = Vec::new();
        if let Some(commit) = commit {
            one.read_tree(commit)?;
            one.read_changes(commit, &mut inside)?;
        }
        for (path, before) in inside {
            one.still.retain(|still| *still != path);
            let root = one.root.join(&path);
            // One that is not checked out has no files to look at.
            if root.join(".git").exists() {
                if let Some(before) = &before {
                    commit_is_there(&root, before)?;
                }
                Self::gather(root, before.as_deref(), found)?;
            }
        }
        found.push(one);
        Ok(())
    }

    /// What a file of the repository was, by its path inside of it.
    pub(super) fn before(&self, path: &Path) -> Before {
        if self.still.iter().any(|still| path.starts_with(still)) {
            return Before::Same;
        }
        match self.changed.get(path) {
            Some(before) => match self.tree.get(before) {
                Some(object) => Before::Other(before.clone(), object.clone()),
                None => Before::Nothing,
            },
            None if self.tree.contains_key(path) => Before::Same,
            None => Before::Nothing,
        }
    }

    /// The object of a file of the commit.
    pub(super) fn object(&self, path: &Path) -> Option<&String> {
        self.tree.get(path)
    }

    fn read_tree(&mut self, commit: &str) -> Result<(), BadBase> {
        let listed = run(&self.root, &["ls-tree", "-r", "-z", "--full-tree", commit])?;
        for entry in listed.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            let Some((about, path)) = split(entry, b'\t') else { continue };
            let mut about = about.split(|byte| *byte == b' ');
            let (Some(mode), Some(_), Some(object)) = (about.next(), about.next(), about.next())
            else {
                continue;
            };
            if mode == SUBMODULE {
                self.still.push(as_path(path));
            } else {
                self.tree.insert(as_path(path), String::from_utf8_lossy(object).into_owned());
            }
        }
        Ok(())
    }

    /// Reads what has changed in the working tree, and puts submodules with their commits aside.
    fn read_changes(
        &mut self,
        commit: &str,
        inside: &mut Vec<(PathBuf, Option<String>)>,
    ) -> Result<(), BadBase> {
        let listed = run(
            &self.root,
            &[
                "diff-index",
                "--raw",
                "-z",
                "-M",
                "--no-abbrev",
                "--ignore-submodules=none",
                commit,
                "--",
            ],
        )?;
        let mut parts = listed.split(|byte| *byte == 0);
        while let Some(about) = parts.next().and_then(|about| about.strip_prefix(b":")) {
            let about: Vec<&[u8]> = about.split(|byte| *byte == b' ').collect();
            let (&[mode, now, object, _, status], Some(path)) = (&about[..], parts.next()) else {
                break;
            };
            let path = as_path(path);
            if mode == SUBMODULE || now == SUBMODULE {
                let before =
                    (mode == SUBMODULE).then(|| String::from_utf8_lossy(object).into_owned());
                inside.push((path, before));
                continue;
            }
            match status.first() {
                Some(b'R' | b'C') => {
                    let Some(to) = parts.next() else { break };
                    if status[0] == b'R' {
                        self.gone.push(path.clone());
                    }
                    self.changed.insert(as_path(to), path);
                }
                Some(b'D') => {
                    self.gone.push(path.clone());
                    // It may be there all the same, and only be tracked no more.
                    self.changed.insert(path.clone(), path);
                }
                _ => {
                    self.changed.insert(path.clone(), path);
                }
            }
        }
        Ok(())
    }
}

/// The contents of objects, in their order.
pub(super) fn contents(root: &Path, objects: &[&str]) -> Result<Vec<Vec<u8>>, BadBase> {
    if objects.is_empty() {
        return Ok(Vec::new());
    }
    let mut child = command(root)
        .args(["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(BadBase::NoGit)?;
    let mut stdin = child.stdin.take().expect("piped");
    let mut stdout = child.stdout.take().expect("piped");
    let names = objects.join("\n") + "\n";
    let printed = std::thread::scope(|scope| {
        // Both at once: either pipe may be full.
        scope.spawn(move || stdin.write_all(names.as_bytes()));
        let mut printed = Vec::new();
        stdout.read_to_end(&mut printed).map(|_| printed)
    });
    child.wait().map_err(BadBase::NoGit)?;
    let printed = printed.map_err(BadBase::NoGit)?;
    let mut contents = Vec::new();
    let mut rest = &printed[..];
    for _ in objects {
        let found = split(rest, b'\n').and_then(|(about, after)| {
            let size = about.rsplit(|byte| *byte == b' ').next()?;
            let size: usize = str::from_utf8(size).ok()?.parse().ok()?;
            Some((after.get(..size)?, after.get(size + 1..)?))
        });
        let Some((content, after)) = found else {
            let message = "an object of that revision is missing".to_owned();
            return Err(BadBase::Git { command: "cat-file".to_owned(), message });
        };
        contents.push(content.to_vec());
        rest = after;
    }
    Ok(contents)
}

fn top(directory: &Path) -> Result<PathBuf, BadBase> {
    let output = output(directory, &["rev-parse", "--show-toplevel"])?;
    if !output.status.success() {
        return Err(BadBase::NoRepository { path: directory.to_owned(), said: said(&output) });
    }
    let path = as_path(output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout));
    Ok(path.canonicalize().unwrap_or(path))
}

fn commit(root: &Path, revision: &str) -> Result<String, BadBase> {
    let name = format!("{revision}^{{commit}}");
    let output = output(root, &["rev-parse", "--verify", "--quiet", "--end-of-options", &name])?;
    // Newer versions of git print the separator, too.
    let printed = String::from_utf8_lossy(&output.stdout);
    match printed.lines().last() {
        Some(commit) if output.status.success() && !revision.is_empty() => Ok(commit.to_owned()),
        _ => Err(BadBase::NoRevision { revision: revision.to_owned(), shallow: is_shallow(root) }),
    }
}

fn commit_is_there(root: &Path, commit: &str) -> Result<(), BadBase> {
    let name = format!("{commit}^{{commit}}");
    if output(root, &["cat-file", "-e", &name])?.status.success() {
        return Ok(());
    }
    Err(BadBase::NoCommit { submodule: root.to_owned(), shallow: is_shallow(root) })
}

/// Where the work that is checked out left a revision. A shallow clone may not reach back so far,
/// and histories may have nothing in common: then the revision itself.
fn fork(root: &Path, commit: &str) -> Result<String, BadBase> {
    let output = output(root, &["merge-base", commit, "HEAD"])?;
    let printed = String::from_utf8_lossy(&output.stdout);
    Ok(match printed.lines().next() {
        Some(base) if output.status.success() => base.to_owned(),
        _ => commit.to_owned(),
    })
}

fn is_shallow(root: &Path) -> bool {
    output(root, &["rev-parse", "--is-shallow-repository"])
        .is_ok_and(|output| output.stdout.starts_with(b"true"))
}

fn run(root: &Path, arguments: &[&str]) -> Result<Vec<u8>, BadBase> {
    let output = output(root, arguments)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let command = arguments.first().copied().unwrap_or_default().to_owned();
    Err(BadBase::Git { command, message: said(&output) })
}

fn output(root: &Path, arguments: &[&str]) -> Result<Output, BadBase> {
    command(root).args(arguments).output().map_err(BadBase::NoGit)
}

/// `git`, which is to ask nobody, change nothing and start nothing.
fn command(root: &Path) -> Command {
    let mut command = Command::new("git");
    command.arg("-C").arg(root).args(["-c", "core.fsmonitor=false", "--no-pager"]);
    command.stdin(Stdio::null()).env("GIT_OPTIONAL_LOCKS", "0").env("GIT_TERMINAL_PROMPT", "0");
    command.env("GIT_NO_LAZY_FETCH", "1").env("LC_ALL", "C");
    // Set where a hook of git runs us; they are about one repository, and may be about another.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"]
    {
        command.env_remove(name);
    }
    command
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("git said nothing");
    line.strip_prefix("fatal: ")
        .unwrap_or(line)
        .chars()
        .filter(|letter| !letter.is_control())
        .collect()
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let place = bytes.iter().position(|byte| *byte == at)?;
    Some((&bytes[..place], &bytes[place + 1..]))
}

fn as_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
