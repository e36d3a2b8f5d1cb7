//! Names of people in running text, by lists of names and the words around.
//!
//! Every part of a run adds to a sum or takes from it: how sure it is that the first name is one,
//! that the last one is, and what the words before and behind say. The sum decides.

use std::ops::Range;

use super::around::{around, behind_person, introduces, names_a_thing, signs_off, told_by_role};
use super::classes::Class;
use super::endings::{ends_as_family, ends_as_noun, ends_as_word, is_patronymic};
use super::run::{Part, Role, Run};
use super::{Judged, Mentioned, brand, korean, lexicon, pinyin, words};
use crate::names::Matcher;

/// Judges the run of capitalised words at `at`.
#[cold]
pub(crate) fn judge(text: &[u8], at: usize, mentioned: &mut Mentioned) -> Judged {
    let run = Run::read(text, at);
    let parts = run.parts();
    let read_to = parts.last().map_or(at + 1, |part| part.end);
    if glued(text, at) {
        return Judged { found: None, read_to };
    }
    if let Some(lead) = parts.first().filter(|part| part.class.any(Class::STREET_LEAD))
        && let [b' ', b'0'..=b'9', ..] | [b',', b' ', b'0'..=b'9', ..] = text[read_to..]
    {
        // `Rua Augusta, 12`: the way is looked at where its name begins.
        return Judged { found: None, read_to: lead.end };
    }
    let found = turned(text, parts)
        .or_else(|| best(text, parts))
        .or_else(|| unlisted(text, parts, mentioned))
        .or_else(|| again(text, parts, mentioned));
    let Some((matcher, range)) = found else { return Judged { found, read_to } };
    if brand::names(text, &range) || spelled_out(&text[range.clone()]) {
        return Judged { found: None, read_to: range.end };
    }
    {
        let inside = |part: &&Part| part.start >= range.start && part.end <= range.end;
        for part in parts.iter().filter(inside).filter(|part| part.role == Role::Word) {
            mentioned.note(part.start);
        }
    }
    // What follows a name in the same run is judged by itself.
    let read_to = range.end;
    Judged { found: Some((matcher, range)), read_to }
}

/// A single part of a name that was there before.
fn again(text: &[u8], parts: &[Part], mentioned: &Mentioned) -> Option<(Matcher, Range<usize>)> {
    let part = parts
        .iter()
        .find(|part| part.role == Role::Word && mentioned.has(text, &text[part.start..part.end]))?;
    closes(text, part.end).then_some((Matcher::PersonGiven, part.start..part.end))
}

/// A part of a path, an identifier or an address. `+Ana Ruiz` is added to a list.
fn glued(text: &[u8], at: usize) -> bool {
    let Some(sign) = at.checked_sub(1) else { return false };
    match text[sign] {
        b'+' | b'-' => sign > 0 && text[sign - 1] != b' ',
        sign => matches!(sign, b'_' | b'/' | b'\\' | b'.' | b'@' | b'#' | b'$' | b'&'),
    }
}

/// `Juliet Kilo Lima`: words for letters, as they are said over the radio.
fn spelled_out(name: &[u8]) -> bool {
    const LETTERS: [&[u8]; 27] = [
        b"alfa",
        b"alpha",
        b"bravo",
        b"charlie",
        b"delta",
        b"echo",
        b"foxtrot",
        b"golf",
        b"hotel",
        b"india",
        b"juliet",
        b"juliett",
        b"kilo",
        b"lima",
        b"mike",
        b"november",
        b"oscar",
        b"papa",
        b"quebec",
        b"romeo",
        b"sierra",
        b"tango",
        b"uniform",
        b"victor",
        b"whiskey",
        b"yankee",
        b"zulu",
    ];
    let is_letter = |word: &[u8]| LETTERS.iter().any(|known| word.eq_ignore_ascii_case(known));
    let words = || name.split(|byte| matches!(byte, b' ' | b'-'));
    words().count() > 2 && words().all(is_letter)
}

