//! `tacenda debug`: more detail from a running program, for a time, with a reason.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde_json::json;
use tacenda_guard::audit::{now, put_on_record, record, who};
use tacenda_guard::raise::{Desk, Process, Raise};
use tacenda_policy::Level;
use tacenda_redact::Report;

use crate::config::{self, PolicyArgs};
use crate::failure::{Failure, reason, warn};
use crate::redactor::redactor;
use crate::report::plural;

/// How long processes are waited for that were told.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lower the level of a logger in running guarded processes, for a time
///
/// Records that the policy or the program itself leaves out are made until the time is over; what
/// they hold is redacted as ever. Who asked, when, of which logger, for how long and why goes on
/// record first. The processes go back by themselves, whatever becomes of this command.
#[derive(Args, Debug)]
#[command(
    override_usage = "tacenda debug --for <TIME> --logger <NAME> --reason <TEXT> [PROCESS]...
       tacenda debug --list
       tacenda debug --stop [ID]"
)]
pub(crate) struct DebugArgs {
    /// The processes, by number; every guarded process of this user if none is named, also those that
    /// start later
    #[arg(value_name = "PROCESS")]
    processes: Vec<u32>,

    /// How long: 90s, 15m, 1h
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    time: Option<Duration>,

    /// The logger, and those below it; `*` stands for any letters
    #[arg(long, value_name = "NAME")]
    logger: Option<String>,

    /// Why; it goes on record
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,

    /// The level that it goes down to
    #[arg(long, value_name = "LEVEL", default_value = "debug", value_parser = level)]
    level: Level,

    /// List what is raised now
    #[arg(long, conflicts_with_all = ["time", "logger", "reason", "stop", "processes"])]
    list: bool,

    /// End it early: what has this id, or everything
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "",
          conflicts_with_all = ["time", "logger", "reason", "processes"])]
    stop: Option<String>,

    /// Format of the list
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,

    #[command(flatten, next_help_heading = "Policy")]
    policy: PolicyArgs,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Lines for people
    #[default]
    Text,
    /// A JSON object a line
    Jsonl,
}

