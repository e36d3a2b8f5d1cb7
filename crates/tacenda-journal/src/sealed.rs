//! The file of a sealed segment, as it is read.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::{
    AsBytes as _, ByteArray, ByteArrayType, DataType, FixedLenByteArray, FixedLenByteArrayType,
    Int64Type,
};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::column_crypto_metadata::ColumnCryptoMetaData::{
    ENCRYPTION_WITH_COLUMN_KEY, ENCRYPTION_WITH_FOOTER_KEY,
};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader, RowGroupMetaData};
use parquet::file::statistics::Statistics;
use tacenda_policy::Class;

use crate::Hash;
use crate::checked::{BLOCKS, Checked};
use crate::entry::SegmentState;
use crate::error::JournalError;
use crate::fields::is_one_line;
use crate::footer::is_bounded;
use crate::group::MOST_RECORDS;
use crate::identities::Identities;
use crate::keys::{Key, read_key_material};
use crate::leaf::{Expired, Fields};
use crate::page::{self, Chunk, Pages};
use crate::part::Part;
use crate::record::{self, Record};
use crate::salt::{DEPTH, NODE, Salts};
use crate::segment::{
    ERASED, KINDS, LEAF, LEVEL, LOGGER, Row, SEQ, TIME, column, column_of_salts, columns,
    is_expired, part_of, schema,
};
use crate::thrift::Struct;

/// A sealed segment.
pub(crate) struct Sealed {
    file: Checked,
    name: String,
    metadata: ParquetMetaData,
    keys: [Option<Key>; 5],
    /// What the log says of it.
    segment: SegmentState,
    /// What its modules are bound to.
    aad: Vec<u8>,
}

impl Sealed {
    /// Opens a segment with the identities at hand. Without the key of the head nothing opens; a
    /// class without a key stays sealed.
    pub(crate) fn open(
        mut file: Checked,
        segment: &SegmentState,
        identities: &Identities,
    ) -> Result<Self, JournalError> {
        let name = format!("segments/{}", segment.file());
        let damaged = |what| JournalError::damaged(name.as_str(), what);
        let (footer, rest) = Struct::read(file.tail()).ok_or(damaged("its footer is malformed"))?;
        // FileCryptoMetaData: the algorithm (AES_GCM_V1: prefix, unique part), and the footer key.
        let unique = footer.inner(1).and_then(|one| one.inner(1)).and_then(|one| one.bytes(2));
        let aad = unique.ok_or(damaged("its footer is malformed"))?.to_vec();
        let material = footer.bytes(2).and_then(read_key_material);
        let wrapped = material.ok_or(damaged("its footer is malformed"))?;
        let no_key = JournalError::NoKey { part: Part::Head.name(), segment: segment.number };
        let head = identities.unwrap(&wrapped).ok_or(no_key)?;
        let opened = page::footer(rest, &aad, &head).ok_or(damaged("its footer was changed"))?;
        if !is_bounded(&opened, segment) {
            return Err(damaged("its footer is one that is not written"));
        }
        let metadata = metadata(&file, &head, &[], segment.rewritten)
            .map_err(|_| damaged("its footer was changed"))?;
        let pairs = metadata.file_metadata().key_value_metadata().into_iter().flatten();
        let hashes = pairs.filter(|pair| pair.key == BLOCKS).find_map(|pair| pair.value.as_ref());
        hashes
            .and_then(|hashes| file.set_hashes(hashes))
            .ok_or(damaged("its footer does not hold the hashes of its blocks"))?;
        let mut sealed = Self {
            metadata,
            file,
            keys: [Some(head), None, None, None, None],
            segment: segment.clone(),
            aad,
            name: name.clone(),
        };
        sealed.unwrap(identities);
        let mut rows = sealed.metadata.row_groups().iter().map(RowGroupMetaData::num_rows);
        if !rows.all(is_count_of_rows) {
            return Err(damaged("it has a row group that is not written"));
        }
        if sealed.rows_before(sealed.groups()) != Some(segment.records) {
            return Err(damaged("it does not hold as many records as the log says"));
        }
        Ok(sealed)
    }

