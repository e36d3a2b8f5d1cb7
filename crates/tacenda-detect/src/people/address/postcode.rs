//! Postcodes of many countries, by their shapes.

use super::super::words;

/// `#` is a digit, `@` a capital, `*` either; anything else is itself. The longest that fits is
/// meant.
const SHAPES: [&[u8]; 30] = [
    b"###",
    b"#####-####",
    b"#####-###",
    b"####-###",
    b"###-####",
    b"#######",
    b"######",
    b"#####",
    b"####",
    b"### ##",
    b"##-###",
    b"#### @@",
    b"####@@",
    b"@# #@@",
    b"@## #@@",
    b"@@# #@@",
    b"@@## #@@",
    b"@#@ #@@",
    b"@@#@ #@@",
    b"@#@ #@#",
    b"@#@#@#",
    b"@## *#*#",
    b"@#* ****",
    b"@@-####",
    b"@@-#####",
    b"@-####",
    b"@-#####",
    b"@@@ ####",
    b"@####@@@",
    b"@####",
];

/// What may say that a postcode follows.
const WORDS: [&[u8]; 10] =
    [b"CEP: ", b"CEP ", b"C.P. ", b"CP ", b"C.P.", b"PIN ", b"PIN-", b"PIN: ", b"ZIP ", b"P.C. "];

/// The end of the postcode at `at`.
pub(super) fn postcode(text: &[u8], at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let word = WORDS.iter().find(|word| rest.starts_with(word)).map_or(0, |word| word.len());
    let start = at + word;
    SHAPES
        .iter()
        .filter(|shape| fits(shape, &text[start..]))
        .map(|shape| (start + shape.len(), *shape))
        .filter(|(end, shape)| closes(text, *end, shape))
        .map(|(end, _)| end)
        .max()
}

fn fits(shape: &[u8], text: &[u8]) -> bool {
    text.len() >= shape.len()
        && shape.iter().zip(text).all(|(sign, byte)| match sign {
            b'#' => byte.is_ascii_digit(),
            b'@' => byte.is_ascii_uppercase(),
            b'*' => byte.is_ascii_digit() || byte.is_ascii_uppercase(),
            _ => sign == byte,
        })
        && text[..shape.len()].iter().any(u8::is_ascii_digit)
}

/// Whether a postcode of `shape` can end at `end`.
fn closes(text: &[u8], end: usize, shape: &[u8]) -> bool {
    let open = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b':' | b'=' | b'%' | b'/')
    };
    if text.get(end).is_some_and(open) {
        return false;
    }
    let goes_on = text.get(end) == Some(&b'-') && text.get(end + 1).is_some_and(u8::is_ascii_digit);
    // `111 23 Stockholm`, `00-514 Warszawa`: other numbers are written like these.
    let town = text.get(end) == Some(&b' ') && words::capital(text, end + 1);
    let common = matches!(shape, b"### ##" | b"##-###" | b"###");
    !goes_on && (!common || town)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postcodes_of_many_countries() {
        for code in [
            "97403",
            "97403-1234",
            "1012 AB",
            "1012AB",
            "SW1A 1AA",
            "M1 1AE",
            "K1A 0B1",
            "D02 AB12",
            "T12 AB34",
            "L-4571",
            "LV-1001",
            "1200-018",
            "150-0011",
            "01310-200",
            "CEP 01310-200",
            "110001",
            "6100000",
            "VLT 1117",
            "C1195ABC",
            "MD-2001",
        ] {
            assert_eq!(postcode(code.as_bytes(), 0), Some(code.len()), "{code}");
        }
        for code in ["111 23 Stockholm", "00-514 Warszawa"] {
            assert_eq!(postcode(code.as_bytes(), 0), Some(6), "{code}");
        }
        assert_eq!(postcode(b"101 Vrondavik", 0), Some(3));
        for other in ["123", "12:30", "2026-11-30", "1234_x", "111 23 of them", "12345678", "AB-CD"]
        {
            assert_eq!(postcode(other.as_bytes(), 0), None, "{other}");
        }
    }
}
