//! `tacenda scan` on code: how much it finds, and what it costs.

use crate::failure::Result;
use crate::process::Process;
use crate::{Context, wheel};

/// Recall and precision on labelled lines of published packages.
pub(super) fn accuracy(context: &Context) -> Result<bool> {
    let environment = wheel::install(context)?;
    let status = Process::new(environment.program("python"))
        .args([context.path("benches/scan_accuracy.py"), environment.program("tacenda")])
        .args([context.path("benches/scan/labels.jsonl"), context.path("target/bench/scan")])
        .attached()?;
    Ok(status.success())
}

/// Time and memory on a large code base.
pub(super) fn speed(context: &Context) -> Result<bool> {
    let environment = wheel::install(context)?;
    let status = Process::new(environment.program("python"))
        .args([context.path("benches/scan_speed.py"), environment.program("tacenda")])
        .args([context.path("target/bench/scan-speed")])
        .attached()?;
    Ok(status.success())
}
