//! `key = value` in the spellings that logs show: `key=value`, `key: value`, `"key": "value"`,
//! `'key': 'value'`, `\"key\": \"value\"`, `key := value`, `key ?= value`, `("key", "value")`,
//! `--key value`, `?key=value`.

use std::cell::OnceCell;
use std::ops::Range;

use crate::boundary;
use crate::matchers::{randomness, stand_in};

/// Most letters of a key that are looked at.
const KEY: usize = 48;
/// Most digits of a number at the end of a key.
const NUMBER: usize = 3;
/// Most bytes of a value.
const VALUE: usize = 4096;

/// A key in its normal form: lower case, letters and digits only, the last [`KEY`] of them.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    letters: [u8; KEY],
    from: usize,
    /// Where it begins in the text.
    pub(crate) start: usize,
}

impl Key {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.letters[self.from..]
    }

    /// The key that `name`, some bytes of the text at `start`, stands for.
    pub(crate) fn named(name: &[u8], start: usize) -> Self {
        let mut key = Self { letters: [0; KEY], from: KEY, start };
        // A place in a list is no part of the name: `messages.0.content`.
        let is_place = |part: &&[u8]| part.iter().all(u8::is_ascii_digit);
        for part in name.rsplit(|byte| *byte == b'.').filter(|part| !is_place(part)) {
            for &byte in part.iter().rev().filter(|byte| byte.is_ascii_alphanumeric()) {
                key.push_front(byte);
            }
        }
        key
    }

    /// Puts a letter in front; false when there is no room.
    fn push_front(&mut self, byte: u8) -> bool {
        if self.from == 0 {
            return false;
        }
        self.from -= 1;
        self.letters[self.from] = byte.to_ascii_lowercase();
        true
    }

    /// The key of these letters, without the number at its end.
    fn read(letters: Backwards<'_>) -> Self {
        let (text, end) = (letters.text, letters.at);
        let mut letters = letters.without_number();
        let mut key = Self { letters: [0; KEY], from: KEY, start: end };
        for byte in letters.by_ref().take(KEY) {
            key.push_front(byte);
        }
        key.start = boundary::out_of_escape(text, letters.at).min(end);
        key
    }
}

/// How a key and its value are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Join {
    /// `key=value`, `key := value`.
    Equals,
    /// `key: value`.
    Colon,
    /// `("key", "value")`.
    Tuple,
    /// `--key value`.
    Flag,
}

/// A key and its value.
#[derive(Clone, Debug)]
pub(crate) struct Assignment {
    pub(crate) key: Key,
    /// The value without its quotes.
    pub(crate) value: Range<usize>,
    pub(crate) join: Join,
    /// Whether the value stands in quotes.
    pub(crate) quoted: bool,
    /// Whether the key follows `?` or `&`.
    pub(crate) query: bool,
    /// Whether the key is the first word of its line, or stands in quotes itself.
    pub(crate) leads: bool,
    /// What several rules ask of the value, once one has asked.
    random: OnceCell<bool>,
    stand_in: OnceCell<bool>,
}

impl Assignment {
    /// A key that stands before its value.
    pub(crate) fn new(key: Key, value: Range<usize>, join: Join, quoted: bool) -> Self {
        Self {
            key,
            value,
            join,
            quoted,
            query: false,
            leads: true,
            random: OnceCell::new(),
            stand_in: OnceCell::new(),
        }
    }

    /// Whether the value looks made by a machine.
    pub(crate) fn looks_random(&self, text: &[u8]) -> bool {
        *self.random.get_or_init(|| randomness::looks_random(&text[self.value.clone()]))
    }

    /// Whether the value stands where a secret would.
    pub(crate) fn is_stand_in(&self, text: &[u8]) -> bool {
        *self.stand_in.get_or_init(|| stand_in::is_stand_in(&text[self.value.clone()]))
    }
}

