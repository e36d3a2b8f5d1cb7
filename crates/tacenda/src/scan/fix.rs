//! Fixes: made in memory, round by round, then shown or written.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tacenda_scan::{Applicability, Fix, Models, Report, Source, apply};

use super::text::{count, shown};
use crate::failure::{Failure, reason};

/// A fix may uncover another finding, which may have one. Fixes of one line take turns, too.
const ROUNDS: usize = 16;

/// What fixes made of files.
#[derive(Debug)]
pub(super) struct Fixes<'m> {
    models: &'m Models,
    files: BTreeMap<PathBuf, File>,
    applied: usize,
}

/// A file with fixes.
#[derive(Debug)]
struct File {
    before: String,
    after: String,
    /// Both as a report may show them.
    shown: (String, String),
}

impl<'m> Fixes<'m> {
    pub(super) fn new(models: &'m Models) -> Self {
        Self { models, files: BTreeMap::new(), applied: 0 }
    }

    /// Scans, fixes and scans again, until nothing is left that can be fixed. The texts of the sources
    /// become the fixed ones.
    pub(super) fn make(
        &mut self,
        unsafe_too: bool,
        sources: &mut [Source],
        look: &mut impl FnMut(&[Source]) -> Report,
    ) -> Report {
        let least = if unsafe_too { Applicability::Unsafe } else { Applicability::Safe };
        let mut report = look(sources);
        for _ in 0..ROUNDS {
            let mut by_path: BTreeMap<&Path, Vec<&Fix>> = BTreeMap::new();
            for finding in &report.findings {
                let fix = finding.fix.as_ref().filter(|fix| fix.applicability >= least);
                by_path.entry(&finding.path).or_default().extend(fix);
            }
            let mut changed = false;
            for source in &mut *sources {
                let Some(fixes) = by_path.get(source.path.as_path()) else { continue };
                changed |= self.fix(source, fixes);
            }
            if !changed {
                break;
            }
            report = look(sources);
        }
        report
    }

    fn fix(&mut self, source: &mut Source, fixes: &[&Fix]) -> bool {
        let Some(text) = source.contents() else { return false };
        let Some(done) = apply(text, fixes) else { return false };
        let file = self.files.entry(source.path.clone()).or_insert_with(|| {
            let shown = source.masked(self.models).unwrap_or_default();
            File { before: text.to_owned(), after: String::new(), shown: (shown.clone(), shown) }
        });
        file.shown.1 = done.in_text(&file.shown.1).unwrap_or_default();
        file.after.clone_from(&done.text);
        self.applied += done.applied;
        *source = Source::text(source.path.clone(), done.text);
        true
    }

    /// Whether nothing was fixed.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// What changes, as a unified diff.
    pub(super) fn diff(&self) -> String {
        let mut page = String::new();
        for (path, file) in &self.files {
            let name = shown(path, None);
            let diff = similar::TextDiff::from_lines(&file.shown.0, &file.shown.1);
            let (before, after) = (format!("a/{name}"), format!("b/{name}"));
            let diff = diff.unified_diff().context_radius(3).header(&before, &after).to_string();
            page.push_str(&diff);
        }
        page
    }

    /// Writes the files; what it could not write, and why.
    pub(super) fn write(&self) -> Vec<Failure> {
        let written =
            self.files.iter().map(|(path, file)| replace(path, &file.before, &file.after));
        written.filter_map(Result::err).collect()
    }

    /// Says how much there was to fix.
    pub(super) fn tell(&self, what: &str) -> io::Result<()> {
        let findings = count(self.applied, "finding", "findings");
        let files = count(self.files.len(), "file", "files");
        writeln!(anstream::stderr().lock(), "{findings} {what} in {files}")
    }
}

/// Puts another text into a file, at once and with its mode, unless somebody else did meanwhile.
fn replace(path: &Path, before: &str, after: &str) -> Result<(), Failure> {
    let failed = |error: &io::Error| {
        Failure::new(format!("cannot write the fixed file: {}", reason(error))).at(path)
    };
    // Through links: the file that is meant, not its name, is replaced.
    let destination = fs::canonicalize(path).map_err(|error| failed(&error))?;
    let directory = destination.parent().unwrap_or(Path::new("."));
    let mut temporary = tempfile::Builder::new()
        .prefix(".tacenda-")
        .tempfile_in(directory)
        .map_err(|error| failed(&error))?;
    let mut written = || -> io::Result<bool> {
        let file = temporary.as_file_mut();
        file.write_all(after.as_bytes())?;
        file.set_permissions(fs::metadata(&destination)?.permissions())?;
        file.sync_all()?;
        Ok(fs::read(&destination)? == before.as_bytes())
    };
    if !written().map_err(|error| failed(&error))? {
        return Err(Failure::new("the file changed while it was scanned: it stays as it is")
            .at(path)
            .hint("run it again"));
    }
    temporary.persist(&destination).map_err(|error| failed(&error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_its_links() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.py"), folder.path().join("b.py"));
        fs::write(&file, "before").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o754)).unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, "before", "after").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "after");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o754);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_file_that_changed_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.py");
        fs::write(&file, "somebody else's").unwrap();
        assert!(replace(&file, "before", "after").is_err());
        assert_eq!(fs::read_to_string(&file).unwrap(), "somebody else's");
        assert!(replace(&folder.path().join("gone.py"), "before", "after").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
