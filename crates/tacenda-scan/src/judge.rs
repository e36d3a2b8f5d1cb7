//! From what was found to findings: under which rule, in which words, with which mark.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustc_hash::{FxHashMap as HashMap, FxHashSet as HashSet};

use crate::Confidence;
use crate::analyze::Found;
use crate::files::Source;
use crate::finding::{Finding, Region, Stop};
use crate::ir::Span;
use crate::label::Label;
use crate::lines::Lines;
use crate::model::Channel;
use crate::program::Unit;
use crate::rules::{Match, Rule, Written, for_value};
use crate::scan::Matches;
use crate::suppress::Applied;
use crate::value::What;

/// The texts of the files that findings are about.
pub(crate) struct Texts {
    by_file: HashMap<u32, (PathBuf, Arc<str>, Lines)>,
}

impl Texts {
    pub(crate) fn new(
        units: &[&Unit],
        sources: &[Source],
        found: &HashMap<u32, Vec<Found>>,
        matches: &Matches,
    ) -> Self {
        let mut files: HashSet<u32> = matches.keys().copied().collect();
        for one in found.values().flatten() {
            files.insert(one.file);
            let mut step = one.way.as_deref();
            while let Some(here) = step {
                files.insert(here.file);
                step = here.before.as_deref();
            }
        }
        let by_path: HashMap<&Path, &Source> =
            sources.iter().map(|source| (&*source.path, source)).collect();
        let by_file = files.into_iter().filter_map(|file| {
            let unit = units[file as usize];
            let text = by_path.get(&*unit.path)?.read().ok()?;
            let lines = Lines::new(&text);
            Some((file, (unit.path.clone(), text, lines)))
        });
        Self { by_file: by_file.collect() }
    }
}

/// What was found in a file, put together, under the rules and without what is suppressed.
pub(crate) fn judge(
    found: &[Found],
    file: u32,
    matches: &[(&'static Rule, Match)],
    unit: &Unit,
    texts: &Texts,
) -> Applied {
    // Of one argument the surest finding tells, then that of the worse rule.
    let mut best: HashMap<(u32, Span), (&'static Rule, &Found, Confidence)> = HashMap::default();
    for one in found {
        let by_exception = passes_exception(one);
        let written = Written { label: one.label, channel: one.channel, by_exception };
        let Some(rule) = for_value(written) else { continue };
        // Parsers may or may not quote what they were handed.
        let confidence =
            if by_exception { one.confidence.min(Confidence::Medium) } else { one.confidence };
        let confidence = confidence.min(rule.confidence);
        let entry = best.entry((one.call.start, one.argument)).or_insert((rule, one, confidence));
        if (confidence, rank(one.label)) > (entry.2, rank(entry.1.label)) {
            *entry = (rule, one, confidence);
        }
    }
    let mut findings: Vec<Finding> = best
        .into_values()
        .filter_map(|(rule, one, confidence)| texts.finding(rule, one, confidence))
        .collect();
    findings.extend(matches.iter().filter_map(|(rule, one)| texts.matched(rule, file, one)));
    // Of several arguments of one call the surest finding stays.
    findings
        .sort_by_key(|finding| (finding.region, finding.rule.code, Reverse(finding.confidence)));
    findings.dedup_by_key(|finding| (finding.region, finding.rule.code));
    fingerprints(&mut findings, |finding| texts.line(&finding.path, finding.region.line));
    unit.suppressions.apply(&unit.path, findings)
}

fn passes_exception(found: &Found) -> bool {
    let mut step = found.way.as_deref();
    while let Some(here) = step {
        if here.what == What::Raised {
            return true;
        }
        step = here.before.as_deref();
    }
    false
}

/// Gives each finding a mark that stays when lines move: a hash of the file's name, the rule and
/// the code of its first line, without literals and spaces, and a number where there are several.
pub(crate) fn fingerprints<'t>(
    findings: &mut [Finding],
    line_of: impl Fn(&Finding) -> Option<&'t str>,
) {
    let mut seen: HashMap<u64, u32> = HashMap::default();
    for finding in findings {
        let line = line_of(finding).unwrap_or_default();
        let path = finding.path.to_string_lossy().replace('\\', "/");
        let path = path.strip_prefix("./").unwrap_or(&path);
        let hash = fnv(&[path, finding.rule.code, &without_literals(line)]);
        let count = seen.entry(hash).or_default();
        finding.fingerprint = format!("{hash:016x}{count:02x}");
        *count += 1;
    }
}

/// The code of a line, without spaces, comments and what stands between quotes.
pub(crate) fn without_literals(line: &str) -> String {
    let mut code = String::new();
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match quote {
            Some(_) if letter == '\\' => {
                letters.next();
            }
            Some(open) if letter == open => quote = None,
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == '#' => break,
            None if !letter.is_whitespace() => code.push(letter),
            _ => {}
        }
    }
    code
}

/// FNV-1a, 64 bits: the same on every machine and in every version.
fn fnv(parts: &[&str]) -> u64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain([0]));
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

