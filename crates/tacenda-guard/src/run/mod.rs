//! A program whose output is filtered: `tacenda run -- CMD…`.

mod divert;
mod follow;
mod lines;
mod relay;
mod stream;
mod terminal;
mod witness;

use std::ffi::OsString;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions};
use signal_hook::low_level::emulate_default_handler;
use tacenda_detect::{ProtectedValues, Share};
use tacenda_sink::{Loss, Output, Sinks};
use tempfile::TempDir;

use self::lines::Lines;
use self::relay::Relay;
use self::stream::{Outlet, Stream};
use crate::Redact;
use crate::share::{Client, SHARE_VARIABLE, Server};

pub use divert::{Diversion, Diverted, Waiting, divert};
pub use follow::{FOLLOW, Follower, PROGRAM_VARIABLE};
pub(crate) use terminal::identity;
pub use witness::{WITNESS, witness};

/// Names the filtered file descriptors to the program: `1:DEV:INO,2:DEV:INO`, as decimal numbers
/// of `fstat`, so that a descendant that was given another output can tell.
pub const RUN_VARIABLE: &str = "TACENDA_RUN";

/// How long a part of a line is held for its rest.
pub const HOLD: Duration = Duration::from_millis(50);

/// How long we wait, after the program has ended, for descendants that still hold its output.
const LINGER: Duration = Duration::from_millis(250);

/// How often it is looked whether the program has ended, when no signal tells.
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// File descriptors that a filter may need: see `share::Server`.
const MOST_DESCRIPTORS: u64 = 1024;

/// Where the log of a program goes.
#[derive(Debug)]
pub struct Log {
    /// Whether to where our own outputs lead, each to its own.
    pub stdio: bool,
    /// And where else.
    pub sinks: Sinks,
    /// How long what still waits for the sinks is sent at the end.
    pub wait: Duration,
}

/// What to run and how.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Variables added to the environment of the program.
    pub environment: Vec<(OsString, OsString)>,
    /// Whether stdout is filtered. If not, the program has ours, untouched.
    pub filter_stdout: bool,
    /// The permission bits that files made by the program must not have; none: as they are.
    pub umask: Option<u16>,
    /// Whether `TMPDIR` is a directory of the program's own, 0700, removed in the end.
    pub private_tmpdir: bool,
    /// The command itself, to be started with [`WITNESS`] and [`FOLLOW`]. Without it, a signal
    /// that was sent to the process group reaches the program twice, and descendants that outlive
    /// the program lose their output.
    pub helper: Option<PathBuf>,
}

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It exited with this status.
    Exited(u8),
    /// This signal ended it.
    Signalled(i32),
}

/// Why a program could not be run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No command was given.
    #[error("no command to run")]
    NoCommand,
    /// The program does not exist.
    #[error("the program was not found")]
    NotFound,
    /// The program exists and may not be executed.
    #[error("the program cannot be executed: {0}")]
    NotExecutable(io::Error),
    /// The private `TMPDIR` could not be made.
    #[error("cannot make a private temporary directory: {0}")]
    TemporaryDirectory(io::Error),
    /// The system refused something that running needs.
    #[error("cannot {what}: {error}")]
    System {
        /// What was refused.
        what: &'static str,
        /// By what error.
        error: io::Error,
    },
}

/// What happened, besides the outcome.
#[derive(Debug)]
pub struct Ended {
    /// How the program ended.
    pub outcome: Outcome,
    /// Why part of the output could not be written, if so: it is lost, nowhere unredacted.
    pub write_failure: Option<io::Error>,
    /// What the sinks have lost.
    pub losses: Vec<Loss>,
    /// Why what descendants still write does not go to the sinks, if so.
    pub descendants: Option<io::Error>,
}

