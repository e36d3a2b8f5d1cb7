//! `tacenda rules`: the detectors, one of them in full, and the user's own put to the test.

mod allow;
mod list;
mod show;
mod test;

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use tacenda_detect::{DetectorRule, RuleSource, UserRules};
use tacenda_policy::{Loaded, Policy};
use tacenda_redact::user_rules;

use crate::config::PolicyArgs;
use crate::failure::Failure;

/// List the detectors, show one of them, or test rules of one's own
///
/// Without a subcommand the detectors are listed: those that come with Tacenda, and those of the
/// files that `detectors.rules` of the policy names.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct RulesArgs {
    #[command(subcommand)]
    command: Option<Command>,

    #[command(flatten)]
    list: list::ListArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Test(test::TestArgs),
    Allow(allow::AllowArgs),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object
    Json,
}

pub(crate) fn run(args: &RulesArgs) -> Result<ExitCode, Failure> {
    match &args.command {
        None => list::run(&args.list),
        Some(Command::List(args)) => list::run(args),
        Some(Command::Show(args)) => show::run(args),
        Some(Command::Test(args)) => test::run(args),
        Some(Command::Allow(args)) => allow::run(args),
    }
}

/// The rule files in force: Tacenda's own and the user's.
struct Catalogue {
    builtin: Vec<RuleSource>,
    user: UserRules,
    loaded: Loaded,
}

impl Catalogue {
    fn load(policy: &PolicyArgs) -> Result<Self, Failure> {
        // Unknown names of detectors pass: to put them right, somebody lists the known ones.
        let loaded = policy.loader().check()?;
        let files = loaded.rule_files()?;
        let user = user_rules(&files)?;
        Ok(Self { builtin: RuleSource::builtin(), user, loaded })
    }

    fn policy(&self) -> &Policy {
        self.loaded.policy()
    }

    /// Every file, and whether it comes with Tacenda.
    fn files(&self) -> impl Iterator<Item = (&RuleSource, bool)> {
        let builtin = self.builtin.iter().map(|file| (file, true));
        builtin.chain(self.user.files().iter().map(|file| (file, false)))
    }

    fn is_off(&self, rule: &DetectorRule) -> bool {
        self.policy().disabled_detectors().contains(rule.id.as_ref())
    }
}

/// Where a rule is from, in a word or two.
fn origin(file: &RuleSource, builtin: bool) -> String {
    if builtin { "built-in".to_owned() } else { path(file.name()) }
}

fn path(path: &Path) -> String {
    path.display().to_string()
}
