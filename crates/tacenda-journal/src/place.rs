//! Directories and files that are the journal's alone.
//!
//! A [`Folder`] is opened once, checked, and everything in it is reached through its descriptor
//! (openat), so that nobody can put another directory in its way. Files have mode 0600, directories
//! 0700; links are not followed, and a file with a second name is refused.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use crate::disk::{Disk, Fault, Step};
use crate::error::JournalError;

mod lock;
mod stranger;

pub(crate) use lock::Lock;
pub(crate) use stranger::Kind;

/// A place that a journal should not lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Somebody empties it: `/tmp`, `/var/tmp`, `/dev/shm`, `/run`, `$TMPDIR`.
    Temporary,
    /// It is copied to others: iCloud, Dropbox, `OneDrive`, Google Drive, Nextcloud, Syncthing.
    Synced,
    /// A web server shows it.
    Web,
}

impl Place {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Temporary, Self::Synced, Self::Web];

    /// The name by which it is allowed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Temporary => "temporary",
            Self::Synced => "synced",
            Self::Web => "web",
        }
    }

    /// Which of them a directory lies in.
    fn of(path: &Path) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|place| place.holds(path))
    }

    fn holds(self, path: &Path) -> bool {
        let names = || path.components().filter_map(|component| component.as_os_str().to_str());
        match self {
            Self::Temporary => {
                let known =
                    ["/tmp", "/var/tmp", "/dev/shm", "/run", "/private/tmp", "/private/var/tmp"];
                let mut folders = Vec::from(known.map(PathBuf::from));
                folders.extend(fs::canonicalize(std::env::temp_dir()));
                folders.iter().any(|folder| path.starts_with(folder))
            }
            Self::Synced => {
                let is_synced = |name: &str| {
                    let begins = |start: &str| name.starts_with(start);
                    ["Mobile Documents", "CloudStorage", "Google Drive", "Nextcloud"]
                        .contains(&name)
                        || begins("Dropbox")
                        || begins("OneDrive")
                };
                // Syncthing marks the directories that it copies.
                let is_marked = |above: &Path| above.join(".stfolder").exists();
                names().any(is_synced) || path.ancestors().any(is_marked)
            }
            Self::Web => {
                let folders = ["/srv/http", "/usr/share/nginx", "/Library/WebServer"];
                let is_web = |name| ["public_html", "htdocs", "www", "wwwroot"].contains(&name);
                names().any(is_web)
                    || folders.iter().any(|folder| path.starts_with(folder))
                    // Of a person on macOS: `/Users/ines/Sites`.
                    || path.starts_with("/Users") && names().nth(3) == Some("Sites")
            }
        }
    }
}
impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A directory of the journal.
#[derive(Clone)]
pub(crate) struct Folder {
    path: PathBuf,
    descriptor: Arc<OwnedFd>,
    disk: Arc<Disk>,
}

impl Folder {
    /// Opens the directory of a journal, which is made (not the ones above it) when `make` says so.
    pub(crate) fn root(
        path: &Path,
        make: bool,
        allowed: &[Place],
        fault: Option<Fault>,
    ) -> Result<Self, JournalError> {
        // With a sign behind it, a link would be followed.
        let path = &path.components().collect::<PathBuf>();
        let unusable = |source| unusable(path, source);
        if make {
            check_place(path, &real_of_new(path).map_err(unusable)?, allowed)?;
            match rustix::fs::mkdir(path, Mode::RWXU) {
                Ok(()) => sync_above(path, fault.as_ref()).map_err(unusable)?,
                Err(Errno::EXIST) => {}
                Err(error) => return Err(unusable(error.into())),
            }
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(descriptor) => descriptor,
            Err(Errno::NOENT) => return Err(JournalError::Missing { path: path.to_owned() }),
            // What O_NOFOLLOW with O_DIRECTORY says of a link differs between systems.
            Err(Errno::LOOP | Errno::NOTDIR) if path.is_symlink() => {
                return Err(JournalError::Link { path: path.to_owned() });
            }
            Err(error) => return Err(unusable(error.into())),
        };
        let descriptor = Arc::new(descriptor);
        let disk = Disk::new(Arc::clone(&descriptor), fault);
        let folder = Self { path: path.to_owned(), descriptor, disk };
        folder.check()?;
        let real = fs::canonicalize(path).map_err(unusable)?;
        check_place(path, &real, allowed)?;
        Ok(folder)
    }

