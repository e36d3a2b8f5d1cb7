//! What a scan costs: clean records, leaky records, a mixed log.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tacenda_detect::Engine;

const CLEAN: [(&str, &str); 4] = [
    ("progress", "Prompt processing progress: 512/1024"),
    ("access", "127.0.0.1 - - [21/Nov/2026 02:37:40] \"POST /v1/chat/completions HTTP/1.1\" 200 -"),
    ("request", "request 8213 took 12.7 ms, 200 OK"),
    (
        "record",
        "2026-11-21 02:37:40,123 - INFO - mlx_lm.server - KV Caches: 3 seq, 0.42 GB, latest user cache 512 tokens",
    ),
];

const LEAKY: [(&str, &str); 3] = [
    ("email", "2026-11-21 02:37:40,123 - INFO - app - welcome mail sent to jane.roe@example.com"),
    ("key", "2026-11-21 02:37:40,123 - DEBUG - app - {'api_key': 'Zf3D0LXCM3EIMbgJpUNn', 'n': 3}"),
    (
        "card",
        "2026-11-21 02:37:40,123 - ERROR - app - charge failed for 4111 1111 1111 1111, retry 2",
    ),
];

/// One megabyte of log, one line in twenty with a value in it.
fn mixed_log() -> Vec<u8> {
    let mut log = Vec::with_capacity(1 << 20);
    let mut line = 0;
    while log.len() < (1 << 20) - 200 {
        let text = if line % 20 == 19 { LEAKY[line / 20 % 3].1 } else { CLEAN[line % 4].1 };
        log.extend_from_slice(text.as_bytes());
        log.push(b'\n');
        line += 1;
    }
    log
}

fn scan(criterion: &mut Criterion) {
    criterion.bench_function("engine/build", |bencher| {
        bencher.iter(|| Engine::with_disabled(|_| false));
    });
    let engine = Engine::builtin();
    let mut spans = Vec::new();
    for (group, records) in [("clean", &CLEAN[..]), ("leaky", &LEAKY[..])] {
        let mut group = criterion.benchmark_group(group);
        for (name, record) in records {
            group.throughput(Throughput::Bytes(record.len() as u64));
            group.bench_function(*name, |bencher| {
                bencher.iter(|| {
                    spans.clear();
                    engine.scan(black_box(record.as_bytes()), &mut spans);
                });
            });
        }
    }
    let log = mixed_log();
    let mut group = criterion.benchmark_group("log");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(log.len() as u64));
    group.bench_function("mixed 1 MiB", |bencher| {
        bencher.iter(|| {
            spans.clear();
            engine.scan(black_box(&log), &mut spans);
        });
    });
}

criterion_group!(benches, scan);
criterion_main!(benches);
