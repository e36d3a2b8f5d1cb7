//! Base64, base32 (RFC 4648) and hexadecimal digits whose meaning is text.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::lines;

/// Letters and digits in a row that make a run worth a look: text in base64 has hardly a sign among
/// them, and a shorter run holds no value that could be told.
pub(crate) const SHORTEST: usize = 22;
/// Most bytes of a run.
const LONGEST: usize = 64 * 1024;
/// Digits in a line of base64 in PEM (RFC 7468) and in mail (RFC 2045).
const LINES: [usize; 2] = [64, 76];
/// Bytes of text that a run must begin with to be decoded as a whole.
const HEAD: usize = 12;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

pub(super) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// The length of the run at the start of `text`, with its padding, over the ends of lines that are
/// as long as mail and PEM make them.
pub(super) fn length(text: &[u8]) -> usize {
    let line = digits(text);
    let mut end = line;
    while LINES.contains(&line)
        && end < LONGEST
        && let Some(width) = lines::end_of_line(&text[end..])
    {
        let more = digits(&text[end + width..]);
        let next = &text[end + width..][..more];
        if more == 0 || more > line || more < line && !is_rest(next) {
            break;
        }
        end += width + more;
        if more < line {
            break;
        }
    }
    end + text[end..].iter().take(2).take_while(|byte| **byte == b'=').count()
}

fn digits(text: &[u8]) -> usize {
    text.iter().take(LONGEST).take_while(|byte| is_digit(**byte)).count()
}

/// Whether a line of base64 that is shorter than those before it means text as they do: it may begin
/// in the middle of a character.
fn is_rest(line: &[u8]) -> bool {
    base64(line).is_some_and(|octets| {
        let inside = octets.iter().take(3).take_while(|octet| **octet & 0xc0 == 0x80).count();
        is_text(&octets[inside..])
    })
}

/// The run in one line.
fn in_one_line(run: &[u8]) -> Cow<'_, [u8]> {
    if run.iter().all(|byte| is_digit(*byte) || *byte == b'=') {
        return Cow::Borrowed(run);
    }
    let (mut whole, mut rest) = (Vec::with_capacity(run.len()), run);
    while let Some((first, behind)) = rest.split_first() {
        if let Some(width) = lines::end_of_line(rest) {
            rest = &rest[width..];
        } else {
            whole.push(*first);
            rest = behind;
        }
    }
    Cow::Owned(whole)
}

/// A cheap look at the first bytes: hashes, ids and names fail here.
pub(super) fn begins_as_text(run: &[u8]) -> bool {
    let may_begin = may_begin(base64_octets(run))
        || may_begin(hex_octets(run))
        || may_begin(base32_octets(run));
    may_begin && head_is_text(run)
}

/// Whether none of the first octets, so many as are looked at, rules out that they are text. Of
/// most hashes and ids it is the first or the second that does. What it lets pass too often is left
/// to the decoders.
fn may_begin(octets: impl Iterator<Item = Option<u8>>) -> bool {
    let mut continuations = 0;
    octets.take(HEAD).all(|octet| {
        let Some(octet) = octet else { return false };
        if continuations > 0 {
            continuations -= 1;
            return octet & 0xc0 == 0x80;
        }
        continuations = match octet {
            b'\n' | b'\r' | b'\t' | 0x1b | 0x20..=0x7e => 0,
            0xc2..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf4 => 3,
            _ => return false,
        };
        true
    })
}

fn base64_octets(run: &[u8]) -> impl Iterator<Item = Option<u8>> {
    let (fours, _) = run.as_chunks::<4>();
    fours.iter().flat_map(|four| {
        let bits = four.iter().fold(0, |bits, digit| bits << 6 | base64_digit(*digit));
        let [_, a, b, c] = bits.to_be_bytes();
        [Some(a), Some(b), Some(c)]
    })
}

/// The six bits of a digit in either alphabet; what is none is left to the decoder.
fn base64_digit(digit: u8) -> u32 {
    u32::from(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' | b'-' => 62,
        _ => 63,
    })
}

fn hex_octets(run: &[u8]) -> impl Iterator<Item = Option<u8>> {
    let (pairs, _) = run.as_chunks::<2>();
    pairs.iter().map(|pair| octet(*pair))
}

/// Whole groups only: eight digits, five bytes.
fn base32_octets(run: &[u8]) -> impl Iterator<Item = Option<u8>> {
    let (eights, _) = run.as_chunks::<8>();
    eights.iter().flat_map(|eight| {
        let bits =
            eight.iter().try_fold(0_u64, |bits, digit| Some(bits << 5 | base32_digit(*digit)?));
        let [_, _, _, octets @ ..] = bits.unwrap_or_default().to_be_bytes();
        octets.map(|octet| bits.map(|_| octet))
    })
}

fn base32_digit(digit: u8) -> Option<u64> {
    match digit {
        b'A'..=b'Z' => Some(u64::from(digit - b'A')),
        b'2'..=b'7' => Some(u64::from(digit - b'2' + 26)),
        _ => None,
    }
}

