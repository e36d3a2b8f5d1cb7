//! All that one log goes to.

use std::io;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::queue::Queue;
use crate::{Loss, Record, Refusal, Retry, Sink};

/// The sinks of a log.
///
/// A sink that fails loses records of its own, which are counted, and no others: the rest goes on.
#[derive(Default)]
pub struct Sinks {
    feeds: Vec<Feed>,
}

/// A sink and what is due to it.
struct Feed {
    name: String,
    way: Way,
}

enum Way {
    Direct(Box<dyn Sink>, Account),
    Queued(Queue),
}

impl Sinks {
    /// Adds one that is written to at once. `name` is what reports call it.
    pub fn direct(&mut self, name: String, sink: Box<dyn Sink>) {
        self.feeds.push(Feed { name, way: Way::Direct(sink, Account::default()) });
    }

    /// Adds one that is written to by a thread of its own, with so many bytes of records that may
    /// wait for it. While they do, [`room_at`](Self::room_at) asks to be given nothing more, for
    /// `wait` at most.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn queued(
        &mut self,
        name: String,
        sink: Box<dyn Sink>,
        bytes: usize,
        wait: Duration,
    ) -> io::Result<()> {
        let way = Way::Queued(Queue::start(sink, bytes, wait)?);
        self.feeds.push(Feed { name, way });
        Ok(())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.feeds.is_empty()
    }

    /// Gives records to every sink. Waits for none but the disk.
    pub fn take(&mut self, records: &[Record]) {
        for feed in &mut self.feeds {
            match &mut feed.way {
                Way::Direct(sink, account) => write(&mut **sink, account, records),
                Way::Queued(queue) => queue.take(records),
            }
        }
    }

    /// When to look again whether there is room for more, if there is none: until then nothing
    /// should be read whose records would be given here.
    pub fn room_at(&mut self) -> Option<Instant> {
        let queues = self.feeds.iter_mut().filter_map(|feed| match &mut feed.way {
            Way::Direct(..) => None,
            Way::Queued(queue) => queue.room_at(),
        });
        queues.min()
    }

    /// Ends: waits for what is still to be sent, `wait` at most. Tells what was lost, over all.
    pub fn finish(self, wait: Duration) -> Vec<Loss> {
        self.finish_unless(wait, || false)
    }

    /// The same, and waits no longer once `stop`, which is asked again and again, says so.
    pub fn finish_unless(self, wait: Duration, mut stop: impl FnMut() -> bool) -> Vec<Loss> {
        let until = Instant::now() + wait;
        let mut stopped = false;
        let mut stop = || {
            stopped = stopped || stop();
            stopped
        };
        for feed in &self.feeds {
            if let Way::Queued(queue) = &feed.way {
                queue.close(until);
            }
        }
        let losses = self.feeds.into_iter().filter_map(|mut feed| match &mut feed.way {
            Way::Direct(sink, account) => {
                write(&mut **sink, account, &[]);
                account.loss(&Account::default(), &feed.name)
            }
            Way::Queued(queue) => queue.finish(until, &feed.name, &mut stop),
        });
        losses.collect()
    }
}

impl std::fmt::Debug for Sinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.feeds.iter().map(|feed| &feed.name)).finish()
    }
}

fn write(sink: &mut dyn Sink, account: &mut Account, records: &[Record]) {
    if let Some(note) = account.note() {
        match sink.write(std::slice::from_ref(&note)) {
            Ok(()) => account.told(),
            Err(refusal) => return account.lose(records, &refusal.why),
        }
    }
    if records.is_empty() {
        return;
    }
    let mut rest = records;
    while let Err(Refusal { taken, retry, why }) = sink.write(rest) {
        rest = &rest[taken.min(rest.len())..];
        let lost = if retry == Retry::Skip { rest.len().min(1) } else { rest.len() };
        account.lose(&rest[..lost], &why);
        rest = &rest[lost..];
        if rest.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
