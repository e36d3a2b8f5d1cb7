//! Organisations, laws, towns and things that carry the names of people: `Morgan Stanley` is a bank.
//!
//! `data/things.txt` lists them. None is there that somebody may well be called: `Paul Smith` is a
//! person before it is a shop.

use std::ops::Range;

use super::classes::Class;
use super::{lexicon, words};
use crate::assignment::Key;

/// The longest of them.
const LONGEST: usize = 24;

/// Whether the words at `range` are one of them, or a part: of `King Arthur` flour, `Simon & Schuster`.
pub(super) fn names(text: &[u8], range: &Range<usize>) -> bool {
    const JOINTS: [&[u8]; 2] = [b" & ", b" and "];
    let title = words::before(text, range.start).start;
    let joined = JOINTS.iter().find(|joint| text[..range.start].ends_with(joint));
    let from = joined.map(|joint| words::start(text, range.start - joint.len()));
    let joins = JOINTS.iter().find(|joint| text[range.end..].starts_with(joint));
    let to = joins.map(|joint| words::end(text, range.end + joint.len()));
    // `Jack Daniel's`: what belongs to somebody is called so.
    let owned = text[range.end..].starts_with(b"'s").then_some(range.end + 2);
    // `Alfa Romeo Giulia`, `Tim Hortons Toronto`: with a model or a town behind it.
    let second = words::end(text, text.len().min(words::end(text, range.start) + 1));
    is_brand(&text[range.clone()])
        || second < range.end && is_brand(&text[range.start..second])
        || is_brand(&text[title..range.end])
        || from.is_some_and(|from| is_brand(&text[from..range.end]))
        || to.is_some_and(|to| is_brand(&text[range.start..to]))
        || owned.is_some_and(|end| is_owned_brand(&text[range.start..end]))
        || is_traded(text, range)
        || is_of_a_thing(text, range)
}

/// `flights with Ana Ruiz`, `bought at Ana Ruiz`, `served by Ana Ruiz`: what is said of firms and programs.
fn is_traded(text: &[u8], range: &Range<usize>) -> bool {
    const AT: [&[u8]; 7] = [b"at", b"from", b"with", b"by", b"via", b"on", b"bei"];
    const TRADED: [&[u8]; 46] = [
        b"bought",
        b"purchase",
        b"purchased",
        b"purchases",
        b"shop",
        b"shopped",
        b"shopping",
        b"sold",
        b"stocked",
        b"stock",
        b"flight",
        b"flights",
        b"holiday",
        b"holidays",
        b"flew",
        b"branded",
        b"powered",
        b"served",
        b"hosted",
        b"proxied",
        b"cached",
        b"brewed",
        b"bottled",
        b"manufactured",
        b"distributed",
        b"deployed",
        b"integrated",
        b"migrated",
        b"built",
        b"compiled",
        b"trained",
        b"visualised",
        b"visualized",
        b"rendered",
        b"scraped",
        b"orchestrated",
        b"instrumented",
        b"monitored",
        b"listed",
        b"available",
        b"sale",
        b"discount",
        b"coupon",
        b"receipt",
        b"order",
        b"groceries",
    ];
    // `bought the new Ana Ruiz`.
    let preposition = words::before(text, range.start);
    if preposition.is_empty() || !AT.contains(&&text[preposition.clone()]) {
        return false;
    }
    let verb = words::before(text, preposition.start);
    let verb = &text[verb];
    let by_somebody = text[preposition].eq(b"by")
        && [&b"bought"[..], b"purchased", b"sold", b"deployed", b"migrated", b"built", b"order"]
            .contains(&verb);
    // Somebody has built, bought and sold something as well.
    !by_somebody && TRADED.iter().any(|known| verb.eq_ignore_ascii_case(known))
}