impl Texts {
    fn line(&self, path: &Path, number: u32) -> Option<&str> {
        let (_, text, lines) = self.by_file.values().find(|(one, ..)| one == path)?;
        lines.line(text, number)
    }

    fn matched(&self, rule: &'static Rule, file: u32, found: &Match) -> Option<Finding> {
        let (path, text, lines) = self.by_file.get(&file)?;
        let region = lines.region(text, found.span);
        Some(of_rule(rule, path, found.span, region, found.confidence))
    }

    fn finding(
        &self,
        rule: &'static Rule,
        found: &Found,
        confidence: Confidence,
    ) -> Option<Finding> {
        let (path, text, lines) = self.by_file.get(&found.file)?;
        let mut way = Vec::new();
        let mut step = found.way.as_deref();
        while let Some(here) = step {
            if let Some((path, text, lines)) = self.by_file.get(&here.file) {
                way.push(Stop {
                    path: path.clone(),
                    region: lines.region(text, here.span),
                    cell: None,
                    bytes: here.span.start as usize..here.span.end as usize,
                    what: here.what.words().into(),
                });
            }
            step = here.before.as_deref();
        }
        way.reverse();
        let kind = found.label.kind();
        Some(Finding {
            rule,
            path: path.clone(),
            region: lines.region(text, found.call),
            cell: None,
            bytes: found.call.start as usize..found.call.end as usize,
            argument: found.argument.start as usize..found.argument.end as usize,
            message: message(found),
            kind: Some(kind),
            confidence,
            severity: rule.severity,
            way,
            fingerprint: String::new(),
            fix: None,
        })
    }
}

/// Of two labels of one value that which says more about it.
pub(crate) const fn rank(label: Label) -> u8 {
    match label {
        Label::Untrusted => 0,
        Label::Settings => 1,
        Label::Url => 2,
        Label::Body => 3,
        Label::Headers => 4,
        Label::Tensor => 5,
        Label::Completion => 6,
        Label::TokenIds => 7,
        Label::Prompt => 8,
        Label::Personal => 9,
        Label::Financial => 10,
        Label::Credential => 11,
    }
}

/// What a rule found that is about no value.
pub(crate) fn of_rule(
    rule: &'static Rule,
    path: &Path,
    span: Span,
    region: Region,
    confidence: Confidence,
) -> Finding {
    let summary = rule.summary();
    Finding {
        rule,
        path: path.to_owned(),
        region,
        cell: None,
        bytes: span.start as usize..span.end as usize,
        argument: span.start as usize..span.end as usize,
        message: lower_first(summary.trim_end_matches('.')),
        kind: None,
        confidence: confidence.min(rule.confidence),
        severity: rule.severity,
        way: Vec::new(),
        fingerprint: String::new(),
        fix: None,
    }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    if text.chars().nth(1).is_some_and(char::is_uppercase) {
        return text.to_owned();
    }
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn message(found: &Found) -> String {
    let what = found.label.words();
    let part = if found.whole && found.label != Label::Settings {
        ", as a part of an object,"
    } else {
        ""
    };
    let place = match found.channel {
        Channel::Log => "written to a log",
        Channel::Console => "printed",
        Channel::Tracker => "sent to an experiment tracker",
        Channel::Trace => "sent with a trace or an error report",
        Channel::Exception => "part of the message of an exception",
    };
    let is = if matches!(found.label, Label::Headers | Label::TokenIds | Label::Tensor) {
        "are"
    } else {
        "is"
    };
    let through = if passes_exception(found) && found.channel != Channel::Exception {
        ", in the message of an exception,"
    } else {
        ""
    };
    format!("{what}{part}{through} {is} {place}")
}
