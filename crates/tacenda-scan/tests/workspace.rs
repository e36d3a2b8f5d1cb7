//! What a client is told about the files that it edits.

use std::path::{Path, PathBuf};

use tacenda_scan::workspace::{Change, Client, serve};
use tacenda_scan::{Models, Report, Setup, Source};

/// Tells one batch of changes, and notes what comes back.
struct Editor {
    changes: Option<Vec<Change>>,
    told: Vec<(PathBuf, usize)>,
}

impl Client for Editor {
    fn next(&mut self) -> Option<Vec<Change>> {
        self.changes.take()
    }

    fn is_waiting(&mut self) -> bool {
        false
    }

    fn watched(&mut self) -> Vec<PathBuf> {
        Vec::new()
    }

    fn tell(&mut self, path: &Path, report: Report) {
        self.told.push((path.to_owned(), report.findings.len()));
    }
}

#[test]
fn what_is_not_analysed_is_told_to_have_no_findings() {
    let large = format!("x = '{}'\n", "a".repeat(9 * 1024 * 1024));
    for (name, text) in [
        ("app.py", "import logging\0\n"),
        (".env", "PASSWORD=a\n"),
        ("logging.yaml", "version: 1\n"),
        ("bad.ipynb", "{"),
        ("large.py", large.as_str()),
    ] {
        let change = Change { path: PathBuf::from(name), text: Some(text.to_owned()) };
        let mut editor = Editor { changes: Some(vec![change]), told: Vec::new() };
        let setup = Setup { models: Models::builtin(), threads: 1 };
        serve(Vec::new(), setup, &mut editor);
        assert_eq!(editor.told, [(PathBuf::from(name), 0)]);
    }
}

/// Edits a file that many others import, and is in a hurry.
struct Hurried {
    batches: Vec<Vec<Change>>,
    /// So often something is waiting when it is asked.
    waits: usize,
    asked: usize,
    told: Vec<(PathBuf, usize)>,
}

impl Client for Hurried {
    fn next(&mut self) -> Option<Vec<Change>> {
        self.batches.pop()
    }

    fn is_waiting(&mut self) -> bool {
        self.asked += 1;
        let waits = self.asked > 2 && self.waits > 0;
        self.waits -= usize::from(waits);
        waits
    }

    fn watched(&mut self) -> Vec<PathBuf> {
        vec![PathBuf::from("caller0.py"), PathBuf::from("caller299.py")]
    }

    fn tell(&mut self, path: &Path, report: Report) {
        self.told.push((path.to_owned(), report.findings.len()));
    }
}

#[test]
fn what_depends_on_an_edit_waits_for_the_next_one_and_is_told_in_the_end() {
    let caller = |number| {
        let code = "from library import show\nimport getpass\nshow(getpass.getpass())\n";
        Source::text(format!("caller{number}.py"), code.to_owned())
    };
    let mut sources: Vec<Source> = (0..300).map(caller).collect();
    sources.push(Source::text("library.py", "def other(x):\n    return 1\n".to_owned()));
    let edit = |path: &str, text: &str| {
        vec![Change { path: PathBuf::from(path), text: Some(text.to_owned()) }]
    };
    let shows = "import logging\ndef show(x):\n    logging.info('got %s', x)\n";
    let batches = vec![edit("other.py", "x = 1\n"), edit("library.py", shows)];
    let mut editor = Hurried { batches, waits: 1, asked: 0, told: Vec::new() };
    serve(sources, Setup { models: Models::builtin(), threads: 1 }, &mut editor);
    assert!(editor.asked > 5, "asked {} times", editor.asked);
    for path in ["caller0.py", "caller299.py"] {
        let last = editor.told.iter().rev().find(|(told, _)| told == Path::new(path));
        assert_eq!(last.map(|(_, findings)| *findings), Some(1), "{path}");
    }
}
