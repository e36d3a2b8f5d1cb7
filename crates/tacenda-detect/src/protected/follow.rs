//! Following a completion through a log that writes it token by token.
//!
//! One token is too short to be found by itself. But records that repeat a completion piece by
//! piece, in order, are recognised by keeping a cursor in it.

use std::collections::HashMap;
use std::sync::Arc;

use super::store::{ProtectedValues, Value, ValueId};

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
    /// How far this log has come in each completion: several may be written in turns, and a run
    /// goes on after other records. Where a piece fits several, both readings are kept.
    cursors: Vec<(ValueId, usize)>,
    /// The completion that the last piece was of.
    last: Option<ValueId>,
}

/// Readings kept per log. More are ambiguous beyond use.
const MAX_CURSORS: usize = 64;

impl Followers {
    pub(super) fn forget(&mut self, id: ValueId) {
        for follower in self.logs.values_mut() {
            follower.cursors.retain(|(value, _)| *value != id);
        }
    }
}

/// Where `piece` ends in `text` when it goes on at `cursor`; spaces around it may be left out.
fn advance(text: &str, cursor: usize, piece: &str) -> Option<usize> {
    let rest = text.get(cursor..)?;
    if rest.starts_with(piece) {
        return Some(cursor + piece.len());
    }
    let (piece, trimmed) = (piece.trim(), rest.trim_start());
    let skipped = rest.len() - trimmed.len();
    (!piece.is_empty() && trimmed.starts_with(piece)).then(|| cursor + skipped + piece.len())
}

impl ProtectedValues {
    /// Whether `piece`, written to the log `log`, is the next piece of a completion. A piece
    /// without letters or digits continues a run and starts none.
    pub fn follow(&self, log: u64, piece: &str) -> Followed {
        if self.is_empty() {
            return Followed::No;
        }
        let mut guard = self.lock();
        let state = &mut *guard;
        if state.followers.logs.is_empty() && state.growing().next().is_none() {
            return Followed::No;
        }
        let mut follower = state.followers.logs.remove(&log).unwrap_or_default();
        let is_blank = piece.chars().all(char::is_whitespace);
        if !follower.running && !piece.chars().any(char::is_alphanumeric) {
            if !follower.cursors.is_empty() {
                state.followers.logs.insert(log, follower);
            }
            return Followed::No;
        }

        // A completion that this log has not repeated yet begins at its beginning.
        let mut cursors = follower.cursors.clone();
        for (id, _) in state.growing() {
            if !cursors.iter().any(|(known, _)| *known == id) {
                cursors.push((id, 0));
            }
        }
        let fits = |(id, cursor): &(ValueId, usize)| {
            let text = state.growing_text(*id)?;
            Some((*id, advance(text, *cursor, piece)?))
        };
        let advanced: Vec<_> = cursors.iter().filter_map(fits).collect();
        if advanced.is_empty() {
            // Line ends and spaces between the tokens are the log's own.
            let outcome = match (follower.running, is_blank) {
                (true, true) => Followed::Continued,
                (true, false) => Followed::Ended,
                (false, _) => Followed::No,
            };
            if !follower.cursors.is_empty() {
                state.followers.logs.insert(log, follower);
            }
            return outcome;
        }
        let is_ambiguous = advanced.len() > 1;
        cursors.retain(|cursor| {
            state.growing_text(cursor.0).is_some() && (is_ambiguous || fits(cursor).is_none())
        });
        follower.last = advanced.first().map(|(id, _)| *id);
        follower.cursors = advanced;
        follower.cursors.append(&mut cursors);
        follower.cursors.dedup();
        follower.cursors.truncate(MAX_CURSORS);
        let outcome = if follower.running { Followed::Continued } else { Followed::Started };
        follower.running = true;
        state.followers.logs.insert(log, follower);
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
