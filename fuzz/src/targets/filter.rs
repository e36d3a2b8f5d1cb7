//! A stream comes out the same however it is cut into chunks, and a pause panics nowhere.

use tacenda_guard::StreamFilter;

/// The property.
pub fn run(input: &[u8]) {
    let redactor = super::redactor();
    let (step, text) = super::first(input);
    let mut cut = Vec::new();
    let mut filter = StreamFilter::new(redactor);
    let mut rest = text;
    let mut turn = 0;
    while !rest.is_empty() {
        turn += 1;
        let (chunk, after) = rest.split_at((1 + step * turn % 61).min(rest.len()));
        filter.push(chunk, &mut cut);
        rest = after;
    }
    filter.finish(&mut cut);

    let mut whole = Vec::new();
    let mut filter = StreamFilter::new(redactor);
    filter.push(text, &mut whole);
    filter.finish(&mut whole);
    assert_eq!(cut, whole);

    let mut filter = StreamFilter::new(redactor).interactive(step % 2 == 1);
    for chunk in text.chunks(1 + step) {
        filter.push(chunk, &mut cut);
        filter.idle(&mut cut);
    }
    filter.finish(&mut cut);
}
