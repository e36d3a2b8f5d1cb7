//! Set-up, demo, tests, checks and benchmarks of this repository: `cargo xtask <task>`.
//!
//! Every task brings its own set-up, so that on a machine with nothing but Rust and Python each
//! of them is the only command to type.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line program")]

mod bench;
mod demo;
mod failure;
mod fuzz;
mod lint;
mod macos;
mod process;
mod progress;
mod python;
mod soak;
mod test;
mod wheel;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use failure::{Failure, Result};
use progress::Progress;

const USAGE: &str = "\
Usage: cargo xtask <task> [options]

Tasks
  setup   make the Python environment (.venv) and install what the other tasks need
  wheel   build the wheel (extension and command) and install it into .venv
  demo    show what a real mlx_lm.server leaks without and with Tacenda
  test    run every Rust and every Python test
  lint    formatting, clippy (for macOS, too), ruff, mypy, cargo deny
  bench   print the benchmark tables
  fuzz    look for inputs that break a property, each target for a while
  soak    mixed load under the guard, with faults that are injected, for as long as asked

Options
  --profile <name>    cargo profile of the wheel: release (default), dev or dist
  -h, --help          this text

Options of demo
  --levels <list>     log levels of the server, default INFO,DEBUG
  --no-train          keep the model random: its answers then carry no personal data

Options of test
  --only <rust|python>
                      one half of the tests
  -- <args>           passed on to pytest

Options of bench
  <name>              one benchmark: overhead, guard, detect, journal, accuracy, scan-accuracy, scan;
                      all of them without a name
  --only <rust|python>
                      one half of overhead

Options of fuzz
  <name>              one target: scan, decode, redact, filter, policy, protected
  --seconds <n>       how long each target runs, default 60

Options of soak
  --minutes <n>       how long, default 30
";

/// What every task works with.
struct Context {
    root: PathBuf,
    progress: Progress,
    /// Cargo profile of the command and the extension inside the wheel.
    profile: String,
}

impl Context {
    fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root.join(relative)
    }
}

/// One half of the tests or benchmarks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Rust,
    Python,
}

#[derive(Default)]
struct Options {
    only: Option<Half>,
    levels: Option<String>,
    no_train: bool,
    /// The one benchmark or fuzz target to run.
    name: Option<String>,
    seconds: Option<u32>,
    minutes: Option<u32>,
    rest: Vec<String>,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let Some(task) = arguments.next() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    if matches!(task.as_str(), "-h" | "--help" | "help") {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match run(&task, arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprint!("{failure}");
            ExitCode::from(2)
        }
    }
}

fn run(task: &str, arguments: impl Iterator<Item = String>) -> Result<ExitCode> {
    let mut context = Context {
        root: Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("xtask lives in the repository")
            .to_path_buf(),
        progress: Progress::new(),
        profile: "release".to_owned(),
    };
    let options = parse(task, arguments, &mut context.profile)?;
    match task {
        "setup" => {
            python::environment(&context, &python::Lock::take(&context)?)?;
            println!("ready: the Python environment is in .venv");
            Ok(ExitCode::SUCCESS)
        }
        "wheel" => {
            wheel::install(&context)?;
            Ok(ExitCode::SUCCESS)
        }
        "demo" => demo::run(&context, options.levels.as_deref(), options.no_train),
        "test" => test::run(&context, options.only, &options.rest),
        "lint" => lint::run(&context),
        "bench" => bench::run(&context, options.name.as_deref(), options.only),
        "fuzz" => fuzz::run(&context, options.name.as_deref(), options.seconds.unwrap_or(60)),
        "soak" => soak::run(&context, options.minutes.unwrap_or(30)),
        other => Err(Failure::new(format!("there is no task `{other}`"))
            .hint("the tasks are: setup, wheel, demo, test, lint, bench, fuzz, soak")),
    }
}

fn parse(
    task: &str,
    mut arguments: impl Iterator<Item = String>,
    profile: &mut String,
) -> Result<Options> {
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut value = |name: &str| {
            arguments.next().ok_or_else(|| Failure::new(format!("{name} needs a value")))
        };
        match (argument.as_str(), task) {
            ("--profile", _) => *profile = value("--profile")?,
            ("--levels", "demo") => options.levels = Some(value("--levels")?),
            ("--no-train", "demo") => options.no_train = true,
            ("--only", "test" | "bench") => {
                options.only = Some(match value("--only")?.as_str() {
                    "rust" => Half::Rust,
                    "python" => Half::Python,
                    _ => return Err(Failure::new("--only takes rust or python")),
                });
            }
            ("--", "test") => options.rest = arguments.by_ref().collect(),
            ("--seconds", "fuzz") => options.seconds = Some(number("--seconds", value)?),
            ("--minutes", "soak") => options.minutes = Some(number("--minutes", value)?),
            (name, "bench" | "fuzz") if !name.starts_with('-') && options.name.is_none() => {
                options.name = Some(name.to_owned());
            }
            _ => {
                return Err(Failure::new(format!("`{task}` has no option `{argument}`"))
                    .hint("`cargo xtask --help` lists the options"));
            }
        }
    }
    Ok(options)
}

fn number(name: &str, value: impl FnOnce(&str) -> Result<String>) -> Result<u32> {
    value(name)?.parse().map_err(|_| Failure::new(format!("{name} takes a number")))
}
