//! Bytes in, spans out. No I/O, no policy.
//!
//! Detectors are data: `rules/*.toml`, checked by `build.rs`, compiled into static tables. One pass
//! over the text finds them all:
//!
//! 1. `masks` turns each 64 bytes into bitmaps (digits, starts of words, `:` and `=`, rare signs).
//! 2. `pass` visits the bits: a word asks the table of keywords, a run of digits the numeric
//!    matchers, a separator the table of keys, a rare sign its own matcher.
//! 3. `recognise` tries a rule there, anchored: a bounded regular expression or a hand-written
//!    matcher, then its validator, entropy and context.
//!
//! 4. `view` decodes what the pass has seen to be escaped or encoded, and looks there once more.
//!
//! Text without a candidate costs the bitmaps alone and allocates nothing. A new detector is a table
//! in a rule file; a shape that no pattern can bound is a matcher as well, named in `names`.

mod assignment;
mod belonging;
mod boundary;
mod candidates;
mod check_digits;
mod detector;
mod element;
mod engine;
mod identifier;
mod keys;
mod lookup;
mod masks;
mod matchers;
mod names;
mod pair;
mod pass;
mod pattern;
mod people;
mod protected;
mod recognise;
mod review;
mod rule;
mod rule_file;
mod span;
mod user_rules;
mod validators;
mod view;

#[cfg(test)]
mod reference;

pub use belonging::belongs_to;
pub use detector::Detector;
pub use engine::Engine;
pub use protected::{
    Fingerprinter, Followed, Limits, Member, News, ProtectedSpan, ProtectedValues, Share,
    SharedKey, SharedValue, Trail, Usage, Value, ValueId,
};
pub use review::{Remark, Weight};
pub use rule_file::{DetectorRule, FIELDS, FILE_FIELDS, Field, RuleFile, unmark};
pub use span::{DetectorId, Span};
pub use tacenda_policy::Confidence;
pub use toml::Spanned;
pub use user_rules::{RuleFault, RuleSource, UserRules};
pub use view::Joints;
