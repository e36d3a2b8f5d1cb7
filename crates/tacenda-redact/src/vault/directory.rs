//! Files and directories that are the vault's alone.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

use super::VaultError;

/// Turns an error of the system into one that names the file.
pub(super) fn unusable(path: &Path) -> impl Fn(io::Error) -> VaultError {
    move |source| match source.raw_os_error() {
        // What `O_NOFOLLOW` says of a link.
        Some(code) if code == rustix::io::Errno::LOOP.raw_os_error() => {
            VaultError::Link { path: path.to_owned() }
        }
        _ => VaultError::Unusable { path: path.to_owned(), source },
    }
}

/// A directory of mode 0700: made, or found to be ours.
pub(super) fn private(path: &Path) -> Result<(), VaultError> {
    match DirBuilder::new().recursive(false).mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(unusable(path)(error)),
    }
    let metadata = fs::symlink_metadata(path).map_err(unusable(path))?;
    if metadata.is_dir() {
        return check(path, &metadata);
    }
    if metadata.is_symlink() {
        return Err(VaultError::Link { path: path.to_owned() });
    }
    Err(unusable(path)(io::Error::from(io::ErrorKind::NotADirectory)))
}

/// A file of mode 0600 to read and write: opened, or made where there is none.
pub(super) fn file(path: &Path) -> Result<File, VaultError> {
    let file = options().create(true).open(path).map_err(unusable(path))?;
    let metadata = file.metadata().map_err(unusable(path))?;
    if !metadata.is_file() {
        return Err(unusable(path)(io::Error::from(io::ErrorKind::InvalidInput)));
    }
    check(path, &metadata)?;
    Ok(file)
}

/// The same for one that must not be there yet.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    options().create_new(true).open(path)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    // Neither through a link nor waiting for the other end of a pipe.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options.read(true).write(true).mode(0o600).custom_flags(flags.bits().cast_signed());
    options
}

fn check(path: &Path, metadata: &Metadata) -> Result<(), VaultError> {
    let (mode, path) = (metadata.mode() & 0o7777, path.to_owned());
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(VaultError::ForeignOwner { path });
    }
    if mode & 0o077 != 0 {
        return Err(VaultError::Exposed { path, mode });
    }
    Ok(())
}

/// Overwrites a file with zeros, and removes it.
pub(super) fn shred(path: &Path, file: &File) -> io::Result<()> {
    overwrite(file)?;
    fs::remove_file(path)
}

/// Overwrites a file with zeros, as far as the file system does so in place.
pub(super) fn overwrite(mut file: &File) -> io::Result<()> {
    use std::io::{Seek as _, Write as _};
    let mut left = file.metadata()?.len();
    file.rewind()?;
    let zeros = [0; 1 << 13];
    while left > 0 {
        let count = left.min(zeros.len() as u64);
        file.write_all(&zeros[..usize::try_from(count).unwrap_or(zeros.len())])?;
        left -= count;
    }
    file.sync_all()
}
