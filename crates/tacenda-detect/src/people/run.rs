//! A run of capitalised words, read into parts: `Dr. Ana M. de la Cruz Jr.`

use super::classes::Class;
use super::{korean, lexicon, words};

/// Most parts of a run that are read.
const PARTS: usize = 10;

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// A word of two letters or more.
    Word,
    /// `J.` or `J`.
    Initial,
    /// `van`, `de la`.
    Particle,
    /// `Jr.`, `PhD`.
    Suffix,
}

/// One part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Part {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) role: Role,
    pub(crate) class: Class,
    /// Of its last word, where hyphens join several.
    pub(crate) tail: Class,
}

/// The parts of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    parts: [Part; PARTS],
    count: usize,
}

impl Run {
    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts[..self.count]
    }

    /// The run that begins with the capital at `at`.
    pub(crate) fn read(text: &[u8], at: usize) -> Self {
        let nothing =
            Part { start: at, end: at, role: Role::Word, class: Class::NONE, tail: Class::NONE };
        let mut run = Self { parts: [nothing; PARTS], count: 0 };
        let mut next = at;
        while run.count < PARTS {
            let part = capitalised(text, next, run.count > 0)
                .or_else(|| run.article(text, next))
                .or_else(|| run.particle(text, next));
            let Some(part) = part else { break };
            run.parts[run.count] = part;
            run.count += 1;
            // `d'Aubigny`: nothing stands behind the sign.
            let elided = part.role == Role::Particle && text[part.end - 1] == b'\'';
            if !elided && text.get(part.end) != Some(&b' ') {
                break;
            }
            next = part.end + usize::from(!elided);
        }
        // A particle without a name behind it is a word of the sentence.
        while run.count > 0 && run.parts[run.count - 1].role == Role::Particle {
            run.count -= 1;
        }
        run
    }

    /// `al-Masri`, `ben-David`: an article and a name, joined.
    fn article(&self, text: &[u8], at: usize) -> Option<Part> {
        const ARTICLES: [&[u8]; 14] = [
            b"al-", b"el-", b"il-", b"tal-", b"ben-", b"bin-", b"bint-", b"abu-", b"as-", b"ad-",
            b"an-", b"ar-", b"ash-", b"at-",
        ];
        if self.count == 0 {
            return None;
        }
        let article = ARTICLES.iter().find(|article| text[at..].starts_with(article))?;
        let part =
            capitalised(text, at + article.len(), true).filter(|part| part.role == Role::Word)?;
        Some(Part { start: at, ..part })
    }

    /// `van der`: one or two small words, and a capital after them.
    fn particle(&self, text: &[u8], at: usize) -> Option<Part> {
        const PARTICLES: &[&[u8]] = &[
            b"van", b"von", b"de", b"der", b"den", b"del", b"della", b"di", b"da", b"do", b"dos",
            b"das", b"du", b"la", b"le", b"el", b"al", b"bin", b"bint", b"ibn", b"ben", b"ter",
            b"ten", b"te", b"des", b"las", b"los", b"dalla", b"degli", b"delle", b"dei", b"nad",
            b"zu", b"zum", b"zur", b"af", b"av", b"y", b"e", b"st", b"d'", b"ud", b"'t", b"binti",
            b"bte", b"dal", b"ould", b"mac", b"ap", b"ferch", b"oglu", b"kizi", b"qizi",
        ];
        if self.count == 0 {
            return None;
        }
        let mut end = words::end(text, at);
        if text.get(end) == Some(&b'\'') {
            end += 1;
        }
        // `van 't Hoff`.
        if text[at..].starts_with(b"'t ") {
            end = at + 2;
        }
        let known = PARTICLES.contains(&text.get(at..end)?);
        let part =
            Part { start: at, end, role: Role::Particle, class: Class::NONE, tail: Class::NONE };
        known.then_some(part)
    }
}

