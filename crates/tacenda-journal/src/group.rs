//! The rows of a row group on their way into a file, column by column: what a row was made of is given
//! back before the next one comes.

use parquet::data_type::ByteArray;
use tacenda_policy::Class;

use crate::part::Part;
use crate::segment::{Row, is_expired};
use crate::survey::Lent;

/// A row group ends at so many records, or bytes of them.
const RECORDS: usize = 1 << 16;
/// What it has at most: the batch that fills it is added as a whole.
pub(crate) const MOST_RECORDS: usize = 2 * RECORDS;
const BYTES: usize = 16 << 20;

/// The columns of a row group, but for the salts of all records.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Group {
    size: usize,
    pub(crate) times: Vec<i64>,
    /// Levels, loggers and kinds.
    pub(crate) texts: [Values; 3],
    pub(crate) erased: Values,
    /// The fields of each class.
    pub(crate) fields: [Values; 4],
    /// The commitments to those of each class that has expired.
    pub(crate) expired: [Values; 4],
    /// The data of leaves.
    pub(crate) leaves: Values,
}

/// The values of a column, and which rows have one.
#[derive(Default, PartialEq, Eq)]
pub(crate) struct Values {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    levels: Vec<i16>,
}

impl Group {
    /// Adds a row of a segment of which these classes have expired.
    pub(crate) fn add(&mut self, Row { record, erased, expired, leaf }: &Row, gone: &[Class]) {
        self.size += record.size();
        self.times.push(record.time);
        let texts = [&record.level, &record.logger, &record.kinds];
        for (values, text) in self.texts.iter_mut().zip(texts) {
            values.add(Some(text.as_bytes()));
        }
        self.leaves.add(leaf.as_deref());
        self.erased.add(erased.as_ref().map(<[u8; 32]>::as_slice));
        for (class, fields) in record.fields.iter().enumerate() {
            self.fields[class].add(fields.as_deref());
            if is_expired(Part::ALL[class + 1], gone) {
                self.expired[class].add(expired[class].as_ref().map(<[u8; 32]>::as_slice));
            }
        }
    }

    /// Adds a record of a batch, which has lost nothing.
    pub(crate) fn lend(&mut self, lent: &Lent<'_>) {
        self.size += 14 + lent.texts.map(str::len).iter().sum::<usize>();
        self.times.push(lent.time);
        for (values, text) in self.texts.iter_mut().zip(lent.texts) {
            values.add(Some(text.as_bytes()));
        }
        for (values, fields) in self.fields.iter_mut().zip(lent.fields) {
            self.size += fields.map_or(0, <[u8]>::len);
            values.add(fields);
        }
        self.erased.add(None);
    }

    /// Its rows.
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= RECORDS || self.size >= BYTES
    }
}

impl Values {
    fn add(&mut self, value: Option<&[u8]>) {
        self.levels.push(value.is_some().into());
        if let Some(value) = value {
            self.bytes.extend_from_slice(value);
            self.ends.push(self.bytes.len());
        }
    }

    /// The values, pieces of one piece of memory, and for each row whether it has one.
    pub(crate) fn take(&mut self) -> (Vec<ByteArray>, Vec<i16>) {
        let Self { bytes, ends, levels } = std::mem::take(self);
        let all = ByteArray::from(bytes);
        let starts = [0].into_iter().chain(ends.iter().copied());
        let pieces = starts.zip(&ends).map(|(start, end)| all.slice(start, end - start));
        (pieces.collect(), levels)
    }
}