    /// Unwraps the keys of the classes, and reads the metadata that they open.
    fn unwrap(&mut self, identities: &Identities) {
        let Some(group) = self.metadata.row_groups().first() else { return };
        for part in &Part::ALL[1..] {
            let crypto = group.column(column(*part)).crypto_metadata();
            let material = crypto.and_then(|crypto| match crypto {
                ENCRYPTION_WITH_COLUMN_KEY(own) => {
                    own.key_metadata.as_deref().and_then(read_key_material)
                }
                ENCRYPTION_WITH_FOOTER_KEY => None,
            });
            self.keys[part.index()] = material.and_then(|wrapped| identities.unwrap(&wrapped));
        }
        let with = |part: &Part| Some((*part, self.keys[part.index()].as_ref()?));
        let keys: Vec<(Part, &Key)> = Part::ALL.iter().filter_map(with).collect();
        if let Ok(metadata) = metadata(&self.file, keys[0].1, &keys, self.segment.rewritten) {
            self.metadata = metadata;
        }
    }

    /// The rows of so many row groups, from the first on.
    fn rows_before(&self, groups: usize) -> Option<u64> {
        let mut groups = self.metadata.row_groups()[..groups].iter();
        groups.try_fold(0_u64, |sum, group| sum.checked_add(u64::try_from(group.num_rows()).ok()?))
    }

    /// Whether all parts can be read.
    pub(crate) fn opens_all(&self) -> bool {
        self.keys.iter().all(Option::is_some)
    }

    /// Whether a part can be read.
    pub(crate) fn opens(&self, part: Part) -> bool {
        self.keys[part.index()].is_some()
    }

    /// The classes that it may have content of, and that stay closed.
    pub(crate) fn closed(&self) -> Vec<Class> {
        let is_closed =
            |class: &Class| !self.opens(Part::Of(*class)) && !self.segment.expired.contains(class);
        Class::ALL.iter().copied().filter(is_closed).collect()
    }

    /// The number of row groups.
    pub(crate) fn groups(&self) -> usize {
        self.metadata.num_row_groups()
    }

    /// The earliest and the latest time of a row group.
    pub(crate) fn times(&self, group: usize) -> Option<(i64, i64)> {
        match self.metadata.row_group(group).column(TIME).statistics()? {
            Statistics::Int64(times) => Some((*times.min_opt()?, *times.max_opt()?)),
            _ => None,
        }
    }

    /// What can be read of a row group; nothing when there is no time and level in it that is wanted:
    /// the rest is not decrypted then.
    pub(crate) fn group(
        &self,
        group: usize,
        wanted: &dyn Fn(i64, &str) -> bool,
    ) -> Result<Option<Group>, JournalError> {
        let damaged = |what| JournalError::damaged(self.name.as_str(), what);
        let times = self.required::<Int64Type>(group, TIME)?;
        if !are_within(&times, [self.times(group), self.segment.times]) {
            return Err(damaged("its times are not those that are told of it"));
        }
        let levels = self.required::<ByteArrayType>(group, LEVEL)?;
        if !times.iter().zip(&levels).any(|(time, level)| wanted(*time, &text(level))) {
            return Ok(None);
        }
        let mut read = Group {
            seqs: self.required::<Int64Type>(group, SEQ)?,
            times,
            texts: [
                levels,
                self.required::<ByteArrayType>(group, LOGGER)?,
                self.required::<ByteArrayType>(group, KINDS)?,
            ],
            erased: self.optional::<FixedLenByteArrayType>(group, ERASED)?,
            fields: Default::default(),
            expired: Default::default(),
        };
        for part in Part::ALL.into_iter().skip(1).filter(|part| self.opens(*part)) {
            let class = part.index() - 1;
            if is_expired(part, &self.segment.expired) {
                read.expired[class] = self.commitments(group, part)?;
            } else {
                read.fields[class] = self.optional::<ByteArrayType>(group, column(part))?;
            }
        }
        let is_long = |text: &ByteArray| u16::try_from(text.len()).is_err();
        if read.texts.iter().flatten().any(is_long) {
            return Err(damaged("a text is too long"));
        }
        if !read.fields.iter().flatten().flatten().all(|fields| is_one_line(fields.data())) {
            return Err(damaged("it holds fields that are not on one line"));
        }
        let [levels, loggers, kinds] = read.texts.each_ref().map(Vec::len);
        let count = read.seqs.len();
        let before = self.rows_before(group).ok_or(damaged("its footer is malformed"))?;
        if self.rows_before(group + 1) != Some(before + count as u64) {
            return Err(damaged("its columns differ in length"));
        }
        if [read.times.len(), levels, loggers, kinds, read.erased.len()] != [count; 5] {
            return Err(damaged("its columns differ in length"));
        }
        self.compare(&read, before).map_err(damaged)?;
        Ok(Some(read))
    }