/// The key before the separator at `at`, if it is `wanted`.
pub(crate) fn key_before(
    text: &[u8],
    at: usize,
    join: Join,
    wanted: impl Fn(Backwards<'_>) -> bool,
) -> Option<(Key, bool)> {
    let mut i = skip_blanks_back(text, at);
    if join == Join::Equals {
        match text.get(i.checked_sub(1)?)? {
            b'=' | b'!' | b'<' | b'>' => return None,
            b':' => {
                let colons = text[..i].iter().rev().take(3).take_while(|b| **b == b':').count();
                i = skip_blanks_back(text, i - colons);
            }
            // `KEY ?= value` of a makefile; in a query `?` stands right behind the path.
            b'?' if i > 1 && text[i - 2] == b' ' => i = skip_blanks_back(text, i - 1),
            _ => {}
        }
    }
    // `environ["key"] =`, and `[key] =>` as PHP prints it.
    let is_quote = |at: usize| matches!(text[at], b'"' | b'\'');
    if i > 1 && text[i - 1] == b']' && (is_quote(i - 2) || text[at + 1..].starts_with(b"> ")) {
        i -= 1;
    }
    let quoted = i > 0 && matches!(text[i - 1], b'"' | b'\'' | b'`');
    if quoted {
        i -= 1;
        while i > 0 && text[i - 1] == b'\\' {
            i -= 1;
        }
    } else if join == Join::Tuple {
        return None;
    }
    if i == 0 || !text[i - 1].is_ascii_alphanumeric() {
        return None;
    }
    if text[i - 1].is_ascii_digit() && ends_in_number(&text[i.saturating_sub(4)..i]) {
        return None;
    }
    let is_wanted = |letters: &Backwards<'_>| wanted(letters.clone().without_number());
    let mut letters = Backwards::of(text, i, quoted);
    if !is_wanted(&letters) {
        // `audit actor=`: the word before the key is none of it.
        let attached = join == Join::Equals && !quoted && i == at;
        letters = Backwards::of(text, i, true);
        if !attached || !is_wanted(&letters) {
            return None;
        }
    }
    let key = Key::read(letters);
    if join == Join::Tuple && !opens_tuple(text, key.start) {
        return None;
    }
    let leads = quoted || leads_line(text, key.start);
    Some((key, leads))
}

/// Each letter and digit in lower case; 0 for other bytes.
static SMALL: [u8; 256] = {
    let mut small = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        if byte.is_ascii_alphanumeric() {
            small[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    small
};

/// The letters and digits of a key, in lower case, from its last one on.
#[derive(Clone, Debug)]
pub(crate) struct Backwards<'t> {
    text: &'t [u8],
    /// What was read begins here.
    at: usize,
    /// Blanks that the key may yet have.
    blanks: u8,
}

impl<'t> Backwards<'t> {
    /// Of the key that ends before `end`; in quotes it has no blanks.
    #[inline]
    fn of(text: &'t [u8], end: usize, quoted: bool) -> Self {
        const BLANKS: u8 = 2;
        Self { text, at: end, blanks: if quoted { 0 } else { BLANKS } }
    }

    /// Without the digits at its end: `token2` is a token.
    #[inline]
    fn without_number(mut self) -> Self {
        let digits = self.text[..self.at].iter().rev().take_while(|byte| byte.is_ascii_digit());
        let digits = digits.take(NUMBER + 1).count();
        if digits <= NUMBER {
            self.at -= digits;
        }
        self
    }
}

impl Iterator for Backwards<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        while let Some((&byte, before)) = self.text[..self.at].split_last() {
            let small = SMALL[usize::from(byte)];
            if small != 0 {
                self.at -= 1;
                return Some(small);
            }
            match byte {
                b'.' => self.at -= index(before),
                b'_' | b'-' | b'$' => {}
                b' ' if self.blanks > 0 && before.last().is_some_and(u8::is_ascii_alphanumeric) => {
                    self.blanks -= 1;
                }
                _ => break,
            }
            self.at -= 1;
        }
        None
    }
}

/// Bytes of the place in a list that `before` ends with: `.0` of `messages.0.content`.
#[inline(never)]
fn index(before: &[u8]) -> usize {
    let digits = before.iter().rev().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    let apart = digits > 0 && before[..before.len() - digits].ends_with(b".");
    if apart { digits + 1 } else { 0 }
}

/// `02:37`, `2026:`, `512:`: a number, not a name with a number at its end.
fn ends_in_number(last: &[u8]) -> bool {
    let digits = last.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let before = last[..last.len() - digits].last();
    let name = before.is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-'));
    digits > 0 && !(name && digits <= 3)
}

fn opens_tuple(text: &[u8], start: usize) -> bool {
    let before = &text[start.saturating_sub(8)..start];
    let before = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")).unwrap_or(before);
    let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\').count();
    let before = &before[..before.len() - backslashes];
    let before = before.strip_suffix(b"b").unwrap_or(before);
    let before = before.strip_suffix(b" ").unwrap_or(before);
    before.ends_with(b"(") || before.ends_with(b"[")
}

/// Only blanks, a list dash or a comment mark before the key on its line.
fn leads_line(text: &[u8], start: usize) -> bool {
    const INDENT: usize = 32;
    for i in (start.saturating_sub(INDENT)..start).rev() {
        match text[i] {
            b'\n' | b'\r' | b'{' | b',' | b';' | b'(' => return true,
            b' ' | b'\t' | b'-' | b'#' => {}
            _ => return false,
        }
    }
    start < INDENT
}

