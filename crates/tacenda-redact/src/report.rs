//! What was redacted, in numbers only.

use std::collections::BTreeMap;

use tacenda_detect::DetectorId;
use tacenda_policy::Kind;

/// Counts. Never a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Values redacted, by the detector that found them.
    pub redacted: BTreeMap<DetectorId, u64>,
    /// Protected values redacted, by kind.
    pub protected: BTreeMap<Kind, u64>,
    /// Values that the policy allows, written as they are.
    pub allowed: u64,
    /// Records that an internal error replaced by [`MARKER`](crate::MARKER).
    pub withheld: u64,
}
