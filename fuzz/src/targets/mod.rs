//! The properties.

pub mod code;
pub mod decode;
pub mod filter;
pub mod journal;
pub mod policy;
pub mod protected;
pub mod redact;
pub mod rules;
pub mod scan;
pub mod share;

use std::sync::OnceLock;

use tacenda_detect::{Engine, Span};
use tacenda_policy::Policy;
use tacenda_redact::{Keys, Redactor};

fn spans(text: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    Engine::builtin().scan(text, &mut spans);
    spans
}

/// One key, so that what failed once fails again.
const KEY: &str = "1:0:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff:";

fn redactor() -> &'static Redactor {
    static REDACTOR: OnceLock<Redactor> = OnceLock::new();
    REDACTOR.get_or_init(|| {
        let keys = Keys::from_handover(KEY).expect("a key");
        Redactor::new(Engine::builtin(), Policy::default(), keys)
    })
}

/// The first byte of an input as a number, and the rest.
fn first(input: &[u8]) -> (usize, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (usize::from(*first), rest))
}
