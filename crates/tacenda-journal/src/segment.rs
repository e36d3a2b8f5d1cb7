//! A sealed segment: Parquet with Modular Encryption, a column and a key for each class.

use std::fs::File;
use std::io::{self, Read as _, Write};
use std::sync::Arc;

use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::reader::ColumnReaderImpl;
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, FixedLenByteArrayType, Int64Type};
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::column_crypto_metadata::ColumnCryptoMetaData::{
    ENCRYPTION_WITH_COLUMN_KEY, ENCRYPTION_WITH_FOOTER_KEY,
};
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::reader::ChunkReader as _;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};
use sha2::{Digest as _, Sha256};

use tacenda_policy::Class;

use crate::Hash;
use crate::error::JournalError;
use crate::keys::{Identities, Key, SegmentKeys, read_key_material};
use crate::page::{Chunk, Pages};
use crate::part::Part;
use crate::place::Output;
use crate::record::Record;
use crate::salt::Salts;
use crate::thrift::Struct;

const SCHEMA: &str = "message record {
    required int64 seq;
    required int64 time (TIMESTAMP(NANOS, true));
    required binary level (UTF8);
    required binary logger (UTF8);
    required binary kinds (UTF8);
    optional fixed_len_byte_array(32) erased;
    optional binary head_salts;
    optional binary public (UTF8);
    optional binary public_salts;
    optional binary internal (UTF8);
    optional binary internal_salts;
    optional binary confidential (UTF8);
    optional binary confidential_salts;
    optional binary restricted (UTF8);
    optional binary restricted_salts;
}";
/// Columns of the head, before those of the classes.
const HEAD: [&str; 7] = ["seq", "time", "level", "logger", "kinds", "erased", "head_salts"];
const SEQ: usize = 0;
const TIME: usize = 1;
const LEVEL: usize = 2;
const LOGGER: usize = 3;
const KINDS: usize = 4;
const ERASED: usize = 5;
const HEAD_SALTS: usize = 6;
/// A row group ends at so many records, or bytes of them.
const GROUP_RECORDS: usize = 1 << 16;
const GROUP_BYTES: usize = 16 << 20;

fn columns(part: Part) -> Vec<String> {
    match part {
        Part::Head => HEAD.map(str::to_owned).to_vec(),
        Part::Of(class) => vec![class.name().to_owned(), format!("{class}_salts")],
    }
}

fn column(part: Part) -> usize {
    HEAD.len() + 2 * (part.index() - 1)
}

fn column_of_salts(part: Part) -> usize {
    if part == Part::Head { HEAD_SALTS } else { column(part) + 1 }
}

fn is_expired(part: Part, expired: &[Class]) -> bool {
    matches!(part, Part::Of(class) if expired.contains(&class))
}

fn part_of(column: usize) -> Part {
    Part::ALL[if column < HEAD.len() { 0 } else { 1 + (column - HEAD.len()) / 2 }]
}

/// A row: a record, or what is left of one.
pub(crate) struct Row {
    pub(crate) record: Record,
    /// The hash of its leaf, when its content is gone.
    pub(crate) erased: Option<Hash>,
    /// The commitments to parts that it had of classes whose content is gone.
    pub(crate) expired: Expired,
}

/// Commitments to parts that are gone, in the order of [`Class::ALL`].
pub(crate) type Expired = [Option<Hash>; 4];

impl Row {
    /// A whole record.
    pub(crate) fn of(record: Record) -> Self {
        Self { record, erased: None, expired: Expired::default() }
    }
}

