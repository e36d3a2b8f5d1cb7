//! Whatever lies in a journal's directory is read or refused: write-ahead files, entries, bundles,
//! signed notes, key material.

use tacenda_journal::untrusted::{Note, bundle, entry, key_material, survey};

/// The property.
pub fn run(bytes: &[u8]) {
    if let Some(survey) = survey(bytes) {
        assert!(survey.whole <= bytes.len(), "no more is whole than there is");
        // What is cut after the whole frames gives the same.
        let again = tacenda_journal::untrusted::survey(&bytes[..survey.whole]);
        let again = again.expect("it has a header");
        assert_eq!(
            (again.records, again.root, again.whole),
            (survey.records, survey.root, survey.whole)
        );
        assert!(!again.changed);
    }
    if let Some(entries) = bundle(bytes) {
        let length: usize = entries.iter().map(|entry| entry.len() + 2).sum();
        assert_eq!(length, bytes.len());
    }
    let _ = entry(bytes);
    let _ = Note::parse(bytes);
    let _ = key_material(bytes);
}
