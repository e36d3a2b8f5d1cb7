//! Reading a journal, with the identities at hand.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use tacenda_policy::Class;

use crate::blocks::{self, Blocks};
use crate::checked::Checked;
use crate::deep;
use crate::entry::{Format, SegmentState, State};
use crate::error::JournalError;
use crate::filter::Filter;
use crate::identities::Identities;
use crate::log_view::LogView;
use crate::note::{Checkpoint, VerifierKey};
use crate::part::Part;
use crate::place::{Folder, Place, is_missing, unusable};
use crate::record::{Record, Seen};
use crate::recover::ERASING;
use crate::sealed::Sealed;
use crate::settings::{LONGEST_FILE, LONGEST_WAL};
use crate::sha256;
use crate::survey::{self, Keys, Remains, Survey};
use crate::wal::{self, Header};

/// How often what was changed is looked at, and how long it is waited for in between: it stays so.
const LOOKS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

/// A journal that is read. It may be written to by another process at the same time.
pub struct Reader {
    pub(crate) root: Folder,
    pub(crate) view: LogView,
    identities: Identities,
}

/// A segment, for people.
#[derive(Clone, Debug)]
pub struct SegmentFile {
    /// What the log says of it.
    pub state: SegmentState,
    /// The name of its file.
    pub file: String,
}

impl Reader {
    /// Opens a journal to read.
    pub fn open(
        path: &Path,
        identities: Identities,
        allowed: &[Place],
    ) -> Result<Self, JournalError> {
        let root = Folder::root(path, false, allowed, None)?;
        let mut view = LogView::read(&root)?;
        while has_later(&root, view.state.next.0) {
            // Whoever writes may have sealed another one since the log was read.
            let newer = LogView::read(&root)?;
            if newer.checkpoint.size == view.checkpoint.size {
                let what = "there are files of later segments: it was rolled back";
                return Err(JournalError::damaged("log/checkpoint", what));
            }
            view = newer;
        }
        Ok(Self { root, view, identities })
    }

    /// The journal as it is by now.
    pub(crate) fn again(&self) -> Result<Self, JournalError> {
        let (root, identities) = (self.root.clone(), self.identities.clone());
        Ok(Self { view: LogView::read(&root)?, root, identities })
    }

