//! Every Rust test and every Python test.

use std::process::ExitCode;

use crate::failure::Result;
use crate::process::Process;
use crate::python::Environment;
use crate::{Context, Half, wheel};

/// One runner: its name, its closing line, whether it passed.
struct Outcome {
    name: &'static str,
    closing: String,
    passed: bool,
}

pub(crate) fn run(context: &Context, only: Option<Half>, pytest: &[String]) -> Result<ExitCode> {
    // The Rust tests of the command and of the extension find Python through the environment too.
    let environment = wheel::install(context)?;
    let mut outcomes = Vec::new();
    if only != Some(Half::Python) {
        let nextest = Process::cargo().args(["nextest", "--version"]).succeeds();
        if nextest {
            outcomes.push(rust(context, &environment, "cargo nextest", NEXTEST)?);
            outcomes.push(rust(context, &environment, "cargo test --doc", DOC)?);
        } else {
            outcomes.push(rust(context, &environment, "cargo test", CARGO_TEST)?);
        }
    }
    if only != Some(Half::Rust) {
        outcomes.push(python(context, &environment, pytest)?);
    }

    println!();
    for outcome in &outcomes {
        let mark = if outcome.passed { "passed" } else { "FAILED" };
        println!("{mark}  {}: {}", outcome.name, outcome.closing);
    }
    let passed = outcomes.iter().all(|outcome| outcome.passed);
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const NEXTEST: &[&str] = &["nextest", "run", "--workspace", "--no-fail-fast", "--no-tests=pass"];
const DOC: &[&str] = &["test", "--workspace", "--doc", "--no-fail-fast"];
const CARGO_TEST: &[&str] = &["test", "--workspace", "--no-fail-fast"];

fn rust(
    context: &Context,
    environment: &Environment,
    name: &'static str,
    args: &[&str],
) -> Result<Outcome> {
    println!("\n== {name}");
    let (status, lines) =
        Process::cargo().args(args).env("PATH", environment.path()).dir(&context.root).in_view()?;
    let closing = if name == "cargo nextest" {
        lines.iter().rfind(|line| line.trim_start().starts_with("Summary")).cloned()
    } else {
        cargo_test_total(&lines)
    };
    Ok(Outcome {
        name,
        closing: closing.map_or_else(|| status.to_string(), |line| line.trim().to_owned()),
        passed: status.success(),
    })
}

/// `cargo test` closes each test program on its own: the sum of those lines.
fn cargo_test_total(lines: &[String]) -> Option<String> {
    let mut results =
        lines.iter().filter_map(|line| line.trim().strip_prefix("test result: ")).peekable();
    results.peek()?;
    let mut totals = [0_u64; 3];
    for result in results {
        for (total, label) in totals.iter_mut().zip(["passed", "failed", "ignored"]) {
            *total += count(result, label).unwrap_or(0);
        }
    }
    Some(format!("{} passed; {} failed; {} ignored", totals[0], totals[1], totals[2]))
}

fn count(result: &str, label: &str) -> Option<u64> {
    let (before, _) = result.split_once(&format!(" {label}"))?;
    before.rsplit(' ').next()?.parse().ok()
}

fn python(context: &Context, environment: &Environment, extra: &[String]) -> Result<Outcome> {
    println!("\n== pytest");
    let (status, lines) = environment
        .module("pytest")
        // Most of them wait for programs that they have started.
        .args(["--numprocesses", "auto", "--dist", "worksteal"])
        .args(extra)
        .env("PATH", environment.path())
        .env("PYTHONUNBUFFERED", "1")
        .dir(&context.root)
        .in_view()?;
    let closing = lines.iter().rfind(|line| !line.trim().is_empty());
    Ok(Outcome {
        name: "pytest",
        closing: closing
            .map_or_else(|| status.to_string(), |line| line.trim_matches(['=', ' ']).to_owned()),
        passed: status.success(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_cargo_test_are_summed() {
        let lines = [
            "running 2 tests".to_owned(),
            "test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out".to_owned(),
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured".to_owned(),
        ];
        assert_eq!(cargo_test_total(&lines).unwrap(), "5 passed; 1 failed; 1 ignored");
        assert!(cargo_test_total(&lines[..1]).is_none());
    }
}
