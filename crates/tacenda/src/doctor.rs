//! `tacenda doctor`: what the guard covers in a Python environment.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::Args;

use crate::failure::{Failure, reason};

/// What runs in the interpreter. An environment without the package has a status of its own.
const CODE: &str = "\
import sys
try:
    from tacenda.doctor import main
except ImportError:
    sys.exit(3)
sys.exit(main())
";
const NOT_INSTALLED: i32 = 3;

/// Check what the guard covers in a Python environment, and what it costs there
///
/// Installs the guard in a fresh interpreter, imports the libraries that it knows and that are
/// installed, and reports what is hooked, what is not, the versions, and what calls cost. Exits with
/// 1 when a place that should be hooked is not there.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// The interpreter; the one beside this command if none is named, else `python3`
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
}

pub(crate) fn run(args: &DoctorArgs) -> Result<ExitCode, Failure> {
    let beside = || {
        let python = std::env::current_exe().ok()?.with_file_name("python");
        python.is_file().then(|| python.into_os_string())
    };
    let named = args.python.clone().map(PathBuf::into_os_string);
    let python: OsString = named.or_else(beside).unwrap_or_else(|| "python3".into());
    let status = Command::new(python).args(["-c", CODE]).status().map_err(|error| {
        let failure = Failure::new(format!("the interpreter cannot be run: {}", reason(&error)));
        failure.hint("--python names another")
    })?;
    match status.code() {
        Some(NOT_INSTALLED) => {
            let failure = Failure::new("Tacenda is not installed for this interpreter");
            Err(failure.hint("pip install tacenda in its environment, or name another: --python"))
        }
        Some(code) => Ok(ExitCode::from(u8::try_from(code).unwrap_or(2))),
        None => Err(Failure::new("the interpreter was ended by a signal")),
    }
}
