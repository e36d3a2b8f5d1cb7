//! Names that are none of a journal's. What lies in `segments/` and `active/` is judged with them.

use super::{Fault, Verification};
use crate::log_view::size_of;
use crate::place::{Folder, Kind};

/// What stands in the directory of a journal.
fn of_root(name: &str) -> Option<Kind> {
    match name {
        "owner" => Some(Kind::Socket),
        "lock" | "reserve" | "reserve.new" => Some(Kind::File),
        "active" | "segments" | "log" | "keys" | "quarantine" => Some(Kind::Folder),
        _ => None,
    }
}

/// What stands in its log, also what is written anew there, under a name of its own until it is whole.
fn of_log(name: &str) -> Option<Kind> {
    match name {
        "checkpoint" | "checkpoint.new" | "pending" | "pending.new" => Some(Kind::File),
        "checkpoints" | "tile" | "witnessed" => Some(Kind::Folder),
        _ => None,
    }
}

/// Names of keys. Others are nobody's concern, and are not written to.
const KEYS: [&str; 3] = ["log", "signing", "next"];

/// Finds them; the log has so many entries.
pub(super) fn find(root: &Folder, entries: u64, report: &mut Verification) {
    in_folder(Some(root), "", of_root, report);
    let log = root.folder("log").ok();
    in_folder(log.as_ref(), "log/", of_log, report);
    let checkpoints = log.as_ref().and_then(|log| log.folder("checkpoints").ok());
    let is_checkpoint = |name: &str| {
        let known = name.strip_suffix(".new").unwrap_or(name);
        // One that is written is that of the entry being added. Of more entries than there are the log
        // has its own word.
        let last = if known == name { u64::MAX } else { entries.saturating_add(1) };
        size_of(known).filter(|size| (1..=last).contains(size)).map(|_| Kind::File)
    };
    in_folder(checkpoints.as_ref(), "log/checkpoints/", is_checkpoint, report);
    if let Some(tile) = log.as_ref().and_then(|log| log.folder("tile").ok()) {
        in_tiles(&tile, "log/tile/", TILE_DEPTH, report);
    }
    // Whatever else lies there is not touched.
    let written = |folder: &str, is_ours: &dyn Fn(&str) -> bool, report: &mut Verification| {
        let Ok(inner) = root.folder(folder) else { return };
        for name in inner.names().unwrap_or_default().iter().filter(|name| is_ours(name)) {
            of_kind(&inner, &format!("{folder}/"), name, Kind::File, report);
        }
    };
    let is_key = |name: &str| KEYS.contains(&name.strip_suffix(".new").unwrap_or(name));
    written("keys", &is_key, report);
    let is_cut = |name: &str| name.split_once('.').is_some_and(|(_, kind)| kind.starts_with("wal"));
    written("quarantine", &is_cut, report);
}

/// Directories below `tile/`: a level, and of the number three digits each.
const TILE_DEPTH: usize = 9;

fn in_tiles(folder: &Folder, place: &str, depth: usize, report: &mut Verification) {
    for name in folder.names().unwrap_or_default() {
        match folder.folder(&name) {
            Ok(inner) if depth > 0 => {
                in_tiles(&inner, &format!("{place}{name}/"), depth - 1, report);
            }
            _ => of_kind(folder, place, &name, Kind::File, report),
        }
    }
}

fn in_folder(
    folder: Option<&Folder>,
    place: &str,
    kind_of: impl Fn(&str) -> Option<Kind>,
    report: &mut Verification,
) {
    // What is no directory is found where it is read.
    let Some(folder) = folder else { return };
    for name in folder.names().unwrap_or_default() {
        match kind_of(&name) {
            Some(kind) => of_kind(folder, place, &name, kind, report),
            None => report.find(format!("{place}{name}"), Fault::Unexpected, "nobody wrote it"),
        }
    }
}

/// Finds what has a name of the journal's and is none of it, unless it was found where it was read.
fn of_kind(folder: &Folder, place: &str, name: &str, kind: Kind, report: &mut Verification) {
    let place = format!("{place}{name}");
    let Some(error) = folder.stranger(name, kind) else { return };
    if !report.has(&place) {
        report.find(place, Fault::Unexpected, error.to_string());
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
            let private: std::fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, private).unwrap();
            assert_eq!(fixture.verify().findings, []);
            std::fs::remove_file(path).unwrap();
        }
    }
}
