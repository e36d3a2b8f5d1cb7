//! Postal addresses: a number and the name of a street, in the order of several countries, and what
//! goes on behind them.
//!
//! `12 Canary Row`, `Rosenweg 7`, `Via Tasso 129`, `19 rue La Boétie, Paris`. A street is told by the
//! kind of way (a word of its own or the ending of one), or by the rest of an address behind it.

mod house;
mod postcode;
mod rest;
mod street;
mod unit;

use std::ops::Range;

use super::classes::Class;
use super::run::{Part, Run};
use super::{lexicon, words};
use crate::boundary;
use house::{house_end, number_before, number_behind};
use postcode::postcode;
use rest::{beginning, coded, extent, goes_on};
pub(super) use street::{ends_as_street, is_particle};
use street::{is_joint, is_plain_street, is_sure_street, street};
use unit::is_unit;

/// The address whose house number stands before the capital at `at`.
pub(crate) fn behind_number(text: &[u8], at: usize) -> Option<Range<usize>> {
    let start = number_before(text, at)?;
    let street = street(text, at)?;
    let (end, numbered) = number_behind(text, street.end);
    let told = street.told
        || is_in_ward(&text[street.end..])
        || numbered && (goes_on(text, end) || announced(text, start))
        || !numbered && is_in_town(text, street.end);
    told.then(|| whole(text, start, end))
}

/// The address that begins with the capital at `at`: the house number stands behind the street.
pub(crate) fn from_capital(text: &[u8], at: usize) -> Option<Range<usize>> {
    let street = street(text, at)?;
    let (end, numbered) = number_behind(text, street.end);
    numbered.then(|| whole(text, at, end))
}

/// The address whose house number begins at `at`, behind the name of the street.
pub(crate) fn before_number(text: &[u8], at: usize) -> Option<Range<usize>> {
    // `21/Nov/2026`: no word stands before.
    if !is_behind_word(text, at) {
        return None;
    }
    let end = house_end(text, at)?;
    if let Some(start) = way_before(text, at).or_else(|| named_alone(text, at, end)) {
        return opens(text, start).then(|| whole(text, start, end));
    }
    if let Some(start) = flat_in_town(text, at, end) {
        return Some(whole(text, start, end));
    }
    let crossing = is_crossing(text, end);
    let last = if crossing { number_behind(text, end).0 } else { end };
    numbered_way(text, at, end).then(|| whole(text, words::before(text, at).start, last))
}

/// Whether a word stands before `at`, over a blank or a full stop.
fn is_behind_word(text: &[u8], at: usize) -> bool {
    let end = match text[..at] {
        [.., b'.', b' '] => at - 2,
        [.., b' ' | b'.'] => at - 1,
        _ => return false,
    };
    end.checked_sub(1).is_some_and(|last| {
        text[last].is_ascii_alphabetic() || text[last] >= 0x80 && words::start(text, end) < end
    })
}

/// Where a street begins whose name says that it is one, before the house number at `at`.
fn way_before(text: &[u8], at: usize) -> Option<usize> {
    const BACK: usize = 6;
    const SHORT: [&[u8]; 3] = [b"C/ ", b"c/ ", b"C/"];
    // The street may have several words; the kind of way stands before or behind the others.
    let mut start = at;
    let mut small = 0;
    for _ in 0..BACK {
        let word = words::before(text, start);
        if word.is_empty() || word.end + 1 != start && text.get(word.end) != Some(&b'.') {
            return None;
        }
        start = word.start;
        let class = lexicon::class(&text[word.clone()]);
        // `Boulevard Bakery SKU 1182` counts.
        let short = word.len() > 2 && text[word.clone()].iter().all(u8::is_ascii_uppercase);
        let last = word.end + 1 >= at - 1;
        let street = last && class.any(Class::STREET);
        if class.any(Class::NEVER) && !street || short {
            return None;
        }
        let kind = last && words::capital(text, start) && ends_as_street(text, word.end)
            || class.any(Class::STREET_LEAD)
                && !last
                && (small == 0 || words::capital(text, start))
            || last
                && class.any(Class::STREET)
                && is_plain_street(&text[word.clone()], text, start);
        let joined = over_hyphens(text, start);
        let kind = kind
            || last && class.any(Class::STREET) && joined.hyphens > 1
            || last && joined.hyphens == 1 && is_sure_street(&text[word.clone()]);
        if kind {
            if joined.hyphens > 0 {
                start = joined.start;
            } else if last && class.any(Class::STREET) && !class.any(Class::STREET_LEAD) {
                // `Bay Street 4`: the name stands before.
                let name = words::before(text, start);
                if !name.is_empty() && words::capital(text, name.start) {
                    start = name.start;
                }
            }
            return Some(number_before(text, start).unwrap_or(start));
        }
        // `Ulica kneza Mihaila 18`.
        small += usize::from(!words::capital(text, start) && !is_joint(&text[word]));
        if small > 1 {
            return None;
        }
        // `C/ Mayor 14`.
        if let Some(short) = SHORT.iter().find(|short| text[..start].ends_with(short)) {
            return Some(start - short.len());
        }
    }
    None
}

