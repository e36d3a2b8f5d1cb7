//! The vault: where the values behind tokens are kept, sealed.
//!
//! Who redacts seals values to the vault's public key and appends them to a file of its own in the
//! [spool](Spool): no lock to wait for, and no key with which anything could be read back. The
//! command `tacenda vault` merges the spool into the [store](Vault), where each value lies sealed
//! under a key of its subject, and each of these keys is wrapped by the vault's.

mod directory;
mod record;
mod seal;
mod spool;
mod store;

use std::io;
use std::path::{Path, PathBuf};

use tacenda_policy::{Action, Kind, Policy};

pub use record::{Chain, Event};
pub(crate) use seal::recipient;
pub use spool::Spool;
pub use store::{Forgotten, Merged, Stat, Vault};

use crate::Keys;

/// Why the vault cannot do what it was asked for. None of them carries a value or a key.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The policy names no keys.
    #[error("the vault needs keys, and the policy names none")]
    NoKeys,
    /// A file or directory of the vault cannot be used.
    #[error("cannot use the vault: {source}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A link where the vault wants a file or directory of its own.
    #[error("the vault refuses a symbolic link")]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// Others may read it.
    #[error("others may read the vault (mode {mode:04o})")]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error("the vault belongs to another user")]
    ForeignOwner {
        /// The file.
        path: PathBuf,
    },
    /// The key file is not that of the vault.
    #[error("these keys do not open the vault")]
    WrongKeys,
    /// The key file lacks an epoch.
    #[error("the key file has no epoch {id}, under which the vault was sealed")]
    NoEpoch {
        /// Its number.
        id: u32,
    },
    /// Something in the vault is not what was put in.
    #[error("the vault is damaged: {what}")]
    Damaged {
        /// What, in fixed words.
        what: &'static str,
    },
    /// The vault has no such token, or its value was forgotten.
    #[error("the vault holds no value for this token")]
    Unknown,
    /// The store's own error.
    #[error("the store of the vault: {0}")]
    Store(Box<redb::Error>),
}

impl VaultError {
    /// The file that it is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unusable { path, .. }
            | Self::Link { path }
            | Self::Exposed { path, .. }
            | Self::ForeignOwner { path } => Some(path),
            _ => None,
        }
    }

    /// How to put it right, for people.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoKeys => Some("tacenda keys init FILE, then `keys.file` in tacenda.toml"),
            Self::Link { .. } => Some("name the directory itself"),
            Self::Exposed { .. } => Some("chmod 700 its directories and 600 its files"),
            Self::WrongKeys => {
                Some("name the key file, and the environment, that it was made with")
            }
            Self::NoEpoch { .. } => Some("bring the epoch back from a copy of the key file"),
            Self::Unknown => Some("it was forgotten, never put in, or made with other keys"),
            _ => None,
        }
    }
}

/// The spool for what a policy turns into tokens; none when it makes none.
///
/// # Errors
/// When a kind has the action `token` and there are no keys, or the directory cannot be written.
pub fn spool(policy: &Policy, keys: &Keys) -> Result<Option<Spool>, VaultError> {
    let wanted = Kind::ALL.iter().any(|kind| policy.action(*kind) == Action::Token);
    let Some(path) = policy.vault_path().filter(|_| wanted) else { return Ok(None) };
    Spool::open(path, keys).map(Some)
}
