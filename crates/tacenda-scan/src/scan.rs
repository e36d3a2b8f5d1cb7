//! A scan: files in, findings out.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use ruff_python_ast::ModModule;
use ruff_python_ast::name::Name;
use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Parsed, parse_unchecked_source};
use ruff_text_size::Ranged;

use tacenda_policy::MappedFile;

use crate::Confidence;
use crate::analyze::{Attributes, Found, Notes, Outcome, Run, Shared, Summary, analyze};
use crate::configuration::{self, Told};
use crate::files::{Problem, Reason, Source};
use crate::finding::Finding;
use crate::judge::{Texts, judge};
use crate::lexicon::words;
use crate::lines;
use crate::lower::lower;
use crate::model::Models;
use crate::notebook;
use crate::program::{Packages, Program, Standing, Unit};
use crate::rules::{Match, Rule};
use crate::slot_map::{self, Mapped};
use crate::suppress::{Applied, MARK, Suppressions, Unused};
use crate::value::Known;

/// Summaries settle in this many rounds, or are taken as they are.
pub(crate) const ROUNDS: usize = 4;
/// Files of more bytes are generated, and told as a problem.
pub(crate) const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Stack of a thread: lowering and running go as deep as the code does, within limits.
pub(crate) const STACK: usize = 64 * 1024 * 1024;

/// What came out of a scan.
#[derive(Debug, Default)]
pub struct Report {
    /// What was found, by file and line.
    pub findings: Vec<Finding>,
    /// What comments suppress, in the same order.
    pub suppressed: Vec<Finding>,
    /// Comments that suppress nothing, or give no reason.
    pub unused: Vec<Unused>,
    /// Files that could not be read.
    pub problems: Vec<Problem>,
    /// How many files were looked at.
    pub files: usize,
    /// How many lines they have.
    pub lines: usize,
    /// Whether one of them imports Tacenda's package: then a fix may use it.
    pub uses_tacenda: bool,
}

impl Report {
    fn take(&mut self, applied: &mut Applied) {
        self.findings.append(&mut applied.findings);
        self.suppressed.append(&mut applied.suppressed);
        self.unused.append(&mut applied.unused);
    }
}

/// What is called whenever another file has been read.
pub type Watch<'a> = &'a (dyn Fn() + Sync);

/// What a scan works with.
#[derive(Clone, Copy, Debug)]
pub struct Setup<'m> {
    /// What functions and names mean.
    pub models: &'m Models,
    /// With so many threads; with one for each processor if that is 0.
    pub threads: usize,
}

/// Scans files, with the models of the binary.
pub fn scan(sources: &[Source], threads: usize) -> Report {
    scan_watched(sources, Setup { models: Models::builtin(), threads }, &|| {})
}

/// Scans files while somebody watches.
pub fn scan_watched(sources: &[Source], setup: Setup<'_>, watch: Watch<'_>) -> Report {
    pooled(setup.threads, || scan_here(sources, setup.models, watch))
}

/// Scans files, and maps their logging calls: which values in them are sensitive, at least as surely
/// as `least`.
pub fn scan_mapped(
    sources: &[Source],
    setup: Setup<'_>,
    least: Confidence,
    watch: Watch<'_>,
) -> (Report, Vec<MappedFile>) {
    pooled(setup.threads, || {
        let mut mapped = Mapped { least, files: Vec::new() };
        let report = scan_noting(sources, setup.models, watch, Some(&mut mapped));
        (report, mapped.files)
    })
}

