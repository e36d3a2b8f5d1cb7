//! Identifiers that a form describes: national numbers, tax numbers, bank and device numbers.
//!
//! A rule lists the *forms* in which its number is written (see [`form`]), by how much it takes to
//! believe them:
//!
//! - `forms`: wherever they stand, since the form and its check digit leave no doubt;
//! - `alone`: as the whole of a text or of a string in quotes, or near a word;
//! - `near`: near one of the rule's `words`, because many numbers look like that; where the check
//!   digits tell it from others, also as the whole of a text, save for what sizes, times and counts
//!   look like (see [`lone`]).
//!
//! The pass offers each word that begins with digits or with a few letters before digits; the index
//! leads from the length of that beginning to the few forms that begin so.

mod assigned;
mod beginnings;
mod form;
mod lone;
mod place;
mod words;

use std::cell::Cell;
use std::ops::Range;

pub(crate) use assigned::{assigned, behind};
pub(crate) use beginnings::{Beginnings, FirstWord};

use crate::rule::{Forms, Recognise, Rule};
use crate::{Confidence, boundary};
use form::{Class, Pattern, Shape, Word};
pub(crate) use place::uuid_at_dash;
use words::{Told, Words};

/// Longest text that may be nothing but a value.
const LONELY: usize = 64;
/// Longest word that has a form.
const WORD: usize = 48;

/// The forms of all rules, by how they begin.
#[derive(Debug)]
pub(crate) struct Identifiers {
    /// By the class of their first character, the length of their first word, and what follows it.
    starts: Vec<Vec<Entry>>,
    /// Those of them that need no word.
    anywhere: Vec<Vec<Entry>>,
    beginnings: Beginnings,
    patterns: Vec<Pattern>,
    rules: Vec<Member>,
    words: Words,
}

/// How much it takes to believe a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Anywhere,
    Alone,
    Near,
}

/// A rule with forms.
#[derive(Clone, Copy, Debug)]
struct Member {
    rule: u16,
    forms: &'static Forms,
    /// Whether its check digits tell it from other numbers.
    sure: bool,
}

/// A form in the list of one slot. There are thousands, and every process makes them: they are
/// kept small.
#[derive(Clone, Copy, Debug)]
struct Entry {
    shape: Shape,
    /// Index into [`Identifiers::patterns`].
    pattern: u16,
    /// Index into [`Identifiers::rules`].
    member: u16,
    /// Where it is tried among those that begin alike: see [`rank`].
    rank: u16,
    level: Level,
    /// Whether small letters may stand for capitals.
    any_case: bool,
    /// Whether it has blanks.
    spaced: bool,
    /// Whether it is digits alone.
    plain: bool,
}

/// With signs before without, long before short, sure before weak.
fn rank(form: &str, level: Level) -> u16 {
    let short = u16::MAX >> 4;
    let shortness = short - u16::try_from(form::length(form)).map_or(short, |it| it.min(short));
    u16::from(form::is_compact(form)) << 14 | shortness << 2 | level as u16
}

