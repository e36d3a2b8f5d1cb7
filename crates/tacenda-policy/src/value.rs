//! The types of the settings: how each is written, read, bounded and described.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::json;
use toml::{Spanned, de::DeValue};

use crate::kind::Class;
use crate::vocabulary::vocabulary;

/// A type that a setting can have.
pub(crate) trait Value: Sized {
    /// What a right value looks like, to follow the word "expected".
    fn expected() -> String;

    /// The names to choose from, where the type is a choice.
    fn choices() -> &'static [&'static str] {
        &[]
    }

    /// Reads the text of a variable or a flag.
    fn from_text(text: &str) -> Option<Self>;

    /// Reads a value of the file. The error is the span of the part that is wrong.
    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Range<usize>> {
        value.as_ref().as_str().and_then(Self::from_text).ok_or_else(|| value.span())
    }

    /// The text from which [`Value::from_text`] reads the same value.
    fn text(&self) -> String;

    /// The value for programs.
    fn json(&self) -> serde_json::Value {
        self.text().into()
    }

    /// The JSON Schema of the value in the file.
    fn schema() -> serde_json::Value;
}

vocabulary! {
    /// What the standard output of the guarded program is.
    pub enum Stdout {
        /// What the user asked for when the program is one of `guard.output_commands`, else a log.
        Auto = "auto",
        /// What the user asked for: left alone.
        Output = "output",
        /// A log: redacted.
        Log = "log",
    }
}

vocabulary! {
    /// Where the guarded program keeps its temporary files.
    pub enum Tmpdir {
        /// In a directory of its own that only its user can read, removed when it ends.
        Private = "private",
        /// Where the environment says.
        Inherit = "inherit",
    }
}

vocabulary! {
    /// The check digit (ISO/IEC 7812-1, Luhn) of a card number made by format-preserving encryption.
    pub enum Luhn {
        /// Wrong: nobody takes the number for a card, and no detector finds it again.
        Invalid = "invalid",
        /// Right: systems that check it take the number.
        Valid = "valid",
    }
}

macro_rules! choice {
    ($type:ident) => {
        impl Value for $type {
            fn expected() -> String {
                one_of(Self::NAMES)
            }

            fn choices() -> &'static [&'static str] {
                Self::NAMES
            }

            fn from_text(text: &str) -> Option<Self> {
                Self::from_name(text)
            }

            fn text(&self) -> String {
                self.name().to_owned()
            }

            fn schema() -> serde_json::Value {
                json!({ "enum": Self::NAMES })
            }
        }
    };
}

pub(crate) use choice;

choice!(Stdout);
choice!(Tmpdir);
choice!(Luhn);
choice!(Class);

/// Names for people: "one of `a`, `b` or `c`".
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => {
            format!("one of {} or {last}", rest.join(", "))
        }
        _ => quoted.concat(),
    }
}

/// The permission bits that files made by the guarded program must not have (POSIX `umask`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Umask {
    /// As it was.
    Inherit,
    /// These bits, at most `0o777`.
    Bits(u16),
}

impl Value for Umask {
    fn expected() -> String {
        "three octal digits as text, such as `\"077\"`, or `inherit`".to_owned()
    }

    fn choices() -> &'static [&'static str] {
        &["inherit"]
    }

    fn from_text(text: &str) -> Option<Self> {
        if text == "inherit" {
            return Some(Self::Inherit);
        }
        let octal = matches!(text.len(), 3 | 4) && text.bytes().all(|b| b.is_ascii_digit());
        let bits = u16::from_str_radix(text, 8).ok().filter(|&bits| octal && bits <= 0o777)?;
        Some(Self::Bits(bits))
    }

    fn text(&self) -> String {
        match self {
            Self::Inherit => "inherit".to_owned(),
            Self::Bits(bits) => format!("{bits:03o}"),
        }
    }

    fn schema() -> serde_json::Value {
        json!({ "pattern": "^(inherit|0?[0-7]{3})$", "type": "string" })
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count<const MIN: u32, const MAX: u32>(pub(crate) u32);

/// A number of characters. Shorter fragments occur by chance in any text; longer ones would let
/// most truncations out.
pub(crate) type Chars = Count<8, 256>;

/// A number of hexadecimal digits. Fewer than 24 bits tell nothing apart; 128 bits collide by no
/// chance at all.
pub(crate) type Digits = Count<6, 32>;

/// A number of rotated files.
pub(crate) type Files = Count<1, 1000>;

impl<const MIN: u32, const MAX: u32> Value for Count<MIN, MAX> {
    fn expected() -> String {
        format!("a whole number from {MIN} to {MAX}")
    }

    fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().filter(|count| (MIN..=MAX).contains(count)).map(Self)
    }

    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Range<usize>> {
        integer(value).and_then(|count| Self::from_text(&count)).ok_or_else(|| value.span())
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn json(&self) -> serde_json::Value {
        self.0.into()
    }

    fn schema() -> serde_json::Value {
        json!({ "maximum": MAX, "minimum": MIN, "type": "integer" })
    }
}

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) u64);