    /// Compares the numbers of records, and which of them have lost their content, with the log. What
    /// differs, in fixed words.
    fn compare(&self, group: &Group, before: u64) -> Result<(), &'static str> {
        let SegmentState { first, gone, .. } = &self.segment;
        for (row, number) in (0..group.len()).zip(before..) {
            if group.sequence(row) != first + number {
                return Err("its records are not those of this segment");
            }
            let is_gone = gone.contains(&number);
            if group.erased[row].is_some() != is_gone {
                return Err("other records were erased from it than the log says");
            }
            // What stands in the place of their leaf would be compared with nothing.
            if is_gone && group.holds(row) {
                return Err("it holds content of a record that was erased");
            }
        }
        Ok(())
    }

    /// Whether a record has content of a class that opens.
    pub(crate) fn has_content(&self, class: Class) -> Result<bool, JournalError> {
        let column = column(Part::Of(class));
        for group in 0..self.groups() {
            if self.optional::<ByteArrayType>(group, column)?.iter().any(Option::is_some) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The commitments to a part of a class that has expired.
    fn commitments(&self, group: usize, part: Part) -> Result<Vec<Option<Hash>>, JournalError> {
        let damaged = |what| JournalError::damaged(self.name.as_str(), what);
        let content = self.optional::<ByteArrayType>(group, column(part))?;
        if content.iter().any(Option::is_some) {
            return Err(damaged("it holds content whose time is over"));
        }
        let values = self.optional::<ByteArrayType>(group, column_of_salts(part))?.into_iter();
        let hash = |value: ByteArray| value.data().try_into();
        let hashes = values.map(|value| value.map(hash).transpose());
        hashes.collect::<Result<_, _>>().map_err(|_| damaged("it holds no commitment"))
    }

    /// The data of leaves, of a segment that was written anew.
    pub(crate) fn leaves(&self, group: usize) -> Result<Vec<Option<ByteArray>>, JournalError> {
        self.optional::<ByteArrayType>(group, LEAF)
    }

    /// The salts, of the parts that can be read.
    pub(crate) fn salts(&self) -> Result<[Option<Salts>; 5], JournalError> {
        let mut salts: [Option<Salts>; 5] = Default::default();
        if self.groups() == 0 {
            return Ok(salts);
        }
        for part in Part::ALL.into_iter().filter(|part| self.opens(*part)) {
            if is_expired(part, &self.segment.expired) {
                salts[part.index()] = Some(Salts::none());
                continue;
            }
            let values = self.optional::<ByteArrayType>(0, column_of_salts(part))?;
            let first = values.first().and_then(Option::as_ref);
            salts[part.index()] = first.and_then(|bytes| Salts::from_bytes(bytes.data()));
        }
        Ok(salts)
    }

    fn required<T: DataType>(
        &self,
        group: usize,
        column: usize,
    ) -> Result<Vec<T::T>, JournalError> {
        Ok(self.values::<T>(group, column)?.0)
    }

    fn optional<T: DataType>(
        &self,
        group: usize,
        column: usize,
    ) -> Result<Vec<Option<T::T>>, JournalError> {
        let (values, levels) = self.values::<T>(group, column)?;
        let mut values = values.into_iter();
        Ok(levels.into_iter().map(|level| (level > 0).then(|| values.next())?).collect())
    }

    /// The values of a column, and where it may lack some, which rows have one.
    fn values<T: DataType>(
        &self,
        group: usize,
        column: usize,
    ) -> Result<(Vec<T::T>, Vec<i16>), JournalError> {
        let damaged = |_| JournalError::damaged(self.name.as_str(), "a column was changed");
        let rows = usize::try_from(self.metadata.row_group(group).num_rows()).unwrap_or_default();
        let deepest = self.metadata.file_metadata().schema_descr().column(column).max_def_level();
        let reader = self.column::<T>(group, column).map_err(damaged)?;
        decoded(reader, rows, deepest > 0, self.room(column)).map_err(damaged)
    }

    /// What a column of a row group has at most.
    fn room(&self, column: usize) -> usize {
        if column == column_of_salts(part_of(column)) {
            let gone = usize::try_from(self.segment.erased).unwrap_or(usize::MAX);
            ROOM.saturating_add(gone.saturating_mul(NODES_OF_ONE)).min(ROOM + MOST_NODES)
        } else {
            ROOM
        }
    }

    fn column<T: DataType>(
        &self,
        group: usize,
        column: usize,
    ) -> Result<ColumnReaderImpl<T>, ParquetError> {
        let damaged = || ParquetError::General("it was changed".to_owned());
        let key = self.keys[part_of(column).index()].as_ref().ok_or_else(damaged)?;
        let chunk = self.metadata.row_group(group).column(column);
        let has_dictionary = chunk.dictionary_page_offset().is_some();
        let start = chunk.dictionary_page_offset().unwrap_or(chunk.data_page_offset());
        let start = u64::try_from(start).map_err(|_| damaged())?;
        let room = self.room(column);
        let length = usize::try_from(chunk.compressed_size()).map_err(|_| damaged())?;
        if !is_length_of_chunk(length, room) {
            return Err(damaged());
        }
        let descriptor = self.metadata.file_metadata().schema_descr().column(column);
        let rows = u64::try_from(self.metadata.row_group(group).num_rows());
        let rows = rows.map_err(|_| damaged())?;
        let pages = Pages::new(
            Chunk {
                bytes: self.file.read(start, length).ok_or_else(damaged)?,
                file: self.aad.clone(),
                row_group: u16::try_from(group).map_err(|_| damaged())?,
                column: u16::try_from(column).map_err(|_| damaged())?,
                has_dictionary,
                values: rows,
                is_optional: descriptor.max_def_level() > 0,
                compression: chunk.compression(),
                room,
            },
            key,
        );
        Ok(ColumnReaderImpl::new(descriptor, Box::new(pages)))
    }
}

/// What a column of a row group has, with much to spare: a row group ends at 16 MiB, and its last record has
/// up to 16.
const ROOM: usize = 64 << 20;
/// What a column chunk has beside what is in its pages: headers, nonces and tags, and what cannot be packed.
const BESIDE: usize = 1 << 20;

/// Whether a column chunk may have so many bytes in the file: memory is asked for by that.
fn is_length_of_chunk(length: usize, room: usize) -> bool {
    length <= room.saturating_add(BESIDE)
}

/// Nodes of salts come to it: so many bytes for each record whose salt was taken away.
const NODES_OF_ONE: usize = DEPTH as usize * NODE;
/// No more than one for each record.
const MOST_NODES: usize = NODE << DEPTH;

/// Whether a row group may have so many rows: memory is asked for by their count.
fn is_count_of_rows(count: i64) -> bool {
    usize::try_from(count).is_ok_and(|count| (1..=MOST_RECORDS).contains(&count))
}

/// The values of a column, and where it may lack some, which rows have one. Whoever has the keys of today may
/// have written them: what does not bear what it reads is stopped.
pub(crate) fn decoded<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: usize,
    is_optional: bool,
    room: usize,
) -> Result<(Vec<T::T>, Vec<i16>), ParquetError> {
    let (values, levels) = caught(move || {
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        reader.read_records(rows, is_optional.then_some(&mut levels), None, &mut values)?;
        Ok((values, levels))
    })?;
    // Rows share what stands in a dictionary, until each is made a record of its own.
    let lengths = values.iter().map(|value| value.as_bytes().len());
    if lengths.fold(0_usize, usize::saturating_add) > room {
        return Err(ParquetError::General("its rows are longer than any that are written".into()));
    }
    Ok((values, levels))
}

