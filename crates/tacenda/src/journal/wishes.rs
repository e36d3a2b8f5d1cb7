//! Wishes for classes in a log that is redacted.

use tacenda_journal::{LONGEST_RECORD as LONGEST, hide_wish};

/// Hides the wishes of a log that comes in blocks. A line that is too long for a record has none.
#[derive(Default)]
pub(super) struct Wishes {
    /// A line that has not ended.
    rest: Vec<u8>,
    /// Whether what comes goes on with a line that is too long.
    inside: bool,
}

impl Wishes {
    /// Takes a block, of which an empty one is the end; gives what may be redacted.
    pub(super) fn hide(&mut self, block: &[u8]) -> Vec<u8> {
        let mut ready = Vec::with_capacity(self.rest.len() + block.len());
        let before = self.rest.len();
        self.rest.extend_from_slice(block);
        let end = match block.iter().rposition(|byte| *byte == b'\n') {
            Some(at) => before + at + 1,
            None if block.is_empty() || self.inside || self.rest.len() > LONGEST => self.rest.len(),
            None => return ready,
        };
        for line in self.rest[..end].split_inclusive(|byte| *byte == b'\n') {
            let has_ended = line.ends_with(b"\n");
            let is_whole = !self.inside && (has_ended || block.is_empty());
            if is_whole {
                ready.extend_from_slice(&hide_wish(line));
            } else {
                ready.extend_from_slice(line);
            }
            self.inside = !has_ended;
        }
        self.rest.drain(..end);
        ready
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_does_not_matter_how_a_log_is_cut() {
        let wish = r#"{"classes":{"a":"public"}}"#;
        let log = format!("one\n{wish}\n\ntwo {wish}\n{wish}");
        let whole = {
            let mut wishes = Wishes::default();
            [wishes.hide(log.as_bytes()), wishes.hide(b"")].concat()
        };
        let text = str::from_utf8(&whole).unwrap();
        assert_eq!(text.matches(r#"{"public":[["a"]]}"#).count(), 2, "{text}");
        for size in 1..log.len() {
            let mut wishes = Wishes::default();
            let mut hidden: Vec<u8> =
                log.as_bytes().chunks(size).flat_map(|block| wishes.hide(block)).collect();
            hidden.extend(wishes.hide(b""));
            assert_eq!(hidden, whole);
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_kept() {
        let mut wishes = Wishes::default();
        let block = vec![b'x'; 1 << 20];
        let mut given = 0;
        for _ in 0..40 {
            given += wishes.hide(&block).len();
            assert!(wishes.rest.len() <= LONGEST);
        }
        given += wishes.hide(b"{\"classes\":{\"a\":\"public\"}}\n").len();
        assert_eq!((given, wishes.rest.len()), ((40 << 20) + 27, 0));
    }
}
