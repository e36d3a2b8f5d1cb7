//! The contestants: each takes a text and says how much it found or wrote.

use std::hint::black_box;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use regex::bytes::{RegexSet, RegexSetBuilder};
use rustix::time::{ClockId, clock_gettime};
use serde_json::Value;
use tacenda_detect::Engine;
use tacenda_guard::{JsonLinesFilter, StreamFilter};
use tacenda_policy::Policy;
use tacenda_redact::{Keys, Redactor, Report};

use crate::rules::Rule;

/// Bytes that `tacenda redact` reads at a time.
const CHUNK: usize = 256 * 1024;

/// A way to go through a text.
pub(crate) trait Contestant {
    /// Goes through `text`; the number keeps the compiler from leaving the work out.
    fn go(&mut self, text: &[u8]) -> usize;
}

impl<F: FnMut(&[u8]) -> usize> Contestant for F {
    fn go(&mut self, text: &[u8]) -> usize {
        self(text)
    }
}

pub(crate) fn redactor() -> Redactor {
    Redactor::new(Engine::builtin(), Policy::default(), Keys::random())
}

/// Copies the text.
pub(crate) fn memcpy() -> impl Contestant {
    let mut out = Vec::new();
    move |text: &[u8]| {
        out.clear();
        out.extend_from_slice(text);
        black_box(&out).len()
    }
}

/// Looks for a byte that is nowhere.
pub(crate) fn memchr() -> impl Contestant {
    |text: &[u8]| usize::from(memchr::memchr(0, text).is_some())
}

/// The engine over the whole text.
pub(crate) fn scan() -> impl Contestant {
    let mut spans = Vec::new();
    move |text: &[u8]| {
        spans.clear();
        Engine::builtin().scan(text, &mut spans);
        spans.len()
    }
}

/// The redactor line by line, as a logging handler calls it.
pub(crate) fn lines(redactor: &Redactor) -> impl Contestant {
    move |text: &[u8]| {
        let mut report = Report::default();
        let mut length = 0;
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', text) {
            length += black_box(redactor.redact(&text[from..=end], &mut report)).len();
            from = end + 1;
        }
        length
    }
}

/// What `tacenda redact` does: chunks in, redacted text out.
pub(crate) fn filter(redactor: &Redactor) -> impl Contestant {
    stream(move || StreamFilter::new(redactor), StreamFilter::push, StreamFilter::finish)
}

/// What `tacenda redact --format jsonl` does: each value of a line by itself.
pub(crate) fn json_lines(redactor: &Redactor) -> impl Contestant {
    stream(move || JsonLinesFilter::new(redactor), JsonLinesFilter::push, JsonLinesFilter::finish)
}

fn stream<F>(
    begin: impl Fn() -> F,
    push: impl Fn(&mut F, &[u8], &mut Vec<u8>),
    finish: impl Fn(&mut F, &mut Vec<u8>),
) -> impl Contestant {
    let mut out = Vec::new();
    move |text: &[u8]| {
        let mut filter = begin();
        let mut length = 0;
        for chunk in text.chunks(CHUNK) {
            out.clear();
            push(&mut filter, chunk, &mut out);
            length += black_box(&out).len();
        }
        out.clear();
        finish(&mut filter, &mut out);
        length + out.len()
    }
}

/// The patterns of the rules in one `RegexSet`. Rules with a matcher of their own have none: it gets
/// less to do.
pub(crate) fn regex_set(rules: &[Rule]) -> (usize, RegexSet) {
    let patterns: Vec<&str> = rules.iter().filter_map(|rule| rule.pattern.as_deref()).collect();
    let set = RegexSetBuilder::new(&patterns)
        .unicode(false)
        .size_limit(1 << 30)
        .dfa_size_limit(64 << 20)
        .build()
        .expect("patterns that the build has checked compile");
    (patterns.len(), set)
}

/// Asks of each line which patterns match.
pub(crate) fn set_matches(set: &RegexSet) -> impl Contestant {
    move |text: &[u8]| {
        text.split(|byte| *byte == b'\n').map(|line| set.matches(line).into_iter().count()).sum()
    }
}

/// Asks of each line only whether a pattern matches. Some patterns rely on the key before the value:
/// the answer is yes for three of four clean lines, and two thirds of the text are not read for it.
pub(crate) fn set_is_match(set: &RegexSet) -> impl Contestant {
    move |text: &[u8]| text.split(|byte| *byte == b'\n').filter(|line| set.is_match(line)).count()
}

/// Bytes a second, the best of `rounds` in which all take turns; `limit` bytes of the text each.
pub(crate) fn race(
    text: &[u8],
    rounds: usize,
    contestants: &mut [(&str, usize, Box<dyn Contestant + '_>)],
) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; contestants.len()];
    for _ in 0..rounds {
        for (best, (_, limit, contestant)) in best.iter_mut().zip(contestants.iter_mut()) {
            let text = &text[..text.len().min(*limit)];
            let began = busy();
            black_box(contestant.go(black_box(text)));
            *best = best.min(busy().saturating_sub(began).as_secs_f64() / float(text.len()));
        }
    }
    best.into_iter().map(f64::recip).collect()
}

/// The time that this thread has been at work: what else the machine does is not counted.
fn busy() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("no thread has been at work for less than nothing")
}

/// What `peers.py` measures: bytes a second of each tool and log, and the tool's memory.
pub(crate) fn python(python: &Path, logs: &[PathBuf]) -> io::Result<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers.py");
    let output = Command::new(python).arg(script).args(logs).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    serde_json::from_slice(&output.stdout).map_err(io::Error::other)
}

#[expect(clippy::cast_precision_loss, reason = "sizes of logs are far below 2^52")]
pub(crate) fn float(number: usize) -> f64 {
    number as f64
}
