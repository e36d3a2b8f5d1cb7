//! `tacenda find`: what is in logs that exist.

mod progress;
mod text;

use std::fmt::Display;
use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use tacenda_detect::Confidence;
use tacenda_find::formats::{self, Sarif};
use tacenda_find::{Filter, Found, Problem, Report, Search, Searcher, Selection, search};
use tacenda_policy::{Kind, Loaded, Severity};

use crate::config::{self, PolicyArgs};
use crate::detectors::known_detectors;
use crate::failure::{Failure, print};
use crate::output::Output;
use crate::redactor::redactor;
use progress::Progress;

/// Find sensitive values in logs that exist
///
/// Files are read as they are or unpacked (gzip, Zstandard, xz), the files of a rotated set count
/// as one log, and memory stays bounded whatever their size. The report says where values are and
/// what they are, never what they say.
///
/// The exit status is 0 if nothing was found, 1 if something was, 2 after an error (what could be
/// read was), 3 if there was nothing to look at. With `--format sarif` it is 0 for findings too.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct FindArgs {
    /// Files, directories, or `-` for standard input; the current directory if there is none
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Of the files in directories, only those that match GLOB (in the syntax of gitignore)
    #[arg(long, value_name = "GLOB", help_heading = "Files")]
    include: Vec<String>,

    /// Of the files in directories, none that match GLOB (in the syntax of gitignore)
    #[arg(long, value_name = "GLOB", help_heading = "Files")]
    exclude: Vec<String>,

    /// Look at hidden files and directories too
    #[arg(long, help_heading = "Files")]
    hidden: bool,

    /// Look at files in directories that are no text too
    #[arg(long, help_heading = "Files")]
    binary: bool,

    /// Only values of this kind: credential, personal, financial …
    #[arg(long, value_name = "KIND", value_delimiter = ',', help_heading = "Findings",
          value_parser = kinds(), hide_possible_values = true)]
    kind: Vec<Kind>,

    /// Only what this detector finds
    #[arg(long, value_name = "ID", value_delimiter = ',', help_heading = "Findings")]
    detector: Vec<String>,

    /// Only what is at least so bad: info, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", help_heading = "Findings",
          value_parser = severities(), hide_possible_values = true)]
    min_severity: Option<Severity>,

    /// Only what is at least so sure: low, medium or high
    #[arg(long, value_name = "CONFIDENCE", help_heading = "Findings",
          value_parser = confidences(), hide_possible_values = true)]
    min_confidence: Option<Confidence>,

    /// List no more than N findings; all are counted
    #[arg(long, value_name = "N", help_heading = "Findings")]
    max_findings: Option<u64>,

    /// Output format
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,

    /// Write to FILE (mode 0600), which appears only when it is complete
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,

    /// Tell of entries of the policy's allow-list that allowed nothing
    #[arg(short, long, help_heading = "Output")]
    verbose: bool,

    /// Show no progress
    #[arg(long, help_heading = "Output")]
    no_progress: bool,

    /// Read with N threads, in place of one for each processor
    #[arg(short = 'j', long, value_name = "N", help_heading = "Output")]
    threads: Option<NonZeroUsize>,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A report for people
    #[default]
    Text,
    /// One JSON object for each finding, one a line
    Jsonl,
    /// The report as one JSON object
    Json,
    /// SARIF 2.1.0, for code scanning services
    Sarif,
    /// The report as a page without script, to read or to print
    Html,
}

fn kinds() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(Kind::NAMES).map(|name| Kind::from_name(&name).expect("a kind"))
}

fn severities() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::NAMES)
        .map(|name| Severity::from_name(&name).expect("a severity"))
}

fn confidences() -> impl TypedValueParser<Value = Confidence> {
    let names = Confidence::ALL.iter().map(|one| one.name());
    PossibleValuesParser::new(names).map(|name| Confidence::from_name(&name).expect("a confidence"))
}

