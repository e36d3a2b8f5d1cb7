//! The slot map: each logging call of the files, with what is known of the values in it.
//!
//! Where values come from was [noted](crate::analyze::Notes) while the functions were run. Here the
//! calls are looked at once more, as they are written: which template, which value in which place.

mod call;
mod label;
mod template;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use ruff_python_parser::parse_unchecked_source;
use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};
use sha2::{Digest as _, Sha256};
use tacenda_policy::{MappedCall, MappedFile, Through};

use crate::Confidence;
use crate::analyze::{Found, Handed, Notes};
use crate::files::Source;
use crate::ir::Span;
use crate::lines::Lines;
use crate::lower::is_too_deep;
use crate::model::Channel;
use crate::notebook::is_notebook;
use crate::program::Unit;
use call::{Shape, shapes};
use label::Labels;

/// The logging calls of files, with what is known at least as surely as this.
#[derive(Debug)]
pub(crate) struct Mapped {
    pub(crate) least: Confidence,
    pub(crate) files: Vec<MappedFile>,
}

/// What is known of all files.
struct Known<'a> {
    units: &'a [Unit],
    found: &'a HashMap<u32, Vec<Found>>,
    notes: &'a [Notes],
    /// What callers hand to each call that logs.
    handed: HashMap<(u32, Span), Vec<&'a Handed>>,
    /// The calls that hand on what another one logs, with those other ones.
    handing: HashMap<(u32, Span), HashSet<(u32, Span)>>,
    /// The lines of the files in which these other ones are.
    lines: HashMap<u32, Lines>,
}

/// Maps the logging calls of files.
pub(crate) fn map(
    units: &[Unit],
    sources: &[Source],
    found: &HashMap<u32, Vec<Found>>,
    notes: &[Notes],
    least: Confidence,
) -> Vec<MappedFile> {
    let by_path: HashMap<&Path, &Source> =
        sources.iter().map(|source| (&*source.path, source)).collect();
    let known = Known::new(units, &by_path, found, notes);
    let files: Vec<Option<MappedFile>> = units
        .par_iter()
        .enumerate()
        .map(|(file, unit)| {
            let source = by_path.get(&*unit.path)?;
            known.file(u32::try_from(file).ok()?, source, least)
        })
        .collect();
    files.into_iter().flatten().collect()
}

impl<'a> Known<'a> {
    fn new(
        units: &'a [Unit],
        by_path: &HashMap<&Path, &Source>,
        found: &'a HashMap<u32, Vec<Found>>,
        notes: &'a [Notes],
    ) -> Self {
        let mut handed: HashMap<_, Vec<_>> = HashMap::default();
        let mut handing: HashMap<_, HashSet<_>> = HashMap::default();
        let mut lines = HashMap::default();
        for (file, own) in (0..).zip(notes) {
            for one in &own.handed {
                let written = (one.site.file, one.site.call);
                handed.entry(written).or_default().push(one);
                let Some(by) = one.by else { continue };
                handing.entry((file, by)).or_default().insert(written);
                lines.entry(one.site.file).or_insert_with(|| {
                    let unit = units.get(one.site.file as usize);
                    let source = unit.and_then(|unit| by_path.get(&*unit.path));
                    Lines::new(&source.and_then(|source| source.read().ok()).unwrap_or_default())
                });
            }
        }
        Self { units, found, notes, handed, handing, lines }
    }

    /// The logging calls of a file. Nothing if there are none, or if it is no module that Python
    /// could run under its own name.
    fn file(&self, file: u32, source: &Source, least: Confidence) -> Option<MappedFile> {
        let notes = self.notes.get(file as usize)?;
        let mut wanted: HashSet<Span> = notes.calls.clone();
        wanted.extend(self.handing.keys().filter(|(own, _)| *own == file).map(|(_, call)| call));
        let is_module = !is_notebook(&source.path)
            && source.path.extension().is_none_or(|extension| extension != "pyi");
        if wanted.is_empty() || !is_module {
            return None;
        }
        let raw = source.raw().ok()?;
        let parsed = parse_unchecked_source(&raw, source.syntax());
        if is_too_deep(parsed.suite()) {
            // Giving back a tree this deep would recurse as deeply.
            std::mem::forget(parsed);
            return None;
        }
        let found = self.found.get(&file).map_or(&[][..], Vec::as_slice);
        let mut by_call: HashMap<Span, Vec<&Found>> = HashMap::default();
        for one in found.iter().filter(|one| one.channel == Channel::Log) {
            by_call.entry(one.call).or_default().push(one);
        }
        let lines = Lines::new(&raw);
        let call = |shape: &Shape| {
            let call = (file, shape.span);
            let labels = Labels {
                notes,
                handed: self.handed.get(&call).map_or(&[][..], Vec::as_slice),
                found: by_call.get(&shape.span).map_or(&[][..], Vec::as_slice),
                least,
            };
            mapped(shape, &labels, &lines, self.through(call))
        };
        let shapes = shapes(parsed.suite(), &wanted, &notes.calls);
        let mut calls: Vec<MappedCall> = shapes.iter().map(call).collect();
        calls.sort_by_key(|call| (call.line, call.end_line));
        (!calls.is_empty()).then(|| MappedFile {
            path: plain(&source.path),
            sha256: hexadecimal(&Sha256::digest(source.bytes(&raw))),
            calls,
        })
    }

    fn through(&self, call: (u32, Span)) -> Vec<Through> {
        let Some(written) = self.handing.get(&call) else { return Vec::new() };
        let place = |(file, call): &(u32, Span)| {
            let path = plain(&self.units.get(*file as usize)?.path);
            path.to_str()?;
            Some(Through { path, line: self.lines.get(file)?.number(call.start as usize) })
        };
        let mut through: Vec<Through> = written.iter().filter_map(place).collect();
        through.sort();
        through.dedup();
        through
    }
}

fn mapped(shape: &Shape, labels: &Labels<'_>, lines: &Lines, through: Vec<Through>) -> MappedCall {
    let slots = labels.of(shape);
    MappedCall {
        line: lines.number(shape.span.start as usize),
        end_line: lines.number(shape.span.end.saturating_sub(1) as usize),
        function: shape.function.clone(),
        template: slots.template,
        arguments: slots.arguments,
        rest: slots.rest,
        fields: slots.fields,
        through,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// `./a/b.py` as `a/b.py`.
fn plain(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}