/// Runs a program with its stdout and stderr filtered, until it has ended and what it wrote has
/// been written.
///
/// The program stays in our session and process group and has our stdin, so Ctrl-C, `input()`,
/// line editing and job control are the terminal's, as without us. Where our stdout or stderr is a
/// terminal, the program has a pseudo-terminal there; if both are the same file, it has one for
/// both, and the order of what it writes is kept.
///
/// `values` are those that the redactor looks for: guarded processes below tell of theirs. An
/// output that a guard around us filters already goes there alone, whatever `log` says: that guard
/// keeps the log.
///
/// Changes the umask of this process and its signal handlers: meant for a process of its own.
pub fn run<R: Redact + Clone>(
    options: &RunOptions,
    redactor: &R,
    values: &ProtectedValues,
    log: Log,
) -> Result<Ended, RunError> {
    if let Some(bits) = options.umask {
        #[expect(clippy::allow_attributes, reason = "the types differ between systems")]
        #[allow(clippy::useless_conversion)]
        rustix::process::umask(Mode::from_bits_truncate(bits.into()));
    }
    let tmpdir = options.private_tmpdir.then(private_tmpdir).transpose()?;
    let system = |what| move |error: io::Error| RunError::System { what, error };

    let (mut command, streams) =
        prepare(options, redactor, &log).map_err(system("prepare the output"))?;
    if let Some(tmpdir) = &tmpdir {
        command.env("TMPDIR", tmpdir.path());
    }
    let mut directories = Vec::from_iter(tmpdir);
    let server = listen(&mut command, values, &mut directories);
    // Handlers are set after the program has started, so that it inherits the signals that we were
    // told to ignore (nohup).
    let relay = Relay::prepare(options.helper.as_deref());
    let program = command.spawn().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => RunError::NotFound,
        _ => RunError::NotExecutable(error),
    })?;
    // It holds the program's ends of the channels.
    drop(command);
    let relay = relay.listen().map_err(system("listen for signals"))?;
    limits_are_errors();
    raise_descriptors();

    let Log { sinks, wait, .. } = log;
    let (status, ended_at) = (None, None);
    let mut running = Running { program, streams, server, values, sinks, relay, status, ended_at };
    running.pump().map_err(system("wait for output"))?;
    running.server.catch_up();
    let left = running.take_what_is_left();
    // Before others go on with the same log.
    let losses = running.finish_sinks(wait);
    let descendants = running.hand_over(left, options, &mut directories);
    let status = running.status.expect("the loop ends after the program");
    let failure = running.streams.iter().find_map(Stream::failure);
    running.relay.stop();
    drop(directories);
    let write_failure = failure.map(io::Error::from);
    Ok(Ended { outcome: outcome(status), write_failure, losses, descendants })
}

/// Ends this process as the program ended: by the same signal, if it was one, so that who waits
/// for us sees the same. Returns the exit status to use otherwise.
///
/// Our own core is never dumped: it would hold text that was not redacted yet, and the program
/// has dumped its own.
pub fn end_as(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Exited(status) => status,
        // The kernel keeps signals that nobody handles from the first process.
        Outcome::Signalled(signal) if is_first() => u8::try_from(128 + signal).unwrap_or(u8::MAX),
        Outcome::Signalled(signal) => {
            let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
            if rustix::process::setrlimit(rustix::process::Resource::Core, none).is_ok() {
                let _ = emulate_default_handler(signal);
            }
            u8::try_from(128 + signal).unwrap_or(u8::MAX)
        }
    }
}

/// Whether we are the first process of the system, or of a container.
fn is_first() -> bool {
    std::process::id() == 1
}

/// A file that may not grow (`ulimit -f`) is an error to deal with, and no signal that ends us. What
/// we start has the signal as it was.
fn limits_are_errors() {
    // A handler that does nothing worth mentioning; without it a full file ends us, as before.
    let flag = std::sync::Arc::default();
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, flag);
}

