//! Long runs of base64 and the like inside a text: an image, a recording.
//!
//! They have millions of characters, and nobody logs one from its middle. So only their first and
//! last characters are remembered; where a text repeats those, the whole run is the value.

use std::ops::Range;

/// Shortest run of which the inside is left out, in bytes.
const LONG: usize = 8 * 1024;

/// What is remembered of its start and of its end.
const KEPT: usize = 1024;

/// Shortest line of such a run; a list of words has shorter ones.
const LINE: usize = 60;

/// Fewest characters by which a match is extended.
const MORE: usize = 256;

/// The parts of a text that are remembered: all of it, without the inside of long runs.
pub(super) fn remembered(text: &str) -> impl Iterator<Item = &str> {
    let bytes = text.as_bytes();
    let (mut from, mut at) = (0, 0);
    let mut is_over = false;
    std::iter::from_fn(move || {
        while let Some(window) = bytes.get(at..at + LONG) {
            // Where the last byte of the shortest run cannot stand, none begins before it.
            if let Some(last) = window.iter().rposition(|byte| !may_stand(*byte)) {
                at += last + 1;
                continue;
            }
            let run = run_from(bytes, at);
            at = run.end.max(at + LONG / 2);
            if run.len() >= LONG {
                let part = &text[from..run.start + KEPT];
                from = run.end - KEPT;
                return Some(part);
            }
        }
        (!std::mem::replace(&mut is_over, true)).then(|| &text[from..])
    })
}

/// The first and the last of the parts of a text, as many bytes as there is room for.
pub(super) fn ends<'t>(parts: &mut Vec<&'t str>, room: usize) {
    let all: usize = parts.iter().map(|part| part.len()).sum();
    if all <= room {
        return;
    }
    let (head, tail) = (room / 2, all - room / 2);
    let mut kept = Vec::new();
    let mut at = 0;
    for part in parts.iter() {
        let boundary = |place: usize| {
            let place = place.saturating_sub(at).min(part.len());
            (0..=place).rev().find(|place| part.is_char_boundary(*place)).unwrap_or_default()
        };
        let (head, tail) = (boundary(head), boundary(tail));
        kept.extend([&part[..head], &part[tail..]]);
        at += part.len();
    }
    kept.retain(|part: &&'t str| !part.is_empty());
    *parts = kept;
}

/// A match with all of the run that it lies in, if that goes on for long.
pub(super) fn extended(text: &[u8], found: Range<usize>) -> Range<usize> {
    let end = run_from(text, found.end).end;
    let before = text[..found.start].iter().rev().take_while(|byte| is_letter(**byte)).count();
    let start = if before >= MORE { found.start - before } else { found.start };
    start..if end - found.end >= MORE { end } else { found.end }
}

/// The run that begins here: letters of base64, in one line or in long ones.
fn run_from(text: &[u8], start: usize) -> Range<usize> {
    let begun = text[..start].iter().rev().take(LINE).take_while(|byte| **byte != b'\n').count();
    let (mut at, mut line) = (start, start - begun);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\r' => {}
            b'\n' if at - line >= LINE => line = at + 1,
            byte if is_letter(*byte) => {}
            _ => break,
        }
        at += 1;
    }
    start..at
}

fn may_stand(byte: u8) -> bool {
    is_letter(byte) || matches!(byte, b'\r' | b'\n')
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'-' | b'_' | b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> Vec<usize> {
        let parts: Vec<_> = remembered(text).collect();
        assert!(text.starts_with(parts[0]) && text.ends_with(parts[parts.len() - 1]));
        parts.iter().map(|part| part.len()).collect()
    }

    #[test]
    fn the_inside_of_a_long_run_is_left_out() {
        let image = "iVBORw0KGgo".repeat(2000);
        let wrapped = format!("{}\n", "Ab0".repeat(25)).repeat(500);
        assert_eq!(kept("a short text"), [12]);
        assert_eq!(kept(&image), [KEPT, KEPT]);
        assert_eq!(kept(&wrapped), [KEPT, KEPT]);
        assert_eq!(
            kept(&format!("what is this? {image} and {image}.")),
            [14 + KEPT, 2 * KEPT + 5, KEPT + 1]
        );
        for text in ["a word and ".repeat(2000), "Jane\nInes\n".repeat(2000), "ß".repeat(20_000)] {
            assert_eq!(kept(&text), [text.len()]);
        }
    }

    #[test]
    fn a_match_is_the_whole_run() {
        let image = "iVBORw0KGgo".repeat(100);
        let wrapped = format!("{}\n", "Ab0".repeat(25)).repeat(9);
        let text = format!("{{\"image\": \"{image}\", \"more\": \"{wrapped}\"}}");
        let place = |part: &str| text.find(part).unwrap();
        let at = place(&image);
        assert_eq!(extended(text.as_bytes(), at..at + 20), at..at + image.len());
        assert_eq!(
            extended(text.as_bytes(), at + image.len() - 20..at + image.len()),
            at..at + image.len()
        );
        let at = place(&wrapped);
        assert_eq!(extended(text.as_bytes(), at..at + 70), at..at + wrapped.len());
        assert_eq!(extended(b"said \"a few words\" and more", 6..17), 6..17);
    }

    proptest::proptest! {
        #[test]
        fn nothing_but_runs_is_left_out(parts in proptest::collection::vec("[a-z]{0,9}|é| |\n", 0..20), times in 1..600_usize) {
            let text = parts.concat().repeat(times);
            let all: usize = remembered(&text).map(str::len).sum();
            proptest::prop_assert!(all <= text.len());
            proptest::prop_assert!(all == text.len() || parts.concat().bytes().all(may_stand));
        }
    }
}
