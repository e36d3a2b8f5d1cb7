//! Whether everything compiles for macOS, checked on other systems, too. C sources of dependencies
//! are compiled by Zig, which brings the headers of macOS; nothing is linked or run.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::Context;
use crate::failure::{Failure, Result};
use crate::process::Process;
use crate::python::Environment;

const TARGET: &str = "aarch64-apple-darwin";

/// The package of the Python index that brings Zig.
const ZIG: &str = "ziglang>=0.16,<0.18";

/// Clippy, about to be told what to check for macOS; `None`, with a line that says so, where
/// Rust's libraries for it cannot be had.
pub(crate) fn clippy(context: &Context, environment: &Environment) -> Result<Option<Process>> {
    let step = context.progress.step("set up for macOS");
    if !Process::new("rustup").args(["target", "add", TARGET]).dir(&context.root).succeeds() {
        step.done("left out, rustup cannot get Rust's libraries for it");
        return Ok(None);
    }
    if !Process::new(environment.program("python")).args(["-c", "import ziglang"]).succeeds() {
        let install = ["install", "--no-input", "--disable-pip-version-check", ZIG];
        environment.module("pip").args(install).under(&step)?;
    }
    let tools = context.path("target/tools");
    fs::create_dir_all(&tools)?;
    let compiler = script(environment, &tools, "cc-macos", "cc -target aarch64-macos")?;
    let archiver = script(environment, &tools, "ar-macos", "ar")?;
    step.done("");
    let cargo = environment
        .cargo()
        .args(["clippy", "--target", TARGET])
        .env("CC_aarch64_apple_darwin", compiler)
        .env("AR_aarch64_apple_darwin", archiver)
        // What the crate `cc` would add names the target in a way that Zig does not know.
        .env("CRATE_CC_NO_DEFAULTS", "1");
    Ok(Some(cargo))
}

/// A program of one line that runs Zig.
fn script(environment: &Environment, tools: &Path, name: &str, command: &str) -> Result<PathBuf> {
    let path = tools.join(name);
    let python = environment.program("python");
    let python = python.to_str().ok_or_else(|| Failure::new("the path of .venv is not UTF-8"))?;
    fs::write(&path, format!("#!/bin/sh\nexec '{python}' -m ziglang {command} \"$@\"\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    Ok(path)
}
