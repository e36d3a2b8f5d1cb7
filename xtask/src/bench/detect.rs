//! What finding and redacting cost, beside other tools: `benches/detect`.

use super::environment;
use crate::Context;
use crate::failure::Result;
use crate::process::Process;

/// Whether the bars were held.
pub(crate) fn run(context: &Context) -> Result<bool> {
    // The other tools are no part of the project's own environment: they bring fifty packages.
    let requirements = context.path("benches/detect/requirements.txt");
    let python = environment(context, "peers", &requirements)?;
    let step = context.progress.step("build the benchmark");
    let profile = context.profile.as_str();
    let build = ["build", "-p", "tacenda-bench-detect", "--profile", profile];
    Process::cargo().args(build).dir(&context.root).under(&step)?;
    step.done("");
    let folder = if profile == "dev" { "debug" } else { profile };
    let program = context.path("target").join(folder).join("tacenda-bench-detect");
    let status = Process::new(program)
        .args(["--python"])
        .args([python])
        .args(["--out"])
        .args([context.path("target/bench/detect")])
        .dir(&context.root)
        .attached()?;
    Ok(status.success())
}
