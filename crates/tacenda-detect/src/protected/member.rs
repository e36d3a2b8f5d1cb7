//! Short texts of structures: what is found is the name and the text, what is taken out the text.

use std::borrow::Cow;
use std::ops::Range;

use super::canon::{Canon, Canonical};

/// A text of a structure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member<'t> {
    /// What it is called there, for a text that is too short to be found without it.
    pub name: Option<&'t str>,
    /// The text; of a list, all of them.
    pub text: Cow<'t, str>,
}

impl<'t> Member<'t> {
    /// A text that is found wherever it stands.
    pub fn unnamed(text: impl Into<Cow<'t, str>>) -> Self {
        Self { name: None, text: text.into() }
    }

    /// What is looked for.
    pub(super) fn sought(&self) -> Cow<'_, str> {
        match self.name {
            Some(name) => format!("{name}: {}", self.text).into(),
            None => Cow::Borrowed(&self.text),
        }
    }

    /// How many canonical characters its name has; 0 without.
    pub(super) fn name_chars(&self) -> u16 {
        let count = |name: &str| Canon::new(name.as_bytes()).count();
        self.name.map_or(0, |name| u16::try_from(count(name)).unwrap_or(u16::MAX))
    }
}

/// The text in a span of a member, without its name and the quotes and brackets around it: a
/// document stays one. None where a span has nothing but the name; all of it where it has nothing of
/// the name, for a text that `stands_alone`: others are too short to be found so.
pub(super) fn text_of(
    text: &[u8],
    span: Range<usize>,
    name_chars: usize,
    stands_alone: bool,
) -> Option<Range<usize>> {
    let at = |canonical: &Canonical| span.start + canonical.start;
    let mut canon = Canon::new(&text[span.clone()]);
    if !canon.by_ref().take(name_chars + 1).any(|canonical| canonical.char == ':') {
        return stands_alone.then_some(span);
    }
    let mut first = canon.next()?;
    if first.char != '[' {
        return Some(at(&first)..span.end);
    }
    first = canon.next()?;
    let last = canon.filter(|canonical| canonical.char != ']').last();
    let end = last.map_or(first.end, |last| last.end);
    Some(at(&first)..span.start + end)
}
