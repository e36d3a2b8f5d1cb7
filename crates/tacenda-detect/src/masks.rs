//! 64 bytes of text as bitmaps, one bit a byte: the pre-pass that finds candidate positions.

use std::ops::Range;

use wide::u8x16;

/// Bytes in a block.
pub(crate) const BLOCK: usize = 64;

/// One bitmap a class; bit *i* is byte *i* of the block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Masks {
    /// Letters and digits.
    pub(crate) word: u64,
    /// Digits.
    pub(crate) digit: u64,
    /// Capital letters.
    pub(crate) upper: u64,
    /// `:` or `=`.
    pub(crate) assign: u64,
    /// `:`
    pub(crate) colon: u64,
    /// `-`
    pub(crate) dash: u64,
    /// `,`
    pub(crate) comma: u64,
    /// `"` or `'`
    pub(crate) quote: u64,
    /// `@`, `%`, `&`, `<`, `[`, `~`, backslash, ESC: each looked at one by one.
    pub(crate) rare: u64,
    /// Bytes outside ASCII.
    pub(crate) high: u64,
    /// `_`
    pub(crate) underscore: u64,
    /// `.`
    pub(crate) dot: u64,
    /// `/`
    pub(crate) stroke: u64,
    /// `\n`
    pub(crate) newline: u64,
    /// What stands between the groups of a number: blank, `(`, `)`, `-`, `.`, `/`.
    pub(crate) group: u64,
}

/// The bitmaps of a block, and of those before and after it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around<'m> {
    pub(crate) before: &'m Masks,
    pub(crate) now: &'m Masks,
    pub(crate) after: &'m Masks,
}

impl Around<'_> {
    /// The bitmap `of` 64 bytes from `bit` of the block on.
    #[inline]
    pub(crate) fn from(&self, bit: u32, of: impl Fn(&Masks) -> u64) -> u64 {
        of(self.now) >> bit | of(self.after) << 1 << (63 - bit)
    }

    /// The bitmap `of` the 64 bytes before `bit` of the block, the last of them highest.
    #[inline]
    pub(crate) fn to(&self, bit: u32, of: impl Fn(&Masks) -> u64) -> u64 {
        of(self.before) >> bit | of(self.now) << 1 << (63 - bit)
    }
}

impl Masks {
    /// Makes these the bitmaps of the block at `at` of `range` of a text; zeros behind the range.
    ///
    /// What was copied just now cannot be loaded at once, so that the bytes around the range are
    /// loaded with it wherever there are enough of them.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    pub(crate) fn set_to<L: Lanes>(
        &mut self,
        lanes: L,
        text: &[u8],
        range: &Range<usize>,
        at: usize,
    ) {
        let length = range.len().saturating_sub(at);
        if length == 0 {
            *self = Self::default();
            return;
        }
        let from = range.start + at;
        let mut room;
        let (block, skipped) = if let Some(block) = text[from..].first_chunk() {
            (block, 0)
        } else if let Some(block) = text.last_chunk() {
            (block, from + BLOCK - text.len())
        } else {
            room = [0; BLOCK];
            room[..text.len() - from].copy_from_slice(&text[from..]);
            (&room, 0)
        };
        lanes.fill(self, block);
        if length < BLOCK {
            self.keep(skipped, length);
        }
    }

    /// So many places behind the first ones, zeros behind them. Apart from what all blocks go through,
    /// since bitmaps that may yet be cut would be kept together in a vector.
    #[inline(never)]
    fn keep(&mut self, skipped: usize, length: usize) {
        let only = u64::MAX >> (BLOCK - length);
        for mask in self.all() {
            *mask = *mask >> skipped & only;
        }
    }

    fn all(&mut self) -> [&mut u64; 15] {
        let Self {
            word,
            digit,
            upper,
            assign,
            colon,
            dash,
            comma,
            quote,
            rare,
            high,
            underscore,
            dot,
            stroke,
            newline,
            group,
        } = self;
        [
            word, digit, upper, assign, colon, dash, comma, quote, rare, high, underscore, dot,
            stroke, newline, group,
        ]
    }

    /// The bitmaps of `block`.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn of<L: Lanes>(lanes: L, block: &[u8; BLOCK]) -> Self {
        let mut masks = Self::default();
        let mut small = 0;
        for lane in 0..BLOCK / L::WIDTH {
            let v = lanes.load(block, lane);
            let (first, second) = (lanes.terms(v, &FIRST), lanes.terms(v, &SECOND));
            let put = |v, terms| lanes.having(v, terms) << (lane * L::WIDTH);
            masks.word |= put(first, DIGIT | A_TO_O | P_TO_Z);
            masks.digit |= put(first, DIGIT);
            masks.assign |= put(first, COLON | EQUALS);
            masks.colon |= put(first, COLON);
            masks.dash |= put(first, DASH);
            masks.comma |= put(first, COMMA);
            masks.quote |= put(first, QUOTE);
            masks.rare |= put(second, PERCENT | ANGLE | BRACKET | AT | TILDE);
            masks.group |= put(second, GROUP);
            masks.dot |= put(second, DOT);
            masks.stroke |= put(second, STROKE);
            masks.underscore |= put(lanes.is(v, b'_'), u8::MAX);
            masks.newline |= put(lanes.is(v, b'\n'), u8::MAX);
            masks.high |= put(v, 0x80);
            small |= put(v, 0x20);
        }
        masks.upper = masks.word & !masks.digit & !small;
        masks
    }
}

