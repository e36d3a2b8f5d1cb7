//! Who runs the command, for the record.

use std::fmt::Write as _;
use std::fs;

/// The user as the kernel knows it, by name where `/etc/passwd` has one, with who became it by
/// `sudo` and the host: `ines (1000) on atlas`. Variables that anybody can set say nothing here,
/// but for those of `sudo`, which are marked as said.
pub(crate) fn who() -> String {
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
