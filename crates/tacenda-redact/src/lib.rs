//! Spans and policy in, redacted text out.

mod allowed;
mod block;
mod canonical;
mod country_code;
mod detectors;
mod ff1;
mod fpe;
mod key_ring;
mod keys;
mod redactor;
mod render;
mod report;
mod secret;
mod timestamp;
mod token;
pub mod vault;

pub use allowed::{AllowList, Scope, value_hash};
pub use canonical::Canonical;
pub use detectors::{engine, engine_with, user_rules};
pub use fpe::NumberCipher;
pub use key_ring::{Epoch, KEYS_VARIABLE, KeyError, KeyRing};
pub use keys::{HANDOVER_KEYS_VARIABLE, Keys, Pseudonym, VaultRecipient};
pub use redactor::{AtPath, Carry, Crossed, MARKER, Part, Redactor, quiet_panics};
pub use render::{hex, summary};
pub use report::Report;
pub use token::is_token;
