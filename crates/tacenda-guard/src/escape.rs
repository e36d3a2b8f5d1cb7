//! Terminal escape sequences (ECMA-48) inside a record.
//!
//! A colour code beside or inside a value would hide it from the detectors, so the text is
//! redacted without the escapes and they are put back afterwards. The text that comes out is the
//! redactor's alone: a misplaced escape can spoil a colour, never show a value.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memchr2, memmem};
use tacenda_redact::{Crossed, Part};

pub(crate) const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

/// A record without its escapes, and where they were.
pub(crate) struct Stripped {
    pub(crate) text: Vec<u8>,
    /// Offset into `text`, and the bytes of the escape in the record.
    escapes: Vec<(usize, Range<usize>)>,
}

impl Stripped {
    /// Where in the record `place` of the text is, before the escapes that stand there.
    pub(crate) fn place(&self, place: usize) -> usize {
        let before = self.escapes.iter().take_while(|(at, _)| *at < place);
        place + before.map(|(_, escape)| escape.len()).sum::<usize>()
    }

    /// Where in the text a place of the record is that lies in no escape.
    fn of_place(&self, place: usize) -> usize {
        let before = self.escapes.iter().take_while(|(_, escape)| escape.end <= place);
        place - before.map(|(_, escape)| escape.len()).sum::<usize>()
    }

    /// The end of `range`, moved out of an escape: to its start, or to its end if nothing else is
    /// in the range.
    fn outside(&self, range: &Range<usize>) -> usize {
        let end = range.end;
        let across = self.escapes.iter().find(|(_, escape)| escape.start < end && end < escape.end);
        match across {
            Some((_, escape)) if escape.start > range.start => escape.start,
            Some((_, escape)) => escape.end,
            None => end,
        }
    }
}

/// Redacts the part of `record` from `wanted.start` to `wanted.end`, or to where it has to end before
/// that. `redact` sees the record without escapes; it gives the end of the part, and the part's text
/// if that has changed. Tells too whether some escape in the part is more than a colour.
pub(crate) fn redact_around(
    record: &[u8],
    wanted: Range<usize>,
    redact: impl FnOnce(&[u8], Range<usize>) -> Result<(usize, Option<Vec<u8>>), Crossed>,
) -> Result<(Part<'_>, bool), Crossed> {
    let stripped = strip(record);
    let to = stripped.outside(&wanted);
    let (text_from, text_to) = (stripped.of_place(wanted.start), stripped.of_place(to));
    let (text_end, redacted) =
        redact(&stripped.text, text_from..text_to).map_err(|Crossed { start, end }| Crossed {
            start: stripped.place(start),
            end: stripped.place(end),
        })?;
    let end = if text_end == text_to { to } else { stripped.place(text_end) };
    let inside = stripped
        .escapes
        .iter()
        .filter(|(_, escape)| wanted.start <= escape.start && escape.start < end);
    let other = inside.clone().any(|(_, escape)| !is_colour(&record[escape.clone()]));
    let Some(redacted) = redacted else {
        return Ok((Part { end, redacted: Cow::Borrowed(&record[wanted.start..end]) }, other));
    };
    let mut out = Vec::with_capacity(end - wanted.start);
    let mut places = Alignment::new(&stripped.text[text_from..text_end], &redacted);
    let mut done = 0;
    for (at, escape) in inside {
        let to = places.place(at - text_from);
        out.extend_from_slice(&redacted[done..to]);
        out.extend_from_slice(&record[escape.clone()]);
        done = to;
    }
    out.extend_from_slice(&redacted[done..]);
    Ok((Part { end, redacted: Cow::Owned(out) }, other))
}

