//! The user's own rules: read and checked when the program starts, by the code that checks
//! Tacenda's own when it is built.

use std::path::Path;
use std::sync::Arc;

use tacenda_policy::{Kind, Place, PolicyError, Positions, is_word, nearest};
use toml::Spanned;

use crate::Confidence;
use crate::names::Validator;
use crate::pattern::Pattern;
use crate::rule::{Forms, RULES, Recognise, Rule};
use crate::rule_file::{Contract, DetectorRule, Fault, RuleFile};

include!(concat!(env!("OUT_DIR"), "/sources.rs"));

/// A rule file that was read, with the places of what it says.
#[derive(Clone, Debug)]
pub struct RuleSource {
    name: Arc<Path>,
    text: Arc<str>,
    rules: RuleFile,
}

/// What is wrong with a rule file. No message holds a value of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RuleFault {
    /// Where.
    pub place: Place,
    /// What, in one line.
    pub message: String,
    /// How to put it right.
    pub hint: Option<String>,
}

impl From<RuleFault> for PolicyError {
    /// The policy names the rule files: what is wrong with one is wrong with the configuration.
    fn from(fault: RuleFault) -> Self {
        let RuleFault { place, message, hint } = fault;
        Self::Rule { place, message, hint }
    }
}

impl RuleSource {
    /// The rule files that come with Tacenda, in the order of the reference.
    pub fn builtin() -> Vec<Self> {
        let read = |(name, text): &(&str, &str)| Self {
            name: Path::new(name).into(),
            text: (*text).into(),
            rules: RuleFile::read(text).0.expect("the build has read every rule file"),
        };
        SOURCES.iter().map(read).collect()
    }

    /// What the file says.
    pub fn rules(&self) -> &RuleFile {
        &self.rules
    }

    /// The file, as messages name it.
    pub fn name(&self) -> &Path {
        &self.name
    }

    /// The place of a value of the file.
    pub fn place<T>(&self, value: &Spanned<T>) -> Place {
        Positions::new(Arc::clone(&self.name), &self.text).place(&value.span())
    }
}

/// The user's own rules, ready for an engine.
#[derive(Clone, Debug, Default)]
pub struct UserRules {
    files: Vec<RuleSource>,
}

impl UserRules {
    /// Reads rule files, given by their names and texts, and checks their rules one by one and
    /// among each other and those that come with Tacenda.
    ///
    /// # Errors
    /// Every fault, at least one.
    pub fn read<'t>(
        files: impl IntoIterator<Item = (&'t Path, &'t str)>,
    ) -> Result<Self, Vec<RuleFault>> {
        let mut contract = Contract::user(Kind::NAMES, RULES.iter().map(|rule| rule.id));
        let (mut read, mut faults) = (Vec::new(), Vec::new());
        for (name, text) in files {
            let name: Arc<Path> = name.into();
            let (rules, mut found) = RuleFile::read(text);
            if let Some(rules) = rules {
                found.extend(contract.faults(&rules));
                if found.is_empty() {
                    found = too_large(&rules);
                }
                read.push(RuleSource { name: Arc::clone(&name), text: text.into(), rules });
            }
            found.sort_by_key(|fault| fault.span.start);
            let positions = Positions::new(name, text);
            faults.extend(found.into_iter().map(|fault| explain(&positions, fault)));
        }
        if faults.is_empty() { Ok(Self { files: read }) } else { Err(faults) }
    }

    /// The files, in the order they were given.
    pub fn files(&self) -> &[RuleSource] {
        &self.files
    }

    /// Whether there is no rule.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The rules that come with Tacenda, and these after them, for as long as the process lives.
    pub(crate) fn with_builtin(&self) -> &'static [Rule] {
        if self.is_empty() {
            return RULES;
        }
        Vec::leak(RULES.iter().copied().chain(self.compiled()).collect())
    }

    /// These rules alone, for as long as the process lives.
    pub(crate) fn alone(&self) -> &'static [Rule] {
        Vec::leak(self.compiled().collect())
    }

    fn compiled(&self) -> impl Iterator<Item = Rule> {
        self.files.iter().flat_map(|file| {
            file.rules.detectors.iter().map(|rule| compile(rule, &file.rules.words))
        })
    }
}

/// The rule as `build.rs` would write it.
pub(crate) fn compile(rule: &DetectorRule, shared: &[Spanned<String>]) -> Rule {
    let list = |texts: &[Spanned<String>]| -> &'static [&'static str] {
        Vec::leak(texts.iter().map(|text| leak(text.as_ref())).collect())
    };
    let recognise = match &rule.pattern {
        Some(pattern) => Recognise::Pattern { source: leak(pattern.as_ref()), group: rule.group() },
        None => Recognise::Forms(Box::leak(Box::new(Forms {
            anywhere: list(&rule.forms),
            alone: list(&rule.alone),
            near: list(&rule.near),
            words: list(&[&rule.words, shared].concat()),
            any_case: rule.any_case,
            check: None,
        }))),
    };
    let validator = rule.validator.as_ref().and_then(|name| {
        Validator::ALL.iter().copied().find(|validator| validator.name() == name.as_ref())
    });
    Rule {
        id: leak(rule.id.as_ref()),
        kind: Kind::from_name(rule.kind.as_ref()).expect("the contract knows the kinds"),
        confidence: Confidence::from_name(rule.confidence.as_ref())
            .expect("the contract knows the confidences"),
        recognise,
        keywords: list(&rule.keywords),
        ignore_case: rule.ignore_case,
        keys: list(&rule.keys),
        not_keys: list(&rule.not_keys),
        context: list(&rule.context),
        validator,
        min_entropy: rule.min_entropy,
        max_len: rule.max_len(),
    }
}

fn leak(text: &str) -> &'static str {
    Box::leak(Box::from(text))
}

/// Patterns that are well formed and still too large to be compiled.
fn too_large(rules: &RuleFile) -> Vec<Fault> {
    let large = |rule: &DetectorRule| {
        let pattern = rule.pattern.as_ref()?;
        let compiles = Pattern::new(pattern.as_ref()).is_some();
        let message = format!("rule `{}`: the pattern is too large", rule.id.as_ref());
        (!compiles).then(|| Fault::new(pattern.span(), message))
    };
    rules.detectors.iter().filter_map(large).collect()
}

fn explain(positions: &Positions<'_>, fault: Fault) -> RuleFault {
    let mut message = fault.message;
    if let Some((written, _)) = &fault.choice
        && fault.key
        && is_word(written)
    {
        message = message.replacen("unknown key", &format!("unknown key `{written}`"), 1);
    }
    let list = |names: &[&str]| {
        let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        format!("valid here: {}", quoted.join(", "))
    };
    let hint = fault.choice.map(|(written, valid)| {
        nearest(&written, valid.iter().copied())
            .map_or_else(|| list(&valid), |near| format!("did you mean `{near}`?"))
    });
    RuleFault { place: positions.place(&fault.span), message, hint }
}
