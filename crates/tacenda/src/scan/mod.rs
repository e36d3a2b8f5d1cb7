//! `tacenda scan`: leaks in code, before it ships.

mod cache;
mod fix;
mod models;
mod progress;
mod slot_map;
mod text;

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use tacenda_policy::{MappedFile, Severity};
use tacenda_scan::rules::Rule;
use tacenda_scan::{
    BadBase, Base, Baseline, Cache, Confidence, Finding, Models, Report, Selection, Setup, Source,
    formats, scan_mapped, scan_watched, suggest,
};

use crate::config::PolicyArgs;
use crate::failure::{Failure, print, reason, warn};
use crate::output::Output;
pub(crate) use models::{models, models_of};
use progress::Progress;

/// Find leaks in Python code before it ships
///
/// Follows credentials, prompts, model outputs, headers and bodies from where they come in to
/// where a program logs, prints or sends them, through variables, containers, functions and files.
/// The way is part of each finding; the source's literals are not.
///
/// A finding is accepted where it stands with `# tacenda: ignore[TAC101] reason`, or all of them
/// with a baseline. `tacenda rule TAC101` explains a rule.
///
/// With `--fix` what can be fixed is, and the rest is told. A file that changed meanwhile, or that is
/// no Python, is left as it is.
///
/// The exit status is 0 if nothing was found, 1 if something was, 2 after an error (what could be
/// read was), 3 if there was nothing to look at. With `--format sarif` it is 0 for findings too. With `--diff`
/// it is 1 if something would change.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct ScanArgs {
    /// Files, directories, or `-` for standard input; the current directory if there is none
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Leave out files in directories that match GLOB (in the syntax of gitignore)
    #[arg(long, value_name = "GLOB", help_heading = "Files")]
    exclude: Vec<String>,

    /// Only these rules: codes or their beginnings, `TAC101`, `TAC6`
    #[arg(long, value_name = "CODE", value_delimiter = ',', help_heading = "Findings")]
    select: Vec<String>,

    /// All but these rules
    #[arg(long, value_name = "CODE", value_delimiter = ',', help_heading = "Findings")]
    ignore: Vec<String>,

    /// Only what is at least so sure: low, medium or high; medium without
    #[arg(long, value_name = "CONFIDENCE", help_heading = "Findings",
          value_parser = confidences(), hide_possible_values = true)]
    min_confidence: Option<Confidence>,

    /// Only what is at least so bad: info, low, medium, high or critical
    #[arg(long, value_name = "SEVERITY", help_heading = "Findings",
          value_parser = severities(), hide_possible_values = true)]
    min_severity: Option<Severity>,

    /// Only findings that are not in FILE
    #[arg(long, value_name = "FILE", help_heading = "Findings")]
    baseline: Option<PathBuf>,

    /// Write all findings to FILE as the baseline to come, and end with 0 if all could be read
    #[arg(long, value_name = "FILE", help_heading = "Findings", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,

    /// Only what was added since REV: findings that git's revision did not have, and those whose
    /// way leads over a changed line
    #[arg(long, value_name = "REV", help_heading = "Findings", conflicts_with = "write_baseline")]
    diff_base: Option<String>,

    /// Write fixes into the files: those after which the program computes what it did, needs what
    /// it needed, and logs all but the value
    #[arg(long, help_heading = "Fixes", conflicts_with = "diff_base")]
    fix: bool,

    /// Show what `--fix` would change, and change nothing; literals are hidden as in findings
    #[arg(long, help_heading = "Fixes", conflicts_with_all = ["fix", "diff_base"])]
    diff: bool,

    /// With `--fix` or `--diff`, also fixes that take a look: each tells why in its rule
    #[arg(long, help_heading = "Fixes")]
    unsafe_fixes: bool,

    /// Output format
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,

    /// Also write the slot map to FILE: what the values in each logging call are, for
    /// `guard.slot_map` of the policy
    #[arg(long, value_name = "FILE", help_heading = "Output", conflicts_with_all = ["fix", "diff", "write_baseline"])]
    slot_map: Option<PathBuf>,

    /// Write to FILE (mode 0600), which appears only when it is complete
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,

    /// Only the findings: no summary, no suggestions
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// Keep what came of scans in DIR, in place of the user's cache directory
    #[arg(long, value_name = "DIR", help_heading = "Cache", conflicts_with = "no_cache")]
    cache_dir: Option<PathBuf>,

    /// Neither keep what comes of the scan nor look whether it is known
    #[arg(long, help_heading = "Cache")]
    no_cache: bool,

    /// Show no progress
    #[arg(long, help_heading = "Output")]
    no_progress: bool,

    /// Read with N threads, in place of one for each processor
    #[arg(short = 'j', long, value_name = "N", help_heading = "Output")]
    threads: Option<std::num::NonZeroUsize>,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Annotated source, for people
    #[default]
    Text,
    /// One JSON object for each finding, one a line
    Jsonl,
    /// The report as one JSON object
    Json,
    /// SARIF 2.1.0, for code scanning services
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
    /// Code Quality report of GitLab
    Gitlab,
    /// A test report in XML, as build servers read it
    Junit,
}

