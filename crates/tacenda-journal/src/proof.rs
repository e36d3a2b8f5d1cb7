//! The proof that a record stands in a journal: for anyone, without a key, and of that record alone.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::deep;
use crate::entry::Event;
use crate::error::JournalError;
use crate::part::Part;
use crate::reader::Reader;
use crate::record::Record;
use crate::salt::Salts;
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
        let mut segments = self.view.state.segments.values().filter(|segment| !segment.deleted);
        let segment = segments
            .find(|one| one.first <= sequence && sequence - one.first < one.records)
            .ok_or(bad("is in no sealed segment"))?;
        let (mut leaves, mut found) = (Vec::new(), None);
        let salts = deep::leaves(self, segment, &mut |leaf| {
            if segment.first + leaves.len() as u64 == sequence {
                found = Some((leaf.record, leaf.erased));
            }
            leaves.push(leaf.hash);
        })?;
        let no_key = JournalError::NoKey { part: "every", segment: segment.number };
        let mut salts = salts.ok_or(no_key)?;
        let (record, _) =
            found.filter(|(_, erased)| !erased).ok_or(bad("is not there any more"))?;
        let (number, size) = (sequence - segment.first, segment.records);
        let at = usize::try_from(number).expect("a segment is in memory");
        let path = tree::inclusion(&leaves, at);
        // What is handed out has to hold.
        if tree::root_of_inclusion(leaves[at], number, size, &path) != Some(segment.root) {
            let place = format!("segments/{}", segment.file());
            return Err(JournalError::damaged(place, "its records are not those committed to"));
        }
        let entry = self.view.entries.iter().position(
            |entry| matches!(&entry.event, Event::Seal(sealed) if sealed.number == segment.number),
        );
        let entry = entry.expect("the state was made from the entries");
        Ok(json!({
            "sequence": sequence,
            "parts": parts(&record, &mut salts, at),
            "segment": { "index": number, "size": size, "path": digits(&path) },
            "entry": BASE64_STANDARD.encode(&self.view.bytes[entry]),
            "log": { "index": entry, "path": digits(&tree::inclusion(&self.view.leaves, entry)) },
            "checkpoint": self.view.note,
        }))
    }
}

/// The parts of a record, each with what opens the commitment to it.
fn parts(record: &Record, salts: &mut [Salts; 5], number: usize) -> Value {
    let number = u32::try_from(number).expect("a segment has fewer records");
    let present = Part::ALL.into_iter().filter_map(|part| {
        let content = match part {
            Part::Head => {
                let mut head = Vec::new();
                record.head(&mut head);
                head
            }
            Part::Of(_) => record.fields[part.index() - 1].clone()?,
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
