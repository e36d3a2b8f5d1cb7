//! The name of a street: by the kind of way, before its name, behind it, or the ending of it.

use super::super::classes::Class;
use super::super::run::{Role, Run};
use super::super::{fold, lexicon, words};

/// A street by its name.
pub(super) struct Street {
    pub(super) end: usize,
    /// Whether the name says that it is one.
    pub(super) told: bool,
}

/// The street whose name begins with the capital at `at`.
pub(super) fn street(text: &[u8], at: usize) -> Option<Street> {
    const JOINED: [&[u8]; 4] = [b"-ro", b"-gil", b"-daero", b"-dori"];
    // `NE Cully Blvd`.
    let at = match text[at..] {
        [b'N' | b'S', b'E' | b'W', b' ', ..] if words::capital(text, at + 3) => at + 3,
        _ => at,
    };
    let run = Run::read(text, at);
    let parts = run.parts();
    let first = parts.first()?;
    if first.class.any(Class::NEVER) || first.role != Role::Word && parts.len() < 2 {
        return None;
    }
    if first.class.any(Class::STREET_LEAD) && parts.len() > 1 {
        let end = parts[parts.len() - 1].end;
        return Some(Street { end: end + quarter(text, end), told: true });
    }
    for (i, part) in parts.iter().enumerate() {
        let whole = i > 0 && part.class.any(Class::STREET);
        // `Tollgate Road`: the word behind says what it is.
        let named = || parts.get(i + 1).is_some_and(|next| next.class.any(Class::STREET));
        if part.role == Role::Word && (whole || ends_as_street(text, part.end) && !named()) {
            let stop = usize::from(text.get(part.end) == Some(&b'.') && whole);
            let end = part.end + stop;
            return Some(Street { end: end + quarter(text, end), told: true });
        }
        // `Teheran-ro`.
        if let Some(kind) = JOINED.iter().find(|kind| text[part.end..].starts_with(kind)) {
            return Some(Street { end: part.end + kind.len(), told: true });
        }
        if part.class.any(Class::NEVER) {
            return None;
        }
    }
    let end = parts[parts.len() - 1].end;
    let kind = small_kind(text, end);
    Some(Street { end: kind.unwrap_or(end), told: kind.is_some() })
}

/// ` W`, ` NE` behind the kind of a street: its bytes.
fn quarter(text: &[u8], end: usize) -> usize {
    let letters = text[end..].iter().skip(1).take(3).take_while(|b| b"NSEWO".contains(b)).count();
    let closed =
        matches!(text.get(end + 1 + letters), None | Some(b',' | b'\n' | b'"' | b'.' | b' '));
    let blank = text.get(end) == Some(&b' ');
    if blank && closed && (1..=2).contains(&letters) { 1 + letters } else { 0 }
}

/// The end of a small word behind the name at `end` that says what it is: `Trenerys gate`.
fn small_kind(text: &[u8], end: usize) -> Option<usize> {
    let from = end + 1;
    if text.get(end) != Some(&b' ') || !text.get(from).is_some_and(u8::is_ascii_lowercase) {
        return None;
    }
    let to = words::end(text, from);
    let class = lexicon::class(&text[from..to]);
    let word = &text[from..to];
    let plain = !class.any(Class::WORD)
        || matches!(
            word,
            b"street" | b"road" | b"gate" | b"avenue" | b"ulica" | b"utca" | b"cesta"
        )
        || matches!(word, b"iela" | b"ulice" | b"trg");
    (class.any(Class::STREET) && plain && (word.len() > 2 || word == b"tn")).then_some(to)
}

/// Endings of the names of streets, without accents.
const ENDINGS: [&[u8]; 68] = [
    b"strasse",
    b"straat",
    b"str",
    b"weg",
    b"platz",
    b"gasse",
    b"allee",
    b"chaussee",
    b"ufer",
    b"damm",
    b"laan",
    b"plein",
    b"gracht",
    b"kade",
    b"dreef",
    b"singel",
    b"gatan",
    b"gata",
    b"vagen",
    b"vag",
    b"vej",
    b"veien",
    b"veg",
    b"vegen",
    b"vegur",
    b"gade",
    b"gate",
    b"stigen",
    b"stien",
    b"bakken",
    b"backen",
    b"parken",
    b"katu",
    b"kuja",
    b"polku",
    b"tie",
    b"gotu",
    b"ulitsa",
    b"utca",
    b"braut",
    b"stigur",
    b"straeti",
    b"strade",
    b"ogatan",
    b"hofweg",
    b"steig",
    b"graben",
    b"plads",
    b"straede",
    b"torget",
    b"torg",
    b"esplanadi",
    b"aukio",
    b"raitti",
    b"rinne",
    b"tanav",
    b"maantee",
    b"puiestee",
    b"dijk",
    b"gaarde",
    b"burgwal",
    b"gasschen",
    b"gaessle",
    b"berget",
    b"backa",
    b"terrassen",
    b"veita",
    b"smauet",
];

