//! Numbers of houses.

use super::opens;

/// Most digits of a house number.
const HOUSE: usize = 5;

/// Where the house number before the word at `at` begins; the numbers of houses and flats may stand
/// side by side.
pub(super) fn number_before(text: &[u8], at: usize) -> Option<usize> {
    let one = |at: usize| {
        let end = at.checked_sub(1).filter(|end| text.get(*end) == Some(&b' '))?;
        let mut end = if end > 0 && text[end - 1] == b',' { end - 1 } else { end };
        // `27 bis rue des Tanneurs`.
        for word in [b" bis", b" ter"] {
            end -= if text[..end].last_chunk() == Some(word) { word.len() } else { 0 };
        }
        let letter =
            end > 1 && text[end - 1].is_ascii_alphabetic() && text[end - 2].is_ascii_digit();
        let end = end - usize::from(letter);
        let digits = |end: usize| {
            text[..end].iter().rev().take(HOUSE + 1).take_while(|b| b.is_ascii_digit()).count()
        };
        let mut start = end - digits(end);
        let first = end - start;
        // `12-340 Canary Street`, `Unit 2/14`: the flat and the house.
        if let Some(joint) = start.checked_sub(1).filter(|i| matches!(text[*i], b'-' | b'/')) {
            let flat = digits(joint);
            start = if (1..5).contains(&flat) { joint - flat } else { start };
        }
        ((1..=HOUSE).contains(&first) && opens(text, start)).then_some(start)
    };
    let first = one(at)?;
    Some(one(first).unwrap_or(first))
}

/// Where the house number at `at` ends, if it is one.
pub(super) fn house_end(text: &[u8], at: usize) -> Option<usize> {
    let count = |from: usize| {
        text[from.min(text.len())..]
            .iter()
            .take(HOUSE + 1)
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let digits = count(at);
    let mut end = lettered(text, at + digits);
    // `ulica 84/92`, `Gasse 1/2/3`, `27-5`, `12-II`: houses that belong together, or a house
    // and a flat.
    for _ in 0..2 {
        if digits > 4 || !matches!(text.get(end), Some(b'/' | b'-')) {
            break;
        }
        let flat = count(end + 1);
        let roman = text[end + 1..].iter().take(5).take_while(|b| b"IVX".contains(b)).count();
        end = match (flat, roman) {
            (1..=4, _) => lettered(text, end + 1 + flat),
            (0, 1..=4) => end + 1 + roman,
            // `Road 9/A`.
            _ if lettered(text, end + 1) == end + 2 && text[end] == b'/' => end + 2,
            _ => break,
        };
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

/// Over the letter of a house: `43a`, `14B`, `12 B,`.
fn lettered(text: &[u8], end: usize) -> usize {
    let closed = |at: usize| !text.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
    if text.get(end).is_some_and(u8::is_ascii_alphabetic) && closed(end + 1) {
        return end + 1;
    }
    let apart = text.get(end) == Some(&b' ')
        && text.get(end + 1).is_some_and(u8::is_ascii_uppercase)
        && matches!(text.get(end + 2), Some(b','));
    if apart { end + 2 } else { end }
}

/// The end of the house number behind a street, if there is one.
pub(super) fn number_behind(text: &[u8], end: usize) -> (usize, bool) {
    // `Rua das Flores, 88`, `Bulevardi No: 12`, `Carrera 13 # 54-27`.
    const JOINTS: [&[u8]; 20] = [
        b" ",
        b", ",
        b" No:",
        b" No: ",
        b" No. ",
        b" No.",
        b" no. ",
        b" No ",
        b", No. ",
        b", no. ",
        b" nr. ",
        b" nr ",
        b" Nr. ",
        b", nr. ",
        b", n. ",
        b" # ",
        b" #",
        ", nº ".as_bytes(),
        " nº ".as_bytes(),
        " č. ".as_bytes(),
    ];
    let found = JOINTS.iter().find_map(|joint| {
        let number = end + joint.len();
        let stands = text[end..].starts_with(joint) && text.get(number)?.is_ascii_digit();
        stands.then(|| house_end(text, number)).flatten()
    });
    found.map_or((end, false), |end| (end, true))
}