impl Identifiers {
    /// The index over those of `rules` that have forms.
    pub(crate) fn new(rules: impl Iterator<Item = (u16, &'static Rule)>) -> Self {
        let mut starts = vec![Vec::new(); SLOTS];
        let (mut patterns, mut members) = (Vec::new(), Vec::new());
        let (mut all, mut words) = (Vec::new(), Vec::new());
        for (index, rule) in rules {
            let Recognise::Forms(forms) = rule.recognise else { continue };
            let Ok(member) = u16::try_from(members.len()) else { break };
            let sure = forms.check.is_some() && rule.confidence == Confidence::High;
            members.push(Member { rule: index, forms, sure });
            words.extend(forms.words.iter().map(|word| (*word, member)));
            // Weak forms behind a keyword are found from there.
            let near =
                if rule.keywords.is_empty() && !forms.words.is_empty() { forms.near } else { &[] };
            for (list, level) in [
                (forms.anywhere, Level::Anywhere),
                (forms.alone, Level::Alone),
                (near, Level::Near),
            ] {
                for &form in list {
                    let any_case = level != Level::Anywhere || forms.any_case;
                    let Ok(pattern) = u16::try_from(patterns.len()) else { break };
                    let entry = Entry {
                        shape: Shape::of(form),
                        pattern,
                        member,
                        rank: rank(form, level),
                        level,
                        any_case,
                        spaced: form::is_spaced(form),
                        plain: form::is_plain(form),
                    };
                    patterns.push(Pattern::of(form, any_case));
                    all.push(form);
                    for slot in form::beginnings(form).filter_map(slot) {
                        starts[slot].push(entry);
                    }
                }
            }
        }
        for entries in &mut starts {
            entries.sort_by_key(|entry| entry.rank);
        }
        let beginnings = Beginnings::of(&starts, &all);
        let sure = |entries: &Vec<Entry>| {
            entries.iter().copied().filter(|entry| entry.level == Level::Anywhere).collect()
        };
        let anywhere = starts.iter().map(sure).collect();
        Self { starts, anywhere, beginnings, patterns, rules: members, words: Words::new(words) }
    }

    /// With which words an identifier may begin.
    pub(crate) fn beginnings(&self) -> &Beginnings {
        &self.beginnings
    }

    /// The identifier that begins at `at`, where a word begins: its rule and its bytes. `uuid` is
    /// where the last UUID was seen, whose parts are none.
    pub(crate) fn at(
        &self,
        text: &[u8],
        at: usize,
        uuid: &Cell<(usize, usize)>,
    ) -> Option<(u16, Range<usize>)> {
        if (uuid.get().0..uuid.get().1).contains(&at) {
            return None;
        }
        let rest = text.get(at..)?;
        let class = Class::of(*rest.first()?)?;
        if !place::begins(text, at) {
            return None;
        }
        let shape = Word::of(rest);
        let word = shape.len();
        let next = rest.get(word).map_or(Next::Other, |byte| Next::of(*byte));
        let slot = slot((class, word, next))?;
        let mut entries = &self.starts[slot][..];
        if entries.is_empty() {
            return None;
        }
        let column = place::is_in_column(text, at);
        let fits = |entry: &&Entry| {
            entry.shape.may_fit(shape, entry.any_case) && !(entry.spaced && column)
        };
        entries.iter().find(fits)?;
        if let Some(found) = place::uuid_around(text, at) {
            uuid.set((found.start, found.end));
            return None;
        }
        let mut told = None;
        let mut first = None;
        // Any number has the forms of many; a word is sooner asked for than each of them.
        let number = shape.is_number();
        let lonely = text.len() <= LONELY || at > 0 && matches!(text[at - 1], b'"' | b'\'');
        if number && !lonely && entries.len() > self.anywhere[slot].len() {
            let around = self.words.around(text, &(at..at + word));
            if around.is_empty() {
                entries = &self.anywhere[slot];
            }
            told = Some(around);
        }
        let mut place = Place::new(text, at..at + word, lonely);
        for entry in entries.iter().filter(fits) {
            // A form of digits alone is the word; other forms go on behind it.
            let may_be = !number
                || entry.level == Level::Anywhere
                || lonely && !entry.plain
                || place.tells(entry.level)
                || told
                    .get_or_insert_with(|| self.words.around(text, &(at..at + word)))
                    .contains(entry.member);
            if !may_be {
                continue;
            }
            let Some(found) = self.try_form(text, at, *entry, &mut told) else { continue };
            // Several countries may write alike: the one that a word names is meant.
            let around = || self.words.around(text, &found.1);
            if told.get_or_insert_with(around).contains(entry.member) {
                return Some(found);
            }
            first.get_or_insert(found);
        }
        first
    }

    fn try_form(
        &self,
        text: &[u8],
        at: usize,
        entry: Entry,
        told: &mut Option<Told>,
    ) -> Option<(u16, Range<usize>)> {
        let Member { rule, forms, sure } = self.rules[usize::from(entry.member)];
        let end = self.patterns[usize::from(entry.pattern)].end(text, at)?;
        let range = at..end;
        if !place::stands_apart(text, &range, entry.spaced) {
            return None;
        }
        let believed =
            match entry.level {
                Level::Anywhere => true,
                Level::Alone => place::is_all(text, &range),
                // Nothing but the value, its check digits good, and no count or time.
                Level::Near if entry.plain => {
                    let telling = lone::is_telling(&text[range.clone()]);
                    sure && telling && boundary::is_whole(text, &range)
                }
                Level::Near => sure && place::is_listed(text, &range),
            } || told.get_or_insert_with(|| self.words.around(text, &range)).contains(entry.member);
        (believed && forms.passes(&text[range.clone()])).then_some((rule, range))
    }
}

/// Where a number stands, looked at once for all the forms that it has.
struct Place<'t> {
    text: &'t [u8],
    range: Range<usize>,
    lonely: bool,
    is_all: Option<bool>,
    is_whole: Option<bool>,
}

