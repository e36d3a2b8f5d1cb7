//! What the engine finds in files, as one line a file: to hold two states of the engine against each
//! other. `cargo run --release -p tacenda-detect --example spans -- FILE…`; with `--list` first, each
//! span has a line of its own (detector and place, no value).
//!
//! A file is scanned as a whole, line by line, where the lines stand and apart from the rest, in
//! pieces of any length, and mixed: pieces of all files in made-up order, so that what one leaves
//! unfinished meets another. The same files give the same pieces.

// Prints are its purpose.
#![allow(clippy::print_stdout)]

use tacenda_detect::{Engine, Span};

fn main() {
    let mut paths: Vec<String> = std::env::args().skip(1).collect();
    let list = paths.first().is_some_and(|path| path == "--list");
    paths.drain(..usize::from(list));
    let texts: Vec<Vec<u8>> =
        paths.iter().map(|path| std::fs::read(path).expect("the file can be read")).collect();
    let half = Engine::with_disabled(|detector| detector.id.len().is_multiple_of(2));
    for (name, engine) in [("all", Engine::builtin()), ("half", &half)] {
        let mut random = Random(0x7ac3_11d5);
        for (path, text) in paths.iter().zip(&texts) {
            Found::new(engine, list).file(text, &mut random).tell(&format!("{name} {path}"));
        }
        let bytes: usize = texts.iter().map(Vec::len).sum();
        let mut mixed = Found::new(engine, list);
        for _ in 0..bytes / 500 {
            let pieces = (0..=random.below(8)).map(|_| {
                let text = &texts[random.below(texts.len())];
                random.piece(text)
            });
            let text = pieces.collect::<Vec<_>>().concat();
            mixed.scan(&text, 0..text.len());
        }
        mixed.tell(&format!("{name} mixed"));
    }
}

/// The spans of one file, counted and hashed (FNV-1a).
struct Found<'e> {
    engine: &'e Engine,
    list: bool,
    spans: Vec<Span>,
    count: usize,
    hash: u64,
}

impl<'e> Found<'e> {
    fn new(engine: &'e Engine, list: bool) -> Self {
        Self { engine, list, spans: Vec::new(), count: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }

    fn file(mut self, text: &[u8], random: &mut Random) -> Self {
        self.scan(text, 0..text.len());
        let mut start = 0;
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            let end = start + line.len();
            self.scan(text, start..end);
            self.scan(text, start..end - usize::from(line.ends_with(b"\n")));
            self.scan(line.trim_ascii_end(), 0..line.trim_ascii_end().len());
            start = end;
        }
        let mut start = 0;
        while start < text.len() {
            let end = text.len().min(start + 1 + random.below(400));
            self.scan(text, start..end);
            start = end;
        }
        self
    }

    fn scan(&mut self, text: &[u8], range: std::ops::Range<usize>) {
        self.spans.clear();
        self.engine.scan_range(text, range.clone(), &mut self.spans);
        self.count += self.spans.len();
        for span in &self.spans {
            let id = self.engine.detector(span.detector).id;
            if self.list {
                println!("{range:?} {}..{} {id}", span.start, span.end);
            }
            let place = [range.start, range.len(), span.start, span.end].map(usize::to_le_bytes);
            for byte in place.as_flattened().iter().chain(id.as_bytes()) {
                self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }

    fn tell(self, name: &str) {
        println!("{:016x} {:>9} {name}", self.hash, self.count);
    }
}

/// xorshift64*.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let next = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        usize::try_from(next).expect("32 bits") % limit.max(1)
    }

    fn piece<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        let start = self.below(text.len());
        let length = 1 + self.below(120);
        &text[start..text.len().min(start + length)]
    }
}
