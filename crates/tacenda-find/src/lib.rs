//! Logs that exist: which files they are, how they are packed, what is in them, and a report of it.
//!
//! 1. [`Selection`] names files and directories and gives [`Log`]s: rotated sets in order.
//! 2. [`search`] reads them in parallel, piece by piece, with an [`Engine`](tacenda_detect::Engine)
//!    and gives each [`Finding`] in the order of the files.
//! 3. The [`Report`] it returns, and [`formats`], say what was found: never a value.
//!
//! Memory does not grow with the size of the files: a worker holds [`BUFFER`] bytes and its decoder,
//! a longer line is read in windows that overlap. It grows with the number of files, and by up to
//! 33 KiB for each detector that found something in a log.

mod distinct;
mod field;
mod finding;
pub mod formats;
mod journal;
mod logs;
mod packing;
mod piece;
mod problem;
mod report;
mod rotation;
mod search;
mod text;
mod time;

pub use distinct::{Distinct, EXACT};
pub use finding::{Filter, Finding, Searcher};
pub use logs::{BadGlob, Log, LogFile, STANDARD_INPUT, Selected, Selection};
pub use packing::{Packer, Packing};
pub use problem::{Problem, Reason};
pub use report::{FileReport, Group, LogReport, Report, advice};
pub use search::{Found, Search, search};
pub use text::{BUFFER, OVERLAP};
pub use time::of_line as time_of_line;
