//! What is to be removed is removed, what is to be kept is kept, and no label is taken for a value
//! when the output is redacted again.

use std::ops::Range;

use tacenda_detect::Engine;
use tacenda_policy::{Action, Policy};
use tacenda_redact::Report;

/// The property.
pub fn run(text: &[u8]) {
    // A private key that has no end takes what follows along, in the next records too.
    if memchr(text, b"PRIVATE KEY") || memchr(text, b"PGP") {
        return;
    }
    let redactor = super::redactor();
    let removed = union(text);
    let once = redactor.redact(text, &mut Report::default());
    let mut rest = &*once;
    let mut at = 0;
    let mut labels: Vec<Range<usize>> = Vec::new();
    for range in &removed {
        rest = rest.strip_prefix(&text[at..range.start]).expect("what is before a value is kept");
        let label = rest.iter().position(|byte| *byte == b']').expect("a label ends");
        assert_eq!(rest[0], b'[', "a value becomes a label");
        assert!(label < 120, "a label is short");
        let start = once.len() - rest.len();
        labels.push(start..start + label + 1);
        rest = &rest[label + 1..];
        at = range.end;
    }
    assert_eq!(rest, &text[at..], "what is behind the last value is kept");

    for span in union(&once) {
        // A value may begin before a label that is glued to it.
        let apart = |label: &Range<usize>| {
            span.end <= label.start || span.start >= label.end || span.start < label.start
        };
        assert!(labels.iter().all(apart), "a label is no value");
    }
}

/// The stretches that the policy removes.
fn union(text: &[u8]) -> Vec<Range<usize>> {
    let policy = Policy::default();
    let mut union: Vec<Range<usize>> = Vec::new();
    for span in super::spans(text) {
        if policy.action(Engine::builtin().detector(span.detector).kind) == Action::Keep {
            continue;
        }
        match union.last_mut() {
            Some(last) if span.start < last.end => last.end = last.end.max(span.end),
            _ => union.push(span.start..span.end),
        }
    }
    union
}

fn memchr(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
