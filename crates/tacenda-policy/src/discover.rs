//! Which policy file holds, and how it is read.

use std::{
    fs::{File, Metadata, OpenOptions},
    io::{self, Read},
    path::{Path, PathBuf},
};

use crate::PolicyError;

/// The size of the largest file that is read, in bytes.
pub(crate) const MAX_BYTES: u64 = 1 << 20;

const OWN_FILE: &str = "tacenda.toml";
const PYPROJECT: &str = "pyproject.toml";

/// A policy file as it was read. For a `pyproject.toml` only the section `[tool.tacenda]` counts.
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) writable_by_anyone: bool,
    /// Whether the user named it, rather than that it was found on the way up.
    pub(crate) named: bool,
}

/// Whether only `[tool.tacenda]` of this file is the policy.
pub(crate) fn is_pyproject(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == PYPROJECT)
}

/// Reads the file that the user named.
pub(crate) fn named(path: &Path) -> Result<Found, PolicyError> {
    let (file, metadata) =
        open(path).map_err(|source| PolicyError::Unreadable { path: path.to_owned(), source })?;
    Ok(Found { named: true, ..read(path, file, &metadata)? })
}

/// The text of another file that the policy names, of so many bytes at most, or why there is none.
pub(crate) fn text(path: &Path, most: u64) -> Result<String, String> {
    let read = open(path)
        .map_err(|source| PolicyError::Unreadable { path: path.to_owned(), source })
        .and_then(|(file, metadata)| read_up_to(most, path, file, &metadata));
    match read {
        Ok(found) => String::from_utf8(found.bytes).map_err(|_| "it is not UTF-8 text".to_owned()),
        Err(PolicyError::Unreadable { source, .. }) => Err(reason(&source)),
        Err(PolicyError::TooLarge { .. }) => Err(format!("it is larger than {} KiB", most >> 10)),
        Err(_) => Err("it is not a regular file".to_owned()),
    }
}

/// An error of the system in its own words, without its number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Finds the nearest policy file, from a directory up to the root.
///
/// In one directory `tacenda.toml` comes before `pyproject.toml`; a `pyproject.toml` that does not
/// speak of Tacenda is passed over.
pub(crate) fn nearest(start: &Path) -> Result<Option<Found>, PolicyError> {
    for directory in start.ancestors() {
        for name in [OWN_FILE, PYPROJECT] {
            let path = directory.join(name);
            let (file, metadata) = match open(&path) {
                Ok(opened) => opened,
                Err(error) if is_absent(&path, &error) => continue,
                Err(source) => return Err(PolicyError::Unreadable { path, source }),
            };
            // A directory of that name is somebody's own business, and no policy.
            if metadata.is_dir() {
                continue;
            }
            let found = read(&path, file, &metadata)?;
            if name == PYPROJECT && !has_section(&found.bytes) {
                continue;
            }
            if !owner_is_trusted(&metadata, start) {
                return Err(PolicyError::ForeignOwner { path });
            }
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Most projects have a `pyproject.toml` without the section, and many name Tacenda in it as a
/// dependency. Only what may be the section is worth a parse; a fault in any other file is none of
/// ours to report.
fn has_section(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains("tacenda") {
        return false;
    }
    match text.parse::<toml::Table>() {
        Ok(file) => file.get("tool").and_then(|tool| tool.get("tacenda")).is_some(),
        Err(_) => text.contains("tool.tacenda"),
    }
}

/// A file that cannot be seen is absent; one that is there but closed to us may hold a stricter
/// policy, so it is an error.
fn is_absent(path: &Path, error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => true,
        io::ErrorKind::PermissionDenied => path.symlink_metadata().is_err(),
        _ => false,
    }
}

fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        // A pipe of that name must not make us wait for a writer.
        options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
    }
    let file = options.open(path)?;
    let metadata = file.metadata()?;
    Ok((file, metadata))
}

fn read(path: &Path, file: File, metadata: &Metadata) -> Result<Found, PolicyError> {
    read_up_to(MAX_BYTES, path, file, metadata)
}