/// The assignment whose value begins after `from`.
pub(crate) fn read(
    text: &[u8],
    key: Key,
    leads: bool,
    from: usize,
    join: Join,
) -> Option<Assignment> {
    let query = key.start > 0 && matches!(text[key.start - 1], b'?' | b'&');
    let mut i = from;
    if text.get(i) == Some(&b'>') {
        i = skip_type(text, i + 1);
    }
    i = skip_blanks(text, i);
    // `"key": ["value"]`
    if matches!(text.get(i..i + 2), Some(b"[\"" | b"['" | b"[\\")) {
        i += 1;
    }
    i = skip_wrapper(text, i);
    let mut opening = i;
    while opening < i + 2 && matches!(text.get(opening), Some(b'b' | b'r' | b'u' | b'f')) {
        opening += 1;
    }
    let backslashes =
        text[opening.min(text.len())..].iter().take(4).take_while(|&&b| b == b'\\').count();
    let quote =
        text.get(opening + backslashes).copied().filter(|b| matches!(b, b'"' | b'\'' | b'`'));
    let (value, quoted) = match quote {
        Some(quote) if join != Join::Tuple || backslashes == 0 || quote != b'`' => {
            let start = opening + backslashes + 1;
            (start..quoted_end(text, start, quote, backslashes), true)
        }
        _ if join == Join::Tuple => return None,
        _ => (i..bare_end(text, i, query), false),
    };
    if value.is_empty()
        || (!quoted && join == Join::Colon && text[value.clone()].starts_with(b"//"))
    {
        return None;
    }
    Some(Assignment { query, leads, ..Assignment::new(key, value, join, quoted) })
}

/// Where a value in quotes ends: at the same quote behind as many backslashes.
fn quoted_end(text: &[u8], start: usize, quote: u8, backslashes: usize) -> usize {
    let limit = text.len().min(start + VALUE);
    let mut run = 0;
    for (i, &byte) in text.iter().enumerate().take(limit).skip(start) {
        match byte {
            b'\\' => run += 1,
            b'\n' => return i,
            _ if byte == quote && run <= backslashes => return i - run,
            _ => run = 0,
        }
    }
    limit
}

/// Where a value without quotes ends.
fn bare_end(text: &[u8], start: usize, query: bool) -> usize {
    let limit = text.len().min(start + VALUE);
    let mut i = start;
    while i < limit {
        match text[i] {
            b' ' | b'\t' | b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | 0 | 0x1b => {
                break;
            }
            b';' | b')' | b']' | b'}' if i > start => break,
            b'#' | b'&' if query => break,
            b',' | b'&' if separates(text, i, limit) => break,
            b'\\'
                if matches!(
                    text.get(i + 1),
                    None | Some(b'n' | b'r' | b't' | b'"' | b'\'' | b'\\' | b'x' | b'u')
                ) =>
            {
                break;
            }
            _ => i += 1,
        }
    }
    while i > start && matches!(text[i - 1], b'.' | b':' | b'?') {
        i -= 1;
    }
    i
}

