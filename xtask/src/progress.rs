//! What a person sees while a task works: one line per step, with a clock.

use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Shows steps: live on a terminal, as plain lines elsewhere.
pub(crate) struct Progress {
    live: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self { live: std::io::stderr().is_terminal() && std::env::var_os("CI").is_none() }
    }

    /// Begins a step; it ends with [`Step::done`], or as failed when dropped.
    pub(crate) fn step(&self, name: &str) -> Step {
        let bar = self.live.then(|| {
            let style =
                ProgressStyle::with_template("{spinner} {prefix}  {elapsed}  {wide_msg:.dim}")
                    .expect("the template is well formed")
                    .tick_strings(&["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "]);
            let bar = ProgressBar::new_spinner().with_style(style).with_prefix(name.to_owned());
            bar.enable_steady_tick(Duration::from_millis(100));
            bar
        });
        if bar.is_none() {
            eprintln!("• {name} ...");
        }
        Step { name: name.to_owned(), began: Instant::now(), bar, ended: false }
    }
}

/// A step under way.
pub(crate) struct Step {
    name: String,
    began: Instant,
    bar: Option<ProgressBar>,
    ended: bool,
}

impl Step {
    /// Shows the latest line of what the step runs.
    pub(crate) fn note(&self, line: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(line.trim().to_owned());
        }
    }

    /// Ends the step well; `result` says what came of it, and may be empty.
    pub(crate) fn done(mut self, result: &str) {
        self.end("✓", result);
    }

    fn end(&mut self, mark: &str, result: &str) {
        self.ended = true;
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let comma = if result.is_empty() { "" } else { ", " };
        eprintln!("{mark} {}: {result}{comma}{}", self.name, clock(self.began.elapsed()));
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.ended {
            self.end("✗", "failed");
        }
    }
}

/// A duration as people say it: `0.4 s`, `12 s`, `3 min 05 s`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        _ => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clock_reads_as_people_say_it() {
        assert_eq!(clock(Duration::from_millis(420)), "0.4 s");
        assert_eq!(clock(Duration::from_secs(59)), "59 s");
        assert_eq!(clock(Duration::from_secs(185)), "3 min 05 s");
    }
}
