//! `tacenda lsp`: findings while somebody types.

mod answers;
mod document;
mod message;
mod server;
mod wire;
mod worker;

use std::io;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use clap::Args;
use tacenda_scan::Confidence;

use crate::config::PolicyArgs;
use crate::failure::Failure;
use crate::scan::confidences;
use server::{Server, Settings};
use wire::{Event, read_events};

/// Tell an editor about leaks while its user types
///
/// Speaks the Language Server Protocol on standard input and output: diagnostics, the page of a rule
/// on hover, fixes as quick fixes. All files of the workspace count, so a value is followed from one
/// to the next; only open files are reported.
#[derive(Args, Debug)]
pub(crate) struct LspArgs {
    /// Only these rules: codes or their beginnings, `TAC101`, `TAC6`
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    select: Vec<String>,

    /// All but these rules
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    ignore: Vec<String>,

    /// Only what is at least so sure: low, medium or high; medium without
    #[arg(long, value_name = "CONFIDENCE", value_parser = confidences(), hide_possible_values = true)]
    min_confidence: Option<Confidence>,

    /// Wait for MS milliseconds without a key before looking
    #[arg(long, value_name = "MS", default_value_t = 80)]
    delay: u64,

    /// Read with N threads, in place of one for each processor
    #[arg(short = 'j', long, value_name = "N")]
    threads: Option<std::num::NonZeroUsize>,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Standard input and output: what editors ask for, and the only way there is
    #[arg(long, hide = true)]
    stdio: bool,
}

pub(crate) fn run(args: &LspArgs) -> Result<ExitCode, Failure> {
    crate::scan::known(&args.select)?;
    crate::scan::known(&args.ignore)?;
    let (events, received) = mpsc::channel::<Event>();
    let from_editor = events.clone();
    std::thread::spawn(move || read_events(io::stdin().lock(), &from_editor));
    let settings = Settings {
        select: args.select.clone(),
        ignore: args.ignore.clone(),
        least: args.min_confidence.unwrap_or(Confidence::Medium),
        delay: Duration::from_millis(args.delay),
        threads: args.threads.map_or(0, std::num::NonZeroUsize::get),
        policy: args.policy.clone(),
    };
    let mut server = Server::new(settings, events, io::stdout());
    server.serve(&received)
}
