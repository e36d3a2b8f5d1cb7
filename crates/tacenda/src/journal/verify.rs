//! `tacenda journal verify` and `checkpoint`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;
use tacenda_journal::{Finding, Identities, Reader, Verification, Verifier, VerifierKey};

use super::{IdentityArgs, Target, outside};
use crate::failure::{Failure, reason, warn};
use crate::output::Output;
use crate::report::plural;

#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    target: Target,

    /// The key that `journal init` printed; without it a journal made anew passes as the old one
    #[arg(long, value_name = "KEY", value_parser = key)]
    key: Option<VerifierKey>,

    /// A checkpoint that was kept elsewhere; may be given more than once
    #[arg(long, value_name = "FILE")]
    since: Vec<PathBuf>,

    /// The key of a witness, who has to have signed one of these checkpoints, or one that is kept with
    /// the journal
    #[arg(long, value_name = "KEY", value_parser = key)]
    witness: Vec<VerifierKey>,

    /// Identity file of age: compare the content of the records too, where all classes open
    #[arg(short, long, value_name = "FILE")]
    identity: Vec<PathBuf>,

    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: VerifyFormat,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum VerifyFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object
    Json,
}

#[derive(Args, Debug)]
pub(crate) struct CheckpointArgs {
    #[command(flatten)]
    target: Target,

    /// Seal the active segment first, so that it covers everything that was appended until now
    #[arg(long)]
    rotate: bool,

    /// Write it into this file (0600) as well
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,

    /// A witness who has to sign it, by its key and its address (https://…); may be given more than
    /// once
    #[cfg(feature = "witness")]
    #[arg(long, num_args = 2, value_names = ["KEY", "URL"])]
    witness: Vec<String>,

    /// Certificates of authorities to trust, in PEM, in place of those of the system
    #[cfg(feature = "witness")]
    #[arg(long, value_name = "FILE", requires = "witness")]
    witness_ca: Option<PathBuf>,
}

#[derive(Args, Debug)]
pub(crate) struct ProveArgs {
    #[command(flatten)]
    target: Target,

    #[command(flatten)]
    identities: IdentityArgs,

    /// The record, by its number
    #[arg(value_name = "N")]
    record: u64,
}

#[derive(Args, Debug)]
pub(crate) struct ConsistencyArgs {
    #[command(flatten)]
    target: Target,

    /// The checkpoint that was kept
    #[arg(value_name = "CHECKPOINT")]
    since: PathBuf,
}

fn key(text: &str) -> Result<VerifierKey, String> {
    let what = "a key is NAME+ID+KEY, as `journal init` or a witness has printed it";
    VerifierKey::parse(text).ok_or_else(|| what.to_owned())
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed =
        |error| Failure::new(format!("cannot read the checkpoint: {}", reason(&error))).at(path);
    std::fs::read(path).map_err(failed)
}

pub(super) fn run(args: &VerifyArgs) -> Result<ExitCode, Failure> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), read(path)?));
    let identities = IdentityArgs { files: args.identity.clone() };
    let identities = (!args.identity.is_empty()).then(|| identities.read());
    let verifier = Verifier {
        key: args.key.clone(),
        since: args.since.iter().map(read).collect::<Result<_, Failure>>()?,
        witnesses: args.witness.clone(),
        identities: identities.transpose()?,
        allowed: args.target.places.allowed(),
    };
    let report = verifier.verify(&args.target.path)?;
    match args.format {
        VerifyFormat::Text => text(&report, args)?,
        VerifyFormat::Json => writeln!(io::stdout(), "{}", as_json(&report))?,
    }
    if !report.findings.is_empty() {
        return Ok(ExitCode::from(1));
    }
    if !args.identity.is_empty() && report.compared < report.segments {
        // Who names an identity asks for it: to have compared nothing is not what was asked.
        let hint =
            "name the identities of every class, of the time of each segment: --identity FILE";
        if report.compared == 0 {
            return Err(Failure::new(
                "the identities at hand open all classes of no segment: no content was compared",
            )
            .hint(hint));
        }
        let left = plural(report.segments - report.compared, "segment");
        warn(&format!("the content of {left} was not compared: not all of it opens"), Some(hint));
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(report: &Verification) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|one| json!({"place": one.place, "fault": one.fault.name(), "what": what(one)}))
        .collect();
    json!({
        "findings": findings,
        "entries": report.checkpoint.as_ref().map(|checkpoint| checkpoint.size),
        "key": report.key.as_ref().map(ToString::to_string),
        "segments": report.segments,
        "deleted": report.deleted,
        "records": report.records,
        "erased": report.erased,
        "compared": report.compared,
        "uncompared": report.uncompared,
        "active": report.active,
        "unfinished": report.unfinished,
        "witnessed": report.witnessed.iter().map(|one| {
            json!({"witness": one.witness, "entries": one.entries, "time": one.time.map(moment)})
        }).collect::<Vec<_>>(),
    })
}

