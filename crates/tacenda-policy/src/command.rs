//! Which command a command line runs, by the name that people know it under.

use std::{ffi::OsStr, path::Path};

/// Whether a command line runs one of these commands.
///
/// A program is known by its file name, a module by its name (`python -m mlx_lm.generate`), a
/// script by its file name without `.py`; the subcommand that follows is joined with a dot, so that
/// `mlx_lm generate` and `mlx_lm.generate` are one.
pub(crate) fn is_one_of<S: AsRef<OsStr>>(command_line: &[S], commands: &[String]) -> bool {
    let words: Option<Vec<&str>> = command_line.iter().map(|word| word.as_ref().to_str()).collect();
    let Some((name, rest)) = words.as_deref().and_then(program) else { return false };
    let subcommand = rest.first().filter(|word| !word.starts_with('-'));
    commands.iter().any(|command| {
        command == name
            || subcommand.is_some_and(|subcommand| {
                command.strip_prefix(name).and_then(|rest| rest.strip_prefix('.'))
                    == Some(subcommand)
            })
    })
}

/// The name of the program and the arguments that follow it.
fn program<'w>(words: &'w [&'w str]) -> Option<(&'w str, &'w [&'w str])> {
    let (first, rest) = words.split_first()?;
    let name = file_name(first)?;
    if is_python(name) { python(rest) } else { Some((name, rest)) }
}

fn is_python(name: &str) -> bool {
    let version = name.strip_prefix("python").or_else(|| name.strip_prefix("pypy"));
    version.is_some_and(|version| {
        version.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b't')
    })
}

/// What the Python interpreter runs, from its own arguments (Python reference, "Command line and
/// environment").
fn python<'w>(mut words: &'w [&'w str]) -> Option<(&'w str, &'w [&'w str])> {
    loop {
        let (&word, rest) = words.split_first()?;
        words = rest;
        let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) else {
            return file_name(word).map(|name| (name.trim_end_matches(".py"), rest));
        };
        if flags.starts_with('-') {
            // `--check-hash-based-pycs` alone has a value of its own; other long ones have none.
            if flags == "-check-hash-based-pycs" {
                words = rest.split_first()?.1;
            }
            continue;
        }
        // Short flags may be run together; the first that takes a value takes the rest.
        let Some(at) = flags.find(['m', 'c', 'X', 'W']) else { continue };
        let attached = &flags[at + 1..];
        let (value, rest) = if attached.is_empty() {
            let (&value, rest) = rest.split_first()?;
            (value, rest)
        } else {
            (attached, rest)
        };
        match flags.as_bytes()[at] {
            b'm' => return Some((value, rest)),
            b'c' => return None,
            _ => words = rest,
        }
    }
}

fn file_name(path: &str) -> Option<&str> {
    Path::new(path).file_name()?.to_str()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_output(command_line: &str) -> bool {
        let commands = ["mlx_lm.generate", "mlx_lm.chat", "mlx_whisper"].map(str::to_owned);
        is_one_of(&command_line.split(' ').collect::<Vec<_>>(), &commands)
    }

    #[test]
    fn every_way_to_start_a_command() {
        for command_line in [
            "mlx_lm.generate --prompt x",
            "/opt/venv/bin/mlx_lm.generate",
            "mlx_lm generate --prompt x",
            "python -m mlx_lm.generate",
            "python3.12 -m mlx_lm generate --model m",
            "python -mmlx_lm chat",
            "python -u -X dev -W error -Bm mlx_lm.chat",
            "/usr/bin/python3.13t -Xdev /opt/venv/bin/mlx_lm.chat",
            "python --check-hash-based-pycs always mlx_whisper.py a.wav",
            "mlx_whisper a.wav",
        ] {
            assert!(is_output(command_line), "{command_line}");
        }
    }

    #[test]
    fn everything_else_is_a_log() {
        for command_line in [
            "",
            "python",
            "python -",
            "mlx_lm.server",
            "mlx_lm server generate",
            "mlx_lm --verbose generate",
            "mlx_lm.generate.py2",
            "python -c mlx_lm.generate",
            "python -m mlx_lm",
            "python -m mlx_lm.server mlx_lm.generate",
            "python server.py mlx_lm.generate",
            "bash -c mlx_lm.generate",
            "pythonic -m mlx_lm.generate",
        ] {
            assert!(!is_output(command_line), "{command_line}");
        }
    }

    proptest! {
        #[test]
        fn no_command_line_panics(words in prop::collection::vec("(-{0,2}\\PC{0,6}|python|-m)", 0..6)) {
            is_one_of(&words, &["mlx_lm.generate".to_owned()]);
        }
    }
}