fn severities() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::NAMES)
        .map(|name| Severity::from_name(&name).expect("a severity"))
}

pub(crate) fn confidences() -> impl TypedValueParser<Value = Confidence> {
    let names = Confidence::ALL.iter().map(|one| one.name());
    PossibleValuesParser::new(names).map(|name| Confidence::from_name(&name).expect("a confidence"))
}

pub(crate) fn run(args: &ScanArgs) -> Result<ExitCode, Failure> {
    known(&args.select)?;
    known(&args.ignore)?;
    let models = models(&args.policy.loader())?;
    let threads = args.threads.map_or(0, std::num::NonZeroUsize::get);
    let setup = Setup { models: &models, threads };
    let baseline = args.baseline.as_deref().map(read_baseline).transpose()?;
    let (mut sources, problems) = sources(args)?;
    // A bad revision is told before the work is done.
    let base = args.diff_base.as_deref().map(|revision| base(args, revision, &sources));
    let mut base = base.transpose()?;
    let cache = if args.no_cache { None } else { cache::open(args.cache_dir.as_deref())? };
    let scan = |sources: &[Source]| scanned(args, setup, cache.as_ref(), sources, None);
    let mut mapped = args.slot_map.as_ref().map(|_| Vec::new());
    let mut look = |sources: &[Source]| {
        let mut report = scanned(args, setup, cache.as_ref(), sources, mapped.as_mut());
        report.findings.retain(|finding| is_asked_for(args, finding));
        report.suppressed.retain(|finding| is_asked_for(args, finding));
        report
    };
    if let Some(path) = &args.write_baseline {
        let mut report = look(&sources);
        report.problems.splice(0..0, problems);
        write_baseline(path, &report)?;
        tell_problems(&report)?;
        return Ok(ExitCode::from(if report.problems.is_empty() { 0 } else { 2 }));
    }
    let mut left_out = LeftOut::default();
    let mut look = |sources: &[Source]| {
        let mut report = look(sources);
        if let Some(base) = base.take() {
            left_out.before = base.leave_added(&mut report, sources, scan);
        }
        if let Some(baseline) = baseline.clone() {
            left_out.accepted = baseline.apply(&mut report.findings);
        }
        suggest(&mut report, sources);
        report
    };
    let mut fixes = fix::Fixes::new(&models);
    let mut report = if args.fix || args.diff {
        sources = sources.into_iter().map(Source::pinned).collect();
        fixes.make(args.unsafe_fixes, &mut sources, &mut look)
    } else {
        look(&sources)
    };
    report.problems.splice(0..0, problems);
    if args.diff {
        emit(args, &fixes.diff())?;
        tell_problems(&report)?;
        fixes.tell("would be fixed")?;
        let failed = !report.problems.is_empty();
        return Ok(ExitCode::from(if failed { 2 } else { u8::from(!fixes.is_empty()) }));
    }
    let refused = fixes.write();
    if let Some((path, files)) = args.slot_map.as_ref().zip(mapped) {
        slot_map::write(path, files, args.quiet)?;
    }

    write(args, &report, &sources, &models)?;
    tell_problems(&report)?;
    for unused in &report.unused {
        let yellow = AnsiColor::Yellow.on_default().bold();
        let cell = unused.cell.map_or(String::new(), |cell| format!("cell {cell}:"));
        let place = format!("{}:{cell}{}", unused.path.display(), unused.line);
        let err = &mut anstream::stderr().lock();
        print(err, ("warning", yellow), &unused.why.to_string(), Some(&place), None)?;
    }
    if args.fix && !args.quiet {
        fixes.tell("fixed")?;
    }
    if args.format == Format::Text && !args.quiet {
        text::summary(&mut anstream::stderr().lock(), &report, left_out)?;
    }
    let found = !report.findings.is_empty() && args.format != Format::Sarif;
    for failure in &refused {
        failure.print()?;
    }
    Ok(ExitCode::from(match () {
        () if !report.problems.is_empty() || !refused.is_empty() => 2,
        () if report.files == 0 => {
            warn(
                "there was nothing to look at",
                Some("name a file or a directory with Python code"),
            );
            3
        }
        () if found => 1,
        () => 0,
    }))
}