impl<'t> Place<'t> {
    fn new(text: &'t [u8], range: Range<usize>, lonely: bool) -> Self {
        Self { text, range, lonely, is_all: None, is_whole: None }
    }

    /// Whether the place alone lets a form of this level be believed.
    fn tells(&mut self, level: Level) -> bool {
        let Self { text, range, lonely, is_all, is_whole } = self;
        *lonely
            && match level {
                Level::Anywhere => true,
                Level::Alone => *is_all.get_or_insert_with(|| place::is_all(text, range)),
                Level::Near => *is_whole.get_or_insert_with(|| {
                    boundary::is_whole(text, range) && lone::is_telling(&text[range.clone()])
                }),
            }
    }
}

/// What follows the first word of a form, or a word of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Blank,
    Dash,
    Dot,
    Stroke,
    Plus,
    Bracket,
    /// The end, or what no form has.
    Other,
}

impl Next {
    const ALL: [Self; 7] =
        [Self::Blank, Self::Dash, Self::Dot, Self::Stroke, Self::Plus, Self::Bracket, Self::Other];

    /// Of each byte.
    const BYTES: [Self; 256] = {
        let mut next = [Self::Other; 256];
        next[b' ' as usize] = Self::Blank;
        next[b'-' as usize] = Self::Dash;
        next[b'.' as usize] = Self::Dot;
        next[b'/' as usize] = Self::Stroke;
        next[b'+' as usize] = Self::Plus;
        next[b'(' as usize] = Self::Bracket;
        next
    };

    #[inline]
    fn of(byte: u8) -> Self {
        Self::BYTES[usize::from(byte)]
    }
}

const SLOTS: usize = 2 * Next::ALL.len() * (WORD + 1);

fn slot((class, word, next): (Class, usize, Next)) -> Option<usize> {
    let row = class as usize * Next::ALL.len() + next as usize;
    (word <= WORD).then_some(row * (WORD + 1) + word)
}

impl Forms {
    /// Whether the check digits of `value` are right, if it has some.
    pub(crate) fn passes(&self, value: &[u8]) -> bool {
        let Some(check) = self.check else { return true };
        let mut compact = [0; 64];
        let mut length = 0;
        for byte in value.iter().filter(|b| b.is_ascii_alphanumeric()) {
            let Some(place) = compact.get_mut(length) else { return false };
            *place = byte.to_ascii_uppercase();
            length += 1;
        }
        let compact = &compact[..length];
        // `000 000 000` has good check digits and is nobody's.
        length > 0 && compact.iter().any(|b| *b != compact[0]) && check(compact)
    }
}

/// Where a number of France begins that goes over blanks and has its letter at `at`: its department
/// is `2A` or `2B`, so that fewer digits stand before it than a number has.
pub(crate) fn corsican(text: &[u8], at: usize) -> Option<usize> {
    const FORM: &str = "[12] ## ## 2[AB] ";
    const BEFORE: usize = 9;
    let start = at.checked_sub(BEFORE).filter(|_| matches!(text[at], b'A' | b'B'))?;
    (form::matches(FORM, text, start, false).is_some() && boundary::opens(text, start))
        .then_some(start)
}

/// Where the letters before the digits at `at` begin, if a form may begin with them: `AA 12 34 56 B`.
pub(crate) fn letters_before(text: &[u8], at: usize) -> Option<usize> {
    const LETTERS: usize = 4;
    let end = at.checked_sub(1).filter(|i| matches!(text[*i], b' ' | b'-'))?;
    let capitals =
        text[..end].iter().rev().take(LETTERS + 1).take_while(|b| b.is_ascii_uppercase());
    let letters = capitals.count();
    let start = end - letters;
    ((1..=LETTERS).contains(&letters) && boundary::opens(text, start)).then_some(start)
}

#[cfg(test)]
mod tests {
    use crate::Engine;

    fn found(text: &str) -> usize {
        let mut spans = Vec::new();
        Engine::builtin().scan(text.as_bytes(), &mut spans);
        spans.len()
    }

    #[test]
    fn a_number_with_good_check_digits_is_believed_when_it_is_all_of_a_text() {
        for text in ["130692544", " 130692544\n", "201434292D", "09171234567", "532 123 45 67"] {
            assert_eq!(found(text), 1, "{text}");
        }
        assert_eq!(found("53125226D 201434292D"), 2);
        for text in
            ["seq 130692544", "130692544 bytes", "1732180306", "532 123 45 67 89", "494032768"]
        {
            assert_eq!(found(text), 0, "{text}");
        }
    }
}
