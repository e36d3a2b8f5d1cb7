//! However a stream is cut into writes, the same comes out, and no part of a value.
//!
//! The values are the examples of every detector, as the rule files give them.

use std::fmt::Write as _;
use std::path::Path;

use tacenda_detect::Engine;
use tacenda_guard::StreamFilter;
use tacenda_policy::Policy;
use tacenda_redact::{Keys, Redactor, Report};

/// What the filter looks at as a whole, and the part of it that it looks at again.
const LIMIT: usize = 64 * 1024;
const OVERLAP: usize = 16 * 1024;

struct Example {
    id: String,
    before: String,
    value: String,
    after: String,
}

impl Example {
    fn text(&self) -> String {
        format!("{}{}{}", self.before, self.value, self.after)
    }
}

fn rules() -> Vec<toml::Table> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut rules = Vec::new();
    for file in std::fs::read_dir(folder).expect("the rules are in the repository") {
        let path = file.expect("the folder can be read").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).expect("a rule file can be read");
            let mut file: toml::Table = toml::from_str(&text).expect("a rule file is TOML");
            let Some(toml::Value::Array(detectors)) = file.remove("detector") else { continue };
            rules.extend(detectors.into_iter().filter_map(|detector| match detector {
                toml::Value::Table(detector) => Some(detector),
                _ => None,
            }));
        }
    }
    assert!(rules.len() > 100, "every rule takes part");
    rules
}

fn examples() -> Vec<Example> {
    let mut all = Vec::new();
    for rule in rules() {
        let id = rule["id"].as_str().expect("an id is a string").to_owned();
        for example in rule["examples"].as_array().expect("examples are a list") {
            let example = example.as_str().expect("an example is a string");
            let (before, rest) = example.split_once('«').expect("an example is marked");
            let (value, after) = rest.split_once('»').expect("an example is marked");
            all.push(Example {
                id: id.clone(),
                before: before.to_owned(),
                value: value.to_owned(),
                after: after.to_owned(),
            });
        }
    }
    all
}

fn redactor() -> Redactor {
    Redactor::new(Engine::builtin(), Policy::default(), Keys::random())
}

fn filtered<'c>(redactor: &Redactor, chunks: impl IntoIterator<Item = &'c [u8]>) -> Vec<u8> {
    let mut filter = StreamFilter::new(redactor);
    let mut out = Vec::new();
    for chunk in chunks {
        filter.push(chunk, &mut out);
    }
    filter.finish(&mut out);
    out
}

const HEAD: &str = "2026-11-21 02:37:40,123 - INFO - app - ";
const TAIL: &str = "\n2026-11-21 02:37:40,124 - INFO - app - next\n";

#[test]
fn an_example_cut_anywhere_comes_out_as_if_it_were_whole() {
    let redactor = redactor();
    for example in examples() {
        let record = format!("{HEAD}{}{TAIL}", example.text());
        let record = record.as_bytes();
        let whole = filtered(&redactor, [record]);
        // A record of a stream is a line: what a detector needs several for may be missed.
        let lines = example.text().contains('\n');
        assert!(lines || whole != record, "{} finds its example", example.id);
        for at in HEAD.len()..=record.len() {
            let (a, b) = record.split_at(at);
            assert!(filtered(&redactor, [a, b]) == whole, "{} at {at}", example.id);
            // Of the cuts in three, those that are as far from this one as it is from the end.
            let (b, c) = b.split_at(b.len() / 2);
            assert!(filtered(&redactor, [a, b, c]) == whole, "{} at {at} and again", example.id);
        }
    }
}

/// Whether a pause inside of `value` can be told from one behind a prompt or a sentence: it is one
/// word, or numbers alone.
fn is_held(value: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+/=.@%:$~".contains(&byte);
    let number = |byte: u8| byte.is_ascii_digit() || b" -[]().,".contains(&byte);
    value.bytes().all(word) || value.starts_with('[') && value.bytes().all(number)
}

