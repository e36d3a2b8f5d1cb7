//! What a name says about the value behind it: `models/names.toml`, and before it the user's own
//! models.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::sync::LazyLock;

use ruff_python_ast::name::Name;
use serde::Deserialize;

use crate::Confidence;
use crate::context::Context;
use crate::label::Label;
use crate::model::{Harmless, Names};

/// What the lexicon reads in a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// Nothing.
    #[default]
    Plain,
    /// That the value is about something sensitive without being it: `token_count`.
    Harmless,
    /// That the value was treated, or is an answer to a question: `masked_token`, `is_secret`.
    Treated,
    /// That the value is sensitive, where the context is such.
    Sensitive(Label, Confidence, Need),
}

/// Where a name means what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Everywhere.
    #[default]
    Nothing,
    /// In code about language models.
    Ml,
    /// In code about language models that call tools.
    Tools,
    /// In code that speaks HTTP.
    Http,
    /// In code that speaks HTTP, and in code about language models.
    HttpOrMl,
    /// In code about mail.
    Mail,
    /// In code that speaks HTTP, and in code about mail.
    HttpOrMail,
    /// Not in code whose tokens are words.
    NoLexer,
    /// In code about OAuth.
    Oauth,
    /// In code that speaks HTTP and handles credentials, and is not about language models.
    Login,
    /// In code about language models that asks no database.
    Asked,
}

impl Class {
    /// The label that the name gives in a file of this context.
    pub fn within(self, context: &Context) -> Option<(Label, Confidence)> {
        let Self::Sensitive(label, confidence, need) = self else { return None };
        let holds = match need {
            Need::Nothing => true,
            Need::Ml => context.ml,
            Need::Tools => context.ml && context.tools,
            Need::Http => context.http,
            Need::HttpOrMl => context.http || context.ml,
            Need::Mail => context.mail,
            Need::HttpOrMail => context.http || context.mail,
            Need::NoLexer => !context.lexer && (!context.ml || context.http || context.credentials),
            Need::Oauth => context.oauth,
            Need::Login => context.http && context.credentials && !context.ml,
            Need::Asked => context.ml && !context.sql,
        };
        holds.then_some((label, confidence))
    }

    /// Whether the name says credential with certainty, wherever it stands.
    pub fn is_credential(self) -> bool {
        matches!(self, Self::Sensitive(Label::Credential, Confidence::High, _))
    }
}

#[derive(Deserialize)]
struct File {
    names: Vec<Names>,
    words: Words,
}

#[derive(Deserialize)]
struct Words {
    harmless_heads: HashSet<String>,
    harmless_anywhere: HashSet<String>,
    tokens_of_text: HashSet<String>,
    endpoints: HashSet<String>,
    treated: HashSet<String>,
    safely: HashSet<String>,
    of_nobody: HashSet<String>,
    subjects: HashSet<String>,
    harmless_prefixes: HashSet<String>,
    holders: HashSet<String>,
}

/// What names say.
#[derive(Default)]
pub(crate) struct Lexicon {
    /// What the user's own phrases say.
    own: HashMap<String, Class>,
    /// The words of the longest of them.
    longest: usize,
}

struct Builtin {
    phrases: HashMap<String, Class>,
    words: Words,
}

fn file() -> File {
    toml::from_str(include_str!("../../../models/names.toml")).expect("models/names.toml is valid")
}

static BUILTIN: LazyLock<Builtin> = LazyLock::new(|| {
    let file = file();
    let mut phrases = HashMap::default();
    for entry in file.names {
        let class = entry.class();
        for phrase in entry.phrases {
            // The first entry holds: the surer ones come first.
            phrases.entry(phrase.into_inner()).or_insert(class);
        }
    }
    Builtin { phrases, words: file.words }
});

/// Words for things of which some have what others have not.
const OF_MANY: &[&str] = &[
    "hosts", "users", "accounts", "nodes", "servers", "clients", "models", "files", "items",
    "rows", "entries", "repos", "services", "devices", "names",
];

/// A phrase of Tacenda's own has so many words at most.
const LONGEST: usize = 4;

impl Names {
    /// What they say.
    pub(crate) fn class(&self) -> Class {
        Class::Sensitive(self.kind, self.confidence, self.needs)
    }

    /// Whether this class is what they say.
    pub(crate) fn is_said_by(&self, class: Class) -> bool {
        matches!(class, Class::Sensitive(label, _, needs) if label == self.kind && needs == self.needs)
    }
}

/// Whether a name is that of a class, which is no value, and tells what may be given: `TextKwargs`.
fn is_class_of_arguments(name: &str, words: &[&str]) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.contains(|letter: char| letter.is_ascii_lowercase())
        && !name.contains(['_', '-', ' '])
        && matches!(words.last(), Some(&("args" | "kwargs")))
}

