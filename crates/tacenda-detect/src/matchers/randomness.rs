//! How random a value looks.

use std::sync::LazyLock;

/// Shannon entropy of the bytes, in bits a byte.
pub(crate) fn entropy(value: &[u8]) -> f32 {
    let mut counts = [0_u16; 256];
    // A value of more than 64 KiB is judged by its beginning.
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    for &byte in value {
        counts[usize::from(byte)] += 1;
    }
    // Each byte once: its count is taken away when it is used.
    let mut sum = 0.0;
    for &byte in value {
        let count = std::mem::take(&mut counts[usize::from(byte)]);
        if count > 1 {
            sum += share(count);
        }
    }
    let Ok(total) = u16::try_from(value.len()) else { return 0.0 };
    let total = f32::from(total.max(1));
    total.log2() - sum / total
}

/// `count` times its logarithm; most characters of a value come up a few times.
fn share(count: u16) -> f32 {
    static FEW: LazyLock<[f32; 32]> =
        LazyLock::new(|| std::array::from_fn(|count| u16::try_from(count).map_or(0.0, weighted)));
    FEW.get(usize::from(count)).copied().unwrap_or_else(|| weighted(count))
}

fn weighted(count: u16) -> f32 {
    let count = f32::from(count);
    if count > 1.0 { count * count.log2() } else { 0.0 }
}

/// Whether a value looks made by a machine: letters and digits mixed, or long and of mixed case, or
/// more digits than any number of the world; no words joined by dashes, no path.
pub(crate) fn looks_random(value: &[u8]) -> bool {
    const LONG_NUMBER: usize = 28;
    let (mut digits, mut upper, mut lower) = (0, 0, 0);
    for byte in value {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'A'..=b'Z' => upper += 1,
            b'a'..=b'z' => lower += 1,
            b' ' | b'\t' | b'\n' | b'\r' => return false,
            _ => {}
        }
    }
    let letters = upper + lower;
    let number = digits == value.len() && digits >= LONG_NUMBER;
    let mixed =
        number || digits >= 2 && letters >= 2 || upper >= 2 && lower >= 2 && value.len() >= 20;
    mixed && entropy(value) >= 2.5 && !is_words(value) && !(digits == 0 && is_long_camel(value))
}

/// `words`, `Words`, `ManyWords`, `manyWords`.
fn is_camel(letters: &[u8]) -> bool {
    letters
        .chunk_by(|_, b| b.is_ascii_lowercase())
        .all(|word| word.len() > 1 && word[1..].iter().all(u8::is_ascii_lowercase))
        || letters.len() == 1
}

/// `TransitGatewayPrefixList`, `DBClusterParameterGroups`: words, of which most are long, and short forms.
fn is_long_camel(value: &[u8]) -> bool {
    const LONG: usize = 4;
    let long = |hump: &&[u8]| hump.len() >= LONG && hump[1..].iter().all(u8::is_ascii_lowercase);
    let humps = value.chunk_by(|_, b| b.is_ascii_lowercase());
    let words: usize = humps.filter(long).map(<[u8]>::len).sum();
    value.iter().all(u8::is_ascii_alphabetic) && words * 4 >= value.len() * 3
}

/// `some-words_joined.here2`: words of letters, a number at most at their end.
fn is_words(value: &[u8]) -> bool {
    let mut parts = 0;
    for part in value.split(|b| matches!(b, b'-' | b'_' | b'.' | b'/' | b':')) {
        let letters = part.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let number = part[letters..].iter().all(u8::is_ascii_digit) && part.len() - letters <= 4;
        let word = part[..letters].iter().all(u8::is_ascii_uppercase) || is_camel(&part[..letters]);
        if !number || !word {
            return false;
        }
        parts += 1;
    }
    parts >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_that_of_the_distribution() {
        assert!(entropy(b"aaaa").abs() < f32::EPSILON);
        assert!((entropy(b"abcd") - 2.0).abs() < 1e-6);
    }

    #[test]
    fn random_values_and_words() {
        for text in [
            "Zf3D0LXCM3EIMbgJpUNnkRtO",
            "832d2129-a846-4e27-99f4-7004b6ad53ef",
            "hunter22x9",
            "qWjrTbNxLpKzVfGhDsMc",
            "61677454568896507674284269693155",
        ] {
            assert!(looks_random(text.as_bytes()), "{text}");
        }
        for text in [
            "my-secret-name",
            "NEXUS-GPT4-API-KEY",
            "12345678",
            "correct",
            "Windows-2019_x",
            "SalesResults-1.2",
            "TransitGatewayPrefixListReferences",
            "DBClusterParameterGroups",
            "applicationComponentInfos",
        ] {
            assert!(!looks_random(text.as_bytes()), "{text}");
        }
    }
}
