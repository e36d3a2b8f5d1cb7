//! A scan: files in, findings out.

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::prelude::*;
use ruff_python_ast::name::Name;
use ruff_python_ast::token::TokenKind;
use ruff_python_ast::{ModModule, PySourceType};
use ruff_python_parser::{Parsed, parse_unchecked_source};
use ruff_text_size::Ranged;

use crate::analyze::{Found, Outcome, Shared, Summary, analyze};
use crate::files::{Problem, Reason, Source};
use crate::finding::Finding;
use crate::judge::{Texts, judge};
use crate::lexicon::words;
use crate::lower::lower;
use crate::program::{Program, Unit, module_name};
use crate::rules::{Match, Rule};
use crate::suppress::{MARK, Suppressions, Unused};
use crate::value::Value;

/// Summaries settle in this many rounds, or are taken as they are.
const ROUNDS: usize = 4;
/// Files of more bytes are generated, and told as a problem.
pub(crate) const MAX_BYTES: usize = 8 * 1024 * 1024;
/// Stack of a thread: lowering and running go as deep as the code does, within limits.
pub(crate) const STACK: usize = 64 * 1024 * 1024;

/// What came out of a scan.
#[derive(Debug, Default)]
pub struct Report {
    /// What was found, by file and line.
    pub findings: Vec<Finding>,
    /// Comments that suppress nothing, or give no reason.
    pub unused: Vec<Unused>,
    /// Files that could not be read.
    pub problems: Vec<Problem>,
    /// How many files were looked at.
    pub files: usize,
    /// How many lines they have.
    pub lines: usize,
}

/// Scans files.
pub fn scan(sources: &[Source], threads: usize) -> Report {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).stack_size(STACK).build();
    match pool {
        Ok(pool) => pool.install(|| scan_here(sources)),
        Err(_) => scan_here(sources),
    }
}

fn scan_here(sources: &[Source]) -> Report {
    let mut report = Report::default();
    let read: Vec<Result<(Unit, usize), Problem>> = sources
        .par_iter()
        .map(|source| {
            // One file that we fail on is told, and costs no other its findings.
            let failed = |_| Err(Problem { path: source.path.clone(), reason: Reason::Internal });
            catch_unwind(|| unit(source)).unwrap_or_else(failed)
        })
        .collect();
    let mut units = Vec::new();
    for one in read {
        match one {
            Ok((unit, lines)) => {
                report.files += 1;
                report.lines += lines;
                units.push(unit);
            }
            Err(problem) => report.problems.push(problem),
        }
    }
    let (found, matches, failed) = run(&units);
    let failed = failed.into_iter().map(|file| units[file].path.clone());
    report.problems.extend(failed.map(|path| Problem { path, reason: Reason::Internal }));
    let mut by_file: HashMap<u32, Vec<Found>> = HashMap::default();
    for one in found {
        by_file.entry(one.file).or_default().push(one);
    }
    let texts = Texts::new(&units, sources, &by_file, &matches);
    let mut each: Vec<(Vec<Finding>, Vec<Unused>)> = units
        .par_iter()
        .enumerate()
        .map(|(file, unit)| {
            let file = u32::try_from(file).unwrap_or(u32::MAX);
            let found = by_file.get(&file).map_or(&[][..], Vec::as_slice);
            let matches = matches.get(&file).map_or(&[][..], Vec::as_slice);
            judge(found, file, matches, unit, &texts)
        })
        .collect();
    for (findings, unused) in &mut each {
        report.findings.append(findings);
        report.unused.append(unused);
    }
    report.findings.sort_by(|one, two| {
        (&one.path, one.region, one.rule.code).cmp(&(&two.path, two.region, two.rule.code))
    });
    report
}

fn unit(source: &Source) -> Result<(Unit, usize), Problem> {
    let problem = |reason| Problem { path: source.path.clone(), reason };
    let text = source.read().map_err(problem)?;
    let lines = text.bytes().filter(|byte| *byte == b'\n').count();
    let parsed = parse_unchecked_source(&text, PySourceType::Python);
    let parsed_comments = comments(&text, &parsed);
    let (mut ir, too_deep) = lower(parsed.suite());
    if too_deep {
        // Giving back a tree this deep would recurse as deeply.
        std::mem::forget(parsed);
    }
    let module = module_name(&source.path);
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

/// Runs all files until what they know of each other settles.
fn run(units: &[Unit]) -> (Vec<Found>, Matches, Vec<usize>) {
    let program = Program::new(units);
    let by_function: HashMap<usize, usize> = program
        .functions
        .iter()
        .enumerate()
        .map(|(place, entry)| (std::ptr::from_ref(entry.function).addr(), place))
        .collect();
    let mut summaries: Vec<Summary> = vec![Summary::default(); program.functions.len()];
    let mut attributes: HashMap<(u32, Name), HashMap<Name, Value>> = HashMap::default();
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut stale: Vec<bool> = vec![true; units.len()];
    for round in 0..ROUNDS {
        let flowing = attributes.values().flatten().filter(|(_, value)| !value.flows.is_empty());
        let kept: HashSet<Name> = flowing.map(|(field, _)| field.clone()).collect();
        let shared = Shared {
            program: &program,
            summaries: &summaries,
            attributes: &attributes,
            kept: &kept,
        };
        let fresh: Vec<Option<Outcome>> = (0..units.len())
            .into_par_iter()
            .map(|file| {
                stale[file].then(|| {
                    let number = u32::try_from(file).expect("fewer than four billion files");
                    let outcome = || analyze(&shared, number, &by_function);
                    let failed = |_| Outcome { failed: true, ..Outcome::default() };
                    catch_unwind(AssertUnwindSafe(outcome)).unwrap_or_else(failed)
                })
            })
            .collect();
        let mut changed: HashSet<usize> = HashSet::default();
        let mut touched: HashSet<u32> = HashSet::default();
        for (file, outcome) in fresh.into_iter().enumerate() {
            let Some(mut outcome) = outcome else { continue };
            for (place, summary) in outcome.summaries.drain(..) {
                if summary.differs(&summaries[place]) {
                    changed.insert(place);
                    summaries[place] = summary;
                }
            }
            for (class, fields) in outcome.attributes.drain() {
                let known = attributes.entry(class.clone()).or_default();
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
            if round == 0 {
                outcomes.push(outcome);
            } else {
                outcomes[file] = outcome;
            }
        }
        stale = outcomes
            .iter()
            .enumerate()
            .map(|(file, outcome)| {
                u32::try_from(file).is_ok_and(|file| touched.contains(&file))
                    || outcome.callees.iter().any(|callee| changed.contains(callee))
            })
            .collect();
        if !stale.contains(&true) {
            break;
        }
    }
    let mut found = Vec::new();
    let mut matches = Matches::default();
    let mut failed = Vec::new();
    for (file, outcome) in outcomes.into_iter().enumerate() {
        found.extend(outcome.found);
        if outcome.failed {
            failed.push(file);
        }
        if !outcome.matches.is_empty() {
            matches.insert(u32::try_from(file).unwrap_or(u32::MAX), outcome.matches);
        }
    }
    (found, matches, failed)
}

/// What rules found in calls, by file.
pub(crate) type Matches = HashMap<u32, Vec<(&'static Rule, Match)>>;
