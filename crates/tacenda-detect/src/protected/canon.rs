//! One canonical spelling for a text and for all its usual spellings.
//!
//! JSON, `repr`, URL and HTML escapes are decoded at any depth; white space, quotes, commas, `|` and
//! other lines of frames, backslashes, `+`, what joins words in a path or a name of a file (`-`, `_`,
//! `.`, `/`, `;`, `#`, `*`, `~`, parentheses), terminal escapes and what cannot be decoded are left
//! out, so that a list of a text's words or tokens is the text as well; characters are decomposed (NFKD,
//! Unicode Standard Annex 15) and lose their accents; case is folded. The same function runs over the
//! protected value and over the text that may hold it, so that a value with a literal `%40` in it
//! meets itself again too.

use unicode_normalization::char::decompose_compatible;

/// One character of the canonical spelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Canonical {
    /// The character, case folded.
    pub(super) char: char,
    /// Where its spelling starts in the source, in bytes.
    pub(super) start: usize,
    /// One past the last byte of its spelling.
    pub(super) end: usize,
    /// How many decoded characters, left-out ones included, stand before it.
    pub(super) index: usize,
    /// Whether it is a letter or digit that directly follows another one.
    pub(super) inside_word: bool,
}

/// The canonical spelling of `text`, with the place of each character.
#[derive(Debug)]
pub(super) struct Canon<'t> {
    text: &'t [u8],
    at: usize,
    index: usize,
    after_word: bool,
    /// What is left of a character that is several, the last first, and where it starts.
    rest: Vec<char>,
    start: usize,
}

impl<'t> Canon<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, index: 0, after_word: false, rest: Vec::new(), start: 0 }
    }

    /// How many characters were decoded so far, left-out ones included.
    pub(super) fn decoded(&self) -> usize {
        self.index
    }

    /// The next decoded character and the length of its spelling; `None` for what counts as no
    /// character at all (a terminal escape, a backslash before a quote).
    fn decode(&self) -> (Option<char>, usize) {
        let rest = &self.text[self.at..];
        match rest[0] {
            b'\\' => backslash(rest),
            b'%' => percent(rest),
            b'&' => entity(rest),
            0x1b => (None, terminal_escape(rest)),
            byte if byte.is_ascii() => (Some(char::from(byte)), 1),
            _ => {
                let (char, len) = utf8(rest);
                (Some(char), len)
            }
        }
    }
}

impl Iterator for Canon<'_> {
    type Item = Canonical;

    fn next(&mut self) -> Option<Canonical> {
        loop {
            if let Some(char) = self.rest.pop() {
                return Some(self.canonical(char, self.index - 1));
            }
            if self.at >= self.text.len() {
                return None;
            }
            self.start = self.at;
            let (decoded, len) = self.decode();
            self.at += len;
            let Some(char) = decoded else { continue };
            let index = self.index;
            self.index += 1;
            if is_left_out_char(char) {
                self.after_word &= is_accent(char);
                continue;
            }
            if char.is_ascii() {
                return Some(self.canonical(char.to_ascii_lowercase(), index));
            }
            decompose(char, &mut self.rest);
        }
    }
}

impl Canon<'_> {
    fn canonical(&mut self, char: char, index: usize) -> Canonical {
        let is_word = char.is_alphanumeric();
        let inside_word = is_word && self.after_word;
        self.after_word = is_word;
        Canonical { char, start: self.start, end: self.at, index, inside_word }
    }
}

/// Appends what a character is without accents and presentation, in reverse.
fn decompose(char: char, into: &mut Vec<char>) {
    let from = into.len();
    if matches!(char, '\u{3400}'..='\u{9fff}') {
        // Ideographs are what they are.
        into.push(char);
    } else {
        decompose_compatible(char, |part| {
            if !is_left_out_char(part) {
                into.extend(part.to_lowercase().next());
            }
        });
    }
    into[from..].reverse();
}

/// Most bytes whose plain spelling is asked for at once.
pub(super) const CHUNK: usize = 128;

