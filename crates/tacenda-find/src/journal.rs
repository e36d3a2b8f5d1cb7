//! What `journalctl` writes: the export format, and the arrays of bytes in its JSON.
//!
//! The export format has a field a line, `NAME=value`. A value with bytes that are no text stands
//! behind its length, eight bytes, little-endian, on the line after its name. Read as lines, each
//! value is at its place, and the zero bytes of a length divide it from the value: nothing has to
//! be skipped. In JSON such a value is an array of the numbers of its bytes.

/// The longest array of bytes that is read as text.
const LONGEST: usize = 1 << 20;

/// Whether a file begins like the export format does.
pub(crate) fn is_export(head: &[u8]) -> bool {
    head.starts_with(b"__CURSOR=")
        && memchr::memmem::find(head, b"\n__REALTIME_TIMESTAMP=").is_some()
}

/// A text that stands in a line as an array of the numbers of its bytes.
pub(crate) struct Bytes {
    /// The text.
    pub(crate) text: Vec<u8>,
    /// Where each byte stands in the line.
    pub(crate) places: Vec<std::ops::Range<usize>>,
}

/// The arrays of bytes in a line of `journalctl -o json`.
pub(crate) fn byte_arrays(line: &[u8]) -> Vec<Bytes> {
    if !line.starts_with(b"{") || memchr::memmem::find(line, b"\"__CURSOR\"").is_none() {
        return Vec::new();
    }
    memchr::memmem::find_iter(line, b"\":[").filter_map(|at| byte_array(line, at + 3)).collect()
}

fn byte_array(line: &[u8], from: usize) -> Option<Bytes> {
    let mut bytes = Bytes { text: Vec::new(), places: Vec::new() };
    let mut at = from;
    loop {
        let digits = line[at..].iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&line[at..at + digits]).ok()?.parse::<u8>().ok()?;
        bytes.text.push(number);
        bytes.places.push(at..at + digits);
        at += digits;
        match line.get(at)? {
            b',' if bytes.text.len() < LONGEST => at += 1,
            b']' => return Some(bytes),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_of_bytes_is_text() {
        let line = br#"{"__CURSOR":"s","N":[1,300],"MESSAGE":[27,91,49,109,72,105],"X":"y"}"#;
        let arrays = byte_arrays(line);
        assert_eq!(arrays.len(), 1);
        assert_eq!(arrays[0].text, b"\x1b[1mHi");
        let last = arrays[0].places.last().unwrap().clone();
        assert_eq!(&line[last], b"105");
        assert!(byte_arrays(br#"{"MESSAGE":[72,105]}"#).is_empty(), "not the journal's");
    }

    #[test]
    fn the_export_format_is_known_by_its_head() {
        assert!(is_export(b"__CURSOR=s=1;i=2\n__REALTIME_TIMESTAMP=1795255205000000\n"));
        assert!(!is_export(b"2026-11-21 __CURSOR="));
    }
}
