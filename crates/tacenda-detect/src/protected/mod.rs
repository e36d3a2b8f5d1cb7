//! Protected values: what no pattern knows.
//!
//! A prompt, a completion or a request body is registered when it enters the process, and found
//! again in any later text, in any usual spelling, whole or cut. Memory holds keyed fingerprints
//! of it, eight canonical characters each, and not the text; only a completion that is still
//! being generated keeps its text, to follow a log of single tokens.

mod base64;
mod blob;
mod canon;
mod completions;
mod digits;
mod ellipsis;
mod follow;
mod grams;
mod matcher;
mod member;
mod phrases;
mod radix;
mod readings;
mod roll;
mod runs;
mod share;
mod store;

pub use follow::Followed;
pub use matcher::{ProtectedSpan, Trail};
pub use member::Member;
pub use share::{News, Share, SharedKey, SharedValue};
pub use store::{Fingerprinter, Limits, ProtectedValues, Usage, Value, ValueId};

#[cfg(test)]
mod tests;