const DIGIT: u8 = 1;
const A_TO_O: u8 = 1 << 1;
const P_TO_Z: u8 = 1 << 2;
const COLON: u8 = 1 << 3;
const EQUALS: u8 = 1 << 4;
const DASH: u8 = 1 << 5;
const COMMA: u8 = 1 << 6;
const QUOTE: u8 = 1 << 7;

static FIRST: Terms = Terms::of(&[
    (DIGIT, &[0x3], b"0123456789"),
    (A_TO_O, &[0x4, 0x6], b"ABCDEFGHIJKLMNO"),
    (P_TO_Z, &[0x5, 0x7], b"PQRSTUVWXYZ"),
    (COLON, &[0x3], b":"),
    (EQUALS, &[0x3], b"="),
    (DASH, &[0x2], b"-"),
    (COMMA, &[0x2], b","),
    (QUOTE, &[0x2], b"\"'"),
]);

/// `%` and `&`.
const PERCENT: u8 = 1;
/// `<` and the backslash.
const ANGLE: u8 = 1 << 1;
/// `[` and ESC.
const BRACKET: u8 = 1 << 2;
const AT: u8 = 1 << 3;
const TILDE: u8 = 1 << 4;
const GROUP: u8 = 1 << 5;
const DOT: u8 = 1 << 6;
const STROKE: u8 = 1 << 7;

static SECOND: Terms = Terms::of(&[
    (PERCENT, &[0x2], b"%&"),
    (ANGLE, &[0x3, 0x5], b"<"),
    (BRACKET, &[0x1, 0x5], b"["),
    (AT, &[0x4], b"@"),
    (TILDE, &[0x7], b"~"),
    (GROUP, &[0x2], b" ()-./"),
    (DOT, &[0x2], b"."),
    (STROKE, &[0x2], b"/"),
]);

/// Sets of bytes, one bit each: a byte has those terms that both of its halves have.
pub(crate) struct Terms {
    low: [u8; 16],
    high: [u8; 16],
}

impl Terms {
    /// Each term with its upper halves, and with bytes that have its lower ones.
    const fn of(terms: &[(u8, &[u8], &[u8]); 8]) -> Self {
        let mut all = Self { low: [0; 16], high: [0; 16] };
        let mut i = 0;
        while i < terms.len() {
            let (term, mut high, mut bytes) = terms[i];
            while let [half, rest @ ..] = high {
                all.high[*half as usize] |= term;
                high = rest;
            }
            while let [byte, rest @ ..] = bytes {
                all.low[(*byte & 0xf) as usize] |= term;
                bytes = rest;
            }
            i += 1;
        }
        all
    }
}

/// The classes of letters, for who reads words.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Letters {
    pub(crate) digit: u64,
    pub(crate) upper: u64,
    pub(crate) lower: u64,
    /// Bytes outside ASCII.
    pub(crate) high: u64,
}

impl Letters {
    /// The bitmaps of the first bytes of `text`, as many as a block has.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut edge = [0; BLOCK];
        let block = text.first_chunk().unwrap_or_else(|| {
            edge[..text.len()].copy_from_slice(text);
            &edge
        });
        let mut letters = Self::default();
        for lane in 0..BLOCK / Baseline::WIDTH {
            let v = Baseline.load(block, lane);
            let put = |bits: u64| bits << (lane * Baseline::WIDTH);
            letters.digit |= put(Baseline::within(v, b'0', b'9'));
            letters.upper |= put(Baseline::within(v, b'A', b'Z'));
            letters.lower |= put(Baseline::within(v, b'a', b'z'));
            letters.high |= put(u64::from(v.to_bitmask()));
        }
        letters
    }
}

/// Bytes side by side, as a machine looks at them.
pub(crate) trait Lanes: Copy {
    /// Bytes that are looked at at once.
    const WIDTH: usize;
    type Vector: Copy;

