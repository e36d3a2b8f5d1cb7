//! What goes on behind a street: flats, towns, states, postcodes, countries.

use super::super::classes::Class;
use super::super::run::{Part, Run};
use super::super::{lexicon, words};
use super::postcode::postcode;
use super::unit::{UNITS, in_list, unit};

/// Whether a flat or a postcode follows.
pub(super) fn goes_on(text: &[u8], end: usize) -> bool {
    let next = separators(text, end);
    next > end
        && (unit(text, next).is_some()
            || town(text, next, Before::Other).is_some_and(|(_, sure)| sure))
}

/// Whether a postcode follows.
pub(super) fn coded(text: &[u8], end: usize) -> bool {
    let next = separators(text, end);
    next > end && next < text.len() && postcode(text, next).is_some()
}

/// Where the address goes on to: flat, town, state, postcode, country.
pub(super) fn extent(text: &[u8], end: usize) -> usize {
    const ELEMENTS: usize = 10;
    let mut end = end;
    let mut before = Before::Other;
    for _ in 0..ELEMENTS {
        let next = separators(text, end);
        if next == end {
            break;
        }
        let unit = unit(text, next);
        let code = if unit.is_none() { postcode(text, next) } else { None };
        let element = unit
            .or(code)
            .or_else(|| bracketed(text, next))
            .or_else(|| town(text, next, before).map(|(end, _)| end));
        before = match (unit, code) {
            (Some(_), _) => Before::Flat,
            (_, Some(_)) => Before::Postcode,
            _ => Before::Other,
        };
        match element {
            Some(found) => end = found,
            None => break,
        }
    }
    end
}

/// The start of the address at `start`, over the flats and houses before it: `Flat 3, `, `No. `.
pub(super) fn beginning(text: &[u8], start: usize) -> usize {
    const MOST: usize = 5;
    let mut start = start;
    for _ in 0..MOST {
        match unit_before(text, start).or_else(|| segment_before(text, start)) {
            Some(before) => start = before,
            None => break,
        }
    }
    start
}

/// Where the named building, or the postcode and the town, before `start` begins:
/// `Résidence Les Lilas, `, `1117 Budapest, `.
fn segment_before(text: &[u8], start: usize) -> Option<usize> {
    const BUILDINGS: [&[u8]; 35] = [
        b"residence",
        b"immeuble",
        b"batiment",
        b"lotissement",
        b"domaine",
        b"villa",
        b"house",
        b"court",
        b"apartments",
        b"apartment",
        b"tower",
        b"towers",
        b"heights",
        b"mansion",
        b"mansions",
        b"lodge",
        b"mill",
        b"cottage",
        b"farm",
        b"edificio",
        b"condominio",
        b"urbanizacion",
        b"torre",
        b"palazzo",
        b"haus",
        b"cite",
        b"complex",
        b"building",
        b"estate",
        b"garden",
        b"gardens",
        b"centre",
        b"plaza",
        b"city",
        b"park",
    ];
    const WORDS: usize = 5;
    let end = text[..start].strip_suffix(b", ")?.len();
    let mut from = end;
    let mut building = false;
    for _ in 0..WORDS {
        let word = words::start(text, from)..from;
        if !words::capital(text, word.start) {
            break;
        }
        from = word.start;
        building |= in_list(&BUILDINGS, &text[word]);
        if from == 0 || text[from - 1] != b' ' {
            break;
        }
        from -= 1;
    }
    let from = from + usize::from(text.get(from) == Some(&b' '));
    if building {
        return Some(from);
    }
    // `Unit 6 Oakridge, `: a flat and what the house is called.
    if let Some(unit) = unit_before(text, from).filter(|_| from < end) {
        return Some(unit);
    }
    let before = text[..from].strip_suffix(b" ")?;
    let digits = before.iter().rev().take(7).take_while(|byte| byte.is_ascii_digit()).count();
    let code = before.len() - digits;
    let opens = code == 0 || matches!(text[code - 1], b' ' | b'"' | b'\'' | b'\n');
    (from < end && (4..=6).contains(&digits) && opens).then_some(code)
}

