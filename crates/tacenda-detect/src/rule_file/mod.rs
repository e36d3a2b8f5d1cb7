//! What a rule file may say. `build.rs` includes this module for the rules that come with Tacenda;
//! at run time the same code reads the user's own.

mod check;
mod read;

use std::ops::Range;

use regex_syntax::hir::Hir;
use toml::Spanned;

pub(crate) use check::Contract;

/// One file: a family of detectors.
#[derive(Clone, Debug)]
pub struct RuleFile {
    /// The heading of the family.
    pub family: String,
    /// One or two sentences under it; may be empty.
    pub about: String,
    /// Words that every rule of the file with forms understands, besides its own.
    pub words: Vec<Spanned<String>>,
    /// The rules, in the order of the file.
    pub detectors: Vec<DetectorRule>,
}

/// One detector as its author wrote it, every value with its place in the file.
#[derive(Clone, Debug)]
pub struct DetectorRule {
    /// The stable name, also the label in redacted text.
    pub id: Spanned<String>,
    /// One sentence: what it finds.
    pub description: Spanned<String>,
    /// The kind of the values it finds.
    pub kind: Spanned<String>,
    /// `low`, `medium` or `high`.
    pub confidence: Spanned<String>,
    /// A regular expression, or …
    pub pattern: Option<Spanned<String>>,
    /// … the name of a hand-written matcher, or …
    pub matcher: Option<Spanned<String>>,
    /// … written forms of a number: found anywhere, …
    pub forms: Vec<Spanned<String>>,
    /// … found as a whole text or string, or near a word, …
    pub alone: Vec<Spanned<String>>,
    /// … found near a word, or behind a keyword, only.
    pub near: Vec<Spanned<String>>,
    /// The words.
    pub words: Vec<Spanned<String>>,
    /// Whether `forms` are found in small letters too.
    pub any_case: bool,
    /// The function of `check_digits` that a value of these forms passes.
    pub check: Option<Spanned<String>>,
    /// The capture group that is the value.
    pub group: Option<Spanned<usize>>,
    /// Literals with which a match begins, at the start of a token.
    pub keywords: Vec<Spanned<String>>,
    /// Whether keywords match in any case.
    pub ignore_case: bool,
    /// Endings of normalised keys whose value is looked at.
    pub keys: Vec<Spanned<String>>,
    /// Endings of normalised keys that are never meant.
    pub not_keys: Vec<Spanned<String>>,
    /// Words of which one must stand shortly before the match.
    pub context: Vec<Spanned<String>>,
    /// A test of the value that a pattern cannot express.
    pub validator: Option<Spanned<String>>,
    /// Least Shannon entropy of the value, bits a byte.
    pub min_entropy: f32,
    /// Most bytes of a match, where the pattern does not say.
    pub max_len: Option<Spanned<usize>>,
    /// Texts with the value between « and ».
    pub examples: Vec<Spanned<String>>,
    /// Texts in which this detector finds nothing.
    pub counter_examples: Vec<Spanned<String>>,
}

/// A field of a rule, for the reader and for the reference.
#[derive(Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// What its value is.
    pub value: &'static str,
    /// Whether a rule must have it.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
}

const fn field(
    name: &'static str,
    value: &'static str,
    required: bool,
    about: &'static str,
) -> Field {
    Field { name, value, required, about }
}

/// The keys of a rule file outside `[[detector]]`.
pub const FILE_FIELDS: &[Field] = &[
    field("family", "text", true, "The heading of the rules of this file."),
    field("about", "text", false, "One or two sentences under it."),
    field("words", "list of text", false, "`words` of every rule of the file that has forms."),
    field("detector", "tables", true, "The rules, each under `[[detector]]`."),
];

