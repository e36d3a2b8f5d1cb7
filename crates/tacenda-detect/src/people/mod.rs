//! Names of people and postal addresses: what has no shape of its own and is told by lists of words
//! and by the words around it.
//!
//! `capitals` finds capitalised words in bitmaps; `lexicon` says what a word is, from lists that
//! `build.rs` hashed; `name` judges a run of them.

pub(crate) mod address;
mod around;
mod brand;
mod capitals;
pub(crate) mod chinese;
mod classes;
mod endings;
mod fold;
pub(crate) mod korean;
mod lexicon;
mod name;
mod pinyin;
mod run;
pub(crate) mod told;
pub(crate) mod value;
mod words;

use std::ops::Range;

pub(crate) use capitals::{Candidates, Capitals, may_begin as may_begin_name};

use crate::names::Matcher;

/// A capitalised word, judged.
pub(crate) struct Judged {
    pub(crate) found: Option<(Matcher, Range<usize>)>,
    /// Up to where the text is judged.
    pub(crate) read_to: usize,
}

/// The names found last in a text: a part of one says the whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mentioned {
    /// Where their words begin; what lies beyond four gigabytes is not remembered.
    words: [u32; 8],
    count: usize,
}

impl Mentioned {
    fn note(&mut self, start: usize) {
        if let Ok(start) = u32::try_from(start) {
            self.words[self.count % self.words.len()] = start;
            self.count += 1;
        }
    }

    /// Whether the word at `start` is of a name.
    fn begins(&self, start: usize) -> bool {
        self.words.iter().take(self.count).any(|word| *word as usize == start)
    }

    fn has(&self, text: &[u8], word: &[u8]) -> bool {
        self.words.iter().take(self.count).any(|&start| {
            let start = start as usize;
            let end = start + word.len();
            text.get(start..end) == Some(word) && words::letter(text, end) == 0
        })
    }
}

/// Judges the capitalised word at `at` and the one before it.
#[inline]
pub(crate) fn pair(text: &[u8], at: usize, mentioned: &mut Mentioned) -> Option<Judged> {
    if !matches!(text.get(at.checked_sub(1)?)?, b' ' | b'-') {
        return None;
    }
    let first = words::start(text, at - 1);
    let known = lexicon::may_name(text, first)
        || lexicon::may_name(text, at)
        || introduced(text, first)
        || announced(text, first)
        || mentioned.count > 0 && name::beside_another(text, first, mentioned)
        || begins_line(text, first) && name::does_what_people_do(text, at);
    known.then(|| name::judge(text, first, mentioned))
}

/// Judges the capitalised word at `at`, in front of which an escape ends, and the one behind it.
pub(crate) fn begun(text: &[u8], at: usize, mentioned: &mut Mentioned) -> Option<Judged> {
    let next = words::end(text, at) + 1;
    let pair = text.get(next - 1) == Some(&b' ') && words::capital(text, next);
    let known = pair
        && (lexicon::may_name(text, at)
            || lexicon::may_name(text, next)
            || text[..at].ends_with(b",\\n"));
    known.then(|| name::judge(text, at, mentioned))
}

/// Judges the capitalised word at `at`, which has no other beside it.
#[inline]
pub(crate) fn single(text: &[u8], at: usize, mentioned: &mut Mentioned) -> Option<Judged> {
    let joint = at.checked_sub(1).map_or(b'\n', |i| text[i]);
    if !matches!(joint, b' ' | b'\n' | b'"' | b'(' | b'>' | b'\'') {
        return None;
    }
    let may_name = lexicon::may_name(text, at);
    let syllables = || may_name.then(|| syllables_before(text, at)).flatten();
    if let Some(start) = child_of(text, at).or_else(syllables) {
        return Some(name::judge(text, start, mentioned));
    }
    let known = mentioned.count > 0
        || may_name
        || joint == b' ' && (introduced(text, at) || of_people(text, at))
        || has_initial(text, at);
    known.then(|| name::judge(text, initials_before(text, at), mentioned))
}

/// Where the initials before `at` begin: `J. R. Roe`.
fn initials_before(text: &[u8], at: usize) -> usize {
    let mut start = at;
    while let Some(&[letter, b'.', b' ']) = text[..start].last_chunk::<3>()
        && letter.is_ascii_uppercase()
        && (start == 3 || matches!(text[start - 4], b' ' | b'\n' | b'"' | b'(' | b'.'))
    {
        start -= 3;
    }
    start
}

