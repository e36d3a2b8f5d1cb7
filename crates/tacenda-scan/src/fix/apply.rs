//! Puts the edits of fixes into a text.

use std::ops::Range;

use ruff_python_ast::PySourceType;
use ruff_python_parser::parse_unchecked_source;

use super::{Edit, Fix};
use crate::lower::is_too_deep;
use crate::scan::STACK;

/// A text with fixes in it.
#[derive(Debug)]
pub struct Fixed {
    /// The text.
    pub text: String,
    /// How many fixes are in it.
    pub applied: usize,
    edits: Vec<Edit>,
}

impl Fixed {
    /// The same edits in another text of the same length: the one that a report may show.
    pub fn in_text(&self, text: &str) -> Option<String> {
        put(text, &self.edits.iter().collect::<Vec<_>>())
    }
}

/// Applies fixes to the text they are about, the first ones first. One that overlaps with an earlier
/// one is left for the next round; so is whatever would leave a text that is no Python. Nothing if
/// no fix is left.
pub fn apply(text: &str, fixes: &[&Fix]) -> Option<Fixed> {
    // Checking goes as deep as the code does.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn_scoped(scope, || applied(text, fixes)).ok()?.join().ok()?
    })
}

fn applied(text: &str, fixes: &[&Fix]) -> Option<Fixed> {
    let mut ordered: Vec<&Fix> = fixes.to_vec();
    ordered.sort_by_key(|fix| fix.edits.first().map(|edit| edit.bytes.start));
    let mut chosen: Vec<&Fix> = Vec::new();
    let mut edits: Vec<&Edit> = Vec::new();
    for fix in ordered {
        if fits(fix, &edits, text) {
            add(&mut edits, fix);
            chosen.push(fix);
        }
    }
    let made = |edits: &[&Edit], applied: usize| {
        let edits: Vec<Edit> = edits.iter().map(|edit| (*edit).clone()).collect();
        (applied > 0).then_some(())?;
        Some(Fixed { text: put(text, &edits.iter().collect::<Vec<_>>())?, applied, edits })
    };
    if put(text, &edits).is_some_and(|text| is_python(&text)) {
        return made(&edits, chosen.len());
    }
    // One of them is to blame: only those that stand the test go in.
    let mut edits: Vec<&Edit> = Vec::new();
    let mut applied = 0;
    for fix in chosen {
        let before = edits.len();
        add(&mut edits, fix);
        if put(text, &edits).is_some_and(|text| is_python(&text)) {
            applied += 1;
        } else {
            edits.truncate(before);
        }
    }
    made(&edits, applied)
}

/// Adds the edits of a fix, of which some may be there already.
fn add<'a>(edits: &mut Vec<&'a Edit>, fix: &'a Fix) {
    for edit in &fix.edits {
        if !edits.contains(&edit) {
            edits.push(edit);
        }
    }
}

/// Whether a fix can be applied beside these edits. What both have in common, an import, counts once.
fn fits(fix: &Fix, edits: &[&Edit], text: &str) -> bool {
    fix.edits.iter().all(|edit| {
        let inside = edit.bytes.end <= text.len()
            && text.is_char_boundary(edit.bytes.start)
            && text.is_char_boundary(edit.bytes.end);
        inside && edits.iter().all(|other| *other == edit || apart(&edit.bytes, &other.bytes))
    })
}

fn apart(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.end < other.start || other.end < one.start
}

/// The text with the edits in it, which do not overlap.
pub(super) fn put(text: &str, edits: &[&Edit]) -> Option<String> {
    let mut edits = edits.to_vec();
    edits.sort_by_key(|edit| edit.bytes.start);
    let mut out = String::with_capacity(text.len() + 64);
    let mut at = 0;
    for edit in edits {
        out.push_str(text.get(at..edit.bytes.start)?);
        out.push_str(&edit.text);
        at = edit.bytes.end;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

fn is_python(text: &str) -> bool {
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    let valid = parsed.has_valid_syntax();
    if is_too_deep(parsed.suite()) {
        std::mem::forget(parsed);
    }
    valid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Region;
    use crate::fix::Applicability;

    fn fix(edits: &[(Range<usize>, &str)]) -> Fix {
        let region = Region { line: 1, column: 1, end_line: 1, end_column: 1 };
        let edit = |(bytes, text): &(Range<usize>, &str)| Edit {
            bytes: bytes.clone(),
            region,
            text: (*text).to_owned(),
        };
        Fix {
            message: String::new(),
            applicability: Applicability::Safe,
            edits: edits.iter().map(edit).collect(),
        }
    }

    #[test]
    fn what_overlaps_waits_and_what_is_shared_counts_once() {
        let import = (0..0, "import a\n");
        let one = fix(&[import.clone(), (4..5, "y")]);
        let two = fix(&[import, (11..12, "z")]);
        let three = fix(&[(3..6, "w")]);
        let fixed = apply("x = 1; q = 2\n", &[&three, &two, &one]).unwrap();
        assert_eq!((fixed.text.as_str(), fixed.applied), ("import a\nx = y; q = z\n", 2));
    }

    #[test]
    fn what_is_no_python_after_is_left_out() {
        let good = fix(&[(4..5, "2")]);
        let bad = fix(&[(11..12, ")")]);
        let fixed = apply("x = 1\ny =  3\n", &[&good, &bad]).unwrap();
        assert_eq!((fixed.text.as_str(), fixed.applied), ("x = 2\ny =  3\n", 1));
        assert!(apply("x = 1\ny =  3\n", &[&bad]).is_none());
        assert!(apply("x", &[&fix(&[(5..9, "")])]).is_none());
    }
}
