//! `tacenda journal`, and `tacenda run` with a journal as its sink.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod append;
#[path = "../command/mod.rs"]
mod command;
mod import;
mod keep;
mod place;
mod read;
mod sink;
