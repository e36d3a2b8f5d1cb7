//! What of a text was read out of turn.
//!
//! A block is visited kind by kind, so what is read at its end says nothing of what stands before
//! it: a stretch has a beginning, not only an end.

use std::ops::Range;

/// The last few stretches of a text that need not be looked at again.
#[derive(Debug, Default)]
pub(super) struct Stretches {
    ranges: [(usize, usize); 8],
    next: usize,
    /// The farthest end: behind it there is none.
    to: usize,
}

impl Stretches {
    pub(super) fn add(&mut self, range: &Range<usize>) {
        self.ranges[self.next % self.ranges.len()] = (range.start, range.end);
        self.next += 1;
        self.to = self.to.max(range.end);
    }

    #[inline]
    pub(super) fn has(&self, at: usize) -> bool {
        at < self.to && self.ranges.iter().any(|(start, end)| (*start..*end).contains(&at))
    }
}
