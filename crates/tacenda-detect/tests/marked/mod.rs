//! Records in which « and » mark what has to be found.

use tacenda_detect::Engine;

/// Checks that what is marked is found, exactly, and nothing else besides.
#[track_caller]
pub(crate) fn holds(records: &[&str]) {
    let wrong: String = records.iter().filter_map(|record| problem(record)).collect();
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn problem(marked: &str) -> Option<String> {
    let mut wanted = Vec::new();
    let mut text = String::new();
    for (i, part) in marked.split(['«', '»']).enumerate() {
        let start = text.len();
        text.push_str(part);
        if i % 2 == 1 {
            wanted.push((start, text.len()));
        }
    }
    let engine = Engine::builtin();
    let mut spans = Vec::new();
    engine.scan(text.as_bytes(), &mut spans);
    let mut found: Vec<(usize, usize)> = spans.iter().map(|span| (span.start, span.end)).collect();
    found.dedup();
    (found != wanted).then(|| {
        let found: Vec<_> = spans
            .iter()
            .map(|span| (engine.detector(span.detector).id, text.get(span.start..span.end)))
            .collect();
        format!("{marked}\n    found {found:?}\n")
    })
}