/// Works with so many threads; with one for each processor if that is 0.
pub(crate) fn pooled<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build();
    match pool {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

pub(crate) fn scan_here(sources: &[Source], models: &Models, watch: Watch<'_>) -> Report {
    scan_noting(sources, models, watch, None)
}

/// Scans files; with `mapped`, also maps their logging calls.
fn scan_noting(
    sources: &[Source],
    models: &Models,
    watch: Watch<'_>,
    mapped: Option<&mut Mapped>,
) -> Report {
    let mut report = Report::default();
    let packages = Packages::of(sources);
    let read: Vec<Result<Read, Problem>> = sources
        .par_iter()
        .map(|source| {
            // One file that we fail on is told, and costs no other its findings.
            let failed = |_| Err(Problem { path: source.path.clone(), reason: Reason::Internal });
            let read = catch_unwind(|| read(source, &packages, models)).unwrap_or_else(failed);
            watch();
            read
        })
        .collect();
    let mut units = Vec::new();
    for one in read {
        match one {
            Ok(Read::Code(unit, lines)) => {
                report.files += 1;
                report.lines += lines;
                units.push(*unit);
            }
            Ok(Read::Configuration(mut told)) => {
                report.files += 1;
                report.lines += told.lines;
                report.take(&mut told.applied);
            }
            Ok(Read::Other) => {}
            Err(problem) => report.problems.push(problem),
        }
    }
    report.uses_tacenda = units.iter().any(|unit| unit.ir.context.guarded);
    let Ran { found, matches, failed, notes } = run(&units, models, mapped.is_some());
    let failed = failed.into_iter().map(|file| units[file].path.clone());
    report.problems.extend(failed.map(|path| Problem { path, reason: Reason::Internal }));
    let mut by_file: HashMap<u32, Vec<Found>> = HashMap::default();
    for one in found {
        by_file.entry(one.file).or_default().push(one);
    }
    if let Some(mapped) = mapped {
        let files = slot_map::map(&units, sources, &by_file, &notes, mapped.least);
        let (files, nameless) = files.into_iter().partition(|file| file.path.to_str().is_some());
        mapped.files = files;
        let nameless: Vec<MappedFile> = nameless;
        let problem = |file: MappedFile| Problem { path: file.path, reason: Reason::NoName };
        report.problems.extend(nameless.into_iter().map(problem));
    }
    let every: Vec<&Unit> = units.iter().collect();
    let texts = Texts::new(&every, sources, &by_file, &matches);
    let each: Vec<Applied> = units
        .par_iter()
        .enumerate()
        .map(|(file, unit)| {
            let file = u32::try_from(file).unwrap_or(u32::MAX);
            let found = by_file.get(&file).map_or(&[][..], Vec::as_slice);
            let matches = matches.get(&file).map_or(&[][..], Vec::as_slice);
            judge(found, file, matches, unit, &texts)
        })
        .collect();
    for mut one in each {
        report.take(&mut one);
    }
    for findings in [&mut report.findings, &mut report.suppressed] {
        findings.sort_by(|one, two| {
            (&one.path, one.region, one.rule.code).cmp(&(&two.path, two.region, two.rule.code))
        });
    }
    notebook::place(&mut report, sources);
    report
}

/// What a file turned out to be.
enum Read {
    /// Python, and how many lines of it.
    Code(Box<Unit>, usize),
    /// Configuration.
    Configuration(Told),
    /// Something else, which has the name of configuration.
    Other,
}

fn read(source: &Source, packages: &Packages, models: &Models) -> Result<Read, Problem> {
    match configuration::syntax(&source.path) {
        Some(syntax) => {
            let told = configuration::scan(source, syntax)?;
            Ok(told.map_or(Read::Other, Read::Configuration))
        }
        None => {
            unit(source, packages, models).map(|(unit, lines)| Read::Code(Box::new(unit), lines))
        }
    }
}

/// Reads a file of Python, and lowers it; how many lines it has.
pub(crate) fn unit(
    source: &Source,
    packages: &Packages,
    models: &Models,
) -> Result<(Unit, usize), Problem> {
    let problem = |reason| Problem { path: source.path.clone(), reason };
    let text = source.read().map_err(problem)?;
    let lines = lines::count(&text);
    let parsed = parse_unchecked_source(&text, source.syntax());
    let parsed_comments = comments(&text, &parsed);
    let (mut ir, too_deep) = lower(parsed.suite(), models.names());
    if too_deep {
        // Giving back a tree this deep would recurse as deeply.
        std::mem::forget(parsed);
    }
    let module = packages.module(&source.path);
    // What lies under such a name is about models, whatever the file itself imports.
    ir.context.ml |=
        words(&source.path.to_string_lossy()).iter().any(|word| word == "mlx" || word == "llm");
    let suppressions = Suppressions::read(&text, parsed_comments);
    let path = source.path.clone();
    Ok((Unit { path, module, ir, suppressions }, lines))
}

/// The comments that speak to us: their places.
fn comments(text: &str, parsed: &Parsed<ModModule>) -> Vec<Range<usize>> {
    if !text.contains(MARK) {
        return Vec::new();
    }
    let tokens = parsed.tokens().iter().filter(|token| token.kind() == TokenKind::Comment);
    let places =
        tokens.map(|token| token.range().start().to_usize()..token.range().end().to_usize());
    places.filter(|place| text[place.clone()].contains(MARK)).collect()
}

/// What the files of a program know of each other.
#[derive(Default)]
pub(crate) struct Facts {
    /// The places of the functions, by where they lie.
    by_function: HashMap<usize, usize>,
    summaries: Vec<Summary>,
    attributes: Attributes,
    /// What came out of each file, part by part.
    outcomes: Vec<Vec<Outcome>>,
    /// Whether what is known of the values in logging calls is noted.
    notes: bool,
    /// What was noted in each file.
    noted: Vec<Notes>,
    /// Where the functions stand whose numbers are about to change.
    numbering: Vec<(usize, Standing)>,
}

impl Facts {
    /// Runs all files until what they know of each other settles.
    pub(crate) fn of(program: &Program<'_>, models: &Models) -> Self {
        Self::noting(program, models, false)
    }

    /// The same; with `notes`, also what is known of the values in logging calls.
    fn noting(program: &Program<'_>, models: &Models, notes: bool) -> Self {
        let mut facts = Self { notes, ..Self::default() };
        facts.settle(program, models, (0..program.units.len()).collect(), None);
        facts
    }

    /// Runs some files, and those that depend on what changes by that; with `within`, only these, and
    /// tells which others would be next.
    pub(crate) fn settle(
        &mut self,
        program: &Program<'_>,
        models: &Models,
        mut stale: Vec<usize>,
        within: Option<&[usize]>,
    ) -> Vec<usize> {
        self.summaries.resize_with(program.functions.len(), Summary::default);
        self.outcomes.resize_with(program.units.len(), Vec::new);
        self.noted.resize_with(program.units.len(), Notes::default);
        let all = stale.len() == program.units.len();
        let functions = program.functions.iter().enumerate();
        self.by_function.extend(
            functions
                .filter(|(_, entry)| all || entry.is_in(&stale))
                .map(|(place, entry)| (std::ptr::from_ref(entry.function).addr(), place)),
        );
        let mut late = Vec::new();
        let mut before: Option<HashSet<usize>> = None;
        for _ in 0..ROUNDS {
            if stale.is_empty() {
                break;
            }
            let (changed, touched) = self.round(program, models, &stale, before.as_ref());
            let is_stale = |file: &usize| {
                u32::try_from(*file).is_ok_and(|file| touched.contains(&file))
                    || !changed.is_empty()
                        && callees(&self.outcomes[*file]).any(|one| changed.contains(one))
            };
            stale = (0..self.outcomes.len()).filter(is_stale).collect();
            if let Some(within) = within {
                late.extend(stale.extract_if(.., |file| !within.contains(file)));
            }
            before = Some(changed);
        }
        late
    }

    /// Runs some files once; the functions and the files' attributes of which more is known by that.
    /// After a round in which some functions `changed`, only what depends on these runs again.
    fn round(
        &mut self,
        program: &Program<'_>,
        models: &Models,
        stale: &[usize],
        changed: Option<&HashSet<usize>>,
    ) -> (HashSet<usize>, HashSet<u32>) {
        let flowing =
            self.attributes.values().flatten().filter(|(_, value)| !value.flows.is_empty());
        let kept: HashSet<Name> = flowing.map(|(field, _)| field.clone()).collect();
        let none = HashSet::default();
        // What is noted of an expression comes from all parts of its file.
        let again = changed.is_some() && !self.notes;
        let mut before = |file: usize| {
            if again { std::mem::take(&mut self.outcomes[file]) } else { Vec::new() }
        };
        let stale: Vec<(usize, Vec<Outcome>)> =
            stale.iter().map(|file| (*file, before(*file))).collect();
        let shared = Shared {
            program,
            summaries: &self.summaries,
            attributes: &self.attributes,
            kept: &kept,
            changed: changed.unwrap_or(&none),
            notes: self.notes,
            models,
        };
        let by_function = &self.by_function;
        let fresh: Vec<(usize, Run)> = stale
            .into_par_iter()
            .map(|(file, before)| {
                let number = u32::try_from(file).expect("fewer than four billion files");
                let run = || analyze(&shared, number, by_function, before);
                let failed = |_| Run { outcomes: vec![Outcome::failed()], ..Run::default() };
                (file, catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(failed))
            })
            .collect();
        let mut changed: HashSet<usize> = HashSet::default();
        let mut touched: HashSet<u32> = HashSet::default();
        for (file, Run { mut outcomes, attributes, notes }) in fresh {
            let summaries = outcomes.iter_mut().flat_map(|outcome| outcome.summaries.drain(..));
            for (place, summary) in summaries {
                if summary.differs(&self.summaries[place]) {
                    changed.insert(place);
                    self.summaries[place] = summary;
                }
            }
            for (class, fields) in attributes {
                let known = self.attributes.entry(class.clone()).or_default();
                for (field, value) in fields {
                    let before = known.get(&field).map_or(0, |value| value.flows.len());
                    let joined = match known.remove(&field) {
                        Some(one) => one.join(&value),
                        None => value,
                    };
                    if joined.flows.len() != before {
                        touched.insert(class.0);
                    }
                    known.insert(field, joined);
                }
            }
            self.outcomes[file] = outcomes;
            self.noted[file] = notes;
        }
        (changed, touched)
    }

    /// What was found in a file, from wherever it came there.
    pub(crate) fn found_in(&self, file: u32) -> Vec<Found> {
        let found = self.outcomes.iter().flatten().flat_map(|outcome| &outcome.found);
        found.filter(|one| one.file == file).cloned().collect()
    }

    /// What rules found in the calls of a file.
    pub(crate) fn matches_in(&self, file: u32) -> Vec<(&'static Rule, Match)> {
        let outcomes = self.outcomes.get(file as usize).into_iter().flatten();
        outcomes.flat_map(|outcome| &outcome.matches).copied().collect()
    }

    /// The files that call one of these functions.
    pub(crate) fn callers(&self, functions: &[usize]) -> impl Iterator<Item = usize> {
        let calls = |outcomes: &Vec<Outcome>| callees(outcomes).any(|one| functions.contains(one));
        let outcomes = self.outcomes.iter().enumerate();
        outcomes.filter(move |(_, outcomes)| calls(outcomes)).map(|(file, _)| file)
    }

    /// Takes over the numbers that functions have in a program: what is known of them is known by
    /// where they stand.
    pub(crate) fn renumber(&mut self, program: &Program<'_>) {
        let before = std::mem::take(&mut self.numbering);
        if before.is_empty() {
            return;
        }
        let now: HashMap<Standing, usize> =
            program.numbering().into_iter().map(|(place, standing)| (standing, place)).collect();
        let to: HashMap<usize, usize> = before
            .into_iter()
            .filter_map(|(place, standing)| Some((place, *now.get(&standing)?)))
            .collect();
        let mut summaries = vec![Summary::default(); program.functions.len()];
        for (place, summary) in std::mem::take(&mut self.summaries).into_iter().enumerate() {
            if let Some(place) = to.get(&place) {
                summaries[*place] = summary;
            }
        }
        self.summaries = summaries;
        for outcome in self.outcomes.iter_mut().flatten() {
            let callees = std::mem::take(&mut outcome.callees);
            outcome.callees = callees.iter().filter_map(|callee| to.get(callee).copied()).collect();
        }
        for value in self.attributes.values_mut().flat_map(HashMap::values_mut) {
            if let Known::Function(place, _) = &mut value.known {
                match to.get(place) {
                    Some(now) => *place = *now,
                    None => value.known = Known::Nothing,
                }
            }
        }
        self.by_function.clear();
        let functions = program.functions.iter().enumerate();
        let addresses =
            functions.map(|(place, entry)| (std::ptr::from_ref(entry.function).addr(), place));
        self.by_function.extend(addresses);
    }

    /// Notes which numbers the functions have.
    pub(crate) fn number_by(&mut self, numbering: Vec<(usize, Standing)>) {
        self.numbering = numbering;
    }

    /// Forgets what is known of the attributes of a file's classes.
    pub(crate) fn forget_attributes(&mut self, file: u32) {
        self.attributes.retain(|(own, _), _| *own != file);
    }
}

/// The functions that a file calls.
fn callees(outcomes: &[Outcome]) -> impl Iterator<Item = &usize> {
    outcomes.iter().flat_map(|outcome| &outcome.callees)
}

/// What came out of all files.
struct Ran {
    found: Vec<Found>,
    matches: Matches,
    /// The files that we failed on.
    failed: Vec<usize>,
    /// What is known of the values in the logging calls of each file, if that was asked for.
    notes: Vec<Notes>,
}

/// Runs all files.
fn run(units: &[Unit], models: &Models, notes: bool) -> Ran {
    let facts = Facts::noting(&Program::new(units), models, notes);
    let mut ran = Ran {
        found: Vec::new(),
        matches: Matches::default(),
        failed: Vec::new(),
        notes: facts.noted,
    };
    let parts = |(file, outcomes): (usize, Vec<Outcome>)| {
        outcomes.into_iter().map(move |outcome| (file, outcome))
    };
    for (file, outcome) in facts.outcomes.into_iter().enumerate().flat_map(parts) {
        ran.found.extend(outcome.found);
        if outcome.failed {
            ran.failed.push(file);
        }
        if !outcome.matches.is_empty() {
            let file = u32::try_from(file).unwrap_or(u32::MAX);
            ran.matches.entry(file).or_default().extend(outcome.matches);
        }
    }
    ran
}

/// What rules found in calls, by file.
pub(crate) type Matches = HashMap<u32, Vec<(&'static Rule, Match)>>;
