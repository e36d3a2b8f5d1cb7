//! What functions and names mean: the models of libraries, `models/*.toml`, which are part of the
//! binary, and the user's own in the same format, which come before them.

mod file;
mod table;
mod user;

use std::sync::LazyLock;

use rustc_hash::FxHashSet as HashSet;
use serde::Deserialize;

use crate::Confidence;
use crate::label::Label;
use crate::lexicon::{Class, Lexicon};
use table::Table;

pub(crate) use file::{Argument, Harmless, Names};

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

/// What a call writes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SinkMatch<'m> {
    /// Where.
    pub(crate) channel: Channel,
    /// Whether it counts only if its first argument is a text.
    pub(crate) text_first: bool,
    /// The arguments that are written; all if there is none.
    pub(crate) arguments: &'m [Argument],
}

impl SinkMatch<'_> {
    /// What all arguments go to.
    pub(crate) const fn all_to(channel: Channel) -> Self {
        SinkMatch { channel, text_first: false, arguments: &[] }
    }
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

/// What the user says of a function, which holds whatever stands in it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Declared<'m> {
    /// It writes.
    Sink(SinkMatch<'m>),
    /// It brings something sensitive in.
    Source(Label, Confidence),
    /// It does something to its arguments.
    Treats(Effect),
}

/// What functions and names mean.
#[derive(Default)]
pub struct Models {
    own: Option<Own>,
    names: Lexicon,
}

/// The user's own models.
struct Own {
    table: Table,
    /// The last names of the functions that it names by their paths.
    functions: HashSet<String>,
    /// The names that these stand in: of modules and classes.
    classes: HashSet<String>,
    digest: [u8; 32],
}

static BUILTIN: LazyLock<Models> = LazyLock::new(Models::default);

/// What the models of the binary say of libraries.
static LIBRARIES: LazyLock<Table> = LazyLock::new(|| {
    let mut whole = file::File::default();
    for text in [
        include_str!("../../../models/channels.toml"),
        include_str!("../../../models/sources.toml"),
        include_str!("../../../models/functions.toml"),
    ] {
        whole.extend(toml::from_str(text).expect("the models of the binary are valid"));
    }
    Table::new(whole)
});

