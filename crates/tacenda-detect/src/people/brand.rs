//! Organisations, laws and works that carry the names of people: `Morgan Stanley` is a bank.

/// In small letters, the words joined by one blank, in order. None that somebody may well be called:
/// `Paul Smith` is a person before it is a shop.
const BRANDS: [&str; 52] = [
    "abercrombie fitch",
    "alfa romeo",
    "aston martin",
    "aunt jemima",
    "ben jerry",
    "black decker",
    "booz allen",
    "carnegie mellon",
    "dean foods",
    "dodd frank",
    "dolce gabbana",
    "dun bradstreet",
    "ernst young",
    "estee lauder",
    "fannie mae",
    "fisher price",
    "freddie mac",
    "general mills",
    "glass steagall",
    "goldman sachs",
    "harley davidson",
    "hewlett packard",
    "hugo boss",
    "hyde park",
    "jack daniel",
    "jack daniels",
    "jack wolfskin",
    "jimmy choo",
    "johnnie walker",
    "johns hopkins",
    "johnson johnson",
    "lockheed martin",
    "louis vuitton",
    "madison square",
    "marks spencer",
    "max factor",
    "max mara",
    "mercedes benz",
    "merrill lynch",
    "morgan stanley",
    "papa johns",
    "piper jaffray",
    "pratt whitney",
    "procter gamble",
    "rolls royce",
    "sallie mae",
    "sarbanes oxley",
    "sherwin williams",
    "smith wesson",
    "standard chartered",
    "tim hortons",
    "victoria secret",
];

/// The longest of them.
const LONGEST: usize = 24;

/// Whether `name`, two words or more, is one of them; `&` and a dash between the words are blanks.
pub(super) fn is_brand(name: &[u8]) -> bool {
    let mut folded = [0; LONGEST];
    let mut length = 0;
    let words =
        name.split(|byte| matches!(byte, b' ' | b'-' | b'&')).filter(|word| !word.is_empty());
    for word in words {
        let word = word.strip_suffix(b"'s").unwrap_or(word);
        let gap = usize::from(length > 0);
        let Some(place) = folded.get_mut(length..length + gap + word.len()) else { return false };
        place[..gap].fill(b' ');
        place[gap..].copy_from_slice(word);
        length += gap + word.len();
    }
    let folded = &mut folded[..length];
    folded.make_ascii_lowercase();
    BRANDS.binary_search_by(|brand| brand.as_bytes().cmp(folded)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_order_and_fits() {
        assert!(BRANDS.is_sorted());
        assert!(BRANDS.iter().all(|brand| brand.len() <= LONGEST));
    }

    #[test]
    fn banks_and_people() {
        assert!(is_brand(b"Morgan Stanley"));
        assert!(is_brand(b"HARLEY-DAVIDSON"));
        assert!(is_brand(b"Jack Daniel's"));
        assert!(!is_brand(b"Morgan Freeman"));
        assert!(!is_brand(b"Paul Smith"));
        assert!(!is_brand(b"Stanley"));
        assert!(!is_brand(b"Somebody With A Very Long Name Indeed"));
    }
}