impl Bytes {
    const RANGE: std::ops::RangeInclusive<u64> = 64 << 10..=64 << 30;
    /// IEC 80000-13 and SI prefixes, each largest first where one divides the other.
    const UNITS: &[(&str, u64)] = &[
        ("GiB", 1 << 30),
        ("MiB", 1 << 20),
        ("KiB", 1 << 10),
        ("GB", 1_000_000_000),
        ("MB", 1_000_000),
        ("kB", 1_000),
        ("B", 1),
    ];
}

impl Value for Bytes {
    fn expected() -> String {
        "a size from 64 KiB to 64 GiB, such as `\"64MiB\"` (units B, kB, MB, GB, KiB, MiB, GiB)"
            .to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let (number, unit) = number_and_unit(text)?;
        let unit = if unit.is_empty() { "B" } else { unit };
        let (_, size) = Self::UNITS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?;
        number.checked_mul(*size).filter(|bytes| Self::RANGE.contains(bytes)).map(Self)
    }

    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Range<usize>> {
        let text = value.as_ref().as_str().map(str::to_owned).or_else(|| integer(value));
        text.and_then(|text| Self::from_text(&text)).ok_or_else(|| value.span())
    }

    fn text(&self) -> String {
        in_units(self.0, Self::UNITS)
    }

    fn schema() -> serde_json::Value {
        json!({
            "oneOf": [
                { "pattern": "^[0-9]+ ?([kK]i?|[mM]i?|[gG]i?)?[bB]$", "type": "string" },
                { "maximum": Self::RANGE.end(), "minimum": Self::RANGE.start(), "type": "integer" },
            ]
        })
    }
}

/// A span of time, in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub(crate) u64);

impl Seconds {
    const RANGE: std::ops::RangeInclusive<u64> = 1..=30 * 24 * 60 * 60;
    const UNITS: &[(&str, u64)] = &[("d", 24 * 60 * 60), ("h", 60 * 60), ("m", 60), ("s", 1)];

    pub(crate) const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl Value for Seconds {
    fn expected() -> String {
        "a time from 1 second to 30 days, such as `\"15m\"` (units s, m, h, d)".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let (number, unit) = number_and_unit(text)?;
        let (_, size) = Self::UNITS.iter().find(|(name, _)| *name == unit)?;
        number.checked_mul(*size).filter(|seconds| Self::RANGE.contains(seconds)).map(Self)
    }

    fn text(&self) -> String {
        in_units(self.0, Self::UNITS)
    }

    fn schema() -> serde_json::Value {
        json!({ "pattern": "^[0-9]+ ?[smhd]$", "type": "string" })
    }
}

/// A span of time as the policy file writes it, such as `15m`: whole seconds, minutes, hours or days.
pub fn time(text: &str) -> Option<Duration> {
    Seconds::from_text(text).map(Seconds::duration)
}

/// Makes a relative path stand on the directory of the layer that named it, and `~/` on the home
/// directory.
pub(crate) fn resolve(path: &mut PathBuf, base: Option<&Path>) {
    if let Ok(rest) = path.strip_prefix("~")
        && let Some(home) = std::env::home_dir()
    {
        *path = home.join(rest);
    } else if let Some(base) = base {
        *path = base.join(&*path);
    }
}

/// The path of a file or directory, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OptionalPath(pub(crate) Option<PathBuf>);

impl OptionalPath {
    /// As [`resolve`].
    pub(crate) fn resolve(&mut self, base: Option<&Path>) {
        if let Some(path) = &mut self.0 {
            resolve(path, base);
        }
    }
}

impl Value for OptionalPath {
    fn expected() -> String {
        "a path, or empty for none".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        match text {
            "" => Some(Self(None)),
            _ => (!text.contains('\0')).then(|| Self(Some(PathBuf::from(text)))),
        }
    }

    fn text(&self) -> String {
        self.0.as_ref().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        self.0.as_ref().map_or(serde_json::Value::Null, |_| self.text().into())
    }

    fn schema() -> serde_json::Value {
        json!({ "type": "string" })
    }
}

/// A country code of ITU-T E.164, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CountryCode(pub(crate) Option<String>);

impl Value for CountryCode {
    fn expected() -> String {
        "one to three digits as text, such as `\"49\"`, or empty for none".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(None));
        }
        let right =
            text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
        right.then(|| Self(Some(text.to_owned())))
    }

    fn text(&self) -> String {
        self.0.clone().unwrap_or_default()
    }

    fn json(&self) -> serde_json::Value {
        self.0.as_deref().map_or(serde_json::Value::Null, Into::into)
    }

    fn schema() -> serde_json::Value {
        json!({ "pattern": "^([1-9][0-9]{0,2})?$", "type": "string" })
    }
}

