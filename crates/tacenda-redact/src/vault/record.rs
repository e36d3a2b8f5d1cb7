//! The record of what was done with the vault: each entry is bound to the one before it.

use hmac::Mac as _;
use serde::{Deserialize, Serialize};

use super::VaultError;
use crate::secret::Secret;

/// One entry. It never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// When (RFC 3339).
    pub time: String,
    /// What was done: `reveal`, `forget` or `rotate`.
    pub event: String,
    /// The token that it was about, if any.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub token: Option<String>,
    /// Who did it.
    pub who: String,
    /// Why, in their words.
    pub reason: String,
    /// What came of it: `done`, or `unknown` for a token without a value.
    pub outcome: String,
}

/// The key of the record, and the tag of its last entry.
#[derive(Clone, Debug)]
pub struct Chain {
    key: Secret,
    tag: [u8; 32],
}

impl Chain {
    /// The start of a record.
    pub(super) fn new(key: Secret) -> Self {
        Self { key, tag: [0; 32] }
    }

    /// An entry as it is stored: its tag, which covers the tag before it, then the entry as JSON.
    pub(super) fn append(&mut self, event: &Event) -> Vec<u8> {
        let json = serde_json::to_vec(event).expect("an event is texts and a number");
        self.tag = self.next(&json);
        [self.tag.as_slice(), &json].concat()
    }

    /// Reads an entry, and refuses one that was changed, moved or follows a gap.
    pub(super) fn read(&mut self, seq: u64, stored: &[u8]) -> Result<Event, VaultError> {
        let damaged = VaultError::Damaged { what: "an entry of its record was changed" };
        let Some((tag, json)) = stored.split_first_chunk::<32>() else { return Err(damaged) };
        let expected = self.next(json);
        match serde_json::from_slice::<Event>(json) {
            Ok(event) if event.seq == seq && *tag == expected => {
                self.tag = expected;
                Ok(event)
            }
            _ => Err(damaged),
        }
    }

    fn next(&self, json: &[u8]) -> [u8; 32] {
        self.key.mac().chain_update(self.tag).chain_update(json).finalize().into_bytes().into()
    }

    /// What stands for the whole record: to be noted elsewhere, where nobody of the vault can
    /// change it.
    pub fn head(&self) -> String {
        crate::render::hex(&self.tag[..16])
    }
}
