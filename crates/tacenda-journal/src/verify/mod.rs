//! Whether a journal is what its owner wrote, by anyone, without a key to read it.
//!
//! Every check is done, whatever the ones before it found: a report names each place.

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod hold_tests;
mod log;
mod segments;
mod strays;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::JournalError;
use crate::identities::Identities;
use crate::log::{LONGEST_PENDING, PENDING};
use crate::note::{Checkpoint, VerifierKey};
use crate::place::{Folder, Place};
use crate::reader::Reader;
use log::Log;
use segments::Whole;

/// What is wrong with a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It holds something else than it did.
    Altered,
    /// Its end is gone.
    Cut,
    /// It is not there.
    Missing,
    /// It stands in the place of another.
    Swapped,
    /// There was more before.
    RolledBack,
    /// The past is another one than it was.
    Rewritten,
    /// Nobody wrote it.
    Unexpected,
    /// A signature is missing.
    Unsigned,
    /// The log says that it is gone, and it is there: it was not removed, or was put back.
    Remains,
}

impl Fault {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Altered => "altered",
            Self::Cut => "cut",
            Self::Missing => "missing",
            Self::Swapped => "swapped",
            Self::RolledBack => "rolled-back",
            Self::Rewritten => "rewritten",
            Self::Unexpected => "unexpected",
            Self::Unsigned => "unsigned",
            Self::Remains => "remains",
        }
    }
}

/// Something that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// A file of the journal, an entry of its log, or a checkpoint that was given.
    pub place: String,
    /// What is wrong with it.
    pub fault: Fault,
    /// The same in a sentence.
    pub what: String,
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Verification {
    /// What is wrong; nothing, for a journal that is whole.
    pub findings: Vec<Finding>,
    /// The newest checkpoint.
    pub checkpoint: Option<Checkpoint>,
    /// The key of the first checkpoint, which everything hangs on.
    pub key: Option<VerifierKey>,
    /// Sealed segments that are there, those deleted by retention, and records in all of them.
    pub segments: u64,
    /// Segments that were deleted, as the log says.
    pub deleted: u64,
    /// Records in sealed segments that are there.
    pub records: u64,
    /// Records whose content was erased.
    pub erased: u64,
    /// Segments whose content was compared, record by record.
    pub compared: u64,
    /// Segments that were written anew since they were sealed, and whose content was not compared:
    /// nothing but that tells whether it is what is left of what was sealed.
    pub uncompared: u64,
    /// Records of the active segment.
    pub active: u64,
    /// Bytes of an unfinished frame at the end of the active segment.
    pub unfinished: u64,
    /// The newest that each witness which was named has signed.
    pub witnessed: Vec<Sight>,
}

/// What a witness has seen of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Its name.
    pub witness: String,
    /// How many entries: it vouches for no later one.
    pub entries: u64,
    /// When, by its own clock, in seconds since 1970.
    pub time: Option<u64>,
}

impl Verification {
    fn find(&mut self, place: impl Into<String>, fault: Fault, what: impl Into<String>) {
        let place: String = place.into();
        let place = printable(&place);
        self.findings.push(Finding { place, fault, what: what.into() });
    }

    /// Whether something is wrong with this place.
    fn has(&self, place: &str) -> bool {
        let place = printable(place);
        self.findings.iter().any(|finding| finding.place == place)
    }

    /// The content of a file. What cannot be read is found, as what is missing is.
    fn read(&mut self, folder: &Folder, name: &str, place: &str) -> Option<Vec<u8>> {
        self.take(folder.read(name), place)
    }

    /// What was read of a file.
    fn take<T>(&mut self, read: Result<Option<T>, JournalError>, place: &str) -> Option<T> {
        match read {
            Ok(Some(read)) => return Some(read),
            Ok(None) => self.find(place, Fault::Missing, "the file is not there"),
            Err(error) => self.find(place, Fault::Altered, error.to_string()),
        }
        None
    }
}

/// A place of which nothing changes what a terminal shows: who can write to the directory chooses names.
fn printable(place: &str) -> String {
    let mut shown = String::with_capacity(place.len());
    for char in place.chars() {
        match char {
            '\'' | '"' | '\\' => shown.push(char),
            _ => shown.extend(char.escape_debug()),
        }
    }
    shown
}

/// How long something wrong has to stay while somebody writes to the journal: it may be what the next
/// step of theirs puts right.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

/// What tells that the log has grown.
fn newest(root: &Folder) -> [Option<Vec<u8>>; 2] {
    let log = root.folder("log").ok();
    ["checkpoint", PENDING].map(|name| log.as_ref()?.read_to(name, LONGEST_PENDING).ok().flatten())
}

/// How a journal is verified.
#[derive(Clone, Debug, Default)]
pub struct Verifier {
    /// The key of the first checkpoint, as `journal init` printed it.
    pub key: Option<VerifierKey>,
    /// Checkpoints that were kept elsewhere.
    pub since: Vec<(String, Vec<u8>)>,
    /// Witnesses, each of which has to have signed one of these.
    pub witnesses: Vec<VerifierKey>,
    /// Identities, to compare the content as well.
    pub identities: Option<Identities>,
    /// Places that are refused otherwise.
    pub allowed: Vec<Place>,
}

impl Verifier {
    /// Verifies the journal in a directory.
    ///
    /// # Errors
    /// When there is no journal, or its directory is not ours alone. What is wrong inside is found.
    pub fn verify(&self, path: &Path) -> Result<Verification, JournalError> {
        let root = Folder::root(path, false, &self.allowed, None)?;
        let (mut whole, mut since) = (Whole::new(), BTreeMap::new());
        let (log, mut report) = loop {
            let before = newest(&root);
            let mut report = Verification::default();
            let log = Log::read(&root, &mut report)?;
            segments::verify(&root, &log, &mut whole, &mut report);
            strays::find(&root, log.size(), &mut report);
            let has_grown = newest(&root) != before;
            if !(has_grown || is_being_done(&root, &report)) || stays(&report, &mut since) {
                break (log, report);
            }
            if !has_grown {
                std::thread::sleep(PAUSE);
            }
        };
        log.check(self, &mut report);
        if let (Some(identities), true) = (&self.identities, report.findings.is_empty()) {
            let reader = Reader::open(path, identities.clone(), &self.allowed)?;
            segments::compare(&reader, &mut report);
        }
        Ok(report)
    }
}

/// Whether the owner of the journal may be about to remove what it has noted.
fn is_being_done(root: &Folder, report: &Verification) -> bool {
    report.findings.iter().all(|finding| finding.fault == Fault::Remains) && root.is_owned()
}

/// Whether nothing is wrong, or something has been for a while; `since` says what, and since when.
fn stays(report: &Verification, since: &mut BTreeMap<String, Instant>) -> bool {
    let now = Instant::now();
    let begun = |place: &String| since.get(place).copied().unwrap_or(now);
    *since = report.findings.iter().map(|one| (one.place.clone(), begun(&one.place))).collect();
    since.is_empty() || since.values().any(|begun| now - *begun >= PATIENCE)
}