/// The fields of a `[[detector]]`.
pub const FIELDS: &[Field] = &[
    field(
        "id",
        "text",
        true,
        "The name in reports and the label in redacted text: lower-case letters, digits and dashes.",
    ),
    field("description", "text", true, "One sentence: what it finds."),
    field("kind", "text", true, "The kind of its values: the policy says what happens to them."),
    field(
        "confidence",
        "text",
        true,
        "`high` for a checksum, an issuer's prefix or an unmistakable form, `medium` for a shape \
         with its context, `low` for a shape alone. Of overlapping findings the more confident one \
         gives the label.",
    ),
    field(
        "pattern",
        "text",
        false,
        "A regular expression over bytes, without look-around and back-references. It is tried \
         where a keyword stands, from the keyword's first letter, or on the value of a key, from its \
         first byte. It must match something and have a bound on its length.",
    ),
    field(
        "matcher",
        "text",
        false,
        "A matcher written in Rust in place of a pattern; only for the rules that come with Tacenda.",
    ),
    field(
        "forms",
        "list of text",
        false,
        "How a number is written, in place of a pattern: `#` is a digit, `@` a letter, `?` either, \
         `[XYZ]` one of these, anything else itself. What has such a form is found wherever it \
         stands by itself. Letters are capitals.",
    ),
    field(
        "alone",
        "list of text",
        false,
        "Forms that are found as the whole of a text or of a string in quotes, or near one of \
         `words`.",
    ),
    field(
        "near",
        "list of text",
        false,
        "Forms that are found near one of `words` or, where the rule has `keywords`, behind one of \
         them; of a rule with `check` and high confidence also as the whole of a text.",
    ),
    field(
        "words",
        "list of text",
        false,
        "What says that a number of `alone` or `near` is meant, before it or right behind it, in \
         lower case; `staff id` is `staff_id` and `staffId` as well.",
    ),
    field("any_case", "true or false", false, "Whether `forms` are found in small letters too."),
    field(
        "check",
        "text",
        false,
        "The check digits of a number; only for the rules that come with Tacenda.",
    ),
    field(
        "group",
        "number",
        false,
        "The capture group that is the value, where it is not the whole match.",
    ),
    field(
        "keywords",
        "list of text",
        false,
        "What a match begins with: three bytes or more, a letter or digit first. It is looked for \
         where a word begins.",
    ),
    field("ignore_case", "true or false", false, "Whether keywords are found in any case."),
    field(
        "keys",
        "list of text",
        false,
        "Endings of the names of keys whose value is looked at, in lower-case letters and digits \
         only: `apikey` is `api_key=`, `\"X-Api-Key\":` and `--api-key`. After `^` the whole name.",
    ),
    field(
        "not_keys",
        "list of text",
        false,
        "Endings of names that are not meant although an entry of `keys` fits.",
    ),
    field(
        "context",
        "list of text",
        false,
        "Words, in any case, of which one must stand in the 64 bytes before the value.",
    ),
    field("validator", "text", false, "A test of the value beyond its form."),
    field(
        "min_entropy",
        "number",
        false,
        "The least Shannon entropy of the value in bits a byte: 3 tells random letters from words.",
    ),
    field(
        "max_len",
        "number",
        false,
        "The most bytes that a match may have, 65536 at most. By default the longest that the \
         pattern can match.",
    ),
    field("examples", "list of text", true, "Texts in which the value stands between « and »."),
    field("counter_examples", "list of text", true, "Texts in which this rule finds nothing."),
];

/// What is wrong with a rule file.
#[derive(Debug)]
pub(crate) struct Fault {
    /// Where, in bytes of the file.
    pub(crate) span: Range<usize>,
    /// What, without a value of the file.
    pub(crate) message: String,
    /// A name that is not valid, and those that are.
    pub(crate) choice: Option<(String, Vec<&'static str>)>,
    /// Whether that name is a key, which may be repeated when it looks like a word.
    pub(crate) key: bool,
}

impl Fault {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), choice: None, key: false }
    }
}

impl DetectorRule {
    /// The most bytes that a match may have.
    pub fn max_len(&self) -> usize {
        let written = self.max_len.as_ref().map(|max| *max.as_ref());
        let longest = || {
            let pattern = self.pattern.as_ref()?;
            parse_pattern(pattern.as_ref()).ok()?.properties().maximum_len()
        };
        let forms = || self.all_forms().map(|form| form.as_ref().len()).max();
        written.or_else(longest).or_else(forms).unwrap_or(0)
    }

    /// Every form.
    pub fn all_forms(&self) -> impl Iterator<Item = &Spanned<String>> {
        self.forms.iter().chain(&self.alone).chain(&self.near)
    }

    /// What is tested beyond the shape, in the words of the reference.
    pub fn checks(&self) -> Vec<String> {
        let mut checks = Vec::new();
        if let Some(validator) = &self.validator {
            checks.push(validator.as_ref().replace('-', " "));
        }
        if self.check.is_some() {
            checks.push("check digits".to_owned());
        }
        if self.forms.is_empty() && !self.words.is_empty() {
            let words = self.words.iter().take(3).map(|word| word.as_ref().as_str());
            checks.push(format!("near {}", words.collect::<Vec<_>>().join(", ")));
        }
        if self.min_entropy > 0.0 {
            checks.push(format!("entropy ≥ {} bits a byte", self.min_entropy));
        }
        if !self.context.is_empty() {
            let words: Vec<&str> = self.context.iter().map(|word| word.as_ref().as_str()).collect();
            checks.push(format!("near {}", words.join(", ")));
        }
        if !self.keys.is_empty() {
            checks.push("value of a named key".to_owned());
        }
        checks
    }

    /// The capture group that is the value; 0 is the whole match.
    pub fn group(&self) -> usize {
        self.group.as_ref().map_or(0, |group| *group.as_ref())
    }
}

/// An example without its marks, and where the marked value stands in it.
pub fn unmark(example: &str) -> Option<(String, Range<usize>)> {
    let (before, rest) = example.split_once('«')?;
    let (value, after) = rest.split_once('»')?;
    let again = [before, value, after].iter().any(|part| part.contains(['«', '»']));
    let range = before.len()..before.len() + value.len();
    (!again && !value.is_empty()).then(|| (format!("{before}{value}{after}"), range))
}

/// Patterns are about bytes; classes are ASCII.
pub(crate) fn parse_pattern(pattern: &str) -> Result<Hir, Box<regex_syntax::Error>> {
    regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .build()
        .parse(pattern)
        .map_err(Box::new)
}
