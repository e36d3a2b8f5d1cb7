//! The user's own models: read and checked when a scan begins.

use std::ops::Range;
use std::path::Path;

use rustc_hash::FxHashSet as HashSet;
use sha2::{Digest as _, Sha256};
use tacenda_policy::{PolicyError, Positions, is_word, nearest};
use toml::de::DeTable;

use super::file::{File, Text};
use super::table::Table;
use super::{Models, Own};
use crate::files::Source;
use crate::lexicon::{Lexicon, words};
use crate::scan::{Setup, scan_watched};

/// What is wrong with a model file. No message holds a value of the file.
struct Fault {
    span: Range<usize>,
    message: String,
    hint: Option<String>,
}

impl Models {
    /// Those of the binary, and before them the user's own: model files, by their names and texts.
    ///
    /// # Errors
    /// Every fault, at least one; of a file that is not in the format the first.
    pub fn read<'t>(
        files: impl IntoIterator<Item = (&'t Path, &'t str)>,
    ) -> Result<Self, Vec<PolicyError>> {
        let mut whole: Option<File> = None;
        let mut digest = Sha256::new();
        let mut ids = HashSet::default();
        let mut faults = Vec::new();
        for (name, text) in files {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
            let (file, mut found) = match parsed(text) {
                Ok(file) => checked(file, &mut ids),
                Err(fault) => (File::default(), vec![fault]),
            };
            found.sort_by_key(|fault| fault.span.start);
            let positions = Positions::new(name.into(), text);
            faults.extend(found.into_iter().map(|fault| fault.at(&positions)));
            whole.get_or_insert_default().extend(file);
        }
        match whole {
            _ if !faults.is_empty() => Err(faults),
            Some(file) => Ok(Self::with(file, digest.finalize().into())),
            None => Ok(Self::default()),
        }
    }

    fn with(file: File, digest: [u8; 32]) -> Self {
        let names = Lexicon::with(&file.names, &file.harmless);
        let table = Table::new(file);
        let (functions, classes) = (table.functions(), table.holders());
        Self { own: Some(Own { table, functions, classes, digest }), names }
    }
}

impl Fault {
    fn new(text: &Text, message: impl Into<String>, hint: &str) -> Self {
        Self { span: text.span(), message: message.into(), hint: Some(hint.to_owned()) }
    }

    fn at(self, positions: &Positions<'_>) -> PolicyError {
        let Self { span, message, hint } = self;
        PolicyError::Rule { place: positions.place(&span), message, hint }
    }
}

fn parsed(text: &str) -> Result<File, Fault> {
    if let Err(error) = DeTable::parse(text) {
        // Fixed words of the parser; its `Display` would show the line.
        let message = format!("invalid TOML: {}", error.message());
        return Err(Fault { span: error.span().unwrap_or(0..0), message, hint: None });
    }
    toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        let written = text.get(span.clone()).unwrap_or_default().trim_matches(['"', '\'']);
        let (message, hint) = in_fixed_words(error.message(), written);
        Fault { span, message, hint }
    })
}

