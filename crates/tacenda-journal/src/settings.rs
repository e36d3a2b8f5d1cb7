//! What a journal is set to. It stands in the log: who changes it leaves a trace.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tacenda_policy::Class;

use crate::error::JournalError;
use crate::keys::Recipients;

/// When a record counts as written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Durability {
    /// When it is on the disk (fdatasync); records of the same moment share one sync.
    Record,
    /// When the system has it; it is on the disk within the interval. A process that is killed
    /// loses nothing, a machine that fails what came within the interval.
    #[default]
    Interval,
    /// When the system has it; the system says when it is on the disk.
    Os,
}

/// What a segment is sealed at, at the latest.
pub(crate) const LONGEST_SEGMENT: u64 = 1 << 30;
/// What a write-ahead file has beside that at most: its last batch, header and marks.
pub(crate) const BESIDE: u64 = 64 << 20;
/// The longest write-ahead file.
pub(crate) const LONGEST_WAL: u64 = LONGEST_SEGMENT + BESIDE;
/// The longest file of a segment. Salts that were taken away one by one make it longer than it was.
pub(crate) const LONGEST_FILE: u64 = 4 * LONGEST_SEGMENT;

/// When a segment is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Bytes of its write-ahead file.
    pub segment_bytes: u64,
    /// Seconds since its first record.
    pub segment_seconds: u64,
    /// Milliseconds between two syncs, for [`Durability::Interval`].
    pub interval_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { segment_bytes: 64 << 20, segment_seconds: 3600, interval_ms: 200 }
    }
}

/// What they have at most, as JSON: beside them an entry has keys, a name and a time.
const LONGEST: usize = crate::entry::LONGEST - 2048;

/// Seconds that the content of each class is kept. Without a bound, as long as its segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassAges {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    public: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    internal: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    confidential: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    restricted: Option<u64>,
}

impl ClassAges {
    /// That of a class.
    pub fn of(&mut self, class: Class) -> &mut Option<u64> {
        match class {
            Class::Public => &mut self.public,
            Class::Internal => &mut self.internal,
            Class::Confidential => &mut self.confidential,
            Class::Restricted => &mut self.restricted,
        }
    }

    /// The classes whose content is too old after so many seconds.
    pub(crate) fn over(mut self, seconds: i64) -> impl Iterator<Item = Class> {
        let is_over = move |class: &Class| self.of(*class).is_some_and(|max| seconds > bound(max));
        Class::ALL.iter().copied().filter(is_over)
    }

    fn are_none(&self) -> bool {
        *self == Self::default()
    }
}

/// Seconds that an age is compared with: what has no room is longer than any age.
pub(crate) fn bound(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// What is kept. Without a bound, all is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Retention {
    /// Seconds that a segment is kept after its last record.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_seconds: Option<u64>,
    /// Seconds that the content of single classes is kept in a segment after its last record; the
    /// segment itself stays.
    #[serde(skip_serializing_if = "ClassAges::are_none", default)]
    pub classes: ClassAges,
    /// Bytes of all sealed segments together.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub max_bytes: Option<u64>,
    /// Bytes that have to be free on the file system.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub min_free: Option<u64>,
}

/// What a journal is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Who may read which class.
    pub recipients: Recipients,
    /// When a record counts as written.
    pub durability: Durability,
    /// When a segment is full.
    pub limits: Limits,
    /// What is kept.
    pub retention: Retention,
}

impl Settings {
    /// The usual ones, for these recipients.
    pub fn new(recipients: Recipients) -> Self {
        Self {
            recipients,
            durability: Durability::default(),
            limits: Limits::default(),
            retention: Retention::default(),
        }
    }

    /// Whether a journal can be run with them.
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        let bad = |what: &str| Err(JournalError::BadSetting { what: what.to_owned() });
        if self.to_json().to_string().len() > LONGEST {
            return bad("so many recipients have no room in an entry of the log: name fewer");
        }
        match self.limits {
            Limits { segment_bytes: ..4096, .. } => bad("a segment has at least 4096 bytes"),
            Limits { segment_bytes: 0x4000_0001.., .. } => bad("a segment has at most 1 GiB"),
            Limits { segment_seconds: 0, .. } => bad("a segment has at least one second"),
            Limits { interval_ms: 0, .. } => bad("the interval is at least 1 ms"),
            _ => Ok(()),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "durability": self.durability,
            "limits": self.limits,
            "recipients": self.recipients.to_json(),
            "retention": self.retention,
        })
    }

    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        Some(Self {
            recipients: Recipients::from_json(&value["recipients"])?,
            durability: serde_json::from_value(value["durability"].clone()).ok()?,
            limits: serde_json::from_value(value["limits"].clone()).ok()?,
            retention: serde_json::from_value(value["retention"].clone()).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::new_identity;

    #[test]
    fn so_many_recipients_as_have_no_room_are_refused() {
        let recipient = new_identity(0).1;
        let of = |count| {
            let named: Vec<_> = vec![(None, recipient.clone()); count];
            Settings::new(Recipients::new(&named).unwrap())
        };
        assert!(of(200).check().is_ok());
        let error = of(300).check().unwrap_err();
        assert!(error.to_string().contains("so many recipients"), "{error}");
    }
}