fn best(text: &[u8], parts: &[Part]) -> Option<(Matcher, Range<usize>)> {
    if parts.first().is_some_and(|first| names_a_thing(text, first.start)) {
        return None;
    }
    let mut titled = parts.first().map_or(Title::default(), |first| {
        let before = words::before(text, first.start);
        let class = lexicon::class(&text[before.clone()]);
        if introduces(text, &before) || signs_off(text, first.start) {
            Title { weight: 2, start: None }
        } else {
            Title::of(class, before.start)
        }
    });
    let mut placed = false;
    for (i, part) in parts.iter().enumerate() {
        match part.role {
            Role::Word => {}
            _ => continue,
        }
        let class = part.class;
        if !placed && let Some(found) = name_at(text, parts, i, titled) {
            return Some(found);
        }
        titled = Title::of(class, part.start);
        placed = class.any(Class::HEAD);
    }
    None
}

/// `Ana Ruiz and Zoltvarin Krebbuk`, `Zoltvarin Krebbuk called`: words that no list knows, beside a name
/// or in front of what only people do.
fn unlisted(text: &[u8], parts: &[Part], mentioned: &Mentioned) -> Option<(Matcher, Range<usize>)> {
    let (first, last) = (parts.first()?, parts.last()?);
    let words = || parts.iter().filter(|part| part.role == Role::Word);
    let name = Class::GIVEN.with(Class::FAMILY);
    let plain = words().all(|part| !part.class.any(Class::OTHER) || part.class.any(name));
    let unknown = words().any(|part| part.class == Class::NONE || part.class.any(name));
    let told = (2..=4).contains(&words().count())
        && plain
        && unknown
        && (beside_another(text, first.start, mentioned)
            || words().all(|part| !part.class.any(Class::OTHER))
                && does_what_people_do(text, words().next_back()?.start));
    (told && closes(text, last.end)).then_some((Matcher::PersonName, first.start..last.end))
}

/// Whether a name and a sign that joins people stand before `at`.
pub(super) fn beside_another(text: &[u8], at: usize, mentioned: &Mentioned) -> bool {
    const JOINTS: [&[u8]; 8] =
        [b" and ", b", ", b" & ", b" -> ", b" to ", b" with ", b" und ", b" y "];
    let before = &text[..at];
    let Some(joint) = JOINTS.iter().find(|joint| before.ends_with(joint)) else { return false };
    let end = at - joint.len();
    mentioned.begins(words::start(text, end))
}

/// Whether the word at `at` stands in front of a verb for what programs do not.
pub(super) fn does_what_people_do(text: &[u8], at: usize) -> bool {
    const VERBS: [&[u8]; 29] = [
        b"liked",
        b"mentioned",
        b"replied",
        b"commented",
        b"invited",
        b"called",
        b"phoned",
        b"emailed",
        b"wrote",
        b"asked",
        b"complained",
        b"apologised",
        b"apologized",
        b"resigned",
        b"married",
        b"died",
        b"paid",
        b"said",
        b"told",
        b"visited",
        b"insists",
        b"speaks",
        b"lives",
        b"works",
        b"thinks",
        b"wants",
        b"wishes",
        b"enrolled",
        b"graduated",
    ];
    let verb = words::end(text, at) + 1;
    text.get(verb).is_some_and(u8::is_ascii_lowercase)
        && text[verb - 1] == b' '
        && VERBS.contains(&&text[verb..words::end(text, verb)])
}

