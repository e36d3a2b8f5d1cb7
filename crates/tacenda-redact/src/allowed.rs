//! The allow-list of a policy, ready to be asked: may this value be written as it is?

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tacenda_detect::{DetectorId, Engine, ProtectedSpan, Span, belongs_to};
use tacenda_policy::{Allow, Kind, Policy, ValueHash};

/// A value as an entry of `[[allow]]` holds it: hashed, under a random salt.
///
/// # Panics
/// When the system has no randomness to give.
pub fn value_hash(value: &[u8]) -> ValueHash {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).expect("the system gives random bytes");
    ValueHash::new(value, salt)
}

/// The values that a policy allows, and how often each entry was of use.
#[derive(Debug)]
pub struct AllowList {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    allow: Allow,
    key: Option<String>,
    /// The detectors that it is limited to.
    detectors: Option<Vec<DetectorId>>,
    used: AtomicU64,
}

/// The entries that can be about one log.
#[derive(Clone, Debug, Default)]
pub struct Scope(Arc<[usize]>);

impl AllowList {
    /// The allow-list of a policy whose detectors are those of `engine`.
    pub fn new(policy: &Policy, engine: &Engine) -> Self {
        let entry = |allow: &Allow| {
            let names = allow.detectors();
            let ids = || names.iter().filter_map(|name| engine.detector_named(name)).collect();
            Entry {
                key: allow.key(),
                detectors: (!names.is_empty()).then(ids),
                allow: allow.clone(),
                used: AtomicU64::new(0),
            }
        };
        Self { entries: policy.allow().iter().map(entry).collect() }
    }

    /// The entries that can be about the log at this path; without one, those that name no path.
    pub fn scope(&self, log: Option<&Path>) -> Scope {
        let entries = self.entries.iter().enumerate();
        Scope(entries.filter(|(_, entry)| entry.allow.is_about(log)).map(|(i, _)| i).collect())
    }

    /// Whether the policy allows what a detector found in `text`. `under`: the key that the whole
    /// text is the value of, in lower-case letters and digits, if that is known.
    pub fn allows(
        &self,
        scope: &Scope,
        text: &[u8],
        under: Option<&str>,
        span: &Span,
        kind: Kind,
    ) -> bool {
        self.any(scope, |entry| {
            entry.detectors.as_ref().is_none_or(|ids| ids.contains(&span.detector))
                && entry.is(text, under, span.start..span.end, kind)
        })
    }

    /// The same of a protected value: only entries allow one that say so.
    pub fn allows_protected(
        &self,
        scope: &Scope,
        text: &[u8],
        under: Option<&str>,
        span: &ProtectedSpan,
    ) -> bool {
        let kind = span.value.as_ref().map_or(Kind::Prompt, |value| value.kind);
        self.any(scope, |entry| {
            entry.allow.protected()
                && entry.detectors.is_none()
                && entry.is(text, under, span.start..span.end, kind)
        })
    }

    /// The entries, by their place in [`Policy::allow`], that have allowed nothing so far.
    pub fn unused(&self) -> Vec<usize> {
        let entries = self.entries.iter().enumerate();
        let unused = entries.filter(|(_, entry)| entry.used.load(Ordering::Relaxed) == 0);
        unused.map(|(i, _)| i).collect()
    }

    fn any(&self, scope: &Scope, allows: impl Fn(&Entry) -> bool) -> bool {
        scope.0.iter().map(|&i| &self.entries[i]).any(|entry| {
            let allowed = allows(entry);
            if allowed {
                entry.used.fetch_add(1, Ordering::Relaxed);
            }
            allowed
        })
    }
}