/// A connection for each guarded process: as many as the system lets us have, up to what is ever
/// needed. What the program may have was settled when it was started.
fn raise_descriptors() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = MOST_DESCRIPTORS.min(maximum.unwrap_or(MOST_DESCRIPTORS));
    if current.is_some_and(|current| current < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

fn outcome(status: ExitStatus) -> Outcome {
    match (status.code(), status.signal()) {
        (Some(code), _) => Outcome::Exited(u8::try_from(code & 0xff).unwrap_or(u8::MAX)),
        (None, signal) => Outcome::Signalled(signal.unwrap_or(0)),
    }
}

fn private_tmpdir() -> Result<TempDir, RunError> {
    use std::os::unix::fs::PermissionsExt;
    let mut builder = tempfile::Builder::new();
    builder.prefix("tacenda-").permissions(std::fs::Permissions::from_mode(0o700));
    // As Python looks for one: the program would go on with the next as well.
    let named = ["TMPDIR", "TEMP", "TMP"].into_iter().filter_map(std::env::var_os);
    let usual = ["/tmp", "/var/tmp", "/usr/tmp"].into_iter().map(OsString::from);
    let mut failure = None;
    for base in named.chain(usual).filter(|base| !base.is_empty()) {
        match builder.tempdir_in(base) {
            Ok(directory) => return Ok(directory),
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    let failure = failure.unwrap_or_else(|| io::ErrorKind::NotFound.into());
    Err(RunError::TemporaryDirectory(failure))
}

/// Listens for what guarded processes tell of protected values. Where that is not possible, the
/// outputs are still filtered, by detectors alone.
///
/// Filters around us are told by the same processes: so we all have one key, that of the first.
fn listen<'v>(
    command: &mut Command,
    values: &'v ProtectedValues,
    directories: &mut Vec<TempDir>,
) -> Server<'v> {
    let around = std::env::var_os(SHARE_VARIABLE).unwrap_or_default();
    let around: Vec<_> = std::env::split_paths(&around).filter(|path| path.is_absolute()).collect();
    if let Some(key) = Client::new(around.clone()).key() {
        values.adopt(&key);
    }
    let listening = crate::share::listen(&std::env::temp_dir());
    let server = listening.and_then(|(directory, path, listener)| {
        let server = Server::new(values, listener)?;
        let paths = std::iter::once(path).chain(around);
        command.env(SHARE_VARIABLE, std::env::join_paths(paths).map_err(io::Error::other)?);
        directories.push(directory);
        Ok(server)
    });
    // Those around us are still to be told, then: the variable stays.
    server.unwrap_or_else(|_| Server::deaf(values))
}

/// The command with its outputs in place, and our ends of them.
fn prepare<R: Redact + Clone>(
    options: &RunOptions,
    redactor: &R,
    log: &Log,
) -> io::Result<(Command, Vec<Stream<R>>)> {
    let (program, arguments) = options.command.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(program);
    command.args(arguments).envs(options.environment.iter().map(|(name, value)| (name, value)));

    let outputs = [
        (1, rustix::stdio::stdout(), Output::Stdout),
        (2, rustix::stdio::stderr(), Output::Stderr),
    ];
    let one_file = terminal::identity(outputs[0].1)? == terminal::identity(outputs[1].1)?;
    let around = filtered_around();
    let mut streams = Vec::new();
    let mut filtered = Vec::new();
    let mut shared: Option<OwnedFd> = None;
    for (number, output, name) in outputs {
        if number == 1 && !options.filter_stdout {
            continue;
        }
        let theirs = if let Some(theirs) = shared.take() {
            theirs
        } else {
            // A guard around us keeps the log of what it filters.
            let is_kept = around.contains(&terminal::identity(output)?);
            let shows = log.stdio || is_kept;
            let channel = terminal::channel(output, shows)?;
            let both = number == 1 && one_file && shows;
            let keeps = !log.sinks.is_empty() && !is_kept;
            let lines = keeps.then(|| Lines::new((!both).then_some(name)));
            let output = if shows { Some(output.try_clone_to_owned()?) } else { None };
            let outlet = Outlet { output, lines };
            streams.push(Stream::new(channel.ours, outlet, redactor.clone(), HOLD));
            if both {
                shared = Some(channel.theirs.try_clone()?);
            }
            channel.theirs
        };
        let (device, inode) = terminal::identity(&theirs)?;
        filtered.push(format!("{number}:{device}:{inode}"));
        match number {
            1 => command.stdout(Stdio::from(theirs)),
            _ => command.stderr(Stdio::from(theirs)),
        };
    }
    command.env(RUN_VARIABLE, filtered.join(","));
    Ok((command, streams))
}

/// Whether a guard around us filters this output of ours, and keeps its log.
pub fn is_filtered_around(output: Output) -> bool {
    let fd = match output {
        Output::Stdout => rustix::stdio::stdout(),
        Output::Stderr => rustix::stdio::stderr(),
    };
    terminal::identity(fd).is_ok_and(|place| filtered_around().contains(&place))
}

/// The outputs that a guard around us filters: see [`RUN_VARIABLE`].
fn filtered_around() -> Vec<(u64, u64)> {
    let outputs = std::env::var(RUN_VARIABLE).unwrap_or_default();
    let output = |text: &str| {
        let mut numbers = text.split(':').skip(1).map(str::parse::<u64>);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    outputs.split(',').filter_map(output).collect()
}

/// A program and its streams while it runs.
struct Running<'v, R> {
    program: Child,
    streams: Vec<Stream<R>>,
    server: Server<'v>,
    values: &'v ProtectedValues,
    sinks: Sinks,
    relay: Relay,
    status: Option<ExitStatus>,
    ended_at: Option<Instant>,
}

impl<R: Redact> Running<'_, R> {
    /// Passes bytes and signals on until the program has ended and its output is written, or only
    /// descendants hold it.
    fn pump(&mut self) -> io::Result<()> {
        let mut looks = true;
        let mut looked_at = Instant::now();
        loop {
            if looks && self.status.is_none() {
                looked_at = Instant::now();
                if let Some(status) = self.ended()? {
                    self.status = Some(status);
                    self.ended_at = Some(looked_at);
                    self.streams.iter_mut().for_each(Stream::program_ended);
                }
            }
            let linger = self.ended_at.map(|at| at + LINGER);
            if let Some(linger) = linger {
                let all_ended = self.streams.iter().all(|s| !s.is_open() && s.is_flushed());
                let settled = || self.streams.iter().all(Stream::is_settled);
                if all_ended || (Instant::now() >= linger && settled()) {
                    return Ok(());
                }
            }
            let extra = self.relay.fds();
            let until = [linger, self.relay.deadline()].into_iter().flatten().min();
            let woken = wait(&mut self.streams, &mut self.server, &mut self.sinks, &extra, until)?;
            drop(extra);
            if woken || self.relay.deadline().is_some() {
                self.on_signals()?;
            }
            // Who has started us may have blocked the signal of its end.
            looks = woken
                || !self.streams.iter().any(Stream::is_open)
                || looked_at.elapsed() > BETWEEN_LOOKS;
        }
    }

    /// How the program has ended, if it has. The first process of a container also waits for those
    /// that nobody else waits for.
    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if !is_first() {
            return self.program.try_wait();
        }
        let program = Pid::from_child(&self.program);
        loop {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) if pid == program => {
                    return Ok(Some(ExitStatus::from_raw(status.as_raw())));
                }
                Ok(Some(_)) | Err(Errno::INTR) => {}
                Ok(None) | Err(Errno::CHILD) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn on_signals(&mut self) -> io::Result<()> {
        let program = self.status.is_none().then_some(&self.program);
        let news = self.relay.receive(program);
        if news.resized {
            self.streams.iter().for_each(Stream::copy_size);
            // The kernel told the program of the new size before its own terminal had it.
            relay::resized(program);
        }
        if news.children && self.status.is_none() && relay::is_stopped(&self.program) {
            self.stop_as_well()?;
        }
        Ok(())
    }

    /// The terminal's stop key has stopped the program: what it wrote is shown, then we stop too,
    /// so that the shell has its prompt back.
    fn stop_as_well(&mut self) -> io::Result<()> {
        let until = Instant::now() + HOLD + HOLD;
        while Instant::now() < until {
            wait(&mut self.streams, &mut self.server, &mut self.sinks, &[], Some(until))?;
        }
        emulate_default_handler(signal_hook::consts::SIGTSTP)?;
        self.relay.resumed();
        Ok(())
    }

    /// Waits for the sinks, until a signal asks us to end: there is no program any more that could.
    fn finish_sinks(&mut self, wait: Duration) -> Vec<Loss> {
        // Those that have come until now were for the program.
        self.relay.asks_to_end();
        let sinks = std::mem::take(&mut self.sinks);
        sinks.finish_unless(wait, || self.relay.asks_to_end())
    }

    /// What descendants still hold, with what was read of it written.
    fn take_what_is_left(&mut self) -> Vec<follow::Way> {
        let mut left = Vec::new();
        for stream in &mut self.streams {
            let input = stream.take_input(&mut self.sinks);
            while !stream.is_flushed() {
                stream.write();
            }
            let Some(input) = input else { continue };
            let (output, sinks) = stream.take_outlet();
            if output.is_some() || sinks.is_some() {
                left.push(follow::Way { input, output, sinks });
            }
        }
        left
    }

    /// Descendants still hold the output: a process of ours goes on filtering it, with the values
    /// that are known, and removes the directories when they end. Where it cannot open the sinks,
    /// which is told, descendants keep the outputs.
    fn hand_over(
        &mut self,
        left: Vec<follow::Way>,
        options: &RunOptions,
        directories: &mut Vec<TempDir>,
    ) -> Option<io::Error> {
        let helper = options.helper.as_deref().filter(|_| !left.is_empty())?;
        let mut task = follow::Task {
            listener: self.server.close(),
            ways: left,
            remove: directories.iter().map(|directory| directory.path().to_owned()).collect(),
        };
        let program = options.command.first().map(Path::new).and_then(Path::file_name);
        let program = (PROGRAM_VARIABLE.into(), program.unwrap_or_default().to_owned());
        let start = |task: &follow::Task| {
            let environment = options.environment.iter().chain([&program]);
            follow::start(helper, environment, task, self.values)
        };
        let mut started = start(&task);
        let mut without_sinks = None;
        if started.is_err() && task.has_sinks() {
            without_sinks = started.err();
            task.ways.iter_mut().for_each(|way| way.sinks = None);
            started = start(&task);
        }
        if started.is_ok() {
            // Its own now.
            directories.drain(..).for_each(|directory| drop(directory.keep()));
        }
        without_sinks
    }
}

