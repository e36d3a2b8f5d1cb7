//! Signals: from us to the program, each exactly once.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
use signal_hook::consts::signal::{
    SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN, SIGTTOU, SIGWINCH,
};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::SignalOnly;

use super::terminal;
use super::witness::{RELAYED, Witness, bit, bits};

/// How often the witness is looked at before it is given up, and how far apart. It answers in well
/// under a millisecond unless it is stopped; and when the whole machine has stood still, the time
/// is up but the witness has had none of it, so looks count and not the clock.
const PATIENCE: u32 = 20;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// What arrived.
#[derive(Debug, Default)]
pub(super) struct News {
    /// A child changed its state.
    pub(super) children: bool,
    /// The terminal has another size.
    pub(super) resized: bool,
}

/// The witness, started before the program; the handlers come after it.
pub(super) struct Prepared {
    witness: Option<Witness>,
}

/// Receives our signals and passes on what the program has not received itself.
pub(super) struct Relay {
    signals: SignalDelivery<UnixStream, SignalOnly>,
    witness: Option<Witness>,
    asked: Option<Question>,
    /// Signals that came after the question.
    waiting: u64,
    /// Signals that the witness has named before we had them ourselves.
    foreseen: u64,
    /// Signals whose effect on the program has been seen: they are not sent, whoever has them.
    moot: u64,
}

/// Signals that the witness was asked about.
#[derive(Clone, Copy)]
struct Question {
    signals: u64,
    /// When to look next whether it has answered, and how often still.
    look_at: Instant,
    looks: u32,
}

impl Question {
    fn new(signals: u64) -> Self {
        Self { signals, look_at: Instant::now() + BETWEEN_LOOKS, looks: PATIENCE }
    }

    /// One more look without an answer. Tells whether to go on waiting.
    fn unanswered(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.look_at {
            self.looks = self.looks.saturating_sub(1);
            self.look_at = now + BETWEEN_LOOKS;
        }
        self.looks > 0
    }
}

impl Relay {
    pub(super) fn prepare(helper: Option<&Path>) -> Prepared {
        Prepared { witness: helper.and_then(|helper| Witness::start(helper).ok()) }
    }

    pub(super) fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let witness = self.witness.as_ref().filter(|_| self.asked.is_some());
        [Some(self.signals.get_read().as_fd()), witness.map(Witness::answer_fd)]
            .into_iter()
            .flatten()
            .collect()
    }

    /// When to look at the witness again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.asked.map(|question| question.look_at)
    }

    /// Takes what arrived and relays it. `program` is none once it has ended.
    pub(super) fn receive(&mut self, program: Option<&Child>) -> News {
        let mut news = News::default();
        for signal in self.signals.pending() {
            match signal {
                SIGCHLD => news.children = true,
                SIGWINCH => news.resized = true,
                _ => self.waiting |= bit(signal),
            }
        }
        self.hear_witness(program);
        self.ask_witness(program);
        news
    }

    /// Whether a signal has come that ends who does not handle it, with the program gone.
    ///
    /// No hangup: whoever was told to ignore it (nohup) is not to lose anything by it.
    pub(super) fn asks_to_end(&mut self) -> bool {
        let ends = |signal| matches!(signal, SIGINT | SIGQUIT | SIGTERM);
        self.signals.pending().filter(|signal| ends(*signal)).count() > 0
    }

    /// The program and we have stood still and go on: the stop key has done its work, and the time
    /// in between was not the witness's.
    pub(super) fn resumed(&mut self) {
        self.waiting &= !bit(SIGTSTP);
        if let Some(question) = &mut self.asked {
            self.moot |= question.signals & bit(SIGTSTP);
            *question = Question::new(question.signals);
        }
    }

    pub(super) fn stop(self) {
        if let Some(witness) = self.witness {
            witness.stop();
        }
    }

    fn ask_witness(&mut self, program: Option<&Child>) {
        if self.waiting == 0 || self.asked.is_some() {
            return;
        }
        let signals = std::mem::take(&mut self.waiting);
        if self.witness.as_mut().is_some_and(|witness| witness.ask().is_ok()) {
            self.asked = Some(Question::new(signals));
        } else {
            send(program, signals);
        }
    }

    fn hear_witness(&mut self, program: Option<&Child>) {
        let Some(question) = &mut self.asked else { return };
        let Some(witness) = &mut self.witness else { return };
        let answered = witness.has_answered();
        if !answered && question.unanswered() {
            return;
        }
        let asked = question.signals;
        let seen = if answered { witness.answer() } else { None };
        let seen = seen.unwrap_or_else(|| {
            let mut witness = self.witness.take().expect("it was asked");
            let killed_by = if answered { witness.killed_by() } else { None };
            witness.stop();
            bits(killed_by)
        });
        self.asked = None;
        let group = seen | self.foreseen;
        self.foreseen = group & !asked;
        send(program, asked & !group & !std::mem::take(&mut self.moot));
    }
}

impl Prepared {
    /// Starts listening. Whether the program has ended already, the caller finds out by looking.
    pub(super) fn listen(self) -> io::Result<Relay> {
        let (read, write) = UnixStream::pair()?;
        let signals = RELAYED.into_iter().chain([SIGCHLD, SIGWINCH]);
        let signals = SignalDelivery::with_pipe(read, write, SignalOnly, signals)?;
        Ok(Relay { signals, witness: self.witness, asked: None, waiting: 0, foreseen: 0, moot: 0 })
    }
}

/// Tells the program that its terminal has its new size.
pub(super) fn resized(program: Option<&Child>) {
    send(program, bit(SIGWINCH));
}

/// Whether job control has stopped the program. Any other stop is no affair of ours: who
/// stopped it so will let it go on without telling us.
pub(super) fn is_stopped(program: &Child) -> bool {
    let options = WaitIdOptions::STOPPED | WaitIdOptions::NOHANG;
    let Ok(Some(status)) = waitid(WaitId::Pid(Pid::from_child(program)), options) else {
        return false;
    };
    matches!(status.stopping_signal(), Some(SIGTSTP | SIGTTIN | SIGTTOU))
        && terminal::has_controlling_terminal()
}

/// Sends each signal of a set to the program.
fn send(program: Option<&Child>, signals: u64) {
    let Some(program) = program else { return };
    for signal in RELAYED.into_iter().chain([SIGWINCH]).filter(|signal| signals & bit(*signal) != 0)
    {
        if let Some(signal) = Signal::from_named_raw(signal) {
            // It may have ended just now.
            let _ = kill_process(Pid::from_child(program), signal);
        }
    }
}
