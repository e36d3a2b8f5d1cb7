//! Records that wait for a sink, which takes them in a thread of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::account::Account;
use crate::{Loss, Record, Refusal, Retry, Sink};

/// So many records are not gathered any longer: as many as OpenTelemetry's batches hold.
const BATCH: usize = 512;

/// Records of so many bytes are written together at most, or one that is longer.
const BATCH_BYTES: usize = 256 << 10;

/// The pauses between tries: the first, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often a queue that is full is looked at again.
const LOOK: Duration = Duration::from_millis(10);

/// How often who waits for the end is asked whether it still waits.
const ASK: Duration = Duration::from_millis(50);

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
    /// There is none, and it is waited for. Since then the sink has taken nothing; before, so many
    /// records.
    Full(Instant, u64),
    /// It was waited for long enough.
    Dropping,
}

struct Shared {
    /// So many bytes are not gathered any longer.
    gathered: usize,
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    waiting: VecDeque<Record>,
    /// Of what waits and of what is being written.
    bytes: usize,
    in_hand: Vec<Record>,
    /// How many records the sink has taken or refused for good.
    done: u64,
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
        let gathered = BATCH_BYTES.min(capacity / 2);
        let shared =
            Arc::new(Shared { gathered, inner: Mutex::default(), changed: Condvar::new() });
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

    /// When to look again whether there is room; none if there is, or if nobody waits for it. A
    /// sink that is slow, but takes something, is waited for as long as it does.
    pub(crate) fn room_at(&mut self) -> Option<Instant> {
        let inner = self.shared.lock();
        let (is_full, done) = (inner.bytes >= self.capacity, inner.done);
        drop(inner);
        let now = Instant::now();
        self.state = match self.state {
            State::Open if is_full => State::Full(now, done),
            State::Full(..) if !is_full => State::Open,
            State::Full(_, before) if done > before => State::Full(now, done),
            State::Full(since, _) if now >= since + self.wait => State::Dropping,
            state => state,
        };
        matches!(self.state, State::Full(..)).then(|| now + LOOK)
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        self.shared.lock().bytes == 0
    }

    #[cfg(test)]
    pub(crate) fn is_refused(&self) -> bool {
        self.shared.lock().trouble.is_some()
    }

    /// No more records come: gives what waits time until `until`.
    pub(crate) fn close(&self, until: Instant) {
        let mut inner = self.shared.lock();
        inner.tell_of_dropped();
        inner.ends_at = Some(until);
        drop(inner);
        self.shared.changed.notify_all();
    }

    /// Waits for the end, until then or until `stop`. What is left is lost.
    pub(crate) fn finish(
        &self,
        until: Instant,
        name: &str,
        stop: &mut dyn FnMut() -> bool,
    ) -> Option<Loss> {
        let mut inner = self.shared.lock();
        let mut why = "it took too long";
        while !inner.ended {
            let Some(left) = until.checked_duration_since(Instant::now()) else { break };
            if stop() {
                why = "the wait for it was cut short";
                break;
            }
            inner = self.shared.wait(inner, left.min(ASK));
        }
        if !inner.ended {
            let why = inner.trouble.clone().unwrap_or_else(|| why.to_owned());
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

    /// The first of what waits, of so many bytes at most, or one record.
    fn batch(&mut self) -> Vec<Record> {
        let mut bytes = 0;
        let fits = |record: &&Record| {
            bytes += record.size();
            bytes <= BATCH_BYTES
        };
        let count = self.waiting.iter().take_while(fits).count().max(1);
        self.in_hand = self.waiting.drain(..count).collect();
        self.in_hand.clone()
    }

    /// The first of a batch are off the queue.
    fn done(&mut self, batch: &mut Vec<Record>, count: usize) -> Vec<Record> {
        let done: Vec<Record> = batch.drain(..count.min(batch.len())).collect();
        self.in_hand.clone_from(batch);
        self.bytes -= done.iter().map(Record::size).sum::<usize>();
        self.done += done.len() as u64;
        done
    }

    /// How long to wait before the next try; none if the end comes first. Near it tries follow one
    /// another quickly, whatever was before.
    fn until_next_try(&self, retry: Retry, pause: &mut Duration) -> Option<Duration> {
        let asked = match retry {
            Retry::After(time) => time,
            _ => Duration::ZERO,
        };
        let Some(end) = self.ends_at else {
            let wait = asked.max(*pause) + jitter(*pause);
            *pause = (*pause * 2).min(LONGEST_PAUSE);
            return Some(wait);
        };
        let left = end.saturating_duration_since(Instant::now());
        if left < FIRST_PAUSE || left < asked {
            return None;
        }
        Some(asked.max((left / 8).max(FIRST_PAUSE).min(left / 2)))
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
        // It may have a last word for its server.
        drop(sink);
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
            let enough = inner.waiting.len() >= BATCH || inner.bytes >= self.gathered;
            if now >= until || enough || inner.ends_at.is_some() {
                return Some(inner.batch());
            }
            inner = self.wait(inner, until - now);
        }
    }

    /// Writes records, as often as it takes.
    fn deliver(&self, sink: &mut dyn Sink, mut batch: Vec<Record>) {
        let (mut pause, mut most) = (FIRST_PAUSE, usize::MAX);
        loop {
            let note = self.lock().refused.note();
            let noted = usize::from(note.is_some());
            let tried: Vec<Record> = note.iter().chain(&batch).take(most).cloned().collect();
            let refusal = sink.write(&tried).err();
            let taken = refusal.as_ref().map_or(tried.len(), |it| it.taken.min(tried.len()));

            let mut inner = self.lock();
            if taken >= 1 && noted == 1 {
                inner.refused.told();
            }
            inner.done(&mut batch, taken.saturating_sub(noted));
            let Some(Refusal { retry, why, .. }) = refusal else {
                inner.trouble = None;
                if batch.is_empty() {
                    return;
                }
                continue;
            };
            // How many of the batch are lost: none if it is the word on what was lost itself.
            let lost = match retry {
                Retry::Fewer if tried.len() > 1 => {
                    most = tried.len() / 2;
                    continue;
                }
                Retry::Skip | Retry::Fewer => usize::from(taken >= noted),
                Retry::Never => tried.len() - taken.max(noted),
                Retry::Later | Retry::After(_) => {
                    if let Some(wait) = inner.until_next_try(retry, &mut pause) {
                        inner.trouble = Some(why);
                        self.pause(inner, wait);
                        continue;
                    }
                    // Nor will anything else be taken before the end.
                    let waiting = std::mem::take(&mut inner.waiting);
                    batch.extend(waiting);
                    batch.len()
                }
            };
            if lost == 0 {
                inner.refused.told();
            }
            let lost = inner.done(&mut batch, lost);
            inner.refused.lose(&lost, &why);
            if batch.is_empty() {
                return;
            }
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
