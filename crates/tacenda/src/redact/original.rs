//! A file that is to be replaced by its redacted form, and the care that takes.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, XattrFlags};
use tempfile::NamedTempFile;

use crate::failure::{Failure, reason};

/// The longest extended attribute that is carried over; the kernel allows no longer one.
const ATTRIBUTE: usize = 64 << 10;

/// The files that processes have open for writing, as far as we may know: the device and inode of
/// each, and one of the processes. Only Linux tells.
pub(super) struct Writers(HashMap<(u64, u64), String>);

impl Writers {
    /// Those of now.
    pub(super) fn now() -> Self {
        let mut writers = HashMap::new();
        let ours = std::process::id().to_string();
        for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
            let id = process.file_name().to_string_lossy().into_owned();
            if id == ours || !id.bytes().all(|byte| byte.is_ascii_digit()) {
                continue;
            }
            let open = fs::read_dir(process.path().join("fd"));
            for descriptor in open.into_iter().flatten().flatten() {
                let about = process.path().join("fdinfo").join(descriptor.file_name());
                let is_written = fs::read_to_string(about).is_ok_and(|about| may_write(&about));
                if is_written
                    && let Ok(file) = fs::metadata(descriptor.path())
                    && file.is_file()
                {
                    writers.insert((file.dev(), file.ino()), id.clone());
                }
            }
        }
        Self(writers)
    }
}

/// Whether the flags of a descriptor (open(2), in octal) let its process write.
fn may_write(about: &str) -> bool {
    let flags = about.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u64::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| matches!(flags & 3, 1 | 2))
}

/// A file that is to be replaced.
pub(super) struct Original {
    path: PathBuf,
    file: File,
    metadata: Metadata,
}

impl Original {
    /// A file of one name, that is no link and that nobody is known to write to.
    pub(super) fn open(
        path: &Path,
        writers: &Writers,
        backup: Option<&OsString>,
    ) -> Result<Self, Failure> {
        let cannot_open = |error: io::Error| {
            Failure::new(format!("cannot read the file: {}", reason(&error))).at(path)
        };
        let metadata = fs::symlink_metadata(path).map_err(cannot_open)?;
        let refuse = |why: &str, hint: &str| Err(Failure::new(why).at(path).hint(hint));
        if metadata.is_symlink() {
            return refuse("this is a symbolic link", "name the file that it leads to");
        }
        if metadata.is_dir() {
            return refuse(
                "this is a directory",
                "name the files in it: tacenda redact --in-place DIRECTORY/*.log",
            );
        }
        if !metadata.is_file() {
            return refuse("this is no regular file", "redact it as a stream");
        }
        // Between the two looks a link may have come in its place.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = rustix::fs::open(path, flags, Mode::empty())
            .map(File::from)
            .map_err(|error| cannot_open(error.into()))?;
        let metadata = file.metadata().map_err(cannot_open)?;
        if !metadata.is_file() {
            return refuse("this is no regular file", "redact it as a stream");
        }
        // A backup is the other name of a file whose rewriting was cut short.
        let has_backup = backup.is_some_and(|suffix| is_same(&with(path, suffix), &metadata));
        if metadata.nlink() > 1 + u64::from(has_backup) {
            return refuse(
                "the file has other names (hard links), which would keep the values",
                "remove the other names, or redact into a new file with -o",
            );
        }
        if let Some(process) = writers.0.get(&(metadata.dev(), metadata.ino())) {
            let why = format!("process {process} has the file open for writing");
            return refuse(&why, "let it close the log first: stop it, or rotate the log");
        }
        Ok(Self { path: path.to_owned(), file, metadata })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// A new file beside it, for us alone.
    pub(super) fn temporary(&self) -> Result<NamedTempFile, Failure> {
        tempfile::Builder::new().prefix(".tacenda-").tempfile_in(self.directory()).map_err(
            |error| {
                Failure::new(format!("cannot write beside the file: {}", reason(&error)))
                    .at(&self.path)
            },
        )
    }

    /// The new file takes the place of this one, with its owner, mode, attributes and times, and is
    /// on the disk before it does. If the file has changed since it was opened it stays.
    pub(super) fn replace(
        &self,
        temporary: NamedTempFile,
        backup: Option<&OsString>,
    ) -> Result<(), Failure> {
        let failed = |error: io::Error| {
            Failure::new(format!("cannot replace the file: {}", reason(&error)))
                .at(&self.path)
                .hint("the file is as it was")
        };
        self.hand_over(temporary.as_file()).map_err(failed)?;
        temporary.as_file().sync_all().map_err(failed)?;
        self.unchanged()?;
        if let Some(suffix) = backup {
            self.keep_as(suffix)?;
        }
        temporary.persist(&self.path).map_err(|error| failed(error.error))?;
        // The name itself is on the disk only after this.
        File::open(self.directory()).and_then(|directory| directory.sync_all()).map_err(failed)
    }

    fn directory(&self) -> &Path {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        }
    }

