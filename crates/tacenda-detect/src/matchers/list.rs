//! Arrays and lists of numbers: tensors, token ids, bytes.
//!
//! The text from a `[` on is read once as a flat run of numbers, brackets and commas, so that the
//! work is linear whatever the nesting, and a list that was cut off is found as well.

use std::ops::Range;

use crate::names::Matcher;

/// Lists shorter than this are arguments and shapes.
const NUMBERS: usize = 8;
/// Bytes that say what a file is are seldom fewer.
const BYTES: usize = 16;

/// What was found at a `[`, and up to where the text has been read.
#[derive(Debug)]
pub(crate) struct List {
    pub(crate) found: Option<(Matcher, Range<usize>)>,
    pub(crate) read_to: usize,
}

/// What the numbers of a list have shown so far.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each says one thing of the whole list; together they are no state machine"
)]
#[derive(Debug, Default)]
struct Numbers {
    count: usize,
    nested: bool,
    fraction: bool,
    negative: bool,
    elided: bool,
    /// Not increasing from each number to the next.
    unordered: bool,
    over_a_byte: bool,
    printable: usize,
    last: u64,
    head: [u8; 4],
}

impl Numbers {
    fn take(&mut self, token: &[u8]) {
        let negative = token[0] == b'-';
        let whole = token.iter().skip(usize::from(negative)).all(u8::is_ascii_digit);
        self.negative |= negative;
        self.fraction |= !whole;
        let value = token
            .iter()
            .filter(|b| b.is_ascii_digit())
            .take(18)
            .fold(0_u64, |n, b| n * 10 + u64::from(b - b'0'));
        self.unordered |= self.count > 0 && value <= self.last;
        self.last = value;
        match u8::try_from(value) {
            Ok(byte) => {
                if self.count < self.head.len() {
                    self.head[self.count] = byte;
                }
                self.printable +=
                    usize::from(byte == b'\n' || byte == b'\t' || (0x20..0x7f).contains(&byte));
            }
            Err(_) => self.over_a_byte = true,
        }
        self.count += 1;
    }

    fn kind(&self, array: bool) -> Option<Matcher> {
        let enough = self.count >= NUMBERS || self.elided && self.count >= 3;
        let whole = !self.fraction && !self.negative;
        if array {
            return (self.count > 0).then_some(Matcher::Array);
        }
        if !enough {
            return None;
        }
        if self.fraction || self.negative || self.nested || self.elided {
            return Some(Matcher::NumberList);
        }
        if whole && !self.over_a_byte && self.count >= BYTES && self.is_file_or_text() {
            return Some(Matcher::ByteList);
        }
        // Layers, devices and batch sizes are counted up; ids of tokens are not.
        self.unordered.then_some(Matcher::TokenIds)
    }

    fn is_file_or_text(&self) -> bool {
        const MAGIC: [&[u8]; 9] = [
            b"\x89PNG",
            b"\xff\xd8\xff",
            b"GIF8",
            b"RIFF",
            b"%PDF",
            b"PK\x03\x04",
            b"ID3",
            b"OggS",
            b"fLaC",
        ];
        MAGIC.iter().any(|magic| self.head.starts_with(magic))
            || self.printable * 20 >= self.count * 19
    }
}

/// The list at `at`.
pub(crate) fn at(text: &[u8], at: usize) -> List {
    let Flat { numbers, end, read_to, closed, .. } = read(text, at);
    let constructor = constructor(text, at);
    let found = numbers.kind(constructor.is_some()).map(|matcher| {
        let start = constructor.unwrap_or(at);
        let end = if constructor.is_some() && closed { arguments_end(text, end) } else { end };
        (matcher, start..end)
    });
    List { found, read_to }
}

/// The numbers around the comma at `comma` that no `[` opens: a tuple, or a line out of the middle
/// of an array. Nothing before `floor` is looked at.
pub(crate) fn row(text: &[u8], comma: usize, floor: usize) -> List {
    /// A line of an array has no fewer.
    const IN_A_LINE: usize = 4;
    let of_numbers = |byte: &u8| {
        byte.is_ascii_digit()
            || matches!(byte, b',' | b'.' | b'-' | b'+' | b'e' | b' ' | b'(' | b')' | b'\t')
    };
    let before = text[floor..comma].iter().rev().take_while(|byte| of_numbers(byte)).count();
    let from = comma - before;
    let begins = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'(' | b'-');
    let Some(start) = text[from..comma].iter().position(begins).map(|i| from + i) else {
        return List { found: None, read_to: comma + 1 };
    };
    let Flat { numbers, end, read_to, fell_out, .. } = read(text, start);
    let found = if text[start] == b'(' {
        numbers.kind(false)
    } else {
        let leads =
            text[..from].last().is_none_or(|byte| matches!(byte, b'\n' | b'\r' | b'"' | b'\''));
        // Behind its last comma the line ends, or the array does.
        let after = &text[end..read_to];
        let goes_on = after.contains(&b',') && (read_to == text.len() || after.contains(&b'\n'));
        let indented = start > from && (goes_on || fell_out);
        let in_a_line = indented && leads && numbers.count >= IN_A_LINE && numbers.fraction;
        (in_a_line || fell_out && numbers.count >= NUMBERS && numbers.fraction)
            .then_some(Matcher::NumberList)
    };
    List { found: found.map(|matcher| (matcher, start..end)), read_to: read_to.max(comma + 1) }
}

