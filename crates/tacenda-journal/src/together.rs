//! Records that are written together.
//!
//! Where each record is put on the disk, threads that append at the same moment share one frame and one
//! sync: the first of them writes for all that came before it began, the others wait for it. Else each
//! writes by itself: that is over sooner than another thread is woken. Nobody is told that a record is
//! written before it is, and nothing is kept in memory beyond the records that are waited for.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, TryLockError};

use crate::error::JournalError;
use crate::owner::Owner;
use crate::record::Record;

/// A batch takes no more once it has so many records, or bytes of them.
pub(crate) const BATCH_RECORDS: usize = 4096;
const BATCH_BYTES: usize = 4 << 20;

/// How often who waits for others to write lets them go on before it sleeps: most batches are written
/// sooner than a thread is woken.
const YIELDS: u32 = 8;

/// The same of who waits for its turn to write by itself, and how often it looks for that before, with
/// pauses between its looks: to be woken takes ten times as long as to write, and on a virtual machine whose
/// processor has gone idle longer still.
const TURNS: u32 = 64;
const LOOKS: u32 = 16;
const PAUSES: u32 = 32;

/// A journal's owner, and those who wait for it.
pub(crate) struct Together {
    queue: Mutex<Queue>,
    owner: Mutex<Owner>,
    syncs_each: Arc<AtomicBool>,
    is_busy: Arc<AtomicBool>,
}

#[derive(Default)]
struct Queue {
    batches: VecDeque<Batch>,
    leading: bool,
}

/// Records that are written together.
#[derive(Default)]
struct Batch {
    records: Vec<Record>,
    bytes: usize,
    slot: Arc<Slot>,
}

/// Where those wait whose records are in one batch.
#[derive(Default)]
struct Slot {
    turn: Mutex<Turn>,
    turned: Condvar,
}

#[derive(Default)]
enum Turn {
    /// Others write.
    #[default]
    Wait,
    /// One of those who wait writes.
    Lead,
    /// It is done: the number of the first record.
    Written(Result<u64, Arc<JournalError>>),
}

impl Queue {
    /// Adds records to what is written next: where they wait, and their place in it.
    fn add(&mut self, mut records: Vec<Record>) -> (Arc<Slot>, u64) {
        if !self.batches.back().is_some_and(Batch::has_room) {
            self.batches.push_back(Batch::default());
        }
        let batch = self.batches.back_mut().expect("one was just added");
        let offset = batch.records.len() as u64;
        batch.bytes += records.iter().map(Record::size).sum::<usize>();
        batch.records.append(&mut records);
        (Arc::clone(&batch.slot), offset)
    }
}

impl Batch {
    fn has_room(&self) -> bool {
        self.records.len() < BATCH_RECORDS && self.bytes < BATCH_BYTES
    }
}

/// Cuts records into what is written at once.
pub(crate) fn batches(records: Vec<Record>) -> impl Iterator<Item = Vec<Record>> {
    let bytes: usize = records.iter().map(Record::size).sum();
    let is_short = (1..=BATCH_RECORDS).contains(&records.len()) && bytes <= BATCH_BYTES;
    // Most often nothing has to be cut.
    let (mut whole, records) = if is_short { (Some(records), Vec::new()) } else { (None, records) };
    let mut records = records.into_iter().peekable();
    std::iter::from_fn(move || {
        if let Some(whole) = whole.take() {
            return Some(whole);
        }
        records.peek()?;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while batch.len() < BATCH_RECORDS
            && bytes < BATCH_BYTES
            && let Some(record) = records.next()
        {
            bytes += record.size();
            batch.push(record);
        }
        Some(batch)
    })
}

/// A thread that panicked while it held the lock has changed nothing halfway that is not checked
/// again: its batch was written as a whole, or is cut off.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// The thread that writes a batch for all who wait for it. They learn what became of it also when it
/// panics.
struct Lead<'s> {
    all: &'s Together,
    slot: Arc<Slot>,
    outcome: Result<u64, Arc<JournalError>>,
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.all.queue);
        match queue.batches.front() {
            Some(next) => {
                *lock(&next.slot.turn) = Turn::Lead;
                next.slot.turned.notify_one();
            }
            None => queue.leading = false,
        }
        drop(queue);
        let outcome = std::mem::replace(&mut self.outcome, Ok(0));
        *lock(&self.slot.turn) = Turn::Written(outcome);
        self.slot.turned.notify_all();
    }
}

impl Together {
    pub(crate) fn new(owner: Owner) -> Self {
        let (syncs_each, is_busy) = (Arc::clone(&owner.syncs_each), Arc::clone(&owner.is_busy));
        Self { queue: Mutex::default(), owner: Mutex::new(owner), syncs_each, is_busy }
    }