    /// Gives the new file what the old one has besides its content.
    fn hand_over(&self, new: &File) -> io::Result<()> {
        let (uid, gid) = (self.metadata.uid(), self.metadata.gid());
        let mut mode = self.metadata.mode() & 0o7777;
        // Only root gives files away; one's own other groups are allowed.
        let same_group = fchown(new, None, Some(gid)).is_ok() || new.metadata()?.gid() == gid;
        if !same_group {
            // What the group was allowed is nothing for another group.
            mode &= !0o2070;
        }
        let same_owner = fchown(new, Some(uid), None).is_ok() || new.metadata()?.uid() == uid;
        if !same_owner {
            mode &= !0o4000;
        }
        self.attributes(new);
        new.set_permissions(Permissions::from_mode(mode))?;
        let times = FileTimes::new()
            .set_accessed(self.metadata.accessed()?)
            .set_modified(self.metadata.modified()?);
        new.set_times(times)
    }

    /// Extended attributes, access control lists among them, as far as the system lets us.
    fn attributes(&self, new: &File) {
        let mut names = vec![0; ATTRIBUTE];
        let Ok(length) = rustix::fs::flistxattr(&self.file, &mut names[..]) else { return };
        let mut value = vec![0; ATTRIBUTE];
        for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
            let Ok(name) = std::str::from_utf8(name) else { continue };
            if let Ok(length) = rustix::fs::fgetxattr(&self.file, name, &mut value[..]) {
                let _ = rustix::fs::fsetxattr(new, name, &value[..length], XattrFlags::empty());
            }
        }
    }

    /// Whether it is still the file that was opened, and says what it said.
    fn unchanged(&self) -> Result<(), Failure> {
        let changed = || {
            Failure::new("the file has changed while it was redacted")
                .at(&self.path)
                .hint("it is left as it is: let who writes to it close it first")
        };
        let named = fs::symlink_metadata(&self.path).map_err(|_| changed())?;
        let opened = self.file.metadata().map_err(|_| changed())?;
        let state = |of: &Metadata| {
            let modified = (of.mtime(), of.mtime_nsec(), of.ctime(), of.ctime_nsec());
            (of.dev(), of.ino(), of.len(), of.nlink(), modified)
        };
        let before = state(&self.metadata);
        if state(&named) == before && state(&opened) == before { Ok(()) } else { Err(changed()) }
    }

    /// Keeps the file under another name.
    fn keep_as(&self, suffix: &OsStr) -> Result<(), Failure> {
        let name = with(&self.path, suffix);
        if is_same(&name, &self.metadata) {
            return Ok(());
        }
        fs::hard_link(&self.path, &name).map_err(|error| {
            let failure = Failure::new(format!("cannot keep a backup: {}", reason(&error)));
            failure.at(&name).hint("the file is as it was: choose another --backup suffix")
        })
    }
}

/// A path with a suffix to its name.
fn with(path: &Path, suffix: &OsStr) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(suffix);
    PathBuf::from(name)
}

/// Whether this is another name of the file.
fn is_same(name: &Path, file: &Metadata) -> bool {
    let named = fs::symlink_metadata(name);
    named.is_ok_and(|named| (named.dev(), named.ino()) == (file.dev(), file.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_tell_who_may_write() {
        assert!(may_write("pos:\t0\nflags:\t0102001\nmnt_id:\t1\n"));
        assert!(may_write("flags:\t02\n"));
        assert!(!may_write("flags:\t0100000\n"));
        assert!(!may_write(""));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_changes_meanwhile_is_left() {
        use std::io::Write;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.log");
        let nobody = Writers(HashMap::new());
        let changes: [&dyn Fn(&Path); 4] = [
            &|path| File::options().append(true).open(path).unwrap().write_all(b"more\n").unwrap(),
            &|path| {
                fs::rename(path, path.with_extension("old")).unwrap();
                fs::write(path, "before\n").unwrap();
            },
            &|path| fs::remove_file(path).unwrap(),
            &|path| fs::hard_link(path, path.with_extension("link")).unwrap(),
        ];
        for change in changes {
            let _ = fs::remove_file(path.with_extension("link"));
            fs::write(&path, "before\n").unwrap();
            let original = Original::open(&path, &nobody, None).unwrap();
            let mut new = original.temporary().unwrap();
            new.write_all(b"after\n").unwrap();
            change(&path);
            let meant = fs::read(&path).ok();
            assert!(original.replace(new, None).is_err());
            assert_eq!(fs::read(&path).ok(), meant);
        }
        let left = fs::read_dir(directory.path()).unwrap().flatten();
        assert!(left.into_iter().all(|one| !one.file_name().as_encoded_bytes().starts_with(b".")));
    }
}
