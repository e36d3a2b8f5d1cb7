//! Values made of digits: payment cards, social security numbers, IPv4 addresses, phone numbers.
//!
//! A *run* is a stretch of digit groups joined by single separators. It is read once; each kind is
//! then tried at each group, so that `2026-11-21 415-555-0132` gives the phone number alone.

use std::ops::Range;

use super::context::{WordList, follows_word, is_value_of};
use super::{address, phone};
use crate::boundary;
use crate::names::Matcher;

/// Most groups and digits of one run: more belong to lists of numbers.
const GROUPS: usize = 16;

/// Groups of digits and what stands between them.
#[derive(Debug)]
pub(crate) struct Run<'t> {
    pub(crate) text: &'t [u8],
    starts: [usize; GROUPS],
    ends: [usize; GROUPS],
    count: usize,
}

/// Reads the run whose first digit is at `at`.
pub(crate) fn run(text: &[u8], at: usize) -> Run<'_> {
    let mut run = Run { text, starts: [0; GROUPS], ends: [0; GROUPS], count: 0 };
    let mut i = at;
    while run.count < GROUPS {
        let digits = text[i..].iter().take_while(|b| b.is_ascii_digit()).count();
        run.starts[run.count] = i;
        run.ends[run.count] = i + digits;
        run.count += 1;
        i += digits;
        match next_group(text, i) {
            Some(next) => i = next,
            None => break,
        }
    }
    run
}

/// The first digit after a separator at `i`.
fn next_group(text: &[u8], i: usize) -> Option<usize> {
    let rest = text.get(i..text.len().min(i + 4))?;
    let length = match rest {
        [b')', b' ' | b'-' | b'.' | b'/', d, ..] | [b' ' | b'-', b'(', d, ..]
            if d.is_ascii_digit() =>
        {
            2
        }
        [b' ' | b'-' | b'.' | b'/' | b')' | b'(' | b'+', d, ..] if d.is_ascii_digit() => 1,
        [b' ', b'-' | b'/', b' ', d] if d.is_ascii_digit() => 3,
        _ => return None,
    };
    Some(i + length)
}

impl Run<'_> {
    /// How many groups there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Where the run ends.
    pub(crate) fn end(&self) -> usize {
        self.ends[self.count - 1]
    }

    /// Digits in group `i`.
    pub(crate) fn len(&self, i: usize) -> usize {
        if i < self.count { self.ends[i] - self.starts[i] } else { 0 }
    }

    /// The digits of group `i`.
    pub(crate) fn digits(&self, i: usize) -> &[u8] {
        &self.text[self.starts[i]..self.ends[i]]
    }

    /// Where group `i` begins.
    pub(crate) fn start(&self, i: usize) -> usize {
        self.starts[i]
    }

    /// What stands before group `i`.
    pub(crate) fn separator(&self, i: usize) -> &[u8] {
        if i == 0 || i >= self.count { b"" } else { &self.text[self.ends[i - 1]..self.starts[i]] }
    }

    /// Whether group `i` is glued to the one before, so that nothing but an address begins there.
    fn is_joined(&self, i: usize) -> bool {
        matches!(self.separator(i), b"." | b"-" | b"/")
    }

    /// The bytes of groups `from` to `to`, the last included.
    pub(crate) fn range(&self, from: usize, to: usize) -> Range<usize> {
        self.starts[from]..self.ends[to]
    }

    /// The first group from `i + 1` on that begins at `end` or later.
    fn behind(&self, i: usize, end: usize) -> usize {
        (i + 1..self.count).find(|group| self.starts[*group] >= end).unwrap_or(self.count)
    }

    /// Whether the groups `from + 1` to `to` all follow the separator `sign`.
    pub(crate) fn joined_by(&self, from: usize, to: usize, sign: &[u8]) -> bool {
        match sign {
            // Compared as bytes: this is asked at each group of each number.
            &[sign] => {
                let joins = |i| self.starts[i] == self.ends[i - 1] + 1;
                to < self.count
                    && (from + 1..=to).all(|i| joins(i) && self.text[self.ends[i - 1]] == sign)
            }
            _ => to < self.count && (from + 1..=to).all(|i| self.separator(i) == sign),
        }
    }

    /// Whether a value may begin at group `i` and end with group `j`: nothing glued to it.
    pub(crate) fn stands_alone(&self, i: usize, j: usize) -> bool {
        let begins =
            i > 0 && self.separator(i) == b" " || i == 0 && begins_alone(self.text, self.starts[0]);
        let glued = self.separator(j + 1);
        begins
            && (glued.is_empty() || glued.starts_with(b" "))
            && (j + 1 < self.count || ends_alone(self.text, self.ends[j]))
    }
}

