//! Streams: chunks → records → redaction.
//!
//! [`StreamFilter`] redacts a stream of bytes, [`TextFilter`] a text that is there already, [`run`] a
//! whole program's output.

mod escape;
mod filter;
mod growing;
mod json;
mod line;
mod record;
mod redact;
mod text;

pub mod audit;
pub mod raise;
pub mod run;
pub mod share;

pub use filter::{StreamFilter, Tally};
pub use json::JsonLinesFilter;
pub use redact::Redact;
pub use text::TextFilter;

#[cfg(test)]
mod tests;
