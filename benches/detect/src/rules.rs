//! What `rules/*.toml` says, for peers that get the same patterns and for texts made of keywords.

use std::path::Path;
use std::{fs, io};

use serde::Deserialize;

/// The parts of a rule that are needed here.
#[derive(Debug, Deserialize)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) pattern: Option<String>,
    #[serde(default)]
    pub(crate) keywords: Vec<String>,
    #[serde(default)]
    pub(crate) keys: Vec<String>,
}

#[derive(Deserialize)]
struct RuleFile {
    detector: Vec<Rule>,
}

/// Every rule, in the order of the engine's detectors.
pub(crate) fn all() -> io::Result<Vec<Rule>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    let mut files: Vec<_> =
        fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut rules = Vec::new();
    for path in files {
        let file: RuleFile =
            toml::from_str(&fs::read_to_string(path)?).map_err(io::Error::other)?;
        rules.extend(file.detector);
    }
    Ok(rules)
}
