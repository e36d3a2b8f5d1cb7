//! Recall, precision and F1 on labelled samples.
//!
//! Each line of the files given (plain or .gz) is a JSON object: `text`, and `spans` of `start`,
//! `end` (in characters) and `type`. `cargo run --release -p tacenda-detect --example corpus --
//! FILE…` prints a table by kind for each file. Before the files, `--types` adds a line for each
//! type, `--detectors` one for each detector, `--misses` and `--alarms` list what went wrong.

// Prints are its purpose.
#![allow(clippy::print_stdout)]

mod labels;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde_json::Value;
use tacenda_detect::{Engine, Span};
use tacenda_policy::Kind;

/// What a packed file begins with (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// The lists that are asked for besides the table.
#[derive(Default)]
struct Lists(Vec<String>);

impl Lists {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|list| list == name)
    }
}

fn main() {
    let mut lists = Lists::default();
    for argument in std::env::args().skip(1) {
        match argument.strip_prefix("--") {
            Some(list) => lists.0.push(list.to_owned()),
            None => measure(&argument, &lists),
        }
    }
}

/// A text and what is to be found in it.
struct Sample {
    text: String,
    labels: Vec<Label>,
}

struct Label {
    start: usize,
    end: usize,
    name: String,
    kind: Option<Kind>,
}

impl Sample {
    fn parse(line: &str) -> Self {
        let row: Value = serde_json::from_str(line).expect("each line is JSON");
        let text = row["text"].as_str().expect("a sample has a text").to_owned();
        let offsets: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
        let spans = row["spans"].as_array().expect("a sample has spans").iter();
        let labels = spans.map(|span| {
            let at = |name: &str| {
                offsets[usize::try_from(span[name].as_u64().unwrap_or(0)).unwrap_or(0)]
            };
            let name = span["type"].as_str().unwrap_or("?").to_owned();
            Label { start: at("start"), end: at("end"), kind: labels::kind(&name), name }
        });
        let labels = labels.collect();
        Self { text, labels }
    }
}

impl Label {
    /// A value counts as found when less than a quarter of it would still be readable.
    fn is_hidden_by(&self, spans: &[Span]) -> bool {
        let hidden = (self.start..self.end)
            .filter(|at| spans.iter().any(|span| span.start <= *at && *at < span.end))
            .count();
        hidden * 4 >= (self.end - self.start) * 3
    }

    fn touches(&self, span: &Span) -> bool {
        span.start < self.end && span.end > self.start
    }
}

#[derive(Default)]
struct Tally {
    labels: usize,
    found: usize,
    spans: usize,
    right: usize,
}

