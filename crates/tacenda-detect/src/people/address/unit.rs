//! Flats, floors, doors, blocks and plots.

use super::super::{fold, words};

/// Flats, floors, doors and blocks, without accents.
pub(super) const UNITS: [&[u8]; 103] = [
    b"andar",
    b"ap",
    b"apart",
    b"apartamento",
    b"apartment",
    b"app",
    b"appartement",
    b"appartamento",
    b"appt",
    b"apt",
    b"apto",
    b"barangay",
    b"bl",
    b"bat",
    b"bldg",
    b"blk",
    b"bloc",
    b"block",
    b"bloco",
    b"bloque",
    b"box",
    b"brgy",
    b"building",
    b"bureau",
    b"bus",
    b"byt",
    b"casa",
    b"colonia",
    b"conj",
    b"conjunto",
    b"d",
    b"daire",
    b"departamento",
    b"depto",
    b"door",
    b"dpto",
    b"dur",
    b"entrance",
    b"erf",
    b"esc",
    b"escalera",
    b"et",
    b"etage",
    b"etaj",
    b"fl",
    b"flat",
    b"floor",
    b"gate",
    b"h",
    b"house",
    b"huis",
    b"int",
    b"interior",
    b"interno",
    b"kat",
    b"kv",
    b"lejl",
    b"level",
    b"lgh",
    b"local",
    b"lok",
    b"lot",
    b"lote",
    b"m",
    b"manzana",
    b"mieszkanie",
    b"mz",
    b"no",
    b"of",
    b"oficina",
    b"og",
    b"phase",
    b"piano",
    b"piso",
    b"planta",
    b"plot",
    b"porta",
    b"puerta",
    b"qd",
    b"quadra",
    b"raum",
    b"room",
    b"rm",
    b"rt",
    b"rw",
    b"sala",
    b"sc",
    b"scala",
    b"sector",
    b"stand",
    b"ste",
    b"stiege",
    b"stock",
    b"studio",
    b"suite",
    b"top",
    b"torre",
    b"tower",
    b"tur",
    b"unit",
    b"villa",
    b"ward",
    b"wing",
];

/// Whether a flat, a floor or a door is called so.
pub(super) fn is_unit(word: &[u8]) -> bool {
    in_list(&UNITS, word)
}

/// `5th Floor`, `2. tv.`, `3rd Cross`: what a number may stand before.
const NUMBERED: [&[u8]; 30] = [
    b"andar", b"block", b"cross", b"dcha", b"der", b"dir", b"dto", b"em", b"emelet", b"esq",
    b"etage", b"etg", b"floor", b"fte", b"izq", b"izda", b"kat", b"kerros", b"main", b"mf", b"og",
    b"patro", b"piano", b"piso", b"planta", b"sal", b"st", b"stock", b"th", b"tv",
];

/// `Apt. 276`, `Suite 12`, `Flat 3`, `#12`, `D: 4`, `5th Floor`, `3.º Esq.`, `14/F`.
pub(super) fn unit(text: &[u8], at: usize) -> Option<usize> {
    const NAMED: [&[u8]; 7] = [b" No. ", b" No.", b" No ", b"No. ", b" nr. ", b" Nr. ", b" n. "];
    if text.get(at).is_some_and(u8::is_ascii_digit) {
        return numbered_unit(text, at);
    }
    if let Some(plot) = plot(text, at) {
        return Some(plot);
    }
    // `III/2.`
    let roman =
        text[at.min(text.len())..].iter().take(5).take_while(|b| b"IVX".contains(b)).count();
    if roman > 0 && text.get(at + roman) == Some(&b'/') {
        return number_of_unit(text, at + roman + 1);
    }
    if text.get(at) == Some(&b'#') {
        return number_of_unit(text, at + 1).filter(|_| opens_number(text, at));
    }
    let end = words::end(text, at);
    if end == at || !in_list(&UNITS, &text[at..end]) {
        return None;
    }
    let gap = |from: usize, most: usize, signs: &[u8]| {
        from + text[from..].iter().take(most).take_while(|b| signs.contains(b)).count()
    };
    // `House No. 12`, `H/No. 7`, `Ward No. 6`.
    let stop = gap(end, 2, b"./");
    let named = NAMED.iter().find(|word| text[stop..].starts_with(word));
    let from = named.map_or_else(|| gap(end, 3, b".: #"), |word| stop + word.len());
    let short = end - at < 3;
    let number = number_of_unit(text, from)?;
    // One letter is a flat, unless the word before it is one of a sentence.
    let digits = text[from..number].iter().any(u8::is_ascii_digit);
    let lettered = number == from + 1 && (!short || stop > end);
    let told = digits && (!short || from > end) || lettered;
    (told && from > end).then_some(number)
}

