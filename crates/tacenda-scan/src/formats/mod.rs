//! The formats of a report for programs.

mod code_climate;
mod github;
mod json;
mod junit;
mod sarif;

use std::path::Path;

pub use code_climate::code_climate;
pub use github::github;
pub use json::{json, jsonl};
pub use junit::junit;
pub use sarif::sarif;

/// A path as reports name it: with slashes, and without `./`.
fn shown(path: &Path) -> String {
    let path = path.to_string_lossy().replace('\\', "/");
    path.strip_prefix("./").map_or(path.clone(), str::to_owned)
}
