//! The engine that a policy asks for: Tacenda's own rules and the user's, without those that are
//! turned off.

use std::sync::{Mutex, PoisonError};

use tacenda_detect::{Engine, UserRules};
use tacenda_policy::{NamedFile, Policy, PolicyError};

/// The engine of a policy. Reads the files of `detectors.rules`.
///
/// # Errors
/// Every fault of a rule file. A caller must not go on without the rules that were asked for.
pub fn engine(policy: &Policy) -> Result<&'static Engine, Vec<PolicyError>> {
    engine_with(policy, &policy.rule_files()?)
}

/// The same for rule files that were read before.
///
/// # Errors
/// Every fault of a rule file.
pub fn engine_with(
    policy: &Policy,
    files: &[NamedFile],
) -> Result<&'static Engine, Vec<PolicyError>> {
    let disabled = policy.disabled_detectors();
    if files.is_empty() && disabled.is_empty() {
        return Ok(Engine::builtin());
    }
    let wanted = Wanted { disabled: disabled.to_vec(), files: files.to_vec() };
    // An engine lives as long as the process: one is made for each configuration, not for each call.
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, engine)) = made.iter().find(|(of, _)| *of == wanted) {
        return Ok(engine);
    }
    let rules = user_rules(files)?;
    let engine: &'static Engine = Box::leak(Box::new(Engine::with_rules(&rules, |detector| {
        disabled.iter().any(|id| id == detector.id)
    })));
    made.push((wanted, engine));
    Ok(engine)
}

/// The rules of files that were read before.
///
/// # Errors
/// Every fault of a rule file.
pub fn user_rules(files: &[NamedFile]) -> Result<UserRules, Vec<PolicyError>> {
    UserRules::read(files.iter().map(|file| (file.shown(), file.text.as_str())))
        .map_err(|faults| faults.into_iter().map(PolicyError::from).collect())
}

/// What an engine was made of.
#[derive(PartialEq, Eq)]
struct Wanted {
    disabled: Vec<String>,
    files: Vec<NamedFile>,
}

static MADE: Mutex<Vec<(Wanted, &'static Engine)>> = Mutex::new(Vec::new());

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = include_str!("../../../tests/rules/ticket.toml");

    fn policy(text: &str) -> Policy {
        Policy::from_toml(text).unwrap()
    }

    fn file(text: &str) -> [NamedFile; 1] {
        [NamedFile { path: "own.toml".into(), text: text.to_owned() }]
    }

    fn found(engine: &Engine, text: &str) -> Vec<&'static str> {
        let mut spans = Vec::new();
        engine.scan(text.as_bytes(), &mut spans);
        spans.iter().map(|span| engine.detector(span.detector).id).collect()
    }

    #[test]
    fn one_engine_for_one_configuration() {
        let builtin = engine(&Policy::default()).unwrap();
        assert!(std::ptr::eq(builtin, Engine::builtin()));
        let own = engine_with(&Policy::default(), &file(RULE)).unwrap();
        assert!(std::ptr::eq(own, engine_with(&Policy::default(), &file(RULE)).unwrap()));
        assert!(!std::ptr::eq(own, builtin));
        assert_eq!(found(own, "TKT-123456 jane@example.org"), ["ticket", "email"]);
    }

    #[test]
    fn what_is_turned_off_is_not_found() {
        let url = "https://app:hunter2-hunter2@203.0.113.7/";
        assert_eq!(found(Engine::builtin(), url), ["url-password", "ipv4"]);
        let engine = engine(&policy("detectors.disable = ['url-password']")).unwrap();
        assert_eq!(found(engine, url), ["ipv4"]);
        let both = policy("detectors.disable = ['ticket']");
        assert_eq!(found(engine_with(&both, &file(RULE)).unwrap(), "TKT-123456"), [""; 0]);
    }

    #[test]
    fn a_broken_rule_is_a_fault_of_the_configuration() {
        let broken = RULE.replace("keywords", "keyword");
        let faults = engine_with(&Policy::default(), &file(&broken)).unwrap_err();
        assert_eq!(faults[0].to_string(), "unknown key `keyword` in `[[detector]]`");
        assert_eq!(faults[0].place().unwrap().to_string(), "own.toml:8:1");
        assert_eq!(faults[0].hint().unwrap(), "did you mean `keywords`?");
    }
}
