//! Files that the policy names, the user's own rules and models: which, and their text. What they say
//! is read by who knows detectors and code.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Origin, Policy, PolicyError, discover};

/// A file that the policy names, as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedFile {
    /// The file.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl NamedFile {
    /// The path as people know it: relative to where they are, when the file is below.
    pub fn shown(&self) -> &Path {
        let here = std::env::current_dir().ok();
        here.and_then(|here| self.path.strip_prefix(here).ok()).unwrap_or(&self.path)
    }

    /// Reads one rule file.
    ///
    /// # Errors
    /// When it is no regular file of UTF-8 text, at most 1 MiB.
    pub fn read(path: impl Into<PathBuf>) -> Result<Self, PolicyError> {
        let path = path.into();
        match discover::text(&path, discover::MAX_BYTES) {
            Ok(text) => Ok(Self { path, text }),
            Err(reason) => Err(PolicyError::NamedFile {
                origin: Origin::Default,
                what: RULE_FILE,
                item: 0,
                path,
                reason,
            }),
        }
    }
}

impl Policy {
    /// The texts of the files of `detectors.rules`, each once, in the order of the list and of
    /// their names.
    ///
    /// # Errors
    /// Every file that cannot be read, and every pattern that no file matches: a rule that is asked
    /// for is never left out without a word.
    pub fn rule_files(&self) -> Result<Vec<NamedFile>, Vec<PolicyError>> {
        read(self.rule_paths(), RULE_FILE)
    }

    /// The texts of the files of `scan.models`, in the same way.
    ///
    /// # Errors
    /// As for rule files.
    pub fn model_files(&self) -> Result<Vec<NamedFile>, Vec<PolicyError>> {
        read(self.model_paths(), "model file")
    }
}

const RULE_FILE: &str = "rule file";

fn read(named: &[PathBuf], what: &'static str) -> Result<Vec<NamedFile>, Vec<PolicyError>> {
    let mut files: Vec<NamedFile> = Vec::new();
    let mut faults = Vec::new();
    for (item, named) in named.iter().enumerate() {
        let mut refuse = |path: PathBuf, reason| {
            let origin = Origin::Default;
            faults.push(PolicyError::NamedFile { origin, what, item, path, reason });
        };
        let paths = match expand(named) {
            Ok(paths) => paths,
            Err(reason) => {
                refuse(named.clone(), reason);
                continue;
            }
        };
        for path in paths {
            if files.iter().any(|file| file.path == path) {
                continue;
            }
            match discover::text(&path, discover::MAX_BYTES) {
                Ok(text) => files.push(NamedFile { path, text }),
                Err(reason) => refuse(path, reason),
            }
        }
    }
    if faults.is_empty() { Ok(files) } else { Err(faults) }
}

/// The files that a path with `*` and `?` in its last part stands for, by name.
fn expand(path: &Path) -> Result<Vec<PathBuf>, String> {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    if !name.contains(['*', '?']) || path.exists() {
        return Ok(vec![path.to_owned()]);
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let entries = fs::read_dir(directory).map_err(|_| "its directory cannot be read".to_owned())?;
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|entry| {
            let entry = entry.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            // As a shell does: hidden files are not meant.
            !entry.starts_with('.') && matches(&name, &entry)
        })
        .collect();
    paths.sort();
    if paths.is_empty() { Err("no file matches".to_owned()) } else { Ok(paths) }
}

/// Whether `name` is what `pattern` stands for. `*` is any letters, `?` is one.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last `*` stood, and from where it has been tried.
    let mut star = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(&letter) if letter == '?' || letter == name[n] => {
                p += 1;
                n += 1;
            }
            _ => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                n = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|&letter| letter == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name, wanted) in [
            ("*.toml", "a.toml", true),
            ("*.toml", ".toml", true),
            ("*.toml", "a.toml.bak", false),
            ("a?c*", "abcd", true),
            ("a?c*", "ac", false),
            ("*a*b", "xaxbxb", true),
            ("**", "", true),
            ("", "", true),
            ("?", "ü", true),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }

    #[test]
    fn each_file_once_by_name_and_none_left_out() {
        let root = tempfile::tempdir().unwrap();
        let rules = root.path().join("rules [of ours]");
        fs::create_dir(&rules).unwrap();
        for name in ["b.toml", "a.toml", ".hidden.toml", "note.txt"] {
            fs::write(rules.join(name), name).unwrap();
        }
        let policy = |list: &str| {
            let text = format!("detectors.rules = {list}");
            let file = root.path().join("tacenda.toml");
            fs::write(&file, text).unwrap();
            crate::Loader::isolated().file(file).load().unwrap()
        };
        let names = |list: &str| {
            let files = policy(list).rule_files().unwrap();
            files.into_iter().map(|file| file.text).collect::<Vec<_>>()
        };
        assert_eq!(
            names("['rules [of ours]/b.toml', 'rules [of ours]/*.toml']"),
            ["b.toml", "a.toml"]
        );
        let said = |faults: Vec<PolicyError>| -> Vec<String> {
            let said = faults.iter().map(|fault| {
                let place = fault.place().unwrap();
                let text = fault.to_string().replace(&root.path().display().to_string(), "");
                format!("{}:{} {text}", place.line, place.column)
            });
            said.collect()
        };
        let faults = policy("['rules [of ours]/*.json', 'none.toml']").rule_files().unwrap_err();
        assert_eq!(
            said(faults),
            [
                "1:20 cannot read the rule file /rules [of ours]/*.json: no file matches",
                "1:46 cannot read the rule file /none.toml: no such file or directory",
            ]
        );
        let file = root.path().join("tacenda.toml");
        fs::write(&file, "scan.models = ['rules [of ours]/a.toml', 'none.toml']").unwrap();
        let faults = crate::Loader::isolated().file(file).load().unwrap().model_files();
        assert_eq!(
            said(faults.unwrap_err()),
            ["1:42 cannot read the model file /none.toml: no such file or directory"]
        );
    }
}
