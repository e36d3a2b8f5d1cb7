//! Words made alike: small letters, no accents. `build.rs` includes this file too, so that the table
//! it writes and the engine that reads it agree.

/// U+00C0 to U+017F without their accents.
const LATIN: &[u8; 192] = b"aaaaaaaceeeeiiiidnooooo*ouuuuytsaaaaaaaceeeeiiiidnooooo/ouuuuyty\
    aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll\
    lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

/// U+0400 to U+045F in Latin letters, as names are written in passports.
const CYRILLIC: [&str; 96] = [
    "e", "e", "dj", "g", "e", "z", "i", "i", "j", "lj", "nj", "c", "k", "i", "u", "dz", "a", "b",
    "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f",
    "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya", "a", "b", "v", "g", "d", "e",
    "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch",
    "sh", "shch", "", "y", "", "e", "yu", "ya", "e", "e", "dj", "g", "e", "z", "i", "i", "j", "lj",
    "nj", "c", "k", "i", "u", "dz",
];

/// U+0386 to U+03CE in Latin letters.
const GREEK: [&str; 73] = [
    "a", "", "e", "i", "i", "", "o", "", "y", "o", "i", "a", "v", "g", "d", "e", "z", "i", "th",
    "i", "k", "l", "m", "n", "x", "o", "p", "r", "", "s", "t", "y", "f", "ch", "ps", "o", "i", "y",
    "a", "e", "i", "i", "y", "a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "x",
    "o", "p", "r", "s", "s", "t", "y", "f", "ch", "ps", "o", "i", "y", "o", "y", "o",
];

/// Calls `visit` with each byte of `word`, folded: Cyrillic and Greek as they are written in Latin
/// letters. Letters of other alphabets stay what they are.
#[inline]
pub(crate) fn each(word: &[u8], mut visit: impl FnMut(u8)) {
    let mut i = 0;
    while i < word.len() {
        let byte = word[i];
        if byte < 0x80 {
            visit(byte.to_ascii_lowercase());
            i += 1;
        } else if let (0xc3..=0xc5, Some(&next @ 0x80..=0xbf)) = (byte, word.get(i + 1)) {
            visit(LATIN[usize::from(byte - 0xc3) * 64 + usize::from(next - 0x80)]);
            i += 2;
        } else if let (0xc8, Some(&next @ 0x98..=0x9b)) = (byte, word.get(i + 1)) {
            // The comma below of Romanian.
            visit(if next < 0x9a { b's' } else { b't' });
            i += 2;
        } else if let Some(letters) = abroad(byte, word.get(i + 1).copied()) {
            letters.bytes().for_each(&mut visit);
            i += 2;
        } else {
            visit(byte);
            i += 1;
        }
    }
}

/// The letter of these two bytes in Latin ones, if it is Cyrillic or Greek.
fn abroad(first: u8, second: Option<u8>) -> Option<&'static str> {
    let second = second.filter(|byte| matches!(byte, 0x80..=0xbf))?;
    let letter = usize::from(first & 0x1f) << 6 | usize::from(second & 0x3f);
    match first {
        0xd0..=0xd1 => CYRILLIC.get(letter - 0x400).copied(),
        0xce..=0xcf => GREEK.get(letter.checked_sub(0x386)?).copied(),
        _ => None,
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
