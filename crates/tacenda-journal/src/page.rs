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
use crate::thrift::Struct;

const NONCE: usize = 12;
/// Larger than any page that the journal writes.
const LARGEST: usize = 1 << 30;

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
    values_left: i64,
    compression: Compression,
}

/// Where a column chunk stands.
pub(crate) struct Chunk {
    pub(crate) bytes: Vec<u8>,
    pub(crate) file: Vec<u8>,
    pub(crate) row_group: u16,
    pub(crate) column: u16,
    pub(crate) has_dictionary: bool,
    pub(crate) values: i64,
    pub(crate) compression: Compression,
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
            compression: chunk.compression,
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

    fn decompress(&self, place: Range<usize>, size: usize) -> Result<Vec<u8>> {
        let bytes = &self.bytes[place];
        match self.compression {
            Compression::UNCOMPRESSED => Ok(bytes.to_vec()),
            Compression::ZSTD(_) if size <= LARGEST => zstd::bulk::decompress(bytes, size)
                .map_err(|_| ParquetError::General("a page cannot be decompressed".to_owned())),
            _ => Err(ParquetError::General("a page is packed in an unknown way".to_owned())),
        }
    }

    fn next_page(&mut self) -> Result<Option<Page>> {
        let dictionary = std::mem::take(&mut self.dictionary);
        if self.values_left <= 0 && !dictionary {
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
            let buf = self.decompress(content, size)?.into();
            return Ok(Some(Page::DictionaryPage { buf, num_values, encoding, is_sorted: false }));
        }
        let (encoding, def_level_encoding, rep_level_encoding) =
            (encoding(2)?, encoding(3)?, encoding(4)?);
        let content = self.module(content)?;
        let buf = self.decompress(content, size)?.into();
        self.values_left -= values;
        self.data_read += 1;
        Ok(Some(Page::DataPage {
            buf,
            num_values,
            encoding,
            def_level_encoding,
            rep_level_encoding,
            statistics: None,
        }))
    }
}

fn encoding(number: i64) -> Option<Encoding> {
    Some(match number {
        0 => Encoding::PLAIN,
        2 => Encoding::PLAIN_DICTIONARY,
        3 => Encoding::RLE,
        5 => Encoding::DELTA_BINARY_PACKED,
        6 => Encoding::DELTA_LENGTH_BYTE_ARRAY,
        7 => Encoding::DELTA_BYTE_ARRAY,
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
