//! Rust source of the static tables.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use toml::Spanned;

use crate::fold;
use crate::rule_file::{DetectorRule, RuleFile};

/// What the engine runs on.
pub(crate) fn rules(families: &[RuleFile]) -> String {
    let mut out = String::from("pub(crate) static RULES: &[Rule] = &[\n");
    let of_families = families
        .iter()
        .flat_map(|family| family.detectors.iter().map(|rule| (family.words.as_slice(), rule)));
    for (words, rule) in of_families {
        let recognise = match (&rule.pattern, &rule.matcher) {
            (Some(pattern), _) => {
                let (source, group) = (pattern.as_ref(), rule.group());
                format!("Recognise::Pattern {{ source: {source:?}, group: {group} }}")
            }
            (None, Some(matcher)) => {
                format!("Recognise::Matcher(Matcher::{})", pascal(matcher.as_ref()))
            }
            (None, None) => forms(rule, words),
        };
        let validator = rule.validator.as_ref().map_or_else(
            || "None".to_owned(),
            |name| format!("Some(Validator::{})", pascal(name.as_ref())),
        );
        writeln!(
            out,
            "Rule {{ id: {:?}, kind: Kind::{}, confidence: Confidence::{}, recognise: {recognise}, \
             keywords: &{:?}, ignore_case: {}, keys: &{:?}, not_keys: &{:?}, context: &{:?}, \
             validator: {validator}, min_entropy: {:?}, max_len: {} }},",
            rule.id.as_ref(),
            pascal(rule.kind.as_ref()),
            pascal(rule.confidence.as_ref()),
            plain(&rule.keywords),
            rule.ignore_case,
            plain(&rule.keys),
            plain(&rule.not_keys),
            plain(&rule.context),
            rule.min_entropy,
            rule.max_len(),
        )
        .expect("writing to a string does not fail");
    }
    out.push_str("];\n");
    out
}

fn forms(rule: &DetectorRule, shared: &[Spanned<String>]) -> String {
    let words: Vec<&Spanned<String>> = rule.words.iter().chain(shared).collect();
    let words: BTreeSet<String> =
        words.into_iter().flat_map(|word| spellings(word.as_ref())).collect();
    let words = format!("{:?}", Vec::from_iter(words));
    let check = rule
        .check
        .as_ref()
        .map_or_else(|| "None".to_owned(), |name| format!("Some(check_digits::{})", name.as_ref()));
    format!(
        "Recognise::Forms(&Forms {{ anywhere: &{:?}, alone: &{:?}, near: &{:?}, words: &{words}, \
         any_case: {}, check: {check} }})",
        plain(&rule.forms),
        plain(&rule.alone),
        plain(&rule.near),
        rule.any_case,
    )
}

/// The word, and where it has letters beyond ASCII, whose case the engine does not fold: in capitals,
/// with a capital at the start of the first word or of each, and without accents.
fn spellings(word: &str) -> Vec<String> {
    if word.is_ascii() {
        return vec![word.to_owned()];
    }
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(char::to_uppercase).into_iter().flatten().chain(letters).collect()
    };
    let each: Vec<String> = word.split(' ').map(capital).collect();
    let mut plain = Vec::new();
    fold::each(word.as_bytes(), |byte| plain.push(byte));
    // A word of another alphabet stays as it is; a short one may be another word without its accents.
    let latin = word.chars().all(|letter| letter < '\u{370}');
    let plain = String::from_utf8(plain).ok();
    let plain = plain.filter(|plain| latin && plain.is_ascii() && plain.len() > 4);
    let mut spellings = vec![word.to_owned(), word.to_uppercase(), capital(word), each.join(" ")];
    spellings.extend(plain);
    // The case of ASCII letters is folded: words have small ones.
    for spelling in &mut spellings {
        spelling.make_ascii_lowercase();
    }
    spellings
}

/// The rule files themselves, for who asks for descriptions and examples.
pub(crate) fn sources(files: &[PathBuf]) -> String {
    let mut out = String::from("static SOURCES: &[(&str, &str)] = &[\n");
    for path in files {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = format!("rules/{name}");
        let path = path.to_str().expect("the checkout has a UTF-8 path");
        writeln!(out, "({name:?}, include_str!({path:?})),")
            .expect("writing to a string does not fail");
    }
    out.push_str("];\n");
    out
}

fn plain(texts: &[Spanned<String>]) -> Vec<&String> {
    texts.iter().map(AsRef::as_ref).collect()
}

fn pascal(name: &str) -> String {
    name.split('-')
        .flat_map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_ascii_uppercase())
                .into_iter()
                .chain(letters)
                .collect::<Vec<_>>()
        })
        .collect()
}
