//! A record: what it is about, and its fields by class.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Map, Value};
use tacenda_policy::Class;

use crate::Hash;
use crate::error::JournalError;
use crate::fields;
use crate::leaf::Fields;
use crate::part::Part;
use crate::wish::{class_of, is_wish, start_of_object};

/// The longest record, in bytes of all its parts.
pub const LONGEST: usize = 16 << 20;

/// Names of members that are not fields, where a record is read or printed.
pub(crate) const OWN: [&str; 8] =
    ["seq", "time", "level", "logger", "kinds", "class", "classes", "erased"];

/// A record on its way into the journal, or out of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// When, in nanoseconds since 1970, UTC.
    pub time: i64,
    /// Its level, in lower case: `info`, `warning` …
    pub level: String,
    /// Who wrote it.
    pub logger: String,
    /// The kinds of values that it is about, sorted, with commas between them.
    pub kinds: String,
    /// The fields of each class, in the order of [`Class::ALL`]: a JSON object, if there are any.
    pub fields: [Option<Vec<u8>>; 4],
}

/// A record as it was read.
#[derive(Clone)]
pub struct Seen {
    /// Its number in the journal, from 0.
    pub sequence: u64,
    /// What of it could be read.
    pub record: Record,
    /// The classes of which it may have fields that no identity at hand opens.
    pub sealed: Vec<Class>,
    /// The hash of its leaf, when its content was erased.
    pub erased: Option<Hash>,
}

impl Record {
    /// Reads a line: a JSON object, or a text that becomes the message.
    ///
    /// Of an object, `time` (RFC 3339, UTC where it names no zone, or a number since 1970), `level` (a
    /// word, or a number of pino or syslog), `logger` and `kinds` are what the record is about; `class`
    /// says of which class the fields are, and `classes` says so of single ones. All other members are
    /// fields, as they are written, also a time that is none. What begins as an object and is none could
    /// have held any field: it is restricted. Blanks and control characters before an object, such as a
    /// byte order mark, count for nothing.
    pub fn from_line(line: &[u8], class: Class, now: i64) -> Result<Self, JournalError> {
        Self::from_line_with(line, class, &[], now)
    }

    /// The same, of a line in which something was found: the field that holds it is of its class at
    /// least, unless `classes` says of which it is. So is the message. A level, logger or kinds that
    /// hold some are a field too: what a record is about stands in the column that all read.
    pub fn from_line_with(
        line: &[u8],
        class: Class,
        found: &[(Range<usize>, Class)],
        now: i64,
    ) -> Result<Self, JournalError> {
        let Some(start) = start_of_object(line) else {
            let strictest = found.iter().map(|(_, class)| *class).max();
            return Self::from_text(line, strictest.map_or(class, |one| one.max(class)), now);
        };
        let object = line[start..].trim_ascii_end();
        if !fields::is_json(object) {
            return Self::from_text(line, Class::Restricted, now);
        }
        let members = fields::members_of(object).collect();
        Self::from_members(members, class, &at_least(object, start, found), now)
    }

    /// A line that is the message, whatever it looks like.
    pub fn from_text(line: &[u8], class: Class, now: i64) -> Result<Self, JournalError> {
        let text = Value::from(String::from_utf8_lossy(line)).to_string();
        let message = ("message".to_owned(), text.as_bytes());
        Self::from_members(vec![message], class, &BTreeMap::new(), now)
    }

