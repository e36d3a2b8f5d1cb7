//! Witnesses (C2SP tlog-witness): others sign what the journal's log was, once they have seen that it
//! only grew.
//!
//! What a witness has signed is kept in `log/witnessed/`: its key, and the checkpoint with its
//! signature. How it is reached is not known here: [`Reader::witness`] is given what sends.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::error::JournalError;
use crate::note::{Checkpoint, Note, VerifierKey};
use crate::place::{Folder, is_missing};
use crate::reader::Reader;
use crate::tree;

#[cfg(feature = "witness")]
mod https;
#[cfg(all(test, feature = "witness"))]
mod tests;

#[cfg(feature = "witness")]
pub use https::Https;

/// Where it is kept, below `log/`.
pub(crate) const FOLDER: &str = "witnessed";

/// What a witness answers: the status of HTTP, and the text.
type Answer = (u16, String);

/// The newest checkpoint that a witness has signed, as it is kept.
pub(crate) struct Witnessed {
    pub(crate) key: VerifierKey,
    pub(crate) note: Note,
    pub(crate) checkpoint: Checkpoint,
    /// The note as text.
    pub(crate) text: String,
}

impl Witnessed {
    /// Reads a file: the key, and the note that it has signed.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (key, text) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
        let key = VerifierKey::parse(key).filter(|parsed| parsed.to_string() == key)?;
        let note = Note::parse(text.as_bytes())?;
        let checkpoint = Checkpoint::of(&note)?;
        note.is_signed_by(&key).then(|| Self { key, note, checkpoint, text: text.to_owned() })
    }
}

/// The name of the file of a witness.
fn name(key: &VerifierKey) -> String {
    crate::hex(&key.id())
}

/// Every file that is kept, by its name. What is malformed is `None`.
pub(crate) fn kept(log: &Folder) -> Result<Vec<(String, Option<Witnessed>)>, JournalError> {
    let folder = match log.folder(FOLDER) {
        Ok(folder) => folder,
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut all = Vec::new();
    for file in folder.names()?.into_iter().filter(|file| file.strip_suffix(".new").is_none()) {
        let Some(bytes) = folder.read(&file)? else { continue };
        // The file of another witness in its place is none of its own.
        let witnessed = Witnessed::parse(&bytes).filter(|one| name(&one.key) == file);
        all.push((file, witnessed));
    }
    Ok(all)
}

impl Reader {
    /// Has the newest checkpoint signed by a witness, and keeps what it has signed; the note with its
    /// signature. `send` posts a text to it.
    ///
    /// # Errors
    /// When it cannot be reached, or does not sign: it does not know the log, or it has seen another
    /// past of it.
    pub fn witness(
        &self,
        witness: &VerifierKey,
        send: &mut dyn FnMut(&str) -> Result<Answer, JournalError>,
    ) -> Result<String, JournalError> {
        let says = |what: String| JournalError::Witness { name: witness.name().to_owned(), what };
        let log = self.root.folder("log")?;
        let before = kept(&log)?.into_iter().filter_map(|(_, one)| one);
        let before = before.filter(|one| one.key == *witness).map(|one| one.checkpoint.size).max();
        let mut old = before.unwrap_or(0);
        let (mut status, mut answer) = send(&self.request(old)?)?;
        // It has seen more than we know of, or has forgotten.
        let seen = answer.strip_suffix('\n').and_then(|size| size.parse::<u64>().ok());
        if let (409, Some(seen)) = (status, seen) {
            let ours = self.view.checkpoint.size;
            if seen > ours {
                let what = format!(
                    "it has seen {seen} entries, and the log has {ours}: it was rolled back"
                );
                return Err(says(what));
            }
            old = seen;
            (status, answer) = send(&self.request(old)?)?;
        }
        match status {
            200 => {}
            403 | 404 => {
                return Err(says(format!("it does not know this log, or its key ({status})")));
            }
            422 => {
                return Err(says(
                    "it has seen another past of this log: the log was rewritten (422)".to_owned(),
                ));
            }
            _ => return Err(says(format!("it does not sign ({status})"))),
        }
        let (name, id) = (witness.name(), BASE64_STANDARD.encode(witness.id()));
        // The first five digits of base64 hold 30 of the 32 bits: the check is below.
        let own = format!("— {name} {}", &id[..5]);
        let signature: String =
            answer.split_inclusive('\n').filter(|line| line.starts_with(&own)).collect();
        let note = format!("{}{signature}", self.view.note);
        let bytes = format!("{witness}\n{note}").into_bytes();
        if Witnessed::parse(&bytes).is_none() {
            return Err(says("what it answers is not its signature".to_owned()));
        }
        log.make(FOLDER)?.replace(&self::name(witness), &bytes)?;
        Ok(note)
    }

    /// The checkpoints that witnesses have signed, the newest of each, with the name of the witness.
    pub fn witnessed(&self) -> Result<Vec<(String, Checkpoint, String)>, JournalError> {
        let all = kept(&self.root.folder("log")?)?.into_iter().filter_map(|(_, one)| one);
        Ok(all.map(|one| (one.key.name().to_owned(), one.checkpoint, one.text)).collect())
    }

    /// What a witness is asked: the size it knows, the proof that the log begins with that, and the
    /// checkpoint.
    fn request(&self, old: u64) -> Result<String, JournalError> {
        let at = usize::try_from(old).ok().filter(|at| *at <= self.view.leaves.len());
        let at = at.ok_or_else(|| {
            JournalError::damaged("log", "it has fewer entries than a witness has signed")
        })?;
        let proof = tree::consistency(&self.view.leaves, at);
        let proof: String = proof.iter().map(|hash| BASE64_STANDARD.encode(hash) + "\n").collect();
        Ok(format!("old {old}\n{proof}\n{}", self.view.note))
    }
}