/// Waits for bytes, for room, for `extra`, for a hold time to pass or for `until`; serves the
/// streams and the server. Tells whether one of `extra` is ready.
fn wait<R: Redact>(
    streams: &mut [Stream<R>],
    server: &mut Server<'_>,
    sinks: &mut Sinks,
    extra: &[BorrowedFd<'_>],
    until: Option<Instant>,
) -> io::Result<bool> {
    let room_at = sinks.room_at();
    let idle = streams.iter().filter_map(Stream::idle_at);
    let rests: Vec<_> = streams.iter().filter_map(Stream::rest).collect();
    // Who rests may have something to read that nobody asks for.
    let all_asked = rests.is_empty();
    let until = idle.chain(rests).chain(until).chain(server.due()).chain(room_at).min();
    let (reads, writes, told, woken) = {
        let mut fds = Vec::with_capacity(2 * streams.len() + extra.len());
        let mut owners = Vec::with_capacity(2 * streams.len());
        for (index, stream) in streams.iter().enumerate() {
            if let Some(fd) = stream.readable(room_at.is_some()) {
                owners.push((index, PollFlags::IN));
                fds.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
            }
            if let Some(fd) = stream.writable() {
                owners.push((index, PollFlags::OUT));
                fds.push(PollFd::from_borrowed_fd(fd, PollFlags::OUT));
            }
        }
        fds.extend(extra.iter().map(|fd| PollFd::from_borrowed_fd(*fd, PollFlags::IN)));
        fds.extend(server.fds().map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)));
        let timeout = until.map(|at| {
            // Rounded up, or the last fraction of the wait would be spent spinning.
            let left = at.saturating_duration_since(Instant::now());
            Timespec::try_from(left).unwrap_or_default()
        });
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready = |flags| {
            let ready = owners.iter().zip(&fds);
            ready
                .filter(move |((_, wanted), fd)| *wanted == flags && !fd.revents().is_empty())
                .map(|((index, _), _)| *index)
                .collect::<Vec<_>>()
        };
        let (extra, servers) = fds[owners.len()..].split_at(extra.len());
        let any = |fds: &[PollFd<'_>]| fds.iter().any(|fd| !fd.revents().is_empty());
        (ready(PollFlags::IN), ready(PollFlags::OUT), any(servers), any(extra))
    };
    let is_due = server.is_due();
    if is_due {
        // A log whose lines are all of one width would have one waiting at any time.
        for stream in streams.iter_mut() {
            stream.look_at_all(sinks);
        }
    }
    // What was released before this moment was written before it, too, and has been looked at.
    server.expire(all_asked && reads.is_empty() && streams.iter().all(Stream::holds_nothing));
    if told && reads.is_empty() {
        server.catch_up();
    }
    for index in reads {
        streams[index].read(sinks, || server.catch_up());
        if is_due {
            // For once it asks again at once: there may be nothing to read.
            streams[index].stay_awake();
        }
    }
    for index in writes {
        streams[index].write();
    }
    let now = Instant::now();
    for stream in streams {
        if stream.idle_at().is_some_and(|at| at <= now) {
            stream.idle(sinks);
        }
    }
    Ok(woken)
}
