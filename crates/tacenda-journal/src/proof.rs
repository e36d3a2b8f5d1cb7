//! Proofs for anyone, without a key and without the journal: that a record stands in it, and of that
//! record alone; and that its log only grew.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::deep::{self, Found};
use crate::entry::{Event, SegmentState};
use crate::error::JournalError;
use crate::note::{Checkpoint, Note};
use crate::part::Part;
use crate::reader::Reader;
use crate::salt::Salts;
use crate::segment::Row;
use crate::{Hash, hex, tree};

impl Reader {
    /// Proves that a record is in the journal: its parts with their salts, the way from its leaf to
    /// the root of its segment, the entry that holds this root, and the way from that to the newest
    /// checkpoint. Needs the keys of all classes.
    ///
    /// # Errors
    /// When there is no such record, its content was erased, or a key is missing.
    pub fn prove(&self, sequence: u64) -> Result<Value, JournalError> {
        let bad = |what| JournalError::BadRecord { what };
        let mut segments = self.view.state.segments.values();
        let segment = segments
            .find(|one| one.first <= sequence && sequence - one.first < one.records)
            .ok_or(bad("is in no sealed segment"))?;
        self.as_noted(segment, |segment| self.prove_in(segment, sequence))
    }

    fn prove_in(&self, segment: &SegmentState, sequence: u64) -> Result<Value, JournalError> {
        let bad = |what| JournalError::BadRecord { what };
        if segment.deleted {
            return Err(bad("is not there any more"));
        }
        let (mut leaves, mut found) = (Vec::new(), None);
        let opened = deep::leaves(self, segment, &mut |leaf| {
            leaves.push(leaf.hash);
            if segment.first + leaves.len() as u64 == sequence + 1 {
                found = Some(leaf.into_row());
            }
        })?;
        let no_key = JournalError::NoKey { part: "every", segment: segment.number };
        let Found::All(mut salts) = opened else { return Err(no_key) };
        let row = found.filter(|row| row.erased.is_none()).ok_or(bad("is not there any more"))?;
        let (number, size) = (sequence - segment.first, segment.records);
        let at = usize::try_from(number).expect("a segment is in memory");
        let path = tree::inclusion(&leaves, at);
        // What is handed out has to hold.
        if tree::root_of_inclusion(leaves[at], number, size, &path) != Some(segment.root) {
            let place = format!("segments/{}", segment.file());
            return Err(JournalError::damaged(place, deep::NOT_COMMITTED));
        }
        let entry = self.view.entries.iter().position(
            |entry| matches!(&entry.event, Event::Seal(sealed) if sealed.number == segment.number),
        );
        let entry = entry.expect("the state was made from the entries");
        Ok(json!({
            "sequence": sequence,
            "parts": parts(&row, &mut salts, at),
            "segment": { "index": number, "size": size, "path": digits(&path) },
            "entry": BASE64_STANDARD.encode(&self.view.bytes[entry]),
            "log": { "index": entry, "path": digits(&tree::inclusion(&self.view.leaves, entry)) },
            "checkpoint": self.view.note,
        }))
    }
}

impl Reader {
    /// Proves that the log begins with that of an older checkpoint, given as its note.
    ///
    /// # Errors
    /// When it does not, or the note is none of this journal.
    pub fn prove_consistency(&self, since: &[u8]) -> Result<Value, JournalError> {
        let damaged = |what| JournalError::damaged("log", what);
        let note = Note::parse(since);
        let older = note.as_ref().and_then(Checkpoint::of);
        let (Some(note), Some(older)) = (note, older) else {
            return Err(JournalError::BadSetting { what: "this is no checkpoint".to_owned() });
        };
        if !note.is_signed_by(&self.view.keys(1).0) {
            let what = "the checkpoint is not signed by the log's key of this journal".to_owned();
            return Err(JournalError::BadSetting { what });
        }
        let newest = &self.view.checkpoint;
        let at = usize::try_from(older.size).unwrap_or(usize::MAX);
        if at > self.view.leaves.len() {
            return Err(damaged("it has fewer entries than that checkpoint: it was rolled back"));
        }
        let path = tree::consistency(&self.view.leaves, at);
        let (old, new) = ((older.size, older.root), (newest.size, newest.root));
        // What is handed out has to hold.
        if !tree::is_consistent(old, new, &path) {
            return Err(damaged("it does not begin with that of the checkpoint: it was rewritten"));
        }
        let from = String::from_utf8_lossy(since);
        Ok(json!({ "from": from, "to": self.view.note, "path": digits(&path) }))
    }
}

/// The parts of a record, each with what opens the commitment to it; of what has expired, that.
fn parts(row: &Row, salts: &mut [Salts; 5], number: usize) -> Value {
    let number = u32::try_from(number).expect("a segment has fewer records");
    let present = Part::ALL.into_iter().filter_map(|part| {
        let content = match part {
            Part::Head => {
                let mut head = Vec::new();
                row.record.head(&mut head);
                head
            }
            Part::Of(_) => {
                if let Some(commitment) = row.expired[part.index() - 1] {
                    return Some(json!({ "part": part.name(), "commitment": hex(&commitment) }));
                }
                row.record.fields[part.index() - 1].clone()?
            }
        };
        let salt = salts[part.index()].salt(number)?;
        Some(json!({
            "part": part.name(),
            "salt": hex(&salt),
            "content": BASE64_STANDARD.encode(content),
        }))
    });
    present.collect()
}

fn digits(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| hex(hash)).collect()
}
