//! One detector, as its rule file declares it.

use tacenda_policy::{Confidence, Kind};

/// One detector.
#[derive(Debug)]
pub struct Detector {
    /// Its stable name, also the label in redacted text: `email`, `github-token`.
    pub id: &'static str,
    /// What it finds.
    pub kind: Kind,
    /// How sure it is.
    pub confidence: Confidence,
}
