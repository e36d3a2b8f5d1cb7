//! Organisations, laws and works that carry the names of people: `Morgan Stanley` is a bank.

/// In small letters, the words joined by one blank, in order.
const BRANDS: [&str; 96] = [
    "abercrombie fitch",
    "alfa romeo",
    "arthur andersen",
    "aston martin",
    "aunt jemima",
    "austin martin",
    "ben jerry",
    "black decker",
    "booz allen",
    "calvin klein",
    "captain morgan",
    "carl zeiss",
    "carnegie mellon",
    "charles schwab",
    "christian dior",
    "dean foods",
    "dodd frank",
    "dolce gabbana",
    "dun bradstreet",
    "eddie bauer",
    "edward jones",
    "eli lilly",
    "elizabeth arden",
    "ernst young",
    "estee lauder",
    "fannie mae",
    "fisher price",
    "freddie mac",
    "general mills",
    "glass steagall",
    "goldman sachs",
    "harley davidson",
    "harry winston",
    "helena rubinstein",
    "hewlett packard",
    "hugo boss",
    "hyde park",
    "jack daniel",
    "jack daniels",
    "jack wolfskin",
    "jenny craig",
    "jim beam",
    "jimmy choo",
    "jimmy john",
    "john deere",
    "john hancock",
    "john lewis",
    "johnnie walker",
    "johns hopkins",
    "johnson johnson",
    "jose cuervo",
    "karl lagerfeld",
    "kate spade",
    "lewis palmer",
    "lockheed martin",
    "louis blues",
    "louis vuitton",
    "madison square",
    "marc jacobs",
    "marks spencer",
    "martin marietta",
    "mary kay",
    "max factor",
    "max mara",
    "mercedes benz",
    "merrill lynch",
    "michael kors",
    "michael page",
    "morgan stanley",
    "oscar mayer",
    "papa john",
    "papa johns",
    "paul mitchell",
    "paul smith",
    "philip morris",
    "piper jaffray",
    "pratt whitney",
    "procter gamble",
    "ralph lauren",
    "raymond james",
    "robert half",
    "rolls royce",
    "sallie mae",
    "sara lee",
    "sarbanes oxley",
    "sherwin williams",
    "smith wesson",
    "standard chartered",
    "ted baker",
    "thomas cook",
    "tim hortons",
    "tommy hilfiger",
    "uncle ben",
    "victoria secret",
    "william hill",
    "yves rocher",
];

/// The longest of them.
const LONGEST: usize = 24;

/// Whether `name`, two words or more, is one of them; `&` and `and` between the words do not count.
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
        assert!(!is_brand(b"Stanley"));
        assert!(!is_brand(b"Somebody With A Very Long Name Indeed"));
    }
}
