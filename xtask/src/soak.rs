//! Mixed load under the guard, with faults that are injected.

use std::process::ExitCode;

use crate::failure::Result;
use crate::process::Process;
use crate::{Context, wheel};

pub(crate) fn run(context: &Context, minutes: u32) -> Result<ExitCode> {
    let environment = wheel::install(context)?;
    let status = Process::new(environment.program("python"))
        .args([context.path("benches/soak/soak.py")])
        .args(["--minutes".to_owned(), minutes.to_string()])
        .env("PATH", environment.path())
        .attached()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