/// `Krebbuk, Ana`: a family name, a comma and a given name.
fn turned(text: &[u8], parts: &[Part]) -> Option<(Matcher, Range<usize>)> {
    let family = parts.last()?;
    let start = family.end + b", ".len();
    let comma = text[family.end..].starts_with(b", ") && words::capital(text, start);
    if !comma || family.role != Role::Word || !family.tail.any(Class::FAMILY) {
        return None;
    }
    let other = Class::OTHER.with(Class::GIVEN).with(Class::LEAD).with(Class::ROLE);
    let plain = |part: &&Part| part.role == Role::Particle || !part.class.any(other);
    // All of the run, or its last word: `Invoice Krebbuk, Ana`.
    let first = parts.iter().rposition(|part| !plain(&part)).map_or(0, |at| at + 1);
    let first = parts[first..].iter().find(|part| part.role == Role::Word)?;
    let behind = Run::read(text, start);
    let [given_name, rest @ ..] = behind.parts() else { return None };
    let sure = !given_name.class.any(Class::FAMILY) || given(given_name.class) == 4;
    let named = given(given_name.class) >= 3 && sure;
    let letter = rest.first().filter(|part| part.role == Role::Initial);
    let alone = rest.len() == usize::from(letter.is_some());
    let end = letter.map_or(given_name.end, |part| part.end);
    // `Krebbuk, Ana and Luis`, `Krebbuk, Ana, Luis`: people in a row.
    let listed = [&b" and "[..], b", ", b" & ", b" or "].iter().any(|s| text[end..].starts_with(s));
    let list = text[..first.start].ends_with(b", ");
    (named && alone && !listed && !list && closes(text, end))
        .then_some((Matcher::PersonName, first.start..end))
}

/// A title before a name.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Title {
    /// What it says: titles that are words as well say less.
    pub(super) weight: i32,
    /// Where it begins, if it is never anything but a title.
    start: Option<usize>,
}

impl Title {
    fn of(class: Class, start: usize) -> Self {
        match (class.any(Class::TITLE), class.any(Class::WORD)) {
            (false, _) => Self::default(),
            (true, true) => Self { weight: 2, start: None },
            (true, false) => Self { weight: 3, start: Some(start) },
        }
    }
}

/// The name that begins with part `i`.
fn name_at(
    text: &[u8],
    parts: &[Part],
    i: usize,
    titled: Title,
) -> Option<(Matcher, Range<usize>)> {
    let first = parts[i];
    // A word of logs that is a given name as well needs a family name behind it: `Adam Nowicki`.
    let also_given = first.class.any(Class::PERSON)
        && parts.get(i + 1).is_some_and(|next| {
            next.role == Role::Word
                && next.class.any(Class::FAMILY)
                && !next.class.any(Class::OTHER)
        });
    if first.class.any(Class::NEVER) && !also_given
        || first.class.any(Class::TITLE) && !first.class.any(Class::COMMON)
        || first.class.any(Class::ROLE.with(Class::STREET_LEAD))
            && !first.class.any(Class::GIVEN.with(Class::FAMILY))
    {
        return None;
    }
    let (last, linked) = extent(text, parts, i);
    let end = if parts.get(last + 1).is_some_and(|part| part.role == Role::Suffix) {
        parts[last + 1].end
    } else {
        parts[last].end
    };
    if !closes(text, end) {
        return None;
    }
    let around = around(text, parts, i, last, titled);
    let names = parts[i..=last].iter().filter(|part| part.role == Role::Word).count();
    let matcher = if titled.weight > 0 { Matcher::PersonTitled } else { Matcher::PersonName };
    let start = titled.start.unwrap_or(first.start);
    if names >= 2 {
        let told = says_whose_child(text, &parts[i..=last], names) && around > -3
            || is_of_two(text, parts, i, last, Sums { names, linked, around, also_given }, titled);
        return told.then_some((matcher, start..end));
    }
    if titled.weight > 0 {
        let street = first.class.any(Class::STREET) && !first.class.any(Class::FAMILY);
        let sum = given(first.class).max(family(first.class)) + around;
        return (!street && sum >= 5).then_some((matcher, start..end));
    }
    of_one(text, parts, i, end, around)
}

