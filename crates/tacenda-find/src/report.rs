//! What was found, in numbers, places and times.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tacenda_detect::{Detector, DetectorId};
use tacenda_policy::Kind;

use crate::{Distinct, Finding, Log, Packing, Problem, Searcher};

/// Fields that are named of a group, at most.
const FIELDS: usize = 6;

/// What was found. Never a value.
#[derive(Debug, Default)]
pub struct Report {
    /// What was found in each log, by name.
    pub logs: Vec<LogReport>,
    /// The same by detector, over all logs.
    pub detectors: BTreeMap<DetectorId, Group>,
    /// Different personal values: about as many people.
    pub people: Distinct,
    /// Files that are no text and were not searched.
    pub binary: Vec<PathBuf>,
    /// Files that could not be read, or not to their end.
    pub problems: Vec<Problem>,
}

/// What was found in one log.
#[derive(Debug)]
pub struct LogReport {
    /// Its name.
    pub name: PathBuf,
    /// Its files, oldest first.
    pub files: Vec<FileReport>,
    /// What each detector found.
    pub groups: BTreeMap<DetectorId, Group>,
}

/// What was read of one file.
#[derive(Debug)]
pub struct FileReport {
    /// Its path.
    pub path: PathBuf,
    /// How it is packed.
    pub packing: Packing,
    /// Bytes that were searched, unpacked.
    pub bytes: u64,
    /// Lines that were searched.
    pub lines: u64,
    /// Findings in it.
    pub findings: u64,
    /// Whether it was searched to its end.
    pub complete: bool,
}

/// Findings of one detector.
#[derive(Clone, Debug, Default)]
pub struct Group {
    /// How many.
    pub findings: u64,
    /// How many different values.
    pub values: Distinct,
    /// The first of them: the file and the line.
    pub first: Option<(PathBuf, u64)>,
    /// The times of the earliest and the latest record, where records name one.
    pub seen: Option<(Timestamp, Timestamp)>,
    /// Fields of structured records that it was found in, some of them.
    pub fields: BTreeSet<String>,
}

impl Report {
    pub(crate) fn new(logs: &[Log]) -> Self {
        let file = |path: &PathBuf| FileReport {
            path: path.clone(),
            packing: Packing::Plain,
            bytes: 0,
            lines: 0,
            findings: 0,
            complete: false,
        };
        let logs = logs.iter().map(|log| LogReport {
            name: log.name.clone(),
            files: log.files.iter().map(|one| file(&one.path)).collect(),
            groups: BTreeMap::new(),
        });
        Self { logs: logs.collect(), ..Self::default() }
    }

    pub(crate) fn add(
        &mut self,
        (log, at): (usize, usize),
        detector: &Detector,
        finding: &Finding,
    ) {
        let log = &mut self.logs[log];
        log.files[at].findings += 1;
        let path = &log.files[at].path;
        log.groups.entry(finding.detector).or_default().add(path, finding);
        self.detectors.entry(finding.detector).or_default().add(path, finding);
        if detector.kind == Kind::Personal {
            self.people.add(finding.pseudonym);
        }
    }

    pub(crate) fn count(&mut self, (log, at): (usize, usize), lines: u64, bytes: u64) {
        let file = &mut self.logs[log].files[at];
        file.lines += lines;
        file.bytes += bytes;
    }

    pub(crate) fn packed(&mut self, (log, at): (usize, usize), packing: Packing) {
        self.logs[log].files[at].packing = packing;
    }

    pub(crate) fn looked_at(&mut self, (log, at): (usize, usize)) {
        self.logs[log].files[at].complete = true;
    }

    /// All findings.
    pub fn findings(&self) -> u64 {
        self.detectors.values().map(|group| group.findings).sum()
    }

    /// Bytes that were searched, unpacked.
    pub fn bytes(&self) -> u64 {
        self.files().map(|file| file.bytes).sum()
    }

    /// Lines that were searched.
    pub fn lines(&self) -> u64 {
        self.files().map(|file| file.lines).sum()
    }

