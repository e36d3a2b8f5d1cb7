//! The fuzz targets under libFuzzer, led by the coverage of the code that they reach.
//!
//! The compiler is the stable one: what it takes to count coverage are options that it passes on to
//! LLVM. Without a sanitizer nothing is lost, since the crates forbid `unsafe`.

use std::fs;
use std::process::ExitCode;

use crate::Context;
use crate::failure::{Failure, Result};
use crate::process::Process;

const TARGETS: [&str; 10] = [
    "scan",
    "code",
    "decode",
    "redact",
    "filter",
    "policy",
    "rules",
    "protected",
    "share",
    "journal",
];

/// LLVM's coverage counters and comparisons, as libFuzzer reads them.
const COVERAGE: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";

/// Runs the target of this name, or every one, for `seconds` each.
pub(crate) fn run(context: &Context, name: Option<&str>, seconds: u32) -> Result<ExitCode> {
    if let Some(name) = name
        && !TARGETS.contains(&name)
    {
        return Err(Failure::new(format!("there is no fuzz target `{name}`"))
            .hint(format!("the targets are: {}", TARGETS.join(", "))));
    }
    let folder = context.path("target/fuzz");
    let step = context.progress.step("build the fuzz targets");
    let host = host()?;
    let cargo = || Process::cargo().dir(&context.root);
    cargo()
        .args(["run", "--quiet", "-p", "tacenda-fuzz", "--example", "seeds", "--"])
        .args([folder.join("corpus")])
        .under(&step)?;
    // Apart from the host's own builds: build scripts and macros are not to be counted.
    cargo()
        .args(["build", "--release", "-p", "tacenda-fuzz", "--features", "libfuzzer", "--bins"])
        .args(["--target", &host])
        .args([std::ffi::OsStr::new("--target-dir"), folder.as_os_str()])
        .env("RUSTFLAGS", COVERAGE)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS", "true")
        .env("CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS", "true")
        .under(&step)?;
    step.done("");

    fs::create_dir_all(folder.join("found"))?;
    let mut held = true;
    for target in TARGETS.into_iter().filter(|target| name.is_none_or(|name| name == *target)) {
        let step = context.progress.step(&format!("fuzz {target} for {seconds} s"));
        let fuzzed = Process::new(folder.join(&host).join("release").join(target))
            .args([folder.join("corpus").join(target)])
            .args(["-max_len=4096", "-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1"])
            .args([format!("-max_total_time={seconds}")])
            .args([format!("-artifact_prefix={}/{target}-", folder.join("found").display())])
            .under(&step);
        match fuzzed {
            Ok(lines) => {
                let runs = lines
                    .iter()
                    .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
                step.done(&format!("{} inputs", runs.unwrap_or("").trim()));
            }
            // The input that breaks it lies in `found`; the other targets have their turn.
            Err(failure) => {
                held = false;
                drop(step);
                eprint!("{failure}");
            }
        }
    }
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The platform that this compiler builds for when it is told no other.
fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc).arg("-vV").output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| {
        Failure::new("rustc does not say for which platform it builds").hint("see `rustc -vV`")
    })
}