/// The address at a capital behind a number, at a number behind a capitalised word, or at a capital
/// behind a small word. `small_way` says whether a kind of way in small letters stands behind it.
#[inline]
pub(crate) fn address(text: &[u8], at: usize, small_way: bool) -> Option<Range<usize>> {
    if small_way {
        address::from_capital(text, at)
    } else if text[at].is_ascii_digit() {
        address::before_number(text, at)
    } else if at > 1 && text[at - 2].is_ascii_digit()
        || at > 2 && text[at - 2].is_ascii_alphabetic() && text[at - 3].is_ascii_digit()
    {
        (text[at - 1] == b' ').then(|| address::behind_number(text, at)).flatten()
    } else if at > 3 && b"NSEW".contains(&text[at - 2]) && !text[at - 4].is_ascii_alphabetic() {
        let quarter = at - 2 - usize::from(text[at - 3] != b' ');
        address::behind_number(text, quarter).or_else(|| address::behind_lead(text, at))
    } else {
        address::behind_lead(text, at)
    }
}

/// Whether `rue`, `via`, `calle` and the like stand before `at`, words that join them and a name, or
/// an ordinal.
#[inline]
pub(crate) fn behind_lead(text: &[u8], at: usize) -> bool {
    let Some(&[a, b, c, b' ']) = text[..at].last_chunk::<4>() else { return false };
    let a = a.to_ascii_lowercase();
    if matches!(
        &[b, c],
        b"de" | b"du" | b"es" | b"la" | b"le" | b"os" | b"as" | b"el" | b"ei" | b"do" | b"da"
    ) && address::is_particle(&text[words::before(text, at)])
    {
        return true;
    }
    if a.is_ascii_digit()
        && matches!(&[b, c], b"st" | b"nd" | b"rd" | b"th" | b"ST" | b"ND" | b"RD" | b"TH")
    {
        return true;
    }
    let end = [a, b, c];
    match c {
        b'.' => {
            matches!(
                &end,
                b"ul." | b"tr." | b"av." | b"bd." | b"jl." | b"jr." | b"ch." | b"dg." | b"ar."
            )
        }
        b'/' => matches!(b, b'c' | b'C') && !a.is_ascii_alphanumeric(),
        b'a' => {
            matches!(
                &end,
                b"via" | b"ica" | b"vda" | b"aza" | b"rua" | b"ida" | b"zza" | b"ada" | b"nda"
            )
        }
        b'e' => matches!(&end, b"rue" | b"lle" | b"nue" | b"ace" | b"ale"),
        b'o' => matches!(&end, b"rso" | b"rgo" | b"olo" | b"ico" | b"izo"),
        _ => matches!(&end, b" ul" | b"ard" | b"urs" | b"uai" | b"min"),
    }
}

/// Whether a kind of way in small letters stands behind the word at `at`: `Vukovarska ulica 15`. The
/// first `read` bytes of the word are letters and digits.
#[inline]
pub(crate) fn before_small_way(text: &[u8], at: usize, read: usize) -> bool {
    // Most words end where the bitmap says, and no way stands behind them.
    let end = at + read;
    if text.get(end) == Some(&b' ')
        && !matches!(text.get(end + 1), Some(b'u' | b'i' | b'c' | b'g' | b't' | b'm' | b'p'))
    {
        return false;
    }
    names_small_way(text, at, end)
}

#[inline(never)]
fn names_small_way(text: &[u8], at: usize, read_to: usize) -> bool {
    const KINDS: [&[u8]; 11] = [
        b" ulica ",
        b" utca ",
        b" iela ",
        b" cesta ",
        b" ulice ",
        " gatvė ".as_bytes(),
        b" trg ",
        b" mnt ",
        b" tn ",
        b" pst ",
        " tänav ".as_bytes(),
    ];
    const LONGEST: usize = 32;
    let word = text.get(read_to..text.len().min(at + LONGEST));
    let blank = word.and_then(|word| memchr::memchr(b' ', word));
    let Some(end) = blank.map(|length| read_to + length) else { return false };
    matches!(text.get(end + 1).unwrap_or(&0), b'u' | b'i' | b'c' | b'g' | b't' | b'm' | b'p')
        && KINDS.iter().any(|kind| {
            let number = end + kind.len();
            text[end..].starts_with(kind) && text.get(number).is_some_and(u8::is_ascii_digit)
        })
}

