//! Leaks in code: Python in, findings with the way from source to sink out.
//!
//! A file is parsed and [lowered](ir) to a small language. Every function is run in the abstract:
//! values are what flows in them. What a function does with its parameters becomes its summary,
//! which its callers, in whatever file, apply; rounds go on until nothing changes. What names say,
//! and what libraries do, is data: `models/*.toml`. What is wrong about a value that is written out
//! is decided by the [rules].
#![expect(
    clippy::unused_self,
    reason = "what belongs to the walker is called on it, whether it looks at it or not"
)]
#![expect(
    clippy::single_match_else,
    reason = "the arms of what a name or an expression is stand side by side"
)]
#![expect(clippy::format_push_string, reason = "reports are small, and made once")]

mod analyze;
mod base;
mod baseline;
mod cache;
mod configuration;
mod context;
mod files;
mod finding;
mod fix;
pub mod formats;
pub mod ir;
mod judge;
mod label;
mod lexicon;
mod lines;
mod loggers;
mod lower;
mod mask;
mod model;
mod notebook;
mod program;
pub mod rules;
mod scan;
mod slot_map;
mod suppress;
mod value;
pub mod workspace;

pub use base::{BadBase, Base};
pub use baseline::{BadBaseline, Baseline};
pub use cache::{BadCache, Cache};
pub use files::{BadPattern, Problem, Reason, Selection, Source};
pub use finding::{Cell, Finding, Region, Stop};
pub use fix::{Applicability, Edit, Fix, Fixed, accept, apply, suggest};
pub use label::Label;
pub use model::{Channel, Models, model_examples};
pub use notebook::BadNotebook;
pub use scan::{Report, Setup, Watch, scan, scan_mapped, scan_watched};
pub use suppress::{Unused, Why};
pub use tacenda_policy::Confidence;
