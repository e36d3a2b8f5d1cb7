//! A segment in the pieces that are decrypted at once: row groups, or batches of a write-ahead file.

use tacenda_policy::Class;

use crate::error::JournalError;
use crate::filter::Filter;
use crate::record::Seen;
use crate::sealed::Sealed;
use crate::segment::Row;
use crate::survey::{Ciphers, Keys, Survey, ciphers};

/// A segment that is read, from either end.
pub(crate) enum Blocks {
    Sealed(Box<Sealed>),
    Wal(Box<Batches>),
    /// The beginning of a write-ahead file was changed. Its first record has this number.
    Changed(u64),
    /// All of it was lost, or deleted.
    None,
}

/// A write-ahead file, and what it is opened with.
pub(crate) struct Batches {
    bytes: Vec<u8>,
    survey: Survey,
    ciphers: Ciphers,
    /// Classes that no identity at hand opens.
    closed: Vec<Class>,
}

impl Blocks {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        match self {
            Self::Sealed(sealed) => sealed.groups(),
            Self::Wal(batches) => batches.survey.batches(),
            Self::Changed(_) | Self::None => 0,
        }
    }

    /// The number after that of its last record, of what is not sealed.
    pub(crate) fn end(&self) -> u64 {
        match self {
            Self::Wal(batches) => batches.survey.header.first + u64::from(batches.survey.records),
            Self::Changed(first) => *first,
            Self::Sealed(_) | Self::None => 0,
        }
    }

    /// Whether something stands behind its last record that is more than a frame which is being written.
    pub(crate) fn is_changed(&self) -> bool {
        match self {
            Self::Wal(batches) => batches.survey.changed,
            Self::Changed(_) => true,
            Self::Sealed(_) | Self::None => false,
        }
    }

    /// Whether a record of one of them may pass.
    pub(crate) fn may_pass(&self, block: usize, filter: &Filter) -> bool {
        match self {
            Self::Sealed(sealed) => filter.meets(sealed.times(block)),
            Self::Wal(batches) => {
                let (first, count) = batches.survey.numbers(block);
                filter.reaches(first, count) && filter.meets(Some(batches.survey.times(block)))
            }
            Self::Changed(_) | Self::None => false,
        }
    }

    /// The classes of a write-ahead file that no identity at hand opens.
    pub(crate) fn closed(&self) -> &[Class] {
        match self {
            Self::Wal(batches) => &batches.closed,
            Self::Sealed(_) | Self::Changed(_) | Self::None => &[],
        }
    }

    /// The records of one of them that pass; one that has none is not decrypted, where its times or
    /// numbers tell.
    pub(crate) fn read(&self, block: usize, filter: &Filter) -> Result<Vec<Seen>, JournalError> {
        if !self.may_pass(block, filter) {
            return Ok(Vec::new());
        }
        let passing = |seen: &Seen| filter.passes(seen);
        match self {
            Self::Sealed(sealed) => {
                let begins = |time, level: &str| filter.begins(time, level);
                let Some(group) = sealed.group(block, &begins)? else { return Ok(Vec::new()) };
                let closed = sealed.closed();
                let rows =
                    (0..group.len()).filter(|row| begins(group.time(*row), &group.level(*row)));
                let seen = rows.map(|row| {
                    let (sequence, Row { record, erased, .. }) =
                        (group.sequence(row), group.row(row));
                    Seen { sequence, record, sealed: closed.clone(), erased }
                });
                Ok(seen.filter(passing).collect())
            }
            Self::Wal(batches) => {
                let Batches { bytes, survey, ciphers, closed } = &**batches;
                let (first, _) = survey.numbers(block);
                let records = survey.batch(bytes, block, ciphers)?;
                let seen = (first..).zip(records).map(|(sequence, record)| Seen {
                    sequence,
                    record,
                    sealed: closed.clone(),
                    erased: None,
                });
                Ok(seen.filter(passing).collect())
            }
            Self::Changed(_) | Self::None => Ok(Vec::new()),
        }
    }
}

/// The batches of a write-ahead file, opened with these keys.
pub(crate) fn of_wal(bytes: Vec<u8>, survey: Survey, keys: &Keys) -> Blocks {
    let is_closed = |class: &Class| keys[crate::Part::Of(*class).index()].is_none();
    let closed = Class::ALL.iter().copied().filter(is_closed).collect();
    let ciphers = ciphers(keys.each_ref().map(Option::as_deref));
    Blocks::Wal(Box::new(Batches { bytes, survey, ciphers, closed }))
}