pub(crate) fn run(args: &DebugArgs) -> Result<ExitCode, Failure> {
    let desk = Desk::open().map_err(|error| {
        let failure = Failure::new(format!(
            "cannot use the directory where processes are found: {}",
            reason(&error)
        ));
        failure.hint("it is /tmp/tacenda-UID, or `tacenda` in XDG_RUNTIME_DIR, and must be 0700")
    })?;
    match &args.stop {
        _ if args.list => list(&desk, args.format)?,
        Some(id) => stop(&desk, id)?,
        None => raise(&desk, args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn raise(desk: &Desk, args: &DebugArgs) -> Result<(), Failure> {
    let (Some(time), Some(logger)) = (args.time, &args.logger) else {
        let failure = Failure::new("for how long, and of which logger?");
        return Err(failure.hint("tacenda debug --for 15m --logger app --reason \"...\""));
    };
    if logger.trim().is_empty() {
        let failure = Failure::new("a logger has a name");
        return Err(failure.hint("`--logger root` is the root logger, `--logger '*'` is all"));
    }
    let why = args.reason.as_deref().unwrap_or_default().trim();
    if why.is_empty() {
        let failure = Failure::new("a level is not raised without a reason");
        return Err(failure.hint("--reason \"what is looked for\", which goes on record"));
    }
    let loaded = config::load_and_warn(&args.policy.loader())?;
    let most = loaded.policy().debug_at_most();
    if time > most {
        let text = loaded.policy().text(tacenda_policy::Setting::LevelsDebugAtMost);
        let failure = Failure::new(format!("the policy allows {text} at most"));
        return Err(failure.hint("--for less, or `levels.debug_at_most` in the policy file"));
    }
    let found = desk.processes().map_err(|error| unreadable(&error))?;
    let meant: Vec<Process> = if args.processes.is_empty() {
        found
    } else {
        let known = |pid: &u32| found.iter().find(|process| process.pid == *pid).cloned();
        let unknown = || {
            let failure =
                Failure::new("a process that was named is not a guarded one of this user");
            failure.hint("`tacenda.status()` in the program says whether its levels can be raised")
        };
        args.processes.iter().map(known).collect::<Option<_>>().ok_or_else(unknown)?
    };
    if meant.is_empty() {
        let failure = Failure::new("no guarded Python process of this user is running");
        return Err(failure.hint(
            "start it with `tacenda run -- ...`, or have it call tacenda.install(); \
             a service with an XDG_RUNTIME_DIR or a /tmp of its own is found with the same one",
        ));
    }

    // It goes on record and into logs, and may name who has asked.
    let redactor = redactor(loaded.policy())?;
    let why = redactor.redact(why.as_bytes(), &mut Report::default());
    let since = now();
    let raise = Raise {
        id: format!("{since:x}{:04x}", std::process::id() & 0xffff),
        logger: logger.clone(),
        level: args.level,
        since,
        until: since + time.as_secs(),
        who: who(),
        reason: String::from_utf8_lossy(&why).into_owned(),
        processes: args.processes.clone(),
    };
    put(&raise, "raised")?;
    desk.raise(&raise)
        .map_err(|error| Failure::new(format!("cannot tell the processes: {}", reason(&error))))?;
    let taken = wait_for(desk, &raise, &meant)?;
    writeln!(
        io::stdout(),
        "{}: {} goes down to {} until {}, in {}",
        raise.id,
        raise.logger,
        raise.level,
        moment(raise.until),
        plural(taken, "process"),
    )?;
    if taken < meant.len() {
        let message = format!(
            "{} not answered yet",
            if meant.len() - taken == 1 {
                "a process has".to_owned()
            } else {
                format!("{} processes have", meant.len() - taken)
            }
        );
        warn(
            &message,
            Some("it does when its main thread is back in Python code: tacenda debug --list"),
        );
    }
    Ok(())
}

/// Waits until the processes have taken it up, for a while. Says how many have.
fn wait_for(desk: &Desk, raise: &Raise, meant: &[Process]) -> Result<usize, Failure> {
    let until = Instant::now() + PATIENCE;
    loop {
        let taken = desk.acknowledged(&raise.id).map_err(|error| unreadable(&error))?;
        let taken = meant.iter().filter(|process| taken.contains(&process.pid)).count();
        if taken == meant.len() || Instant::now() >= until {
            return Ok(taken);
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn stop(desk: &Desk, id: &str) -> Result<(), Failure> {
    let raises = desk.raises().map_err(|error| unreadable(&error))?;
    let meant: Vec<&Raise> =
        raises.iter().filter(|raise| id.is_empty() || raise.id == id).collect();
    if meant.is_empty() && !id.is_empty() {
        let failure = Failure::new("nothing that has this id is raised");
        return Err(failure.hint("tacenda debug --list"));
    }
    if meant.is_empty() {
        writeln!(io::stdout(), "nothing is raised")?;
    }
    for raise in meant {
        put(raise, "stopped")?;
        desk.stop(&raise.id).map_err(|error| unreadable(&error))?;
        writeln!(io::stdout(), "{}: stopped", raise.id)?;
    }
    Ok(())
}

fn list(desk: &Desk, format: Format) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    for raise in desk.raises().map_err(|error| unreadable(&error))? {
        let taken = desk.acknowledged(&raise.id).map_err(|error| unreadable(&error))?;
        match format {
            Format::Text => writeln!(
                out,
                "{}: {} down to {} until {}, in {}, by {}: {}",
                raise.id,
                raise.logger,
                raise.level,
                moment(raise.until),
                plural(taken.len(), "process"),
                raise.who,
                raise.reason,
            )?,
            Format::Jsonl => {
                let mut entry = serde_json::to_value(&raise).map_err(io::Error::other)?;
                entry["taken"] = json!(taken);
                writeln!(out, "{entry}")?;
            }
        }
    }
    Ok(())
}

/// On record first: what is not on record is not done.
fn put(raise: &Raise, event: &str) -> Result<(), Failure> {
    let file = record("levels.jsonl").map_err(|error| unrecorded(&error))?;
    put_on_record(&file, event, raise).map_err(|error| unrecorded(&error).at(&file))
}

fn unrecorded(error: &io::Error) -> Failure {
    let failure = Failure::new(format!("cannot put it on record: {}", reason(error)));
    failure.hint("nothing was changed; the record is tacenda/levels.jsonl in XDG_STATE_HOME, 0600")
}

fn unreadable(error: &io::Error) -> Failure {
    Failure::new(format!("cannot look for guarded processes: {}", reason(error)))
}

fn moment(seconds: u64) -> String {
    let moment = i64::try_from(seconds).ok().and_then(|at| Timestamp::from_second(at).ok());
    moment.map_or_else(String::new, |moment| moment.to_string())
}

fn time(text: &str) -> Result<Duration, String> {
    tacenda_policy::time(text).ok_or_else(|| "a time such as 15m (units s, m, h, d)".to_owned())
}

fn level(text: &str) -> Result<Level, String> {
    Level::from_name(text).ok_or_else(|| format!("one of {}", Level::NAMES.join(", ")))
}
