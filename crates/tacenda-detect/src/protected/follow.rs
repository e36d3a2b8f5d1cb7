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
    /// Whether it stands for several completions.
    is_shared: bool,
    /// None when a piece could be explained in no other way; else how many have been explained
    /// without it.
    doubt: Option<u8>,
}

/// Readings kept per log: as many completions may be written in turns.
const MOST_READINGS: usize = 256;
/// A reading in doubt is given up after so many pieces.
const MOST_DOUBT: u8 = 16;

impl Followers {
    pub(super) fn len(&self) -> usize {
        self.logs.len()
    }

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
    fn doubtful(completions: &Completions, cursor: Cursor) -> Self {
        Self { cursor, is_shared: completions.is_shared(cursor), doubt: Some(0) }
    }

    fn advance(self, completions: &Completions, piece: &str) -> Option<Cursor> {
        let own = completions.advance(self.cursor, piece);
        if own.is_none() && self.is_shared {
            return completions.advance_any(self.cursor, piece);
        }
        own
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
        // Signs may be the log's own: they begin no run, though a completion may begin with them.
        let is_silent = !self.running && !piece.chars().any(char::is_alphanumeric);
        if piece.is_empty() {
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
        self.readings = found.readings(completions, is_silent);
        self.readings.truncate(MOST_READINGS);
        if is_silent {
            return Followed::No;
        }
        self.last = Some(last.id);
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
        if let Some(further) = reading.advance(completions, piece) {
            self.before.push(reading);
            self.advanced.push(further);
        } else if reading.is_shared || !completions.is_over(reading.cursor) {
            self.others.push(reading);
        }
    }

    /// The readings that are left, each once, the likely ones first. With `is_silent` nothing is
    /// sure, for it may be a piece of none.
    fn readings(self, completions: &Completions, is_silent: bool) -> Vec<Reading> {
        let Self { before, advanced, begun, others } = self;
        // Nothing else goes on: then it is what goes on, or what begins, for sure.
        let is_sure = advanced.len() < 2 && !is_silent;
        let mut new: Vec<Cursor> = Vec::with_capacity(advanced.len() + 1);
        let is_among = |new: &[Cursor], cursor: Cursor| {
            new.iter().any(|other| completions.is_same(*other, cursor))
        };
        for cursor in advanced.into_iter().chain(begun) {
            if !is_among(&new, cursor) {
                new.push(cursor);
            }
        }
        let doubtful = |cursor: &Cursor| Reading::doubtful(completions, *cursor);
        let mut readings: Vec<_> = new.iter().map(doubtful).collect();
        if let Some(first) = readings.first_mut().filter(|_| is_sure) {
            first.doubt = None;
        }
        let others = others.into_iter().filter(|reading| !is_among(&new, reading.cursor));
        let (sure, doubtful): (Vec<_>, Vec<_>) =
            others.partition(|reading| reading.doubt.is_none());
        readings.extend(sure);
        // It may be a piece of any of them: in the others the log has come no further.
        for reading in before.into_iter().filter(|reading| !is_among(&new, reading.cursor)) {
            if !is_sure {
                readings.push(reading);
            } else if new.len() > 1 || reading.is_shared {
                readings.push(Reading { doubt: Some(0), ..reading });
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
        if self.follows_nothing() {
            return Followed::No;
        }
        let mut guard = self.lock();
        let State { completions, followers, .. } = &mut *guard;
        // Most of what is written goes on with nothing and begins nothing.
        if !followers.logs.contains_key(&log) && !completions.may_begin(piece) {
            return Followed::No;
        }
        let follower = followers.logs.entry(log).or_default();
        let outcome = follower.follow(completions, piece);
        if follower.readings.is_empty() && !follower.running {
            followers.logs.remove(&log);
        }
        outcome
    }

    /// Nothing more comes in the log `log`, or what comes goes on with nothing.
    pub fn end_log(&self, log: u64) {
        self.lock().followers.logs.remove(&log);
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
