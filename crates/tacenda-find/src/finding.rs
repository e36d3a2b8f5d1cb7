//! One finding, and what makes findings of a line.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;
use tacenda_detect::{Confidence, Detector, DetectorId, Span};
use tacenda_policy::{Kind, Severity};
use tacenda_redact::{Pseudonym, Redactor, Scope};

use crate::journal;

/// A sensitive value in a log: where it is and what it is, never what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The line, from 1.
    pub line: u64,
    /// The first byte in the line, from 0.
    pub start: u64,
    /// The line where it ends: the same one, unless it is broken over several.
    pub end_line: u64,
    /// One past the last byte in the line where it ends.
    pub end: u64,
    /// The characters before the value in its line, and those up to its end in the line of that.
    pub columns: (u64, u64),
    /// Who found it.
    pub detector: DetectorId,
    /// Equal for equal values, spelling aside, under one key.
    pub pseudonym: Pseudonym,
    /// The time of its record.
    pub time: Option<Timestamp>,
    /// The field of its record.
    pub field: Option<String>,
}

/// Which findings are wanted. The default wants all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of these kinds; of all where there is none.
    pub kinds: Vec<Kind>,
    /// Of the detectors of these names; of all where there is none.
    pub detectors: Vec<String>,
    /// At least so bad.
    pub min_severity: Option<Severity>,
    /// At least so sure.
    pub min_confidence: Option<Confidence>,
}

/// Detectors, policy and keys, ready to search.
#[derive(Debug)]
pub struct Searcher<'a> {
    redactor: &'a Redactor,
    wanted: HashSet<DetectorId>,
    /// Whether the characters before a finding are counted.
    columns: bool,
}

/// A finding within a text: bytes of the text.
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) detector: DetectorId,
    pub(crate) pseudonym: Pseudonym,
}

impl<'a> Searcher<'a> {
    /// Searches with the detectors, the policy and the keys of a redactor for what the filter wants
    /// and the policy does not switch off.
    pub fn new(redactor: &'a Redactor, filter: &Filter) -> Self {
        let (engine, policy) = (redactor.engine(), redactor.policy());
        let disabled = policy.disabled_detectors();
        let is_wanted = |detector: &Detector| {
            let severity = Severity::of(policy.class(detector.kind), detector.kind);
            (filter.kinds.is_empty() || filter.kinds.contains(&detector.kind))
                && (filter.detectors.is_empty()
                    || filter.detectors.iter().any(|name| name == detector.id))
                && filter.min_severity.is_none_or(|least| severity >= least)
                && filter.min_confidence.is_none_or(|least| detector.confidence >= least)
                && !disabled.iter().any(|name| name == detector.id)
        };
        let wanted = engine.detectors().filter(|detector| is_wanted(detector));
        let wanted = wanted.filter_map(|detector| engine.detector_named(detector.id)).collect();
        Self { redactor, wanted, columns: false }
    }

    /// Counts characters too, for reports that name columns.
    #[must_use]
    pub fn with_columns(mut self) -> Self {
        self.columns = true;
        self
    }

    pub(crate) fn counts_columns(&self) -> bool {
        self.columns
    }

    /// What the policy allows in the log at this path.
    pub(crate) fn allowed_in(&self, log: Option<&Path>) -> Scope {
        self.redactor.allowed().scope(log)
    }