/// Whether the `,` or `&` at `at` ends the value, or is one of its characters.
fn separates(text: &[u8], at: usize, limit: usize) -> bool {
    const NEXT_KEY: usize = 40;
    let rest = &text[at + 1..limit.min(at + 1 + NEXT_KEY)];
    let next = rest
        .iter()
        .position(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')));
    match next {
        Some(0) | None => rest.is_empty() || next.is_some(),
        Some(n) => matches!(rest[n], b'=' | b':' | b'('),
    }
}

fn skip_blanks(text: &[u8], from: usize) -> usize {
    const MAX: usize = 16;
    from + text[from.min(text.len())..]
        .iter()
        .take(MAX)
        .take_while(|b| matches!(b, b' ' | b'\t'))
        .count()
}

/// `Some("value")`, `SecretWrapper(value="value")`: what a value is wrapped in as it is printed. Other
/// calls compute something.
fn skip_wrapper(text: &[u8], from: usize) -> usize {
    const WRAPPERS: [&[u8]; 8] = [
        b"Some(",
        b"Just(",
        b"Optional(",
        b"Secret(",
        b"SecretString(",
        b"SecretWrapper(",
        b"Sensitive(",
        b"Password(",
    ];
    let rest = &text[from.min(text.len())..];
    let Some(wrapper) = WRAPPERS.iter().find(|wrapper| rest.starts_with(wrapper)) else {
        return from;
    };
    let inside = &rest[wrapper.len()..];
    let name = if inside.starts_with(b"value=") { b"value=".len() } else { 0 };
    match inside.get(name) {
        Some(b'"' | b'\'' | b'\\') => from + wrapper.len() + name,
        _ => from,
    }
}

/// The line end and the type between a key and its value as PHP's `var_dump` prints them:
/// `["key"]=>\n  string(5) "value"`.
fn skip_type(text: &[u8], from: usize) -> usize {
    let line = lines_end(text, from);
    let word = skip_blanks(text, line);
    let rest = text[word.min(text.len())..].strip_prefix(b"string(").unwrap_or(&[]);
    let digits = rest.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 && rest[digits..].starts_with(b")") {
        word + b"string(".len() + digits + 1
    } else {
        from
    }
}

/// Behind the end of a line at `from`, as it is or as it is escaped.
fn lines_end(text: &[u8], from: usize) -> usize {
    let rest = &text[from.min(text.len())..];
    let escapes = rest.iter().take(4).take_while(|byte| **byte == b'\\').count();
    match &rest[escapes..] {
        [b'\n', ..] if escapes == 0 => from + 1,
        [b'\r', b'\n', ..] if escapes == 0 => from + 2,
        [b'n', ..] if escapes > 0 => from + escapes + 1,
        _ => from,
    }
}

fn skip_blanks_back(text: &[u8], from: usize) -> usize {
    const MAX: usize = 16;
    from - text[..from].iter().rev().take(MAX).take_while(|b| matches!(b, b' ' | b'\t')).count()
}

/// The flag `--name value` whose dashes begin at `at`.
pub(crate) fn flag(
    text: &[u8],
    at: usize,
    wanted: impl Fn(Backwards<'_>) -> bool,
) -> Option<Assignment> {
    let name = at + 2;
    let length = text[name..]
        .iter()
        .take(KEY)
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        .count();
    let end = name + length;
    // In a command line that is printed as a list, the name and the value are items of their own.
    let list = matches!(text.get(end..end + 2), Some(b"'," | b"\","));
    if !list && text.get(end) != Some(&b' ') {
        return None;
    }
    let key = Key::named(&text[name..end], name);
    if !wanted(Backwards::of(text, end, true)) {
        return None;
    }
    let from = if list { end + 2 } else { end };
    let value = skip_blanks(text, from);
    if text.get(value) == Some(&b'-') {
        return None;
    }
    read(text, key, true, from, Join::Flag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(String, String)> {
        let bytes = text.as_bytes();
        let mut at = text.find(['=', ':', ','])?;
        while matches!(bytes.get(at + 1), Some(b'=' | b':')) {
            at += 1;
        }
        let join = match bytes[at] {
            b'=' => Join::Equals,
            b':' => Join::Colon,
            _ => Join::Tuple,
        };
        let (key, leads) = key_before(bytes, at, join, |_| true)?;
        let found = read(bytes, key, leads, at + 1, join)?;
        Some((
            String::from_utf8_lossy(found.key.as_bytes()).into_owned(),
            String::from_utf8_lossy(&bytes[found.value]).into_owned(),
        ))
    }

    #[test]
    fn every_spelling_gives_key_and_value() {
        for text in [
            "api_key=v4lue",
            "api-key: v4lue",
            "API KEY = v4lue",
            "apiKey => 'v4lue'",
            "API_KEY := v4lue",
            "API_KEY :::= v4lue",
            "API_KEY ?= v4lue",
            r#""api_key": "v4lue""#,
            r#"{\"api_key\": \"v4lue\"}"#,
            r#"{\\\"api_key\\\": \\\"v4lue\\\"}"#,
            "{'api_key': b'v4lue'}",
            "('api_key', 'v4lue')",
            "(b'api_key', b'v4lue')",
            "environ['api_key'] = 'v4lue'",
            "?api_key=v4lue&n=1",
            "api_key2=v4lue",
            "headers.0.api.12.key=v4lue",
            "api_key=v4lue, next",
            "api_key=v4lue,n=1",
            r"api_key=v4lue\nnext",
        ] {
            let (key, value) = parse(text).unwrap_or_else(|| panic!("nothing in {text}"));
            assert!(key.ends_with("apikey"), "{text}: {key}");
            assert_eq!(value, "v4lue", "{text}");
        }
    }

    #[test]
    fn comparisons_and_lists_of_names_are_no_assignments() {
        assert_eq!(parse("fields, 'password', 'token'"), None);
        assert_eq!(parse("x!=1").map(|(key, _)| key), None);
    }

    #[test]
    fn a_quote_inside_a_value_does_not_end_it() {
        assert_eq!(parse(r#""pwd": "a\"b""#).unwrap().1, r#"a\"b"#);
    }
}
