//! What `tacenda rules test` says of a user's rules.

use std::path::Path;

use tacenda_detect::{UserRules, Weight};

/// A rule that keeps its promises, costs little and finds nothing else.
const GOOD: &str = "family = 'Own'
[[detector]]
id = 'ticket'
description = 'A ticket.'
kind = 'personal'
confidence = 'high'
pattern = 'TKT-([0-9]{6})'
group = 1
keywords = ['TKT-']
examples = ['see TKT-«123456»']
counter_examples = ['TKT-12']
";

/// Each remark as `line:column weight message`.
fn review(text: &str) -> Vec<String> {
    let rules = UserRules::read([(Path::new("own.toml"), text)])
        .unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    let said = rules.review().into_iter().map(|remark| {
        let weight = match remark.weight {
            Weight::Failure => "failure",
            Weight::Warning => "warning",
        };
        let hint = remark.hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        let (line, column) = (remark.place.line, remark.place.column);
        format!("{line}:{column} {weight} {}: {}{hint}", remark.rule, remark.message)
    });
    said.collect()
}

#[track_caller]
fn says(from: &str, to: &str, wanted: &str) {
    assert!(GOOD.contains(from), "{from}");
    let said = review(&GOOD.replacen(from, to, 1));
    assert!(said.iter().any(|line| line.starts_with(wanted)), "{said:#?}");
}

#[test]
fn of_a_good_rule_there_is_nothing_to_say() {
    assert_eq!(review(GOOD), [""; 0]);
}

#[test]
fn an_example_that_is_not_found_is_a_failure_with_its_reason() {
    says(
        "TKT-«123456»",
        "TKT-«12345»",
        "10:13 failure ticket: this example is not found (a keyword",
    );
    says(
        "group = 1",
        "group = 1\nmin_entropy = 3",
        "11:13 failure ticket: this example is not found (its entropy is less",
    );
    says(
        "group = 1",
        "group = 1\ncontext = ['near']",
        "11:13 failure ticket: this example is not found (no word of `context`",
    );
    says(
        "group = 1",
        "group = 1\nvalidator = 'mixed-characters'",
        "11:13 failure ticket: this example is not found (the `validator`",
    );
    says(
        "keywords = ['TKT-']",
        "keys = ['ticket']",
        "10:13 failure ticket: this example is not found (the pattern must match from the first byte",
    );
}

#[test]
fn an_example_that_is_found_elsewhere_says_where() {
    says(
        "TKT-«123456»",
        "«TKT-123456»",
        "10:13 failure ticket: this example is found 4 bytes after «",
    );
    says(
        "TKT-«123456»",
        "TKT-1«23456 »",
        "10:13 failure ticket: this example is found 1 byte before « and up to 1 byte before »",
    );
}

#[test]
fn a_counter_example_that_is_found_is_a_failure() {
    says("['TKT-12']", "['TKT-123456']", "11:21 failure ticket: the rule finds something");
}

#[test]
fn a_rule_that_finds_ordinary_text_is_too_broad() {
    let broad = GOOD
        .replace("TKT-([0-9]{6})", "level=([a-z]{3,8})")
        .replace("TKT-'", "level='")
        .replace("TKT-«123456»", "level=«info»");
    let said = review(&broad);
    assert!(
        said.iter().any(|line| line.starts_with("3:6 warning ticket: too broad: it finds ")
            && line.contains("(structured records)")),
        "{said:#?}"
    );
}

#[test]
fn what_is_tried_often_or_runs_long_is_slow() {
    says("['TKT-']", "['TKT-', 'INFO']", "9:21 warning ticket: slow: a keyword that occurs");
    says("['TKT-']", "['TKT-', 'tkt']", "9:21 warning ticket: slow: a keyword of three letters");
    says("group = 1", "group = 1\nkeys = ['level']", "9:9 warning ticket: slow: a key that occurs");
    says(
        "'TKT-([0-9]{6})'",
        "'TKT-([0-9]{6})(?:.{0,400}!)?'",
        "7:11 warning ticket: slow: the pattern may run over 400 bytes of anything",
    );
}

#[test]
fn what_another_rule_finds_is_said() {
    let email = GOOD
        .replace("TKT-([0-9]{6})", "([a-z.]{1,40}@example\\.org)")
        .replace("keywords = ['TKT-']", "keys = ['contact']")
        .replace("see TKT-«123456»", "contact: «ines.moreau@example.org»");
    let said = review(&email);
    assert!(
        said.iter().any(|line| line.starts_with(
            "10:13 warning ticket: the built-in detector `email` finds this value too"
        )),
        "{said:#?}"
    );
    let again = &GOOD[GOOD.find("[[detector]]").unwrap()..];
    let twice = format!("{GOOD}{}", again.replace("'ticket'", "'other'"));
    let said = review(&twice);
    assert!(said.contains(
        &"10:13 warning ticket: the rule `other` finds this value too (the more confident one gives \
          the label; is this rule needed?)"
            .to_owned()
    ), "{said:#?}");
}

#[test]
fn a_rule_that_finds_its_label_is_warned_of() {
    let label = GOOD
        .replace("TKT-([0-9]{6})", "ticket ([#a-z0-9]{6,8})")
        .replace("TKT-'", "ticket '")
        .replace("TKT-«123456»", "ticket «ab12345»");
    let said = review(&label);
    assert!(said.iter().any(|line| line.contains("finds its own label")), "{said:#?}");
}
