//! Whether a journal is what its owner wrote, by anyone, without a key to read it.
//!
//! Every check is done, whatever the ones before it found: a report names each place.

#[cfg(test)]
mod damage_tests;
mod log;
mod segments;

use std::path::Path;

use crate::error::JournalError;
use crate::keys::Identities;
use crate::note::{Checkpoint, VerifierKey};
use crate::place::{Folder, Place};
use crate::reader::Reader;

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
    /// Records of the active segment.
    pub active: u64,
    /// Bytes of an unfinished frame at the end of the active segment.
    pub unfinished: u64,
}

impl Verification {
    fn find(&mut self, place: impl Into<String>, fault: Fault, what: impl Into<String>) {
        self.findings.push(Finding { place: place.into(), fault, what: what.into() });
    }

    /// The content of a file. What cannot be read is found, as what is missing is.
    fn read(&mut self, folder: &Folder, name: &str, place: &str) -> Option<Vec<u8>> {
        match folder.read(name) {
            Ok(Some(bytes)) => return Some(bytes),
            Ok(None) => self.find(place, Fault::Missing, "the file is not there"),
            Err(error) => self.find(place, Fault::Altered, error.to_string()),
        }
        None
    }
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
        let mut report = Verification::default();
        let Some(log) = log::verify(self, &root, &mut report)? else { return Ok(report) };
        segments::verify(&root, &log, &mut report);
        if let (Some(identities), true) = (&self.identities, report.findings.is_empty()) {
            let reader = Reader::open(path, identities.clone(), &self.allowed)?;
            segments::compare(&reader, &log.state, &mut report);
        }
        Ok(report)
    }
}
