//! Rules that break the contract of a detector are refused: the user's when they are read,
//! Tacenda's own, by the same code, when it is built.

use std::path::Path;

use tacenda_detect::UserRules;

const GOOD: &str = r#"
family = "Example"
about = "An example."

[[detector]]
id = "example-token"
description = "A token."
kind = "credential"
confidence = "high"
pattern = "ex_[a-z]{8,16}"
keywords = ["ex_"]
max_len = 19
examples = ["token «ex_abcdefgh»"]
counter_examples = ["ex_"]
"#;

fn problems(text: &str) -> String {
    match UserRules::read([(Path::new("own.toml"), text)]) {
        Ok(_) => String::new(),
        Err(faults) => {
            let lines = faults.iter().map(|fault| format!("{}: {fault}", fault.place));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

#[test]
fn a_good_rule_passes() {
    assert_eq!(problems(GOOD), "");
}

#[test]
fn every_broken_promise_is_refused() {
    for (good, broken, said) in [
        ("\"example-token\"", "\"Example Token\"", "lower-case"),
        ("\"A token.\"", "\" \"", "no description"),
        ("[\"token «ex_abcdefgh»\"]", "[]", "no examples"),
        ("[\"token «ex_abcdefgh»\"]", "[\"token ex_abcdefgh\"]", "does not mark"),
        ("counter_examples = [\"ex_\"]", "counter_examples = []", "no counter_examples"),
        ("max_len = 19", "max_len = 18", "can match 19 bytes"),
        ("ex_[a-z]{8,16}", "ex_[a-z]+", "no bound"),
        ("ex_[a-z]{8,16}", "(?:ex_)?", "nothing at all"),
        ("ex_[a-z]{8,16}", "ex_[a-z", "unclosed character class"),
        ("max_len = 19", "max_len = 19\ngroup = 1", "no group 1"),
        ("max_len = 19", "max_len = 19\nmatcher = \"email\"", "either a pattern or a matcher"),
        (
            "pattern = \"ex_[a-z]{8,16}\"",
            "matcher = \"mind-reader\"",
            "a matcher is for the rules that come",
        ),
        ("max_len = 19", "max_len = 19\nvalidator = \"hope\"", "unknown validator"),
        ("keywords = [\"ex_\"]", "", "needs keywords or keys"),
        ("keywords = [\"ex_\"]", "keywords = [\"ex\"]", "shorter than three bytes"),
        ("keywords = [\"ex_\"]", "keys = [\"api_key\"]", "normal form"),
        ("confidence = \"high\"", "confidence = \"sure\"", "confidence is not"),
    ] {
        assert!(GOOD.contains(good), "{good}");
        let found = problems(&GOOD.replacen(good, broken, 1));
        assert!(found.contains(said), "{broken}: {found:?}");
    }
}

#[test]
fn two_rules_do_not_share_an_id() {
    let rule = &GOOD[GOOD.find("[[detector]]").unwrap()..];
    assert!(problems(&format!("{GOOD}{rule}")).contains("the id is taken"));
}
