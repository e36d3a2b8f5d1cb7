//! What the stream filter takes, in bytes a second: with the product's detectors and with none, so
//! that the filter's own part shows.

use std::borrow::Cow;
use std::hint::black_box;
use std::ops::Range;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tacenda_detect::Engine;
use tacenda_guard::{JsonLinesFilter, Redact, StreamFilter};
use tacenda_policy::Policy;
use tacenda_redact::{Carry, Crossed, Keys, Part, Redactor, Report};

/// Bytes of a read from a file.
const BLOCK: usize = 256 * 1024;

/// Finds nothing.
#[derive(Clone, Copy)]
struct Nothing;

impl Redact for Nothing {
    fn redact_range<'t>(
        &self,
        _: &mut Carry,
        around: &'t [u8],
        record: Range<usize>,
        _: &mut Report,
    ) -> Cow<'t, [u8]> {
        Cow::Borrowed(&around[record])
    }

    fn redact_part<'t>(
        &self,
        _: &mut Carry,
        record: &'t [u8],
        wanted: Range<usize>,
        _: &mut Report,
    ) -> Result<Part<'t>, Crossed> {
        Ok(Part { end: wanted.end, redacted: Cow::Borrowed(&record[wanted]) })
    }
}

fn log(value_every: usize) -> Vec<u8> {
    let line = |n: usize| {
        let what = if n.is_multiple_of(value_every) {
            format!("mail to user{n}@example.com")
        } else {
            format!("Prompt processing progress: {n}/2048, cache hit 0.{n:04}")
        };
        format!("2026-11-21 10:00:00,{:03} - INFO - {what}\n", n % 1000)
    };
    (1..=40_000).map(line).collect::<Vec<_>>().concat().into_bytes()
}

fn filter(input: &[u8], redactor: impl Redact, out: &mut Vec<u8>) {
    let mut filter = StreamFilter::new(redactor);
    for block in input.chunks(BLOCK) {
        out.clear();
        filter.push(block, out);
    }
    filter.finish(out);
}

fn benches(criterion: &mut Criterion) {
    let redactor = Redactor::new(Engine::builtin(), Policy::default(), Keys::random());
    let clean = log(usize::MAX);
    let colour =
        String::from_utf8(clean.clone()).expect("text").replace("INFO", "\x1b[32mINFO\x1b[0m");
    let long = clean.iter().map(|byte| if *byte == b'\n' { b' ' } else { *byte }).collect();
    let json = String::from_utf8(log(100)).expect("text");
    let json = json.lines().map(|line| format!("{{\"message\": \"{line}\", \"n\": 1}}\n"));
    let json = json.collect::<Vec<_>>().concat();

    let mut group = criterion.benchmark_group("filter");
    group.sample_size(10);
    let mut out = Vec::new();
    let inputs: [(&str, Vec<u8>); 4] = [
        ("clean", clean.clone()),
        ("1 % of lines with a value", log(100)),
        ("colours", colour.into_bytes()),
        ("one long line", long),
    ];
    group.throughput(Throughput::Bytes(clean.len() as u64));
    group.bench_function("clean, without detectors", |bench| {
        bench.iter(|| filter(black_box(&clean), Nothing, &mut out));
    });
    for (name, input) in &inputs {
        group.throughput(Throughput::Bytes(input.len() as u64));
        group.bench_function(*name, |bench| {
            bench.iter(|| filter(black_box(input), &redactor, &mut out));
        });
    }
    group.throughput(Throughput::Bytes(json.len() as u64));
    group.bench_function("JSON lines", |bench| {
        bench.iter(|| {
            let mut filter = JsonLinesFilter::new(&redactor);
            out.clear();
            filter.push(black_box(json.as_bytes()), &mut out);
            filter.finish(&mut out);
        });
    });
    group.finish();
}

criterion_group!(filters, benches);
criterion_main!(filters);
