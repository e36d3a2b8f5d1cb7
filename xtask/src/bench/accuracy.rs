//! Recall and precision on labelled lines: the project's own and, where there is one, a corpus
//! beside the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use super::environment;
use crate::Context;
use crate::failure::Result;
use crate::process::Process;

/// Lines written by hand, packed so that nobody takes what they hold for secrets. Rules may have been
/// mended for what was missed in those called `tuned`; those called `held-out` are only measured.
const LINES: &str = "benches/accuracy/lines";

/// Where a corpus may lie.
const CORPUS: &str = "../shared/corpus/redact";

pub(super) fn run(context: &Context) -> Result<()> {
    let requirements = context.path("benches/accuracy/requirements.txt");
    let python = environment(context, "accuracy", &requirements)?;
    let own = context.path("target/bench/accuracy/samples");
    let step = context.progress.step("make the labelled lines");
    Process::new(python)
        .args([context.path("benches/accuracy/samples.py"), own.clone()])
        .under(&step)?;
    step.done("");
    let mut files = labelled(&own)?;
    files.extend(labelled(&context.path(LINES))?);
    let corpus = context.path(CORPUS);
    if corpus.is_dir() {
        files.extend(labelled(&corpus)?);
    }
    let measure = ["run", "--release", "-q", "-p", "tacenda-detect", "--example", "corpus", "--"];
    Process::cargo().args(measure).args(files).dir(&context.root).attached()?;
    Ok(())
}

/// The files of samples in a directory, by name.
fn labelled(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".jsonl") || name.ends_with(".jsonl.gz") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