/// Words that hyphens join to the one behind them.
struct Joined {
    start: usize,
    hyphens: usize,
}

/// The words joined to the one at `start`: `Willy-Brandt-Platz`, `Karl-Marx-Allee`.
fn over_hyphens(text: &[u8], start: usize) -> Joined {
    const MOST: usize = 4;
    let mut joined = Joined { start, hyphens: 0 };
    while joined.hyphens < MOST && text[..joined.start].ends_with(b"-") {
        let word = words::start(text, joined.start - 1);
        if !words::capital(text, word) {
            break;
        }
        joined = Joined { start: word, hyphens: joined.hyphens + 1 };
    }
    joined
}

/// The address at the small words before the capital at `at`: `19 rue La Boétie`, `via Roma 3`,
/// `12 rue des Martyrs`.
pub(crate) fn behind_lead(text: &[u8], at: usize) -> Option<Range<usize>> {
    if at > 3 && text[at - 4].is_ascii_digit() {
        return behind_ordinal(text, at);
    }
    // `C/ Mallorca, 286`.
    if let [.., b'C' | b'c', b'/', b' '] = text[..at] {
        let (end, numbered) = number_behind(text, Run::read(text, at).parts().last()?.end);
        return (numbered && opens(text, at - 3)).then(|| whole(text, at - 3, end));
    }
    let mut lead = words::before(text, at);
    for _ in 0..2 {
        if is_particle(&text[lead.clone()]) {
            lead = words::before(text, lead.start);
        }
    }
    if !lexicon::class(&text[lead.clone()]).any(Class::STREET_LEAD) {
        return None;
    }
    let run = Run::read(text, at);
    // `Boulevard Bakery SKU 1182` counts.
    let short = |part: &Part| {
        part.end - part.start > 2 && text[part.start..part.end].iter().all(u8::is_ascii_uppercase)
    };
    if run.parts().iter().any(short) {
        return None;
    }
    let name = street(text, at).map(|street| street.end);
    let name = name.or_else(|| run.parts().last().map(|part| part.end))?;
    let before = number_before(text, lead.start);
    let (end, numbered) = number_behind(text, name);
    (before.is_some() || numbered)
        .then(|| whole(text, before.unwrap_or(lead.start), end))
        .filter(|range| opens(text, range.start))
}

/// The address at the capital of a kind of street behind an ordinal: `20 E 7th St`.
fn behind_ordinal(text: &[u8], at: usize) -> Option<Range<usize>> {
    let kind = words::end(text, at);
    if !lexicon::class(&text[at..kind]).any(Class::STREET) {
        return None;
    }
    let ordinal = &text[..at - 3];
    let mut start =
        at - 3 - ordinal.iter().rev().take(3).take_while(|b| b.is_ascii_digit()).count();
    for quarter in [&b" N "[..], b" S ", b" E ", b" W ", b" NE ", b" NW ", b" SE ", b" SW "] {
        if text[..start].ends_with(quarter) {
            start -= quarter.len() - 1;
            break;
        }
    }
    let house = number_before(text, start)?;
    Some(whole(text, house, kind))
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
    let end = from + digits + groups(&text[from + digits..]);
    let closed = text.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let start = number_before(text, at).unwrap_or(at);
    ((1..=6).contains(&digits) && closed && boundary::opens(text, at))
        .then(|| whole(text, start, end))
}