/// Whether an escape is "select graphic rendition" (ECMA-48, 8.3.117): it carries small numbers
/// and nothing else.
fn is_colour(escape: &[u8]) -> bool {
    let parameters = escape.strip_prefix(b"\x1b[").and_then(|rest| rest.strip_suffix(b"m"));
    parameters.is_some_and(|numbers| {
        numbers
            .split(|byte| b";:".contains(byte))
            .all(|number| number.len() <= 3 && number.iter().all(u8::is_ascii_digit))
    })
}

/// Where an escape that is not complete yet starts at the end of `text`.
pub(crate) fn incomplete(text: &[u8]) -> Option<usize> {
    let start = memchr::memrchr(ESC, text)?;
    // The terminator of a string escape is itself `ESC \`: look one escape further back.
    let start = match text.get(start + 1) {
        None | Some(b'\\') => memchr::memrchr(ESC, &text[..start])
            .filter(|before| length(&text[*before..]).is_none_or(|len| before + len > start))
            .unwrap_or(start),
        Some(_) => start,
    };
    length(&text[start..]).is_none().then_some(start)
}

pub(crate) fn strip(record: &[u8]) -> Stripped {
    let mut stripped = Stripped { text: Vec::with_capacity(record.len()), escapes: Vec::new() };
    let mut at = 0;
    while let Some(esc) = memchr(ESC, &record[at..]).map(|found| at + found) {
        stripped.text.extend_from_slice(&record[at..esc]);
        // An escape that never ends is only its first byte: the rest is text to be redacted.
        let end = esc + length(&record[esc..]).unwrap_or(1);
        stripped.escapes.push((stripped.text.len(), esc..end));
        at = end;
    }
    stripped.text.extend_from_slice(&record[at..]);
    stripped
}

/// The length of the escape that `text` starts with; none if its end has not come.
fn length(text: &[u8]) -> Option<usize> {
    let skip = |from: usize, range: std::ops::RangeInclusive<u8>| {
        text[from..].iter().position(|byte| !range.contains(byte)).map(|len| from + len)
    };
    match text.get(1)? {
        b'[' => {
            let intermediates = skip(2, 0x30..=0x3f)?;
            let last = skip(intermediates, 0x20..=0x2f)?;
            // A byte that cannot end a control sequence ends it nevertheless, as terminals do.
            Some(if (0x40..=0x7e).contains(&text[last]) { last + 1 } else { last })
        }
        b']' | b'P' | b'X' | b'^' | b'_' => {
            let end = 2 + memchr2(BEL, ESC, &text[2..])?;
            match (text[end], text.get(end + 1)) {
                (BEL, _) => Some(end + 1),
                (_, Some(b'\\')) => Some(end + 2),
                (_, Some(_)) => Some(end),
                (_, None) => None,
            }
        }
        0x20..=0x2f => Some(skip(1, 0x20..=0x2f)? + 1),
        _ => Some(2),
    }
}

/// Maps places in a text to places in its redacted form, from left to right.
struct Alignment<'t> {
    text: &'t [u8],
    redacted: &'t [u8],
    /// Both texts are the same from these places on, until they differ.
    text_at: usize,
    redacted_at: usize,
}

impl<'t> Alignment<'t> {
    fn new(text: &'t [u8], redacted: &'t [u8]) -> Self {
        Self { text, redacted, text_at: 0, redacted_at: 0 }
    }

    /// Where `place` of the text is in the redacted text: a place inside a value is after its
    /// label. Places are asked for in ascending order.
    fn place(&mut self, place: usize) -> usize {
        loop {
            let same = self.text[self.text_at..]
                .iter()
                .zip(&self.redacted[self.redacted_at..])
                .take_while(|(text, redacted)| text == redacted)
                .count();
            if place <= self.text_at + same {
                return self.redacted_at + place.saturating_sub(self.text_at);
            }
            self.skip_label(same);
        }
    }

