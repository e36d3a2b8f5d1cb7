//! The static form of a rule, as `build.rs` writes it from `rules/*.toml`.

use tacenda_policy::Kind;

use crate::Confidence;
use crate::names::{Matcher, Validator};

/// How a rule recognises its value once a candidate position is known.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Recognise {
    /// A regular expression (bytes, not Unicode), anchored at the candidate.
    Pattern {
        /// Its source.
        source: &'static str,
        /// The capture group that is the value.
        group: usize,
    },
    /// A hand-written matcher.
    Matcher(Matcher),
    /// Written forms of a number and its check digits.
    Forms(&'static Forms),
}

/// How a number is written, by how much it takes to believe it; see `identifier`.
#[derive(Debug)]
pub(crate) struct Forms {
    pub(crate) anywhere: &'static [&'static str],
    pub(crate) alone: &'static [&'static str],
    pub(crate) near: &'static [&'static str],
    pub(crate) words: &'static [&'static str],
    /// Whether small letters will do anywhere.
    pub(crate) any_case: bool,
    /// Takes the letters and digits of the value, letters as capitals.
    pub(crate) check: Option<fn(&[u8]) -> bool>,
}

impl Forms {
    /// Every form.
    pub(crate) fn all(&self) -> impl Iterator<Item = &'static str> {
        self.anywhere.iter().chain(self.alone).chain(self.near).copied()
    }
}

/// One rule.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rule {
    pub(crate) id: &'static str,
    pub(crate) kind: Kind,
    pub(crate) confidence: Confidence,
    pub(crate) recognise: Recognise,
    /// Literals with which the match begins, at the start of a token.
    pub(crate) keywords: &'static [&'static str],
    /// Whether keywords match in any case.
    pub(crate) ignore_case: bool,
    /// Endings of normalised keys (lower case, letters and digits only) whose value is looked at;
    /// after `^` the whole key.
    pub(crate) keys: &'static [&'static str],
    /// Endings of normalised keys (after `^` whole keys) that are never meant, although an entry of
    /// `keys` fits.
    pub(crate) not_keys: &'static [&'static str],
    /// Words of which one must stand shortly before the match; empty when none is needed.
    pub(crate) context: &'static [&'static str],
    pub(crate) validator: Option<Validator>,
    /// Least Shannon entropy of the value, bits a byte; 0 when any will do.
    pub(crate) min_entropy: f32,
    /// Most bytes a match may have.
    pub(crate) max_len: usize,
}

#[allow(clippy::unreadable_literal, reason = "written by a program, not read by people")]
mod table {
    use super::{Forms, Matcher, Recognise, Rule, Validator};
    use crate::{Confidence, check_digits};
    use tacenda_policy::Kind;

    include!(concat!(env!("OUT_DIR"), "/rules.rs"));
}

pub(crate) use table::RULES;
