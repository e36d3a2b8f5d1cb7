//! The table of words that tell people and addresses: from `data/`, hashed, so that a word is found
//! with one look-up and nothing is set up at start.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::classes::Class;
use crate::fold;

/// Lists with one word a line, or one name of several words.
const LISTS: [(&str, Class); 11] = [
    ("given-sure.txt", Class::PERSON),
    ("given-common.txt", Class::GIVEN.with(Class::COMMON)),
    ("given-rare.txt", Class::GIVEN),
    ("family.txt", Class::FAMILY),
    ("given-census.txt", Class::GIVEN),
    ("given-abroad.txt", Class::GIVEN),
    ("family-census.txt", Class::FAMILY),
    ("family-abroad.txt", Class::FAMILY),
    ("places.txt", Class::PLACE),
    ("words.txt", Class::WORD),
    ("things.txt", Class::NEVER),
];

/// Lists of `vocabulary.toml`.
const VOCABULARY: [(&str, Class); 14] = [
    ("family", Class::FAMILY),
    ("person", Class::GIVEN.with(Class::COMMON).with(Class::PERSON)),
    ("title", Class::TITLE),
    ("announce", Class::ANNOUNCE),
    ("role", Class::ROLE),
    ("follow", Class::FOLLOW),
    ("place", Class::PLACE),
    ("place-lead", Class::LEAD),
    ("place-head", Class::HEAD),
    ("organisation", Class::ORGANISATION),
    ("street", Class::STREET),
    ("street-lead", Class::STREET_LEAD),
    ("thing", Class::WORD),
    ("never", Class::NEVER),
];

/// The table and the bitmap, as the engine reads them.
pub(crate) fn table(data: &Path) -> Result<Vec<u8>, String> {
    // By the first eight letters, what a word begins with and what is known of it.
    let mut words: BTreeMap<u64, (u64, Class)> = BTreeMap::new();
    let mut add = |word: &str, class: Class| {
        let entry = words.entry(fold::hash(word.as_bytes())).or_insert((head(word), Class::NONE));
        entry.1 = entry.1.with(class);
    };
    for (name, class) in LISTS {
        for word in read(&data.join(name))?.lines() {
            // `Jean-Pierre` is read as two words, and `O'Brien` is one.
            let parts = word.split('-').filter(|part| part.len() > 2 || *part == word);
            if class.any(Class::GIVEN.with(Class::FAMILY)) {
                parts.for_each(|part| add(part, class));
            } else {
                add(word, class);
            }
        }
    }
    let text = read(&data.join("vocabulary.toml"))?;
    let vocabulary: BTreeMap<String, String> =
        toml::from_str(&text).map_err(|error| format!("vocabulary.toml: {error}"))?;
    for (name, words) in &vocabulary {
        let class = VOCABULARY.iter().find(|(known, _)| known == name);
        let (_, class) = class.ok_or_else(|| format!("vocabulary.toml: unknown list `{name}`"))?;
        words.split_whitespace().for_each(|word| add(word, *class));
    }
    // What logs call so is a person beside a family name only.
    let named = vocabulary.get("person").map_or("", String::as_str);
    for word in vocabulary.get("thing").map_or("", String::as_str).split_whitespace() {
        let sure = named.split_whitespace().any(|known| known == word);
        if let Some((_, class)) = words.get_mut(&fold::hash(word.as_bytes())).filter(|_| !sure) {
            *class = class.without(Class::PERSON);
        }
    }
    let mut slots = vec![0_u32; Class::SLOTS];
    if words.len() * 10 > slots.len() * 8 {
        return Err(format!("{} words are too many for {} slots", words.len(), slots.len()));
    }
    let mut heads = vec![0_u8; 1 << (fold::HEAD_BITS - 3)];
    for (hash, (letters, class)) in words {
        // A family name that is a word as well is believed beside a given name only.
        let family = class.any(Class::FAMILY) && !class.any(Class::OTHER);
        let given = class.any(Class::GIVEN.with(Class::TITLE).with(Class::ROLE));
        let head = fold::head(letters);
        heads[head >> 3] |= u8::from(given || family) << (head & 7);
        let (mut at, print) = Class::place(hash);
        while slots[at] != 0 {
            at = (at + 1) % Class::SLOTS;
        }
        slots[at] = print | u32::from(class.bits());
    }
    let mut out: Vec<u8> = slots.iter().flat_map(|slot| slot.to_le_bytes()).collect();
    out.extend(heads);
    Ok(out)
}

/// The first eight letters, folded.
fn head(word: &str) -> u64 {
    let (mut letters, mut count) = (0_u64, 0);
    fold::each(word.as_bytes(), |byte| {
        if count < 8 && byte.is_ascii_alphabetic() {
            letters |= u64::from(byte) << (8 * count);
            count += 1;
        }
    });
    letters
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