impl Lexicon {
    /// What the user's own phrases say, and else those of the binary.
    pub(crate) fn with(names: &[Names], harmless: &[Harmless]) -> Self {
        let mut own = HashMap::default();
        let of_names = names.iter().flat_map(|one| {
            one.phrases.iter().map(|phrase| (phrase.as_ref().clone(), one.class()))
        });
        let of_harmless = harmless.iter().flat_map(|one| {
            one.phrases.iter().map(|phrase| (phrase.as_ref().clone(), Class::Harmless))
        });
        for (phrase, class) in of_names.chain(of_harmless) {
            own.entry(phrase).or_insert(class);
        }
        let longest = own.keys().map(|phrase| phrase.split(' ').count()).max().unwrap_or_default();
        Self { own, longest }
    }

    /// Reads a name.
    pub(crate) fn classify(&self, name: &str) -> Class {
        if name.len() > 80 {
            return Class::Plain;
        }
        let words = words(name);
        let mut words: Vec<&str> = words.iter().map(Name::as_str).collect();
        while words.last().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
            words.pop();
        }
        // `tokens_by_name`: what is found there are the tokens.
        if let Some(at) = words.iter().position(|word| *word == "by")
            && at > 0
            && at + 1 < words.len()
        {
            words.truncate(at);
        } else if words.first() == Some(&"by") {
            return Class::Plain;
        }
        // `hosts_with_credentials`: the hosts.
        if let Some(at) = words.iter().position(|word| matches!(*word, "with" | "without"))
            && at > 0
            && at + 1 < words.len()
            && OF_MANY.contains(&words[at - 1])
        {
            words.truncate(at);
        }
        if words.is_empty() || is_class_of_arguments(name, &words) {
            return Class::Plain;
        }
        self.read(&words)
    }

    fn read(&self, words: &[&str]) -> Class {
        if !self.own.is_empty()
            && let Some(class) = self.own.get(&words.join(" "))
        {
            return *class;
        }
        let lists = &BUILTIN.words;
        let first = words[0];
        let any = |list: &HashSet<String>| words.iter().any(|word| list.contains(*word));
        // `safe_encode_list`: what is safe is how it is done.
        let safely = |at: usize| {
            words[at] == "safe"
                && words.get(at + 1).is_some_and(|next| lists.safely.contains(*next))
        };
        let treated = |at: usize| lists.treated.contains(words[at]) && !safely(at);
        // `cleaned_response`: what a model wrote, without what was around it.
        if let ["cleaned" | "stripped", rest @ ..] = words
            && let Some(class @ Class::Sensitive(Label::Completion, _, Need::Ml)) =
                self.phrase(rest)
        {
            return class;
        }
        if (0..words.len()).any(treated)
            || words.len() > 1 && lists.harmless_prefixes.contains(first)
        {
            return Class::Treated;
        }
        let of_text =
            matches!(words, [.., of, "token" | "tokens"] if lists.tokens_of_text.contains(*of));
        if any(&lists.harmless_anywhere) || of_text {
            return Class::Harmless;
        }
        // `assertion_content`: with words that only hold it left out, a name may say more.
        let mut rest = words;
        let mut best: Option<(Class, Confidence)> = None;
        loop {
            match self.phrase(rest) {
                Some(class @ Class::Sensitive(_, confidence, _))
                    if best.is_none_or(|(_, before)| confidence > before) =>
                {
                    best = Some((class, confidence));
                }
                // The user says so.
                Some(Class::Harmless) if best.is_none() => return Class::Harmless,
                _ => {}
            }
            match rest {
                [head @ .., last] if !head.is_empty() && lists.holders.contains(*last) => {
                    rest = head;
                }
                _ => break,
            }
        }
        if let Some((class, confidence)) = best {
            // `template_content`: text, but nobody's.
            let of_nobody = confidence < Confidence::High && any(&lists.of_nobody)
                || matches!(class, Class::Sensitive(Label::Url, ..)) && any(&lists.endpoints);
            return if of_nobody { Class::Harmless } else { class };
        }
        match words.last() {
            Some(last) if words.len() > 1 && lists.subjects.contains(*last) => Class::Treated,
            Some(last) if lists.harmless_heads.contains(*last) => Class::Harmless,
            _ => Class::Plain,
        }
    }

    /// The class of the longest phrase that the words end in.
    fn phrase(&self, words: &[&str]) -> Option<Class> {
        let longest = words.len().min(LONGEST.max(self.longest));
        (1..=longest).rev().find_map(|length| {
            let tail = words[words.len() - length..].join(" ");
            if let Some(class) = self.own.get(&tail) {
                return Some(*class);
            }
            let class = *BUILTIN.phrases.get(&tail)?;
            // `data`, `config`: as a last word among others they say nothing of their own.
            let weak = matches!(class, Class::Sensitive(label, confidence, _)
                if length == 1 && words.len() > 1 && (confidence == Confidence::Low && label != Label::Personal));
            let general = weak && BUILTIN.words.harmless_heads.contains(words[words.len() - 1]);
            (!general).then_some(class)
        })
    }

    /// What the content of a file is of which this is the name of its path: `password_file`,
    /// `tokenPath`.
    pub(crate) fn secret_file(&self, name: &str) -> Option<Class> {
        let words = words(name);
        let (last, rest) = words.split_last()?;
        if !matches!(last.as_str(), "file" | "path" | "filename" | "filepath" | "fname") {
            return None;
        }
        let rest = rest.iter().map(Name::as_str);
        let rest: Vec<&str> = rest.filter(|word| !matches!(*word, "file" | "path")).collect();
        let class = if rest.is_empty() { Class::Plain } else { self.read(&rest) };
        matches!(class, Class::Sensitive(Label::Credential, ..)).then_some(class)
    }
}