/// The name of an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EnvironmentName(pub(crate) String);

impl EnvironmentName {
    pub(crate) const PATTERN: &str = "^[a-z][a-z0-9_-]{0,31}$";
}

impl Value for EnvironmentName {
    fn expected() -> String {
        "a name of at most 32 lower-case letters, digits, `_` and `-`, a letter first".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        let right = text.len() <= 32
            && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
            && text.bytes().all(inner);
        right.then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }

    fn schema() -> serde_json::Value {
        json!({ "pattern": Self::PATTERN, "type": "string" })
    }
}

/// A list of names. In a variable or a flag they are separated by commas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Names(pub(crate) Vec<String>);

impl Names {
    fn is_name(text: &str) -> bool {
        !text.is_empty() && text.len() <= 200 && !text.contains([',', '\0', '\n', '\r'])
    }
}

impl Value for Names {
    fn expected() -> String {
        "a list of names".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        if text.trim().is_empty() {
            return Some(Self(Vec::new()));
        }
        let names: Vec<String> = text.split(',').map(|name| name.trim().to_owned()).collect();
        names.iter().all(|name| Self::is_name(name)).then_some(Self(names))
    }

    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Range<usize>> {
        let list = value.as_ref().as_array().ok_or_else(|| value.span())?;
        let name = |item: &Spanned<DeValue<'_>>| match item.as_ref().as_str().map(str::trim) {
            Some(name) if Self::is_name(name) => Ok(name.to_owned()),
            _ => Err(item.span()),
        };
        list.iter().map(name).collect::<Result<_, _>>().map(Self)
    }

    fn text(&self) -> String {
        self.0.join(",")
    }

    fn json(&self) -> serde_json::Value {
        self.0.as_slice().into()
    }

    fn schema() -> serde_json::Value {
        json!({ "items": { "minLength": 1, "type": "string" }, "type": "array" })
    }
}

/// Phrases. In a variable they are separated by commas; `\,` is a comma of a phrase and `\\` a
/// backslash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phrases(pub(crate) Vec<String>);

impl Phrases {
    fn is_phrase(text: &str) -> bool {
        text.chars().filter(|char| char.is_alphanumeric()).count() >= 8 && !text.contains('\0')
    }
}

impl Value for Phrases {
    fn expected() -> String {
        "a list of phrases, each with eight letters or digits or more".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let phrases = from_list(text)?;
        phrases.iter().all(|phrase| Self::is_phrase(phrase)).then_some(Self(phrases))
    }

    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Range<usize>> {
        let list = value.as_ref().as_array().ok_or_else(|| value.span())?;
        let phrase = |item: &Spanned<DeValue<'_>>| match item.as_ref().as_str() {
            Some(phrase) if Self::is_phrase(phrase) => Ok(phrase.to_owned()),
            _ => Err(item.span()),
        };
        list.iter().map(phrase).collect::<Result<_, _>>().map(Self)
    }

    fn text(&self) -> String {
        to_list(self.0.iter().cloned())
    }

    fn json(&self) -> serde_json::Value {
        self.0.as_slice().into()
    }

    fn schema() -> serde_json::Value {
        json!({ "items": { "minLength": 8, "type": "string" }, "type": "array" })
    }
}

/// Paths. In a variable they are separated by commas; `\,` is a comma of a path and `\\` a
/// backslash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Paths(pub(crate) Vec<PathBuf>);

impl Paths {
    /// As [`resolve`].
    pub(crate) fn resolve(&mut self, base: Option<&Path>) {
        for path in &mut self.0 {
            resolve(path, base);
        }
    }

    fn is_path(text: &str) -> bool {
        !text.is_empty() && !text.contains('\0')
    }
}

impl Value for Paths {
    fn expected() -> String {
        "a list of paths".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let paths = from_list(text)?;
        let right = paths.iter().all(|path| Self::is_path(path));
        right.then(|| Self(paths.iter().map(PathBuf::from).collect()))
    }

    fn from_toml(value: &Spanned<DeValue<'_>>) -> Result<Self, Range<usize>> {
        let list = value.as_ref().as_array().ok_or_else(|| value.span())?;
        let path = |item: &Spanned<DeValue<'_>>| match item.as_ref().as_str() {
            Some(path) if Self::is_path(path) => Ok(PathBuf::from(path)),
            _ => Err(item.span()),
        };
        list.iter().map(path).collect::<Result<_, _>>().map(Self)
    }

    fn text(&self) -> String {
        to_list(self.0.iter().map(|path| path.to_string_lossy().into_owned()))
    }

    fn json(&self) -> serde_json::Value {
        self.0.iter().map(|path| path.to_string_lossy()).collect()
    }

    fn schema() -> serde_json::Value {
        json!({ "items": { "minLength": 1, "type": "string" }, "type": "array" })
    }
}

