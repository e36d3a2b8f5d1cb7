//! Records that wait for a sink, which takes them in a thread of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::account::Account;
use crate::{Loss, Record, Refusal, Retry, Sink};

/// Records that are written together at most: as many as OpenTelemetry's batches hold.
const BATCH: usize = 512;

/// The pauses between tries: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often a queue that is full is looked at again.
const LOOK: Duration = Duration::from_millis(10);

/// Why records are dropped before they are in the queue.
const FULL: &str = "the queue was full";

/// A sink behind a queue of bounded size.
pub(crate) struct Queue {
    shared: Arc<Shared>,
    capacity: usize,
    wait: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is room.
    Open,
    /// There is none since then, and it is waited for.
    Full(Instant),
    /// It was waited for long enough.
    Dropping,
}

struct Shared {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Record>,
    /// Of what waits and of what is being written.
    bytes: usize,
    in_hand: Vec<Record>,
    /// What was not taken into the queue; told of behind what was in it.
    dropped: Account,
    /// What the sink has refused; told of before what follows.
    refused: Account,
    /// Why the sink takes nothing now.
    trouble: Option<String>,
    /// No record comes any more; what is there is tried until then.
    ends_at: Option<Instant>,
    ended: bool,
}

impl Queue {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system gives none.
    pub(crate) fn start(
        sink: Box<dyn Sink>,
        capacity: usize,
        wait: Duration,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { inner: Mutex::default(), changed: Condvar::new() });
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("tacenda-sink".to_owned())
            .spawn(move || theirs.serve(sink))?;
        Ok(Self { shared, capacity, wait, state: State::Open })
    }

    /// Takes records; never waits.
    pub(crate) fn take(&mut self, records: &[Record]) {
        let mut inner = self.shared.lock();
        if self.state == State::Dropping && inner.bytes <= self.capacity / 2 {
            self.state = State::Open;
            inner.tell_of_dropped();
        }
        if self.state == State::Dropping {
            let why = inner.trouble.clone().unwrap_or_else(|| FULL.to_owned());
            inner.dropped.lose(records, &why);
            return;
        }
        inner.put(records);
        drop(inner);
        self.shared.changed.notify_all();
    }

    /// When to look again whether there is room; none if there is, or if nobody waits for it.
    pub(crate) fn room_at(&mut self) -> Option<Instant> {
        let is_full = self.shared.lock().bytes >= self.capacity;
        let now = Instant::now();
        self.state = match self.state {
            State::Open if is_full => State::Full(now),
            State::Full(_) if !is_full => State::Open,
            State::Full(since) if now >= since + self.wait => State::Dropping,
            state => state,
        };
        matches!(self.state, State::Full(_)).then(|| now + LOOK)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.lock().bytes == 0
    }

    /// No more records come: gives what waits time until `until`.
    pub(crate) fn close(&self, until: Instant) {
        let mut inner = self.shared.lock();
        inner.tell_of_dropped();
        inner.ends_at = Some(until);
        drop(inner);
        self.shared.changed.notify_all();
    }

    /// Waits for the end. What is left is lost.
    pub(crate) fn finish(&self, until: Instant, name: &str) -> Option<Loss> {
        let mut inner = self.shared.lock();
        while !inner.ended {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            inner = self.shared.wait(inner, left);
        }
        if !inner.ended {
            let why = inner.trouble.clone().unwrap_or_else(|| "it took too long".to_owned());
            let Inner { waiting, in_hand, refused, .. } = &mut *inner;
            refused.lose(in_hand.iter().chain(waiting.iter()), &why);
        }
        inner.refused.loss(&inner.dropped, name)
    }
}

impl Inner {
    fn put(&mut self, records: &[Record]) {
        self.bytes += records.iter().map(Record::size).sum::<usize>();
        self.waiting.extend(records.iter().cloned());
    }

    fn tell_of_dropped(&mut self) {
        if let Some(note) = self.dropped.note() {
            self.dropped.told();
            self.put(std::slice::from_ref(&note));
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, inner: MutexGuard<'g, Inner>, most: Duration) -> MutexGuard<'g, Inner> {
        self.changed.wait_timeout(inner, most).unwrap_or_else(PoisonError::into_inner).0
    }

    /// What the thread does.
    fn serve(&self, mut sink: Box<dyn Sink>) {
        while let Some(batch) = self.next(sink.gathers()) {
            self.deliver(&mut *sink, batch);
        }
        let mut inner = self.lock();
        inner.ended = true;
        drop(inner);
        self.changed.notify_all();
    }

    /// The next records to write; none at the end.
    fn next(&self, gathers: Duration) -> Option<Vec<Record>> {
        let mut inner = self.lock();
        let mut gather_until = None;
        loop {
            let now = Instant::now();
            if inner.waiting.is_empty() {
                if inner.ends_at.is_some() {
                    // A last word on what was lost, if there is something to say.
                    return inner.refused.note().map(|_| Vec::new());
                }
                inner = self.wait(inner, LONGEST_PAUSE);
                continue;
            }
            let until = *gather_until.get_or_insert(now + gathers);
            if now >= until || inner.waiting.len() >= BATCH || inner.ends_at.is_some() {
                let count = inner.waiting.len().min(BATCH);
                inner.in_hand = inner.waiting.drain(..count).collect();
                return Some(inner.in_hand.clone());
            }
            inner = self.wait(inner, until - now);
        }
    }

    /// Writes records, as often as it takes.
    fn deliver(&self, sink: &mut dyn Sink, mut batch: Vec<Record>) {
        let mut pause = FIRST_PAUSE;
        loop {
            let note = self.lock().refused.note();
            let noted = usize::from(note.is_some());
            let tried: Vec<Record> = note.iter().chain(&batch).cloned().collect();
            let refusal = sink.write(&tried).err();
            let taken = refusal.as_ref().map_or(tried.len(), |refusal| refusal.taken);
            let done: Vec<Record> = batch.drain(..taken.saturating_sub(noted)).collect();

            let mut inner = self.lock();
            if taken >= 1 && noted == 1 {
                inner.refused.told();
            }
            inner.in_hand.clone_from(&batch);
            inner.bytes -= done.iter().map(Record::size).sum::<usize>();
            let Some(Refusal { retry, why, .. }) = refusal else {
                inner.trouble = None;
                return;
            };
            let over = inner.ends_at.is_some_and(|at| Instant::now() + pause > at);
            let wait = match retry {
                Retry::Later if !over => Some(pause),
                Retry::After(time) if !over => Some(time.max(pause)),
                _ => None,
            };
            let Some(wait) = wait else {
                inner.bytes -= batch.iter().map(Record::size).sum::<usize>();
                inner.in_hand.clear();
                inner.refused.lose(&batch, &why);
                if batch.is_empty() {
                    // The word on what was lost is lost itself.
                    inner.refused.told();
                }
                return;
            };
            inner.trouble = Some(why);
            self.pause(inner, wait + jitter(pause));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Waits that long, or until the end is near.
    fn pause(&self, mut inner: MutexGuard<'_, Inner>, most: Duration) {
        let until = Instant::now() + most;
        let had_ended = inner.ends_at.is_some();
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            if inner.ends_at.is_some() && !had_ended {
                return;
            }
            inner = self.wait(inner, left);
        }
    }
}

/// Up to a quarter more, so that many senders do not come at once.
fn jitter(pause: Duration) -> Duration {
    let noise = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    pause * (noise.subsec_nanos() % 256) / 1024
}
