//! The engine: one pass over the input, every detector.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use crate::candidates::{self, KeyEndings};
use crate::identifier::Identifiers;
use crate::keys::Keys;
use crate::lookup::Lookup;
use crate::names::Matcher;
use crate::pass::Pass;
use crate::recognise::Patterns;
use crate::rule::{RULES, Recognise, Rule};
use crate::{Detector, DetectorId, Span, UserRules, pair, view};

/// A table that is made when it is first looked into, or by [`Engine::prepare`].
type Late<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// The detectors, ready to scan.
#[derive(Debug)]
pub struct Engine {
    /// The rule of each detector.
    pub(crate) rules: &'static [Rule],
    detectors: Vec<Detector>,
    /// Keywords by their first bytes.
    pub(crate) keywords: Lookup,
    pub(crate) keys: Late<Keys>,
    pub(crate) key_endings: KeyEndings,
    /// The rule of each matcher that is found by its shape.
    shapes: [Option<u16>; Matcher::ALL.len()],
    pub(crate) patterns: Patterns,
    /// Whether every place is looked at, whatever the bitmaps say.
    #[cfg(test)]
    pub(crate) exhaustive: bool,
    pub(crate) identifiers: Late<Identifiers>,
}

type Rules = std::vec::IntoIter<(u16, &'static Rule)>;

/// A table of these rules, made later.
fn late<T: 'static>(rules: &[(u16, &'static Rule)], make: fn(Rules) -> T) -> Late<T> {
    let rules = rules.to_vec();
    LazyLock::new(Box::new(move || make(rules.into_iter())))
}

impl Engine {
    /// The detectors that come with Tacenda. Built once per process; regexes compile on first use.
    pub fn builtin() -> &'static Self {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        ENGINE.get_or_init(|| Self::with_disabled(|_| false))
    }

    /// Makes the large tables now. The first scan does so otherwise, which takes some milliseconds.
    pub fn prepare(&self) {
        LazyLock::force(&self.keys);
        LazyLock::force(&self.identifiers);
    }

    /// The built-in detectors without those that `disabled` names. Ids of detectors stay the same
    /// as in [`Engine::builtin`].
    pub fn with_disabled(disabled: impl Fn(&Detector) -> bool) -> Self {
        Self::of(RULES, disabled)
    }

    /// The built-in detectors and then the user's, without those that `disabled` names. The user's
    /// rules stay in memory for as long as the process lives.
    pub fn with_rules(user: &UserRules, disabled: impl Fn(&Detector) -> bool) -> Self {
        Self::of(user.with_builtin(), disabled)
    }

    /// The user's detectors alone: what a rule finds by itself.
    pub fn with_rules_only(user: &UserRules) -> Self {
        Self::of(user.alone(), |_| false)
    }

    /// The detectors of `rules` without those that `disabled` names.
    pub(crate) fn of(rules: &'static [Rule], disabled: impl Fn(&Detector) -> bool) -> Self {
        let detectors: Vec<Detector> = rules
            .iter()
            .map(|rule| Detector { id: rule.id, kind: rule.kind, confidence: rule.confidence })
            .collect();
        let enabled: Vec<(u16, &'static Rule)> = (0_u16..)
            .zip(rules)
            .filter(|(index, _)| !disabled(&detectors[usize::from(*index)]))
            .collect();
        let keywords = enabled.iter().flat_map(|&(index, rule)| {
            rule.keywords.iter().map(move |&word| (word, index, rule.ignore_case))
        });
        let mut shapes = [None; Matcher::ALL.len()];
        for &(index, rule) in &enabled {
            if let Recognise::Matcher(matcher) = rule.recognise {
                shapes[matcher as usize] = Some(index);
            }
        }
        Self {
            keywords: Lookup::new(keywords),
            keys: late(&enabled, Keys::new),
            key_endings: KeyEndings::new(
                enabled.iter().flat_map(|(_, rule)| rule.keys).copied().chain(pair::KEYS),
            ),
            shapes,
            patterns: Patterns::new(rules.len()),
            identifiers: late(&enabled, Identifiers::new),
            detectors,
            rules,
            #[cfg(test)]
            exhaustive: false,
        }
    }

    /// The built-in detectors, tried at every place where one of them might begin.
    #[cfg(test)]
    pub(crate) fn exhaustive() -> Self {
        Self { exhaustive: true, ..Self::with_disabled(|_| false) }
    }

    /// Appends every span of `text` to `spans`, sorted by start. Spans may overlap: who redacts
    /// takes the union. A span inside another of at least its confidence is left out. Linear in the
    /// length of `text`; allocates nothing when there is no candidate.
    pub fn scan(&self, text: &[u8], spans: &mut Vec<Span>) {
        self.scan_range(text, 0..text.len(), spans);
    }

    /// [`Engine::scan`] of `range` of a text, as if it stood alone: spans are counted from the start of
    /// the range. Faster for short ranges, because what stands around them need not be copied away.
    pub fn scan_range(&self, around: &[u8], range: Range<usize>, spans: &mut Vec<Span>) {
        let from = spans.len();
        let text = &around[range.clone()];
        let alone = !candidates::stand_apart(around, &range);
        let (around, range) = if alone { (text, 0..text.len()) } else { (around, range) };
        let mut pass = Pass::within(self, around, range, spans);
        pass.run();
        // Where it is: of most texts nothing is noted, and to move it takes longer than to make it.
        if !pass.notes.is_empty() {
            let notes = pass.notes;
            view::scan(self, text, &notes, spans);
        }
        if spans.len() > from + 1 {
            let kept = self.settle(&mut spans[from..]);
            spans.truncate(from + kept);
        }
    }

    /// The detector behind a span.
    pub fn detector(&self, id: DetectorId) -> &Detector {
        &self.detectors[usize::from(id.0)]
    }

    /// The detector of this name.
    pub fn detector_named(&self, id: &str) -> Option<DetectorId> {
        let index = self.detectors.iter().position(|detector| detector.id == id)?;
        u16::try_from(index).ok().map(DetectorId)
    }

    /// Every detector, in the order of the reference.
    pub fn detectors(&self) -> impl Iterator<Item = &Detector> {
        self.detectors.iter()
    }

    /// The detector whose matcher is found by its shape, if it is enabled.
    pub(crate) fn shape(&self, matcher: Matcher) -> Option<DetectorId> {
        self.shapes[matcher as usize].map(DetectorId)
    }

    /// Sorts the spans and moves those to keep to the front; says how many.
    fn settle(&self, spans: &mut [Span]) -> usize {
        spans.sort_by_key(|span| {
            let confidence = self.detector(span.detector).confidence;
            (span.start, std::cmp::Reverse(span.end), std::cmp::Reverse(confidence), span.detector)
        });
        let mut kept = 0;
        for i in 0..spans.len() {
            let span = spans[i];
            let confidence = self.detector(span.detector).confidence;
            // Containers come first and spans are short: a few steps back reach them all.
            let inside = spans[..kept].iter().rev().take(8).any(|outer| {
                outer.end >= span.end && self.detector(outer.detector).confidence >= confidence
            });
            if !inside {
                spans[kept] = span;
                kept += 1;
            }
        }
        kept
    }
}
