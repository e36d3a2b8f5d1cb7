//! Where a value stands in a file, and which layer it came from.

use std::{fmt, ops::Range, path::Path, sync::Arc};

/// A position in a policy, rule or model file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was found or named.
    pub file: Arc<Path>,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters (Unicode scalar values), from 1.
    pub column: usize,
}

impl fmt::Display for Place {
    /// `file:line:column`, which terminals and editors turn into a link.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// The layer that a value came from, lowest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// No layer said anything: the product's own value.
    Default,
    /// A line of the policy file, at the top level or in an environment's section.
    File(Place),
    /// An environment variable, by its name.
    Variable(&'static str),
    /// A flag of the command or an argument of a call, by its name.
    Argument(&'static str),
}

impl Origin {
    /// The position in the file, when it came from one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::File(place) => Some(place),
            Self::Default | Self::Variable(_) | Self::Argument(_) => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => place.fmt(f),
            Self::Variable(name) | Self::Argument(name) => f.write_str(name),
        }
    }
}

/// Turns byte offsets of one file into places.
#[derive(Debug)]
pub struct Positions<'t> {
    file: Arc<Path>,
    text: &'t str,
    line_starts: Vec<usize>,
}

impl<'t> Positions<'t> {
    /// The text of a file, under the name that messages give it.
    pub fn new(file: Arc<Path>, text: &'t str) -> Self {
        let after_newlines =
            text.bytes().enumerate().filter(|&(_, b)| b == b'\n').map(|(i, _)| i + 1);
        let line_starts = std::iter::once(0).chain(after_newlines).collect();
        Self { file, text, line_starts }
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The place of the start of a span. An offset past the end, or inside a character, is moved
    /// back to the nearest one before it.
    pub fn place(&self, span: &Range<usize>) -> Place {
        let mut offset = span.start.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|&start| start <= offset);
        let start = self.line_starts[line - 1];
        let column = self.text[start..offset].trim_start_matches('\u{feff}').chars().count() + 1;
        Place { file: Arc::clone(&self.file), line, column }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(text: &str, offset: usize) -> (usize, usize) {
        let positions = Positions::new(Path::new("f").into(), text);
        let place = positions.place(&(offset..offset));
        (place.line, place.column)
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        assert_eq!(place("a\nüb = 1", 4), (2, 2));
        assert_eq!(place("a\r\nb", 3), (2, 1));
        assert_eq!(place("\u{feff}a", 3), (1, 1));
        assert_eq!(place("", 7), (1, 1));
        assert_eq!(place("a\n", 2), (2, 1));
    }

    proptest! {
        #[test]
        fn any_offset_has_a_place(text in "(\\PC|\n){0,40}", offset in 0_usize..200) {
            let (line, column) = place(&text, offset);
            prop_assert!(line >= 1 && column >= 1);
        }
    }
}
