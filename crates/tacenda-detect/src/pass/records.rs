//! Records: texts that lie one behind the other, which the pass goes through in one go.

use std::iter::Enumerate;
use std::ops::Range;

use super::Pass;
use crate::Engine;
use crate::view::Notes;

/// What the pass goes through.
pub(super) trait Records {
    /// The record behind the one that `pass` has gone through; none behind the last.
    fn next(&mut self, pass: &mut Pass<'_, '_, '_>) -> Option<Range<usize>>;

    /// Whether nothing more need be known of the record.
    fn is_told(&self, pass: &Pass<'_, '_, '_>) -> bool;
}

/// The whole text is one record, of which everything is to be known.
pub(super) struct Whole(Option<usize>);

impl Whole {
    pub(super) fn of(text: &[u8]) -> Self {
        Self(Some(text.len()))
    }
}

impl Records for Whole {
    fn next(&mut self, _: &mut Pass<'_, '_, '_>) -> Option<Range<usize>> {
        self.0.take().map(|end| 0..end)
    }

    #[inline]
    fn is_told(&self, _: &Pass<'_, '_, '_>) -> bool {
        false
    }
}

/// Calls `suspect` with the number and the place of each of the `records` of `text` in which something
/// may be found; in the others nothing would be. Records come in their order, and between two of them
/// stands the end of a line.
pub(crate) fn sift(
    engine: &Engine,
    text: &[u8],
    records: impl Iterator<Item = Range<usize>>,
    suspect: impl FnMut(usize, Range<usize>),
) {
    let mut spans = Vec::new();
    let mut sieve = Sieve { records: records.enumerate(), last: (0, 0..0), suspect };
    Pass::new(engine, &mut spans).over(text, &mut sieve);
}

/// Records of which it is to be known only whether they hold something.
struct Sieve<R, S> {
    records: Enumerate<R>,
    last: (usize, Range<usize>),
    suspect: S,
}

impl<R: Iterator<Item = Range<usize>>, S: FnMut(usize, Range<usize>)> Records for Sieve<R, S> {
    #[inline]
    fn next(&mut self, pass: &mut Pass<'_, '_, '_>) -> Option<Range<usize>> {
        if !pass.is_fresh {
            if self.is_told(pass) {
                let (number, record) = self.last.clone();
                (self.suspect)(number, record);
                pass.spans.clear();
            }
            pass.notes = Notes::default();
            pass.read.clear();
            pass.is_fresh = true;
        }
        self.last = self.records.find(|(_, record)| !record.is_empty())?;
        Some(self.last.1.clone())
    }

    #[inline]
    fn is_told(&self, pass: &Pass<'_, '_, '_>) -> bool {
        !pass.spans.is_empty() || !pass.notes.is_empty()
    }
}
