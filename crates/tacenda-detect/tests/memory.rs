//! What protected values take of memory, as the allocator sees it.

#![allow(clippy::print_stdout, reason = "the figures are shown when a test fails")]

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use peak_alloc::PeakAlloc;
use tacenda_detect::{Limits, News, ProtectedValues, Share, SharedKey, Trail, ValueId};
use tacenda_policy::Kind;

/// Counts both blocks where one is moved to become longer.
#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// One test at a time: they count for the whole process.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// By how much memory grew at most while this was done, and by how much after it.
fn growth(done: impl FnOnce()) -> (usize, usize) {
    ALLOCATOR.reset_peak_usage();
    let before = ALLOCATOR.current_usage();
    done();
    let after = ALLOCATOR.current_usage().saturating_sub(before);
    (ALLOCATOR.peak_usage() - before, after)
}

fn store(max_bytes: usize) -> ProtectedValues {
    let limits = Limits { max_bytes, expire: Duration::from_secs(3600), ..Limits::default() };
    ProtectedValues::new(limits, Box::new(|_| [0; 3]))
}

/// Letters without an end, made from a number.
fn letters(seed: u64) -> impl Iterator<Item = char> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let letter = u8::try_from((state >> 33) % 27).unwrap_or_default();
        if letter == 26 { ' ' } else { char::from(b'a' + letter) }
    })
}

/// Of what size the texts are, how many come, and how many at a time are held.
struct Load {
    name: &'static str,
    texts: Box<dyn Fn(u64) -> usize>,
    count: u64,
    held: usize,
}

fn loads(max_bytes: usize) -> [Load; 4] {
    let (huge, bytes) = (max_bytes / 128, max_bytes as u64);
    [
        Load { name: "huge", texts: Box::new(move |_| huge), count: 12, held: 0 },
        Load { name: "short", texts: Box::new(|_| 12), count: bytes / 80, held: 0 },
        Load { name: "prompts", texts: Box::new(|_| 2000), count: bytes / 8000, held: 20 },
        Load {
            name: "churn",
            texts: Box::new(move |n| match n % 40 {
                0 => huge / 2,
                n => 20 + 37 * usize::try_from(n * n).unwrap_or_default() % 3000,
            }),
            count: bytes / 16_000,
            held: 10,
        },
    ]
}

fn register(values: &ProtectedValues, load: &Load) {
    let mut held = VecDeque::new();
    let mut text = String::with_capacity(1 << 20);
    for n in 0..load.count {
        text.clear();
        text.extend(letters(n + 1).take((load.texts)(n)));
        held.extend(values.protect(&text, Kind::Prompt, None, load.held > 0));
        while held.len() > load.held {
            let id = held.pop_front().expect("there are more");
            if load.held > 0 {
                values.release(id, Duration::from_secs(30));
            }
        }
    }
    drop(text);
    assert!(values.usage().values > 0);
}

const BOUND: usize = 4 << 20;
/// What may come on top: the text that is being registered, pieces that are being copied.
const SLACK: usize = BOUND / 10;

#[test]
fn what_is_allocated_stays_within_the_bound() {
    let _alone = alone();
    for load in loads(BOUND) {
        let values = store(BOUND);
        let text = 1 << 20;
        let (most, after) = growth(|| register(&values, &load));
        let usage = values.usage();
        println!(
            "{}: {} KiB at most, {} KiB after, {usage:?}",
            load.name,
            (most - text) >> 10,
            after >> 10
        );
        let evicted = usage.evicted > 0;
        assert!(evicted, "{}: the bound was not reached: {usage:?}", load.name);
        assert!(most - text <= BOUND + SLACK, "{}: {} KiB", load.name, (most - text) >> 10);
        assert!(usage.bytes <= BOUND, "{}: {usage:?}", load.name);
        assert!(usage.bytes + SLACK / 4 >= after, "{}: {after} of {usage:?}", load.name);
        // Nor is it kept by leaving it unused.
        assert!(after >= BOUND / 2, "{}: {} KiB", load.name, after >> 10);
    }
}

/// Tells another store, as the socket does.
struct Wire {
    to: Arc<ProtectedValues>,
    known: Mutex<HashMap<ValueId, ValueId>>,
}

impl Share for Wire {
    fn key(&self) -> Option<SharedKey> {
        Some(self.to.shared_key())
    }

    fn audience(&self) -> u64 {
        1
    }

    fn tell(&self, news: &[News<'_>]) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for news in news {
            let id = self.to.put(known.get(&news.value.id).copied(), &news.value);
            known.insert(news.value.id, id);
            for (place, part) in news.fingerprints.chunks(4096).enumerate() {
                self.to.add(id, news.from + place * 4096, part);
            }
        }
        true
    }
}

#[test]
fn who_is_told_takes_no_more() {
    let _alone = alone();
    for load in loads(BOUND) {
        let to = Arc::new(store(BOUND));
        let values = store(BOUND);
        values.share(Box::new(Wire { to: Arc::clone(&to), known: Mutex::default() }));
        let text = 1 << 20;
        let (most, _) = growth(|| register(&values, &load));
        println!("{}: {} KiB at most in both", load.name, (most - text) >> 10);
        assert!(most - text <= 2 * (BOUND + SLACK), "{}: {} KiB", load.name, (most - text) >> 10);
        let held = to.usage().bytes;
        assert!(held <= BOUND + SLACK, "{}: {held}", load.name);
    }
}

#[test]
fn completions_are_counted() {
    let _alone = alone();
    let values = store(BOUND);
    let (most, after) = growth(|| {
        for n in 0..1500 {
            let id = values.open_completion();
            let text: String = letters(n + 1).take(400).collect();
            for token in text.as_bytes().chunks(4) {
                values.extend_completion(id, std::str::from_utf8(token).expect("letters"));
            }
            values.close_completion(id);
        }
    });
    let usage = values.usage();
    println!("{} KiB at most, {} KiB after, {usage:?}", most >> 10, after >> 10);
    assert!(usage.evicted > 0 && most <= BOUND + SLACK, "{} KiB, {usage:?}", most >> 10);
}

#[test]
fn what_has_gone_is_given_back() {
    let _alone = alone();
    let values = store(BOUND);
    let (_, after) = growth(|| {
        let ids: Vec<_> = (0..500)
            .filter_map(|n| {
                let text: String = letters(n + 1).take(900).collect();
                values.protect(&text, Kind::Prompt, None, true)
            })
            .collect();
        values.release_all(&ids, Duration::ZERO);
        let mut spans = Vec::new();
        values.scan(b"request 7 done", &mut Trail::alone(), &mut spans);
    });
    assert_eq!(values.usage().values, 0);
    assert!(after < 64 << 10, "{} KiB are left", after >> 10);
}
