//! Short texts of structures: what is found is the name and the text, what is taken out the text.

use std::borrow::Cow;
use std::ops::Range;

use super::canon::{Canon, Canonical};
use super::store::{FINGERPRINT_BYTES, VALUE_BYTES};

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

    /// What it takes at most, in bytes: all of it.
    pub(super) fn cost(&self) -> usize {
        VALUE_BYTES + (self.name.map_or(0, str::len) + self.text.len()) * FINGERPRINT_BYTES
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

#[cfg(test)]
mod tests {
    use tacenda_policy::Kind;

    use super::*;
    use crate::protected::tests::{PROMPT, masked, store};
    use crate::protected::{Limits, ProtectedValues};

    #[test]
    fn of_a_member_the_text_is_taken_out_and_a_document_stays_one() {
        let store = store();
        let member = |name, text: &'static str| Member { name: Some(name), text: text.into() };
        store.protect_all(
            [
                member("level", "heron"),
                member("a name that is rather long", "Jane Roe"),
                member("names", "[Jane Roe, Bob]"),
                member("conversation_identifier", "4711-a"),
                member("pin", "4711"),
            ],
            Kind::Prompt,
            true,
        );
        for (text, expected) in [
            (r#"{"level": "heron", "n": 1}"#, r##"{"level": "#", "n": 1}"##),
            (r#"{"level":"heron"}"#, r##"{"level":"#"}"##),
            (r#""{\"level\": \"heron\"}""#, r##""{\"level\": \"#\"}""##),
            ("level: heron", "level: #"),
            ("a heron at this level", "a heron at this level"),
            (
                r#"{"a name that is rather long": "Jane Roe"}"#,
                r##"{"a name that is rather long": "#"}"##,
            ),
            ("a name that is rather long", "a name that is rather long"),
            (r#"{"names": ["Jane Roe", "Bob"]}"#, r##"{"names": ["#"]}"##),
            ("conversation_identifier missing", "conversation_identifier missing"),
            ("conversation_identifier: 4711-a", "conversation_identifier: #"),
            ("the conversation_identifier: 9", "the conversation_identifier: 9"),
            (r#"{"pin": "4711"}"#, r##"{"pin": "#"}"##),
        ] {
            assert_eq!(masked(&store, text), expected);
        }
    }

    #[test]
    fn of_what_has_no_room_the_ends_are_remembered_and_the_others_stay() {
        let limits = Limits { max_bytes: 1 << 20, ..Limits::default() };
        let store = ProtectedValues::new(limits, Box::new(|_| [0; 3]));
        store.protect(PROMPT, Kind::Prompt, None, false).expect("long enough");
        let word = |number: usize| format!("heron {number:x} ");
        let text: String = (0x10_0000..0x12_0000).map(word).collect();
        store.protect(&text, Kind::Prompt, None, true).expect("long enough");
        assert!(store.usage().bytes <= 1 << 20, "{:?}", store.usage());
        assert_eq!((store.usage().values, store.usage().evicted), (2, 0));
        assert!(!masked(&store, &text[..60]).contains("heron"));
        assert!(!masked(&store, &text[text.len() - 60..]).contains("heron"));
        assert_eq!(masked(&store, PROMPT), "#.");

        // Of a structure the short ones come first.
        let long: String = (0x20_0000..0x22_0000).map(word).collect();
        store.protect_all(
            [Member::unnamed(&*long), Member { name: Some("pin"), text: "4711".into() }],
            Kind::Prompt,
            true,
        );
        assert_eq!(masked(&store, "pin: 4711"), "pin: #");
        assert!(!masked(&store, &long[..60]).contains("heron"));
    }
}
