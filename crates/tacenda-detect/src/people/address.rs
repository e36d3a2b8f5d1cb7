//! Postal addresses: a number and the name of a street, in the order of several countries, and what
//! goes on behind them.
//!
//! `12 Canary Row`, `Rosenweg 7`, `Via Tasso 129`, `19 rue La Boétie, Paris`. A street is told by the
//! kind of way (a word of its own or the ending of one), or by the rest of an address behind it.

use std::ops::Range;

use super::classes::Class;
use super::run::{Part, Role, Run};
use super::{fold, lexicon, words};
use crate::boundary;

/// Most digits of a house number.
const HOUSE: usize = 5;

/// The address whose house number stands before the capital at `at`.
pub(crate) fn behind_number(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = number_before(text, at)?;
    let street = street(text, at)?;
    let (end, numbered) = number_behind(text, street.end);
    let told = street.told || numbered && (goes_on(text, end) || announced(text, start));
    told.then(|| start..extent(text, end))
}

/// The address that begins with the capital at `at`: the house number stands behind the street.
pub(crate) fn from_capital(text: &[u8], at: usize) -> Option<Range<usize>> {
    let street = street(text, at)?;
    let (end, numbered) = number_behind(text, street.end);
    numbered.then(|| at..extent(text, end))
}

/// The address whose house number begins at `at`, behind the name of the street.
pub(crate) fn before_number(text: &[u8], at: usize) -> Option<Range<usize>> {
    const BACK: usize = 6;
    let end = house_end(text, at)?;
    // A street that is called by its name alone: `adresa: Masarykova 12, 602 00 Brno`.
    let name = words::before(text, at);
    if words::capital(text, name.start)
        && name.end + 1 == at
        && !lexicon::class(&text[name.clone()]).any(Class::NEVER)
        && announced(text, name.start)
        && (goes_on(text, end) || coded(text, end))
    {
        return opens(text, name.start).then(|| name.start..extent(text, end));
    }
    // The street may have several words; the kind of way stands before or behind the others.
    let mut start = at;
    for _ in 0..BACK {
        let word = words::before(text, start);
        if word.is_empty() || word.end + 1 != start && text.get(word.end) != Some(&b'.') {
            return None;
        }
        start = word.start;
        let class = lexicon::class(&text[word.clone()]);
        if class.any(Class::NEVER) {
            return None;
        }
        let last = word.end + 1 >= at - 1;
        let kind = last && words::capital(text, start) && ends_as_street(text, word.end)
            || class.any(Class::STREET_LEAD) && !last
            || last
                && class.any(Class::STREET)
                && is_plain_street(&text[word.clone()], text, start);
        if kind {
            if last && class.any(Class::STREET) && !class.any(Class::STREET_LEAD) {
                // `Bay Street 4`: the name stands before.
                let name = words::before(text, start);
                if !name.is_empty() && words::capital(text, name.start) {
                    start = name.start;
                }
            }
            let start = number_before(text, start).unwrap_or(start);
            return opens(text, start).then(|| start..extent(text, end));
        }
        if !words::capital(text, start) && !is_joint(&text[word]) {
            return None;
        }
    }
    None
}

/// The address at the small words before the capital at `at`: `19 rue La Boétie`, `via Roma 3`,
/// `12 rue des Martyrs`.
pub(crate) fn behind_lead(text: &[u8], at: usize) -> Option<Range<usize>> {
    let mut lead = words::before(text, at);
    for _ in 0..2 {
        if is_particle(&text[lead.clone()]) {
            lead = words::before(text, lead.start);
        }
    }
    if !lexicon::class(&text[lead.clone()]).any(Class::STREET_LEAD) {
        return None;
    }
    let name = street(text, at).map(|street| street.end).or_else(|| {
        let run = Run::read(text, at);
        run.parts().last().map(|part| part.end)
    })?;
    let before = number_before(text, lead.start);
    let (end, numbered) = number_behind(text, name);
    (before.is_some() || numbered)
        .then(|| before.unwrap_or(lead.start)..extent(text, end))
        .filter(|range| opens(text, range.start))
}

