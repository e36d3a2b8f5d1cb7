//! Values that are written as they are although a detector finds them: the entries of `[[allow]]`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use globset::{GlobBuilder, GlobMatcher};
use regex_automata::meta::Regex;
use regex_syntax::hir::{Hir, Look};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::Kind;

/// One entry: what it says must all hold.
#[derive(Clone, Debug)]
pub struct Allow {
    written: Written,
    value: Option<ValueHash>,
    path: Option<GlobMatcher>,
    regex: Option<Regex>,
}

/// An entry as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Written {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) regex: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) detectors: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) kinds: Vec<Kind>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) protected: bool,
    pub(crate) reason: String,
}

/// A field of an entry that cannot be used, and what was expected. The field `""` is the whole.
#[derive(Debug)]
pub(crate) struct WrongField {
    pub(crate) field: &'static str,
    pub(crate) expected: String,
}

/// The fields of an entry of `[[allow]]`: name, value, meaning.
pub const FIELDS: &[(&str, &str, &str)] = &[
    (
        "value",
        "`sha256:SALT:HASH`",
        "The value itself, hashed, so that the file does not hold it: `tacenda rules allow` prints \
         the entry.",
    ),
    (
        "regex",
        "text",
        "A regular expression that the whole value matches: over bytes, without look-around and \
         back-references.",
    ),
    (
        "key",
        "text",
        "The name of the key whose value it is: case and signs do not count, so that `user_mail` is \
         `userMail` too.",
    ),
    (
        "path",
        "a glob",
        "The log file that the value stands in, for `tacenda find` and `tacenda redact FILE`: a name \
         (`*.test.log`), or with `/` a path below the policy file's directory (`tests/**`).",
    ),
    ("detectors", "list of text", "Only what these detectors find."),
    ("kinds", "list of kinds", "Only values of these kinds."),
    ("protected", "true or false", "Whether protected values are meant too. They are not else."),
    ("reason", "text", "Why it is allowed. Every entry has one."),
];

impl Allow {
    /// An entry that says something, all of it well formed.
    pub(crate) fn new(written: Written) -> Result<Self, WrongField> {
        let wrong = |field, expected: &str| WrongField { field, expected: expected.to_owned() };
        if written.reason.trim().is_empty() {
            return Err(wrong("reason", "a text that says why it is allowed"));
        }
        let conditions = [&written.value, &written.regex, &written.key, &written.path];
        if conditions.iter().all(|condition| condition.is_none()) {
            return Err(wrong("", "one of `value`, `regex`, `key` or `path`"));
        }
        let value = match &written.value {
            Some(text) => Some(ValueHash::from_text(text).ok_or_else(|| {
                wrong("value", "`sha256:SALT:HASH`, as `tacenda rules allow` prints it")
            })?),
            None => None,
        };
        let regex = match &written.regex {
            Some(pattern) => Some(whole(pattern).map_err(|why| WrongField {
                field: "regex",
                expected: format!("a regular expression ({why})"),
            })?),
            None => None,
        };
        if written.key.as_deref().is_some_and(|key| normal_key(key).len() < 2) {
            return Err(wrong("key", "a name of two letters or more"));
        }
        let path = match &written.path {
            Some(glob) => Some(matcher(glob).ok_or_else(|| {
                wrong("path", "the name or the path of a file, with `*`, `?`, `**` or `[…]`")
            })?),
            None => None,
        };
        Ok(Self { written, value, path, regex })
    }

    pub(crate) fn written(&self) -> &Written {
        &self.written
    }

    /// Makes a path with a `/` stand on the directory of the policy file.
    pub(crate) fn resolve(&mut self, base: Option<&Path>) {
        let (Some(glob), Some(base)) = (&mut self.written.path, base.and_then(Path::to_str)) else {
            return;
        };
        if glob.contains('/') && !glob.starts_with('/') {
            let absolute = format!("{}/{glob}", globset::escape(base.trim_end_matches('/')));
            if let Some(path) = matcher(&absolute) {
                (*glob, self.path) = (absolute, Some(path));
            }
        }
    }

    /// Why.
    pub fn reason(&self) -> &str {
        &self.written.reason
    }

    /// The detectors that it is limited to; all if none.
    pub fn detectors(&self) -> &[String] {
        &self.written.detectors
    }

    /// The kinds that it is limited to; all if none.
    pub fn kinds(&self) -> &[Kind] {
        &self.written.kinds
    }

    /// Whether it is about protected values too.
    pub fn protected(&self) -> bool {
        self.written.protected
    }

