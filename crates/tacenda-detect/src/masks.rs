//! 64 bytes of text as bitmaps, one bit a byte: the pre-pass that finds candidate positions.

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
}

/// The bitmaps of a block, and of those before and after it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Around {
    pub(crate) before: Masks,
    pub(crate) now: Masks,
    pub(crate) after: Masks,
}

impl Around {
    /// The bitmap `of` 64 bytes from `bit` of the block on.
    #[inline]
    pub(crate) fn from(&self, bit: u32, of: impl Fn(&Masks) -> u64) -> u64 {
        of(&self.now) >> bit | of(&self.after) << 1 << (63 - bit)
    }

    /// The bitmap `of` the 64 bytes before `bit` of the block, the last of them highest.
    #[inline]
    pub(crate) fn to(&self, bit: u32, of: impl Fn(&Masks) -> u64) -> u64 {
        of(&self.before) >> bit | of(&self.now) << 1 << (63 - bit)
    }
}

impl Masks {
    /// The bitmaps of `block`, which is empty behind its first `length` bytes.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    pub(crate) fn of<L: Lanes>(lanes: L, block: &[u8; BLOCK], length: usize) -> Self {
        let mut masks = Self::default();
        for lane in 0..BLOCK / L::WIDTH {
            if lane * L::WIDTH >= length {
                break;
            }
            let v = lanes.load(block, lane);
            let is = |byte: u8| lanes.is(v, byte);
            let within = |low: u8, high: u8| lanes.within(v, low, high);
            let put = |v: L::Vector| lanes.bits(v) << (lane * L::WIDTH);
            let digit = within(b'0', b'9');
            let upper = within(b'A', b'Z');
            let colon = is(b':');
            masks.word |= put(lanes.any([digit, upper, within(b'a', b'z')]));
            masks.digit |= put(digit);
            masks.upper |= put(upper);
            masks.assign |= put(lanes.any([colon, is(b'=')]));
            masks.colon |= put(colon);
            masks.dash |= put(is(b'-'));
            masks.comma |= put(is(b','));
            masks.quote |= put(lanes.any([is(b'"'), is(b'\'')]));
            // `%` and `&` are neighbours, and so are `[` and the backslash.
            masks.rare |= put(lanes.any([
                is(b'@'),
                is(b'<'),
                within(b'%', b'&'),
                within(b'[', b'\\'),
                is(b'~'),
                is(0x1b),
            ]));
            masks.high |= put(v);
        }
        masks
    }
}

/// The signs that matter beside digits, of those blocks that have digits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Joins {
    /// `_`
    pub(crate) underscore: u64,
    /// `.`
    pub(crate) dot: u64,
    /// `/`
    pub(crate) stroke: u64,
    /// What stands between the groups of a number: blank, `(`, `)`, `-`, `.`, `/`.
    pub(crate) group: u64,
}

impl Joins {
    /// The bitmaps of `block`.
    #[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
    #[inline(always)]
    pub(crate) fn of<L: Lanes>(lanes: L, block: &[u8; BLOCK]) -> Self {
        let mut joins = Self::default();
        for lane in 0..BLOCK / L::WIDTH {
            let v = lanes.load(block, lane);
            let is = |byte: u8| lanes.is(v, byte);
            let within = |low: u8, high: u8| lanes.within(v, low, high);
            let put = |v: L::Vector| lanes.bits(v) << (lane * L::WIDTH);
            joins.underscore |= put(is(b'_'));
            joins.dot |= put(is(b'.'));
            joins.stroke |= put(is(b'/'));
            joins.group |= put(lanes.any([is(b' '), within(b'(', b')'), within(b'-', b'/')]));
        }
        joins
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
            let put = |v| Baseline.bits(v) << (lane * Baseline::WIDTH);
            letters.digit |= put(Baseline.within(v, b'0', b'9'));
            letters.upper |= put(Baseline.within(v, b'A', b'Z'));
            letters.lower |= put(Baseline.within(v, b'a', b'z'));
            letters.high |= put(v);
        }
        letters
    }
}

/// Bytes side by side, as a machine compares them. A comparison gives a byte of ones for yes.
pub(crate) trait Lanes: Copy {
    /// Bytes that are compared at once.
    const WIDTH: usize;
    type Vector: Copy;

    fn load(self, block: &[u8; BLOCK], lane: usize) -> Self::Vector;
    fn is(self, v: Self::Vector, byte: u8) -> Self::Vector;
    fn within(self, v: Self::Vector, low: u8, high: u8) -> Self::Vector;
    fn any<const N: usize>(self, of: [Self::Vector; N]) -> Self::Vector;
    /// The upper bit of each byte.
    fn bits(self, v: Self::Vector) -> u64;
}

/// What every machine has that the program runs on.
#[derive(Clone, Copy)]
pub(crate) struct Baseline;

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
    fn within(self, v: u8x16, low: u8, high: u8) -> u8x16 {
        let moved = v - u8x16::splat(low);
        moved.min(u8x16::splat(high - low)).simd_eq(moved)
    }

    #[inline]
    fn any<const N: usize>(self, of: [u8x16; N]) -> u8x16 {
        of.into_iter().fold(u8x16::splat(0), |any, v| any | v)
    }

    #[inline]
    fn bits(self, v: u8x16) -> u64 {
        u64::from(v.to_bitmask())
    }
}

/// AVX2, where the processor has it.
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::__m256i;

    use pulp::x86::V3;

    use super::{BLOCK, Lanes};

    #[expect(clippy::inline_always, reason = "an instruction each")]
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
        fn within(self, v: __m256i, low: u8, high: u8) -> __m256i {
            let all = |byte: u8| self.avx._mm256_set1_epi8(byte.cast_signed());
            let moved = self.avx2._mm256_sub_epi8(v, all(low));
            self.avx2._mm256_cmpeq_epi8(self.avx2._mm256_min_epu8(moved, all(high - low)), moved)
        }

        #[inline(always)]
        fn any<const N: usize>(self, of: [__m256i; N]) -> __m256i {
            let mut any = self.avx._mm256_setzero_si256();
            for v in of {
                any = self.avx2._mm256_or_si256(any, v);
            }
            any
        }

        #[inline(always)]
        fn bits(self, v: __m256i) -> u64 {
            u64::from(self.avx2._mm256_movemask_epi8(v).cast_unsigned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_value_is_in_its_classes() {
        for byte in 0..=255_u8 {
            for place in [0, 15, 16, 63] {
                let mut block = [0; BLOCK];
                block[place] = byte;
                let masks = Masks::of(Baseline, &block, BLOCK);
                let joins = Joins::of(Baseline, &block);
                let bit = 1_u64 << place;
                let expect = |yes: bool| if yes { bit } else { 0 };
                assert_eq!(masks.word, expect(byte.is_ascii_alphanumeric()));
                assert_eq!(masks.digit, expect(byte.is_ascii_digit()));
                assert_eq!(masks.upper, expect(byte.is_ascii_uppercase()));
                assert_eq!(masks.assign, expect(matches!(byte, b':' | b'=')));
                assert_eq!(masks.colon, expect(byte == b':'));
                assert_eq!(masks.dash, expect(byte == b'-'));
                assert_eq!(joins.underscore, expect(byte == b'_'));
                assert_eq!(masks.comma, expect(byte == b','));
                assert_eq!(masks.quote, expect(matches!(byte, b'"' | b'\'')));
                assert_eq!(joins.dot, expect(byte == b'.'));
                assert_eq!(joins.stroke, expect(byte == b'/'));
                assert_eq!(
                    joins.group,
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
