//! `tacenda redact --in-place`: a file is rewritten whole, or left as it was.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod command;

use std::fs::{self, File, FileTimes, Permissions};
use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Output};
use std::time::{Duration, SystemTime};

use serde_json::Value as Json;
use tacenda_find::Packing;

use command::{tacenda, text};

const LOG: &str = "2026-11-21 10:00:00,123 INFO mail to ines.moreau@example.org\r\n\
                   \u{1b}[32mgr\u{fc}n\u{1b}[0m \t nothing here  \n\n\
                   2026-11-21 10:00:01,000 ERROR card 5555 5555 5555 4444 refused";

fn redact(arguments: &[&str], directory: &Path) -> Command {
    let mut command = tacenda(directory);
    command.args(["redact", "--in-place"]).args(arguments);
    command
}

fn run(arguments: &[&str], directory: &Path) -> Output {
    redact(arguments, directory).output().unwrap()
}

fn error(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    text(&output.stderr)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn pack(packing: Packing, text: &str) -> Vec<u8> {
    let mut packer = packing.pack(Vec::new()).unwrap();
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

fn unpack(packed: &[u8]) -> String {
    let mut text = String::new();
    Packing::of(packed).unpack(packed).unwrap().read_to_string(&mut text).unwrap();
    text
}

/// Whether a text is [`LOG`] with its values replaced and nothing else.
fn is_redacted(text: &str) -> bool {
    let parts: Vec<&str> = text.split(['[', ']']).collect();
    let labels = text.contains("mail to [email #") && text.contains("card [payment-card …4444]");
    let rest = text.contains("\u{1b}[32mgr\u{fc}n\u{1b}[0m \t nothing here  \n\n2026")
        && text.contains("]\r\n\u{1b}")
        && text.ends_with(" refused");
    labels && rest && parts.len() == 7
}

#[test]
fn a_file_keeps_its_packing_its_mode_and_its_times() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let time = SystemTime::UNIX_EPOCH + Duration::new(1_600_000_000, 123_456_789);
    for packing in [Packing::Plain, Packing::Gzip, Packing::Zstd, Packing::Xz] {
        fs::write(&path, pack(packing, LOG)).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let times = FileTimes::new().set_modified(time).set_accessed(time);
        File::open(&path).unwrap().set_times(times).unwrap();
        let before = fs::metadata(&path).unwrap();

        let output = run(&["app.log"], directory.path());
        assert!(output.status.success(), "{packing}: {output:?}");
        let said = text(&output.stderr);
        assert_eq!(
            said.lines().next().unwrap().split(" (").next(),
            Some("app.log: redacted 2 values"),
        );
        assert!(output.stdout.is_empty());
        let after = fs::metadata(&path).unwrap();
        let packed = fs::read(&path).unwrap();
        assert_eq!(Packing::of(&packed), packing);
        assert!(is_redacted(&unpack(&packed)), "{packing}: {:?}", unpack(&packed));
        assert_eq!(after.mode(), before.mode());
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_eq!(after.modified().unwrap(), time);
        assert_eq!((after.atime(), after.atime_nsec()), (before.atime(), before.atime_nsec()));
        assert_eq!(names(directory.path()), ["app.log"]);
    }
}

#[test]
fn a_file_without_values_is_not_touched() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    fs::write(&path, "nothing\n").unwrap();
    let before = fs::metadata(&path).unwrap();
    let output = run(&["app.log", "--manifest", "manifest"], directory.path());
    assert!(output.status.success());
    assert_eq!(fs::metadata(&path).unwrap().ino(), before.ino());
    let manifest = fs::read(directory.path().join("manifest")).unwrap();
    let entry: Json = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(entry["changed"], false);
    assert_eq!(entry["sha256_before"], entry["sha256_after"]);
}

