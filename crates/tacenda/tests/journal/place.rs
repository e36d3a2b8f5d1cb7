//! A directory with a journal, who reads it, and the command in it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{self, text};

pub(crate) struct Place {
    pub(crate) directory: TempDir,
}

impl Place {
    /// A journal that `reader` reads.
    pub(crate) fn new() -> Self {
        Self::with(&["--max-age", "90d"])
    }

    /// The same, set to something else.
    pub(crate) fn with(settings: &[&str]) -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        let recipient = place.journal(&["identity", "reader"]);
        let init = ["init", "sealed", "--recipient", recipient.trim()];
        place.journal(&[&init, settings].concat());
        place
    }

    /// A journal that `reader` reads, but for what is restricted: that is for `officer`.
    pub(crate) fn of_two() -> Self {
        let place = Self { directory: tempfile::tempdir().unwrap() };
        let [reader, officer] =
            ["reader", "officer"].map(|name| place.journal(&["identity", name]));
        let restricted = format!("restricted={}", officer.trim());
        place.journal(&[
            "init",
            "sealed",
            "--recipient",
            reader.trim(),
            "--recipient",
            &restricted,
        ]);
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The recipient that an identity file opens for.
    pub(crate) fn recipient(&self, name: &str) -> String {
        let identity = std::fs::read_to_string(self.path(name)).unwrap();
        let recipient = identity.lines().find_map(|line| line.strip_prefix("# public key: "));
        recipient.unwrap().to_owned()
    }

    pub(crate) fn tacenda(&self) -> Command {
        let mut command = command::tacenda(self.directory.path());
        command.env("TACENDA_JOURNAL_PLACES", "temporary");
        command
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.tacenda();
        command.arg("journal").args(arguments);
        command
    }

    /// What it prints, where it succeeds.
    #[track_caller]
    pub(crate) fn journal(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        text(&output.stdout)
    }

    /// What it says on standard error, where it ends with status 2.
    #[track_caller]
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let error = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(!error.contains("os error"), "{error}");
        error
    }

    pub(crate) fn append(&self, given: &[u8], more: &[&str]) -> Output {
        let mut command = self.command(&[&["append", "sealed"], more].concat());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(given).unwrap();
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    pub(crate) fn records(&self, more: &[&str]) -> Vec<Value> {
        let lines = self.journal(&[&["cat", "sealed", "-i", "reader"], more].concat());
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[track_caller]
    pub(crate) fn messages(&self, more: &[&str]) -> Vec<String> {
        let message = |record: &Value| record["message"].as_str().unwrap().to_owned();
        self.records(more).iter().map(message).collect()
    }

    pub(crate) fn segments(&self) -> usize {
        self.journal(&["list", "sealed"]).lines().count()
    }
}

/// Waits until it holds: another process is at work.
#[track_caller]
pub(crate) fn until(mut holds: impl FnMut() -> bool) {
    let since = Instant::now();
    while !holds() {
        assert!(since.elapsed() < Duration::from_secs(60), "it does not come to hold");
        std::thread::sleep(Duration::from_millis(10));
    }
}
