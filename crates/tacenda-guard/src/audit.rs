//! What is done with a reason goes on record: who, when, why, in a private file, before it is done.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

/// The file of a record: one JSON object a line, below `XDG_STATE_HOME`.
///
/// # Errors
/// When there is no place for it, or it is open to others.
pub fn record(name: &str) -> io::Result<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.filter(|state| state.is_absolute());
    let home = || std::env::home_dir().map(|home| home.join(".local/state"));
    let state = state.or_else(home).ok_or(io::ErrorKind::NotFound)?;
    fs::create_dir_all(&state)?;
    let directory = state.join("tacenda");
    private_directory(&directory)?;
    Ok(directory.join(name))
}

/// Puts an event on record.
///
/// # Errors
/// When it cannot be written: then nothing must be done.
pub fn put_on_record(file: &Path, event: &str, entry: &impl Serialize) -> io::Result<()> {
    #[derive(Serialize)]
    struct Line<'e, E> {
        time: u64,
        event: &'e str,
        by: String,
        #[serde(flatten)]
        entry: &'e E,
    }
    let mut line = serde_json::to_vec(&Line { time: now(), event, by: who(), entry })?;
    line.push(b'\n');
    let mut file = private().create(true).append(true).open(file)?;
    let metadata = file.metadata()?;
    if metadata.uid() != user() || metadata.mode() & 0o077 != 0 {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is open to others"));
    }
    file.write_all(&line)?;
    file.sync_data()
}

/// Seconds of Unix time.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The user as the kernel knows it, by name where `/etc/passwd` has one, with who became it by
/// `sudo` and the host: `ines (1000) on atlas`. Variables that anybody can set say nothing here,
/// but for those of `sudo`, which are marked as said.
pub fn who() -> String {
    let uid = rustix::process::getuid().as_raw();
    let mut who = match name(uid) {
        Some(name) => format!("{name} ({uid})"),
        None => format!("uid {uid}"),
    };
    if let Some(before) = std::env::var("SUDO_UID").ok().and_then(|uid| uid.parse::<u32>().ok()) {
        let before = name(before).unwrap_or_else(|| format!("uid {before}"));
        let _ = write!(who, ", said to be {before} by sudo");
    }
    if let Ok(host) = rustix::system::uname().nodename().to_str() {
        let _ = write!(who, " on {host}");
    }
    who
}

fn name(uid: u32) -> Option<String> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, _, id) = (fields.next()?, fields.next()?, fields.next()?);
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    })
}

/// Files that are made are for their user alone, and links are not followed.
pub(crate) fn private() -> OpenOptions {
    let mut options = File::options();
    options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Makes a directory for this user alone, or takes the one that is there.
pub(crate) fn private_directory(directory: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let metadata = fs::symlink_metadata(directory)?;
    if !metadata.is_dir() || metadata.uid() != user() || metadata.mode() & 0o077 != 0 {
        let what = "it is not a directory of this user alone";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    Ok(())
}

pub(crate) fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[derive(Serialize)]
    struct Entry {
        reason: &'static str,
    }

    #[test]
    fn what_others_may_read_or_write_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let open = directory.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(private_directory(&open).is_err());
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(directory.path(), &link).unwrap();
        assert!(private_directory(&link).is_err());

        let (record, entry) = (directory.path().join("record.jsonl"), Entry { reason: "why" });
        put_on_record(&record, "raised", &entry).unwrap();
        put_on_record(&record, "stopped", &entry).unwrap();
        let text = fs::read_to_string(&record).unwrap();
        assert_eq!(text.lines().count(), 2);
        assert!(text.contains("\"event\":\"raised\"") && text.contains("\"reason\":\"why\""));
        fs::set_permissions(&record, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(put_on_record(&record, "raised", &entry).is_err());
    }
}
