//! Names the code that this build is made of, so that what another one found is not taken for what
//! this one would find.

#![allow(clippy::print_stdout, reason = "Cargo reads a build script's standard output")]

use std::collections::hash_map::DefaultHasher;
use std::hash::Hash as _;
use std::hash::Hasher as _;
use std::path::Path;
use std::{env, fs};

/// All that a finding may depend on.
const PARTS: &[&str] = &[
    "src",
    "Cargo.toml",
    "../../Cargo.lock",
    "../../models",
    "../../rules",
    "../tacenda-detect/src",
    "../tacenda-policy/src",
];

fn main() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut hasher = DefaultHasher::new();
    for part in PARTS {
        let path = here.join(part);
        println!("cargo::rerun-if-changed={}", path.display());
        add(&path, &mut hasher);
    }
    println!("cargo::rustc-env=TACENDA_SCAN_BUILD={:016x}", hasher.finish());
}

fn add(path: &Path, hasher: &mut DefaultHasher) {
    path.file_name().hash(hasher);
    if let Ok(entries) = fs::read_dir(path) {
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            add(&path, hasher);
        }
    } else {
        fs::read(path).unwrap_or_default().hash(hasher);
    }
}
