//! Values that stand on two lines: broken by a mail program (quoted-printable, RFC 2045, 6.7), or by
//! what writes into columns, as a terminal does.

use std::ops::Range;

use super::escape::Meaning;
use crate::matchers::pem;

/// Columns that text is wrapped at.
const COLUMNS: [usize; 9] = [72, 76, 78, 79, 80, 100, 120, 132, 160];
const NARROWEST: usize = 40;
/// [`COLUMNS`], one bit each.
const USUAL: [u64; 3] = {
    let mut usual = [0; 3];
    let mut i = 0;
    while i < COLUMNS.len() {
        usual[COLUMNS[i] / 64] |= 1 << (COLUMNS[i] % 64);
        i += 1;
    }
    usual
};
/// Most blanks before what goes on.
const INDENT: usize = 40;

/// Whether the line whose end is at `at` (a `\n`, or the first backslash of one that is escaped, maybe
/// more than once) goes on behind a soft break.
pub(super) fn is_soft_break(text: &[u8], at: usize) -> bool {
    const ESCAPED: usize = 8;
    let before = text[..at].strip_suffix(b"\r").unwrap_or(&text[..at]);
    let rest = &text[at..];
    let escapes = rest.iter().take(ESCAPED).take_while(|byte| **byte == b'\\').count();
    let behind = end_of_line(rest).and_then(|width| rest.get(width));
    let goes_on = behind.is_some_and(u8::is_ascii_graphic)
        || escapes > 1 && matches!(rest.get(escapes), Some(b'n' | b'r'));
    before.ends_with(b"=") && goes_on
}

/// The same, seldom asked for.
#[cold]
fn soft_break(text: &[u8], at: usize) -> bool {
    is_soft_break(text, at)
}

/// The break in a word whose line ends at `at` with a backslash, as a command of a shell does.
#[cold]
fn continued(text: &[u8], at: usize) -> Option<Range<usize>> {
    let goes_on =
        may_be_inside(text[at - 2]) && text.get(at + 1).copied().is_some_and(may_be_inside);
    goes_on.then_some(at - 1..at + 1)
}

/// The width of the end of a line at the start of `text`, as it is or as JSON and `repr()` spell it.
pub(super) fn end_of_line(text: &[u8]) -> Option<usize> {
    let ends = [&b"\n"[..], b"\r\n", br"\n", br"\r\n"];
    ends.into_iter().find(|end| text.starts_with(end)).map(<[u8]>::len)
}

/// What `=` at `at` means in quoted-printable.
pub(super) fn quoted(text: &[u8], at: usize) -> Option<Meaning> {
    let rest = &text[at + 1..];
    if let Some(width) = end_of_line(rest) {
        return Some(Meaning::nothing(1 + width));
    }
    let digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'A'..=b'F');
    let octet: [u8; 2] = *rest.first_chunk()?;
    let octet = str::from_utf8(&octet).ok().filter(|_| octet.into_iter().all(digit))?;
    Some(Meaning::byte(3, u8::from_str_radix(octet, 16).ok()?))
}

/// Whether two characters outside ASCII begin at `at`, as in `=C3=BC`.
pub(super) fn is_quoted_letter(text: &[u8], at: usize) -> bool {
    let octet = |at| quoted(text, at).is_some_and(|meaning| meaning.bytes() >= &[0x80][..]);
    octet(at) && octet(at + 3)
}

/// A line and where it began, as far as it is known while a text is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines {
    /// Where the line begins, and how long the one before it was.
    start: usize,
    last: usize,
}

impl Lines {
    /// The line ends at `end`; gives back where it began.
    #[inline]
    pub(super) fn end(&mut self, end: usize) -> Line {
        let line = Line { start: self.start, end, last: self.last };
        *self = Self { start: end + 1, last: end - self.start };
        line
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) start: usize,
    pub(super) end: usize,
    last: usize,
}

/// How a line goes on in the next one.
pub(super) enum Break {
    /// With the soft break of a mail, or another that is written out.
    Soft,
    /// A word did not go into it, or goes on behind a backslash: the break between its halves.
    Wrapped(Range<usize>),
}

impl Line {
    /// Whether it may go on, as its last byte and its width tell.
    #[inline]
    pub(super) fn may_go_on(self, text: &[u8]) -> bool {
        let Self { start, end, .. } = self;
        let last = if end > start { ENDS[usize::from(text[end - 1])] } else { 0 };
        last & BREAK != 0 || last & INSIDE != 0 && self.may_be_full()
    }

    /// How the line goes on, if it does.
    pub(super) fn goes_on(self, text: &[u8]) -> Option<Break> {
        let Self { start, end, .. } = self;
        if end > start && matches!(text[end - 1], b'=' | b'\r') {
            return soft_break(text, end).then_some(Break::Soft);
        }
        if end > start + 1 && text[end - 1] == b'\\' {
            return continued(text, end).map(Break::Wrapped);
        }
        if self.may_be_full() { self.wrapped(text).map(Break::Wrapped) } else { None }
    }