pub(crate) fn run(args: &FindArgs) -> Result<ExitCode, Failure> {
    let loaded = config::load_and_warn(&args.policy.loader())?;
    let redactor = redactor(loaded.policy())?;
    known_detectors(&args.detector, redactor.engine())?;
    let filter = Filter {
        kinds: args.kind.clone(),
        detectors: args.detector.clone(),
        min_severity: args.min_severity,
        min_confidence: args.min_confidence,
    };
    let searcher = Searcher::new(&redactor, &filter);
    let searcher = match args.format {
        Format::Sarif => searcher.with_columns(),
        _ => searcher,
    };
    let selected = selection(args).select().map_err(|bad| {
        Failure::new(bad.to_string()).hint("quote it for the shell: --include '*.log'")
    })?;

    let mut out = Writer::new(args)?;
    let mut left = args.max_findings.unwrap_or(u64::MAX);
    let mut progress = Progress::new(&selected.logs, !args.no_progress);
    let job = Search {
        searcher: &searcher,
        logs: &selected.logs,
        binary: args.binary,
        threads: args.threads,
    };
    let mut each = |found: Found<'_>| {
        if left == 0 {
            return Ok(());
        }
        left -= 1;
        out.finding(found, &searcher)
    };
    let ended = search(job, &mut each, &mut |bytes| progress.show(bytes));
    progress.finish();
    let mut report = ended?;
    report.problems.splice(0..0, selected.problems);
    out.finish(&report, &searcher)?;

    report.problems.iter().try_for_each(tell)?;
    if args.verbose {
        redactor.allowed().unused().into_iter().try_for_each(|entry| unused(&loaded, entry))?;
    }
    let found = report.findings() > 0 && args.format != Format::Sarif;
    Ok(ExitCode::from(match () {
        () if !report.problems.is_empty() => 2,
        () if report.searched().next().is_none() => {
            let hint = match report.binary.len() {
                0 => "name a file or a directory with logs, or check --include and --exclude",
                _ => "the files here are no text: name one, or pass --binary",
            };
            let style = AnsiColor::Yellow.on_default().bold();
            let err = &mut anstream::stderr().lock();
            print(err, ("warning", style), "there was nothing to look at", None, Some(hint))?;
            3
        }
        () if found => 1,
        () => 0,
    }))
}

fn selection(args: &FindArgs) -> Selection {
    let here = || vec![PathBuf::from(".")];
    Selection {
        paths: if args.paths.is_empty() { here() } else { args.paths.clone() },
        include: args.include.clone(),
        exclude: args.exclude.clone(),
        hidden: args.hidden,
        binary: args.binary,
    }
}

fn unused(loaded: &Loaded, entry: usize) -> io::Result<()> {
    let yellow = AnsiColor::Yellow.on_default().bold();
    let place = loaded.allow_place(entry).map(|place| place as &dyn Display);
    let message = "this entry of `[[allow]]` allowed nothing here";
    print(&mut anstream::stderr().lock(), ("warning", yellow), message, place, None)
}

fn tell(problem: &Problem) -> io::Result<()> {
    let red = AnsiColor::Red.on_default().bold();
    let place = text::shown(&problem.path);
    let err = &mut anstream::stderr().lock();
    print(err, ("error", red), &problem.reason.to_string(), Some(&place), None)
}

/// Writes the report in its format, as it comes or in the end.
struct Writer {
    format: Writing,
    out: BufWriter<Output>,
    to_file: bool,
}

enum Writing {
    Jsonl,
    Sarif(Sarif),
    /// All at once, in the end.
    Whole(Format),
}

impl Writer {
    fn new(args: &FindArgs) -> Result<Self, Failure> {
        let out = match &args.output {
            Some(path) => Output::file(path)?,
            None => Output::stdout()?,
        };
        let format = match args.format {
            Format::Jsonl => Writing::Jsonl,
            Format::Sarif => Writing::Sarif(Sarif::default()),
            whole => Writing::Whole(whole),
        };
        let out = BufWriter::with_capacity(64 * 1024, out);
        Ok(Self { format, out, to_file: args.output.is_some() })
    }

    fn finding(&mut self, found: Found<'_>, searcher: &Searcher<'_>) -> io::Result<()> {
        match &mut self.format {
            Writing::Jsonl => formats::jsonl(&mut self.out, found, searcher),
            Writing::Sarif(sarif) => sarif.finding(&mut self.out, found),
            Writing::Whole(_) => Ok(()),
        }
    }

    fn finish(mut self, report: &Report, searcher: &Searcher<'_>) -> Result<(), Failure> {
        let out = &mut self.out;
        match self.format {
            Writing::Jsonl => {}
            Writing::Sarif(sarif) => sarif.finish(out, report, searcher)?,
            Writing::Whole(Format::Json) => {
                writeln!(out, "{:#}", formats::json(report, searcher))?;
            }
            Writing::Whole(Format::Html) => {
                let page = formats::html(report, searcher, jiff::Timestamp::now());
                out.write_all(page.as_bytes())?;
            }
            Writing::Whole(_) => {
                let mut page = Vec::new();
                text::report(&mut page, report, searcher)?;
                // Colours are for a terminal.
                if self.to_file {
                    out.write_all(&anstream::adapter::strip_bytes(&page).into_vec())?;
                } else {
                    anstream::stdout().lock().write_all(&page)?;
                }
            }
        }
        self.out.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
    }
}
