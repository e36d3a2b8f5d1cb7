//! Fixes: edits of the source after which a finding is gone.
//!
//! A rule says in its own file how it is fixed, in the terms of a [`Site`]: the finding, the parsed
//! file around it, what is imported. What comes out are [`Edit`]s, which touch nothing but what
//! they name; [`apply`] puts together those that do not overlap and keeps only what still parses.

mod accept;
mod apply;
mod imports;
mod secret;
mod site;
mod slot;
mod template;
mod value;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use rayon::prelude::*;
use ruff_python_ast::PySourceType;
use ruff_python_parser::parse_unchecked_source;

use crate::configuration;
use crate::files::Source;
use crate::finding::{Finding, Region};
use crate::lines::Lines;
use crate::lower::is_too_deep;
use crate::notebook::is_notebook;
use crate::scan::{Report, STACK};

pub use accept::accept;
pub use apply::{Fixed, apply};
pub(crate) use imports::Imports;
pub(crate) use site::Site;

/// Whether a fix may be applied without a look at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applicability {
    /// The program computes something else in a case that can be named, writes less than the value,
    /// or comes to need a package.
    Unsafe,
    /// The program computes what it did, needs what it needed, and its logs lose nothing but the
    /// value.
    Safe,
}

impl Applicability {
    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unsafe => "unsafe",
            Self::Safe => "safe",
        }
    }
}

/// What a finding's place is to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as an order: "add `secret=True`".
    pub message: String,
    /// Whether it may be applied without a look.
    pub applicability: Applicability,
    /// The edits, in the order of their places.
    pub edits: Vec<Edit>,
}

/// One replacement. An insertion replaces nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced, in bytes of the file.
    pub bytes: Range<usize>,
    /// The same place in lines and columns.
    pub region: Region,
    /// What stands there after. It is made of the rules' own words, never of the source's.
    pub text: String,
}

/// Gives each finding of a report the fix that its rule knows. The texts of the sources have to be
/// those that were scanned.
pub fn suggest(report: &mut Report, sources: &[Source]) {
    let mut by_path: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    for (at, finding) in report.findings.iter().enumerate() {
        if finding.rule.fix.is_some() {
            by_path.entry(finding.path.clone()).or_default().push(at);
        }
    }
    let texts: Vec<(&Source, Vec<usize>)> =
        sources.iter().filter_map(|source| Some((source, by_path.remove(&source.path)?))).collect();
    let findings = &report.findings;
    let uses_tacenda = report.uses_tacenda;
    let fixes = || -> Vec<(usize, Fix)> {
        let one = |(source, places): &(&Source, Vec<usize>)| {
            // Of a notebook the code is only a part of the file, and configuration is no code.
            if is_notebook(&source.path) || configuration::syntax(&source.path).is_some() {
                return Vec::new();
            }
            let Ok(text) = source.read() else { return Vec::new() };
            of_file(&text, findings, places, uses_tacenda)
        };
        texts.par_iter().flat_map_iter(one).collect()
    };
    // Looking into a tree goes as deep as the code does.
    let pool = rayon::ThreadPoolBuilder::new().stack_size(STACK).build();
    let fixes = match pool {
        Ok(pool) => pool.install(fixes),
        Err(_) => return,
    };
    for (at, fix) in fixes {
        report.findings[at].fix = Some(fix);
    }
}

/// The fixes of the findings at some places of the list, which are all about one file.
fn of_file(
    text: &str,
    findings: &[Finding],
    places: &[usize],
    uses_tacenda: bool,
) -> Vec<(usize, Fix)> {
    let parsed = parse_unchecked_source(text, PySourceType::Python);
    if is_too_deep(parsed.suite()) {
        // Giving back a tree this deep would recurse as deeply.
        std::mem::forget(parsed);
        return Vec::new();
    }
    // What is no Python now may be anything after an edit; and where bytes were replaced that are no
    // UTF-8, places are no more those of the file.
    if !parsed.has_valid_syntax() || text.contains(char::REPLACEMENT_CHARACTER) {
        return Vec::new();
    }
    let imports = Imports::of(text, &parsed);
    let lines = Lines::new(text);
    let fix = |at: &usize| {
        let finding = &findings[*at];
        let make = finding.rule.fix?;
        let site = Site::new(text, &lines, &parsed, &imports, finding, uses_tacenda);
        let mut fix = make(&site)?;
        fix.edits.sort_by_key(|edit| (edit.bytes.start, edit.bytes.end));
        Some((*at, fix))
    };
    places.iter().filter_map(fix).collect()
}
