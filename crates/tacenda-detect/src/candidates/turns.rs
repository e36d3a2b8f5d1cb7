//! Words in which letters and digits take turns: the beginnings of identifiers. Hashes, UUIDs and
//! versions are full of them, so that their bitmaps are compared with the forms before any is read.

use super::Window;
use crate::identifier::{Beginnings, FirstWord};
use crate::masks::{Around, Masks};

/// Most letters before the first digit of an identifier.
pub(crate) const LETTERS: u32 = 6;

/// Where words that begin with letters have their first digit, and words that begin with digits their
/// first letter.
#[inline]
pub(crate) fn turns(around: Around<'_>, starts: u64) -> u64 {
    let Around { before, now, .. } = around;
    let (digit, letter) = (now.digit, now.word & !now.digit);
    // The sum carries each start through its row of digits, or of letters, to what follows it.
    let behind = |row: u64| row.wrapping_add(starts & row) & !row;
    // A row with which the last word of the block before began may go on in this one.
    let over = |row_before: u64, row: u64| {
        let width = row_before.leading_ones();
        let begun = before.word.checked_shl(width).is_some_and(|rest| rest >> 63 == 0);
        let next = 1_u64.checked_shl(row.trailing_ones()).unwrap_or(0);
        if width > 0 && begun { next } else { 0 }
    };
    let mut turns = behind(digit) | behind(letter);
    if before.word >> 63 == 1 {
        turns |= over(before.digit, digit) | over(before.word & !before.digit, letter);
    }
    turns & now.word
}

/// Those of `turns` whose word may be the first of an identifier, or of a bank account (two letters,
/// then two digits), or may be the department of Corsica inside of a number.
#[expect(clippy::inline_always, reason = "takes on the instructions of its caller")]
#[inline(always)]
pub(crate) fn identifiers(
    window: Window<'_>,
    around: Around<'_>,
    mut turns: u64,
    forms: &Beginnings,
) -> u64 {
    let mut found = 0;
    while turns != 0 {
        let bit = turns.trailing_zeros();
        turns &= turns - 1;
        let digits = around.from(bit, |masks| masks.digit);
        let small = |masks: &Masks| masks.word & !masks.digit & !masks.upper;
        let after = around.from(bit, |masks| masks.word).trailing_ones();
        let led_by_digits = digits & 1 == 0;
        let row = if led_by_digits {
            around.to(bit, |masks| masks.digit)
        } else {
            around.to(bit, |masks| masks.word & !masks.digit)
        };
        let row = row.leading_ones();
        let length = row + after;
        if length > FirstWord::LONGEST || !led_by_digits && row > LETTERS {
            continue;
        }
        // What stands in the word before `bit`, and from there on.
        let ahead = around.from(bit, small) & !(u64::MAX << after);
        let back = around.to(bit, small) & !(u64::MAX >> row);
        let word = FirstWord {
            length,
            digits: digits << row | if led_by_digits { !(u64::MAX << row) } else { 0 },
            has_small: ahead | back != 0,
            next: window.behind(bit + after),
        };
        let account = !led_by_digits && row == 2 && digits & 0b11 == 0b11;
        let corsica = led_by_digits && length == 2 && window.is_corsica(bit);
        found |= u64::from(account || corsica || forms.may_be(word)) << bit;
    }
    found
}