/// What work with bytes of a stranger gives: an error where it panics.
fn caught<T>(work: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, ParquetError> {
    let caught = catch_unwind(AssertUnwindSafe(work));
    caught.unwrap_or_else(|_| Err(ParquetError::General("it is malformed".to_owned())))
}

/// What was read of a row group, column by column: a record is put together where one is wanted.
pub(crate) struct Group {
    seqs: Vec<i64>,
    times: Vec<i64>,
    /// Levels, loggers and kinds.
    texts: [Vec<ByteArray>; 3],
    erased: Vec<Option<FixedLenByteArray>>,
    /// The fields of each class that opens and has not expired; of the others nothing.
    fields: [Vec<Option<ByteArray>>; 4],
    /// The commitments of each class that has expired; of the others nothing.
    expired: [Vec<Option<Hash>>; 4],
}

impl Group {
    /// Its rows.
    pub(crate) fn len(&self) -> usize {
        self.seqs.len()
    }

    /// The number of a record in the journal.
    pub(crate) fn sequence(&self, row: usize) -> u64 {
        self.seqs[row].cast_unsigned()
    }

    /// Its time.
    pub(crate) fn time(&self, row: usize) -> i64 {
        self.times[row]
    }

    /// Its level.
    pub(crate) fn level(&self, row: usize) -> Cow<'_, str> {
        text(&self.texts[0][row])
    }

    /// Its head as bytes.
    pub(crate) fn head(&self, row: usize, bytes: &mut Vec<u8>) -> Option<()> {
        record::head(self.times[row], self.texts.each_ref().map(|texts| texts[row].data()), bytes)
    }

    /// Its fields.
    pub(crate) fn fields(&self, row: usize) -> Fields<'_> {
        self.fields.each_ref().map(|all| Some(all.get(row)?.as_ref()?.data()))
    }

    /// The commitments to its parts that have expired.
    pub(crate) fn expired(&self, row: usize) -> Expired {
        self.expired.each_ref().map(|all| *all.get(row)?)
    }

    /// Its leaf, when its content was erased.
    pub(crate) fn erased(&self, row: usize) -> Option<Hash> {
        self.erased[row].as_ref()?.data().try_into().ok()
    }

    /// Whether there is any content of a record, but for its time.
    fn holds(&self, row: usize) -> bool {
        self.texts.iter().any(|texts| !texts[row].data().is_empty())
            || self.fields(row).iter().any(Option::is_some)
    }

    /// The record, or what is left of it.
    pub(crate) fn row(&self, row: usize) -> Row {
        let [level, logger, kinds] =
            self.texts.each_ref().map(|texts| text(&texts[row]).into_owned());
        let fields = self.fields(row).map(|fields| fields.map(<[u8]>::to_vec));
        let record = Record { time: self.times[row], level, logger, kinds, fields };
        Row { erased: self.erased(row), expired: self.expired(row), ..Row::of(record) }
    }
}

