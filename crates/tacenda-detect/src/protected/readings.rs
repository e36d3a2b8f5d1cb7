//! How far a log has come in each completion that it has begun to repeat.
//!
//! A log may write a thousand of them by turns. Those that stand for one completion, and are sure,
//! lie in the order of what comes next in them: a piece is compared with those alone that it may go
//! on with. What stands for several, or is in doubt, is little, and is looked at one by one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::completions::{Completions, Cursor, keys_of};
use super::store::ValueId;

/// Sure readings kept per log: as many completions may be written in turns.
const MOST_SURE: usize = 2048;
/// Others kept per log.
const MOST_OTHERS: usize = 256;

#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    pub(super) cursor: Cursor,
    /// Whether it stands for several completions.
    pub(super) is_shared: bool,
    /// None when a piece could be explained in no other way; else how many have been explained
    /// without it.
    pub(super) doubt: Option<u8>,
}

impl Reading {
    pub(super) fn doubtful(completions: &Completions, cursor: Cursor) -> Self {
        Self { cursor, is_shared: completions.is_shared(cursor), doubt: Some(0) }
    }

    pub(super) fn advance(self, completions: &Completions, piece: &str) -> Option<Cursor> {
        let own = completions.advance(self.cursor, piece);
        if own.is_none() && self.is_shared {
            return completions.advance_any(self.cursor, piece);
        }
        own
    }
}

/// The readings of one log.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// Those that are sure and stand for one completion, by their age: of the oldest first.
    sure: BTreeMap<u64, Sure>,
    /// The same by what comes next.
    by_next: BTreeSet<(u64, u64)>,
    /// The same by their completion.
    by_completion: HashMap<ValueId, Vec<u64>>,
    /// The others, the last one first, with their ages.
    others: Vec<(u64, Reading)>,
    next_age: u64,
    /// The news of completions that are taken into account.
    told: u64,
}

#[derive(Debug)]
struct Sure {
    reading: Reading,
    next: u64,
    is_whole: bool,
}

impl Readings {
    pub(super) fn is_empty(&self) -> bool {
        self.sure.is_empty() && self.others.is_empty()
    }

    /// The last one.
    pub(super) fn first(&self) -> Option<Reading> {
        let sure = self.sure.last_key_value().map(|(age, sure)| (*age, sure.reading));
        let other = self.others.first().copied();
        sure.into_iter().chain(other).max_by_key(|(age, _)| *age).map(|(_, reading)| reading)
    }

    /// Adds one that comes before all others.
    pub(super) fn add(&mut self, completions: &Completions, reading: Reading) {
        let age = self.next_age;
        self.next_age += 1;
        self.put(completions, age, reading);
    }

    /// Adds one at the place that it had.
    pub(super) fn put(&mut self, completions: &Completions, age: u64, reading: Reading) {
        if reading.is_shared || reading.doubt.is_some() {
            let place = self.others.partition_point(|(other, _)| *other > age);
            self.others.insert(place, (age, reading));
            self.others.truncate(MOST_OTHERS);
            return;
        }
        let (next, is_whole) = completions.next(reading.cursor);
        self.by_next.insert((next, age));
        self.by_completion.entry(reading.cursor.id).or_default().push(age);
        self.sure.insert(age, Sure { reading, next, is_whole });
        if self.sure.len() > MOST_SURE
            && let Some((&oldest, _)) = self.sure.first_key_value()
        {
            self.take(oldest);
        }
    }

    fn take(&mut self, age: u64) -> Option<Reading> {
        let Sure { reading, next, .. } = self.sure.remove(&age)?;
        self.by_next.remove(&(next, age));
        if let Some(ages) = self.by_completion.get_mut(&reading.cursor.id) {
            ages.retain(|other| *other != age);
            if ages.is_empty() {
                self.by_completion.remove(&reading.cursor.id);
            }
        }
        Some(reading)
    }

