//! The models of libraries: `models/*.toml`, which are part of the binary.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use crate::Confidence;
use crate::label::Label;
use crate::lexicon::words;

/// Where something is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A log.
    Log,
    /// Standard output or error.
    Console,
    /// An experiment tracker.
    Tracker,
    /// A trace or an error report.
    Trace,
    /// The message of an exception.
    Exception,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    sink: Vec<Sink>,
    #[serde(default)]
    source: Vec<Source>,
    #[serde(default)]
    propagator: Vec<Treatment>,
    #[serde(default)]
    sanitizer: Vec<Treatment>,
    #[serde(default)]
    request: Vec<Request>,
    #[serde(default, rename = "secret-file")]
    secrets_in: Vec<SecretFile>,
}

/// Functions that send a request to an address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[expect(dead_code, reason = "names the entry for who reads the file")]
    id: String,
    calls: Vec<String>,
}

/// Files that hold a credential, by parts of their paths.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretFile {
    #[expect(dead_code, reason = "names the entry for who reads the file")]
    id: String,
    contains: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sink {
    id: String,
    channel: Channel,
    #[serde(default)]
    calls: Vec<String>,
    #[serde(default)]
    methods: HashSet<String>,
    #[serde(default)]
    receivers: HashSet<String>,
    #[serde(default, rename = "text-first")]
    text_first: bool,
    examples: Vec<String>,
    counter_examples: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    id: String,
    label: Label,
    confidence: Confidence,
    #[serde(default)]
    calls: Vec<String>,
    #[serde(default)]
    attributes: Vec<String>,
    examples: Vec<String>,
    counter_examples: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Treatment {
    #[expect(dead_code, reason = "names the entry for who reads the file")]
    id: String,
    #[serde(default)]
    calls: HashSet<String>,
    #[serde(default)]
    methods: HashSet<String>,
    #[serde(default, rename = "first-words")]
    first_words: HashSet<String>,
    #[serde(default, rename = "last-words")]
    last_words: HashSet<String>,
    #[serde(default)]
    words: HashSet<String>,
    #[serde(default)]
    with: HashSet<String>,
}

/// What a call writes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SinkMatch {
    /// Where.
    pub(crate) channel: Channel,
    /// Whether it counts only if its first argument is a text.
    pub(crate) text_first: bool,
}

/// What a function does to its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It gives back what cannot leak.
    Cleans,
    /// It gives back its arguments in another form.
    Carries,
    /// Nothing is known.
    Unknown,
}

/// All models.
pub(crate) struct Models {
    file: File,
    sink_calls: HashMap<String, SinkMatch>,
    methods: HashSet<String>,
    source_calls: HashMap<String, Vec<usize>>,
    source_attributes: HashMap<String, Vec<usize>>,
}

/// The models of the binary.
pub(crate) static MODELS: LazyLock<Models> = LazyLock::new(|| {
    let mut file = File::default();
    for text in [
        include_str!("../../../models/channels.toml"),
        include_str!("../../../models/sources.toml"),
        include_str!("../../../models/functions.toml"),
    ] {
        let one: File = toml::from_str(text).expect("the models of the binary are valid");
        file.sink.extend(one.sink);
        file.source.extend(one.source);
        file.propagator.extend(one.propagator);
        file.sanitizer.extend(one.sanitizer);
        file.request.extend(one.request);
        file.secrets_in.extend(one.secrets_in);
    }
    Models::new(file)
});

impl Models {
    fn new(file: File) -> Self {
        let mut sink_calls = HashMap::default();
        let mut methods = HashSet::default();
        for sink in &file.sink {
            let found = SinkMatch { channel: sink.channel, text_first: sink.text_first };
            sink_calls.extend(sink.calls.iter().map(|call| (call.clone(), found)));
            methods.extend(sink.methods.iter().cloned());
        }
        let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_owned();
        let mut source_calls: HashMap<String, Vec<usize>> = HashMap::default();
        let mut source_attributes: HashMap<String, Vec<usize>> = HashMap::default();
        for (at, source) in file.source.iter().enumerate() {
            for call in &source.calls {
                source_calls.entry(last(call)).or_default().push(at);
            }
            for attribute in &source.attributes {
                source_attributes.entry(last(attribute)).or_default().push(at);
            }
        }
        Self { file, sink_calls, methods, source_calls, source_attributes }
    }

    /// What a call of this path writes to.
    pub(crate) fn sink_call(&self, path: &str) -> Option<SinkMatch> {
        self.sink_calls.get(path).copied()
    }

    /// What a call of this method of this receiver writes to.
    pub(crate) fn sink_method(&self, receiver: &str, method: &str) -> Option<SinkMatch> {
        if !self.methods.contains(method) {
            return None;
        }
        let receiver = words(receiver);
        self.file.sink.iter().find_map(|sink| {
            let holds = sink.methods.contains(method)
                && receiver.last().is_some_and(|word| sink.receivers.contains(word))
                || sink.methods.contains(method)
                    && sink.receivers.contains("log")
                    && receiver.iter().any(|word| word == "log" || word == "logger");
            holds.then_some(SinkMatch { channel: sink.channel, text_first: sink.text_first })
        })
    }

