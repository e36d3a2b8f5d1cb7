//! One escape: where it begins and ends, and what it means.

/// What an escape means.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meaning {
    /// Bytes of the escape.
    pub(super) width: usize,
    bytes: [u8; 4],
    len: usize,
}

impl Meaning {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn nothing(width: usize) -> Self {
        Self { width, bytes: [0; 4], len: 0 }
    }

    pub(super) fn byte(width: usize, byte: u8) -> Self {
        Self { width, bytes: [byte, 0, 0, 0], len: 1 }
    }

    /// A character, typographic signs as the plain ones that they stand for.
    fn character(width: usize, code: u32) -> Option<Self> {
        let code = match plain(code) {
            Plain::Is(byte) => return Some(Self::byte(width, byte)),
            Plain::Nothing => return Some(Self::nothing(width)),
            Plain::Itself => code,
        };
        let mut bytes = [0; 4];
        let len = char::from_u32(code)?.encode_utf8(&mut bytes).len();
        Some(Self { width, bytes, len })
    }
}

/// What a character stands for among the digits of a number or the letters of a word.
enum Plain {
    Is(u8),
    Nothing,
    Itself,
}

/// Spaces of any width, hyphens and dashes, full-width forms (U+FF01 to U+FF5E), and what is not
/// seen at all: soft hyphens, joiners, direction marks.
fn plain(code: u32) -> Plain {
    match code {
        0xa0 | 0x2000..=0x200a | 0x202f | 0x205f | 0x3000 => Plain::Is(b' '),
        0x2010..=0x2015 | 0x2212 | 0xfe63 => Plain::Is(b'-'),
        0x2028 | 0x2029 => Plain::Is(b'\n'),
        0xff01..=0xff5e => u8::try_from(code - 0xff01 + 0x21).map_or(Plain::Itself, Plain::Is),
        0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0xfeff => Plain::Nothing,
        _ => Plain::Itself,
    }
}

/// Whether an escape can begin with this byte.
#[inline]
pub(super) fn may_begin(byte: u8) -> bool {
    matches!(byte, b'%' | b'&' | b'\\' | 0x1b | 0xc2 | 0xe2 | 0xe3 | 0xef)
}

/// Whether the escape at `at` may hide a value: escaped quotes and line ends do not, nor do the
/// escapes that text in other scripts is full of.
pub(super) fn tells(text: &[u8], at: usize) -> bool {
    match text[at] {
        b'\\' => match text.get(at + 1) {
            Some(b'x') => {
                hex(text, at + 2, 2).is_some_and(|byte| matches!(byte, ..0x80 | 0xc2 | 0xe2 | 0xef))
            }
            Some(b'u' | b'U') => unicode(text, at)
                .is_some_and(|(code, _)| code < 0x250 || !matches!(plain(code), Plain::Itself)),
            Some(b'0'..=b'3') => octal(text, at + 1).is_some(),
            Some(b'/') => true,
            // Up to three before a quote are read as they stand.
            Some(b'\\') => text[at + 2..].starts_with(br"\\"),
            _ => false,
        },
        0x1b => colour_tells(text, at),
        _ => read(text, at).is_some(),
    }
}

/// Whether the character at `at` may be part of a value in place of a plain sign.
pub(super) fn sign_tells(text: &[u8], at: usize) -> bool {
    let Some((code, width)) = utf8(text, at) else { return false };
    let (before, after) = (at.checked_sub(1).map(|i| text[i]), text.get(at + width).copied());
    let both = |test: fn(u8) -> bool| before.is_some_and(test) && after.is_some_and(test);
    match plain(code) {
        Plain::Itself => false,
        Plain::Nothing => both(|byte| byte.is_ascii_graphic()),
        Plain::Is(byte) if code >= 0xff01 => byte.is_ascii_alphanumeric() || byte == b'@',
        Plain::Is(_) => {
            both(|byte| byte.is_ascii_digit() || matches!(byte, b'(' | b')' | b'+' | b':' | b'='))
        }
    }
}

