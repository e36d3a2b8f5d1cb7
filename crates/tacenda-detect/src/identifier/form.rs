//! The language of forms: `#` is a digit, `@` a letter, `?` a letter or a digit, `[…]` one of the
//! characters listed; anything else is itself.

use super::Next;
use crate::masks::Letters;

/// The two classes of characters that a number begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Digit,
    Letter,
}

impl Class {
    pub(super) fn of(byte: u8) -> Option<Self> {
        match byte {
            b'0'..=b'9' => Some(Self::Digit),
            b'a'..=b'z' | b'A'..=b'Z' => Some(Self::Letter),
            _ => None,
        }
    }
}

/// One place of a form.
#[derive(Clone, Copy)]
enum Place<'f> {
    Digit,
    Letter,
    Either,
    OneOf(&'f [u8]),
    Sign(u8),
}

/// The places of `form`, first to last.
fn places(form: &str) -> impl Iterator<Item = Place<'_>> {
    let mut rest = form.as_bytes();
    std::iter::from_fn(move || {
        let (&first, after) = rest.split_first()?;
        rest = after;
        Some(match first {
            b'#' => Place::Digit,
            b'@' => Place::Letter,
            b'?' => Place::Either,
            b'[' => {
                let close = memchr::memchr(b']', after).unwrap_or(after.len());
                rest = after.get(close + 1..).unwrap_or(&[]);
                Place::OneOf(&after[..close])
            }
            sign => Place::Sign(sign),
        })
    })
}

/// How many characters the form has.
pub(super) fn length(form: &str) -> usize {
    places(form).count()
}

/// How many letters and digits the form has.
pub(super) fn marks(form: &str) -> usize {
    let mark = |place: &Place<'_>| match place {
        Place::Sign(sign) => sign.is_ascii_alphanumeric(),
        _ => true,
    };
    places(form).filter(mark).count()
}

/// Whether the form has spaces.
pub(super) fn is_spaced(form: &str) -> bool {
    places(form).any(|place| matches!(place, Place::Sign(b' ')))
}

/// Whether the form is letters and digits and nothing else.
pub(super) fn is_compact(form: &str) -> bool {
    !places(form).any(|place| place.signs().next().is_some())
}

/// Whether the form is digits and nothing else.
pub(super) fn is_plain(form: &str) -> bool {
    places(form).all(|place| match place {
        Place::Digit => true,
        Place::OneOf(signs) => signs.iter().all(u8::is_ascii_digit),
        Place::Sign(sign) => sign.is_ascii_digit(),
        Place::Letter | Place::Either => false,
    })
}

/// Where the text that has this form at `at` ends. Letters are capitals unless `any_case`.
pub(super) fn matches(form: &str, text: &[u8], at: usize, any_case: bool) -> Option<usize> {
    let mut i = at;
    for place in places(form) {
        let byte = *text.get(i)?;
        let capital = if any_case { byte.to_ascii_uppercase() } else { byte };
        let fits = match place {
            Place::Digit => byte.is_ascii_digit(),
            Place::Letter => capital.is_ascii_uppercase(),
            Place::Either => byte.is_ascii_digit() || capital.is_ascii_uppercase(),
            Place::OneOf(signs) => signs.contains(&capital),
            Place::Sign(sign) => capital == sign,
        };
        if !fits {
            return None;
        }
        i += 1;
    }
    Some(i)
}

/// A form whose places are sets of characters, to compare texts with.
#[derive(Debug)]
pub(super) struct Pattern(Box<[u128]>);

impl Pattern {
    /// Letters are capitals unless `any_case`.
    pub(super) fn of(form: &str, any_case: bool) -> Self {
        const DIGITS: u128 = 0x3ff << b'0';
        const CAPITALS: u128 = 0x03ff_ffff << b'A';
        let of = |signs: &[u8]| {
            let ascii = signs.iter().filter(|sign| sign.is_ascii());
            ascii.fold(0, |set, sign| set | 1_u128 << sign)
        };
        let set = |place| {
            let set = match place {
                Place::Digit => DIGITS,
                Place::Letter => CAPITALS,
                Place::Either => DIGITS | CAPITALS,
                Place::OneOf(signs) => of(signs),
                Place::Sign(sign) => of(&[sign]),
            };
            // Small letters stand as far behind the capitals as this.
            if any_case { set | (set & CAPITALS) << (b'a' - b'A') } else { set }
        };
        Self(places(form).map(set).collect())
    }