    /// Takes into account what grew and what ended since it was asked last.
    pub(super) fn catch_up(&mut self, completions: &Completions) {
        let told = std::mem::replace(&mut self.told, completions.told());
        if self.sure.is_empty() {
            return;
        }
        let ages: Vec<u64> = match completions.news_since(told) {
            Some(news) => {
                news.filter_map(|id| self.by_completion.get(&id)).flatten().copied().collect()
            }
            None => self.sure.keys().copied().collect(),
        };
        for age in ages {
            let Some(Sure { reading, next, is_whole }) = self.sure.get_mut(&age) else { continue };
            if completions.is_over(reading.cursor) {
                self.take(age);
            } else if !*is_whole {
                let before = std::mem::replace(next, 0);
                (*next, *is_whole) = completions.next(reading.cursor);
                let now = *next;
                self.by_next.remove(&(before, age));
                self.by_next.insert((now, age));
            }
        }
    }

    /// Takes out those that are sure and go on with a piece, the last one first, with their ages as
    /// they were and where they are then.
    pub(super) fn take_sure(
        &mut self,
        completions: &Completions,
        piece: &str,
    ) -> Vec<(u64, Reading, Cursor)> {
        let keys = keys_of(piece);
        let places = (*keys.start(), 0)..=(*keys.end(), u64::MAX);
        let further = |age: u64| self.sure.get(&age)?.reading.advance(completions, piece);
        let found = self.by_next.range(places).filter_map(|(_, age)| Some((*age, further(*age)?)));
        let found: Vec<_> = found.collect();
        let mut taken: Vec<_> = found
            .into_iter()
            .filter_map(|(age, cursor)| Some((age, self.take(age)?, cursor)))
            .collect();
        taken.extend(self.take_others(completions, piece, |reading| reading.doubt.is_none()));
        taken.sort_unstable_by_key(|(age, ..)| std::cmp::Reverse(*age));
        taken
    }

    /// The same for those in doubt.
    pub(super) fn take_doubtful(
        &mut self,
        completions: &Completions,
        piece: &str,
    ) -> Vec<(u64, Reading, Cursor)> {
        self.take_others(completions, piece, |reading| reading.doubt.is_some())
    }

    fn take_others(
        &mut self,
        completions: &Completions,
        piece: &str,
        wanted: impl Fn(&Reading) -> bool,
    ) -> Vec<(u64, Reading, Cursor)> {
        let mut taken = Vec::new();
        self.others.retain(|(age, reading)| {
            if !wanted(reading) {
                return true;
            }
            let further = reading.advance(completions, piece);
            taken.extend(further.map(|cursor| (*age, *reading, cursor)));
            further.is_none() && (reading.is_shared || !completions.is_over(reading.cursor))
        });
        taken
    }

    /// Removes what stands where one of these does.
    pub(super) fn remove_same(&mut self, completions: &Completions, cursors: &[Cursor]) {
        let is_same = |reading: &Reading| {
            cursors.iter().any(|cursor| completions.is_same(*cursor, reading.cursor))
        };
        self.others.retain(|(_, reading)| !is_same(reading));
        for cursor in cursors {
            let ages = self.by_completion.get(&cursor.id).cloned().unwrap_or_default();
            for age in ages {
                if self.sure.get(&age).is_some_and(|sure| is_same(&sure.reading)) {
                    self.take(age);
                }
            }
        }
    }

    /// One more piece has been explained without those in doubt: after `most` they are given up.
    pub(super) fn doubt(&mut self, most: u8) {
        self.others.retain_mut(|(_, reading)| {
            reading.doubt = reading.doubt.map(|doubt| doubt + 1);
            reading.doubt.is_none_or(|doubt| doubt <= most)
        });
    }

    /// Moves what stands at one of these completions to another that is the same up to there, or
    /// gives it up.
    pub(super) fn move_from(&mut self, completions: &Completions, ids: &[ValueId]) {
        self.others.retain_mut(|(_, reading)| completions.move_from(ids, &mut reading.cursor));
        for id in ids {
            for age in self.by_completion.get(id).cloned().unwrap_or_default() {
                let Some(mut reading) = self.take(age) else { continue };
                if completions.move_from(ids, &mut reading.cursor) {
                    self.put(completions, age, reading);
                }
            }
        }
    }
}
