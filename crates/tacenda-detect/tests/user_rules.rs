//! The user's own rules do at run time what the same rules do when Tacenda is built with them.

use std::ops::Range;
use std::path::Path;
use std::sync::OnceLock;

use proptest::prelude::*;
use tacenda_detect::{DetectorRule, Engine, RuleFault, RuleSource, Span, UserRules, unmark};

fn read(text: &str) -> Result<UserRules, Vec<RuleFault>> {
    UserRules::read([(Path::new("own.toml"), text)])
}

/// Every rule that comes with Tacenda and is a pattern.
fn patterns() -> Vec<DetectorRule> {
    let files = RuleSource::builtin();
    let rules = files.iter().flat_map(|file| file.rules().detectors.clone());
    rules.filter(|rule| rule.pattern.is_some()).collect()
}

/// The same rules as a user would write them, under other names.
fn own() -> String {
    let table = |rule: &DetectorRule| {
        let text = |text: &str| toml::Value::from(text);
        let list = |texts: &[toml::Spanned<String>]| {
            toml::Value::from(texts.iter().map(|text| text.as_ref().clone()).collect::<Vec<_>>())
        };
        let number =
            |number: usize| toml::Value::from(i64::try_from(number).expect("a length is small"));
        let mut table = toml::Table::from_iter([
            ("id".to_owned(), text(&format!("own-{}", rule.id.as_ref()))),
            ("description".to_owned(), text(rule.description.as_ref())),
            ("kind".to_owned(), text(rule.kind.as_ref())),
            ("confidence".to_owned(), text(rule.confidence.as_ref())),
            ("pattern".to_owned(), text(rule.pattern.as_ref().expect("a pattern").as_ref())),
            ("group".to_owned(), number(rule.group())),
            ("keywords".to_owned(), list(&rule.keywords)),
            ("ignore_case".to_owned(), rule.ignore_case.into()),
            ("keys".to_owned(), list(&rule.keys)),
            ("not_keys".to_owned(), list(&rule.not_keys)),
            ("context".to_owned(), list(&rule.context)),
            ("min_entropy".to_owned(), f64::from(rule.min_entropy).into()),
            ("max_len".to_owned(), number(rule.max_len())),
            ("examples".to_owned(), list(&rule.examples)),
            ("counter_examples".to_owned(), list(&rule.counter_examples)),
        ]);
        if let Some(validator) = &rule.validator {
            table.insert("validator".to_owned(), text(validator.as_ref()));
        }
        toml::Value::from(table)
    };
    let rules: Vec<toml::Value> = patterns().iter().map(table).collect();
    let file = toml::Table::from_iter([
        ("family".to_owned(), toml::Value::from("Own")),
        ("detector".to_owned(), toml::Value::from(rules)),
    ]);
    toml::to_string(&file).expect("a table is TOML")
}

/// The engine of the built-in patterns, and that of the same patterns read at run time.
fn engines() -> &'static (Engine, Engine) {
    static ENGINES: OnceLock<(Engine, Engine)> = OnceLock::new();
    ENGINES.get_or_init(|| {
        let kept: Vec<String> = patterns().iter().map(|rule| rule.id.as_ref().clone()).collect();
        let built = Engine::with_disabled(|detector| kept.iter().all(|id| id != detector.id));
        (built, Engine::with_rules_only(&read(&own()).expect("they are valid rules")))
    })
}

fn found(engine: &Engine, text: &[u8]) -> Vec<(String, Range<usize>)> {
    let mut spans: Vec<Span> = Vec::new();
    engine.scan(text, &mut spans);
    let name = |span: &Span| {
        let id = engine.detector(span.detector).id;
        id.strip_prefix("own-").unwrap_or(id).to_owned()
    };
    spans.iter().map(|span| (name(span), span.start..span.end)).collect()
}

fn texts() -> Vec<String> {
    let rules = patterns();
    let unmark =
        |text: &toml::Spanned<String>| unmark(text.as_ref()).expect("the build refuses others").0;
    let examples = rules.iter().flat_map(|rule| rule.examples.iter().map(unmark));
    let counter = rules.iter().flat_map(|rule| &rule.counter_examples);
    examples.chain(counter.map(|text| text.as_ref().clone())).collect()
}

#[test]
fn a_rule_read_at_run_time_finds_what_it_finds_when_built_in() {
    let (built, read) = engines();
    let mut hits = 0;
    for text in texts() {
        let spans = found(built, text.as_bytes());
        hits += spans.len();
        assert_eq!(found(read, text.as_bytes()), spans, "{text}");
    }
    assert!(hits > 50);
}

#[test]
fn a_users_rule_works_beside_the_built_in_ones() {
    let rule = include_str!("../../../tests/rules/ticket.toml");
    let engine = Engine::with_rules(&read(rule).unwrap(), |detector| detector.id == "ipv4");
    let text = b"TKT-123456 of ines.moreau@example.org at 203.0.113.7";
    assert_eq!(found(&engine, text), [("ticket".to_owned(), 0..10), ("email".to_owned(), 14..37)]);
    assert_eq!(
        engine.detector_named("email"),
        Engine::builtin().detector_named("email"),
        "built-in detectors keep their ids"
    );
}

