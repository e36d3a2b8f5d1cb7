//! `tacenda journal log`: what happened to the journal, as its log has it.

use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};

use serde_json::Value;
use tacenda_journal::{Cause, Entry, Event, SegmentState, Settings};

use super::read::{ListArgs, ListFormat, kept_for, names, public, time};
use super::shown::{shown, shown_json};
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
        writeln!(out, "{}", shown_json(&Value::from(entries).to_string()))?;
        return Ok(out.flush()?);
    }
    let mut settings = None;
    for (number, entry) in reader.entries().iter().enumerate() {
        let (name, mut what, cause) = told(&entry.event);
        if let Event::Begin { settings: now, .. } | Event::Set { settings: now, .. } = &entry.event
        {
            let before = settings.replace(now);
            if let Some(before) = before {
                what = changed(before, now);
            }
        }
        let mut line = format!("{number}  {}  {name:<7}  {what}", time(entry.time));
        if let Some(Cause { reason, who }) = cause {
            let _ = write!(line, "  by {who}: {reason}");
        }
        writeln!(out, "{}", shown(&line))?;
    }
    Ok(out.flush()?)
}

/// What was set to something else.
fn changed(before: &Settings, now: &Settings) -> String {
    let mut changed = Vec::new();
    if before.recipients != now.recipients {
        changed.push("recipients".to_owned());
    }
    if before.retention != now.retention {
        changed.push(format!("retention to {}", kept_for(now.retention)));
    }
    if (before.durability, before.limits) != (now.durability, now.limits) {
        changed.push("durability or limits".to_owned());
    }
    if changed.is_empty() { "nothing".to_owned() } else { changed.join(", ") }
}

/// What an entry says: its name, what was done, by whom and why.
fn told(event: &Event) -> (&'static str, String, Option<&Cause>) {
    match event {
        Event::Begin { origin, .. } => ("begin", origin.clone(), None),
        Event::Set { cause, .. } => ("set", String::new(), Some(cause)),
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
