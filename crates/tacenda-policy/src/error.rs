//! What can be wrong with a configuration, with the place and the way out. No message repeats a
//! value: it may be a secret that went into the wrong file.

use std::{fmt, io, path::PathBuf};

use crate::{Kind, Origin, Place, discover::MAX_BYTES};

/// A configuration that cannot be used. The message is one line; [`PolicyError::place`] and
/// [`PolicyError::hint`] complete it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The file cannot be opened or read.
    #[error("cannot read the policy file {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// A directory, pipe, device or socket.
    #[error("the policy file {} is not a regular file", path.display())]
    NotRegular {
        /// The file.
        path: PathBuf,
    },
    /// More than 1 MiB.
    #[error("the policy file {} is larger than {} KiB", path.display(), MAX_BYTES >> 10)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Found by going up from the working directory, but put there by somebody else.
    #[error("the policy file {} belongs to another user", path.display())]
    ForeignOwner {
        /// The file.
        path: PathBuf,
    },
    /// A `pyproject.toml` that was named has no section for the policy.
    #[error("{} has no section `[tool.tacenda]`", path.display())]
    NoSection {
        /// The file.
        path: PathBuf,
    },
    /// The file is not UTF-8, as TOML requires.
    #[error("the policy file is not UTF-8 text")]
    NotUtf8 {
        /// The first wrong byte.
        place: Place,
    },
    /// The file is not TOML.
    #[error("invalid TOML: {reason}")]
    Syntax {
        /// Where the parser stopped.
        place: Place,
        /// What the parser expected, in its own fixed words.
        reason: String,
    },
    /// A key that does not exist.
    #[error("unknown key {}{section}", key.as_ref().map(|key| format!("`{key}` ")).unwrap_or_default())]
    UnknownKey {
        /// The key.
        place: Place,
        /// The key, when it looks like a word.
        key: Option<Box<str>>,
        /// Where it stands: "in `[guard]`" or "at the top level".
        section: Box<str>,
        /// The valid key, with its section, that was most likely meant.
        nearest: Option<Box<str>>,
        /// The keys that are valid there.
        valid: Box<[&'static str]>,
    },
    /// A value of the wrong type, out of bounds, or not among the choices.
    #[error("invalid value of {name}: expected {expected}")]
    WrongValue {
        /// The layer it came from.
        origin: Origin,
        /// "`guard.stdout`", "`TACENDA_STDOUT`".
        name: String,
        /// What a right value looks like.
        expected: String,
        /// The choice that was most likely meant.
        nearest: Option<&'static str>,
    },
    /// An environment without a section that is not built in either.
    #[error("{name} names an environment that does not exist")]
    UnknownEnvironment {
        /// The layer that names it.
        origin: Origin,
        /// "`environment`", "`extends`", "`TACENDA_ENVIRONMENT`".
        name: String,
        /// The environment that was most likely meant.
        nearest: Option<String>,
        /// The environments that exist.
        known: Vec<String>,
    },
    /// An environment that extends itself, directly or through others.
    #[error("the environment `{environment}` extends itself")]
    Cycle {
        /// The `extends` that closes the circle.
        place: Place,
        /// One environment of the circle.
        environment: String,
    },
    /// A file that the policy names, and that cannot be read.
    #[error("cannot read the {what} {}: {reason}", path.display())]
    NamedFile {
        /// The layer that names it.
        origin: Origin,
        /// "rule file", "model file".
        what: &'static str,
        /// Its place in the list that names it, from 0.
        item: usize,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A fault inside a rule or model file.
    #[error("{message}")]
    Rule {
        /// Where.
        place: Place,
        /// What, without a value of the file.
        message: String,
        /// How to put it right.
        hint: Option<String>,
    },
    /// A slot map that cannot be read.
    #[error("cannot read the slot map {}: {reason}", path.display())]
    SlotMapFile {
        /// The layer that names it.
        origin: Origin,
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file that is no slot map.
    #[error("the slot map is not valid: {reason}")]
    SlotMap {
        /// Where.
        place: Place,
        /// What was expected, without a text of the file.
        reason: String,
    },
    /// `keys.command` in a file that was found and not named.
    #[error("`keys.command` stands in a policy file that was found, not named")]
    CommandOfFoundFile {
        /// The file.
        origin: Origin,
    },
    /// The action `token` without a vault.
    #[error("the action `token` for `{kind}` needs a vault")]
    TokenWithoutVault {
        /// The layer that asks for it.
        origin: Origin,
        /// The first kind with the action.
        kind: Kind,
    },
    /// A certificate without its key, or a key without its certificate.
    #[error("`{set}` needs `{missing}`")]
    HalfAnIdentity {
        /// The layer that has the one.
        origin: Origin,
        /// The setting that is there.
        set: &'static str,
        /// The setting that is not.
        missing: &'static str,
    },
    /// A detector that does not exist.
    #[error("unknown detector in `{list}`")]
    UnknownDetector {
        /// The layer that names it.
        origin: Origin,
        /// The list that names it.
        list: &'static str,
        /// The detector that was most likely meant.
        nearest: Option<String>,
    },
}

impl PolicyError {
    /// The position in the file, when the fault is in one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::NotUtf8 { place }
            | Self::Syntax { place, .. }
            | Self::UnknownKey { place, .. }
            | Self::Rule { place, .. }
            | Self::SlotMap { place, .. }
            | Self::Cycle { place, .. } => Some(place),
            Self::WrongValue { origin, .. }
            | Self::UnknownEnvironment { origin, .. }
            | Self::NamedFile { origin, .. }
            | Self::SlotMapFile { origin, .. }
            | Self::CommandOfFoundFile { origin }
            | Self::TokenWithoutVault { origin, .. }
            | Self::HalfAnIdentity { origin, .. }
            | Self::UnknownDetector { origin, .. } => origin.place(),
            Self::Unreadable { .. }
            | Self::NotRegular { .. }
            | Self::TooLarge { .. }
            | Self::ForeignOwner { .. }
            | Self::NoSection { .. } => None,
        }
    }

    /// How to put it right, for people.
    pub fn hint(&self) -> Option<String> {
        let meant = |name: &str| format!("did you mean `{name}`?");
        let list = |names: &[String]| {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            quoted.join(", ")
        };
        match self {
            Self::Unreadable { .. } | Self::Syntax { .. } | Self::NamedFile { .. } => None,
            Self::UnknownDetector { nearest: None, .. } => {
                Some("`tacenda rules` lists them".to_owned())
            }
            Self::Rule { hint, .. } => hint.clone(),
            Self::SlotMapFile { .. } | Self::SlotMap { .. } => {
                Some("`tacenda scan --slot-map FILE` writes one".to_owned())
            }
            Self::NotRegular { .. } => Some("name a file, not a directory or a pipe".to_owned()),
            Self::TooLarge { .. } => Some("is this the right file?".to_owned()),
            Self::ForeignOwner { path } => Some(format!(
                "read it, and if it is yours name it: --config {} or TACENDA_CONFIG",
                path.display()
            )),
            Self::NoSection { .. } => {
                Some("add the section, or put the policy in a file `tacenda.toml`".to_owned())
            }
            Self::NotUtf8 { .. } => Some("save it as UTF-8".to_owned()),
            Self::UnknownKey { nearest: Some(nearest), .. } => Some(meant(nearest)),
            Self::UnknownKey { valid, .. } => {
                let valid: Vec<String> = valid.iter().map(|&key| key.to_owned()).collect();
                Some(format!("valid here: {}", list(&valid)))
            }
            Self::WrongValue { nearest, .. } => nearest.map(meant),
            Self::UnknownEnvironment { nearest: Some(nearest), .. }
            | Self::UnknownDetector { nearest: Some(nearest), .. } => Some(meant(nearest)),
            Self::UnknownEnvironment { known, .. } => Some(format!(
                "there are {}; another needs a section `[environments.NAME]`",
                list(known)
            )),
            Self::CommandOfFoundFile { .. } => Some(
                "a command runs only from a file that is named, by --config or TACENDA_CONFIG, or \
                 from TACENDA_KEYS_COMMAND"
                    .to_owned(),
            ),
            Self::TokenWithoutVault { .. } => Some(
                "set `vault.path`, or choose `hash`, which nobody turns back into the value"
                    .to_owned(),
            ),
            Self::HalfAnIdentity { .. } => {
                Some("set both, for servers that ask for a certificate, or neither".to_owned())
            }
            Self::Cycle { .. } => Some("take one `extends` of the circle out".to_owned()),
        }
    }
}

