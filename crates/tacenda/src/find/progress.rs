//! How far the search has come, on a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tacenda_find::Log;

/// What takes less time needs no bar.
const PATIENCE: Duration = Duration::from_millis(700);

/// A bar on standard error that appears when the search takes its time; where standard error is no
/// terminal there is none.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    began: Instant,
    is_shown: bool,
}

impl Progress {
    pub(crate) fn new(logs: &[Log], wanted: bool) -> Self {
        let bar = wanted.then(|| {
            let sizes = logs.iter().flat_map(|log| &log.files).map(|file| file.size);
            let known: Option<u64> = sizes.sum();
            let bar = ProgressBar::with_draw_target(known, ProgressDrawTarget::hidden());
            let template = match known {
                Some(_) => "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
                None => "{spinner} {bytes}, {bytes_per_sec}",
            };
            let style = ProgressStyle::with_template(template);
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self { bar, began: Instant::now(), is_shown: false }
    }

    pub(crate) fn show(&mut self, bytes: u64) {
        let Some(bar) = &self.bar else { return };
        if !self.is_shown && self.began.elapsed() > PATIENCE {
            // It hides itself where there is no terminal.
            bar.set_draw_target(ProgressDrawTarget::stderr());
            self.is_shown = true;
        }
        bar.set_position(bytes);
    }

    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
