//! Each property on some thousand inputs; `cargo xtask fuzz` looks for longer.

use tacenda_fuzz::{Mutations, TARGETS};

fn holds(name: &str) {
    const INPUTS: usize = 3000;
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    let seeds = (target.seeds)();
    for input in seeds.iter().cloned().chain(Mutations::new(&seeds, 7).take(INPUTS)) {
        let held = std::panic::catch_unwind(|| (target.run)(&input));
        assert!(held.is_ok(), "{name} does not hold for {}", input.escape_ascii());
    }
}

#[test]
fn scan() {
    holds("scan");
}

#[test]
fn decode() {
    holds("decode");
}

#[test]
fn redact() {
    holds("redact");
}

#[test]
fn filter() {
    holds("filter");
}

#[test]
fn policy() {
    holds("policy");
}

#[test]
fn rules() {
    holds("rules");
}

#[test]
fn protected() {
    holds("protected");
}

#[test]
fn journal() {
    holds("journal");
}

/// Inputs that once broke a property.
const BROKE: [(&str, &[u8]); 3] = [
    ("redact", include_bytes!("broke/label_in_an_address")),
    ("decode", include_bytes!("broke/token_longer_than_its_pattern")),
    ("code", include_bytes!("broke/line_ended_by_a_carriage_return")),
];

#[test]
fn what_broke_it_once() {
    for (name, input) in BROKE {
        let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
        (target.run)(input);
    }
}