    fn check(&self) -> Result<(), JournalError> {
        let file = File::from(self.descriptor.try_clone().map_err(|e| unusable(&self.path, e))?);
        let metadata = file.metadata().map_err(|error| unusable(&self.path, error))?;
        check(&self.path, metadata.mode(), metadata.uid())
    }

    /// A directory in it, made where there is none.
    pub(crate) fn make(&self, name: &str) -> Result<Self, JournalError> {
        let path = self.path.join(name);
        let made = self.disk.with_room(|| {
            self.disk.step(Step::Create)?;
            Ok(rustix::fs::mkdirat(self.descriptor.as_fd(), name, Mode::RWXU)?)
        });
        match made {
            Ok(()) => self.sync()?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unusable(&path, error)),
        }
        self.folder(name)
    }

    /// A directory in it that is there.
    pub(crate) fn folder(&self, name: &str) -> Result<Self, JournalError> {
        let path = self.path.join(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let descriptor = rustix::fs::openat(self.descriptor.as_fd(), name, flags, Mode::empty())
            .map_err(|error| self.why(name, Kind::Folder, error.into()))?;
        let folder = Self { path, descriptor: Arc::new(descriptor), disk: Arc::clone(&self.disk) };
        folder.check()?;
        Ok(folder)
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The disk that it lies on.
    pub(crate) fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Its descriptor.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }

    /// A new file.
    pub(crate) fn create(&self, name: &str) -> Result<Output, JournalError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let made = self.disk.with_room(|| {
            self.disk.step(Step::Create)?;
            self.descriptor_of(name, flags)
        });
        Ok(self.output(name, self.checked(name, made)?))
    }

    /// A file that is there, to be changed.
    pub(crate) fn change(&self, name: &str) -> Result<Output, JournalError> {
        Ok(self.output(name, self.open_with(name, OFlags::RDWR)?))
    }

    /// A file that is there, to be read.
    pub(crate) fn open(&self, name: &str) -> Result<File, JournalError> {
        self.open_with(name, OFlags::RDONLY)
    }

    /// Whether there is a file of this name.
    pub(crate) fn has(&self, name: &str) -> Result<bool, JournalError> {
        match self.open(name) {
            Ok(_) => Ok(true),
            Err(error) if is_missing(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn open_with(&self, name: &str, flags: OFlags) -> Result<File, JournalError> {
        self.checked(name, self.descriptor_of(name, flags))
    }

    fn descriptor_of(&self, name: &str, flags: OFlags) -> io::Result<File> {
        // Neither through a link nor waiting for the other end of a pipe.
        let flags = flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::RUSR | Mode::WUSR;
        Ok(rustix::fs::openat(self.descriptor.as_fd(), name, flags, mode)?.into())
    }

    /// A file that was opened, if it is one of ours.
    fn checked(&self, name: &str, opened: io::Result<File>) -> Result<File, JournalError> {
        let path = self.path.join(name);
        let file = match opened {
            Ok(file) => file,
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                return Err(JournalError::Link { path });
            }
            Err(error) => return Err(self.why(name, Kind::File, error)),
        };
        let metadata = file.metadata().map_err(|error| unusable(&path, error))?;
        if !metadata.is_file() {
            return Err(self.why(name, Kind::File, io::Error::other("it is no regular file")));
        }
        if metadata.nlink() > 1 {
            return Err(JournalError::Link { path });
        }
        check(&path, metadata.mode(), metadata.uid())?;
        Ok(file)
    }

    fn output(&self, name: &str, file: File) -> Output {
        Output { file, path: self.path.join(name), disk: Arc::clone(&self.disk) }
    }

    /// The content of a file that is a short one; `None` when there is none.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, JournalError> {
        self.read_to(name, SHORT)
    }

    /// The content of a file that has so many bytes at most; `None` when there is none.
    pub(crate) fn read_to(&self, name: &str, most: u64) -> Result<Option<Vec<u8>>, JournalError> {
        let Some(file) = self.open_to(name, most)? else { return Ok(None) };
        let mut bytes = Vec::new();
        let read = file.take(most.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|error| unusable(&self.path.join(name), error))?;
        // It may have grown meanwhile.
        if bytes.len() as u64 > most { Err(self.too_long(name)) } else { Ok(Some(bytes)) }
    }

    /// A file that has so many bytes at most; `None` when there is none.
    pub(crate) fn open_to(&self, name: &str, most: u64) -> Result<Option<File>, JournalError> {
        let file = match self.open(name) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata().map_err(|error| unusable(&self.path.join(name), error))?;
        if metadata.len() > most { Err(self.too_long(name)) } else { Ok(Some(file)) }
    }

    fn too_long(&self, name: &str) -> JournalError {
        unusable(&self.path.join(name), io::Error::other("it is longer than it can be"))
    }

    /// Puts a file in the place of what is there: at once or not at all, and on the disk.
    pub(crate) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), JournalError> {
        let new = format!("{name}.new");
        self.clear(&new)?;
        let mut file = self.create(&new)?;
        file.write(bytes)?;
        file.sync()?;
        self.rename(&new, self, name)
    }

    /// Renames a file, also into another directory; both are on the disk then.
    pub(crate) fn rename(&self, from: &str, to: &Self, name: &str) -> Result<(), JournalError> {
        if to.is_no_file(name) {
            // It is none of ours, and would be gone.
            to.stranger(name, Kind::File).map_or(Ok(()), Err)?;
        }
        let renamed = self.disk.with_room(|| {
            self.disk.step(Step::Rename)?;
            let (here, there) = (self.descriptor.as_fd(), to.descriptor.as_fd());
            Ok(rustix::fs::renameat(here, from, there, name)?)
        });
        renamed.map_err(|error| unusable(&self.path.join(from), error))?;
        to.sync()?;
        if to.path != self.path {
            self.sync()?;
        }
        Ok(())
    }

    /// Removes a file, which may have been removed already.
    pub(crate) fn discard(&self, name: &str) -> Result<(), JournalError> {
        match rustix::fs::unlinkat(self.descriptor.as_fd(), name, AtFlags::empty()) {
            Ok(()) => {
                self.step(Step::Remove, name)?;
                self.sync()
            }
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.why(name, Kind::File, error.into())),
        }
    }

    /// Overwrites a file with zeros, as far as the file system does so in place, and removes it.
    pub(crate) fn shred(&self, name: &str) -> Result<(), JournalError> {
        match self.change(name) {
            Ok(file) => file.overwrite()?,
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        self.discard(name)
    }

    /// Overwrites the beginning of a file with zeros, and removes it, unless somebody has.
    pub(crate) fn shred_head(&self, name: &str, length: usize) -> Result<(), JournalError> {
        match self.change(name) {
            Ok(file) => file.overwrite_to(length as u64)?,
            Err(error) if is_missing(&error) => return Ok(()),
            Err(error) => return Err(error),
        }
        self.discard(name)
    }

    /// The names in it, sorted.
    pub(crate) fn names(&self) -> Result<Vec<String>, JournalError> {
        let failed = |error: Errno| unusable(&self.path, error.into());
        let mut names = Vec::new();
        for entry in Dir::read_from(self.descriptor.as_fd()).map_err(failed)? {
            let name = OsString::from_vec(entry.map_err(failed)?.file_name().to_bytes().to_vec());
            if name != "." && name != ".." {
                names.push(name.to_string_lossy().into_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Names in it are on the disk when it is.
    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        self.step(Step::SyncFolder, ".")?;
        rustix::fs::fsync(self.descriptor.as_fd())
            .map_err(|error| unusable(&self.path, error.into()))
    }

    /// Removes what was made of a journal that could not be made whole: it would be in the way of another.
    pub(crate) fn empty(&self) {
        for name in self.names().unwrap_or_default() {
            let path = self.path.join(name);
            // What stays is said where the next one is made.
            let _ = fs::remove_file(&path).or_else(|_| fs::remove_dir_all(&path));
        }
    }

    /// The same directory, opened once more.
    fn again(&self) -> Result<Self, JournalError> {
        self.folder(".")
    }

    /// Why something of this name was not opened or removed: for what it is, if it is none of ours.
    fn why(&self, name: &str, kind: Kind, error: io::Error) -> JournalError {
        let stranger = self.stranger(name, kind);
        stranger.unwrap_or_else(|| unusable(&self.path.join(name), error))
    }

    fn step(&self, step: Step, name: &str) -> Result<(), JournalError> {
        self.disk.step(step).map_err(|error| unusable(&self.path.join(name), error))
    }
}

/// What a file has at most that is no segment and holds no entries: checkpoints, hashes, keys.
pub(crate) const SHORT: u64 = 1 << 20;

/// A file that is written.
pub(crate) struct Output {
    file: File,
    path: PathBuf,
    disk: Arc<Disk>,
}

impl Output {
    /// Appends bytes: all of them, or an error and some.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        let mut left = bytes;
        let written = self.disk.with_room(|| {
            if let Err(error) = self.disk.step(Step::Write) {
                let (half, rest) = left.split_at(left.len() / 2);
                left = rest;
                return self.file.write_all(half).and(Err(error));
            }
            while !left.is_empty() {
                match self.file.write(left) {
                    Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                    Ok(count) => left = &left[count..],
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        });
        written.map_err(|error| unusable(&self.path, error))
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The content is on the disk.
    pub(crate) fn sync(&self) -> Result<(), JournalError> {
        let done = self.disk.step(Step::Sync).and_then(|()| self.file.sync_data());
        done.map_err(|error| unusable(&self.path, error))
    }

    /// So many bytes from its beginning.
    pub(crate) fn content(&self, length: u64) -> Result<Vec<u8>, JournalError> {
        let failed = |error| unusable(&self.path, error);
        let length = usize::try_from(length).map_err(|error| failed(io::Error::other(error)))?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, 0).map_err(failed)?;
        Ok(bytes)
    }

    /// The same file once more.
    pub(crate) fn again(&self) -> Result<Self, JournalError> {
        let file = self.file.try_clone().map_err(|error| unusable(&self.path, error))?;
        Ok(Self { file, path: self.path.clone(), disk: Arc::clone(&self.disk) })
    }

    /// Cuts what was written after this many bytes, and goes on there.
    pub(crate) fn cut(&mut self, length: u64) -> Result<(), JournalError> {
        use std::io::Seek as _;
        let cut = self.disk.step(Step::Truncate).and_then(|()| self.file.set_len(length));
        let moved = cut.and_then(|()| self.file.seek(io::SeekFrom::Start(length)));
        moved.map(drop).map_err(|error| unusable(&self.path, error))
    }

    fn overwrite(self) -> Result<(), JournalError> {
        self.overwrite_to(u64::MAX)
    }

    /// Overwrites so many bytes, or as many as there are.
    fn overwrite_to(mut self, most: u64) -> Result<(), JournalError> {
        let zeros = [0; 1 << 14];
        let length = self.file.metadata().map_err(|error| unusable(&self.path, error))?.len();
        let mut left = length.min(most);
        while left > 0 {
            let count = usize::try_from(left).map_or(zeros.len(), |left| left.min(zeros.len()));
            self.write(&zeros[..count])?;
            left -= count as u64;
        }
        self.sync()
    }
}

/// For those who write to a file in pieces.
impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.with_room(|| {
            self.disk.step(Step::Write)?;
            self.file.write(bytes)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Turns an error of the system into one that names the file.
pub(crate) fn unusable(path: &Path, source: io::Error) -> JournalError {
    JournalError::Unusable { path: path.to_owned(), source }
}

/// Whether something is not there.
pub(crate) fn is_missing(error: &JournalError) -> bool {
    matches!(error, JournalError::Unusable { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

/// Where a directory lies, or will, if it is none yet.
fn real_of_new(path: &Path) -> io::Result<PathBuf> {
    let Some(name) = path.file_name() else { return fs::canonicalize(path) };
    Ok(fs::canonicalize(above(path))?.join(name))
}

fn above(path: &Path) -> &Path {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.unwrap_or(Path::new("."))
}

/// Whether a journal may lie there, which really is another path perhaps.
fn check_place(path: &Path, real: &Path, allowed: &[Place]) -> Result<(), JournalError> {
    match Place::of(real).find(|place| !allowed.contains(place)) {
        Some(place) => Err(JournalError::Unfit { path: path.to_owned(), place }),
        None => real.ancestors().skip(1).try_for_each(check_above),
    }
}

/// The name of a directory is on the disk when the one above it is.
fn sync_above(path: &Path, fault: Option<&Fault>) -> io::Result<()> {
    if let Some(fault) = fault {
        fault(Step::SyncFolder)?;
    }
    File::open(above(path))?.sync_all()
}

fn check(path: &Path, mode: u32, owner: u32) -> Result<(), JournalError> {
    if owner != rustix::process::geteuid().as_raw() {
        return Err(JournalError::ForeignOwner { path: path.to_owned() });
    }
    if mode & 0o077 != 0 {
        return Err(JournalError::Exposed { path: path.to_owned(), mode: mode & 0o7777 });
    }
    Ok(())
}

/// Who may write to a directory above can put another in the place of ours.
fn check_above(path: &Path) -> Result<(), JournalError> {
    let metadata = fs::metadata(path).map_err(|error| unusable(path, error))?;
    let (mode, owner) = (metadata.mode() & 0o7777, metadata.uid());
    if owner != 0 && owner != rustix::process::geteuid().as_raw() {
        return Err(JournalError::ForeignOwner { path: path.to_owned() });
    }
    let sticky = mode & 0o1000 != 0;
    if mode & 0o022 != 0 && !sticky {
        return Err(JournalError::Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn open(path: &Path) -> Result<Folder, JournalError> {
        Folder::root(path, true, &[Place::Temporary], None)
    }

    #[test]
    fn directories_and_files_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let root = open(&folder.path().join("j")).unwrap();
        root.replace("file", b"content").unwrap();
        root.make("deep").unwrap().replace("file", b"").unwrap();
        let mode = |name: &str| fs::metadata(root.path().join(name)).unwrap().mode() & 0o7777;
        assert_eq!((mode("."), mode("file"), mode("deep")), (0o700, 0o600, 0o700));
        assert_eq!(root.names().unwrap(), ["deep", "file"]);
        assert_eq!(root.read("file").unwrap().as_deref(), Some(b"content".as_slice()));
        assert_eq!(root.read("none").unwrap(), None);
        root.shred("file").unwrap();
        assert_eq!(root.read("file").unwrap(), None);
    }

    #[test]
    fn links_strangers_and_open_doors_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let root = open(&at("j")).unwrap();
        root.replace("file", b"").unwrap();
        fs::hard_link(at("j/file"), at("j/twin")).unwrap();
        assert!(matches!(root.read("file"), Err(JournalError::Link { .. })));
        symlink(at("j/file"), at("j/soft")).unwrap();
        assert!(matches!(root.read("soft"), Err(JournalError::Link { .. })));
        symlink(at("j"), at("link")).unwrap();
        for link in ["link", "link/", "link/."] {
            assert!(matches!(open(&at(link)), Err(JournalError::Link { .. })), "{link}");
        }
        root.replace("open", b"").unwrap();
        fs::set_permissions(at("j/open"), fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(root.read("open"), Err(JournalError::Exposed { mode: 0o640, .. })));
        fs::set_permissions(at("j"), fs::Permissions::from_mode(0o750)).unwrap();
        assert!(matches!(open(&at("j")), Err(JournalError::Exposed { mode: 0o750, .. })));
        fs::set_permissions(at("j"), fs::Permissions::from_mode(0o700)).unwrap();
        fs::create_dir(at("wide")).unwrap();
        fs::set_permissions(at("wide"), fs::Permissions::from_mode(0o777)).unwrap();
        let error = open(&at("wide/j")).err().unwrap();
        assert!(matches!(error, JournalError::Exposed { mode: 0o777, .. }), "{error}");
        assert!(!at("wide/j").exists(), "it was refused");
    }

    #[test]
    fn places_that_others_see_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("j");
        let error = Folder::root(&path, true, &[], None).err().unwrap();
        assert!(matches!(error, JournalError::Unfit { place: Place::Temporary, .. }), "{error}");
        assert!(!path.exists(), "it was refused");
        let deep = folder.path().join("Dropbox/public_html");
        fs::create_dir_all(&deep).unwrap();
        let error = Folder::root(&deep.join("j"), true, &[Place::Temporary], None).err().unwrap();
        assert!(matches!(error, JournalError::Unfit { place: Place::Synced, .. }), "{error}");
        let of = |path: &str| Place::of(Path::new(path)).collect::<Vec<_>>();
        for (path, place) in [
            ("/Users/ines/Library/Mobile Documents/j", Place::Synced),
            ("/home/ines/Dropbox (Work)/j", Place::Synced),
            ("/run/app/j", Place::Temporary),
            ("/var/www/html/j", Place::Web),
            ("/home/ines/public_html/j", Place::Web),
            ("/Users/ines/Sites/j", Place::Web),
        ] {
            assert_eq!(of(path), [place], "{path}");
        }
        assert_eq!(of("/tmp/Dropbox/www/j"), Place::ALL);
        fs::create_dir(folder.path().join(".stfolder")).unwrap();
        let marked = Place::of(&folder.path().join("deep/j")).collect::<Vec<_>>();
        assert_eq!(marked, [Place::Temporary, Place::Synced]);
        assert_eq!(of("/var/log/Sites/journal"), []);
    }
}