#[test]
fn what_is_no_plain_file_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("app.log"), LOG).unwrap();
    symlink("app.log", at("link")).unwrap();
    fs::create_dir(at("logs")).unwrap();
    for (name, why) in [
        ("link", "error: this is a symbolic link"),
        ("logs", "error: this is a directory"),
        ("none", "error: cannot read the file: no such file or directory"),
        ("/dev/null", "error: this is no regular file"),
    ] {
        let output = run(&[name], directory.path());
        assert_eq!(error(&output).lines().next(), Some(why));
    }
    fs::hard_link(at("app.log"), at("other")).unwrap();
    assert!(error(&run(&["app.log"], directory.path())).contains("has other names"));
    fs::remove_file(at("other")).unwrap();
    assert_eq!(fs::read_to_string(at("app.log")).unwrap(), LOG);
    // One that cannot be done is no reason to leave out the others.
    fs::write(at("next.log"), LOG).unwrap();
    let output = run(&["none", "next.log"], directory.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(is_redacted(&fs::read_to_string(at("next.log")).unwrap()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_somebody_writes_to_is_left() {
    use std::process::Stdio;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    fs::write(&path, LOG).unwrap();
    // A process besides this one and ours, since a test may have its own files open.
    let mut writer = Command::new("sh")
        .args(["-c", "exec >> app.log; echo ready >&2; read end"])
        .current_dir(directory.path())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut ready = [0; 6];
    writer.stderr.take().unwrap().read_exact(&mut ready).unwrap();
    let said = error(&run(&["app.log"], directory.path()));
    assert!(said.contains(&format!("process {} has the file open", writer.id())), "{said}");
    assert_eq!(fs::read_to_string(&path).unwrap(), LOG);
    drop(writer.stdin.take());
    writer.wait().unwrap();
    assert!(run(&["app.log"], directory.path()).status.success());
}

#[test]
fn a_damaged_file_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log.gz");
    let packed = pack(Packing::Gzip, &LOG.repeat(1000));
    let cut = &packed[..packed.len() / 2];
    fs::write(&path, cut).unwrap();
    let output = run(&["app.log.gz"], directory.path());
    assert!(error(&output).starts_with("error: the gzip file is damaged or cut off"));
    assert_eq!(fs::read(&path).unwrap(), cut);
    assert_eq!(names(directory.path()), ["app.log.gz"]);
}

#[test]
fn a_backup_keeps_what_was_there_and_replaces_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("app.log"), LOG).unwrap();
    assert!(run(&["app.log", "--backup", ".orig"], directory.path()).status.success());
    assert_eq!(fs::read_to_string(at("app.log.orig")).unwrap(), LOG);
    assert!(is_redacted(&fs::read_to_string(at("app.log")).unwrap()));
    // Cut short between the two steps, it goes on.
    fs::remove_file(at("app.log")).unwrap();
    fs::hard_link(at("app.log.orig"), at("app.log")).unwrap();
    assert!(run(&["app.log", "--backup", ".orig"], directory.path()).status.success());
    assert!(is_redacted(&fs::read_to_string(at("app.log")).unwrap()));
    assert_eq!(fs::read_to_string(at("app.log.orig")).unwrap(), LOG);

    fs::write(at("app.log"), LOG).unwrap();
    let output = run(&["app.log", "--backup", ".orig"], directory.path());
    assert!(error(&output).starts_with("error: cannot keep a backup: file exists"));
    assert_eq!(fs::read_to_string(at("app.log")).unwrap(), LOG);
}

#[test]
fn the_manifest_has_a_line_for_each_file_and_no_value() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    for name in ["a.log", "b.log"] {
        fs::write(at(name), LOG).unwrap();
    }
    fs::write(at("manifest"), "{\"earlier\": true}\n").unwrap();
    let arguments = ["a.log", "b.log", "--manifest", "manifest", "--report", "none"];
    let output = run(&arguments, directory.path());
    assert!(output.status.success() && output.stderr.is_empty());
    let manifest = fs::read_to_string(at("manifest")).unwrap();
    let entries: Vec<Json> =
        manifest.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), 3, "it is added to");
    let entry = &entries[1];
    assert_eq!((&entry["path"], &entry["changed"]), (&"a.log".into(), &true.into()));
    assert_eq!(entry["bytes_before"], LOG.len());
    assert_eq!(entry["bytes_after"], fs::metadata(at("a.log")).unwrap().len());
    assert_eq!(entry["redacted"][0]["values"], 1);
    assert_ne!(entry["sha256_before"], entry["sha256_after"]);
    assert_eq!(entries[1]["sha256_before"], entries[2]["sha256_before"]);
    assert!(!manifest.contains("moreau") && !manifest.contains("5555 5555"));
}

/// What a full disk looks like to a program, without one: no file may grow beyond 64 KiB.
#[test]
fn a_file_that_cannot_be_written_is_left() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let text = format!("{LOG}\n").repeat(5000);
    fs::write(&path, &text).unwrap();
    let script = "trap '' XFSZ; ulimit -f 64; exec \"$0\" redact --in-place app.log";
    let output = Command::new("bash")
        .args(["-c", script, env!("CARGO_BIN_EXE_tacenda")])
        .current_dir(directory.path())
        .output()
        .unwrap();
    assert!(error(&output).contains("cannot write beside the file"), "{output:?}");
    assert!(fs::read_to_string(&path).unwrap() == text);
    assert_eq!(names(directory.path()), ["app.log"]);
}

#[test]
fn whenever_it_is_killed_the_file_is_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.log");
    let text = format!("{LOG}\n").repeat(20_000);
    // The last is more than there will be: that run comes to its end.
    for part in [0, 1, 3, 5, 7, 100] {
        let goal = text.len() as u64 * part / 8;
        fs::write(&path, &text).unwrap();
        let mut child = redact(&["app.log", "--report", "none"], directory.path()).spawn().unwrap();
        let is_done = wait_for(&mut child, directory.path(), goal);
        child.kill().unwrap();
        child.wait().unwrap();
        let now = fs::read_to_string(&path).unwrap();
        let is_new = now.len() != text.len();
        assert!(is_new || !is_done, "{part}");
        if is_new {
            assert_eq!(now.matches("[email #").count(), 20_000);
            assert_eq!(now.lines().count(), text.lines().count());
        } else {
            assert!(now == text);
        }
        for name in names(directory.path()).iter().filter(|name| name.starts_with('.')) {
            let left = fs::read_to_string(directory.path().join(name)).unwrap_or_default();
            assert!(!left.contains("moreau"), "what is left of it holds no value");
            fs::remove_file(directory.path().join(name)).unwrap();
        }
    }
}

/// Waits until a file beside has so many bytes; or until the process has ended, which it tells.
fn wait_for(child: &mut Child, directory: &Path, bytes: u64) -> bool {
    loop {
        if child.try_wait().unwrap().is_some() {
            return true;
        }
        let beside = names(directory).into_iter().find(|name| name.starts_with(".tacenda-"));
        let size = beside.and_then(|name| fs::metadata(directory.join(name)).ok());
        if size.is_some_and(|size| size.len() >= bytes) {
            return false;
        }
        std::thread::yield_now();
    }
}
