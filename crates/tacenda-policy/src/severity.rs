//! How bad it is that a value stands where it was found.

use crate::vocabulary::vocabulary;
use crate::{Class, Kind};

vocabulary! {
    /// How bad a finding is, least first. It follows from the class of a value and its kind.
    pub enum Severity {
        /// Anyone may read the value.
        Info = "info",
        /// To be known; nothing has to be done at once.
        Low = "low",
        /// To be removed.
        Medium = "medium",
        /// To be removed now; whoever it is about may have to be told.
        High = "high",
        /// Whoever reads it can act with it: to be revoked now.
        Critical = "critical",
    }
}

impl Severity {
    /// The one table: a step a class, one more for what can be used by whoever reads it, one less
    /// for what names a machine or a number and no person.
    pub const fn of(class: Class, kind: Kind) -> Self {
        let step = match kind {
            Kind::Credential => 1,
            Kind::Network | Kind::Device | Kind::Tensor => -1,
            _ => 0,
        };
        match (class, step) {
            (Class::Public, _) => Self::Info,
            (Class::Internal, 1) | (Class::Confidential, 0) | (Class::Restricted, -1) => {
                Self::Medium
            }
            (Class::Internal, _) | (Class::Confidential, -1) => Self::Low,
            (Class::Confidential, _) | (Class::Restricted, 0) => Self::High,
            (Class::Restricted, _) => Self::Critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severity_grows_with_the_class() {
        for &kind in Kind::ALL {
            let of = |class| Severity::of(class, kind);
            assert!(Class::ALL.is_sorted_by_key(|class| of(*class)), "{kind}");
            assert_eq!(of(Class::Public), Severity::Info);
        }
    }

    #[test]
    fn by_default_a_key_is_worse_than_a_card_than_an_address() {
        let of = |kind: Kind| Severity::of(kind.default_class(), kind);
        assert_eq!(of(Kind::Credential), Severity::Critical);
        assert_eq!(of(Kind::Financial), Severity::High);
        assert_eq!(of(Kind::Personal), Severity::Medium);
        assert_eq!(of(Kind::Network), Severity::Low);
    }
}
