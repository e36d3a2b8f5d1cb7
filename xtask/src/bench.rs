//! The benchmarks, each a table: what the guard costs a program, what finding and redacting cost,
//! how much is found.

mod accuracy;
mod detect;
mod scan;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::failure::{Failure, Result};
use crate::process::Process;
use crate::{Context, Half, python, wheel};

/// One benchmark; whether its bars were held.
type Bench = fn(&Context, Option<Half>) -> Result<bool>;

/// Every benchmark, in the order in which they run.
const ALL: [(&str, Bench); 7] = [
    ("overhead", overhead),
    ("guard", |context, _| guard(context)),
    ("detect", |context, _| detect::run(context)),
    ("journal", journal),
    ("accuracy", |context, _| accuracy::run(context).map(|()| true)),
    ("scan-accuracy", |context, _| scan::accuracy(context)),
    ("scan", |context, _| scan::speed(context)),
];

/// The benchmark of this name, or every one.
pub(crate) fn run(context: &Context, name: Option<&str>, only: Option<Half>) -> Result<ExitCode> {
    let names = ALL.map(|(name, _)| name);
    if let Some(name) = name
        && !names.contains(&name)
    {
        return Err(Failure::new(format!("there is no benchmark `{name}`"))
            .hint(format!("the benchmarks are: {}", names.join(", "))));
    }
    let mut held = true;
    for (own, bench) in ALL {
        if name.is_none_or(|name| name == own) {
            held &= bench(context, only)?;
        }
    }
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Criterion for the crates, scripts for what the guard costs in Python.
fn overhead(context: &Context, only: Option<Half>) -> Result<bool> {
    let environment = wheel::install(context)?;
    if only != Some(Half::Python) {
        let step = context.progress.step("measure the crates");
        let lines = environment
            .cargo()
            // By name: `--benches` would run the libraries' own tests too, which know no criterion.
            .args(["bench", "--workspace", "--bench", "*", "--"])
            .args(["--warm-up-time", "0.5", "--measurement-time", "1", "--noplot"])
            .dir(&context.root)
            .under(&step)?;
        step.done("");
        println!("{}", table(&lines));
    }
    if only == Some(Half::Rust) {
        return Ok(true);
    }
    let mut held = true;
    for script in ["overhead.py", "redact_vs_sed.py"] {
        let process = Process::new(environment.program("python"))
            .args([context.path("benches").join(script)])
            .env("PATH", environment.path());
        held &= process.attached()?.success();
    }
    Ok(held)
}

/// Real programs without and with the guard: what gets out, what is the same, what it costs.
fn guard(context: &Context) -> Result<bool> {
    let environment = wheel::install(context)?;
    let status = Process::new(environment.program("python"))
        .args([context.path("benches/guard/measure.py")])
        .args(["--work"])
        .args([context.path("target/bench/guard")])
        .env("PATH", environment.path())
        .attached()?;
    Ok(status.success())
}

/// Records a second through write-ahead file, seal and signature, beside what the parts can do; and
/// what the handler costs a program in Python.
fn journal(context: &Context, only: Option<Half>) -> Result<bool> {
    let mut held = true;
    if only != Some(Half::Python) {
        held &= journal_crate(context)?;
    }
    if only != Some(Half::Rust) {
        let environment = wheel::install(context)?;
        let process = Process::new(environment.program("python"))
            .args([context.path("benches/journal_handler.py")])
            .env("PATH", environment.path());
        held &= process.attached()?.success();
    }
    Ok(held)
}

fn journal_crate(context: &Context) -> Result<bool> {
    let step = context.progress.step("build the benchmark of the journal");
    let build = ["build", "--release", "-p", "tacenda-journal", "--example", "throughput"];
    Process::cargo().args(build).dir(&context.root).under(&step)?;
    step.done("");
    let program = context.path("target/release/examples/throughput");
    Ok(Process::new(program).dir(&context.root).attached()?.success())
}

/// The interpreter of an environment of its own with these packages.
fn environment(context: &Context, name: &str, requirements: &Path) -> Result<PathBuf> {
    let own = python::environment(context, &python::Lock::take(context)?)?;
    let folder = context.path("target/bench").join(name).join("venv");
    let packages = python::Packages::of(requirements, &folder)?;
    let python = folder.join("bin/python");
    if packages.are_there() {
        return Ok(python);
    }
    let step = context.progress.step("install what to measure with");
    own.module("venv").args(["--clear"]).args([&folder]).under(&step)?;
    packages.install(&python, &step)?;
    step.done("");
    Ok(python)
}

/// One row per measurement out of what criterion prints.
///
/// Criterion writes `name   time:   [low middle high]`, the name on a line of its own when it is
/// long, and the throughput, if any, on the line below as `thrpt:  [low middle high]`.
fn table(lines: &[String]) -> String {
    let mut rows =
        vec!["| benchmark | time | throughput |".to_owned(), "| --- | --- | --- |".into()];
    let mut name = String::new();
    let mut lines = lines.iter().peekable();
    while let Some(line) = lines.next() {
        let Some((before, bracket)) = line.split_once("time:") else {
            line.trim().clone_into(&mut name);
            continue;
        };
        let own = before.trim();
        // What has changed since the run before, in per cent: other figures.
        if own.is_empty() && name == "change:" {
            continue;
        }
        let throughput = lines
            .next_if(|next| next.contains("thrpt:"))
            .and_then(|next| middle(next))
            .unwrap_or_default();
        let name = if own.is_empty() { &name } else { own };
        rows.push(format!("| {name} | {} | {throughput} |", middle(bracket).unwrap_or_default()));
    }
    rows.join("\n")
}

/// The middle of `[low unit middle unit high unit]`.
fn middle(text: &str) -> Option<String> {
    let (_, inside) = text.split_once('[')?;
    let words: Vec<_> = inside.split(']').next()?.split_whitespace().collect();
    (words.len() == 6).then(|| format!("{} {}", words[2], words[3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criterion_output_becomes_rows() {
        let lines = [
            "Benchmarking detect/clean",
            "detect/clean            time:   [1.0 µs 1.1 µs 1.2 µs]",
            "                        thrpt:  [8.0 GiB/s 9.0 GiB/s 9.9 GiB/s]",
            "                 change:",
            "                        time:   [-1.0% +0.1% +1.2%] (p = 0.90 > 0.05)",
            "                        thrpt:  [-1.2% -0.1% +1.0%]",
            "a name too long for one line",
            "                        time:   [2.0 ms 2.5 ms 2.6 ms]",
        ]
        .map(str::to_owned);
        let table = table(&lines);
        assert!(table.contains("| detect/clean | 1.1 µs | 9.0 GiB/s |"), "{table}");
        assert_eq!(table.lines().count(), 4, "{table}");
        assert!(table.contains("| a name too long for one line | 2.5 ms |  |"), "{table}");
    }
}
