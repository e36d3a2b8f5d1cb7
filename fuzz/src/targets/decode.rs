//! A value is found in whatever spelling it stands, three deep, and its bytes are exactly those
//! that decode to it.
//!
//! The input chooses the value, the spellings and the words around it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};

/// Values that need nothing around them.
const VALUES: [&str; 5] = [
    "jane.roe@example.com",
    "4111 1111 1111 1111",
    "+1 415-555-0132",
    "AKIAIOSFODNN7EXAMPLE",
    "078-05-1120",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spelling {
    Plain,
    Json,
    JsonSigns,
    Percent,
    Repr,
    References,
    QuotedPrintable,
    Base64,
    Base64Url,
    Hexadecimal,
}

impl Spelling {
    const ALL: [Self; 10] = [
        Self::Plain,
        Self::Json,
        Self::JsonSigns,
        Self::Percent,
        Self::Repr,
        Self::References,
        Self::QuotedPrintable,
        Self::Base64,
        Self::Base64Url,
        Self::Hexadecimal,
    ];

    /// Whether nothing of the text is left as it was, so that the whole becomes one value.
    fn is_blob(self) -> bool {
        matches!(self, Self::Base64 | Self::Base64Url | Self::Hexadecimal)
    }

    fn write(self, text: &str) -> String {
        let signs = |write: fn(u8) -> String| -> String {
            text.bytes()
                .map(|byte| match byte {
                    _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                    _ => write(byte),
                })
                .collect()
        };
        match self {
            Self::Plain => text.to_owned(),
            Self::Json => {
                let quoted = serde_json::to_string(text).expect("a string is JSON");
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::JsonSigns => signs(|byte| format!("\\u{byte:04x}")),
            Self::Percent => signs(|byte| format!("%{byte:02X}")),
            Self::Repr => signs(|byte| format!("\\x{byte:02x}")),
            Self::References => signs(|byte| format!("&#{byte};")),
            // A soft break behind each sign, wherever a line is full.
            Self::QuotedPrintable => signs(|byte| format!("={byte:02X}=\n")),
            Self::Base64 => BASE64_STANDARD_NO_PAD.encode(text),
            Self::Base64Url => BASE64_URL_SAFE_NO_PAD.encode(text),
            Self::Hexadecimal => text.bytes().fold(String::new(), |mut out, byte| {
                let _ = write!(out, "{byte:02x}");
                out
            }),
        }
    }
}

/// The property.
pub fn run(input: &[u8]) {
    let (value, rest) = super::first(input);
    let (levels, rest) = super::first(rest);
    let spellings: Vec<Spelling> = rest
        .iter()
        .take(levels % 4)
        .map(|which| Spelling::ALL[usize::from(*which) % Spelling::ALL.len()])
        .collect();
    // Words, so that nothing else is there to be found, nor to hide the value.
    let words: String = rest
        .iter()
        .skip(3)
        .take(200)
        .map(|byte| if byte.is_ascii_lowercase() { char::from(*byte) } else { ' ' })
        .collect();
    let (before, after) = words.split_at(words.len() / 2);
    let value = VALUES[value % VALUES.len()];

    let mut text = format!("{before} it says: {value} and so on {after}");
    let mut wanted = value.to_owned();
    for spelling in &spellings {
        wanted = if spelling.is_blob() { spelling.write(&text) } else { spelling.write(&wanted) };
        text = spelling.write(&text);
    }
    let found: Vec<&str> = super::spans(text.as_bytes())
        .iter()
        .map(|span| text.get(span.start..span.end).expect("a span of text is text"))
        .collect();
    assert!(found.contains(&&*wanted), "{spellings:?}: {found:?} is not {wanted:?} in {text:?}");
}
