//! Outputs of this process through a filter of their own, which outlives it.

use std::ffi::OsString;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use tacenda_detect::{ProtectedValues, SharedKey};
use tacenda_sink::Output;

use super::follow::{FOLLOW, Task, Way, wait_until_ready};
use super::identity;

/// By way of a shell that ends at once: a child that stays would be one more to wait for.
const DETACHED: &str = r#"exec 3<&0; "$0" "$@" <&3 3<&- &"#;

/// A filter that waits for its task. It ends when this is dropped.
#[derive(Debug)]
pub struct Waiting {
    control: Option<UnixStream>,
    shell: Option<JoinHandle<io::Result<Child>>>,
}

impl Waiting {
    /// Starts a filter in the background: that takes longer than what there is to do before it gets
    /// its task.
    ///
    /// `environment`: variables added to its environment.
    ///
    /// # Errors
    /// When the system has no more threads or descriptors.
    pub fn start(helper: &Path, environment: &[(OsString, OsString)]) -> io::Result<Self> {
        let (control, theirs) = UnixStream::pair()?;
        let mut shell = Command::new("/bin/sh");
        shell
            .args(["-c", DETACHED])
            .args([helper.as_os_str(), FOLLOW.as_ref()])
            // As it is now: whoever goes on here may change it.
            .env_clear()
            .envs(std::env::vars_os())
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let shell = thread::Builder::new().spawn(move || shell.spawn())?;
        Ok(Self { control: Some(control), shell: Some(shell) })
    }

    /// The shell that has started it, which is about to end.
    fn shell(&mut self) -> io::Result<Child> {
        let shell = self.shell.take().map(JoinHandle::join);
        shell.and_then(Result::ok).unwrap_or_else(|| Err(io::Error::other("it did not start")))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.control = None;
        // Nobody else waits for its end.
        if let Ok(mut shell) = self.shell() {
            let _ = shell.wait();
        }
    }
}

/// What to lead through a filter, and how.
#[derive(Debug)]
pub struct Diversion<'d> {
    /// The descriptors: 1, 2 or both.
    pub outputs: &'d [i32],
    /// Whether what passes is written to where they led before.
    pub stdio: bool,
    /// Whether it is written to the sinks of the log, which the filter opens by the policy that is
    /// handed to it.
    pub sinks: bool,
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
    /// With sinks: for each descriptor one that leads into the filter as well, for what this
    /// process itself writes to the log.
    pub into: Vec<OwnedFd>,
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
/// Returns when the filter has taken over.
///
/// # Errors
/// When there is no filter, or it cannot open the sinks of the log. Nothing has changed then.
pub fn divert(
    mut filter: Waiting,
    diversion: &Diversion<'_>,
    values: &ProtectedValues,
) -> io::Result<Diverted> {
    let key = values.shared_key();
    let (directory, path, listener) = crate::share::listen(diversion.base)?;
    let mut before = Vec::new();
    let mut ways: Vec<Way> = Vec::new();
    let mut writers: Vec<(i32, OwnedFd)> = Vec::new();
    let mut led_to = Vec::new();
    for number in diversion.outputs {
        let (output, name) = output(*number)?;
        let place = identity(output)?;
        let is_same = |other: &(u64, u64)| *other == place;
        before.push((*number, high(output)?));
        let same = led_to.iter().position(is_same).filter(|_| diversion.stdio);
        if let Some(same) = same {
            let writer: &(i32, OwnedFd) = &writers[same];
            let shared = high(&writer.1)?;
            writers.push((*number, shared));
            // What comes there is of both.
            for way in &mut ways {
                way.sinks = way.sinks.map(|_| None);
            }
        } else {
            let (read, write) = io::pipe()?;
            let leads = if diversion.stdio { Some(high(output)?) } else { None };
            let sinks = diversion.sinks.then_some(Some(name));
            ways.push(Way { input: OwnedFd::from(read), output: leads, sinks });
            writers.push((*number, high(&write)?));
        }
        led_to.push(place);
    }
    let mut remove = vec![directory.path().to_owned()];
    remove.extend(diversion.remove.map(Path::to_owned));
    let task = Task { listener: Some(listener), ways, remove };

    let control = filter.control.take().expect("a filter has one task");
    let ready = task.send(&control, values).and_then(|()| wait_until_ready(&control));
    let mut shell = filter.shell()?;
    if let Err(error) = ready {
        drop(control);
        let _ = shell.wait();
        return Err(error);
    }
    let into = if diversion.sinks {
        writers.iter().map(|(_, fd)| high(fd)).collect()
    } else {
        Ok(vec![])
    }?;
    for (number, writer) in &writers {
        if *number == 1 {
            rustix::stdio::dup2_stdout(writer)?;
        } else {
            rustix::stdio::dup2_stderr(writer)?;
        }
    }
    // The filter's own now.
    let _ = directory.keep();
    Ok(Diverted { before, into, control, path, key, shell })
}

fn output(number: i32) -> io::Result<(BorrowedFd<'static>, Output)> {
    match number {
        1 => Ok((rustix::stdio::stdout(), Output::Stdout)),
        2 => Ok((rustix::stdio::stderr(), Output::Stderr)),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}

/// The same descriptor above those that a program closes or expects: daemons close 0 to 2.
fn high(fd: impl std::os::fd::AsFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(fd, 10)?)
}
