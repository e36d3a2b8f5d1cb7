//! Names that are none of a journal's. What lies in `segments/` and `active/` is judged with them.

use super::log::size_of;
use super::{Fault, Verification};
use crate::place::Folder;

/// What stands in the directory of a journal.
const ROOT: [&str; 9] =
    ["lock", "owner", "reserve", "reserve.new", "active", "segments", "log", "keys", "quarantine"];
/// What stands in its log.
const LOG: [&str; 5] = ["checkpoint", "checkpoints", "tile", "witnessed", "pending"];
/// What is written anew in it, under a name of its own until it is whole.
const WRITTEN: [&str; 2] = ["checkpoint.new", "pending.new"];

/// Finds them; the log has so many entries.
pub(super) fn find(root: &Folder, entries: u64, report: &mut Verification) {
    let is_root = |name: &str| ROOT.contains(&name);
    in_folder(Some(root), "", is_root, report);
    let log = root.folder("log").ok();
    let is_log = |name: &str| LOG.contains(&name) || WRITTEN.contains(&name);
    in_folder(log.as_ref(), "log/", is_log, report);
    let checkpoints = log.as_ref().and_then(|log| log.folder("checkpoints").ok());
    let is_checkpoint = |name: &str| {
        let known = name.strip_suffix(".new").unwrap_or(name);
        // One that is written is that of the entry being added. Of more entries than there are the log
        // has its own word.
        let last = if known == name { u64::MAX } else { entries.saturating_add(1) };
        size_of(known).is_some_and(|size| (1..=last).contains(&size))
    };
    in_folder(checkpoints.as_ref(), "log/checkpoints/", is_checkpoint, report);
}

fn in_folder(
    folder: Option<&Folder>,
    place: &str,
    is_ours: impl Fn(&str) -> bool,
    report: &mut Verification,
) {
    // What is no directory is found where it is read.
    let names = folder.and_then(|folder| folder.names().ok()).unwrap_or_default();
    for name in names.iter().filter(|name| !is_ours(name)) {
        report.find(format!("{place}{name}"), Fault::Unexpected, "nobody wrote it");
    }
}

#[cfg(test)]
mod tests {
    use crate::support::{Fixture, record};

    #[test]
    fn what_nobody_wrote_is_named() {
        let fixture = Fixture::new();
        let journal = fixture.open();
        journal.append(record(0)).unwrap();
        journal.close().unwrap();
        let checkpoints = ["x", "0", "02", "9.new"].map(|name| format!("log/checkpoints/{name}"));
        let names = ["x.json", "log/x", "log/tile.new"].into_iter().map(str::to_owned);
        for name in names.chain(checkpoints) {
            let path = fixture.path().join(&name);
            std::fs::write(&path, "").unwrap();
            let found = fixture.verify().findings;
            assert_eq!(found.iter().map(|one| &one.place).collect::<Vec<_>>(), [&name]);
            std::fs::remove_file(path).unwrap();
        }
        for name in ["reserve.new", "log/pending.new", "log/checkpoints/3.new"] {
            let path = fixture.path().join(name);
            std::fs::write(&path, "").unwrap();
            assert_eq!(fixture.verify().findings, []);
            std::fs::remove_file(path).unwrap();
        }
    }
}