/// What a list in a variable holds: separated by commas, where `\,` is a comma of an item and `\\` a
/// backslash.
pub(crate) fn from_list(text: &str) -> Option<Vec<String>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let mut items = vec![String::new()];
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        let item = items.last_mut().expect("there is a first item");
        match letter {
            ',' => items.push(String::new()),
            '\\' => item.push(letters.next()?),
            letter => item.push(letter),
        }
    }
    Some(items)
}

/// The list as [`from_list`] reads it. A blank at the start of an item is escaped: blanks alone are an
/// empty list.
pub(crate) fn to_list(items: impl Iterator<Item = String>) -> String {
    let escaped = |item: String| {
        let blank = if item.starts_with(char::is_whitespace) { r"\" } else { "" };
        format!("{blank}{}", item.replace('\\', r"\\").replace(',', r"\,"))
    };
    items.map(escaped).collect::<Vec<_>>().join(",")
}

fn integer(value: &Spanned<DeValue<'_>>) -> Option<String> {
    let integer = value.as_ref().as_integer()?;
    u64::from_str_radix(integer.as_str(), integer.radix()).ok().map(|number| number.to_string())
}

/// A number in the first unit that divides it.
fn in_units(number: u64, units: &[(&str, u64)]) -> String {
    let (unit, size) =
        units.iter().find(|(_, size)| number.is_multiple_of(*size)).expect("the last unit is one");
    format!("{}{unit}", number / size)
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.strip_prefix(' ').unwrap_or(unit)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn umask() {
        assert_eq!(Umask::from_text("077"), Some(Umask::Bits(0o077)));
        assert_eq!(Umask::from_text("0027"), Some(Umask::Bits(0o027)));
        assert_eq!(Umask::from_text("inherit"), Some(Umask::Inherit));
        for wrong in ["", "77", "7777", "088", "+77", "0o77", "00077"] {
            assert_eq!(Umask::from_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_and_times() {
        assert_eq!(Bytes::from_text("64MiB"), Some(Bytes(64 << 20)));
        assert_eq!(Bytes::from_text("64 mib"), Some(Bytes(64 << 20)));
        assert_eq!(Bytes::from_text("65536"), Some(Bytes(65536)));
        for wrong in ["", "MiB", "1B", "-1MiB", "1.5GB", "99999999999999999999", "64  MiB", "65GiB"]
        {
            assert_eq!(Bytes::from_text(wrong), None, "{wrong}");
        }
        assert_eq!(Seconds::from_text("15m"), Some(Seconds(900)));
        for wrong in ["", "15", "m", "0s", "31d", "15M", "15 minutes"] {
            assert_eq!(Seconds::from_text(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn lists_from_a_variable() {
        let names = |text| Names::from_text(text).map(|names| names.0);
        assert_eq!(names("ipv4, ipv6"), Some(vec!["ipv4".to_owned(), "ipv6".to_owned()]));
        assert_eq!(names(" "), Some(vec![]));
        assert_eq!(names("ipv4,,ipv6"), None);
    }

    #[test]
    fn a_path_may_hold_a_comma() {
        for paths in [vec!["/a, b/c.toml".into(), r"/d\e.toml".into()], vec!["\t".into()]] {
            let paths = Paths(paths);
            assert_eq!(Paths::from_text(&paths.text()), Some(paths));
        }
    }

    fn round_trips<V: Value + PartialEq + std::fmt::Debug>(text: &str) {
        if let Some(value) = V::from_text(text) {
            assert_eq!(V::from_text(&value.text()).as_ref(), Some(&value), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_a_value_writes_it_reads(number in any::<u64>(), unit in "[kKmMgG]?i?[bBsmhd]?", any in ".*") {
            for text in [format!("{number}{unit}"), format!("{}{unit}", number % 1000), any] {
                round_trips::<Umask>(&text);
                round_trips::<Chars>(&text);
                round_trips::<Bytes>(&text);
                round_trips::<Seconds>(&text);
                round_trips::<OptionalPath>(&text);
                round_trips::<CountryCode>(&text);
                round_trips::<Digits>(&text);
                round_trips::<EnvironmentName>(&text);
                round_trips::<Names>(&text);
                round_trips::<Phrases>(&text);
                round_trips::<crate::levels::LoggerFloors>(&text);
                round_trips::<crate::levels::Floor>(&text);
                round_trips::<crate::sink::Sinks>(&text);
                round_trips::<Paths>(&text);
            }
        }
    }
}