/// Whether a small word joins the kind of a street and its name: `rue de la Paix`, `via dei Fori`.
pub(super) fn is_particle(word: &[u8]) -> bool {
    const WORDS: [&[u8]; 16] = [
        b"de", b"du", b"des", b"la", b"le", b"les", b"los", b"las", b"del", b"della", b"dei",
        b"delle", b"do", b"da", b"dos", b"das",
    ];
    WORDS.contains(&word)
}

/// The post office box whose keyword of `width` bytes is at `at`, and what goes on behind it.
pub(crate) fn post_box(text: &[u8], at: usize, width: usize) -> Option<Range<usize>> {
    let mut from = at + width;
    let signs = |from: usize| {
        text[from.min(text.len())..]
            .iter()
            .take(4)
            .take_while(|b| matches!(b, b' ' | b'.' | b':' | b'#'))
            .count()
    };
    from += signs(from);
    let digits = text.get(from..)?.iter().take(7).take_while(|byte| byte.is_ascii_digit()).count();
    let end = from + digits;
    let closed = text.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let start = number_before(text, at).unwrap_or(at);
    ((1..=6).contains(&digits) && closed && boundary::opens(text, at))
        .then(|| start..extent(text, end))
}

/// A street by its name.
struct Street {
    end: usize,
    /// Whether the name says that it is one.
    told: bool,
}