    /// Where the text that has this form at `at` ends.
    pub(super) fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        let end = at + self.0.len();
        let fits = text
            .get(at..end)?
            .iter()
            .zip(&self.0)
            .all(|(byte, set)| byte.is_ascii() && set >> byte & 1 == 1);
        fits.then_some(end)
    }
}

/// What a form asks of its places, one bit each, so that a word is compared with it at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    digits: u64,
    letters: u64,
    /// Places that are no letter or digit, and places that may be none. The places of a form behind
    /// those that a bitmap holds are left to [`matches`].
    signs: u64,
    maybe_signs: u64,
    length: usize,
}

/// The letters and digits from one place in a text on, one bit each.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    digits: u64,
    lower: u64,
    length: usize,
    /// Those of what follows too.
    all_digits: u64,
    all_letters: u64,
}

impl Shape {
    pub(super) fn of(form: &str) -> Self {
        let mut shape = Self { length: length(form), ..Self::default() };
        for (place, bit) in places(form).zip((0..u64::BITS).map(|n| 1_u64 << n)) {
            let sign = place.signs().next().is_some();
            let (digit, letter) = (place.may_be(Class::Digit), place.may_be(Class::Letter));
            match (digit, letter, sign) {
                (true, false, false) => shape.digits |= bit,
                (false, true, false) => shape.letters |= bit,
                (false, false, true) => shape.signs |= bit,
                _ => {}
            }
            shape.maybe_signs |= if sign { bit } else { 0 };
        }
        shape
    }

    /// Whether a text that begins with `word` may have this form.
    pub(super) fn may_fit(&self, word: Word, any_case: bool) -> bool {
        let marks = word.all_digits | word.all_letters;
        let wrong = self.digits & !word.all_digits
            | self.letters & !word.all_letters
            | self.signs & marks
            | !self.maybe_signs & !marks;
        let within = low(word.length.min(self.length));
        wrong & low(self.length) == 0 && (any_case || word.lower & within == 0)
    }
}

impl Word {
    /// The word at the start of `text`; what is longer than a block is cut.
    pub(super) fn of(text: &[u8]) -> Self {
        let Letters { digit, upper, lower, .. } = Letters::of(text);
        let length = (digit | upper | lower).trailing_ones() as usize;
        let within = low(length);
        Self {
            digits: digit & within,
            lower: lower & within,
            length,
            all_digits: digit,
            all_letters: upper | lower,
        }
    }

    /// How many letters and digits it has.
    pub(super) fn len(self) -> usize {
        self.length
    }

    /// Whether it is digits alone.
    pub(super) fn is_number(self) -> bool {
        self.digits == low(self.length)
    }
}

fn low(bits: usize) -> u64 {
    1_u64.checked_shl(u32::try_from(bits).unwrap_or(u64::BITS)).map_or(u64::MAX, |bit| bit - 1)
}

/// How texts of this form may begin: the class of their first character, the length of their first
/// word, and what follows it.
pub(super) fn beginnings(form: &str) -> impl Iterator<Item = (Class, usize, Next)> + '_ {
    let may_be = |place: Place<'_>, class| place.may_be(class);
    let first = places(form).next();
    let classes = [Class::Digit, Class::Letter]
        .into_iter()
        .filter(move |class| first.is_some_and(|place| may_be(place, *class)));
    let mark =
        move |place: &Place<'_>| may_be(*place, Class::Digit) || may_be(*place, Class::Letter);
    let reach = places(form).take_while(mark).count();
    classes.flat_map(move |class| {
        (1..=reach).flat_map(move |word| {
            // Behind the whole form anything may stand.
            let all: &[Next] = if word == length(form) { &Next::ALL } else { &[] };
            let signs = places(form).nth(word).into_iter().flat_map(Place::signs).map(Next::of);
            all.iter().copied().chain(signs).map(move |next| (class, word, next))
        })
    })
}

/// Which of the first `N` places may be digits while the others of a first word of `length` characters
/// are letters: bit *b* stands for the places whose bits are set in *b*.
pub(super) fn fronts<const N: usize>(form: &str, length: usize) -> u64 {
    const { assert!(1 << N == u64::BITS) };
    places(form).take(N.min(length)).zip(0..).fold(1, |fronts, (place, n)| {
        let letter = if place.may_be(Class::Letter) { fronts } else { 0 };
        let digit = if place.may_be(Class::Digit) { fronts << (1_u32 << n) } else { 0 };
        letter | digit
    })
}

