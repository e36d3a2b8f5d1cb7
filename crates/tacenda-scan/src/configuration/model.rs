//! What options, variables and loggers mean: `models/configuration.toml`.

use std::ops::Range;
use std::sync::LazyLock;

use serde::Deserialize;

use super::words::{Word, commands};
use super::{Hit, Hits};
use crate::Confidence;

/// A program is looked for among so many first words: `exec uv run python -m mlx_lm server`.
const MAX_PREFIX: usize = 8;

#[derive(Deserialize)]
pub(super) struct Model {
    option: Vec<Entry>,
    server: Vec<Entry>,
    variable: Vec<Entry>,
    logger: Vec<Entry>,
    assignment: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    rule: String,
    confidence: Confidence,
    #[serde(default)]
    programs: Vec<String>,
    #[serde(default)]
    names: Vec<String>,
    #[serde(default, alias = "levels")]
    values: Vec<String>,
    /// The names of the files that it stands in.
    #[serde(default)]
    files: Vec<String>,
    /// What stands beside it, one of these at least.
    #[serde(default)]
    beside: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that no entry escapes"))]
    examples: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "read by the test that no entry escapes"))]
    counter_examples: Vec<String>,
}

pub(super) static MODEL: LazyLock<Model> = LazyLock::new(|| {
    toml::from_str(include_str!("../../../../models/configuration.toml"))
        .expect("models/configuration.toml is valid")
});

impl Model {
    /// A command that starts a program.
    pub(super) fn command(&self, words: &[Word], hits: &mut Hits) {
        let guarded = is_guarded(words);
        for word in words.iter().filter(|word| word.text.contains([' ', '\n'])) {
            // `sh -c "…"`
            for command in commands(&word.text, 0, Some(&word.place)) {
                self.command(&command, hits);
            }
        }
        for word in words {
            let Some((name, value)) = word.text.split_once('=') else { break };
            if !name.starts_with('-') {
                self.variable(name, value, &word.place, hits);
            }
        }
        for entry in &self.option {
            let Some(at) = entry.program(words) else { continue };
            if let Some(place) = entry.option(&words[at..]) {
                // What it logs is cleaned.
                let confidence = if guarded { Confidence::Low } else { entry.confidence };
                hits.push(Hit::new(&entry.rule, place, confidence));
            }
        }
        for entry in self.server.iter().filter(|_| !guarded) {
            if let Some(at) = entry.program(words) {
                hits.push(Hit::new(&entry.rule, words[at].place.clone(), entry.confidence));
            }
        }
    }

    /// A variable of the environment of a program.
    pub(super) fn variable(&self, name: &str, value: &str, place: &Range<usize>, hits: &mut Hits) {
        let value = value.trim().trim_matches(['\'', '"']);
        let entry = self
            .variable
            .iter()
            .find(|entry| entry.names.iter().any(|one| one == name) && entry.has_value(value));
        if let Some(entry) = entry {
            hits.push(Hit::new(&entry.rule, place.clone(), entry.confidence));
        }
        if name == "GUNICORN_CMD_ARGS" {
            let all = format!("gunicorn {value}");
            for command in commands(&all, 0, Some(place)) {
                self.command(&command, hits);
            }
        }
    }

    /// The level of a logger.
    pub(super) fn logger(&self, name: &str, level: &str, place: &Range<usize>, hits: &mut Hits) {
        let below = |one: &String| {
            name == one || name.strip_prefix(one.as_str()).is_some_and(|rest| rest.starts_with('.'))
        };
        // The pools of a database say nothing of its statements.
        let is_pool = name.rsplit('.').next() == Some("pool");
        let named =
            |entry: &&Entry| entry.names.iter().any(below) && !is_pool && entry.has_value(level);
        if let Some(entry) = self.logger.iter().find(named) {
            hits.push(Hit::new(&entry.rule, place.clone(), entry.confidence));
        }
    }

    /// A variable of a module that a framework reads; `beside` tells whether it has another one.
    pub(super) fn assignment(
        &self,
        file: &str,
        beside: impl Fn(&str) -> bool,
        (name, value): (&str, &str),
        place: &Range<usize>,
        hits: &mut Hits,
    ) {
        let entry = self.assignment.iter().find(|entry| {
            entry.names.iter().any(|one| one == name)
                && entry.has_value(value)
                && (entry.files.is_empty() || entry.files.iter().any(|one| one == file))
                && (entry.beside.is_empty() || entry.beside.iter().any(|one| beside(one)))
        });
        if let Some(entry) = entry {
            hits.push(Hit::new(&entry.rule, place.clone(), entry.confidence));
        }
    }

    /// All words that mean something here: a report may show them.
    pub(super) fn vocabulary(&self) -> impl Iterator<Item = &str> {
        let entries = [&self.option, &self.server, &self.variable, &self.logger, &self.assignment];
        entries.into_iter().flatten().flat_map(|entry| {
            let words = entry.programs.iter().chain(&entry.names).chain(&entry.values);
            words.flat_map(|words| words.split(' '))
        })
    }
}

