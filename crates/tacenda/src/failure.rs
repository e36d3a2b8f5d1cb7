//! What went wrong, for people: printed in one place, with the way out.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use tacenda_policy::PolicyError;
use tacenda_redact::KeyError;
use tacenda_redact::vault::VaultError;

use crate::config;

/// Why the command ends without having done what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The policy is wrong.
    Policy(Vec<PolicyError>),
    /// Something else.
    Other {
        /// What, in one line.
        message: String,
        /// Where: the file.
        place: Option<String>,
        /// How to put it right.
        hint: Option<String>,
        /// The exit status.
        status: u8,
    },
    /// Nobody reads our output any more.
    BrokenPipe,
}

impl Failure {
    /// An error with exit status 2.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Other { message: message.into(), place: None, hint: None, status: 2 }
    }

    /// An error of which a library tells the file and the way out, where it knows them.
    pub(crate) fn told(message: String, file: Option<&Path>, hint: Option<&str>) -> Self {
        Self::Other {
            message,
            place: file.map(|file| file.display().to_string()),
            hint: hint.map(str::to_owned),
            status: 2,
        }
    }

    /// Names the file that it is about.
    pub(crate) fn at(mut self, file: &Path) -> Self {
        if let Self::Other { place, .. } = &mut self {
            *place = Some(file.display().to_string());
        }
        self
    }

    /// Says how to put it right.
    pub(crate) fn hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Other { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    /// Ends with another exit status.
    pub(crate) fn status(mut self, code: u8) -> Self {
        if let Self::Other { status, .. } = &mut self {
            *status = code;
        }
        self
    }

    /// What and where, in one line, for who has started us.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Other { message, place: Some(place), .. } => format!("{message}: {place}"),
            Self::Other { message, place: None, .. } => message.clone(),
            Self::Policy(faults) => faults.first().map(ToString::to_string).unwrap_or_default(),
            Self::BrokenPipe => "its reader is gone".to_owned(),
        }
    }

    /// The exit status.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Other { status, .. } => *status,
            Self::Policy(_) | Self::BrokenPipe => 2,
        }
    }

    /// Prints it on standard error.
    pub(crate) fn print(&self) -> io::Result<()> {
        let mut err = anstream::stderr().lock();
        match self {
            Self::Policy(faults) => config::report_faults(&mut err, faults),
            Self::Other { message, place, hint, .. } => {
                let red = AnsiColor::Red.on_default().bold();
                let place = place.as_ref().map(|place| place as &dyn Display);
                print(&mut err, ("error", red), message, place, hint.as_deref())
            }
            Self::BrokenPipe => Ok(()),
        }
    }
}

impl From<Vec<PolicyError>> for Failure {
    fn from(faults: Vec<PolicyError>) -> Self {
        Self::Policy(faults)
    }
}

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        let message = match &error {
            KeyError::Unreadable { source, .. } => {
                format!("cannot read the key file: {}", reason(source))
            }
            KeyError::Unwritable { source, .. } => {
                format!("cannot write the key file: {}", reason(source))
            }
            KeyError::CannotRun { source } => {
                format!("cannot run `keys.command`: {}", reason(source))
            }
            other => other.to_string(),
        };
        Self::told(message, error.path(), error.hint())
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        let message = match &error {
            VaultError::Unusable { source, .. } => {
                format!("cannot use the vault: {}", reason(source))
            }
            other => other.to_string(),
        };
        Self::told(message, error.path(), error.hint())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::BrokenPipe,
            _ => Self::new(format!("cannot write the output: {}", reason(&error))),
        }
    }
}

/// Prints a warning on standard error. That it cannot be printed is no reason to stop.
pub(crate) fn warn(message: &str, hint: Option<&str>) {
    let yellow = AnsiColor::Yellow.on_default().bold();
    let _ = print(&mut anstream::stderr().lock(), ("warning", yellow), message, None, hint);
}

/// An error of the system in its own words, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// Prints what is wrong or unwise, where, and the way out.
pub(crate) fn print(
    out: &mut impl Write,
    (level, style): (&str, Style),
    message: &str,
    place: Option<&dyn Display>,
    hint: Option<&str>,
) -> io::Result<()> {
    writeln!(out, "{style}{level}{style:#}: {message}")?;
    if let Some(place) = place {
        writeln!(out, "  --> {place}")?;
    }
    if let Some(hint) = hint {
        let cyan = AnsiColor::Cyan.on_default().bold();
        writeln!(out, "{cyan}hint{cyan:#}: {hint}")?;
    }
    Ok(())
}