/// Whether the key of a value at `range` says what kind of thing it is: `brand=Ana Ruiz`.
fn is_of_a_thing(text: &[u8], range: &Range<usize>) -> bool {
    const KEYS: [&[u8]; 54] = [
        b"brand",
        b"vendor",
        b"merchant",
        b"merchantname",
        b"store",
        b"storename",
        b"shop",
        b"retailer",
        b"airline",
        b"carrier",
        b"manufacturer",
        b"make",
        b"model",
        b"product",
        b"productname",
        b"sku",
        b"item",
        b"itemname",
        b"title",
        b"album",
        b"song",
        b"track",
        b"playlist",
        b"movie",
        b"film",
        b"book",
        b"game",
        b"team",
        b"club",
        b"venue",
        b"city",
        b"station",
        b"airport",
        b"stadium",
        b"ship",
        b"vessel",
        b"font",
        b"fontfamily",
        b"typeface",
        b"voice",
        b"theme",
        b"codename",
        b"release",
        b"project",
        b"company",
        b"organization",
        b"organisation",
        b"publisher",
        b"issuer",
        b"bank",
        b"school",
        b"university",
        b"hospital",
        b"restaurant",
    ];
    const LONGEST: usize = 16;
    let signs = |byte: &u8| matches!(byte, b'"' | b'\'' | b'\\' | b' ');
    let back = |end: usize| end - text[..end].iter().rev().take(4).take_while(|b| signs(b)).count();
    let sign = back(range.start);
    let Some(join) = sign.checked_sub(1).filter(|at| matches!(text[*at], b'=' | b':')) else {
        return false;
    };
    let end = back(join);
    let part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let length = text[..end].iter().rev().take(LONGEST + 1).take_while(|b| part(b)).count();
    let key = Key::named(&text[end - length..end], end - length);
    KEYS.contains(&key.as_bytes())
}

/// Whether `name`, with `'s` at its end, is one of them that is written with an `s`: `Jack Daniel's`.
fn is_owned_brand(name: &[u8]) -> bool {
    let mut plural = [0; LONGEST];
    let length = name.len() - 1;
    let Some(place) = plural.get_mut(..length) else { return false };
    place.copy_from_slice(&name[..length]);
    place[length - 1] = b's';
    is_brand(place)
}

/// Whether `name`, two words or more, is one of them; `&`, `and` and a dash between the words are blanks.
pub(super) fn is_brand(name: &[u8]) -> bool {
    let mut phrase = [0; LONGEST];
    let mut length = 0;
    let words = name
        .split(|byte| matches!(byte, b' ' | b'-' | b'&'))
        .filter(|word| !word.is_empty() && *word != b"and");
    for word in words {
        let word = word.strip_suffix(b"'s").unwrap_or(word);
        let word = word.strip_suffix(b".").unwrap_or(word);
        let gap = usize::from(length > 0);
        let Some(place) = phrase.get_mut(length..length + gap + word.len()) else { return false };
        place[..gap].fill(b' ');
        place[gap..].copy_from_slice(word);
        length += gap + word.len();
    }
    let phrase = &phrase[..length];
    phrase.contains(&b' ') && lexicon::class(phrase).any(Class::NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_fits() {
        let list: Vec<&str> = include_str!("../../data/things.txt").lines().collect();
        assert!(list.is_sorted());
        assert!(list.iter().all(|thing| thing.len() <= LONGEST && thing.contains(' ')));
        assert!(list.iter().all(|thing| is_brand(thing.as_bytes())));
    }

    #[test]
    fn banks_and_people() {
        assert!(is_brand(b"Morgan Stanley"));
        assert!(is_brand(b"HARLEY-DAVIDSON"));
        assert!(is_brand(b"Trader Joe's"));
        assert!(is_owned_brand(b"Jack Daniel's"));
        assert!(!is_owned_brand(b"Jack Peter's"));
        assert!(!is_brand(b"Morgan Freeman"));
        assert!(!is_brand(b"Paul Smith"));
        assert!(!is_brand(b"Stanley"));
        assert!(!is_brand(b"Error"));
        assert!(!is_brand(b"Somebody With A Very Long Name Indeed"));
    }
}
