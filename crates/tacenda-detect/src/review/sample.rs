//! Clean log text: what a program writes all day and nobody minds.

/// Invented lines, under headings `## SHAPE`.
const CLEAN: &str = include_str!("clean.log");

/// The sample by shape.
pub(crate) fn shapes() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    CLEAN.split("## ").skip(1).map(|section| {
        let mut lines = section.lines();
        (lines.next().unwrap_or_default(), lines.collect())
    })
}

/// How many words of `line` begin with `keyword`, in any case: there a rule is tried or nearly so.
pub(crate) fn words_beginning(line: &str, keyword: &[u8]) -> usize {
    let bytes = line.as_bytes();
    let begins = |&at: &usize| at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
    let same = |&at: &usize| {
        bytes.get(at..at + keyword.len()).is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    };
    (0..bytes.len()).filter(begins).filter(same).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Confidence, Engine};

    #[test]
    fn there_are_lines_of_many_shapes() {
        let shapes: Vec<_> = shapes().collect();
        assert!(shapes.len() >= 10);
        assert!(shapes.iter().all(|(name, lines)| !name.is_empty() && lines.len() >= 8));
    }

    #[test]
    fn nothing_is_found_in_it_but_arrays() {
        let engine = Engine::builtin();
        for (shape, lines) in shapes() {
            for line in lines {
                let mut spans = Vec::new();
                engine.scan(line.as_bytes(), &mut spans);
                for span in spans {
                    let detector = engine.detector(span.detector);
                    let array = shape == "tensor dumps" && detector.confidence > Confidence::Low;
                    assert!(array, "{} finds something in: {line}", detector.id);
                }
            }
        }
    }

    #[test]
    fn words_are_counted_where_they_begin() {
        assert_eq!(words_beginning("key keys monkey key-1 (KEY)", b"key"), 4);
        assert_eq!(words_beginning("", b"key"), 0);
        assert_eq!(words_beginning("ke", b"key"), 0);
    }
}
