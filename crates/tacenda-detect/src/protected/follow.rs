//! Following a completion through a log that writes it token by token.
//!
//! One token is too short to be found by itself. But records that repeat a completion piece by
//! piece, in order, are recognised by keeping a cursor in it.

use std::collections::HashMap;
use std::sync::Arc;

use super::completions::{Completions, Cursor};
use super::store::{ProtectedValues, State, Value, ValueId};

/// How one piece of a log continues a completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// It does not: it is a record of its own.
    No,
    /// It is the first piece of a run.
    Started,
    /// It is a further piece of the run.
    Continued,
    /// It does not go on with the run: [`end`](ProtectedValues::end_run) that, then ask again.
    Ended,
}

/// One follower per log: a thread's records, or a stream's writes.
#[derive(Debug, Default)]
pub(super) struct Followers {
    logs: HashMap<u64, Follower>,
}

#[derive(Debug, Default)]
struct Follower {
    /// Whether a run is going on.
    running: bool,
    /// How far this log has come in each completion that it has begun to repeat, the last one
    /// first: several may be written in turns, and a run goes on after other records.
    readings: Vec<Reading>,
    /// The completion that the last piece was of.
    last: Option<ValueId>,
}

#[derive(Clone, Copy, Debug)]
struct Reading {
    cursor: Cursor,
    /// None when a piece could be explained in no other way; else how many have been explained
    /// without it.
    doubt: Option<u8>,
}

/// Readings kept per log: as many completions may be written in turns.
const MOST_READINGS: usize = 256;
/// A reading in doubt is given up after so many pieces.
const MOST_DOUBT: u8 = 16;

impl Followers {
    /// Forgets completions of these: what stands at one of them stands at another that is the same
    /// up to there, or is given up. Logs that follow nothing are forgotten, too.
    pub(super) fn forget(&mut self, completions: &mut Completions, ids: &[ValueId]) {
        if !completions.hide(ids) {
            return;
        }
        self.logs.retain(|_, follower| {
            let readings = &mut follower.readings;
            readings.retain_mut(|reading| completions.move_from(ids, &mut reading.cursor));
            follower.running || !readings.is_empty()
        });
        completions.forget(ids);
    }
}

impl Reading {
    fn sure(cursor: Cursor) -> Self {
        Self { cursor, doubt: None }
    }

    fn doubtful(cursor: Cursor) -> Self {
        Self { cursor, doubt: Some(0) }
    }
}

impl Follower {
    /// How `piece` goes on with what this log has written.
    fn follow(&mut self, completions: &Completions, piece: &str) -> Followed {
        let piece: String = piece.chars().filter(|char| !char.is_whitespace()).collect();
        if self.running && piece.is_empty() {
            // Line ends and spaces between the tokens are the log's own.
            return Followed::Continued;
        }
        if !self.running && !piece.chars().any(char::is_alphanumeric) {
            return Followed::No;
        }
        let (sure, doubtful): (Vec<_>, Vec<_>) =
            self.readings.drain(..).partition(|reading| reading.doubt.is_none());
        let mut found = Explanations::default();
        for reading in sure {
            found.try_one(completions, reading, &piece);
        }
        let is_explained = !found.advanced.is_empty();
        for reading in doubtful {
            if is_explained {
                found.others.push(reading);
            } else {
                found.try_one(completions, reading, &piece);
            }
        }
        // A completion that this log has not repeated yet begins at its beginning.
        found.begun = completions.begin(&piece);
        let Some(last) = found.advanced.first().copied().or(found.begun) else {
            self.readings = found.others;
            return if self.running { Followed::Ended } else { Followed::No };
        };
        self.last = Some(last.id);
        for reading in found.readings(completions) {
            let is_known = |known: &Reading| completions.is_same(known.cursor, reading.cursor);
            if self.readings.len() < MOST_READINGS && !self.readings.iter().any(is_known) {
                self.readings.push(reading);
            }
        }
        let outcome = if self.running { Followed::Continued } else { Followed::Started };
        self.running = true;
        outcome
    }
}

/// What a piece may be.
#[derive(Default)]
struct Explanations {
    /// Readings that it goes on with, as they were and as they are then.
    before: Vec<Reading>,
    advanced: Vec<Cursor>,
    /// The beginning of a completion.
    begun: Option<Cursor>,
    /// The readings that it does not go on with.
    others: Vec<Reading>,
}

impl Explanations {
    fn try_one(&mut self, completions: &Completions, reading: Reading, piece: &str) {
        if let Some(further) = completions.advance(reading.cursor, piece) {
            self.before.push(reading);
            self.advanced.push(further);
        } else if !completions.is_over(reading.cursor) {
            self.others.push(reading);
        }
    }

    /// The readings that are left, the likely ones first.
    fn readings(self, completions: &Completions) -> Vec<Reading> {
        let Self { before, advanced, begun, others } = self;
        let mut readings = Vec::with_capacity(2 * advanced.len() + others.len() + 1);
        match (&advanced[..], begun) {
            ([cursor], _) => readings.push(Reading::sure(*cursor)),
            ([], Some(cursor)) => readings.push(Reading::sure(cursor)),
            _ => readings.extend(advanced.iter().copied().map(Reading::doubtful)),
        }
        readings.extend(begun.map(Reading::doubtful));
        let (sure, doubtful): (Vec<_>, Vec<_>) =
            others.into_iter().partition(|reading| reading.doubt.is_none());
        readings.extend(sure);
        // It may be a piece of any of them: in the others the log has come no further.
        let is_ambiguous = advanced.len() + usize::from(begun.is_some()) > 1;
        for reading in before {
            if advanced.len() > 1 {
                readings.push(reading);
            } else if is_ambiguous || completions.is_shared(reading.cursor) {
                readings.push(Reading::doubtful(reading.cursor));
            }
        }
        readings.extend(doubtful.into_iter().filter_map(|reading| {
            let doubt = reading.doubt.map(|doubt| doubt + 1);
            doubt.is_none_or(|doubt| doubt <= MOST_DOUBT).then_some(Reading { doubt, ..reading })
        }));
        readings
    }
}

impl ProtectedValues {
    /// Whether `piece`, written to the log `log`, is the next piece of a completion. A piece
    /// without letters or digits continues a run and starts none.
    pub fn follow(&self, log: u64, piece: &str) -> Followed {
        if self.is_empty() {
            return Followed::No;
        }
        let mut guard = self.lock();
        let State { completions, followers, .. } = &mut *guard;
        if completions.is_empty() && followers.logs.is_empty() {
            return Followed::No;
        }
        let follower = followers.logs.entry(log).or_default();
        let outcome = follower.follow(completions, piece);
        if follower.readings.is_empty() && !follower.running {
            followers.logs.remove(&log);
        }
        outcome
    }

    /// Ends the run of `log` and names the completion that it repeated. A later piece of that
    /// completion begins another run.
    pub fn end_run(&self, log: u64) -> Option<Arc<Value>> {
        let mut state = self.lock();
        let follower = state.followers.logs.get_mut(&log)?;
        if !std::mem::take(&mut follower.running) {
            return None;
        }
        let last = follower.last?;
        self.value(&state, last)
    }
}
