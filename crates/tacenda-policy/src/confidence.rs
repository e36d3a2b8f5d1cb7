//! How sure it is that something is what it was found to be.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// How sure a finding is, least first. Of overlapping spans the most confident gives the label.
    pub enum Confidence {
        /// A hint: the shape of a value alone, or code that is worth a look in a review.
        Low = "low",
        /// The shape or the name, and its context.
        Medium = "medium",
        /// A checksum or an issuer's prefix; a name or a flow that leaves little doubt.
        High = "high",
    }
}