fn head_is_text(run: &[u8]) -> bool {
    let octets: Option<Vec<u8>> = base32_octets(run).take(2 * 5).collect();
    if octets.is_some_and(|octets| octets.len() == 2 * 5 && is_text(&octets)) {
        return true;
    }
    let mut head = [0; HEAD];
    if let Some(digits) = run.first_chunk::<{ HEAD / 3 * 4 }>() {
        let url = digits.iter().any(|byte| matches!(byte, b'-' | b'_'));
        let engine = if url { &URL } else { &PLAIN };
        if engine.decode_slice(digits, &mut head).is_ok_and(|length| is_text(&head[..length])) {
            return true;
        }
    }
    let Some(digits) = run.first_chunk::<{ HEAD * 2 }>() else { return false };
    for (byte, octet) in head.iter_mut().zip(hex_octets(digits)) {
        let Some(octet) = octet else { return false };
        *byte = octet;
    }
    is_text(&head)
}

/// The text that `run` means, if it means text.
pub(super) fn decode(run: &[u8]) -> Option<Vec<u8>> {
    let run = &in_one_line(run)[..];
    hex(run).into_iter().chain(base64(run)).chain(base32(run)).find(|decoded| is_text(decoded))
}

fn base64(run: &[u8]) -> Option<Vec<u8>> {
    let padding = run.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = run.len() - padding;
    // Logs cut long values anywhere: a lone digit at the end means nothing.
    let digits = digits - usize::from(digits % 4 == 1);
    let url = run.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let engine = if url { &URL } else { &PLAIN };
    engine.decode(&run[..digits]).ok()
}

/// With what the last, broken group means: logs cut long values anywhere.
fn base32(run: &[u8]) -> Option<Vec<u8>> {
    let digits = run.len() - run.iter().rev().take_while(|byte| **byte == b'=').count();
    let whole = digits.next_multiple_of(8);
    let padded = run[..digits].iter().copied().chain(std::iter::repeat_n(b'A', whole - digits));
    let padded: Vec<u8> = padded.collect();
    let mut octets: Vec<u8> = base32_octets(&padded).collect::<Option<_>>()?;
    octets.truncate(digits * 5 / 8);
    Some(octets)
}

fn hex(run: &[u8]) -> Option<Vec<u8>> {
    hex_octets(run).collect()
}

fn octet([high, low]: [u8; 2]) -> Option<u8> {
    let value =
        |digit: u8| char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(value(high)? << 4 | value(low)?)
}

/// UTF-8 without control characters, to the last whole character.
fn is_text(bytes: &[u8]) -> bool {
    let whole = match str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    let control =
        |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x1b);
    whole && !bytes.iter().any(control)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The cheap look leaves out nothing that the decoders take for text.
        #[test]
        fn no_text_is_left_out(
            text in prop_oneof!["\\PC{8,20}", "[ -~\\n\\t]{12,20}"],
            noise in "[A-Za-z0-9+/_-]{16,30}",
        ) {
            let digit = |four: u8| char::from(b"0123456789abcdef"[usize::from(four)]);
            let hex: String =
                text.bytes().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
            let bits: Vec<usize> = text
                .bytes()
                .flat_map(|byte| (0..8).rev().map(move |bit| usize::from(byte >> bit & 1)))
                .collect();
            let base32: String = bits
                .chunks_exact(5)
                .map(|five| five.iter().fold(0, |bits, bit| bits << 1 | bit))
                .map(|digit| char::from(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[digit]))
                .collect();
            for run in [PLAIN.encode(&text), URL.encode(&text), hex, base32, noise] {
                let run = run.trim_end_matches('=').as_bytes();
                prop_assert_eq!(begins_as_text(run), head_is_text(run));
            }
        }
    }

    #[test]
    fn text_is_decoded_and_hashes_are_not() {
        for (run, text) in [
            ("cGFzc3dvcmQ9aHVudGVyMmh1bnRlcjI=", "password=hunter2hunter2"),
            ("cGFzc3dvcmQ9aHVudGVyMmh1bnRlcjI", "password=hunter2hunter2"),
            ("eyJxIjoiYT8-In0gYSBsaXR0bGUgbW9yZQ", "{\"q\":\"a?>\"} a little more"),
            ("70617373776f72643d68756e74657232", "password=hunter2"),
            ("OBQXG43XN5ZGIPLIOVXHIZLSGI======", "password=hunter2"),
            ("OBQXG43XN5ZGIPLIOVXHIZLSGJUHK3TUMVZDE", "password=hunter2hunter2"),
        ] {
            assert!(begins_as_text(run.as_bytes()), "{run}");
            assert_eq!(decode(run.as_bytes()).as_deref(), Some(text.as_bytes()), "{run}");
        }
        for run in [
            "3b5d5c3712955042212316173ccf37be800b38e4",
            "Zf3D0LXCM3EIMbgJpUNnkRtO0123",
            "AuthenticationManagerFactoryBean",
        ] {
            assert!(!begins_as_text(run.as_bytes()), "{run}");
        }
    }
}
