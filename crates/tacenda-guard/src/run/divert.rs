//! Outputs of this process through a filter of their own, which outlives it.

use std::ffi::OsString;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tacenda_detect::{ProtectedValues, SharedKey};

use super::follow::{FOLLOW, Task};
use super::identity;

/// By way of a shell that ends at once: a child that stays would be one more to wait for.
const DETACHED: &str = r#"exec 3<&0; "$0" "$@" <&3 3<&- &"#;

/// What to lead through a filter, and how.
#[derive(Debug)]
pub struct Diversion<'d> {
    /// The command that is the filter.
    pub helper: &'d Path,
    /// Variables added to its environment.
    pub environment: &'d [(OsString, OsString)],
    /// The descriptors: 1, 2 or both.
    pub outputs: &'d [i32],
    /// Where it may make a directory for its socket.
    pub base: &'d Path,
    /// A directory that it removes when the last writer has ended.
    pub remove: Option<&'d Path>,
}

/// Outputs that lead through a filter.
#[derive(Debug)]
pub struct Diverted {
    /// Each descriptor, with one for where it led before, in the order in which they were named.
    pub before: Vec<(i32, OwnedFd)>,
    /// The connection for protected values.
    pub control: UnixStream,
    /// Where other processes connect.
    pub path: PathBuf,
    /// Their key.
    pub key: SharedKey,
    /// A child that is about to end, and has to be waited for.
    pub shell: Child,
}

/// Leads outputs of this process through a filter. Two that lead to the same place share a way, so
/// that the order of what they carry is kept.
///
/// # Errors
/// Nothing has changed then.
pub fn divert(diversion: &Diversion<'_>, values: &ProtectedValues) -> io::Result<Diverted> {
    let key = values.shared_key();
    let (directory, path, listener) = crate::share::listen(diversion.base)?;
    let mut before = Vec::new();
    let mut streams = Vec::new();
    let mut writers: Vec<(i32, OwnedFd)> = Vec::new();
    let mut led_to = Vec::new();
    for number in diversion.outputs {
        let output = output(*number)?;
        let place = identity(output)?;
        before.push((*number, high(output)?));
        if let Some(same) = led_to.iter().position(|other| *other == place) {
            let writer: &(i32, OwnedFd) = &writers[same];
            let shared = high(&writer.1)?;
            writers.push((*number, shared));
        } else {
            let (read, write) = io::pipe()?;
            streams.push((OwnedFd::from(read), high(output)?));
            writers.push((*number, high(&write)?));
        }
        led_to.push(place);
    }
    let mut remove = vec![directory.path().to_owned()];
    remove.extend(diversion.remove.map(Path::to_owned));
    let task = Task { listener: Some(listener), streams, remove };

    let (control, theirs) = UnixStream::pair()?;
    let shell = Command::new("/bin/sh")
        .args(["-c", DETACHED])
        .args([diversion.helper.as_os_str(), FOLLOW.as_ref()])
        .envs(diversion.environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::from(OwnedFd::from(theirs)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    task.send(&control, values)?;
    for (number, writer) in &writers {
        if *number == 1 {
            rustix::stdio::dup2_stdout(writer)?;
        } else {
            rustix::stdio::dup2_stderr(writer)?;
        }
    }
    // The filter's own now.
    let _ = directory.keep();
    Ok(Diverted { before, control, path, key, shell })
}

fn output(number: i32) -> io::Result<BorrowedFd<'static>> {
    match number {
        1 => Ok(rustix::stdio::stdout()),
        2 => Ok(rustix::stdio::stderr()),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// The same descriptor above those that a program closes or expects: daemons close 0 to 2.
fn high(fd: impl std::os::fd::AsFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 10)?)
}
