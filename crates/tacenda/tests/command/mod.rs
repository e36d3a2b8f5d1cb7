//! The command as a user has it.

use std::path::Path;
use std::process::{Command, Stdio};

/// `tacenda` in a directory, with no variables of ours and nothing to read.
pub(crate) fn tacenda(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tacenda"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TACENDA_") {
            command.env_remove(name);
        }
    }
    // Not where whoever tests keeps theirs.
    command.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// What it printed.
#[track_caller]
pub(crate) fn text(printed: &[u8]) -> String {
    str::from_utf8(printed).expect("it prints UTF-8").to_owned()
}
