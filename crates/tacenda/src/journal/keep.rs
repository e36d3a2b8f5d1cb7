//! `tacenda journal init`, `recipients`, `erase`, `retain`, `hold` and `release`.

use std::io::{self, Write as _};

use clap::{Args, ValueEnum};
use tacenda_journal::{Durability, Hold, Journal, Limits, Retention, Settings};

use super::filter::FilterArgs;
use super::{IdentityArgs, RecipientArgs, Target, cause, quantity};
use crate::failure::Failure;
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
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = quantity::bytes)]
    segment_size: u64,

    /// Time after which a segment is sealed
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = quantity::seconds)]
    segment_age: u64,

    /// Time after which `journal retain` deletes a segment
    #[arg(long, value_name = "TIME", value_parser = quantity::seconds)]
    max_age: Option<u64>,

    /// Bytes of sealed segments above which `journal retain` deletes the oldest
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes)]
    max_size: Option<u64>,

    /// Free bytes of the disk below which `journal retain` deletes the oldest
    #[arg(long, value_name = "SIZE", value_parser = quantity::bytes)]
    min_free: Option<u64>,
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
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,

    #[command(flatten, next_help_heading = "Which records")]
    filter: FilterArgs,

    /// Why; it goes on record
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

#[derive(Args, Debug)]
pub(crate) struct HoldArgs {
    #[command(flatten)]
    target: Target,

    /// Its name
    #[arg(value_name = "NAME")]
    name: String,

    /// From this time on (RFC 3339, or so long ago: 30d)
    #[arg(long, value_name = "TIME", value_parser = quantity::moment)]
    since: Option<i64>,

    /// Up to this time
    #[arg(long, value_name = "TIME", value_parser = quantity::moment)]
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
        retention: Retention {
            max_seconds: args.max_age,
            max_bytes: args.max_size,
            min_free: args.min_free,
        },
    };
    let key = Journal::create(&args.target.path, settings, &args.target.options())?;
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

pub(super) fn erase(args: &EraseArgs) -> Result<(), Failure> {
    let filter = args.filter.filter(args.text.as_deref());
    if filter.is_empty() {
        return Err(Failure::new("nothing says which records are to be erased")
            .hint("--from N --to N, --text TEXT, --since TIME, --logger NAME …"));
    }
    let cause = cause(&args.reason)?;
    let reader = args.target.reader(&args.identities)?;
    let journal = args.target.take_over()?;
    let erased = journal.erase(&reader, &filter, &cause)?;
    journal.close()?;
    let (records, segments) =
        (plural(erased.records, "record"), plural(erased.segments, "segment"));
    writeln!(io::stdout(), "erased: {records} in {segments}")?;
    Ok(())
}

pub(super) fn retain(target: &Target) -> Result<(), Failure> {
    let journal = target.take_over()?;
    let deleted = journal.retain(&who())?;
    journal.close()?;
    let (segments, records) =
        (plural(deleted.segments, "segment"), plural(deleted.records, "record"));
    write!(io::stdout(), "deleted: {segments} with {records} ({})", size(deleted.bytes))?;
    if deleted.held > 0 {
        write!(io::stdout(), "; holds keep {}", plural(deleted.held, "segment"))?;
    }
    writeln!(io::stdout())?;
    Ok(())
}

pub(super) fn hold(args: &HoldArgs) -> Result<(), Failure> {
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
