//! Lines and columns of a text.

use crate::finding::Region;
use crate::ir::Span;

/// Where the lines of a text end, as Python has it: also at a carriage return without a line feed.
fn ends(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    memchr::memchr2_iter(b'\n', b'\r', bytes)
        .filter(|&at| bytes[at] == b'\n' || bytes.get(at + 1) != Some(&b'\n'))
}

/// The lines of a text that are ended.
pub(crate) fn count(text: &str) -> usize {
    ends(text).count()
}

/// Where the lines of a text begin.
pub(crate) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(crate) fn new(text: &str) -> Self {
        Self { starts: std::iter::once(0).chain(ends(text).map(|end| end + 1)).collect() }
    }

    /// The line that a byte is on, from 1.
    pub(crate) fn number(&self, at: usize) -> u32 {
        let line = self.starts.partition_point(|start| *start <= at);
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    /// The text of a line, without its end.
    pub(crate) fn line<'t>(&self, text: &'t str, number: u32) -> Option<&'t str> {
        let at = usize::try_from(number).ok()?.checked_sub(1)?;
        let start = *self.starts.get(at)?;
        let end = self.starts.get(at + 1).copied().unwrap_or(text.len());
        text.get(start..end).map(|line| line.trim_end_matches(['\n', '\r']))
    }

    fn place(&self, text: &str, at: usize) -> (u32, u32) {
        let line = self.number(at);
        let start = self.starts[line as usize - 1];
        let column = text.get(start..at.min(text.len())).map_or(0, |front| front.chars().count());
        (line, u32::try_from(column + 1).unwrap_or(u32::MAX))
    }

    pub(crate) fn region(&self, text: &str, span: Span) -> Region {
        let (line, column) = self.place(text, span.start as usize);
        let (end_line, end_column) = self.place(text, span.end as usize);
        Region { line, column, end_line, end_column }
    }
}
