//! What the tests of the journal share.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead as _, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tacenda_journal::{
    Filter, Identities, Journal, Options, Place, Reader, Recipients, Record, Settings,
    Verification, Verifier, VerifierKey, new_identity,
};
use tacenda_policy::Class;
use tempfile::TempDir;

/// A journal in a directory of its own.
pub(crate) struct Fixture {
    folder: TempDir,
    /// Identities of every class, and of all but `restricted`.
    pub(crate) all: Identities,
    pub(crate) few: Identities,
    pub(crate) key: VerifierKey,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(folder(), change)
    }

    /// On a disk of its own.
    pub(crate) fn in_folder(path: &Path, change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(tempfile::tempdir_in(path).unwrap(), change)
    }

    fn on(folder: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let ((few, usual), (restricted, secret)) = (new_identity(0), new_identity(0));
        let few = Identities::parse(few.as_bytes()).unwrap();
        let named = [(None, usual.clone()), (Some(Class::Restricted), secret)];
        let restricted = Identities::parse(restricted.as_bytes()).unwrap();
        let mut settings = Settings::new(Recipients::new(&named).unwrap());
        change(&mut settings);
        let key = Journal::create(&folder.path().join("journal"), settings, &options()).unwrap();
        Self { folder, all: few.clone().and(restricted), few, key }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("journal")
    }

    pub(crate) fn open(&self) -> Journal {
        Journal::open(&self.path(), &options()).unwrap()
    }

    /// Records `from` to `to`, in one segment.
    pub(crate) fn fill(&self, from: u64, to: u64) {
        let journal = self.open();
        let records = (from..to).map(record).collect();
        assert_eq!(journal.append_all(records).unwrap(), Some(from));
        journal.close().unwrap();
    }

    pub(crate) fn reader(&self) -> Reader {
        Reader::open(&self.path(), self.all.clone(), &[Place::Temporary]).unwrap()
    }

    pub(crate) fn verifier(&self) -> Verifier {
        Verifier {
            key: Some(self.key.clone()),
            identities: Some(self.all.clone()),
            allowed: vec![Place::Temporary],
            ..Verifier::default()
        }
    }

    pub(crate) fn verify(&self) -> Verification {
        self.verifier().verify(&self.path()).unwrap()
    }
}

/// A directory in memory where the system has one: thousands of syncs are quick there.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    folder.unwrap()
}

pub(crate) fn options() -> Options {
    Options { allowed: vec![Place::Temporary], ..Options::default() }
}

/// Makes a pipe that nobody else may open.
pub(crate) fn pipe(path: &Path) {
    let made = Command::new("mkfifo").args(["-m", "600"]).arg(path).status();
    assert!(made.unwrap().success());
}

/// A record that tells its number, with fields of three classes.
pub(crate) fn record(number: u64) -> Record {
    let line = format!(
        r#"{{"time": {}, "level": "{}", "logger": "app.{}", "message": "record {number}",
        "prompt": "violet heron {number}", "card": "5555 {number}", "kinds": ["prompt"],
        "classes": {{"prompt": "confidential", "card": "restricted"}}, "class": "internal"}}"#,
        1_700_000_000 + number,
        if number.is_multiple_of(10) { "error" } else { "info" },
        number % 3,
    );
    Record::from_line(line.as_bytes(), Class::Internal, 0).unwrap()
}

/// The numbers of the records that a reader hands over.
pub(crate) fn numbers(reader: &Reader, filter: &Filter) -> Vec<u64> {
    let mut numbers = Vec::new();
    reader
        .each(filter, &mut |seen| {
            numbers.push(seen.sequence);
            true
        })
        .unwrap();
    numbers
}

/// A process that writes to a journal, to be killed: the test `child` of this program, which does nothing
/// by itself.
pub(crate) struct Writer {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

/// Where it is told the journal.
const WRITER: &str = "TACENDA_JOURNAL_TEST_WRITER";

impl Writer {
    pub(crate) fn start(journal: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(WRITER, journal)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    /// The journal, in the process that was started so.
    pub(crate) fn journal() -> Option<PathBuf> {
        std::env::var_os(WRITER).map(PathBuf::from)
    }

    /// Says, in that process, that something was acknowledged.
    #[allow(clippy::print_stdout, reason = "whoever has started it reads that")]
    pub(crate) fn acknowledge(what: &str) {
        // Line by line: what is printed was acknowledged.
        println!("acknowledged {what}");
    }

    /// What it says next; `None` when it has ended.
    pub(crate) fn acknowledged(&mut self) -> Option<String> {
        loop {
            let line = self.lines.next()?.ok()?;
            if let Some((_, what)) = line.split_once("acknowledged ") {
                return Some(what.trim().to_owned());
            }
        }
    }

    /// Kills it, whatever it does at that moment. What it has said before is still to be had.
    pub(crate) fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Every file below a directory.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all.sort();
    all
}

/// Copies a journal as it is at this moment: what `kill -9` leaves.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