    /// What is its own is taken out of the members; each that is left is a field, as it is written.
    fn from_members(
        mut members: Vec<(String, &[u8])>,
        class: Class,
        at_least: &BTreeMap<String, Class>,
        now: i64,
    ) -> Result<Self, JournalError> {
        let bad = |what| JournalError::BadRecord { what };
        let own = |members: &mut Vec<(String, &[u8])>, name: &str| -> Option<Value> {
            let place = members.iter().position(|(one, _)| one == name)?;
            let value = serde_json::from_slice(members[place].1).expect("it is part of JSON");
            // Everybody who reads the journal reads what a record is about; a wish is not kept.
            let is_fit = is_wish(name, &value) || !at_least.contains_key(name);
            (is_fit && is_understood(name, &value)).then(|| {
                members.remove(place);
                value
            })
        };
        let level = own(&mut members, "level").and_then(|level| read_level(&level));
        let logger = own(&mut members, "logger").and_then(|logger| read_text(&logger));
        let time = own(&mut members, "time").and_then(|time| read_time(&time)).unwrap_or(now);
        let kinds = own(&mut members, "kinds").and_then(|kinds| read_kinds(&kinds));
        let class = match own(&mut members, "class") {
            None | Some(Value::Null) => class,
            Some(Value::String(none)) if none.is_empty() => class,
            Some(named) => class_of(&named).ok_or_else(|| bad("has an unknown class"))?,
        };
        let single: Map<String, Value> = match own(&mut members, "classes") {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(single)) => single,
            Some(_) => return Err(bad("has classes that are no object")),
        };
        let mut fields: [Option<Vec<u8>>; 4] = Default::default();
        for (name, value) in members {
            let class = match single.get(&name) {
                None => at_least.get(&name).map_or(class, |least| class.max(*least)),
                Some(own) => class_of(own).ok_or_else(|| bad("has an unknown class"))?,
            };
            fields::add(&mut fields[Part::Of(class).index() - 1], &name, value);
        }
        let (level, logger) = (level.unwrap_or_default(), logger.unwrap_or_default());
        let kinds = kinds.unwrap_or_default();
        let record = Self { time, level, logger, kinds, fields };
        // Its fields are written by us.
        record.check_size()?;
        Ok(record)
    }

    /// Its fields of a class.
    pub fn fields_of(&mut self, class: Class) -> &mut Option<Vec<u8>> {
        &mut self.fields[Part::Of(class).index() - 1]
    }

    /// The fields of each class.
    pub(crate) fn fields(&self) -> Fields<'_> {
        self.fields.each_ref().map(Option::as_deref)
    }

    /// Whether the journal takes it.
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        self.check_size()?;
        if !self.fields.iter().flatten().all(|fields| fields::is_object(fields)) {
            let what = "has fields that are no JSON object on one line";
            return Err(JournalError::BadRecord { what });
        }
        Ok(())
    }

    fn check_size(&self) -> Result<(), JournalError> {
        let short = |text: &str| u16::try_from(text.len()).is_ok();
        if !(short(&self.level) && short(&self.logger) && short(&self.kinds)) {
            return Err(JournalError::BadRecord { what: "has a level, logger or kinds too long" });
        }
        if self.size() > LONGEST {
            return Err(JournalError::BadRecord { what: "is longer than 16 MiB" });
        }
        Ok(())
    }

    /// Its size, in bytes of all its parts.
    pub(crate) fn size(&self) -> usize {
        let fields = self.fields.iter().flatten().map(Vec::len).sum::<usize>();
        14 + self.level.len() + self.logger.len() + self.kinds.len() + fields
    }

    /// The head as bytes.
    pub(crate) fn head(&self, bytes: &mut Vec<u8>) {
        let texts = [&self.level, &self.logger, &self.kinds].map(String::as_bytes);
        head(self.time, texts, bytes).expect("checked when it was taken");
    }

    /// The inverse: the record without fields, and what follows.
    pub(crate) fn from_head(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (time, texts, rest) = read_head(bytes)?;
        let [level, logger, kinds] = texts.map(str::to_owned);
        Some((Self { time, level, logger, kinds, fields: Default::default() }, rest))
    }

    /// The parts that it has, as bits of their numbers.
    pub(crate) fn parts(&self) -> u8 {
        let bit = |(i, field): (usize, &Option<Vec<u8>>)| u8::from(field.is_some()) << (i + 1);
        1 | self.fields.iter().enumerate().map(bit).sum::<u8>()
    }

    /// One JSON object, its own members first. Fields come after, and never in their place: one that
    /// has the name of another member gets `_` before it.
    pub fn to_json(&self, sequence: u64) -> String {
        use std::fmt::Write as _;
        let mut json = format!("{{\"seq\":{sequence},\"time\":\"{}\"", show_time(self.time));
        for (name, text) in [("level", &self.level), ("logger", &self.logger)] {
            if !text.is_empty() {
                let _ = write!(json, ",\"{name}\":{}", Value::from(text.as_str()));
            }
        }
        if !self.kinds.is_empty() {
            let kinds: Vec<&str> = self.kinds.split(',').collect();
            let _ = write!(json, ",\"kinds\":{}", Value::from(kinds));
        }
        let fields = self.fields.iter().flatten().map(Vec::as_slice);
        for (name, value) in fields::members(fields, &OWN) {
            let _ = write!(json, ",{}:{}", Value::from(name), String::from_utf8_lossy(value));
        }
        json.push('}');
        json
    }

    /// The value of a field, of whatever class.
    pub fn field(&self, name: &str) -> Option<Value> {
        self.fields.iter().flatten().find_map(|fields| {
            let mut object: Map<String, Value> = serde_json::from_slice(fields).ok()?;
            object.remove(name)
        })
    }
}

