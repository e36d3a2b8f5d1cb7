//! The wheel: the extension and the command, installed as a user would install them.

use std::fs;
use std::path::PathBuf;

use crate::Context;
use crate::failure::{Failure, Result};
use crate::process::Process;
use crate::python::{self, Environment, Lock};

/// Builds the wheel and installs it into the environment.
pub(crate) fn install(context: &Context) -> Result<Environment> {
    let lock = Lock::take(context)?;
    let environment = python::environment(context, &lock)?;
    let profile = context.profile.as_str();

    // The wheel's build makes the command too; here, its errors are seen without pip's around them.
    let step = context.progress.step(&format!("build the command ({profile})"));
    Process::cargo()
        // Both packages, as in the wheel's build: see there.
        .args(["build", "--locked", "--package", "tacenda", "--package", "tacenda-python"])
        .args(["--bin", "tacenda", "--profile", profile])
        .dir(&context.root)
        .under(&step)?;
    step.done("");

    let step = context.progress.step(&format!("build the wheel ({profile})"));
    let wheels = context.path("target/wheels");
    // An older wheel would be found next to the new one.
    if wheels.exists() {
        fs::remove_dir_all(&wheels)?;
    }
    environment
        .module("pip")
        .args(["wheel", "--verbose", "--no-deps", "--no-build-isolation", "--no-input"])
        .args(["--disable-pip-version-check", "--wheel-dir"])
        .args([&wheels, &context.root])
        .env("TACENDA_BUILD_PROFILE", profile)
        .env("PATH", environment.path())
        .dir(&context.root)
        .under(&step)?;
    let wheel = only_wheel(&wheels)?;
    environment
        .module("pip")
        .args(["install", "--quiet", "--force-reinstall", "--no-deps", "--no-input"])
        .args(["--disable-pip-version-check"])
        .args([&wheel])
        .under(&step)?;
    let version = Process::new(environment.program("tacenda"))
        .args(["--version"])
        .under(&step)
        .map_err(|failure| failure.hint("the wheel was built without the command"))?;
    let size = fs::metadata(&wheel)?.len();
    #[expect(clippy::cast_precision_loss, reason = "a size for people")]
    step.done(&format!("{}, {:.1} MB", version.join(" "), size as f64 / 1e6));
    Ok(environment)
}

fn only_wheel(dir: &PathBuf) -> Result<PathBuf> {
    fs::read_dir(dir)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| Failure::new(format!("no wheel in {}", dir.display())))
}
