//! Properties that hold for every input: one file a target in [`targets`].
//!
//! A fuzzer looks for an input that breaks one: libFuzzer, led by coverage, in `cargo xtask fuzz`,
//! and briefly a plain loop of mutations ([`Mutations`]) in every run of the tests.

mod mutate;
pub mod seeds;
pub mod targets;

pub use mutate::Mutations;

/// One property.
pub struct Target {
    /// Its name, also that of its libFuzzer program.
    pub name: &'static str,
    /// Panics when the property does not hold for this input.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// Every property.
pub const TARGETS: [Target; 10] = [
    Target { name: "scan", run: targets::scan::run, seeds: seeds::texts },
    Target { name: "code", run: targets::code::run, seeds: seeds::code },
    Target { name: "decode", run: targets::decode::run, seeds: seeds::texts },
    Target { name: "redact", run: targets::redact::run, seeds: seeds::texts },
    Target { name: "filter", run: targets::filter::run, seeds: seeds::texts },
    Target { name: "policy", run: targets::policy::run, seeds: seeds::policies },
    Target { name: "rules", run: targets::rules::run, seeds: seeds::rule_files },
    Target { name: "protected", run: targets::protected::run, seeds: seeds::texts },
    Target { name: "share", run: targets::share::run, seeds: seeds::frames },
    Target { name: "journal", run: targets::journal::run, seeds: seeds::journal_files },
];