/// Whether a member says what it has to say where it stands. Otherwise it is a field like others; a class
/// that is none is an error, since nobody can tell what the fields are.
fn is_understood(name: &str, value: &Value) -> bool {
    let is_read = match name {
        "level" => read_level(value).is_some(),
        "logger" => read_text(value).is_some(),
        "time" => read_time(value).is_some(),
        "kinds" => read_kinds(value).is_some(),
        _ => true,
    };
    is_read || value.is_null()
}

/// Levels that are numbers: those of syslog from 0 on, and those of pino and bunyan.
const NUMBERED: [(u64, &str); 14] = [
    (0, "emerg"),
    (1, "alert"),
    (2, "crit"),
    (3, "err"),
    (4, "warning"),
    (5, "notice"),
    (6, "info"),
    (7, "debug"),
    (10, "trace"),
    (20, "debug"),
    (30, "info"),
    (40, "warn"),
    (50, "error"),
    (60, "fatal"),
];

/// A level is a word, or a number that has one. Anything else is no level, and may be anything.
fn read_level(level: &Value) -> Option<String> {
    let is_in_word = |char: char| char.is_alphanumeric() || "_-.".contains(char);
    let number = level.as_u64();
    let named = NUMBERED.iter().find(|(one, _)| Some(*one) == number).map(|(_, name)| *name);
    let word = level.as_str().filter(|word| word.len() <= 32 && word.chars().all(is_in_word));
    named.or(word).map(str::to_ascii_lowercase)
}

fn read_text(text: &Value) -> Option<String> {
    text.as_str().map(str::to_owned)
}

fn read_kinds(kinds: &Value) -> Option<String> {
    let mut kinds: Vec<&str> =
        kinds.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?;
    kinds.sort_unstable();
    kinds.dedup();
    Some(kinds.join(","))
}

/// The class that each field is of at least, by what was found in the line, where the object begins at
/// `start`.
fn at_least(
    object: &[u8],
    start: usize,
    found: &[(Range<usize>, Class)],
) -> BTreeMap<String, Class> {
    let mut classes = BTreeMap::new();
    if found.is_empty() {
        return classes;
    }
    for (name, member) in fields::places(object) {
        let inside = |(place, _): &&(Range<usize>, Class)| {
            place.start < start + member.end && start + member.start < place.end
        };
        let strictest = found.iter().filter(inside).map(|(_, class)| *class).max();
        if let Some(class) = strictest {
            let least = classes.entry(name).or_insert(class);
            *least = class.max(*least);
        }
    }
    classes
}

/// A head as bytes: the time, then level, logger and kinds, each after its length in two bytes. `None`
/// when one of them is too long for that.
pub(crate) fn head(time: i64, texts: [&[u8]; 3], bytes: &mut Vec<u8>) -> Option<()> {
    bytes.extend_from_slice(&time.to_be_bytes());
    for text in texts {
        bytes.extend_from_slice(&u16::try_from(text.len()).ok()?.to_be_bytes());
        bytes.extend_from_slice(text);
    }
    Some(())
}

