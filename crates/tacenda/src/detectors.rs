//! Detectors that an argument names.

use tacenda_detect::Engine;
use tacenda_policy::{is_word, nearest};

use crate::failure::Failure;

/// Whether there is a detector of each of these names.
pub(crate) fn known_detectors(names: &[String], engine: &Engine) -> Result<(), Failure> {
    match names.iter().find(|name| engine.detector_named(name).is_none()) {
        Some(name) => Err(unknown_detector(name, engine.detectors().map(|detector| detector.id))),
        None => Ok(()),
    }
}

/// That none of these detectors has this name.
pub(crate) fn unknown_detector<'n>(name: &str, ids: impl IntoIterator<Item = &'n str>) -> Failure {
    // What was meant as a value is not repeated.
    let named = if is_word(name) { format!("`{name}`") } else { "of this name".to_owned() };
    Failure::new(format!("there is no detector {named}")).hint(match nearest(name, ids) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`tacenda rules` lists them".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_in_place_of_a_name_is_not_repeated() {
        let said = |name| match unknown_detector(name, ["email", "ipv4"]) {
            Failure::Other { message, hint, .. } => (message, hint.unwrap()),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            said("emial"),
            ("there is no detector `emial`".to_owned(), "did you mean `email`?".to_owned())
        );
        assert_eq!(
            said("jane.roe@example.org"),
            (
                "there is no detector of this name".to_owned(),
                "`tacenda rules` lists them".to_owned()
            )
        );
    }
}