/// No decimal point, currency sign or dash that would make the digits part of something longer.
fn begins_alone(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).map(|i| text[i]);
    match before {
        Some(b'.' | b'-' | b'/' | b'_' | b'$' | b'\\' | b'~') => {
            // Only a sign of its own: ` - 4111…`, `"/4111…` stay values.
            at > 1
                && matches!(text[at - 2], b' ' | b'"' | b'\'' | b'=' | b':')
                && text[at - 1] != b'.'
                && text[at - 1] != b'$'
        }
        _ => boundary::opens(text, at),
    }
}

fn ends_alone(text: &[u8], at: usize) -> bool {
    match text.get(at) {
        Some(b'_') => false,
        Some(byte) if byte.is_ascii_alphabetic() => false,
        Some(b'-' | b'.' | b'/' | b':') => {
            text.get(at + 1).is_none_or(|b| !b.is_ascii_alphanumeric())
        }
        _ => true,
    }
}

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// What a matcher knows.
    Shape(Matcher),
    /// A form of the rule of this number.
    Form(u16),
}

/// Tries every kind at every group. `identify` looks for a form that begins at a place; `found`
/// takes what was found and its bytes.
pub(crate) fn each(
    run: &Run<'_>,
    identify: impl Fn(usize) -> Option<(u16, Range<usize>)>,
    mut found: impl FnMut(Found, Range<usize>),
) {
    let mut i = 0;
    while i < run.count() {
        if let Some(last) = date(run, i) {
            i = last + 1;
        } else if let Some(last) = dotted_quad(run, i) {
            let range = run.range(i, last);
            if is_alone(run, i, &range) && address::is_ipv4(run.text, &range) {
                found(Found::Shape(Matcher::Ipv4), range);
                i = last + 1;
            } else if let Some((rule, range)) = identify(run.start(i)) {
                i = run.behind(i, range.end);
                found(Found::Form(rule), range);
            } else {
                i = last + 1;
            }
        } else if let Some((what, range, last)) =
            (!run.is_joined(i)).then(|| first(run, i, &identify)).flatten()
        {
            found(what, range);
            i = last + 1;
        } else {
            i += 1;
        }
    }
}

fn first(
    run: &Run<'_>,
    i: usize,
    identify: &impl Fn(usize) -> Option<(u16, Range<usize>)>,
) -> Option<(Found, Range<usize>, usize)> {
    if let Some((range, last)) = phone::international(run, i) {
        return Some((Found::Shape(Matcher::Phone), range, last));
    }
    if let Some(last) = card(run, i) {
        return Some((Found::Shape(Matcher::PaymentCard), run.range(i, last), last));
    }
    if let Some(last) = social_security(run, i) {
        return Some((Found::Shape(Matcher::UsSsn), run.range(i, last), last));
    }
    if let Some((rule, range)) = identify(run.start(i)) {
        let last = run.behind(i, range.end) - 1;
        return Some((Found::Form(rule), range, last));
    }
    let (range, last) = phone::national(run, i)?;
    Some((Found::Shape(Matcher::PhoneNational), range, last))
}

/// `2026-11-21`, `21/11/2026`, `21.11.2026`: the last group of the date.
fn date(run: &Run<'_>, i: usize) -> Option<usize> {
    // Most numbers have no year, which is soon seen.
    if run.len(i) != 4 && run.len(i + 2) != 4 {
        return None;
    }
    let sign = run.separator(i + 1);
    if !(matches!(sign, b"-" | b"/" | b".") && run.joined_by(i, i + 2, sign))
        || run.separator(i + 3) == sign
    {
        return None;
    }
    let year = |i: usize| run.len(i) == 4 && matches!(&run.digits(i)[..2], b"19" | b"20");
    let short = |i: usize| (1..=2).contains(&run.len(i));
    (year(i) && short(i + 1) && short(i + 2) || short(i) && short(i + 1) && year(i + 2))
        .then_some(i + 2)
}

/// Four numbers joined by dots, no more: an address or a version.
fn dotted_quad(run: &Run<'_>, i: usize) -> Option<usize> {
    let last = i + 3;
    let shaped =
        last < run.count() && (i..=last).all(|i| run.len(i) <= 3) && run.joined_by(i, last, b".");
    (shaped && run.separator(i) != b"." && run.separator(last + 1) != b".").then_some(last)
}

