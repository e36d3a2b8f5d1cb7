//! Formatting, lints, types, and the rules for dependencies.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::Context;
use crate::failure::Result;
use crate::macos;
use crate::process::Process;
use crate::python::{self, Environment, Lock};

/// The release of cargo-deny that is built when none is installed.
const CARGO_DENY: &str = "0.20.2";

/// What clippy looks at, and how, after its own name and the target.
const CLIPPY: [&str; 7] =
    ["--workspace", "--all-targets", "--locked", "--message-format=short", "--", "-D", "warnings"];

pub(crate) fn run(context: &Context) -> Result<ExitCode> {
    let environment = python::environment(context, &Lock::take(context)?)?;
    let cargo = || environment.cargo().dir(&context.root);
    let module = |name| environment.module(name).dir(&context.root);

    let mut checks = Checks { context, failed: Vec::new() };
    checks.run("cargo fmt", cargo().args(["fmt", "--all", "--", "--check"]));
    checks.run("cargo clippy", cargo().args(["clippy"]).args(CLIPPY));
    if !cfg!(target_os = "macos")
        && let Some(clippy) = macos::clippy(context, &environment)?
    {
        checks.run("cargo clippy for macOS", clippy.args(CLIPPY).dir(&context.root));
    }
    checks.run("ruff check", module("ruff").args(["check", "--output-format=concise", "."]));
    checks.run(
        "ruff format",
        module("ruff").args(["format", "--check", "--output-format=concise", "."]),
    );
    checks.run("mypy --strict", module("mypy"));
    deny(context, &environment, &mut checks)?;

    if checks.failed.is_empty() {
        println!("every check passed");
        return Ok(ExitCode::SUCCESS);
    }
    println!("failed: {}", checks.failed.join(", "));
    Ok(ExitCode::FAILURE)
}

/// Runs checks to the end, so that one run shows everything there is to mend.
struct Checks<'a> {
    context: &'a Context,
    failed: Vec<&'static str>,
}

impl Checks<'_> {
    fn run(&mut self, name: &'static str, process: Process) {
        let step = self.context.progress.step(name);
        match process.under(&step) {
            Ok(_) => step.done("clean"),
            Err(failure) => {
                drop(step);
                println!("{failure}");
                self.failed.push(name);
            }
        }
    }
}

fn deny(context: &Context, environment: &Environment, checks: &mut Checks<'_>) -> Result<()> {
    let program = cargo_deny(context)?;
    let deny = |what: &[&str]| {
        Process::new(&program)
            .args(["--all-features", "--locked", "check"])
            .args(what)
            .env("PATH", environment.path())
            .dir(&context.root)
    };
    checks.run("cargo deny", deny(&["bans", "licenses", "sources"]));

    let step = context.progress.step("cargo deny advisories");
    match deny(&["advisories"]).under(&step) {
        Ok(_) => step.done("clean"),
        // The database of advisories is a repository elsewhere: without it nothing is known.
        Err(failure) if failure.printed("failed to fetch advisory database") => {
            step.done("left out, the advisory database cannot be reached");
        }
        Err(failure) => {
            drop(step);
            println!("{failure}");
            checks.failed.push("cargo deny advisories");
        }
    }
    Ok(())
}

/// The installed cargo-deny, or one built once into `target/tools`.
fn cargo_deny(context: &Context) -> Result<PathBuf> {
    if Process::new("cargo-deny").args(["--version"]).succeeds() {
        return Ok("cargo-deny".into());
    }
    let tools = context.path("target/tools");
    let program = tools.join("bin/cargo-deny");
    if program.exists() {
        return Ok(program);
    }
    let step = context.progress.step("build cargo-deny, once");
    Process::cargo()
        // Unoptimised: it builds in a third of the time, and the check takes a second either way.
        .args(["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--debug", "--root"])
        .args([&tools])
        .dir(&context.root)
        .under(&step)
        .map_err(|failure| failure.hint("`cargo install cargo-deny` has to work"))?;
    step.done(CARGO_DENY);
    Ok(program)
}
