//! `tacenda journal append`: records from standard input.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use signal_hook::consts::{SIGHUP, SIGINT};
use tacenda_detect::{Engine, Span};
use tacenda_journal::{Appender, JournalError, LONGEST_RECORD as LONGEST, Record, system_clock};
use tacenda_policy::{Class, Policy};
use tacenda_redact::engine;

use super::Target;
use crate::config::{self, PolicyArgs};
use crate::failure::{Failure, reason};

#[derive(Args, Debug)]
pub(crate) struct AppendArgs {
    #[command(flatten)]
    target: Target,

    /// The class of fields that do not say theirs: public, internal, confidential or restricted
    #[arg(long, value_name = "CLASS", default_value = "confidential", value_parser = class)]
    class: Class,

    /// Print how many records are written: 0 when the journal is open, then after every block
    #[arg(long)]
    acknowledge: bool,

    /// Print 0 when the journal is open, and no more
    #[arg(long, hide = true)]
    ready: bool,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

pub(super) fn class(name: &str) -> Result<Class, String> {
    let known = || format!("the classes are {}", Class::NAMES.join(", "));
    Class::from_name(name).ok_or_else(known)
}

/// What is read at once, and the longest piece of a line that is taken as a text.
const BLOCK: usize = 1 << 20;

pub(super) fn run(args: &AppendArgs) -> Result<(), Failure> {
    // Who is before us in the pipe gets the interrupt as well, and ends: then so does our input.
    raised_by(SIGINT)?;
    let rotate = raised_by(SIGHUP)?;
    let loaded = config::load_and_warn(&args.policy.loader())?;
    let classes = Classes::new(loaded.policy(), args.class)?;
    let journal = args.target.append_to()?;
    if args.acknowledge || args.ready {
        writeln!(io::stdout(), "0")?;
    }
    let mut input = BufReader::with_capacity(BLOCK, io::stdin().lock());
    let (mut rest, mut written) = (Vec::new(), 0_u64);
    // Whether what comes goes on with a line that was too long.
    let mut inside = false;
    loop {
        let failed = |error: io::Error| {
            Failure::new(format!("cannot read standard input: {}", reason(&error)))
        };
        let block = input.fill_buf().map_err(failed)?;
        let read = block.len();
        // Whole lines, with what was left before; all of it at the end, or when it is too long.
        let end = match block.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if read == 0 || rest.len() + read > LONGEST => read,
            None => 0,
        };
        rest.extend_from_slice(&block[..end]);
        if end > 0 || read == 0 {
            let ends = read == 0 || rest.ends_with(b"\n");
            written += append(&journal, &rest, &classes, inside || !ends)?;
            inside = !ends;
            rest.clear();
            if rotate.swap(false, Ordering::Relaxed) {
                journal.rotate()?;
            }
            if args.acknowledge && read > 0 {
                writeln!(io::stdout(), "{written}")?;
            }
        }
        rest.extend_from_slice(&block[end..]);
        if read == 0 {
            break;
        }
        input.consume(read);
    }
    Ok(journal.close()?)
}

/// A flag that a signal raises, in place of what it does otherwise.
fn raised_by(signal: i32) -> Result<Arc<AtomicBool>, Failure> {
    let flag = Arc::new(AtomicBool::new(false));
    let registered = signal_hook::flag::register(signal, Arc::clone(&flag));
    let failed = |error| Failure::new(format!("cannot wait for signals: {}", reason(&error)));
    registered.map(|_| flag).map_err(failed)
}

/// Appends lines; the first of them may be a piece of one.
fn append(
    journal: &Appender,
    lines: &[u8],
    classes: &Classes,
    piece: bool,
) -> Result<u64, Failure> {
    let now = system_clock()();
    let lines = lines.split_inclusive(|byte| *byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    let mut all = Vec::new();
    for (number, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        if number == 0 && piece {
            all.extend(texts(line, now)?);
        } else {
            all.extend(classes.records(line, now)?);
        }
    }
    let count = all.len() as u64;
    journal.append_all(all)?;
    Ok(count)
}

/// Of which class the fields of a line are: what is found in them makes them stricter.
pub(super) struct Classes {
    engine: &'static Engine,
    policy: Policy,
    /// Of fields that do not say theirs, and in which nothing is found.
    class: Class,
}

impl Classes {
    pub(super) fn new(policy: &Policy, class: Class) -> Result<Self, Failure> {
        Ok(Self { engine: engine(policy)?, policy: policy.clone(), class })
    }

    /// The record of a line. One that only looks like a record is kept as a text: nothing is lost.
    pub(super) fn records(&self, line: &[u8], time: i64) -> Result<Vec<Record>, JournalError> {
        let mut spans = Vec::new();
        self.engine.scan(line, &mut spans);
        let class = |span: &Span| self.policy.class(self.engine.detector(span.detector).kind);
        let found: Vec<_> = spans.iter().map(|span| (span.start..span.end, class(span))).collect();
        match Record::from_line_with(line, self.class, &found, time) {
            Ok(record) => Ok(vec![record]),
            Err(JournalError::BadRecord { .. }) => texts(line, time),
            Err(error) => Err(error),
        }
    }
}

/// A line of which nobody can tell what its fields are: any of them may be the most secret.
fn texts(line: &[u8], time: i64) -> Result<Vec<Record>, JournalError> {
    line.chunks(BLOCK).map(|piece| Record::from_text(piece, Class::Restricted, time)).collect()
}
