//! What model files say, to be asked by name.

use ruff_python_ast::name::Name;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use super::file::{File, Source, Text, Treatment};
use super::{Effect, SinkMatch};
use crate::Confidence;
use crate::label::Label;
use crate::lexicon::words;

/// What some files say.
pub(super) struct Table {
    pub(super) file: File,
    /// The sinks, by the whole paths of functions.
    sink_calls: HashMap<String, usize>,
    methods: HashSet<String>,
    /// The last names of all that writes.
    writers: HashSet<String>,
    /// By the last names of paths.
    source_calls: HashMap<String, Vec<usize>>,
    source_attributes: HashMap<String, Vec<usize>>,
    requests: HashMap<String, Vec<String>>,
    /// What functions do to their arguments, by their names, and what methods do.
    functions: HashMap<String, Effect>,
    methods_of_any: HashMap<String, Effect>,
    /// The words of which one is in the name of whatever cleans by its words.
    cleaning: HashSet<String>,
}

impl Table {
    pub(super) fn new(file: File) -> Self {
        let mut sink_calls = HashMap::default();
        let mut methods = HashSet::default();
        let mut writers: HashSet<String> = HashSet::default();
        for (at, sink) in file.sink.iter().enumerate() {
            sink_calls.extend(sink.calls.iter().map(|call| (call.as_ref().clone(), at)));
            methods.extend(sink.methods.iter().cloned());
            writers.extend(sink.calls.iter().map(|call| last(call.as_ref()).to_owned()));
            writers.extend(sink.methods.iter().cloned());
        }
        let mut source_calls: HashMap<String, Vec<usize>> = HashMap::default();
        let mut source_attributes: HashMap<String, Vec<usize>> = HashMap::default();
        for (at, source) in file.source.iter().enumerate() {
            for call in &source.calls {
                source_calls.entry(last(call.as_ref()).to_owned()).or_default().push(at);
            }
            for attribute in &source.attributes {
                source_attributes.entry(last(attribute.as_ref()).to_owned()).or_default().push(at);
            }
        }
        let mut requests: HashMap<String, Vec<String>> = HashMap::default();
        for call in file.request.iter().flat_map(|one| &one.calls) {
            let call = call.as_ref();
            requests.entry(last(call).to_owned()).or_default().push(call.clone());
        }
        let mut functions = HashMap::default();
        let mut methods_of_any = HashMap::default();
        let carries = file.propagator.iter().map(|one| (one, Effect::Carries));
        let cleans = file.sanitizer.iter().map(|one| (one, Effect::Cleans));
        for (treatment, effect) in carries.chain(cleans) {
            for method in &treatment.methods {
                methods_of_any.entry(method.clone()).or_insert(effect);
                functions.entry(method.clone()).or_insert(effect);
            }
            for call in &treatment.calls {
                functions.entry(call.as_ref().clone()).or_insert(effect);
            }
        }
        let cleaning = file.sanitizer.iter().flat_map(|one| one.words.iter().cloned()).collect();
        Self {
            file,
            sink_calls,
            methods,
            writers,
            source_calls,
            source_attributes,
            requests,
            functions,
            methods_of_any,
            cleaning,
        }
    }

