//! `tacenda journal init`, `recipients`, `retention`, `erase`, `retain`, `hold` and `release`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use tacenda_journal::{Durability, Hold, Journal, JournalError, Limits, Retention, Settings};

use tacenda_policy::Class;

use super::append::class;
use super::filter::{FilterArgs, some};
use super::read::closed_head;
use super::{IdentityArgs, RecipientArgs, Target, cause, journal_around, quantity};
use crate::failure::{Failure, warn};
use crate::report::{plural, size};
use tacenda_guard::audit::who;

#[derive(Args, Debug)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    recipients: RecipientArgs,

    /// When a record counts as written
    #[arg(long, value_enum, default_value_t)]
    durability: DurabilityName,

    /// Bytes at which a segment is sealed
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = segment_size)]
    segment_size: u64,

    /// Time after which a segment is sealed
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = segment_age)]
    segment_age: u64,

    #[command(flatten)]
    bounds: Bounds,
}

/// What is kept.
#[derive(Args, Debug)]
struct Bounds {
    /// Time after which `journal retain` deletes a segment, or with CLASS= the content of that class
    /// in segments that stay; may be given more than once
    #[arg(long, value_name = "[CLASS=]TIME", value_parser = age)]
    max_age: Vec<(Option<Class>, u64)>,

    /// Bytes of sealed segments above which `journal retain` deletes the oldest
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes)]
    max_size: Option<u64>,

    /// Free bytes of the disk below which `journal retain` deletes the oldest
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes)]
    min_free: Option<u64>,
}

fn segment_size(text: &str) -> Result<u64, String> {
    let bounds = || "a segment has 4096 bytes to 1 GiB".to_owned();
    Some(quantity::bytes(text)?).filter(|size| (4096..=1 << 30).contains(size)).ok_or_else(bounds)
}

fn segment_age(text: &str) -> Result<u64, String> {
    let least = || "a segment has at least one second".to_owned();
    Some(quantity::seconds(text)?).filter(|seconds| *seconds > 0).ok_or_else(least)
}

/// `90d`, `restricted=30d`.
fn age(text: &str) -> Result<(Option<Class>, u64), String> {
    match text.split_once('=') {
        None => Ok((None, quantity::seconds(text)?)),
        Some((name, age)) => Ok((Some(class(name)?), quantity::seconds(age)?)),
    }
}

impl Bounds {
    fn retention(&self) -> Retention {
        let mut retention =
            Retention { max_bytes: self.max_size, min_free: self.min_free, ..Retention::default() };
        for (class, seconds) in &self.max_age {
            match class {
                None => retention.max_seconds = Some(*seconds),
                Some(class) => *retention.classes.of(*class) = Some(*seconds),
            }
        }
        retention
    }
}

#[derive(Args, Debug)]
pub(crate) struct RetentionArgs {
    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    bounds: Bounds,

    /// No limit any more: everything is kept
    #[arg(long, conflicts_with_all = ["max_age", "max_size", "min_free"])]
    none: bool,

    /// Why; it goes on record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct RetainArgs {
    #[command(flatten)]
    target: Target,

    /// Identity file of age, of every class, to take single classes out of segments; may be given
    /// more than once
    #[arg(short, long, value_name = "FILE")]
    identity: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum DurabilityName {
    /// When it is on the disk
    Record,
    /// When the system has it; it is on the disk 200 ms later
    #[default]
    Interval,
    /// When the system has it
    Os,
}

#[derive(Args, Debug)]
pub(crate) struct RecipientsArgs {
    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    recipients: RecipientArgs,

    /// Why; it goes on record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct EraseArgs {
    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    identities: IdentityArgs,

    /// Records that hold this text
    #[arg(long, value_name = "TEXT", value_parser = some)]
    text: Option<String>,

    /// Only count them, and say what would be refused: nothing is erased
    #[arg(long)]
    dry_run: bool,

    /// Why; it goes on record
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    reason: Option<String>,

    #[command(flatten, next_help_heading = "Which records")]
    filter: FilterArgs,
}

#[derive(Args, Debug)]
pub(crate) struct HoldArgs {
    #[command(flatten)]
    target: Target,

    /// Its name
    #[arg(value_name = "NAME")]
    name: String,

    /// From this time on (RFC 3339, a day in UTC, or so long ago: 30d)
    #[arg(long, value_name = "TIME", value_parser = quantity::moment)]
    since: Option<i64>,

    /// Up to this time; a day, to its end
    #[arg(long, value_name = "TIME", value_parser = quantity::end)]
    until: Option<i64>,

    /// Why; it goes on record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct ReleaseArgs {
    #[command(flatten)]
    target: Target,

    /// The name of the hold
    #[arg(value_name = "NAME")]
    name: String,

