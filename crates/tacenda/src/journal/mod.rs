//! `tacenda journal`: logs kept sealed.

mod append;
mod export;
mod filter;
mod form;
mod import;
mod input;
mod keep;
mod log;
mod quantity;
mod read;
mod shown;
mod verify;
mod wishes;

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Once};

use age::cli_common::UiCallbacks;
use clap::{Args, Subcommand, ValueEnum};
use signal_hook::consts::SIGXFSZ;
use tacenda_journal::{
    Appender, Cause, Identities, Journal, JournalError, Options, Place, Reader, Recipients,
    keys_stay_in_memory, system_clock,
};
use tacenda_policy::Class;

use crate::failure::{Failure, reason, warn};
use tacenda_guard::audit::who;

/// The variable that allows a place as `--allow-place` does.
pub(crate) const PLACES_VARIABLE: &str = "TACENDA_JOURNAL_PLACES";

/// Keep logs sealed: nobody reads them without a key, nobody changes them unseen
///
/// A journal is a directory that one process owns, and others append through. What it holds is
/// encrypted to age recipients, class by class, and stands under a log that signs itself, so that whoever takes the
/// machine can neither read it nor rewrite its past.
#[derive(Args, Debug)]
pub(crate) struct JournalArgs {
    #[command(subcommand)]
    command: JournalCommand,
}

#[derive(Debug, Subcommand)]
enum JournalCommand {
    /// Make an identity file, and print the recipient that it opens for
    Identity {
        /// The file; an existing one is left as it is
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Make a journal, and print the key to verify it with
    Init(keep::InitArgs),
    /// Take records from standard input, a line each: JSON objects, or texts
    Append(append::AppendArgs),
    /// Take in logs that exist, redacted on the way
    Import(import::ImportArgs),
    /// Print records as JSON, a line each
    Cat(read::CatArgs),
    /// Print the last records, and with -f those that come
    Tail(read::TailArgs),
    /// Print the records that hold a text
    Grep(read::GrepArgs),
    /// Write records into a file, in the clear
    Export(export::ExportArgs),
    /// List the segments
    List(read::ListArgs),
    /// Print what happened to the journal: what was sealed, erased, deleted or held, when, by whom and why
    Log(read::ListArgs),
    /// Show what the journal holds and is set to
    Stat(read::ListArgs),
    /// Check that nothing was altered, cut, swapped, rolled back or removed; needs no identity
    Verify(verify::VerifyArgs),
    /// Print the newest checkpoint: keep it elsewhere, and verify against it
    Checkpoint(verify::CheckpointArgs),
    /// Print the proof that a record is in the journal: it shows that record and no other
    Prove(verify::ProveArgs),
    /// Print the proof that the log only grew since a checkpoint: it needs no journal to be checked
    Consistency(verify::ConsistencyArgs),
    /// Seal the active segment now
    Rotate(Target),
    /// Change who may read what is written from now on
    Recipients(keep::RecipientsArgs),
    /// Erase records that should not be there; the journal still verifies, and tells of it
    Erase(keep::EraseArgs),
    /// Delete what the journal's retention does not keep
    Retain(keep::RetainArgs),
    /// Change what the journal's retention keeps
    ///
    /// What is named takes the place of all limits that there were: one that is not named is removed.
    Retention(keep::RetentionArgs),
    /// Keep what was written in a time from being deleted or erased
    Hold(keep::HoldArgs),
    /// End a hold
    Release(keep::ReleaseArgs),
}

/// The journal that is meant.
#[derive(Args, Debug)]
struct Target {
    /// The directory of the journal
    #[arg(value_name = "DIR")]
    path: PathBuf,

    #[command(flatten)]
    places: Places,
}

/// Where a journal may lie.
#[derive(Args, Clone, Debug, Default)]
struct Places {
    /// Allow a place that is refused otherwise, as `TACENDA_JOURNAL_PLACES` does
    #[arg(long = "allow-place", value_name = "PLACE")]
    allow: Vec<PlaceName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum PlaceName {
    /// Emptied by the system, as `/tmp` is
    Temporary,
    /// Copied to others, as by iCloud or Dropbox
    Synced,
    /// Shown by a web server
    Web,
}

impl Places {
    fn allowed(&self) -> Vec<Place> {
        let variable = std::env::var(PLACES_VARIABLE).unwrap_or_default();
        let named =
            variable.split(',').filter_map(|name| PlaceName::from_str(name.trim(), true).ok());
        let all = self.allow.iter().copied().chain(named);
        let place = |name| match name {
            PlaceName::Temporary => Place::Temporary,
            PlaceName::Synced => Place::Synced,
            PlaceName::Web => Place::Web,
        };
        all.map(place).collect()
    }

