//! Files in directories that are logs, when the program that wrote them is gone.
//!
//! A guarded Python process looks through them itself at its end, unless it has none: `kill -9`,
//! a crash, `exec`. Of a value `*` is left, byte for byte, as there.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;
use tacenda_redact::Redactor;

/// Clocks of file systems are coarse.
const COARSE: Duration = Duration::from_secs(1);

/// A file is looked at in windows that overlap: a value may lie anywhere.
const WINDOW: usize = 1 << 20;
const OVERLAP: usize = 1 << 14;

/// Of a window, pieces of this length are written where something in them has changed.
const PIECE: usize = 1 << 12;

/// Databases keep sums over what they have written.
const DATABASES: [&[u8]; 3] = [b"SQLite format 3\0", b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83"];

/// Looks through the files of the directories of the policy that were written since a moment.
///
/// What cannot be read or written is left: nobody is there to be told.
pub(crate) fn look_through(redactor: &Redactor, since: SystemTime) {
    let since = since.checked_sub(COARSE).unwrap_or(since);
    for directory in redactor.policy().log_directories() {
        let _ = look_into_directory(redactor, directory, since);
    }
}

fn look_into_directory(redactor: &Redactor, path: &Path, since: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(path)? {
        let Ok(entry) = entry else { continue };
        let _ = match entry.file_type() {
            Ok(kind) if kind.is_dir() => look_into_directory(redactor, &entry.path(), since),
            Ok(kind) if kind.is_file() => look_into_file(redactor, &entry.path(), since),
            _ => Ok(()),
        };
    }
    Ok(())
}

fn look_into_file(redactor: &Redactor, path: &Path, since: SystemTime) -> io::Result<()> {
    if fs::symlink_metadata(path)?.modified()? < since {
        return Ok(());
    }
    let flags = OFlags::NOFOLLOW.bits().cast_signed();
    let file = OpenOptions::new().read(true).write(true).custom_flags(flags).open(path)?;
    let mut window = vec![0; WINDOW];
    let mut at = 0;
    loop {
        let length = read_at(&file, &mut window, at)?;
        let text = &window[..length];
        if at == 0 && DATABASES.iter().any(|magic| text.starts_with(magic)) {
            return Ok(());
        }
        let clean = redactor.blank(text);
        for (piece, (old, new)) in text.chunks(PIECE).zip(clean.chunks(PIECE)).enumerate() {
            if old != new {
                file.write_all_at(new, at + (piece * PIECE) as u64)?;
            }
        }
        if length < WINDOW {
            return Ok(());
        }
        at += (WINDOW - OVERLAP) as u64;
    }
}

/// Fills the buffer, as far as the file goes.
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut length = 0;
    while length < buffer.len() {
        match file.read_at(&mut buffer[length..], at + length as u64) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}
