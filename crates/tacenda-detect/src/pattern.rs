//! A rule's regular expression, compiled, and how each of its matches begins.

use std::ops::Range;

use regex_automata::meta::Regex;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Class, Hir, HirKind};

use crate::rule_file::parse_pattern;

/// Groups that a match has room for without asking for memory.
const GROUPS: usize = 4;

/// A compiled pattern.
#[derive(Debug)]
pub(crate) struct Pattern {
    regex: Regex,
    /// So many bytes at the start of every match are marks. Most words that begin like a keyword
    /// end before that, and the expression is not asked.
    marks: usize,
    /// What its first bytes may be.
    front: Front,
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
        Some(Self { regex, marks: Beginning::of(&hir).marks, front: Front::of(&hir) })
    }

    /// The match at the start of `range`, with this group as its value.
    pub(crate) fn at(&self, text: &[u8], range: Range<usize>, group: usize) -> Option<Match> {
        let head = text.get(range.start..range.start + self.marks)?;
        if !head.iter().all(|byte| is_mark(*byte)) || !self.front.may_begin(&text[range.clone()]) {
            return None;
        }
        let input = Input::new(text).range(range).anchored(Anchored::Yes);
        if group == 0 {
            let whole = self.regex.search(&input)?.range();
            return Some(Match { value: whole.clone(), whole });
        }
        // Most places have no match, and none needs room for its groups.
        self.regex.search_half(&input)?;
        let (mut room, mut more);
        let slots = if group < GROUPS {
            room = [None; 2 * GROUPS];
            &mut room[..2 * (group + 1)]
        } else {
            more = vec![None; 2 * (group + 1)];
            &mut more[..]
        };
        self.regex.search_slots(&input, slots)?;
        let of = |group: usize| Some(slots[2 * group]?.get()..slots[2 * group + 1]?.get());
        Some(Match { whole: of(0)?, value: of(group)? })
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

/// Which bytes may stand at each of the first places of a match.
#[derive(Debug)]
struct Front {
    /// For each byte the places where it may stand, one bit each.
    places: Box<[u16; 256]>,
    /// How many places are told.
    length: u32,
}

impl Front {
    const LONGEST: u32 = u16::BITS;

    fn of(hir: &Hir) -> Self {
        let mut front = Self { places: Box::new([0; 256]), length: 0 };
        let ends = front.read(hir, 1);
        // Behind a match anything may stand.
        front.length = ends.trailing_zeros().min(Self::LONGEST);
        front
    }

    /// Notes what may stand where for an expression that begins at one of `starts`, one bit each;
    /// gives back where it may end.
    fn read(&mut self, hir: &Hir, starts: u16) -> u16 {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => starts,
            HirKind::Literal(literal) => literal.0.iter().fold(starts, |starts, byte| {
                self.places[usize::from(*byte)] |= starts;
                starts << 1
            }),
            HirKind::Class(Class::Bytes(class)) => {
                for byte in class.iter().flat_map(|range| range.start()..=range.end()) {
                    self.places[usize::from(byte)] |= starts;
                }
                starts << 1
            }
            // Up to four bytes, of which nothing is said.
            HirKind::Class(Class::Unicode(_)) => {
                let places = starts | starts << 1 | starts << 2 | starts << 3;
                self.places.iter_mut().for_each(|all| *all |= places);
                places << 1
            }
            HirKind::Repetition(repetition) => {
                let mut ends = if repetition.min == 0 { starts } else { 0 };
                let mut reached = starts;
                // Each time takes a byte at least, or changes nothing.
                let least = repetition.min.min(Self::LONGEST);
                for time in 1..=Self::LONGEST {
                    if reached == 0 || repetition.max.is_some_and(|most| time > most) {
                        break;
                    }
                    reached = self.read(&repetition.sub, reached);
                    if time >= least {
                        ends |= reached;
                    }
                }
                ends
            }
            HirKind::Capture(capture) => self.read(&capture.sub, starts),
            HirKind::Concat(parts) => parts
                .iter()
                .fold(starts, |starts, part| if starts == 0 { 0 } else { self.read(part, starts) }),
            HirKind::Alternation(parts) => {
                parts.iter().fold(0, |ends, part| ends | self.read(part, starts))
            }
        }
    }

    /// Whether a match may begin where `text` does.
    #[inline]
    fn may_begin(&self, text: &[u8]) -> bool {
        (0..self.length)
            .zip(text)
            .all(|(place, byte)| self.places[usize::from(*byte)] >> place & 1 == 1)
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
    fn what_the_first_bytes_of_a_match_may_be() {
        for (source, length, yes, no) in [
            (r#"id\\?["'] ?: ?\d+, "#, 7, "id\": 31, ", "id\": \"chat"),
            (r#"id\\?["'] ?: ?\d+, "#, 7, "id\\' : 31, ", "id 31, n"),
            ("(?:a|bc)d[0-9]{2,4}x", 5, "bcd12x", "ad12\""),
            ("(?:a|bc)d[0-9]{2,4}x", 5, "ad123x", "cd123x"),
            ("(?:a?){20}b", 1, "aab", "c"),
            ("[a-c]{20}x", 16, "abcabcabcabcabcabcabx", "abcabcx"),
            ("a*b", 1, "aaab", "c"),
            ("(?i:key)", 3, "kEy", "kex"),
            ("", 0, "", ""),
        ] {
            let front = Pattern::new(source).unwrap().front;
            assert_eq!(front.length, length, "{source}");
            assert!(front.may_begin(yes.as_bytes()), "{source} {yes}");
            assert!(no.is_empty() || !front.may_begin(no.as_bytes()), "{source} {no}");
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