    fn load(self, block: &[u8; BLOCK], lane: usize) -> Self::Vector;
    /// A byte of ones for each that is this byte.
    fn is(self, v: Self::Vector, byte: u8) -> Self::Vector;
    /// The terms of each byte; bytes outside ASCII have none.
    fn terms(self, v: Self::Vector, terms: &Terms) -> Self::Vector;
    /// The bytes that have one of these bits, one bit each.
    fn having(self, v: Self::Vector, bits: u8) -> u64;

    /// Makes `masks` the bitmaps of `block`.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    fn fill(self, masks: &mut Masks, block: &[u8; BLOCK]) {
        *masks = Masks::of(self, block);
    }
}

/// What every machine has that the program runs on.
#[derive(Clone, Copy)]
pub(crate) struct Baseline;

impl Baseline {
    fn within(v: u8x16, low: u8, high: u8) -> u64 {
        let moved = v - u8x16::splat(low);
        u64::from(moved.min(u8x16::splat(high - low)).simd_eq(moved).to_bitmask())
    }
}

impl Lanes for Baseline {
    const WIDTH: usize = 16;
    type Vector = u8x16;

    #[inline]
    fn load(self, block: &[u8; BLOCK], lane: usize) -> u8x16 {
        let (lanes, _) = block.as_chunks::<16>();
        u8x16::new(lanes[lane])
    }

    #[inline]
    fn is(self, v: u8x16, byte: u8) -> u8x16 {
        v.simd_eq(u8x16::splat(byte))
    }

    #[inline]
    fn terms(self, v: u8x16, terms: &Terms) -> u8x16 {
        let low = u8x16::new(terms.low).shuffle(v & u8x16::splat(0xf));
        low & u8x16::new(terms.high).shuffle(v >> 4_u32)
    }

    #[inline]
    fn having(self, v: u8x16, bits: u8) -> u64 {
        u64::from((v & u8x16::splat(bits)).saturating_add(u8x16::splat(0x7f)).to_bitmask())
    }
}

/// AVX2, where the processor has it.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::__m256i;

    use pulp::x86::V3;

    use super::{BLOCK, Lanes, Terms};

    #[expect(clippy::inline_always, reason = "a few instructions each")]
    impl Lanes for V3 {
        const WIDTH: usize = 32;
        type Vector = __m256i;

        #[inline(always)]
        fn load(self, block: &[u8; BLOCK], lane: usize) -> __m256i {
            let (lanes, _) = block.as_chunks::<32>();
            pulp::cast(lanes[lane])
        }

        #[inline(always)]
        fn is(self, v: __m256i, byte: u8) -> __m256i {
            self.avx2._mm256_cmpeq_epi8(v, self.avx._mm256_set1_epi8(byte.cast_signed()))
        }

        #[inline(always)]
        fn terms(self, v: __m256i, terms: &Terms) -> __m256i {
            let table = |half: [u8; 16]| self.avx2._mm256_broadcastsi128_si256(pulp::cast(half));
            let halves = self.avx._mm256_set1_epi8(0xf);
            let high = self.avx2._mm256_and_si256(self.avx2._mm256_srli_epi16::<4>(v), halves);
            // A byte outside ASCII finds nothing as it is.
            let low = self.avx2._mm256_shuffle_epi8(table(terms.low), v);
            let high = self.avx2._mm256_shuffle_epi8(table(terms.high), high);
            self.avx2._mm256_and_si256(low, high)
        }

        #[inline(always)]
        fn having(self, v: __m256i, bits: u8) -> u64 {
            let all = |byte: u8| self.avx._mm256_set1_epi8(byte.cast_signed());
            // The sum has the upper bit for any of them.
            let having = self.avx2._mm256_and_si256(v, all(bits));
            let having = self.avx2._mm256_adds_epu8(having, all(0x7f));
            u64::from(self.avx2._mm256_movemask_epi8(having).cast_unsigned())
        }
    }
}