    pub(crate) fn owner(&self) -> MutexGuard<'_, Owner> {
        lock(&self.owner)
    }

    /// The owner, for who needs it for a moment, as the others do. Where one is always writing, who waits
    /// sleeps, and leaves the processor to it.
    fn turn(&self) -> MutexGuard<'_, Owner> {
        for turn in 0..LOOKS + TURNS {
            match self.owner.try_lock() {
                Ok(owner) => return owner,
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) if self.is_busy.load(Ordering::Relaxed) => break,
                // Who holds it may be waiting for this processor.
                Err(TryLockError::WouldBlock) if turn >= LOOKS => std::thread::yield_now(),
                Err(TryLockError::WouldBlock) => {
                    (0..PAUSES).for_each(|_| std::hint::spin_loop());
                }
            }
        }
        self.owner()
    }

    /// Appends records, with those that others append at this moment; the number of the first.
    pub(crate) fn append(&self, records: Vec<Record>) -> Result<u64, JournalError> {
        if !self.syncs_each.load(Ordering::Relaxed) {
            return self.turn().write(&records);
        }
        let mut queue = lock(&self.queue);
        let (slot, offset) = queue.add(records);
        let leads = !std::mem::replace(&mut queue.leading, true);
        drop(queue);
        if leads {
            self.lead();
        }
        for _ in 0..YIELDS {
            if !matches!(*lock(&slot.turn), Turn::Wait) {
                break;
            }
            std::thread::yield_now();
        }
        let mut turn = lock(&slot.turn);
        loop {
            match &*turn {
                Turn::Written(Ok(first)) => return Ok(first + offset),
                Turn::Written(Err(error)) => return Err(JournalError::Together(Arc::clone(error))),
                Turn::Wait => {
                    let waited = slot.turned.wait(turn);
                    turn = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
                }
                Turn::Lead => {
                    *turn = Turn::Wait;
                    drop(turn);
                    self.lead();
                    turn = lock(&slot.turn);
                }
            }
        }
    }

    /// Writes what comes next, and has the rest written by one of those who wait for it.
    fn lead(&self) {
        let batch = lock(&self.queue).batches.pop_front().expect("ours is not written yet");
        let outcome = Err(Arc::new(JournalError::Stopped));
        let mut lead = Lead { all: self, slot: batch.slot, outcome };
        lead.outcome = self.owner().write(&batch.records).map_err(Arc::new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::{Fixture, numbers, options, record};
    use crate::{Durability, Filter};

    /// A journal that waits for the disk as it says.
    fn fixture(durability: Durability) -> Fixture {
        Fixture::with(|settings| settings.durability = durability)
    }

    fn together(fixture: &Fixture) -> Together {
        Together::new(Owner::open(&fixture.path(), &options()).unwrap())
    }

    #[test]
    fn what_is_written_together_has_a_bound() {
        let fixture = fixture(Durability::Record);
        let together = together(&fixture);
        let records = |count| (0..count).map(record).collect::<Vec<_>>();
        std::thread::scope(|scope| {
            // Nobody writes as long as the owner is held: all wait in the queue.
            let owner = together.owner();
            for _ in 0..4 {
                scope.spawn(|| together.append(records(3000)).unwrap());
            }
            // The first leads with what it has.
            let waiting = loop {
                let queue = lock(&together.queue);
                let waiting: Vec<_> = queue.batches.iter().map(|one| one.records.len()).collect();
                if waiting.iter().sum::<usize>() == 9000 {
                    break waiting;
                }
                drop(queue);
                std::thread::yield_now();
            };
            assert_eq!(waiting, [6000, 3000]);
            drop(owner);
        });
        together.owner().seal().unwrap();
        assert_eq!(numbers(&fixture.reader(), &Filter::default()).len(), 12_000);
    }

    #[test]
    fn one_that_is_always_writing_is_busy() {
        use std::sync::atomic::AtomicI64;
        let fixture = fixture(Durability::Interval);
        let together = together(&fixture);
        let (now, step) = (Arc::new(AtomicI64::new(1 << 60)), Arc::new(AtomicI64::new(0)));
        let (time, by) = (Arc::clone(&now), Arc::clone(&step));
        let clock = move || time.fetch_add(by.load(Ordering::Relaxed), Ordering::Relaxed);
        together.owner().clock = Arc::new(clock);
        let is_busy_after = |micros: i64, appends: u64| {
            step.store(1000 * micros, Ordering::Relaxed);
            for number in 0..appends {
                together.append(vec![record(number)]).unwrap();
            }
            together.is_busy.load(Ordering::Relaxed)
        };
        // Eight writers of a busy program; as many as there can be; and these after one was kept waiting.
        assert!(!is_busy_after(60, 30));
        assert!(is_busy_after(5, 30));
        is_busy_after(5000, 1);
        assert!(is_busy_after(5, 5));
        assert!(!is_busy_after(60, 30));
    }

    #[test]
    fn who_waits_for_its_turn_gets_it() {
        let fixture = fixture(Durability::Interval);
        let together = together(&fixture);
        for held in [1, 20_000] {
            std::thread::scope(|scope| {
                let owner = together.owner();
                let waiting: Vec<_> = (0..3)
                    .map(|_| scope.spawn(|| together.append(vec![record(1)]).unwrap()))
                    .collect();
                std::thread::sleep(std::time::Duration::from_micros(held));
                drop(owner);
                for one in waiting {
                    one.join().unwrap();
                }
            });
        }
        together.owner().seal().unwrap();
        assert_eq!(numbers(&fixture.reader(), &Filter::default()).len(), 6);
    }

    #[test]
    fn a_writer_that_panics_leaves_nobody_waiting() {
        for durability in [Durability::Record, Durability::Interval] {
            let fixture = fixture(durability);
            let together = together(&fixture);
            // The clock is asked in the middle of a write.
            let (panics, clock) = (Arc::new(AtomicBool::new(true)), crate::system_clock());
            together.owner().clock = Arc::new(move || {
                assert!(!panics.swap(false, Ordering::Relaxed), "for the test");
                clock()
            });
            std::thread::scope(|scope| {
                let all: Vec<_> = (0..3)
                    .map(|_| scope.spawn(|| together.append(vec![record(1)]).is_ok()))
                    .collect();
                let ended: Vec<_> =
                    all.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
                assert_eq!(ended.iter().filter(|one| one.is_err()).count(), 1);
            });
            together.append(vec![record(2)]).unwrap();
        }
    }
}
