//! The reference and the JSON Schema are what the code says.
//!
//! `TACENDA_BLESS=1 cargo test -p tacenda-policy --test reference` writes them anew.

use std::{fs, path::PathBuf};

use tacenda_policy::{
    ALLOW_FIELDS, Action, BUILT_IN, CONFIG_VARIABLE, Class, Kind, Policy, Setting, json_schema,
    slot_map_schema,
};

fn reference(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name)
}

#[track_caller]
fn is_current(name: &str, wanted: &str) {
    let path = reference(name);
    if std::env::var_os("TACENDA_BLESS").is_some_and(|bless| bless == "1") {
        fs::write(&path, wanted).expect("the reference is writable");
    }
    let actual = fs::read_to_string(&path).unwrap_or_default();
    assert!(actual == wanted, "docs/reference/{name} is stale: run with TACENDA_BLESS=1");
}

#[test]
fn the_schema_is_current() {
    let schema = serde_json::to_string_pretty(&json_schema()).unwrap();
    is_current("policy.schema.json", &(schema + "\n"));
}

#[test]
fn the_schema_of_the_slot_map_is_current() {
    let schema = serde_json::to_string_pretty(&slot_map_schema()).unwrap();
    is_current("slot-map.schema.json", &(schema + "\n"));
}

#[test]
fn the_tables_of_the_reference_are_current() {
    let mut text = fs::read_to_string(reference("policy.md")).unwrap();
    for (name, table) in [
        ("allow", allow()),
        ("settings", settings()),
        ("kinds", kinds()),
        ("classes", names(Class::ALL.iter().map(|c| (c.name(), c.description())))),
        ("actions", names(Action::ALL.iter().map(|a| (a.name(), a.description())))),
        ("environments", names(BUILT_IN.iter().map(|b| (b.name, b.description)))),
        ("variables", variables()),
    ] {
        let start = format!("<!-- generated: {name} -->\n");
        let from = text.find(&start).expect("the reference has every table") + start.len();
        let end = from + text[from..].find("<!-- end -->").expect("a table ends");
        text.replace_range(from..end, &table);
    }
    is_current("policy.md", &text);
}

#[test]
fn every_example_of_the_reference_is_a_valid_policy() {
    let text = fs::read_to_string(reference("policy.md")).unwrap();
    let examples: Vec<&str> =
        text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() >= 2);
    for example in examples {
        Policy::from_toml(example).unwrap_or_else(|fault| panic!("{fault}\n{example}"));
    }
}

fn allow() -> String {
    let row =
        |(name, value, about): &(&str, &str, &str)| format!("| `{name}` | {value} | {about} |\n");
    table("| field | value | meaning |\n| --- | --- | --- |\n", ALLOW_FIELDS.iter().map(row))
}

fn settings() -> String {
    let row = |setting: &Setting| {
        let default = Policy::default().text(*setting);
        let default = match default.as_str() {
            "" => "none".to_owned(),
            default => format!("`{}`", default.replace(',', "`, `")),
        };
        let (expected, meaning) = (setting.expected(), line(setting.description()));
        format!("| `{setting}` | {default} | {expected} | {meaning} |\n")
    };
    let head = "| setting | default | value | meaning |\n| --- | --- | --- | --- |\n";
    table(head, Setting::ALL.iter().map(row))
}

fn kinds() -> String {
    let policy = Policy::default();
    let row = |&kind: &Kind| {
        let (class, action) = (policy.class(kind), policy.action(kind));
        format!("| `{kind}` | {class} | {action} | {} |\n", kind.description())
    };
    let head = "| kind | class | action | what it is |\n| --- | --- | --- | --- |\n";
    table(head, Kind::ALL.iter().map(row))
}

fn variables() -> String {
    let config = format!("| `{CONFIG_VARIABLE}` | which policy file is read |\n");
    let row = |setting: &Setting| format!("| `{}` | `{setting}` |\n", setting.variable());
    let rows = std::iter::once(config).chain(Setting::ALL.iter().map(row));
    table("| variable | sets |\n| --- | --- |\n", rows)
}

fn names<'n>(names: impl Iterator<Item = (&'n str, &'n str)>) -> String {
    let row = |(name, meaning)| format!("| `{name}` | {} |\n", line(meaning));
    table("| name | meaning |\n| --- | --- |\n", names.map(row))
}

fn table(head: &str, rows: impl Iterator<Item = String>) -> String {
    std::iter::once(head.to_owned()).chain(rows).collect()
}

/// A table cell is one line.
fn line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
