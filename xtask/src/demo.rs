//! The same requests to a real `mlx_lm.server`, without and with Tacenda.

use std::process::ExitCode;

use crate::failure::Result;
use crate::{Context, wheel};

/// Log levels of the server that the demo shows.
const LEVELS: &str = "INFO,DEBUG";

pub(crate) fn run(context: &Context, levels: Option<&str>, no_train: bool) -> Result<ExitCode> {
    let environment = wheel::install(context)?;
    let work = context.path("target/demo");
    std::fs::create_dir_all(&work)?;
    let script = |name: &str| {
        crate::process::Process::new(environment.program("python"))
            .args([context.path("demo").join(name)])
            .args(["--work"])
            .args([&work])
            .env("PATH", environment.path())
            .env("PYTHONUNBUFFERED", "1")
            .dir(&work)
    };

    let step = context.progress.step("make a small model");
    let train: &[&str] = if no_train { &["--no-train"] } else { &[] };
    let made = script("model.py").args(train).under(&step)?;
    step.done(made.last().map_or("", String::as_str));

    let levels: Vec<_> = levels.unwrap_or(LEVELS).split(',').collect();
    for level in &levels {
        for guarded in [false, true] {
            let with = if guarded { "with" } else { "without" };
            let step = context.progress.step(&format!("mlx_lm.server at {level} {with} Tacenda"));
            let guard: &[&str] = if guarded { &["--guarded"] } else { &[] };
            let ran = script("serve.py").args(["--level", level]).args(guard).under(&step)?;
            step.done(ran.last().map_or("", String::as_str));
        }
    }

    let status = script("report.py").args(["--levels", &levels.join(",")]).attached()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