/// The capitalised word, initial or, behind others, suffix at `at`.
fn capitalised(text: &[u8], at: usize, behind: bool) -> Option<Part> {
    const SUFFIXES: &[&[u8]] =
        &[b"Jr", b"Sr", b"II", b"III", b"IV", b"MD", b"PhD", b"DDS", b"DVM", b"Esq", b"MBA", b"RN"];
    if !words::capital(text, at) {
        return None;
    }
    let mut end = words::end(text, at);
    let first = words::letter(text, at);
    // `LE3 9QD`, `Q4`: half of a code.
    if text.get(end).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let stop = usize::from(text.get(end) == Some(&b'.'));
    if end - at == first {
        if let Some(width) = apostrophe(text, end) {
            end = words::end(text, end + width);
        } else {
            let signs = b":,;\"')>";
            let open = text.get(end + stop).is_none_or(|byte| {
                matches!(byte, b' ' | b'.') || stop == 1 && signs.contains(byte)
            });
            let part = Part {
                start: at,
                end: end + stop,
                role: Role::Initial,
                class: Class::NONE,
                tail: Class::NONE,
            };
            return open.then_some(part);
        }
    }
    // `Sr. Roe` is a title.
    if behind && SUFFIXES.contains(&&text[at..end]) {
        return Some(Part {
            start: at,
            end: end + stop,
            role: Role::Suffix,
            class: Class::NONE,
            tail: Class::NONE,
        });
    }
    let class = class_of(text, at, end);
    let mut tail = class;
    while text.get(end) == Some(&b'-') && words::capital(text, end + 1) {
        let from = end + 1;
        end = words::end(text, from);
        tail = class_of(text, from, end);
    }
    // `Al-Krebbuk`: an article says nothing of the name.
    let article = matches!(
        &text[at..words::end(text, at)],
        b"Al" | b"El" | b"Abu" | b"Ben" | b"Bin" | b"As" | b"Ad"
    );
    let class = if article && end > words::end(text, at) { tail } else { class };
    // `Ji-hoon`: two syllables are one name in Korea.
    if let Some(name) = korean::given(text, at, end) {
        end = name;
        tail = Class::GIVEN;
    }
    // `St. Louis`, `Mr. Roe`: the stop belongs to the word.
    let short = Class::TITLE.with(Class::HEAD).with(Class::STREET_LEAD);
    if stop == 1 && class.any(short) && text.get(end + 1) == Some(&b' ') {
        end += 1;
    }
    Some(Part { start: at, end, role: Role::Word, class, tail })
}

/// The width of the apostrophe at `at`, if a capital follows: `O'Neal`, `D’Arcy`, and `O''Neal` as SQL
/// writes it.
fn apostrophe(text: &[u8], at: usize) -> Option<usize> {
    let width = match text.get(at)? {
        b'\'' if text.get(at + 1) == Some(&b'\'') => 2,
        b'\'' => 1,
        0xe2 if text[at..].starts_with("’".as_bytes()) => 3,
        _ => return None,
    };
    words::capital(text, at + width).then_some(width)
}

/// Words with capitals inside are no names, save for those that begin with a particle.
fn class_of(text: &[u8], start: usize, end: usize) -> Class {
    const PREFIXES: &[&[u8]] = &[
        b"Mc",
        b"Mac",
        b"De",
        b"Di",
        b"La",
        b"Le",
        b"Du",
        b"Van",
        b"Von",
        b"Fitz",
        b"Del",
        b"Al",
        b"O'",
        b"O''",
        b"D'",
        b"L'",
        "O’".as_bytes(),
        "D’".as_bytes(),
    ];
    let word = &text[start..end];
    let inner = word.iter().skip(1).position(u8::is_ascii_uppercase);
    match inner {
        Some(at) if !PREFIXES.contains(&&word[..=at]) => Class::NEVER,
        _ => lexicon::class(word),
    }
}