/// The canonical spelling of a text that stands as it is, in ASCII without escapes: how many
/// characters it has; none for any other text. They come in `chars`, behind the first ones, and in
/// `places` where they stand, counted from `start`. The text has at most [`CHUNK`] bytes.
pub(super) fn plain<const ROOM: usize>(
    text: &[u8],
    start: u8,
    chars: &mut [u8; ROOM],
    places: &mut [u8; ROOM],
) -> Option<usize> {
    let before = const { ROOM - CHUNK };
    let (chars, places) = (&mut chars[before..], &mut places[before..]);
    let (mut count, mut place, mut all) = (0, start, 0);
    for &byte in text {
        let class = PLAIN[usize::from(byte)];
        chars[count] = class;
        places[count] = place;
        count += usize::from(class != LEFT_OUT);
        all |= class;
        // A range that knows its end is counted more slowly.
        place = place.wrapping_add(1);
    }
    (all & NOT_PLAIN & !0x7f == 0).then_some(count)
}

const LEFT_OUT: u8 = 0;
const NOT_PLAIN: u8 = 0xff;

/// What each byte becomes.
const PLAIN: [u8; 256] = {
    let mut plain = [NOT_PLAIN; 256];
    let mut byte = 0;
    while byte < 0x80 {
        plain[byte as usize] = match byte {
            b'\\' | b'%' | b'&' | 0x1b => NOT_PLAIN,
            b'"' | b'\'' | b'+' | b',' | b'|' | b'-' | b'_' | b'.' | b'/' | b';' | b'#' | b'*'
            | b'~' | b'(' | b')' => LEFT_OUT,
            _ if byte.is_ascii_whitespace() || byte.is_ascii_control() => LEFT_OUT,
            _ => byte.to_ascii_lowercase(),
        };
        byte += 1;
    }
    plain
};

/// Whether the canonical spelling of a plain text does without this byte.
pub(super) fn is_left_out(byte: u8) -> bool {
    PLAIN[usize::from(byte)] == LEFT_OUT
}

fn is_left_out_char(char: char) -> bool {
    match char {
        '"' | '\'' | '\\' | '+' | ',' | '|'
        // What joins words where a space must not be: in names of files, paths, keys.
        | '-' | '_' | '.' | '/' | ';' | '#' | '*' | '~' | '(' | ')'
        // Zero-width characters and the byte order mark are invisible in a log. What could not be
        // decoded says nothing, and all that is no text is full of it.
        | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | char::REPLACEMENT_CHARACTER
        // Frames around a text in a terminal; a space and a line end as tokenizers write them.
        | '\u{2500}'..='\u{257f}' | '\u{120}' | '\u{10a}' | '\u{2581}' => true,
        _ if char.is_ascii() => char.is_ascii_whitespace() || char.is_ascii_control(),
        _ => is_accent(char) || char.is_whitespace(),
    }
}

/// Whether it stands over or under the letter before it.
fn is_accent(char: char) -> bool {
    matches!(char, '\u{300}'..='\u{36f}')
}

/// An escape of JSON, Python or C, after any number of backslashes: nesting doubles them.
fn backslash(rest: &[u8]) -> (Option<char>, usize) {
    let slashes = rest.iter().take_while(|byte| **byte == b'\\').count();
    let Some(&letter) = rest.get(slashes) else { return (Some('\\'), slashes) };
    let after = slashes + 1;
    match letter {
        b'n' | b'r' | b't' | b'f' | b'v' | b'b' | b'a' => (Some(' '), after),
        b'u' => match hex(rest, after, 4) {
            Some(high @ 0xd800..0xdc00) => {
                let low = rest[after + 4..]
                    .strip_prefix(&rest[..after])
                    .and_then(|low| hex(low, 0, 4))
                    .filter(|low| (0xdc00..0xe000).contains(low));
                match low {
                    Some(low) => {
                        let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                        (Some(char_of(code)), 2 * (after + 4))
                    }
                    None => (Some(char::REPLACEMENT_CHARACTER), after + 4),
                }
            }
            Some(code) => (Some(char_of(code)), after + 4),
            None => (None, slashes),
        },
        b'U' => match hex(rest, after, 8) {
            Some(code) => (Some(char_of(code)), after + 8),
            None => (None, slashes),
        },
        b'x' => escaped_bytes(rest, &rest[..after]).unwrap_or((None, slashes)),
        b'0'..=b'3' => octal(rest, &rest[..slashes]).unwrap_or((None, slashes)),
        _ => (None, slashes),
    }
}

