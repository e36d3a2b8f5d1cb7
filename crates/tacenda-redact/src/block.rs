//! Private key blocks (PEM, RFC 7468) that are written line by line.
//!
//! A detector sees one record at a time, so a block whose end has not come yet is followed here.

use memchr::memmem;

/// Longest block that is followed, in records. A `BEGIN` that never ends must not swallow a log.
const MAX_RECORDS: u32 = 200;

/// A private key block whose end has not come yet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenBlock {
    records: u32,
}

/// Where a private key block starts in `record` that does not end in it.
pub(crate) fn opened(record: &[u8]) -> Option<(usize, OpenBlock)> {
    const KEY: &[u8] = b"PRIVATE KEY";
    let start = memmem::rfind(record, b"-----BEGIN ")?;
    let label = memmem::find(&record[start..], KEY).filter(|at| *at <= 40)?;
    let body = start + label + KEY.len();
    memmem::find(&record[body..], b"-----END ")
        .is_none()
        .then_some((start, OpenBlock { records: 0 }))
}

impl OpenBlock {
    /// How much of the next record belongs to the block, and whether it goes on after it.
    pub(crate) fn next(self, record: &[u8]) -> (usize, Option<Self>) {
        if let Some(end) = memmem::find(record, b"-----END ") {
            let dashes = end + b"-----END ".len();
            let end = memmem::find(&record[dashes..], b"-----")
                .map_or(record.len(), |at| dashes + at + 5);
            return (end, None);
        }
        let block = Self { records: self.records + 1 };
        (record.len(), (block.records < MAX_RECORDS).then_some(block))
    }
}
