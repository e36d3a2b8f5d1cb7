//! Whether the files of the segments are those that the log knows.

use super::log::Log;
use super::{Fault, Verification};
use crate::deep;
use crate::entry::{SegmentState, State};
use crate::place::Folder;
use crate::reader::Reader;
use crate::recover::ERASING;
use crate::wal;
use crate::{Hash, log_view, sha256};

pub(super) fn verify(root: &Folder, log: &Log, report: &mut Verification) {
    match root.folder("segments") {
        Ok(folder) => sealed(&folder, &log.state, report),
        Err(error) => report.find("segments", Fault::Missing, error.to_string()),
    }
    match root.folder("active") {
        Ok(folder) => active(&folder, log, report),
        Err(error) => report.find("active", Fault::Missing, error.to_string()),
    }
}

fn sealed(folder: &Folder, state: &State, report: &mut Verification) {
    for segment in state.segments.values() {
        if segment.deleted {
            report.deleted += 1;
            continue;
        }
        report.segments += 1;
        report.records += segment.records;
        report.erased += segment.erased;
        let place = format!("segments/{}", segment.file());
        // The last step of an erasure is done when the journal is opened to write.
        let erasing = folder.read(&format!("{}{ERASING}", segment.file())).ok().flatten();
        if erasing.is_some_and(|bytes| sha256(&[&bytes]) == segment.sha256) {
            continue;
        }
        let Some(bytes) = report.read(folder, &segment.file(), &place) else { continue };
        let hash = sha256(&[&bytes]);
        if hash == segment.sha256 {
            continue;
        }
        let (fault, what) = difference(state, segment, &hash, bytes.len() as u64);
        report.find(place, fault, what);
    }
    let names = folder.names().unwrap_or_default();
    for name in names {
        let number = name.split('.').next().and_then(|digits| digits.parse::<u64>().ok());
        let what = match number {
            // Of a segment that is being sealed or erased, or that was deleted just now.
            Some(number) if number <= state.next.0 => continue,
            Some(_) => "the log knows no segment of this number",
            None => "nobody wrote it",
        };
        let fault = if number.is_some() { Fault::RolledBack } else { Fault::Unexpected };
        report.find(format!("segments/{name}"), fault, what);
    }
}

fn difference(state: &State, segment: &SegmentState, hash: &Hash, bytes: u64) -> (Fault, String) {
    let other = state.segments.values().find(|other| other.sha256 == *hash);
    if let Some(other) = other {
        return (Fault::Swapped, format!("it is the file of segment {}", other.number));
    }
    if bytes < segment.bytes {
        let what = format!("it has {bytes} bytes, and should have {}", segment.bytes);
        return (Fault::Cut, what);
    }
    let (first, last) = (segment.first, segment.first + segment.records.saturating_sub(1));
    (Fault::Altered, format!("its hash is another one; it holds records {first} to {last}"))
}

fn active(folder: &Folder, log: &Log, report: &mut Verification) {
    let (number, first) = log.state.next;
    for name in folder.names().unwrap_or_default() {
        let place = format!("active/{name}");
        if name != wal::name(number) {
            // What was sealed is removed last.
            let before = (0..number).any(|number| name == wal::name(number));
            if !before {
                report.find(place, Fault::RolledBack, "the log knows no segment of this number");
            }
            continue;
        }
        let Some(bytes) = report.read(folder, &name, &place) else { continue };
        let Some(survey) = wal::survey(&bytes) else {
            report.find(place, Fault::Altered, "it has no header");
            continue;
        };
        let header = &survey.header;
        if (header.first, header.segment, &header.origin) != (first, number, &log.state.origin) {
            report.find(&place, Fault::Swapped, "it is of another journal or place");
        }
        let key = |size: u64| Some(log_view::keys(&log.entries, size.checked_add(1)?)?.1.key());
        if let Some(at) = survey.forged_mark(key) {
            let what = format!("the mark at byte {at} is not signed by the key of its time");
            report.find(&place, Fault::Altered, what);
        }
        if survey.changed {
            let (at, record) = (survey.whole, first + u64::from(survey.records));
            let what = format!("the frame at byte {at} was changed, at record {record}");
            report.find(&place, Fault::Altered, what);
        } else {
            report.unfinished = (bytes.len() - survey.whole) as u64;
        }
        report.active = survey.records.into();
    }
}

/// Compares the content of each segment with what was committed to.
pub(super) fn compare(reader: &Reader, state: &State, report: &mut Verification) {
    for segment in state.segments.values().filter(|segment| !segment.deleted) {
        let place = format!("segments/{}", segment.file());
        match deep::content(reader, segment) {
            Ok(Some(content)) => {
                report.compared += 1;
                let expected = (segment.root, segment.records, segment.erased);
                if (content.root, content.records, content.erased) != expected {
                    let what = "its records are not those that were committed to";
                    report.find(place, Fault::Altered, what);
                }
            }
            // Whoever lacks a key compares nothing.
            Ok(None) => {}
            Err(error) => report.find(place, Fault::Altered, error.to_string()),
        }
    }
}