/// `Nur binti Ali`, `Анна Петровна`: whether a part says whose child somebody is.
fn says_whose_child(text: &[u8], parts: &[Part], names: usize) -> bool {
    let other = Class::OTHER.with(Class::LEAD);
    let child = |part: &Part| {
        let word = &text[part.start..part.end];
        match part.role {
            Role::Particle => {
                matches!(word, b"bin" | b"binti" | b"bint" | b"ibn" | b"bte" | b"ferch" | b"ould")
            }
            Role::Word => is_patronymic(word, names),
            _ => false,
        }
    };
    parts.iter().any(child) && !parts[0].class.any(other)
}

/// What has been summed up of a name.
#[derive(Clone, Copy)]
struct Sums {
    names: usize,
    linked: i32,
    around: i32,
    also_given: bool,
}

/// Whether the words from part `i` to `last`, two or more, are a name.
fn is_of_two(
    text: &[u8],
    parts: &[Part],
    i: usize,
    last: usize,
    sums: Sums,
    titled: Title,
) -> bool {
    let Sums { names, linked, around, also_given } = sums;
    let first = parts[i];
    let family_name = &text[parts[last].start..parts[last].end];
    // `Aurora Serverless`: names of things that go on with a word.
    if parts[last].class == Class::NONE
        && (ends_as_noun(family_name) || first.class.any(Class::OTHER) && ends_as_word(family_name))
    {
        return false;
    }
    let ending =
        i32::from(parts[last].tail == Class::NONE && ends_as_family(text, parts[last].end));
    let given_name = if also_given { 4 } else { given(first.class) };
    let sum = given_name + family(parts[last].tail) + ending + linked + around;
    // Two family names, and a word that speaks of people.
    let double = first.class == Class::FAMILY && parts[last].tail == Class::FAMILY;
    // A given name that is nothing else, and a word: `Kevin Cash`.
    let sure = first.class.any(Class::PERSON) && !first.class.any(Class::OTHER);
    let plain = family(parts[last].tail) > 0 && !parts[last].class.any(Class::ORGANISATION);
    let known_as = sure && plain && names == 2 && around >= 0 && sum >= 5;
    let joined = korean::is_joined(&text[parts[last].start..parts[last].end])
        && korean::is_family(&text[first.start..first.end])
        && !parts[last].class.any(Class::OTHER)
        || korean::is_joined(&text[first.start..first.end])
            && korean::is_family(&text[parts[last].start..parts[last].end])
            && !first.class.any(Class::OTHER);
    let joined = names == 2 && around >= 0 && joined;
    let chinese = names == 2
        && around >= 0
        && pinyin::is_family(&text[first.start..first.end])
        && !parts[last].class.any(Class::OTHER)
        && pinyin::is_given(&text[parts[last].start..parts[last].end]);
    let korean = names == 2
        && around >= -1
        && (korean::is_family(&text[first.start..first.end]) || first.class.any(Class::FAMILY))
        && parts[last].tail == Class::GIVEN
        && memchr::memchr(b'-', &text[parts[last].start..parts[last].end]).is_some()
        // `Ji-hoon Hwang`.
        || names == 2
            && around >= -1
            && first.tail == Class::GIVEN
            && memchr::memchr(b'-', &text[first.start..first.end]).is_some()
            && korean::is_family(&text[parts[last].start..parts[last].end]);
    let called = around > -5 && told_by_role(text, parts, i, last, titled.weight > 0);
    let turned = family(first.class) + given(parts[last].class) + linked + around - 1;
    let turns = parts[last].class.any(Class::GIVEN) && !first.class.any(Class::HEAD);
    let known = first.class.any(Class::GIVEN)
        || first.class == Class::NONE
            && family(parts[last].tail) + ending >= 4
            && !ends_as_word(&text[first.start..first.end])
            // In Cyrillic no list has words that are none.
            && (text[first.start].is_ascii() || ends_as_family(text, parts[last].end));
    sum >= 6 && known
        || known_as
        || chinese
        || korean
        || joined
        || called
        || titled.weight > 2 && family(parts[last].tail) + around >= 6
        || double && around >= 1
        || turned >= 7 && turns
}

