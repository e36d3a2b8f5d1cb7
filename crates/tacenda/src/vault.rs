//! `tacenda vault`: what stands behind tokens, who asked for it, and how it is forgotten.

use std::io::{self, BufRead as _, Read as _, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use tacenda_guard::audit::who;
use tacenda_policy::Policy;
use tacenda_redact::vault::{Merged, Vault, VaultError};
use tacenda_redact::{Canonical, KeyRing, Keys, Redactor, Report, engine};
use zeroize::Zeroizing;

use crate::config::{self, PolicyArgs};
use crate::failure::{Failure, warn};
use crate::report::plural;

/// Reveal, forget and account for the values behind tokens
///
/// The vault keeps what the action `token` takes out of logs, sealed under a key of each subject.
/// Every reveal is put on record, with who and why, before the value is shown.
#[derive(Args, Debug)]
pub(crate) struct VaultArgs {
    #[command(subcommand)]
    command: VaultCommand,
}

#[derive(Debug, Subcommand)]
enum VaultCommand {
    /// Print the value behind a token; that it was asked for, by whom and why, goes on record
    Reveal {
        /// The token, as it stands in the log
        #[arg(value_name = "TOKEN")]
        token: String,

        /// Why; it goes on record
        #[arg(long, value_name = "TEXT")]
        reason: String,

        #[command(flatten, next_help_heading = "Policy")]
        policy: PolicyArgs,
    },
    /// Destroy the key of a subject: none of its tokens can be revealed any more
    Forget {
        /// One of the subject's tokens, or `-` to read its value from standard input
        #[arg(long, value_name = "TOKEN")]
        subject: String,

        /// Why; it goes on record
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        reason: String,

        #[command(flatten, next_help_heading = "Policy")]
        policy: PolicyArgs,
    },
    /// Print the record of what was revealed and forgotten, after checking it
    Log {
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: LogFormat,

        #[command(flatten, next_help_heading = "Policy")]
        policy: PolicyArgs,
    },
    /// Wrap the keys of all subjects anew under the newest epoch; no value is touched
    Rotate {
        #[command(flatten, next_help_heading = "Policy")]
        policy: PolicyArgs,
    },
    /// Take in what programs have put into the spool; the other commands do so as well
    Merge {
        #[command(flatten, next_help_heading = "Policy")]
        policy: PolicyArgs,
    },
    /// Show what the vault holds, in numbers
    Stat {
        /// Output format
        #[arg(long, value_enum, default_value_t)]
        format: StatFormat,

        #[command(flatten, next_help_heading = "Policy")]
        policy: PolicyArgs,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// A line for people for each entry
    #[default]
    Text,
    /// A JSON object for each entry
    Jsonl,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum StatFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object
    Json,
}

pub(crate) fn run(args: &VaultArgs) -> Result<ExitCode, Failure> {
    // A store that was tampered with may make its reader panic.
    let done = catch_unwind(AssertUnwindSafe(|| dispatch(&args.command)));
    done.unwrap_or_else(|_| Err(VaultError::Damaged { what: "its store cannot be read" }.into()))
}

fn dispatch(command: &VaultCommand) -> Result<ExitCode, Failure> {
    match command {
        VaultCommand::Reveal { token, reason, policy } => reveal(token, reason, policy)?,
        VaultCommand::Forget { subject, reason, policy } => forget(subject, reason, policy)?,
        VaultCommand::Log { format, policy } => log(*format, policy)?,
        VaultCommand::Rotate { policy } => {
            let mut opened = Opened::new(policy)?;
            let keys = opened.vault.rotate(&who(), "")?;
            let epoch = opened.ring.newest().id;
            writeln!(io::stdout(), "wrapped {keys} keys anew under epoch {epoch}")?;
        }
        VaultCommand::Merge { policy } => {
            let Merged { added, known, forgotten, .. } = Opened::new(policy)?.merged;
            writeln!(
                io::stdout(),
                "{added} tokens taken in, {known} known already, {forgotten} of forgotten subjects left out"
            )?;
        }
        VaultCommand::Stat { format, policy } => stat(*format, policy)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The vault of a policy, opened.
struct Opened {
    policy: Policy,
    ring: KeyRing,
    vault: Vault,
    merged: Merged,
}

impl Opened {
    fn new(policy: &PolicyArgs) -> Result<Self, Failure> {
        let loaded = config::load_and_warn(&policy.loader())?;
        Self::of(loaded.policy())
    }

    fn of(policy: &Policy) -> Result<Self, Failure> {
        let folder = folder(policy)?;
        let ring = KeyRing::load(policy)?.ok_or(VaultError::NoKeys)?;
        if !Vault::exists(&folder) {
            return Err(Failure::new("there is no vault here yet")
                .at(&folder)
                .hint("it is made when the first value is turned into a token"));
        }
        let (vault, merged) = Vault::open(&folder, &ring, policy.environment())?;
        if merged.unreadable > 0 {
            warn(
                &format!(
                    "{} of the spool's files cannot be read: sealed for other keys, or changed",
                    merged.unreadable
                ),
                Some("they stay in the directory `spool` of the vault"),
            );
        }
        Ok(Self { policy: policy.clone(), ring, vault, merged })
    }

    /// What goes on record is no place for values either.
    fn redacted(&self, text: &str) -> Result<String, Failure> {
        let engine = engine(&self.policy)?;
        let keys = Keys::of(self.ring.newest(), self.policy.environment());
        let redactor = Redactor::new(engine, self.policy.clone(), keys);
        let redacted = redactor.redact(text.as_bytes(), &mut Report::default());
        Ok(String::from_utf8_lossy(&redacted).into_owned())
    }
}

fn folder(policy: &Policy) -> Result<PathBuf, Failure> {
    policy.vault_path().map(ToOwned::to_owned).ok_or_else(|| {
        Failure::new("the policy names no vault").hint("set `vault.path` in tacenda.toml")
    })
}

fn reveal(token: &str, reason: &str, policy: &PolicyArgs) -> Result<(), Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::new("the reason is empty").hint("say why: --reason TEXT"));
    }
    let opened = Opened::new(policy)?;
    let value = opened.vault.reveal(token, &who(), &opened.redacted(reason)?)?;
    let mut out = io::stdout().lock();
    out.write_all(&value)?;
    out.write_all(b"\n")?;
    Ok(())
}

fn forget(subject: &str, reason: &str, policy: &PolicyArgs) -> Result<(), Failure> {
    let mut opened = Opened::new(policy)?;
    let reason = opened.redacted(reason)?;
    let forgotten = if subject == "-" {
        let mut value = Zeroizing::new(Vec::with_capacity(4096));
        io::stdin()
            .lock()
            .take(1 << 20)
            .read_until(b'\n', &mut value)
            .map_err(|error| Failure::new(format!("cannot read the value: {error}")))?;
        let value = value.trim_ascii();
        let country = opened.policy.hash_country_code();
        let engine = engine(&opened.policy)?;
        let forms = engine
            .detectors()
            .map(|detector| Canonical::new(detector.id, detector.kind, value, country));
        opened.vault.forget_value(forms, &who(), &reason)?
    } else {
        opened.vault.forget_token(subject, &who(), &reason)?
    };
    if forgotten.subjects == 0 {
        return Err(VaultError::Unknown.into());
    }
    writeln!(
        io::stdout(),
        "forgotten: {} of {}",
        plural(forgotten.tokens, "token"),
        plural(forgotten.subjects, "subject")
    )?;
    Ok(())
}

fn log(format: LogFormat, policy: &PolicyArgs) -> Result<(), Failure> {
    let opened = Opened::new(policy)?;
    let (events, chain) = opened.vault.record()?;
    let mut out = io::stdout().lock();
    for event in &events {
        match format {
            LogFormat::Jsonl => writeln!(out, "{}", json!(event))?,
            LogFormat::Text => {
                let token = event.token.as_deref().unwrap_or("-");
                let reason = event.reason.escape_debug();
                writeln!(
                    out,
                    "{} {} {} {token} {} by {}: {reason}",
                    event.seq, event.time, event.event, event.outcome, event.who
                )?;
            }
        }
    }
    if format == LogFormat::Text {
        writeln!(
            out,
            "{}, unchanged; head {}",
            plural(events.len() as u64, "entry"),
            chain.head()
        )?;
    }
    Ok(())
}

fn stat(format: StatFormat, policy: &PolicyArgs) -> Result<(), Failure> {
    let stat = Opened::new(policy)?.vault.stat()?;
    let mut out = io::stdout().lock();
    match format {
        StatFormat::Json => writeln!(
            out,
            "{}",
            json!({
                "tokens": stat.tokens,
                "subjects": stat.subjects,
                "forgotten": stat.forgotten,
                "events": stat.events,
                "spooled": stat.spooled,
                "bytes": stat.bytes,
                "oldest_epoch": stat.oldest_epoch,
            })
        )?,
        StatFormat::Text => {
            writeln!(out, "tokens        {}", stat.tokens)?;
            writeln!(out, "subjects      {}", stat.subjects)?;
            writeln!(out, "forgotten     {}", stat.forgotten)?;
            writeln!(out, "record        {}", plural(stat.events, "entry"))?;
            writeln!(out, "spool         {}", plural(stat.spooled, "file"))?;
            writeln!(out, "oldest epoch  {}", stat.oldest_epoch)?;
        }
    }
    Ok(())
}

/// Wraps the keys of a vault anew, where the policy names one that is there.
pub(crate) fn rotate_existing(policy: &Policy) -> Result<Option<u64>, Failure> {
    let Some(folder) = policy.vault_path().filter(|folder| Vault::exists(folder)) else {
        return Ok(None);
    };
    let ring = KeyRing::load(policy)?.ok_or(VaultError::NoKeys)?;
    let (mut vault, _) = Vault::open(folder, &ring, policy.environment())?;
    Ok(Some(vault.rotate(&who(), "the keys were rotated")?))
}