/// The street whose name begins with the capital at `at`.
fn street(text: &[u8], at: usize) -> Option<Street> {
    let run = Run::read(text, at);
    let parts = run.parts();
    let first = parts.first()?;
    if first.class.any(Class::NEVER) || first.role != Role::Word && parts.len() < 2 {
        return None;
    }
    if first.class.any(Class::STREET_LEAD) && parts.len() > 1 {
        return Some(Street { end: parts[parts.len() - 1].end, told: true });
    }
    for (i, part) in parts.iter().enumerate() {
        let whole = i > 0 && part.class.any(Class::STREET);
        if part.role == Role::Word && (whole || ends_as_street(text, part.end)) {
            let stop = usize::from(text.get(part.end) == Some(&b'.') && whole);
            let end = part.end + stop;
            return Some(Street { end: end + quarter(text, end), told: true });
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
    let letters = text[end..].iter().skip(1).take(3).take_while(|b| b"NSEW".contains(b)).count();
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
    let plain =
        !class.any(Class::WORD) || matches!(word, b"street" | b"road" | b"gate" | b"avenue");
    (class.any(Class::STREET) && plain && word.len() > 2).then_some(to)
}

/// Whether the word that ends before `end` ends as names of streets do.
pub(super) fn ends_as_street(text: &[u8], end: usize) -> bool {
    const ENDINGS: [&[u8]; 46] = [
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
    ];
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
    ENDINGS.iter().any(|ending| word.len() > ending.len() + 2 && word.ends_with(ending))
        && !known.any(Class::WORD.with(Class::GIVEN))
}

/// Kinds of ways that nothing else in a log is called, with a name before them.
fn is_plain_street(word: &[u8], text: &[u8], start: usize) -> bool {
    const SURE: [&[u8]; 31] = [
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
        "tere".as_bytes(),
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
    ];
    // `Király u. 15.`, `Belgrád rkp. 18.`: short for street and quay.
    const SHORT: [&[u8]; 2] = [b"u", b"rkp"];
    let name = words::before(text, start);
    let short = SHORT.contains(&word) && text.get(start + word.len()) == Some(&b'.');
    (short || SURE.contains(&word)) && !name.is_empty() && words::capital(text, name.start)
}

/// Words between the words of a street's name.
fn is_joint(word: &[u8]) -> bool {
    const JOINTS: [&[u8]; 22] = [
        b"de", b"la", b"le", b"les", b"du", b"des", b"del", b"della", b"delle", b"degli", b"dei",
        b"di", b"da", b"do", b"dos", b"das", b"den", b"der", b"van", b"al", b"el", b"y",
    ];
    JOINTS.contains(&word)
}

/// Where the house number before the word at `at` begins; the numbers of houses and flats may stand
/// side by side.
fn number_before(text: &[u8], at: usize) -> Option<usize> {
    let one = |at: usize| {
        let end = at.checked_sub(1).filter(|end| text.get(*end) == Some(&b' '))?;
        let end = if end > 0 && text[end - 1] == b',' { end - 1 } else { end };
        let letter =
            end > 1 && text[end - 1].is_ascii_lowercase() && text[end - 2].is_ascii_digit();
        let end = end - usize::from(letter);
        let digits = text[..end].iter().rev().take(HOUSE + 1).take_while(|b| b.is_ascii_digit());
        let digits = digits.count();
        let start = end - digits;
        ((1..=HOUSE).contains(&digits) && opens(text, start)).then_some(start)
    };
    let first = one(at)?;
    Some(one(first).unwrap_or(first))
}

/// Whether an address can begin at `at`.
fn opens(text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|i| text[i]) else { return true };
    boundary::opens(text, at)
        && !matches!(before, b'.' | b'_' | b'/' | b'-' | b'$' | b'@' | b'+' | 0x80..)
        && !(before == b':' && at > 1 && text[at - 2].is_ascii_digit())
}

/// Where the house number at `at` ends, if it is one.
fn house_end(text: &[u8], at: usize) -> Option<usize> {
    let digits = text[at..].iter().take(HOUSE + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = at + digits;
    if text.get(end).is_some_and(u8::is_ascii_lowercase)
        && !text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric)
    {
        end += 1;
    }
    // `ulica 84/92`: houses that belong together, or a house and a flat.
    if digits <= 4 && text.get(end) == Some(&b'/') {
        let flat = text[end + 1..].iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
        end += if (1..=4).contains(&flat) { 1 + flat } else { 0 };
    }
    let next = text.get(end + 1).copied().unwrap_or(b' ');
    let open = match text.get(end) {
        Some(b'.' | b'-' | b'/') => next.is_ascii_alphanumeric(),
        // `Iter 10:` counts.
        Some(b':' | b'%' | b'_' | b'=' | b'(' | b'@') => true,
        Some(byte) => byte.is_ascii_alphanumeric(),
        None => false,
    };
    ((1..=HOUSE).contains(&digits) && !open).then_some(end)
}

/// The end of the house number behind a street, if there is one.
fn number_behind(text: &[u8], end: usize) -> (usize, bool) {
    // `Rua das Flores, 88`, `Bulevardi No: 12`.
    const JOINTS: [&[u8]; 6] = [b" ", b", ", b" No:", b" No: ", b" No. ", ", nº ".as_bytes()];
    let found = JOINTS.iter().find_map(|joint| {
        let number = end + joint.len();
        let stands = text[end..].starts_with(joint) && text.get(number)?.is_ascii_digit();
        stands.then(|| house_end(text, number)).flatten()
    });
    found.map_or((end, false), |end| (end, true))
}

/// Words before an address: `lives at`, `address:`.
fn announced(text: &[u8], start: usize) -> bool {
    const LOOK_BACK: usize = 32;
    const WORDS: [&[u8]; 17] = [
        b"address",
        b"adres",
        b"anschrift",
        b"domicilio",
        b"indirizzo",
        b"osoite",
        b"lives at",
        b"live at",
        b"located at",
        b"office is at",
        b"taxi to",
        b"return to",
        b"sent to",
        b"restaurant is at",
        b"ships to",
        b"deliver to",
        b"moved to",
    ];
    let before = &text[start.saturating_sub(LOOK_BACK)..start];
    WORDS.iter().any(|word| before.windows(word.len()).any(|w| w.eq_ignore_ascii_case(word)))
}

/// Whether a flat or a postcode follows.
fn goes_on(text: &[u8], end: usize) -> bool {
    let next = separators(text, end);
    next > end
        && (unit(text, next).is_some() || town(text, next, false).is_some_and(|(_, sure)| sure))
}

/// Whether a postcode follows.
fn coded(text: &[u8], end: usize) -> bool {
    let next = separators(text, end);
    next > end && next < text.len() && postcode(text, next).is_some()
}

/// Where the address goes on to: flat, town, state, postcode, country.
fn extent(text: &[u8], end: usize) -> usize {
    const ELEMENTS: usize = 7;
    let mut end = end;
    let mut flat = false;
    for _ in 0..ELEMENTS {
        let next = separators(text, end);
        if next == end {
            break;
        }
        let unit = unit(text, next);
        let element = unit
            .or_else(|| postcode(text, next))
            .or_else(|| town(text, next, flat).map(|(end, _)| end));
        flat = unit.is_some();
        match element {
            Some(found) => end = found,
            None => break,
        }
    }
    end
}

/// What stands between the parts of an address, over the ends of lines.
fn separators(text: &[u8], from: usize) -> usize {
    const MOST: usize = 8;
    // `utca 76. Apt. 289`: the stop makes the number an ordinal.
    let ordinal = from > 0
        && text[from - 1].is_ascii_digit()
        && text.get(from) == Some(&b'.')
        && matches!(text.get(from + 1), Some(b' ' | b'\n'));
    let mut at = from + usize::from(ordinal);
    while at < from + MOST {
        match text.get(at) {
            Some(b' ' | b',' | b'\n' | b'\r' | b'\t' | b'>' | b'?' | b';') => at += 1,
            Some(b'\\') => {
                let escape = text[at..].iter().take(8).take_while(|byte| **byte == b'\\').count();
                if !matches!(text.get(at + escape), Some(b'n' | b'r' | b't')) {
                    break;
                }
                at += escape + 1;
            }
            _ => break,
        }
    }
    at
}

/// `Apt. 276`, `Suite 12`, `Flat 3`, `#12`.
fn unit(text: &[u8], at: usize) -> Option<usize> {
    const UNITS: [&[u8]; 14] = [
        b"apartment",
        b"apt",
        b"suite",
        b"ste",
        b"unit",
        b"flat",
        b"floor",
        b"room",
        b"building",
        b"bldg",
        b"box",
        b"block",
        b"top",
        b"etage",
    ];
    // `3º B`, `2ª izq`: the floor and the door in Spain and Portugal.
    let floor =
        text[at.min(text.len())..].iter().take(2).take_while(|b| b.is_ascii_digit()).count();
    if floor > 0 && text[at + floor..].starts_with(&[0xc2]) && floors(text, at + floor) {
        let door = at + floor + 2;
        let letters = words::end(text, (door + 1).min(text.len())) - (door + 1).min(text.len());
        let more = text.get(door) == Some(&b' ') && (1..=4).contains(&letters);
        return Some(if more { door + 1 + letters } else { door });
    }
    let end = words::end(text, at);
    let word = &text[at..end];
    if !UNITS.iter().any(|unit| unit.eq_ignore_ascii_case(word)) {
        return None;
    }
    let from =
        end + text[end..].iter().take(3).take_while(|b| matches!(b, b'.' | b' ' | b'#')).count();
    let length =
        text[from..].iter().take(6).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let number = &text[from..from + length];
    (number.iter().any(u8::is_ascii_digit) && from > end).then_some(from + length)
}

/// Whether `º`, `ª` or `°` stands at `at`.
fn floors(text: &[u8], at: usize) -> bool {
    ["º", "ª", "°"].iter().any(|sign| text[at..].starts_with(sign.as_bytes()))
}

/// Four to six digits, ZIP+4, `SW1A 1AA`, `1234 AB`, `K1A 0B1`.
fn postcode(text: &[u8], at: usize) -> Option<usize> {
    let code = |from: usize| {
        text[from.min(text.len())..]
            .iter()
            .take(8)
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count()
    };
    let first = code(at);
    let word = &text[at..at + first];
    let digits = word.iter().filter(|byte| byte.is_ascii_digit()).count();
    let closes = |end: usize| {
        text.get(end).is_none_or(|byte| !matches!(byte, b'_' | b':' | b'=' | b'%' | b'/'))
    };
    // `111 23`, `00-514`: Sweden, Czechia, Greece; Poland.
    let parted = match (first, text.get(at + first)) {
        (3, Some(b' ')) => 2,
        (2, Some(b'-')) => 3,
        _ => 0,
    };
    if digits == first && parted > 0 {
        let rest = &text[at + first + 1..];
        let town = |from: usize| text.get(from) == Some(&b' ') && words::capital(text, from + 1);
        let end = at + first + 1 + parted;
        let whole = code(at + first + 1) == parted
            && rest[..parted].iter().all(u8::is_ascii_digit)
            && town(end);
        return whole.then_some(end);
    }
    if digits == first && (4..=6).contains(&first) {
        let end = at + first;
        if text.get(end) == Some(&b'-') {
            let rest = code(end + 1);
            let plus = (3..=4).contains(&rest)
                && text[end + 1..end + 1 + rest].iter().all(u8::is_ascii_digit);
            return plus.then_some(end + 1 + rest);
        }
        return closes(end).then_some(end);
    }
    // Two groups of letters and digits in capitals.
    let capital = |word: &[u8]| word.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    let second = if text.get(at + first) == Some(&b' ') { code(at + first + 1) } else { 0 };
    let end = at + first + 1 + second;
    let rest = text.get(at + first + 1..end)?;
    ((2..=4).contains(&first)
        && second == 3
        && digits > 0
        && capital(word)
        && capital(rest)
        && rest[0].is_ascii_digit()
        && closes(end))
    .then_some(end)
}

/// A town, state or country: one to four words with capitals, which nothing but a sign, a line's end
/// or a postcode follows; behind a `flat` nothing else comes. Also tells whether a postcode does, or the list of places has it.
fn town(text: &[u8], at: usize, flat: bool) -> Option<(usize, bool)> {
    const WORDS: usize = 5;
    let run = Run::read(text, at);
    let parts = run.parts();
    let last = parts.last()?;
    let whole = joined(text, last.end);
    let never = |part: &Part| lexicon::class(&text[part.start..part.end]).any(Class::NEVER);
    let capitals = text[at..last.end].iter().all(|byte| !byte.is_ascii_lowercase());
    if parts.len() > WORDS || !capitals && parts.iter().any(never) {
        return None;
    }
    let next = separators(text, whole);
    let postcode = postcode(text, next).is_some() && next > whole;
    let closed = text
        .get(whole)
        .is_none_or(|byte| matches!(byte, b',' | b'\n' | b'.' | b'"' | b'\'' | b'\\' | b'?'));
    let place = parts[0].class.any(Class::PLACE);
    (closed || postcode || place || flat && !parts[0].class.any(Class::WORD))
        .then_some((whole, postcode || place))
}

/// Where a name goes on over small words: `Saint Kitts and Nevis`, `Kingdom of the Netherlands`.
fn joined(text: &[u8], end: usize) -> usize {
    const JOINTS: [&[u8]; 14] = [
        b" and ",
        b" of the ",
        b" of ",
        b" u ",
        b" im ",
        b" am ",
        b" an der ",
        b" in der ",
        b" bei ",
        b" de ",
        b" del ",
        b" do ",
        b" sur ",
        b" upon ",
    ];
    let next =
        JOINTS.iter().find(|joint| text[end..].starts_with(joint)).map(|joint| end + joint.len());
    let Some(next) = next.filter(|next| words::capital(text, *next)) else { return end };
    let more = words::end(text, next);
    // What does not end the line is another part of the sentence.
    let after = separators(text, more);
    let closed = matches!(text.get(more), None | Some(b'\n' | b'\\'));
    if closed || after > more && postcode(text, after).is_some() { more } else { end }
}