/// Scans files; with `mapped`, also maps their logging calls, which no cache holds.
fn scanned(
    args: &ScanArgs,
    setup: Setup<'_>,
    cache: Option<&Cache>,
    sources: &[Source],
    mapped: Option<&mut Vec<MappedFile>>,
) -> Report {
    let progress = Progress::new(sources.len(), !args.quiet && !args.no_progress);
    let watch = || progress.step();
    let report = match (mapped, cache) {
        (Some(files), _) => {
            let least = args.min_confidence.unwrap_or(Confidence::Medium);
            let (report, mapped) = scan_mapped(sources, setup, least, &watch);
            *files = mapped;
            report
        }
        (None, Some(cache)) => cache.scan(sources, setup, &watch),
        (None, None) => scan_watched(sources, setup, &watch),
    };
    progress.finish();
    report
}

/// How many findings are not shown.
#[derive(Clone, Copy, Default)]
struct LeftOut {
    /// Those that were there at the revision of `--diff-base`.
    before: usize,
    /// Those in the baseline.
    accepted: usize,
}

/// What the files were at a revision.
fn base(args: &ScanArgs, revision: &str, sources: &[Source]) -> Result<Base, Failure> {
    if args.paths.iter().any(|path| path == Path::new("-")) {
        let message = "standard input has no earlier revision to compare it with";
        return Err(Failure::new(message).hint("name files or directories of a git repository"));
    }
    Base::of(revision, &args.paths, sources).map_err(|bad| {
        let failure = Failure::new(bad.to_string());
        let deeper = "the clone is shallow: `git fetch --unshallow`, or `fetch-depth: 0` where \
                      the workflow checks out, brings the rest of the history";
        match bad {
            BadBase::NoRevision { shallow: true, .. } | BadBase::NoCommit { shallow: true, .. } => {
                failure.hint(deeper)
            }
            BadBase::NoRevision { .. } => {
                failure.hint("name a branch, a tag or a commit: `--diff-base origin/main`")
            }
            BadBase::NoCommit { .. } => failure.hint("`git fetch` in the submodule brings it"),
            BadBase::Outside { .. } => failure.hint("scan the files of one repository at a time"),
            BadBase::NoGit(_) => failure.hint("install git, or leave out --diff-base"),
            BadBase::NoRepository { .. } | BadBase::Git { .. } => failure,
        }
    })
}

fn tell_problems(report: &Report) -> Result<(), Failure> {
    for problem in &report.problems {
        let red = AnsiColor::Red.on_default().bold();
        let place = problem.path.display();
        let err = &mut anstream::stderr().lock();
        print(err, ("error", red), &problem.reason.to_string(), Some(&place), None)?;
    }
    Ok(())
}

fn is_asked_for(args: &ScanArgs, finding: &Finding) -> bool {
    is_selected(&args.select, &args.ignore, finding.rule.code)
        && finding.confidence >= args.min_confidence.unwrap_or(Confidence::Medium)
        && args.min_severity.is_none_or(|least| finding.severity >= least)
}

/// Whether the rule of this code is among those that are asked for.
pub(crate) fn is_selected(select: &[String], ignore: &[String], code: &str) -> bool {
    let named =
        |codes: &[String]| codes.iter().any(|one| code.starts_with(&one.to_ascii_uppercase()));
    (select.is_empty() || named(select)) && !named(ignore)
}

