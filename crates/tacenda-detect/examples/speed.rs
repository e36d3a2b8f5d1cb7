//! How long one scan takes, per record: the fastest of many batches, so that a busy machine does
//! not show. `cargo run --release -p tacenda-detect --example speed`, with a number for one record,
//! with a path for a log of your own, and how often to go through it: something to hold a profiler to.

// Prints are its purpose.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use tacenda_detect::Engine;

const RECORDS: [&str; 16] = [
    "Prompt processing progress: 512/1024",
    "127.0.0.1 - - [21/Nov/2026 02:37:40] \"POST /v1/chat/completions HTTP/1.1\" 200 -",
    "request 8213 took 12.7 ms, 200 OK",
    "2026-11-21 02:37:40,123 - INFO - mlx_lm.server - KV Caches: 3 seq, 0.42 GB, latest user cache 512 tokens",
    "the quick brown fox jumps over the lazy dog while nobody in the whole wide world is looking at it",
    "100%|##########| 64/64 [00:12<00:00,  5.21it/s]",
    "Iter 10: Train loss 2.345, Learning Rate 1.000e-05, It/sec 1.234, Tokens/sec 123.4, Peak mem 3.210 GB",
    "{\"id\": \"chatcmpl-832d2129-a846-4e27-99f4-7004b6ad53ef\", \"object\": \"chat.completion\", \"created\": 1763692660, \"model\": \"tiny\"}",
    "2026-11-21 02:37:40,123 - INFO - app - welcome mail sent to jane.roe@example.com",
    "2026-11-21 02:37:40,123 - DEBUG - app - {'api_key': 'Zf3D0LXCM3EIMbgJpUNn', 'n': 3}",
    "2026-11-21 02:37:40,123 - ERROR - app - charge failed for 4111 1111 1111 1111, retry 2",
    "OPENAI_API_KEY=sk-proj-CanaryDoNotUse0123456789abcdefABCDEF0123",
    // What the guard scans when `logger.info` is called: the parts, then the line.
    "bench",
    "served /v1/models in 17 ms",
    "served %s in %d ms",
    "2026-11-21 02:37:40,123 INFO bench served /v1/models in 17 ms",
];

fn main() {
    const BATCH: u32 = 2000;
    const BATCHES: u32 = 200;
    let began = Instant::now();
    let engine = Engine::builtin();
    println!("engine built in {:?}", began.elapsed());
    let mut spans = Vec::new();
    if let Some(path) = std::env::args().nth(1).filter(|argument| argument.contains(['/', '.'])) {
        let text = std::fs::read(&path).expect("the log can be read");
        let mut best = f64::INFINITY;
        let rounds = std::env::args().nth(2).and_then(|rounds| rounds.parse().ok());
        for _ in 0..rounds.unwrap_or(200) {
            spans.clear();
            let began = Instant::now();
            engine.scan(black_box(&text), &mut spans);
            best = best.min(began.elapsed().as_secs_f64());
        }
        let length = u32::try_from(text.len()).expect("a log for this is short");
        println!("{:.3} GB/s {} spans  {path}", f64::from(length) / best / 1e9, spans.len());
        return;
    }
    let only: Option<usize> = std::env::args().nth(1).and_then(|number| number.parse().ok());
    for (_, record) in
        RECORDS.iter().enumerate().filter(|(i, _)| only.is_none_or(|only| *i == only))
    {
        let mut best = f64::INFINITY;
        for _ in 0..BATCHES {
            let began = Instant::now();
            for _ in 0..BATCH {
                spans.clear();
                engine.scan(black_box(record.as_bytes()), &mut spans);
            }
            best = best.min(began.elapsed().as_secs_f64() / f64::from(BATCH));
        }
        let nanoseconds = best * 1e9;
        let length = u32::try_from(record.len()).expect("records are short");
        let head: String = record.chars().take(48).collect();
        println!(
            "{nanoseconds:>7.1} ns {:>5.2} GB/s {} spans  {head}",
            f64::from(length) / nanoseconds,
            spans.len()
        );
    }
}
