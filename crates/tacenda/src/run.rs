//! `tacenda run`: a program with its output redacted.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use clap::builder::PossibleValuesParser;
use tacenda_guard::run::{
    self as runner, FOLLOW, Follower, PROGRAM_VARIABLE, RunError, RunOptions, WITNESS,
};
use tacenda_policy::{HANDOVER_VARIABLE, Policy, Setting, Stdout, Tmpdir, Umask};
use tacenda_redact::{HANDOVER_KEYS_VARIABLE, KEYS_VARIABLE, Redactor};
use tacenda_sink::{Loss, Output};

use crate::bootstrap;
use crate::config::{self, PolicyArgs};
use crate::failure::{Failure, reason, warn};
use crate::kept;
use crate::redactor::{handed_over, redactor, report_lost};
use crate::sinks;

/// Run a program with its output redacted
///
/// Standard output and standard error of the program and of everything it starts are redacted, and
/// a Python program is guarded inside as well, without a change of its code. The program sees a
/// terminal where there is one, keeps standard input, signals and job control, and its exit status
/// is that of `tacenda run`.
#[derive(Args, Debug)]
#[command(override_usage = "tacenda run [OPTIONS] -- <COMMAND> [ARGUMENT]...")]
pub(crate) struct RunArgs {
    /// The program and its arguments
    // What begins with a hyphen before the program is ours, and after it the program's.
    #[arg(required = true, value_name = "COMMAND", trailing_var_arg = true, num_args = 1..)]
    command: Vec<OsString>,

    /// What standard output is: `output` (what the user asked for, left alone), `log` (redacted) or
    /// `auto` (by the command, see `guard.output_commands`)
    #[arg(long, value_name = "WHAT", value_parser = PossibleValuesParser::new(Stdout::NAMES),
          hide_possible_values = true, help_heading = "Output")]
    stdout: Option<String>,

    /// Where the log goes, in place of where the outputs lead: `stdio` (there), `file:PATH`,
    /// `syslog`, `syslog:tls://HOST`, `otlp`, `otlp:URL`, `journal:DIRECTORY`; may be given more than
    /// once
    #[arg(long = "sink", value_name = "SINK", help_heading = "Output")]
    sinks: Vec<String>,

    /// Do not warn when the guard for Python programs is not installed
    #[arg(short, long, help_heading = "Output")]
    quiet: bool,

    /// Leave TMPDIR as it is, in place of a private directory that is removed at the end
    #[arg(long, help_heading = "Files")]
    no_tmpdir: bool,

    /// Leave the umask as it is, in place of 077
    #[arg(long, help_heading = "Files")]
    no_umask: bool,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

pub(crate) fn run(args: RunArgs) -> Result<ExitCode, Failure> {
    let mut layers = args.policy.loader();
    if let Some(stdout) = &args.stdout {
        layers = layers.argument(Setting::Stdout, "--stdout", stdout);
    }
    if !args.sinks.is_empty() {
        let escaped = |sink: &String| sink.replace('\\', r"\\").replace(',', r"\,");
        let sinks: Vec<String> = args.sinks.iter().map(escaped).collect();
        layers = layers.argument(Setting::Sinks, "--sink", sinks.join(","));
    }
    if args.no_tmpdir {
        layers = layers.argument(Setting::Tmpdir, "--no-tmpdir", Tmpdir::Inherit.name());
    }
    if args.no_umask {
        layers = layers.argument(Setting::Umask, "--no-umask", "inherit");
    }
    let loaded = config::load_and_warn(&layers)?;
    loaded.slot_map().map_err(|fault| vec![fault])?;
    let policy = loaded.policy();
    let redactor = redactor(policy)?;

    let filter_stdout = policy.stdout_is_log(&args.command);
    if !args.sinks.is_empty() {
        warn_of_a_guard_around(filter_stdout);
    }
    let log = sinks::open(policy, &sinks::program(&args.command))?;
    let options = RunOptions {
        environment: environment(&args, policy, &redactor),
        filter_stdout,
        umask: match policy.umask() {
            Umask::Inherit => None,
            Umask::Bits(bits) => Some(bits),
        },
        private_tmpdir: policy.tmpdir() == Tmpdir::Private,
        helper: std::env::current_exe().ok(),
        command: args.command,
    };
    let since = SystemTime::now();
    let ended = runner::run(&options, &&redactor, redactor.protected(), log)
        .map_err(|error| failure(error, names_a_directory(&options.command)))?;
    kept::look_through(&redactor, since);
    report_lost(&redactor);
    if let Some(error) = ended.write_failure {
        let lost = format!("part of the program's output was lost: {}", reason(&error));
        warn(&lost, None);
    }
    for Loss { sink, records, why } in &ended.losses {
        let word = if *records == 1 { "record" } else { "records" };
        warn(&format!("the sink `{sink}` has lost {records} {word}: {why}"), None);
    }
    if let Some(error) = &ended.descendants {
        let lost = format!(
            "what programs in the background still write does not go to the sinks: {}",
            reason(error)
        );
        warn(&lost, None);
    }
    Ok(ExitCode::from(runner::end_as(ended.outcome)))
}

