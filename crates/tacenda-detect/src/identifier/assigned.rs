//! Values that a key or a word right before them announces, whatever their check digits say.

use std::ops::Range;

use super::{form, place};
use crate::assignment::Assignment;
use crate::matchers::stand_in;
use crate::rule::Forms;

/// The value of a key that leaves no doubt: `cpf=12345678900`. A mistyped number still identifies.
pub(crate) fn assigned(text: &[u8], found: &Assignment, forms: &Forms) -> Option<Range<usize>> {
    const LONGEST: usize = 48;
    let value = &text[found.value.clone()];
    let told = value.len() <= LONGEST && !stand_in::is_stand_in(value);
    let range = if found.quoted { found.value.clone() } else { unspaced(text, found, forms) };
    let number = &text[range.clone()];
    (told && (is_written(number, forms) || is_number(number, forms))).then_some(range)
}

/// A value without quotes ends at a blank, but some forms have blanks.
fn unspaced(text: &[u8], found: &Assignment, forms: &Forms) -> Range<usize> {
    let start = found.value.start;
    let written = forms.all().filter_map(|form| form::matches(form, text, start, true)).max();
    start..written.unwrap_or(0).max(found.value.end)
}

/// One of its forms in any case, its check digits right.
fn is_written(value: &[u8], forms: &Forms) -> bool {
    let checked = forms.check.is_some() || value.iter().any(u8::is_ascii_digit);
    let zeros = value.iter().all(|b| *b == b'0' || !b.is_ascii_alphanumeric());
    checked
        && !zeros
        && forms.all().any(|form| form::matches(form, value, 0, true) == Some(value.len()))
        && forms.passes(value)
}

/// As many digits and letters as the identifier has, give or take one; at least four of them digits.
fn is_number(value: &[u8], forms: &Forms) -> bool {
    let signs = |b: &u8| matches!(b, b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+' | b'*');
    let marks = value.iter().filter(|b| b.is_ascii_alphanumeric()).count();
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let lengths = forms.all().map(form::marks);
    let (shortest, longest) =
        lengths.fold((usize::MAX, 0), |(low, high), n| (low.min(n), high.max(n)));
    let telling = value.iter().any(|b| *b != b'0' && b.is_ascii_alphanumeric());
    telling
        && value.iter().all(|b| b.is_ascii_alphanumeric() || signs(b))
        && digits >= 4
        && digits * 3 >= marks
        && (marks + 1 >= shortest && marks <= longest + 1)
}

/// The value behind a keyword: `plate 34 ABC 123`, `ICD-10: E11.9`.
pub(crate) fn behind(text: &[u8], from: usize, forms: &Forms) -> Option<Range<usize>> {
    const WINDOW: usize = 40;
    let end = text.len().min(from + WINDOW);
    let line = memchr::memchr(b'\n', &text[from..end]).map_or(end, |i| from + i);
    let mut previous = b'x';
    for i in from..line {
        let byte = text[i];
        if byte.is_ascii_alphanumeric() && !previous.is_ascii_alphanumeric() {
            let found = forms.near.iter().filter_map(|form| {
                let range = i..form::matches(form, text, i, forms.any_case)?;
                (place::stands_apart(text, &range, false) && forms.passes(&text[range.clone()]))
                    .then_some(range)
            });
            if let Some(range) = found.max_by_key(|range| range.end) {
                return Some(range);
            }
        }
        previous = byte;
    }
    None
}
