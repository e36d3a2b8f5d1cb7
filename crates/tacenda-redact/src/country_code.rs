//! Country codes of telephone numbers (ITU-T E.164).

/// The length of the country code that these digits begin with. `None` when they begin with a zero,
/// which no code does, or are too few.
pub(crate) fn length(digits: &str) -> Option<usize> {
    let digits = digits.as_bytes();
    let two = [*digits.first()?, *digits.get(1)?];
    match &two {
        b"00" | [b'0', _] => None,
        [b'1' | b'7', _] => Some(1),
        b"20" | b"27" | b"28" | b"30" | b"31" | b"32" | b"33" | b"34" | b"36" | b"39" | b"40"
        | b"41" | b"43" | b"44" | b"45" | b"46" | b"47" | b"48" | b"49" | b"51" | b"52" | b"53"
        | b"54" | b"55" | b"56" | b"57" | b"58" | b"60" | b"61" | b"62" | b"63" | b"64" | b"65"
        | b"66" | b"81" | b"82" | b"84" | b"86" | b"90" | b"91" | b"92" | b"93" | b"94" | b"95"
        | b"98" => Some(2),
        _ => (digits.len() >= 3).then_some(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (digits, length) in
            [("14155550132", 1), ("4930", 2), ("353", 3), ("7495", 1), ("886", 3)]
        {
            assert_eq!(super::length(digits), Some(length), "{digits}");
        }
        for none in ["", "4", "0049", "01", "35"] {
            assert_eq!(length(none), None, "{none}");
        }
    }
}
