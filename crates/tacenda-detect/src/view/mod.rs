//! Decoding views: values that stand in the text in another spelling.
//!
//! The pass *notes* where the text is escaped (JSON, `repr()`, percent-encoding, HTML entities,
//! terminal sequences, typographic signs between digits), encoded (base64, hexadecimal), or broken
//! into lines (quoted-printable, columns). Only the stretch around such a place is decoded and
//! scanned like any other text; what is found there is mapped back to the bytes that it came from.
//! What is decoded may be escaped again, to a depth of [`DEPTH`]. Text without such places pays for
//! its bitmaps and nothing else.

mod blob;
mod escape;
mod lines;
mod notes;
mod stretch;

use std::ops::Range;

pub(crate) use blob::SHORTEST as LONG;
pub use lines::Joints;
pub(crate) use notes::Notes;
use stretch::Decoded;

use crate::pass::Pass;
use crate::{DetectorId, Engine, Span};

/// Views inside views: JSON inside JSON inside a percent-encoded parameter.
const DEPTH: usize = 3;

/// Appends what is found at the noted places of `text`, in no order.
pub(crate) fn scan(engine: &Engine, text: &[u8], notes: &Notes, spans: &mut Vec<Span>) {
    scan_to(engine, text, notes, DEPTH, spans);
}

fn scan_to(engine: &Engine, text: &[u8], notes: &Notes, depth: usize, spans: &mut Vec<Span>) {
    notes.each_stretch(text, |stretch| {
        let decoded = Decoded::of(text, &stretch, notes.breaks());
        if decoded.is_plain() {
            return;
        }
        let (found, direct) = look_into(engine, decoded.text(), depth);
        for (i, span) in found.into_iter().enumerate() {
            // What is spelled out in full was found in the text itself.
            if i >= direct || decoded.is_telling(span.start..span.end) {
                let Range { start, end } = decoded.origin(span.start..span.end);
                spans.push(Span { start, end, ..span });
            }
        }
    });
    for run in notes.runs() {
        let Some(inside) = blob::decode(&text[run.clone()]) else { continue };
        // Whatever it is that stands inside: of the blob nothing can stay.
        let mut told: Vec<DetectorId> =
            look_into(engine, &inside, depth).0.iter().map(|span| span.detector).collect();
        told.sort_unstable();
        told.dedup();
        spans.extend(told.into_iter().map(|detector| Span {
            start: run.start,
            end: run.end,
            detector,
        }));
    }
}

/// The spans of a decoded text, and how many of them need no further decoding.
fn look_into(engine: &Engine, text: &[u8], depth: usize) -> (Vec<Span>, usize) {
    let mut found = Vec::new();
    let mut pass = Pass::new(engine, text, &mut found);
    pass.run();
    let notes = pass.notes;
    let direct = found.len();
    if depth > 1 && !notes.is_empty() {
        scan_to(engine, text, &notes, depth - 1, &mut found);
    }
    (found, direct)
}

#[cfg(test)]
mod tests;
