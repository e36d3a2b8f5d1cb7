//! The rules as their authors wrote them: every promise is tested, and the reference is printed
//! from them.

use std::fmt::Write as _;
use std::path::Path;

use crate::names::Validator;
use crate::rule_file::{DetectorRule, FIELDS, FILE_FIELDS, Field, unmark};
use crate::{Engine, RuleSource};

fn entries() -> Vec<DetectorRule> {
    let files = RuleSource::builtin();
    files.iter().flat_map(|file| file.rules().detectors.clone()).collect()
}

/// The examples, unmarked, each with the place of its value.
fn examples(entry: &DetectorRule) -> impl Iterator<Item = (String, std::ops::Range<usize>)> {
    let unmark = |example: &str| unmark(example).expect("the build refuses others");
    entry.examples.iter().map(move |example| unmark(example.as_ref()))
}

fn found(text: &[u8]) -> Vec<(&'static str, std::ops::Range<usize>)> {
    let engine = Engine::builtin();
    let mut spans = Vec::new();
    engine.scan(text, &mut spans);
    spans.iter().map(|span| (engine.detector(span.detector).id, span.start..span.end)).collect()
}

#[test]
fn every_detector_finds_its_examples() {
    let mut wrong = String::new();
    for entry in entries() {
        let id = entry.id.as_ref();
        for (text, range) in examples(&entry) {
            let found = found(text.as_bytes());
            if !found.iter().any(|(found, span)| found == id && *span == range) {
                let _ = writeln!(wrong, "{id}: {text}\n    {found:?}, not {range:?}");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn every_detector_leaves_its_counter_examples() {
    let mut wrong = String::new();
    for entry in entries() {
        for example in &entry.counter_examples {
            for (id, span) in found(example.as_ref().as_bytes()) {
                if id == entry.id.as_ref() {
                    let _ = writeln!(wrong, "{id}: {example} at {span:?}");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn an_example_is_found_between_clean_text() {
    let mut wrong = String::new();
    for entry in entries() {
        for example in &entry.examples {
            let example = example.as_ref();
            for (before, after) in [
                (
                    "2026-11-21 02:37:40,123 - INFO - app - ",
                    "\n2026-11-21 02:37:40,124 - INFO - app - next\n",
                ),
                ("x".repeat(61).as_str(), ""),
                ("{\"a\": 1, \"text\": \"", "\"}"),
            ] {
                let (text, range) =
                    unmark(&format!("{before} {example} {after}")).expect("an example is marked");
                let covered = found(text.as_bytes()).into_iter().any(|(id, span)| {
                    id == entry.id.as_ref() && span.start <= range.start && span.end >= range.end
                });
                if !covered {
                    let _ = writeln!(wrong, "{}: {text}", entry.id.as_ref());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The text as others write it: every sign escaped, or the whole encoded.
fn spellings(text: &str) -> Vec<(&'static str, String)> {
    use base64::Engine as _;
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    let signs = |write: fn(u8) -> String| {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() {
                out.push(char::from(byte));
            } else {
                out.push_str(&write(byte));
            }
            out
        })
    };
    let characters = |write: fn(u32) -> String| {
        text.chars().fold(String::new(), |mut out, char| {
            if char.is_ascii_alphanumeric() || char == ' ' {
                out.push(char);
            } else {
                out.push_str(&write(u32::from(char)));
            }
            out
        })
    };
    let percent = signs(|byte| format!("%{byte:02X}"));
    let json = serde_json::to_string(text).expect("a string is JSON");
    vec![
        ("percent twice", percent.replace('%', "%25")),
        ("percent", percent),
        ("repr", format!("b'{}'", signs(|byte| format!("\\x{byte:02x}")))),
        (
            "json signs",
            characters(|code| match code {
                ..0x10000 => format!("\\u{code:04x}"),
                _ => format!("\\U{code:08x}"),
            }),
        ),
        ("references", characters(|code| format!("&#{code};"))),
        ("json in json in json", {
            let twice = serde_json::to_string(&json).expect("a string is JSON");
            serde_json::to_string(&twice).expect("a string is JSON")
        }),
        ("json", json),
        ("base64", BASE64_STANDARD.encode(text)),
        ("base64 for URLs", BASE64_URL_SAFE_NO_PAD.encode(text)),
        (
            "hexadecimal",
            text.bytes().fold(String::new(), |mut out, byte| {
                let _ = write!(out, "{byte:02x}");
                out
            }),
        ),
    ]
}

#[test]
fn an_example_is_found_in_every_spelling() {
    let mut wrong = String::new();
    let mut tried = 0;
    for entry in entries() {
        for example in entry.examples {
            let text = unmark(&format!("a record says: {example}")).expect("marked").0;
            for (name, spelled) in spellings(&text) {
                tried += 1;
                if found(spelled.as_bytes()).is_empty() {
                    let _ = writeln!(wrong, "{} as {name}: {spelled}", entry.id);
                }
            }
        }
    }
    let missed = wrong.lines().count();
    assert!(missed == 0, "{missed} of {tried}\n{wrong}");
}

#[test]
fn redacted_text_has_nothing_left_to_find() {
    for entry in entries() {
        for (text, range) in examples(&entry) {
            for label in [
                format!("[{}]", entry.id.as_ref()),
                format!("[{} #a1b2c3]", entry.id.as_ref()),
                format!("[{} #a1b2c3d4e5f6]", entry.id.as_ref()),
                "[payment-card …1111]".to_owned(),
                "[prompt 532 chars, 131 tokens, #a1b2c3]".to_owned(),
            ] {
                let redacted = format!("{}{label}{}", &text[..range.start], &text[range.end..]);
                let at = range.start..range.start + label.len();
                for (id, span) in found(redacted.as_bytes()) {
                    let apart = span.end <= at.start || span.start >= at.end;
                    assert!(apart, "{id} finds the label again: {redacted}");
                }
            }
        }
    }
}

#[test]
fn the_reference_is_up_to_date() {
    is_current("detectors.md", &reference());
}

#[test]
fn the_reference_of_the_format_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/rules.md");
    let mut text = std::fs::read_to_string(path).unwrap();
    for (name, table) in
        [("file", fields(FILE_FIELDS)), ("fields", fields(FIELDS)), ("validators", validators())]
    {
        let start = format!("<!-- generated: {name} -->\n");
        let from = text.find(&start).expect("the reference has every table") + start.len();
        let end = from + text[from..].find("<!-- end -->").expect("a table ends");
        text.replace_range(from..end, &table);
    }
    is_current("rules.md", &text);
}

#[track_caller]
fn is_current(name: &str, expected: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference").join(name);
    if std::env::var_os("TACENDA_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
        return;
    }
    let present = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        present == expected,
        "docs/reference/{name} is stale: run the tests of tacenda-detect with TACENDA_BLESS=1"
    );
}

fn fields(fields: &[Field]) -> String {
    let mut out = String::from("| field | value | | meaning |\n| --- | --- | --- | --- |\n");
    for Field { name, value, required, about } in fields {
        let required = if *required { "required" } else { "" };
        let _ = writeln!(out, "| `{name}` | {value} | {required} | {about} |");
    }
    out
}

fn validators() -> String {
    let mut out = String::from("| validator | built-in detectors that use it |\n| --- | --- |\n");
    for validator in Validator::ALL {
        let rules = entries();
        let users = rules.iter().filter(|rule| {
            rule.validator.as_ref().is_some_and(|name| name.as_ref() == validator.name())
        });
        let ids: Vec<String> = users.map(|rule| format!("`{}`", rule.id.as_ref())).collect();
        let more = ids.len().saturating_sub(3);
        let shown = ids.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let _ = writeln!(out, "| `{}` | {shown}{more} |", validator.name());
    }
    out
}

fn reference() -> String {
    let files = RuleSource::builtin();
    let count: usize = files.iter().map(|file| file.rules().detectors.len()).sum();
    let mut out = String::from(
        "# Detectors\n\n\
         Written from `rules/*.toml` by the tests of `tacenda-detect`; change it there.\n\n\
         A detector has an id (the label in redacted text), the kind that the policy maps to an \
         action, and a confidence: *high* for a checksum, an issuer's prefix or an unmistakable \
         form, *medium* for a shape with its context, *low* for a shape alone. The example shows \
         the value between « and ».\n",
    );
    let _ = writeln!(
        out,
        "\n{count} detectors in {} families. `tacenda rules` lists them, `tacenda rules show ID` \
         shows one with all its examples.\n\n\
         | family | detectors | kinds |\n| --- | --- | --- |",
        files.len()
    );
    for family in files.iter().map(RuleSource::rules) {
        let mut kinds: Vec<&str> = Vec::new();
        for rule in &family.detectors {
            let kind = rule.kind.as_ref().as_str();
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        let (name, anchor) = (&family.family, anchor(&family.family));
        let (count, kinds) = (family.detectors.len(), kinds.join(", "));
        let _ = writeln!(out, "| [{name}](#{anchor}) | {count} | {kinds} |");
    }
    for family in files.iter().map(RuleSource::rules) {
        let _ = writeln!(out, "\n## {}\n\n{}\n", family.family, family.about);
        out.push_str(
            "| id | finds | kind | confidence | example |\n| --- | --- | --- | --- | --- |\n",
        );
        for rule in &family.detectors {
            let checks = rule.checks();
            let checks = if checks.is_empty() {
                String::new()
            } else {
                format!(" Checks: {}.", checks.join("; "))
            };
            let _ = writeln!(
                out,
                "| `{}` | {}{checks} | {} | {} | `{}` |",
                rule.id.as_ref(),
                rule.description.as_ref(),
                rule.kind.as_ref(),
                rule.confidence.as_ref(),
                shown(rule.examples[0].as_ref()),
            );
        }
    }
    out
}

/// The anchor of a heading, as forges make it.
fn anchor(heading: &str) -> String {
    let letters = heading.to_lowercase();
    let letters = letters.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-'));
    letters.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn the_readme_says_how_many_there_are() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = std::fs::read_to_string(path).unwrap();
    let (before, _) = text.split_once("](docs/reference/detectors.md)").expect("it leads to them");
    let digits = before.rsplit("more than ").next().and_then(|rest| rest.split(' ').next());
    let said: usize = digits.and_then(|digits| digits.parse().ok()).expect("it says how many");
    let count = entries().len();
    assert!((said + 1..=said + 150).contains(&count), "{count} are not a few more than {said}");
}

/// An example that fits into a table.
fn shown(example: &str) -> String {
    const WIDTH: usize = 72;
    let line =
        example.replace('\n', "⏎").replace('|', "\\|").replace('`', "'").replace('\u{1b}', "␛");
    if line.chars().count() <= WIDTH {
        line
    } else {
        line.chars().take(WIDTH - 1).chain(['…']).collect()
    }
}