/// The name that is part `i`, or initials before it and that, or it and a letter behind it.
fn of_one(
    text: &[u8],
    parts: &[Part],
    i: usize,
    end: usize,
    around: i32,
) -> Option<(Matcher, Range<usize>)> {
    let first = parts[i];
    // `C. H. Douglas`: who has initials is a person.
    let initials = parts[..i].iter().rev().take_while(|part| part.role == Role::Initial).count();
    // One that no list knows needs the stop behind them: `N. Krebbuk`.
    let stopped = i > 0 && text[parts[i - 1].end - 1] == b'.' && end - first.start > 4;
    let unknown = first.class == Class::NONE && stopped && around > -5;
    if initials > 0
        && (first.class.any(Class::FAMILY) && around > -2 || unknown)
        && !first.class.any(Class::OTHER)
    {
        return Some((Matcher::PersonName, parts[i - initials].start..end));
    }
    // `Ana P.`: a family name of which a letter is told.
    if let Some(letter) = parts.get(i + 1).filter(|part| part.role == Role::Initial)
        && text[letter.end - 1] == b'.'
        && parts.len() == i + 2
        && given(first.class) >= 3
        && around > -2
    {
        return Some((Matcher::PersonName, first.start..letter.end));
    }
    // `passenger Krebbuk boarded`: behind what only people are called.
    if i == 0
        && (first.class.any(Class::GIVEN.with(Class::FAMILY)) || first.class == Class::NONE)
        && !first.class.any(Class::OTHER)
        && parts.len() == 1
        && end - first.start > 3
        && around > -3
        && behind_person(text, first.start)
    {
        return Some((Matcher::PersonGiven, first.start..end));
    }
    // A given name alone needs one, too.
    let told = first.class.any(Class::GIVEN)
        && around >= 1
        && alone(text, &first) + around >= 4
        && !is_released(&text[end..]);
    // A family name alone needs a word beside it that speaks of people.
    let word = &text[first.start..first.end];
    let family = first.class.any(Class::FAMILY)
        && !first.class.any(Class::OTHER)
        && word.len() > 3
        && !word.contains(&b'-')
        && around >= 1
        // `Qwen Abernathy loaded`.
        && !(i > 0 && parts[i - 1].class.any(Class::NEVER));
    (told || family).then_some((Matcher::PersonGiven, first.start..end))
}

/// The last part of the name that begins at `i`, and what joins it: initials and particles are
/// seldom anything else.
fn extent(text: &[u8], parts: &[Part], i: usize) -> (usize, i32) {
    const NAMES: usize = 4;
    let (mut last, mut names, mut linked) = (i, 1, 0);
    for (j, part) in parts.iter().enumerate().skip(i + 1) {
        match part.role {
            Role::Initial => linked = linked.max(2),
            Role::Particle => linked = linked.max(1),
            Role::Suffix => break,
            Role::Word => {
                let before = parts[last].class;
                if names == NAMES || !continues(part.class, before, names, linked) {
                    break;
                }
                // `al-Krebbuk`.
                if text[part.start].is_ascii_lowercase() {
                    linked = linked.max(2);
                }
                last = j;
                names += 1;
            }
        }
    }
    (last, if last > i { linked } else { 0 })
}

/// Whether a word can be the next name behind one of class `before`.
fn continues(class: Class, before: Class, names: usize, linked: i32) -> bool {
    if class.any(Class::NEVER.with(Class::HEAD)) {
        return false;
    }
    if class.any(Class::ORGANISATION) {
        // A family may be called Park, but "Anderson Park" is none behind a given name.
        return class.any(Class::FAMILY) && names == 1;
    }
    if class.any(Class::STREET) && (names > 1 || !class.any(Class::FAMILY)) {
        return false;
    }
    class.any(Class::GIVEN.with(Class::FAMILY))
        || !class.any(Class::WORD.with(Class::TITLE))
        || linked > 1
        || names == 1 && given(before) == 4 && !before.any(Class::WORD) && !class.any(Class::TITLE)
}

