//! `tacenda rules allow`: an entry for the allow-list of the policy, without the value in it.

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use tacenda_policy::Kind;
use tacenda_redact::{engine, value_hash};

use crate::config::{self, PolicyArgs};
use crate::detectors::known_detectors;
use crate::failure::{Failure, reason, warn};

/// Longest value that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// Print an entry of `[[allow]]` for a value
///
/// The value is read from standard input, up to the end of its line, and stands in the entry as a
/// salted hash: `printf %s VALUE | tacenda rules allow --reason WHY >> tacenda.toml`. Whoever has the
/// policy file and can guess the value can see that they guessed right.
#[derive(Args, Debug)]
pub(crate) struct AllowArgs {
    /// Why the value is allowed
    #[arg(long, value_name = "WHY")]
    reason: String,

    /// Only where this detector finds it
    #[arg(long = "detector", value_name = "ID")]
    detectors: Vec<String>,

    /// Only where it is found as a value of this kind
    #[arg(long = "kind", value_name = "KIND", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(Kind::NAMES))]
    kinds: Vec<String>,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

pub(super) fn run(args: &AllowArgs) -> Result<ExitCode, Failure> {
    let loaded = config::load(&args.policy.loader())?;
    let engine = engine(loaded.policy())?;
    known_detectors(&args.detectors, engine)?;
    let value = value()?;
    let mut spans = Vec::new();
    engine.scan(&value, &mut spans);
    let whole = spans.iter().any(|span| (span.start, span.end) == (0, value.len()));
    if !spans.is_empty() && !whole {
        warn(
            "detectors find a part of this value, and an entry is about the whole that is found",
            Some("give that part alone: of `Desk <desk@example.org>` the address"),
        );
    }

    let mut out = anstream::stdout().lock();
    writeln!(out, "[[allow]]")?;
    writeln!(out, "value = \"{}\"", value_hash(&value))?;
    for (name, list) in [("detectors", &args.detectors), ("kinds", &args.kinds)] {
        if !list.is_empty() {
            writeln!(out, "{name} = {}", json!(list))?;
        }
    }
    // A string of JSON is one of TOML.
    writeln!(out, "reason = {}", json!(args.reason))?;
    Ok(ExitCode::SUCCESS)
}

/// The value on standard input: a line of a terminal, or all there is but for its last line end.
fn value() -> Result<Vec<u8>, Failure> {
    let input = io::stdin().lock();
    let mut value = Vec::new();
    let read = if input.is_terminal() {
        writeln!(io::stderr(), "Type the value and press Enter.")?;
        input.take(LONGEST + 1).read_until(b'\n', &mut value)
    } else {
        input.take(LONGEST + 1).read_to_end(&mut value)
    };
    read.map_err(|error| Failure::new(format!("cannot read the value: {}", reason(&error))))?;
    if value.last() == Some(&b'\n') {
        value.pop();
    }
    if value.last() == Some(&b'\r') {
        value.pop();
    }
    if value.is_empty() {
        return Err(Failure::new("there is no value on standard input")
            .hint("printf %s VALUE | tacenda rules allow --reason WHY"));
    }
    if value.len() as u64 > LONGEST {
        return Err(Failure::new("the value is longer than 1 MiB"));
    }
    Ok(value)
}