    /// Whether a method of this name of a logger writes.
    pub(crate) fn may_log(&self, method: &str) -> bool {
        self.methods.contains(method) && self.sink_method("log", method).is_some()
    }

    /// Whether a call of this path sends a request to an address that it is handed.
    pub(crate) fn requests(&self, last: &str, path: impl FnOnce() -> Option<String>) -> bool {
        let ends = |call: &str| call.rsplit('.').next() == Some(last);
        let mut calls = self.file.request.iter().flat_map(|one| &one.calls);
        if !calls.clone().any(|call| ends(call)) {
            return false;
        }
        let Some(path) = path() else { return false };
        calls.any(|call| match call.strip_prefix('.') {
            Some(_) => path.ends_with(call.as_str()),
            None => path == *call,
        })
    }

    /// Whether a path is that of a file that holds a credential.
    pub(crate) fn is_secret_file(&self, path: &str) -> bool {
        let mut parts = self.file.secrets_in.iter().flat_map(|one| &one.contains);
        parts.any(|part| path.contains(part.as_str()))
    }

    /// Whether something of this name writes, on whatever it is called.
    pub(crate) fn may_write(&self, name: &str) -> bool {
        let last = |call: &String| call.rsplit('.').next() == Some(name);
        self.methods.contains(name) || self.file.sink.iter().any(|sink| sink.calls.iter().any(last))
    }

    /// What a call of this path brings in.
    pub(crate) fn source_call(
        &self,
        last: &str,
        path: impl FnOnce() -> Option<String>,
    ) -> Option<(Label, Confidence)> {
        let candidates = self.source_calls.get(last)?;
        let path = path()?;
        self.source(candidates, &path, |source| &source.calls)
    }

    /// What reading this attribute brings in.
    pub(crate) fn source_attribute(
        &self,
        last: &str,
        path: impl FnOnce() -> Option<String>,
    ) -> Option<(Label, Confidence)> {
        let candidates = self.source_attributes.get(last)?;
        let path = path()?;
        self.source(candidates, &path, |source| &source.attributes)
    }

    fn source(
        &self,
        candidates: &[usize],
        path: &str,
        of: impl Fn(&Source) -> &Vec<String>,
    ) -> Option<(Label, Confidence)> {
        let source = candidates.iter().map(|at| &self.file.source[*at]).find(|source| {
            of(source).iter().any(|known| match known.strip_prefix('.') {
                Some(end) => {
                    path == end || path.ends_with(known.as_str()) || {
                        // `_request.headers` and `self.request.headers` alike.
                        path.strip_suffix(end).is_some_and(|front| front.ends_with(['.', '_']))
                    }
                }
                None => path == known,
            })
        })?;
        Some((source.label, source.confidence))
    }

    /// What a function of this name does to its arguments.
    pub(crate) fn effect(&self, name: &str, method: bool) -> Effect {
        let named =
            |one: &Treatment| one.calls.contains(name) && !method || one.methods.contains(name);
        if self.file.propagator.iter().any(named) {
            return Effect::Carries;
        }
        if self.file.sanitizer.iter().any(named) {
            return Effect::Cleans;
        }
        let words = words(name);
        let any = |set: &HashSet<String>| words.iter().any(|word| set.contains(word));
        let treats = |one: &Treatment| any(&one.words) && (one.with.is_empty() || any(&one.with));
        if self.file.sanitizer.iter().any(treats) {
            return Effect::Cleans;
        }
        let makes = |one: &Treatment| {
            words.first().is_some_and(|word| one.first_words.contains(word))
                && (one.last_words.is_empty()
                    || words.last().is_some_and(|word| one.last_words.contains(word)))
        };
        if self.file.propagator.iter().any(makes) { Effect::Carries } else { Effect::Unknown }
    }

    /// Whether the name of a function says that it makes a value fit to be written.
    pub(crate) fn redacts(&self, name: &str) -> bool {
        let words = words(name);
        let any = |set: &HashSet<String>| words.iter().any(|word| set.contains(word));
        self.file
            .sanitizer
            .iter()
            .any(|one| any(&one.words) && (one.with.is_empty() || any(&one.with)))
    }

    /// The examples of all sinks and sources: id, examples, counter-examples.
    pub(crate) fn examples(&self) -> impl Iterator<Item = (&str, &[String], &[String])> {
        let sinks =
            self.file.sink.iter().map(|one| (&*one.id, &*one.examples, &*one.counter_examples));
        let sources =
            self.file.source.iter().map(|one| (&*one.id, &*one.examples, &*one.counter_examples));
        sinks.chain(sources)
    }
}
