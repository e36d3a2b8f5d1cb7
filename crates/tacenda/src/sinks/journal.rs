//! The sink `journal:DIRECTORY`: records that nobody reads without a key.

use std::path::Path;
use std::time::SystemTime;

use serde_json::json;
use tacenda_journal::{Appender, JournalError, Record as Sealed};
use tacenda_policy::{Class, SinkTarget};
use tacenda_sink::{Output, Record, Refusal, Retry, Sink};

use crate::failure::Failure;
use crate::journal::{PLACES_VARIABLE, options, warn_of_swap, words};

/// A journal as a sink of a log: its owner, or one who appends through the process that owns it.
///
/// What is taken is written as the journal's durability says. It belongs behind a queue: a segment
/// is sealed in between, and the owner may be another process.
pub(super) struct JournalSink {
    journal: Appender,
    program: String,
    class: Class,
}

impl JournalSink {
    /// Opens a journal that is there; `class` is that of the records.
    ///
    /// # Errors
    /// When there is none: who may read it has to be said by whoever makes it.
    pub(super) fn open(path: &Path, program: &str, class: Class) -> Result<Self, JournalError> {
        warn_of_swap();
        let journal = Appender::open(path, &options())?;
        Ok(Self { journal, program: program.to_owned(), class })
    }

    fn sealed(&self, record: &Record) -> Sealed {
        let since = record.time().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let mut fields = json!({ "message": record.text() });
        if let Some(output) = record.output().map(Output::name) {
            fields["stream"] = output.into();
        }
        let mut sealed = Sealed {
            time: i64::try_from(since.as_nanos()).unwrap_or(i64::MAX),
            level: record.level().map(|level| level.name().to_owned()).unwrap_or_default(),
            logger: self.program.clone(),
            ..Sealed::default()
        };
        *sealed.fields_of(self.class) = Some(fields.to_string().into_bytes());
        sealed
    }
}

impl Sink for JournalSink {
    fn write(&mut self, records: &[Record]) -> Result<(), Refusal> {
        // As many as there are at once are fewer than the journal writes as one: all or none.
        let sealed = records.iter().map(|record| self.sealed(record)).collect();
        self.journal.append_all(sealed).map(drop).map_err(|error| Refusal {
            taken: 0,
            retry: match error {
                JournalError::BadRecord { .. } => Retry::Fewer,
                _ => Retry::Later,
            },
            why: words(&error),
        })
    }
}

/// Why a journal is no sink, and what to do.
pub(super) fn failure(target: &SinkTarget, error: &JournalError) -> Failure {
    let hint = match error {
        JournalError::Unfit { place, .. } => {
            Some(format!("choose another, or set {PLACES_VARIABLE}={}", place.name()))
        }
        _ => error.hint(),
    };
    let message = format!("cannot use the sink `{target}`: {}", words(error));
    Failure::told(message, error.path(), hint.as_deref())
}