    /// The key whose value it is, in lower-case letters and digits.
    pub fn key(&self) -> Option<String> {
        self.written.key.as_deref().map(normal_key)
    }

    /// Whether it can be about the log at this path. Without a path only entries are that name none.
    pub fn is_about(&self, log: Option<&Path>) -> bool {
        let Some(glob) = &self.path else { return true };
        let path = log.and_then(|log| std::path::absolute(log).ok());
        path.is_some_and(|path| glob.is_match(tidy(&path)))
    }

    /// Whether this is the value, as far as its text goes.
    pub fn is_value(&self, value: &[u8]) -> bool {
        self.regex.as_ref().is_none_or(|regex| regex.is_match(value))
            && self.value.as_ref().is_none_or(|hash| hash.is_of(value))
    }

    /// What it is about, in a few words for people: never a value.
    pub fn summary(&self) -> String {
        let Written { value, path, key, regex, detectors, kinds, .. } = &self.written;
        let mut parts = Vec::new();
        parts.extend(value.as_ref().map(|_| "a value".to_owned()));
        parts.extend(regex.as_ref().map(|_| "a regex".to_owned()));
        parts.extend(key.as_ref().map(|key| format!("key {}", normal_key(key))));
        parts.extend(path.as_ref().map(|path| format!("path {path}")));
        if !detectors.is_empty() {
            parts.push(format!("of {}", detectors.join(", ")));
        }
        if !kinds.is_empty() {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            parts.push(format!("of kind {}", kinds.join(", ")));
        }
        parts.join(", ")
    }
}

impl PartialEq for Allow {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Allow {}

/// A name in its normal form: lower-case letters and digits.
fn normal_key(key: &str) -> String {
    key.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// A regular expression that matches whole values only.
fn whole(pattern: &str) -> Result<Regex, String> {
    const LARGEST: usize = 1 << 20;
    let parsed =
        regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern);
    let hir = parsed.map_err(|error| match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        _ => "it is not understood".to_owned(),
    })?;
    let whole = Hir::concat(vec![Hir::look(Look::Start), hir, Hir::look(Look::End)]);
    Regex::builder()
        .configure(Regex::config().utf8_empty(false).nfa_size_limit(Some(LARGEST)))
        .build_from_hir(&whole)
        .map_err(|_| "it is too large".to_owned())
}

/// A glob over absolute paths; one without `/` is about names.
fn matcher(glob: &str) -> Option<GlobMatcher> {
    let anywhere = if glob.contains('/') { glob.to_owned() } else { format!("**/{glob}") };
    let glob = GlobBuilder::new(&anywhere).literal_separator(true).backslash_escape(true).build();
    (!anywhere.contains('\0')).then(|| glob.ok()).flatten().map(|glob| glob.compile_matcher())
}

/// A path without `.` and `..`, as it is written.
fn tidy(path: &Path) -> PathBuf {
    let mut tidy = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => {
                tidy.pop();
            }
            part => tidy.push(part),
        }
    }
    tidy
}

/// A value, hashed with a salt: SHA-256 (FIPS 180-4) of the salt and the value.
#[derive(Clone, Debug)]
pub struct ValueHash {
    salt: Arc<[u8]>,
    hash: [u8; 32],
}

impl ValueHash {
    /// The hash of a value under a random salt.
    pub fn new(value: &[u8], salt: [u8; 16]) -> Self {
        let salt: Arc<[u8]> = Arc::new(salt);
        Self { hash: digest(&salt, value), salt }
    }

    /// Whether it is the hash of this value.
    pub fn is_of(&self, value: &[u8]) -> bool {
        digest(&self.salt, value) == self.hash
    }

    fn from_text(text: &str) -> Option<Self> {
        let (salt, hash) = text.strip_prefix("sha256:")?.split_once(':')?;
        let salt = unhex(salt).filter(|salt| (8..=64).contains(&salt.len()))?;
        Some(Self { salt: salt.into(), hash: unhex(hash)?.try_into().ok()? })
    }
}