    /// Why; it goes on record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

pub(super) fn init(args: &InitArgs) -> Result<(), Failure> {
    let path = &args.target.path;
    // Its own directory is looked at where it is made.
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    if let Some(journal) = journal_around(above.unwrap_or(Path::new("."))) {
        return Err(Failure::new("the journal would lie in another one")
            .at(path)
            .hint(format!("name a directory outside of {}", journal.display())));
    }
    let settings = Settings {
        recipients: args.recipients.parse()?,
        durability: match args.durability {
            DurabilityName::Record => Durability::Record,
            DurabilityName::Interval => Durability::Interval,
            DurabilityName::Os => Durability::Os,
        },
        limits: Limits {
            segment_bytes: args.segment_size,
            segment_seconds: args.segment_age,
            ..Limits::default()
        },
        retention: args.bounds.retention(),
    };
    let created = Journal::create(&args.target.path, settings, &args.target.options());
    let key = created.map_err(|error| match &error {
        JournalError::Unusable { path, source } if source.kind() == io::ErrorKind::NotFound => {
            Failure::new("the directory that the journal is to lie in is not there")
                .at(path)
                .hint("make it first: mkdir -p")
        }
        _ => error.into(),
    })?;
    writeln!(io::stdout(), "{key}")?;
    Ok(())
}

pub(super) fn recipients(args: &RecipientsArgs) -> Result<(), Failure> {
    let cause = cause(&args.reason)?;
    let recipients = args.recipients.parse()?;
    let journal = args.target.take_over()?;
    journal.set(Settings { recipients, ..journal.settings() }, cause)?;
    Ok(journal.close()?)
}

pub(super) fn retention(args: &RetentionArgs) -> Result<(), Failure> {
    let retention = args.bounds.retention();
    if retention == Retention::default() && !args.none {
        return Err(Failure::new("no limit is named, and those that are not named are removed")
            .hint("name all that are to hold: --max-age TIME …; or remove all of them: --none"));
    }
    let cause = cause(&args.reason)?;
    let journal = args.target.take_over()?;
    journal.set(Settings { retention, ..journal.settings() }, cause)?;
    Ok(journal.close()?)
}

pub(super) fn erase(args: &EraseArgs) -> Result<(), Failure> {
    let filter = args.filter.filter(args.text.as_deref())?;
    if filter.is_empty() {
        return Err(Failure::new("nothing says which records are to be erased")
            .hint("--from N --to N, --text TEXT, --since TIME, --logger NAME …"));
    }
    if args.dry_run {
        let reader = args.target.reader(&args.identities)?;
        let (records, refused) =
            reader.would_erase(&filter).map_err(|error| closed_head(&reader, error))?;
        writeln!(io::stdout(), "would be erased: {}", plural(records, "record"))?;
        return refused.map_or(Ok(()), |error| Err(error.into()));
    }
    let cause = cause(args.reason.as_deref().unwrap_or_default())?;
    let reader = args.target.reader(&args.identities)?;
    let journal = args.target.take_over()?;
    let erased = journal.erase(&reader, &filter, &cause)?;
    journal.close()?;
    let (records, segments) =
        (plural(erased.records, "record"), plural(erased.segments, "segment"));
    writeln!(io::stdout(), "erased: {records} in {segments}")?;
    Ok(())
}

pub(super) fn retain(args: &RetainArgs) -> Result<(), Failure> {
    let identities = IdentityArgs { files: args.identity.clone() };
    let reader = (!args.identity.is_empty()).then(|| args.target.reader(&identities));
    let reader = reader.transpose()?;
    let journal = args.target.take_over()?;
    let deleted = journal.retain(&who(), reader.as_ref())?;
    journal.close()?;
    let (segments, records) =
        (plural(deleted.segments, "segment"), plural(deleted.records, "record"));
    write!(io::stdout(), "deleted: {segments} with {records} ({})", size(deleted.bytes))?;
    if deleted.held > 0 {
        write!(io::stdout(), "; holds keep {}", plural(deleted.held, "segment"))?;
    }
    writeln!(io::stdout())?;
    if deleted.expired > 0 {
        let (segments, records) =
            (plural(deleted.expired, "segment"), plural(deleted.contents, "record"));
        writeln!(io::stdout(), "expired: content of {records} in {segments}")?;
    }
    if deleted.sealed > 0 {
        let segments = plural(deleted.sealed, "segment");
        let what = format!(
            "the time of content in {segments} is over, and no identity at hand opens all of it"
        );
        warn(&what, Some("name those of every class: --identity FILE"));
    }
    for (segment, what) in &deleted.failed {
        warn(&format!("segment {segment}: {what}"), None);
    }
    match deleted.failed.len() as u64 {
        0 => Ok(()),
        failed => {
            let what = format!("{} kept what should be gone", plural(failed, "segment"));
            Err(Failure::new(what).hint("see what is wrong: tacenda journal verify DIR"))
        }
    }
}

pub(super) fn hold(args: &HoldArgs) -> Result<(), Failure> {
    if args.name.chars().any(char::is_control) {
        return Err(Failure::new("the name of a hold is one line, without control characters"));
    }
    let times = (args.since.unwrap_or(i64::MIN), args.until.unwrap_or(i64::MAX));
    let journal = args.target.take_over()?;
    journal.hold(Hold { name: args.name.clone(), times }, cause(&args.reason)?)?;
    Ok(journal.close()?)
}

pub(super) fn release(args: &ReleaseArgs) -> Result<(), Failure> {
    let journal = args.target.take_over()?;
    journal.release(&args.name, cause(&args.reason)?)?;
    Ok(journal.close()?)
}
