//! The contract of a detector: what `cargo build` refuses in Tacenda's own rules, and the start of
//! a program in its user's.

use std::collections::HashSet;
use std::ops::Range;

use toml::Spanned;

use super::{DetectorRule, Fault, RuleFile, parse_pattern, unmark};
use crate::names::{Matcher, Validator};

/// The keyword is looked up by its first three bytes.
const SHORTEST_KEYWORD: usize = 3;

/// The longest match of a pattern. One that is longer is better found by what surrounds it.
const LONGEST: usize = 64 << 10;

/// What rules must keep, one by one and among each other.
pub(crate) struct Contract {
    /// The kinds there are; none when the compiler checks them.
    kinds: &'static [&'static str],
    /// Whether a rule may name a hand-written matcher.
    matchers: bool,
    ids: HashSet<String>,
    /// Matchers that have their rule.
    owned: HashSet<String>,
}

impl Contract {
    /// The contract of the rules that come with Tacenda.
    #[allow(dead_code, reason = "for the build")]
    pub(crate) fn builtin() -> Self {
        Self { kinds: &[], matchers: true, ids: HashSet::new(), owned: HashSet::new() }
    }

    /// The contract of a user's rules: their kinds are among `kinds`, their ids not among `ids`,
    /// and they name no matcher.
    #[allow(dead_code, reason = "for the run time")]
    pub(crate) fn user(
        kinds: &'static [&'static str],
        ids: impl Iterator<Item = &'static str>,
    ) -> Self {
        let ids = ids.map(str::to_owned).collect();
        Self { kinds, matchers: false, ids, owned: HashSet::new() }
    }

    /// Every broken promise of the rules of one file.
    pub(crate) fn faults(&mut self, file: &RuleFile) -> Vec<Fault> {
        let mut faults = Vec::new();
        if file.family.trim().is_empty() {
            faults.push(Fault::new(0..0, "`family` is empty"));
        }
        let mut shared = Faults { found: Vec::new() };
        shared.words(&file.words);
        faults.extend(shared.found);
        for rule in &file.detectors {
            let mut found = Faults { found: Vec::new() };
            found.forms(rule, self.matchers);
            found.names(rule, self.kinds);
            found.texts(rule);
            found.sites(rule);
            found.pattern(rule, self.matchers);
            self.among(rule, &mut found);
            let id = rule.id.as_ref();
            let named = is_id(id);
            faults.extend(found.found.into_iter().map(|mut fault| {
                if named {
                    fault.message = format!("rule `{id}`: {}", fault.message);
                }
                fault
            }));
        }
        faults
    }

    fn among(&mut self, rule: &DetectorRule, found: &mut Faults) {
        let taken = !self.ids.insert(rule.id.as_ref().clone());
        found.refuse(taken, &rule.id, "the id is taken");
        if let Some(matcher) = &rule.matcher
            && rule.keywords.is_empty()
            && rule.keys.is_empty()
        {
            let taken = !self.owned.insert(matcher.as_ref().clone());
            found.refuse(taken, matcher, "the matcher already belongs to a rule");
        }
    }
}

/// What is wrong with one rule.
struct Faults {
    found: Vec<Fault>,
}

impl Faults {
    fn push(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.found.push(Fault::new(span, message));
    }

    fn refuse<T>(&mut self, when: bool, what: &Spanned<T>, message: &str) {
        if when {
            self.push(what.span(), message);
        }
    }

    fn choice(&mut self, written: &Spanned<String>, message: &str, valid: Vec<&'static str>) {
        if !valid.contains(&written.as_ref().as_str()) {
            let choice = Some((written.as_ref().clone(), valid));
            self.found.push(Fault { choice, ..Fault::new(written.span(), message) });
        }
    }

