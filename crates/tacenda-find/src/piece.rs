//! Pieces of files: what one worker reads at a time.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::logs::{LogFile, STANDARD_INPUT};
use crate::problem::Reason;
use crate::text::{self, About, Batch, End};
use crate::{Packing, Searcher};

/// Plain files above this size are read in pieces of it, by several workers.
pub(crate) const SPLIT: u64 = if cfg!(test) { 64 << 10 } else { 32 << 20 };

/// Enough of a file to tell how it is packed.
const MAGIC: usize = 8;

/// Bytes that a decoder is fed with at a time.
const FEED: usize = 128 << 10;

/// A part of a file: the lines that begin in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The log, and the file in it.
    pub(crate) file: (usize, usize),
    /// The bytes of a plain file; none for all of it.
    pub(crate) range: Option<(u64, u64)>,
}

/// How a piece ended.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) packing: Packing,
    pub(crate) outcome: Result<Looked, Reason>,
}

/// What became of a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    /// It was searched.
    Through,
    /// It is no text, and was left.
    Binary,
}

/// The pieces of a file.
pub(crate) fn pieces(file: (usize, usize), about: &LogFile) -> Vec<Piece> {
    let whole = || vec![Piece { file, range: None }];
    let size = match about.size {
        Some(size) if size > SPLIT => size,
        _ => return whole(),
    };
    let mut head = [0; 512];
    let plain =
        File::open(&about.path).and_then(|mut opened| opened.read(&mut head)).is_ok_and(|read| {
            let head = &head[..read];
            // What needs to be looked at from its start is not split.
            Packing::of(head) == Packing::Plain
                && !head.contains(&0)
                && !head.starts_with(b"__CURSOR=")
        });
    if !plain {
        return whole();
    }
    let starts = (0..size).step_by(usize::try_from(SPLIT).unwrap_or(usize::MAX));
    starts
        .map(|start| {
            // What is written to the file while it is read belongs to the last piece.
            let end = if start + SPLIT >= size { u64::MAX } else { start + SPLIT };
            Piece { file, range: Some((start, end)) }
        })
        .collect()
}

/// Searches a piece. `progress` counts the bytes that were read of the file.
pub(crate) fn search(
    searcher: &Searcher<'_>,
    piece: Piece,
    file: &LogFile,
    binary: bool,
    progress: &AtomicU64,
    emit: &mut dyn FnMut(Batch) -> std::ops::ControlFlow<()>,
) -> Done {
    let log = (file.path != Path::new(STANDARD_INPUT)).then_some(file.path.as_path());
    let about = About {
        allowed: searcher.allowed_in(log),
        modified: file.modified,
        binary: binary || file.named,
    };
    let mut packing = Packing::Plain;
    let mut bytes = 0;
    let mut emit = |batch: Batch| {
        bytes += batch.bytes;
        emit(batch)
    };
    let end = open(file, piece.range).and_then(|source| {
        let mut source = Counted { source, progress };
        if piece.range.is_some() {
            return Ok(text::search(searcher, source, &about, &mut emit));
        }
        let mut head = Vec::new();
        source.by_ref().take(MAGIC as u64).read_to_end(&mut head)?;
        packing = Packing::of(&head);
        let source = head.chain(source);
        if packing == Packing::Plain {
            return Ok(text::search(searcher, source, &about, &mut emit));
        }
        let unpacked = packing.unpack(BufReader::with_capacity(FEED, source))?;
        Ok(text::search(searcher, unpacked, &about, &mut emit))
    });
    let promised = Packing::named(&file.path.to_string_lossy());
    let outcome = match end {
        Ok(End::Whole | End::Unwanted) => Ok(Looked::Through),
        Ok(End::Binary) if packing == Packing::Plain && promised != Packing::Plain => {
            Err(Reason::NotPacked(promised))
        }
        Ok(End::Binary) => Ok(Looked::Binary),
        Ok(End::Failed(_)) if packing != Packing::Plain => Err(Reason::Damaged(packing, bytes)),
        Ok(End::Failed(error)) | Err(error) => Err(Reason::Io(error)),
    };
    Done { packing, outcome }
}

fn open(file: &LogFile, range: Option<(u64, u64)>) -> io::Result<Source> {
    if file.path == Path::new(STANDARD_INPUT) {
        let opened = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        return Ok(Source::Whole(opened));
    }
    let opened = File::open(&file.path)?;
    match range {
        Some((start, end)) => Ok(Source::Lines(Lines::new(opened, start, end)?)),
        None => Ok(Source::Whole(opened)),
    }
}

enum Source {
    Whole(File),
    Lines(Lines<File>),
}

struct Counted<'p> {
    source: Source,
    progress: &'p AtomicU64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.source {
            Source::Whole(file) => file.read(buffer),
            Source::Lines(lines) => lines.read(buffer),
        }?;
        self.progress.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The lines that begin in a range of a file, whole.
struct Lines<R> {
    file: R,
    at: u64,
    end: u64,
    is_done: bool,
}

impl<R: Read + Seek> Lines<R> {
    fn new(mut file: R, start: u64, end: u64) -> io::Result<Self> {
        let mut at = start;
        if start > 0 {
            // The line that begins at `start` or after it: behind the first end from `start - 1` on.
            at = start - 1;
            file.seek(SeekFrom::Start(at))?;
            let mut block = vec![0; 64 << 10];
            loop {
                let read = file.read(&mut block)?;
                if let Some(found) = memchr::memchr(b'\n', &block[..read]) {
                    at += found as u64 + 1;
                    file.seek(SeekFrom::Start(at))?;
                    break;
                }
                at += read as u64;
                if read == 0 || at >= end {
                    break;
                }
            }
        }
        Ok(Self { file, at, end, is_done: at >= end })
    }
}

impl<R: Read> Read for Lines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_done {
            return Ok(0);
        }
        let mut read = self.file.read(buffer)?;
        // The last line ends with the first end from `end - 1` on.
        let last = self.end - 1;
        if self.at + read as u64 > last {
            let from = usize::try_from(last.saturating_sub(self.at)).unwrap_or(read);
            if let Some(found) = memchr::memchr(b'\n', &buffer[from..read]) {
                read = from + found + 1;
                self.is_done = true;
            }
        }
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    proptest! {
        /// Wherever a text is split, each line is read once.
        #[test]
        fn pieces_are_the_whole(
            text in "[a\n]{0,60}",
            mut cuts in proptest::collection::vec(1_u64..60, 0..6),
        ) {
            cuts.sort_unstable();
            cuts.dedup();
            let starts: Vec<u64> = std::iter::once(0).chain(cuts.clone()).collect();
            let ends: Vec<u64> = cuts.into_iter().chain([u64::MAX]).collect();
            let mut all = Vec::new();
            for (start, end) in starts.into_iter().zip(ends) {
                let mut lines = Lines::new(Cursor::new(text.as_bytes()), start, end).unwrap();
                lines.read_to_end(&mut all).unwrap();
                prop_assert!(all.is_empty() || all.ends_with(b"\n") || all.len() == text.len());
            }
            prop_assert_eq!(String::from_utf8(all).unwrap(), text);
        }
    }
}
