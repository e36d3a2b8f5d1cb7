//! What a sink has lost.

use crate::Record;

/// Records that a sink has lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The sink.
    pub sink: String,
    /// How many, over its whole time.
    pub records: u64,
    /// Why, last of all.
    pub why: String,
}

/// Counts losses, and tells the sink of them once it takes records again.
#[derive(Debug, Default)]
pub(crate) struct Account {
    total: u64,
    untold: u64,
    why: String,
}

impl Account {
    /// Records are lost. A word of our own among them is none.
    pub(crate) fn lose<'r>(&mut self, records: impl IntoIterator<Item = &'r Record>, why: &str) {
        let records = records.into_iter().filter(|record| !record.is_note).count() as u64;
        if records > 0 {
            self.total += records;
            self.untold += records;
            why.clone_into(&mut self.why);
        }
    }

    /// The record that stands in the log for those that are not in it, if some are not told of.
    pub(crate) fn note(&self) -> Option<Record> {
        let records = if self.untold == 1 { "record" } else { "records" };
        let note = || format!("[tacenda: {} {records} lost: {}]", self.untold, self.why);
        (self.untold > 0).then(|| Record::note(&note()))
    }

    /// The sink has that record, or will have it.
    pub(crate) fn told(&mut self) {
        self.untold = 0;
    }

    /// What was lost, here and there.
    pub(crate) fn loss(&self, other: &Self, sink: &str) -> Option<Loss> {
        let records = self.total + other.total;
        let why = if self.total > 0 { &self.why } else { &other.why };
        (records > 0).then(|| Loss { sink: sink.to_owned(), records, why: why.clone() })
    }
}
