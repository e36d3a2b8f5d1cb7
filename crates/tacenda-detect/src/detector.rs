//! One detector, as its rule file declares it.

use tacenda_policy::Kind;

/// How sure a detector is, least first. Of overlapping spans the most confident gives the label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// The shape alone.
    Low,
    /// The shape and its context.
    Medium,
    /// A checksum or an issuer's prefix.
    High,
}

impl Confidence {
    /// Every one, least first.
    pub const ALL: &[Self] = &[Self::Low, Self::Medium, Self::High];

    /// The one of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.name() == name)
    }

    /// Its name in rule files and in the reference.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

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
