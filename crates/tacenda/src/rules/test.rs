//! `tacenda rules test`: the user's own rules against what their file says of them.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::Args;
use serde_json::{Value as Json, json};
use tacenda_detect::{Remark, RuleSource, UserRules, Weight};
use tacenda_policy::{NamedFile, Place, PolicyError};
use tacenda_redact::user_rules;

use super::{Format, path};
use crate::config::PolicyArgs;
use crate::failure::{Failure, print};
use crate::report::plural;

/// Test rules of one's own
///
/// Every example must be found where it is marked, and no counter-example. Warnings tell of rules
/// that are slow, that find something in ordinary log text, or that find what another rule finds.
///
/// The exit status is 0, 1 if a rule does not do what its file says, 2 if a file is broken.
#[derive(Args, Debug)]
pub(crate) struct TestArgs {
    /// Rule files; those of the policy if none is named
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Let a warning count as a failure
    #[arg(long)]
    strict: bool,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Format,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

pub(super) fn run(args: &TestArgs) -> Result<ExitCode, Failure> {
    let files = read(args)?;
    let rules = match user_rules(&files) {
        Ok(rules) => rules,
        Err(faults) => return broken(args, &files, faults),
    };
    let remarks = rules.review();
    let failed = remarks.iter().any(|remark| args.strict || remark.weight == Weight::Failure);
    match args.format {
        Format::Text => {
            report(&mut anstream::stderr().lock(), &remarks)?;
            summary(&mut anstream::stdout().lock(), &rules, &remarks)?;
        }
        Format::Json => {
            let remarks: Vec<Json> = remarks.iter().map(as_json).collect();
            let names: Vec<String> = rules.files().iter().map(|file| path(file.name())).collect();
            let (count, examples, counter) = counts(rules.files());
            let report = json!({
                "files": names, "rules": count, "examples": examples,
                "counter_examples": counter, "remarks": remarks,
            });
            writeln!(anstream::stdout().lock(), "{report:#}")?;
        }
    }
    Ok(if failed { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn read(args: &TestArgs) -> Result<Vec<NamedFile>, Failure> {
    if args.files.is_empty() {
        let loaded = args.policy.loader().check()?;
        let files = loaded.rule_files()?;
        if files.is_empty() {
            return Err(Failure::new("there is no rule file to test")
                .hint("name one, or put it into `detectors.rules` of the policy"));
        }
        return Ok(files);
    }
    let mut faults = Vec::new();
    let mut files = Vec::new();
    for path in &args.files {
        match NamedFile::read(path) {
            Ok(file) => files.push(file),
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() { Ok(files) } else { Err(Failure::Policy(faults)) }
}

/// Files that are no rule files.
fn broken(
    args: &TestArgs,
    files: &[NamedFile],
    faults: Vec<PolicyError>,
) -> Result<ExitCode, Failure> {
    if args.format == Format::Text {
        return Err(Failure::Policy(faults));
    }
    let names: Vec<String> = files.iter().map(|file| path(&file.path)).collect();
    let faults: Vec<Json> = faults
        .iter()
        .map(|fault| {
            let place = fault.place().map(place_json);
            json!({ "place": place, "message": fault.to_string(), "hint": fault.hint() })
        })
        .collect();
    let report = json!({ "files": names, "faults": faults });
    writeln!(anstream::stdout().lock(), "{report:#}")?;
    Ok(ExitCode::from(2))
}

fn report(out: &mut impl Write, remarks: &[Remark]) -> io::Result<()> {
    remarks.iter().try_for_each(|remark| {
        let level = match remark.weight {
            Weight::Failure => ("error", AnsiColor::Red.on_default().bold()),
            Weight::Warning => ("warning", AnsiColor::Yellow.on_default().bold()),
        };
        let message = format!("rule `{}`: {}", remark.rule, remark.message);
        print(out, level, &message, Some(&remark.place as &dyn Display), remark.hint.as_deref())
    })
}

/// A line for each file: `own.toml: 2 rules, 5 examples, 4 counter-examples: ok`.
fn summary(out: &mut impl Write, rules: &UserRules, remarks: &[Remark]) -> io::Result<()> {
    for file in rules.files() {
        let (count, examples, counter) = counts(std::slice::from_ref(file));
        let of = |weight: Weight| {
            let here = |remark: &&Remark| remark.place.file.as_ref() == file.name();
            remarks.iter().filter(here).filter(|remark| remark.weight == weight).count()
        };
        let result = match (of(Weight::Failure), of(Weight::Warning)) {
            (0, 0) => "ok".to_owned(),
            (0, warnings) => format!("ok, {}", plural(warnings, "warning")),
            (failures, 0) => plural(failures, "failure"),
            (failures, warnings) => {
                format!("{}, {}", plural(failures, "failure"), plural(warnings, "warning"))
            }
        };
        writeln!(
            out,
            "{}: {}, {}, {}: {result}",
            file.name().display(),
            plural(count, "rule"),
            plural(examples, "example"),
            plural(counter, "counter-example"),
        )?;
    }
    Ok(())
}

/// Rules, examples, counter-examples.
fn counts(files: &[RuleSource]) -> (usize, usize, usize) {
    let rules = || files.iter().flat_map(|file| &file.rules().detectors);
    (
        rules().count(),
        rules().map(|rule| rule.examples.len()).sum(),
        rules().map(|rule| rule.counter_examples.len()).sum(),
    )
}

fn as_json(remark: &Remark) -> Json {
    let level = match remark.weight {
        Weight::Failure => "failure",
        Weight::Warning => "warning",
    };
    json!({
        "rule": remark.rule,
        "level": level,
        "place": place_json(&remark.place),
        "message": remark.message,
        "hint": remark.hint,
    })
}

fn place_json(place: &Place) -> Json {
    let file: &Path = &place.file;
    json!({ "file": path(file), "line": place.line, "column": place.column })
}
