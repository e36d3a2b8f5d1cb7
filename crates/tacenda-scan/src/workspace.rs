//! A program that is kept while its files are edited: an edit costs the file itself, and what depends
//! on what changed in it.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::configuration;
use crate::files::Source;
use crate::fix::suggest;
use crate::judge::{Texts, judge};
use crate::model::Models;
use crate::program::{Packages, Program, Unit};
use crate::scan::{Facts, Matches, ROUNDS, Report, STACK, Setup, unit};

/// After so many edits the texts of before are given back.
const EDITS: usize = 256;
/// So many files are run before it is asked whether something else is waiting.
const AT_ONCE: usize = 64;

/// A file that is another now.
#[derive(Debug)]
pub struct Change {
    /// The file.
    pub path: PathBuf,
    /// Its text; nothing for what is on disk.
    pub text: Option<String>,
}

/// Who edits.
pub trait Client: Send {
    /// What changed next; waits until something does. Nothing to end.
    fn next(&mut self) -> Option<Vec<Change>>;
    /// Whether something changed meanwhile: what is not urgent can wait then.
    fn is_waiting(&mut self) -> bool;
    /// The files that the client wants to know about.
    fn watched(&mut self) -> Vec<PathBuf>;
    /// What is found in one of them now.
    fn tell(&mut self, path: &Path, report: Report);
}

/// Scans files, and then what changes in them, until the client ends it.
pub fn serve(sources: Vec<Source>, setup: Setup<'_>, client: &mut dyn Client) {
    let Setup { models, threads } = setup;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build();
    match pool {
        Ok(pool) => pool.install(|| Workspace::new(sources, models).serve(client)),
        Err(_) => Workspace::new(sources, models).serve(client),
    }
}

struct Workspace<'m> {
    files: Files<'m>,
    units: Vec<Unit>,
    known: Known,
    changes: VecDeque<Change>,
}

/// The files, by their numbers.
struct Files<'m> {
    models: &'m Models,
    sources: Vec<Source>,
    by_path: HashMap<PathBuf, u32>,
}

/// What is known of them.
struct Known {
    facts: Facts,
    /// Files that have to be run again, since something that they depend on is another.
    owed: HashSet<usize>,
}

impl<'m> Workspace<'m> {
    fn new(mut sources: Vec<Source>, models: &'m Models) -> Self {
        let packages = Packages::of(&sources);
        let read: Vec<Option<Unit>> =
            sources.par_iter().map(|source| read(source, &packages, models)).collect();
        // What cannot be read now is read when it changes.
        let mut there = read.iter().map(Option::is_some);
        sources.retain(|_| there.next().unwrap_or_default());
        let units: Vec<Unit> = read.into_iter().flatten().collect();
        let numbered = (0..).zip(&sources);
        let by_path = numbered.map(|(file, source)| (source.path.clone(), file)).collect();
        let facts = Facts::of(&Program::new(&units), models);
        Self {
            files: Files { models, sources, by_path },
            units,
            known: Known { facts, owed: HashSet::default() },
            changes: VecDeque::new(),
        }
    }

    fn serve(mut self, client: &mut dyn Client) {
        while self.generation(client) {}
    }

    /// Takes in changes until the client ends it, or until too many texts are kept that are no more
    /// true.
    fn generation(&mut self, client: &mut dyn Client) -> bool {
        let slots: Vec<OnceCell<Unit>> = (0..EDITS).map(|_| OnceCell::new()).collect();
        let mut program = Program::new(&self.units);
        self.known.facts.renumber(&program);
        let mut newest: HashMap<u32, usize> = HashMap::default();
        let mut used = 0;
        let mut more = true;
        while used < EDITS {
            if self.changes.is_empty() {
                match client.next() {
                    Some(changes) => self.changes.extend(changes),
                    None => {
                        more = false;
                        break;
                    }
                }
            }
            let mut edited: Vec<usize> = Vec::new();
            for slot in &slots[used..] {
                let Some(change) = self.changes.pop_front() else { break };
                let path = change.path.clone();
                let Some((file, unit)) = self.files.read(change) else {
                    // What is not analysed has no findings: who asks about it need not wait.
                    client.tell(&path, Report::default());
                    continue;
                };
                newest.insert(file, used);
                used += 1;
                self.known.replace(&mut program, file, slot.get_or_init(|| unit));
                edited.push(file as usize);
            }
            self.known.settle(&self.files, &program, &edited, client);
        }
        let numbering = program.numbering();
        drop(program);
        self.known.facts.number_by(numbering);
        let mut slots: Vec<Option<Unit>> = slots.into_iter().map(OnceCell::into_inner).collect();
        let mut newest: Vec<(u32, usize)> = newest.into_iter().collect();
        newest.sort_unstable();
        for (file, slot) in newest {
            let Some(unit) = slots[slot].take() else { continue };
            match self.units.get_mut(file as usize) {
                Some(place) => *place = unit,
                None => self.units.push(unit),
            }
        }
        more
    }
}

