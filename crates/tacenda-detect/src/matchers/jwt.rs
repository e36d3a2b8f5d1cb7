//! JSON web tokens (RFC 7519) in their compact form, signed (RFC 7515) or encrypted (RFC 7516).

use std::ops::Range;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Most bytes of one segment.
const SEGMENT: usize = 16 * 1024;
/// Headers are short.
const HEADER: usize = 2048;

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The token that begins at `at`. Its signature may be missing: logs cut long values.
pub(crate) fn at(text: &[u8], at: usize) -> Option<Range<usize>> {
    const MOST_SEGMENTS: usize = 5;
    let header = segment(text, at);
    if !is_header(&text[at..header]) || text.get(header) != Some(&b'.') {
        return None;
    }
    let mut end = segment(text, header + 1);
    if end - header < 5 {
        return None;
    }
    for _ in 2..MOST_SEGMENTS {
        if text.get(end) != Some(&b'.') {
            break;
        }
        let next = segment(text, end + 1);
        if next == end + 1 {
            break;
        }
        end = next;
    }
    Some(at..end)
}

/// The end of the segment that begins at `from`, its padding included.
fn segment(text: &[u8], from: usize) -> usize {
    let part = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let end = from + text[from..].iter().take(SEGMENT).take_while(part).count();
    end + text[end..].iter().take(2).take_while(|b| **b == b'=').count()
}

/// A JOSE header: a JSON object with an algorithm, a type or an encryption.
fn is_header(segment: &[u8]) -> bool {
    let mut decoded = [0; HEADER];
    let Ok(length) = LENIENT.decode_slice(segment, &mut decoded) else { return false };
    let decoded = &decoded[..length];
    decoded.starts_with(b"{")
        && [&b"\"alg\""[..], b"\"typ\"", b"\"enc\"", b"\"kid\""]
            .iter()
            .any(|name| memchr::memmem::find(decoded, name).is_some())
}
