//! TOML in, a rule file out, every fault with its place.

use std::borrow::Cow;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{DetectorRule, FIELDS, FILE_FIELDS, Fault, Field, RuleFile};

type Item<'t> = Spanned<DeValue<'t>>;

impl RuleFile {
    /// Reads the text of a rule file: what of it is well formed, if it is a rule file at all, and
    /// every fault of form. What it says may still break the contract of a detector.
    pub(crate) fn read(text: &str) -> (Option<Self>, Vec<Fault>) {
        let mut reader = Reader { faults: Vec::new() };
        let file = match DeTable::parse(text) {
            Ok(document) => reader.file(document.as_ref()),
            Err(error) => {
                // Fixed words of the parser; its `Display` would show the line.
                let message = format!("invalid TOML: {}", error.message());
                reader.faults.push(Fault::new(error.span().unwrap_or(0..0), message));
                None
            }
        };
        (file, reader.faults)
    }
}

struct Reader {
    faults: Vec<Fault>,
}

/// A table, and where it begins.
#[derive(Clone, Copy)]
struct Table<'v, 't> {
    entries: &'v DeTable<'t>,
    start: usize,
    /// "in `[[detector]]`"
    place: &'static str,
}

impl Reader {
    fn file(&mut self, entries: &DeTable<'_>) -> Option<RuleFile> {
        let table = Table { entries, start: 0, place: "at the top level" };
        self.names(table, FILE_FIELDS);
        let family: Option<Spanned<String>> = self.required(table, "family");
        let about: Option<Spanned<String>> = self.optional(table, "about");
        let words: Option<Spanned<List>> = self.optional(table, "words");
        let Some(detectors) = entries.get("detector") else {
            self.faults.push(Fault::new(0..0, "no `[[detector]]`: the file holds no rule"));
            return None;
        };
        let Some(detectors) = detectors.as_ref().as_array() else {
            let message = "invalid value of `detector`: expected tables `[[detector]]`";
            self.faults.push(Fault::new(detectors.span(), message));
            return None;
        };
        Some(RuleFile {
            detectors: detectors.iter().filter_map(|item| self.detector(item)).collect(),
            family: family?.into_inner(),
            about: about.map(Spanned::into_inner).unwrap_or_default(),
            words: words.map(|list| list.into_inner().0).unwrap_or_default(),
        })
    }

    fn detector(&mut self, item: &Item<'_>) -> Option<DetectorRule> {
        let Some(entries) = item.as_ref().as_table() else {
            let message = "invalid value of `detector`: expected tables `[[detector]]`";
            self.faults.push(Fault::new(item.span(), message));
            return None;
        };
        let table = Table { entries, start: item.span().start, place: "in `[[detector]]`" };
        let slips = self.faults.len();
        self.names(table, FIELDS);
        // What a mistyped key was to say is not known: no rule to hold against the contract.
        let slips = self.faults.len() > slips;
        let id = self.required(table, "id");
        let description = self.required(table, "description");
        let kind = self.required(table, "kind");
        let confidence = self.required(table, "confidence");
        let examples: Option<Spanned<List>> = self.required(table, "examples");
        let counter_examples: Option<Spanned<List>> = self.required(table, "counter_examples");
        let list = |reader: &mut Self, name| {
            let list: Option<Spanned<List>> = reader.optional(table, name);
            list.map(|list| list.into_inner().0).unwrap_or_default()
        };
        let keywords = list(self, "keywords");
        let keys = list(self, "keys");
        let not_keys = list(self, "not_keys");
        let context = list(self, "context");
        let (forms, alone) = (list(self, "forms"), list(self, "alone"));
        let (near, words) = (list(self, "near"), list(self, "words"));
        let any_case: Option<Spanned<bool>> = self.optional(table, "any_case");
        let check = self.optional(table, "check");
        let ignore_case: Option<Spanned<bool>> = self.optional(table, "ignore_case");
        let min_entropy: Option<Spanned<f32>> = self.optional(table, "min_entropy");
        let (pattern, matcher) = (self.optional(table, "pattern"), self.optional(table, "matcher"));
        let (group, max_len) = (self.optional(table, "group"), self.optional(table, "max_len"));
        let validator = self.optional(table, "validator");
        (!slips).then_some(())?;
        Some(DetectorRule {
            id: id?,
            description: description?,
            kind: kind?,
            confidence: confidence?,
            pattern,
            matcher,
            forms,
            alone,
            near,
            words,
            any_case: any_case.is_some_and(Spanned::into_inner),
            check,
            group,
            keywords,
            ignore_case: ignore_case.is_some_and(Spanned::into_inner),
            keys,
            not_keys,
            context,
            validator,
            min_entropy: min_entropy.map(Spanned::into_inner).unwrap_or_default(),
            max_len,
            examples: examples?.into_inner().0,
            counter_examples: counter_examples?.into_inner().0,
        })
    }

