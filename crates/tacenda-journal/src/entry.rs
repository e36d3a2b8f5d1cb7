//! The entries of the log: what happened to the journal, in canonical JSON.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::VerifyingKey;
use serde_json::{Map, Value, json};
use tacenda_policy::Class;

use crate::canonical::canonical;
use crate::error::JournalError;
use crate::keys::Recipients;
use crate::leaf::Digests;
use crate::part::Part;
use crate::record::show_time;
use crate::salt::DEPTH;
use crate::settings::{BESIDE, LONGEST_FILE, LONGEST_SEGMENT, Settings};
use crate::{Hash, hex, unhex};

/// The longest entry (C2SP tlog-tiles: its length has 16 bits).
pub(crate) const LONGEST: usize = 65_535;

/// How a segment is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Encrypted Parquet.
    Parquet,
    /// The write-ahead file as a crash left it.
    Wal,
}

impl Format {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Wal => "wal",
        }
    }

    fn of(name: &str) -> Option<Self> {
        [Self::Parquet, Self::Wal].into_iter().find(|format| format.name() == name)
    }
}

/// A segment as the log knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentState {
    /// Its number, from 0.
    pub number: u64,
    /// How it is stored.
    pub format: Format,
    /// The number of its first record.
    pub first: u64,
    /// Its records.
    pub records: u64,
    /// The earliest and the latest time in it, if they are known.
    pub times: Option<(i64, i64)>,
    /// The root of the tree over its records; it stays when records are erased.
    pub root: Hash,
    /// What tells of each part by itself, with no key but that part's, whether it is what was sealed: a
    /// hash over the commitments to it. After a crash nobody has them.
    pub(crate) parts: Option<Digests>,
    /// The hash of its file.
    pub sha256: Hash,
    /// The bytes of its file.
    pub bytes: u64,
    /// The hash of the end of its file, if that is Parquet: with it single blocks can be compared.
    pub tail: Option<Hash>,
    /// Records whose content was erased.
    pub erased: u64,
    /// Their numbers in the segment.
    pub(crate) gone: BTreeSet<u64>,
    /// Whether it was written anew since it was sealed. Whoever has the keys of today can have done
    /// that: only its root tells that what is left is what there was.
    pub rewritten: bool,
    /// Classes whose content is gone, since their time was over.
    pub expired: Vec<Class>,
    /// Bytes after the last whole frame, when it was sealed after a crash.
    pub cut: Option<u64>,
    /// Whether those were more than a frame that the crash had cut: somebody, or the disk, has
    /// changed what was written.
    pub changed: bool,
    /// When it was sealed.
    pub sealed: i64,
    /// Whether its file was deleted.
    pub deleted: bool,
}

impl SegmentState {
    /// The name of its file.
    pub fn file(&self) -> String {
        Self::file_of(self.number, self.format)
    }

    pub(crate) fn file_of(number: u64, format: Format) -> String {
        format!("{number:010}.{}", format.name())
    }

    /// What is read of it from now on is this file.
    pub(crate) fn set_file(&mut self, file: &Written) {
        self.format = Format::Parquet;
        (self.sha256, self.bytes, self.tail) = (file.sha256, file.bytes, Some(file.tail));
    }
}

/// A file of a segment as it was written, in Parquet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its hash.
    pub sha256: Hash,
    /// Its bytes.
    pub bytes: u64,
    /// The hash of its end, from the footer on.
    pub tail: Hash,
}

/// Why something was taken out, and by whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause {
    /// Why, in their words; or the rule of retention.
    pub reason: String,
    /// Who.
    pub who: String,
}

