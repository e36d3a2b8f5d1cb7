//! What the last letters of a word say: of a family, of a father, or of a noun.

use super::{fold, words};

/// `Петрович`, `Petrovna`: the name of the father; in Latin letters among three names only, since families
/// are called so as well.
pub(super) fn is_patronymic(word: &[u8], names: usize) -> bool {
    const CYRILLIC: [&str; 8] = ["ович", "евич", "овна", "евна", "ична", "івна", "йович", "ївна"];
    const LATIN: [&[u8]; 5] = [b"ovich", b"evich", b"ovna", b"evna", b"ichna"];
    CYRILLIC.iter().any(|ending| word.ends_with(ending.as_bytes()))
        || names > 2 && LATIN.iter().any(|ending| word.ends_with(ending))
}

/// Endings that family names have in their languages, and few other words.
pub(super) fn ends_as_family(text: &[u8], end: usize) -> bool {
    const ENDINGS: [&[u8]; 37] = [
        b"ov", b"ev", b"ova", b"eva", b"ic", b"sky", b"ski", b"ska", b"ska", b"czyk", b"wicz",
        b"son", b"sen", b"dottir", b"kaya", b"vich", b"yev", b"escu", b"enko", b"chuk", b"yan",
        b"poulos", b"idis", b"akis", b"oglu", b"shvili", b"adze", b"zadeh", b"nen", b"mann",
        b"stein", b"etti", b"elli", b"ini", b"quist", b"strom", b"ez",
    ];
    let start = words::start(text, end);
    let mut folded = [0; 24];
    let mut length = 0;
    fold::each(&text[start..end], |byte| {
        if let Some(place) = folded.get_mut(length) {
            *place = byte;
            length += 1;
        }
    });
    let word = &folded[..length];
    length > 4 && ENDINGS.iter().any(|ending| word.ends_with(ending))
}

/// Endings of nouns and adjectives of several languages that given names do not have: `Ungültiger Wert`.
pub(super) fn ends_as_word(word: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 43] = [
        b"ung", b"heit", b"keit", b"schaft", b"liche", b"licher", b"liches", b"lichen", b"ische",
        b"ischer", b"isches", b"ischen", b"bare", b"barer", b"bares", b"baren", b"iger", b"iges",
        b"tter", b"ener", b"enes", b"lter", b"ltes", b"tion", b"cion", b"zione", b"sion", b"cao",
        b"mento", b"ment", b"dade", b"aire", b"able", b"ible", b"ique", b"heid", b"lijk", b"lijke",
        b"ness", b"less", b"tions", b"sions", b"ings",
    ];
    const SHORTEST: usize = 7;
    word.len() >= SHORTEST && (ends_as_noun(word) || ends_folded(word, &ENDINGS))
}

/// Endings of nouns that family names do not have either: `Dimensionen`.
pub(super) fn ends_as_noun(word: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 14] = [
        b"ionen",
        b"ungen",
        b"heiten",
        b"keiten",
        b"schaften",
        b"tion",
        b"cion",
        b"ciones",
        b"coes",
        b"zioni",
        b"ation",
        b"keit",
        b"heit",
        b"iteit",
    ];
    word.len() > 6 && ends_folded(word, &ENDINGS)
}

/// Whether a word ends in one of `endings`, accents and capitals aside.
fn ends_folded(word: &[u8], endings: &[&[u8]]) -> bool {
    let mut folded = [0; 32];
    let mut length = 0;
    fold::each(word, |byte| {
        if let Some(place) = folded.get_mut(length) {
            *place = byte;
            length += 1;
        }
    });
    endings.iter().any(|ending| folded[..length].ends_with(ending))
}
