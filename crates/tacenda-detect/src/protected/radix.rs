//! Base32 (RFC 4648) and base85 (as in `base64.b85encode` and Ascii85) inside a text, decoded at every
//! alignment: a cut copy may start anywhere.

use super::base64::PlaceOf;

/// Shortest runs worth decoding: those of sixteen bytes.
const MIN_BASE32: usize = 26;
const MIN_BASE85: usize = 20;

const NONE: u8 = 0xff;

const BASE32: [u8; 256] = table(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
const BASE85: [[u8; 256]; 2] = [
    table(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"),
    table(
        b"!\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstu",
    ),
];

/// What each byte stands for.
const fn table(digits: &[u8]) -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut at = 0;
    while at < digits.len() {
        #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 86")]
        let value = at as u8;
        table[digits[at] as usize] = value;
        at += 1;
    }
    table
}

/// Bytes of a word: most texts have no long one, and no more is asked of them.
const WORD: [u8; 256] = {
    let mut word = [NONE; 256];
    let mut byte = 0x21;
    while byte < 0x7f {
        word[byte] = 0;
        byte += 1;
    }
    word
};

/// Whether a word is as long as the shortest run of any digits. Base64 stands in one as well.
pub(super) fn has_long_word(text: &[u8]) -> bool {
    runs(text, MIN_BASE85, &WORD).next().is_some()
}

/// Calls `visit` with what each long run decodes to.
pub(super) fn scan(text: &[u8], mut visit: impl FnMut(&[u8], PlaceOf<'_>)) {
    for (start, word) in runs(text, MIN_BASE85, &WORD) {
        scan_word(word, start, &mut visit);
    }
}

fn scan_word(word: &[u8], origin: usize, visit: &mut impl FnMut(&[u8], PlaceOf<'_>)) {
    let mut bytes = Vec::new();
    for (start, run) in runs(word, MIN_BASE32, &BASE32) {
        for skip in 0..8 {
            base32(&run[skip..], &mut bytes);
            let origin = origin + start + skip;
            visit(&bytes, &|from, to| (origin + from * 8 / 5, origin + (to * 8).div_ceil(5)));
        }
    }
    for digits in &BASE85 {
        for (start, run) in runs(word, MIN_BASE85, digits) {
            let start = origin + start;
            if !is_signed(run) {
                continue;
            }
            for skip in 0..5 {
                let aligned = &run[skip..];
                if !has_text(aligned, digits) {
                    continue;
                }
                bytes.clear();
                bytes.extend(aligned.chunks(5).flat_map(|group| base85(group, digits)));
                let (origin, end) = (start + skip, start + run.len());
                visit(&bytes, &|from, to| {
                    (origin + from / 4 * 5, (origin + to.div_ceil(4) * 5).min(end))
                });
            }
        }
    }
}

/// Each long run of these digits.
fn runs<'t>(
    text: &'t [u8],
    shortest: usize,
    digits: &'t [u8; 256],
) -> impl Iterator<Item = (usize, &'t [u8])> {
    super::runs::runs(text, shortest, |byte| digits[usize::from(byte)] != NONE)
}

fn base32(run: &[u8], bytes: &mut Vec<u8>) {
    bytes.clear();
    let (mut bits, mut count) = (0_u16, 0);
    for digit in run {
        bits = bits << 5 | u16::from(BASE32[usize::from(*digit)]);
        count += 5;
        if count >= 8 {
            count -= 8;
            let [_, byte] = (bits >> count).to_be_bytes();
            bytes.push(byte);
        }
    }
}

/// The bytes of a group of five digits, or of the last one: one less than it has.
fn base85(group: &[u8], digits: &[u8; 256]) -> impl Iterator<Item = u8> + use<> {
    let digit = |place: usize| group.get(place).map_or(84, |byte| digits[usize::from(*byte)]);
    let number = (0..5).fold(0_u64, |number, place| number * 85 + u64::from(digit(place)));
    // More than four bytes hold is no group: it decodes to what is no text.
    let bytes = u32::try_from(number).unwrap_or_default().to_be_bytes();
    bytes.into_iter().take(group.len().saturating_sub(1))
}

/// Whether it has a sign that words and paths have not: text in base85 has one at least.
fn is_signed(run: &[u8]) -> bool {
    run.iter().any(|byte| byte.is_ascii_punctuation() && !b"-_./:".contains(byte))
}

/// Whether the middle of a run means text: at its ends may stand what belongs to the log.
fn has_text(run: &[u8], digits: &[u8; 256]) -> bool {
    let middle = run.len() / 10 * 5;
    let middle = run[middle..].chunks_exact(5).take(2);
    let mut bytes = middle.flat_map(|group| base85(group, digits));
    bytes.all(|byte| byte >= b' ' || byte.is_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<(String, String)> {
        crate::protected::runs::seen(text, |text, visit| scan(text, visit))
    }

    #[test]
    fn runs_are_decoded() {
        for (spelled, meant) in [
            ("ORUGKIDWNFXWYZLUEBUGK4TPNYQHG2DJOBZQ", "the violet heron ships"),
            ("bZBKDc4=>HWpp5DWpZzBAaiJGaC0DUZXjlI", "the violet heron ships on fr"),
            ("FD,5.G%kl2ATT&.ATD^,+EM41", "the violet heron shi"),
        ] {
            for text in [spelled.to_owned(), format!("p={spelled}."), format!("x {spelled} y")] {
                let found = seen(&text);
                let is_there = |(text, _): &(String, String)| text.contains(&meant[..16]);
                assert!(found.iter().any(is_there), "{text}: {found:?}");
            }
        }
        for text in [
            "/usr/lib/python3.11/site-packages/tacenda/hooks/requests.py",
            "3b5d5c3712955042212316173ccf37be800b38e4",
            "550e8400-e29b-41d4-a716-446655440000",
            "https://example.com/v1/chat?model=mlx-community/Qwen3-0.6B-4bit&n=1",
        ] {
            assert!(seen(text).is_empty(), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn places_lie_in_the_text(text in "[!-~\n ]{0,200}|[A-Z2-7]{20,80}") {
            scan(text.as_bytes(), |bytes, place| {
                for at in 0..bytes.len() {
                    let (from, to) = place(at, at + 1);
                    assert!(from < to && to <= text.len());
                }
            });
        }
    }
}