impl<'f> Place<'f> {
    /// The characters that may stand here and are no letters or digits.
    fn signs(self) -> impl Iterator<Item = u8> + 'f {
        let (listed, one): (&[u8], Option<u8>) = match self {
            Place::Digit | Place::Letter | Place::Either => (&[], None),
            Place::OneOf(signs) => (signs, None),
            Place::Sign(sign) => (&[], Some(sign)),
        };
        listed.iter().copied().chain(one).filter(|sign| Class::of(*sign).is_none())
    }

    fn may_be(self, class: Class) -> bool {
        match self {
            Place::Digit => class == Class::Digit,
            Place::Letter => class == Class::Letter,
            Place::Either => true,
            Place::OneOf(signs) => signs.iter().any(|sign| Class::of(*sign) == Some(class)),
            Place::Sign(sign) => Class::of(sign) == Some(class),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_has_a_form_fits_its_shape(
            places in prop::collection::vec(
                prop::sample::select(vec![
                    "#", "#", "#", "@", "@", "?", "[XYZ]", "[-A1]", "[12]", "-", " ", "/", "K", "7",
                ]),
                1..80,
            ),
            // What stands at each place, and what it is where the form leaves a choice.
            choices in prop::collection::vec(0_usize..60, 80),
            any_case in any::<bool>(),
            behind in "[0-9A-Za-z -]{0,9}",
        ) {
            const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
            let mut text = Vec::new();
            for (place, choice) in places.iter().zip(choices) {
                let byte = match *place {
                    "#" => b'0' + u8::try_from(choice % 10).unwrap(),
                    "?" if choice % 2 == 0 => b'5',
                    "@" | "?" => LETTERS[choice % 26],
                    list if list.starts_with('[') => list.as_bytes()[1 + choice % (list.len() - 2)],
                    sign => sign.as_bytes()[0],
                };
                let small = any_case && choice >= 30;
                text.push(if small { byte.to_ascii_lowercase() } else { byte });
            }
            let length = text.len();
            text.extend_from_slice(behind.as_bytes());
            let form = places.concat();
            prop_assert_eq!(matches(&form, &text, 0, any_case), Some(length));
            prop_assert!(Shape::of(&form).may_fit(Word::of(&text), any_case));
        }
    }

    #[test]
    fn places_and_signs() {
        let text = b"tel 123.456.789-09, X1234567l";
        assert_eq!(matches("###.###.###-##", text, 4, false), Some(18));
        assert_eq!(matches("###.###.###-#@", text, 4, false), None);
        assert_eq!(matches("[XYZ]#######@", text, 20, false), None);
        assert_eq!(matches("[XYZ]#######@", text, 20, true), Some(29));
        assert_eq!(length("[XYZ]#######@"), 9);
        for (form, at) in [("###.###.###-##", 4), ("[XYZ]#######@", 20), ("[XY]@", 20)] {
            for any_case in [false, true] {
                let end = Pattern::of(form, any_case).end(text, at);
                assert_eq!(end, matches(form, text, at, any_case), "{form}");
            }
        }
        assert!(is_plain("19########") && !is_plain("?#") && !is_plain("# #"));
    }

    #[test]
    fn every_text_of_a_form_begins_as_the_index_thinks() {
        for (form, text) in [
            ("###.###", "123.456"),
            ("????##", "A1B234"),
            ("????##", "123456"),
            ("????##", "ABCD12"),
            ("[XY2]-##", "2-34"),
            ("@@ ##", "AB 12"),
            ("########", "12345678"),
            ("###[-AB]##", "123-45"),
            ("###[-AB]##", "123A45"),
        ] {
            assert!(matches(form, text.as_bytes(), 0, false).is_some());
            let class = Class::of(text.as_bytes()[0]).unwrap();
            let word = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
            let next = text.as_bytes().get(word).map_or(Next::Other, |byte| Next::of(*byte));
            assert!(beginnings(form).any(|start| start == (class, word, next)), "{form} {text}");
            let shape = Word::of(text.as_bytes());
            assert_eq!(shape.len(), word);
            assert!(Shape::of(form).may_fit(shape, false), "{form} {text}");
        }
    }

    #[test]
    fn a_word_of_another_shape_is_told_at_once() {
        let may_fit = |form, text: &str, any_case| {
            Shape::of(form).may_fit(Word::of(text.as_bytes()), any_case)
        };
        assert!(may_fit("@@#####@", "AB12345C", false));
        assert!(!may_fit("@@#####@", "ab12345c", false) && may_fit("@@#####@", "ab12345c", true));
        assert!(!may_fit("@@#####@", "A812345C", true), "a digit where a letter stands");
        assert!(!may_fit("@@#####@", "AB12C45C", true), "a letter where a digit stands");
        assert!(may_fit("##-##", "12-34", false) && !may_fit("##-##", "123-4", false));
    }
}
