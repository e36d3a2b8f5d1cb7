//! Telephone numbers: international (ITU-T E.164, E.123), and the national forms of the United
//! States, the United Kingdom, Germany, France, India, Japan and the countries that write alike.

mod words;

use std::ops::Range;

use super::context::{follows_word, is_value_of};
use super::number::Run;
use crate::boundary;
use words::{CALLS, CODE_CALLS, OTHER_NUMBERS, WORDS, WORDS_ABROAD, WORDS_BEHIND};

/// Whether the word right before `at` says that a number is something else than anybody's.
pub(crate) fn is_of_a_thing(text: &[u8], at: usize) -> bool {
    // `part number 415-555-0132`.
    let named = text[..at].strip_suffix(b" number ").map_or(at, <[u8]>::len);
    is_value_of(text, named, &OTHER_NUMBERS) || text[..at].ends_with(b"..")
}

/// `+1 415-555-0132`, `0049 30 1234567`, `%2B14155550132`.
pub(crate) fn international(run: &Run<'_>, i: usize) -> Option<(Range<usize>, usize)> {
    let (start, code_at) = prefix(run, i)?;
    let mut digits = [0_u8; 20];
    let mut total = 0;
    let mut last = i;
    for group in i..run.count() {
        let skip = if group == i { code_at } else { 0 };
        let next = &run.digits(group)[skip.min(run.len(group))..];
        let spaced = group > i && run.separator(group).starts_with(b" ");
        let enough = if digits[0] == b'1' && total > 0 { total >= 11 } else { total >= 12 };
        let wall = group > i && (run.separator(group).contains(&b'+') || enough && spaced);
        if wall || total + next.len() > 15 {
            break;
        }
        digits[total..total + next.len()].copy_from_slice(next);
        total += next.len();
        last = group;
    }
    let code = country_code(&digits[..total])?;
    let shortest = if code == 3 { 7 } else { 8 };
    let exact = digits[0] != b'1' || total == 11 && digits[1] >= b'2' && digits[4] >= b'2';
    let end = run.range(i, last).end;
    let end = end + extension(&run.text[end..]);
    let after = &run.text[end..];
    let closed = match after {
        // `1:10~+20191229111838+6991d5728f1` is a version.
        [b'+', next, ..] => !next.is_ascii_alphanumeric(),
        [byte, ..] => !byte.is_ascii_alphanumeric() && *byte != b'_',
        [] => true,
    } && !run.text[..start].ends_with(b"~");
    // `+6073641856.9` is an amount.
    let amount = last == i + 1 && run.separator(last) == b"." && run.len(last) < 3;
    let closed = closed && !amount;
    (total >= shortest && exact && closed).then_some((start..end, last))
}

/// The plus or `00` before group `i`: where the number begins, and digits of the group to skip.
fn prefix(run: &Run<'_>, i: usize) -> Option<(usize, usize)> {
    let text = run.text;
    let at = run.start(i);
    if at >= 1 && text[at - 1] == b'+' {
        let start = if at >= 2 && text[at - 2] == b'(' { at - 2 } else { at - 1 };
        let glued = start > 0
            && (text[start - 1].is_ascii_alphanumeric() && !boundary::opens(text, start)
                || text[start - 1] == b'+');
        return (!glued && text[at] != b'0').then_some((start, 0));
    }
    if at >= 3 && text[at - 3..at].eq_ignore_ascii_case(b"%2B") {
        return Some((at - 3, 0));
    }
    let alone = if i == 0 {
        boundary::opens(text, at) && (at == 0 || !matches!(text[at - 1], b'.' | b'-' | b'/'))
    } else {
        run.separator(i) == b" "
    };
    let grouped = (3..=5).contains(&run.len(i)) && i + 2 < run.count();
    let long = run.digits(i).starts_with(b"00") && (run.len(i) >= 11 || grouped);
    (alone && long && run.digits(i).get(2).is_some_and(|b| *b != b'0')).then_some((at, 2))
}

