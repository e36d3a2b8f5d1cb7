//! Pages of a column of an encrypted Parquet file.
//!
//! The low-level `parquet` crate writes encrypted columns and reads the encrypted footer, but gives
//! no way to the pages themselves without Arrow. A page is two modules (Parquet Modular Encryption,
//! 5.1): its header, then its content, each as length, nonce and AES-256-GCM ciphertext, bound to
//! its place in the file.

use std::ops::Range;

use parquet::basic::{Compression, Encoding};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

use crate::keys::Key;
use crate::thrift::{Struct, varint};

const NONCE: usize = 12;

/// The footer of a file, from what follows its key metadata; `None` when it does not open.
pub(crate) fn footer(rest: &[u8], file: &[u8], key: &Key) -> Option<Vec<u8>> {
    const FOOTER: u8 = 0;
    let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("a key has 32 bytes");
    let (length, rest) = rest.split_first_chunk()?;
    let sealed = rest.get(..usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
    let (nonce, bound) = (Nonce::assume_unique_for_key(*nonce), [file, &[FOOTER]].concat());
    let mut opened = sealed.to_vec();
    let footer = LessSafeKey::new(key).open_in_place(nonce, Aad::from(bound), &mut opened).ok()?;
    let length = footer.len();
    opened.truncate(length);
    Some(opened)
}

/// The kinds of modules that a column is made of.
#[derive(Clone, Copy)]
enum Module {
    DataPage = 2,
    DictionaryPage = 3,
    DataPageHeader = 4,
    DictionaryPageHeader = 5,
}

/// The pages of one column chunk.
pub(crate) struct Pages {
    /// What of the chunk is not read yet.
    bytes: Vec<u8>,
    at: usize,
    key: LessSafeKey,
    /// File, row group and column, as modules are bound to them.
    file: Vec<u8>,
    row_group: u16,
    column: u16,
    dictionary: bool,
    data_read: u16,
    values_left: u64,
    is_optional: bool,
    compression: Compression,
    /// The bytes that its pages may still have once they are unpacked.
    room: usize,
}

/// Where a column chunk stands.
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) file: Vec<u8>,
    pub(crate) row_group: u16,
    pub(crate) column: u16,
    pub(crate) has_dictionary: bool,
    /// As many as the row group has rows.
    pub(crate) values: u64,
    /// Whether some may lack.
    pub(crate) is_optional: bool,
    pub(crate) compression: Compression,
    /// The bytes that its pages may have together once they are unpacked.
    pub(crate) room: usize,
}

impl Pages {
    pub(crate) fn new(chunk: Chunk, key: &Key) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key.as_slice()).expect("a key has 32 bytes");
        Self {
            bytes: chunk.bytes,
            at: 0,
            key: LessSafeKey::new(key),
            file: chunk.file,
            row_group: chunk.row_group,
            column: chunk.column,
            dictionary: chunk.has_dictionary,
            data_read: 0,
            values_left: chunk.values,
            is_optional: chunk.is_optional,
            compression: chunk.compression,
            room: chunk.room,
        }
    }

    /// The next module, opened in its place.
    fn module(&mut self, kind: Module) -> Result<Range<usize>> {
        let damaged = || ParquetError::General("a page was changed or is cut".to_owned());
        let rest = self.bytes.get_mut(self.at..).ok_or_else(damaged)?;
        let (length, rest) = rest.split_first_chunk_mut::<4>().ok_or_else(damaged)?;
        let length = usize::try_from(u32::from_le_bytes(*length)).map_err(|_| damaged())?;
        let sealed = rest.get_mut(..length).ok_or_else(damaged)?;
        let (nonce, sealed) = sealed.split_first_chunk_mut::<NONCE>().ok_or_else(damaged)?;
        let mut bound = self.file.clone();
        bound.push(kind as u8);
        bound.extend_from_slice(&self.row_group.to_le_bytes());
        bound.extend_from_slice(&self.column.to_le_bytes());
        if matches!(kind, Module::DataPage | Module::DataPageHeader) {
            bound.extend_from_slice(&self.data_read.to_le_bytes());
        }
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let opened = self.key.open_in_place(nonce, Aad::from(bound), sealed);
        let opened = opened.map_err(|_| damaged())?.len();
        let start = self.at + 4 + NONCE;
        self.at += 4 + length;
        Ok(start..start + opened)
    }

    fn decompress(&mut self, place: Range<usize>, size: usize) -> Result<Vec<u8>> {
        let bytes = &self.bytes[place];
        self.room = self.room.checked_sub(size).ok_or_else(|| {
            ParquetError::General("a column is longer than any that is written".to_owned())
        })?;
        match self.compression {
            Compression::UNCOMPRESSED => Ok(bytes.to_vec()),
            Compression::ZSTD(_) => zstd::bulk::decompress(bytes, size)
                .map_err(|_| ParquetError::General("a page cannot be decompressed".to_owned())),
            _ => Err(ParquetError::General("a page is packed in an unknown way".to_owned())),
        }
    }

    fn next_page(&mut self) -> Result<Option<Page>> {
        let dictionary = std::mem::take(&mut self.dictionary);
        if self.values_left == 0 && !dictionary {
            return Ok(None);
        }
        let (header, content) = if dictionary {
            (Module::DictionaryPageHeader, Module::DictionaryPage)
        } else {
            (Module::DataPageHeader, Module::DataPage)
        };
        let malformed = || ParquetError::General("a page header is malformed".to_owned());
        let header = self.module(header)?;
        let (header, _) = Struct::read(&self.bytes[header]).ok_or_else(malformed)?;
        let size = header.int(2).and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(malformed)?;
        // 5 is the data page header of version 1, 7 that of a dictionary.
        let inner = header.inner(if dictionary { 7 } else { 5 }).ok_or_else(malformed)?;
        let values = inner.int(1).ok_or_else(malformed)?;
        let num_values = u32::try_from(values).map_err(|_| malformed())?;
        let encoding = |field| inner.int(field).and_then(encoding).ok_or_else(malformed);
        if dictionary {
            let encoding = encoding(2)?;
            let content = self.module(content)?;
            let buf = self.decompress(content, size)?;
            if u64::from(num_values) > buf.len() as u64 {
                return Err(malformed());
            }
            let buf = buf.into();
            return Ok(Some(Page::DictionaryPage { buf, num_values, encoding, is_sorted: false }));
        }
        let (encoding, def_level_encoding, rep_level_encoding) =
            (encoding(2)?, encoding(3)?, encoding(4)?);
        let content = self.module(content)?;
        let buf = self.decompress(content, size)?;
        self.values_left = self.values_left.checked_sub(num_values.into()).ok_or_else(malformed)?;
        self.data_read = self.data_read.checked_add(1).ok_or_else(malformed)?;
        if is_bounded(&buf, self.is_optional, encoding, num_values) != Some(true) {
            return Err(malformed());
        }
        Ok(Some(Page::DataPage {
            buf: buf.into(),
            num_values,
            encoding,
            def_level_encoding,
            rep_level_encoding,
            statistics: None,
        }))
    }
}