/// When a witness has signed something.
fn moment(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|time| Timestamp::from_second(time).ok());
    time.map_or_else(|| format!("second {seconds}"), |time| time.to_string())
}

/// What is wrong, without numbers of the system's.
fn what(finding: &Finding) -> &str {
    let words = finding.what.split(" (os error").next().unwrap_or(&finding.what);
    if words.ends_with("No such file or directory") { "it is not there" } else { words }
}

fn text(report: &Verification, args: &VerifyArgs) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    let red = AnsiColor::Red.on_default().bold();
    for finding in &report.findings {
        let name = finding.fault.name();
        writeln!(out, "{red}{name}{red:#}: {}: {}", finding.place, what(finding))?;
    }
    if !report.findings.is_empty() {
        let count = plural(report.findings.len() as u64, "finding");
        writeln!(out, "{count}: the journal is not as it was written")?;
        return Ok(());
    }
    let entries = report.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.size);
    let (entries, segments) = (plural(entries, "entry"), plural(report.segments, "segment"));
    let records = plural(report.records, "record");
    write!(out, "whole: {entries} of the log, {segments} with {records}")?;
    if report.erased > 0 {
        write!(out, ", {} erased", report.erased)?;
    }
    if report.deleted > 0 {
        write!(out, ", {} deleted", plural(report.deleted, "segment"))?;
    }
    writeln!(out)?;
    for one in &report.witnessed {
        write!(out, "witness {}: {} of the {entries}", one.witness, one.entries)?;
        writeln!(out, "{}", one.time.map_or(String::new(), |time| format!(", {}", moment(time))))?;
    }
    if report.active > 0 || report.unfinished > 0 {
        write!(out, "active: {}", plural(report.active, "record"))?;
        if report.unfinished > 0 {
            write!(out, ", and {} bytes of an unfinished frame", report.unfinished)?;
        }
        writeln!(out)?;
    }
    if !args.identity.is_empty() {
        writeln!(out, "content compared in {}", plural(report.compared, "segment"))?;
    }
    if report.uncompared > 0 {
        let segments = plural(report.uncompared, "segment");
        writeln!(out, "not compared: the content of {segments} written anew since it was sealed")?;
    }
    drop(out);
    if args.key.is_none() && args.since.is_empty() && args.witness.is_empty() {
        warn(
            "no key, witness or checkpoint was given: a journal made anew would pass too",
            Some(
                "--key with what `journal init` printed, --since with a checkpoint kept elsewhere",
            ),
        );
    }
    Ok(())
}

pub(super) fn checkpoint(args: &CheckpointArgs) -> Result<(), Failure> {
    if args.rotate {
        super::rotate(&args.target)?;
    }
    let places = args.target.places.allowed();
    let reader = Reader::open(&args.target.path, Identities::default(), &places)?;
    #[cfg_attr(not(feature = "witness"), expect(unused_mut, reason = "witnesses add to it"))]
    let mut note = reader.checkpoint_note().to_owned();
    #[cfg(feature = "witness")]
    witness(args, &reader, &mut note)?;
    if let Some(path) = &args.output {
        outside(path)?;
        let mut file = Output::file(path)?;
        file.write_all(note.as_bytes())?;
        file.finish()?;
    }
    write!(io::stdout(), "{note}")?;
    Ok(())
}

/// Has each witness sign the checkpoint; their signatures are added to the note.
#[cfg(feature = "witness")]
fn witness(args: &CheckpointArgs, reader: &Reader, note: &mut String) -> Result<(), Failure> {
    let authorities = args.witness_ca.as_ref().map(|path| {
        let failed = |error| {
            Failure::new(format!("cannot read the certificates: {}", reason(&error))).at(path)
        };
        std::fs::read(path).map_err(failed)
    });
    let authorities = authorities.transpose()?;
    for pair in args.witness.chunks(2) {
        let [named, url] = pair else { unreachable!("clap takes two values each") };
        let witness = key(named)
            .map_err(|what| Failure::new(format!("`--witness` has no key of a witness: {what}")))?;
        let https = tacenda_journal::Https::new(url, authorities.as_deref())?;
        let signed = reader.witness(&witness, &mut |text| https.send(text))?;
        let signatures = signed.strip_prefix(reader.checkpoint_note());
        note.push_str(signatures.expect("the signature stands after those of the journal"));
    }
    Ok(())
}

pub(super) fn prove(args: &ProveArgs) -> Result<(), Failure> {
    let proof = args.target.reader(&args.identities)?.prove(args.record)?;
    writeln!(io::stdout(), "{proof}")?;
    Ok(())
}

pub(super) fn consistency(args: &ConsistencyArgs) -> Result<(), Failure> {
    let places = args.target.places.allowed();
    let reader = Reader::open(&args.target.path, Identities::default(), &places)?;
    let proof = reader.prove_consistency(&read(&args.since)?).map_err(|error| {
        let place = error.path().unwrap_or(&args.since).to_owned();
        Failure::from(error).at(&place)
    })?;
    writeln!(io::stdout(), "{proof}")?;
    Ok(())
}