/// Writes the file of a segment, without the content of the classes that have expired; its hash and
/// size.
pub(crate) fn write(
    output: Output,
    keys: &SegmentKeys,
    salts: &[Salts; 5],
    expired: &[Class],
    first: u64,
    rows: impl Iterator<Item = Result<Row, JournalError>>,
) -> Result<(Hash, u64), JournalError> {
    let schema = Arc::new(parse_message_type(SCHEMA).map_err(seal)?);
    let hashing = Hashing { output, hasher: Sha256::new(), bytes: 0 };
    let mut file =
        SerializedFileWriter::new(hashing, schema, Arc::new(properties(keys)?)).map_err(seal)?;
    let mut group: Vec<Row> = Vec::new();
    let (mut next, mut size, mut is_first) = (first, 0, true);
    for row in rows {
        let row = row?;
        size += row.record.size();
        group.push(row);
        if group.len() == GROUP_RECORDS || size >= GROUP_BYTES {
            write_group(&mut file, next, &group, is_first.then_some(salts), expired)?;
            (next, size, is_first) = (next + group.len() as u64, 0, false);
            group.clear();
        }
    }
    if !group.is_empty() {
        write_group(&mut file, next, &group, is_first.then_some(salts), expired)?;
    }
    let mut hashing = file.into_inner().map_err(seal)?;
    hashing.flush().map_err(|error| seal(error.into()))?;
    hashing.output.sync()?;
    Ok((hashing.hasher.finalize().into(), hashing.bytes))
}

fn properties(keys: &SegmentKeys) -> Result<WriterProperties, JournalError> {
    let head = keys.key(Part::Head).to_vec();
    let mut encryption =
        FileEncryptionProperties::builder(head).with_footer_key_metadata(keys.material(Part::Head));
    for part in Part::ALL {
        for name in columns(part) {
            let key = keys.key(part).to_vec();
            encryption = encryption.with_column_key_and_metadata(&name, key, keys.material(part));
        }
    }
    let path = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(format!("tacenda {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1).map_err(seal)?))
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_LENGTH_BYTE_ARRAY)
        .set_column_encoding(path("erased"), Encoding::PLAIN)
        .set_max_row_group_row_count(None)
        .set_data_page_row_count_limit(1 << 14);
    for name in ["seq", "time"] {
        properties = properties
            .set_column_encoding(path(name), Encoding::DELTA_BINARY_PACKED)
            .set_column_statistics_enabled(path(name), EnabledStatistics::Chunk);
    }
    for name in ["level", "logger", "kinds"] {
        properties = properties.set_column_dictionary_enabled(path(name), true);
    }
    let encryption = encryption.build().map_err(seal)?;
    Ok(properties.with_file_encryption_properties(encryption).build())
}

fn write_group(
    file: &mut SerializedFileWriter<Hashing>,
    first: u64,
    rows: &[Row],
    salts: Option<&[Salts; 5]>,
    expired: &[Class],
) -> Result<(), JournalError> {
    let mut group = file.next_row_group().map_err(seal)?;
    let mut number = 0;
    while let Some(mut column) = group.next_column().map_err(seal)? {
        write_column(&mut column, number, first, rows, salts, expired)?;
        column.close().map_err(seal)?;
        number += 1;
    }
    group.close().map_err(seal)?;
    Ok(())
}

/// The values of a column: pieces of one piece of memory.
fn joined<'v>(values: impl Iterator<Item = &'v [u8]> + Clone) -> Vec<ByteArray> {
    let all = ByteArray::from(values.clone().collect::<Vec<_>>().concat());
    let mut end = 0;
    let pieces = values.map(|value| {
        end += value.len();
        all.slice(end - value.len(), value.len())
    });
    pieces.collect()
}