impl Cause {
    /// An entry has 64 KiB for everything.
    pub(crate) fn check(&self) -> Result<(), JournalError> {
        if self.reason.len() > 1000 || self.who.len() > 1000 {
            let what = "a reason, and who gives it, have at most 1000 bytes each".to_owned();
            return Err(JournalError::BadSetting { what });
        }
        Ok(())
    }
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The journal began.
    Begin {
        /// Its name in checkpoints.
        origin: String,
        /// The key of the first checkpoint.
        first: VerifyingKey,
        /// The key that signs all checkpoints, for witnesses.
        log: VerifyingKey,
        /// What it is set to.
        settings: Settings,
    },
    /// It was set to something else.
    Set {
        /// What.
        settings: Settings,
        /// Who and why.
        cause: Cause,
    },
    /// A segment was sealed.
    Seal(SegmentState),
    /// Content of records was erased: the file of the segment is another one now.
    Erase {
        /// The segment.
        segment: u64,
        /// Records that were erased by this, by their numbers in the segment.
        records: Vec<u64>,
        /// The new file.
        file: Written,
        /// Who and why.
        cause: Cause,
    },
    /// The time of classes was over in a segment that stays: its file is another one now.
    Expire {
        /// The segment.
        segment: u64,
        /// The classes, in their order.
        classes: Vec<Class>,
        /// Records that had content of one of them.
        records: u64,
        /// The new file.
        file: Written,
        /// Who and why.
        cause: Cause,
    },
    /// Segments were deleted.
    Delete {
        /// The first and the last.
        segments: (u64, u64),
        /// Records in them.
        records: u64,
        /// Who and why.
        cause: Cause,
    },
    /// A legal hold began: nothing with a time in its range is deleted or erased, or expires.
    Hold {
        /// Its name.
        name: String,
        /// From and to, in nanoseconds since 1970.
        times: (i64, i64),
        /// Who and why.
        cause: Cause,
    },
    /// A legal hold ended.
    Release {
        /// Its name.
        name: String,
        /// Who and why.
        cause: Cause,
    },
}

/// An entry: when, what, and the key of the next checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub time: i64,
    /// The key that signs the checkpoint after the one that covers this entry.
    pub next: VerifyingKey,
    /// What.
    pub event: Event,
}

impl Entry {
    /// What it says, as the log has it.
    pub fn to_json(&self) -> Value {
        serde_json::from_slice(&self.to_bytes()).expect("it is JSON")
    }

    /// The bytes of the entry.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut object = match &self.event {
            Event::Begin { origin, first, log, settings } => json!({
                "type": "begin", "version": 1, "origin": origin, "first": show_key(first),
                "log": show_key(log), "settings": settings.to_json(),
            }),
            Event::Set { settings, cause } => with(
                cause,
                json!({
                    "type": "set", "settings": settings.to_json(),
                }),
            ),
            Event::Seal(segment) => seal(segment),
            Event::Erase { segment, records, file, cause } => with(
                cause,
                with_file(
                    file,
                    json!({
                        "type": "erase", "segment": segment, "records": records,
                    }),
                ),
            ),
            Event::Expire { segment, classes, records, file, cause } => {
                let classes: Vec<&str> = classes.iter().map(|class| class.name()).collect();
                with(
                    cause,
                    with_file(
                        file,
                        json!({
                            "type": "expire", "segment": segment, "classes": classes,
                            "records": records,
                        }),
                    ),
                )
            }
            Event::Delete { segments: (from, to), records, cause } => with(
                cause,
                json!({
                    "type": "delete", "segments": [from, to], "records": records,
                }),
            ),
            Event::Hold { name, times: (from, to), cause } => with(
                cause,
                json!({
                    "type": "hold", "name": name, "times": [show_time(*from), show_time(*to)],
                }),
            ),
            Event::Release { name, cause } => with(
                cause,
                json!({
                    "type": "release", "name": name,
                }),
            ),
        };
        object["time"] = show_time(self.time).into();
        object["next"] = show_key(&self.next).into();
        canonical(&object)
    }
}

impl crate::Reader {
    /// The entries of the log, the oldest first.
    pub fn entries(&self) -> &[Entry] {
        &self.view.entries
    }
}

fn with(cause: &Cause, mut object: Value) -> Value {
    object["reason"] = cause.reason.as_str().into();
    object["who"] = cause.who.as_str().into();
    object
}

fn with_file(file: &Written, mut object: Value) -> Value {
    object["sha256"] = hex(&file.sha256).into();
    object["bytes"] = file.bytes.into();
    object["tail"] = hex(&file.tail).into();
    object
}

fn seal(segment: &SegmentState) -> Value {
    let mut object = json!({
        "type": "seal", "segment": segment.number, "format": segment.format.name(),
        "first": segment.first, "records": segment.records, "root": hex(&segment.root),
        "sha256": hex(&segment.sha256), "bytes": segment.bytes,
    });
    if let Some(tail) = &segment.tail {
        object["tail"] = hex(tail).into();
    }
    if let Some(parts) = &segment.parts {
        let named = Part::ALL.iter().zip(parts);
        let named = named
            .filter_map(|(part, hash)| Some((part.name().to_owned(), json!(hex(hash.as_ref()?)))));
        object["parts"] = named.collect();
    }
    if let Some((from, to)) = segment.times {
        object["times"] = json!([show_time(from), show_time(to)]);
    }
    if let Some(cut) = segment.cut {
        object["recovered"] = json!({ "cut": cut });
        if segment.changed {
            object["recovered"]["changed"] = true.into();
        }
    }
    object
}