/// An escape of a URL, at any depth: `%20`, `%2520`.
fn percent(rest: &[u8]) -> (Option<char>, usize) {
    let is_nested = |at: usize| rest[at..].starts_with(b"25") && hex(rest, at + 2, 2).is_some();
    let mut at = 1;
    while is_nested(at) {
        at += 2;
    }
    escaped_bytes(rest, &rest[..at]).unwrap_or((Some('%'), 1))
}

/// A character written as one or more escaped bytes (`%C3%A9`, `\xc3\xa9`), or as one escaped
/// code point (`\xe9`): valid UTF-8 wins.
fn escaped_bytes(rest: &[u8], prefix: &[u8]) -> Option<(Option<char>, usize)> {
    let step = prefix.len() + 2;
    let mut bytes = [0_u8; 4];
    let mut count = 0;
    while count < 4 {
        let at = count * step;
        if rest.get(at..at + prefix.len()) != Some(prefix) {
            break;
        }
        let Some(byte) = hex(rest, at + prefix.len(), 2) else { break };
        bytes[count] = u8::try_from(byte).ok()?;
        count += 1;
        if bytes[0].is_ascii() {
            break;
        }
    }
    if count == 0 {
        return None;
    }
    let (char, used) = utf8(&bytes[..count]);
    if char == char::REPLACEMENT_CHARACTER {
        return Some((Some(char::from(bytes[0])), step));
    }
    Some((Some(char), used * step))
}

/// A character of one or more bytes of three octal digits: `\303\251`.
fn octal(rest: &[u8], prefix: &[u8]) -> Option<(Option<char>, usize)> {
    let step = prefix.len() + 3;
    let byte = |place: usize| {
        let digits = rest.get(place * step..)?.strip_prefix(prefix)?.get(..3)?;
        let digit = |digit: &u8| char::from(*digit).to_digit(8);
        let code = digits.iter().try_fold(0, |code, one| Some(code << 3 | digit(one)?))?;
        u8::try_from(code).ok()
    };
    let first = byte(0)?;
    let count = if first.is_ascii() { 1 } else { 4 };
    let bytes: Vec<u8> = (0..count).map_while(byte).collect();
    let (char, used) = utf8(&bytes);
    if char == char::REPLACEMENT_CHARACTER {
        return Some((Some(char::from(first)), step));
    }
    Some((Some(char), used * step))
}

fn entity(rest: &[u8]) -> (Option<char>, usize) {
    const NAMED: &[(&[u8], char)] = &[
        (b"&amp;", '&'),
        (b"&lt;", '<'),
        (b"&gt;", '>'),
        (b"&quot;", '"'),
        (b"&apos;", '\''),
        (b"&nbsp;", ' '),
    ];
    if let Some((name, char)) = NAMED.iter().find(|(name, _)| rest.starts_with(name)) {
        return (Some(*char), name.len());
    }
    if rest.get(1) == Some(&b'#')
        && let Some(end) = rest.iter().take(10).position(|byte| *byte == b';')
        && let Ok(digits) = std::str::from_utf8(&rest[2..end])
    {
        let code = match digits.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => digits.parse(),
        };
        if let Some(char) = code.ok().and_then(char::from_u32) {
            return (Some(char), end + 1);
        }
    }
    (Some('&'), 1)
}

/// The length of an ECMA-48 control sequence (CSI), or of the two bytes that introduce any other
/// one: what an operating system command carries is text, and may be a value.
fn terminal_escape(rest: &[u8]) -> usize {
    match rest.get(1) {
        Some(b'[') => {
            let parameters =
                rest[2..].iter().take_while(|byte| (0x20..0x40).contains(*byte)).count();
            (2 + parameters + 1).min(rest.len())
        }
        Some(byte) if byte.is_ascii() => 2,
        _ => 1,
    }
}

