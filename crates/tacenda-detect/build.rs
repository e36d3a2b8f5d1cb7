//! Reads `rules/*.toml`, refuses rules that break the contract of a detector, and writes them as
//! static tables, so that nothing is parsed at start-up.

#![allow(
    clippy::print_stdout,
    clippy::exit,
    reason = "Cargo reads a build script's standard output, and its exit status"
)]
#![allow(unreachable_pub, reason = "the library has these modules too, and shows them")]

#[path = "src/people/classes.rs"]
mod classes;
#[path = "build/emit.rs"]
mod emit;
#[path = "src/people/fold.rs"]
mod fold;
#[path = "build/lexicon.rs"]
mod lexicon;
#[path = "src/names.rs"]
mod names;
#[allow(dead_code, reason = "each side of the build needs its part only")]
#[path = "src/rule_file/mod.rs"]
mod rule_file;

use std::path::{Path, PathBuf};
use std::{env, fs};

use rule_file::{Contract, Fault, RuleFile};

fn main() {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../rules");
    println!("cargo::rerun-if-changed={}", rules.display());
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/names.rs");
    println!("cargo::rerun-if-changed=src/rule_file");
    println!("cargo::rerun-if-changed=src/people");
    println!("cargo::rerun-if-changed=data");

    let mut files: Vec<PathBuf> = fs::read_dir(&rules)
        .unwrap_or_else(|error| fail(&format!("{}: {error}", rules.display())))
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();

    let mut contract = Contract::builtin();
    let mut families = Vec::new();
    let mut problems = String::new();
    for path in &files {
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())));
        let (family, mut faults) = RuleFile::read(&text);
        if let Some(family) = family {
            faults.extend(contract.faults(&family));
            families.push(family);
        }
        problems.extend(faults.iter().map(|fault| line(path, &text, fault)));
    }
    if !problems.is_empty() {
        fail(&problems);
    }

    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts"));
    write(&out.join("rules.rs"), emit::rules(&families));
    write(&out.join("sources.rs"), emit::sources(&files));
    let table = lexicon::table(Path::new("data")).unwrap_or_else(|error| fail(&error));
    write(&out.join("lexicon.bin"), table);
}

/// A fault as one line of the build's messages.
fn line(path: &Path, text: &str, fault: &Fault) -> String {
    let before = &text.as_bytes()[..fault.span.start.min(text.len())];
    let row = before.split(|byte| *byte == b'\n').count();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let written =
        fault.choice.as_ref().map_or_else(String::new, |(written, _)| format!(": `{written}`"));
    format!("rules/{name}:{row}: {}{written}\n", fault.message)
}

fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap_or_else(|error| fail(&format!("{}: {error}", path.display())));
}

fn fail(problems: &str) -> ! {
    for line in problems.lines() {
        println!("cargo::error={line}");
    }
    std::process::exit(1)
}
