//! The rules: one file each, whose doc comment is the page that `tacenda rule` prints.
#![expect(
    clippy::redundant_closure_for_method_calls,
    reason = "a method of `Site<'a>` is a function of one lifetime, and a fix is one of any"
)]

use rustc_hash::FxHashMap as HashMap;
use std::sync::LazyLock;

use tacenda_policy::Severity;

use crate::Confidence;
use crate::context::Context;
use crate::fix::{Fix, Site};
use crate::ir::{Call, Span};
use crate::label::Label;
use crate::model::Channel;

/// What a value that is written out is judged by.
#[derive(Clone, Copy, Debug)]
pub struct Written {
    /// What is sensitive about it.
    pub label: Label,
    /// Where it is written.
    pub channel: Channel,
    /// Whether it comes out of an exception.
    pub by_exception: bool,
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its code: `TAC101`.
    pub code: &'static str,
    /// Its name, in words with hyphens.
    pub name: &'static str,
    /// Its file, of which the doc comment is its page.
    source: &'static str,
    /// The weaknesses it is about, by their numbers in the CWE.
    pub cwe: &'static [u16],
    /// The category of the OWASP Top 10.
    pub owasp: &'static str,
    /// How bad it is, where it isn't about a value: values have the severity of their kind.
    pub severity: Severity,
    /// How sure its findings are at most.
    pub confidence: Confidence,
    /// Which values are its concern.
    pub(crate) takes: Option<fn(&Written) -> bool>,
    /// Which calls are, by the last names of what is called.
    pub(crate) calls: &'static [&'static str],
    /// What it finds in such a call.
    pub(crate) check: Option<fn(&CallSite<'_>, &mut Vec<Match>)>,
    /// What its findings are fixed with, if that can be told.
    pub(crate) fix: Option<fn(&Site<'_>) -> Option<Fix>>,
}

/// A call that rules look at.
pub(crate) struct CallSite<'a> {
    /// What is called, with imported names in full.
    pub(crate) path: &'a str,
    /// The call.
    pub(crate) call: &'a Call,
    /// Where it stands.
    pub(crate) span: Span,
    /// What the file is about.
    pub(crate) context: &'a Context,
}

/// What a rule found in a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    /// The place.
    pub(crate) span: Span,
    /// How sure it is.
    pub(crate) confidence: Confidence,
}

impl CallSite<'_> {
    /// Whether the function that is called is this one: `module.function`, or its end.
    pub(crate) fn is(&self, path: &str) -> bool {
        self.path == path || self.path.strip_suffix(path).is_some_and(|front| front.ends_with('.'))
    }

    /// Notes the call.
    pub(crate) fn whole(&self, confidence: Confidence, found: &mut Vec<Match>) {
        found.push(Match { span: self.span, confidence });
    }
}

/// The rules that look at calls, by the last names of what is called.
static BY_CALL: LazyLock<HashMap<&str, Vec<&'static Rule>>> = LazyLock::new(|| {
    let mut by_call: HashMap<&str, Vec<&'static Rule>> = HashMap::default();
    for rule in RULES {
        for call in rule.calls {
            by_call.entry(call).or_default().push(rule);
        }
    }
    by_call
});

/// The rules that look at calls of this last name.
pub(crate) fn for_call(last: &str) -> &'static [&'static Rule] {
    BY_CALL.get(last).map_or(&[], Vec::as_slice)
}

macro_rules! rules {
    ($($module:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Every rule, by code.
        pub static RULES: &[&Rule] = &[$(&$module::RULE),+];
    };
}

rules!(
    tac101, tac102, tac103, tac104, tac105, tac106, tac110, tac201, tac202, tac301, tac302, tac303,
    tac304, tac305, tac306, tac307, tac308, tac401, tac402, tac403, tac404, tac405, tac501, tac601,
    tac602, tac603, tac604, tac605, tac606, tac701,
);

impl Rule {
    /// The rule of this code, in any case.
    pub fn of_code(code: &str) -> Option<&'static Self> {
        RULES.iter().copied().find(|rule| rule.code.eq_ignore_ascii_case(code))
    }

    /// Whether some of its findings can be fixed.
    pub fn is_fixable(&self) -> bool {
        self.fix.is_some()
    }

    /// Its page, in Markdown.
    pub fn page(&self) -> String {
        let mut page = String::new();
        for line in self.source.lines() {
            let Some(line) = line.strip_prefix("//!") else { break };
            page.push_str(line.strip_prefix(' ').unwrap_or(line));
            page.push('\n');
        }
        page
    }

    /// What it says, in one line: the first of its page.
    pub fn summary(&self) -> String {
        let page = self.page();
        page.lines().next().unwrap_or_default().to_owned()
    }
}

/// The rule whose concern a value is that is written out.
pub(crate) fn for_value(written: Written) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.takes.is_some_and(|takes| takes(&written)))
}
