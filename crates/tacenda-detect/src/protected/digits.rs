//! Bytes of a text written as numbers: in hexadecimal, with or without separators, as dumps and
//! `bytes.hex` show them, and in decimal, as lists and arrays do.

use super::base64::PlaceOf;
use super::runs::runs;

/// Fewest bytes worth decoding: as many as a fragment has characters.
const MIN_BYTES: usize = 16;

/// Shortest run of digits and separators that spells so many: two letters each, or one and a space.
const MIN_RUN: usize = 2 * MIN_BYTES - 1;

/// Calls `visit` with what each long run of numbers spells.
pub(super) fn scan(text: &[u8], mut visit: impl FnMut(&[u8], PlaceOf<'_>)) {
    let mut bytes = Spelled::default();
    for (start, run) in runs(text, MIN_RUN, may_stand) {
        // A cut copy may start within a byte.
        for skip in 0..2 {
            bytes.hexadecimal(run, start, skip);
            bytes.visit(&mut visit);
        }
        bytes.decimal(run, start, &mut visit);
    }
}

fn may_stand(byte: u8) -> bool {
    byte.is_ascii_hexdigit()
        || byte.is_ascii_whitespace()
        || matches!(byte, b'x' | b',' | b':' | b'-')
}

/// Bytes, and where each is spelled.
#[derive(Default)]
struct Spelled {
    bytes: Vec<u8>,
    places: Vec<(usize, usize)>,
}

impl Spelled {
    fn clear(&mut self) {
        self.bytes.clear();
        self.places.clear();
    }

    fn visit(&self, visit: &mut impl FnMut(&[u8], PlaceOf<'_>)) {
        if self.bytes.len() >= MIN_BYTES {
            visit(&self.bytes, &|from, to| (self.places[from].0, self.places[to - 1].1));
        }
    }

    /// Pairs of digits after the first `skip`, whatever stands between them.
    fn hexadecimal(&mut self, run: &[u8], origin: usize, skip: usize) {
        self.clear();
        let is_prefix = |at: usize| run[at] == b'0' && run.get(at + 1) == Some(&b'x');
        let digits = (0..run.len()).filter(|at| !is_prefix(*at)).filter_map(|at| {
            let digit = char::from(run[at]).to_digit(16)?;
            Some((at + origin, u8::try_from(digit).expect("a digit is small")))
        });
        let mut high = None;
        for (at, digit) in digits.skip(skip) {
            match high.take() {
                None => high = Some((at, digit)),
                Some((start, high)) => {
                    self.bytes.push(high << 4 | digit);
                    self.places.push((start, at + 1));
                }
            }
        }
    }

    /// Numbers of a byte; anything else ends what is visited.
    fn decimal(&mut self, run: &[u8], origin: usize, visit: &mut impl FnMut(&[u8], PlaceOf<'_>)) {
        self.clear();
        let is_separator = |byte: &u8| byte.is_ascii_whitespace() || *byte == b',';
        for word in run.split(is_separator).filter(|word| !word.is_empty()) {
            let number = std::str::from_utf8(word).ok().and_then(|word| word.parse().ok());
            let Some(byte) = number.filter(|_| word.iter().all(u8::is_ascii_digit)) else {
                self.visit(visit);
                self.clear();
                continue;
            };
            let start = origin + (word.as_ptr() as usize - run.as_ptr() as usize);
            self.bytes.push(byte);
            self.places.push((start, start + word.len()));
        }
        self.visit(visit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<(String, String)> {
        crate::protected::runs::seen(text, |text, visit| scan(text, visit))
    }

    #[test]
    fn numbers_are_bytes() {
        const TEXT: &str = "the violet heron ships";
        let spell = |each: &dyn Fn(u8) -> String, between: &str| {
            TEXT.bytes().map(each).collect::<Vec<_>>().join(between)
        };
        let hex = |byte: u8| format!("{byte:02x}");
        for spelled in [
            spell(&hex, ""),
            spell(&hex, ":"),
            spell(&hex, " "),
            spell(&hex, "").to_uppercase(),
            spell(&|byte| format!("0x{byte:02X}"), ", "),
            spell(&|byte| byte.to_string(), " "),
            spell(&|byte| byte.to_string(), ",\n  "),
        ] {
            let found = seen(&format!("= [{spelled}]."));
            assert!(
                found.iter().any(|(text, place)| {
                    text == TEXT && place == spelled.trim_start_matches("0x")
                }),
                "{spelled}: {found:?}"
            );
        }
        let cut = &spell(&hex, "")[1..];
        assert!(seen(cut).iter().any(|(text, _)| text == &TEXT[1..]), "{cut}");
        assert!(seen("2026-11-30 11:54:53,338 - DEBUG - a b c d e f 1 2 3").is_empty());
    }

    proptest::proptest! {
        #[test]
        fn places_lie_in_the_text(text in "[0-9a-fx ,:\n.]{0,200}") {
            scan(text.as_bytes(), |bytes, place| {
                for at in 0..bytes.len() {
                    let (from, to) = place(at, at + 1);
                    assert!(from < to && to <= text.len());
                }
            });
        }
    }
}
