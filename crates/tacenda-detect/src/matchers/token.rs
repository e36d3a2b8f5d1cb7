//! Tokens that no literal begins, recognised by a sign in their middle.

use std::ops::Range;

use crate::boundary;

/// A client secret of Microsoft Entra around the `~` at `tilde`: three characters, a digit, `Q~`,
/// 31 to 34 more.
pub(crate) fn azure(text: &[u8], tilde: usize) -> Option<Range<usize>> {
    const HEAD: usize = 5;
    const LONGEST: usize = 34;
    let start = tilde.checked_sub(HEAD)?;
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'~' | b'.' | b'-');
    let shaped = text[tilde - 1] == b'Q'
        && text[tilde - 2].is_ascii_digit()
        && text[start..tilde].iter().all(part);
    let tail = text[tilde + 1..].iter().take(LONGEST + 1).take_while(|b| part(b)).count();
    let whole = (31..=LONGEST).contains(&tail)
        && (start == 0 || !part(&text[start - 1]) || boundary::opens(text, start));
    (shaped && whole).then_some(start..tilde + 1 + tail)
}

/// A bot token of Telegram around the colon at `colon`: the number of the bot, `AA`, 33 more.
pub(crate) fn telegram(text: &[u8], colon: usize) -> Option<Range<usize>> {
    const SECRET: usize = 35;
    let digits = text[..colon].iter().rev().take(11).take_while(|b| b.is_ascii_digit()).count();
    let start = colon - digits;
    let part = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-');
    let secret = text[colon + 1..].iter().take(SECRET + 1).take_while(|b| part(b)).count();
    let opens = boundary::opens(text, start) || text[..start].ends_with(b"bot");
    ((8..=10).contains(&digits) && secret == SECRET && opens).then_some(start..colon + 1 + SECRET)
}
