//! Where the in-process guard for Python children is.
//!
//! Python runs `sitecustomize` from `PYTHONPATH` at start-up; one that installs the guard stands
//! in the Python package. It is looked for in a handful of directories, so that a start takes no
//! longer than their listing.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Names the directory, whatever is found elsewhere.
const VARIABLE: &str = "TACENDA_BOOTSTRAP";

/// The directory to put first in `PYTHONPATH`, for a program with this name.
pub(crate) fn directory(program: &OsStr) -> Option<PathBuf> {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return std::path::absolute(named).ok().filter(|directory| is_bootstrap(directory));
    }
    let ours = std::env::current_exe().ok().and_then(|exe| prefix(&exe));
    let environment = std::env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let theirs = || resolve(program).and_then(|program| prefix(&program));
    ours.and_then(|prefix| under(&prefix))
        .or_else(|| theirs().and_then(|prefix| under(&prefix)))
        .or_else(|| environment.and_then(|prefix| under(&prefix)))
}

/// `PYTHONPATH` with this directory first.
pub(crate) fn python_path(directory: &Path) -> Option<OsString> {
    let existing = std::env::var_os("PYTHONPATH").filter(|value| !value.is_empty());
    let rest: Vec<PathBuf> =
        existing.iter().flat_map(std::env::split_paths).filter(|path| path != directory).collect();
    std::env::join_paths(std::iter::once(directory.to_owned()).chain(rest)).ok()
}

/// `PREFIX` of `PREFIX/bin/PROGRAM`.
fn prefix(program: &Path) -> Option<PathBuf> {
    Some(program.parent()?.parent()?.to_owned())
}

/// The directory of the package that is installed under a prefix.
fn under(prefix: &Path) -> Option<PathBuf> {
    let libraries = std::fs::read_dir(prefix.join("lib")).ok()?;
    let mut found: Vec<PathBuf> = libraries
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b"python3"))
        .map(|entry| entry.path().join("site-packages/tacenda/_bootstrap"))
        .filter(|directory| is_bootstrap(directory))
        .collect();
    found.sort();
    found.pop()
}

fn is_bootstrap(directory: &Path) -> bool {
    directory.join("sitecustomize.py").is_file()
}

/// Where the system would find a program. Links are not followed: the `python` of a virtual
/// environment is one.
fn resolve(program: &OsStr) -> Option<PathBuf> {
    if program.as_encoded_bytes().contains(&b'/') {
        return Some(PathBuf::from(program));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|entry| entry.join(program)).find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_under_a_prefix() {
        let prefix = tempfile::tempdir().unwrap();
        assert_eq!(under(prefix.path()), None);
        let directory = prefix.path().join("lib/python3.12/site-packages/tacenda/_bootstrap");
        std::fs::create_dir_all(&directory).unwrap();
        assert_eq!(under(prefix.path()), None, "an empty directory is none");
        std::fs::write(directory.join("sitecustomize.py"), "").unwrap();
        assert_eq!(under(prefix.path()), Some(directory.clone()));
        assert_eq!(super::prefix(&prefix.path().join("bin/tacenda")).unwrap(), prefix.path());
    }
}