    /// Goes past the label where the texts differ, to where they are the same again.
    fn skip_label(&mut self, same: usize) {
        let text = self.text_at + same;
        let redacted = self.redacted_at + same;
        // Both texts may begin alike inside the label: `[` of a list and `[` of the label.
        let label = match self.redacted[redacted..].first() {
            Some(b'[') => redacted,
            _ => memchr::memrchr2(b'[', b']', &self.redacted[self.redacted_at..redacted])
                .map(|at| self.redacted_at + at)
                .filter(|at| self.redacted[*at] == b'[')
                .unwrap_or(redacted),
        };
        let after = match self.redacted.get(label) {
            Some(b'[') => memchr(b']', &self.redacted[label..])
                .map_or(self.redacted.len(), |len| label + len + 1),
            _ => label,
        };
        let rest = &self.redacted[after..];
        let anchor = &rest[..memchr(b'[', rest).unwrap_or(rest.len()).min(24)];
        let resumed = if anchor.is_empty() {
            None
        } else {
            memmem::find(&self.text[text..], anchor).map(|found| text + found)
        };
        // Without an anchor every further escape goes to the end.
        (self.text_at, self.redacted_at) =
            resumed.map_or((self.text.len(), self.redacted.len()), |text| (text, after));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(record: &[u8]) -> String {
        redact_to(record, 0..record.len())
    }

    fn redact_to(record: &[u8], wanted: Range<usize>) -> String {
        let replace = |text: &[u8], wanted: Range<usize>| {
            let text = String::from_utf8(text[wanted.clone()].to_vec()).unwrap();
            let redacted = text.replace("sk-secret", "[key]");
            Ok((wanted.end, (redacted != text).then(|| redacted.into_bytes())))
        };
        let (part, _) = redact_around(record, wanted, replace).unwrap();
        String::from_utf8(part.redacted.into_owned()).unwrap()
    }

    #[test]
    fn a_part_ends_outside_of_escapes() {
        let record = b"a \x1b[31msk-secret\x1b[0m b";
        for end in 2..=6 {
            assert_eq!(redact_to(record, 0..end), "a ", "{end}");
        }
        assert_eq!(redact_to(record, 0..record.len() - 2), "a \x1b[31m[key]\x1b[0m");
        for (from, end) in [(2, 7), (2, 3), (2, 6)] {
            assert_eq!(redact_to(record, from..end), "\x1b[31m");
        }
        assert_eq!(redact_to(record, 7..16), "[key]");
        assert_eq!(redact_to(record, 7..record.len()), "[key]\x1b[0m b");
    }

    #[test]
    fn colours_around_and_inside_a_value_do_not_hide_it() {
        assert_eq!(redact(b"a \x1b[31msk-secret\x1b[0m b"), "a \x1b[31m[key]\x1b[0m b");
        assert_eq!(redact(b"a sk-\x1b[1msec\x1b[22mret b"), "a [key]\x1b[1m\x1b[22m b");
        assert_eq!(redact(b"\x1b[2K\x1b[1;31mx\x1b[m sk-secret"), "\x1b[2K\x1b[1;31mx\x1b[m [key]");
        assert_eq!(
            redact(b"\x1b[1ma\x1b[m sk-secret \x1b[1mb\x1b[m sk-secret \x1b[1mc\x1b[m"),
            "\x1b[1ma\x1b[m [key] \x1b[1mb\x1b[m [key] \x1b[1mc\x1b[m"
        );
    }

    #[test]
    fn an_escape_without_an_end_is_known() {
        assert_eq!(redact(b"\x1b]0;sk-secret"), "\x1b]0;[key]");
        assert_eq!(redact(b"x\x1b"), "x\x1b");
        assert_eq!(incomplete(b"abc\x1b[31"), Some(3));
        assert_eq!(incomplete(b"abc\x1b"), Some(3));
        assert_eq!(incomplete(b"abc\x1b]0;title\x1b"), Some(3));
        assert_eq!(incomplete(b"abc\x1b]0;title\x1b\\"), None);
        assert_eq!(incomplete(b"abc\x1b[31mred"), None);
    }
}