impl Scope {
    /// Whether no entry can be about the log.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Entry {
    fn is(
        &self,
        text: &[u8],
        under: Option<&str>,
        range: std::ops::Range<usize>,
        kind: Kind,
    ) -> bool {
        let kinds = self.allow.kinds();
        let of_key = |key: &str| under == Some(key) || belongs_to(text, range.clone(), key);
        (kinds.is_empty() || kinds.contains(&kind))
            && self.key.as_deref().is_none_or(of_key)
            && self.allow.is_value(&text[range.clone()])
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::{Carry, Keys, Redactor, Report};

    fn redactor(entries: &str) -> Redactor {
        let policy = Policy::from_toml(&format!("actions.personal = 'mask'\n{entries}")).unwrap();
        Redactor::new(Engine::builtin(), policy, Keys::random())
    }

    fn redact(redactor: &Redactor, text: &str) -> String {
        let out = redactor.redact(text.as_bytes(), &mut Report::default());
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn what_an_entry_says_is_left_and_nothing_else() {
        let hash = value_hash(b"desk@example.org");
        let both = "ines@example.org, desk@example.org";
        let left = "[email], desk@example.org";
        for entry in [
            format!("value = '{hash}'"),
            r"regex = 'desk@.{1,40}'".to_owned(),
            format!("value = '{hash}'\nkinds = ['personal']\ndetectors = ['email']"),
        ] {
            let redactor = redactor(&format!("[[allow]]\nreason = 'ours'\n{entry}"));
            assert_eq!(redact(&redactor, both), left, "{entry}");
            assert_eq!(redactor.allowed().unused(), [0; 0], "{entry}");
        }
        for entry in [
            format!("value = '{hash}'\nkinds = ['network']"),
            format!("value = '{hash}'\ndetectors = ['iban']"),
            format!("value = '{hash}'\nkey = 'support'"),
            format!("value = '{hash}'\npath = '*'"),
            format!("value = '{hash}'\nregex = 'desk'"),
        ] {
            let redactor = redactor(&format!("[[allow]]\nreason = 'ours'\n{entry}"));
            assert_eq!(redact(&redactor, both), "[email], [email]", "{entry}");
            assert_eq!(redactor.allowed().unused(), [0], "{entry}");
        }
    }

    #[test]
    fn a_key_may_stand_beside_the_text() {
        let redactor = redactor("[[allow]]\nreason = 'ours'\nkey = 'Support_Mail'");
        assert_eq!(redact(&redactor, "supportMail: a@b.example"), "supportMail: a@b.example");
        assert_eq!(redact(&redactor, "mail: a@b.example"), "mail: [email]");
        let mut under = Carry::under(b"\"supportMail\"");
        let mut report = Report::default();
        let out = redactor.redact_next(&mut under, b"write to a@b.example", &mut report);
        assert_eq!(&*out, b"write to a@b.example");
        assert_eq!(report.allowed, 1);
    }

    #[test]
    fn a_path_is_one_log() {
        let redactor = redactor("[[allow]]\nreason = 'ours'\npath = '*.test.log'");
        let at = |log: Option<&str>| {
            let redactor = redactor.at_path(log.map(Path::new));
            let (text, mut report) = (b"a@b.example", Report::default());
            let out =
                redactor.redact_range(&mut Carry::default(), text, 0..text.len(), &mut report);
            String::from_utf8_lossy(&out).into_owned()
        };
        assert_eq!(at(Some("logs/a.test.log")), "a@b.example");
        assert_eq!(at(Some("logs/a.log")), "[email]");
        assert_eq!(at(None), "[email]");
    }

    #[test]
    fn a_protected_value_is_allowed_only_by_an_entry_that_says_so() {
        let text = "the violet heron ships to Bergen on the ninth";
        for (entry, left) in [("", false), ("protected = true", true)] {
            let entry = format!("[[allow]]\nreason = 'ours'\nregex = '.{{1,100}}'\n{entry}");
            let policy = Policy::from_toml(&entry).unwrap();
            let (engine, keys) = (Engine::builtin(), Keys::random());
            let redactor = Redactor::new(engine, policy, keys);
            redactor.protected().protect(text, Kind::Prompt, None, false);
            assert_eq!(redact(&redactor, text) == text, left, "{entry}");
        }
    }

    #[test]
    fn what_other_detectors_find_is_not_meant() {
        let redactor = redactor("[[allow]]\nreason = 'ours'\ndetectors = ['ipv4']\nregex = '.*'");
        let url = "https://app:hunter2-hunter2@203.0.113.7/";
        assert_eq!(redact(&redactor, url), "https://app:[url-password]@203.0.113.7/");
    }
}
