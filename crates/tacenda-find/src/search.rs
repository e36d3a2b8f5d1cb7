//! The search: workers read pieces, their findings come out in the order of the files.

use std::collections::VecDeque;
use std::io;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};

use tacenda_detect::Detector;
use tacenda_policy::Severity;

use crate::logs::{Log, LogFile};
use crate::piece::{self, Done, Looked, Piece};
use crate::problem::{Problem, Reason};
use crate::report::Report;
use crate::text::Batch;
use crate::{Finding, Packing, Searcher};

/// Batches that a worker may be ahead of who takes them.
const AHEAD: usize = 2;

/// What to search, and how.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// Who searches.
    pub searcher: &'a Searcher<'a>,
    /// What is searched.
    pub logs: &'a [Log],
    /// Whether files that are no text are searched where they were found in a directory.
    pub binary: bool,
    /// How many workers; as many as there are processors if none.
    pub threads: Option<NonZeroUsize>,
}

/// A finding and where it was found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The file.
    pub file: &'a LogFile,
    /// The finding.
    pub finding: &'a Finding,
    /// Its detector.
    pub detector: &'a Detector,
    /// How bad it is.
    pub severity: Severity,
}

/// What a worker says.
enum Said {
    Batch(Batch),
    Done(Done),
}

/// A piece to search, and whom to tell.
type Task = (Piece, SyncSender<Said>);

/// Searches the logs, hands each finding to `each` in the order of files and lines, and tells
/// `progress` from time to time how many bytes were read.
///
/// # Errors
/// Those of `each`, which end the search. A file that cannot be read is a problem in the report.
pub fn search(
    search: Search<'_>,
    each: &mut dyn FnMut(Found<'_>) -> io::Result<()>,
    progress: &mut dyn FnMut(u64),
) -> io::Result<Report> {
    let threads = search.threads.or_else(|| std::thread::available_parallelism().ok());
    let threads = threads.map_or(1, NonZeroUsize::get);
    let read = AtomicU64::new(0);
    let (give, take) = channel::<Task>();
    let take = Mutex::new(take);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(search, &take, &read));
        }
        // Dropped at the end, which ends the workers.
        let mut given = Given { give, waiting: VecDeque::new() };
        let mut pieces = (0..search.logs.len()).flat_map(|log| {
            let files = search.logs[log].files.iter().enumerate();
            files.flat_map(move |(at, file)| piece::pieces((log, at), file))
        });
        pieces.by_ref().take(2 * threads).for_each(|piece| given.add(piece));
        let mut report = Report::new(search.logs);
        let mut lines = 0;
        while let Some((piece, said)) = given.waiting.pop_front() {
            if piece.range.is_none_or(|(start, _)| start == 0) {
                lines = 0;
            }
            lines += take_piece(search, piece, &said, lines, &mut report, each, &mut || {
                progress(read.load(Ordering::Relaxed));
            })?;
            if let Some(next) = pieces.next() {
                given.add(next);
            }
        }
        Ok(report)
    })
}

struct Given {
    give: std::sync::mpsc::Sender<Task>,
    waiting: VecDeque<(Piece, Receiver<Said>)>,
}

impl Given {
    fn add(&mut self, piece: Piece) {
        let (say, hear) = sync_channel(AHEAD);
        // Without workers nobody takes it, and its receiver hears of it.
        let _ = self.give.send((piece, say));
        self.waiting.push_back((piece, hear));
    }
}

fn work(search: Search<'_>, tasks: &Mutex<Receiver<Task>>, read: &AtomicU64) {
    loop {
        let task = tasks.lock().map(|tasks| tasks.recv());
        let Ok(Ok((piece, say))) = task else { return };
        let (log, at) = piece.file;
        let file = &search.logs[log].files[at];
        let mut emit = |batch: Batch| match say.send(Said::Batch(batch)) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        };
        let searched = AssertUnwindSafe(|| {
            piece::search(search.searcher, piece, file, search.binary, read, &mut emit)
        });
        let done = catch_unwind(searched)
            .unwrap_or(Done { packing: Packing::Plain, outcome: Err(Reason::Internal) });
        // Nobody listens any more when the search was ended.
        let _ = say.send(Said::Done(done));
    }
}