    fn options(&self) -> Options {
        Options { allowed: self.allowed(), ..Options::default() }
    }
}

/// How a journal is opened where no flag says where it may lie.
pub(crate) fn options() -> Options {
    Places::default().options()
}

/// Says once that the system lets no memory be locked. Whoever writes a journal goes on.
pub(crate) fn warn_of_swap() {
    static SAID: Once = Once::new();
    if !keys_stay_in_memory() {
        SAID.call_once(|| {
            warn(
                "the keys of segments may be swapped out: no memory can be locked",
                Some("raise the limit (ulimit -l), or encrypt the swap"),
            );
        });
    }
}

impl Target {
    fn options(&self) -> Options {
        self.places.options()
    }

    /// To change it: from whoever owns it, who goes on afterwards.
    fn take_over(&self) -> Result<Journal, Failure> {
        Journal::take_over(&self.path, &self.options()).map_err(|error| self.failed(error))
    }

    /// To append to it, whoever owns it.
    fn append_to(&self) -> Result<Appender, Failure> {
        warn_of_swap();
        Appender::open(&self.path, &self.options()).map_err(|error| self.failed(error))
    }

    fn reader(&self, identities: &IdentityArgs) -> Result<Reader, Failure> {
        self.open(identities.read()?)
    }

    fn open(&self, identities: Identities) -> Result<Reader, Failure> {
        let reader = Reader::open(&self.path, identities, &self.places.allowed());
        reader.map_err(|error| self.failed(error))
    }