impl Models {
    /// Those of the binary alone.
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }

    /// What the user's own models are known by; nothing if there are none.
    pub(crate) fn digest(&self) -> &[u8] {
        self.own.as_ref().map_or(&[], |own| &own.digest)
    }

    /// The user's own, then those of the binary.
    fn tables(&self) -> impl Iterator<Item = &Table> {
        self.own.as_ref().map(|own| &own.table).into_iter().chain([&*LIBRARIES])
    }

    /// What names say.
    pub(crate) fn names(&self) -> &Lexicon {
        &self.names
    }

    /// Reads a name.
    pub(crate) fn classify(&self, name: &str) -> Class {
        self.names.classify(name)
    }

    /// What the user says of a function: of its last name, and under which paths it is known.
    pub(crate) fn declared(
        &self,
        last: &str,
        paths: impl FnOnce() -> Vec<String>,
    ) -> Option<Declared<'_>> {
        let own = self.own.as_ref().filter(|own| own.functions.contains(last))?;
        let of = |path: &String| {
            if let Some(sink) = own.table.sink_at(path) {
                return Some(Declared::Sink(sink));
            }
            if let Some((label, confidence)) = own.table.source_call(last, path) {
                return Some(Declared::Source(label, confidence));
            }
            match own.table.effect_at(path) {
                Effect::Unknown => None,
                effect => Some(Declared::Treats(effect)),
            }
        };
        paths().iter().find_map(of)
    }

    /// Whether the user says something of methods of a class of this name, wherever it is from.
    pub(crate) fn declares_methods_of_some(&self, name: &str) -> bool {
        self.own.as_ref().is_some_and(|own| own.classes.contains(name))
    }

    /// Whether the user says something of methods of the class of this path.
    pub(crate) fn declares_methods_of(&self, class: &str) -> bool {
        self.own.as_ref().is_some_and(|own| own.table.has_methods_of(class))
    }

    /// What a call of this path writes to.
    pub(crate) fn sink_call(&self, path: &str) -> Option<SinkMatch<'_>> {
        self.tables().find_map(|table| table.sink_call(path))
    }

    /// What a call of this method of this receiver writes to.
    pub(crate) fn sink_method(&self, receiver: &str, method: &str) -> Option<SinkMatch<'_>> {
        self.tables().find_map(|table| table.sink_method(receiver, method))
    }

    /// Whether a method of this name of a logger writes.
    pub(crate) fn may_log(&self, method: &str) -> bool {
        self.sink_method("log", method).is_some()
    }

    /// Whether a call of this path sends a request to an address that it is handed.
    pub(crate) fn requests(&self, last: &str, path: impl FnOnce() -> Option<String>) -> bool {
        let mut calls = self.tables().flat_map(|table| table.requests(last)).peekable();
        if calls.peek().is_none() {
            return false;
        }
        let Some(path) = path() else { return false };
        calls.any(|call| table::is_path(call, &path))
    }

    /// Whether a path is that of a class whose methods send requests.
    pub(crate) fn makes_client(&self, path: &str) -> bool {
        table::last(path).starts_with(|first: char| first.is_ascii_uppercase())
            && self.tables().any(|table| table.sends_requests(path))
    }

    /// Whether a path is that of a file that holds a credential.
    pub(crate) fn is_secret_file(&self, path: &str) -> bool {
        self.tables().any(|table| table.is_secret_file(path))
    }

    /// Whether something of this name writes, on whatever it is called.
    pub(crate) fn may_write(&self, name: &str) -> bool {
        self.tables().any(|table| table.may_write(name))
    }

    /// What a call of this path brings in.
    pub(crate) fn source_call(
        &self,
        last: &str,
        path: impl FnOnce() -> Option<String>,
    ) -> Option<(Label, Confidence)> {
        if !self.tables().any(|table| table.gives(last)) {
            return None;
        }
        let path = path()?;
        self.tables().find_map(|table| table.source_call(last, &path))
    }

    /// What reading this attribute brings in.
    pub(crate) fn source_attribute(
        &self,
        last: &str,
        path: impl FnOnce() -> Option<String>,
    ) -> Option<(Label, Confidence)> {
        if !self.tables().any(|table| table.holds(last)) {
            return None;
        }
        let path = path()?;
        self.tables().find_map(|table| table.source_attribute(last, &path))
    }

    /// What a function of this name does to its arguments.
    pub(crate) fn effect(&self, name: &str, method: bool) -> Effect {
        let effects = self.tables().map(|table| table.effect(name, method));
        effects.into_iter().find(|effect| *effect != Effect::Unknown).unwrap_or(Effect::Unknown)
    }

    /// Whether the name of a function says that it makes a value fit to be written.
    pub(crate) fn redacts(&self, name: &str) -> bool {
        self.tables().any(|table| table.redacts(name))
    }
}

/// Models are equal if they are made of the same texts.
impl PartialEq for Models {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl std::fmt::Debug for Models {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Models").field("own", &self.own.is_some()).finish_non_exhaustive()
    }
}

/// The examples and counter-examples of every sink and source of the models of the binary, by id: for
/// the test that none escapes, and for who writes a model.
pub fn model_examples() -> impl Iterator<Item = (&'static str, Vec<&'static str>, Vec<&'static str>)>
{
    LIBRARIES.file.examples().map(|(id, examples, counter_examples, _)| {
        let texts = |list: &'static [file::Text]| list.iter().map(|one| one.as_ref().as_str());
        (id.as_ref().as_str(), texts(examples).collect(), texts(counter_examples).collect())
    })
}