/// Reads an entry; `None` unless it is the one spelling of one.
pub fn parse(bytes: &[u8]) -> Option<Entry> {
    let value: Value = serde_json::from_slice(bytes).ok().filter(|_| bytes.len() <= LONGEST)?;
    let object = value.as_object()?;
    let (number, text) = (|name: &str| value[name].as_u64(), |name: &str| value[name].as_str());
    let hash = |name: &str| unhex(value[name].as_str()?);
    let file =
        || Some(Written { sha256: hash("sha256")?, bytes: number("bytes")?, tail: hash("tail")? });
    let time = read_time(text("time")?)?;
    let event = match text("type")? {
        "begin" if value["version"] == 1 => Event::Begin {
            origin: text("origin")?.to_owned(),
            first: read_key(text("first")?)?,
            log: read_key(text("log")?)?,
            settings: Settings::from_json(&value["settings"])?,
        },
        "set" => {
            Event::Set { settings: Settings::from_json(&value["settings"])?, cause: cause(object)? }
        }
        "seal" => Event::Seal(SegmentState {
            number: number("segment")?,
            format: Format::of(text("format")?)?,
            first: number("first")?,
            records: number("records")?,
            times: match object.get("times") {
                Some(times) => Some(range(times)?),
                None => None,
            },
            root: hash("root")?,
            parts: match object.get("parts") {
                Some(parts) => Some(read_parts(parts)?),
                None => None,
            },
            sha256: hash("sha256")?,
            bytes: number("bytes")?,
            tail: if value["format"] == Format::Parquet.name() {
                Some(hash("tail")?)
            } else {
                None
            },
            erased: 0,
            gone: BTreeSet::new(),
            rewritten: false,
            expired: Vec::new(),
            cut: match object.get("recovered") {
                Some(recovered) => Some(recovered["cut"].as_u64()?),
                None => None,
            },
            changed: value["recovered"]["changed"] == true,
            sealed: time,
            deleted: false,
        }),
        "erase" => Event::Erase {
            segment: number("segment")?,
            records: serde_json::from_value(value["records"].clone()).ok()?,
            file: file()?,
            cause: cause(object)?,
        },
        "expire" => Event::Expire {
            segment: number("segment")?,
            classes: classes(&value["classes"])?,
            records: number("records")?,
            file: file()?,
            cause: cause(object)?,
        },
        "delete" => Event::Delete {
            segments: serde_json::from_value(value["segments"].clone()).ok()?,
            records: number("records")?,
            cause: cause(object)?,
        },
        "hold" => Event::Hold {
            name: text("name")?.to_owned(),
            times: range(&value["times"])?,
            cause: cause(object)?,
        },
        "release" => Event::Release { name: text("name")?.to_owned(), cause: cause(object)? },
        _ => return None,
    };
    let entry = Entry { time, next: read_key(text("next")?)?, event };
    (entry.to_bytes() == bytes).then_some(entry)
}

fn read_parts(value: &Value) -> Option<Digests> {
    let object = value.as_object()?;
    let mut parts = Digests::default();
    for part in Part::ALL {
        if let Some(hash) = object.get(part.name()) {
            parts[part.index()] = Some(unhex(hash.as_str()?)?);
        }
    }
    // Each record has a head.
    parts[Part::Head.index()].is_some().then_some(parts)
}

fn cause(object: &Map<String, Value>) -> Option<Cause> {
    let text = |name| Some(object.get(name)?.as_str()?.to_owned());
    Some(Cause { reason: text("reason")?, who: text("who")? })
}

fn classes(value: &Value) -> Option<Vec<Class>> {
    let names = value.as_array()?.iter();
    names.map(|name| Class::from_name(name.as_str()?)).collect()
}

fn range(value: &Value) -> Option<(i64, i64)> {
    let [from, to] = value.as_array()?.as_slice() else { return None };
    let times = (read_time(from.as_str()?)?, read_time(to.as_str()?)?);
    (times.0 <= times.1).then_some(times)
}

fn read_time(text: &str) -> Option<i64> {
    i64::try_from(text.parse::<jiff::Timestamp>().ok()?.as_nanosecond()).ok()
}

fn show_key(key: &VerifyingKey) -> String {
    BASE64_STANDARD.encode(key.as_bytes())
}

fn read_key(text: &str) -> Option<VerifyingKey> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    VerifyingKey::from_bytes(bytes.as_slice().try_into().ok()?).ok()
}

