//! Whether the files of the segments are those that the log knows.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::log::Log;
use super::{Fault, Verification};
use crate::checked::Digest;
use crate::deep::{self, Compared};
use crate::entry::{Entry, Event, Format, SegmentState, State};
use crate::error::JournalError;
use crate::place::{Folder, Kind, is_missing, unusable};
use crate::reader::Reader;
use crate::recover::ERASING;
use crate::settings::{LONGEST_FILE, LONGEST_WAL};
use crate::survey::{self, ELSEWHERE, Remains};
use crate::wal;
use crate::{Hash, log_view, sha256};

/// What the name of a segment's file ends with while it is sealed.
const NEW: &str = "parquet.new";

/// Files of segments that were found whole: their numbers and hashes.
pub(super) type Whole = BTreeSet<(u64, Hash)>;

pub(super) fn verify(root: &Folder, log: &Log, whole: &mut Whole, report: &mut Verification) {
    let Some(state) = &log.state else { return };
    match root.folder("segments") {
        Ok(folder) => {
            let (past, lengths) = past(log, report);
            sealed(&Segments { folder, state, log, past, lengths }, whole, report);
        }
        Err(error) => report.find("segments", no_folder(&error), error.to_string()),
    }
    match root.folder("active") {
        Ok(folder) => active(&folder, log, state, report),
        Err(error) => report.find("active", no_folder(&error), error.to_string()),
    }
    // After a crash it is moved before the log tells of it.
    let name = wal::name(state.next.0);
    let moved = root.folder("segments").and_then(|one| one.read_to(&name, state.longest_wal()));
    let place = format!("segments/{name}");
    match moved {
        Ok(Some(bytes)) => unsealed(&bytes, &place, log, state, report),
        Ok(None) => {}
        Err(error) if is_missing(&error) => {}
        Err(error) => report.find(place, Fault::Altered, error.to_string()),
    }
}

/// What is wrong with a directory that cannot be opened.
fn no_folder(error: &JournalError) -> Fault {
    if is_missing(error) { Fault::Missing } else { Fault::Altered }
}

struct Segments<'l> {
    folder: Folder,
    state: &'l State,
    log: &'l Log,
    past: BTreeMap<Hash, u64>,
    /// The lengths of all files that the log tells of.
    lengths: BTreeSet<u64>,
}

/// Every file that a segment ever had, by its hash, and the lengths of them. None is that of two: each is written with keys of its
/// own.
fn past(log: &Log, report: &mut Verification) -> (BTreeMap<Hash, u64>, BTreeSet<u64>) {
    let (mut past, mut lengths) = (BTreeMap::new(), BTreeSet::new());
    for (number, entry) in log.entries.iter().enumerate() {
        let (hash, bytes, segment) = match &entry.event {
            Event::Seal(segment) => (segment.sha256, segment.bytes, segment.number),
            Event::Erase { segment, file, .. } | Event::Expire { segment, file, .. } => {
                (file.sha256, file.bytes, *segment)
            }
            _ => continue,
        };
        lengths.insert(bytes);
        let other = past.insert(hash, segment).filter(|other| *other != segment && bytes > 0);
        if let Some(other) = other {
            let what = format!("its file is that of segment {other}");
            report.find(format!("entry {number}"), Fault::Swapped, what);
        }
    }
    (past, lengths)
}

fn sealed(segments: &Segments<'_>, whole: &mut Whole, report: &mut Verification) {
    for segment in segments.state.segments.values() {
        if segment.deleted {
            report.deleted += 1;
            continue;
        }
        report.segments += 1;
        report.records += segment.records;
        report.erased += segment.erased;
        report.uncompared += u64::from(segment.rewritten);
        if segment.changed {
            let cut = segment.cut.unwrap_or_default();
            let what = format!(
                "{cut} bytes of it had been changed before record {} when a crash was recovered \
                 from: what they were lies in quarantine/",
                segment.first + segment.records
            );
            report.find(format!("segments/{}", segment.file()), Fault::Altered, what);
        }
        let key = (segment.number, segment.sha256);
        if !whole.contains(&key) && segments.is_whole(segment, report) {
            whole.insert(key);
        }
    }
    for name in segments.folder.names().unwrap_or_default() {
        if let Some((fault, what)) = segments.stray(&name) {
            report.find(format!("segments/{name}"), fault, what);
        }
    }
}