    /// Every file that was searched, to its end or not.
    pub fn searched(&self) -> impl Iterator<Item = &FileReport> {
        self.files().filter(|file| file.complete || file.bytes > 0)
    }

    fn files(&self) -> impl Iterator<Item = &FileReport> {
        self.logs.iter().flat_map(|log| &log.files)
    }

    /// The findings by detector, worst first.
    pub fn ranked(&self, searcher: &Searcher<'_>) -> Vec<(DetectorId, &Group)> {
        ranked(&self.detectors, searcher)
    }

    /// The logs with findings, worst first.
    pub fn worst_logs(&self, searcher: &Searcher<'_>) -> Vec<&LogReport> {
        let mut logs: Vec<&LogReport> =
            self.logs.iter().filter(|log| !log.groups.is_empty()).collect();
        let worst = |log: &LogReport| log.groups.keys().map(|id| searcher.severity(*id)).max();
        logs.sort_by(|a, b| {
            let by_severity = worst(b).cmp(&worst(a));
            by_severity
                .then_with(|| b.findings().cmp(&a.findings()))
                .then_with(|| a.name.cmp(&b.name))
        });
        logs
    }

    /// The kinds that were found, worst first.
    pub fn kinds(&self, searcher: &Searcher<'_>) -> Vec<Kind> {
        let mut kinds = Vec::new();
        for (id, _) in self.ranked(searcher) {
            let kind = searcher.detector(id).kind;
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        kinds
    }
}

impl LogReport {
    /// All findings in it.
    pub fn findings(&self) -> u64 {
        self.groups.values().map(|group| group.findings).sum()
    }

    /// The times of the earliest and the latest record with a finding.
    pub fn seen(&self) -> Option<(Timestamp, Timestamp)> {
        let seen = self.groups.values().filter_map(|group| group.seen);
        seen.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
    }

    /// Its findings by detector, worst first.
    pub fn ranked(&self, searcher: &Searcher<'_>) -> Vec<(DetectorId, &Group)> {
        ranked(&self.groups, searcher)
    }
}

impl Group {
    fn add(&mut self, path: &Path, finding: &Finding) {
        self.findings += 1;
        self.values.add(finding.pseudonym);
        self.first.get_or_insert_with(|| (path.to_owned(), finding.line));
        if let Some(time) = finding.time {
            let (earliest, latest) = self.seen.unwrap_or((time, time));
            self.seen = Some((earliest.min(time), latest.max(time)));
        }
        if let Some(field) = &finding.field
            && self.fields.len() < FIELDS
            && !self.fields.contains(field)
        {
            self.fields.insert(field.clone());
        }
    }
}

fn ranked<'r>(
    groups: &'r BTreeMap<DetectorId, Group>,
    searcher: &Searcher<'_>,
) -> Vec<(DetectorId, &'r Group)> {
    let mut groups: Vec<_> = groups.iter().map(|(id, group)| (*id, group)).collect();
    groups.sort_by(|a, b| {
        let by_severity = searcher.severity(b.0).cmp(&searcher.severity(a.0));
        by_severity
            .then_with(|| b.1.findings.cmp(&a.1.findings))
            .then_with(|| searcher.detector(a.0).id.cmp(searcher.detector(b.0).id))
    });
    groups
}

/// What to do about findings of this kind, for people.
pub const fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::Credential => "Revoke it and issue another: whoever could read the log could use it.",
        Kind::Financial => {
            "Remove it and tell who answers for payments: PCI DSS forbids it in logs."
        }
        Kind::Health => "Remove it and tell who answers for data protection.",
        Kind::Personal | Kind::Location => "Remove it; find out who could read the log.",
        Kind::Prompt | Kind::Completion | Kind::TrainingSample | Kind::TokenIds => {
            "Remove it; log its length in place of its text."
        }
        Kind::Tensor | Kind::ModelParameter | Kind::Media => {
            "Remove it; log its shape or size in place of its content."
        }
        Kind::Network | Kind::Device => "Keep it only where, and as long as, it is needed.",
    }
}
