//! The vocabulary of Tacenda: kinds, classes, actions, environments, and the policy file.
//!
//! A value has a [`Kind`]; a kind has a [`Class`]; the policy maps both to an [`Action`].
//! [`Policy::default`] is the policy without any configuration; [`Loader`] gathers the file, the
//! variables and the flags; [`Policy::handover`] passes the result on to child processes.

mod action;
mod allow;
mod command;
mod confidence;
mod discover;
mod environment;
mod error;
mod file;
mod handover;
mod kind;
mod levels;
mod load;
mod named_files;
mod nearest;
mod place;
mod policy;
pub mod sarif;
mod schema;
mod setting;
mod severity;
mod sink;
mod slot_map;
mod value;
mod vocabulary;

pub use action::Action;
pub use allow::{Allow, FIELDS as ALLOW_FIELDS, ValueHash};
pub use confidence::Confidence;
pub use environment::{BUILT_IN, BuiltIn};
pub use error::{PolicyError, Warning};
pub use handover::{HANDOVER_VARIABLE, UnreadableHandover};
pub use kind::{Class, Kind, UnknownKind};
pub use levels::{Level, QueryStrings, covers};
pub use load::{CONFIG_VARIABLE, Loaded, Loader};
pub use named_files::NamedFile;
pub use nearest::{is_word, nearest};
pub use place::{Origin, Place, Positions};
pub use policy::Policy;
pub use schema::json_schema;
pub use setting::Setting;
pub use severity::Severity;
pub use sink::{Facility, Host, SinkTarget, SyslogFormat, SyslogServer, SyslogTransport};
pub use slot_map::{
    ANY_FIELD, MappedCall, MappedFile, Piece, SLOT_MAP_VERSION, Slot, SlotLabel, SlotMap, Through,
    slot_map_schema,
};
pub use value::{Luhn, Stdout, Tmpdir, Umask, time};
