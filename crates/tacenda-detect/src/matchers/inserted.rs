//! A secret among the values of a row that an SQL statement inserts: the names of the columns stand
//! before them, in the same order.

use std::ops::Range;

use super::stand_in;

/// How far behind the keyword the row is looked for.
const REACH: usize = 2048;
/// Shorter values are no secrets.
const SHORTEST: usize = 4;

/// Endings of the names of columns, letters and digits only.
const COLUMNS: [&[u8]; 9] = [
    b"password",
    b"passwd",
    b"pwd",
    b"passphrase",
    b"secret",
    b"token",
    b"apikey",
    b"secretkey",
    b"privatekey",
];

/// The first secret of the first row of the statement whose keyword of `width` bytes is at `at`.
pub(crate) fn secret(text: &[u8], at: usize, width: usize) -> Option<Range<usize>> {
    let limit = text.len().min(at + width + REACH);
    let names = memchr::memchr(b'(', &text[at + width..limit])? + at + width;
    let mut columns = Items::new(&text[..limit], names + 1);
    let place = columns.by_ref().position(|name| is_secret(&text[name]))?;
    columns.by_ref().for_each(drop);
    let rest = &text[columns.at..limit];
    let word = rest.iter().take_while(|byte| **byte != b'(').count();
    let values = &rest[..word];
    if !values.windows(6).any(|word| word.eq_ignore_ascii_case(b"values")) {
        return None;
    }
    let value = Items::new(&text[..limit], columns.at + word + 1).nth(place)?;
    let quote = matches!(text[value.start], b'\'' | b'"');
    let inside = value.start + 1..value.end.checked_sub(1)?;
    let value = text.get(inside.clone()).filter(|_| quote)?;
    (value.len() >= SHORTEST && !stand_in::is_stand_in(value)).then_some(inside)
}

fn is_secret(name: &[u8]) -> bool {
    let letters = || name.iter().rev().filter(|byte| byte.is_ascii_alphanumeric());
    COLUMNS.iter().any(|column| {
        letters().take(column.len()).map(u8::to_ascii_lowercase).eq(column.iter().rev().copied())
    })
}

/// The items of a list in parentheses, blanks around them left out.
struct Items<'t> {
    text: &'t [u8],
    /// Behind the item that was given last, or behind the list.
    at: usize,
    is_done: bool,
}

impl<'t> Items<'t> {
    fn new(text: &'t [u8], at: usize) -> Self {
        Self { text, at, is_done: false }
    }
}

impl Iterator for Items<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.is_done {
            return None;
        }
        let start = self.at;
        let (mut quote, mut depth) = (None, 0);
        for at in start..self.text.len() {
            let byte = self.text[at];
            match (quote, byte) {
                (Some(open), _) => quote = (byte != open).then_some(open),
                (None, b'\'' | b'"' | b'`') => quote = Some(byte),
                (None, b'(') => depth += 1,
                (None, b')') if depth > 0 => depth -= 1,
                (None, b',' | b')') if depth == 0 => {
                    (self.at, self.is_done) = (at + 1, byte == b')');
                    let item = &self.text[start..at];
                    let from = start + item.len() - item.trim_ascii_start().len();
                    return Some(from..(start + item.trim_ascii_end().len()).max(from))
                        .filter(|item| !item.is_empty());
                }
                _ => {}
            }
        }
        self.is_done = true;
        None
    }
}