/// Whether the word that ends before `end` ends as names of streets do.
pub(crate) fn ends_as_street(text: &[u8], end: usize) -> bool {
    /// For each last letter of an ending, the letters before it, one bit each.
    const LAST: [u32; 26] = {
        let mut last = [0; 26];
        let mut i = 0;
        while i < ENDINGS.len() {
            let [.., second, first] = *ENDINGS[i] else { panic!("an ending has two letters") };
            last[(first - b'a') as usize] |= 1 << (second - b'a');
            i += 1;
        }
        last
    };
    let start = words::start(text, end);
    if end - start < 6 {
        return false;
    }
    // Two letters tell most words, unless an accent is to be folded first.
    let two = [text[end - 2], text[end - 1]].map(|byte| byte.to_ascii_lowercase());
    if two.iter().all(u8::is_ascii_lowercase) {
        let [second, first] = two.map(|byte| byte - b'a');
        if LAST[usize::from(first)] >> second & 1 == 0 {
            return false;
        }
    }
    let mut folded = [0; 40];
    let mut length = 0;
    fold::each(&text[start..end], |byte| {
        if let Some(place) = folded.get_mut(length) {
            *place = byte;
            length += 1;
        }
    });
    let mut word = &folded[..length];
    // `ß` folds to one letter.
    if word.ends_with(b"strase") {
        word = b"xxxstrasse";
    }
    let known = lexicon::class(&text[start..end]);
    let ends_with = |ending: &[u8]| {
        // Nearly all endings are told by their last letter.
        word.last() == ending.last() && word.len() > ending.len() + 2 && word.ends_with(ending)
    };
    ENDINGS.iter().any(|ending| ends_with(ending)) && !known.any(Class::WORD.with(Class::GIVEN))
}

/// Kinds of ways that nothing else in a log is called.
const SURE: [&[u8]; 89] = [
    b"Strasse",
    "Straße".as_bytes(),
    b"Platz",
    b"Allee",
    b"Gasse",
    b"Damm",
    b"Ufer",
    b"Weg",
    b"Straat",
    b"Laan",
    b"Baan",
    b"Plads",
    b"plads",
    "út".as_bytes(),
    "útja".as_bytes(),
    "tér".as_bytes(),
    b"tere",
    "körút".as_bytes(),
    b"rakpart",
    b"Street",
    b"Road",
    b"Avenue",
    b"Lane",
    b"Boulevard",
    b"utca",
    b"ulica",
    b"Rd",
    b"Ave",
    b"St",
    b"Blvd",
    b"tie",
    b"cesta",
    b"iela",
    "gatvė".as_bytes(),
    b"gatve",
    b"Gatve",
    b"Iela",
    b"Cesta",
    b"Sokak",
    "Sokağı".as_bytes(),
    b"Caddesi",
    b"Cad",
    b"Cd",
    b"Sk",
    "Bulvarı".as_bytes(),
    b"prospekts",
    b"pr",
    b"prospekt",
    b"trg",
    b"Trg",
    "nám".as_bytes(),
    "náměstí".as_bytes(),
    "námestie".as_bytes(),
    "nábřeží".as_bytes(),
    "tänav".as_bytes(),
    b"maantee",
    b"mnt",
    b"tn",
    b"pst",
    b"puiestee",
    b"Marg",
    b"Galli",
    b"Soi",
    b"Drive",
    b"Court",
    b"Crescent",
    b"Terrace",
    b"Close",
    b"Parade",
    b"Highway",
    b"Esplanade",
    b"Row",
    b"Square",
    b"Way",
    b"Ct",
    b"Dr",
    b"Ln",
    b"Ter",
    b"Cres",
    b"Pl",
    b"Hwy",
    b"Pkwy",
    b"Blv",
    b"utcai",
    "sétány".as_bytes(),
    b"sor",
    "köz".as_bytes(),
    "dűlő".as_bytes(),
    "lépcső".as_bytes(),
];

/// Whether `word` is such a kind of way.
pub(super) fn is_sure_street(word: &[u8]) -> bool {
    SURE.contains(&word)
}

/// Whether `word` is such a kind of way, with a name before it.
pub(super) fn is_plain_street(word: &[u8], text: &[u8], start: usize) -> bool {
    // `Király u. 15.`, `Belgrád rkp. 18.`: short for street and quay.
    const SHORT: [&[u8]; 2] = [b"u", b"rkp"];
    let name = words::before(text, start);
    let short = SHORT.contains(&word) && text.get(start + word.len()) == Some(&b'.');
    (short || is_sure_street(word)) && !name.is_empty() && words::capital(text, name.start)
}

/// Words between the words of a street's name.
pub(super) fn is_joint(word: &[u8]) -> bool {
    const JOINTS: [&[u8]; 22] = [
        b"de", b"la", b"le", b"les", b"du", b"des", b"del", b"della", b"delle", b"degli", b"dei",
        b"di", b"da", b"do", b"dos", b"das", b"den", b"der", b"van", b"al", b"el", b"y",
    ];
    JOINTS.contains(&word)
}

/// Whether a small word joins the kind of a street and its name: `rue de la Paix`, `via dei Fori`.
pub(crate) fn is_particle(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 16] = [
        b"de", b"du", b"des", b"la", b"le", b"les", b"los", b"las", b"del", b"della", b"dei",
        b"delle", b"do", b"da", b"dos", b"das",
    ];
    WORDS.contains(&word)
}