/// Where the flat or house before `start` begins, which is one to three words.
fn unit_before(text: &[u8], start: usize) -> Option<usize> {
    const WORDS: usize = 4;
    const LONGEST: usize = 24;
    let before = text[..start].strip_suffix(b" ")?;
    let bare = before;
    let before = before.strip_suffix(b",").unwrap_or(before);
    let end = before.len();
    // `Unit 2/14 Canary Parade`: the number of the house is that of the flat.
    let counted = bare.len() == end && text.get(start).is_some_and(u8::is_ascii_digit);
    let mut from = end;
    for _ in 0..WORDS {
        let word = before[..from]
            .iter()
            .rev()
            .take(LONGEST)
            .take_while(|byte| {
                byte.is_ascii_alphanumeric()
                    || **byte >= 0x80
                    || matches!(byte, b'.' | b'/' | b'-' | b'#')
            })
            .count();
        if word == 0 {
            return None;
        }
        from -= word;
        let house = matches!(&before[from..], b"No." | b"no." | b"Nr." | b"No")
            || counted && word > 2 && in_list(&UNITS, &before[from..]);
        let opens = from == 0 || !matches!(before[from - 1], b'_' | b'@' | b'$' | b'=');
        let quoted = from > 0 && matches!(before[from - 1], b'=');
        if (opens || quoted) && (house || unit(text, from) == Some(end)) {
            return Some(from);
        }
        if from == 0 || before[from - 1] != b' ' {
            return None;
        }
        from -= 1;
    }
    None
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
    // `Rio de Janeiro - RJ`, `São Paulo/SP`: the state behind the town.
    for sign in [&b" - "[..], b"/"] {
        if text[at..].starts_with(sign) && words::capital(text, at + sign.len()) {
            return at + sign.len();
        }
    }
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

/// `(Québec)`.
fn bracketed(text: &[u8], at: usize) -> Option<usize> {
    const LONGEST: usize = 32;
    let inside = text.get(at..)?.strip_prefix(b"(")?;
    let length = inside.iter().take(LONGEST).position(|byte| *byte == b')')?;
    let letters = inside[..length]
        .iter()
        .all(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80 || matches!(byte, b' ' | b'-'));
    (letters && words::capital(text, at + 1)).then_some(at + length + 2)
}

/// What a town stands behind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Flat,
    Postcode,
    Other,
}

/// A town, state or country: one to four words with capitals, which nothing but a sign, a line's end
/// or a postcode follows; behind a flat or a postcode nothing else comes. Also tells whether a postcode does, or the list of places has it.
fn town(text: &[u8], at: usize, before: Before) -> Option<(usize, bool)> {
    const WORDS: usize = 5;
    const SHORT: [&[u8]; 7] = [b"'s-", b"Co. ", b"Col. ", b"Cdad. ", b"Urb. ", b"Pte. ", b"Brgy. "];
    // `Co. Westmeath`, `Col. Roma Norte`.
    let county = SHORT.iter().find(|word| text[at.min(text.len())..].starts_with(word));
    let from = at + county.map_or(0, |word| word.len());
    let run = Run::read(text, from);
    let parts = run.parts();
    let last = parts.last()?;
    let whole = joined(text, last.end, before);
    let whole = whole + district(text, whole);
    let never = |part: &Part| lexicon::class(&text[part.start..part.end]).any(Class::NEVER);
    let capitals = text[from..last.end].iter().all(|byte| !byte.is_ascii_lowercase());
    let next = separators(text, whole);
    let postcode = postcode(text, next).is_some() && next > whole;
    // `Park City UT 84060`, `40125 Bologna BO`.
    let province = last.end - last.start == 2 && before == Before::Postcode;
    let inside = if (postcode || province) && parts.len() > 1 { 1 } else { parts.len() };
    if parts.len() > WORDS || !capitals && parts[..inside].iter().any(never) {
        return None;
    }
    let closed = text.get(whole).is_none_or(|byte| {
        matches!(
            byte,
            b',' | b'\n' | b'.' | b'"' | b'\'' | b'\\' | b'?' | b'/' | b'<' | b')' | b';'
        )
    }) || text[whole..].starts_with(b" (")
        || text[whole..].starts_with(b" - ");
    let place = parts[0].class.any(Class::PLACE);
    let told = match before {
        Before::Postcode => true,
        Before::Flat => !parts[0].class.any(Class::WORD),
        Before::Other => false,
    };
    (closed || postcode || place || told).then_some((whole, postcode || place))
}

/// ` 1`, ` C`, ` D.C.`: the part of a town, or what it is called behind its name: `Praha 1`, `Odense C`.
fn district(text: &[u8], end: usize) -> usize {
    if matches!(text[end..], [b' ', b'D', b'.', b'C' | b'F', b'.', ..]) {
        return b" D.C.".len();
    }
    let rest = text[end..].strip_prefix(b" ").unwrap_or(&[]);
    let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
    let letter = usize::from(digits == 0 && rest.first().is_some_and(u8::is_ascii_uppercase));
    let length = digits + letter;
    let closed = rest.get(length).is_none_or(|byte| matches!(byte, b',' | b'\n' | b'"' | b'\''));
    if (1..=2).contains(&length) && closed { 1 + length } else { 0 }
}

/// Where a name goes on over small words: `Saint Kitts and Nevis`, `Kingdom of the Netherlands`.
fn joined(text: &[u8], end: usize, before: Before) -> usize {
    const JOINTS: [&[u8]; 18] = [
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
        b" op ",
        b" aan de ",
        b" nad ",
        b" pri ",
    ];
    let next =
        JOINTS.iter().find(|joint| text[end..].starts_with(joint)).map(|joint| end + joint.len());
    let Some(next) = next.filter(|next| words::capital(text, *next)) else { return end };
    let more = words::end(text, next);
    // What does not end the line is another part of the sentence.
    let after = separators(text, more);
    let closed = before == Before::Postcode || matches!(text.get(more), None | Some(b'\n' | b'\\'));
    if closed || after > more && postcode(text, after).is_some() { more } else { end }
}