    /// Another directory that was named by mistake is none to be closed to others.
    fn failed(&self, error: JournalError) -> Failure {
        let same = |path: &Path| {
            let both = path.canonicalize().ok().zip(self.path.canonicalize().ok());
            both.is_some_and(|(one, other)| one == other)
        };
        match &error {
            JournalError::Exposed { path, .. } if same(path) && !is_any_there(path) => {
                JournalError::Missing { path: path.clone() }.into()
            }
            _ => error.into(),
        }
    }
}

/// Who reads.
#[derive(Args, Debug)]
struct IdentityArgs {
    /// Identity file of age; may be given more than once
    #[arg(short = 'i', long = "identity", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

impl IdentityArgs {
    fn read(&self) -> Result<Identities, Failure> {
        self.files.iter().for_each(|file| warn_of_mode(file));
        Identities::read(&self.files, &UiCallbacks).map_err(|error| match &error {
            JournalError::Unusable { path, source } => {
                Failure::new(format!("cannot read the identity file: {}", reason(source))).at(path)
            }
            _ => error.into(),
        })
    }
}

/// Says that others may read an identity, and with it what it opens.
fn warn_of_mode(file: &Path) {
    let Ok(metadata) = file.metadata() else { return };
    let mode = metadata.mode() & 0o777;
    if metadata.is_file() && mode & 0o077 != 0 {
        let file = file.display();
        warn(
            &format!("others may use the identity file {file} (mode {mode:04o})"),
            Some(&format!("chmod 600 {file}")),
        );
    }
}

/// That a file is in no journal: what is written there in the clear would lie among what is sealed, or in
/// its place.
fn outside(path: &Path) -> Result<(), Failure> {
    if path.as_os_str() == "-" {
        return Err(Failure::new("`-o` takes a file").hint("a file of that name: -o ./-"));
    }
    match journal_around(path) {
        Some(journal) => Err(Failure::new("the output would lie in a journal")
            .at(path)
            .hint(format!("name a file outside of {}", journal.display()))),
        None => Ok(()),
    }
}

/// The journal that a file lies in, or would.
fn journal_around(path: &Path) -> Option<PathBuf> {
    // Through links, as it is written.
    let resolved = path.canonicalize().or_else(|_| {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).canonicalize()
    });
    // A directory that is not there is said where the file is made.
    let resolved = resolved.ok()?;
    let is_there = |path: PathBuf| path.symlink_metadata().is_ok();
    let is_journal = |directory: &&Path| {
        is_there(directory.join("log/checkpoint"))
            && ["segments", "active", "keys"].iter().any(|part| is_there(directory.join(part)))
    };
    resolved.ancestors().find(is_journal).map(Path::to_owned)
}

/// Who may read.
#[derive(Args, Debug)]
struct RecipientArgs {
    /// Age recipient who may read all classes, or with CLASS= that one; may be given more than once
    #[arg(short = 'r', long = "recipient", value_name = "[CLASS=]RECIPIENT")]
    named: Vec<String>,
}

impl RecipientArgs {
    fn parse(&self) -> Result<Recipients, Failure> {
        let named = self.named.iter().map(|text| recipient(text));
        Ok(Recipients::new(&named.collect::<Result<Vec<_>, _>>()?)?)
    }
}

/// What is named is in no error: it may be an identity that was taken for a recipient.
fn recipient(text: &str) -> Result<(Option<Class>, String), Failure> {
    let Some((class, recipient)) = text.split_once('=') else {
        return Ok((None, text.to_owned()));
    };
    let found = Class::from_name(class);
    let known = || {
        Failure::new("a recipient is named for a class that there is not")
            .hint(format!("the classes are {}", Class::NAMES.join(", ")))
    };
    found.map(|class| (Some(class), recipient.to_owned())).ok_or_else(known)
}

pub(crate) fn run(args: &JournalArgs) -> Result<ExitCode, Failure> {
    // Where a file may not become as long (`ulimit -f`), a write fails, as on a full disk: it does not end
    // the process in the middle of it.
    let _ = signal_hook::flag::register(SIGXFSZ, Arc::default());
    // A file that was made to deceive may make its reader panic.
    let done = catch_unwind(AssertUnwindSafe(|| dispatch(&args.command)));
    done.unwrap_or_else(|_| {
        Err(Failure::new("a file of the journal cannot be read")
            .hint("see which: tacenda journal verify DIR"))
    })
}

fn dispatch(command: &JournalCommand) -> Result<ExitCode, Failure> {
    match command {
        JournalCommand::Identity { file } => identity(file)?,
        JournalCommand::Init(args) => keep::init(args)?,
        JournalCommand::Append(args) => return append::run(args),
        JournalCommand::Import(args) => import::run(args)?,
        JournalCommand::Cat(args) => read::cat(args)?,
        JournalCommand::Tail(args) => read::tail(args)?,
        JournalCommand::Grep(args) => return read::grep(args),
        JournalCommand::Export(args) => export::run(args)?,
        JournalCommand::List(args) => read::list(args)?,
        JournalCommand::Log(args) => log::run(args)?,
        JournalCommand::Stat(args) => read::stat(args)?,
        JournalCommand::Verify(args) => return verify::run(args),
        JournalCommand::Checkpoint(args) => verify::checkpoint(args)?,
        JournalCommand::Prove(args) => verify::prove(args)?,
        JournalCommand::Consistency(args) => verify::consistency(args)?,
        JournalCommand::Rotate(target) => rotate(target)?,
        JournalCommand::Recipients(args) => keep::recipients(args)?,
        JournalCommand::Erase(args) => keep::erase(args)?,
        JournalCommand::Retain(args) => keep::retain(args)?,
        JournalCommand::Retention(args) => keep::retention(args)?,
        JournalCommand::Hold(args) => keep::hold(args)?,
        JournalCommand::Release(args) => keep::release(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn rotate(target: &Target) -> Result<(), Failure> {
    let journal = target.append_to()?;
    journal.rotate()?;
    Ok(journal.close()?)
}

fn identity(file: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let failed = |error: std::io::Error| {
        Failure::new(format!("cannot write the identity file: {}", reason(&error))).at(file)
    };
    let (text, recipient) = tacenda_journal::new_identity(system_clock()());
    let mut options = std::fs::OpenOptions::new();
    let mut out = options.write(true).create_new(true).mode(0o600).open(file).map_err(failed)?;
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(failed)?;
    writeln!(std::io::stdout(), "{recipient}")?;
    Ok(())
}

/// Who does it, and why: on record for good.
fn cause(reason: &str) -> Result<Cause, Failure> {
    if reason.trim().is_empty() {
        return Err(Failure::new("the reason is empty").hint("say why: --reason TEXT"));
    }
    Ok(Cause { reason: reason.to_owned(), who: who() })
}

/// What is wrong, in words that hold no number of the system's.
pub(crate) fn words(error: &JournalError) -> String {
    match error {
        JournalError::Unusable { source, .. } if source.kind() == ErrorKind::NotFound => {
            "the journal has lost a part of itself: it is not there".to_owned()
        }
        JournalError::Unusable { source, .. } => {
            format!("cannot use the journal: {}", reason(source))
        }
        JournalError::Damaged { place, what } => {
            format!("the journal is damaged: {place}: {what}")
        }
        JournalError::Together(error) => words(error),
        JournalError::Missing { path } => lost(path).map_or_else(
            || error.to_string(),
            |what| format!("the journal has lost a part of itself: {what} is not there"),
        ),
        other => other.to_string(),
    }
}

/// What is missing of a journal of which something is there.
fn lost(path: &Path) -> Option<&'static str> {
    is_any_there(path).then_some(())?;
    ["log", "log/checkpoint"].into_iter().find(|name| path.join(name).symlink_metadata().is_err())
}

/// Whether a directory holds anything of a journal.
fn is_any_there(path: &Path) -> bool {
    let is_there = |name: &str| path.join(name).symlink_metadata().is_ok();
    ["segments", "active", "keys", "lock", "log"].into_iter().any(is_there)
}

impl From<JournalError> for Failure {
    fn from(error: JournalError) -> Self {
        let is_lost = match &error {
            JournalError::Missing { path } => lost(path).is_some(),
            JournalError::Unusable { source, .. } => source.kind() == ErrorKind::NotFound,
            _ => false,
        };
        let hint =
            "put it back from a copy; a journal made anew opens nothing of this one".to_owned();
        let hint = if is_lost { Some(hint) } else { error.hint() };
        Self::told(words(&error), error.path(), hint.as_deref())
    }
}
