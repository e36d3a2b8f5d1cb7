//! Configuration that makes programs log more than they should, or where others read it: in the files
//! that code and its containers are started with, and in [Python](python) that is configuration.

mod containers;
mod ini;
mod logging;
mod mask;
mod model;
pub(crate) mod python;
mod tree;
mod words;

use std::ops::Range;
use std::path::Path;

use crate::Confidence;
use crate::files::{Problem, Reason, Source};
use crate::finding::Finding;
use crate::ir::Span;
use crate::judge::{fingerprints, of_rule};
use crate::lexicon::words;
use crate::lines::{self, Lines};
use crate::rules::Rule;
use crate::suppress::{Applied, MARK, Suppressions};

pub(crate) use mask::masked;

/// Larger files hold data.
pub(crate) const MAX_BYTES: usize = 1 << 20;

/// What a file of configuration may be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    Yaml,
    Toml,
    Ini,
    Environment,
    Dockerfile,
    Procfile,
}

/// Something that is set as it should not be.
#[derive(Clone, Debug)]
struct Hit {
    rule: &'static Rule,
    place: Range<usize>,
    confidence: Confidence,
}

type Hits = Vec<Hit>;

impl Hit {
    fn new(rule: &str, place: Range<usize>, confidence: Confidence) -> Self {
        let rule = Rule::of_code(rule).expect("models name rules that there are");
        Self { rule, place, confidence }
    }
}

/// What came of a file.
pub(crate) struct Told {
    pub(crate) applied: Applied,
    pub(crate) lines: usize,
}

/// What a file of this name would be written in, if it is one of configuration.
pub(crate) fn syntax(path: &Path) -> Option<Syntax> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (stem, extension) = name.rsplit_once('.').unwrap_or((&name, ""));
    match extension {
        "yaml" | "yml" | "json" => Some(Syntax::Yaml),
        "toml" => Some(Syntax::Toml),
        "ini" | "cfg" | "conf" => Some(Syntax::Ini),
        "env" => Some(Syntax::Environment),
        "dockerfile" | "containerfile" => Some(Syntax::Dockerfile),
        _ if name.starts_with(".env.") => Some(Syntax::Environment),
        _ if matches!(stem, "dockerfile" | "containerfile") => Some(Syntax::Dockerfile),
        _ if name == "procfile" => Some(Syntax::Procfile),
        _ => None,
    }
}

/// Looks at a file. Nothing, if it turns out to be about something else.
pub(crate) fn scan(source: &Source, syntax: Syntax) -> Result<Option<Told>, Problem> {
    let problem = |reason| Problem { path: source.path.clone(), reason };
    let text = match source.raw() {
        Ok(text) => text,
        // Data, and of no concern where nobody named it.
        Err(Reason::TooLarge | Reason::NotText) if !source.named => return Ok(None),
        Err(reason) => return Err(problem(reason)),
    };
    let mut hits = Hits::new();
    let is_configuration = match look(&text, syntax, &mut hits) {
        Ok(is_configuration) => is_configuration,
        Err(tree::Malformed { line, column }) if source.named => {
            return Err(problem(Reason::Malformed { line, column }));
        }
        // Templates have the names of what is made from them.
        Err(_) => false,
    };
    if !is_configuration && !source.named {
        return Ok(None);
    }
    let lines = Lines::new(&text);
    let rehearsal = is_for_development(&source.path);
    let finding = |hit: Hit| {
        let confidence = if rehearsal { Confidence::Low } else { hit.confidence };
        let at = |place: usize| u32::try_from(place).unwrap_or(u32::MAX);
        let span = Span { start: at(hit.place.start), end: at(hit.place.end) };
        of_rule(hit.rule, &source.path, span, lines.region(&text, span), confidence)
    };
    let mut findings: Vec<Finding> = hits.into_iter().map(finding).collect();
    findings.sort_by_key(|finding| (finding.region, finding.rule.code));
    findings.dedup_by_key(|finding| (finding.region, finding.rule.code));
    fingerprints(&mut findings, |finding| lines.line(&text, finding.region.line));
    let applied = Suppressions::read(&text, comments(&text)).apply(&source.path, findings);
    Ok(Some(Told { applied, lines: lines::count(&text) }))
}

/// Whether a text is configuration that something is known about, and what is wrong with it.
fn look(text: &str, syntax: Syntax, hits: &mut Hits) -> Result<bool, tree::Malformed> {
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    Ok(match syntax {
        // Most files of these formats are about something else, and large.
        Syntax::Yaml | Syntax::Toml
            if !has(&["handlers", "loggers", "formatters", "services", "containers", "root"]) =>
        {
            false
        }
        Syntax::Yaml => {
            let mut found = false;
            for document in tree::yaml(text)? {
                found |= logging::dictionary(&document, hits);
                found |= containers::document(text, &document, hits);
            }
            found
        }
        Syntax::Toml => logging::dictionary(&tree::toml(text)?, hits),
        Syntax::Ini => logging::file(&ini::sections(text), hits),
        Syntax::Environment => {
            for variable in ini::variables(text) {
                model::MODEL.variable(variable.name, &variable.value, &variable.place, hits);
            }
            true
        }
        Syntax::Dockerfile => {
            containers::dockerfile(text, hits);
            true
        }
        Syntax::Procfile => {
            containers::procfile(text, hits);
            true
        }
    })
}

/// Whether the name of a file, or of the directory it is in, says that it is for work on a program
/// and not for its service.
fn is_for_development(path: &Path) -> bool {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let names = [name(path), path.parent().and_then(name)];
    names.into_iter().flatten().flat_map(|name| words(&name)).any(|word| {
        matches!(
            word.as_str(),
            "dev"
                | "devel"
                | "development"
                | "devcontainer"
                | "local"
                | "test"
                | "tests"
                | "testing"
                | "debug"
                | "example"
                | "examples"
                | "sample"
                | "samples"
                | "template"
                | "templates"
                | "demo"
                | "ci"
                | "override"
        )
    })
}

/// The comments that speak to us: their places.
fn comments(text: &str) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut places = Vec::new();
    for line in text.split_inclusive('\n') {
        if let Some(mark) = line.find(MARK)
            && let Some(sign) = line[..mark].rfind('#')
        {
            places.push(start + sign..start + line.trim_end().len());
        }
        start += line.len();
    }
    places
}
