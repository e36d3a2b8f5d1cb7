//! Running other programs: quietly under a step, or in full view.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::failure::{Failure, Result};
use crate::progress::Step;

/// A program to run, with every line it prints kept.
pub(crate) struct Process {
    command: Command,
}

impl Process {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program);
        command.stdin(Stdio::null());
        Self { command }
    }

    /// The cargo that runs this program.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    pub(crate) fn args(mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn dir(mut self, dir: impl AsRef<std::path::Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs under a step: its lines are seen one at a time, and all together when it fails.
    pub(crate) fn under(self, step: &Step) -> Result<Vec<String>> {
        let (status, lines, shown) = self.lines(|line| step.note(line))?;
        if status.success() { Ok(lines) } else { Err(failed(status, shown, lines)) }
    }

    /// Runs with its lines passed on to standard output; a non-zero exit is not an error.
    pub(crate) fn in_view(self) -> Result<(ExitStatus, Vec<String>)> {
        let (status, lines, _) = self.lines(|line| println!("{line}"))?;
        Ok((status, lines))
    }

    /// Runs with this program's own standard streams.
    pub(crate) fn attached(mut self) -> Result<ExitStatus> {
        let shown = self.shown();
        self.command.status().map_err(|error| not_started(&shown, &error))
    }

    /// Whether the program starts and exits with success, its output unseen.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn lines(mut self, mut see: impl FnMut(&str)) -> Result<(ExitStatus, Vec<String>, String)> {
        let shown = self.shown();
        let mut child = self
            .command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| not_started(&shown, &error))?;
        let (sender, receiver) = mpsc::channel();
        let stdout = child.stdout.take().expect("stdout was asked to be a pipe");
        let stderr = child.stderr.take().expect("stderr was asked to be a pipe");
        let readers = [read(stdout, sender.clone()), read(stderr, sender)];
        let mut lines = Vec::new();
        for line in receiver {
            see(&line);
            lines.push(line);
        }
        for reader in readers {
            reader.join().expect("a reader only sends lines");
        }
        Ok((child.wait()?, lines, shown))
    }

    fn shown(&self) -> String {
        std::iter::once(self.command.get_program())
            .chain(self.command.get_args())
            .map(|word| word.to_string_lossy())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

fn failed(status: ExitStatus, shown: String, lines: Vec<String>) -> Failure {
    Failure::new(format!("the command ended with {status}")).command(shown, lines)
}

fn not_started(shown: &str, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot start `{shown}`: {error}"))
}

/// Sends the lines of a pipe; a carriage return ends a line too, as progress bars use it.
fn read(pipe: impl Read + Send + 'static, lines: mpsc::Sender<String>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            let last = text.rsplit('\r').next().unwrap_or(text);
            if lines.send(last.to_owned()).is_err() {
                return;
            }
            line.clear();
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;

    #[test]
    fn a_failing_command_shows_its_last_lines() {
        let step = Progress::new().step("count");
        let error = Process::new("sh")
            .args(["-c", "for i in $(seq 50); do echo line $i; done; exit 3"])
            .under(&step)
            .unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("line 50\n") && shown.contains("line 11\n"), "{shown}");
        assert!(!shown.contains("line 10\n"), "{shown}");
        assert!(shown.contains("(10 earlier lines left out)"), "{shown}");
        assert!(shown.contains("exit status: 3"), "{shown}");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = Process::new("no-such-program-here").in_view().unwrap_err();
        assert!(error.to_string().contains("no-such-program-here"));
    }
}