/// `text` without the fingerprints of its labels, whose digits may be those of a short value.
fn without_fingerprints(text: &str) -> String {
    let mut parts = text.split('#');
    let mut rest = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((digits, after)) if is_fingerprint(digits) => {
                rest.push(']');
                rest.push_str(after);
            }
            _ => {
                rest.push('#');
                rest.push_str(part);
            }
        }
    }
    rest
}

fn is_fingerprint(digits: &str) -> bool {
    digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A pause inside a value makes the filter let go what cannot be the start of one.
#[test]
fn a_pause_inside_an_example_does_not_show_it() {
    let redactor = redactor();
    let mut shown = String::new();
    let held = |example: &&Example| is_held(&example.value) && !example.text().contains('\n');
    for example in examples().iter().filter(held) {
        let record = format!("{HEAD}{}\n", example.text());
        let whole = filtered(&redactor, [record.as_bytes()]);
        let whole = String::from_utf8_lossy(&whole);
        let from = HEAD.len() + example.before.len();
        let to = from + example.value.len();
        for at in (from + 1..to).filter(|at| record.is_char_boundary(*at)) {
            let mut filter = StreamFilter::new(&redactor);
            let mut out = Vec::new();
            filter.push(&record.as_bytes()[..at], &mut out);
            filter.idle(&mut out);
            filter.push(&record.as_bytes()[at..], &mut out);
            filter.finish(&mut out);
            let out = without_fingerprints(&String::from_utf8_lossy(&out));
            let part = &record[from..at];
            let most = part.len() * 2 > to - from && !whole.contains(part);
            if out.contains(&example.value) || most && out.contains(part) {
                let _ = write!(shown, "{} at {at}: {out}", example.id);
                break;
            }
        }
    }
    assert!(shown.is_empty(), "\n{shown}");
}

/// At each cut of a line that is longer than the filter looks at as a whole.
#[test]
fn an_example_at_a_cut_of_a_long_line_comes_out_as_if_it_were_whole() {
    let redactor = redactor();
    let examples: Vec<_> =
        examples().into_iter().filter(|example| !example.text().contains('\n')).collect();
    for (i, example) in examples.iter().enumerate().step_by(9) {
        let filler = ["lorem ipsum dolor ", "x"][i % 2];
        let cut = [LIMIT - OVERLAP, LIMIT][i / 2 % 2];
        let inside = example.before.len() + (i * 7) % example.value.len();
        let mut line: String = filler.chars().cycle().take(cut - inside - 1).collect();
        line += " ";
        line += &example.text();
        line += " ";
        line.extend(filler.chars().cycle().take(LIMIT + OVERLAP - line.len()));
        let whole = redactor.redact(line.as_bytes(), &mut Report::default());
        assert!(filtered(&redactor, [line.as_bytes()]) == *whole, "{} at {cut}", example.id);
    }
}

/// What a cut of a long line looks at again holds every value. Longer ones are known by their
/// first bytes already, so that no cut falls into them, or the filter drops their inside.
#[test]
fn what_is_looked_at_again_is_no_shorter_than_a_value() {
    const UNBOUNDED: usize = 1024 * 1024;
    const KNOWN_BY_THEIR_HEAD: [&str; 2] = ["jwt", "private-key"];
    for rule in rules() {
        // Where a rule says nothing, the length of its form is the bound: some hundred bytes.
        let max_len = rule.get("max_len").and_then(toml::Value::as_integer);
        let Some(max_len) = max_len.and_then(|len| usize::try_from(len).ok()) else { continue };
        let id = rule["id"].as_str().expect("an id is a string");
        let known = KNOWN_BY_THEIR_HEAD.contains(&id) && max_len <= LIMIT;
        assert!(max_len <= OVERLAP || known || max_len >= UNBOUNDED, "{id}: {max_len}");
    }
}
