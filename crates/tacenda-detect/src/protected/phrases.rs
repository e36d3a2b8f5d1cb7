//! Phrases that everybody writes, by which no value is known.

use super::canon::Canon;
use super::roll::{HashKey, Roller};
use super::store::GRAM;

const LIST: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules/phrases.txt"));

/// So many characters of a match in no phrase make all of it one; fewer are found without the
/// phrases around them, for a log may go on with a phrase as a value does by chance.
pub(super) const OWN: usize = 4;

/// The fingerprints that lie wholly inside a phrase, sorted.
pub(super) struct Phrases(Box<[u64]>);

impl Phrases {
    /// Those of the list, and these.
    pub(super) fn listed(key: &HashKey, more: &[String]) -> Self {
        let list = LIST.lines().filter(|line| !line.starts_with("# "));
        Self::new(key, list.chain(more.iter().map(String::as_str)))
    }

    pub(super) fn new<'p>(key: &HashKey, phrases: impl Iterator<Item = &'p str>) -> Self {
        let mut hashes = Vec::new();
        for phrase in phrases {
            let mut roller = Roller::default();
            for canonical in Canon::new(phrase.as_bytes()) {
                roller.push(key, canonical.char);
                hashes.extend(roller.window(key, GRAM));
            }
        }
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes.into())
    }

    pub(super) fn hold(&self, hash: u64) -> bool {
        self.0.binary_search(&hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tacenda_policy::Kind;

    use super::*;
    use crate::protected::tests::{masked, protecting, store};
    use crate::protected::{Limits, ProtectedValues, Trail};

    const STOCK: &str = "You are a helpful assistant.";

    #[test]
    fn a_phrase_that_everybody_writes_is_no_match() {
        for value in
            [STOCK, "You are a helpful assistant. Call Bob.", "Bob says: Connection refused by"]
        {
            let store = protecting(value);
            for text in [
                "loading the template 'You are a helpful assistant.' from a file",
                "\"content\": \"YOU ARE A HELPFUL\\nASSISTANT.\"",
                "you are a helpful assis",
                "You are a h...assistant.",
                "dial tcp: Connection refused (111)",
            ] {
                assert_eq!(masked(&store, text), text, "{value}");
            }
        }
        // Side by side they are still two phrases.
        let both = "Hello! How can I help you today? You are a helpful assistant.";
        assert_eq!(masked(&protecting(both), both), both);
    }

    #[test]
    fn a_phrase_with_words_of_its_own_is_a_match() {
        let store =
            protecting("Note from Jane: You are a helpful assistant. Kiss Bob at home, please.");
        for (text, expected) in [
            ("<You are a helpful assistant. Kiss Bob>", "<#>"),
            ("<from Jane: You are a helpful assistant.>", "<#.>"),
            ("<You are a helpful assistant. Ki>", "<You are a helpful assistant. #>"),
            ("<e: you are a helpful assis>", "<#: you are a helpful assis>"),
            ("<\"You are a helpful assistant. Kiss\">", "<\"#\">"),
            ("<assistant. Kiss Bob at>", "<#>"),
            ("<You are a ...se.>", "<You are a ...se.>"),
            ("<You are a h...ome, please.>", "<#.>"),
        ] {
            assert_eq!(masked(&store, text), expected, "{text}");
        }
        let mut trail = Trail::default();
        let mut ends = Vec::new();
        for line in ["> You are a helpful", "assistant. Ki", "ss Bob at home", "You are a helpful"]
        {
            let mut spans = Vec::new();
            store.scan(line.as_bytes(), &mut trail, &mut spans);
            ends.push(spans.first().map(|span| (span.start, span.end)));
        }
        assert_eq!(ends, [None, Some((11, 13)), Some((0, 14)), None]);
    }

    #[test]
    fn the_policy_adds_phrases() {
        let phrases = vec!["Welcome to the Violet Heron Inn".to_owned()];
        let limits = Limits { phrases, ..Limits::default() };
        let store = ProtectedValues::new(limits, Box::new(|_| [1, 2, 3]));
        store.protect("welcome to the violet heron inn, Jane Roe", Kind::Prompt, None, true);
        let text = "banner: Welcome to the Violet Heron Inn";
        assert_eq!(masked(&store, text), text);
        assert_eq!(masked(&store, "the violet heron inn, Jane"), "#");
    }

    proptest! {
        /// What is no phrase is found as if there were none.
        #[test]
        fn phrases_change_nothing_for_other_values(
            value in "[a-z0-9é]{1,6}([ ,:\n][a-z0-9é]{1,9}){3,12}",
            pieces in prop::collection::vec((0..80_usize, 8..40_usize, "[a-z .%]{0,12}"), 0..6),
        ) {
            let (store, plain) = (store(), store());
            plain.adopt(&store.shared_key());
            prop_assert!(plain.phrases.set(Phrases::new(plain.key(), std::iter::empty())).is_ok());
            for store in [&store, &plain] {
                store.protect(&value, Kind::Prompt, None, true);
            }
            let chars: Vec<char> = value.chars().collect();
            let piece = |from: usize, len: usize| -> String {
                chars.iter().skip(from % chars.len()).take(len).collect()
            };
            let mut text = String::new();
            for (from, len, between) in pieces {
                text += &[&between, piece(from, len).as_str(), STOCK].concat();
            }
            let mut spans = [Vec::new(), Vec::new()];
            let mut trails = [Trail::default(), Trail::default()];
            for line in text.split_inclusive('.') {
                for ((store, trail), spans) in [&store, &plain].into_iter().zip(&mut trails).zip(&mut spans) {
                    store.scan(line.as_bytes(), trail, spans);
                }
            }
            prop_assert_eq!(&spans[0], &spans[1]);
        }
    }
}
