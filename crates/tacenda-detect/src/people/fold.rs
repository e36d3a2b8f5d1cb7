//! Words made alike: small letters, no accents. `build.rs` includes this file too, so that the table
//! it writes and the engine that reads it agree.

/// U+00C0 to U+017F without their accents.
const LATIN: &[u8; 192] = b"aaaaaaaceeeeiiiidnooooo*ouuuuytsaaaaaaaceeeeiiiidnooooo/ouuuuyty\
    aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll\
    lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// Calls `visit` with each byte of `word`, folded. Letters beyond Latin stay what they are.
#[inline]
pub(crate) fn each(word: &[u8], mut visit: impl FnMut(u8)) {
    let mut i = 0;
    while i < word.len() {
        let byte = word[i];
        if let (0xc3..=0xc5, Some(&next @ 0x80..=0xbf)) = (byte, word.get(i + 1)) {
            visit(LATIN[usize::from(byte - 0xc3) * 64 + usize::from(next - 0x80)]);
            i += 2;
        } else if let (0xc8, Some(&next @ 0x98..=0x9b)) = (byte, word.get(i + 1)) {
            // The comma below of Romanian.
            visit(if next < 0x9a { b's' } else { b't' });
            i += 2;
        } else {
            visit(byte.to_ascii_lowercase());
            i += 1;
        }
    }
}

/// A hash of the folded word.
pub(crate) fn hash(word: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    each(word, |byte| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    // FNV mixes the low bits well and the high ones badly; the table is indexed by the high ones.
    (hash ^ hash >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Bits of the hash of a word's first eight letters.
pub(crate) const HEAD_BITS: u32 = 20;

/// The place of a word in the bitmap: `letters` are its first eight, folded, the first lowest.
#[inline]
pub(crate) fn head(letters: u64) -> usize {
    (letters.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - HEAD_BITS)) as usize
}
