//! `tacenda journal append`: records from standard input.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::Args;
use tacenda_detect::{Engine, Span};
use tacenda_journal::{Appender, JournalError, LONGEST_RECORD as LONGEST, Record, system_clock};
use tacenda_policy::{Class, Level, Policy};
use tacenda_redact::engine;
use tacenda_sink::level_of_line;

use super::Target;
use super::input::{Beginning, Event};
use crate::config::{self, PolicyArgs};
use crate::failure::{Failure, warn};

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

    /// Print 0 when the journal is open, then after every block how many bytes of the input are
    /// written, for as long as somebody reads it
    #[arg(long, hide = true, conflicts_with = "acknowledge")]
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

pub(super) fn run(args: &AppendArgs) -> Result<ExitCode, Failure> {
    let beginning = Beginning::new()?;
    let loaded = config::load_and_warn(&args.policy.loader())?;
    let classes = Classes::new(loaded.policy(), args.class)?;
    let journal = args.target.append_to()?;
    let mut input = beginning.input()?;
    args.say(0, 0)?;
    let (mut block, mut rest) = (vec![0; BLOCK], Vec::new());
    let (mut records, mut bytes) = (0, 0);
    // Whether what comes goes on with a line that was too long.
    let mut inside = false;
    loop {
        input.waits(false);
        let read = match input.next(&mut block)? {
            Event::Read(read) => read,
            Event::HangUp => {
                input.waits(!journal.is_owner());
                journal.rotate()?;
                continue;
            }
            Event::Stop => {
                if !rest.is_empty() {
                    warn("the last line had not ended: it is not written", None);
                }
                break;
            }
        };
        let block = &block[..read];
        // Whole lines, with what was left before; all of it at the end, or when it is too long.
        let end = match block.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => at + 1,
            None if read == 0 || rest.len() + read > LONGEST => read,
            None => 0,
        };
        rest.extend_from_slice(&block[..end]);
        if end > 0 || read == 0 && !rest.is_empty() {
            let ends = read == 0 || rest.ends_with(b"\n");
            input.waits(!journal.is_owner());
            records += append(&journal, &rest, &classes, inside || !ends)?;
            bytes += rest.len() as u64;
            inside = !ends;
            rest.clear();
            args.say(records, bytes)?;
        }
        if read == 0 {
            break;
        }
        rest.extend_from_slice(&block[end..]);
    }
    journal.close()?;
    Ok(input.status())
}

impl AppendArgs {
    /// Says how much is written, to who wants to know.
    fn say(&self, records: u64, bytes: u64) -> io::Result<()> {
        if self.acknowledge {
            writeln!(io::stdout(), "{records}")?;
        }
        if self.ready {
            // The program that wrote it may have been killed: it is written all the same.
            let _ = writeln!(io::stdout(), "{bytes}");
        }
        Ok(())
    }
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
    let lines = lines.map(without_end);
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
            Ok(mut record) => {
                if record.level.is_empty() {
                    let level = level_of_line(line).map_or("", Level::name);
                    level.clone_into(&mut record.level);
                }
                Ok(vec![record])
            }
            Err(JournalError::BadRecord { .. }) => texts(line, time),
            Err(error) => Err(error),
        }
    }
}

/// A line without what ends it, also where that is of another system.
pub(super) fn without_end(line: &[u8]) -> &[u8] {
    let Some(line) = line.strip_suffix(b"\n") else { return line };
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A line of which nobody can tell what its fields are: any of them may be the most secret.
pub(super) fn texts(line: &[u8], time: i64) -> Result<Vec<Record>, JournalError> {
    pieces(line, BLOCK).map(|piece| Record::from_text(piece, Class::Restricted, time)).collect()
}

/// Pieces of a line, none of which ends within a character: half of one could not be kept.
fn pieces(mut line: &[u8], longest: usize) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let is_inside = |at: &usize| line.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
        let end = longest.min(line.len());
        // No character has more than four bytes.
        let whole = (end.saturating_sub(3)..=end).rev().find(|at| !is_inside(at)).unwrap_or(end);
        let (piece, rest) = line.split_at(whole);
        line = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_piece_ends_within_a_character() {
        let text = "aéé\u{1f40c}\u{1f40c}é";
        let text_pieces: Vec<&[u8]> = pieces(text.as_bytes(), 4).collect();
        assert!(text_pieces.iter().all(|piece| std::str::from_utf8(piece).is_ok()));
        assert_eq!(text_pieces.concat(), text.as_bytes());
        assert_eq!(pieces(&[0x80; 9], 4).map(<[u8]>::len).collect::<Vec<_>>(), [4, 4, 1]);
        assert_eq!(pieces(b"", 4).count(), 0);
    }
}