/// The inverse: time, level, logger and kinds, and what follows.
pub(crate) fn read_head(bytes: &[u8]) -> Option<(i64, [&str; 3], &[u8])> {
    let (time, mut rest) = bytes.split_first_chunk()?;
    let mut texts = [""; 3];
    for text in &mut texts {
        let (length, after) = rest.split_first_chunk()?;
        let (bytes, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
        (*text, rest) = (std::str::from_utf8(bytes).ok()?, after);
    }
    Some((i64::from_be_bytes(*time), texts, rest))
}

/// A time as RFC 3339 spells it, in UTC.
pub(crate) fn show_time(time: i64) -> String {
    jiff::Timestamp::from_nanosecond(time.into())
        .expect("64 bits of nanoseconds are within the years that it knows")
        .to_string()
}

fn read_time(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => {
            let time = text.parse::<jiff::Timestamp>().ok().or_else(|| {
                // As Python writes it. Without a zone it is taken as UTC.
                let civil: jiff::civil::DateTime = text.replacen(',', ".", 1).parse().ok()?;
                Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
            })?;
            i64::try_from(time.as_nanosecond()).ok()
        }
        Value::Number(number) => {
            if let Some(whole) = number.as_i64() {
                return whole.checked_mul(nanoseconds(whole.unsigned_abs()));
            }
            let number = number.as_f64()?;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "its size")]
            let unit = nanoseconds(number.abs() as u64);
            let unit = std::time::Duration::from_nanos(unit.unsigned_abs()).as_secs_f64();
            let time = jiff::SignedDuration::try_from_secs_f64(number * unit).ok()?;
            i64::try_from(time.as_nanos()).ok()
        }
        _ => None,
    }
}

/// The unit of a time since 1970, by how large it is: seconds up to the year 5138, then milliseconds,
/// microseconds and nanoseconds, each from March 1973 on.
fn nanoseconds(since_1970: u64) -> i64 {
    match since_1970 {
        ..100_000_000_000 => 1_000_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1000,
        _ => 1,
    }
}