/// What is wrong, without the text that was found, and what was most likely meant.
fn in_fixed_words(said: &str, written: &str) -> (String, Option<String>) {
    let named = |list: &str| -> Vec<String> {
        list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let (found, expected) = said.split_once(", expected ").unwrap_or((said, ""));
    let choices = named(expected);
    let hint = nearest(written, choices.iter().map(String::as_str))
        .map(|meant| format!("did you mean `{meant}`?"));
    let listed = || choices.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
    if found.starts_with("unknown field") {
        let key = if is_word(written) { format!(" `{written}`") } else { String::new() };
        let valid = || format!("valid here: {}", listed());
        return (format!("unknown key{key}"), Some(hint.unwrap_or_else(valid)));
    }
    if found.starts_with("unknown variant") {
        return (format!("expected one of {}", listed()), hint);
    }
    if let Some(field) = named(found).first().filter(|_| found.starts_with("missing field")) {
        return (format!("no `{field}`"), None);
    }
    let expected = match expected {
        "a sequence" => "a list",
        "a string" => "text in quotes",
        "a boolean" => "true or false",
        "" => found.strip_prefix("expected ").unwrap_or("another value"),
        other if other.starts_with("struct ") => "tables",
        other => other,
    };
    (format!("expected {expected}"), None)
}

const PATH: &str = "write `package.module.function` or `package.module.Class.method`, or \
                    `.function` for whatever ends so";
const PHRASE: &str = "write words in small letters with spaces between: `api key` stands for \
                      api_key, apiKey and API_KEY";
const NOTHING: &str =
    "name functions by their import paths: `calls = [\"package.module.function\"]`";

/// The file, and what in it is in the format and still wrong.
fn checked(file: File, ids: &mut HashSet<String>) -> (File, Vec<Fault>) {
    let mut faults = Vec::new();
    for id in file.ids() {
        if !ids.insert(id.as_ref().clone()) {
            faults.push(Fault::new(id, "two models have this id", "give each its own"));
        }
    }
    let mut nothing = |id: &Text, nothing: bool| {
        if nothing {
            faults.push(Fault::new(id, "the model of this id names nothing", NOTHING));
        }
    };
    for one in &file.sink {
        nothing(&one.id, one.calls.is_empty() && one.methods.is_empty());
    }
    for one in &file.source {
        nothing(&one.id, one.calls.is_empty() && one.attributes.is_empty());
    }
    for one in file.propagator.iter().chain(&file.sanitizer) {
        let by_name = [&one.methods, &one.first_words, &one.words];
        nothing(&one.id, one.calls.is_empty() && by_name.iter().all(|set| set.is_empty()));
    }
    for sink in file.sink.iter().filter(|sink| sink.methods.is_empty() != sink.receivers.is_empty())
    {
        faults.push(Fault::new(
            &sink.id,
            "`methods` and `receivers` stand together",
            "`receivers` are the last words of what the methods are called on",
        ));
    }
    let treatments = file.propagator.iter().chain(&file.sanitizer);
    let calls = file.sink.iter().flat_map(|one| &one.calls);
    let calls =
        calls.chain(file.source.iter().flat_map(|one| one.calls.iter().chain(&one.attributes)));
    let calls = calls.chain(treatments.flat_map(|one| &one.calls));
    let calls = calls.chain(file.request.iter().flat_map(|one| &one.calls));
    for call in calls.filter(|call| !is_import_path(call.as_ref())) {
        faults.push(Fault::new(call, "expected the import path of a function", PATH));
    }
    let phrases = file.names.iter().flat_map(|one| &one.phrases);
    let phrases = phrases.chain(file.harmless.iter().flat_map(|one| &one.phrases));
    for phrase in phrases.filter(|phrase| !is_phrase(phrase.as_ref())) {
        faults.push(Fault::new(phrase, "expected the words of a name", PHRASE));
    }
    for part in file.secrets_in.iter().flat_map(|one| &one.contains) {
        if part.as_ref().is_empty() {
            faults.push(Fault::new(part, "expected a part of a path", "`/run/secrets/`, say"));
        }
    }
    if !faults.is_empty() {
        return (file, faults);
    }
    let models = Models::with(file, [0; 32]);
    let faults = lying_examples(&models);
    let file = models.own.map(|own| own.table.file).unwrap_or_default();
    (file, faults)
}

/// `package.module.function`, `.function`
fn is_import_path(text: &str) -> bool {
    let is_name = |name: &str| {
        name.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
            && !name.starts_with(|letter: char| letter.is_numeric())
            && !name.is_empty()
    };
    let (end, least) = match text.strip_prefix('.') {
        Some(end) => (end, 1),
        None => (text, 2),
    };
    end.split('.').all(is_name) && end.split('.').count() >= least
}

/// `api key`; numbers at the end of a name are passed over, so that no phrase ends in one.
fn is_phrase(text: &str) -> bool {
    let words = words(text);
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    words.last().is_some_and(|word| !is_number(word)) && words.join(" ") == text
}

/// Examples in which nothing is found, and counter-examples in which something is.
fn lying_examples(models: &Models) -> Vec<Fault> {
    let Some(own) = &models.own else { return Vec::new() };
    let file = &own.table.file;
    let mut faults = Vec::new();
    let mut check = |text: &Text, found: bool, wanted: bool| {
        if found != wanted {
            let (what, found) = if wanted {
                ("example", "finds nothing in it")
            } else {
                ("counter-example", "finds something in it")
            };
            let hint = "a model has to find its examples and to leave its counter-examples";
            faults.push(Fault::new(text, format!("the {what} is wrong: a scan {found}"), hint));
        }
    };
    for (_, examples, counter_examples, least) in file.examples() {
        let is_found = |text: &Text| {
            let source = Source::text("example.py", text.as_ref().clone());
            let setup = Setup { models, threads: 1 };
            let report = scan_watched(&[source], setup, &|| {});
            report.findings.iter().any(|finding| finding.confidence >= least)
        };
        for example in examples {
            check(example, is_found(example), true);
        }
        for example in counter_examples {
            check(example, is_found(example), false);
        }
    }
    for names in &file.names {
        let is_found = |name: &Text| names.is_said_by(models.classify(name.as_ref()));
        for example in &names.examples {
            check(example, is_found(example), true);
        }
        for example in &names.counter_examples {
            check(example, is_found(example), false);
        }
    }
    faults
}
