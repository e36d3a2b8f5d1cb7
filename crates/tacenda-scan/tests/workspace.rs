//! What a client is told about the files that it edits.

use std::path::{Path, PathBuf};

use tacenda_scan::workspace::{Change, Client, serve};
use tacenda_scan::{Models, Report, Setup};

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