    /// The newest checkpoint.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.view.checkpoint
    }

    /// The same as a signed note, to keep elsewhere.
    pub fn checkpoint_note(&self) -> &str {
        &self.view.note
    }

    /// The key to verify the journal with: that of its first checkpoint.
    pub fn key(&self) -> VerifierKey {
        self.view.keys(1).1
    }

    /// What the journal is set to.
    pub fn settings(&self) -> &crate::Settings {
        &self.view.state.settings
    }

    /// The holds in force, with their times.
    pub fn holds(&self) -> impl Iterator<Item = (&str, (i64, i64))> {
        self.view.state.holds.iter().map(|(name, times)| (name.as_str(), *times))
    }

    /// The sealed segments, those deleted included.
    pub fn segments(&self) -> impl Iterator<Item = SegmentFile> {
        let segments = self.view.state.segments.values();
        segments.map(|state| SegmentFile { file: state.file(), state: state.clone() })
    }

    /// Records of the active segment that are whole, and the bytes of its file; none when there is
    /// no such segment.
    pub fn active(&self) -> Result<Option<(u64, u64)>, JournalError> {
        Ok(match self.unsealed()? {
            Unsealed::Begun(bytes, survey) => Some((survey.records.into(), bytes.len() as u64)),
            Unsealed::Changed(bytes) => Some((0, bytes)),
            Unsealed::None => None,
        })
    }

    /// Entries of the log, and bytes of the active segment: where neither is another one, there is
    /// nothing new to read.
    pub fn extent(&self) -> Result<(u64, u64), JournalError> {
        let folder = self.root.folder("active")?;
        let bytes = match folder.open(&wal::name(self.view.state.next.0)) {
            Ok(file) => file.metadata().map_err(|error| unusable(folder.path(), error))?.len(),
            Err(error) if is_missing(&error) => 0,
            Err(error) => return Err(error),
        };
        Ok((self.view.checkpoint.size, bytes))
    }

    /// Hands each record that passes to `take`, in the order of their numbers, until it says no.
    /// Those whose content was erased are handed over too, without it. Gives the number of the record
    /// that comes next.
    pub fn each(
        &self,
        filter: &Filter,
        take: &mut dyn FnMut(&Seen) -> bool,
    ) -> Result<u64, JournalError> {
        let (mut newer, mut from) = (None::<Self>, 0);
        loop {
            let reader = newer.as_ref().unwrap_or(self);
            let state = &reader.view.state;
            for segment in state.segments.range(from..).map(|(_, segment)| segment) {
                if !reader.each_of(segment, filter, take)? {
                    return Ok(state.next.1);
                }
            }
            let blocks = reader.unsealed_blocks()?;
            if !matches!(blocks, Blocks::None) {
                if each_block(&blocks, filter, &mut 0, take)? {
                    reader.refuse_changed(&blocks, filter)?;
                }
                return Ok(state.next.1.max(blocks.end()));
            }
            // Whoever writes may have sealed it since the log was read.
            let again = reader.again()?;
            if again.view.state.next == state.next {
                return Ok(state.next.1);
            }
            from = state.next.0;
            newer = Some(again);
        }
    }

    /// Hands over a sealed segment; whether more is wanted.
    fn each_of(
        &self,
        segment: &SegmentState,
        filter: &Filter,
        take: &mut dyn FnMut(&Seen) -> bool,
    ) -> Result<bool, JournalError> {
        let mut next = 0;
        self.as_noted(segment, |segment| {
            each_block(&self.sealed(segment, filter)?, filter, &mut next, take)
        })
    }

    /// The last records that pass, so many at most, in the order of their numbers, and the number of
    /// the record that comes next. It reads from the end, and no more than it takes. What was changed
    /// stands after them: [`Reader::check_unsealed`] tells.
    pub fn last(&self, filter: &Filter, count: usize) -> Result<(Vec<Seen>, u64), JournalError> {
        let blocks = self.unsealed_blocks()?;
        if matches!(blocks, Blocks::None) {
            // Whoever writes may have sealed it since the log was read.
            let again = self.again()?;
            if again.view.state.next != self.view.state.next {
                return again.last(filter, count);
            }
        }
        let mut found = Vec::new();
        let next = self.view.state.next.1.max(blocks.end());
        last_of(&blocks, filter, count, &mut found)?;
        for segment in self.view.state.segments.values().rev() {
            if found.len() == count {
                break;
            }
            let before = found.len();
            self.as_noted(segment, |segment| {
                found.truncate(before);
                last_of(&self.sealed(segment, filter)?, filter, count, &mut found)
            })?;
        }
        found.reverse();
        Ok((found, next))
    }

    /// A sealed segment, unless nothing in it may pass.
    fn sealed(&self, segment: &SegmentState, filter: &Filter) -> Result<Blocks, JournalError> {
        if !filter.may_pass(segment) {
            return Ok(Blocks::None);
        }
        if segment.rewritten {
            // Whoever has the keys of today can have written it: that is why nothing of it is given
            // before its root was found anew.
            deep::compare(self, segment)?;
        }
        match self.open_segment(segment)? {
            Stored::Parquet(sealed) => Ok(Blocks::Sealed(sealed)),
            Stored::Wal(bytes) => {
                let survey = self.survey(segment, &bytes)?;
                self.unwrapped(bytes, survey)
            }
            Stored::Deleted => Ok(Blocks::None),
        }
    }

    /// What a sealed write-ahead file says, once that is known to be what the log says.
    fn survey(&self, segment: &SegmentState, bytes: &[u8]) -> Result<Survey, JournalError> {
        let found = survey::sealed(bytes, segment, &self.view.state.origin);
        let found = found.and_then(|found| found.ok_or("it has no header"));
        found.map_err(|what| JournalError::damaged(format!("segments/{}", segment.file()), what))
    }

    fn unsealed_blocks(&self) -> Result<Blocks, JournalError> {
        match self.unsealed_for_good()? {
            Unsealed::Begun(bytes, survey) => self.unwrapped(bytes, survey),
            Unsealed::Changed(..) => Ok(Blocks::Changed(self.view.state.next.1)),
            Unsealed::None => Ok(Blocks::None),
        }
    }

    /// What was not sealed yet. When it was changed, it stays so.
    fn unsealed_for_good(&self) -> Result<Unsealed, JournalError> {
        for _ in 0..LOOKS {
            match self.unsealed()? {
                // Whoever writes may be cutting off what had no room.
                found if found.is_changed() => std::thread::sleep(PAUSE),
                found => return Ok(found),
            }
        }
        self.unsealed()
    }

    /// Whether all is there that was not sealed yet and may pass.
    ///
    /// # Errors
    /// When it was changed: what stands behind that place is neither shown nor found.
    pub fn check_unsealed(&self, filter: &Filter) -> Result<(), JournalError> {
        let now = self.again()?;
        now.refuse_changed(&now.unsealed_blocks()?, filter)
    }

    /// Whether what was not sealed yet was changed, told without a key.
    ///
    /// # Errors
    /// When it was: then [`Reader::active`] does not count what stands behind that place.
    pub fn check_active(&self) -> Result<(), JournalError> {
        let is_changed = self.unsealed_for_good()?.is_changed();
        if is_changed { Err(self.unsealed_changed()) } else { Ok(()) }
    }

    fn refuse_changed(&self, blocks: &Blocks, filter: &Filter) -> Result<(), JournalError> {
        let hides = blocks.is_changed() && filter.reaches(blocks.end(), u64::MAX);
        if hides { Err(self.unsealed_changed()) } else { Ok(()) }
    }

    fn unsealed_changed(&self) -> JournalError {
        let name = wal::name(self.view.state.next.0);
        let is_moved =
            self.root.folder("active").and_then(|one| one.has(&name)).is_ok_and(|has| !has);
        let folder = if is_moved { "segments" } else { "active" };
        let what = "it was changed behind its last record that is whole";
        JournalError::damaged(format!("{folder}/{name}"), what)
    }

    /// The files of the segments that had been changed before they were sealed, so that records which
    /// may pass are not in them.
    pub fn changed(&self, filter: &Filter) -> Vec<String> {
        let segments = self.view.state.segments.values();
        let changed = segments.filter(|segment| segment.changed && !segment.deleted);
        let may_lack = |segment: &&SegmentState| {
            let SegmentState { first, records, times, sealed, .. } = segment;
            let times = times.map(|(from, to)| (from, to.max(*sealed)));
            filter.reaches(*first, records.saturating_add(1)) && filter.meets(times)
        };
        changed.filter(may_lack).map(SegmentState::file).collect()
    }

    /// What was not sealed yet.
    fn unsealed(&self) -> Result<Unsealed, JournalError> {
        // After a crash it is moved before the log tells of it.
        for folder in ["active", "segments"] {
            let found = self.unsealed_in(folder)?;
            if !matches!(found, Unsealed::None) {
                return Ok(found);
            }
        }
        Ok(Unsealed::None)
    }

    fn unsealed_in(&self, folder: &str) -> Result<Unsealed, JournalError> {
        let State { next: (number, first), origin, .. } = &self.view.state;
        let name = wal::name(*number);
        let most = self.view.state.longest_wal();
        let Some(bytes) = self.root.folder(folder)?.read_to(&name, most)? else {
            return Ok(Unsealed::None);
        };
        let damaged = |what| Err(JournalError::damaged(format!("{folder}/{name}"), what));
        let of = |view: &LogView| {
            let key = |log| Some(view.key_after(log)?.key());
            let remains = Remains::of(&bytes, *number, key);
            let begun = remains.survey.as_ref().is_some_and(|survey| survey.is_begun_by(key));
            (remains, begun)
        };
        let (mut remains, mut is_begun) = of(&self.view);
        if !is_begun {
            // It may have been begun after the log was read, with a key that came after that.
            (remains, is_begun) = of(&self.again()?.view);
        }
        let Remains { survey, changed, .. } = remains;
        if survey.as_ref().is_some_and(|survey| !survey.header.is_of(*number, *first, origin)) {
            return damaged(survey::ELSEWHERE);
        }
        match survey {
            Some(mut survey) if is_begun => {
                survey.changed = changed;
                Ok(Unsealed::Begun(bytes, survey))
            }
            Some(survey) if survey.is_marked() => damaged(survey::NOBODYS),
            _ if changed => Ok(Unsealed::Changed(bytes.len() as u64)),
            // Of what was only begun to be written there is no mark: nothing in it is anybody's.
            _ => Ok(Unsealed::None),
        }
    }

    fn unwrapped(&self, bytes: Vec<u8>, survey: Survey) -> Result<Blocks, JournalError> {
        let keys = self.keys_of_wal(&survey)?;
        Ok(blocks::of_wal(bytes, survey, &keys))
    }

    /// Does something with a segment as the log has it. Whoever writes may have erased from it, or
    /// deleted it, since the log was read: where it fails for that, it is done with the segment as the
    /// log has it by now.
    pub(crate) fn as_noted<T>(
        &self,
        segment: &SegmentState,
        mut work: impl FnMut(&SegmentState) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut segment = segment.clone();
        loop {
            let error = match work(&segment) {
                Err(error) => error,
                done => return done,
            };
            let newer = self.again()?.view.state.segments.remove(&segment.number);
            segment = newer.filter(|newer| *newer != segment).ok_or(error)?;
        }
    }

    /// The classes that the identities at hand do not open, where there may be records that pass: what
    /// stands in them is neither shown nor found.
    ///
    /// # Errors
    /// When a segment is not what was sealed, or nothing of it can be read.
    pub fn closed(&self, filter: &Filter) -> Result<BTreeSet<Class>, JournalError> {
        let mut closed = BTreeSet::new();
        for segment in self.view.state.segments.values().filter(|one| filter.may_pass(one)) {
            closed.extend(self.as_noted(segment, |segment| self.closed_of(segment))?);
        }
        closed.extend(self.closed_unsealed(filter)?);
        Ok(closed)
    }

    /// The same, of what was not sealed yet.
    pub(crate) fn closed_unsealed(&self, filter: &Filter) -> Result<Vec<Class>, JournalError> {
        let blocks = self.unsealed_blocks()?;
        let may_pass = (0..blocks.count()).any(|block| blocks.may_pass(block, filter));
        Ok(if may_pass { blocks.closed().to_vec() } else { Vec::new() })
    }

    /// The same, of one segment.
    pub(crate) fn closed_of(&self, segment: &SegmentState) -> Result<Vec<Class>, JournalError> {
        let classes = Class::ALL.iter().copied().filter(|class| !segment.expired.contains(class));
        Ok(match self.open_segment(segment)? {
            Stored::Parquet(sealed) => {
                classes.filter(|one| !sealed.opens(Part::Of(*one))).collect()
            }
            Stored::Wal(bytes) => {
                let keys = self.keys_of_wal(&self.survey(segment, &bytes)?)?;
                classes.filter(|one| keys[Part::Of(*one).index()].is_none()).collect()
            }
            Stored::Deleted => Vec::new(),
        })
    }

    /// Those of the classes that a segment has content of.
    pub(crate) fn having(
        &self,
        segment: &SegmentState,
        classes: &[Class],
    ) -> Result<Vec<Class>, JournalError> {
        let stored = self.open_segment(segment)?;
        let wal = match &stored {
            Stored::Wal(bytes) => Some(self.records_of_wal(segment, bytes)?),
            Stored::Parquet(_) | Stored::Deleted => None,
        };
        let mut having = Vec::new();
        for class in classes.iter().copied() {
            let index = Part::Of(class).index();
            let (opens, has) = match (&stored, &wal) {
                (Stored::Parquet(sealed), _) => {
                    let opens = sealed.opens(Part::Of(class));
                    (opens, opens && sealed.has_content(class)?)
                }
                (_, Some((keys, records))) => {
                    let has = |record: &Record| record.fields[index - 1].is_some();
                    (keys[index].is_some(), records.iter().any(has))
                }
                (_, None) => (true, false),
            };
            if !opens {
                return Err(JournalError::NoKey { part: class.name(), segment: segment.number });
            }
            if has {
                having.push(class);
            }
        }
        Ok(having)
    }

    /// Opens the file of a segment, once it is known to be the one that the log tells of.
    pub(crate) fn open_segment(&self, segment: &SegmentState) -> Result<Stored, JournalError> {
        if segment.deleted {
            return Ok(Stored::Deleted);
        }
        let folder = self.root.folder("segments")?;
        let mut missing = true;
        // That of the segment, or one that is to take its place since records were erased.
        for name in [format!("{}{ERASING}", segment.file()), segment.file()] {
            match folder.open(&name) {
                Ok(file) => {
                    missing = false;
                    if let Some(stored) = self.stored(segment, file)? {
                        return Ok(stored);
                    }
                }
                // Whoever can write to the directory may put anything there. The file itself is compared.
                Err(_) if name.ends_with(ERASING) => {}
                Err(error) if is_missing(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let what = if missing { "it is missing" } else { "it is not the file that was sealed" };
        Err(JournalError::damaged(format!("segments/{}", segment.file()), what))
    }

    /// A file as that of a segment, if it is the one that the log tells of.
    fn stored(
        &self,
        segment: &SegmentState,
        mut file: File,
    ) -> Result<Option<Stored>, JournalError> {
        let place = format!("segments/{}", segment.file());
        let failed = |error| unusable(Path::new(&place), error);
        if let Some(tail) = &segment.tail {
            if segment.bytes > LONGEST_FILE {
                return Ok(None);
            }
            let checked = Checked::open(file, segment.bytes, tail).map_err(failed)?;
            let sealed = checked.map(|file| Sealed::open(file, segment, &self.identities));
            return Ok(sealed.transpose()?.map(|sealed| Stored::Parquet(Box::new(sealed))));
        }
        let length = file.metadata().map_err(failed)?.len();
        if length != segment.bytes || length > LONGEST_WAL {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        file.by_ref().take(segment.bytes).read_to_end(&mut bytes).map_err(failed)?;
        Ok((sha256(&[&bytes]) == segment.sha256).then_some(Stored::Wal(bytes)))
    }

    /// The records of a write-ahead file, and the keys that they were read with.
    pub(crate) fn records_of_wal(
        &self,
        segment: &SegmentState,
        bytes: &[u8],
    ) -> Result<(Keys, Vec<Record>), JournalError> {
        let survey = self.survey(segment, bytes)?;
        let keys = self.keys_of_wal(&survey)?;
        let batches = survey.open(bytes, keys.each_ref().map(Option::as_deref));
        let records = batches.collect::<Result<Vec<_>, _>>()?.concat();
        Ok((keys, records))
    }

    fn keys_of_wal(&self, survey: &Survey) -> Result<Keys, JournalError> {
        let Header { segment, wrapped, .. } = &survey.header;
        let keys = Part::ALL.map(|part| self.identities.unwrap(&wrapped[part.index()]));
        if keys[0].is_none() {
            return Err(JournalError::NoKey { part: Part::Head.name(), segment: *segment });
        }
        Ok(keys)
    }
}

/// Whether there is a file of a segment after the next one: then the log is older than it.
fn has_later(root: &Folder, next: u64) -> bool {
    let is_later = |name: &String| {
        let number = name.split('.').next().and_then(|digits| digits.parse().ok());
        let is_of = |number, format| *name == SegmentState::file_of(number, format);
        number.is_some_and(|number: u64| {
            let is_file = [Format::Parquet, Format::Wal].iter().any(|one| is_of(number, *one));
            number > next && is_file
        })
    };
    let names = |folder| root.folder(folder).and_then(|one| one.names()).unwrap_or_default();
    ["active", "segments"].iter().any(|folder| names(folder).iter().any(is_later))
}

/// Hands over the records of a segment from the number `next` on, and counts on; whether more is
/// wanted.
fn each_block(
    blocks: &Blocks,
    filter: &Filter,
    next: &mut u64,
    take: &mut dyn FnMut(&Seen) -> bool,
) -> Result<bool, JournalError> {
    for block in 0..blocks.count() {
        for seen in &blocks.read(block, filter)? {
            if seen.sequence < *next {
                continue;
            }
            *next = seen.sequence.saturating_add(1);
            if !take(seen) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Adds the last records of a segment, the last one first, until there are so many.
fn last_of(
    blocks: &Blocks,
    filter: &Filter,
    count: usize,
    found: &mut Vec<Seen>,
) -> Result<(), JournalError> {
    for block in (0..blocks.count()).rev() {
        let missing = count - found.len();
        if missing == 0 {
            break;
        }
        found.extend(blocks.read(block, filter)?.into_iter().rev().take(missing));
    }
    Ok(())
}

/// What was not sealed yet.
#[expect(clippy::large_enum_variant, reason = "one is made at a time")]
enum Unsealed {
    /// Its bytes, and what they hold.
    Begun(Vec<u8>, Survey),
    /// Its beginning was changed, so that nothing of it is known but how many bytes it has.
    Changed(u64),
    None,
}

impl Unsealed {
    fn is_changed(&self) -> bool {
        matches!(self, Self::Begun(_, Survey { changed: true, .. }) | Self::Changed(..))
    }
}

/// A segment as it lies on the disk.
pub(crate) enum Stored {
    Parquet(Box<Sealed>),
    Wal(Vec<u8>),
    Deleted,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reader({})", self.view.checkpoint.origin)
    }
}

#[cfg(test)]
mod tests;