impl Tally {
    fn row(&self, name: &str) -> String {
        let recall = ratio(self.found, self.labels);
        let precision = ratio(self.right, self.spans);
        let f1 = recall.zip(precision).map(|(r, p)| 2.0 * r * p / (r + p).max(f64::MIN_POSITIVE));
        let show = |ratio: Option<f64>| ratio.map_or_else(|| "–".to_owned(), |r| format!("{r:.3}"));
        format!(
            "| {name} | {} | {} | {} | {} | {} | {} | {} |",
            self.labels,
            self.found,
            show(recall),
            self.spans,
            self.right,
            show(precision),
            show(f1)
        )
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of samples are small")]
fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn measure(path: &str, lists: &Lists) {
    let engine = Engine::builtin();
    let samples: Vec<Sample> = read(path).lines().map(Sample::parse).collect();
    let mut kinds: BTreeMap<Kind, Tally> = BTreeMap::new();
    let mut types: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut detectors: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut words: BTreeMap<&str, Tally> = BTreeMap::new();
    let (mut without, mut altered) = (0, 0);
    let mut spans = Vec::new();
    for Sample { text, labels } in &samples {
        spans.clear();
        engine.scan(text.as_bytes(), &mut spans);
        for label in labels {
            let Some(kind) = label.kind else { continue };
            let found = label.is_hidden_by(&spans);
            for tally in [kinds.entry(kind).or_default(), types.entry(&label.name).or_default()] {
                tally.labels += 1;
                tally.found += usize::from(found);
            }
            if lists.has("misses") && !found {
                let value = &text[label.start..label.end];
                println!("MISS {}: {value:?} in {:?}", label.name, shorten(text));
            }
        }
        let mut alarm = false;
        for span in &spans {
            let detector = engine.detector(span.detector);
            let right = labels.iter().any(|label| label.touches(span));
            for tally in
                [kinds.entry(detector.kind).or_default(), detectors.entry(detector.id).or_default()]
            {
                tally.spans += 1;
                tally.right += usize::from(right);
            }
            if let Some((group, types)) = labels::told_by_words(detector.id) {
                let of_its_types = |label: &&Label| types.contains(&label.name.as_str());
                let right = labels.iter().filter(of_its_types).any(|label| label.touches(span));
                let tally = words.entry(group).or_default();
                tally.spans += 1;
                tally.right += usize::from(right);
                if lists.has("alarms") && !right {
                    let value = String::from_utf8_lossy(&text.as_bytes()[span.start..span.end]);
                    println!("WRONG {}: {value:?} in {:?}", detector.id, shorten(text));
                }
            }
            // Arrays are values, and the samples do not label them.
            let content = matches!(detector.kind, Kind::Tensor | Kind::TokenIds | Kind::Media);
            alarm |= !content;
            if lists.has("alarms") && !right && !content {
                let value = String::from_utf8_lossy(&text.as_bytes()[span.start..span.end]);
                println!("ALARM {}: {value:?} in {:?}", detector.id, shorten(text));
            }
        }
        if labels.is_empty() {
            without += 1;
            altered += usize::from(alarm);
        }
    }

    let name = Path::new(path).file_name().unwrap_or_default().to_string_lossy();
    println!("\n{name}: {} samples", samples.len());
    if let Some(share) = ratio(altered, without) {
        println!("{without} without a label, {altered} altered ({:.1} %)", 100.0 * share);
    }
    // Of a kind that the file does not label, nothing can be said.
    kinds.retain(|_, tally| tally.labels > 0);
    if kinds.is_empty() {
        return;
    }
    println!("\n| kind | labels | found | recall | spans | right | precision | F1 |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
    for (kind, tally) in &kinds {
        println!("{}", tally.row(kind.name()));
    }
    if lists.has("types") {
        println!("\n| type | labels | found | recall |\n| --- | ---: | ---: | ---: |");
        for (name, Tally { labels, found, .. }) in types {
            let recall = ratio(found, labels).unwrap_or_default();
            println!("| {name} | {labels} | {found} | {recall:.3} |");
        }
    }
    if !words.is_empty() {
        println!("\n| told by words | spans | on a label of its types | precision |");
        println!("| --- | ---: | ---: | ---: |");
        for (group, Tally { spans, right, .. }) in words {
            println!("| {group} | {spans} | {right} | {:.3} |", ratio(right, spans).unwrap_or(0.0));
        }
    }
    if lists.has("detectors") {
        println!("\n| detector | spans | on a label |\n| --- | ---: | ---: |");
        for (id, Tally { spans, right, .. }) in detectors {
            println!("| {id} | {spans} | {right} |");
        }
    }
}

fn read(path: &str) -> String {
    let bytes = std::fs::read(path).expect("the file can be read");
    let mut text = String::new();
    if bytes.starts_with(&GZIP) {
        let mut unpacked = flate2::read::MultiGzDecoder::new(&bytes[..]);
        unpacked.read_to_string(&mut text).expect("the file is packed UTF-8 text");
    } else {
        text = String::from_utf8(bytes).expect("the file is UTF-8 text");
    }
    text
}

fn shorten(text: &str) -> String {
    text.chars().take(160).collect()
}
