//! An open text, and places in it as editors count.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

use lsp_types::{Position, PositionEncodingKind, Range, TextDocumentContentChangeEvent, Uri};
use tacenda_scan::Report;

/// What a column counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Bytes.
    Utf8,
    /// Code units of UTF-16: what every editor understands.
    #[default]
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// The first that we know of those that the editor offers.
    pub(super) fn negotiated(offered: Option<&[PositionEncodingKind]>) -> Self {
        let known = |kind: &PositionEncodingKind| match kind.as_str() {
            "utf-8" => Some(Self::Utf8),
            "utf-16" => Some(Self::Utf16),
            "utf-32" => Some(Self::Utf32),
            _ => None,
        };
        offered.unwrap_or_default().iter().find_map(known).unwrap_or_default()
    }

    /// Its name in the protocol.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16 => "utf-16",
            Self::Utf32 => "utf-32",
        }
    }

    const fn width(self, letter: char) -> usize {
        match self {
            Self::Utf8 => letter.len_utf8(),
            Self::Utf16 => letter.len_utf16(),
            Self::Utf32 => 1,
        }
    }

    /// The byte at a place. A place behind the end of a line is its end, one behind the text the end
    /// of the text, as the protocol says.
    pub(super) fn offset(self, text: &str, place: Position) -> usize {
        let Some(start) = line_starts(text).nth(place.line as usize) else { return text.len() };
        let mut left = place.character as usize;
        for (at, letter) in text[start..].char_indices() {
            if left < self.width(letter) || matches!(letter, '\n' | '\r') {
                return start + at;
            }
            left -= self.width(letter);
        }
        text.len()
    }

    /// The place of a byte.
    pub(super) fn position(self, text: &str, offset: usize) -> Position {
        let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
        let offset = offset.unwrap_or(0);
        let (line, start) = line_starts(text)
            .take_while(|start| *start <= offset)
            .enumerate()
            .last()
            .unwrap_or((0, 0));
        let character: usize = text[start..offset].chars().map(|letter| self.width(letter)).sum();
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position { line: number(line), character: number(character) }
    }

    /// A stretch of bytes.
    pub(super) fn range(self, text: &str, bytes: &std::ops::Range<usize>) -> Range {
        Range { start: self.position(text, bytes.start), end: self.position(text, bytes.end) }
    }
}

/// Where lines begin: after `\n`, `\r\n` and `\r`.
fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let ends = bytes.iter().enumerate().filter(move |(at, byte)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0).chain(ends.map(|(at, _)| at + 1))
}

/// An open text.
#[derive(Debug)]
pub(super) struct Document {
    /// What the editor calls it.
    pub(super) uri: Uri,
    /// What the scanner calls it.
    pub(super) path: PathBuf,
    /// Its text.
    pub(super) text: String,
    /// Its version, as the editor counts: it may begin again when the text is opened again.
    pub(super) version: i32,
    /// Which of all texts that the server ever had this is: no two have the same.
    pub(super) edition: u64,
    /// What is found in it, once that is known of this edition.
    pub(super) report: Option<Report>,
}

impl Document {
    /// Takes in changes, each of which is about what the one before left.
    pub(super) fn change(
        &mut self,
        version: i32,
        edition: u64,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) {
        for change in changes {
            match change.range {
                Some(range) => {
                    let start = encoding.offset(&self.text, range.start);
                    let end = encoding.offset(&self.text, range.end).max(start);
                    self.text.replace_range(start..end, &change.text);
                }
                None => self.text = change.text,
            }
        }
        self.version = version;
        self.edition = edition;
        self.report = None;
    }
}

/// The path of a URI: of a file, where it is; of anything else, the URI itself as a name.
pub(super) fn path_of(uri: &Uri) -> PathBuf {
    let text = uri.as_str();
    let Some(rest) = text.strip_prefix("file://") else { return PathBuf::from(text) };
    let encoded = &rest[rest.find('/').unwrap_or(rest.len())..];
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match value {
            Some(value) if *byte == b'%' => {
                bytes.push(value);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*byte);
                rest = after;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn places_count_as_was_agreed() {
        let text = "aé🦊b\r\nc\rd\n";
        for (encoding, columns) in [
            (Encoding::Utf8, [0, 1, 3, 7, 8]),
            (Encoding::Utf16, [0, 1, 2, 4, 5]),
            (Encoding::Utf32, [0, 1, 2, 3, 4]),
        ] {
            for (column, offset) in columns.into_iter().zip([0, 1, 3, 7, 8]) {
                assert_eq!(encoding.offset(text, at(0, column)), offset, "{encoding:?}");
                assert_eq!(encoding.position(text, offset), at(0, column), "{encoding:?}");
            }
            assert_eq!(encoding.offset(text, at(0, 99)), 8);
            assert_eq!(encoding.offset(text, at(1, 0)), 10);
            assert_eq!(encoding.offset(text, at(2, 1)), 13);
            assert_eq!(encoding.offset(text, at(3, 0)), 14);
            assert_eq!(encoding.offset(text, at(9, 9)), 14);
            assert_eq!(encoding.position(text, 99), at(3, 0));
        }
        // In the middle of a character: before it.
        assert_eq!(Encoding::Utf16.offset(text, at(0, 3)), 3);
        assert_eq!(Encoding::Utf16.position(text, 5), at(0, 2));
    }

    #[test]
    fn changes_are_about_what_the_one_before_left() {
        let mut document = Document {
            uri: "file:///a.py".parse().unwrap(),
            path: PathBuf::new(),
            text: "x = 'é'\ny\n".to_owned(),
            version: 1,
            edition: 1,
            report: None,
        };
        let change = |range, text: &str| TextDocumentContentChangeEvent {
            range,
            range_length: None,
            text: text.to_owned(),
        };
        let insert = Some(Range { start: at(0, 6), end: at(0, 6) });
        let backwards = Some(Range { start: at(1, 1), end: at(0, 0) });
        let changes = vec![change(insert, "🦊"), change(insert, "!"), change(backwards, "z")];
        document.change(2, 2, changes, Encoding::Utf16);
        assert_eq!((document.text.as_str(), document.version), ("x = 'é!🦊'\nyz\n", 2));
        document.change(3, 3, vec![change(None, "all")], Encoding::Utf16);
        assert_eq!(document.text, "all");
    }

    #[test]
    fn names_of_files_are_decoded() {
        let path = |uri: &str| path_of(&uri.parse().unwrap());
        assert_eq!(path("file:///a%20b/%C3%A9.py"), PathBuf::from("/a b/é.py"));
        assert_eq!(path("file://host/a.py"), PathBuf::from("/a.py"));
        assert_eq!(path("untitled:Untitled-1"), PathBuf::from("untitled:Untitled-1"));
    }
}
