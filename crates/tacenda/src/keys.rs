//! `tacenda keys`: the key file, its epochs, and the next one.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use tacenda_redact::KeyRing;

use crate::config::{self, PolicyArgs};
use crate::failure::Failure;
use crate::vault;

/// Make a key file, list its epochs, begin a new one
///
/// Pseudonyms, tokens and the vault hang on the key file: equal values have equal pseudonyms where
/// it is the same, and who can read it can reveal what the vault holds. Back it up apart from the
/// vault.
#[derive(Args, Debug)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make a key file with a first epoch; an existing one is left as it is
    Init(Target),
    /// List the epochs; no key is shown
    List(Target),
    /// Begin a new epoch; older ones stay, so that their tokens can be revealed
    Rotate(Target),
}

#[derive(Args, Debug)]
struct Target {
    /// The key file, in place of the policy's `keys.file`
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

pub(crate) fn run(args: &KeysArgs) -> Result<ExitCode, Failure> {
    let mut out = anstream::stdout().lock();
    match &args.command {
        KeysCommand::Init(target) => {
            let path = target.path()?;
            let ring = KeyRing::create(&path)?;
            writeln!(out, "{}: epoch {} begins", path.display(), ring.newest().id)?;
            if target.file.is_some() {
                let name = path.file_name().unwrap_or(path.as_os_str()).display();
                writeln!(out, "to use it, write into tacenda.toml: keys.file = \"{name}\"")?;
            }
        }
        KeysCommand::List(target) => list(&mut out, &target.ring()?)?,
        KeysCommand::Rotate(target) => {
            let path = target.path()?;
            let ring = KeyRing::rotate_file(&path)?;
            writeln!(out, "{}: epoch {} begins", path.display(), ring.newest().id)?;
            let old = ring.epochs().len() - 1;
            writeln!(
                out,
                "{old} older {} to reveal what was written before",
                if old == 1 { "epoch stays" } else { "epochs stay" }
            )?;
            if target.file.is_none() {
                let loaded = config::load(&target.policy.loader())?;
                if let Some(keys) = vault::rotate_existing(loaded.policy())? {
                    writeln!(out, "the vault wraps {keys} keys anew")?;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

impl Target {
    /// The file that is named here, else by the policy.
    fn path(&self) -> Result<PathBuf, Failure> {
        if let Some(file) = &self.file {
            return Ok(file.clone());
        }
        let loaded = config::load(&self.policy.loader())?;
        loaded.policy().keys_file().map(Path::to_owned).ok_or_else(|| {
            Failure::new("no key file is named")
                .hint("name one: tacenda keys init FILE, or `keys.file` in tacenda.toml")
        })
    }

    /// The keys of the file, or of wherever the policy has them from.
    fn ring(&self) -> Result<KeyRing, Failure> {
        if let Some(file) = &self.file {
            return Ok(KeyRing::read(file)?);
        }
        let loaded = config::load(&self.policy.loader())?;
        KeyRing::load(loaded.policy())?.ok_or_else(|| {
            Failure::new("the policy names no keys")
                .hint("make some: tacenda keys init FILE, then `keys.file` in tacenda.toml")
        })
    }
}

fn list(out: &mut impl std::io::Write, ring: &KeyRing) -> std::io::Result<()> {
    let (width, newest) = (ring.newest().id.to_string().len().max(5), ring.newest().id);
    writeln!(out, "{:>width$}  created", "epoch")?;
    for epoch in ring.epochs() {
        let mark = if epoch.id == newest { "  in force" } else { "" };
        writeln!(out, "{:>width$}  {}{mark}", epoch.id, epoch.created)?;
    }
    Ok(())
}
