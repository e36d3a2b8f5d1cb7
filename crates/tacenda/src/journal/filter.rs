//! Which records are meant: the flags of every command that reads.

use clap::Args;
use tacenda_journal::{Filter, levels};

use super::quantity;
use crate::failure::Failure;

#[derive(Args, Clone, Debug, Default)]
pub(super) struct FilterArgs {
    /// From this record on, by its number
    #[arg(long, value_name = "N")]
    from: Option<u64>,

    /// Up to this record, it included
    #[arg(long, value_name = "N")]
    to: Option<u64>,

    /// From this time on (RFC 3339, a day in UTC, or so long ago: 15m, 12h)
    #[arg(long, value_name = "TIME", value_parser = quantity::moment)]
    since: Option<i64>,

    /// Up to this time; a day, to its end
    #[arg(long, value_name = "TIME", value_parser = quantity::end)]
    until: Option<i64>,

    /// Of this level or a higher one
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    level: Option<String>,

    /// Of this logger, or one below it
    #[arg(long, value_name = "NAME", value_parser = some)]
    logger: Option<String>,

    /// About values of this kind
    #[arg(long, value_name = "KIND", value_parser = some)]
    kind: Option<String>,

    /// With this value of a field; may be given more than once
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = field)]
    fields: Vec<(String, String)>,
}

/// What selects records is not empty, as a variable of a script is that was not set: all would pass.
pub(super) fn some(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("the text is empty".to_owned()) } else { Ok(text.to_owned()) }
}

fn field(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("NAME=VALUE")?;
    Ok((some(name)?, some(value)?))
}

fn level(text: &str) -> Result<String, String> {
    let level = text.to_ascii_lowercase();
    if levels().any(|known| known == level) {
        return Ok(level);
    }
    Err(format!("no level: one of {}", levels().collect::<Vec<_>>().join(", ")))
}

impl FilterArgs {
    pub(super) fn filter(&self, text: Option<&str>) -> Result<Filter, Failure> {
        if self.from.zip(self.to).is_some_and(|(from, to)| from > to) {
            return Err(Failure::new("`--from` is after `--to`: no record is between them"));
        }
        if self.since.zip(self.until).is_some_and(|(since, until)| since > until) {
            return Err(Failure::new("`--since` is after `--until`: no record is between them"));
        }
        let numbers = (self.from.is_some() || self.to.is_some())
            .then(|| (self.from.unwrap_or(0), self.to.unwrap_or(u64::MAX)));
        Ok(Filter {
            numbers,
            since: self.since,
            until: self.until,
            level: self.level.clone(),
            logger: self.logger.clone(),
            kind: self.kind.clone(),
            fields: self.fields.clone(),
            text: text.map(str::to_owned),
        })
    }
}