/// How sure a given name is one.
fn given(class: Class) -> i32 {
    let other = class.any(Class::WORD.with(Class::PLACE).with(Class::ORGANISATION));
    if class == Class::NONE {
        2
    } else if !class.any(Class::GIVEN) || class.any(Class::NEVER.with(Class::HEAD)) {
        0
    } else if class.any(Class::PERSON) || class.any(Class::COMMON) && !other {
        4
    } else if class.any(Class::COMMON) {
        2
    } else if other {
        1
    } else {
        3
    }
}

/// ` 1.11`: what is called by a given name alone and has a version is a program.
fn is_released(rest: &[u8]) -> bool {
    let Some(number) = rest.strip_prefix(b" ") else { return false };
    let major = number.iter().take_while(|byte| byte.is_ascii_digit()).count();
    major > 0 && matches!(number[major..], [b'.', b'0'..=b'9', ..])
}

/// How sure a given name that stands alone is one.
fn alone(text: &[u8], part: &Part) -> i32 {
    let class = part.class;
    let joined = part.tail != class && !part.tail.any(Class::GIVEN);
    let begins = !text[words::before(text, part.start)].first().is_some_and(u8::is_ascii_lowercase);
    let sum = given(class);
    if joined || text.get(part.end) == Some(&b'\'') && text.get(part.end + 1) != Some(&b's') {
        0
    } else if class.any(Class::PLACE) || begins && class.any(Class::WORD.with(Class::ORGANISATION))
    {
        sum - if class.any(Class::PLACE) { 3 } else { 2 }
    } else if class.any(Class::FAMILY) && !class.any(Class::PERSON) {
        sum - 1
    } else {
        sum
    }
}

/// How sure a family name is one. Most family names are in no list.
fn family(class: Class) -> i32 {
    if class.any(Class::NEVER) {
        0
    } else if class.any(Class::FAMILY) {
        if class.any(Class::WORD.with(Class::ORGANISATION)) {
            2
        } else if class.any(Class::PLACE) {
            3
        } else {
            4
        }
    } else if class.any(Class::PLACE.with(Class::WORD)) {
        1
    } else {
        3
    }
}