/// AVX-512, where the processor has it.
#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::__m512i;

    use pulp::NullaryFnOnce;
    use pulp::x86::V4;

    use super::{BLOCK, Lanes, Masks, Terms};

    #[expect(clippy::inline_always, reason = "a few instructions each")]
    impl Lanes for V4 {
        const WIDTH: usize = 64;
        type Vector = __m512i;

        #[inline(always)]
        fn load(self, block: &[u8; BLOCK], _: usize) -> __m512i {
            pulp::cast(*block)
        }

        #[inline(always)]
        fn is(self, v: __m512i, byte: u8) -> __m512i {
            let same = self.avx512bw._mm512_cmpeq_epi8_mask(v, self.all(byte));
            self.avx512bw._mm512_movm_epi8(same)
        }

        #[inline(always)]
        fn terms(self, v: __m512i, terms: &Terms) -> __m512i {
            let table = |half: [u8; 16]| self.avx512f._mm512_broadcast_i32x4(pulp::cast(half));
            let high = self.avx512bw._mm512_srli_epi16::<4>(v);
            let high = self.avx512f._mm512_and_si512(high, self.all(0xf));
            // A byte outside ASCII finds nothing as it is.
            let low = self.avx512bw._mm512_shuffle_epi8(table(terms.low), v);
            let high = self.avx512bw._mm512_shuffle_epi8(table(terms.high), high);
            self.avx512f._mm512_and_si512(low, high)
        }

        #[inline(always)]
        fn having(self, v: __m512i, bits: u8) -> u64 {
            self.avx512bw._mm512_test_epi8_mask(v, self.all(bits))
        }

        #[inline(always)]
        fn fill(self, masks: &mut Masks, block: &[u8; BLOCK]) {
            self.vectorize(Fill(self, masks, block));
        }
    }

    /// Bitmaps to be made. They alone are made with AVX-512: what is told from bitmaps would be
    /// gathered into vectors there and taken apart again.
    struct Fill<'m>(V4, &'m mut Masks, &'m [u8; BLOCK]);

    impl NullaryFnOnce for Fill<'_> {
        type Output = ();

        #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
        #[inline(always)]
        fn call(self) {
            *self.1 = Masks::of(self.0, self.2);
        }
    }

    trait All {
        fn all(self, byte: u8) -> __m512i;
    }

    #[expect(clippy::inline_always, reason = "one instruction")]
    impl All for V4 {
        #[inline(always)]
        fn all(self, byte: u8) -> __m512i {
            self.avx512f._mm512_set1_epi8(byte.cast_signed())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_value_is_in_its_classes() {
        check(Baseline);
        #[cfg(target_arch = "x86_64")]
        if let Some(v3) = pulp::x86::V3::try_new() {
            check(v3);
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(v4) = pulp::x86::V4::try_new() {
            check(v4);
        }
    }

    #[test]
    fn a_range_of_a_text_has_the_masks_that_it_has_alone() {
        let text: Vec<u8> = (0..200_u8).map(|i| i.wrapping_mul(37) % 128).collect();
        for range in [0..200, 0..63, 5..69, 100..164, 150..200, 190..200, 199..200, 40..40] {
            let alone = &text[range.clone()];
            for at in [0, BLOCK, 2 * BLOCK] {
                let mut block = [0; BLOCK];
                let rest = alone.get(at..).unwrap_or_default();
                let length = rest.len().min(BLOCK);
                block[..length].copy_from_slice(&rest[..length]);
                let mut expected = Masks::of(Baseline, &block);
                for (text, range) in [(&text[..], &range), (alone, &(0..alone.len()))] {
                    let mut masks = Masks::default();
                    masks.set_to(Baseline, text, range, at);
                    assert_eq!(masks.all(), expected.all(), "{range:?} {at}");
                }
            }
        }
    }

    fn check(lanes: impl Lanes) {
        for byte in 0..=255_u8 {
            for place in [0, 15, 16, 63] {
                let mut block = [0; BLOCK];
                block[place] = byte;
                let masks = Masks::of(lanes, &block);
                let bit = 1_u64 << place;
                let expect = |yes: bool| if yes { bit } else { 0 };
                assert_eq!(masks.word, expect(byte.is_ascii_alphanumeric()));
                assert_eq!(masks.digit, expect(byte.is_ascii_digit()));
                assert_eq!(masks.upper, expect(byte.is_ascii_uppercase()));
                assert_eq!(masks.assign, expect(matches!(byte, b':' | b'=')));
                assert_eq!(masks.colon, expect(byte == b':'));
                assert_eq!(masks.dash, expect(byte == b'-'));
                assert_eq!(masks.underscore, expect(byte == b'_'));
                assert_eq!(masks.newline, expect(byte == b'\n'));
                assert_eq!(masks.comma, expect(byte == b','));
                assert_eq!(masks.quote, expect(matches!(byte, b'"' | b'\'')));
                assert_eq!(masks.dot, expect(byte == b'.'));
                assert_eq!(masks.stroke, expect(byte == b'/'));
                assert_eq!(
                    masks.group,
                    expect(matches!(byte, b' ' | b'(' | b')' | b'-' | b'.' | b'/'))
                );
                assert_eq!(
                    masks.rare,
                    expect(matches!(byte, b'@' | b'%' | b'&' | b'<' | b'[' | b'~' | b'\\' | 0x1b))
                );
                assert_eq!(masks.high, expect(byte >= 0x80));
            }
        }
    }
}