    /// The detector of a finding.
    pub fn detector(&self, id: DetectorId) -> &'a Detector {
        self.redactor.engine().detector(id)
    }

    /// How bad a finding of this detector is.
    pub fn severity(&self, id: DetectorId) -> Severity {
        let kind = self.detector(id).kind;
        Severity::of(self.redactor.policy().class(kind), kind)
    }

    /// What is wanted of a line, sorted by its start.
    pub(crate) fn hits(
        &self,
        scope: &Scope,
        line: &[u8],
        spans: &mut Vec<Span>,
        hits: &mut Vec<Hit>,
    ) {
        spans.clear();
        self.redactor.engine().scan(line, spans);
        if spans.is_empty() && !line.starts_with(b"{\"") {
            return;
        }
        let from = hits.len();
        hits.extend(spans.iter().filter_map(|span| self.hit(scope, line, *span)));
        self.in_byte_arrays(scope, line, spans, hits, from);
        if hits.len() > from + 1 {
            hits[from..].sort_by_key(|hit| (hit.start, hit.end));
        }
    }

    /// The journal writes a text with a colour in it as the numbers of its bytes.
    fn in_byte_arrays(
        &self,
        scope: &Scope,
        line: &[u8],
        spans: &mut Vec<Span>,
        hits: &mut Vec<Hit>,
        from: usize,
    ) {
        for bytes in journal::byte_arrays(line) {
            let all = bytes.places[0].start..bytes.places[bytes.places.len() - 1].end;
            // As numbers they mean nothing.
            let mut at = from;
            while at < hits.len() {
                if hits[at].start < all.end && all.start < hits[at].end {
                    hits.remove(at);
                } else {
                    at += 1;
                }
            }
            let mut inside = Vec::new();
            self.hits(scope, &bytes.text, spans, &mut inside);
            hits.extend(inside.into_iter().map(|hit| Hit {
                start: bytes.places[hit.start].start,
                end: bytes.places[hit.end - 1].end,
                ..hit
            }));
        }
    }

    fn hit(&self, scope: &Scope, text: &[u8], span: Span) -> Option<Hit> {
        let kind = || self.detector(span.detector).kind;
        if !self.wanted.contains(&span.detector)
            || !scope.is_empty() && self.redactor.allowed().allows(scope, text, None, &span, kind())
        {
            return None;
        }
        Some(Hit {
            start: span.start,
            end: span.end,
            detector: span.detector,
            pseudonym: self.redactor.pseudonym(span.detector, &text[span.start..span.end]),
        })
    }

    /// A pseudonym in as many digits as redacted text shows.
    pub fn spelled(&self, pseudonym: Pseudonym) -> String {
        pseudonym.hex(self.redactor.policy().hash_digits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tacenda_detect::Engine;
    use tacenda_policy::Policy;
    use tacenda_redact::Keys;

    fn redactor() -> Redactor {
        Redactor::new(Engine::builtin(), Policy::default(), Keys::random())
    }

    fn hits(line: &[u8]) -> Vec<(usize, usize, &'static str)> {
        let redactor = redactor();
        let searcher = Searcher::new(&redactor, &Filter::default());
        let mut hits = Vec::new();
        searcher.hits(&searcher.allowed_in(None), line, &mut Vec::new(), &mut hits);
        hits.iter().map(|hit| (hit.start, hit.end, searcher.detector(hit.detector).id)).collect()
    }

    #[test]
    fn a_colour_hides_nothing() {
        let line = b"from \x1b[32mines\x1b[0m.moreau@example.org\x1b[0m today";
        let start = line.iter().position(|byte| *byte == b'i').unwrap();
        let end = line.len() - b"\x1b[0m today".len();
        assert_eq!(hits(line), [(start, end, "email")]);
        assert_eq!(hits(b"\x1b[32mfrom ines.moreau@example.org\x1b[0m").len(), 1);
    }

    #[test]
    fn a_text_in_numbers_is_read_as_text() {
        let numbers = |text: &[u8]| {
            let numbers: Vec<String> = text.iter().map(u8::to_string).collect();
            numbers.join(",")
        };
        let message = numbers(b"\x1b[1mfrom ines.moreau@example.org\x1b[0m");
        let line = format!("{{\"__CURSOR\":\"s\",\"MESSAGE\":[{message}]}}");
        let found = hits(line.as_bytes());
        assert_eq!(found.len(), 1, "{found:?}");
        let (start, end, id) = found[0];
        assert_eq!(id, "email");
        assert_eq!(&line[start..end], numbers(b"ines.moreau@example.org"));
    }

    #[test]
    fn a_filter_takes_what_it_wants() {
        let redactor = redactor();
        let wanted = |filter: &Filter| Searcher::new(&redactor, filter).wanted.len();
        let all = wanted(&Filter::default());
        assert_eq!(all, Engine::builtin().detectors().count());
        let email = Filter { detectors: vec!["email".into()], ..Filter::default() };
        assert_eq!(wanted(&email), 1);
        let critical = Filter { min_severity: Some(Severity::Critical), ..Filter::default() };
        assert!((1..all).contains(&wanted(&critical)));
        let none = Filter { kinds: vec![Kind::Health], ..email };
        assert_eq!(wanted(&none), 0);
    }
}
