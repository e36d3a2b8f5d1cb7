//! A value of which only the beginning and the end are shown: `'My heron is ...orth of tides'`, as
//! `reprlib` and the debug mode of `asyncio` do.
//!
//! Both parts together have to be as long as a fragment that is found by itself.

use std::ops::Range;

use super::canon::Canon;
use super::matcher::ProtectedSpan;
use super::roll::{HashKey, Roller};
use super::store::{GRAM, ProtectedValues, State, ValueId};

/// What stands in place of the middle.
const SIGNS: [&[u8]; 2] = [b"...", "…".as_bytes()];
/// Bytes that are looked at on each side.
const AROUND: usize = 96;
/// Bytes that tell at once whether anything is known there.
const NEAR: usize = 4 * GRAM;

/// A part of a value next to the sign: where it stands, and how many canonical characters it has.
struct Part {
    range: Range<usize>,
    chars: usize,
    owner: ValueId,
    /// Whether all of it lies in phrases that everybody writes.
    is_common: bool,
}

pub(super) fn scan(
    values: &ProtectedValues,
    key: &HashKey,
    state: &State,
    text: &[u8],
    spans: &mut Vec<ProtectedSpan>,
) {
    let part = |around: &[u8], at_end: bool| part(values, key, state, around, at_end);
    // A look for either first byte is quicker than one for each sign. In a row of dots each stands in
    // one sign only.
    let mut behind = 0;
    for at in memchr::memchr2_iter(SIGNS[0][0], SIGNS[1][0], text) {
        if at < behind {
            continue;
        }
        let Some(sign) = SIGNS.iter().find(|sign| text[at..].starts_with(sign)) else { continue };
        behind = at + sign.len();
        let (before, after) = (&text[..at], &text[behind..]);
        if part(&before[at.saturating_sub(NEAR)..], true).is_none() {
            continue;
        }
        let from = at.saturating_sub(AROUND);
        let Some(left) = part(&before[from..], true) else { continue };
        let Some(right) = part(&after[..after.len().min(AROUND)], false) else { continue };
        let is_common = left.is_common && right.is_common;
        if left.chars + right.chars >= values.limits().min_chars && !is_common {
            spans.push(ProtectedSpan {
                start: from + left.range.start,
                end: behind + right.range.end,
                value: values.value(state, left.owner),
            });
        }
    }
}

/// The known characters at the end of a text, or at its start.
fn part(
    values: &ProtectedValues,
    key: &HashKey,
    state: &State,
    text: &[u8],
    at_end: bool,
) -> Option<Part> {
    let mut roller = Roller::default();
    let (mut places, mut grams) = (Vec::new(), Vec::new());
    for canonical in Canon::new(text) {
        places.push(canonical.start..canonical.end);
        roller.push(key, canonical.char);
        if places.len() >= GRAM {
            let gram = roller.window(key, GRAM);
            grams.push(gram.and_then(|gram| Some((gram, state.grams.owner(gram)?))));
        }
    }
    let known = |gram: &&Option<(u64, ValueId)>| gram.is_some();
    let count = if at_end {
        grams.iter().rev().take_while(known).count()
    } else {
        grams.iter().take_while(known).count()
    };
    let first = if at_end { grams.len() - count } else { 0 };
    let (_, owner) = (*grams.get(first)?)?;
    let chars = count + GRAM - 1;
    let range = places[first].start..places[first + chars - 1].end;
    let found = &grams[first..first + count];
    let is_common = found.iter().flatten().all(|(gram, _)| values.is_common(*gram));
    Some(Part { range, chars, owner, is_common })
}