    /// A cheap look at whether the line is as wide as the columns.
    #[inline]
    fn may_be_full(self) -> bool {
        let width = self.end - self.start;
        let usual = width < 3 * 64 && USUAL[width / 64] >> (width % 64) & 1 == 1;
        usual || width == self.last && width >= NARROWEST
    }

    /// The break between the two halves of a word that did not go into the line.
    fn wrapped(self, text: &[u8]) -> Option<Range<usize>> {
        let Self { start, end, .. } = self;
        let rest = &text[end + 1..];
        let indent = rest.iter().take(INDENT).take_while(|byte| **byte == b' ').count();
        let rest = &rest[indent..];
        let goes_on = may_be_inside(text[end - 1]) && may_be_inside(*rest.first()?);
        // Records of one sort begin alike.
        let alike = rest.first_chunk::<3>() == text[start..].first_chunk();
        if !goes_on || alike || begins_record(rest) {
            return None;
        }
        let next = memchr::memchr(b'\n', &rest[..rest.len().min(end - start + 1)]);
        let fits = next.unwrap_or(rest.len()) + indent <= end - start;
        fits.then_some(end..end + 1 + indent)
    }
}

/// Follows the lines of a text that is looked at line by line, and tells which of them have to be
/// looked at together: a value may begin in one and end in the next.
#[derive(Clone, Copy, Debug, Default)]
pub struct Joints {
    /// How long the line before was.
    last: usize,
    /// Whether private keys are followed, and lines of one whose end has not come.
    keys: bool,
    key: usize,
}

impl Joints {
    /// Most lines of a private key; what begins like one must not swallow a log.
    const KEY: usize = 200;

    /// The same, and private keys that are written over several lines.
    #[must_use]
    pub fn with_private_keys(mut self) -> Self {
        self.keys = true;
        self
    }

    /// Whether the next line is needed to tell whether this one goes on in it: most lines end where
    /// they end.
    pub fn may_go_on(&self, line: &[u8]) -> bool {
        let content = line.strip_suffix(b"\r").unwrap_or(line);
        self.key > 0
            || content.ends_with(b"=")
            || line.ends_with(b"\\")
            || self.keys && pem::opens(line)
            || Line { start: 0, end: line.len(), last: self.last }.may_be_full()
    }

    /// Whether `line` of `text`, up to its `\n`, goes on in the next one. To be asked for each line,
    /// in their order.
    pub fn goes_on(&mut self, text: &[u8], line: Range<usize>) -> bool {
        let Range { start, end } = line;
        let last = std::mem::replace(&mut self.last, end - start);
        if end + 1 >= text.len() {
            self.key = 0;
            return false;
        }
        self.keys && self.in_key(&text[start..end], &text[end + 1..])
            || Line { start, end, last }.goes_on(text).is_some()
    }

    /// Whether a private key that is written over several lines has begun and not ended.
    fn in_key(&mut self, line: &[u8], next: &[u8]) -> bool {
        let begins = self.key == 0 && pem::opens(line);
        let goes_on = (begins || self.key > 0)
            && self.key < Self::KEY
            && (begins || memchr::memmem::find(line, b"-----END ").is_none())
            && pem::is_body_line(&next[..memchr::memchr(b'\n', next).unwrap_or(next.len())]);
        self.key = if goes_on { self.key + 1 } else { 0 };
        goes_on
    }
}

/// A line that ends with this byte may go on behind it.
const BREAK: u8 = 1;
/// A value may go on with this byte.
const INSIDE: u8 = 2;

/// What each byte is at the end of a line.
static ENDS: [u8; 256] = {
    let mut ends = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        let signs = matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/' | b'@' | b'=' | b'%');
        let inside = byte.is_ascii_alphanumeric() || signs;
        let breaks = matches!(byte, b'=' | b'\r' | b'\\');
        ends[byte as usize] = if inside { INSIDE } else { 0 } | if breaks { BREAK } else { 0 };
        byte += 1;
    }
    ends
};

/// Whether a value may go on with this byte.
fn may_be_inside(byte: u8) -> bool {
    ENDS[usize::from(byte)] & INSIDE != 0
}

/// Whether a record begins here: with its time or its level.
fn begins_record(line: &[u8]) -> bool {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let time = matches!(
        (digits, line.get(digits), line.get(digits + 1)),
        (1..=4, Some(b'-' | b':' | b'/' | b'.'), Some(b'0'..=b'9'))
    );
    let level = line.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    time || level >= 4 && matches!(line.get(level), Some(b' ' | b':'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_on_may_go_on(text in "([a-z]{0,3}[a-z=.\\\\ ]{38,41}[ =a-z.\\\\\r]?\n){1,4}[a-z ]{0,9}") {
            let text = text.as_bytes();
            let mut lines = Lines::default();
            for end in memchr::memchr_iter(b'\n', text) {
                let line = lines.end(end);
                let goes_on = end + 1 < text.len() && line.goes_on(text).is_some();
                prop_assert!(line.may_go_on(text) || !goes_on);
            }
        }
    }
}
