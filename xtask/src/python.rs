//! The Python environment: `.venv` in the repository, with the packages of `requirements.txt`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::Context;
use crate::failure::{Failure, Result};
use crate::process::Process;
use crate::progress::Step;

/// Interpreters tried, in this order, when `XTASK_PYTHON` names none.
const CANDIDATES: [&str; 7] =
    ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python3.14", "python"];

/// The environment in `.venv`.
pub(crate) struct Environment {
    bin: PathBuf,
}

impl Environment {
    /// The path of a program in the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.bin.join(name)
    }

    /// The environment's interpreter, about to run a module.
    pub(crate) fn module(&self, name: &str) -> Process {
        Process::new(self.program("python")).args(["-m", name])
    }

    /// Cargo, with the environment's programs first on its path and its interpreter for pyo3: the
    /// same for every task, or pyo3 would be built anew each time.
    pub(crate) fn cargo(&self) -> Process {
        Process::cargo().env("PATH", self.path()).env("PYO3_PYTHON", self.program("python"))
    }

    /// Search path with the environment first, so that `tacenda` is the one just built.
    pub(crate) fn path(&self) -> std::ffi::OsString {
        let old = std::env::var_os("PATH").unwrap_or_default();
        std::env::join_paths(std::iter::once(self.bin.clone()).chain(std::env::split_paths(&old)))
            .expect("the repository's path holds no `:`")
    }
}

/// Held while the environment changes: two tasks started at once would otherwise install over
/// each other.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for its turn.
    pub(crate) fn take(context: &Context) -> Result<Self> {
        fs::create_dir_all(context.path("target"))?;
        let file = File::create(context.path("target/xtask.lock"))?;
        if file.try_lock().is_err() {
            let step = context.progress.step("wait for another task to end its set-up");
            file.lock()?;
            step.done("");
        }
        Ok(Self { _file: file })
    }
}

/// Makes the environment, or takes the one that is there when it has what is needed.
pub(crate) fn environment(context: &Context, _lock: &Lock) -> Result<Environment> {
    let venv = context.path(".venv");
    let environment = Environment { bin: venv.join("bin") };
    let requirements = context.path("requirements.txt");
    let packages = Packages::of(&requirements, &venv)?;
    let python = environment.program("python");
    let works = Process::new(&python).args(["-c", "import pip"]).succeeds();
    if works && packages.are_there() {
        return Ok(environment);
    }
    if !works {
        create(context, &venv)?;
    }
    let step = context.progress.step("install the Python packages");
    packages.install(&python, &step)?;
    step.done("");
    Ok(environment)
}

/// What a file of requirements asks of an environment.
pub(crate) struct Packages<'r> {
    requirements: &'r Path,
    wanted: String,
    /// A copy of the requirements that were installed last.
    stamp: PathBuf,
}

impl<'r> Packages<'r> {
    pub(crate) fn of(requirements: &'r Path, venv: &Path) -> Result<Self> {
        let wanted = fs::read_to_string(requirements)?;
        Ok(Self { requirements, wanted, stamp: venv.join("requirements.installed") })
    }

    pub(crate) fn are_there(&self) -> bool {
        fs::read_to_string(&self.stamp).is_ok_and(|installed| installed == self.wanted)
    }

    pub(crate) fn install(&self, python: &Path, step: &Step) -> Result<()> {
        Process::new(python)
            .args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "-r"])
            .args([self.requirements])
            .under(step)
            .map_err(|failure| {
                failure.hint("the packages come from the package index that pip is configured for")
            })?;
        Ok(fs::write(&self.stamp, &self.wanted)?)
    }
}

fn create(context: &Context, venv: &Path) -> Result<()> {
    let python = interpreter()?;
    let step = context.progress.step("make the Python environment");
    if venv.exists() {
        fs::remove_dir_all(venv)?;
    }
    Process::new(&python).args(["-m", "venv"]).args([venv]).under(&step).map_err(|failure| {
        failure.hint(format!(
            "`{python} -m venv` has to work; on Debian and Ubuntu: apt install python3-venv"
        ))
    })?;
    step.done(&format!("{python} in .venv"));
    Ok(())
}

/// The first interpreter that is new enough and can make an environment.
fn interpreter() -> Result<String> {
    let named = std::env::var("XTASK_PYTHON").ok();
    let candidates = match &named {
        Some(name) => vec![name.as_str()],
        None => CANDIDATES.to_vec(),
    };
    let runs = |name: &str, code: &str| Process::new(name).args(["-c", code]).succeeds();
    let new_enough = "import sys; sys.exit(sys.version_info < (3, 10))";
    let recent: Vec<_> = candidates.iter().filter(|name| runs(name, new_enough)).collect();
    if let Some(name) = recent.iter().find(|name| runs(name, "import venv, ensurepip")) {
        return Ok((**name).to_owned());
    }
    Err(match (recent.first(), &named) {
        (Some(name), _) => Failure::new(format!("{name} cannot make virtual environments"))
            .hint("install the modules venv and ensurepip; on Debian and Ubuntu: apt install python3-venv"),
        (None, Some(name)) => Failure::new(format!("XTASK_PYTHON={name} is no Python 3.10 or newer"))
            .hint("unset it, or name another interpreter"),
        (None, None) => Failure::new("no Python 3.10 or newer on PATH")
            .hint("install one, or name it: XTASK_PYTHON=/path/to/python3 cargo xtask ..."),
    })
}
