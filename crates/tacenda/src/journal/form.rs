//! What a log is, told by what it begins with: what is no text would be sealed with all that is to be
//! redacted, and without the bytes that are no UTF-8.

use std::io;

/// What is looked at.
const HEAD: usize = 4 << 10;

/// Forms that are no text, by what a file of theirs begins with.
const FORMS: [(&[u8], &str); 10] = [
    (b"BZh", "packed with bzip2"),
    (b"PK\x03\x04", "a zip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x04\x22\x4d\x18", "packed with lz4"),
    (b"\x1f\x9d", "packed with compress"),
    (b"LZIP", "packed with lzip"),
    // What is packed twice.
    (b"\x1f\x8b\x08", "packed with gzip"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
    (b"\xfd7zXZ\0", "packed with xz"),
    (b"LPKSHHRH", "a file of systemd-journald"),
];

/// Where a tar archive says what it is.
const TAR: usize = 257;

/// Of so many bytes of a text one may be a control character. What is packed has more, and so has UTF-16.
const FEW: usize = 16;

/// Whether what is written into it is UTF-8 text, and what it is else.
#[derive(Default)]
pub(super) struct Form {
    head: Vec<u8>,
    /// The beginning of a character, of which the rest is to come.
    rest: Vec<u8>,
    is_other: bool,
}

impl Form {
    /// How much of a log tells its form.
    pub(super) const HEAD: u64 = HEAD as u64;

    /// Whether all of it is UTF-8.
    pub(super) fn is_utf8(&self) -> bool {
        !self.is_other && self.rest.is_empty()
    }

    /// The encoding that a mark at the beginning names, if not UTF-8.
    pub(super) fn other_encoding(&self) -> Option<&'static str> {
        match self.head.as_slice() {
            [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
            _ => None,
        }
    }

    /// What it is, if no text.
    pub(super) fn no_text(&self) -> Option<&'static str> {
        let begins = |(begin, _): &&(&[u8], &str)| self.head.starts_with(begin);
        if let Some((_, name)) = FORMS.iter().find(begins) {
            return Some(name);
        }
        if self.head.get(TAR..).is_some_and(|head| head.starts_with(b"ustar")) {
            return Some("a tar archive");
        }
        // A log that was cut to nothing while a program wrote to it begins with a hole.
        let hole = self.head.iter().take_while(|byte| **byte == 0).count();
        let head = &self.head[hole..];
        let controls = head.iter().filter(|byte| is_control(**byte)).count();
        (controls > 3 && controls > head.len() / FEW).then_some("binary")
    }
}

/// Whether it is a control character that logs do not have: they have blanks, ends of lines and colours.
fn is_control(byte: u8) -> bool {
    byte.is_ascii_control() && !matches!(byte, b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | 0x08 | 0x1b)
}

impl io::Write for Form {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let missing = HEAD.saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(missing));
        self.rest.extend_from_slice(bytes);
        let valid = match std::str::from_utf8(&self.rest) {
            Ok(text) => text.len(),
            Err(error) => {
                self.is_other |= error.error_len().is_some();
                error.valid_up_to()
            }
        };
        self.rest.drain(..if self.is_other { self.rest.len() } else { valid });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn form(bytes: &[u8]) -> Form {
        let mut form = Form::default();
        form.write_all(bytes).unwrap();
        form
    }

    #[test]
    fn what_is_no_text_is_told_by_its_beginning() {
        let line = b"2026-03-01 INFO a line\n";
        let wide: Vec<u8> = line.iter().flat_map(|byte| [*byte, 0]).collect();
        let mut tar = vec![b'a'; TAR];
        tar.extend(b"ustar\0");
        // What is packed with zlib looks like nothing.
        let random = |n: u32| n.wrapping_mul(0x9e37_79b9).to_be_bytes();
        let random: Vec<u8> = (0..1024).flat_map(random).collect();
        for (bytes, name) in [
            (b"BZh91AY&SY\x06".as_slice(), "packed with bzip2"),
            (b"PK\x03\x04\x14\0", "a zip archive"),
            (&tar, "a tar archive"),
            (&wide, "binary"),
            (&random, "binary"),
        ] {
            assert_eq!(form(bytes).no_text(), Some(name));
        }
    }

    #[test]
    fn what_logs_have_is_text() {
        let hole = [&[0; 9000], b"a line\n".as_slice()].concat();
        let latin: Vec<u8> = b"caf\xe9 \xfc\n".repeat(9);
        for text in [
            b"".as_slice(),
            b"a\n",
            b"\0",
            b"\x1b[31mred\x1b[0m\t\r\n",
            &b"a\0b\n"[..],
            &hole,
            &latin,
            "\u{feff}Zeile\n".as_bytes(),
        ] {
            assert_eq!(form(text).no_text(), None, "{text:?}");
        }
    }
}
