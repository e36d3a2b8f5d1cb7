//! A second look at the user's own rules: do they find what their author says, at what price, and
//! what do they find besides.

mod sample;

use std::ops::Range;

use regex_syntax::hir::{Class, ClassBytesRange, Hir, HirKind};
use tacenda_policy::Place;
use toml::Spanned;

use crate::rule::{Recognise, Rule};
use crate::rule_file::{DetectorRule, parse_pattern, unmark};
use crate::user_rules::compile;
use crate::{Engine, RuleSource, Span, UserRules};

/// How much a remark weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// The rule works, and costs or finds more than it need.
    Warning,
    /// The rule does not do what its file says.
    Failure,
}

/// What a second look at a rule showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Where, in the rule file.
    pub place: Place,
    /// The id of the rule.
    pub rule: String,
    /// How much it weighs.
    pub weight: Weight,
    /// What, in one line, without a value of the file.
    pub message: String,
    /// How to put it right.
    pub hint: Option<String>,
}

/// More places than this where a rule is tried, in a hundred lines of clean text, are dear.
const DEAR: usize = 1;
/// A pattern that runs over so many bytes of anything is dear where it is tried.
const LONG_RUN: u32 = 256;

impl UserRules {
    /// Tries every rule on its examples and counter-examples, and on a sample of clean log text; in
    /// the order of the files.
    pub fn review(&self) -> Vec<Remark> {
        let rules = self.alone();
        let mut remarks = Vec::new();
        for file in self.files() {
            for rule in &file.rules().detectors {
                let mut review = Review { file, rule, remarks: &mut remarks };
                review.examples();
                review.counter_examples();
                review.label();
                review.overlap(Engine::builtin(), "the built-in detector");
                let others = Engine::of(rules, |other| other.id == rule.id.as_ref());
                review.overlap(&others, "the rule");
                review.alarms();
                review.tries();
                review.long_runs();
            }
        }
        remarks
    }
}

/// One rule under review.
struct Review<'r> {
    file: &'r RuleSource,
    rule: &'r DetectorRule,
    remarks: &'r mut Vec<Remark>,
}