#[test]
fn a_fault_has_its_place_and_the_way_out() {
    let text =
        "family = 'Own'\n[[detector]]\nid = 'x'\npatern = 'abc[0-9]{4}'\nkind = 'personel'\n";
    let faults = read(text).unwrap_err();
    let said: Vec<String> = faults
        .iter()
        .map(|fault| {
            format!("{} {fault} {}", fault.place, fault.hint.as_deref().unwrap_or_default())
        })
        .collect();
    assert!(
        said.contains(
            &"own.toml:4:1 unknown key `patern` in `[[detector]]` did you mean `pattern`?"
                .to_owned()
        ),
        "{said:?}"
    );
    assert!(said.iter().any(|line| line.starts_with("own.toml:2:1 no `examples`")), "{said:?}");
}

#[test]
fn every_fault_of_a_file_is_told_at_once_and_no_value() {
    let text = "family = 'Own'\nsecret-Canary0123 = 1\n[[detector]]\nid = 'email'\n\
                description = 'X.'\nkind = 'hunter2'\nconfidence = 'high'\npattern = 'abc[0-9]+'\n\
                keywords = ['ab']\nexamples = ['abc1']\ncounter_examples = []\n\
                [[detector]]\nid = 'y'\n";
    let said: Vec<String> = read(text)
        .unwrap_err()
        .iter()
        .map(|fault| format!("{}:{} {fault}", fault.place.line, fault.place.column))
        .collect();
    for wanted in [
        "2:1 unknown key at the top level",
        "4:6 rule `email`: the id is taken",
        "6:8 rule `email`: unknown kind",
        "8:11 rule `email`: the pattern has no bound on its length",
        "9:13 rule `email`: a keyword is shorter than three bytes or does not begin with a letter or \
         digit",
        "10:13 rule `email`: an example does not mark its value with « », once and around it",
        "4:6 rule `email`: no counter_examples",
        "12:1 no `description` in `[[detector]]`",
    ] {
        assert!(said.contains(&wanted.to_owned()), "{wanted}: {said:#?}");
    }
    assert!(said.iter().all(|line| !line.contains("hunter2") && !line.contains("Canary")));
    assert!(said.is_sorted_by_key(|line| line.split(':').next().unwrap().parse::<u32>().unwrap()));
}

#[test]
fn a_wrong_pattern_is_shown_where_it_is_wrong() {
    let rule = "family = 'Own'\n[[detector]]\nid = 'x'\ndescription = 'X.'\nkind = 'personal'\n\
                confidence = 'high'\npattern = 'abc[0-9]{4}(x'\nkeywords = ['abc']\n\
                examples = ['«abc1234x»']\ncounter_examples = ['abc']\n";
    let faults = read(rule).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].place.to_string(), "own.toml:7:23");
    assert_eq!(faults[0].message, "rule `x`: the pattern is wrong: unclosed group");
}

#[test]
fn a_pattern_that_is_too_large_to_compile_is_refused() {
    let rule = "family = 'Own'\n[[detector]]\nid = 'x'\ndescription = 'X.'\nkind = 'personal'\n\
                confidence = 'high'\npattern = 'abc(?:[a-z]{200}[0-9]{200}|x){150}'\n\
                keywords = ['abc']\nexamples = ['«abcx»']\ncounter_examples = ['abc']\n";
    let faults = read(rule).unwrap_err();
    assert_eq!(faults[0].message, "rule `x`: the pattern is too large");
}

proptest! {
    #[test]
    fn any_text_is_a_rule_file_or_faults_with_places(text in "(\\PC|\n){0,200}") {
        if let Err(faults) = read(&text) {
            prop_assert!(faults.iter().all(|fault| fault.place.line >= 1 && fault.place.column >= 1));
            prop_assert!(!faults.is_empty());
        }
    }

    #[test]
    fn any_form_is_refused_or_can_be_looked_for(
        form in "[A-Z0-9#@?\\[\\]{},*+(). /~-]{1,16}|\\PC{1,8}",
        list in prop::sample::select(vec!["forms", "alone", "near"]),
        text in "([A-Z0-9 .-]|\\PC){0,60}",
    ) {
        let form = toml::Value::from(form);
        let rule = format!(
            "family = 'Own'\n[[detector]]\nid = 'x'\ndescription = 'X.'\nkind = 'personal'\n\
             confidence = 'low'\n{list} = [{form}]\nwords = ['number']\nmax_len = 40\n\
             examples = ['«X1»']\ncounter_examples = ['X']\n"
        );
        if let Ok(rules) = read(&rule) {
            let engine = Engine::with_rules_only(&rules);
            for text in [text.clone(), format!("number {text}")] {
                let spans = found(&engine, text.as_bytes());
                prop_assert!(spans.iter().all(|(_, span)| span.end <= text.len()));
            }
        }
    }

    #[test]
    fn a_damaged_rule_file_is_read_or_refused(at in any::<prop::sample::Index>(), with in "\\PC?|\"|\\[|\n") {
        static FILE: OnceLock<String> = OnceLock::new();
        let file = FILE.get_or_init(|| own().chars().take(6000).collect());
        let at = file.floor_char_boundary(at.index(file.len()));
        let rest = file[at..].chars().next().map_or(0, char::len_utf8);
        let damaged = format!("{}{with}{}", &file[..at], &file[at + rest..]);
        let _: Result<UserRules, Vec<RuleFault>> = read(&damaged);
    }

    #[test]
    fn both_find_the_same_in_any_mixture(
        picks in prop::collection::vec((any::<prop::sample::Index>(), "[ \n\",;=x]?"), 1..6),
    ) {
        static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
        let texts = TEXTS.get_or_init(texts);
        let pieces = picks.iter().flat_map(|(pick, between)| [pick.get(texts), between]);
        let text: String = pieces.map(String::as_str).collect();
        let (built, read) = engines();
        prop_assert_eq!(found(built, text.as_bytes()), found(read, text.as_bytes()));
    }
}
