//! Values of keys that name a person or an address.

use std::ops::Range;

use super::brand::is_brand;
use super::classes::Class;
use super::run::{Part, Run};
use super::{address, lexicon, words};
use crate::assignment::Assignment;
use crate::matchers::stand_in;

/// Most words of a name.
const WORDS: usize = 6;

/// The value of a key that means a person whatever it says: `customer_name`, `surname`.
pub(crate) fn person(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let range = name(text, found)?;
    let value = &text[range.clone()];
    let classes = classes(value);
    let word = |class: &Class| class.any(Class::NEVER) || *class == Class::WORD;
    let told = classes.iter().flatten().any(|class| !word(class));
    // Firms pay as people do: `payer=AETNA`.
    let firm = matches!(found.key.as_bytes(), b"payer" | b"payee")
        && classes[..2] == [Some(Class::NONE), None]
        && value.iter().all(u8::is_ascii_uppercase);
    (told && !firm && !is_identifier(value)).then_some(range)
}

/// The value of a key that may mean a person: `name`, `user`, `author`. The lists must know it.
pub(crate) fn known(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let range = name(text, found)?;
    if found.quoted && is_turned(&text[range.clone()]) {
        return Some(range);
    }
    let classes = classes(&text[range.clone()]);
    let first = classes[0]?;
    let thing = Class::NEVER.with(Class::ORGANISATION);
    let placed = |class: &Class| class.any(Class::PLACE);
    if classes.iter().flatten().any(|class| class.any(thing))
        || first.any(Class::HEAD)
        || classes[1].is_some() && classes.iter().flatten().all(placed)
        || is_brand(&text[range.clone()])
    {
        return None;
    }
    let given = first.any(Class::GIVEN);
    let value = &text[range.clone()];
    let two_capitals = || {
        let second = memchr::memchr(b' ', value).map_or(value.len(), |gap| gap + 1);
        words::capital(value, 0) && words::capital(value, second) && value.len() - second > 4
    };
    let told = match classes[1] {
        Some(second) => {
            let family = classes[2].is_some_and(|third| third.any(Class::FAMILY));
            given && (second.any(Class::GIVEN.with(Class::FAMILY)) || family)
                || given && second == Class::NONE && first.any(Class::COMMON)
                || given
                    && second == Class::NONE
                    && !first.any(Class::OTHER)
                    && found.key.as_bytes() != b"name"
                    && two_capitals()
                || first.any(Class::FAMILY) && second.any(Class::COMMON)
                // `Nakamura Haruto`: the family name first.
                || first.any(Class::FAMILY)
                    && !first.any(Class::OTHER.with(Class::GIVEN))
                    && (second == Class::NONE || second.any(Class::GIVEN))
                    && !second.any(Class::OTHER)
                    && found.key.as_bytes() != b"name"
                    && two_capitals()
        }
        None => first.any(Class::PERSON) && !first.any(Class::WORD.with(Class::PLACE)),
    };
    told.then_some(range)
}

/// `NetworkInterfaceId`: one word with capitals inside, of which names have one at most: `McKrebb`.
fn is_identifier(value: &[u8]) -> bool {
    let humps = value
        .windows(2)
        .filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase());
    value.iter().all(u8::is_ascii_alphabetic) && humps.count() > 1
}

/// `Krebbuk, Ana`, `VAN DER KREBBUK, ANA P.`: a family name, which the lists may not have, a comma and a
/// given name.
fn is_turned(value: &[u8]) -> bool {
    const PARTICLES: [&[u8]; 8] =
        [b"van der ", b"van den ", b"van de ", b"van ", b"von ", b"de la ", b"de ", b"di "];
    let value = PARTICLES.iter().find_map(|word| value.strip_prefix(*word)).unwrap_or(value);
    let Some(comma) = memchr::memmem::find(value, b", ") else { return false };
    let (family, given) = (&value[..comma], &value[comma + 2..]);
    let thing = Class::NEVER.with(Class::WORD).with(Class::PLACE).with(Class::ORGANISATION);
    let plain = |word: &[u8]| word.len() < 4 || !lexicon::class(word).any(thing);
    let first = &given[..words::end(given, 0)];
    let class = lexicon::class(first);
    words::capital(value, 0)
        && words::capital(given, 0)
        && memchr::memchr(b',', given).is_none()
        && given.split(|byte| *byte == b' ').count() < 4
        && family.split(|byte| *byte == b' ').all(plain)
        && class.any(Class::GIVEN)
        && (class.any(Class::PERSON) || !class.any(thing))
}

/// Whether `value`, two words in any case, is a given and a family name, of which the lists know the
/// first as nothing else.
pub(crate) fn is_name(value: &[u8]) -> bool {
    let other = Class::WORD.with(Class::PLACE).with(Class::NEVER).with(Class::ORGANISATION);
    let Some(gap) = memchr::memchr(b' ', value) else { return false };
    let (first, second) = (lexicon::class(&value[..gap]), lexicon::class(&value[gap + 1..]));
    first.any(Class::GIVEN)
        && (!first.any(other) || !second.any(other) && value.len() - gap > 3)
        && second.any(Class::GIVEN.with(Class::FAMILY))
        && !second.any(Class::NEVER.with(Class::WORD))
}