fn is_alone(run: &Run<'_>, i: usize, range: &Range<usize>) -> bool {
    let before = range.start.checked_sub(1).map(|i| run.text[i]);
    let inside = i == 0 && (before == Some(b'.') || !boundary::opens(run.text, range.start));
    !inside && !run.text.get(range.end).is_some_and(u8::is_ascii_alphabetic)
}

/// A payment card (ISO/IEC 7812): 13 to 19 digits, whole or in the groups printed on cards. Near a
/// word that says so any number with a good check digit is one.
fn card(run: &Run<'_>, i: usize) -> Option<usize> {
    static CARD_WORDS: WordList = WordList::new(&[
        b"card",
        b"carta",
        b"carte",
        b"cc",
        b"kart",
        b"karta",
        b"karte",
        b"kort",
        b"mastercard",
        b"pan",
        b"tarjeta",
        b"visa",
    ]);
    let mut digits = [0; 19];
    let groups = i..run.count().min(i + 5);
    if groups.clone().map(|i| run.len(i)).sum::<usize>() < 12 {
        return None;
    }
    for last in groups.rev() {
        let total: usize = (i..=last).map(|i| run.len(i)).sum();
        if !(12..=19).contains(&total)
            || !is_grouped_as_card(run, i, last)
            || !run.stands_alone(i, last)
        {
            continue;
        }
        let all = (i..=last).flat_map(|i| run.digits(i));
        digits.iter_mut().zip(all).for_each(|(to, from)| *to = from - b'0');
        // Nine numbers of ten are told here.
        if !luhn(&digits[..total]) || is_in_table(run, i, last) {
            continue;
        }
        // Seeds and ids have 17 digits and more; cards so long are rare.
        let told = is_issued(&digits[..total]) && (total <= 16 || last > i);
        let other = last == i && is_value_of(run.text, run.start(i), &OTHER_NUMBERS);
        if told && !other
            || follows_word(run.text, run.start(i), &CARD_WORDS)
            || follows_card_abroad(run.text, run.start(i))
        {
            return Some(last);
        }
    }
    None
}

/// Whether a word for a card in another script stands right before `at`.
fn follows_card_abroad(text: &[u8], at: usize) -> bool {
    const LOOK_BACK: usize = 32;
    const WORDS: [&str; 12] = [
        "卡号",
        "卡號",
        "银行卡",
        "信用卡",
        "カード",
        "카드",
        "карт",
        "Карт",
        "بطاقة",
        "البطاقة",
        "כרטיס",
        "κάρτα",
    ];
    let before = &text[at.saturating_sub(LOOK_BACK)..at];
    let before = memchr::memrchr(b'\n', before).map_or(before, |i| &before[i + 1..]);
    !before.is_ascii()
        && WORDS.iter().any(|word| memchr::memmem::find(before, word.as_bytes()).is_some())
}

/// Names of numbers that are no card, however good their check digit: one in ten is.
const OTHER_NUMBERS: [&[u8]; 40] = [
    b"id",
    b"ids",
    b"uid",
    b"pid",
    b"tid",
    b"gid",
    b"seed",
    b"offset",
    b"ts",
    b"timestamp",
    b"time",
    b"nonce",
    b"seq",
    b"sequence",
    b"size",
    b"bytes",
    b"length",
    b"count",
    b"counter",
    b"total",
    b"txn",
    b"tx",
    b"trace",
    b"span",
    b"hash",
    b"block",
    b"index",
    b"step",
    b"tick",
    b"ticks",
    b"ns",
    b"us",
    b"pos",
    b"position",
    b"addr",
    b"ptr",
    b"inode",
    b"handle",
    b"checksum",
    b"cursor",
];

/// `4584 4615 4646 4677 4708 4740 4771`: whether the groups stand in a row of numbers of four digits
/// that are no cards side by side.
fn is_in_table(run: &Run<'_>, i: usize, last: usize) -> bool {
    const GROUP: usize = 4;
    let four = |group: usize| run.len(group) == GROUP;
    let goes_on = |group: usize| group < run.count() && run.separator(group) == b" ";
    if last != i + 3 || !(i..=last).all(four) || !goes_on(i + 1) {
        return false;
    }
    let mut from = i;
    while from > 0 && goes_on(from) && four(from - 1) {
        from -= 1;
    }
    let mut to = last;
    while goes_on(to + 1) && four(to + 1) {
        to += 1;
    }
    let is_card = |first: usize| {
        let mut digits = [0; GROUP * GROUP];
        let four = (first..first + GROUP).flat_map(|group| run.digits(group));
        digits.iter_mut().zip(four).for_each(|(to, from)| *to = from - b'0');
        luhn(&digits)
    };
    let count = to + 1 - from;
    count > GROUP && !(count.is_multiple_of(GROUP) && (from..=to).step_by(GROUP).all(is_card))
}

