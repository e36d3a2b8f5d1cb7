//! How far the scan has come, on a terminal.

use std::sync::Once;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What takes less time needs no bar.
const PATIENCE: Duration = Duration::from_millis(700);

/// A bar on standard error that appears when the scan takes its time; where standard error is no
/// terminal there is none.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    began: Instant,
    shown: Once,
}

impl Progress {
    pub(super) fn new(files: usize, wanted: bool) -> Self {
        let bar = wanted.then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(files as u64), ProgressDrawTarget::hidden());
            let style = ProgressStyle::with_template("{bar:30} {pos} of {len} files, {eta} left");
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, began: Instant::now(), shown: Once::new() }
    }

    /// Another file has been read.
    pub(super) fn step(&self) {
        let Some(bar) = &self.bar else { return };
        if self.began.elapsed() > PATIENCE {
            // It hides itself where there is no terminal.
            self.shown.call_once(|| bar.set_draw_target(ProgressDrawTarget::stderr()));
        }
        bar.inc(1);
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
