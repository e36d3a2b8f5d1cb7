//! Organisations, laws, towns and things that carry the names of people: `Morgan Stanley` is a bank.
//!
//! `data/things.txt` lists them. None is there that somebody may well be called: `Paul Smith` is a
//! person before it is a shop.

use std::ops::Range;

use super::classes::Class;
use super::{lexicon, words};

/// The longest of them.
const LONGEST: usize = 24;

/// Whether the words at `range` are one of them, or a part: of `King Arthur` flour, `Simon & Schuster`.
pub(super) fn names(text: &[u8], range: &Range<usize>) -> bool {
    const JOINT: &[u8] = b" & ";
    let title = words::before(text, range.start).start;
    let joined = text[..range.start].ends_with(JOINT);
    let from = joined.then(|| words::start(text, range.start - JOINT.len()));
    let joins = text[range.end..].starts_with(JOINT);
    let to = joins.then(|| words::end(text, range.end + JOINT.len()));
    is_brand(&text[range.clone()])
        || is_brand(&text[title..range.end])
        || from.is_some_and(|from| is_brand(&text[from..range.end]))
        || to.is_some_and(|to| is_brand(&text[range.start..to]))
}

/// Whether `name`, two words or more, is one of them; `&`, `and` and a dash between the words are blanks.
fn is_brand(name: &[u8]) -> bool {
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
        assert!(!is_brand(b"Morgan Freeman"));
        assert!(!is_brand(b"Paul Smith"));
        assert!(!is_brand(b"Stanley"));
        assert!(!is_brand(b"Error"));
        assert!(!is_brand(b"Somebody With A Very Long Name Indeed"));
    }
}