/// Writes a column.
fn write_column(
    column: &mut SerializedColumnWriter<'_>,
    number: usize,
    first: u64,
    rows: &[Row],
    salts: Option<&[Salts; 5]>,
    expired: &[Class],
) -> Result<(), JournalError> {
    let texts =
        |of: fn(&Record) -> &str| (joined(rows.iter().map(|row| of(&row.record).as_bytes())), None);
    let part = part_of(number);
    let (values, levels): (Vec<ByteArray>, Option<Vec<i16>>) = match (number, column.untyped()) {
        (SEQ | TIME, ColumnWriter::Int64ColumnWriter(writer)) => {
            let number = |(seq, row): (u64, &Row)| {
                if number == SEQ { seq.cast_signed() } else { row.record.time }
            };
            let values: Vec<i64> = (first..).zip(rows).map(number).collect();
            return writer.write_batch(&values, None, None).map(drop).map_err(seal);
        }
        (ERASED, ColumnWriter::FixedLenByteArrayColumnWriter(writer)) => {
            let gone = rows.iter().filter_map(|row| row.erased);
            let gone: Vec<_> = gone.map(|leaf| ByteArray::from(leaf.to_vec()).into()).collect();
            let levels: Vec<i16> = rows.iter().map(|row| row.erased.is_some().into()).collect();
            return writer.write_batch(&gone, Some(&levels), None).map(drop).map_err(seal);
        }
        (LEVEL, _) => texts(|record| &record.level),
        (LOGGER, _) => texts(|record| &record.logger),
        (KINDS, _) => texts(|record| &record.kinds),
        // Where there is no salt any more, each commitment that it opened.
        (number, _) if number == column_of_salts(part) && is_expired(part, expired) => {
            let all = rows.iter().map(|row| row.expired[part.index() - 1]);
            let levels = all.clone().map(|one| one.is_some().into()).collect();
            let values = all.flatten().map(|hash| ByteArray::from(hash.to_vec()));
            (values.collect(), Some(levels))
        }
        // The salts of all records stand with the first.
        (number, _) if number == column_of_salts(part) => {
            let bytes = salts.map(|salts| salts[part.index()].to_bytes().to_vec());
            let mut levels = vec![0; rows.len()];
            levels[0] = salts.is_some().into();
            (bytes.into_iter().map(ByteArray::from).collect(), Some(levels))
        }
        _ => {
            let class = part.index() - 1;
            let levels = rows.iter().map(|row| row.record.fields[class].is_some().into()).collect();
            let values = rows.iter().filter_map(|row| row.record.fields[class].as_deref());
            (joined(values), Some(levels))
        }
    };
    let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() else {
        unreachable!("the schema has bytes there")
    };
    writer.write_batch(&values, levels.as_deref(), None).map(drop).map_err(seal)
}

#[expect(clippy::needless_pass_by_value, reason = "as `map_err` wants it")]
fn seal(error: ParquetError) -> JournalError {
    JournalError::Seal { what: error.to_string() }
}

/// Hashes what is written, and gathers it into blocks.
struct Hashing {
    output: Output,
    hasher: Sha256,
    bytes: u64,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = Write::write(&mut self.output, bytes)?;
        self.hasher.update(&bytes[..count]);
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A sealed segment that is read.
pub(crate) struct Sealed {
    file: File,
    name: String,
    metadata: ParquetMetaData,
    keys: [Option<Key>; 5],
    /// Classes whose content is gone.
    expired: Vec<Class>,
    /// What its modules are bound to.
    aad: Vec<u8>,
}

impl Sealed {
    /// Opens a segment with the identities at hand. Without the key of the head nothing opens; a
    /// class without a key stays sealed.
    pub(crate) fn open(
        file: File,
        name: &str,
        segment: u64,
        expired: &[Class],
        identities: &Identities,
    ) -> Result<Self, JournalError> {
        let damaged = |what| JournalError::damaged(name, what);
        let length = file.metadata().map_err(|_| damaged("it cannot be read"))?.len();
        let tail = file_crypto(&file, length).ok_or(damaged("it is no encrypted Parquet"))?;
        let (footer, _) = Struct::read(&tail).ok_or(damaged("its footer is malformed"))?;
        // FileCryptoMetaData: the algorithm (AES_GCM_V1: prefix, unique part), and the footer key.
        let unique = footer.inner(1).and_then(|one| one.inner(1)).and_then(|one| one.bytes(2));
        let aad = unique.ok_or(damaged("its footer is malformed"))?.to_vec();
        let material = footer.bytes(2).and_then(read_key_material);
        let wrapped = material.ok_or(damaged("its footer is malformed"))?;
        let no_key = JournalError::NoKey { part: Part::Head.name(), segment };
        let head = identities.unwrap(&wrapped).ok_or(no_key)?;
        let mut sealed = Self {
            metadata: metadata(&file, &head, &[]).map_err(|_| damaged("its footer was changed"))?,
            file,
            name: name.to_owned(),
            keys: [Some(head), None, None, None, None],
            expired: expired.to_vec(),
            aad,
        };
        sealed.unwrap(identities);
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
        if let Ok(metadata) = metadata(&self.file, keys[0].1, &keys) {
            self.metadata = metadata;
        }
    }

