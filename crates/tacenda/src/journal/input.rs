//! Standard input, and the signals that come while it is waited for.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::failure::{Failure, reason, warn};

/// How long is read on after a signal: who is before us in the pipe may have got it as well, and says
/// its last words.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long an owner that does not answer is waited for after a signal.
const PATIENCE: Duration = Duration::from_secs(5);

/// What comes next.
pub(super) enum Event {
    /// So many bytes; none at the end.
    Read(usize),
    /// A SIGHUP.
    HangUp,
    /// A SIGINT or SIGTERM: nothing more is read.
    Stop,
}

/// Standard input. A signal does not wait until something comes.
pub(super) struct Input {
    stdin: io::StdinLock<'static>,
    woken: UnixStream,
    told: Arc<Told>,
    stops: Option<Instant>,
}

/// What the thread that waits for signals tells.
#[derive(Default)]
struct Told {
    hung_up: AtomicBool,
    /// The signal that ends it, or 0.
    stop: AtomicI32,
    /// Whether another process is waited for when something is written.
    waits: AtomicBool,
}

/// What has caught a SIGHUP, until signals are heard. Others end this process meanwhile: it has read
/// nothing.
pub(super) struct Beginning(Signals);

impl Beginning {
    pub(super) fn new() -> Result<Self, Failure> {
        Signals::new([SIGHUP]).map(Self).map_err(|error| cannot_wait(&error))
    }

    /// From now on all of them are heard.
    pub(super) fn input(self) -> Result<Input, Failure> {
        let failed = |error: io::Error| cannot_wait(&error);
        let Self(mut signals) = self;
        let (woken, wake) = UnixStream::pair().map_err(failed)?;
        woken.set_nonblocking(true).map_err(failed)?;
        wake.set_nonblocking(true).map_err(failed)?;
        let told = Arc::new(Told::default());
        let theirs = Arc::clone(&told);
        for signal in [SIGINT, SIGTERM] {
            signals.add_signal(signal).map_err(failed)?;
        }
        let listen = move || {
            for signal in signals.forever() {
                theirs.hear(signal);
                // When it is full, it is going to be read.
                let _ = (&wake).write(&[0]);
            }
        };
        thread::Builder::new().name("tacenda-signals".to_owned()).spawn(listen).map_err(failed)?;
        Ok(Input { stdin: io::stdin().lock(), woken, told, stops: None })
    }
}

impl Told {
    fn hear(self: &Arc<Self>, signal: i32) {
        if signal == SIGHUP {
            self.hung_up.store(true, Ordering::Relaxed);
        } else if self.stop.swap(signal, Ordering::Relaxed) != 0 {
            // Whoever asks twice does not want to wait.
            signal_hook::low_level::exit(128 + signal);
        } else {
            let told = Arc::clone(self);
            thread::spawn(move || {
                thread::sleep(PATIENCE);
                if told.waits.load(Ordering::Relaxed) {
                    let what = "the process that owns the journal does not answer: what was read \
                                last may not be written";
                    warn(what, None);
                    signal_hook::low_level::exit(128 + signal);
                }
            });
        }
    }
}

impl Input {
    /// Waits for what comes next, and reads it.
    pub(super) fn next(&mut self, block: &mut [u8]) -> Result<Event, Failure> {
        loop {
            if self.told.hung_up.swap(false, Ordering::Relaxed) {
                return Ok(Event::HangUp);
            }
            if self.told.stop.load(Ordering::Relaxed) != 0 {
                self.stops.get_or_insert_with(|| Instant::now() + LAST_WORDS);
            }
            let left = self.stops.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return Ok(Event::Stop);
            }
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            let mut fds =
                [PollFd::new(&self.stdin, PollFlags::IN), PollFd::new(&self.woken, PollFlags::IN)];
            match poll(&mut fds, timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(cannot_wait(&error.into())),
            }
            let [input, woken] = fds.map(|fd| !fd.revents().is_empty());
            if woken {
                let _ = self.woken.read(&mut [0; 64]);
            } else if input {
                match self.stdin.read(block) {
                    Ok(read) => return Ok(Event::Read(read)),
                    Err(error) if is_early(&error) => {}
                    Err(error) => {
                        let what = format!("cannot read standard input: {}", reason(&error));
                        return Err(Failure::new(what));
                    }
                }
            }
        }
    }

    /// Says whether another process is waited for when something is written.
    pub(super) fn waits(&self, waits: bool) {
        self.told.waits.store(waits, Ordering::Relaxed);
    }

    /// With what to end: as a shell says that a signal has ended it.
    pub(super) fn status(&self) -> ExitCode {
        let signal = self.told.stop.load(Ordering::Relaxed);
        if signal == 0 {
            return ExitCode::SUCCESS;
        }
        ExitCode::from(u8::try_from(128 + signal).expect("those that are heard are below 64"))
    }
}

/// Whether it may be read again: somebody else may have got what there was.
fn is_early(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

fn cannot_wait(error: &io::Error) -> Failure {
    Failure::new(format!("cannot wait for signals: {}", reason(error)))
}