impl std::fmt::Display for ValueHash {
    /// As an entry of the policy file has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha256:")?;
        self.salt.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(":")?;
        self.hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn digest(salt: &[u8], value: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(salt).chain_update(value).finalize().into()
}

fn unhex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let nibble = |digit: u8| char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok());
    let pairs = digits.chunks(2).map(|pair| match *pair {
        [high, low] => Some(nibble(high)? << 4 | nibble(low)?),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allow(change: impl FnOnce(&mut Written)) -> Result<Allow, &'static str> {
        let mut written = Written { reason: "ours".to_owned(), ..Written::default() };
        change(&mut written);
        Allow::new(written).map_err(|wrong| wrong.field)
    }

    #[test]
    fn a_value_is_known_by_its_hash_and_by_nothing_else() {
        let hash = ValueHash::new(b"support@example.org", *b"0123456789abcdef");
        let entry = allow(|entry| entry.value = Some(hash.to_string())).unwrap();
        assert!(entry.is_value(b"support@example.org"));
        assert!(!entry.is_value(b"support@example.or"));
        assert!(!format!("{entry:?} {}", entry.summary()).contains("support"));
        for wrong in ["", "sha256:00:11", "md5:0011", &hash.to_string()[..100]] {
            assert_eq!(
                allow(|entry| entry.value = Some(wrong.to_owned())),
                Err("value"),
                "{wrong}"
            );
        }
    }

    /// FIPS 180-4 has the digest of `abc`: `a` as the salt would be too short, so the salt is checked
    /// against the concatenation.
    #[test]
    fn the_hash_is_sha_256_of_salt_and_value() {
        let hash = ValueHash::new(b"", *b"0123456789abcdef").to_string();
        assert_eq!(
            hash,
            "sha256:30313233343536373839616263646566:9f9f5111f7b27a781f1f1ddde5ebc2dd2b796bfc7365c9c2\
             8b548e564176929f"
        );
    }

    #[test]
    fn a_regex_matches_the_whole_value() {
        let entry = allow(|entry| entry.regex = Some("a|ab".to_owned())).unwrap();
        assert!(entry.is_value(b"a") && entry.is_value(b"ab"));
        assert!(!entry.is_value(b"abc") && !entry.is_value(b"xa") && !entry.is_value(b"a\n"));
        let verbose = allow(|entry| entry.regex = Some("(?x) a+ # letters".to_owned())).unwrap();
        assert!(verbose.is_value(b"aa"));
        for wrong in ["(", "a{1000}{1000}{1000}", r"(a)\1", "(?=a)"] {
            assert_eq!(
                allow(|entry| entry.regex = Some(wrong.to_owned())),
                Err("regex"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_path_is_a_name_or_stands_below_the_policy_file() {
        let about = |glob: &str, log: &str| {
            let mut entry = allow(|entry| entry.path = Some(glob.to_owned())).unwrap();
            entry.resolve(Some(Path::new("/srv/app [1]")));
            entry.is_about(Some(Path::new(log)))
        };
        assert!(about("*.test.log", "/var/log/a.test.log"));
        assert!(!about("*.test.log", "/var/log/a.log"));
        assert!(about("tests/**", "/srv/app [1]/tests/a/b.log"));
        assert!(about("tests/*.log", "/srv/app [1]/./x/../tests/b.log"));
        assert!(!about("tests/*.log", "/srv/app [1]/tests/a/b.log"));
        assert!(!about("tests/**", "/srv/other/tests/b.log"));
        assert!(about("/var/log/*", "/var/log/b.log"));
        let entry = allow(|entry| entry.path = Some("*.log".to_owned())).unwrap();
        assert!(!entry.is_about(None), "a stream has no path");
        assert_eq!(allow(|entry| entry.path = Some("[".to_owned())), Err("path"));
    }

    #[test]
    fn an_entry_says_something_and_why() {
        assert_eq!(allow(|_| {}), Err(""));
        assert_eq!(allow(|entry| entry.protected = true), Err(""));
        assert_eq!(allow(|entry| entry.reason = " ".to_owned()), Err("reason"));
        assert_eq!(allow(|entry| entry.key = Some("-".to_owned())), Err("key"));
        assert_eq!(
            allow(|entry| entry.key = Some("User_Mail".to_owned())).unwrap().key().unwrap(),
            "usermail"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_an_entry_or_refused(text in "\\PC{0,40}") {
            for field in 0..4 {
                let _: Result<Allow, &str> = allow(|entry| {
                    let one = Some(text.clone());
                    match field {
                        0 => entry.value = one,
                        1 => entry.regex = one,
                        2 => entry.key = one,
                        _ => entry.path = one,
                    }
                });
            }
        }

        #[test]
        fn a_hash_is_read_as_it_is_written(value in any::<Vec<u8>>(), salt in any::<[u8; 16]>()) {
            let hash = ValueHash::new(&value, salt);
            prop_assert!(ValueHash::from_text(&hash.to_string()).unwrap().is_of(&value));
        }
    }
}