/// Says how much there is, not what.
impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record {{ {} B, parts {:05b} }}", self.size(), self.parts())
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seen {{ sequence: {}, record: {:?} }}", self.sequence, self.record)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_go_to_their_class() {
        let line = br#"{"time": "2026-03-01T10:00:00.5Z", "level": "INFO", "logger": "app",
            "message": "hi", "card": "1", "kinds": ["prompt", "email"], "classes": {"card": "restricted"}}"#;
        let record = Record::from_line(line, Class::Internal, 0).unwrap();
        assert_eq!(record.fields[1].as_deref(), Some(br#"{"message":"hi"}"#.as_slice()));
        assert_eq!(record.fields[3].as_deref(), Some(br#"{"card":"1"}"#.as_slice()));
        assert_eq!(record.parts(), 0b10101);
        assert_eq!(
            record.to_json(7),
            r#"{"seq":7,"time":"2026-03-01T10:00:00.5Z","level":"info","logger":"app","kinds":["email","prompt"],"message":"hi","card":"1"}"#
        );
        assert_eq!(format!("{record:?}"), "Record { 61 B, parts 10101 }");
    }

    #[test]
    fn what_was_found_makes_a_field_stricter() {
        let line = br#" {"a": 1, "\u0062": {"c": ["x}"]}, "d": "e", "f": "g", "classes": {"d": "public"}}"#;
        let place = |text: &str| {
            let at = line.windows(text.len()).position(|one| one == text.as_bytes()).unwrap();
            at..at + text.len()
        };
        let read = |class, found: &[(Range<usize>, Class)]| {
            let record = Record::from_line_with(line, class, found, 0).unwrap();
            record.fields.map(|fields| fields.map(|one| String::from_utf8(one).unwrap()))
        };
        let found = [
            (place("x}"), Class::Restricted),
            (place("x"), Class::Confidential),
            (place("\"e\""), Class::Restricted),
            (place("\"f\""), Class::Public),
        ];
        let own = |text: &str| Some(text.to_owned());
        assert_eq!(
            read(Class::Internal, &found),
            [own(r#"{"d":"e"}"#), own(r#"{"a":1,"f":"g"}"#), None, own(r#"{"b":{"c": ["x}"]}}"#)]
        );
        // What reaches from one into another is in both.
        let across = [(place("1, \"\\u0062"), Class::Confidential)];
        let [_, internal, confidential, _] = read(Class::Internal, &across);
        assert_eq!(internal, own(r#"{"f":"g"}"#));
        assert_eq!(confidential, own(r#"{"a":1,"b":{"c": ["x}"]}}"#));
        let text =
            Record::from_line_with(b"a text", Class::Internal, &[(2..3, Class::Restricted)], 0);
        assert_eq!(text.unwrap().parts(), 0b10001);
    }

    #[test]
    fn what_a_record_is_about_holds_nothing_that_was_found() {
        let line = br#"{"level": "pin 1234", "logger": "ines", "kinds": ["heron"], "a": 1}"#;
        let place = |text: &str| {
            let at = line.windows(text.len()).position(|one| one == text.as_bytes()).unwrap();
            (at..at + text.len(), Class::Restricted)
        };
        let found = [place("ines"), place("heron")];
        let record = Record::from_line_with(line, Class::Internal, &found, 0).unwrap();
        assert_eq!((&*record.level, &*record.logger, &*record.kinds), ("", "", ""));
        let text = |fields: &Option<Vec<u8>>| String::from_utf8(fields.clone().unwrap()).unwrap();
        assert_eq!(text(&record.fields[1]), r#"{"level":"pin 1234","a":1}"#);
        assert_eq!(text(&record.fields[3]), r#"{"logger":"ines","kinds":["heron"]}"#);
    }

    #[test]
    fn fields_stay_as_they_are_written() {
        let line = b"{\"id\": 18446744073709551616, \"x\": 1.50, \"a\": [1,\t2e40], \"a\": 2, \"level\": \"info\", \"level\": \"x\"}";
        let record = Record::from_line(line, Class::Internal, 0).unwrap();
        assert_eq!(
            record.to_json(7),
            r#"{"seq":7,"time":"1970-01-01T00:00:00Z","level":"info","id":18446744073709551616,"x":1.50,"a":[1, 2e40],"_a":2,"_level":"x"}"#
        );
        record.check().unwrap();
        let again = Record::from_line(record.to_json(7).as_bytes(), Class::Internal, 0).unwrap();
        assert_eq!(again.to_json(7).matches("18446744073709551616").count(), 1);
    }

    #[test]
    fn no_field_passes_for_what_the_journal_says() {
        let fields = br#"{"seq":1,"\u0074ime":"2020-01-01T00:00:00Z","level":"fatal","a":1}"#;
        let more = br#"{"a":2}"#;
        let fields = [Some(fields.to_vec()), None, Some(more.to_vec()), None];
        let record = Record { fields, ..Record::default() };
        record.check().unwrap();
        assert_eq!(
            record.to_json(7),
            r#"{"seq":7,"time":"1970-01-01T00:00:00Z","_seq":1,"_time":"2020-01-01T00:00:00Z","_level":"fatal","a":1,"_a":2}"#
        );
    }

    #[test]
    fn any_other_line_is_the_message() {
        for line in ["{broken", " {\"prompt\": NaN}", "{\"a\": \"\\ud800\"}"] {
            let record = Record::from_line(line.as_bytes(), Class::Public, 5).unwrap();
            assert_eq!((record.field("message"), record.parts()), (Some(line.into()), 0b10001));
        }
        for line in ["plain", "[1]", ""] {
            let record = Record::from_line(line.as_bytes(), Class::Confidential, 5).unwrap();
            assert_eq!((record.time, record.field("message")), (5, Some(line.into())));
            assert!(record.fields[2].is_some());
        }
        for line in [r#"{"class": "secret"}"#, r#"{"classes": {"a": 1}, "a": 2}"#] {
            let error = Record::from_line(line.as_bytes(), Class::Internal, 0).unwrap_err();
            assert!(matches!(error, JournalError::BadRecord { .. }), "{error}");
        }
    }

    #[test]
    fn what_other_programs_log_keeps_its_fields() {
        let read = |line: &str| Record::from_line(line.as_bytes(), Class::Internal, 5).unwrap();
        for (number, name) in [
            ("10", "trace"),
            ("30", "info"),
            ("50", "error"),
            ("60", "fatal"),
            ("0", "emerg"),
            ("3", "err"),
            ("7", "debug"),
        ] {
            assert_eq!(read(&format!("{{\"level\":{number},\"msg\":\"x\"}}")).level, name);
        }
        let ready = 1_772_359_200_000_000_000;
        for (time, expected) in [
            ("1772359200", ready),
            ("1772359200.5", ready + 500_000_000),
            ("1772359200123", ready + 123_000_000),
            ("1772359200123.5", ready + 123_500_000),
            ("1772359200123456", ready + 123_456_000),
            ("1772359200123456789", ready + 123_456_789),
            ("\"2026-03-01T10:00:00Z\"", ready),
            ("\"2026-03-01 10:00:00,123\"", ready + 123_000_000),
            ("\"2026-03-01T10:00:00.5\"", ready + 500_000_000),
            ("\"2026-03-01 11:00:00+01:00\"", ready),
        ] {
            let record = read(&format!("{{\"time\":{time},\"msg\":\"x\"}}"));
            assert!((record.time - expected).abs() < 1000, "{time}: {}", record.time);
            assert_eq!(record.field("time"), None);
        }
        for (member, value) in
            [("level", "35"), ("time", "\"soon\""), ("kinds", "1"), ("logger", "[]")]
        {
            let record = read(&format!("{{\"{member}\":{value},\"msg\":\"x\"}}"));
            assert_eq!((record.time, &*record.level, &*record.logger), (5, "", ""));
            assert_eq!(record.field("msg"), Some("x".into()));
            assert_eq!(record.field(member).unwrap().to_string(), value);
        }
    }

    #[test]
    fn what_is_unseen_before_an_object_is_no_text() {
        for before in ["\u{feff}", "\u{a0}", "\0", "\u{b}", " \u{feff}\t", "\u{200b}"] {
            let line =
                format!("{before}{{\"a\":\"x\",\"b\":\"y\",\"classes\":{{\"a\":\"restricted\"}}}}");
            let at = line.find("\"y\"").unwrap();
            let found = [(at..at + 1, Class::Confidential)];
            let record = Record::from_line_with(line.as_bytes(), Class::Public, &found, 0).unwrap();
            assert_eq!(record.parts(), 0b11001, "{before:?}");
        }
        let broken = Record::from_line(b"\xef\xbb\xbf{\"a\"", Class::Public, 0).unwrap();
        assert_eq!(broken.parts(), 0b10001);
        let latin =
            Record::from_line(b"\xa0{\"a\": 1, \"class\": \"restricted\"}", Class::Public, 0);
        assert_eq!(latin.unwrap().parts(), 0b10001);
    }

    #[test]
    fn a_wish_is_no_finding() {
        let line = br#"{"password":"x","class":"internal","classes":{"password":"confidential"}}"#;
        let found = [(12..14, Class::Restricted), (25..70, Class::Restricted)];
        let record = Record::from_line_with(line, Class::Public, &found, 0).unwrap();
        assert_eq!(record.parts(), 0b1001);
        assert_eq!(record.field("classes"), None);
    }

    #[test]
    fn a_field_named_seq_is_kept() {
        let record = Record::from_line(br#"{"seq":7,"m":"x"}"#, Class::Public, 0).unwrap();
        let json = r#"{"seq":0,"time":"1970-01-01T00:00:00Z","_seq":7,"m":"x"}"#;
        assert_eq!(record.to_json(0), json);
    }

    proptest! {
        #[test]
        fn a_head_comes_back(time: i64, level in ".{0,9}", logger in ".{0,9}", kinds in ".{0,9}") {
            let record = Record { time, level, logger, kinds, ..Record::default() };
            let mut bytes = Vec::new();
            record.head(&mut bytes);
            bytes.push(9);
            prop_assert_eq!(Record::from_head(&bytes), Some((record, [9].as_slice())));
        }

        #[test]
        fn no_line_makes_it_panic(line in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Record::from_line(&line, Class::Internal, 0).map(|record| record.to_json(0));
        }
    }
}
