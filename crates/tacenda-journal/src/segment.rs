//! The file of a sealed segment, as it is written: Parquet with Modular Encryption, a column and a key
//! for each class.

use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::{ColumnPath, TypePtr};
use sha2::{Digest as _, Sha256};

use tacenda_policy::Class;

use crate::Hash;
use crate::checked::{BLOCK, BLOCKS};
use crate::entry::Written;
use crate::error::JournalError;
use crate::group::Group;
use crate::keys::SegmentKeys;
use crate::leaf::Expired;
use crate::part::Part;
use crate::place::{Output, unusable};
use crate::record::Record;
use crate::salt::Salts;

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
/// The column that a segment has beside them which was written anew: the data of leaves. With it who lacks
/// the key of a class compares what he reads.
const LEAF_COLUMN: &str = "leaf";
/// Columns of the head, before those of the classes.
const HEAD: [&str; 7] = ["seq", "time", "level", "logger", "kinds", "erased", "head_salts"];
pub(crate) const SEQ: usize = 0;
pub(crate) const TIME: usize = 1;
pub(crate) const LEVEL: usize = 2;
pub(crate) const LOGGER: usize = 3;
pub(crate) const KINDS: usize = 4;
pub(crate) const ERASED: usize = 5;
const HEAD_SALTS: usize = 6;
pub(crate) const LEAF: usize = HEAD.len() + 2 * (Part::ALL.len() - 1);

/// The schema of a segment, as it was sealed or written anew.
pub(crate) fn schema(anew: bool) -> Result<TypePtr, ParquetError> {
    let more =
        if anew { format!("    optional binary {LEAF_COLUMN};\n}}") } else { "}".to_owned() };
    let schema = parse_message_type(&[SCHEMA.trim_end_matches('}'), &more].concat())?;
    Ok(Arc::new(schema))
}

pub(crate) fn columns(part: Part, anew: bool) -> Vec<String> {
    match part {
        Part::Head => {
            let more = anew.then_some(LEAF_COLUMN);
            HEAD.into_iter().chain(more).map(str::to_owned).collect()
        }
        Part::Of(class) => vec![class.name().to_owned(), format!("{class}_salts")],
    }
}

pub(crate) fn column(part: Part) -> usize {
    HEAD.len() + 2 * (part.index() - 1)
}

pub(crate) fn column_of_salts(part: Part) -> usize {
    if part == Part::Head { HEAD_SALTS } else { column(part) + 1 }
}

pub(crate) fn is_expired(part: Part, expired: &[Class]) -> bool {
    matches!(part, Part::Of(class) if expired.contains(&class))
}

pub(crate) fn part_of(column: usize) -> Part {
    let is_head = column < HEAD.len() || column == LEAF;
    Part::ALL[if is_head { 0 } else { 1 + (column - HEAD.len()) / 2 }]
}

/// A row: a record, or what is left of one.
pub(crate) struct Row {
    pub(crate) record: Record,
    /// The hash of its leaf, when its content is gone.
    pub(crate) erased: Option<Hash>,
    /// The commitments to parts that it had of classes whose content is gone.
    pub(crate) expired: Expired,
    /// The data of its leaf, in a segment that is written anew.
    pub(crate) leaf: Option<Vec<u8>>,
}

impl Row {
    /// A whole record.
    pub(crate) fn of(record: Record) -> Self {
        Self { record, erased: None, expired: Expired::default(), leaf: None }
    }
}

/// A segment that is to be written, but for its rows.
pub(crate) struct Segment<'s> {
    pub(crate) keys: &'s SegmentKeys,
    pub(crate) salts: &'s [Salts; 5],
    /// Classes whose content is gone.
    pub(crate) expired: &'s [Class],
    /// The number of its first record.
    pub(crate) first: u64,
    /// Whether it is written anew.
    pub(crate) anew: bool,
}

