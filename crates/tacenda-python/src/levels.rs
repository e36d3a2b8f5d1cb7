//! Levels that are raised in this process, as `tacenda debug` asks.

use std::io;
use std::time::{Duration, Instant};

use tacenda_guard::raise::{Desk, Process, Raise};

/// What is raised now.
#[derive(Default)]
pub(crate) struct Levels {
    desk: Option<Desk>,
    most: Duration,
    taken: Vec<Taken>,
}

/// A request that was taken up. It stays as long as it lies on the desk: there it may last longer
/// than the policy of this process allows, and is not to be taken up twice.
struct Taken {
    raise: Raise,
    until: Instant,
    is_over: bool,
}

impl Levels {
    /// Puts this process on the desk. Says whether something is raised already.
    pub(crate) fn listen(&mut self, program: String, most: Duration) -> io::Result<bool> {
        let desk = Desk::open()?;
        desk.register(&Process { pid: std::process::id(), program })?;
        self.most = most;
        let any = !desk.raises()?.is_empty();
        self.desk = Some(desk);
        Ok(any)
    }

    pub(crate) fn stop(&mut self) {
        self.taken.clear();
        if let Some(desk) = self.desk.take() {
            desk.unregister(std::process::id());
        }
    }

    /// The number of the lowest level down to which this logger is raised, 0 for none.
    pub(crate) fn level(&self, logger: &str) -> u8 {
        let now = Instant::now();
        let raised = self.taken.iter().filter(|it| it.until > now && it.raise.covers(logger));
        raised.map(|it| it.raise.level.number()).min().unwrap_or(0)
    }

    /// Looks at the desk; see `Core::look_for_raises`.
    pub(crate) fn look(&mut self) -> io::Result<(Vec<String>, Option<f64>)> {
        let Some(desk) = &self.desk else { return Ok((Vec::new(), None)) };
        let process = std::process::id();
        let now = Instant::now();
        let mut lines = Vec::new();
        let mut asked = desk.raises()?;
        asked.retain(|raise| raise.is_for(process));
        self.taken.retain_mut(|taken| {
            let is_asked = asked.iter().any(|asked| asked.id == taken.raise.id);
            if !taken.is_over && (taken.until <= now || !is_asked) {
                taken.is_over = true;
                lines.push(format!(
                    "the level of {} is back, after it was raised by {}",
                    taken.raise.logger, taken.raise.who
                ));
            }
            is_asked
        });
        for raise in asked {
            if self.taken.iter().any(|known| known.raise.id == raise.id) {
                continue;
            }
            let Some(left) = raise.left() else { continue };
            let left = left.min(self.most);
            lines.push(format!(
                "the level of {} is raised to {} for {} s by {}: {}",
                raise.logger,
                raise.level,
                left.as_secs(),
                raise.who,
                raise.reason
            ));
            desk.acknowledge(&raise.id, process);
            self.taken.push(Taken { raise, until: now + left, is_over: false });
        }
        // What holds shorter ends first.
        let raised = self.taken.iter().filter(|taken| !taken.is_over);
        let next = raised.map(|taken| taken.until.duration_since(now)).min();
        Ok((lines, next.map(|left| left.as_secs_f64())))
    }
}