/// `B-47`, `F-8/2`: plots and sectors of South Asia.
fn plot(text: &[u8], at: usize) -> Option<usize> {
    let digits = |from: usize| {
        text[from.min(text.len())..].iter().take(4).take_while(|b| b.is_ascii_digit()).count()
    };
    let letter =
        text.get(at).is_some_and(u8::is_ascii_uppercase) && text.get(at + 1) == Some(&b'-');
    let first = digits(at + 2);
    if !letter || !(1..=3).contains(&first) {
        return None;
    }
    let end = at + 2 + first;
    let second = if text.get(end) == Some(&b'/') { digits(end + 1) } else { 0 };
    let end = if second > 0 { end + 1 + second } else { end };
    text.get(end).is_none_or(|byte| matches!(byte, b',' | b' ' | b'"' | b'\n')).then_some(end)
}

/// Whether `#12` may stand at `at`: behind a blank.
fn opens_number(text: &[u8], at: usize) -> bool {
    at == 0 || matches!(text[at - 1], b' ' | b'\n' | b'"' | b'\'' | b'=')
}

/// The number of a flat: digits with letters around, or one capital; `14/F`, `03/RW`, `108-115`.
fn number_of_unit(text: &[u8], from: usize) -> Option<usize> {
    const LONGEST: usize = 7;
    let part = |from: usize| {
        text[from.min(text.len())..]
            .iter()
            .take(LONGEST)
            .take_while(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
            .count()
    };
    let mut end = from + part(from);
    let number = &text[from.min(end)..end];
    let digits = number.iter().any(u8::is_ascii_digit);
    if number.is_empty() || !digits && number.len() > 1 {
        return None;
    }
    if digits && text.get(end).is_some_and(u8::is_ascii_lowercase) {
        end += 1;
    }
    if matches!(text.get(end), Some(b'-' | b'/')) && part(end + 1) > 0 && digits {
        let more = end + 1 + part(end + 1);
        if text[end + 1].is_ascii_digit() || more == end + 2 {
            end = more;
        }
    }
    // `RT 03/RW 05`.
    if let Some(rest) = text[end..].strip_prefix(b"/RW ") {
        end += 4 + rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    }
    // `piso 6° C`.
    if let Some(floor) = ordinal_sign(text, end) {
        end = door(text, floor);
    }
    text.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').then_some(end)
}

/// The end of `º`, `ª` or `°` at `at`, with the stop before it.
fn ordinal_sign(text: &[u8], at: usize) -> Option<usize> {
    let at = at + usize::from(text.get(at) == Some(&b'.'));
    let found =
        ["º", "ª", "°"].iter().any(|sign| text[at.min(text.len())..].starts_with(sign.as_bytes()));
    found.then_some(at + 2)
}

/// ` B`, ` izq`, ` Esq.` behind a floor.
fn door(text: &[u8], floor: usize) -> usize {
    // `4ºC`.
    if text.get(floor).is_some_and(u8::is_ascii_uppercase)
        && !text.get(floor + 1).is_some_and(u8::is_ascii_alphanumeric)
    {
        return floor + 1;
    }
    let from = (floor + 1).min(text.len());
    let letters = words::end(text, from) - from;
    let more = text.get(floor) == Some(&b' ') && (1..=4).contains(&letters);
    if !more {
        return floor;
    }
    let end = from + letters;
    end + usize::from(letters > 1 && text.get(end) == Some(&b'.'))
}

/// `5th Floor`, `2. tv.`, `3º B`, `12 B`, `14/F`.
fn numbered_unit(text: &[u8], at: usize) -> Option<usize> {
    let digits = text[at..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = at + digits;
    if digits > 3 {
        return None;
    }
    if let Some(floor) = ordinal_sign(text, end) {
        return Some(door(text, floor));
    }
    if text[end..].starts_with(b"/F") {
        return Some(end + 2);
    }
    // `3r 2a`: floor and door in Catalan.
    if let [b'r' | b'n' | b't', b' ', door, b'a', b',', ..] = text[end..]
        && door.is_ascii_digit()
    {
        return Some(end + 4);
    }
    for ordinal in [&b"st"[..], b"nd", b"rd", b"th", b"er", b"."] {
        if text[end..].starts_with(ordinal) {
            end += ordinal.len();
            break;
        }
    }
    let from = end + usize::from(text.get(end) == Some(&b' '));
    let word = words::end(text, from);
    let known = word > from && from > end && in_list(&NUMBERED, &text[from..word]);
    known.then(|| word + usize::from(text.get(word) == Some(&b'.')))
}

/// Whether `list` has `word`, accents and capitals aside.
pub(super) fn in_list(list: &[&[u8]], word: &[u8]) -> bool {
    let mut folded = [0; 16];
    let mut length = 0;
    fold::each(word, |byte| {
        if let Some(place) = folded.get_mut(length) {
            *place = byte;
        }
        length += 1;
    });
    folded.get(..length).is_some_and(|word| list.contains(&word))
}
