//! Any text is a rule file or a list of faults, each with its place.

use std::path::Path;

use tacenda_detect::{UserRules, unmark};

/// The property.
pub fn run(text: &[u8]) {
    let Ok(text) = str::from_utf8(text) else { return };
    match UserRules::read([(Path::new("own.toml"), text)]) {
        Ok(rules) => {
            for rule in rules.files().iter().flat_map(|file| &file.rules().detectors) {
                assert!((1..=65536).contains(&rule.max_len()));
                assert!(rule.examples.iter().all(|example| unmark(example.as_ref()).is_some()));
            }
        }
        Err(faults) => {
            let lines = text.lines().count() + 1;
            assert!(!faults.is_empty());
            assert!(faults.iter().all(|fault| (1..=lines).contains(&fault.place.line)));
        }
    }
}
