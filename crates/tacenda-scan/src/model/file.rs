//! The format of a model file, Tacenda's own and the user's.

use std::fmt;

use rustc_hash::FxHashSet as HashSet;
use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};
use toml::Spanned;

use super::Channel;
use crate::Confidence;
use crate::label::Label;
use crate::lexicon::Need;

/// A text, with its place in the file.
pub(crate) type Text = Spanned<String>;

/// A model file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    #[serde(default)]
    pub(super) sink: Vec<Sink>,
    #[serde(default)]
    pub(super) source: Vec<Source>,
    #[serde(default)]
    pub(super) propagator: Vec<Treatment>,
    #[serde(default)]
    pub(super) sanitizer: Vec<Treatment>,
    #[serde(default)]
    pub(super) request: Vec<Request>,
    #[serde(default, rename = "secret-file")]
    pub(super) secrets_in: Vec<SecretFile>,
    #[serde(default)]
    pub(super) names: Vec<Names>,
    #[serde(default)]
    pub(super) harmless: Vec<Harmless>,
}

/// What writes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sink {
    pub(super) id: Text,
    #[serde(default = "a_log")]
    pub(super) channel: Channel,
    #[serde(default)]
    pub(super) calls: Vec<Text>,
    #[serde(default)]
    pub(super) methods: HashSet<String>,
    #[serde(default)]
    pub(super) receivers: HashSet<String>,
    /// The arguments that are written; all without.
    #[serde(default)]
    pub(super) arguments: Vec<Argument>,
    #[serde(default, rename = "text-first")]
    pub(super) text_first: bool,
    #[serde(default)]
    pub(super) examples: Vec<Text>,
    #[serde(default)]
    pub(super) counter_examples: Vec<Text>,
}

/// What brings something sensitive in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    pub(super) id: Text,
    pub(super) label: Label,
    #[serde(default = "surely")]
    pub(super) confidence: Confidence,
    #[serde(default)]
    pub(super) calls: Vec<Text>,
    #[serde(default)]
    pub(super) attributes: Vec<Text>,
    #[serde(default)]
    pub(super) examples: Vec<Text>,
    #[serde(default)]
    pub(super) counter_examples: Vec<Text>,
}

/// What functions do to what they are handed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Treatment {
    pub(super) id: Text,
    #[serde(default)]
    pub(super) calls: Vec<Text>,
    #[serde(default)]
    pub(super) methods: HashSet<String>,
    #[serde(default, rename = "first-words")]
    pub(super) first_words: HashSet<String>,
    #[serde(default, rename = "last-words")]
    pub(super) last_words: HashSet<String>,
    #[serde(default)]
    pub(super) words: HashSet<String>,
    #[serde(default)]
    pub(super) with: HashSet<String>,
}

/// Functions that send a request to an address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(super) id: Text,
    pub(super) calls: Vec<Text>,
}

/// Files that hold a credential, by parts of their paths.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretFile {
    pub(super) id: Text,
    pub(super) contains: Vec<Text>,
}

/// Names of sensitive values, by their last words.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Names {
    pub(crate) kind: Label,
    #[serde(default = "surely")]
    pub(crate) confidence: Confidence,
    #[serde(default)]
    pub(crate) needs: Need,
    pub(crate) phrases: Vec<Text>,
    #[serde(default)]
    pub(crate) examples: Vec<Text>,
    #[serde(default)]
    pub(crate) counter_examples: Vec<Text>,
}

/// Names that say nothing, whatever their words are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Harmless {
    pub(crate) phrases: Vec<Text>,
}

/// An argument of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Argument {
    /// By its place, from 0; the object of a method does not count.
    Place(usize),
    /// By the name of its parameter.
    Name(String),
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Arguments;

        impl Visitor<'_> for Arguments {
            type Value = Argument;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the place of an argument, from 0, or its name")
            }

            fn visit_i64<E: Error>(self, place: i64) -> Result<Argument, E> {
                let place = usize::try_from(place);
                place.map(Argument::Place).map_err(|_| {
                    E::custom("expected the place of an argument, from 0, or its name")
                })
            }

            fn visit_str<E>(self, name: &str) -> Result<Argument, E> {
                Ok(Argument::Name(name.to_owned()))
            }
        }

        deserializer.deserialize_any(Arguments)
    }
}

fn a_log() -> Channel {
    Channel::Log
}

fn surely() -> Confidence {
    Confidence::High
}

impl File {
    /// Adds what another file says.
    pub(super) fn extend(&mut self, other: Self) {
        self.sink.extend(other.sink);
        self.source.extend(other.source);
        self.propagator.extend(other.propagator);
        self.sanitizer.extend(other.sanitizer);
        self.request.extend(other.request);
        self.secrets_in.extend(other.secrets_in);
        self.names.extend(other.names);
        self.harmless.extend(other.harmless);
    }

    /// What sinks and sources are to find and to leave: id, examples, counter-examples, and how sure
    /// a finding is at least.
    pub(super) fn examples(&self) -> impl Iterator<Item = (&Text, &[Text], &[Text], Confidence)> {
        let sinks = self
            .sink
            .iter()
            .map(|one| (&one.id, &one.examples[..], &one.counter_examples[..], Confidence::Medium));
        let sources = self.source.iter().map(|one| {
            let least = one.confidence.min(Confidence::Medium);
            (&one.id, &one.examples[..], &one.counter_examples[..], least)
        });
        sinks.chain(sources)
    }

    /// The ids of all models that have one.
    pub(super) fn ids(&self) -> impl Iterator<Item = &Text> {
        let sinks = self.sink.iter().map(|one| &one.id);
        let sources = self.source.iter().map(|one| &one.id);
        let treatments = self.propagator.iter().chain(&self.sanitizer).map(|one| &one.id);
        let requests = self.request.iter().map(|one| &one.id);
        let files = self.secrets_in.iter().map(|one| &one.id);
        sinks.chain(sources).chain(treatments).chain(requests).chain(files)
    }
}