impl Files<'_> {
    fn number(&self, path: &Path) -> Option<usize> {
        self.by_path.get(path).map(|file| *file as usize)
    }

    /// A changed file: its number and what stands in it. What is there no more is empty.
    fn read(&mut self, change: Change) -> Option<(u32, Unit)> {
        let Change { path, text } = change;
        let known = self.by_path.get(&path).copied();
        let mut source = match text {
            Some(text) => Source::text(path.clone(), text),
            None => Source::file(path.clone()),
        };
        let packages = Packages::of(std::slice::from_ref(&source));
        let unit = match read(&source, &packages, self.models) {
            Some(unit) => unit,
            None if known.is_some() => {
                source = Source::text(path.clone(), String::new());
                read(&source, &packages, self.models)?
            }
            None => return None,
        };
        let file = match known {
            Some(file) => file,
            None => u32::try_from(self.sources.len()).ok()?,
        };
        self.by_path.insert(path, file);
        match self.sources.get_mut(file as usize) {
            Some(place) => *place = source,
            None => self.sources.push(source),
        }
        Some((file, unit))
    }
}

impl Known {
    /// Puts another text of a file in place of the one before.
    fn replace<'a>(&mut self, program: &mut Program<'a>, file: u32, unit: &'a Unit) {
        let replaced = program.replace(file, unit);
        self.facts.forget_attributes(file);
        self.owed.extend(self.facts.callers(&replaced.gone));
        if !replaced.names.is_empty() {
            self.owed.extend(program.importers(file, &replaced.names));
        }
    }

    /// Runs what was edited and tells about it; then, if nothing else is waiting, what depends on it.
    fn settle(
        &mut self,
        files: &Files<'_>,
        program: &Program<'_>,
        edited: &[usize],
        client: &mut dyn Client,
    ) {
        let late = self.facts.settle(program, files.models, edited.to_vec(), Some(edited));
        self.owed.extend(late);
        for file in edited {
            self.owed.remove(file);
        }
        let watched = client.watched();
        let (urgent, others): (Vec<&PathBuf>, Vec<&PathBuf>) = watched
            .iter()
            .partition(|path| files.number(path).is_some_and(|file| edited.contains(&file)));
        for path in urgent {
            self.tell(path, files, program, client);
        }
        let depends = !self.owed.is_empty();
        let mut runs: HashMap<usize, usize> = HashMap::default();
        loop {
            // What is left is owed still when what is more urgent is done.
            if client.is_waiting() {
                return;
            }
            let some: Vec<usize> = self.owed.iter().copied().take(AT_ONCE).collect();
            if some.is_empty() {
                break;
            }
            for file in &some {
                self.owed.remove(file);
                *runs.entry(*file).or_default() += 1;
            }
            let late = self.facts.settle(program, files.models, some.clone(), Some(&some));
            let settles = |file: &usize| runs.get(file).is_none_or(|runs| *runs < ROUNDS);
            self.owed.extend(late.into_iter().filter(settles));
        }
        for path in if depends { watched.iter().collect() } else { others } {
            self.tell(path, files, program, client);
        }
    }

    /// Tells what is found in a file now.
    fn tell(&self, path: &Path, files: &Files<'_>, program: &Program<'_>, client: &mut dyn Client) {
        let Some(file) = files.by_path.get(path).copied() else { return };
        let source = &files.sources[file as usize];
        let found = HashMap::from_iter([(file, self.facts.found_in(file))]);
        let matches: Matches = HashMap::from_iter([(file, self.facts.matches_in(file))]);
        let texts = Texts::new(&program.units, &files.sources, &found, &matches);
        let unit = program.units[file as usize];
        let applied = judge(&found[&file], file, &matches[&file], unit, &texts);
        let mut report = Report {
            findings: applied.findings,
            suppressed: applied.suppressed,
            unused: applied.unused,
            files: 1,
            uses_tacenda: program.units.iter().any(|unit| unit.ir.context.guarded),
            ..Report::default()
        };
        if !report.findings.is_empty() {
            suggest(&mut report, std::slice::from_ref(source));
        }
        client.tell(path, report);
    }
}

/// Reads a file of Python. One that we fail on is none.
fn read(source: &Source, packages: &Packages, models: &Models) -> Option<Unit> {
    if configuration::syntax(&source.path).is_some() {
        return None;
    }
    std::panic::catch_unwind(|| unit(source, packages, models)).ok()?.ok().map(|(unit, _)| unit)
}
