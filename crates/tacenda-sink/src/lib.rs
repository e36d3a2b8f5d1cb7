//! Where redacted records go: a private file, a syslog server, an OTLP receiver.
//!
//! [`Sinks`] is all that one log goes to. Each of them is a [`Sink`]: something that takes records
//! or says why not. What waits, is tried again, is counted and is told of later is done here, once,
//! for every sink. Nothing in here knows what a record was before it was redacted.

mod account;
mod file;
#[cfg(feature = "otlp")]
mod otlp;
mod queue;
mod record;
mod sinks;
mod syslog;
#[cfg(feature = "tls")]
mod trust;

use std::time::Duration;

pub use account::Loss;
pub use file::{FileError, FileSink, Rotation};
#[cfg(feature = "otlp")]
pub use otlp::{OtlpError, OtlpSink, Resource};
pub use record::{Output, Record, level_of_line};
pub use sinks::Sinks;
pub use syslog::{Header, Identity, SyslogError, SyslogSink};
#[cfg(feature = "tls")]
pub use trust::TlsError;

/// Something that takes records.
///
/// One that may have to wait for somebody else (a network, another process) belongs behind a queue,
/// [`Sinks::queued`]: there it may take its time. One that writes at once, such as a file, does not:
/// [`Sinks::direct`].
pub trait Sink: Send {
    /// Takes records, in their order.
    ///
    /// # Errors
    /// When it has not taken all of them.
    fn write(&mut self, records: &[Record]) -> Result<(), Refusal>;

    /// How long records are gathered before they are written together. Only of a queued sink.
    fn gathers(&self) -> Duration {
        Duration::ZERO
    }
}

/// Why a sink has not taken records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// So many it has taken, of the first.
    pub taken: usize,
    /// Whether it may take the next one later.
    pub retry: Retry,
    /// Why, in words that hold nothing of a record: `no space left on device`.
    pub why: String,
}

/// What to do with records that were refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// They will never be taken: they are lost, and counted.
    Never,
    /// The first of them never will: it is lost alone, and those behind it are given again.
    Skip,
    /// Fewer at once may be taken.
    Fewer,
    /// They may be taken later.
    Later,
    /// They may be taken after this time.
    After(Duration),
}

impl Refusal {
    /// None was taken, because of an error of the system.
    pub fn of(error: &std::io::Error, retry: Retry) -> Self {
        Self { taken: 0, retry, why: words(error) }
    }
}

/// An error of the system in its own words, without its number; one of TLS in ours, since its own
/// quote what the peer has sent.
pub(crate) fn words(error: &std::io::Error) -> String {
    #[cfg(feature = "tls")]
    if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref()) {
        return trust::words(error).to_owned();
    }
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}
