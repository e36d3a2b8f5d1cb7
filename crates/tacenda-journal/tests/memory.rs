//! Where the keys of a segment are: in memory that is not swapped out.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::process::Command;

use support::{Fixture, numbers, record};
use tacenda_journal::{Filter, keys_stay_in_memory};

const CHILD: &str = "TACENDA_JOURNAL_TEST_MEMORY";

/// The pieces of this process's memory that are locked and in no core dump: their kilobytes.
fn locked() -> Vec<u64> {
    let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let (mut size, mut found) = (0, Vec::new());
    for line in maps.lines() {
        if let Some(rest) = line.strip_prefix("Size:") {
            size = rest.trim().strip_suffix(" kB").unwrap().parse().unwrap();
        } else if let Some(flags) = line.strip_prefix("VmFlags:") {
            let has = |flag| flags.split_whitespace().any(|one| one == flag);
            if has("lo") && has("dd") {
                found.push(size);
            }
        }
    }
    found
}

#[test]
fn keys_of_the_active_segment_are_in_locked_memory() {
    assert!(keys_stay_in_memory(), "RLIMIT_MEMLOCK leaves room for a few pages");
    let fixture = Fixture::new();
    let journal = fixture.open();
    let before = locked().iter().sum::<u64>();
    journal.append(record(0)).unwrap();
    assert!(locked().iter().sum::<u64>() > before);
    journal.rotate().unwrap();
    assert_eq!(locked().iter().sum::<u64>(), before, "they are given back");
    journal.close().unwrap();
}

/// A process that may lock nothing: no test by itself.
#[test]
fn child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    assert!(!keys_stay_in_memory() && locked().is_empty());
    let fixture = Fixture::new();
    fixture.fill(0, 3);
    assert_eq!(numbers(&fixture.reader(), &Filter::default()), [0, 1, 2]);
    println!("it went on");
}

#[test]
fn where_nothing_may_be_locked_it_goes_on() {
    let own = std::env::current_exe().unwrap();
    // Root may lock what it likes, unless it gives that up.
    let script = r#"ulimit -l 0 && if [ "$(id -u)" = 0 ]
        then exec setpriv --bounding-set=-ipc_lock --inh-caps=-ipc_lock "$@"; else exec "$@"; fi"#;
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(own);
    command.args(["--exact", "child", "--nocapture", "--test-threads=1"]).env(CHILD, "1");
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success() && said.contains("it went on"), "{said}{errors}");
}