/// Whether a page holds no more values than it has by its header. Some encodings begin with a count, and a
/// decoder makes room for so many at once. `None` when it is malformed.
fn is_bounded(page: &[u8], is_optional: bool, encoding: Encoding, values: u32) -> Option<bool> {
    if !matches!(encoding, Encoding::DELTA_BINARY_PACKED | Encoding::DELTA_LENGTH_BYTE_ARRAY) {
        return Some(true);
    }
    let mut rest = page;
    if is_optional {
        // Which of them lack stands before them, after its length.
        let (length, after) = page.split_first_chunk()?;
        rest = after.get(usize::try_from(u32::from_le_bytes(*length)).ok()?..)?;
    }
    let (_block, _parts) = (varint(&mut rest)?, varint(&mut rest)?);
    Some(varint(&mut rest)? <= u64::from(values))
}

/// Those that the journal writes: with others a short page may hold long values.
fn encoding(number: i64) -> Option<Encoding> {
    Some(match number {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        5 => Encoding::DELTA_BINARY_PACKED,
        6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        8 => Encoding::RLE_DICTIONARY,
        _ => return None,
    })
}

impl Iterator for Pages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        self.next_page()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        Err(ParquetError::NYI("pages are read in their order".to_owned()))
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.next_page().map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::column::reader::ColumnReaderImpl;
    use parquet::data_type::{ByteArrayType, DataType};
    use parquet::schema::parser::parse_message_type;
    use parquet::schema::types::SchemaDescriptor;

    use super::*;
    use crate::sealed::decoded;

    const KEY: [u8; 32] = [7; 32];

    fn zigzag(value: usize) -> Vec<u8> {
        let (mut value, mut bytes) = (2 * value, Vec::new());
        while value > 0x7f {
            bytes.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
            value >>= 7;
        }
        bytes.push(u8::try_from(value).unwrap());
        bytes
    }

    fn sealed(kind: Module, bytes: &[u8]) -> Vec<u8> {
        bound(kind, bytes, 6)
    }

    /// A module that is bound to row group and column 0, and to page 0 where there are so many bytes.
    fn bound(kind: Module, bytes: &[u8], place: usize) -> Vec<u8> {
        let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &KEY).unwrap());
        let mut bound = b"file".to_vec();
        bound.push(kind as u8);
        bound.extend_from_slice(&[0; 6][..place]);
        let mut content = bytes.to_vec();
        let nonce = Nonce::assume_unique_for_key([kind as u8; NONCE]);
        key.seal_in_place_append_tag(nonce, Aad::from(bound), &mut content).unwrap();
        let length = u32::try_from(NONCE + content.len()).unwrap().to_le_bytes();
        [length.as_slice(), &[kind as u8; NONCE], &content].concat()
    }

    /// The pages of a column with one, which says that it has so many values and bytes.
    fn pages(
        compression: Compression,
        page: &[u8],
        encoding: usize,
        says: (usize, usize),
    ) -> Pages {
        let (values, size) = says;
        let field = |value| [vec![0x15], zigzag(value)].concat();
        let inner = [values, encoding, 3, 3].map(field).concat();
        let outer = [0, size, 0].map(field).concat();
        let header = [outer, vec![0x2c], inner, vec![0, 0]].concat();
        let modules = [sealed(Module::DataPageHeader, &header), sealed(Module::DataPage, page)];
        let chunk = Chunk {
            bytes: modules.concat(),
            file: b"file".to_vec(),
            row_group: 0,
            column: 0,
            has_dictionary: false,
            values: values.min(1000) as u64,
            is_optional: false,
            compression,
            room: 1 << 20,
        };
        Pages::new(chunk, &KEY.into())
    }

    fn read<T: DataType>(kind: &str, pages: Pages) -> Result<usize> {
        let schema = parse_message_type(&format!("message m {{ required {kind} c; }}")).unwrap();
        let column = SchemaDescriptor::new(Arc::new(schema)).column(0);
        let reader = ColumnReaderImpl::<T>::new(column, Box::new(pages));
        Ok(decoded(reader, 1000, false, 1 << 20)?.0.len())
    }

    /// A column of a dictionary with one text, which so many rows have.
    fn dictionary(text: usize, rows: usize) -> Pages {
        let field = |value| [vec![0x15], zigzag(value)].concat();
        let entry =
            [u32::try_from(text).unwrap().to_le_bytes().to_vec(), vec![b'x'; text]].concat();
        let inner = [1, 0].map(field).concat();
        // 7 is the header of a dictionary, four after the third field.
        let outer = [2, entry.len(), 0].map(field).concat();
        let header = [outer, vec![0x4c], inner, vec![0, 0]].concat();
        let mut modules = Vec::new();
        for (kind, bytes) in
            [(Module::DictionaryPageHeader, &header), (Module::DictionaryPage, &entry)]
        {
            modules.extend(bound(kind, bytes, 4));
        }
        // A run of as many indexes, of one bit, all of them 0.
        let run = [vec![1], zigzag(rows), vec![0]].concat();
        let chunk = pages(Compression::UNCOMPRESSED, &run, 8, (rows, run.len()));
        modules.extend_from_slice(&chunk.bytes);
        Pages { bytes: modules, dictionary: true, values_left: rows as u64, ..chunk }
    }

    #[test]
    fn what_rows_have_together_has_a_bound() {
        assert_eq!(read::<ByteArrayType>("binary", dictionary(1000, 1000)).unwrap(), 1000);
        let error = read::<ByteArrayType>("binary", dictionary(2000, 1000)).unwrap_err();
        assert!(error.to_string().contains("longer than any"), "{error}");
    }

    /// A block of numbers: 128 in 4 parts, so many in all, the first of them 0.
    fn delta(count: &[u8]) -> Vec<u8> {
        [[0x80, 1, 4].as_slice(), count, &[0; 41]].concat()
    }

    #[test]
    fn what_a_column_takes_has_a_bound() {
        let texts = |compression, page: &[u8], encoding, says| {
            read::<ByteArrayType>("binary", pages(compression, page, encoding, says))
        };
        let plain = Compression::UNCOMPRESSED;
        assert_eq!(texts(plain, &delta(&[3]), 6, (3, 0)).unwrap(), 3);
        // A terabyte of lengths, and a page that is a thousand times as long as it looks.
        texts(plain, &delta(&[0x80, 0x80, 0x80, 0x80, 0x80, 1]), 6, (3, 0)).unwrap_err();
        let zstd = Compression::ZSTD(parquet::basic::ZstdLevel::default());
        let long = zstd::bulk::compress(&vec![0; 2 << 20], 1).unwrap();
        texts(zstd, &long, 0, (1, 2 << 20)).unwrap_err();
        // More values than the group has rows, and texts that share what they begin with.
        texts(plain, &delta(&[3]), 6, (1001, 0)).unwrap_err();
        texts(plain, &delta(&[3]), 7, (3, 0)).unwrap_err();
    }

    #[test]
    fn what_does_not_bear_what_it_reads_is_an_error() {
        let numbers = |page: &[u8], encoding| {
            let pages = pages(Compression::UNCOMPRESSED, page, encoding, (3, 0));
            read::<parquet::data_type::Int64Type>("int64", pages)
        };
        assert_eq!(numbers(&delta(&[3]), 5).unwrap(), 3);
        // None of three values, which no other decoder has begun with.
        assert!(numbers(&delta(&[0]), 5).is_err());
        // Its head, and the head of the one block.
        for length in 0..12 {
            let is_whole = length >= 5 + 5;
            assert_eq!(numbers(&delta(&[3])[..length], 5).is_ok(), is_whole, "{length} bytes");
        }
    }
}