/// The bytes of more groups of digits: `12 34 56`, `12345-00200`.
fn groups(text: &[u8]) -> usize {
    const MOST: usize = 2;
    let mut length = 0;
    for _ in 0..MOST {
        let rest = &text[length..];
        let digits = rest.iter().skip(1).take(6).take_while(|byte| byte.is_ascii_digit()).count();
        let closed = rest.get(1 + digits).is_none_or(|byte| !byte.is_ascii_alphanumeric());
        match rest.first() {
            Some(b' ') if digits == 2 && closed => length += 3,
            Some(b'-') if digits > 2 && closed => length += 1 + digits,
            _ => break,
        }
    }
    length
}

/// The address around the street at `start`, whose number ends at `end`.
fn whole(text: &[u8], start: usize, end: usize) -> Range<usize> {
    beginning(text, start)..extent(text, end)
}

/// Where a street begins that is called by its name alone, before the number from `at` to `end`:
/// `adresa: Masarykova 12, 602 00 Brno`, `Hauptmarkt 4, 90403 Nürnberg`.
fn named_alone(text: &[u8], at: usize, end: usize) -> Option<usize> {
    let name = words::before(text, at);
    let class = lexicon::class(&text[name.clone()]);
    if !words::capital(text, name.start) || name.end + 1 != at || class.any(Class::NEVER) {
        return None;
    }
    let told = announced(text, name.start) && (goes_on(text, end) || coded(text, end))
        || !class.any(Class::WORD.with(Class::ORGANISATION))
            && name.len() > 3
            && is_coded_town(text, end);
    (told && opens(text, name.start)).then_some(name.start)
}

/// Where the flat begins whose number stands from `at` to `end`, before a building, a town and their
/// postcode: `Flat 4, Vrondak Court, Leeds, LS6 2AB`.
fn flat_in_town(text: &[u8], at: usize, end: usize) -> Option<usize> {
    let flat = words::before(text, at);
    let known = is_unit(&text[flat.clone()]) && words::capital(text, flat.start);
    (known && opens(text, flat.start) && is_in_town(text, end)).then_some(flat.start)
}

/// Whether a postcode and a town stand behind the house number that ends at `end`: `, 40213 Essen`.
fn is_coded_town(text: &[u8], end: usize) -> bool {
    let Some(code) = text[end..].strip_prefix(b", ").map(|_| end + 2) else { return false };
    let Some(behind) = postcode(text, code).filter(|end| end - code > 3) else { return false };
    let town = behind + 1;
    text.get(behind) == Some(&b' ')
        && words::capital(text, town)
        && !lexicon::class(&text[town..words::end(text, town)])
            .any(Class::NEVER.with(Class::WORD).with(Class::ORGANISATION))
}

/// Whether a ward or district of Vietnam stands behind the name of a street: `137 Lê Lợi, Quận 1`.
fn is_in_ward(rest: &[u8]) -> bool {
    const KINDS: [&str; 8] =
        ["Phường ", "Quận ", "Huyện ", "Xã ", "Phuong ", "Quan ", "P. ", "Q. "];
    let Some(rest) = rest.strip_prefix(b", ") else { return false };
    KINDS.iter().any(|kind| rest.starts_with(kind.as_bytes()))
}

/// Whether a town and a postcode stand behind the name that ends at `end`: `, Springfield, OR 97403`,
/// `, Vrondville, NSW, 2650`, `, Vrondak Fold, Leeds, LS6 2AB`.
fn is_in_town(text: &[u8], end: usize) -> bool {
    const TOWNS: usize = 3;
    let mut at = end;
    for _ in 0..TOWNS {
        let Some(from) = text[at..].strip_prefix(b", ").map(|_| at + 2) else { return false };
        let run = Run::read(text, from);
        let Some(last) = run.parts().last() else { return false };
        if run.parts()[0].class.any(Class::NEVER) && last.end - from > 3 {
            return false;
        }
        let state = (2..=3).contains(&(last.end - from))
            && text[from..last.end].iter().all(u8::is_ascii_uppercase);
        at = last.end;
        let code = match text[at..] {
            [b' ', ..] => at + 1,
            // With letters in it, or behind a state.
            [b',', b' ', next, ..] if state || next.is_ascii_uppercase() => at + 2,
            _ => continue,
        };
        let shortest = if state { 4 } else { 5 };
        if postcode(text, code).is_some_and(|end| end >= code + shortest) {
            return true;
        }
    }
    false
}