/// What the entries of a log say together.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) origin: String,
    pub(crate) settings: Settings,
    pub(crate) segments: BTreeMap<u64, SegmentState>,
    pub(crate) holds: BTreeMap<String, (i64, i64)>,
    /// What the next segment is to be: its number and that of its first record.
    pub(crate) next: (u64, u64),
    began: i64,
    /// The longest that a segment was ever to be.
    longest: u64,
    /// The recipients, by the number of the first segment that is sealed to them.
    recipients: BTreeMap<u64, Recipients>,
}

impl State {
    /// The state after the first entry.
    pub(crate) fn begin(entry: &Entry) -> Option<Self> {
        let Event::Begin { origin, settings, .. } = &entry.event else { return None };
        Some(Self {
            origin: origin.clone(),
            settings: settings.clone(),
            segments: BTreeMap::new(),
            holds: BTreeMap::new(),
            next: (0, 0),
            began: entry.time,
            longest: settings.limits.segment_bytes,
            recipients: BTreeMap::from([(0, settings.recipients.clone())]),
        })
    }

    /// The state after another entry; why not, in fixed words, when it does not follow.
    pub(crate) fn apply(&mut self, entry: &Entry) -> Result<(), &'static str> {
        match &entry.event {
            Event::Begin { .. } => return Err("the journal begins twice"),
            Event::Set { settings, .. } => {
                self.recipients.insert(self.next.0, settings.recipients.clone());
                self.longest = self.longest.max(settings.limits.segment_bytes);
                self.settings = settings.clone();
            }
            Event::Seal(segment) => {
                if (segment.number, segment.first) != self.next {
                    return Err("a segment does not follow the one before it");
                }
                if segment.records > 1 << DEPTH {
                    return Err("a segment has more records than it can have");
                }
                let first = segment.first.checked_add(segment.records).ok_or("too many records")?;
                if segment.times.is_some() != (segment.records > 0) {
                    return Err("a segment has no times, or times of no record");
                }
                if segment.parts.is_some() != (segment.records > 0 && segment.cut.is_none()) {
                    return Err("a segment lacks the hashes of its parts, or has those of none");
                }
                self.next = (segment.number + 1, first);
                self.segments.insert(segment.number, segment.clone());
            }
            Event::Erase { segment, records, file, .. } => {
                self.refuse_kept(*segment, *segment)?;
                let segment = self.segments.get_mut(segment).filter(|segment| !segment.deleted);
                let segment = segment.ok_or("records of no segment are erased")?;
                if records.iter().any(|number| *number >= segment.records) {
                    return Err("records are erased that the segment does not have");
                }
                segment.gone.extend(records);
                segment.erased = segment.gone.len() as u64;
                segment.rewritten = true;
                segment.set_file(file);
            }
            Event::Expire { segment, classes, records, file, .. } => {
                self.refuse_kept(*segment, *segment)?;
                let segment = self.segments.get_mut(segment).filter(|segment| !segment.deleted);
                let segment = segment.ok_or("content of no segment expires")?;
                if classes.is_empty() || !classes.is_sorted_by(|one, next| one < next) {
                    return Err("the classes that expire are not in their order");
                }
                if classes.iter().any(|class| segment.expired.contains(class)) {
                    return Err("a class expires twice");
                }
                if *records > segment.records {
                    return Err("content of more records expires than the segment has");
                }
                segment.expired.extend(classes);
                segment.expired.sort_unstable();
                segment.rewritten = true;
                segment.set_file(file);
            }
            Event::Delete { segments: (from, to), records, .. } => {
                let kept = self.segments.range(*from..).take_while(|(number, _)| *number <= to);
                let known: u64 = kept.map(|(_, segment)| segment.records).sum();
                if from > to || *records != known {
                    return Err("other records are deleted than the segments have");
                }
                self.refuse_kept(*from, *to)?;
                for number in *from..=(*to).min(self.next.0) {
                    let segment = self.segments.get_mut(&number).filter(|one| !one.deleted);
                    segment.ok_or("a segment that is not there is deleted")?.deleted = true;
                }
            }
            Event::Hold { name, times, .. } => {
                if self.holds.contains_key(name) {
                    return Err("a hold takes the place of another one of its name");
                }
                self.holds.insert(name.clone(), *times);
            }
            Event::Release { name, .. } => {
                self.holds.remove(name).ok_or("a hold that is not there is released")?;
            }
        }
        Ok(())
    }

    /// Nothing goes of what a hold keeps.
    fn refuse_kept(&self, from: u64, to: u64) -> Result<(), &'static str> {
        let mut segments = self.segments.range(from..=to).map(|(_, segment)| segment);
        let is_kept = segments.any(|segment| self.hold(segment).is_some());
        if is_kept { Err("a hold keeps what is erased, expires or is deleted") } else { Ok(()) }
    }

    /// What a write-ahead file has at most: what it is sealed at, its last batch, and header and marks.
    pub(crate) fn longest_wal(&self) -> u64 {
        self.longest.min(LONGEST_SEGMENT) + BESIDE
    }

    /// What any file of a segment has at most, by what the log says of them.
    pub(crate) fn longest_file(&self) -> u64 {
        let known = self.segments.values().map(|segment| segment.bytes).max();
        self.longest_wal().max(known.unwrap_or(0).min(LONGEST_FILE))
    }

    /// The hold that keeps a segment: by what its records say of their times, or by when they were
    /// written, which is after the segment before it was sealed.
    pub(crate) fn hold(&self, segment: &SegmentState) -> Option<&str> {
        self.hold_of(segment.number, segment.times, segment.sealed)
    }

    /// The same, of what is not sealed yet and says that it is of these times.
    pub(crate) fn hold_active(&self, times: (i64, i64)) -> Option<&str> {
        self.hold_of(self.next.0, Some(times), i64::MAX)
    }

    fn hold_of(&self, number: u64, times: Option<(i64, i64)>, sealed: i64) -> Option<&str> {
        let before = self.segments.range(..number).next_back();
        let written = (before.map_or(self.began, |(_, before)| before.sealed), sealed);
        // A clock that was put back in between does not say when that was.
        let is_known = written.0 <= written.1;
        let kept = |(from, to): &(i64, i64)| {
            let meets = |(first, last): (i64, i64)| first <= *to && *from <= last;
            !is_known || times.is_none_or(meets) || meets(written)
        };
        self.holds.iter().find(|(_, times)| kept(times)).map(|(name, _)| name.as_str())
    }

    /// Whom a segment is sealed to: the recipients that were set when it began.
    pub(crate) fn recipients(&self, segment: &SegmentState) -> &Recipients {
        let set = self.recipients.range(..=segment.number).next_back();
        set.map(|(_, recipients)| recipients).expect("those of the beginning are there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Recipients, new_identity};

    #[test]
    fn every_event_has_one_spelling() {
        let key = |byte| ed25519_dalek::SigningKey::from_bytes(&[byte; 32]).verifying_key();
        let recipient = new_identity(0).1;
        let settings = Settings::new(Recipients::new(&[(None, recipient)]).unwrap());
        let cause = Cause { reason: "a \"leak\"\n".into(), who: "ines (1000) on atlas".into() };
        let segment = SegmentState {
            number: 3,
            format: Format::Wal,
            first: 17,
            records: 4,
            times: Some((1, 1_700_000_000_123_456_789)),
            root: [1; 32],
            parts: None,
            sha256: [2; 32],
            bytes: 99,
            tail: None,
            erased: 0,
            gone: BTreeSet::new(),
            rewritten: false,
            expired: Vec::new(),
            cut: Some(5),
            changed: true,
            sealed: 7,
            deleted: false,
        };
        for event in [
            Event::Begin {
                origin: "o".into(),
                first: key(1),
                log: key(2),
                settings: settings.clone(),
            },
            Event::Set { settings, cause: cause.clone() },
            Event::Seal(segment.clone()),
            Event::Seal(SegmentState {
                format: Format::Parquet,
                tail: Some([5; 32]),
                times: None,
                parts: Some([Some([3; 32]), None, Some([4; 32]), None, None]),
                cut: None,
                changed: false,
                ..segment
            }),
            Event::Erase {
                segment: 1,
                records: vec![1, 5],
                file: Written { sha256: [3; 32], bytes: 9, tail: [6; 32] },
                cause: cause.clone(),
            },
            Event::Expire {
                segment: 1,
                classes: vec![Class::Confidential, Class::Restricted],
                records: 7,
                file: Written { sha256: [4; 32], bytes: 9, tail: [6; 32] },
                cause: cause.clone(),
            },
            Event::Delete { segments: (0, 2), records: 30, cause: cause.clone() },
            Event::Hold { name: "case".into(), times: (0, 10), cause: cause.clone() },
            Event::Release { name: "case".into(), cause },
        ] {
            let entry = Entry { time: 7, next: key(3), event };
            let bytes = entry.to_bytes();
            assert_eq!(parse(&bytes).as_ref(), Some(&entry));
            let spaced = String::from_utf8(bytes).unwrap().replacen(':', ": ", 1);
            assert!(parse(spaced.as_bytes()).is_none(), "{spaced}");
        }
    }
}
