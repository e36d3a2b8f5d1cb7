//! Levels that are raised in this process, as `tacenda debug` asks.

use std::io;
use std::time::{Duration, Instant};

use tacenda_guard::raise::{Desk, Process, Raise};

/// What is raised now.
#[derive(Default)]
pub(crate) struct Levels {
    desk: Option<Desk>,
    most: Duration,
    raised: Vec<(Raise, Instant)>,
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
        self.raised.clear();
        if let Some(desk) = self.desk.take() {
            desk.unregister(std::process::id());
        }
    }

    /// The number of the lowest level down to which this logger is raised, 0 for none.
    pub(crate) fn level(&self, logger: &str) -> u8 {
        let now = Instant::now();
        let raised =
            self.raised.iter().filter(|(raise, until)| *until > now && raise.covers(logger));
        raised.map(|(raise, _)| raise.level.number()).min().unwrap_or(0)
    }

    /// Looks at the desk; see `Core::look_for_raises`.
    pub(crate) fn look(&mut self) -> io::Result<(Vec<String>, Option<f64>)> {
        let Some(desk) = &self.desk else { return Ok((Vec::new(), None)) };
        let process = std::process::id();
        let now = Instant::now();
        let mut lines = Vec::new();
        let mut asked = desk.raises()?;
        asked.retain(|raise| raise.is_for(process));
        self.raised.retain(|(raise, until)| {
            let holds = *until > now && asked.iter().any(|asked| asked.id == raise.id);
            if !holds {
                lines.push(format!(
                    "the level of {} is back, after it was raised by {}",
                    raise.logger, raise.who
                ));
            }
            holds
        });
        for raise in asked {
            if self.raised.iter().any(|(known, _)| known.id == raise.id) {
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
            self.raised.push((raise, now + left));
        }
        // What holds shorter ends first.
        let next = self.raised.iter().map(|(_, until)| until.duration_since(now)).min();
        Ok((lines, next.map(|left| left.as_secs_f64())))
    }
}
