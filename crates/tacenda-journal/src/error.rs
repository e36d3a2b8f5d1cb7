//! Why the journal cannot do what it was asked for.

use std::io;
use std::path::{Path, PathBuf};

use tacenda_policy::Class;

use crate::disk;
use crate::place::Place;

/// Why the journal cannot do what it was asked for. None of them carries content or a key.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file or directory of the journal cannot be used.
    #[error("cannot use the journal: {source}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A symbolic link, or a second name of a file, where the journal wants a file of its own.
    #[error("the journal refuses a link")]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// Something that the journal has not made lies where it has something of its own.
    #[error("{what} lies where the journal has {of} of its own")]
    Stranger {
        /// Where.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// What the journal has there.
        of: &'static str,
    },
    /// Others may read it, or change the directory that it lies in.
    #[error("others may reach the journal (mode {mode:04o})")]
    Exposed {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error("the journal, or a directory that it lies in, belongs to another user")]
    ForeignOwner {
        /// The file or directory.
        path: PathBuf,
    },
    /// A place that others see, or that somebody empties.
    #[error("the journal would lie in a {place} directory")]
    Unfit {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        place: Place,
    },
    /// There is none.
    #[error("there is no journal here")]
    Missing {
        /// The directory.
        path: PathBuf,
    },
    /// There is one, or something else.
    #[error("the directory is not empty")]
    Exists {
        /// The directory.
        path: PathBuf,
    },
    /// Another process writes to it.
    #[error("another process holds the journal, and does not answer")]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The process that owns the journal could not do what it was asked for.
    #[error("the process that owns the journal says: {what}")]
    Owner {
        /// What it says.
        what: String,
    },
    /// Nobody could read what is written.
    #[error("nobody is named who may read records of class {class}")]
    NoRecipient {
        /// The class.
        class: Class,
    },
    /// Not a recipient of age.
    #[error("{what}")]
    BadRecipient {
        /// What is wrong, in fixed words: who took an identity for one has named a secret.
        what: &'static str,
    },
    /// A recipient that a quantum computer breaks undoes the one that it does not break.
    #[error("class {class} mixes post-quantum recipients with others")]
    MixedRecipients {
        /// The class.
        class: Class,
    },
    /// Not an identity file of age.
    #[error("not an age identity file")]
    BadIdentity {
        /// The file.
        path: PathBuf,
    },
    /// An identity file that is encrypted with a passphrase, and stays so.
    #[error("the identity file is encrypted, and no passphrase was given that opens it")]
    LockedIdentity {
        /// The file.
        path: PathBuf,
    },
    /// The program of a hardware token is not there.
    #[error("the identity is in a hardware token, and its program age-plugin-{name} is not there")]
    NoPlugin {
        /// The name of the program, without what all such begin with.
        name: String,
        /// The file that names it.
        path: PathBuf,
    },
    /// The identities at hand do not open what they should.
    #[error("the identities at hand do not open {} of segment {segment}", columns(part))]
    NoKey {
        /// The part of the records.
        part: &'static str,
        /// The segment.
        segment: u64,
    },
    /// A setting that cannot be.
    #[error("{what}")]
    BadSetting {
        /// What is wrong with it.
        what: String,
    },
    /// A record that is too long for the journal, or no JSON object.
    #[error("the record {what}")]
    BadRecord {
        /// What is wrong with it, in fixed words.
        what: &'static str,
    },
    /// Something in the journal is not what was put in.
    #[error("the journal is damaged: {what}")]
    Damaged {
        /// The file or entry.
        place: String,
        /// What, in fixed words.
        what: &'static str,
    },
    /// A write or sync failed before: what lies on the disk is not known until it is opened anew.
    #[error("the journal has stopped after an error of the disk")]
    Stopped,
    /// What happened to the batch that a record was part of.
    #[error(transparent)]
    Together(std::sync::Arc<Self>),
    /// A witness did not sign.
    #[error("the witness {name} does not sign: {what}")]
    Witness {
        /// Its name.
        name: String,
        /// Why not.
        what: String,
    },
    /// There is no way to a witness.
    #[error("cannot reach {url}: {what}")]
    Unreachable {
        /// Its address.
        url: String,
        /// Why not.
        what: String,
    },
    /// Deletion of what a legal hold keeps.
    #[error("the hold `{name}` keeps it")]
    Held {
        /// The hold.
        name: String,
    },
    /// The system could not seal.
    #[error("cannot seal the segment: {what}")]
    Seal {
        /// What the cipher or the file format said.
        what: String,
    },
}

/// What part of the records is meant.
fn columns(part: &str) -> String {
    if part == "every" { "every column".to_owned() } else { format!("the {part} column") }
}

impl JournalError {
    /// The file that it is about.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Unusable { path, .. }
            | Self::Link { path }
            | Self::Stranger { path, .. }
            | Self::Exposed { path, .. }
            | Self::ForeignOwner { path }
            | Self::Unfit { path, .. }
            | Self::Missing { path }
            | Self::Exists { path }
            | Self::InUse { path }
            | Self::BadIdentity { path }
            | Self::LockedIdentity { path }
            | Self::NoPlugin { path, .. } => Some(path),
            Self::Together(error) => error.path(),
            _ => None,
        }
    }

    /// How to put it right, for people.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Link { .. } => {
                "name the directory itself; its files have one name each: move the other elsewhere"
            }
            Self::Stranger { .. } => {
                "move it elsewhere; then see what lacks: tacenda journal verify DIR"
            }
            Self::Unusable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "chmod 700 its directories and 600 its files"
            }
            Self::Exposed { .. } => {
                "chmod 700 its directories and 600 its files; let nobody else write to those above"
            }
            Self::Unfit { place, .. } => {
                return Some(format!("choose another, or say --allow-place {}", place.name()));
            }
            Self::Missing { .. } => "make one: tacenda journal init DIR --recipient age1…",
            Self::Exists { .. } => "name a new directory",
            Self::InUse { .. } => "wait until it has ended; or find it: fuser DIR/lock",
            Self::NoRecipient { class } => {
                return Some(format!(
                    "--recipient age1… for all classes, or --recipient {class}=age1…"
                ));
            }
            Self::BadRecipient { .. } => {
                "age1… as age-keygen or `tacenda journal identity` print it"
            }
            Self::MixedRecipients { .. } => "name recipients of one sort for a class",
            Self::BadIdentity { .. } => {
                "a file with AGE-SECRET-KEY-1… lines, or AGE-PLUGIN-… of a hardware token"
            }
            Self::LockedIdentity { .. } => {
                "type it on a terminal, or: age --decrypt FILE | tacenda journal … -i /dev/stdin"
            }
            Self::NoPlugin { .. } => "install it where PATH leads",
            Self::NoKey { .. } => "name the identity file of that class: --identity FILE",
            Self::Damaged { place, .. } if place.starts_with("keys/") => {
                "put it back from a copy; without one, begin another journal: what is sealed here is \
                 still read and verified"
            }
            Self::Damaged { .. } => "see what and where: tacenda journal verify DIR",
            Self::Stopped => "make room on the disk, and open the journal again",
            Self::Together(error) => return error.hint(),
            Self::Held { .. } => "release it first: tacenda journal release",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the disk has no room.
    pub(crate) fn is_full(&self) -> bool {
        matches!(self, Self::Unusable { source, .. } if disk::is_full(source))
    }

    /// Damage at a place.
    pub(crate) fn damaged(place: impl Into<String>, what: &'static str) -> Self {
        Self::Damaged { place: place.into(), what }
    }
}
