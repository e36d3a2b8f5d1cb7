//! What one value costs, by action.
//!
//! `cargo bench -p tacenda-redact --bench actions`
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(missing_docs, reason = "criterion's macros")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tacenda_detect::Engine;
use tacenda_policy::{Kind, Luhn, Policy};
use tacenda_redact::vault::Spool;
use tacenda_redact::{Canonical, KeyRing, Keys, Redactor, Report};

fn keyed(criterion: &mut Criterion) {
    let keys = Keys::of(KeyRing::generate().newest(), "production");
    let mut group = criterion.benchmark_group("value");
    let canonical =
        || Canonical::new("email", Kind::Personal, black_box(b"Jane.Roe@example.com"), None);
    group.bench_function("canonical form", |bench| bench.iter(canonical));
    group.bench_function("pseudonym", |bench| {
        bench.iter(|| keys.pseudonym(&canonical()).hex(12));
    });
    for (name, detector, number) in [
        ("fpe, card", "payment-card", "4111 1111 1111 1111"),
        ("fpe, phone", "phone", "+49 30 1234567"),
    ] {
        group.bench_function(name, |bench| {
            let encrypt =
                || keys.numbers().encrypt(detector, black_box(number.as_bytes()), Luhn::Invalid);
            bench.iter(|| encrypt().unwrap());
        });
    }
    group.finish();
}

fn record(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let mut group = criterion.benchmark_group("record");
    let line = b"2026-11-21 10:00:00,123 INFO request from jane.roe@example.com in 12.5 ms\n";
    let keys = Keys::of(KeyRing::generate().newest(), "production");
    for action in ["mask", "hash", "token", "drop"] {
        let policy = format!("vault.path = 'v'\n[actions]\npersonal = '{action}'");
        let policy = Policy::from_toml(&policy).unwrap();
        let redactor = Redactor::new(Engine::builtin(), policy.clone(), keys.clone());
        group.bench_function(action, |bench| {
            bench.iter(|| redactor.redact(black_box(line), &mut Report::default()).len());
        });
        if action != "token" {
            continue;
        }
        let redactor =
            redactor.with_spool(Some(Spool::open(&folder.path().join("vault"), &keys).unwrap()));
        group.bench_function("token, known to the vault", |bench| {
            bench.iter(|| redactor.redact(black_box(line), &mut Report::default()).len());
        });
        let mut i = 0_u64;
        group.bench_function("token, new to the vault", |bench| {
            bench.iter(|| {
                i += 1;
                let line = format!("2026-11-21 INFO request from user{i}@example.com in 12.5 ms\n");
                redactor.redact(black_box(line.as_bytes()), &mut Report::default()).len()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, keyed, record);
criterion_main!(benches);