/// Whether the ways of the town have numbers, as in Latin America and South Asia: `Carrera 13 # 54-27`,
/// `Calle 21, Casa 14`, `House 14, Street 22`.
fn numbered_way(text: &[u8], at: usize, end: usize) -> bool {
    let way = words::before(text, at);
    let class = lexicon::class(&text[way.clone()]);
    let numbered = class.any(Class::STREET) || text[way.clone()] == *b"Sector";
    let named = way.len() > 2 && words::capital(text, way.start) && opens(text, way.start);
    if !named || !numbered && !class.any(Class::STREET_LEAD) {
        return false;
    }
    let crossing = is_crossing(text, end) && number_behind(text, end).1;
    let house = || beginning(text, way.start) < way.start;
    class.any(Class::STREET_LEAD) && (crossing || goes_on(text, end))
        || numbered && text[end..].starts_with(b", ") && house()
}

/// Whether the number of the street that crosses follows the one that ends at `end`: ` # 54-27`,
/// ` No. 10-34`.
fn is_crossing(text: &[u8], end: usize) -> bool {
    text[end..].starts_with(b" #") || text[end..].starts_with(b" No. ")
}

/// Whether an address can begin at `at`.
fn opens(text: &[u8], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|i| text[i]) else { return true };
    boundary::opens(text, at)
        && !matches!(before, b'.' | b'_' | b'/' | b'-' | b'$' | b'@' | b'+' | 0x80..)
        && !(before == b':' && at > 1 && text[at - 2].is_ascii_digit())
}

/// Whether one of the [`ANNOUNCING`] words stands shortly before.
fn announced(text: &[u8], start: usize) -> bool {
    const LOOK_BACK: usize = 32;
    let before = &text[start.saturating_sub(LOOK_BACK)..start];
    (0..before.len()).any(|at| {
        let rest = &before[at..];
        let mut words = BEGINNING_WITH[usize::from(rest[0].to_ascii_lowercase())];
        while words != 0 {
            let word = ANNOUNCING[words.trailing_zeros() as usize];
            if rest.get(..word.len()).is_some_and(|begun| begun.eq_ignore_ascii_case(word)) {
                return true;
            }
            words &= words - 1;
        }
        false
    })
}

/// Which of the words begin with each byte, a bit each.
const BEGINNING_WITH: [u128; 256] = {
    let mut table = [0; 256];
    let mut word = 0;
    while word < ANNOUNCING.len() {
        table[ANNOUNCING[word][0] as usize] |= 1 << word;
        word += 1;
    }
    table
};

/// Words before an address: `lives at`, `address:`.
const ANNOUNCING: [&[u8]; 78] = [
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
    b"addr ",
    b"move to",
    b"arrived at",
    b"drop-off",
    b"dropoff",
    b"pick-up",
    b"pickup",
    b"deliver ",
    b"deliver:",
    b"delivery",
    b"shipment to",
    b"shipped to",
    b"install at",
    b"visit at",
    b"livrer",
    b"livraison",
    b"zustellung",
    b"wohn",
    b"consegn",
    b"spediz",
    b"entrega",
    b"entreg",
    "envío".as_bytes(),
    b"envio",
    b"despacho",
    b"recogida",
    b"morada",
    b"mora na",
    b"moro na",
    b"residen",
    b"bezorg",
    b"verzend",
    b"woon",
    b"levere",
    b"leverans",
    "bor på".as_bytes(),
    b"bor i ",
    b"asun ",
    b"asuu ",
    "doruč".as_bytes(),
    b"dostav",
    b"dodan",
    b"naslov",
    b"mieszk",
    b"zamieszk",
    "wysył".as_bytes(),
    b"vive en",
    b"vivo en",
    b"habite",
    b"demeurant",
    b"domicili",
    b"located in",
    b"lives in",
    b"lives on",
    b"live on",
    b"parcel to",
    b"courier",
    b"send to",
    b"ship to",
    b"ship_to",
    b"shipto",
];

#[cfg(test)]
mod tests {
    use super::{ANNOUNCING, announced};

    #[test]
    fn every_word_that_announces_is_seen_wherever_it_stands_before() {
        for word in ANNOUNCING {
            for blanks in 0..=32 - word.len() {
                let text = [b"xy", &word.to_ascii_uppercase()[..], &b" ".repeat(blanks)].concat();
                assert!(announced(&text, text.len()), "{word:?} and {blanks} blanks");
            }
        }
        assert!(!announced(b"counted all of it to ", 21));
    }
}