/// The value of `user`, `login`: names joined as in `ines.moreau`.
pub(crate) fn user(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let value = &text[found.value.clone()];
    if value.len() < 3
        || !value.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
    {
        return None;
    }
    let mut parts = value.split(|byte| !byte.is_ascii_alphabetic()).filter(|part| part.len() > 1);
    let first = lexicon::class(parts.next()?);
    let second = parts.next().map(lexicon::class);
    let sure = Class::NEVER.with(Class::WORD).with(Class::PLACE).with(Class::ORGANISATION);
    // One name alone is the name of a service as often as one of a person.
    let told = second.is_some_and(|second| {
        first.any(Class::GIVEN)
            && !first.any(sure)
            && second.any(Class::FAMILY.with(Class::GIVEN))
            && !second.any(sure)
    });
    told.then(|| found.value.clone())
}

/// The value of a key that means a postal address: `street_address`, `billing_address`.
pub(crate) fn street(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    let value = &text[found.value.clone()];
    if !found.quoted {
        // Without quotes the value ends at a blank; the shape of an address does not.
        let first = words::capital(text, found.value.start);
        let number = value.iter().all(u8::is_ascii_digit) && value.len() < 7;
        let shape = if number {
            address::behind_number(text, found.value.end + 1)
        } else if first {
            address::from_capital(text, found.value.start)
        } else {
            None
        };
        let shape = shape.filter(|range| range.start == found.value.start);
        return shape.or_else(|| joined_by_plus(text, found.value.start));
    }
    let digits = value.iter().any(u8::is_ascii_digit);
    let letters = value.iter().filter(|byte| byte.is_ascii_alphabetic() || **byte >= 0x80).count();
    let blank = memchr::memchr(b' ', value).is_some();
    let other = value.starts_with(b"0x")
        || value.iter().any(|byte| matches!(byte, b'@' | b'=' | b'{' | b'<' | b'%' | b'|'))
        || memchr::memmem::find(value, b"://").is_some();
    (digits && blank && letters >= 3 && !other && !stand_in::is_stand_in(value))
        .then(|| found.value.clone())
}

/// `12+Canary+Grove+Ln,+Salem`: blanks as a query has them.
fn joined_by_plus(text: &[u8], start: usize) -> Option<Range<usize>> {
    const LONGEST: usize = 200;
    const WORDS: usize = 3;
    let part = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || *byte >= 0x80
            || matches!(byte, b'+' | b',' | b'.' | b'-' | b'/')
    };
    let length = text[start..].iter().take(LONGEST).take_while(|byte| part(byte)).count();
    let value = &text[start..start + length];
    let words =
        || value.split(|byte| *byte == b'+').map(|word| word.strip_suffix(b",").unwrap_or(word));
    let street = |word: &[u8]| {
        lexicon::class(word).any(Class::STREET.with(Class::STREET_LEAD))
            || address::ends_as_street(word, word.len())
    };
    let told = words().count() >= WORDS
        && words().any(street)
        && words().any(|word| !word.is_empty() && word.iter().all(u8::is_ascii_digit));
    told.then_some(start..start + length)
}

/// The value, if it has the form of a name; without quotes, up to the last word with a capital.
fn name(text: &[u8], found: &Assignment) -> Option<Range<usize>> {
    const LONGEST: usize = 80;
    let mut range = found.value.clone();
    if !found.quoted && words::capital(text, range.start) {
        let run = Run::read(text, range.start);
        // In capitals every word is read as none of a name.
        let first = &text[range.start..words::end(text, range.start)];
        let tall = first.len() > 1 && !first.iter().any(u8::is_ascii_lowercase);
        let named = |part: &&Part| {
            let class = lexicon::class(&text[part.start..part.end]);
            let known = !class.any(Class::NEVER) || class.any(Class::TITLE);
            !part.class.any(Class::NEVER) || tall && known
        };
        let end = run.parts().iter().take_while(named).last()?.end;
        range.end = range.end.max(end);
        // `name:Ana Ruiz Plan:gold`: the last word is the next key.
        if matches!(text.get(range.end), Some(b'=' | b':'))
            && let Some(last) = text[range.clone()].iter().rposition(|byte| *byte == b' ')
        {
            range.end = range.start + last;
        }
        if text.get(range.end).is_some_and(|byte| matches!(byte, b'_' | b'=' | b'(' | b'/' | b':'))
        {
            return None;
        }
    }
    let value = &text[range.clone()];
    let sign = |byte: &u8| {
        byte.is_ascii_alphabetic()
            || *byte >= 0x80
            || matches!(byte, b' ' | b'-' | b'\'' | b'.' | b',' | b'+' | b'^')
    };
    let count = value.split(|byte| *byte == b' ').count();
    let formed = value.len() >= 2
        && value.len() <= LONGEST
        && count <= WORDS
        && value.iter().all(sign)
        && value.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80)
        && !stand_in::is_stand_in(value);
    // Small letters throughout are a word or the name of a thing, unless there are two.
    let capital =
        (0..value.len()).any(|at| words::capital(value, at)) || value.iter().any(|b| *b >= 0x80);
    let single = memchr::memchr(b'.', value).is_some() && memchr::memchr(b' ', value).is_none();
    (formed && (capital || count == 2) && !single).then_some(range)
}

/// The classes of the first words.
fn classes(value: &[u8]) -> [Option<Class>; WORDS] {
    let mut out = [None; WORDS];
    let words = value
        .split(|byte| matches!(byte, b' ' | b'-' | b',' | b'+' | b'^'))
        .filter(|word| word.len() > 1);
    for (place, word) in out.iter_mut().zip(words) {
        let word = word.strip_suffix(b".").unwrap_or(word);
        *place = Some(lexicon::class(word));
    }
    out
}
