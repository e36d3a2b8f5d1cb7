//! Where the slot map is written, and what its paths are relative to.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use tacenda_policy::{MappedFile, SlotMap};

use super::text::count;
use crate::failure::{Failure, reason};
use crate::output::Output;

/// Writes the map of these files, whose paths are relative to the working directory.
pub(super) fn write(path: &Path, files: Vec<MappedFile>, quiet: bool) -> Result<(), Failure> {
    let here = std::env::current_dir().map_err(|error| {
        Failure::new(format!("the working directory is unknown: {}", reason(&error)))
    })?;
    let place = here.join(path);
    let root = from_to(place.parent().unwrap_or(&here), &here);
    if root.to_str().is_none() {
        return Err(Failure::new("the name of the working directory is not UTF-8")
            .hint("write the slot map into that directory"));
    }
    let mut map = SlotMap::new(root);
    map.files = files;
    let mut out = Output::file(path)?;
    out.write_all(map.to_text().as_bytes())?;
    out.finish()?;
    if !quiet {
        let calls = map.files.iter().flat_map(|file| &file.calls);
        let sensitive = |slots: usize| count(slots, "sensitive value", "sensitive values");
        let slots = calls.clone().flat_map(tacenda_policy::MappedCall::slots);
        anstream::eprintln!(
            "{} mapped in {}, with {}",
            count(calls.count(), "logging call", "logging calls"),
            count(map.files.len(), "file", "files"),
            sensitive(slots.filter(|slot| slot.kind().is_some()).count()),
        );
    }
    Ok(())
}

/// The path of a directory from another one; `.` if they are the same.
fn from_to(from: &Path, to: &Path) -> PathBuf {
    let plain = |path: &Path| -> Vec<PathBuf> {
        let parts = path.components().filter(|part| *part != Component::CurDir);
        parts.map(|part| PathBuf::from(part.as_os_str())).collect()
    };
    // Through links, `..` leads elsewhere than it looks.
    let real = |path: &Path| plain(&path.canonicalize().unwrap_or_else(|_| path.to_owned()));
    let (from, to) = (real(from), real(to));
    let common = from.iter().zip(&to).take_while(|(one, other)| one == other).count();
    let up = from[common..].iter().map(|_| PathBuf::from(".."));
    let way: PathBuf = up.chain(to[common..].iter().cloned()).collect();
    if way.as_os_str().is_empty() { PathBuf::from(".") } else { way }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_from_another_one() {
        for (from, to, way) in [
            ("/nowhere/a", "/nowhere/a", "."),
            ("/nowhere/a/b", "/nowhere", "../.."),
            ("/nowhere/a", "/nowhere/b/c", "../b/c"),
        ] {
            assert_eq!(from_to(Path::new(from), Path::new(to)), Path::new(way));
        }
    }
}
