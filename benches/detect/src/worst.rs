//! Texts made to be slow.

/// A name, and the text.
pub(crate) fn texts(bytes: usize) -> Vec<(String, Vec<u8>)> {
    const UNITS: [(&str, &str); 33] = [
        ("digits", "0123456789"),
        ("digits and spaces", "4111 1111 1111 1112 "),
        ("digits and dashes", "415-555-01-"),
        ("digits and dots", "1.22.333."),
        ("groups in brackets", "(415) 555-013 "),
        ("single digits", "1 "),
        ("plus signs", "+1+44+"),
        ("quotes", "\"'`"),
        ("escaped quotes", "\\\"\\'"),
        ("nested brackets", "[[[[(((("),
        ("lists of lists", "[1,[2,"),
        ("array(", "array([1, "),
        ("at signs", "@"),
        ("letters and at signs", "a@b.c@"),
        ("percent-encoded at signs", "a%40b%40"),
        ("colons", ":"),
        ("colons and digits", "::1:2::3"),
        ("pairs of hexadecimal digits", "0a:1b-"),
        ("%25", "%25"),
        ("backslashes", "\\"),
        ("escaped escapes", "\\\\n\\\\u000a"),
        ("colours", "\u{1b}[31m"),
        ("key=", "password="),
        ("key: \"", "\"api_key\": \""),
        ("key=key=", "token=secret=apikey="),
        ("--key ", "--token "),
        ("eyJ", "eyJ"),
        ("eyJ.eyJ.", "eyJhbGciOi.eyJzdWIi."),
        ("Bearer", "Bearer "),
        ("PEM heads", "-----BEGIN PRIVATE KEY-----\n"),
        ("data URLs", "data:image/png;base64,"),
        ("URLs", "https://a:"),
        ("~", "0Q~"),
    ];
    let mut texts: Vec<(String, Vec<u8>)> = UNITS
        .iter()
        .map(|(name, unit)| ((*name).to_owned(), unit.bytes().cycle().take(bytes).collect()))
        .collect();
    texts.push(("random bytes".into(), random(bytes, |byte| byte)));
    texts.push((
        "random letters and digits".into(),
        random(bytes, |byte| ALPHABET[usize::from(byte) % 64]),
    ));
    texts.push((
        "random signs".into(),
        random(bytes, |byte| SIGNS[usize::from(byte) % SIGNS.len()]),
    ));
    texts.push((
        "random digits and separators".into(),
        random(bytes, |byte| DIGITS[usize::from(byte) % DIGITS.len()]),
    ));
    texts.push(("one long line of log".into(), long_line(bytes)));
    texts
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SIGNS: &[u8] = b"@%[~\\:=\"'-,.()/ \n{}<>+#&;?!_$^*|`";
const DIGITS: &[u8] = b"0123456789012345678901234567890123456789 -./()+ -.";

/// Every beginning of every keyword and key, over and over, each as a token of its own: nothing
/// is found, everything is looked at.
pub(crate) fn prefixes(words: &[String], bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 64);
    while !words.is_empty() && text.len() < bytes {
        for word in words {
            for end in 3..=word.len() {
                if let Some(head) = word.get(..end) {
                    text.extend_from_slice(head.as_bytes());
                    text.push(b' ');
                }
            }
        }
    }
    text.truncate(bytes);
    text
}

/// Every keyword with letters behind it, as its pattern may want them, and every key with a value.
pub(crate) fn tails(keywords: &[String], keys: &[String], bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 64);
    while text.len() < bytes {
        for word in keywords {
            text.extend_from_slice(word.as_bytes());
            text.extend_from_slice(b"0aA1bB2cC3dD4eE5fF6gG7hH8iI9jJ!");
        }
        for key in keys {
            text.extend_from_slice(key.as_bytes());
            text.extend_from_slice(b"=0aA1bB2cC3dD4eE5fF6gG7 ");
        }
    }
    text.truncate(bytes);
    text
}

fn random(bytes: usize, map: impl Fn(u8) -> u8) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut text = Vec::with_capacity(bytes + 8);
    while text.len() < bytes {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        let word = state.wrapping_mul(0x2545_F491_4F6C_DD1D);
        text.extend(word.to_le_bytes().map(&map));
    }
    text.truncate(bytes);
    text
}

fn long_line(bytes: usize) -> Vec<u8> {
    let mut text = crate::logs::mixed(bytes, 1);
    for byte in &mut text {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    text.truncate(bytes);
    text
}