impl Segments<'_> {
    fn digest(&self, name: &str) -> Result<Option<Digest>, JournalError> {
        let Some(file) = self.folder.open_to(name, LONGEST_FILE)? else { return Ok(None) };
        let digest = Digest::of(&file, |bytes| self.lengths.contains(&bytes));
        digest.map(Some).map_err(|error| unusable(&self.folder.path().join(name), error))
    }

    /// Compares the file of a segment with the log.
    fn is_whole(&self, segment: &SegmentState, report: &mut Verification) -> bool {
        let place = format!("segments/{}", segment.file());
        // The last step of an erasure is done when the journal is opened to write.
        let erasing = format!("{}{ERASING}", segment.file());
        let found = self.digest(&erasing).ok().flatten();
        if let Some(digest) = found.filter(|digest| digest.sha256 == Some(segment.sha256)) {
            let before = match self.digest(&segment.file()) {
                Ok(before) => before.filter(|before| before.sha256 != Some(segment.sha256)),
                Err(error) => {
                    report.find(place, Fault::Altered, error.to_string());
                    return false;
                }
            };
            if before.is_some() {
                report.find(place, Fault::Remains, "it holds what was erased from it");
                return false;
            }
            return self.fits(segment, &digest, report);
        }
        let read = self.digest(&segment.file());
        let Some(digest) = report.take(read, &place) else { return false };
        if digest.sha256 == Some(segment.sha256) {
            return self.fits(segment, &digest, report);
        }
        let (fault, what) = self.difference(segment, digest.sha256, digest.bytes);
        report.find(place, fault, what);
        false
    }

    /// Compares what can be seen of the file without a key with what else the log says of it.
    fn fits(&self, segment: &SegmentState, digest: &Digest, report: &mut Verification) -> bool {
        let place = format!("segments/{}", segment.file());
        let found = if digest.bytes != segment.bytes {
            Some((Fault::Altered, "the log has another length of it"))
        } else if let Some(known) = segment.tail {
            let differs = digest.tail != Some(known);
            differs.then_some((Fault::Swapped, "the log has the footer of another file"))
        } else {
            let read = self.folder.read_to(&segment.file(), LONGEST_WAL);
            let Some(bytes) = report.take(read, &place) else { return false };
            if sha256(&[&bytes]) != segment.sha256 {
                // It was changed since it was hashed.
                report.find(place, Fault::Altered, "its hash is another one");
                return false;
            }
            let key =
                |size: u64| Some(log_view::keys(&self.log.entries, size.checked_add(1)?)?.1.key());
            match survey::sealed(&bytes, segment, &self.state.origin) {
                Err(ELSEWHERE) => Some((Fault::Swapped, ELSEWHERE)),
                Err(what) => Some((Fault::Altered, what)),
                Ok(survey) => survey
                    .and_then(|survey| survey.forged_mark(key))
                    .map(|_| (Fault::Altered, "a mark is not signed by the key of its time")),
            }
        };
        if let Some((fault, what)) = found {
            report.find(place, fault, what);
        }
        found.is_none()
    }

    fn difference(
        &self,
        segment: &SegmentState,
        hash: Option<Hash>,
        bytes: u64,
    ) -> (Fault, String) {
        let other = self.state.segments.values().find(|other| Some(other.sha256) == hash);
        if let Some(other) = other.filter(|other| !other.deleted) {
            return (Fault::Swapped, format!("it is the file of segment {}", other.number));
        }
        if let Some(before) = hash.and_then(|hash| self.past.get(&hash)) {
            return (Fault::Remains, gone(*before));
        }
        if bytes < segment.bytes {
            let what = format!("it has {bytes} bytes, and should have {}", segment.bytes);
            return (Fault::Cut, what);
        }
        let (first, last) = (segment.first, segment.first + segment.records.saturating_sub(1));
        (Fault::Altered, format!("its hash is another one; it holds records {first} to {last}"))
    }

    /// What is wrong with a file in the place of one that the log does not tell of.
    fn stray(&self, name: &str) -> Option<(Fault, String)> {
        let (digits, kind) = name.split_once('.').unwrap_or((name, ""));
        let number = digits.parse().ok().filter(|number: &u64| format!("{number:010}") == digits);
        let Some(number) = number else {
            return Some((Fault::Unexpected, "nobody wrote it".to_owned()));
        };
        let kinds = [Format::Parquet, Format::Wal].map(Format::name);
        let rewritten = kind.strip_suffix(ERASING).is_some_and(|kind| kind == kinds[0]);
        match self.state.segments.get(&number) {
            Some(segment) if segment.deleted => {
                Some((Fault::Remains, format!("the log says that segment {number} was deleted")))
            }
            // What a crash, or a writer at this moment, has not completed.
            Some(segment) if rewritten => {
                let hash = match self.digest(name) {
                    Ok(digest) => digest?.sha256.filter(|hash| *hash != segment.sha256)?,
                    Err(error) => return Some((Fault::Unexpected, error.to_string())),
                };
                self.past.get(&hash).map(|before| (Fault::Remains, gone(*before)))
            }
            Some(segment) if kind == segment.format.name() => None,
            Some(_) if kinds.contains(&kind) => Some((Fault::Remains, gone(number))),
            // Of one that is being sealed.
            None if number == self.state.next.0 && kind == kinds[1] => None,
            None if number == self.state.next.0 && (kind == kinds[0] || kind == NEW) => {
                let stranger = self.folder.stranger(name, Kind::File);
                stranger.map(|error| (Fault::Unexpected, error.to_string()))
            }
            None => Some((Fault::RolledBack, "the log knows no segment of this number".to_owned())),
            Some(_) => Some((Fault::Unexpected, "nobody wrote it".to_owned())),
        }
    }
}