/// Numbers and brackets, read once.
#[derive(Debug, Default)]
struct Flat {
    numbers: Numbers,
    /// Behind the last number or closing bracket.
    end: usize,
    read_to: usize,
    closed: bool,
    /// A bracket closed that was not open.
    fell_out: bool,
}

fn read(text: &[u8], at: usize) -> Flat {
    let mut numbers = Numbers::default();
    let mut depth = 0_usize;
    let mut i = at;
    let mut end = at;
    let mut closed = false;
    let mut fell_out = false;
    while i < text.len() {
        match text[i] {
            b'[' | b'(' => {
                numbers.nested |= depth > 0;
                depth += 1;
                i += 1;
            }
            b']' | b')' => {
                i += 1;
                end = i;
                fell_out = depth == 0;
                closed = depth <= 1;
                if closed {
                    break;
                }
                depth -= 1;
            }
            b',' | b' ' | b'\t' | b'\n' | b'\r' => i += 1,
            b'\\' if matches!(text.get(i + 1), Some(b'n' | b't' | b'r')) => i += 2,
            b'.' if text[i..].starts_with(b"...") => {
                numbers.elided = true;
                i += 3;
            }
            b'n' | b'i' if text[i..].starts_with(b"nan") || text[i..].starts_with(b"inf") => {
                numbers.fraction = true;
                numbers.count += 1;
                i += 3;
                end = i;
            }
            b'0'..=b'9' | b'-' | b'.' => {
                let token = number(&text[i..]);
                let next = text.get(i + token).copied();
                if token == 0 || !next.is_none_or(ends_number) {
                    break;
                }
                numbers.take(&text[i..i + token]);
                i += token;
                end = i;
            }
            _ => break,
        }
    }
    Flat { numbers, end, read_to: i, closed, fell_out }
}

/// What may follow a number: a list that was cut off ends in a quote or in `…`.
fn ends_number(byte: u8) -> bool {
    matches!(
        byte,
        b',' | b']' | b')' | b' ' | b'\n' | b'\r' | b'\t' | b'\\' | b'"' | b'\'' | 0x80..
    )
}

/// The length of the number at the start of `text`; 0 if there is none.
fn number(text: &[u8]) -> usize {
    let digits = |from: usize| {
        text[from.min(text.len())..].iter().take_while(|b| b.is_ascii_digit()).count()
    };
    let mut i = usize::from(text[0] == b'-');
    let whole = digits(i);
    i += whole;
    let mut fraction = 0;
    if text.get(i) == Some(&b'.') && !text[i..].starts_with(b"...") {
        fraction = digits(i + 1);
        i += 1 + fraction;
    }
    if whole + fraction == 0 {
        return 0;
    }
    if matches!(text.get(i), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(i + 1), Some(b'+' | b'-')));
        let exponent = digits(i + 1 + sign);
        if exponent > 0 {
            i += 1 + sign + exponent;
        }
    }
    i
}

/// The start of `array(` and the like right before `at`.
fn constructor(text: &[u8], at: usize) -> Option<usize> {
    const NAMES: [&[u8]; 8] = [
        b"array",
        b"tensor",
        b"Tensor",
        b"Array",
        b"asarray",
        b"DeviceArray",
        b"Parameter",
        b"ndarray",
    ];
    let open = at.checked_sub(1).filter(|&i| text[i] == b'(')?;
    let letters = text[..open]
        .iter()
        .rev()
        .take(16)
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
        .count();
    let mut start = open - letters;
    if !NAMES.contains(&&text[crate::boundary::out_of_escape(text, start).min(open)..open]) {
        return None;
    }
    start = crate::boundary::out_of_escape(text, start);
    let module = [&b"mx."[..], b"np.", b"jnp.", b"torch."]
        .into_iter()
        .find(|module| text[..start].ends_with(module));
    Some(start - module.map_or(0, <[u8]>::len))
}

/// The end of `, dtype=float32)` after the list.
fn arguments_end(text: &[u8], from: usize) -> usize {
    const LONGEST: usize = 160;
    let mut depth = 1_usize;
    for (i, byte) in text[from..].iter().enumerate().take(LONGEST) {
        match byte {
            b'(' | b'[' | b'<' => depth += 1,
            b')' | b']' | b'>' => {
                depth -= 1;
                if depth == 0 {
                    return from + i + 1;
                }
            }
            b'"' => break,
            _ => {}
        }
    }
    from
}