/// Refuses codes that no rule begins with.
pub(crate) fn known(codes: &[String]) -> Result<(), Failure> {
    let begins = |code: &str| {
        let code = code.to_ascii_uppercase();
        tacenda_scan::rules::RULES.iter().any(|rule| rule.code.starts_with(&code))
    };
    match codes.iter().find(|code| code.is_empty() || !begins(code)) {
        Some(code) => Err(Failure::new(format!("there is no rule {code:?}"))
            .hint("`tacenda rule` lists them all")),
        None => Ok(()),
    }
}

fn sources(args: &ScanArgs) -> Result<(Vec<Source>, Vec<tacenda_scan::Problem>), Failure> {
    let mut given = Vec::new();
    let mut paths = args.paths.clone();
    if paths.iter().any(|path| path == Path::new("-")) {
        if args.fix {
            return Err(Failure::new("standard input is no file that could be fixed")
                .hint("`--diff` shows what would change"));
        }
        paths.retain(|path| path != Path::new("-"));
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).map_err(|error| {
            Failure::new(format!("cannot read standard input: {}", reason(&error)))
        })?;
        given.push(Source::text("<stdin>", String::from_utf8_lossy(&bytes).into_owned()));
    } else if paths.is_empty() {
        paths.push(PathBuf::from("."));
    }
    let selection = Selection { paths, exclude: args.exclude.clone() };
    let (mut sources, problems) = selection.select().map_err(|bad| {
        Failure::new(bad.to_string()).hint("quote it for the shell: --exclude 'tests/*'")
    })?;
    sources.extend(given);
    Ok((sources, problems))
}

fn read_baseline(path: &Path) -> Result<Baseline, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::new(format!("cannot read the baseline: {}", reason(&error)))
            .at(path)
            .hint("`--write-baseline FILE` writes one")
    })?;
    Baseline::parse(&text).map_err(|bad| Failure::new(bad.to_string()).at(path))
}

fn write_baseline(path: &Path, report: &Report) -> Result<(), Failure> {
    let mut out = Output::file(path)?;
    out.write_all(Baseline::of(&report.findings).to_text().as_bytes())?;
    out.finish()?;
    let count = report.findings.len();
    let what = if count == 1 { "finding" } else { "findings" };
    anstream::eprintln!("{count} {what} accepted in {}", path.display());
    Ok(())
}

fn write(
    args: &ScanArgs,
    report: &Report,
    sources: &[Source],
    models: &Models,
) -> Result<(), Failure> {
    let page = match args.format {
        Format::Text => text::findings(report, sources, models),
        Format::Jsonl => formats::jsonl(report),
        Format::Json => format!("{:#}\n", formats::json(report)),
        Format::Sarif => format!("{:#}\n", formats::sarif(report)),
        Format::Github => formats::github(report),
        Format::Gitlab => format!("{:#}\n", formats::code_climate(report)),
        Format::Junit => formats::junit(report),
    };
    emit(args, &page)
}

/// Writes a page to where it was asked for.
fn emit(args: &ScanArgs, page: &str) -> Result<(), Failure> {
    match &args.output {
        Some(path) => {
            let mut out = Output::file(path)?;
            // Colours are for a terminal.
            out.write_all(&anstream::adapter::strip_bytes(page.as_bytes()).into_vec())?;
            out.finish()
        }
        None => Ok(anstream::stdout().lock().write_all(page.as_bytes())?),
    }
}

/// Explain a rule of the scanner
///
/// Without a code all rules are listed.
#[derive(Args, Debug)]
pub(crate) struct RuleArgs {
    /// The code of the rule: `TAC101`
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(crate) fn explain(args: &RuleArgs) -> Result<ExitCode, Failure> {
    let out = &mut anstream::stdout().lock();
    match &args.code {
        None => {
            for rule in tacenda_scan::rules::RULES {
                writeln!(out, "{}  {}", rule.code, rule.summary())?;
            }
        }
        Some(code) => {
            let rule = Rule::of_code(code).ok_or_else(|| {
                Failure::new(format!("there is no rule {code:?}"))
                    .hint("`tacenda rule` lists them all")
            })?;
            writeln!(out, "# {} ({})\n", rule.code, rule.name)?;
            write!(out, "{}", rule.page())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