/// Colours hide a value that they stand inside of, or right before behind its key, or between whose
/// groups of digits they stand; not where they stand between words.
fn colour_tells(text: &[u8], at: usize) -> bool {
    // Of a longer row the last ones tell.
    const ROW: usize = 8;
    let mut end = at;
    for _ in 0..ROW {
        if text.get(end) == Some(&0x1b)
            && let Some(width) = sequence(text, end)
        {
            end += width;
        }
    }
    let Some(before) = at.checked_sub(1).map(|i| text[i]) else { return false };
    let Some(&after) = text.get(end).filter(|_| end > at) else { return false };
    let digits = |near: u8, beyond: Option<&u8>| {
        near == b' '
            && beyond.is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, 0x1b | b'm'))
    };
    before.is_ascii_graphic() && after.is_ascii_graphic()
        || after.is_ascii_digit() && digits(before, at.checked_sub(2).map(|i| &text[i]))
        || before.is_ascii_digit() && digits(after, text.get(end + 1))
}

/// The escape that begins at `at`.
pub(super) fn read(text: &[u8], at: usize) -> Option<Meaning> {
    match text[at] {
        b'%' => {
            hex(text, at + 1, 2).and_then(|byte| Some(Meaning::byte(3, u8::try_from(byte).ok()?)))
        }
        b'\\' => backslash(text, at),
        b'&' => entity(text, at),
        0x1b => sequence(text, at).map(Meaning::nothing),
        0xc2.. => {
            let (code, width) = utf8(text, at)?;
            (!matches!(plain(code), Plain::Itself)).then(|| Meaning::character(width, code))?
        }
        _ => None,
    }
}

/// Escapes of JSON (RFC 8259, 7), of Python and C, and `\u{…}`.
fn backslash(text: &[u8], at: usize) -> Option<Meaning> {
    let byte = |byte| Some(Meaning::byte(2, byte));
    match *text.get(at + 1)? {
        b'n' => byte(b'\n'),
        b'r' => byte(b'\r'),
        b't' => byte(b'\t'),
        b'b' => byte(0x08),
        b'f' => byte(0x0c),
        sign @ (b'"' | b'\'' | b'\\' | b'/' | b'`') => byte(sign),
        b'x' => Some(Meaning::byte(4, u8::try_from(hex(text, at + 2, 2)?).ok()?)),
        b'u' | b'U' => {
            let (code, width) = unicode(text, at)?;
            Meaning::character(width, code)
        }
        b'e' if text.get(at + 2) == Some(&b'[') => byte(0x1b),
        b'0'..=b'3' => Some(Meaning::byte(4, octal(text, at + 1)?)),
        _ => None,
    }
}

/// `\u0040`, `\ud83d\ude00`, `\u{40}`, `\U00000040`: the character and the width.
fn unicode(text: &[u8], at: usize) -> Option<(u32, usize)> {
    if text[at + 1] == b'U' {
        return Some((hex(text, at + 2, 8)?, 10));
    }
    if text.get(at + 2) == Some(&b'{') {
        let rest = &text[at + 3..];
        let digits = rest.iter().take(7).position(|byte| *byte == b'}').filter(|n| *n > 0)?;
        return Some((hex(text, at + 3, digits)?, digits + 4));
    }
    let unit = hex(text, at + 2, 4)?;
    if (0xd800..0xdc00).contains(&unit)
        && text.get(at + 6..at + 8) == Some(b"\\u")
        && let Some(low @ 0xdc00..0xe000) = hex(text, at + 8, 4)
    {
        return Some((0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00), 12));
    }
    Some((unit, 6))
}