/// Whether a name can end here: not inside an identifier, a path or a call.
fn closes(text: &[u8], end: usize) -> bool {
    let after = text.get(end + 1).copied().unwrap_or(b' ');
    match text.get(end) {
        Some(b'_' | b'/' | b'(' | b'=' | b'@' | b'[' | b'{' | b'$') => false,
        Some(byte) if byte.is_ascii_alphanumeric() => false,
        // `Marian->TimeSeries`.
        Some(b'-') if after == b'>' => false,
        Some(b'.' | b':' | b'-' | b'+') => !after.is_ascii_alphanumeric() && after != b':',
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::Engine;

    fn found(text: &str) -> Vec<&str> {
        let mut spans = Vec::new();
        Engine::builtin().scan(text.as_bytes(), &mut spans);
        spans.iter().map(|span| &text[span.start..span.end]).collect()
    }

    #[test]
    fn a_given_name_alone_needs_somebody_who_speaks_or_is_spoken_to() {
        for text in ["Annika, can I ask you?", "Annika: Not yet", "hi, it's Annika from accounts"] {
            assert_eq!(found(text), ["Annika"], "{text}");
        }
        assert_eq!(found("Regards,\nZoltvarin Krebbuk"), ["Zoltvarin Krebbuk"]);
        for text in [
            "Annika -> Bogdan: hello",
            "Annika 0.139 built",
            "voice Annika (neural)",
            "language files for Annika",
            "Perl library for Bogdan servers",
            "Annika index rebuilt",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_noun_behind_says_that_the_name_is_of_a_thing() {
        for text in [
            "Annika Wirth cake mix added",
            "Annika Wirth SKU 1182",
            "Annika Wirth 2.0.1 started",
            "node Annika Wirth drained",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        for text in [
            "Annika Wirth called",
            "a big Annika Wirth fan",
            "for Annika Wirth carrier=post",
            "Annika Wirth hat angerufen",
        ] {
            assert_eq!(found(text), ["Annika Wirth"], "{text}");
        }
    }

    #[test]
    fn forms_that_tell_names_in_no_list() {
        for (text, name) in [
            ("record of Abernathy, Annika found", "Abernathy, Annika"),
            ("badge granted N. Krebbukson lobby", "N. Krebbukson"),
            ("review by Annika W.: good", "Annika W."),
            ("passenger Krebbuk boarded", "Krebbuk"),
            ("driver Krebbuk accepted, eta 4", "Krebbuk"),
            ("for Zoltvarin binti Krebbuk, seat 3", "Zoltvarin binti Krebbuk"),
            ("The witness, Zoltvarin Krebbuk, said", "Zoltvarin Krebbuk"),
            ("Zoltvarin Krebbuk called about it", "Zoltvarin Krebbuk"),
            ("list: +Annika Wirth", "Annika Wirth"),
            ("Иванова Мария Сергеевна пришла", "Иванова Мария Сергеевна"),
            ("Sr Krebbuk not at home", "Sr Krebbuk"),
            ("Lunch w/ Annika moved", "Annika"),
            ("Regards,\\nZoltvarin Krebbuk", "Zoltvarin Krebbuk"),
            ("candidate Ji-hoon Hwang hired", "Ji-hoon Hwang"),
            ("push=\"Zoltvarin Krebbuk mentioned you\"", "Zoltvarin Krebbuk"),
        ] {
            assert_eq!(found(text), [name], "{text}");
        }
        assert_eq!(
            found("between Annika Wirth and Zoltvarin Krebbuk today"),
            ["Annika Wirth", "Zoltvarin Krebbuk"]
        );
        for text in [
            "tenant Contoso onboarded",
            "driver Krebbuk loaded",
            "E. Coli sample",
            "Boston, Virginia and Maryland",
            "Juliet Kilo Lima Mike passed",
            "Qwen Abernathy loaded",
            "Annika Rice 5kg added",
            "Krebbuk Zoltvarin started",
            "Ungültiger Wert im Feld",
            "Sichtbares Fenster",
            "Anzahl Dimensionen",
            "panel \"Cassandra Compactions\" has no data",
            "Aurora Serverless scaled to 4 ACU",
            "with Nesterov momentum and Xavier init",
            "Procter and Gamble EDI 850 received",
            "Jack Daniel's label read",
            "Cohen's d=0.4",
            "Hunter Douglas blinds",
            "Dr Seuss book",
            "Judge Dredd",
            "copied from it with Marian->TimeSeries",
            "locale Samaritan Aramaic loaded",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn what_is_said_of_firms_says_that_a_name_is_of_one() {
        for text in [
            "bought at Annika Wirth today",
            "flight with Annika Wirth booked",
            "served by Annika Wirth",
            "brand=\"Annika Wirth\" n=1",
            "merchant: Annika Wirth",
            "supplier Annika Wirth onboarded",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
        assert_eq!(found("approved by Annika Wirth"), ["Annika Wirth"]);
    }

    #[test]
    fn a_role_lets_names_be_believed_that_no_list_has() {
        for text in [
            "pelanggan Zoltvarin Krebbuk datang",
            "titular de la póliza: Zoltvarin Krebbuk",
            "Patientin Zoltvarin Krebbuk wurde",
            "record updated by Zoltvarin Krebbuk",
        ] {
            assert_eq!(found(text), ["Zoltvarin Krebbuk"], "{text}");
        }
        for text in ["renderer Zoltvarin Krebbuk", "customer Main Branch", "client Web Frontend"] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