    /// Refuses the names that are no field.
    fn names(&mut self, table: Table<'_, '_>, fields: &'static [Field]) {
        for (key, _) in table.entries {
            let written: &str = key.as_ref();
            if !fields.iter().any(|field| field.name == written) {
                let valid = fields.iter().map(|field| field.name).collect();
                self.faults.push(Fault {
                    span: key.span(),
                    message: format!("unknown key {}", table.place),
                    choice: Some((written.to_owned(), valid)),
                    key: true,
                });
            }
        }
    }

    fn required<T: Value>(&mut self, table: Table<'_, '_>, name: &str) -> Option<Spanned<T>> {
        if !table.entries.contains_key(name) {
            let at = table.start..table.start;
            self.faults.push(Fault::new(at, format!("no `{name}` {}", table.place)));
        }
        self.optional(table, name)
    }

    fn optional<T: Value>(&mut self, table: Table<'_, '_>, name: &str) -> Option<Spanned<T>> {
        let item = table.entries.get(name)?;
        match T::read(item) {
            Ok(value) => Some(Spanned::new(item.span(), value)),
            Err(span) => {
                let message = format!("invalid value of `{name}`: expected {}", T::EXPECTED);
                self.faults.push(Fault::new(span, message));
                None
            }
        }
    }
}

/// A type of field.
trait Value: Sized {
    /// To follow the word "expected".
    const EXPECTED: &str;

    /// The value, or the span of what is wrong.
    fn read(item: &Item<'_>) -> Result<Self, Range<usize>>;
}

impl Value for String {
    const EXPECTED: &str = "text in quotes";

    fn read(item: &Item<'_>) -> Result<Self, Range<usize>> {
        item.as_ref().as_str().map(str::to_owned).ok_or_else(|| item.span())
    }
}

impl Value for bool {
    const EXPECTED: &str = "true or false";

    fn read(item: &Item<'_>) -> Result<Self, Range<usize>> {
        item.as_ref().as_bool().ok_or_else(|| item.span())
    }
}

impl Value for usize {
    const EXPECTED: &str = "a whole number";

    fn read(item: &Item<'_>) -> Result<Self, Range<usize>> {
        let number = item.as_ref().as_integer();
        number
            .and_then(|number| Self::from_str_radix(number.as_str(), number.radix()).ok())
            .ok_or_else(|| item.span())
    }
}

impl Value for f32 {
    const EXPECTED: &str = "a number from 0 to 8";

    fn read(item: &Item<'_>) -> Result<Self, Range<usize>> {
        let float = item.as_ref().as_float().map(|number| Cow::Borrowed(number.as_str()));
        let whole = || item.as_ref().as_integer().map(|number| Cow::Borrowed(number.as_str()));
        float
            .or_else(whole)
            .and_then(|digits| digits.parse().ok())
            .filter(|number| (0.0..=8.0).contains(number))
            .ok_or_else(|| item.span())
    }
}

/// A list of text.
struct List(Vec<Spanned<String>>);

impl Value for List {
    const EXPECTED: &str = "a list of text in quotes";

    fn read(item: &Item<'_>) -> Result<Self, Range<usize>> {
        let list = item.as_ref().as_array().ok_or_else(|| item.span())?;
        let text = |item: &Item<'_>| Ok(Spanned::new(item.span(), String::read(item)?));
        list.iter().map(text).collect::<Result<_, _>>().map(Self)
    }
}
