//! Pieces of files: what one worker reads at a time.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use tacenda_detect::Joints;

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

/// How much is read around a place where a file is split, and how much of it before that place.
const BLOCK: u64 = 64 << 10;
const BEFORE: u64 = 16 << 10;

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
        Some((start, end)) => Ok(Source::Lines(lines(opened, start, end)?)),
        None => Ok(Source::Whole(opened)),
    }
}

enum Source {
    Whole(File),
    Lines(Take<File>),
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

/// The lines that begin in a range of a file, whole, and those that go on from them.
fn lines<R: Read + Seek>(mut file: R, start: u64, end: u64) -> io::Result<Take<R>> {
    let from = boundary(&mut file, start)?;
    let to = if end == u64::MAX { end } else { boundary(&mut file, end)? };
    file.seek(SeekFrom::Start(from))?;
    Ok(file.take(to.saturating_sub(from)))
}

/// Where the first line begins, at `at` or behind it, that no line before goes on in. Whoever asks of
/// the same place has the same answer.
fn boundary(file: &mut (impl Read + Seek), at: u64) -> io::Result<u64> {
    if at == 0 {
        return Ok(0);
    }
    let from = at.saturating_sub(BEFORE);
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.by_ref().take(BLOCK).read_to_end(&mut text)?;
    let (mut joints, mut start) = (Joints::default().with_private_keys(), 0);
    for end in memchr::memchr_iter(b'\n', &text) {
        // Where the first one begins is not known, unless it is the first of the file.
        let known = start > 0 || from == 0;
        let goes_on = known && joints.goes_on(&text, start..end);
        start = end + 1;
        let place = from + start as u64;
        if place >= at && !goes_on {
            return Ok(place);
        }
    }
    // A long line: it ends farther on.
    let mut place = from + text.len() as u64;
    loop {
        text.clear();
        let read = file.by_ref().take(BLOCK).read_to_end(&mut text)?;
        if let Some(end) = memchr::memchr(b'\n', &text) {
            return Ok(place + end as u64 + 1);
        }
        place += read as u64;
        if read == 0 {
            return Ok(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    #[test]
    fn no_piece_begins_in_a_value_that_is_broken() {
        let wide = format!("{} ines.moreau@exa", "x".repeat(64));
        assert_eq!(wide.len(), 80);
        let text = format!("first\n{wide}\nmple.org and more\nlast\n");
        let whole = text.find("last").unwrap();
        for at in 7..=whole as u64 {
            let place = boundary(&mut Cursor::new(text.as_bytes()), at).unwrap();
            assert_eq!(place, whole as u64, "{at}");
        }
        assert_eq!(boundary(&mut Cursor::new(text.as_bytes()), 6).unwrap(), 6);
    }

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
                let mut lines = lines(Cursor::new(text.as_bytes()), start, end).unwrap();
                lines.read_to_end(&mut all).unwrap();
                prop_assert!(all.is_empty() || all.ends_with(b"\n") || all.len() == text.len());
            }
            prop_assert_eq!(String::from_utf8(all).unwrap(), text);
        }
    }
}