    /// Whether a part can be read.
    pub(crate) fn opens(&self, part: Part) -> bool {
        self.keys[part.index()].is_some()
    }

    /// The classes that it may have content of, and that stay closed.
    pub(crate) fn closed(&self) -> Vec<Class> {
        let is_closed =
            |class: &Class| !self.opens(Part::Of(*class)) && !self.expired.contains(class);
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

    /// The rows of a row group, each with its number in the journal; none when there is no time and
    /// level among them that is wanted: the rest is not decrypted then.
    pub(crate) fn rows(
        &self,
        group: usize,
        wanted: &dyn Fn(i64, &str) -> bool,
    ) -> Result<Vec<(u64, Row)>, JournalError> {
        let damaged = |what| JournalError::damaged(self.name.as_str(), what);
        let times = self.required::<Int64Type>(group, TIME)?;
        let levels = self.texts(group, LEVEL)?;
        if !times.iter().zip(&levels).any(|(time, level)| wanted(*time, level)) {
            return Ok(Vec::new());
        }
        let seqs = self.required::<Int64Type>(group, SEQ)?;
        let (loggers, kinds) = (self.texts(group, LOGGER)?, self.texts(group, KINDS)?);
        let erased = self.optional::<FixedLenByteArrayType>(group, ERASED)?;
        let mut fields: Vec<[Option<Vec<u8>>; 4]> = vec![Default::default(); seqs.len()];
        let mut expired = vec![Expired::default(); seqs.len()];
        for part in Part::ALL.into_iter().skip(1).filter(|part| self.opens(*part)) {
            let class = part.index() - 1;
            if is_expired(part, &self.expired) {
                for (row, commitment) in expired.iter_mut().zip(self.commitments(group, part)?) {
                    row[class] = commitment;
                }
                continue;
            }
            let column = self.optional::<ByteArrayType>(group, column(part))?;
            for (row, value) in fields.iter_mut().zip(column) {
                row[class] = value.map(|value| value.data().to_vec());
            }
        }
        let count = seqs.len();
        if [times.len(), levels.len(), loggers.len(), kinds.len(), erased.len()] != [count; 5] {
            return Err(damaged("its columns differ in length"));
        }
        let texts = levels.into_iter().zip(loggers).zip(kinds);
        let rows =
            seqs.into_iter().zip(times).zip(texts).zip(erased.into_iter().zip(fields).zip(expired));
        Ok(rows
            .map(|(((seq, time), ((level, logger), kinds)), ((erased, fields), expired))| {
                let record = Record { time, level, logger, kinds, fields };
                let erased = erased.and_then(|leaf| leaf.data().try_into().ok());
                (seq.cast_unsigned(), Row { record, erased, expired })
            })
            .collect())
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

    /// The salts, of the parts that can be read.
    pub(crate) fn salts(&self) -> Result<[Option<Salts>; 5], JournalError> {
        let mut salts: [Option<Salts>; 5] = Default::default();
        if self.groups() == 0 {
            return Ok(salts);
        }
        for part in Part::ALL.into_iter().filter(|part| self.opens(*part)) {
            if is_expired(part, &self.expired) {
                salts[part.index()] = Some(Salts::none());
                continue;
            }
            let values = self.optional::<ByteArrayType>(0, column_of_salts(part))?;
            let first = values.first().and_then(Option::as_ref);
            salts[part.index()] = first.and_then(|bytes| Salts::from_bytes(bytes.data()));
        }
        Ok(salts)
    }

    fn texts(&self, group: usize, column: usize) -> Result<Vec<String>, JournalError> {
        let values = self.required::<ByteArrayType>(group, column)?;
        let text = |value: ByteArray| String::from_utf8_lossy(value.data()).into_owned();
        Ok(values.into_iter().map(text).collect())
    }

    fn required<T: DataType>(
        &self,
        group: usize,
        column: usize,
    ) -> Result<Vec<T::T>, JournalError> {
        let values = self.optional::<T>(group, column)?;
        let all: Option<Vec<T::T>> = values.into_iter().collect();
        all.ok_or(JournalError::damaged(self.name.as_str(), "a value is missing"))
    }

    fn optional<T: DataType>(
        &self,
        group: usize,
        column: usize,
    ) -> Result<Vec<Option<T::T>>, JournalError> {
        let damaged = |_| JournalError::damaged(self.name.as_str(), "a column was changed");
        let rows = usize::try_from(self.metadata.row_group(group).num_rows()).unwrap_or_default();
        let mut reader = self.column::<T>(group, column).map_err(damaged)?;
        let (mut values, mut levels) = (Vec::new(), Vec::new());
        let deepest = self.metadata.file_metadata().schema_descr().column(column).max_def_level();
        reader
            .read_records(rows, (deepest > 0).then_some(&mut levels), None, &mut values)
            .map_err(damaged)?;
        if deepest == 0 {
            return Ok(values.into_iter().map(Some).collect());
        }
        let mut values = values.into_iter();
        Ok(levels.into_iter().map(|level| (level > 0).then(|| values.next())?).collect())
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
        let length = usize::try_from(chunk.compressed_size()).map_err(|_| damaged())?;
        let pages = Pages::new(
            Chunk {
                bytes: self.file.get_bytes(start, length)?.to_vec(),
                file: self.aad.clone(),
                row_group: u16::try_from(group).map_err(|_| damaged())?,
                column: u16::try_from(column).map_err(|_| damaged())?,
                has_dictionary,
                values: chunk.num_values(),
                compression: chunk.compression(),
            },
            key,
        );
        let descriptor = self.metadata.file_metadata().schema_descr().column(column);
        Ok(ColumnReaderImpl::new(descriptor, Box::new(pages)))
    }
}

fn metadata(
    file: &File,
    head: &Key,
    keys: &[(Part, &Key)],
) -> Result<ParquetMetaData, ParquetError> {
    let mut decryption = FileDecryptionProperties::builder(head.to_vec());
    for (part, key) in keys {
        for name in columns(*part) {
            decryption = decryption.with_column_key(&name, key.to_vec());
        }
    }
    let metadata = ParquetMetaDataReader::new()
        .with_decryption_properties(Some(decryption.build()?))
        .parse_and_finish(file)?;
    let expected: TypePtr = Arc::new(parse_message_type(SCHEMA)?);
    if *metadata.file_metadata().schema_descr().root_schema_ptr() != *expected {
        return Err(ParquetError::General("it has other columns".to_owned()));
    }
    Ok(metadata)
}

/// What stands before the encrypted footer, and the footer.
fn file_crypto(file: &File, length: u64) -> Option<Vec<u8>> {
    let mut end = [0; 8];
    file.get_read(length.checked_sub(8)?).ok()?.read_exact(&mut end).ok()?;
    let size = u64::from(u32::from_le_bytes(*end.first_chunk()?));
    if &end[4..] != b"PARE" {
        return None;
    }
    let start = (length - 8).checked_sub(size)?;
    Some(file.get_bytes(start, usize::try_from(size).ok()?).ok()?.to_vec())
}