/// A configuration that is valid but looks unwise or mistaken.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// A kind whose loss is an incident in itself is written as it is.
    RestrictedKept {
        /// The kind.
        kind: Kind,
        /// The layer that says so.
        origin: Origin,
        /// The environment in force.
        environment: String,
    },
    /// An entry of `[[allow]]` that is about nothing that would be redacted.
    AllowedAnyway {
        /// The entry.
        place: Place,
        /// Whether its detectors are turned off; else its kinds are kept.
        off: bool,
    },
    /// A variable whose name is nearly that of a setting. It has no effect.
    UnknownVariable {
        /// Its name.
        name: String,
        /// The variable that was most likely meant.
        nearest: &'static str,
    },
    /// Any user of the machine can change the policy.
    WritableByAnyone {
        /// The file.
        path: PathBuf,
    },
}

impl Warning {
    /// The position in the file, when the cause is in one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::RestrictedKept { origin, .. } => origin.place(),
            Self::AllowedAnyway { place, .. } => Some(place),
            Self::UnknownVariable { .. } | Self::WritableByAnyone { .. } => None,
        }
    }

    /// How to put it right, for people.
    pub fn hint(&self) -> String {
        match self {
            Self::RestrictedKept { kind, .. } => {
                format!("`{kind} = \"mask\"` under `[actions]` protects it")
            }
            Self::AllowedAnyway { .. } => "take the entry out".to_owned(),
            Self::UnknownVariable { nearest, .. } => format!("did you mean `{nearest}`?"),
            Self::WritableByAnyone { path } => format!("chmod o-w {}", path.display()),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RestrictedKept { kind, environment, .. } => {
                write!(f, "values of kind `{kind}` are written as they are in `{environment}`")
            }
            Self::AllowedAnyway { off: true, .. } => {
                f.write_str("this entry of `[[allow]]` is about detectors that are turned off")
            }
            Self::AllowedAnyway { off: false, .. } => {
                f.write_str("this entry of `[[allow]]` is about kinds that are kept anyway")
            }
            Self::UnknownVariable { name, .. } => write!(f, "the variable {name} has no effect"),
            Self::WritableByAnyone { path } => {
                write!(f, "any user can change the policy file {}", path.display())
            }
        }
    }
}
