//! Which of the records ahead have to be looked at one by one.

use std::iter::Peekable;
use std::ops::Range;
use std::vec::IntoIter;

use crate::Redact;
use crate::filter::Signs;
use crate::line::LIMIT;

/// What is known of the records in a stretch of a text.
#[derive(Debug)]
pub(crate) struct Ahead {
    /// Those to look at, with their numbers in the stretch.
    suspects: Peekable<IntoIter<(usize, Range<usize>)>>,
    /// Where the stretch ends, and how many records it has.
    end: usize,
    records: usize,
    /// How many of them are behind.
    done: usize,
}

impl Ahead {
    /// Nothing is known.
    pub(crate) fn nothing() -> Self {
        Self { suspects: Vec::new().into_iter().peekable(), end: 0, records: 0, done: 0 }
    }

    /// What `redactor` says of the records from `at` on, as far as they are short. One look at many
    /// records costs less than one at each.
    pub(crate) fn of(redactor: &impl Redact, text: &[u8], at: usize, signs: Signs) -> Self {
        let (mut end, mut records) = (at, 0);
        let each = std::iter::from_fn(|| {
            let length = signs.record_end(&text[end..])?;
            if end + length > at + LIMIT {
                return None;
            }
            let start = end;
            end += length;
            records += 1;
            Some(start..end)
        });
        match redactor.suspects(text, each) {
            Some(suspects) => {
                Self { suspects: suspects.into_iter().peekable(), end, records, done: 0 }
            }
            None => Self { end: at, ..Self::nothing() },
        }
    }

    /// Whether something is known of what stands at `at`.
    pub(crate) fn knows(&self, at: usize) -> bool {
        at < self.end
    }

    /// One record was looked at.
    pub(crate) fn step(&mut self) {
        self.done += 1;
    }

    /// The next place from `at` on where a record has to be looked at, and how many are passed over.
    pub(crate) fn next(&mut self, at: usize) -> (usize, u64) {
        while self.suspects.next_if(|(_, record)| record.start < at).is_some() {}
        let (number, next) = match self.suspects.peek() {
            Some((number, record)) => (*number, record.start),
            None => (self.records, self.end),
        };
        let passed = number - self.done;
        self.done = number;
        (next, passed as u64)
    }
}
