//! A rule's regular expression, compiled, and how each of its matches begins.

use std::ops::Range;

use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::rule_file::parse_pattern;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// So many bytes at the start of every match are marks. Most words that begin like a keyword
    /// end before that, and the expression is not asked.
    marks: usize,
}

/// What a pattern matched, and the part of it that is the value.
pub(crate) struct Match {
    pub(crate) whole: Range<usize>,
    pub(crate) value: Range<usize>,
}

impl Pattern {
    /// Patterns are bytes, ASCII classes; `build.rs` has parsed every one of Tacenda's own.
    pub(crate) fn new(source: &str) -> Option<Self> {
        let hir = parse_pattern(source).ok()?;
        let regex = Regex::builder()
            .configure(Regex::config().utf8_empty(false).nfa_size_limit(Some(4 << 20)))
            .build_from_hir(&hir)
            .ok()?;
        Some(Self { regex, marks: Beginning::of(&hir).marks })
    }

    /// The match at the start of `range`, with this group as its value.
    pub(crate) fn at(&self, text: &[u8], range: Range<usize>, group: usize) -> Option<Match> {
        let head = text.get(range.start..range.start + self.marks)?;
        if !head.iter().all(|byte| is_mark(*byte)) {
            return None;
        }
        let input = Input::new(text).range(range).anchored(Anchored::Yes);
        if group == 0 {
            let whole = self.regex.search(&input)?.range();
            return Some(Match { value: whole.clone(), whole });
        }
        // Most places have no match, and none needs room for its groups.
        self.regex.search_half(&input)?;
        let mut captures = self.regex.create_captures();
        self.regex.search_captures(&input, &mut captures);
        let value = captures.get_group(group)?.range();
        Some(Match { whole: captures.get_match()?.range(), value })
    }
}

/// What tokens are made of.
fn is_mark(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// How the matches of an expression begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Beginning {
    /// So many marks at least.
    marks: usize,
    /// And there is nothing else in them.
    is_all: bool,
}

impl Beginning {
    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self { marks: 0, is_all: true },
            HirKind::Literal(literal) => {
                let marks = literal.0.iter().take_while(|byte| is_mark(**byte)).count();
                Self { marks, is_all: marks == literal.0.len() }
            }
            HirKind::Class(class) => {
                let is_all = match class {
                    Class::Bytes(class) => {
                        class.iter().all(|range| (range.start()..=range.end()).all(is_mark))
                    }
                    Class::Unicode(_) => false,
                };
                Self { marks: usize::from(is_all), is_all }
            }
            HirKind::Repetition(repetition) => {
                let one = Self::of(&repetition.sub);
                let least = usize::try_from(repetition.min).unwrap_or(0);
                let marks = if one.is_all { one.marks * least } else { one.marks * least.min(1) };
                Self { marks, ..one }
            }
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Concat(parts) => {
                let mut all = Self { marks: 0, is_all: true };
                for part in parts.iter().map(Self::of) {
                    if all.is_all {
                        all = Self { marks: all.marks + part.marks, is_all: part.is_all };
                    }
                }
                all
            }
            HirKind::Alternation(parts) => {
                let parts = parts.iter().map(Self::of);
                parts
                    .reduce(|a, b| Self {
                        marks: a.marks.min(b.marks),
                        is_all: a.is_all && b.is_all,
                    })
                    .unwrap_or(Self { marks: 0, is_all: false })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{RULES, Recognise};

    #[test]
    fn marks_that_every_match_begins_with() {
        for (source, marks) in [
            (r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}", 17),
            ("(?i:bc1|ltc1)[02-9ac-hj-np-z]{25,103}", 28),
            ("hf_[a-z]{34}", 37),
            ("(?:ab+)+c", 3),
            ("a.b", 1),
            ("[^a]bc", 0),
            ("(?:a:)*bc", 0),
            ("(ab:|abc)d", 2),
            (r"\bab", 2),
            ("", 0),
        ] {
            assert_eq!(Pattern::new(source).unwrap().marks, marks, "{source}");
        }
    }

    #[test]
    fn every_pattern_compiles() {
        for rule in RULES {
            if let Recognise::Pattern { source, .. } = rule.recognise {
                assert!(Pattern::new(source).is_some(), "{}", rule.id);
            }
        }
    }
}
