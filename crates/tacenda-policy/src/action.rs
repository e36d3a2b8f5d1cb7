//! What happens to a value of a kind.

use crate::{Class, Kind, vocabulary::vocabulary};

vocabulary! {
    /// What happens to a sensitive value before it is written.
    pub enum Action {
        /// Written as it is.
        Keep = "keep",
        /// Replaced by its name: `[email]`.
        Mask = "mask",
        /// The part that identifies nobody stays: `[payment-card …1111]`, `[email …@example.com]`.
        Partial = "partial",
        /// Replaced by its name and a pseudonym, a keyed hash that is equal for equal values in any
        /// spelling: `[email #a1b2c3d4e5f6]`.
        Hash = "hash",
        /// Replaced by a token, equal for equal values, that only the vault turns back into the
        /// value: `tok_email_0123456789abcdef`. It needs keys and `vault.path`.
        Token = "token",
        /// Digits replaced by others of the same number, by format-preserving encryption (NIST
        /// SP 800-38G, FF1): `4111 1177 4059 1111`. Values that are no card- or phone-like numbers
        /// are masked.
        Fpe = "fpe",
        /// Replaced by its name, size and keyed fingerprint: `[prompt 532 chars, 131 tokens, #a1b2c3]`.
        Summarize = "summarize",
        /// Removed without a trace.
        Drop = "drop",
    }
}

impl Action {
    /// The action that holds for a kind of this class when no policy file says otherwise: the most
    /// useful one that gives nothing away.
    pub const fn default_for(kind: Kind, class: Class) -> Self {
        match (class, kind) {
            (Class::Public | Class::Internal, _) => Self::Keep,
            (_, Kind::Credential | Kind::Health) => Self::Mask,
            (_, Kind::Personal | Kind::Location | Kind::Device) => Self::Hash,
            (_, Kind::Financial | Kind::Network) => Self::Partial,
            _ => Self::Summarize,
        }
    }
}
