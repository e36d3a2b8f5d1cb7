//! Any bytes can be scanned: no panic, spans in bounds and in order, the same every time.

use tacenda_detect::Engine;

/// The property.
pub fn run(text: &[u8]) {
    let mut spans = super::spans(text);
    assert!(spans.iter().all(|span| span.start < span.end && span.end <= text.len()));
    assert!(spans.is_sorted_by_key(|span| span.start));

    // Spans of another text that stand there already stay as they are.
    let count = spans.len();
    Engine::builtin().scan(text, &mut spans);
    let (first, again) = spans.split_at(count);
    assert_eq!(first, again);
}
