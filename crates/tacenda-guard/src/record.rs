//! One record through the redactor: escapes aside, panics caught.

use std::borrow::Cow;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use tacenda_redact::{Carry, Crossed, MARKER, Part, Report};

use crate::escape::ESC;
use crate::{Redact, escape};

/// Redacts one record, a range of a text, in which escapes are looked for if it may have some. A
/// panic below gives [`MARKER`] and the record's own end, never its text.
pub(crate) fn redact<'t>(
    redactor: &impl Redact,
    carry: &mut Carry,
    around: &'t [u8],
    range: Range<usize>,
    may_have_escapes: bool,
    report: &mut Report,
) -> Cow<'t, [u8]> {
    let record = &around[range.clone()];
    let caught = catch_unwind(AssertUnwindSafe(|| {
        if !may_have_escapes || memchr::memchr(ESC, record).is_none() {
            return redactor.redact_range(carry, around, range.clone(), report);
        }
        match redact_escaped(redactor, carry, record, 0..record.len(), report) {
            Ok(part) => part.redacted,
            Err(Crossed { .. }) => unreachable!("no value goes on behind the end of the record"),
        }
    }));
    caught.unwrap_or_else(|_| withheld(record, report))
}

/// The same for the next part of a long record, which ends where no value is cut apart: see
/// [`Redact::redact_part`].
pub(crate) fn redact_part<'t>(
    redactor: &impl Redact,
    carry: &mut Carry,
    record: &'t [u8],
    wanted: Range<usize>,
    report: &mut Report,
) -> Result<Part<'t>, Crossed> {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        if memchr::memchr(ESC, record).is_none() {
            return redactor.redact_part(carry, record, wanted.clone(), report);
        }
        redact_escaped(redactor, carry, record, wanted.clone(), report)
    }));
    caught.unwrap_or_else(|_| {
        Ok(Part { end: wanted.end, redacted: withheld(&record[wanted], report) })
    })
}

/// Appends a record that stands by itself, redacted.
pub(crate) fn append(
    redactor: &impl Redact,
    carry: &mut Carry,
    record: &[u8],
    report: &mut Report,
    out: &mut Vec<u8>,
) {
    let before = out.len();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        let all = 0..record.len();
        if memchr::memchr(ESC, record).is_none() {
            out.extend_from_slice(&redactor.redact_range(carry, record, all, report));
        } else {
            match redact_escaped(redactor, carry, record, all, report) {
                Ok(part) => out.extend_from_slice(&part.redacted),
                Err(Crossed { .. }) => unreachable!("no value goes on behind the end of the text"),
            }
        }
    }));
    if caught.is_err() {
        out.truncate(before);
        out.extend_from_slice(&withheld(record, report));
    }
}

fn redact_escaped<'t>(
    redactor: &impl Redact,
    carry: &mut Carry,
    record: &'t [u8],
    wanted: Range<usize>,
    report: &mut Report,
) -> Result<Part<'t>, Crossed> {
    let (part, other_than_colours) = escape::redact_around(record, wanted, |text, wanted| {
        let part = redactor.redact_part(carry, text, wanted, report)?;
        Ok((part.end, changed(part.redacted)))
    })?;
    if !other_than_colours {
        return Ok(part);
    }
    // A second look, escapes and all: a window title or a link carries text of its own, and
    // what was taken for an escape may have been the first letters of a value.
    let twice = changed(redactor.redact_next(&mut Carry::default(), &part.redacted, report));
    Ok(match twice {
        Some(twice) => Part { redacted: Cow::Owned(twice), ..part },
        None => part,
    })
}

fn withheld(record: &[u8], report: &mut Report) -> Cow<'static, [u8]> {
    report.withheld += 1;
    Cow::Owned([MARKER.as_bytes(), terminator(record)].concat())
}

/// The line end that a record carries: `\n`, `\r\n`, `\r` or nothing.
pub(crate) fn terminator(record: &[u8]) -> &[u8] {
    match record {
        [.., b'\r', b'\n'] => &record[record.len() - 2..],
        [.., b'\r' | b'\n'] => &record[record.len() - 1..],
        _ => &[],
    }
}

/// Adds the counts of one report to another.
pub(crate) fn add(sum: &mut Report, more: &Report) {
    for (detector, count) in &more.redacted {
        *sum.redacted.entry(*detector).or_default() += count;
    }
    for (kind, count) in &more.protected {
        *sum.protected.entry(*kind).or_default() += count;
    }
    sum.allowed += more.allowed;
    sum.withheld += more.withheld;
}

/// The text, if it was changed.
pub(crate) fn changed(text: Cow<'_, [u8]>) -> Option<Vec<u8>> {
    match text {
        Cow::Borrowed(_) => None,
        Cow::Owned(text) => Some(text),
    }
}
