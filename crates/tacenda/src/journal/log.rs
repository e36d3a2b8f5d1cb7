//! `tacenda journal log`: what happened to the journal, as its log has it.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};

use serde_json::Value;
use tacenda_journal::{Cause, Entry, Event, SegmentState};

use super::read::{ListArgs, ListFormat, names, public, time};
use crate::failure::Failure;
use crate::report::plural;

pub(super) fn run(args: &ListArgs) -> Result<(), Failure> {
    let reader = public(&args.target)?;
    let mut out = BufWriter::new(io::stdout().lock());
    if args.format == ListFormat::Json {
        let numbered = |(number, entry): (usize, &Entry)| {
            let mut json = entry.to_json();
            json["entry"] = number.into();
            json
        };
        let entries: Vec<Value> = reader.entries().iter().enumerate().map(numbered).collect();
        // What controls a terminal stands in texts only.
        writeln!(out, "{}", shown(&Value::from(entries).to_string(), |c| format!("\\u{c:04x}")))?;
        return Ok(out.flush()?);
    }
    for (number, entry) in reader.entries().iter().enumerate() {
        let (name, what, cause) = told(&entry.event);
        let mut line = format!("{number}  {}  {name:<7}  {what}", time(entry.time));
        if let Some(Cause { reason, who }) = cause {
            let _ = write!(line, "  by {who}: {reason}");
        }
        writeln!(out, "{}", shown(&line, |c| format!("\\u{{{c:x}}}")))?;
    }
    Ok(out.flush()?)
}

/// What an entry says: its name, what was done, by whom and why.
fn told(event: &Event) -> (&'static str, String, Option<&Cause>) {
    match event {
        Event::Begin { origin, .. } => ("begin", origin.clone(), None),
        Event::Set { cause, .. } => ("set", "recipients or retention".to_owned(), Some(cause)),
        Event::Seal(SegmentState { number, records, first, cut, changed, .. }) => {
            let records = plural(*records, "record");
            let how = match (cut, changed) {
                (_, true) => ", recovered, changed",
                (Some(_), false) => ", recovered",
                (None, false) => "",
            };
            ("seal", format!("segment {number}, {records} from {first}{how}"), None)
        }
        Event::Erase { segment, records, cause, .. } => {
            let records = plural(records.len() as u64, "record");
            ("erase", format!("segment {segment}, {records}"), Some(cause))
        }
        Event::Expire { segment, classes, records, cause, .. } => {
            let (classes, records) = (names(classes).join(" and "), plural(*records, "record"));
            ("expire", format!("segment {segment}, {classes} of {records}"), Some(cause))
        }
        Event::Delete { segments: (from, to), records, cause } => {
            let records = plural(*records, "record");
            ("delete", format!("segments {from} to {to}, {records}"), Some(cause))
        }
        Event::Hold { name, times: (from, to), cause } => {
            let bound = |at: i64, none: i64| if at == none { "…".to_owned() } else { time(at) };
            let (from, to) = (bound(*from, i64::MIN), bound(*to, i64::MAX));
            ("hold", format!("{name}, {from} to {to}"), Some(cause))
        }
        Event::Release { name, cause } => ("release", name.clone(), Some(cause)),
    }
}

/// A text with what controls a terminal, or turns its direction, spelled out: who wrote a reason may have
/// meant to hide a line.
fn shown(text: &str, spell: impl Fn(u32) -> String) -> String {
    let is_plain = |c: char| {
        !(c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_plain(c) {
            out.push(c);
        } else {
            out.push_str(&spell(c.into()));
        }
    }
    out
}