/// The words of `snake_case`, `camelCase`, `SCREAMING_CASE`, `kebab-case` and dotted names. Short ones,
/// as nearly all are, need no memory of their own.
pub(crate) fn words(name: &str) -> Vec<Name> {
    if name.is_ascii() {
        return ascii_words(name);
    }
    let mut words: Vec<Name> = Vec::new();
    let mut word = String::new();
    let letters: Vec<char> = name.chars().collect();
    for (at, &letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            if !word.is_empty() {
                words.push(Name::from(std::mem::take(&mut word)));
            }
            continue;
        }
        if letter.is_uppercase() && !word.is_empty() {
            let before = letters[at - 1];
            let after = letters.get(at + 1).copied().unwrap_or('_');
            let starts = before.is_lowercase() || before.is_numeric() && after.is_lowercase();
            if starts || before.is_uppercase() && after.is_lowercase() {
                words.push(Name::from(std::mem::take(&mut word)));
            }
        }
        word.extend(letter.to_lowercase());
    }
    if !word.is_empty() {
        words.push(Name::from(word));
    }
    words
}

/// The same of a name without other letters, as nearly all are.
fn ascii_words(name: &str) -> Vec<Name> {
    let small = name.to_ascii_lowercase();
    let name = name.as_bytes();
    let mut words = Vec::new();
    let mut start = 0;
    let mut cut = |from: usize, to: usize| {
        if from < to {
            words.push(Name::new(&small[from..to]));
        }
    };
    for (at, letter) in name.iter().enumerate() {
        if !letter.is_ascii_alphanumeric() {
            cut(start, at);
            start = at + 1;
        } else if letter.is_ascii_uppercase() && at > start {
            let before = name[at - 1];
            let then_small = name.get(at + 1).is_some_and(u8::is_ascii_lowercase);
            let starts = before.is_ascii_lowercase() || before.is_ascii_digit() && then_small;
            if starts || before.is_ascii_uppercase() && then_small {
                cut(start, at);
                start = at;
            }
        }
    }
    cut(start, name.len());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fall_into_words() {
        for (name, expected) in [
            ("db_password", "db password"),
            ("openaiApiKey", "openai api key"),
            ("HF_TOKEN", "hf token"),
            ("HTTPHeaders", "http headers"),
            ("X-Auth-Token", "x auth token"),
            ("__init__", "init"),
            ("sha256Sum2of3", "sha256 sum2of3"),
            ("v2API", "v2api"),
            ("x2Value", "x2 value"),
        ] {
            assert_eq!(words(name).join(" "), expected);
            // Whatever letters there are besides.
            assert_eq!(words(&format!("é_{name}"))[1..].join(" "), expected);
        }
    }

    #[test]
    fn a_class_of_arguments_is_no_value() {
        let lexicon = Lexicon::default();
        assert_eq!(lexicon.classify("Emu3TextKwargs"), Class::Plain);
        assert_ne!(lexicon.classify("PromptText"), Class::Plain);
        assert_ne!(lexicon.classify("prompt_kwargs"), Class::Plain);
    }

    #[test]
    fn what_things_are_sorted_by_says_nothing_of_them() {
        let lexicon = Lexicon::default();
        assert_eq!(lexicon.classify("hosts_with_credentials"), lexicon.classify("hosts"));
        assert_ne!(lexicon.classify("request_with_token"), lexicon.classify("request"));
        assert_eq!(lexicon.classify("passwords_by_name"), lexicon.classify("passwords"));
        assert_eq!(lexicon.classify("_by_token"), Class::Plain);
        assert_eq!(lexicon.classify("users_by_token"), lexicon.classify("users"));
    }

    #[test]
    fn every_entry_finds_its_examples_and_leaves_its_counter_examples() {
        for entry in file().names {
            let context = Context {
                ml: matches!(entry.needs, Need::Ml | Need::Tools | Need::Asked),
                tools: entry.needs == Need::Tools,
                http: matches!(entry.needs, Need::Http | Need::HttpOrMl | Need::Login),
                mail: matches!(entry.needs, Need::Mail | Need::HttpOrMail),
                credentials: entry.needs == Need::Login,
                oauth: entry.needs == Need::Oauth,
                ..Context::default()
            };
            let says = |name: &str| {
                Lexicon::default().classify(name).within(&context).map(|(label, _)| label)
            };
            assert!(!entry.examples.is_empty() && !entry.counter_examples.is_empty());
            for example in &entry.examples {
                assert_eq!(says(example.as_ref()), Some(entry.kind), "{example:?}");
            }
            for counter in &entry.counter_examples {
                assert_ne!(says(counter.as_ref()), Some(entry.kind), "{counter:?}");
            }
        }
    }
}