fn is_grouped_as_card(run: &Run<'_>, from: usize, to: usize) -> bool {
    if from == to {
        return true;
    }
    let sign = run.separator(from + 1);
    if !(matches!(sign, b" " | b"-" | b".") && run.joined_by(from, to, sign)) {
        return false;
    }
    let lens: [usize; 5] =
        std::array::from_fn(|n| if from + n <= to { run.len(from + n) } else { 0 });
    matches!(
        lens,
        [4, 4, 4, 1..=4, 0] | [4, 4, 4, 4, 1..=3] | [4, 6, 4..=5, 0, 0] | [6, 13, 0, 0, 0]
    )
}

/// The ranges of the card brands.
fn is_issued(digits: &[u8]) -> bool {
    let prefix =
        |n: usize| digits[..n].iter().fold(0_u32, |number, digit| number * 10 + u32::from(*digit));
    match digits.len() {
        13 => prefix(1) == 4,
        14 => matches!(prefix(3), 300..=305 | 309) || matches!(prefix(2), 36 | 38 | 39),
        15 => matches!(prefix(2), 34 | 37),
        16..=19 => {
            let long = digits.len() > 16;
            prefix(1) == 4 && matches!(digits.len(), 16 | 19)
                || !long && (matches!(prefix(2), 51..=55) || matches!(prefix(4), 2221..=2720))
                || prefix(4) == 6011
                || prefix(2) == 65
                || matches!(prefix(3), 644..=649)
                || prefix(2) == 62
                || matches!(prefix(4), 3528..=3589)
                || !long
                    && matches!(prefix(4), 5018..=5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763)
                // Mir, Troy, Humo, Uzcard, Verve, Elo, RuPay, Hipercard.
                || !long
                    && matches!(
                        prefix(4),
                        2200..=2204 | 5061 | 5066..=5067 | 6062 | 6069..=6079 | 6362..=6363 | 8600 | 9792 | 9860
                    )
        }
        _ => false,
    }
}

/// The check digit of ISO/IEC 7812-1, annex B.
fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| {
            let doubled = u32::from(digit) << (place % 2);
            if doubled > 9 { doubled - 9 } else { doubled }
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}

/// A social security number of the United States, in the ranges that are or were given out.
fn social_security(run: &Run<'_>, i: usize) -> Option<usize> {
    static WORDS: WordList = WordList::new(&[
        b"social security",
        b"social-security",
        b"social_security",
        b"ssn",
        b"tax id",
    ]);
    let split = [run.len(i), run.len(i + 1), run.len(i + 2)] == [3, 2, 4];
    let (last, dashed) = if split && run.joined_by(i, i + 2, b"-") {
        (i + 2, true)
    } else if split && (run.joined_by(i, i + 2, b" ") || run.joined_by(i, i + 2, b".")) {
        (i + 2, false)
    } else if run.len(i) == 9 {
        (i, false)
    } else {
        return None;
    };
    if !run.stands_alone(i, last) || !(dashed || follows_word(run.text, run.start(i), &WORDS)) {
        return None;
    }
    let mut digits = [0; 9];
    digits
        .iter_mut()
        .zip((i..=last).flat_map(|i| run.digits(i)))
        .for_each(|(to, from)| *to = *from);
    let (area, rest) = digits.split_at(3);
    let (group, serial) = rest.split_at(2);
    let refused =
        matches!(area, b"000" | b"666" | [b'9', ..]) || group == b"00" || serial == b"0000";
    // `range 111-22-3333..111-22-4444`, `matrix row 010-20-3000`.
    let (text, range) = (run.text, run.range(i, last));
    let other = phone::is_of_a_thing(text, range.start) || text[range.end..].starts_with(b"..");
    (!refused && (!other || follows_word(text, range.start, &WORDS))).then_some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_check_digit_finds_one_wrong_digit() {
        let card = [4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
        assert!(luhn(&card));
        for place in 0..card.len() {
            let mut wrong = card;
            wrong[place] = (wrong[place] + 1) % 10;
            assert!(!luhn(&wrong));
        }
    }

    #[test]
    fn a_date_is_skipped_and_what_follows_is_not() {
        let mut found = Vec::new();
        let text = b"2026-11-21 415-555-0132";
        each(&run(text, 0), |_| None, |what, range| found.push((what, range)));
        assert_eq!(found, [(Found::Shape(Matcher::PhoneNational), 11..23)]);
    }
}