/// Digits of the country code (ITU-T E.164, annex), if there is one.
fn country_code(digits: &[u8]) -> Option<usize> {
    let &[a, b, c] = digits.first_chunk::<3>()?;
    match (a, b) {
        (b'1' | b'7', _) => Some(1),
        (b'2', b'0' | b'7')
        | (b'3', b'0' | b'1' | b'2' | b'3' | b'4' | b'6' | b'9')
        | (b'4', b'0' | b'1' | b'3'..=b'9')
        | (b'5', b'1'..=b'8')
        | (b'6', b'0'..=b'6')
        | (b'8', b'1' | b'2' | b'4' | b'6')
        | (b'9', b'0'..=b'5' | b'8') => Some(2),
        (b'2', b'1'..=b'6')
        | (b'3', b'5' | b'7')
        | (b'5', b'0' | b'9')
        | (b'6', b'7' | b'8')
        | (b'8', b'0' | b'5' | b'7' | b'8')
        | (b'9', b'6' | b'7') => Some(3),
        // The rest of these decades is not given out.
        (b'2', b'9') => matches!(c, b'0' | b'1' | b'7'..=b'9').then_some(3),
        (b'3', b'8') => (c != b'4').then_some(3),
        (b'4', b'2') => matches!(c, b'0' | b'1' | b'3').then_some(3),
        (b'6', b'9') => (c <= b'2').then_some(3),
        (b'9', b'9') => (!matches!(c, b'0' | b'7' | b'9')).then_some(3),
        _ => None,
    }
}

/// A number as it is written inside its country.
pub(crate) fn national(run: &Run<'_>, i: usize) -> Option<(Range<usize>, usize)> {
    let start = opening(run, i)?;
    // Columns of numbers are no telephone numbers, wherever one begins to read.
    if i > 0 && run.len(i - 1) == run.len(i) && run.separator(i) == run.separator(i + 1) {
        return None;
    }
    let groups = if may_be_shaped(run, i) { i..run.count().min(i + 6) } else { i..i };
    for last in groups.rev() {
        if let Some(end) = end(run, last)
            && shaped(run, i, last)
            && (!is_of_a_thing(run.text, start) || follows_word(run.text, start, &WORDS))
            && !is_part_of_a_count(run, i, last)
        {
            return Some((start..end, last));
        }
    }
    lonely(run, i, start).or_else(|| near_word(run, i, start))
}

/// `1 073 741 824`, `2000 01 01 00 00 00 1`: whether the groups go on with more of the same kind.
fn is_part_of_a_count(run: &Run<'_>, i: usize, last: usize) -> bool {
    let blank = |group: usize| run.separator(group) == b" ";
    let thousands = i > 0
        && blank(i)
        && run.len(i - 1) <= 3
        && (i..=last).all(|group| run.len(group) == 3 && (group == i || blank(group)));
    let pairs = last == i + 4
        && (i..=last).all(|group| run.len(group) == 2 && (group == i || blank(group)))
        && (i > 0 && blank(i) && run.len(i - 1) == 4 || last + 1 < run.count() && blank(last + 1));
    thousands || pairs
}

/// A number that is all of a text: no count begins with a 0, and none is written as 532 123 45 67.
fn lonely(run: &Run<'_>, i: usize, start: usize) -> Option<(Range<usize>, usize)> {
    const TRUNK: usize = 11;
    let last = run.count() - 1;
    let range = start..run.end();
    let total: usize = (i..=last).map(|group| run.len(group)).sum();
    // `0.5.1 - 2014-07-07` is a version and its day.
    let &[first, second, ..] = run.digits(i) else { return None };
    let trunk = total == TRUNK && first == b'0' && second != b'0';
    let groups = last == 3 && [0, 1, 2, 3].map(|group| run.len(group)) == [3, 3, 2, 2];
    let shaped = trunk || groups && matches!(first, b'2'..=b'9');
    (i == 0 && shaped && boundary::is_whole(run.text, &range)).then_some((range, last))
}

/// Where the number begins: at its bracket if it has one. None when something is glued to it.
fn opening(run: &Run<'_>, i: usize) -> Option<usize> {
    let at = run.start(i);
    let start = if at > 0 && run.text[at - 1] == b'(' { at - 1 } else { at };
    let before = start.checked_sub(1).map(|i| run.text[i]);
    let glued = match before {
        None => false,
        Some(b'.' | b'-' | b'/' | b'_' | b'$' | b'#' | b'\\' | b')' | b'~') => true,
        Some(byte) if byte.is_ascii_digit() => true,
        Some(b',') => start > 1 && run.text[start - 2].is_ascii_digit(),
        Some(_) => !boundary::opens(run.text, start),
    };
    (!glued).then_some(start)
}

