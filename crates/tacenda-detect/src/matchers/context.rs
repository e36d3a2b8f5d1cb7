//! The words before a value.

use crate::masks::Letters;

/// Words to look for: lower case, single spaces, in the order of their first letters.
pub(crate) struct WordList {
    words: &'static [&'static [u8]],
    /// Where those of each first letter begin.
    starts: [u8; 33],
    /// Their first two letters, one bit each.
    pairs: [u32; 32],
}

impl WordList {
    pub(crate) const fn new(words: &'static [&'static [u8]]) -> Self {
        assert!(words.len() <= u8::MAX as usize, "a place in the list is a byte");
        let mut pairs = [0; 32];
        let mut starts = [0; 33];
        let mut i = 0;
        while i < words.len() {
            let first = (words[i][0] & 0x1f) as usize;
            assert!(i == 0 || words[i - 1][0] <= words[i][0], "words are in order");
            pairs[first] |= 1 << (words[i][1] & 0x1f);
            starts[first + 1] += 1;
            i += 1;
        }
        let mut letter = 1;
        while letter < starts.len() {
            starts[letter] += starts[letter - 1];
            letter += 1;
        }
        Self { words, starts, pairs }
    }

    /// The words that begin with `first`, in either case.
    fn beginning(&self, first: u8) -> &[&'static [u8]] {
        let letter = usize::from(first & 0x1f);
        &self.words[usize::from(self.starts[letter])..usize::from(self.starts[letter + 1])]
    }

    fn may_begin(&self, first: u8, second: u8) -> bool {
        self.pairs[usize::from(first & 0x1f)] >> (second & 0x1f) & 1 == 1
    }
}

/// Whether one of `words` stands shortly before `at`, as words of their own or as the end of a name:
/// `phone:`, `customerPhone=`.
pub(crate) fn follows_word(text: &[u8], at: usize, words: &WordList) -> bool {
    const LOOK_BACK: usize = 40;
    let before = &text[at.saturating_sub(LOOK_BACK)..at];
    // What was said on the line before does not count, unless it announces the next.
    let before = before.strip_suffix(b":\n").unwrap_or(before);
    let before = memchr::memrchr(b'\n', before).map_or(before, |i| &before[i + 1..]);
    let Letters { upper, lower, .. } = Letters::of(before);
    let letter = upper | lower;
    let mut begins = letter & !(letter << 1) | upper & lower << 1;
    while begins != 0 {
        let rest = &before[begins.trailing_zeros() as usize..];
        begins &= begins - 1;
        if let &[first, second, ..] = rest
            && words.may_begin(first, second)
        {
            let pair = [first.to_ascii_lowercase(), second.to_ascii_lowercase()];
            let alike = |word: &&&[u8]| word[..2] == pair;
            if words.beginning(first).iter().filter(alike).any(|word| begins_with_word(rest, word))
            {
                return true;
            }
        }
    }
    false
}

/// Whether the name right before the value at `at` ends in one of `words` (lower case): `seed=`,
/// `"orderId": "`, `request_id `.
pub(crate) fn is_value_of(text: &[u8], at: usize, words: &[&[u8]]) -> bool {
    const GAP: usize = 6;
    const NAME: usize = 24;
    let sign = |b: &u8| matches!(b, b' ' | b':' | b'=' | b'"' | b'\'' | b'#' | b'\\' | b'(' | b'[');
    let gap = text[..at].iter().rev().take(GAP).take_while(|b| sign(b)).count();
    let name = &text[at.saturating_sub(gap + NAME)..at - gap];
    let letters = name.iter().rev().take_while(|b| b.is_ascii_alphabetic()).count();
    let name = &name[name.len() - letters..];
    words.iter().any(|word| {
        let Some(from) = name.len().checked_sub(word.len()) else { return false };
        let (before, last) = name.split_at(from);
        // As a word of its own, or as the last hump of a name.
        let begins = before.is_empty()
            || last[0].is_ascii_uppercase() && before.last().is_some_and(u8::is_ascii_lowercase);
        begins && last.eq_ignore_ascii_case(word)
    })
}

/// Whether `text` begins with `word` and nothing of a word behind it.
fn begins_with_word(text: &[u8], word: &[u8]) -> bool {
    let Some(found) = text.get(..word.len()) else { return false };
    let ends = text.get(word.len()).is_none_or(|next| {
        let hump = next.is_ascii_uppercase() && found[1].is_ascii_lowercase();
        !next.is_ascii_alphabetic() || hump
    });
    ends && found.eq_ignore_ascii_case(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_value() {
        let words: &[&[u8]] = &[b"seed", b"id"];
        for text in ["seed=", "\"orderId\": \"", "request_id ", "id: ", "SEED = "] {
            assert!(is_value_of(text.as_bytes(), text.len(), words), "{text}");
        }
        for text in ["paid ", "card=", "seed of ", "", "id: card "] {
            assert!(!is_value_of(text.as_bytes(), text.len(), words), "{text}");
        }
    }

    #[test]
    fn words_and_ends_of_names() {
        let words = &WordList::new(&[b"call me", b"phone"]);
        for text in [
            "phone: ",
            "customerPhone=",
            "phone_number ",
            "Call me at ",
            "PHONE:\n",
            "phoneNumber: ",
        ] {
            assert!(follows_word(text.as_bytes(), text.len(), words), "{text}");
        }
        for text in ["microphones ", "phonetic ", "phone\nline ", ""] {
            assert!(!follows_word(text.as_bytes(), text.len(), words), "{text}");
        }
    }
}