impl Review<'_> {
    fn push<T>(
        &mut self,
        weight: Weight,
        at: &Spanned<T>,
        message: impl Into<String>,
        hint: Option<&str>,
    ) {
        self.remarks.push(Remark {
            place: self.file.place(at),
            rule: self.rule.id.as_ref().clone(),
            weight,
            message: message.into(),
            hint: hint.map(str::to_owned),
        });
    }

    /// An engine of this rule alone, changed a little.
    fn alone(&self, change: impl FnOnce(&mut Rule)) -> Engine {
        let mut rule = compile(self.rule, &self.file.rules().words);
        change(&mut rule);
        Engine::of(Vec::leak(vec![rule]), |_| false)
    }

    fn finds(engine: &Engine, text: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        engine.scan(text.as_bytes(), &mut spans);
        spans
    }

    /// The examples are found where they are marked.
    fn examples(&mut self) {
        let alone = self.alone(|_| {});
        for example in &self.rule.examples {
            let Some((text, wanted)) = unmark(example.as_ref()) else { continue };
            let spans = Self::finds(&alone, &text);
            if spans.iter().any(|span| (span.start..span.end) == wanted) {
                continue;
            }
            let near = spans.iter().find(|span| span.start < wanted.end && wanted.start < span.end);
            if let Some(span) = near {
                let message = format!("this example is found {}", beside(span, &wanted));
                let hint = "move « and », or change the pattern or its `group`";
                self.push(Weight::Failure, example, message, Some(hint));
            } else {
                let hint = self.why_not(&text, &wanted);
                self.push(Weight::Failure, example, "this example is not found", Some(&hint));
            }
        }
    }

    /// The condition that an example fails.
    fn why_not(&self, text: &str, wanted: &Range<usize>) -> String {
        let without = |change: fn(&mut Rule)| {
            let spans = Self::finds(&self.alone(change), text);
            spans.iter().any(|span| span.start < wanted.end && wanted.start < span.end)
        };
        if self.rule.min_entropy > 0.0 && without(|rule| rule.min_entropy = 0.0) {
            return "its entropy is less than `min_entropy`".to_owned();
        }
        if !self.rule.context.is_empty() && without(|rule| rule.context = &[]) {
            return "no word of `context` stands in the 64 bytes before it".to_owned();
        }
        if self.rule.validator.is_some() && without(|rule| rule.validator = None) {
            return "the `validator` refuses it".to_owned();
        }
        if self.rule.keywords.is_empty() {
            return "the pattern must match from the first byte of the value of one of `keys`, and a \
                    letter or digit must not follow"
                .to_owned();
        }
        "a keyword must begin a word, the pattern must match from the keyword on, and a letter or \
         digit must not follow"
            .to_owned()
    }

    fn counter_examples(&mut self) {
        let alone = self.alone(|_| {});
        for text in &self.rule.counter_examples {
            if !Self::finds(&alone, text.as_ref()).is_empty() {
                let message = "the rule finds something in this counter-example";
                self.push(Weight::Failure, text, message, None);
            }
        }
    }

    /// A rule that finds its own label would redact a redacted log again.
    fn label(&mut self) {
        let alone = self.alone(|_| {});
        let id = self.rule.id.as_ref().clone();
        for example in &self.rule.examples {
            let Some((text, value)) = unmark(example.as_ref()) else { continue };
            let label = format!("[{id} #a1b2c3]");
            let redacted = format!("{}{label}{}", &text[..value.start], &text[value.end..]);
            let at = value.start..value.start + label.len();
            let again = Self::finds(&alone, &redacted);
            if again.iter().any(|span| span.start < at.end && at.start < span.end) {
                let message =
                    "the rule finds its own label: a redacted log would be redacted again";
                self.push(Weight::Warning, example, message, None);
                return;
            }
        }
    }

    /// Who finds the values of the examples as well.
    fn overlap(&mut self, others: &Engine, who: &str) {
        let mut said = Vec::new();
        for example in &self.rule.examples {
            let Some((text, value)) = unmark(example.as_ref()) else { continue };
            for span in Self::finds(others, &text) {
                let id = others.detector(span.detector).id;
                let overlaps = span.start < value.end && value.start < span.end;
                if overlaps && !said.contains(&id) {
                    said.push(id);
                    let message = format!("{who} `{id}` finds this value too");
                    let hint = "the more confident one gives the label; is this rule needed?";
                    self.push(Weight::Warning, example, message, Some(hint));
                }
            }
        }
    }

    /// What the rule finds in text that holds nothing.
    fn alarms(&mut self) {
        let alone = self.alone(|_| {});
        for (shape, lines) in sample::shapes() {
            let hits: usize = lines.iter().map(|line| Self::finds(&alone, line).len()).sum();
            if hits > 0 {
                let message = format!(
                    "too broad: it finds {hits} value{} in {} lines of clean text ({shape})",
                    if hits == 1 { "" } else { "s" },
                    lines.len()
                );
                let hint = "a longer keyword, `context`, `min_entropy` or a `validator` tells the \
                            value from such text";
                let id = &self.rule.id;
                self.push(Weight::Warning, id, message, Some(hint));
            }
        }
    }

    /// How often the rule is tried in text that holds nothing.
    fn tries(&mut self) {
        let lines: Vec<&str> = sample::shapes().flat_map(|(_, lines)| lines).collect();
        for keyword in &self.rule.keywords {
            let bytes = keyword.as_ref().as_bytes();
            if bytes.len() == 3 && bytes.iter().all(u8::is_ascii_alphanumeric) {
                let message = "slow: a keyword of three letters begins many words";
                let hint = "add what follows it: `key-` in place of `key`";
                self.push(Weight::Warning, keyword, message, Some(hint));
                continue;
            }
            let tries = lines.iter().map(|line| sample::words_beginning(line, bytes)).sum();
            self.dear(keyword, tries, lines.len(), "a keyword", "take a longer or rarer keyword");
        }
        for key in &self.rule.keys {
            let one: &'static [&'static str] = Vec::leak(vec![&*key.as_ref().clone().leak()]);
            let probe = self.alone(|rule| {
                *rule = Rule {
                    // Any value, to its first byte: what is asked is only whether it is looked at.
                    recognise: Recognise::Pattern { source: "((?s-u:.))(?s-u:.)?", group: 1 },
                    keywords: &[],
                    keys: one,
                    context: &[],
                    validator: None,
                    min_entropy: 0.0,
                    max_len: 2,
                    ..*rule
                };
            });
            let tries = lines.iter().map(|line| Self::finds(&probe, line).len()).sum();
            self.dear(key, tries, lines.len(), "a key", "name it in full, after `^`");
        }
    }

    fn dear(&mut self, at: &Spanned<String>, tries: usize, lines: usize, what: &str, hint: &str) {
        if tries * 100 > DEAR * lines {
            let message =
                format!("slow: {what} that occurs {tries} times in {lines} lines of clean text");
            self.push(Weight::Warning, at, message, Some(hint));
        }
    }

    fn long_runs(&mut self) {
        let Some(pattern) = &self.rule.pattern else { return };
        let Ok(hir) = parse_pattern(pattern.as_ref()) else { return };
        let run = longest_run(&hir);
        if run >= LONG_RUN {
            let message = format!("slow: the pattern may run over {run} bytes of anything");
            let hint = "name the bytes that a value has: `[A-Za-z0-9_-]` in place of `.`";
            self.push(Weight::Warning, pattern, message, Some(hint));
        }
    }
}

/// Where a finding lies that is not the one that was marked.
fn beside(span: &Span, wanted: &Range<usize>) -> String {
    let bytes = |count: usize| format!("{count} byte{}", if count == 1 { "" } else { "s" });
    let mut parts = Vec::new();
    match span.start.abs_diff(wanted.start) {
        0 => {}
        off if span.start < wanted.start => parts.push(format!("{} before «", bytes(off))),
        off => parts.push(format!("{} after «", bytes(off))),
    }
    match span.end.abs_diff(wanted.end) {
        0 => {}
        off if span.end < wanted.end => parts.push(format!("up to {} before »", bytes(off))),
        off => parts.push(format!("up to {} after »", bytes(off))),
    }
    parts.join(" and ")
}

/// The longest repetition of a class that is nearly every byte.
fn longest_run(hir: &Hir) -> u32 {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let wide = match repetition.sub.kind() {
                HirKind::Class(Class::Bytes(class)) => {
                    class.iter().map(ClassBytesRange::len).sum::<usize>() > 128
                }
                _ => false,
            };
            let own = if wide { repetition.max.unwrap_or(u32::MAX) } else { 0 };
            own.max(longest_run(&repetition.sub))
        }
        HirKind::Capture(capture) => longest_run(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().map(longest_run).max().unwrap_or(0)
        }
        _ => 0,
    }
}