/// `x123`, ` ext. 123`: the length of an extension.
fn extension(after: &[u8]) -> usize {
    const SIGNS: [&[u8]; 4] = [b"x", b" x", b" ext. ", b" ext "];
    if !matches!(after, [b'x', ..] | [b' ', b'x' | b'e', ..]) {
        return 0;
    }
    let Some(sign) = SIGNS.iter().find(|sign| after.starts_with(sign)) else { return 0 };
    let digits = after[sign.len()..].iter().take(7).take_while(|b| b.is_ascii_digit()).count();
    if (1..=6).contains(&digits) { sign.len() + digits } else { 0 }
}

/// Whether a word such as "office" follows.
fn precedes_word(after: &[u8]) -> bool {
    let after = after.strip_prefix(b" ").or_else(|| after.strip_prefix(b"-")).unwrap_or(after);
    if !after.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    WORDS_BEHIND.iter().any(|word| {
        after.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word))
            && after.get(word.len()).is_none_or(|b| !b.is_ascii_alphanumeric())
    })
}

/// Where a number whose last group is `last` ends; None when it goes on.
fn end(run: &Run<'_>, last: usize) -> Option<usize> {
    let next = run.separator(last + 1);
    let end = run.range(last, last).end;
    // No word stands where another group follows.
    if last + 1 == run.count() {
        let extension = extension(&run.text[end..]);
        if extension > 0 || precedes_word(&run.text[end..]) {
            return Some(end + extension);
        }
    }
    let after = run.text.get(end).copied();
    let open = match after {
        _ if last + 1 < run.count() => next.starts_with(b" "),
        None => true,
        Some(b'_' | b'%') => false,
        Some(b':' | b'-' | b'.' | b'/' | b',') => {
            run.text.get(end + 1).is_none_or(|b| !b.is_ascii_alphanumeric())
        }
        Some(byte) => !byte.is_ascii_alphabetic(),
    };
    // Columns of numbers go on in the same way.
    let column =
        last + 1 < run.count() && run.len(last + 1) == run.len(last) && next == run.separator(last);
    (open && !column).then_some(end)
}

/// Whether one of the national shapes may begin with group `i`.
fn may_be_shaped(run: &Run<'_>, i: usize) -> bool {
    match run.digits(i) {
        [b'0', second, ..] => *second != b'0',
        [b'1' | b'8'] | [_, _, _] => true,
        _ => is_bracketed(run, i),
    }
}

fn is_bracketed(run: &Run<'_>, i: usize) -> bool {
    run.start(i) > 0 && run.text[run.start(i) - 1] == b'('
}

/// Whether the groups are one of the national shapes. Those that plain numbers share need the
/// brackets or dashes that numbers in columns do not have.
fn shaped(run: &Run<'_>, i: usize, last: usize) -> bool {
    let lens: [usize; 6] = std::array::from_fn(|n| if i + n <= last { run.len(i + n) } else { 0 });
    let first = run.digits(i);
    let bracket = is_bracketed(run, i);
    let sign = run.separator(i + 1);
    let uniform = run.joined_by(i, last, sign);
    let dashed = uniform && sign == b"-";
    let pointed = uniform && (sign == b"." || sign == b"/");
    let north_american = |a: usize, b: usize| {
        let area = run.digits(a);
        let exchange = run.digits(b);
        area[0] >= b'2' && area[1..] != *b"11" && exchange[0] >= b'2' && exchange[1..] != *b"11"
    };
    match lens {
        [3, 3, 4, 0, ..] if first[0] != b'0' => {
            (bracket || dashed || pointed && sign == b".") && north_american(i, i + 1)
        }
        // Brackets as in Brazil and Australia.
        [2..=4, 3..=4, 4, 0, ..]
            if bracket && run.separator(i + 1).starts_with(b")") && first[0] != b'0' =>
        {
            lens[..3].iter().sum::<usize>() >= 9
        }
        [3, 7, 0, ..] if first[0] != b'0' => bracket && first[0] >= b'2',
        [1, 3, 3, 4, 0, 0] => {
            first == b"1"
                && (dashed || pointed || run.separator(i + 2).starts_with(b")"))
                && north_american(i + 1, i + 2)
        }
        // Russia and Kazakhstan: `8 (916) 482-73-19`.
        [1, 3, 3, 2, 2, 0] => {
            first == b"8" && is_bracketed(run, i + 1) && run.separator(i + 3) == b"-"
        }
        _ if first.len() >= 2 && first[0] == b'0' && first[1] != b'0' => {
            trunk(lens, first, bracket, uniform, sign)
        }
        _ => false,
    }
}