    fn sink(&self, at: usize) -> SinkMatch<'_> {
        let sink = &self.file.sink[at];
        SinkMatch { channel: sink.channel, text_first: sink.text_first, arguments: &sink.arguments }
    }

    pub(super) fn sink_call(&self, path: &str) -> Option<SinkMatch<'_>> {
        self.sink_calls.get(path).map(|at| self.sink(*at))
    }

    pub(super) fn sink_method(&self, receiver: &str, method: &str) -> Option<SinkMatch<'_>> {
        if !self.methods.contains(method) {
            return None;
        }
        let receiver = words(receiver);
        let at = self.file.sink.iter().position(|sink| {
            sink.methods.contains(method)
                && (receiver.last().is_some_and(|word| sink.receivers.contains(word.as_str()))
                    || sink.receivers.contains("log")
                        && receiver.iter().any(|word| word == "log" || word.ends_with("logger")))
        })?;
        Some(self.sink(at))
    }

    pub(super) fn may_write(&self, name: &str) -> bool {
        self.writers.contains(name)
    }

    pub(super) fn requests(&self, name: &str) -> impl Iterator<Item = &str> {
        self.requests.get(name).into_iter().flatten().map(String::as_str)
    }

    /// Whether methods of a class of this path send requests.
    pub(super) fn sends_requests(&self, class: &str) -> bool {
        let mut calls = self.file.request.iter().flat_map(|one| &one.calls);
        calls.any(|call| {
            call.as_ref().rsplit_once('.').is_some_and(|(front, _)| is_path(front, class))
        })
    }

    pub(super) fn is_secret_file(&self, path: &str) -> bool {
        let mut parts = self.file.secrets_in.iter().flat_map(|one| &one.contains);
        parts.any(|part| path.contains(part.as_ref().as_str()))
    }

    /// Whether a source of calls ends in this name.
    pub(super) fn gives(&self, name: &str) -> bool {
        self.source_calls.contains_key(name)
    }

    pub(super) fn source_call(&self, name: &str, path: &str) -> Option<(Label, Confidence)> {
        self.source(self.source_calls.get(name)?, path, |source| &source.calls)
    }

    /// Whether a source of attributes ends in this name.
    pub(super) fn holds(&self, name: &str) -> bool {
        self.source_attributes.contains_key(name)
    }

    pub(super) fn source_attribute(&self, name: &str, path: &str) -> Option<(Label, Confidence)> {
        self.source(self.source_attributes.get(name)?, path, |source| &source.attributes)
    }

    fn source(
        &self,
        candidates: &[usize],
        path: &str,
        of: impl Fn(&Source) -> &Vec<Text>,
    ) -> Option<(Label, Confidence)> {
        let source = candidates
            .iter()
            .map(|at| &self.file.source[*at])
            .find(|source| of(source).iter().any(|known| is_path(known.as_ref(), path)))?;
        Some((source.label, source.confidence))
    }

    /// What a function does to its arguments, by its name.
    pub(super) fn effect(&self, name: &str, method: bool) -> Effect {
        let named = if method { &self.methods_of_any } else { &self.functions };
        if let Some(effect) = named.get(name) {
            return *effect;
        }
        let words = words(name);
        if self.cleans(&words) {
            return Effect::Cleans;
        }
        let makes = |one: &Treatment| {
            words.first().is_some_and(|word| one.first_words.contains(word.as_str()))
                && (one.last_words.is_empty()
                    || words.last().is_some_and(|word| one.last_words.contains(word.as_str())))
        };
        if self.file.propagator.iter().any(makes) { Effect::Carries } else { Effect::Unknown }
    }

    pub(super) fn redacts(&self, name: &str) -> bool {
        self.cleans(&words(name))
    }

    /// Whether one of these words, with others beside it, says that a function cleans.
    fn cleans(&self, words: &[Name]) -> bool {
        // `_build_response_log`: what it makes is written, not what it takes out.
        if let [first, .., last] = words
            && last == "log"
            && matches!(first.as_str(), "build" | "make" | "create" | "compose" | "format")
        {
            return false;
        }
        if !words.iter().any(|word| self.cleaning.contains(word.as_str())) {
            return false;
        }
        let treats = |one: &Treatment| {
            let with = |at: usize| {
                let mut others = words.iter().enumerate().filter(|(other, _)| *other != at);
                one.with.is_empty() || others.any(|(_, word)| one.with.contains(word.as_str()))
            };
            words.iter().enumerate().any(|(at, word)| one.words.contains(word.as_str()) && with(at))
        };
        self.file.sanitizer.iter().any(treats)
    }

    /// The last names of all functions that are named by their paths.
    pub(super) fn functions(&self) -> HashSet<String> {
        self.calls().map(|call| last(call).to_owned()).collect()
    }

    /// The names of the modules and classes that these stand in.
    pub(super) fn holders(&self) -> HashSet<String> {
        let holder = |call: &str| call.rsplit_once('.').map(|(front, _)| last(front).to_owned());
        self.calls().filter_map(holder).collect()
    }

    /// What a sink, by the path of a function, writes.
    pub(super) fn sink_at(&self, path: &str) -> Option<SinkMatch<'_>> {
        let sinks = || self.file.sink.iter();
        let at = sinks().position(|sink| is_any(&sink.calls, path))?;
        Some(self.sink(at))
    }

    /// What a function of this path does to its arguments.
    pub(super) fn effect_at(&self, path: &str) -> Effect {
        let named = |one: &Treatment| is_any(&one.calls, path);
        if self.file.sanitizer.iter().any(named) {
            Effect::Cleans
        } else if self.file.propagator.iter().any(named) {
            Effect::Carries
        } else {
            Effect::Unknown
        }
    }

    /// Whether a method of a class of this path is named.
    pub(super) fn has_methods_of(&self, class: &str) -> bool {
        self.calls().any(|call| call.rsplit_once('.').is_some_and(|(front, _)| front == class))
    }

    fn calls(&self) -> impl Iterator<Item = &str> {
        let treatments = self.file.sanitizer.iter().chain(&self.file.propagator);
        let calls = self.file.sink.iter().flat_map(|one| &one.calls);
        let calls = calls.chain(self.file.source.iter().flat_map(|one| &one.calls));
        let calls = calls.chain(treatments.flat_map(|one| &one.calls));
        calls.map(|call| call.as_ref().as_str())
    }
}

fn is_any(known: &[Text], path: &str) -> bool {
    known.iter().any(|known| is_path(known.as_ref(), path))
}

/// Whether a path is one that a model names, whole or, with a dot in front, by its end.
pub(super) fn is_path(known: &str, path: &str) -> bool {
    match known.strip_prefix('.') {
        Some(end) => {
            path == end || path.ends_with(known) || {
                // `_request.headers` and `self.request.headers` alike.
                path.strip_suffix(end).is_some_and(|front| front.ends_with(['.', '_']))
            }
        }
        None => path == known,
    }
}

/// The last name of a path.
pub(super) fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