fn read_up_to(
    most: u64,
    path: &Path,
    file: File,
    metadata: &Metadata,
) -> Result<Found, PolicyError> {
    let path = path.to_owned();
    if !metadata.is_file() {
        return Err(PolicyError::NotRegular { path });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(most)).unwrap_or(0));
    match file.take(most + 1).read_to_end(&mut bytes) {
        Ok(read) if read as u64 > most => Err(PolicyError::TooLarge { path }),
        Ok(_) => {
            let writable_by_anyone = is_writable_by_anyone(metadata);
            Ok(Found { path, bytes, writable_by_anyone, named: false })
        }
        Err(source) => Err(PolicyError::Unreadable { path, source }),
    }
}

#[cfg(unix)]
fn is_writable_by_anyone(metadata: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode() & 0o002 != 0
}

#[cfg(not(unix))]
fn is_writable_by_anyone(_: &Metadata) -> bool {
    false
}

/// A file that another user put above the working directory (in `/tmp`, say) could switch the
/// protection off. It must belong to us, to root, or to whoever owns the directory that the command
/// was started in: with that one the user has thrown in their lot anyway, and a container that
/// runs as root over a mounted project works.
#[cfg(unix)]
fn owner_is_trusted(file: &Metadata, start: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let directory = start.metadata().ok().map(|directory| directory.uid());
    is_trusted(file.uid(), rustix::process::geteuid().as_raw(), directory)
}

#[cfg(not(unix))]
fn owner_is_trusted(_: &Metadata, _: &Path) -> bool {
    true
}

#[cfg(unix)]
fn is_trusted(owner: u32, us: u32, working_directory: Option<u32>) -> bool {
    owner == 0 || owner == us || Some(owner) == working_directory
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn found(start: &Path) -> Option<PathBuf> {
        nearest(start).unwrap().map(|found| found.path)
    }

    #[test]
    fn the_nearest_file_wins_and_tacenda_toml_over_pyproject() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        let section = "[tool.tacenda]\n";
        fs::write(root.path().join(OWN_FILE), "").unwrap();
        assert_eq!(found(&inner), Some(root.path().join(OWN_FILE)));
        fs::write(inner.join(PYPROJECT), "[project]\n").unwrap();
        assert_eq!(found(&inner), Some(root.path().join(OWN_FILE)), "no section: passed over");
        let dependency = "[project]\ndependencies = ['tacenda']\n";
        fs::write(inner.join(PYPROJECT), dependency).unwrap();
        assert_eq!(found(&inner), Some(root.path().join(OWN_FILE)), "a dependency is no section");
        fs::write(inner.join(PYPROJECT), section).unwrap();
        assert_eq!(found(&inner), Some(inner.join(PYPROJECT)));
        fs::write(inner.join(OWN_FILE), "").unwrap();
        assert_eq!(found(&inner), Some(inner.join(OWN_FILE)));
    }

    #[test]
    fn a_directory_of_that_name_is_passed_over_but_not_when_named() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join(OWN_FILE)).unwrap();
        assert_eq!(found(root.path()), None);
        let error = named(&root.path().join(OWN_FILE)).err().unwrap();
        assert!(matches!(error, PolicyError::NotRegular { .. }), "{error}");
    }

    #[test]
    fn a_large_file_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(OWN_FILE);
        let size = usize::try_from(MAX_BYTES).unwrap();
        fs::write(&path, vec![b'#'; size]).unwrap();
        assert!(named(&path).is_ok());
        fs::write(&path, vec![b'#'; size + 1]).unwrap();
        assert!(matches!(named(&path), Err(PolicyError::TooLarge { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_refused_without_waiting() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join(OWN_FILE);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        assert!(matches!(nearest(root.path()), Err(PolicyError::NotRegular { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn whose_files_are_trusted() {
        assert!(is_trusted(1000, 1000, Some(0)), "our own");
        assert!(is_trusted(0, 1000, Some(1000)), "root's");
        assert!(is_trusted(1000, 0, Some(1000)), "root in a container over a mounted project");
        assert!(!is_trusted(1001, 1000, Some(1000)), "a neighbour's, above our directory");
        assert!(!is_trusted(1001, 1000, None));
    }
}