/// Character references of HTML and XML: by number, and the names that stand for ASCII signs.
fn entity(text: &[u8], at: usize) -> Option<Meaning> {
    const LONGEST: usize = 10;
    const NAMES: [(&[u8], u8); 30] = [
        (b"amp", b'&'),
        (b"lt", b'<'),
        (b"gt", b'>'),
        (b"quot", b'"'),
        (b"apos", b'\''),
        (b"nbsp", b' '),
        (b"commat", b'@'),
        (b"period", b'.'),
        (b"colon", b':'),
        (b"semi", b';'),
        (b"equals", b'='),
        (b"num", b'#'),
        (b"percnt", b'%'),
        (b"plus", b'+'),
        (b"lowbar", b'_'),
        (b"hyphen", b'-'),
        (b"dash", b'-'),
        (b"ndash", b'-'),
        (b"mdash", b'-'),
        (b"minus", b'-'),
        (b"sol", b'/'),
        (b"bsol", b'\\'),
        (b"lpar", b'('),
        (b"rpar", b')'),
        (b"comma", b','),
        (b"excl", b'!'),
        (b"dollar", b'$'),
        (b"ast", b'*'),
        (b"Tab", b'\t'),
        (b"NewLine", b'\n'),
    ];
    let rest = &text[at + 1..];
    let name = &rest[..rest.iter().take(LONGEST).position(|byte| *byte == b';')?];
    let width = name.len() + 2;
    if let Some(number) = name.strip_prefix(b"#") {
        let code = match number.strip_prefix(b"x").or_else(|| number.strip_prefix(b"X")) {
            Some(digits) => hex(digits, 0, digits.len())?,
            None => str::from_utf8(number).ok()?.parse().ok()?,
        };
        return Meaning::character(width, code);
    }
    if matches!(name, b"shy" | b"zwj" | b"zwnj") {
        return Some(Meaning::nothing(width));
    }
    let (_, sign) = NAMES.iter().find(|(known, _)| *known == name)?;
    Some(Meaning::byte(width, *sign))
}

/// The length of the terminal sequence at `at` (ECMA-48): `ESC [ … m`, `ESC ] … BEL`.
fn sequence(text: &[u8], at: usize) -> Option<usize> {
    const PARAMETERS: usize = 32;
    const LINK: usize = 2048;
    let rest = &text[at + 1..];
    match rest.first()? {
        b'[' => {
            let parameters =
                rest[1..].iter().take(PARAMETERS).position(|byte| !(0x20..0x40).contains(byte))?;
            (0x40..0x7f).contains(&rest[1 + parameters]).then_some(parameters + 3)
        }
        b']' => {
            let end = rest.iter().take(LINK).position(|byte| matches!(byte, 0x07 | 0x1b))?;
            Some(if rest[end] == 0x07 { end + 2 } else { end + 3 }.min(rest.len() + 1))
        }
        _ => None,
    }
}

/// The character of UTF-8 at `at`, if it is one of two or three bytes, and its width.
fn utf8(text: &[u8], at: usize) -> Option<(u32, usize)> {
    let tail = |i: usize| {
        text.get(at + i).filter(|byte| **byte & 0xc0 == 0x80).map(|byte| u32::from(byte & 0x3f))
    };
    let lead = u32::from(text[at]);
    match text[at] {
        0xc2..=0xdf => Some(((lead & 0x1f) << 6 | tail(1)?, 2)),
        0xe0..=0xef => Some(((lead & 0x0f) << 12 | tail(1)? << 6 | tail(2)?, 3)),
        _ => None,
    }
}

/// The number that `digits` hexadecimal digits at `at` mean.
fn hex(text: &[u8], at: usize, digits: usize) -> Option<u32> {
    if digits == 0 || digits > 8 {
        return None;
    }
    let digits = text.get(at..at + digits)?;
    digits
        .iter()
        .try_fold(0, |number: u32, digit| Some(number << 4 | char::from(*digit).to_digit(16)?))
}

/// Three octal digits, the first no more than 3.
fn octal(text: &[u8], at: usize) -> Option<u8> {
    let digits = text.get(at..at + 3)?;
    let number = digits
        .iter()
        .try_fold(0, |number: u32, digit| Some(number << 3 | char::from(*digit).to_digit(8)?))?;
    u8::try_from(number).ok()
}