/// What is in the file of a segment before something was taken out of it.
fn gone(number: u64) -> String {
    format!("it is a file of segment {number} from before content was erased or deleted")
}

fn active(folder: &Folder, log: &Log, state: &State, report: &mut Verification) {
    let (number, _) = state.next;
    for name in folder.names().unwrap_or_default() {
        let place = format!("active/{name}");
        if name != wal::name(number) {
            // What was sealed is removed last.
            let is_last = matches!(log.entries.last(), Some(Entry { event: Event::Seal(_), .. }));
            match (0..number).find(|number| name == wal::name(*number)) {
                Some(before) if is_last && before + 1 == number => {
                    if let Some(error) = folder.stranger(&name, Kind::File) {
                        report.find(place, Fault::Unexpected, error.to_string());
                    }
                }
                Some(before) => {
                    let what = format!("segment {before} was sealed, and this is not removed");
                    report.find(place, Fault::Remains, what);
                }
                None => {
                    let what = "the log knows no segment of this number";
                    report.find(place, Fault::RolledBack, what);
                }
            }
            continue;
        }
        let read = folder.read_to(&name, state.longest_wal());
        if let Some(bytes) = report.take(read, &place) {
            unsealed(&bytes, &place, log, state, report);
        }
    }
}

/// Checks the write-ahead file of the segment that is to be sealed next.
fn unsealed(bytes: &[u8], place: &str, log: &Log, state: &State, report: &mut Verification) {
    let (number, first) = state.next;
    let key = |size: u64| Some(log_view::keys(&log.entries, size.checked_add(1)?)?.1.key());
    let Remains { survey, whole, changed } = Remains::of(bytes, number, key);
    let Some(survey) = survey else {
        if changed {
            report.find(place, Fault::Altered, "its header was changed");
        } else {
            report.unfinished = bytes.len() as u64;
        }
        return;
    };
    if !survey.header.is_of(number, first, &state.origin) {
        report.find(place, Fault::Swapped, ELSEWHERE);
    }
    if let Some(at) = survey.forged_mark(key) {
        let what = format!("the mark at byte {at} is not signed by the key of its time");
        report.find(place, Fault::Altered, what);
    }
    if changed {
        let record = first + u64::from(survey.records);
        let what = format!("the frame at byte {whole} was changed, at record {record}");
        report.find(place, Fault::Altered, what);
    } else {
        report.unfinished = (bytes.len() - whole) as u64;
    }
    report.active = survey.records.into();
}

/// Compares the content of each segment with what was committed to, several at a time.
pub(super) fn compare(reader: &Reader, report: &mut Verification) {
    let segments: Vec<_> =
        reader.view.state.segments.values().filter(|segment| !segment.deleted).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        while let Some(segment) = segments.get(next.fetch_add(1, Ordering::Relaxed)) {
            let compared = reader.as_noted(segment, |segment| deep::compare(reader, segment));
            done.push((segment.number, compared));
        }
        done
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get).min(segments.len());
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let joined = threads.into_iter().map(std::thread::ScopedJoinHandle::join);
        joined.flat_map(|done| done.unwrap_or_else(|panic| resume_unwind(panic))).collect()
    });
    all.sort_unstable_by_key(|(number, _)| *number);
    for (number, compared) in all {
        match compared {
            Ok(compared) => {
                report.compared += u64::from(compared == Compared::All);
                let was_rewritten = reader.view.state.segments[&number].rewritten;
                let done = u64::from(compared != Compared::Nothing && was_rewritten);
                report.uncompared = report.uncompared.saturating_sub(done);
            }
            // Whoever lacks a key compares nothing.
            Err(JournalError::NoKey { .. }) => {}
            Err(error) => {
                let place = format!("segments/{}", reader.view.state.segments[&number].file());
                report.find(place, Fault::Altered, error.to_string());
            }
        }
    }
}
