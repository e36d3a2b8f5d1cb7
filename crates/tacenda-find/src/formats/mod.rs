//! Reports for programs, and the page for people.

mod html;
mod json;
mod jsonl;
mod sarif;

pub use html::html;
pub use json::json;
pub use jsonl::jsonl;
pub use sarif::Sarif;
