//! Tiles (C2SP tlog-tiles): hashes of the tree, and entries, 256 to a file.

use crate::error::JournalError;
use crate::place::Folder;
use crate::{Hash, tree};

/// Hashes or entries in a full tile.
pub(crate) const WIDTH: u64 = 256;
/// The same, to cut lists by.
const TILE: usize = 256;

/// What a bundle of entries has at most, each with its length.
const LONGEST_BUNDLE: u64 = WIDTH * (2 + crate::entry::LONGEST as u64);
/// What a tile of hashes has at most.
const LONGEST_TILE: u64 = WIDTH * size_of::<Hash>() as u64;
/// What stands for the level of bundles in paths.
const ENTRIES: &str = "entries";

/// What the file of this path may have.
fn longest(path: &str) -> u64 {
    if path.starts_with(ENTRIES) { LONGEST_BUNDLE } else { LONGEST_TILE }
}

/// The path of a tile, below `tile/`: a level or `entries`, the number, and how much of it there is.
pub(crate) fn path(level: &str, number: u64, width: u64) -> String {
    let digits = format!("{number:03}");
    let digits = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
    let groups: Vec<&str> = (0..digits.len()).step_by(3).map(|at| &digits[at..at + 3]).collect();
    let (last, before) = groups.split_last().expect("a number has digits");
    let before: String = before.iter().flat_map(|group| ["x", group, "/"]).collect();
    let partial = if width < WIDTH { format!(".p/{width}") } else { String::new() };
    format!("{level}/{before}{last}{partial}")
}

/// A bundle of entries: each after its length in two bytes. `None` when it is cut.
pub fn bundle(mut bytes: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        entries.push(entry);
        bytes = rest;
    }
    bytes.is_empty().then_some(entries)
}

/// The hashes of the tiles of a level: each the root over the 256 of the level below.
pub(crate) fn next_level(hashes: &[Hash]) -> Vec<Hash> {
    let (full, _) = hashes.as_chunks::<TILE>();
    full.iter().map(|tile| tree::root(tile)).collect()
}

/// Writes the last tile of each level and of the entries, for a log that has just grown by one.
/// What it was before, a smaller part of it, goes.
pub(crate) fn write(
    folder: &Folder,
    leaves: &[Hash],
    last_entries: &[Vec<u8>],
) -> Result<(), JournalError> {
    let size = leaves.len() as u64;
    let entries: Vec<u8> = last_entries
        .iter()
        .flat_map(|entry| {
            let length = u16::try_from(entry.len()).expect("checked when it was made");
            [length.to_be_bytes().as_slice(), entry].concat()
        })
        .collect();
    put(folder, ENTRIES, (size - 1) / WIDTH, last_entries.len() as u64, &entries)?;
    let mut hashes = leaves.to_vec();
    for level in 0.. {
        if hashes.is_empty() {
            break;
        }
        let number = (hashes.len() as u64 - 1) / WIDTH;
        let at = usize::try_from(number * WIDTH).expect("it is in memory");
        let last = &hashes[at..];
        put(folder, &level.to_string(), number, last.len() as u64, last.as_flattened())?;
        hashes = next_level(&hashes);
    }
    Ok(())
}

fn put(
    folder: &Folder,
    level: &str,
    number: u64,
    width: u64,
    bytes: &[u8],
) -> Result<(), JournalError> {
    let whole = path(level, number, width);
    let (inner, name) = make(folder, &whole)?;
    if inner.read_to(&name, longest(&whole))?.as_deref() == Some(bytes) {
        return Ok(());
    }
    inner.replace(&name, bytes)?;
    if width > 1 {
        let (inner, name) = make(folder, &path(level, number, width - 1))?;
        inner.discard(&name)?;
    }
    Ok(())
}

fn make(folder: &Folder, path: &str) -> Result<(Folder, String), JournalError> {
    let (mut inner, mut names) = (folder.clone(), path.split('/').peekable());
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            return Ok((inner, name.to_owned()));
        }
        inner = inner.make(name)?;
    }
    unreachable!("a path has a last name")
}

/// The content of a tile; `None` when it is not there.
pub(crate) fn read(folder: &Folder, path: &str) -> Result<Option<Vec<u8>>, JournalError> {
    let most = longest(path);
    let (mut inner, mut names) = (folder.clone(), path.split('/').peekable());
    while let Some(name) = names.next() {
        if names.peek().is_none() {
            return inner.read_to(name, most);
        }
        inner = match inner.folder(name) {
            Ok(inner) => inner,
            Err(error) if crate::place::is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of C2SP tlog-tiles.
    #[test]
    fn paths_as_in_the_specification() {
        assert_eq!(path("0", 0, 256), "0/000");
        assert_eq!(path("0", 273, 256), "0/273");
        assert_eq!(path("1", 1, 17), "1/001.p/17");
        assert_eq!(path("entries", 1_234_067, 256), "entries/x001/x234/067");
        assert_eq!(path("entries", 1000, 1), "entries/x001/000.p/1");
    }

    #[test]
    fn a_bundle_is_whole_or_none() {
        assert_eq!(bundle(&[0, 1, 7, 0, 0, 0, 2, 8, 9]), Some(vec![&[7][..], &[], &[8, 9]]));
        assert_eq!(bundle(&[0, 2, 7]), None);
        assert_eq!(bundle(&[0]), None);
        assert_eq!(bundle(&[]), Some(vec![]));
    }
}
