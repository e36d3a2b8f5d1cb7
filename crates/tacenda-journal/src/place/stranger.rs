//! What lies where the journal has something of its own, and is none of it.
//!
//! What a crash leaves is a file of the journal's, whatever it holds: it is completed or replaced. What no
//! crash leaves (a directory, a link, a pipe) is somebody's: it is neither followed nor removed, but named.

use std::path::Path;

use rustix::fs::{AtFlags, FileType, Stat};
use rustix::io::Errno;

use super::{Folder, check, unusable};
use crate::error::JournalError;

/// What the journal has by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Socket,
}

impl Kind {
    fn is(self, found: FileType) -> bool {
        found
            == match self {
                Self::File => FileType::RegularFile,
                Self::Folder => FileType::Directory,
                Self::Socket => FileType::Socket,
            }
    }

    fn name(self) -> &'static str {
        match self {
            Self::File => "a file",
            Self::Folder => "a directory",
            Self::Socket => "the socket",
        }
    }
}

impl Folder {
    /// What is wrong with what has this name, as far as that is told without opening it; `None` for the
    /// journal's own, and where there is nothing.
    pub(crate) fn stranger(&self, name: &str, kind: Kind) -> Option<JournalError> {
        let path = self.path.join(name);
        match self.stat(name) {
            Ok(found) => wrong(&path, kind, &found).err(),
            Err(Errno::NOENT) => None,
            Err(error) => Some(unusable(&path, error.into())),
        }
    }

    /// Whether something has this name that is no file, and so holds nothing that the journal has written.
    pub(crate) fn is_no_file(&self, name: &str) -> bool {
        self.stat(name).is_ok_and(|found| !Kind::File.is(FileType::from_raw_mode(found.st_mode)))
    }

    /// Makes way for a file of this name: what a crash has left there is removed.
    ///
    /// # Errors
    /// For what no crash leaves.
    pub(crate) fn clear(&self, name: &str) -> Result<(), JournalError> {
        self.stranger(name, Kind::File).map_or_else(|| self.discard(name), Err)
    }

    fn stat(&self, name: &str) -> Result<Stat, Errno> {
        rustix::fs::statat(self.descriptor(), name, AtFlags::SYMLINK_NOFOLLOW)
    }
}

#[allow(clippy::useless_conversion, reason = "a mode has 16 bits on macOS")]
fn wrong(path: &Path, kind: Kind, found: &Stat) -> Result<(), JournalError> {
    let is = FileType::from_raw_mode(found.st_mode);
    if !kind.is(is) {
        let what = match is {
            FileType::Symlink => return Err(JournalError::Link { path: path.to_owned() }),
            FileType::RegularFile => "a file",
            FileType::Directory => "a directory",
            FileType::Fifo => "a pipe",
            FileType::Socket => "a socket",
            _ => "a device",
        };
        return Err(JournalError::Stranger { path: path.to_owned(), what, of: kind.name() });
    }
    if kind == Kind::File && found.st_nlink > 1 {
        return Err(JournalError::Link { path: path.to_owned() });
    }
    // The directory of the socket lets nobody else in, and its mode is set after it was made.
    let mode = if kind == Kind::Socket { 0o600 } else { u32::from(found.st_mode) };
    check(path, mode, found.st_uid)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;
    use crate::Place;

    #[test]
    fn what_no_crash_leaves_is_neither_followed_nor_removed() {
        let folder = crate::support::folder();
        let path = folder.path().join("j");
        let root = Folder::root(&path, true, &[Place::Temporary], None).unwrap();
        let at = path.join("file.new");
        root.clear("file.new").unwrap();
        fs::write(folder.path().join("other"), "kept").unwrap();
        let puts: [(&str, &dyn Fn()); 5] = [
            ("a directory", &|| fs::create_dir(&at).unwrap()),
            ("a pipe", &|| crate::support::pipe(&at)),
            ("a link", &|| symlink(folder.path().join("other"), &at).unwrap()),
            ("a second name", &|| fs::hard_link(folder.path().join("other"), &at).unwrap()),
            ("for others", &|| {
                fs::write(&at, "").unwrap();
                fs::set_permissions(&at, fs::Permissions::from_mode(0o640)).unwrap();
            }),
        ];
        for (what, put) in puts {
            put();
            for error in [root.clear("file.new"), root.replace("file", b"content")] {
                let error = error.unwrap_err();
                assert_eq!(error.path(), Some(at.as_path()), "{what}: {error}");
                assert!(error.hint().is_some(), "{what}: {error}");
            }
            assert!(at.symlink_metadata().is_ok(), "{what}");
            fs::remove_dir(&at).or_else(|_| fs::remove_file(&at)).unwrap();
        }
        assert_eq!(fs::read(folder.path().join("other")).unwrap(), b"kept");
        // What a crash has left, even where it cannot be read.
        fs::write(&at, "garbage").unwrap();
        fs::set_permissions(&at, fs::Permissions::from_mode(0o0)).unwrap();
        root.replace("file", b"content").unwrap();
        assert_eq!(root.read("file").unwrap().unwrap(), b"content");
    }
}
