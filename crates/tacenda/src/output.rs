//! Where redacted text goes: standard output, or a file that appears only when it is complete.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::failure::{Failure, reason};

/// Where redacted text goes.
#[derive(Debug)]
pub(crate) enum Output {
    /// A descriptor that is written to as it comes: standard output, a device, a pipe.
    Direct(File),
    /// A file beside its destination, renamed in the end.
    File { temporary: NamedTempFile, destination: PathBuf },
}

impl Output {
    /// Standard output, unbuffered: the caller writes blocks.
    pub(crate) fn stdout() -> io::Result<Self> {
        Ok(Self::Direct(File::from(io::stdout().as_fd().try_clone_to_owned()?)))
    }

    /// A file, only readable by its owner (0600). One that is there is replaced.
    pub(crate) fn file(path: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::new(format!("cannot write the output: {}", reason(&error))).at(path)
        };
        // What a shell has opened there is written on, and not replaced.
        if ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|own| path == Path::new(own))
        {
            return Self::stdout().map_err(failed);
        }
        // Through links: the file that is meant, not its name, is replaced.
        let destination = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        match fs::metadata(&destination) {
            Ok(metadata) if metadata.is_dir() => {
                return Err(Failure::new("the output is a directory").at(path));
            }
            Ok(metadata) if !metadata.is_file() => {
                let device = File::options().write(true).open(&destination).map_err(failed)?;
                return Ok(Self::Direct(device));
            }
            _ => {}
        }
        let directory = match destination.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let temporary =
            tempfile::Builder::new().prefix(".tacenda-").tempfile_in(directory).map_err(failed)?;
        Ok(Self::File { temporary, destination })
    }

    /// All has been written: the file takes its name.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Direct(_) => Ok(()),
            Self::File { temporary, destination } => {
                temporary.as_file().sync_all()?;
                temporary.persist(&destination).map_err(|error| {
                    Failure::new(format!("cannot write the output: {}", reason(&error.error)))
                        .at(&destination)
                })?;
                Ok(())
            }
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Direct(file) => file.write(bytes),
            Self::File { temporary, .. } => temporary.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