impl Entry {
    fn has_value(&self, value: &str) -> bool {
        self.values.iter().any(|one| one.eq_ignore_ascii_case(value))
    }

    /// Where the last word of the program is.
    fn program(&self, words: &[Word]) -> Option<usize> {
        let base = |word: &Word| word.text.rsplit('/').next().unwrap_or_default().to_owned();
        let front: Vec<String> = words.iter().take(MAX_PREFIX).map(base).collect();
        self.programs.iter().find_map(|program| {
            let program: Vec<&str> = program.split(' ').collect();
            let at = front.windows(program.len()).position(|window| window == program)?;
            front[..at].iter().all(|word| is_prefix(word)).then_some(at + program.len() - 1)
        })
    }

    /// Where an option of this entry is set to a value of it.
    fn option(&self, words: &[Word]) -> Option<Range<usize>> {
        let mut words = words.iter().skip(1).peekable();
        while let Some(word) = words.next() {
            let (name, value) = match word.text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (word.text.as_str(), None),
            };
            if !self.names.iter().any(|one| one == name) {
                continue;
            }
            if self.values.is_empty() {
                return Some(word.place.clone());
            }
            match (value, words.peek()) {
                (Some(value), _) if self.has_value(value) => return Some(word.place.clone()),
                (None, Some(next)) if self.has_value(&next.text) => {
                    return Some(word.place.start..next.place.end);
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether a word may stand before a program, to start it.
fn is_prefix(word: &str) -> bool {
    let interpreter = word
        .strip_prefix("python")
        .is_some_and(|version| version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    interpreter
        || word.starts_with('-')
        || word.contains('=')
        || matches!(
            word,
            "exec"
                | "env"
                | "nohup"
                | "time"
                | "sudo"
                | "run"
                | "uv"
                | "uvx"
                | "poetry"
                | "pipenv"
                | "pdm"
                | "hatch"
                | "pixi"
                | "conda"
                | "tini"
                | "dumb-init"
                | "tacenda"
                | "opentelemetry-instrument"
                | "ddtrace-run"
        )
}

/// Whether the program is started by `tacenda run`.
fn is_guarded(words: &[Word]) -> bool {
    let is = |word: &Word, name: &str| word.text.rsplit('/').next() == Some(name);
    words.windows(2).take(MAX_PREFIX).any(|two| is(&two[0], "tacenda") && is(&two[1], "run"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ruff_python_ast::PySourceType;
    use ruff_python_parser::parse_unchecked_source;

    use super::*;
    use crate::lexicon::Lexicon;
    use crate::lower::lower;

    fn told(find: &dyn Fn(&mut Hits), rule: &str) -> bool {
        let mut hits = Hits::new();
        find(&mut hits);
        hits.iter().any(|hit| hit.rule.code == rule)
    }

    #[test]
    fn every_entry_finds_its_examples_and_leaves_its_counter_examples() {
        type Told<'a> = &'a dyn Fn(&str, &str) -> bool;
        let model = &*MODEL;
        let command = |text: &str, rule: &str| {
            let all = commands(text, 0, None);
            told(&|hits| all.iter().for_each(|one| model.command(one, hits)), rule)
        };
        let pair = |text: &str| {
            let (name, value) = text.split_once('=').expect("name=value");
            (name.to_owned(), value.to_owned())
        };
        let variable = |text: &str, rule: &str| {
            let (name, value) = pair(text);
            told(&|hits| model.variable(&name, &value, &(0..0), hits), rule)
        };
        let logger = |text: &str, rule: &str| {
            let (name, value) = pair(text);
            told(&|hits| model.logger(&name, &value, &(0..0), hits), rule)
        };
        let assignment = |text: &str, rule: &str| {
            let parsed = parse_unchecked_source(text, PySourceType::Python);
            let (module, _) = lower(parsed.suite(), &Lexicon::default());
            let files = model.assignment.iter().flat_map(|entry| &entry.files);
            files.map(String::as_str).chain(["settings.py"]).any(|file| {
                let found = super::super::python::variables(Path::new(file), &module.body);
                found.iter().any(|(found, _)| found.code == rule)
            })
        };
        let kinds: [(&[Entry], Told<'_>); 5] = [
            (&model.option, &command),
            (&model.server, &command),
            (&model.variable, &variable),
            (&model.logger, &logger),
            (&model.assignment, &assignment),
        ];
        for (entries, told) in kinds {
            for entry in entries {
                assert!(!entry.examples.is_empty() && !entry.counter_examples.is_empty());
                for example in &entry.examples {
                    assert!(told(example, &entry.rule), "{} in {example}", entry.rule);
                }
                for counter in &entry.counter_examples {
                    assert!(!told(counter, &entry.rule), "{} in {counter}", entry.rule);
                }
            }
        }
    }
}