/// Numbers with the trunk prefix 0.
fn trunk(lens: [usize; 6], first: &[u8], bracket: bool, uniform: bool, sign: &[u8]) -> bool {
    let total: usize = lens.iter().sum();
    let groups = lens.iter().filter(|len| **len > 0).count();
    if !(9..=12).contains(&total) {
        return false;
    }
    match lens {
        // France; the same pairs are in hexadecimal dumps, but not five of them.
        [2, 2, 2, 2, 2, 0] => uniform && matches!(sign, b" " | b"." | b"-"),
        // Japan, the United Kingdom, Germany, India: an area code and the rest.
        [2 | 3, 4, 4, 0, ..]
        | [3, 3, 4, 0, ..]
        | [4, 3, 3..=4, 0, ..]
        | [5, 3, 3, 0, ..]
        | [4, 2, 4, 0, ..] => true,
        // `01234.000000` is a fraction.
        [5, 6, 0, ..] | [6, 5, 0, ..] => sign != b".",
        [2, 8, 0, ..] => sign == b"-",
        [3..=5, 5..=8, 0, ..] => {
            let mobile = first.starts_with(b"015")
                || first.starts_with(b"016")
                || first.starts_with(b"017")
                || first.starts_with(b"07");
            bracket || mobile || first[1] != b'1' && sign != b"." && first.len() >= 3
        }
        // Switzerland, Belgium, Italy, Sweden and others write three groups or more.
        _ => {
            groups >= 3
                && lens[0] >= 3
                && lens[..groups].iter().skip(1).all(|len| (2..=4).contains(len))
        }
    }
}

/// Whether one of [`WORDS_ABROAD`] stands shortly before `at`, on the same line.
fn follows_abroad(text: &[u8], at: usize) -> bool {
    const LOOK_BACK: usize = 40;
    let before = &text[at.saturating_sub(LOOK_BACK)..at];
    let before = memchr::memrchr(b'\n', before).map_or(before, |i| &before[i + 1..]);
    !before.is_ascii()
        && WORDS_ABROAD.iter().any(|word| {
            before.windows(word.len()).any(|here| here.eq_ignore_ascii_case(word.as_bytes()))
        })
}

/// `12 345 678`: thousands, and dates as `20130112`.
fn counts(run: &Run<'_>, i: usize, last: usize) -> bool {
    let thousands = run.joined_by(i, last, b" ")
        && run.len(i) <= 3
        && run.digits(i)[0] != b'0'
        && last > i + 1
        && (i + 1..=last).all(|group| run.len(group) == 3);
    // `1003.1-2017`, `2.0-20130217`.
    let signs = || (i + 2..=last).any(|group| run.separator(group) != run.separator(i + 1));
    let version = last > i && run.separator(i + 1) == b"." && signs();
    thousands && run.len(i) < 3 || version
}

/// Any seven to fifteen digits behind a word that says what they are.
fn near_word(run: &Run<'_>, i: usize, start: usize) -> Option<(Range<usize>, usize)> {
    // What a label shows of an address: `call 52 [ipv4 203.113.255.…]`.
    if run.text[..start].ends_with(b"[ipv4 ") {
        return None;
    }
    let mut total = 0;
    let mut found = None;
    for last in i..run.count() {
        total += run.len(last);
        if total > 15 || last > i && run.separator(last).contains(&b'+') {
            break;
        }
        if total >= 7 {
            found = end(run, last).map(|end| (start..end, last)).or(found);
        }
    }
    let (range, last) = found?;
    // `call from 09848273615`: with its trunk prefix a number is one without groups, too, and so is
    // that of a mobile in China.
    let trunk = last == i && run.digits(i)[0] == b'0' && matches!(run.len(i), 10 | 11);
    let mobile = last == i && run.len(i) == 11 && matches!(run.digits(i), [b'1', b'3'..=b'9', ..]);
    let called = (last > i || trunk || mobile)
        && follows_word(run.text, start, &CALLS)
        && !follows_word(run.text, start, &CODE_CALLS)
        && !is_part_of_a_count(run, i, last)
        && !counts(run, i, last)
        // `call 0 1 2 3 4 5 6`.
        && (i + 1..=last).all(|group| run.len(group) > 1);
    let said = called
        || precedes_word(&run.text[range.end..])
        || follows_word(run.text, start, &WORDS)
        || follows_abroad(run.text, start);
    said.then_some((range, last))
}