/// Hands on what a worker says of a piece that begins behind so many lines; its own lines.
fn take_piece(
    search: Search<'_>,
    piece: Piece,
    said: &Receiver<Said>,
    before: u64,
    report: &mut Report,
    each: &mut dyn FnMut(Found<'_>) -> io::Result<()>,
    progress: &mut dyn FnMut(),
) -> io::Result<u64> {
    let (log, at) = piece.file;
    let file = &search.logs[log].files[at];
    let mut lines = 0;
    for said in said {
        match said {
            Said::Batch(batch) => {
                for mut finding in batch.findings {
                    finding.line += before;
                    finding.end_line += before;
                    let detector = search.searcher.detector(finding.detector);
                    let severity = search.searcher.severity(finding.detector);
                    each(Found { file, finding: &finding, detector, severity })?;
                    report.add(piece.file, detector, &finding);
                }
                lines += batch.lines;
                report.count(piece.file, batch.lines, batch.bytes);
                progress();
            }
            Said::Done(Done { packing, outcome }) => {
                report.packed(piece.file, packing);
                match outcome {
                    Ok(Looked::Through) => report.looked_at(piece.file),
                    Ok(Looked::Binary) => report.binary.push(file.path.clone()),
                    Err(reason) => report.problems.push(Problem::new(&file.path, reason)),
                }
                return Ok(lines);
            }
        }
    }
    report.problems.push(Problem::new(&file.path, Reason::Internal));
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Filter, Selection};
    use std::fmt::Write as _;
    use tacenda_detect::Engine;
    use tacenda_policy::Policy;
    use tacenda_redact::{Keys, Redactor};

    fn run(selection: &Selection, threads: usize) -> (Vec<(String, u64, u64)>, Report) {
        let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
        let searcher = Searcher::new(&redactor, &Filter::default());
        let selected = selection.select().unwrap();
        let mut found = Vec::new();
        let mut each = |one: Found<'_>| {
            let name = one.file.path.file_name().unwrap().to_string_lossy().into_owned();
            found.push((name, one.finding.line, one.finding.start));
            Ok(())
        };
        let job = Search {
            searcher: &searcher,
            logs: &selected.logs,
            binary: selection.binary,
            threads: NonZeroUsize::new(threads),
        };
        let report = search(job, &mut each, &mut |_| ()).unwrap();
        (found, report)
    }

    fn of(directory: &std::path::Path) -> Selection {
        Selection { paths: vec![directory.to_owned()], ..Selection::default() }
    }

    #[test]
    fn findings_come_in_the_order_of_files_and_lines_however_many_workers() {
        let directory = tempfile::tempdir().unwrap();
        let mut expected = Vec::new();
        for name in ["a.log", "b.log"] {
            let mut text = String::new();
            // Several pieces each.
            for line in 1..=6000_u64 {
                if line % 7 == 0 {
                    let _ = writeln!(text, "mail to user{line}@example.org refused");
                    expected.push((name.to_owned(), line, 8));
                } else {
                    let _ = writeln!(
                        text,
                        "2026-11-21 10:00:00 INFO nothing is to be seen in this line"
                    );
                }
            }
            assert!(text.len() as u64 > 4 * piece::SPLIT);
            std::fs::write(directory.path().join(name), text).unwrap();
        }
        for threads in [1, 2, 5] {
            let (found, report) = run(&of(directory.path()), threads);
            assert_eq!(found, expected);
            assert_eq!((report.lines(), report.findings()), (12_000, 2 * 857));
            let values = report.detectors.values().next().unwrap().values.count();
            assert_eq!(values, 857);
        }
    }

    #[test]
    fn who_stops_listening_ends_the_search() {
        let directory = tempfile::tempdir().unwrap();
        let text = "mail to user@example.org refused\n".repeat(100_000);
        std::fs::write(directory.path().join("a.log"), text).unwrap();
        let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
        let searcher = Searcher::new(&redactor, &Filter::default());
        let logs = of(directory.path()).select().unwrap().logs;
        let job = Search { searcher: &searcher, logs: &logs, binary: false, threads: None };
        let mut each = |_: Found<'_>| Err(io::ErrorKind::BrokenPipe.into());
        let error = search(job, &mut each, &mut |_| ()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn files_that_are_no_text_are_left_out_unless_they_are_named() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("core");
        std::fs::write(&file, b"\x7fELF\0\0\0 from ines.moreau@example.org\n").unwrap();
        let (found, report) = run(&of(directory.path()), 1);
        assert_eq!((found.len(), report.binary.len()), (0, 1));
        assert_eq!(report.searched().count(), 0);
        let (found, _) = run(&of(&file), 1);
        assert_eq!(found.len(), 1);
        let (found, _) = run(&Selection { binary: true, ..of(directory.path()) }, 1);
        assert_eq!(found.len(), 1);
    }

    #[test]
    fn a_name_that_promises_what_the_content_is_not_is_a_problem() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a.log.gz"), b"\0\x01\0\x02 nothing").unwrap();
        std::fs::write(directory.path().join("b.log.gz"), "from ines.moreau@example.org\n")
            .unwrap();
        let (found, report) = run(&of(directory.path()), 1);
        assert_eq!(found.len(), 1, "text is read whatever its name");
        assert_eq!(report.problems.len(), 1);
        assert!(matches!(report.problems[0].reason, Reason::NotPacked(Packing::Gzip)));
    }
}
