use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;

use crate::record::Seen;

const SCHEMA: &str = "message record {
    required int64 seq;
    required int64 time (TIMESTAMP(NANOS, true));
    required binary level (UTF8);
    required binary logger (UTF8);
    required binary kinds (UTF8);
    required boolean erased;
    optional binary public (UTF8);
    optional binary internal (UTF8);
    optional binary confidential (UTF8);
    optional binary restricted (UTF8);
}";
/// Columns before those of the classes.
const BEFORE: usize = 6;
/// A row group ends at so many records, or bytes of them.
const GROUP_RECORDS: usize = 1 << 16;
const GROUP_BYTES: usize = 16 << 20;

/// A Parquet file of records: the columns of a segment, in the clear.
pub struct Parquet<W: Write + Send> {
    file: SerializedFileWriter<W>,
    group: Vec<Seen>,
    bytes: usize,
}

impl<W: Write + Send> Parquet<W> {
    /// Begins one.
    pub fn new(output: W) -> io::Result<Self> {
        let schema = parse_message_type(SCHEMA).map_err(io::Error::other)?;
        let level = ZstdLevel::try_new(1).map_err(io::Error::other)?;
        let properties = WriterProperties::builder()
            .set_created_by(format!("tacenda {}", env!("CARGO_PKG_VERSION")))
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(None)
            .build();
        let file = SerializedFileWriter::new(output, Arc::new(schema), Arc::new(properties));
        Ok(Self { file: file.map_err(io::Error::other)?, group: Vec::new(), bytes: 0 })
    }

    /// Adds a record.
    pub fn push(&mut self, seen: &Seen) -> io::Result<()> {
        self.bytes += seen.record.size();
        self.group.push(seen.clone());
        if self.group.len() < GROUP_RECORDS && self.bytes < GROUP_BYTES {
            return Ok(());
        }
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        let rows = std::mem::take(&mut self.group);
        self.bytes = 0;
        let mut write = || -> Result<(), ParquetError> {
            let mut group = self.file.next_row_group()?;
            let mut number = 0;
            while let Some(mut column) = group.next_column()? {
                write_column(&mut column, number, &rows)?;
                column.close()?;
                number += 1;
            }
            group.close().map(drop)
        };
        write().map_err(io::Error::other)
    }

    /// Ends it; where it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        if !self.group.is_empty() {
            self.write()?;
        }
        self.file.into_inner().map_err(io::Error::other)
    }
}

fn write_column(
    column: &mut SerializedColumnWriter<'_>,
    number: usize,
    rows: &[Seen],
) -> Result<(), ParquetError> {
    let text = |text: &String| ByteArray::from(text.as_bytes().to_vec());
    match (number, column.untyped()) {
        (0 | 1, ColumnWriter::Int64ColumnWriter(writer)) => {
            let values: Vec<i64> = rows
                .iter()
                .map(|row| if number == 0 { row.sequence.cast_signed() } else { row.record.time })
                .collect();
            writer.write_batch(&values, None, None)
        }
        (5, ColumnWriter::BoolColumnWriter(writer)) => {
            let values: Vec<bool> = rows.iter().map(|row| row.erased.is_some()).collect();
            writer.write_batch(&values, None, None)
        }
        (2..=4, ColumnWriter::ByteArrayColumnWriter(writer)) => {
            let of = |row: &Seen| {
                let record = &row.record;
                text([&record.level, &record.logger, &record.kinds][number - 2])
            };
            let values: Vec<ByteArray> = rows.iter().map(of).collect();
            writer.write_batch(&values, None, None)
        }
        (_, ColumnWriter::ByteArrayColumnWriter(writer)) => {
            let fields = |row: &Seen| row.record.fields[number - BEFORE].clone();
            let levels: Vec<i16> = rows
                .iter()
                .map(|row| row.record.fields[number - BEFORE].is_some().into())
                .collect();
            let values: Vec<ByteArray> =
                rows.iter().filter_map(fields).map(ByteArray::from).collect();
            writer.write_batch(&values, Some(&levels), None)
        }
        _ => unreachable!("the schema says what the columns are"),
    }
    .map(drop)
}

impl<W: Write + Send> std::fmt::Debug for Parquet<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parquet({} records)", self.group.len())
    }
}