/// A guard around this one filters an output first, and keeps its log.
fn warn_of_a_guard_around(filter_stdout: bool) {
    let outputs = [(Output::Stdout, "standard output"), (Output::Stderr, "standard error")];
    let ours = outputs.iter().filter(|(output, _)| filter_stdout || *output == Output::Stderr);
    let around: Vec<_> =
        ours.filter(|(output, _)| runner::is_filtered_around(*output)).map(|it| it.1).collect();
    if !around.is_empty() {
        warn(
            &format!("nothing of {} goes to the sinks here", around.join(" and ")),
            Some("the guard around this one keeps that log: give it the sinks"),
        );
    }
}

/// What the command does when it has started itself, and its exit status; none otherwise.
pub(crate) fn as_helper(arguments: &[OsString]) -> Option<ExitCode> {
    let done = match arguments.get(1)?.to_str()? {
        WITNESS => runner::witness(),
        FOLLOW => Follower::accept().and_then(|follower| {
            let policy = std::env::var(HANDOVER_VARIABLE).ok();
            let policy = policy.and_then(|policy| Policy::from_handover(&policy).ok());
            // The closed choice where there is none.
            let policy = policy.unwrap_or_default();
            let program = std::env::var(PROGRAM_VARIABLE).unwrap_or_default();
            let log = || sinks::open(&policy, &program).map_err(|failure| failure.line());
            let since = SystemTime::now();
            handed_over(&policy).map_or_else(
                |_| Err(std::io::Error::other("there is no redactor")),
                |redactor| {
                    let last_look = || kept::look_through(&redactor, since);
                    follower.follow(&&redactor, redactor.protected(), log, last_look)
                },
            )
        }),
        _ => return None,
    };
    Some(if done.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// What the guard inside the program's processes has to know.
fn environment(args: &RunArgs, policy: &Policy, redactor: &Redactor) -> Vec<(OsString, OsString)> {
    let mut environment = vec![
        (HANDOVER_VARIABLE.into(), policy.handover().into()),
        (HANDOVER_KEYS_VARIABLE.into(), redactor.keys().handover().as_str().into()),
    ];
    // The secrets that these are derived from are not for the program. Empty is unset.
    if std::env::var_os(KEYS_VARIABLE).is_some() {
        environment.push((KEYS_VARIABLE.into(), OsString::new()));
    }
    let program = args.command.first().map(OsString::as_os_str).unwrap_or_default();
    let directory = bootstrap::directory(program);
    match directory.as_deref().and_then(bootstrap::python_path) {
        Some(path) => environment.push(("PYTHONPATH".into(), path)),
        None if args.quiet => {}
        None => {
            let hint = "pip install tacenda in the program's environment, or pass --quiet";
            warn(
                "only the output streams are redacted: the guard for Python programs is not installed",
                Some(hint),
            );
        }
    }
    environment
}

/// Whether the program is given as the path of a directory. A bare name is looked for in PATH.
fn names_a_directory(command: &[OsString]) -> bool {
    let program = command.first().map(OsString::as_os_str).unwrap_or_default();
    program.as_encoded_bytes().contains(&b'/') && Path::new(program).is_dir()
}

fn failure(error: RunError, directory: bool) -> Failure {
    match error {
        // What it was called is not said: an argument may be a secret.
        RunError::NotFound => {
            let failure = Failure::new(error.to_string()).status(127);
            failure.hint("the command is the first word after `--`: check its spelling and PATH")
        }
        RunError::NotExecutable(_) if directory => {
            let failure = Failure::new("the program cannot be executed: it is a directory");
            failure.status(126).hint("name a program in it")
        }
        RunError::NotExecutable(why) => {
            let message = format!("the program cannot be executed: {}", reason(&why));
            Failure::new(message).status(126).hint("chmod +x, or name its interpreter first")
        }
        error => Failure::new(error.to_string()),
    }
}