    /// What is a name is one that exists, or is well formed.
    fn names(&mut self, rule: &DetectorRule, kinds: &'static [&'static str]) {
        let id = rule.id.as_ref();
        self.refuse(!is_id(id), &rule.id, "the id is not lower-case-with-dashes");
        let confidences = vec!["low", "medium", "high"];
        self.choice(&rule.confidence, "confidence is not low, medium or high", confidences);
        if !kinds.is_empty() {
            self.choice(&rule.kind, "unknown kind", kinds.to_vec());
        }
        if let Some(validator) = &rule.validator {
            let valid = Validator::ALL.iter().map(|validator| validator.name()).collect();
            self.choice(validator, "unknown validator", valid);
        }
    }

    fn texts(&mut self, rule: &DetectorRule) {
        let empty = rule.description.as_ref().trim().is_empty();
        self.refuse(empty, &rule.description, "no description");
        if rule.examples.is_empty() {
            self.push(rule.id.span(), "no examples");
        }
        if rule.counter_examples.is_empty() {
            self.push(rule.id.span(), "no counter_examples");
        }
        for example in &rule.examples {
            let unmarked = unmark(example.as_ref()).is_none();
            self.refuse(
                unmarked,
                example,
                "an example does not mark its value with « », once and around it",
            );
        }
    }

    /// Where the rule is tried.
    fn sites(&mut self, rule: &DetectorRule) {
        for keyword in &rule.keywords {
            let text = keyword.as_ref().as_bytes();
            let right = text.len() >= SHORTEST_KEYWORD
                && (text[0].is_ascii_alphanumeric() || !text[0].is_ascii());
            let message = "a keyword is shorter than three bytes or does not begin with a letter or \
                           digit";
            self.refuse(!right, keyword, message);
        }
        for key in rule.keys.iter().chain(&rule.not_keys) {
            let letters = key.as_ref().strip_prefix('^').unwrap_or(key.as_ref());
            let normal = letters.len() >= 3
                && letters.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            let message = "a key is not written in its normal form (three or more lower-case \
                           letters and digits)";
            self.refuse(!normal, key, message);
        }
        for word in &rule.context {
            self.refuse(word.as_ref().is_empty(), word, "a word of `context` is empty");
        }
        if rule.pattern.is_some() && rule.keywords.is_empty() && rule.keys.is_empty() {
            self.push(rule.id.span(), "a pattern needs keywords or keys: it is tried nowhere else");
        }
    }

    /// A form is looked up by how it begins.
    fn forms(&mut self, rule: &DetectorRule, checks: bool) {
        self.words(&rule.words);
        for form in rule.all_forms() {
            let text = form.as_ref();
            let opens = text.starts_with(|c: char| {
                matches!(c, '#' | '@' | '?' | '[') || c.is_ascii_alphanumeric()
            });
            let closed = text.matches('[').count() == text.matches(']').count();
            let capital = text.is_ascii() && !text.bytes().any(|b| b.is_ascii_lowercase());
            let message = "a form begins with a letter or digit, closes its brackets, and has \
                           capital letters";
            self.refuse(!(opens && closed && capital), form, message);
        }
        let told = !rule.words.is_empty() || !rule.keywords.is_empty() || !rule.keys.is_empty();
        if let Some(form) = rule.near.first() {
            self.refuse(!told, form, "forms that are found near a word, and no words");
        }
        if let Some(check) = &rule.check {
            let message = "`check` is for the rules that come with Tacenda";
            self.refuse(!checks, check, message);
            let name = check
                .as_ref()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            self.refuse(!name, check, "the check is no name of a function");
        }
    }

    /// A word is looked up by its first three bytes.
    fn words(&mut self, words: &[Spanned<String>]) {
        for word in words {
            let text = word.as_ref();
            let right = text.len() >= SHORTEST_KEYWORD && *text == text.to_ascii_lowercase();
            self.refuse(!right, word, "a word is shorter than three bytes or has capital letters");
        }
    }

    fn pattern(&mut self, rule: &DetectorRule, matchers: bool) {
        let forms = rule.all_forms().next().is_some();
        let ways = [rule.pattern.is_some(), rule.matcher.is_some(), forms];
        if ways.into_iter().filter(|way| *way).count() != 1 {
            self.push(rule.id.span(), "needs either a pattern or a matcher or forms");
        }
        if let Some(max) = &rule.max_len {
            self.refuse(*max.as_ref() == 0, max, "max_len is 0");
            // A matcher has its own bounds.
            let long = rule.pattern.is_some() && *max.as_ref() > LONGEST;
            self.refuse(long, max, "max_len is more than 65536");
        }
        if let Some(matcher) = &rule.matcher {
            self.refuse(rule.max_len.is_none(), matcher, "a matcher needs max_len");
            if matchers {
                let valid = Matcher::ALL.iter().map(|matcher| matcher.name()).collect();
                self.choice(matcher, "unknown matcher", valid);
            } else {
                let message = "a matcher is for the rules that come with Tacenda: write a pattern";
                self.push(matcher.span(), message);
            }
        }
        let Some(pattern) = &rule.pattern else { return };
        let hir = match parse_pattern(pattern.as_ref()) {
            Ok(hir) => hir,
            Err(error) => return self.found.push(malformed(pattern, &error)),
        };
        let properties = hir.properties();
        let nothing = properties.minimum_len().unwrap_or(0) == 0;
        self.refuse(nothing, pattern, "the pattern can match nothing at all");
        let max = rule.max_len.as_ref().map(|max| *max.as_ref());
        match (properties.maximum_len(), max) {
            (None, _) => self.push(pattern.span(), "the pattern has no bound on its length"),
            (Some(longest), Some(max)) if longest > max => self.push(
                pattern.span(),
                format!("the pattern can match {longest} bytes, max_len says {max}"),
            ),
            (Some(longest), None) if longest > LONGEST => {
                let message = format!("the pattern can match {longest} bytes, more than {LONGEST}");
                self.push(pattern.span(), message);
            }
            _ => {}
        }
        if let Some(group) = &rule.group
            && *group.as_ref() > properties.explicit_captures_len()
        {
            let message = format!("the pattern has no group {}", group.as_ref());
            self.push(group.span(), message);
        }
    }
}

fn is_id(id: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=64).contains(&id.len()) && id.chars().all(inner)
}

/// What the parser of patterns says, in its own fixed words and at its place.
fn malformed(pattern: &Spanned<String>, error: &regex_syntax::Error) -> Fault {
    let (kind, offset) = match error {
        regex_syntax::Error::Parse(error) => (error.kind().to_string(), error.span().start.offset),
        regex_syntax::Error::Translate(error) => {
            (error.kind().to_string(), error.span().start.offset)
        }
        _ => ("it is not understood".to_owned(), 0),
    };
    // Without escapes, which only a string in single quotes is sure to have none of, an offset in
    // the pattern is one in the file.
    let span = pattern.span();
    let plain = span.len() == pattern.as_ref().len() + 2;
    let start = if plain { span.start + 1 + offset } else { span.start };
    Fault::new(start..span.end, format!("the pattern is wrong: {kind}"))
}