/// Whether the word before `at`, or before the colon there, may be a role, or a letter ends there.
#[inline]
fn announced(text: &[u8], at: usize) -> bool {
    match text[..at].last_chunk::<2>() {
        Some(b",\n") => true,
        Some(&[last, b' ']) if last.is_ascii_alphabetic() || last == b':' || last >= 0x80 => {
            let end = at - 1 - usize::from(last == b':');
            let start = words::start(text, end);
            start < end && lexicon::may_name(text, start)
        }
        // `The witness, Ana Ruiz, said`.
        Some(b", ") if at > 2 && text[at - 3].is_ascii_alphabetic() => {
            lexicon::may_name(text, words::start(text, at - 2))
        }
        _ => false,
    }
}

/// Where the name begins whose last word is at `at`, behind a word that says whose child somebody is.
#[inline]
fn child_of(text: &[u8], at: usize) -> Option<usize> {
    const WORDS: [&[u8]; 4] = [b" bin ", b" binti ", b" bint ", b" ibn "];
    if !matches!(text[..at].last_chunk::<2>(), Some(b"n " | b"i " | b"t ")) {
        return None;
    }
    let before = WORDS.iter().find_map(|word| text[..at].strip_suffix(*word))?;
    let start = words::start(text, before.len());
    words::capital(text, start).then_some(start)
}

/// Where the given name of two syllables before `at` begins: `Ji-hoon Hwang`.
fn syllables_before(text: &[u8], at: usize) -> Option<usize> {
    const LONGEST: usize = 7;
    let end = at.checked_sub(1).filter(|end| text[*end] == b' ')?;
    let second = text[..end].iter().rev().take(LONGEST).position(|byte| *byte == b'-')?;
    let first = words::start(text, end - second - 1);
    let given = korean::given(text, first, end - second - 1) == Some(end);
    (given && words::capital(text, first) && korean::is_family(&text[at..words::end(text, at)]))
        .then_some(first)
}

/// Whether nothing stands before `at` on its line.
#[inline]
fn begins_line(text: &[u8], at: usize) -> bool {
    at == 0 || matches!(text[at - 1], b'\n' | b'"')
}

/// The last letters of the words behind which only people stand, before `at`: `patient`, `passenger`.
#[inline]
fn of_people(text: &[u8], at: usize) -> bool {
    let Some(&[a, b, c, d, b' ']) = text[..at].last_chunk::<5>() else { return false };
    matches!(
        &[a, b, c, d],
        b"ient"
            | b"ente"
            | b"ntin"
            | b"jent"
            | b"nger"
            | b"ager"
            | b"jero"
            | b"eiro"
            | b"ider"
            | b"rier"
            | b"urse"
            | b"nant"
            | b"uest"
            | b"oyee"
            | b"dent"
            | b"cher"
            | b"ctor"
            | b"geon"
            | b"upil"
            | b"ller"
            | b"ndee"
            | b"cant"
            | b"mant"
            | b"ague"
            | b"mate"
            | b"iver"
            | b"lord"
            | b"tter"
            | b"sser"
            | b"wyer"
            | b"hier"
            | b"band"
            | b"wife"
            | b"hter"
            | b" son"
            | b"ster"
            | b"ther"
            | b"usin"
            | b"phew"
            | b"iece"
            | b"bour"
    )
}

/// Whether initials with a stop stand before `at`: `N. Krebbuk`.
#[inline]
fn has_initial(text: &[u8], at: usize) -> bool {
    matches!(text[..at].last_chunk::<4>(), Some(&[b' ' | b'(' | b'.', letter, b'.', b' ']) if letter.is_ascii_uppercase())
}

/// The last letters of `named`, `says`, `name is`, `call me`, `updated by` before `at`.
#[inline]
fn introduced(text: &[u8], at: usize) -> bool {
    let before = &text[at.saturating_sub(5)..at];
    matches!(before, b"amed " | b"says " | b"e is " | b"l me " | b"s me " | b"d by ")
}
