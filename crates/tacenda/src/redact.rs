//! `tacenda redact`: files and streams, redacted.

mod in_place;
mod original;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tacenda_guard::{JsonLinesFilter, Tally, TextFilter};
use tacenda_redact::AtPath;

use crate::config::{self, PolicyArgs};
use crate::failure::{Failure, reason};
use crate::output::Output;
use crate::redactor::{redactor, report_lost};
use crate::report;

/// Bytes asked for in one read. What one read gives is redacted and written before the next.
const BLOCK: usize = 256 * 1024;

/// Redact files or a stream, line by line
///
/// Lines come out as soon as they are complete, so it can stand behind `tail -f`; one that goes on in
/// the next, wrapped at a width or with the soft break of a mail, comes with that. Memory stays bounded
/// whatever the size. Any bytes are allowed. A report of what was redacted goes to standard error and
/// never holds a value.
///
/// With `--in-place` each file is rewritten where it is: packed as it was, with its owner, mode and
/// times, and whole or not at all. A file that is a link, has other names or is being written to is
/// left as it is.
///
/// The exit status is 0 however much was redacted, 2 after an error.
#[derive(Args, Debug)]
pub(crate) struct RedactArgs {
    /// Files to redact, one after the other; `-` is standard input, as is none
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// What the input is
    #[arg(long, value_enum, default_value_t, help_heading = "Input and output")]
    format: Format,

    /// Write to FILE (mode 0600), which appears only when it is complete
    #[arg(short, long, value_name = "FILE", help_heading = "Input and output")]
    output: Option<PathBuf>,

    /// How to report what was redacted, on standard error
    #[arg(long, value_enum, default_value_t, help_heading = "Input and output")]
    report: ReportFormat,

    /// Rewrite each FILE where it is
    #[arg(long, conflicts_with = "output", requires = "files", help_heading = "In place")]
    in_place: bool,

    /// Keep the file as it was under its name with SUFFIX; it holds the values
    #[arg(long, value_name = "SUFFIX", requires = "in_place", help_heading = "In place")]
    backup: Option<OsString>,

    /// Add to FILE (mode 0600) a line of JSON for each file: counts, SHA-256 before and after
    #[arg(long, value_name = "FILE", requires = "in_place", help_heading = "In place")]
    manifest: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines of text
    #[default]
    Text,
    /// One JSON value a line: strings are redacted decoded, keys are kept
    Jsonl,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// A line for people
    #[default]
    Text,
    /// One JSON object
    Json,
    /// Nothing
    None,
}

/// One input, named as in messages.
#[derive(Debug)]
struct Input {
    name: PathBuf,
    file: File,
}

pub(crate) fn run(args: &RedactArgs) -> Result<ExitCode, Failure> {
    let loaded = config::load_and_warn(&args.policy.loader())?;
    let redactor = redactor(loaded.policy())?;

    if args.in_place {
        let in_place = in_place::InPlace {
            redactor: &redactor,
            format: args.format,
            report: args.report,
            backup: args.backup.as_ref(),
            manifest: args.manifest.as_deref(),
        };
        return in_place.run(&args.files);
    }
    let standard_input = [PathBuf::from("-")];
    let names = if args.files.is_empty() { &standard_input[..] } else { &args.files };
    // All are looked at before anything is written.
    for name in names {
        open(name).and_then(|input| check(&input, args.output.as_deref()))?;
    }
    let mut output = match &args.output {
        Some(path) => Output::file(path)?,
        None => Output::stdout()?,
    };
    let mut tally = Tally::default();
    for name in names {
        let log = (name.as_path() != Path::new("-")).then_some(name.as_path());
        let mut filter = Filter::new(args.format, redactor.at_path(log));
        filter.redact(open(name)?, &mut output)?;
        tally.add(&filter.tally());
    }
    output.finish()?;
    report_lost(&redactor);

    let mut err = anstream::stderr().lock();
    match args.report {
        ReportFormat::Text => report::text(&mut err, &tally, redactor.engine())?,
        ReportFormat::Json => report::json(&mut err, &tally, redactor.engine())?,
        ReportFormat::None => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn open(name: &Path) -> Result<Input, Failure> {
    let file = if name == Path::new("-") {
        io::stdin().as_fd().try_clone_to_owned().map(File::from)
    } else {
        File::open(name)
    };
    let file = file.map_err(|error| cannot_read(name, &error))?;
    Ok(Input { name: name.to_owned(), file })
}

fn check(input: &Input, output: Option<&Path>) -> Result<(), Failure> {
    let metadata = input.file.metadata().map_err(|error| cannot_read(&input.name, &error))?;
    if metadata.is_dir() {
        return Err(Failure::new("this is a directory")
            .at(&input.name)
            .hint("name the files in it: tacenda redact DIRECTORY/*.log"));
    }
    let same = |output: std::fs::Metadata| {
        output.is_file() && (output.dev(), output.ino()) == (metadata.dev(), metadata.ino())
    };
    if output.is_some_and(|path| std::fs::metadata(path).is_ok_and(same)) {
        return Err(Failure::new("the output is one of the inputs")
            .at(&input.name)
            .hint("write to another file, then rename it"));
    }
    Ok(())
}

fn cannot_read(name: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot read the input: {}", reason(error))).at(name)
}

enum Filter<'r> {
    Text(TextFilter<AtPath<'r>>),
    Json(JsonLinesFilter<AtPath<'r>>),
}

impl<'r> Filter<'r> {
    fn new(format: Format, redactor: AtPath<'r>) -> Self {
        match format {
            Format::Text => Self::Text(TextFilter::new(redactor)),
            Format::Jsonl => Self::Json(JsonLinesFilter::new(redactor)),
        }
    }

    /// One input from its start to its end. No record goes on from one input to the next.
    fn redact(&mut self, input: Input, output: &mut Output) -> Result<(), Failure> {
        let Input { name, mut file } = input;
        let mut block = vec![0; BLOCK];
        let mut out = Vec::with_capacity(BLOCK);
        loop {
            let count = match file.read(&mut block) {
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(cannot_read(&name, &error)),
            };
            self.block(&block[..count], &mut out);
            output.write_all(&out)?;
            out.clear();
            if count == 0 {
                return Ok(());
            }
        }
    }

    /// The next bytes of an input; none at its end.
    fn block(&mut self, block: &[u8], out: &mut Vec<u8>) {
        match (self, block.is_empty()) {
            (Self::Text(filter), false) => filter.push(block, out),
            (Self::Json(filter), false) => filter.push(block, out),
            (Self::Text(filter), true) => filter.finish(out),
            (Self::Json(filter), true) => filter.finish(out),
        }
    }

    fn tally(&self) -> Tally {
        match self {
            Self::Text(filter) => filter.tally().clone(),
            Self::Json(filter) => filter.tally(),
        }
    }
}
