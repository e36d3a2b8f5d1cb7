//! `tacenda journal cat`, `tail`, `grep`, `list` and `stat`.

use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tacenda_journal::{Filter, JournalError, Reader, Retention, Seen, Settings};
use tacenda_policy::Class;

use super::filter::{FilterArgs, some};
use super::quantity::span;
use super::shown::shown_json;
use super::{IdentityArgs, Target};
use crate::failure::{Failure, warn};
use crate::report::{plural, size};

#[derive(Args, Debug)]
pub(crate) struct CatArgs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    identities: IdentityArgs,
    #[command(flatten, next_help_heading = "Which records")]
    filter: FilterArgs,
}

#[derive(Args, Debug)]
pub(crate) struct TailArgs {
    /// How many
    #[arg(short = 'n', long = "lines", value_name = "N", default_value_t = 10)]
    lines: usize,

    /// Wait for what comes, and print that as well
    #[arg(short, long)]
    follow: bool,

    // Last: what comes after it stands under its heading.
    #[command(flatten)]
    cat: CatArgs,
}

#[derive(Args, Debug)]
pub(crate) struct GrepArgs {
    /// The text
    #[arg(value_name = "TEXT", value_parser = some)]
    text: String,

    #[command(flatten)]
    cat: CatArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(super) target: Target,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: ListFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum ListFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON value
    Json,
}

impl CatArgs {
    pub(super) fn reader(&self) -> Result<Reader, Failure> {
        self.target.reader(&self.identities)
    }

    pub(super) fn filter(&self, text: Option<&str>) -> Result<Filter, Failure> {
        self.filter.filter(text)
    }
}

/// A record for people and programs. One whose content was erased says so.
pub(super) fn line(seen: &Seen) -> String {
    let json = seen.record.to_json(seen.sequence);
    if seen.erased.is_some() { json.replacen('}', ",\"erased\":true}", 1) } else { json }
}

/// Writes the records that pass; how many, and the number of the record that comes next.
fn print(reader: &Reader, filter: &Filter, out: &mut impl Write) -> Result<(u64, u64), Failure> {
    let (mut done, mut count) = (Ok(()), 0);
    let next = reader.each(filter, &mut |seen| {
        count += 1;
        done = writeln!(out, "{}", shown_json(&line(seen)));
        done.is_ok()
    });
    let next = next.map_err(|error| closed_head(reader, error))?;
    done?;
    out.flush()?;
    Ok((count, next))
}

pub(super) fn cat(args: &CatArgs) -> Result<(), Failure> {
    let (reader, filter) = (args.reader()?, args.filter(None)?);
    print(&reader, &filter, &mut BufWriter::new(io::stdout().lock()))?;
    warn_of_closed(&reader, &filter)
}