/// Whether times are within those by which a row group, or a segment, is passed over.
fn are_within(times: &[i64], told: [Option<(i64, i64)>; 2]) -> bool {
    let mut told = told.into_iter().flatten();
    told.all(|(first, last)| times.iter().all(|time| (first..=last).contains(time)))
}

fn text(value: &ByteArray) -> Cow<'_, str> {
    String::from_utf8_lossy(value.data())
}

fn metadata(
    file: &Checked,
    head: &Key,
    keys: &[(Part, &Key)],
    anew: bool,
) -> Result<ParquetMetaData, ParquetError> {
    let mut decryption = FileDecryptionProperties::builder(head.to_vec());
    for (part, key) in keys {
        for name in columns(*part, anew) {
            decryption = decryption.with_column_key(&name, key.to_vec());
        }
    }
    let mut reader =
        ParquetMetaDataReader::new().with_decryption_properties(Some(decryption.build()?));
    let metadata = caught(move || {
        reader.try_parse_sized(file.tail(), file.length())?;
        reader.finish()
    })?;
    if *metadata.file_metadata().schema_descr().root_schema_ptr() != *schema(anew)? {
        return Err(ParquetError::General("it has other columns".to_owned()));
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_within_those_that_are_told() {
        let times = [3, 5];
        for told in [[None, None], [Some((3, 5)), None], [Some((3, 5)), Some((0, 9))]] {
            assert!(are_within(&times, told));
        }
        for told in [[Some((3, 4)), None], [Some((4, 5)), Some((0, 9))], [None, Some((0, 0))]] {
            assert!(!are_within(&times, told));
        }
    }

    #[test]
    fn a_row_group_has_a_bound() {
        let most = i64::try_from(MOST_RECORDS).unwrap();
        assert!(is_count_of_rows(1) && is_count_of_rows(most));
        assert!(
            [0, -1, most + 1, i64::MIN, i64::MAX].iter().all(|count| !is_count_of_rows(*count))
        );
    }

    #[test]
    fn a_column_chunk_has_a_bound() {
        assert!(is_length_of_chunk(ROOM, ROOM));
        assert!(!is_length_of_chunk(ROOM + (2 << 20), ROOM));
        assert!(!is_length_of_chunk(usize::MAX, ROOM));
    }
}