impl Segment<'_> {
    /// Writes its file, with these rows.
    pub(crate) fn write(
        &self,
        output: Output,
        rows: impl IntoIterator<Item = Row>,
    ) -> Result<Written, JournalError> {
        let mut rows = rows.into_iter();
        self.write_with(output, |group| {
            let row = rows.next();
            if let Some(row) = &row {
                group.add(row, self.expired);
            }
            Ok(row.is_some())
        })
    }

    /// Writes its file, with the rows that are added to each row group as long as there are more.
    pub(crate) fn write_with(
        &self,
        output: Output,
        add: impl FnMut(&mut Group) -> Result<bool, JournalError>,
    ) -> Result<Written, JournalError> {
        let path = output.path().to_owned();
        self.write_groups(output, add).map_err(|error| told(error, &path))
    }

    fn write_groups(
        &self,
        output: Output,
        mut add: impl FnMut(&mut Group) -> Result<bool, JournalError>,
    ) -> Result<Written, ParquetError> {
        let schema = schema(self.anew)?;
        let hashing = Hashing {
            output,
            hasher: Sha256::new(),
            bytes: 0,
            block: Sha256::new(),
            room: BLOCK,
            hashes: Vec::new(),
        };
        let mut file = SerializedFileWriter::new(
            hashing,
            schema,
            Arc::new(properties(self.keys, self.anew)?),
        )?;
        let (mut group, mut next) = (Group::default(), self.first);
        while add(&mut group).map_err(external)? {
            if group.is_full() {
                next = self.write_group(&mut file, std::mem::take(&mut group), next)?;
            }
        }
        if group.len() > 0 {
            self.write_group(&mut file, group, next)?;
        }
        file.flush()?;
        let hashes = file.inner_mut().end_blocks();
        file.append_key_value_metadata(KeyValue::new(
            BLOCKS.to_owned(),
            BASE64_STANDARD.encode(hashes),
        ));
        let hashing = file.into_inner()?;
        hashing.output.sync().map_err(external)?;
        Ok(Written {
            sha256: hashing.hasher.finalize().into(),
            bytes: hashing.bytes,
            tail: hashing.block.finalize().into(),
        })
    }

    /// Writes a row group, the first record of which has this number; the number of the next one.
    fn write_group(
        &self,
        file: &mut SerializedFileWriter<Hashing>,
        mut rows: Group,
        first: u64,
    ) -> Result<u64, ParquetError> {
        let mut group = file.next_row_group()?;
        let mut number = 0;
        while let Some(mut column) = group.next_column()? {
            self.write_column(&mut column, number, &mut rows, first)?;
            column.close()?;
            number += 1;
        }
        group.close()?;
        Ok(first + rows.len() as u64)
    }

    /// Writes a column of a row group.
    fn write_column(
        &self,
        column: &mut SerializedColumnWriter<'_>,
        number: usize,
        rows: &mut Group,
        first: u64,
    ) -> Result<(), ParquetError> {
        let part = part_of(number);
        let class = part.index().wrapping_sub(1);
        let (values, levels): (Vec<ByteArray>, Option<Vec<i16>>) = match (number, column.untyped())
        {
            (SEQ, ColumnWriter::Int64ColumnWriter(writer)) => {
                let numbers = first.cast_signed()..;
                let values: Vec<i64> = numbers.take(rows.len()).collect();
                return writer.write_batch(&values, None, None).map(drop);
            }
            (TIME, ColumnWriter::Int64ColumnWriter(writer)) => {
                return writer.write_batch(&rows.times, None, None).map(drop);
            }
            (ERASED, ColumnWriter::FixedLenByteArrayColumnWriter(writer)) => {
                let (gone, levels) = rows.erased.take();
                let gone: Vec<_> = gone.into_iter().map(Into::into).collect();
                return writer.write_batch(&gone, Some(&levels), None).map(drop);
            }
            (LEAF, _) => {
                let (values, levels) = rows.leaves.take();
                (values, Some(levels))
            }
            (LEVEL | LOGGER | KINDS, _) => (rows.texts[number - LEVEL].take().0, None),
            // Where there is no salt any more, each commitment that it opened.
            (number, _) if number == column_of_salts(part) && is_expired(part, self.expired) => {
                let (values, levels) = rows.expired[class].take();
                (values, Some(levels))
            }
            // The salts of all records stand with the first.
            (number, _) if number == column_of_salts(part) => {
                let is_first = first == self.first;
                let bytes = is_first.then(|| self.salts[part.index()].to_bytes().to_vec());
                let mut levels = vec![0; rows.len()];
                levels[0] = is_first.into();
                (bytes.into_iter().map(ByteArray::from).collect(), Some(levels))
            }
            _ => {
                let (values, levels) = rows.fields[class].take();
                (values, Some(levels))
            }
        };
        let ColumnWriter::ByteArrayColumnWriter(writer) = column.untyped() else {
            unreachable!("the schema has bytes there")
        };
        writer.write_batch(&values, levels.as_deref(), None).map(drop)
    }
}

/// What was wrong with a file, or with the rows that were to go into it.
fn told(error: ParquetError, path: &Path) -> JournalError {
    let seal = |what: String| JournalError::Seal { what };
    let ParquetError::External(inner) = error else { return seal(error.to_string()) };
    let own = inner.downcast::<JournalError>().map(|error| *error);
    own.or_else(|inner| inner.downcast().map(|source| unusable(path, *source)))
        .unwrap_or_else(|inner| seal(inner.to_string()))
}

fn external(error: JournalError) -> ParquetError {
    ParquetError::External(Box::new(error))
}

fn properties(keys: &SegmentKeys, anew: bool) -> Result<WriterProperties, ParquetError> {
    let head = keys.key(Part::Head).to_vec();
    let mut encryption =
        FileEncryptionProperties::builder(head).with_footer_key_metadata(keys.material(Part::Head));
    for part in Part::ALL {
        for name in columns(part, anew) {
            let key = keys.key(part).to_vec();
            encryption = encryption.with_column_key_and_metadata(&name, key, keys.material(part));
        }
    }
    let path = |name: &str| ColumnPath::from(name);
    let mut properties = WriterProperties::builder()
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(format!("tacenda {}", env!("CARGO_PKG_VERSION")))
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
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
    let encryption = encryption.build()?;
    Ok(properties.with_file_encryption_properties(encryption).build())
}

/// Hashes what is written: all of it, each block, and the tail that follows them.
struct Hashing {
    output: Output,
    hasher: Sha256,
    bytes: u64,
    /// Of the block that is written, or of the tail.
    block: Sha256,
    /// How much the block still takes.
    room: usize,
    hashes: Vec<Hash>,
}

impl Hashing {
    /// What follows is the tail; the hashes of the blocks.
    fn end_blocks(&mut self) -> Vec<u8> {
        if self.room < BLOCK {
            self.end_block();
        }
        self.room = usize::MAX;
        std::mem::take(&mut self.hashes).into_flattened()
    }

    fn end_block(&mut self) {
        self.hashes.push(self.block.finalize_reset().into());
        self.room = BLOCK;
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = Write::write(&mut self.output, bytes)?;
        self.hasher.update(&bytes[..count]);
        self.bytes += count as u64;
        let mut left = &bytes[..count];
        while !left.is_empty() {
            let (now, later) = left.split_at(left.len().min(self.room));
            self.block.update(now);
            self.room -= now.len();
            if self.room == 0 {
                self.end_block();
            }
            left = later;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
