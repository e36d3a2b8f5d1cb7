//! Why a task stopped, in the form a person can act on.

use std::fmt;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// How many of a command's last lines are shown.
const TAIL: usize = 40;

/// A task stopped: what failed, the command, its last lines, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    command: Option<String>,
    output: Vec<String>,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), command: None, output: Vec::new(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn command(mut self, command: String, output: Vec<String>) -> Self {
        self.command = Some(command);
        self.output = output;
        self
    }

    /// Whether the failed command printed `text`.
    pub(crate) fn printed(&self, text: &str) -> bool {
        self.output.iter().any(|line| line.contains(text))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(command) = &self.command {
            let hidden = self.output.len().saturating_sub(TAIL);
            writeln!(f, "$ {command}")?;
            if hidden > 0 {
                writeln!(f, "  ({hidden} earlier lines left out)")?;
            }
            for line in &self.output[hidden..] {
                writeln!(f, "  {line}")?;
            }
        }
        writeln!(f, "error: {}", self.what)?;
        if let Some(hint) = &self.hint {
            writeln!(f, "hint: {hint}")?;
        }
        Ok(())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::new(error.to_string())
    }
}