fn utf8(rest: &[u8]) -> (char, usize) {
    let window = &rest[..rest.len().min(4)];
    let valid = match std::str::from_utf8(window) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&window[..error.valid_up_to()]).unwrap_or_default(),
    };
    match valid.chars().next() {
        Some(char) => (char, char.len_utf8()),
        None => (char::REPLACEMENT_CHARACTER, 1),
    }
}

fn hex(bytes: &[u8], from: usize, digits: usize) -> Option<u32> {
    bytes
        .get(from..from + digits)?
        .iter()
        .try_fold(0, |code, byte| Some(code << 4 | char::from(*byte).to_digit(16)?))
}

fn char_of(code: u32) -> char {
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelling(text: &str) -> String {
        Canon::new(text.as_bytes()).map(|canonical| canonical.char).collect()
    }

    #[test]
    fn every_spelling_meets_in_one() {
        for spelled in [
            "Zoë said: \"3 < 4\"\n",
            r#"Zo\u00eb said: \"3 < 4\"\n"#,
            r#"Zo\\u00eb said: \\\"3 < 4\\\"\\n"#,
            r"Zo\xeb said: '3 < 4'",
            r"Zo\xc3\xab said: '3 < 4'",
            "Zo%C3%AB%20said%3A+%223+%3C+4%22%0A",
            "Zo%25C3%25AB%2520said%253A+%25223+%253C+4%2522%250A",
            r"Zo\303\253 said: \042\063 < 4",
            "\u{1b}]Zoë said: 3 < 4\u{7}",
            "Zo&#xeb; said: &quot;3 &lt; 4&quot;",
            "\u{1b}[31mZo\u{1b}[0më   said:\r\n 3 < 4",
            "ZOE SAID: \"3 < 4\"",
            "Zoe\u{308} said: 3 < 4",
            "\u{ff3a}\u{ff4f}\u{ff45}\u{308} \u{ff53}\u{ff41}\u{ff49}\u{ff44}\u{ff1a} 3 < 4",
            "['Z', 'oë', ' said', ':', ' 3', ' <', ' 4']",
            "['Zoë', '\u{2581}said:', '\u{2581}3', \"\u{2581}<\", '\u{2581}4', '\u{10a}']",
            r#"["Zo\u00eb","\u0120said",":","\u01203","\u0120<","\u01204"]"#,
            "/Zoë/said:-3_<_4",
            "(zoë) (said:) (3) (<) (4)",
        ] {
            let spelling = spelling(spelled);
            assert_eq!(spelling.trim_matches(['[', ']']), "zoesaid:3<4", "{spelled}");
        }
        assert_eq!(
            spelling("\u{fb01}n \u{ac00}\u{b2e4} 中"),
            spelling("fin\u{1100}\u{1161}\u{1103}\u{1161}中")
        );
        assert_eq!(spelling(r"\ud83d\ude00"), "😀");
    }

    proptest::proptest! {
        #[test]
        fn plain_text_has_one_spelling(text in "[ -~\n]{0,64}") {
            let (mut chars, mut places) = ([0; CHUNK], [0; CHUNK]);
            let slow: String = spelling(&text);
            match plain(text.as_bytes(), 0, &mut chars, &mut places) {
                Some(count) => {
                    let starts = Canon::new(text.as_bytes()).map(|canonical| canonical.start);
                    let places = places[..count].iter().map(|place| usize::from(*place));
                    proptest::prop_assert_eq!(&chars[..count], slow.as_bytes());
                    proptest::prop_assert!(places.eq(starts));
                }
                None => proptest::prop_assert!(text.contains(['\\', '%', '&'])),
            }
        }

        #[test]
        fn any_bytes_keep_their_places(bytes: Vec<u8>) {
            // Of a character that is several, each stands where it does.
            let mut last = (0, 0);
            for canonical in Canon::new(&bytes) {
                let place = (canonical.start, canonical.end);
                proptest::prop_assert!(place == last || last.1 <= place.0 && place.0 < place.1);
                proptest::prop_assert!(canonical.end <= bytes.len());
                last = place;
            }
        }
    }
}