pub(super) fn grep(args: &GrepArgs) -> Result<ExitCode, Failure> {
    let (reader, filter) = (args.cat.reader()?, args.cat.filter(Some(&args.text))?);
    let (count, _) = print(&reader, &filter, &mut BufWriter::new(io::stdout().lock()))?;
    warn_of_closed(&reader, &filter)?;
    // As grep has it.
    Ok(if count > 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Nothing of a segment opens to who became a recipient after it was sealed: where their first one is.
pub(super) fn closed_head(reader: &Reader, error: JournalError) -> Failure {
    let JournalError::NoKey { part: "head", segment } = error else { return error.into() };
    let after = reader.segments().map(|one| one.state).filter(|state| state.number > segment);
    let ends = reader.segments().last().map(|one| one.state.first + one.state.records);
    let first = after.map(|state| state.first).chain(ends).find(|first| opens_at(reader, *first));
    let failure = Failure::from(error);
    let begins = reader.segments().find(|one| one.state.number == segment);
    let before = begins.and_then(|one| one.state.first.checked_sub(1));
    match (first, before) {
        (Some(first), _) => failure.hint(format!(
            "name the identity file of who could read it then; from record {first} on those at hand open \
             it: --from {first}"
        )),
        // Whose recipient was taken out later.
        (None, Some(last)) if opens_at(reader, last) => failure.hint(format!(
            "name the identity file of who could read it then; up to record {last} those at hand open it: \
             --to {last}"
        )),
        _ => failure,
    }
}

/// Whether there is a record from this number on, and the next one opens.
fn opens_at(reader: &Reader, first: u64) -> bool {
    let mut found = false;
    let filter = Filter { numbers: Some((first, u64::MAX)), ..Filter::default() };
    let read = reader.each(&filter, &mut |_| {
        found = true;
        false
    });
    read.is_ok() && found
}

/// Says in what nothing was looked for, and what had been changed before it was sealed.
pub(super) fn warn_of_closed(reader: &Reader, filter: &Filter) -> Result<(), Failure> {
    for file in reader.changed(filter) {
        let message = format!("segments/{file} had been changed: what stood there is not shown");
        warn(&message, Some("see what and where: tacenda journal verify DIR"));
    }
    if filter.asks_content() {
        let closed: Vec<_> = reader.closed(filter)?.into_iter().map(Class::name).collect();
        if !closed.is_empty() {
            let message = format!("nothing was looked for in what is {}", closed.join(" or "));
            warn(&message, Some("name the identity file of that class: --identity FILE"));
        }
    }
    Ok(())
}

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(200);

pub(super) fn tail(args: &TailArgs) -> Result<(), Failure> {
    // Read once: they may come from a pipe.
    let identities = args.cat.identities.read()?;
    let open = || args.cat.target.open(identities.clone());
    let reader = open()?;
    let mut filter = args.cat.filter(None)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let last = reader.last(&filter, args.lines);
    let (last, mut next) = last.map_err(|error| closed_head(&reader, error))?;
    for seen in last {
        writeln!(out, "{}", shown_json(&line(&seen)))?;
    }
    out.flush()?;
    warn_of_closed(&reader, &filter)?;
    let (from, to) = filter.numbers.unwrap_or((0, u64::MAX));
    reader.check_unsealed(&filter)?;
    if !args.follow {
        return Ok(());
    }
    let mut extent = None;
    loop {
        let reader = open()?;
        let before = extent.replace(reader.extent()?);
        if extent != before {
            filter.numbers = Some((from.max(next), to));
            next = next.max(print(&reader, &filter, &mut out)?.1);
        }
        std::thread::sleep(PAUSE);
    }
}

pub(super) fn names(classes: &[Class]) -> Vec<&str> {
    classes.iter().map(|class| class.name()).collect()
}

pub(super) fn time(time: i64) -> String {
    let time = jiff::Timestamp::from_nanosecond(time.into());
    time.map(|time| format!("{time:.0}")).unwrap_or_default()
}

pub(super) fn list(args: &ListArgs) -> Result<(), Failure> {
    let reader = public(&args.target)?;
    let mut out = BufWriter::new(io::stdout().lock());
    if args.format == ListFormat::Json {
        let segments: Vec<Value> = reader
            .segments()
            .map(|segment| {
                let state = &segment.state;
                json!({
                    "segment": state.number, "file": segment.file, "first": state.first,
                    "records": state.records, "erased": state.erased, "bytes": state.bytes,
                    "times": state.times.map(|(from, to)| [time(from), time(to)]),
                    "sealed": time(state.sealed), "deleted": state.deleted,
                    "expired": names(&state.expired), "recovered": state.cut.is_some(), "changed": state.changed,
                })
            })
            .collect();
        writeln!(out, "{}", Value::from(segments))?;
        return Ok(out.flush()?);
    }
    for segment in reader.segments() {
        let state = &segment.state;
        let mut notes = Vec::new();
        if state.deleted {
            notes.push("deleted".to_owned());
        }
        if state.erased > 0 {
            notes.push(format!("{} erased", state.erased));
        }
        if !state.expired.is_empty() {
            notes.push(format!("{} expired", names(&state.expired).join(" and ")));
        }
        if state.cut.is_some() {
            notes.push("recovered".to_owned());
        }
        if state.changed {
            notes.push("changed".to_owned());
        }
        let span = state.times.map_or_else(
            || format!("sealed {}", time(state.sealed)),
            |(from, to)| format!("{} to {}", time(from), time(to)),
        );
        let notes =
            if notes.is_empty() { String::new() } else { format!("  {}", notes.join(", ")) };
        let records = plural(state.records, "record");
        writeln!(
            out,
            "{}  {records} from {}  {}  {span}{notes}",
            segment.file,
            state.first,
            size(state.bytes)
        )?;
    }
    Ok(out.flush()?)
}

pub(super) fn stat(args: &ListArgs) -> Result<(), Failure> {
    let reader = public(&args.target)?;
    let kept: Vec<_> = reader.segments().map(|s| s.state).filter(|s| !s.deleted).collect();
    let records: u64 = kept.iter().map(|segment| segment.records).sum();
    let erased: u64 = kept.iter().map(|segment| segment.erased).sum();
    let bytes: u64 = kept.iter().map(|segment| segment.bytes).sum();
    let deleted = reader.segments().filter(|segment| segment.state.deleted).count();
    let (active, active_bytes) = reader.active()?.unwrap_or_default();
    let settings = reader.settings();
    let holds: Vec<&str> = reader.holds().map(|(name, _)| name).collect();
    let mut out = io::stdout().lock();
    if args.format == ListFormat::Json {
        let json = json!({
            "entries": reader.checkpoint().size, "segments": kept.len(), "deleted": deleted,
            "records": records, "erased": erased, "bytes": bytes, "active_records": active,
            "active_bytes": active_bytes, "durability": settings.durability, "holds": holds,
            "limits": settings.limits, "retention": settings.retention,
            "recipients": recipients(settings),
            "key": reader.key().to_string(),
        });
        writeln!(out, "{json}")?;
        return Ok(reader.check_active()?);
    }
    writeln!(out, "segments    {} ({})", kept.len(), size(bytes))?;
    writeln!(out, "records     {records}, of which {erased} erased")?;
    writeln!(out, "active      {} ({})", plural(active, "record"), size(active_bytes))?;
    writeln!(out, "deleted     {}", plural(deleted as u64, "segment"))?;
    writeln!(out, "log         {}", plural(reader.checkpoint().size, "entry"))?;
    let durability = serde_json::to_value(settings.durability).unwrap_or_default();
    writeln!(out, "durability  {}", durability.as_str().unwrap_or_default())?;
    let limits = settings.limits;
    writeln!(
        out,
        "sealed at   {} or {}",
        size(limits.segment_bytes),
        span(limits.segment_seconds)
    )?;
    writeln!(out, "kept        {}", kept_for(settings.retention))?;
    for (recipient, classes) in recipients(settings) {
        writeln!(out, "read by     {recipient} ({})", classes.join(", "))?;
    }
    if !holds.is_empty() {
        writeln!(out, "holds       {}", holds.join(", "))?;
    }
    writeln!(out, "key         {}", reader.key())?;
    Ok(reader.check_active()?)
}

/// Who may read what is written from now on, and of which classes.
fn recipients(settings: &Settings) -> BTreeMap<&str, Vec<&'static str>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for class in Class::ALL {
        for recipient in settings.recipients.of_class(*class) {
            found.entry(recipient.as_str()).or_default().push(class.name());
        }
    }
    found
}

/// What a retention keeps, for people.
pub(super) fn kept_for(mut retention: Retention) -> String {
    let mut rules = Vec::new();
    rules.extend(retention.max_seconds.map(span));
    for class in Class::ALL {
        let age = *retention.classes.of(*class);
        rules.extend(age.map(|age| format!("content of class {class} {}", span(age))));
    }
    rules.extend(retention.max_bytes.map(|bytes| format!("{} at most", size(bytes))));
    rules.extend(retention.min_free.map(|bytes| format!("with {} free", size(bytes))));
    if rules.is_empty() { "without a limit".to_owned() } else { rules.join(", ") }
}

/// What anybody may see who may look into the directory.
pub(super) fn public(target: &Target) -> Result<Reader, Failure> {
    target.open(tacenda_journal::Identities::default())
}
